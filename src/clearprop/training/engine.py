"""What does the training: the network itself, or one that stands for it in sample space."""

from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np

from clearprop.errors import UsageError
from clearprop.fused import is_chain
from clearprop.kernels import compile_if_worthwhile
from clearprop.network import Network
from clearprop.optimizers import Optimizer
from clearprop.sample_space import (
    RowNumbers,
    SampleNetwork,
    fits,
    is_cheaper,
    kernel_bytes,
    why_not_exact,
)
from clearprop.summary import readable_bytes
from clearprop.training.samples import Samples

Choice: TypeAlias = Literal["auto"] | bool


def choose_sample_space(
    choice: Choice,
    network: Network,
    optimizer: Optimizer,
    samples: Samples,
    held_out: Samples | None,
    batch_size: int | None,
    steps: int,
) -> bool:
    """Decide whether to train in sample space.

    Parameters
    ----------
    choice : "auto" or bool
        Auto: where it is exact and, by the rule of `is_cheaper`, costs less.
    network : Network
    optimizer : Optimizer
    samples : Samples
        What is trained on.
    held_out : Samples or None
        What is measured after every epoch.
    batch_size : int or None
    steps : int
        How many updates there are to be.

    Returns
    -------
    bool

    Raises
    ------
    UsageError
        If `choice` is True where it would not be exact, or needs more memory than there is.
    """
    if choice is False:
        return False
    if choice == "auto" and not _is_cheaper(network, samples, held_out, batch_size, steps):
        return False  # before anything looks at all of X
    reason = why_not_exact(network, optimizer, samples.X)
    if choice == "auto":
        return reason is None
    if reason is not None:
        raise UsageError(
            f"Training in sample space would not be exact, {reason}. Use sample_space='auto'."
        )
    others = 0 if held_out is None else len(held_out)
    if not fits(len(samples), others):
        raise UsageError(
            f"Training {len(samples)} samples in sample space needs a matrix of "
            f"{readable_bytes(kernel_bytes(len(samples), others))}, more than half of this "
            "machine's memory. Use sample_space='auto'."
        )
    return True


def choose_compiled(
    engine: Network,
    optimizer: Optimizer,
    samples: Samples,
    clip_norm: float | None,
    steps: int,
) -> bool:
    """Decide whether whole steps run as compiled functions: by shapes and kinds alone.

    Parameters
    ----------
    engine : Network
        What does the training.
    optimizer : Optimizer
    samples : Samples
    clip_norm : float or None
    steps : int
        How many updates there are to be.

    Returns
    -------
    bool
        True where Numba is there, the training is long enough, and every part of it is known to
        compiled steps.
    """
    worthwhile = compile_if_worthwhile(engine.parameters.data.size, steps)
    flat = isinstance(samples.X, np.ndarray) and samples.X.flags.c_contiguous
    known = clip_norm is None and is_chain(engine, engine.loss, optimizer)
    return worthwhile and known and (flat or isinstance(engine, SampleNetwork))


def in_sample_space(
    network: Network, samples: Samples, held_out: Samples | None
) -> tuple[SampleNetwork, Samples, Samples | None]:
    """Put a network that works in sample space, and row numbers, in the place of all three."""
    engine = SampleNetwork(network, samples.X, None if held_out is None else held_out.X)
    count = len(samples)
    samples = replace(samples, X=RowNumbers(0, count))
    if held_out is not None:
        held_out = replace(held_out, X=RowNumbers(count, len(held_out)))
    return engine, samples, held_out


def _is_cheaper(
    network: Network,
    samples: Samples,
    held_out: Samples | None,
    batch_size: int | None,
    steps: int,
) -> bool:
    first = next((name for name in network.parameters if name.endswith(".W")), None)
    if first is None:
        return False
    features, units = network.parameters[first].shape
    return is_cheaper(
        features,
        units,
        len(samples),
        0 if held_out is None else len(held_out),
        batch_size or len(samples),
        steps,
    )

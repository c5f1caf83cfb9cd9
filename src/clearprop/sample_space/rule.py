"""When training in sample space is exact, and when it is cheaper."""

import os

import numpy as np

from clearprop.configuration import own
from clearprop.layers import Dense, Flatten
from clearprop.network import Network
from clearprop.optimizers import OPTIMIZERS, Optimizer

_MOST_BYTES = 2**30  # that K may take unasked
_UPDATE = 10  # what an optimizer does to one weight in a step, in multiplications
_LARGEST = 1e140  # whose square can be added up over any number of features
_MARGIN = 1.5  # by how much it must be cheaper: setting it up has a price of its own


def why_not_exact(network: Network, optimizer: Optimizer, X: object) -> str | None:
    """Say why training in sample space would not give the same numbers, or None where it would.

    Parameters
    ----------
    network : Network
    optimizer : Optimizer
    X : ndarray, shape (N, *input_shape), or rows that are prepared as they are asked for

    Returns
    -------
    str or None
        A clause that begins with "because".
    """
    for layer in network.layers:
        if isinstance(layer, Dense):
            break
        if not isinstance(layer, Flatten):
            return f"because {type(layer).__name__} lies below the first Dense layer"
    else:
        return "because there is no Dense layer"
    if not own(type(optimizer), "is_linear"):
        *some, last = (kind.__name__ for kind in OPTIMIZERS.values() if own(kind, "is_linear"))
        return (
            f"because the updates of {type(optimizer).__name__} are not linear in the gradients; "
            f"those of {', '.join(some)} and {last} are"
        )
    if not isinstance(X, np.ndarray):
        return "because the samples are too large to be prepared as a whole"
    largest = max(float(X.max()), -float(X.min()))
    if largest > _LARGEST:
        return f"because products of numbers as large as {largest:.3g} overflow"
    return None


def kernel_bytes(samples: int, held_out: int) -> int:
    """Return what the kernel matrix takes."""
    return 8 * samples * (samples + held_out)


def fits(samples: int, held_out: int) -> bool:
    """Whether the kernel matrix fits into half of the machine's memory."""
    pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    memory = pages * os.sysconf("SC_PAGE_SIZE") if pages > 0 else 2**32
    return kernel_bytes(samples, held_out) <= memory / 2


def is_cheaper(
    features: int, units: int, samples: int, held_out: int, batch_size: int, steps: int
) -> bool:
    """Whether a whole training costs less in sample space, and its matrix is no burden.

    Parameters
    ----------
    features, units : int
        D and M of the first Dense layer.
    samples, held_out : int
    batch_size : int
        Samples that an update sees.
    steps : int
        How many updates there are to be.

    Returns
    -------
    bool
        True where the multiplications of the first layer, forward, backward and in the optimizer,
        are fewer by half, those that set it up counted, and K takes 1 GiB at most.
    """
    if kernel_bytes(samples, held_out) > _MOST_BYTES:
        return False
    plain = steps * features * units * (2 * batch_size + _UPDATE)
    once = features * (samples * (samples + held_out) + units * (2 * samples + held_out))
    own = steps * samples * units * (batch_size + _UPDATE)
    return plain > _MARGIN * (own + once)

"""How a training is computed: by which engine, which kind of step, and how many threads.

Nobody else decides on any of these.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

from clearprop.compiled import FusedGradient, is_chain, is_plain_chain
from clearprop.configuration import Json
from clearprop.core.blas import choose_threads, threads_for_resuming
from clearprop.core.kernels import compile_if_worthwhile, give_up_compiling
from clearprop.errors import UsageError
from clearprop.layers.base import every_layer
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.network.summary import readable_bytes
from clearprop.optimizers import LBFGS, Optimizer
from clearprop.training.engines import (
    Engine,
    RotatedEngine,
    SampleSpaceEngine,
    SparseEngine,
    SparseRows,
    basis_of,
)
from clearprop.training.engines.sample_space import fits, is_cheaper, kernel_bytes, why_not_exact
from clearprop.training.lbfgs import LBFGSStep
from clearprop.training.passes import LayerPasses
from clearprop.training.run import Run
from clearprop.training.samples import Samples
from clearprop.training.step import CompiledStep, PlainStep, Step

Choice: TypeAlias = Literal["auto"] | bool
Made = TypeVar("Made")

_IN_SAMPLE_SPACE, _COMPILED, _THREADS = "in sample space", "by compiled steps", "threads"


@dataclass(frozen=True)
class Plan:
    """The decisions about one training.

    Parameters
    ----------
    engine : Engine
    samples : Samples
        The samples that are trained on, as the engine takes them.
    held_out : Samples or None
        The samples that are measured after every epoch, as the engine takes them.
    optimizer : Optimizer
    batch_size : int
        The most samples that an update sees.
    clip_norm : float or None
    compiled : bool
        Whether updates, or passes of all samples, run as compiled functions.
    threads : int
        The number of threads that a step may have.
    remarks : tuple of str
        Sentences about these decisions, for whoever watches.
    """

    engine: Engine
    samples: Samples
    held_out: Samples | None
    optimizer: Optimizer
    batch_size: int
    clip_norm: float | None
    compiled: bool
    threads: int
    remarks: tuple[str, ...] = ()

    def facts(self) -> dict[str, Json]:
        """Return the decisions that a checkpoint must repeat to go on to the same bits."""
        return {
            "samples": len(self.samples),
            "validation samples": 0 if self.held_out is None else len(self.held_out),
            _IN_SAMPLE_SPACE: self.engine.is_in_sample_space,
            _COMPILED: self.compiled,
        }

    def notes(self) -> dict[str, Json]:
        """Return the decisions that a resumed run repeats where it can, and says where not."""
        return {_THREADS: self.threads}

    def step(self, run: Run, *, scores: bool, goes_on: bool) -> tuple[Step, int]:
        """Make the step, and say how many threads matrix products are to have meanwhile.

        Parameters
        ----------
        run : Run
            With this plan's engine.
        scores : bool
            Whether the logits of what is trained on are wanted.
        goes_on : bool
            Whether updates are done even where a loss is not finite.
        """
        samples, threads, inputs = self.samples, self.threads, self.engine.compiled_inputs()
        if isinstance(self.optimizer, LBFGS):
            passes: LayerPasses | FusedGradient | None = None
            if self.compiled and inputs is not None:
                stack, loss = self.engine.stack, self.engine.loss
                given = stack, loss, inputs.X, samples.y, samples.weights, threads
                passes = _unless_broken(lambda: FusedGradient(*given))
            passes = passes or LayerPasses(self.engine, samples, threads)
            step = LBFGSStep(run, samples, self.optimizer, passes, scores=scores, goes_on=goes_on)
            return step, passes.blas_threads
        plain = PlainStep(run, samples, self.clip_norm, goes_on=goes_on)
        if self.compiled and inputs is not None:
            afterwards = plain if goes_on else None
            compiled = _unless_broken(
                lambda: CompiledStep(run, samples, inputs, self.batch_size, threads, afterwards)
            )
            if compiled is not None:
                return compiled, 1
        return plain, threads


def make_plan(
    network: Network,
    samples: Samples,
    held_out: Samples | None,
    optimizer: Optimizer,
    *,
    loss: Loss | None = None,
    batch_size: int | None,
    updates: int,
    sample_space: Choice = "auto",
    threads: int | None = None,
    clip_norm: float | None = None,
    resumed: Mapping[str, Json] | None = None,
) -> Plan:
    """Decide how a training is computed.

    Parameters
    ----------
    network : Network
    samples : Samples
        The samples that are trained on.
    held_out : Samples or None
        The samples that are measured after every epoch.
    optimizer : Optimizer
    loss : Loss, optional
        The loss that is minimised in the place of the network's.
    batch_size : int or None
        None for all samples.
    updates : int
        The number of updates that there are to be.
    sample_space : "auto" or bool
        Auto: where it is exact and, by the rule of `is_cheaper`, costs less.
    threads : int, optional
        The number that is asked for.
    clip_norm : float, optional
    resumed : mapping, optional
        The facts and notes of the checkpoint that is gone on from: more epochs must not change the
        way.

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        If `sample_space` is True where it would not be exact, or needs more memory than there is;
        or if the optimizer can't train such a network.
    """
    resumed = resumed or {}
    size = len(samples) if batch_size is None else batch_size
    if isinstance(optimizer, LBFGS):
        _check_deterministic(network, clip_norm)
    if sample_space == "auto" and _IN_SAMPLE_SPACE in resumed:
        sample_space = resumed[_IN_SAMPLE_SPACE] is True
    engine = _engine(
        network, loss or network.loss, samples, held_out, optimizer, size, updates, sample_space,
        threads,
    )  # fmt: skip
    samples = replace(samples, X=engine.X)
    if held_out is not None:
        held_out = replace(held_out, X=engine.held_out)
    chosen = choose_threads(engine.parameters.data.size, size, threads)
    remarks = [] if engine.remark is None else [engine.remark]
    before = resumed.get(_THREADS)
    if isinstance(before, int) and before != chosen:
        chosen = threads_for_resuming(before, chosen, threads)
        if chosen != before:
            remarks.append(
                f"the checkpoint was made with {before} threads and this run has {chosen}: from "
                "here on numbers may differ in their last digits from those of a whole run"
            )
    return Plan(
        engine=engine,
        samples=samples,
        held_out=held_out,
        optimizer=optimizer,
        batch_size=size,
        clip_norm=clip_norm,
        compiled=_compiles(engine, optimizer, samples, clip_norm, updates)
        and resumed.get(_COMPILED, True) is True,
        threads=chosen,
        remarks=tuple(remarks),
    )


def _engine(
    network: Network,
    loss: Loss,
    samples: Samples,
    held_out: Samples | None,
    optimizer: Optimizer,
    batch_size: int,
    updates: int,
    sample_space: Choice,
    threads: int | None,
) -> Engine:
    """Choose what trains: the network, or what does the same for less."""
    X, others = samples.X, None if held_out is None else held_out.X
    if isinstance(X, SparseRows):
        return SparseEngine(network, loss, X, others)
    if isinstance(optimizer, LBFGS):
        if sample_space is not False and held_out is None:
            cores = choose_threads(network.parameters.data.size, len(samples), threads)
            basis = basis_of(network, X, updates, cores)
            if basis is not None:
                return RotatedEngine(network, loss, basis)
    elif _is_in_sample_space(
        sample_space, network, optimizer, samples, held_out, batch_size, updates
    ):
        return SampleSpaceEngine(network, loss, X, others)
    return Engine(network, loss, X, others)


def _is_in_sample_space(
    choice: Choice,
    network: Network,
    optimizer: Optimizer,
    samples: Samples,
    held_out: Samples | None,
    batch_size: int,
    updates: int,
) -> bool:
    """Decide whether to train in sample space."""
    if choice is False:
        return False
    N, others = len(samples), 0 if held_out is None else len(held_out)
    if choice == "auto":
        first = next((name for name in network.parameters if name.endswith(".W")), None)
        if first is None:
            return False
        features, units = network.parameters[first].shape
        # In this order, as whether it is exact takes a look at all of X.
        cheaper = is_cheaper(features, units, N, others, batch_size, updates)
        return cheaper and why_not_exact(network, optimizer, samples.X) is None
    reason = why_not_exact(network, optimizer, samples.X)
    if reason is not None:
        raise UsageError(
            f"Training in sample space would not be exact, {reason}. Use sample_space='auto'."
        )
    if not fits(N, others):
        raise UsageError(
            f"Training {N} samples in sample space needs a matrix of "
            f"{readable_bytes(kernel_bytes(N, others))}, more than half of this "
            "machine's memory. Use sample_space='auto'."
        )
    return True


def _compiles(
    engine: Engine,
    optimizer: Optimizer,
    samples: Samples,
    clip_norm: float | None,
    updates: int,
) -> bool:
    """Decide whether to compile: by shapes and kinds alone.

    It is done where Numba is there, the training is long enough, and every part of it is known to
    compiled code.
    """
    passes = updates
    if isinstance(optimizer, LBFGS):
        passes *= -(-len(samples) // engine.chunk)
        known = is_plain_chain(engine.stack, engine.loss)
    else:
        known = clip_norm is None and is_chain(engine.stack, engine.loss, optimizer)
    worthwhile = compile_if_worthwhile(engine.parameters.data.size, passes)
    return worthwhile and known and engine.compiled_inputs() is not None


def _check_deterministic(network: Network, clip_norm: float | None) -> None:
    """Refuse what L-BFGS can't train with: a loss that changes from one look to the next."""
    for _, layer in every_layer(network.body.inner()):
        if not layer.repeatable:
            raise UsageError(
                f"LBFGS needs a loss that stays the same from one look to the next, which it does "
                f"not with {type(layer).__name__}. Train with another optimizer, or without it."
            )
    if clip_norm is not None:
        raise UsageError("LBFGS finds the length of its steps by itself: leave clip_norm out.")


def _unless_broken(make: Callable[[], Made]) -> Made | None:
    """Make something of compiled code; None, with a warning, where compiling fails."""
    try:
        return make()
    except Exception as error:  # a broken Numba may raise anything
        give_up_compiling(error)
        return None

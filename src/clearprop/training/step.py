"""Updates of the weights: one by one, or many in one compiled call."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from clearprop.fused import FusedSteps
from clearprop.kernels import give_up_compiling
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.optimizers import Optimizer
from clearprop.parameters import Array, ParameterVector
from clearprop.sample_space import SampleNetwork
from clearprop.trace import Trace
from clearprop.training.batches import Gatherer, Rows, joined
from clearprop.training.run import Run
from clearprop.training.samples import Samples


class Updates(NamedTuple):
    """What some updates in a row have shown.

    Parameters
    ----------
    losses : sequence of float
        Of every batch that was looked at. Where the last one is not finite, its update was not
        done.
    logits : ndarray, shape (R, K)
        Of all their samples, before the updates; overwritten by the next ones.
    y : ndarray, shape (R,) or (R, K)
        Their targets.
    """

    losses: Sequence[float]
    logits: Array
    y: Array


class Step(ABC):
    """Does updates, and counts them in the run."""

    at_once: int
    """How many updates one call may do."""

    @abstractmethod
    def __call__(self, batches: Sequence[Rows]) -> Updates:
        """Do an update for each batch, until one's loss is not finite."""


class PlainStep(Step):
    """One update by the layers' own forward and backward.

    Parameters
    ----------
    run : Run
    optimizer : Optimizer
    samples : Samples
    clip_norm : float or None
        The longest gradient.
    """

    at_once = 1

    def __init__(
        self, run: Run, optimizer: Optimizer, samples: Samples, clip_norm: float | None
    ) -> None:
        self.run = run
        self.optimizer = optimizer
        self.samples = samples
        self.clip_norm = clip_norm
        self.trace = Trace(training=True, random_state=run.random_state)
        self.trace.wants_dx = False
        self.gradient = run.engine.parameters.like()
        self.gather_inputs = Gatherer(samples.X)
        self.gather_targets = Gatherer(samples.y)

    def __call__(self, batches: Sequence[Rows]) -> Updates:
        """Do the update of the only batch, if its loss is finite."""
        (batch,) = batches
        run, network, optimizer = self.run, self.run.engine, self.optimizer
        x, y = network.inputs(self.gather_inputs(batch)), self.gather_targets(batch)
        weights = None if self.samples.weights is None else self.samples.weights[batch]
        logits = network.forward(x, self.trace)
        loss, dlogits = network.loss(logits, y, weights)
        network.backward(dlogits, self.trace, self.gradient)
        counted = len(y) if weights is None else float(weights.sum()) or len(y)
        loss += optimizer.regularize(network, self.gradient, counted)
        if math.isfinite(loss):
            if self.clip_norm is not None:
                _clip(network, self.gradient, self.clip_norm)
            optimizer.step(network.parameters, self.gradient, run.optimizer_state, run.step)
            network.update_state(self.trace)
            run.step += 1
        return Updates((loss,), logits, y)


class CompiledStep(Step):
    """Many updates in one compiled call.

    Parameters
    ----------
    run : Run
    loss : Loss
        That of the engine, or one that is minimised in its place.
    optimizer : Optimizer
    samples : Samples
    batch_size : int
        The most samples that a batch has.
    threads : int
        How many work on a batch together.
    """

    def __init__(
        self,
        run: Run,
        loss: Loss,
        optimizer: Optimizer,
        samples: Samples,
        batch_size: int,
        threads: int,
    ) -> None:
        engine = run.engine
        sample_space = engine if isinstance(engine, SampleNetwork) else None
        self.run = run
        self.y = samples.y
        self.steps = FusedSteps(
            engine,
            loss,
            optimizer,
            run.optimizer_state,
            X=sample_space.K if sample_space else samples.X.reshape(len(samples), -1),
            y=samples.y,
            weights=samples.weights,
            Z_0=sample_space.Z_0 if sample_space else None,
            batch_size=batch_size,
            threads=threads,
            random_state=run.random_state,
        )
        self.at_once = self.steps.at_once

    def __call__(self, batches: Sequence[Rows]) -> Updates:
        """Do an update for each batch, until one's loss is not finite."""
        run = self.run
        rows, sizes = joined(batches)
        losses, logits = self.steps(run.step, rows, sizes)
        run.step += len(losses) if math.isfinite(losses[-1]) else len(losses) - 1
        return Updates(losses, logits, self.y[rows])


def step_of(
    run: Run,
    optimizer: Optimizer,
    samples: Samples,
    clip_norm: float | None,
    *,
    compiled: bool,
    batch_size: int,
    threads: int,
) -> Step:
    """Make the step; a plain one, with a warning, where compiling fails."""
    if compiled:
        try:
            return CompiledStep(run, run.engine.loss, optimizer, samples, batch_size, threads)
        except Exception as error:  # a broken Numba may raise anything
            give_up_compiling(error)
    return PlainStep(run, optimizer, samples, clip_norm)


def _clip(network: Network, gradient: ParameterVector, longest: float) -> None:
    norm = math.sqrt(network.squared_norm(gradient, gradient))
    if norm > longest:
        gradient.data *= longest / norm

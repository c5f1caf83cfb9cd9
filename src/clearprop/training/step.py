"""Updates of the weights: one by one, or many in one compiled call."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from clearprop.compiled import (
    FusedSteps,
    PicturePasses,
    PictureSteps,
    TablePasses,
    TableSteps,
    is_table,
)
from clearprop.core.blas import available_cores
from clearprop.core.parameters import Array, ParameterVector
from clearprop.core.trace import Trace
from clearprop.training.engines import CompiledInputs, Engine
from clearprop.training.feeding import Feed
from clearprop.training.run import Run
from clearprop.training.samples import Rows, Samples, joined


class Updates(NamedTuple):
    """The losses and logits that some updates in a row have shown.

    Parameters
    ----------
    losses : sequence of float
        The loss of every batch that was looked at. Where the last one is not finite, its update was
        not done, unless training goes on all the same. Empty where no update could be done.
    logits : ndarray, shape (R, K)
        The logits of all their samples, before the updates; overwritten by the next ones.
    y : ndarray, shape (R,) or (R, K)
        The targets of these samples.
    """

    losses: Sequence[float]
    logits: Array
    y: Array


class Step(ABC):
    """Does updates, and counts them in the run."""

    at_once: int
    """The number of updates that one call may do."""

    ended: str | None = None
    """The reason for which no further update is of use, once there is one."""

    @abstractmethod
    def __call__(self, batches: Sequence[Rows]) -> Updates:
        """Do an update for each batch, until one's loss is not finite."""

    def ahead(self, batches: Iterator[Rows]) -> AbstractContextManager[Iterator[Rows]]:
        """Hear which batches an epoch has, to make some ready, and give them back."""
        return nullcontext(batches)

    def close(self) -> None:  # noqa: B027 - most hold on to nothing
        """Let go of whoever helps, at the end of training."""


class PlainStep(Step):
    """One update by the layers' own forward and backward.

    Parameters
    ----------
    feed : Feed
        Gives the samples of a batch.
    clip_norm : float or None
        The longest gradient.
    goes_on : bool
        Whether an update is done even where its loss is not finite.
    """

    at_once = 1

    def __init__(self, run: Run, feed: Feed, clip_norm: float | None, *, goes_on: bool) -> None:
        self.run, self.feed, self.clip_norm, self.goes_on = run, feed, clip_norm, goes_on
        self.trace = Trace(training=True, random_state=run.random_state)
        self.trace.wants_dx = False
        self.gradient = run.engine.parameters.like()

    def ahead(self, batches: Iterator[Rows]) -> AbstractContextManager[Iterator[Rows]]:
        """Have the batches of an epoch made ready where that is work."""
        return self.feed.ahead(batches, self.run.step)

    def __call__(self, batches: Sequence[Rows]) -> Updates:
        """Do the update of the only batch."""
        (batch,) = batches
        return self.update(*self.feed(batch))

    def update(self, x: Any, y: Array, weights: Array | None) -> Updates:
        """Do the update of a batch that the feed gave."""
        run, engine, optimizer = self.run, self.run.engine, self.run.optimizer
        self.trace.step = run.step
        logits = engine.forward(x, self.trace)
        loss, dlogits = engine.loss(logits, y, weights)
        engine.backward(dlogits, self.trace, self.gradient)
        counted = len(y) if weights is None else float(weights.sum()) or len(y)
        loss += optimizer.regularize(engine, self.gradient, counted)
        if self.goes_on or math.isfinite(loss):
            if self.clip_norm is not None:
                clip(engine, self.gradient, self.clip_norm)
            optimizer.step(engine.parameters, self.gradient, run.optimizer_state, run.step)
            engine.update_state(self.trace)
            run.step += 1
        return Updates((loss,), logits, y)


class CompiledStep(Step):
    """Many updates in one compiled call.

    Parameters
    ----------
    samples : Samples
        The samples as the run's engine takes them.
    inputs : CompiledInputs
        The same as compiled code takes them.
    batch_size : int
        The most samples that a batch has.
    threads : int
        The number of threads that work on a batch together.
    afterwards : PlainStep or None
        The step that goes on from the first loss on that is not finite; without one the update of
        that batch is not done.
    """

    def __init__(
        self,
        run: Run,
        samples: Samples,
        inputs: CompiledInputs,
        batch_size: int,
        threads: int,
        afterwards: PlainStep | None,
    ) -> None:
        self.run, self.y, self.afterwards = run, samples.y, afterwards
        stack, loss, optimizer = run.engine.stack, run.engine.loss, run.optimizer
        is_of_table = is_table(stack, loss, optimizer)
        make = (
            TableSteps
            if is_of_table
            else partial(FusedSteps, Z_0=inputs.Z_0, first_squares=inputs.first_squares)
        )
        self.steps = make(
            stack,
            loss,
            optimizer,
            run.optimizer_state,
            X=inputs.X,
            y=samples.y,
            weights=samples.weights,
            batch_size=batch_size,
            threads=threads,
            random_state=run.random_state,
        )
        self.at_once = self.steps.at_once
        if is_of_table:
            stack.passes = TablePasses(stack, loss, optimizer, threads)

    def __call__(self, batches: Sequence[Rows]) -> Updates:
        """Do an update for each batch."""
        run = self.run
        rows, sizes = joined(batches)
        self.steps.optimizer = run.optimizer  # the rules may have changed its learning rate
        losses, logits = self.steps(run.step, rows, sizes)
        done = len(losses) if math.isfinite(losses[-1]) else len(losses) - 1
        run.step += done
        y = self.y[rows]
        if done == len(losses) or self.afterwards is None:
            return Updates(losses, logits, y)
        losses, parts = losses[:done], [logits[: sum(sizes[:done])]]
        for batch in batches[done:]:
            (loss,), some, _ = self.afterwards([batch])
            losses.append(loss)
            parts.append(some.copy())
        return Updates(losses, np.concatenate(parts), y)


class PictureStep(Step):
    """One update by compiled passes of convolutions.

    Parameters
    ----------
    plain : PlainStep
        The step in whose place it stands, which goes on from a loss on that is not finite.
    batch_size : int
        The most samples that a batch has.
    threads : int
        The number of threads that work on a batch together.
    """

    at_once = 1

    def __init__(self, plain: PlainStep, batch_size: int, threads: int) -> None:
        self.plain, self.run = plain, plain.run
        self._has_core_left = threads < available_cores()
        run = plain.run
        self.steps = PictureSteps(
            run.engine.stack,
            run.engine.loss,
            run.optimizer,
            run.optimizer_state,
            batch_size=batch_size,
            threads=threads,
            random_state=run.random_state,
        )
        run.engine.stack.passes = PicturePasses(run.engine.stack, run.engine.loss, threads)

    def ahead(self, batches: Iterator[Rows]) -> AbstractContextManager[Iterator[Rows]]:
        """Have the batches of an epoch made ready where a core has nothing else to do."""
        share = None if self._has_core_left else self.steps.share
        return self.plain.feed.ahead(batches, self.run.step, share)

    def __call__(self, batches: Sequence[Rows]) -> Updates:
        """Do the update of the only batch."""
        (batch,) = batches
        run, (x, y, weights) = self.run, self.plain.feed(batch)
        self.steps.optimizer = run.optimizer  # the rules may have changed its learning rate
        loss, logits = self.steps(run.step, run.engine.inputs(x), y, weights)
        if math.isfinite(loss):
            run.step += 1
        elif self.plain.goes_on:
            return self.plain.update(x, y, weights)
        return Updates((loss,), logits, y)


def clip(engine: Engine, gradient: ParameterVector, longest: float) -> None:
    """Shorten a gradient that is longer than it may be."""
    norm = math.sqrt(engine.squared_norm(gradient, gradient))
    if norm > longest:
        gradient.data *= longest / norm

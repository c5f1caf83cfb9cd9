"""Iterations of L-BFGS as updates of a training run, and their passes of all samples."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from clearprop.compiled import FusedGradient
from clearprop.core.parameters import Array, ParameterVector
from clearprop.core.trace import Trace
from clearprop.optimizers import LBFGS
from clearprop.training.engines import Engine
from clearprop.training.lbfgs.minimizer import Minimizer
from clearprop.training.run import Run
from clearprop.training.samples import Rows, Samples
from clearprop.training.step import Step, Updates

_ENDINGS = {"flat": "converged", "still": "converged", "evaluations": "finished", "stuck": "stuck"}
"""The reasons of a run for which L-BFGS ends, by its own."""


class _Share:
    """Chunks of samples that one thread passes through the network, and its working memory."""

    def __init__(self, engine: Engine, starts: range) -> None:
        self.starts = starts
        self.trace = Trace(training=True)
        self.trace.wants_dx = False
        self.gradient, self.part = engine.parameters.like(), engine.parameters.like()


class LayerPasses:
    """The layers' own forward and backward, a chunk of samples at a time.

    So the numbers between the layers stay in the cache. Where there are many samples, several
    threads have a share of them each; where there are few, they share each product.

    Parameters
    ----------
    engine : Engine
        An engine whose parameters may be changed between two calls.
    samples : Samples
        The samples as the engine takes them.

    Attributes
    ----------
    gradient : ParameterVector
        The gradient of the mean loss, as of the last call.
    blas_threads : int
        The number of threads that a product is to have.
    """

    def __init__(self, engine: Engine, samples: Samples, threads: int) -> None:
        self.engine, self.X, self.y, weights = engine, samples.X, samples.y, samples.weights
        self.total = samples.counted
        self.weights = None if weights is None else (weights / self.total)[:, np.newaxis]
        self.rows = engine.chunk
        count = len(samples)
        shares = min(threads, count) if count > self.rows else 1
        self.blas_threads = 1 if shares > 1 else threads
        cuts = [count * part // shares for part in range(shares + 1)]
        self.shares = [_Share(engine, range(*ends, self.rows)) for ends in pairwise(cuts)]
        self.others = ThreadPoolExecutor(max(shares - 1, 1))  # its threads start when needed
        self.gradient = self.shares[0].gradient

    def __call__(self) -> float:
        """Write the gradient of the mean loss into `gradient`, and return the loss."""
        first, *others = self.shares
        results = [self.others.submit(self._pass, share) for share in others]
        loss = self._pass(first)
        for share, result in zip(others, results, strict=True):
            loss += result.result()
            self.gradient.data += share.gradient.data
        return loss

    def _pass(self, share: _Share) -> float:
        loss, gradient = 0.0, share.gradient
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a thread has its own
            for start in share.starts:
                rows = slice(start, min(start + self.rows, share.starts.stop))
                loss += self._chunk(rows, share.trace, gradient)
                if gradient is share.part:
                    share.gradient.data += share.part.data
                gradient = share.part
        return loss

    def _chunk(self, rows: slice, trace: Trace, gradient: ParameterVector) -> float:
        logits = self.engine.forward(self.X[rows], trace)
        losses, dlogits = self.engine.loss.each(logits, self.y[rows])
        if self.weights is None:
            dlogits /= self.total
            loss = losses.sum() / self.total
        else:
            dlogits *= self.weights[rows]
            loss = losses @ self.weights[rows, 0]
        self.engine.backward(dlogits, trace, gradient)
        return float(loss)


class Objective:
    """The loss of all samples, with L2, and its gradient, as functions of one vector.

    Parameters
    ----------
    engine : Engine
        An engine whose parameters are those of the last call.
    passes : LayerPasses or FusedGradient
        The passes of all samples through the engine.
    optimizer : LBFGS
        The optimizer, which adds L2.
    counted : float
        The number of samples, or the sum of their weights.
    """

    def __init__(
        self, engine: Engine, passes: LayerPasses | FusedGradient, optimizer: LBFGS, counted: float
    ) -> None:
        self.engine, self.passes, self.optimizer = engine, passes, optimizer
        self.counted = counted

    def __call__(self, vector: Array) -> tuple[float, Array]:
        """Return the loss, and a new array, its gradient, at a vector of parameters."""
        engine, gradient = self.engine, self.passes.gradient
        engine.parameters.data[...] = vector
        gradient.data[...] = 0  # of parameters that no pass writes, too, L2 has one
        loss = self.passes()
        loss += self.optimizer.regularize(engine, gradient, self.counted)
        return loss, gradient.data.astype(np.float64)


class LBFGSStep(Step):
    """One iteration over all samples.

    Parameters
    ----------
    samples : Samples
        The samples as the run's engine takes them.
    passes : LayerPasses or FusedGradient
        The passes of these samples.
    scores : bool
        Whether the logits are wanted, which takes one more pass forward.
    goes_on : bool
        Whether a loss that is not finite at the start is no reason to end by an error.
    """

    at_once = 1

    def __init__(
        self,
        run: Run,
        samples: Samples,
        optimizer: LBFGS,
        passes: LayerPasses | FusedGradient,
        *,
        scores: bool,
        goes_on: bool,
    ) -> None:
        self.run, self.samples, self.optimizer, self.passes = run, samples, optimizer, passes
        self.scores, self.goes_on = scores, goes_on
        self.nothing = np.empty((0, 0)), samples.y[:0]
        self.minimizer: Minimizer | None = None

    def __call__(self, batches: Sequence[Rows]) -> Updates:
        """Do an iteration, if there is one to be done."""
        run, engine = self.run, self.run.engine
        minimizer = self.minimizer = self.minimizer or self._begin()
        losses: tuple[float, ...] = ()
        if not (math.isfinite(minimizer.value) or self.goes_on):
            losses = (minimizer.value,)
        else:
            try:
                if minimizer.iterate():
                    losses = (minimizer.value,)
                    run.step += 1
            finally:
                if not losses:  # the last look was at another place
                    engine.parameters.data[...] = minimizer.x
        self.ended = _ENDINGS.get(minimizer.reason or "")
        if not (self.scores and losses):
            return Updates(losses, *self.nothing)
        return Updates(losses, engine.logits(self.samples.X), self.samples.y)

    def _begin(self) -> Minimizer:
        engine = self.run.engine
        minimizer = Minimizer(
            Objective(engine, self.passes, self.optimizer, self.samples.counted),
            engine.parameters.data,
            self.run.optimizer_state,
            is_flat=lambda _: engine.is_flat(self.passes.gradient, self.optimizer.tolerance),
            max_evaluations=self.optimizer.max_evaluations,
        )
        self.run.loss = minimizer.value
        return minimizer

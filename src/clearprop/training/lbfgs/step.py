"""Iterations of L-BFGS as updates of a training run."""

import math
from collections.abc import Sequence

import numpy as np

from clearprop.compiled import FusedGradient
from clearprop.core.parameters import Array
from clearprop.optimizers import LBFGS
from clearprop.training.batches import Rows
from clearprop.training.engines import Engine
from clearprop.training.lbfgs.minimizer import Minimizer
from clearprop.training.passes import LayerPasses
from clearprop.training.run import Run
from clearprop.training.samples import Samples
from clearprop.training.step import Step, Updates

_ENDINGS = {"flat": "converged", "still": "converged", "evaluations": "finished", "stuck": "stuck"}
"""The reasons of a run for which L-BFGS ends, by its own."""


class Objective:
    """The loss of all samples, with L2, and its gradient, as functions of one vector.

    Parameters
    ----------
    engine : Engine
        Its parameters are those of the last call.
    passes : LayerPasses or FusedGradient
        Of the samples through the engine.
    optimizer : LBFGS
        Gives L2.
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
    run : Run
    samples : Samples
        The samples as the run's engine takes them.
    optimizer : LBFGS
    passes : LayerPasses or FusedGradient
        Of these samples.
    scores : bool
        Whether the logits are wanted, which takes one more pass forward.
    goes_on : bool
        Whether a loss that is not finite at the start is no loss at all to speak of.
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
        scores = self.scores and losses
        logits = engine.logits(self.samples.X) if scores else np.empty((0, 0))
        return Updates(losses, logits, self.samples.y if scores else self.samples.y[:0])

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

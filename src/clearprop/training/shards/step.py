"""The update of a training in shards."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from clearprop.training.run import Run
from clearprop.training.samples import Rows, Samples
from clearprop.training.shards.crew import Crew
from clearprop.training.shards.cutting import bounds, cut, summed
from clearprop.training.shards.worker import Asked, Shard, Work
from clearprop.training.step import Step, Updates, clip
from clearprop.training.streaming import ShardedOnDisk


class ShardedStep(Step):
    """One update by the gradients of virtual shards, added up a fixed tree.

    Parameters
    ----------
    run : Run
    samples : Samples
        The samples that are trained on.
    work : Work
    crew : Crew
        Whoever computes the shards.
    clip_norm : float or None
        The longest gradient.
    """

    at_once = 1

    def __init__(
        self, run: Run, samples: Samples, work: Work, crew: Crew, clip_norm: float | None
    ) -> None:
        self.run, self.samples, self.work, self.crew = run, samples, work, crew
        self.clip_norm = clip_norm
        self.ends = bounds(len(samples), work.shards)
        self.gradient = run.engine.parameters.like()
        run.pace = crew.pace
        crew.start(work, self._shards())

    def _shards(self) -> dict[int, Shard]:
        """Return the samples of each shard, or on disk what reads them."""
        if isinstance(self.samples, ShardedOnDisk):
            return {shard: self.samples.shard(shard) for shard in range(self.work.shards)}
        every = enumerate(pairwise(self.ends.tolist()))
        return {shard: self.samples.take(slice(*ends)) for shard, ends in every}

    def _asked(self, batch: Any) -> tuple[dict[int, Any], float]:
        """Return what is asked of each shard that has samples in a batch, and their weight."""
        if isinstance(self.samples, ShardedOnDisk):
            sizes = enumerate(self.samples.sizes)
            return {shard: batch for shard, n in sizes if batch.rows(n)}, float(len(batch))
        rows = np.arange(len(self.samples))[batch]
        weights = None if self.samples.weights is None else self.samples.weights[rows]
        total = float(len(rows)) if weights is None else float(weights.sum()) or float(len(rows))
        return {shard: one - self.ends[shard] for shard, one in cut(rows, self.ends).items()}, total

    def __call__(self, batches: Sequence[Rows]) -> Updates:
        """Do the update of the only batch."""
        (batch,) = batches
        run, engine, optimizer = self.run, self.run.engine, self.run.optimizer
        of_shards, total = self._asked(batch)
        asked = Asked(
            *(run.step, engine.parameters.data, engine.state.data),
            *(range(self.work.shards), of_shards, total),
        )
        try:
            found = self.crew.ask(asked)
        finally:
            run.remarks += self.crew.remarks
            self.crew.remarks.clear()
        part = summed(
            self.work.root, {node: one for some in found for node, one in some.parts.items()}
        )
        assert part is not None  # noqa: S101 - a batch has samples
        logits, y = (
            np.concatenate([by_shard[shard] for shard in of_shards])
            for by_shard in (
                {shard: one for some in found for shard, one in some.logits.items()},
                {shard: one for some in found for shard, one in some.y.items()},
            )
        )
        self.gradient.data[...] = part.gradient
        loss = part.loss + optimizer.regularize(engine, self.gradient, total)
        if math.isfinite(loss):
            if self.clip_norm is not None:
                clip(engine, self.gradient, self.clip_norm)
            optimizer.step(engine.parameters, self.gradient, run.optimizer_state, run.step)
            engine.state.data[...] = part.state
            run.step += 1
        return Updates((loss,), logits, y)

    def close(self) -> None:
        """Let the crew go."""
        self.crew.close()

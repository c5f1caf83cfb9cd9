"""What is examined, and what can be measured of it; each is computed when it is first asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from clearprop.doctor.finding import Changes, Finding
from clearprop.doctor.neighbours import Opinion, ask_neighbours
from clearprop.doctor.scores import Score, class_numbers, is_gain, is_well, score
from clearprop.doctor.trials import Trials
from clearprop.doctor.watching import Seen, watch
from clearprop.layers import Dropout
from clearprop.network import Network
from clearprop.optimizers import OPTIMIZERS
from clearprop.parameters import Array
from clearprop.training import History, Trainer
from clearprop.training.batches import steps_per_epoch
from clearprop.training.samples import Samples

_ROWS = 2000  # samples that are looked at, at most
_NUMBERS = 4_000_000  # that they hold at most
_UNLIMITED = 10**9  # updates, of a training that tells no number
_ENOUGH_TO_JUDGE = 100  # held-out samples: of fewer, a score is mostly chance


@dataclass(frozen=True, eq=False)
class Crash:
    """The weights just before a loss stopped being finite.

    Parameters
    ----------
    update : int
        Which one could not be done.
    before, last : Network
        With the weights before the last update that was done, and after it. The latter may hold
        numbers that are not finite.
    """

    update: int
    before: Network
    last: Network


@dataclass(frozen=True, eq=False)
class Case:
    """A training, finished or not begun.

    Parameters
    ----------
    network : Network
        With the weights that it has now.
    start : Network
        With the weights that it began with.
    samples : Samples
        What it is trained on.
    held_out : Samples or None
        What it is not trained on.
    trainer : Trainer or None
        How it is trained.
    history : History
    crash : Crash or None
    """

    network: Network
    start: Network
    samples: Samples
    held_out: Samples | None = None
    trainer: Trainer | None = None
    history: History = field(default_factory=History)
    crash: Crash | None = None

    @cached_property
    def sample_rows(self) -> Array:
        """The places of `sample` among the training samples."""
        return _some_rows(len(self.samples), self._rows_to_look_at)

    @cached_property
    def sample(self) -> Samples:
        """Some of the training samples, prepared."""
        return _taken(self.network, self.samples, self.sample_rows)

    @cached_property
    def validation(self) -> Samples | None:
        """Some of the held-out samples."""
        if self.held_out is None:
            return None
        rows = _some_rows(len(self.held_out), self._rows_to_look_at)
        return _taken(self.network, self.held_out, rows)

    @property
    def judged(self) -> Samples:
        """What a score is measured on: held-out samples, where they are enough."""
        enough = self.validation is not None and len(self.validation) >= _ENOUGH_TO_JUDGE
        return self.validation if enough and self.validation is not None else self.sample

    @cached_property
    def labels(self) -> Array | None:
        """The class of every training sample; None where they have no single class."""
        return class_numbers(self.network.loss, self.samples.y)

    @property
    def is_trained(self) -> bool:
        """Whether the weights differ from the first ones."""
        return not np.array_equal(self.network.parameters.data, self.start.parameters.data)

    @cached_property
    def score(self) -> Score:
        """What the network reaches now; where it is not trained, what a short trial does."""
        if not (self.is_trained or self.history.stopped):
            return self.trials.reach({})
        return score(self.network, self.judged)

    @cached_property
    def training_score(self) -> Score:
        """What the network reaches on what it is trained on."""
        return score(self.network, self.sample)

    @property
    def is_well(self) -> bool:
        """Whether so little is left to be learned that nothing keeps the network from learning."""
        learned = is_well(self.score) or is_well(self.training_score)
        return learned and self.history.stopped != "diverged"

    @cached_property
    def at_start(self) -> list[Seen]:
        """What every layer saw in a training pass with the first weights."""
        return watch(self.start, self.sample.X, self.sample.y, training=True)

    @cached_property
    def at_end(self) -> list[Seen]:
        """What every layer saw in a pass with the present weights, as for a prediction."""
        return watch(self.network, self.sample.X, self.sample.y, training=False)

    @cached_property
    def opinion(self) -> Opinion | None:
        """What the nearest neighbours of every sample say."""
        return ask_neighbours(self.sample.X, self.sample.y, self.network.loss)

    @cached_property
    def rate(self) -> float | None:
        """The largest learning rate of the training; None where nobody says how it is trained."""
        if self.trainer is None:
            return None
        optimizer = self.trainer.optimizer
        steps = self.trainer.epochs * steps_per_epoch(
            len(self.samples), self.trainer.samples_per_update
        )
        steps = min(steps, self.trainer.max_steps or steps)
        return max(optimizer.rate(step) for step in range(0, steps, max(steps // 100, 1)))

    @property
    def optimizer_name(self) -> str:
        """The optimizer's class as one types it, or that which it derives from; "" if not known."""
        if self.trainer is None:
            return ""
        kinds = type(self.trainer.optimizer).__mro__
        public = (kind for kind in kinds if kind in OPTIMIZERS.values())
        return next(public, kinds[0]).__name__

    @cached_property
    def trials(self) -> Trials:
        """Where advice is tried."""
        steps = int(self.history["step"][-1]) if len(self.history) else _UNLIMITED
        rows = _some_rows(len(self.samples), 4 * self._rows_to_look_at)
        return Trials(
            start=self.start,
            trainer=self.trainer or Trainer(),
            rate=self.rate,
            samples=_taken(self.network, self.samples, rows),
            sample=self.sample,
            judged=self.judged,
            most=_UNLIMITED if self.history.stopped == "diverged" else steps,
        )

    def cure(self, changes: Changes) -> Score | None:
        """Return what a trial with changes reaches, if it is more than the training did."""
        found = self.trials.reach(changes)
        return found if is_gain(found, self.score) else None

    @cached_property
    def milder(self) -> Changes | None:
        """The change that takes back a regularisation without which much more is learned."""
        layers, trainer = self.network.layers, self.trainer
        tried: list[Changes] = []
        if trainer is not None and trainer.optimizer.alpha:
            tried.append({"l2": 0.0})
        if any(isinstance(layer, Dropout) and layer.rate for layer in layers):
            tried.append({"dropout": 0.0})
        return next((changes for changes in tried if self.cure(changes) is not None), None)

    def trial_facts(self, reached: Score) -> dict[str, Any]:
        """Say how a trial went, for the sentence about it."""
        return {"updates": self.trials.updates, "reached": reached.text, "own": self.score.text}

    @property
    def _rows_to_look_at(self) -> int:
        numbers = int(np.prod(self.network.input_shape))
        return max(min(_ROWS, _NUMBERS // numbers), 10)


def first_cause(found: Sequence[Finding]) -> Finding | None:
    """Return the first finding that changes something: what follows may be due to it."""
    return next((finding for finding in found if finding.changes), None)


def _some_rows(samples: int, most: int) -> Array:
    """Choose rows, the same at every call, and in their order."""
    if samples <= most:
        return np.arange(samples)
    return np.sort(np.random.RandomState(0).choice(samples, most, replace=False))


def _taken(network: Network, samples: Samples, rows: Array) -> Samples:
    few = samples.take(rows)
    return replace(few, X=network.inputs(few.X))

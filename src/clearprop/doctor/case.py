"""A training to examine, and every measure of it, computed when it is first asked for."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from typing import Any, TypeVar

import numpy as np

from clearprop.core.parameters import Array
from clearprop.doctor import scores
from clearprop.doctor.treatment import Changes, Trials
from clearprop.doctor.watching import Seen, watch
from clearprop.layers import Dropout, Layer, NTKDense
from clearprop.network import Network
from clearprop.optimizers import OPTIMIZERS
from clearprop.training import History, Trainer
from clearprop.training.samples import Samples, steps_per_epoch

L = TypeVar("L", bound=Layer)

_ROWS = 2000  # samples that are looked at, at most
_NUMBERS = 4_000_000  # that they hold at most
_UNLIMITED = 10**9  # updates, of a training that tells no number
_ENOUGH_TO_JUDGE = 100  # held-out samples: of fewer, a score is mostly chance
_HIGHER = 1.5  # times a loss: more than chance makes of it
_LIGHT = 0.2  # dropout, beside which L2 was chosen
_OF_DENSE = frozenset({"init", "batch_norm"})  # settings that a network of tables has not
_FAR = 100.0  # times the loss of knowing nothing: no network that learned is so wrong


@dataclass(frozen=True, eq=False)
class Crash:
    """The weights just before a loss stopped being finite in the update of that number.

    There are those before the last update that was done, and after it, when they may not be finite
    any more.
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
        The network with its present weights.
    start : Network
        The network with its first weights.
    samples : Samples
        The samples that it is trained on.
    held_out : Samples or None
        Samples that it is not trained on.
    trainer : Trainer or None
    history : History
    crash : Crash or None
    chosen : frozenset of str
        The settings that samples chose which were not learned from, and are no more.
    """

    network: Network
    start: Network
    samples: Samples
    held_out: Samples | None = None
    trainer: Trainer | None = None
    history: History = field(default_factory=History)
    crash: Crash | None = None
    chosen: frozenset[str] = frozenset()

    @cached_property
    def sample_rows(self) -> Array:
        """The places of `sample` among the training samples."""
        return self._rows(self.samples)

    @cached_property
    def sample(self) -> Samples:
        """Some of the training samples, prepared."""
        return self._taken(self.samples, self.sample_rows)

    @cached_property
    def validation(self) -> Samples | None:
        """Some of the held-out samples, prepared."""
        held_out = self.held_out
        return None if held_out is None else self._taken(held_out, self._rows(held_out))

    @property
    def judged(self) -> Samples:
        """The samples that a score is measured on: held-out ones, where they are enough."""
        enough = self.validation is not None and len(self.validation) >= _ENOUGH_TO_JUDGE
        return self.validation if enough and self.validation is not None else self.sample

    @cached_property
    def labels(self) -> Array | None:
        """The class of every training sample; None where they have no single class."""
        return scores.class_numbers(self.network.loss, self.samples.y)

    @property
    def is_trained(self) -> bool:
        """Whether the weights differ from the first ones."""
        return not np.array_equal(self.network.parameters.data, self.start.parameters.data)

    @cached_property
    def score(self) -> scores.Score:
        """The score of the network now; where it is not trained, that of a short trial."""
        if not (self.is_trained or self.history.stopped):
            return self.trials.reach({})
        return scores.score(self.network, self.judged)

    @cached_property
    def training_score(self) -> scores.Score:
        """The score on what it is trained on."""
        return scores.score(self.network, self.sample)

    @cached_property
    def start_loss(self) -> float:
        """The loss before training: of the first weights, or of zero logits if that is higher."""
        loss, y = self.network.loss, self.sample.y
        nothing = np.zeros((len(self.sample), *self.network.output_shape), self.network.dtype)
        return max(scores.score(self.start, self.sample).loss, loss(nothing, y)[0])

    @cached_property
    def largest_loss(self) -> float:
        """The largest of the losses on samples learned from, on others, and of the usual epoch.

        One alone may look well by chance: with huge weights many samples are right by far.
        """
        told = [self.training_score.loss]
        if self.validation is not None:
            told.append(scores.score(self.network, self.validation).loss)
        if len(self.history):
            told.append(float(np.median(self.history["loss"])))
        return max(told)

    @property
    def has_exploded(self) -> bool:
        """Whether training diverged: to no number, or to one that is out of all proportion."""
        return self.history.stopped == "diverged" or self.largest_loss > _FAR * self.start_loss

    @property
    def has_risen(self) -> bool:
        """Whether training led up: to a higher loss than the first weights, or the first epoch."""
        if self.has_exploded:
            return math.isfinite(self.start_loss)
        losses = self.history["loss"] if len(self.history) else [0.0]
        return (
            self.training_score.loss > _HIGHER * self.start_loss
            or losses[-1] > _HIGHER * losses[0] > 0
        )

    @cached_property
    def leads_up(self) -> bool:
        """Whether training led up, or a trial at its largest rate does where little was learned.

        A schedule, or the epoch that was kept, may hide it.
        """
        if self.has_risen or self.rate is None or self.is_well:
            return self.has_risen
        return self.trials.reach({}).loss > _HIGHER * self.start_loss

    @property
    def is_well(self) -> bool:
        """Whether so little is left to be learned that nothing keeps the network from learning."""
        learned = scores.is_well(self.score) or scores.is_well(self.training_score)
        return learned and not self.has_exploded

    @cached_property
    def at_start(self) -> list[Seen]:
        """Every layer in a training pass with the first weights."""
        return watch(self.start, self.sample.X, self.sample.y, training=True)

    @cached_property
    def at_end(self) -> list[Seen]:
        """Every layer in a pass with the present weights, as for a prediction."""
        return watch(self.network, self.sample.X, self.sample.y, training=False)

    @cached_property
    def opinion(self) -> scores.Opinion | None:
        """The opinion of the nearest neighbours of every sample."""
        return scores.ask_neighbours(self.sample.X, self.sample.y, self.network.loss)

    @property
    def planned(self) -> int:
        """The number of updates that the trainer plans; 0 without one."""
        if self.trainer is None:
            return 0
        each = steps_per_epoch(len(self.samples), self.trainer.samples_per_update)
        steps = self.trainer.epochs * each
        return min(steps, self.trainer.max_steps or steps)

    @cached_property
    def rate(self) -> float | None:
        """The largest learning rate of the training; None where it has none, or nobody says."""
        if self.trainer is None or self.trainer.optimizer.full_batch:
            return None
        optimizer, steps = self.trainer.optimizer, self.planned
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
        """The short trainings that try advice.

        They are no longer than the training was to be; but where it led up, its own length says
        nothing about how long a way down is.
        """
        steps = int(self.history["step"][-1]) if len(self.history) else _UNLIMITED
        if self.history.stopped in ("finished", "early"):  # perhaps at the best epoch of folds
            steps = self.planned or steps
        return Trials(
            start=self.start,
            trainer=self.trainer or Trainer(),
            rate=self.rate,
            samples=self._taken(self.samples, self._rows(self.samples, parts=4)),
            sample=self.sample,
            judged=self.judged,
            most=_UNLIMITED if self.has_risen else steps,
        )

    def cure(self, changes: Changes) -> scores.Score | None:
        """Return what a trial with changes reaches, if it is more than the training did."""
        if self.layers_of(NTKDense) and not _OF_DENSE.isdisjoint(changes):
            return None
        found = self.trials.reach(changes)
        return found if scores.is_gain(found, self.score) else None

    @cached_property
    def milder(self) -> Changes | None:
        """The change that takes back a regularisation without which much more is learned.

        What was chosen stays: more is always learned by heart without it.
        """
        tried: list[Changes] = []
        is_chosen = "l2" in self.chosen
        if self.trainer is not None and self.trainer.optimizer.alpha and not is_chosen:
            tried.append({"l2": 0.0})
        is_tuned = is_chosen or bool(self.layers_of(NTKDense))  # beside weight decay, for tables
        if any(one.rate_at(0) > _LIGHT * is_tuned for one in self.layers_of(Dropout)):
            tried.append({"dropout": 0.0})
        return next((changes for changes in tried if self.cure(changes) is not None), None)

    def layers_of(self, kind: type[L]) -> list[L]:
        """Return the network's layers of a kind, inner ones, too."""
        every = (layer for _, layer, _ in each_layer(self.network.body))
        return [layer for layer in every if isinstance(layer, kind)]

    def trial_facts(self, reached: scores.Score) -> dict[str, Any]:
        """Say how a trial went, for the sentence about it."""
        return {"updates": self.trials.updates, "reached": reached.text, "own": self.score.text}

    def _rows(self, samples: Samples, parts: int = 1) -> Array:
        """Choose rows, the same at every call, and in their order."""
        numbers = int(np.prod(self.network.input_shape))
        most = parts * max(min(_ROWS, _NUMBERS // numbers), 10)
        if len(samples) <= most:
            return np.arange(len(samples))
        return np.sort(np.random.RandomState(0).choice(len(samples), most, replace=False))

    def _taken(self, samples: Samples, rows: Array) -> Samples:
        few = samples.take(rows)
        return replace(few, X=self.network.inputs(few.X))


def each_layer(container: Layer, path: str = "") -> Iterator[tuple[str, Layer, Layer | None]]:
    """Walk all layers inside a container: place, layer, and the layer that follows it."""
    inner = container.inner()
    after = list(inner.values())[1:] if container.chains else []
    for (key, layer), following in zip_longest(inner.items(), after):
        yield f"{path}{key}", layer, following
        yield from each_layer(layer, f"{path}{key}.")

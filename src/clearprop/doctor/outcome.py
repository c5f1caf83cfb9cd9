"""Illnesses of what comes out: one answer to everything, too little learned, or by heart."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any, ClassVar

import numpy as np

from clearprop.doctor.case import Case, first_cause
from clearprop.doctor.finding import Changes, Finding
from clearprop.doctor.illness import Illness
from clearprop.doctor.scores import class_numbers, score
from clearprop.layers import Dropout

_STANDARD_ERRORS = 3.0
_DOMINATES = 1.5  # times the share that balanced classes have
_STILL_FALLING = 0.05  # of the whole fall of the loss, in the last tenth of the epochs


@dataclass(frozen=True)
class TooMuchRegularization(Illness):
    """L2 or dropout so strong that it keeps the network from learning."""

    threshold: float = 0.1
    key: ClassVar[str] = "too_much_regularization"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Try to do without."""
        if case.is_well or first_cause(found) or case.milder is None:
            return None
        reached = case.trials.reach(case.milder)
        return self.finding(
            reached.value - case.score.value,
            changes=case.milder,
            trial=case.trial_facts(reached),
            what="L2" if "l2" in case.milder else "dropout",
            optimizer=case.optimizer_name,
        )


@dataclass(frozen=True)
class OneAnswer(Illness):
    """A network that only ever says one class."""

    threshold: float = 0.995
    key: ClassVar[str] = "one_answer"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Count the class that is said most."""
        labels = class_numbers(case.network.loss, case.sample.y)
        if labels is None or not case.is_trained:
            return None
        said, counts = np.unique(case.network.predict(case.sample.X), return_counts=True)
        share, answer = float(counts.max() / counts.sum()), int(said[counts.argmax()])
        true = float(np.mean(labels == answer))
        if share < self.threshold or true > self.threshold:
            return None
        facts: dict[str, Any] = {"answer": answer, "true": true}
        if cause := first_cause(found):
            facts["cause"] = cause.illness
        elif true > _DOMINATES / len(np.unique(labels)):
            facts["changes"] = {"class_weight": "balanced"}
        return self.finding(share, **facts)


@dataclass(frozen=True)
class Underfitting(Illness):
    """A network that does worse on what it has learned from than its nearest neighbours do."""

    threshold: float = 0.1
    key: ClassVar[str] = "underfitting"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the training score with what the nearest neighbours reach."""
        if not case.is_trained:
            return None
        reached, opinion = case.training_score, case.opinion
        facts: dict[str, Any] = {"reached": reached.text, "value": reached.value}
        others = -1.0 if opinion is None else opinion.value
        certain = max(self.threshold, _STANDARD_ERRORS * reached.error)
        if reached.value < self.threshold:
            missing, facts["variant"] = reached.value, "nothing"
        elif others - reached.value >= certain:
            missing, facts["neighbours"] = others - reached.value, others
        else:
            return None
        if cause := first_cause(found):
            facts["cause"] = cause.illness
        else:
            facts["changes"] = _more(case)
        return self.finding(missing, **facts)


@dataclass(frozen=True)
class Overfitting(Illness):
    """A network that knows its training samples and little of others."""

    threshold: float = 0.1
    key: ClassVar[str] = "overfitting"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the score on training samples with that on held-out ones."""
        if case.validation is None or not case.is_trained:
            return None
        known, unknown = case.training_score, score(case.network, case.validation)
        gap = known.value - unknown.value
        if known.value < self.threshold or gap < max(
            self.threshold, _STANDARD_ERRORS * hypot(known.error, unknown.error)
        ):
            return None
        watched = "validation_loss" in case.history.columns
        losses = case.history["validation_loss"] if watched else []
        return self.finding(
            gap,
            changes=_stricter(case),
            variant="" if watched else "unwatched",
            known=known.text,
            unknown=unknown.text,
            best=int(np.argmin(losses)) + 1 if watched else 0,
            epochs=len(losses),
        )


def _more(case: Case) -> Changes:
    """Choose what lets it learn more: more epochs where the loss still falls, or more units."""
    losses = case.history["loss"] if len(case.history) else []
    tenth = max(len(losses) // 10, 1)
    if len(losses) > tenth and losses[-1 - tenth] - losses[-1] > _STILL_FALLING * (
        losses[0] - losses[-1]
    ):
        return {"epochs": 4 * len(losses)}
    return {"layers": [64, 32]}


def _stricter(case: Case) -> Changes:
    """Choose what keeps it from learning by heart: an end in time, and dropout where none is."""
    drops = any(isinstance(layer, Dropout) for layer in case.network.layers)
    return {"patience": 10} if drops else {"patience": 10, "dropout": 0.3}

"""Illnesses of what comes out: one answer to everything, too little learned, or by heart."""

from collections.abc import Sequence
from math import hypot
from typing import Any, ClassVar

import numpy as np

from clearprop.doctor.case import Case
from clearprop.doctor.illness import Finding, Illness, Sentence, first_cause
from clearprop.doctor.scores import class_numbers, score
from clearprop.doctor.treatment import Changes
from clearprop.layers import Conv2D, Dense, Dropout, NTKDense

_STANDARD_ERRORS = 3.0  # beyond which a difference is no chance


class TooMuchRegularization(Illness):
    """L2 or dropout so strong that it keeps the network from learning."""

    key = "too_much_regularization"
    name = "Too much regularisation"
    threshold = 0.1
    measurement = "Without {what} the network learns far more."
    reason = (
        "Threshold {threshold:g} of the way from guessing to perfect: regularisation is to help "
        "with new samples, and does not where it costs that much (Goodfellow, Bengio, Courville "
        "2016, chapter 7)."
    )
    advice = "Do without, or with a tenth of it."

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


class OneAnswer(Illness):
    """A network that only ever says one class."""

    key = "one_answer"
    name = "One answer to everything"
    threshold = 0.995
    dominates = 1.5  # times the share that balanced classes have
    class_facts = ("answer",)
    measurement = (
        "The network says class {answer} to {measured:.1%} of the training samples, of which "
        "{true:.1%} are of that class."
    )
    reason = (
        "Threshold {threshold:.1%}: one answer to everything needs no network, and scores the "
        "share of the largest class."
    )
    advice = "Give rare classes more weight, if the classes are unbalanced."

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
        cause = first_cause(found)
        unbalanced = cause is None and true > self.dominates / len(np.unique(labels))
        changes = {"class_weight": "balanced"} if unbalanced else {}
        return self.finding(share, changes=changes, cause=cause, answer=answer, true=true)


class Underfitting(Illness):
    """A network that does worse on what it has learned from than its nearest neighbours do."""

    key = "underfitting"
    name = "Underfitting"
    threshold = 0.1
    still_falling = 0.05  # of the whole fall of the loss, in the last tenth of the epochs
    short = 300  # updates: less is hardly a training
    measurement: ClassVar[Sentence] = {
        "": (
            "On its own training samples the network reaches {reached}, {value:.2f} of the way "
            "from guessing to perfect; asking their ten nearest neighbours reaches "
            "{neighbours:.2f} of it."
        ),
        "nothing": (
            "On its own training samples the network reaches {reached}: no more than guessing "
            "does, or hardly more."
        ),
        "all": (
            "On its own training samples the network reaches {reached}: no more than guessing "
            "does, or hardly more; and asking their ten nearest neighbours reaches no more."
        ),
    }
    reason: ClassVar[Sentence] = {
        "": (
            "Threshold {threshold:g} of the way from guessing to perfect: what ten neighbours "
            "know of a sample without training, a trained network should (Cover, Hart 1967, on "
            "what nearest neighbours reach)."
        ),
        "nothing": (
            "Threshold {threshold:g} of the way from guessing to perfect: less is next to nothing."
        ),
        "all": (
            "Threshold {threshold:g} of the way from guessing to perfect: less is next to nothing."
        ),
    }
    advice: ClassVar[Sentence] = {
        "": "Let the network learn more.",
        "all": "Perhaps the inputs don't tell the target: look for others, or for more samples.",
    }

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
        cause = first_cause(found)
        changes = {} if cause else self._more(case)
        if not cause and not changes and others < self.threshold:
            facts["variant"] = "all" if opinion is not None else "nothing"
        return self.finding(missing, changes=changes, cause=cause, **facts)

    def _more(self, case: Case) -> Changes:
        """Choose what lets it learn more: more epochs where the loss still falls, or more units."""
        columns = case.history.columns
        losses = case.history["validation_loss" if "validation_loss" in columns else "loss"]
        tenth = max(len(losses) // 10, 1)
        falls = len(losses) > tenth and losses[-1 - tenth] - losses[-1] > self.still_falling * (
            losses[0] - losses[-1]
        )
        planned = len(losses) if case.trainer is None else case.trainer.epochs
        if falls or 0 < case.planned < self.short:
            return {"epochs": 4 * planned}
        if case.layers_of(Conv2D):  # words for pictures would have to be kept beside more units
            return {}
        more = [64, 32]
        units = [one.units for one in case.layers_of(Dense)]
        hidden = (units or [one.units for one in case.layers_of(NTKDense)])[:-1]
        return {"layers": more} if sum(hidden) < sum(more) else {}


class Overfitting(Illness):
    """A network that knows its training samples and little of others."""

    key = "overfitting"
    name = "Overfitting"
    threshold = 0.1
    measurement: ClassVar[Sentence] = {
        "": (
            "The network reaches {known} on training samples and {unknown} on held-out ones; "
            "their loss was lowest after epoch {best} of {epochs}."
        ),
        "unwatched": (
            "The network reaches {known} on training samples and {unknown} on held-out ones."
        ),
    }
    reason = (
        "Threshold {threshold:g}, and three standard errors of the held-out score: less can be "
        "chance."
    )
    advice = (
        "Stop at the best epoch, drop units while training, use fewer of them, or get more samples."
    )

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the score on training samples with that on held-out ones."""
        if case.validation is None or not case.is_trained or case.has_exploded:
            return None
        known, unknown = case.training_score, score(case.network, case.validation)
        gap = known.value - unknown.value
        if known.value < self.threshold or gap < max(
            self.threshold, _STANDARD_ERRORS * hypot(known.error, unknown.error)
        ):
            return None
        watched = "validation_loss" in case.history.columns
        losses = case.history["validation_loss"] if watched else []
        all_at_once = case.trainer is not None and case.trainer.optimizer.full_batch
        keep = all_at_once or case.layers_of(Dropout)  # L-BFGS needs a loss that stays the same
        changes: Changes = {"patience": 10} | ({} if keep else {"dropout": 0.3})
        if case.trainer is not None and case.trainer.early_stopping is not None:
            # The best epoch is kept already: what is learned by heart until then may do no harm.
            changes = {} if keep else {"dropout": 0.3}
            if not changes or case.cure(changes) is None:
                return None
        return self.finding(
            gap,
            changes=changes,
            variant="" if watched else "unwatched",
            known=known.text,
            unknown=unknown.text,
            best=int(np.argmin(losses)) + 1 if watched else 0,
            epochs=len(losses),
        )

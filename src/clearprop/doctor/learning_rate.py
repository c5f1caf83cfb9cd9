"""Illnesses of how updates are made: their learning rate, and the batch that batch norm sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Any, ClassVar

import numpy as np

from clearprop.doctor.case import Case, each_layer
from clearprop.doctor.illness import Finding, Illness, Sentence, is_found, merged
from clearprop.doctor.scores import Score, is_gain
from clearprop.layers import BatchNorm

_GROWN = 10.0  # weights that are so many times as large as at the beginning


class _WrongRate(Illness):
    """A learning rate of which a multiple does far better in trials."""

    reason = (
        "Threshold {threshold:g}: within a factor of ten rates differ in speed, beyond it in "
        'whether anything is learned (Smith, "Cyclical Learning Rates", 2017, section 3.3).'
    )

    def best_rate(self, case: Case, rates: "_Rates", variant: str = "", **facts: Any) -> Finding:
        """Make the finding that advises the best rate."""
        return self.finding(
            rates.factor,
            changes=case.trials.at(rates.factor),
            trial=case.trial_facts(rates.best),
            variant=variant,
            rate=rates.rate,
            better=case.trials.at(rates.factor)["learning_rate"],
            optimizer=case.optimizer_name,
            **facts,
        )


class LearningRateTooHigh(_WrongRate):
    """Steps so long that the loss diverges, or jumps about where it is high."""

    key = "learning_rate_too_high"
    name = "Learning rate too high"
    threshold = 0.1
    measurement: ClassVar[Sentence] = {
        "": (
            "With a rate of {rate:.3g} the loss rose in {rises:.0%} of the epochs; a rate of "
            "{better:g} does better."
        ),
        "risen": (
            "With a rate of {rate:.3g} the loss went up, from {first:.3g} to {last:.3g}; a rate "
            "of {better:g} leads down."
        ),
        "diverged": (
            "With a rate of {rate:.3g} the loss stopped being finite; a rate of {better:g} does "
            "not diverge."
        ),
    }
    advice = "Lower the learning rate."

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Try lower rates, ten times lower each."""
        rates = _compare(case, found, self.threshold if case.leads_up else inf)
        if rates is None or rates.factor > self.threshold:
            return None
        if case.history.stopped == "diverged":
            if not _has_grown(case) or not isfinite(rates.best.loss):
                return None
            if merged(found) and is_gain(rates.own, case.score):
                return None  # what was found before is the reason
            return self.best_rate(case, rates, "diverged")
        # Where training exploded its own trial may look well: with huge weights many samples are
        # right by far, by chance.
        leads_down = case.has_exploded and rates.best.loss < case.start_loss
        if leads_down and case.milder is not None:  # of L2 too strong any rate is too high
            leads_down = case.trials.reach(case.milder).loss >= case.start_loss
        if not ((rates.is_better or leads_down) and rates.did_harm(case)):
            return None
        if not case.has_risen:
            return self.best_rate(case, rates, rises=_rises(case))
        last = max(case.training_score.loss, *case.history["loss"][-1:])
        return self.best_rate(case, rates, "risen", first=case.start_loss, last=last)


class LearningRateTooLow(_WrongRate):
    """Steps so short that training ends before it has got anywhere."""

    key = "learning_rate_too_low"
    name = "Learning rate too low"
    threshold = 10.0
    shortest = 100  # updates: after fewer, more of them are what helps
    worth_a_word = 0.05  # of the score, between two trials
    measurement = (
        "With a rate of {rate:.3g} training is far from its end; a rate of {better:g} gets there "
        "sooner."
    )
    advice = "Raise the learning rate."

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Try higher rates, ten times higher each."""
        if is_found(found, LearningRateTooHigh) or case.trials.updates < self.shortest:
            return None
        rates = _compare(case, found)
        if rates is None or rates.factor < self.threshold or not rates.is_better:
            return None
        if rates.best.value - rates.own.value < self.worth_a_word:
            return None
        if merged(found) and is_gain(rates.own, case.score) and not rates.halves_loss:
            return None  # what was found before is the reason; a score alone may jump by so much
        return self.best_rate(case, rates) if rates.did_harm(case) else None


class SmallBatchForBatchNorm(Illness):
    """Batches of which a mean and a variance mean little."""

    key = "small_batch_for_batch_norm"
    name = "Batch too small for batch norm"
    threshold = 8.0
    is_early = True
    measurement = (
        "Layer {layer} normalises batches of {measured:.0f}: their variance is off by {error:.0%} "
        "at random, in every update anew."
    )
    reason = (
        "Threshold {threshold:g}: the variance of B samples has a relative standard error of "
        "sqrt(2/(B - 1)), more than a half below {threshold:g} (Wu, He 2018, section 1)."
    )
    advice = "Use larger batches, or LayerNorm, which needs none."

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the batch with the least that batch norm needs."""
        size = None if case.trainer is None else case.trainer.samples_per_update
        norms = (
            name for name, layer, _ in each_layer(case.network.body) if isinstance(layer, BatchNorm)
        )
        layer = next(norms, None)
        if layer is None or size is None or size >= self.threshold:
            return None
        error = sqrt(2 / max(size - 1, 1))
        return self.finding(float(size), layer=layer, changes={"batch_size": 32}, error=error)


@dataclass(frozen=True)
class _Rates:
    """The training's own rate, the best multiple of it, and the trials of both."""

    rate: float
    factor: float
    best: Score
    own: Score

    @property
    def halves_loss(self) -> bool:
        """Whether the best has no more than half the loss."""
        return self.best.loss <= self.own.loss / 2

    @property
    def is_better(self) -> bool:
        """Whether the best did far better: half the loss, or a tenth of the score."""
        return self.halves_loss or self.best.value - self.own.value >= 0.1

    def did_harm(self, case: Case) -> bool:
        """Whether the training itself stayed behind the best trial."""
        return case.has_exploded or is_gain(self.best, case.score)


def _compare(case: Case, found: Sequence[Finding], most: float = inf) -> _Rates | None:
    """Try other rates, with the changes that earlier findings advise: they must suit those.

    Nothing is tried where the rate is not known, or something else is known to be the reason.
    """
    unrelated = any(finding.of.no_rate_helps for finding in found)
    if case.rate is None or unrelated or case.is_well:
        return None
    if most >= 1 and case.milder is not None:
        return None
    changes = merged(found)
    factor, best = case.trials.best_rate(changes, most)
    return _Rates(case.rate, factor, best, case.trials.reach(changes))


def _has_grown(case: Case) -> bool:
    """Whether the weights grew before they stopped being finite: what too long steps do."""
    if case.crash is None:
        return True
    first, before, last = (
        float(np.abs(network.parameters.data).max())
        for network in (case.start, case.crash.before, case.crash.last)
    )
    return (last if np.isfinite(last) else before) >= _GROWN * first


def _rises(case: Case) -> float:
    losses = case.history["loss"] if len(case.history) else []
    return float(np.mean(np.diff(losses) > 0)) if len(losses) > 1 else 0.0

"""Illnesses of how updates are made: their learning rate, and the batch that batch norm sees."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from clearprop.doctor.case import Case
from clearprop.doctor.finding import Finding, merged
from clearprop.doctor.illness import Illness
from clearprop.doctor.scores import Score, is_gain
from clearprop.layers import BatchNorm
from clearprop.layers.base import every_layer

_SHORTEST = 100  # updates: after fewer, more of them are what helps
_WORTH_A_WORD = 0.05  # of the score, between two trials
_GROWN = 10.0  # weights that are so many times as large as at the beginning
_NO_RATE_HELPS = {"unscaled_inputs", "not_a_number", "wrong_labels"}


@dataclass(frozen=True)
class LearningRateTooHigh(Illness):
    """Steps so long that the loss diverges, or jumps about where it is high."""

    threshold: float = 0.1
    key: ClassVar[str] = "learning_rate_too_high"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Try lower rates, ten times lower each."""
        rates = _compare(case, found)
        if rates is None:
            return None
        diverged = case.history.stopped == "diverged"
        if diverged and rates.factor > self.threshold and _has_grown(case):
            if merged(found) and is_gain(rates.own, case.score):
                return None  # what was found before is the reason
            lower = case.trials.reach(merged(found) | case.trials.at(0.1))
            rates = replace(rates, factor=0.1, best=lower)
        elif rates.factor > self.threshold or not (rates.is_better and rates.did_harm(case)):
            return None
        return rates.finding(self, case, "diverged" if diverged else "", rises=_rises(case))


@dataclass(frozen=True)
class LearningRateTooLow(Illness):
    """Steps so short that training ends before it has got anywhere."""

    threshold: float = 10.0
    key: ClassVar[str] = "learning_rate_too_low"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Try higher rates, ten times higher each."""
        known = any(one.illness == LearningRateTooHigh.key for one in found)
        rates = None if known or case.trials.updates < _SHORTEST else _compare(case, found)
        if rates is None or rates.factor < self.threshold or not rates.is_better:
            return None
        if rates.best.value - rates.own.value < _WORTH_A_WORD:
            return None
        return rates.finding(self, case) if rates.did_harm(case) else None


@dataclass(frozen=True)
class SmallBatchForBatchNorm(Illness):
    """Batches of which a mean and a variance mean little."""

    threshold: float = 8.0
    key: ClassVar[str] = "small_batch_for_batch_norm"
    is_early: ClassVar[bool] = True

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the batch with the least that batch norm needs."""
        size = None if case.trainer is None else case.trainer.samples_per_update
        every = every_layer(case.network.body.inner())
        layer = next((name for name, one in every if isinstance(one, BatchNorm)), None)
        if layer is None or size is None or size >= self.threshold:
            return None
        error = sqrt(2 / max(size - 1, 1))
        return self.finding(float(size), layer=layer, changes={"batch_size": 32}, error=error)


@dataclass(frozen=True)
class _Rates:
    """The training's own rate, by how much the best of some others differs, and both trials."""

    rate: float
    factor: float
    best: Score
    own: Score

    @property
    def is_better(self) -> bool:
        """Whether the best did far better: half the loss, or a tenth of the score."""
        return self.best.loss <= self.own.loss / 2 or self.best.value - self.own.value >= 0.1

    def did_harm(self, case: Case) -> bool:
        """Whether the training itself stayed behind the best trial."""
        return case.history.stopped == "diverged" or is_gain(self.best, case.score)

    def finding(self, illness: Illness, case: Case, variant: str = "", **facts: Any) -> Finding:
        """Make the finding that advises the best."""
        return illness.finding(
            self.factor,
            changes=case.trials.at(self.factor),
            trial=case.trial_facts(self.best),
            variant=variant,
            rate=self.rate,
            optimizer=case.optimizer_name,
            **facts,
        )


def _compare(case: Case, found: Sequence[Finding]) -> _Rates | None:
    """Try other rates, with the changes that earlier findings advise: they must suit those.

    Nothing is tried where the rate is not known, or something else is known to be the reason.
    """
    unrelated = any(one.illness in _NO_RATE_HELPS for one in found)
    if case.rate is None or unrelated or case.is_well or case.milder is not None:
        return None
    changes = merged(found)
    factor, best = case.trials.best_rate(changes)
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

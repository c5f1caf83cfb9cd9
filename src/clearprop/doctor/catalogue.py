"""Every illness, by the harm it does. A new one is a class, and a line here that names it."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from clearprop.doctor import first_weights, flow, learning_rate, outcome, training_data
from clearprop.doctor.case import Case
from clearprop.doctor.illness import Examination, Finding, Illness

ILLNESSES: tuple[Illness, ...] = (
    first_weights.SymmetricWeights(),
    training_data.UnscaledInputs(),
    first_weights.LargeInitialWeights(),
    first_weights.SmallInitialWeights(),
    flow.ExplodingGradients(),
    flow.VanishingGradients(),
    learning_rate.LearningRateTooHigh(),
    flow.NotANumber(),
    outcome.TooMuchRegularization(),
    flow.DeadReLUs(),
    flow.SaturatedUnits(),
    training_data.WrongLabels(),
    training_data.UnbalancedClasses(),
    learning_rate.LearningRateTooLow(),
    learning_rate.SmallBatchForBatchNorm(),
    outcome.OneAnswer(),
    outcome.Underfitting(),
    training_data.Overlap(),
    outcome.Overfitting(),
)
"""An illness that lets nothing be learned stands before one that lets little be learned, that
before one by which something wrong is learned, or by heart, and a cause before its consequences."""

_BEFORE_ALL = (
    first_weights.SymmetricWeights,
    training_data.UnscaledInputs,
    flow.ExplodingGradients,
    learning_rate.LearningRateTooHigh,
)


def look(case: Case, *, early: bool = False) -> Examination:
    """Look for every illness, or only for those that can be told before the first update."""
    return Examination(tuple(findings(case, early=early)))


def findings(case: Case, *, early: bool = False) -> Iterator[Finding]:
    """Look for one illness after another, and yield what is found, the most harmful first."""
    found: list[Finding] = []
    for harm, illness in enumerate(_by_harm(case, early), start=1):
        with np.errstate(all="ignore"):  # illnesses, not warnings
            finding = illness.look(case, found)
        if finding is not None:
            found.append(replace(finding, harm=harm))
            yield found[-1]


def _by_harm(case: Case, early: bool) -> list[Illness]:
    if early:
        return [illness for illness in ILLNESSES if illness.is_early]
    # What led up is tried before all that a trial has to tell: at such a rate all of them look ill.
    with np.errstate(all="ignore"):
        led_up = case.leads_up
    return sorted(ILLNESSES, key=lambda one: led_up and not isinstance(one, _BEFORE_ALL))

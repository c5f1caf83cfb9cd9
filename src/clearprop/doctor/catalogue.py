"""Every illness, by the harm it does. A new one is a class, and a line here that names it."""

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


def look(case: Case, *, early: bool = False) -> Examination:
    """Look for every illness, or only for those that can be told before the first update."""
    found: list[Finding] = []
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # illnesses, not warnings
        for harm, illness in enumerate(ILLNESSES, start=1):
            finding = illness.look(case, found) if illness.is_early or not early else None
            if finding is not None:
                found.append(replace(finding, harm=harm))
    return Examination(tuple(found))

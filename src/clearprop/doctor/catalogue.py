"""Every illness, by the harm it does."""

from dataclasses import replace

import numpy as np

from clearprop.doctor.case import Case
from clearprop.doctor.data import Overlap, UnbalancedClasses, UnscaledInputs, WrongLabels
from clearprop.doctor.finding import Examination, Finding
from clearprop.doctor.gradients import ExplodingGradients, NotANumber, VanishingGradients
from clearprop.doctor.illness import Illness
from clearprop.doctor.outcome import OneAnswer, Overfitting, TooMuchRegularization, Underfitting
from clearprop.doctor.rate import (
    LearningRateTooHigh,
    LearningRateTooLow,
    SmallBatchForBatchNorm,
)
from clearprop.doctor.units import DeadReLUs, SaturatedUnits
from clearprop.doctor.weights import (
    LargeInitialWeights,
    SmallInitialWeights,
    SymmetricWeights,
)

ILLNESSES: tuple[Illness, ...] = (
    SymmetricWeights(),
    UnscaledInputs(),
    LargeInitialWeights(),
    SmallInitialWeights(),
    ExplodingGradients(),
    VanishingGradients(),
    LearningRateTooHigh(),
    NotANumber(),
    TooMuchRegularization(),
    DeadReLUs(),
    SaturatedUnits(),
    WrongLabels(),
    UnbalancedClasses(),
    LearningRateTooLow(),
    SmallBatchForBatchNorm(),
    OneAnswer(),
    Underfitting(),
    Overlap(),
    Overfitting(),
)
"""What lets nothing be learned stands before what lets little be learned, that before what is
learned wrongly or by heart, and a cause before its consequences."""


def look(case: Case, *, early: bool = False) -> Examination:
    """Look for every illness.

    Parameters
    ----------
    case : Case
    early : bool, default False
        Whether to look only for what can be told before the first update.

    Returns
    -------
    Examination
    """
    found: list[Finding] = []
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # illnesses, not warnings
        for harm, illness in enumerate(ILLNESSES, start=1):
            finding = illness.look(case, found) if illness.is_early or not early else None
            if finding is not None:
                found.append(replace(finding, harm=harm))
    return Examination(tuple(found))

"""How good quantiles are: their loss beside what is to be beaten, and how many truths lie below."""

from dataclasses import asdict, dataclass

import numpy as np

from clearprop.configuration import Json
from clearprop.experiment.answers import Answers
from clearprop.experiment.scores import pinball_losses
from clearprop.preprocessing.coverage import LEVEL


@dataclass(frozen=True)
class QuantileReport:
    """The measures of one quantile.

    Parameters
    ----------
    level : float
        The share of truths that is to lie below it.
    samples : int
    loss : float
        The mean pinball loss, in the target's units.
    constant : float or None
        The same of the quantile of the training data; None where it is not known.
    below : float
        The share of samples whose truth is at most the quantile.
    """

    level: float
    samples: int
    loss: float
    constant: float | None
    below: float

    @property
    def between(self) -> tuple[float, float]:
        """The shares between which `below` lies in 99 of 100 cases, if the quantile is right.

        Of N samples the number below a quantile of the level q is Binomial(N, q).
        """
        from scipy.stats import binom  # here, because it imports slowly

        tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
        low, high = binom.ppf(tails, self.samples, self.level) / self.samples
        return float(low), float(high)

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        low, high = self.between
        return asdict(self) | {"between": [low, high], "within": low <= self.below <= high}


def quantile_reports(own: Answers, constant: Answers | None) -> tuple[QuantileReport, ...]:
    """Measure each quantile of answers; nothing where there are none.

    Parameters
    ----------
    own : Answers
    constant : Answers or None
        The answers of the same quantiles for every sample.
    """
    if own.quantiles is None:
        return ()
    below = (own.truth[:, np.newaxis] <= own.quantiles).mean(axis=0)
    always = [None] * len(own.levels)
    if constant is not None and constant.quantiles is not None:
        always = pinball_losses(constant).tolist()
    measured = zip(own.levels, pinball_losses(own).tolist(), always, below.tolist(), strict=True)
    return tuple(
        QuantileReport(level, len(own), loss, other, share)
        for level, loss, other, share in measured
    )

"""Split conformal prediction: sets and intervals that hold the truth for a share of the rows.

Rows that were used for nothing else get scores, each the larger the less the model expected its
truth. The score of one more row is as likely to be the first, second, ... or last of all in order;
so it is at most the k-th of n in k / (n + 1) of all cases, whatever the model and the data.

Sources: Papadopoulos, Proedrou, Vovk, Gammerman, "Inductive Confidence Machines for Regression"
(2002); Vovk, "Conditional Validity of Inductive Conformal Predictors" (2012), for the beta
distribution; Angelopoulos, Bates, "A Gentle Introduction to Conformal Prediction" (2023),
section 3.2, for what may be measured.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from clearprop.configuration import Json
from clearprop.errors import UsageError, counted, shortened
from clearprop.preprocessing.fields import require_numbers, require_sizes

LEVEL = 0.99
"""The probability with which coverage lies within what `Coverage.between` tells."""


def rank(share: float, samples: int) -> int:
    """Return k = ceil((n + 1) share): the place of the score, counted from 1, that covers a share.

    It is exact in the decimal digits of the share: 0.55 of 100 are 55, and not 56.
    """
    return math.ceil((samples + 1) * Fraction(str(share)))


def fewest(share: float) -> int:
    """Return the least n with `rank` <= n: with fewer samples nothing less than all covers it."""
    part = Fraction(str(share))
    return max(math.ceil(part / (1 - part)), 1)


def percent(share: float) -> str:
    """Write a share as it is typed: ``90%``, ``99.9%``."""
    return f"{float(100 * Fraction(str(share))):.12g}%"


@dataclass(frozen=True)
class Coverage:
    """The largest score of a truth that is still covered, and where it comes from.

    Parameters
    ----------
    share : float
        The share of rows that is promised, between 0 and 1.
    samples : int
        The number n of rows whose scores gave it: exchangeable with those that are asked for, and
        used for nothing else.
    score : float
        The k-th least of their scores, k = ceil((n + 1) share). Of classes the log odds against
        one; of values the distance from the answer, in standard deviations on the scale that is
        learned; of quantiles how far outside of two of them, below 0 inside.
    """

    share: float
    samples: int
    score: float

    def __post_init__(self) -> None:
        require_numbers((self.share, self.score), "The coverage's share and score")
        require_sizes((self.samples,), "The coverage's number of samples")
        if not 0 < self.share < 1:
            raise UsageError(f"Found a coverage of {self.share}, expected one between 0 and 1.")
        require_enough(self.share, self.samples)

    @classmethod
    def fit(cls, share: float, scores: NDArray[np.float64]) -> "Coverage":
        """Take the score that covers a share.

        Parameters
        ----------
        share : float
        scores : ndarray of float64, shape (n,)
            The scores of the truths; infinite where none of a model's sets would hold it.

        Raises
        ------
        UsageError
            If there are too few, or the score that covers the share is infinite.
        """
        require_enough(share, len(scores))
        place = rank(share, len(scores)) - 1
        return cls(share, len(scores), float(np.partition(scores, place)[place]))

    def between(self, samples: int | None = None) -> tuple[float, float]:
        """Return the shares between which the covered one lies in 99 of 100 cases.

        Which rows gave the score is chance: over all further rows the share that is covered follows
        the distribution Beta(k, n + 1 - k), and among m rows its number BetaBinomial(m, k,
        n + 1 - k).

        Parameters
        ----------
        samples : int, optional
            The number m of rows on which coverage is measured; all there could be unless given.
        """
        from scipy.stats import beta, betabinom  # here, because it imports slowly

        k = rank(self.share, self.samples)
        tails, more = ((1 - LEVEL) / 2, (1 + LEVEL) / 2), self.samples + 1 - k
        if samples is None:
            low, high = beta.ppf(tails, k, more)
        else:
            low, high = betabinom.ppf(tails, samples, k, more) / samples
        return float(low), float(high)

    def to_json(self) -> dict[str, Json]:
        """Describe what is promised in JSON values."""
        return {
            "promised": self.share,
            "samples": self.samples,
            "score": self.score,
            "between": list(self.between()),
        }


def require_enough(share: float, samples: int) -> None:
    """Refuse a share that so many samples can't promise.

    Raises
    ------
    UsageError
    """
    if samples < fewest(share):
        most = percent(math.floor(1000 * samples / (samples + 1)) / 1000)
        raise UsageError(
            f"A coverage of {shortened(share)} needs {counted(fewest(share), 'row')} that nothing "
            f"else is done with, and there {'is' if samples == 1 else 'are'} {samples:,}: those "
            f"can promise {most} at most. Ask for less, or add rows."
        )

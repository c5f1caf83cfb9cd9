"""How a score went with a setting over candidates that differ in all of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.experiment.search_space import Between, OneOf

_FEWEST = 6  # candidates that can tell anything
_PARTS = 3  # of the candidates by the value of the setting


@dataclass(frozen=True)
class Part:
    """The candidates whose values of a setting are near each other.

    Parameters
    ----------
    least, most : object
        The values at its ends.
    score : float
        Their mean score, without those that diverged; NaN where all did.
    candidates : int
    """

    least: Any
    most: Any
    score: float
    candidates: int


@dataclass(frozen=True)
class Mattered:
    """How the score went with a setting, whatever the others were.

    Parameters
    ----------
    correlation : float
        Spearman's: that of the ranks of values and of scores. NaN where the values have no order,
        or all values or all scores are equal.
    by_chance : float
        Twice its standard error where nothing matters, 1 / sqrt(candidates - 1).
    candidates : int
        The number of candidates whose value and score are known.
    parts : tuple of Part
        These in thirds by value, or by each value where there are no more.
    """

    correlation: float
    by_chance: float
    candidates: int
    parts: tuple[Part, ...]

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the correlation is larger than chance makes it in about 19 of 20 cases."""
        return abs(self.correlation) > self.by_chance


def mattered(
    of: Between | OneOf, values: Sequence[Any], scores: Sequence[float]
) -> Mattered | None:
    """Measure how scores went with the values of a setting.

    Parameters
    ----------
    of : Between or OneOf
        The setting.
    values : sequence of object
        The value of each candidate; None where it is not known.
    scores : sequence of float
        The score of each; minus infinity where training diverged, NaN where it is not defined.

    Returns
    -------
    Mattered or None
        None where too few candidates tell anything.
    """
    pairs = zip(values, scores, strict=True)
    known = [pair for pair in pairs if pair[0] is not None and not math.isnan(pair[1])]
    if len(known) < _FEWEST:
        return None
    places = np.array([of.place(value) for value, _ in known])
    given = np.array([score for _, score in known])
    by_value, by_score, correlation = _ranks(places), _ranks(given), math.nan
    if of.has_order and np.ptp(by_value) > 0 and np.ptp(by_score) > 0:
        correlation = float(np.corrcoef(by_value, by_score)[0, 1])
    distinct, part = np.unique(places, return_inverse=True)
    if len(distinct) > _PARTS:
        part = ((by_value - 0.5) * _PARTS / len(known)).astype(np.int64)
    parts = []
    for number in np.unique(part).tolist():
        rows = np.flatnonzero(part == number)
        rows = rows[np.argsort(places[rows], kind="stable")]
        ended = given[rows][np.isfinite(given[rows])]
        mean = float(ended.mean()) if len(ended) else math.nan
        parts.append(Part(known[rows[0]][0], known[rows[-1]][0], mean, len(rows)))
    return Mattered(correlation, 2 / math.sqrt(len(known) - 1), len(known), tuple(parts))


def _ranks(values: Array) -> Array:
    """Return the ranks of values, shape (N,), from 1 on; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]

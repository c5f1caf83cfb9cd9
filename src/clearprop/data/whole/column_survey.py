"""What one pass over a column finds out, so that several passes over its parts are one.

Counts, least and largest numbers and counts of words are exact. Moments are those of Chan, Golub
and LeVeque, "Algorithms for computing the sample variance" (1983), equation 2.1: mean and sum of
squared deviations of two parts give those of both, without a difference of large sums.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.configuration import Json
from clearprop.data.tables.cells import Cells, Numbers
from clearprop.data.tables.table import Words, number_text

MOST_WORDS = 100_000
"""Different words of a column that are counted; where there are more, none is."""

_MOST_NUMBERS = 1000  # different ones that are counted: more are no classes
_MOST_LETTERS = 2**24  # of the different words of a portion
_BLOCK = 2**14  # cells that stay in a core's cache


@dataclass
class ColumnSurvey:
    """A column as a whole.

    Parameters
    ----------
    filled : int
        The number of cells that are not missing.
    missing : int
    mean, squares : float
        The mean of the numbers, and the sum of their squared deviations from it.
    within : float
        The part of `squares` that lies within the portions that were added.
    low, high : float
        The least and the largest number.
    counts : dict of str to int, or None
        The number of cells of each word, or of each number; None where there are too many.
    portions : int
        The number of portions with a cell that is filled.
    """

    filled: int = 0
    missing: int = 0
    mean: float = 0.0
    squares: float = 0.0
    within: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    counts: dict[str, int] | None = field(default_factory=dict)
    portions: int = 0

    @property
    def std(self) -> float:
        """The standard deviation of the population; 1 where all numbers are alike."""
        std = math.sqrt(self.squares / self.filled) if self.filled else 0.0
        return std if std > 0 and self.low < self.high else 1.0

    @property
    def between(self) -> float:
        """The share of the variance that lies between the portions that were added, 0 to 1.

        What portions of rows in random order would differ by is taken off: variances are divided by
        their degrees of freedom. Of words it is that of the ones that stand for each: see
        `_variance`.
        """
        squares, freedom = self.squares, self.filled - self.portions
        if not self.low <= self.high and self.counts is not None:
            squares = _variance(self.counts.values())
        if squares <= 0 or freedom <= 0:
            return 0.0
        return max(0.0, 1 - (self.within / freedom) / (squares / (self.filled - 1)))

    def add(self, cells: Cells) -> int:
        """Take in cells of the column, which follow those so far; return how many are missing."""
        if isinstance(cells, Words):
            missing = int(np.sum(cells.codes < 0))
            self.filled, self.missing = self.filled + len(cells) - missing, self.missing + missing
            if self.counts is not None and sum(map(len, cells.texts)) > _MOST_LETTERS:
                self.counts = None  # texts rather than words
            counts = cells.counts()
            some = np.flatnonzero(counts).tolist()
            if self.counts is not None:
                self._count({cells.texts[at]: int(counts[at]) for at in some})
            self.within += _variance(counts[some].tolist())
            self.portions += bool(some)
            return missing
        numbers = cells.values if isinstance(cells, Numbers) else _seconds(cells)
        with np.errstate(over="ignore", invalid="ignore"):  # said by a deviation that is no number
            portion = ColumnSurvey(counts={} if self.counts is not None else None)
            for start in range(0, len(numbers), _BLOCK):
                portion.merge(portion._of_numbers(numbers[start : start + _BLOCK]))
            portion.within, portion.portions = portion.squares, int(portion.filled > 0)
            self.merge(portion)
        return portion.missing

    def merge(self, other: "ColumnSurvey") -> None:
        """Take in another part of the column, which follows this one."""
        both = self.filled + other.filled
        if other.filled:
            away, share = other.mean - self.mean, other.filled / both
            self.squares += other.squares + away * away * self.filled * share
            self.mean += away * share
        self.filled, self.missing = both, self.missing + other.missing
        self.within += other.within
        self.portions += other.portions
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self._count(other.counts)

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        found = dict(vars(self))
        if not self.low <= self.high:  # no number at all
            found |= {"low": None, "high": None}
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "ColumnSurvey":
        """Rebuild what `to_json` described."""
        low = math.inf if found["low"] is None else float(found["low"])
        high = -math.inf if found["high"] is None else float(found["high"])
        told = found["counts"]
        return cls(
            filled=int(found["filled"]),
            missing=int(found["missing"]),
            mean=float(found["mean"]),
            squares=float(found["squares"]),
            within=float(found["within"]),
            low=low,
            high=high,
            counts=None if told is None else {str(text): int(n) for text, n in told.items()},
            portions=int(found["portions"]),
        )

    def _of_numbers(self, block: NDArray[np.float64]) -> "ColumnSurvey":
        """Survey some numbers, NaN where they are missing."""
        low, high, missing = float(block.min()), float(block.max()), 0
        if math.isnan(low):
            there = block[~np.isnan(block)]
            missing, block = len(block) - len(there), there
            if not len(block):
                return ColumnSurvey(0, missing)
            low, high = float(block.min()), float(block.max())
        mean = float(block.mean())
        away = block - mean
        counts = None if self.counts is None else _counted(block, low, high)
        return ColumnSurvey(
            *(len(block), missing, mean, float(away @ away), 0.0, low, high), counts
        )

    def _count(self, counts: Mapping[str, int] | None) -> None:
        if self.counts is None or counts is None:
            self.counts = None
            return
        for text, count in counts.items():
            self.counts[text] = self.counts.get(text, 0) + count
        if len(self.counts) > (_MOST_NUMBERS if self.low <= self.high else MOST_WORDS):
            self.counts = None


def _counted(block: NDArray[np.float64], low: float, high: float) -> dict[str, int] | None:
    """Count the different numbers where they are few; None where they are not."""
    if high - low < _MOST_NUMBERS and _are_whole(block):
        found = np.bincount((block - low).astype(np.int64))
        return {number_text(low + at): int(found[at]) for at in np.flatnonzero(found).tolist()}
    if len(np.unique(block[: 2 * _MOST_NUMBERS])) > _MOST_NUMBERS:  # found out quickly
        return None
    numbers, counts = np.unique(block, return_counts=True)
    if len(numbers) > _MOST_NUMBERS:
        return None
    return dict(zip(map(number_text, numbers.tolist()), counts.tolist(), strict=True))


def _variance(counts: Collection[int]) -> float:
    """Return the sum over words of the squared deviations of a 1 for each cell with it, else 0."""
    cells = sum(counts)
    return cells - sum(count * count for count in counts) / cells if cells else 0.0


def _are_whole(block: NDArray[np.float64]) -> bool:
    return float(block[0]).is_integer() and bool(np.array_equal(block, np.trunc(block)))


def _seconds(dates: NDArray[Any]) -> NDArray[np.float64]:
    """Return dates as seconds since 1970, NaN where missing."""
    seconds = dates.astype(np.float64)
    seconds[np.isnat(dates)] = np.nan
    return seconds

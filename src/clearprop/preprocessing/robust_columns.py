"""A table's columns as RealMLP takes them: by quartiles, within -3..3.

Numbers are brought to their median and interquartile range, which outliers don't move, and pressed
smoothly together from there; few categories are inputs of their own, many are codes, for a layer
that embeds them. Source: Holzmüller, Grinsztajn, Steinwart, "Better by default: Strong pre-tuned
MLPs and boosted trees on tabular data" (2024), section 3 and appendix A.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clearprop.data.selected_rows import Array
from clearprop.data.tables.table import Column, as_numbers
from clearprop.data.whole.column_survey import ColumnSurvey
from clearprop.errors import UsageError
from clearprop.preprocessing.cells import CategoryCells, DateCells, NumberCells
from clearprop.preprocessing.fields import require_numbers
from clearprop.preprocessing.table_columns import (
    CategoricalColumn,
    DateColumn,
    NumericColumn,
    as_dates,
    parts_of,
    require_finite,
)

MOST_ONE_HOT = 8
"""Categories at most that are inputs of their own."""

_BOUND = 3.0  # that no input reaches


def robust_scale(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor of each column that brings its quartiles one apart, shape (F,).

    Where they are equal it is 2 / (max - min); where all numbers are, it is 0.

    Parameters
    ----------
    values : ndarray of float64, shape (N, F)
        Finite numbers of training data, a row or more.
    """
    first, third = np.quantile(values, [0.25, 0.75], axis=0)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        apart = third - first
        apart = np.where(apart > 0, apart, (values.max(axis=0) - values.min(axis=0)) / 2)
        scale = 1 / apart
    return np.where(np.isfinite(scale), scale, 0.0)


def smooth_clip(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return z / sqrt(1 + (z / 3)^2), between -3 and 3 and z where it is small."""
    # Not by squares, which overflow.
    return z / np.hypot(1.0, z / _BOUND)


@dataclass(frozen=True, kw_only=True)
class RobustColumn(NumericColumn):
    """The number by its quartiles, with the median in place of a missing one.

    Where the training data had gaps, a second input is 1 where the number is missing, else -1.

    Parameters
    ----------
    scale : float
        The factor by which the distance from the median is multiplied.
    gaps : bool
        Whether the training data had missing numbers, and others that were not.
    """

    scale: float
    gaps: bool

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_scales((self.scale,), self.name)

    @classmethod
    def fit(cls, name: str, column: Column, unit: str | None = None) -> "RobustColumn":
        """Learn median and quartiles; all inputs are 0 where every number is missing."""
        numbers = as_numbers(column, name)
        present = numbers[~np.isnan(numbers)]
        scale = float(robust_scale(present[:, np.newaxis])[0]) if len(present) else 0.0
        gaps = 0 < len(present) < len(numbers)
        return cls(**vars(NumericColumn.fit(name, column, unit)), scale=scale, gaps=gaps)

    def surveyed(self, found: ColumnSurvey) -> "RobustColumn":
        """Take what is exact, and whether there are gaps; the quartiles stay the sample's."""
        plain = NumericColumn.surveyed(self, found)
        return replace(self, **{**vars(plain), "gaps": found.missing > 0 < found.filled})

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs, 1 or 2: ``age``, ``age is missing``."""
        return (self.name, f"{self.name} is missing")[: 1 + self.gaps]

    def fill(self, out: Array, column: Column) -> None:
        """Write the inputs, shape (N, 1) or (N, 2)."""
        numbers = as_numbers(column, self.name)
        missing = np.isnan(numbers)
        with np.errstate(over="ignore", invalid="ignore"):  # looked for below, and named
            away = np.where(missing, 0.0, numbers - self.median) * self.scale
            out[:, 0] = smooth_clip(away)
        require_finite(out[:, 0], numbers, self.name)
        if self.gaps:
            out[:, 1] = np.where(missing, 1, -1)

    def describe(self) -> NumberCells:
        """Say that the distance from the median is pressed together."""
        return NumberCells(
            *(self.name, self.median, self.median, self.scale),
            is_pressed=True,
            tells_gaps=self.gaps,
            unit=self.unit,
        )


@dataclass(frozen=True, kw_only=True)
class RobustDates(DateColumn):
    """The parts of a date by their quartiles; those of a missing date are 0.

    Where the training data had gaps, one more input is 1 where the date is missing, else -1.

    Parameters
    ----------
    medians, scales : tuple of float
        The median of each part, and the factor of the distance from it.
    gaps : bool
        Whether the training data had missing dates, and others that were not.
    """

    medians: tuple[float, ...]
    scales: tuple[float, ...]
    gaps: bool

    def __post_init__(self) -> None:
        super().__post_init__()
        require_numbers(self.medians, f"The medians of {self.name!r}")
        _require_scales(self.scales, self.name)
        if not len(self.medians) == len(self.scales) == len(self.mean):
            raise UsageError(f"Found other numbers of medians, scales and means of {self.name!r}.")

    @classmethod
    def fit(cls, name: str, column: Column) -> "RobustDates":
        """Learn the quartiles of each part."""
        plain, dates = DateColumn.fit(name, column), as_dates(column, name)
        count = len(plain.mean)
        parts = parts_of(dates[~np.isnat(dates)])[:, :count]
        medians, scales = np.zeros(count), np.zeros(count)
        if len(parts):
            medians, scales = np.median(parts, axis=0), robust_scale(parts)
        gaps = 0 < len(parts) < len(dates)
        return cls(
            **vars(plain),
            medians=tuple(medians.tolist()),
            scales=tuple(scales.tolist()),
            gaps=gaps,
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs: ``born: year``, and perhaps ``born is missing``."""
        return super().inputs + (f"{self.name} is missing",) * self.gaps

    def fill(self, out: Array, column: Column) -> None:
        """Write the inputs, shape (N, width)."""
        missing, count = np.isnat(as_dates(column, self.name)), len(self.medians)
        for start, known, parts in self.blocks(column):
            away = (parts[:, :count] - np.array(self.medians)) * np.array(self.scales)
            out[start : start + len(known), :count][known] = smooth_clip(away)
        if self.gaps:
            out[:, count] = np.where(missing, 1, -1)

    def describe(self) -> DateCells:
        """Say that the distances from the medians are pressed together."""
        parts = super().describe().parts[: len(self.medians)]
        return DateCells(
            *(self.name, parts, self.medians, self.scales), is_pressed=True, tells_gaps=self.gaps
        )


@dataclass(frozen=True, kw_only=True)
class RobustCategories(CategoricalColumn):
    """Inputs of their own for few categories, by their quartiles as numbers are.

    Of two categories there is one input, 1 for the first and -1 for the second; of another number
    one for each category, 1 for the cell's own. A missing or unknown cell is 0 before that.

    Parameters
    ----------
    medians, scales : tuple of float
        The median of each input, and the factor of the distance from it.
    """

    medians: tuple[float, ...]
    scales: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        require_numbers(self.medians, f"The medians of {self.name!r}")
        _require_scales(self.scales, self.name)
        if not len(self.medians) == len(self.scales) == self.width:
            raise UsageError(
                f"Found {len(self.medians)} medians and {len(self.scales)} scales of "
                f"{self.name!r}, expected {self.width}."
            )

    @classmethod
    def of(cls, plain: CategoricalColumn, column: Column) -> "RobustCategories":
        """Learn the quartiles of the inputs of known categories."""
        ones = _ones(len(plain.categories))[plain.places(column) + 1]
        return cls(
            plain.name,
            plain.categories,
            medians=tuple(np.median(ones, axis=0).tolist()),
            scales=tuple(robust_scale(ones).tolist()),
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs: ``city = Oslo``."""
        return super().inputs[:1] if len(self.categories) == 2 else super().inputs

    @property
    def width(self) -> int:
        """The number of inputs."""
        return 1 if len(self.categories) == 2 else len(self.categories)

    def fill(self, out: Array, column: Column) -> None:
        """Write the inputs, shape (N, width)."""
        out[...] = self.describe().rows[self.places(column) + 1]

    def describe(self) -> CategoryCells:
        """Say what the quartiles make of each category's ones."""
        away = (_ones(len(self.categories)) - np.array(self.medians)) * np.array(self.scales)
        return CategoryCells(self.name, self.categories, smooth_clip(away))


@dataclass(frozen=True)
class CodedColumn(CategoricalColumn):
    """One input for many categories: 1, 2, ... for the cell's own, 0 for one that is not known."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The name of its input."""
        return (self.name,)

    @property
    def width(self) -> int:
        """One."""
        return 1

    @property
    def codes(self) -> int:
        """The number of codes, 0 included."""
        return 1 + len(self.categories)

    def fill(self, out: Array, column: Column) -> None:
        """Write the codes, shape (N, 1)."""
        out[:, 0] = self.places(column) + 1

    def describe(self) -> CategoryCells:
        """Say that each category has a code."""
        return CategoryCells(
            self.name, self.categories, np.arange(self.codes, dtype=np.float64)[:, np.newaxis]
        )


def robust_categories(name: str, column: Column) -> RobustCategories | CodedColumn:
    """Learn a column of categories: as inputs of their own where they are few."""
    plain = CategoricalColumn.fit(name, column)
    if len(plain.categories) <= MOST_ONE_HOT:
        return RobustCategories.of(plain, column)
    return CodedColumn(plain.name, plain.categories)


def _ones(count: int) -> NDArray[np.float64]:
    """Return the ones of an unknown category, and of each known one; of two categories 1 and -1."""
    if count == 2:
        return np.array([[0.0], [1.0], [-1.0]])
    return np.eye(count + 1, count, -1)


def _require_scales(scales: tuple[float, ...], name: str) -> None:
    require_numbers(scales, f"The scales of {name!r}")
    if min(scales, default=0.0) < 0:
        raise UsageError(f"A scale of {name!r} is {min(scales)}, expected numbers from 0.")

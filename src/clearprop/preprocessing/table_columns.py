"""The columns of a table's recipe: what the cells of each become, learned from training data."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from clearprop.data.reading import Role
from clearprop.data.selected_rows import Array
from clearprop.data.tables.columns import MOST_CATEGORIES, as_known_date
from clearprop.data.tables.numerals import is_marker
from clearprop.data.tables.table import (
    Column,
    as_numbers,
    as_words,
    is_date,
    is_missing,
    is_numeric,
)
from clearprop.data.tables.understood import Spelling
from clearprop.data.whole.column_survey import ColumnSurvey
from clearprop.errors import DataError, UsageError
from clearprop.preprocessing.cells import CategoryCells, Cells, DateCells, NumberCells
from clearprop.preprocessing.fields import moments, require_names, require_numbers

_DATE_PARTS = ("days", "year", "month", "weekday", "hour")
_SQUARES = 1e76  # a sum of squares of numbers, none of which float32 can't hold
_BLOCK = 2**14  # dates that are taken apart at a time: five numbers for each are kept


@dataclass(frozen=True)
class InputColumn(ABC):
    """A column of a table, and the inputs that it becomes.

    Parameters
    ----------
    name : str
    """

    name: str

    instead: ClassVar[str] = "Leave its cells empty if nothing is known."
    """The advice where a table has no such column."""

    role: ClassVar[Role] = "number"
    """The kind of cells that it takes."""

    def __post_init__(self) -> None:
        require_names((self.name,), "A column's name")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs."""
        return (self.name,)

    @property
    def width(self) -> int:
        """The number of its inputs."""
        return len(self.inputs)

    def check(self, column: Column) -> None:
        """Raise DataError if a cell is no number."""
        if not is_numeric(column):
            as_numbers(column, self.name)

    def surveyed(self, found: ColumnSurvey) -> "InputColumn":
        """Return the same with what is known of a column of numbers of which a sample was seen."""
        return self

    @abstractmethod
    def fill(self, out: Array, column: Column) -> None:
        """Write the inputs into `out`, shape (N, width), zeros."""

    @abstractmethod
    def describe(self) -> Cells:
        """Say in plain numbers what `fill` does."""


@dataclass(frozen=True)
class NumericColumn(InputColumn):
    """One input: the standardised number, with the median in place of a missing one.

    Parameters
    ----------
    name : str
    median, mean, std : float
        The moments of the training data's numbers that were not missing; std is 1 where all are
        alike.
    low, high : float or None
        The lowest and the highest of them; None in files that are older than these fields.
    unit : str or None
        The unit that they were written with, ``hours`` for times of day; None where nobody knows.
    """

    median: float
    mean: float
    std: float
    low: float | None = None
    high: float | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_numbers((self.median, self.mean), f"Median and mean of {self.name!r}")
        require_numbers((self.std,), f"The deviation of {self.name!r}", positive=True)
        if self.low is not None or self.high is not None:
            require_numbers((self.low, self.high), f"The range of {self.name!r}")
        if self.unit:
            require_names((self.unit,), f"The unit of {self.name!r}")

    @classmethod
    def fit(cls, name: str, column: Column, unit: str | None = None) -> "NumericColumn":
        """Learn median, mean and standard deviation; 0, 0 and 1 where every number is missing."""
        numbers = as_numbers(column, name)
        present = numbers[~np.isnan(numbers)]
        if len(present) == 0:
            return cls(name, 0.0, 0.0, 1.0, unit=unit)
        mean, std = moments(present)
        low, high = float(present.min()), float(present.max())
        return cls(name, float(np.median(present)), float(mean), float(std), low, high, unit)

    def surveyed(self, found: ColumnSurvey) -> "NumericColumn":
        """Take mean, deviation and range of all numbers; the median stays that of the sample."""
        if not found.filled or not math.isfinite(found.std):  # numbers that can't be squared
            return self
        return replace(self, mean=found.mean, std=found.std, low=found.low, high=found.high)

    def fill(self, out: Array, column: Column) -> None:
        """Write the standardised numbers, shape (N, 1)."""
        numbers = as_numbers(column, self.name)
        with np.errstate(over="ignore", invalid="ignore"):  # looked for below, and named
            inputs = numbers - self.mean
            inputs /= self.std
            out[:, 0] = inputs
            are_moderate = inputs @ inputs < _SQUARES  # the quickest look at all of them
        if not are_moderate:
            out[np.isnan(numbers), 0] = (self.median - self.mean) / self.std
            require_finite(out[:, 0], numbers, self.name)

    def describe(self) -> NumberCells:
        """Say that numbers are standardised."""
        return NumberCells(self.name, self.median, self.mean, 1 / self.std, unit=self.unit)


@dataclass(frozen=True)
class CategoricalColumn(InputColumn):
    """One input for each category: 1 for the cell's own, 0 for the others.

    A missing cell, a category that the training data did not have, and one beyond the
    `MOST_CATEGORIES` most frequent, are zero everywhere: nothing is known of them.

    Parameters
    ----------
    name : str
    categories : tuple of str
        The categories, sorted.
    """

    categories: tuple[str, ...]

    role: ClassVar[Role] = "category"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_names(self.categories, f"The categories of {self.name!r}")

    @classmethod
    def fit(cls, name: str, column: Column) -> "CategoricalColumn":
        """Learn the categories."""
        words = as_words(column)
        counts = words.counts()
        most = np.sort(np.argsort(-counts, kind="stable")[: min(MOST_CATEGORIES, len(counts))])
        return cls(name, tuple(words.texts[place] for place in most.tolist() if counts[place]))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs: ``city = Oslo``."""
        return tuple(f"{self.name} = {one}" for one in self.categories)

    @property
    def width(self) -> int:
        """The number of categories."""
        return len(self.categories)

    def check(self, column: Column) -> None:
        """Do nothing: any cell is a category, known or not."""

    def fill(self, out: Array, column: Column) -> None:
        """Write the ones, shape (N, width)."""
        places = self.places(column)
        known = np.flatnonzero(places >= 0)
        out[known, places[known]] = 1

    def describe(self) -> CategoryCells:
        """Say that each category has a one of its own."""
        count = len(self.categories)
        return CategoryCells(self.name, self.categories, np.eye(count + 1, count, -1))

    def places(self, column: Column) -> NDArray[np.int64]:
        """Return the place of each cell's category, shape (N,); -1 where it is not known."""
        known = {text: at for at, text in enumerate(self.categories)}
        return as_words(column).translated(known)


@dataclass(frozen=True)
class DateColumn(InputColumn):
    """Some inputs: days since 1970, year, month, weekday (Monday is 0), perhaps hour; standardised.

    A missing date is zero everywhere, which is the mean.

    Parameters
    ----------
    name : str
    mean, std : tuple of float
        The moments of each input in the training data; five of them where the hour counts.
    low, high : float or None
        The first and the last of its days, since 1970; None in files that are older than these
        fields.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    low: float | None = None
    high: float | None = None

    role: ClassVar[Role] = "date"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_numbers(self.mean, f"The mean of {self.name!r}")
        require_numbers(self.std, f"The deviation of {self.name!r}", positive=True)
        if len(self.mean) != len(self.std) or len(self.mean) not in (4, 5):
            raise UsageError(f"Found {len(self.mean)} means of {self.name!r}, expected 4 or 5.")
        if self.low is not None or self.high is not None:
            require_numbers((self.low, self.high), f"The range of {self.name!r}")

    @classmethod
    def fit(cls, name: str, column: Column) -> "DateColumn":
        """Learn the moments; the hour counts where some dates have one."""
        dates = as_dates(column, name)
        present = dates[~np.isnat(dates)]
        with_hour = bool(np.any(present.astype("datetime64[D]") != present))
        parts = parts_of(present)[:, : 4 + with_hour]
        if not len(present):
            return cls(name, (0.0,) * 4, (1.0,) * 4)
        mean, std = moments(parts)
        low, high = float(parts[:, 0].min()), float(parts[:, 0].max())
        return cls(name, tuple(mean.tolist()), tuple(std.tolist()), low, high)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs, 4 or 5: ``born: year``."""
        return tuple(f"{self.name}: {part}" for part in _DATE_PARTS[: len(self.mean)])

    def check(self, column: Column) -> None:
        """Raise DataError if a cell is no date."""
        as_dates(column, self.name)

    def days(self, column: Column) -> NDArray[np.float64]:
        """Return the days since 1970, shape (N,); NaN where missing."""
        dates = as_dates(column, self.name)
        days = np.full(len(dates), np.nan)
        known = ~np.isnat(dates)
        days[known] = dates[known].astype(np.float64) / 86400  # seconds
        return days

    def fill(self, out: Array, column: Column) -> None:
        """Write the standardised parts, shape (N, width)."""
        for start, known, parts in self.blocks(column):
            inputs = (parts[:, : self.width] - np.array(self.mean)) / np.array(self.std)
            out[start : start + len(known)][known] = inputs

    def describe(self) -> DateCells:
        """Say that the parts are standardised."""
        factors = tuple(1 / std for std in self.std)
        return DateCells(self.name, _DATE_PARTS[: self.width], self.mean, factors)

    def blocks(
        self, column: Column
    ) -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.float64]]]:
        """Yield some rows at a time: the first, which of them have a date, and its parts."""
        dates = as_dates(column, self.name)
        for start in range(0, len(dates), _BLOCK):
            block = dates[start : start + _BLOCK]
            known = ~np.isnat(block)
            yield start, known, parts_of(block[known])


def as_dates(column: Column, name: str) -> NDArray[np.datetime64]:
    """Return a column's dates, NaT where missing; raise DataError if a cell is none."""
    if is_date(column):
        return column  # type: ignore[return-value] # words are none
    words = as_words(column)
    markers = [at for at, text in enumerate(words.texts) if is_marker(text)]
    missing = np.isin(words.codes, [-1, *markers])
    if missing.all():
        return np.full(len(column), np.datetime64("NaT"), "datetime64[s]")
    read = as_known_date(name, words, Spelling())
    if read is not None and np.array_equal(is_missing(read.column), missing):
        return read.column  # type: ignore[return-value] # words are none
    row = int(np.argmin(missing if read is None else missing | ~is_missing(read.column)))
    raise DataError(
        f"Row {row + 1} of column {name!r} is {words[row : row + 1].tolist()[0]!r}, expected a "
        "date such as 2024-01-31. Correct the cell, or leave it empty if the date is missing."
    )


def parts_of(dates: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Take dates apart, shape (N, 5), in the order of `_DATE_PARTS`."""
    days = dates.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    years = days.astype("datetime64[Y]")
    seconds = (dates - days).astype(np.float64)
    return np.column_stack(
        [
            days.astype(np.float64) + seconds / 86400,
            years.astype(np.float64) + 1970,
            (months - years).astype(np.float64) + 1,
            (days.astype(np.int64) + 3) % 7,  # 1970 began on a Thursday
            seconds / 3600,
        ]
    )


@dataclass(frozen=True)
class PlainColumn(InputColumn):
    """One input: the number itself. Nothing is known that could stand for a missing one."""

    instead: ClassVar[str] = "Add it: every row needs a number."

    def fill(self, out: Array, column: Column) -> None:
        """Write the numbers, shape (N, 1)."""
        numbers = as_numbers(column, self.name)
        missing = np.isnan(numbers)
        if missing.any():
            raise DataError(
                f"Row {int(np.argmax(missing)) + 1} of column {self.name!r} is missing, and the "
                "model does not know what to put there. Fill it in, or remove the row."
            )
        with np.errstate(over="ignore"):  # looked for below, and named
            out[:, 0] = numbers
        require_finite(out[:, 0], numbers, self.name)

    def describe(self) -> NumberCells:
        """Say that numbers are taken as they are."""
        return NumberCells(self.name, None, 0.0, 1.0)


def require_finite(inputs: Array, numbers: Column, name: str) -> None:
    """Raise DataError if an input (N,) is not finite; the number that it was made of is named."""
    finite = np.isfinite(inputs)
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(
            f"Row {row + 1} of column {name!r} is {numbers[row]}, expected a finite number within "
            "reach of the training data."
        )

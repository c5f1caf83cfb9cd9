"""Recipes of inputs: learned from training data, and applied to samples of the same kind.

There is one for arrays of numbers, one for pictures, and one for tables.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clearprop.data.dataset import Raw
from clearprop.data.selected_rows import Array, SelectedRows, blocks, require_finite
from clearprop.data.table import Column, Table, as_numbers, as_text, is_numeric
from clearprop.errors import DataError, ShapeError, UsageError, listed
from clearprop.preprocessing.fields import moments, require_names, require_numbers, require_sizes

MOST_MOMENTS = 10_000
"""Features above which one mean and one deviation serve all: a model file's text stays short."""

MOST_CATEGORIES = 100
"""Categories of a column that get an input each: the most frequent ones."""

_WHITE = 255


class Recipe(ABC):
    """Base of the recipes of inputs."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a prepared sample."""

    def check(self, raw: Raw) -> None:
        """Check that samples are like those of the training data.

        Raises
        ------
        ShapeError
            If their shape differs.
        DataError
            If they are of another kind, or a table has other columns; their order is free.
        """
        self._checked(raw)

    @abstractmethod
    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Prepare samples.

        Parameters
        ----------
        raw : ndarray, SelectedRows or Table, N rows
        dtype : dtype-like
            float32 or float64.

        Returns
        -------
        ndarray of `dtype`, shape (N, *input_shape)
            A C-contiguous array.

        Raises
        ------
        ShapeError, DataError
            For the reasons of `check`, or if a number is missing, infinite, or too far from the
            training data for `dtype`; its place is named.
        """

    @abstractmethod
    def _checked(self, raw: Raw) -> Any:
        """Return samples that `check` has nothing to say against."""


@dataclass(frozen=True)
class ArrayRecipe(Recipe):
    """Numbers standardised by the training data: z = (x - mean) / std.

    Parameters
    ----------
    shape : tuple of int
        The shape of one sample.
    mean, std : tuple of float
        A number for each feature, in C order; or one for all, where there are more than
        `MOST_MOMENTS` features.
    """

    shape: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        require_sizes(self.shape, "The shape of a sample")
        require_numbers(self.mean, "The mean")
        require_numbers(self.std, "The standard deviation", positive=True)
        if not len(self.mean) == len(self.std) or len(self.mean) not in (1, math.prod(self.shape)):
            raise UsageError(
                f"Found {len(self.mean)} means and {len(self.std)} standard deviations for samples "
                f"of shape {self.shape}; expected one of each a feature, or one for all."
            )

    @classmethod
    def fit(cls, raw: Raw) -> "ArrayRecipe":
        """Learn mean and standard deviation from training data, shape (N, ...)."""
        if isinstance(raw, Table):
            raise DataError("Found a table, expected an array of numbers.")
        require_finite(raw, "X")
        shape = raw.shape[1:]
        mean, std = moments(raw, together=math.prod(shape) > MOST_MOMENTS)
        return cls(shape, tuple(mean.ravel().tolist()), tuple(std.ravel().tolist()))

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a sample."""
        return self.shape

    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Return (x - mean) / std, computed in float64."""
        rows = self._checked(raw)
        mean, std = (self._spread(numbers) for numbers in (self.mean, self.std))
        out = np.empty(rows.shape, dtype=dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # looked for below, and named
            for where, block in blocks(rows):
                out[where] = (block - mean) / std
                finite = np.isfinite(out[where])
                if not finite.all():
                    row, *rest = np.argwhere(~finite)[0].tolist()
                    raise _not_finite(block[(row, *rest)], (where.start + row, *rest))
        return out

    def _checked(self, raw: Raw) -> Array | SelectedRows:
        if isinstance(raw, Table) or raw.dtype.kind not in "biuf":
            found = "a table" if isinstance(raw, Table) else f"an array of {raw.dtype}"
            raise DataError(f"Found {found}, expected an array of numbers.")
        if raw.shape[1:] != self.shape:
            raise ShapeError(
                f"The samples have shape {raw.shape[1:]}, expected {self.shape} as in training."
            )
        return raw

    def _spread(self, numbers: tuple[float, ...]) -> Array:
        array = np.array(numbers)
        return array.reshape(self.shape) if len(numbers) > 1 else array


def _not_finite(value: float, position: tuple[int, ...]) -> DataError:
    place = ", ".join(map(str, position))
    return DataError(
        f"X[{place}] is {value}, expected a finite number within reach of the training data. "
        "Fill or remove samples with missing and infinite values."
    )


@dataclass(frozen=True)
class PictureRecipe(Recipe):
    """Pictures of one size, from 0..255 to 0..1.

    Parameters
    ----------
    size : (int, int)
        Height and width in pixels.
    channels : {3, 1}
        RGB or grey.
    """

    size: tuple[int, int]
    channels: int

    def __post_init__(self) -> None:
        require_sizes(self.size, "The size of pictures")
        if len(self.size) != 2 or self.channels not in (1, 3):
            raise UsageError(
                f"Pictures of size {self.size} with {self.channels} channels can't be; expected a "
                "height and a width, and 1 or 3 channels."
            )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape (H, W, 3), or (H, W) for grey."""
        return self.size if self.channels == 1 else (*self.size, 3)

    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Return x / 255, divided in `dtype`."""
        rows = self._checked(raw)
        out = np.empty(rows.shape, dtype=dtype)
        for where, block in blocks(rows):
            np.divide(block, out.dtype.type(_WHITE), out=out[where], dtype=out.dtype)
        return out

    def _checked(self, raw: Raw) -> Array | SelectedRows:
        if isinstance(raw, Table) or raw.dtype != np.uint8:
            found = "a table" if isinstance(raw, Table) else f"numbers of type {raw.dtype}"
            raise DataError(f"Found {found}, expected pictures (uint8, 0 to 255).")
        if raw.shape[1:] != self.input_shape:
            raise ShapeError(
                f"The pictures have shape {raw.shape[1:]}, expected {self.input_shape}: "
                "(height, width, 3) for colour, (height, width) for grey."
            )
        return raw


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

    def __post_init__(self) -> None:
        require_names((self.name,), "A column's name")

    @property
    def width(self) -> int:
        """The number of its inputs."""
        return 1

    def check(self, column: Column) -> None:
        """Raise DataError if a cell is no number."""
        if not is_numeric(column):
            as_numbers(column, self.name)

    @abstractmethod
    def fill(self, out: Array, column: Column) -> None:
        """Write the inputs into `out`, shape (N, width), zeros."""


@dataclass(frozen=True)
class NumericColumn(InputColumn):
    """One input: the standardised number, with the median in place of a missing one.

    Parameters
    ----------
    name : str
    median, mean, std : float
        The moments of the training data's numbers that were not missing; std is 1 where all are
        alike.
    """

    median: float
    mean: float
    std: float

    def __post_init__(self) -> None:
        super().__post_init__()
        require_numbers((self.median, self.mean), f"Median and mean of {self.name!r}")
        require_numbers((self.std,), f"The deviation of {self.name!r}", positive=True)

    @classmethod
    def fit(cls, name: str, column: Column) -> "NumericColumn":
        """Learn median, mean and standard deviation; 0, 0 and 1 where every number is missing."""
        present = column[~np.isnan(column)]
        if len(present) == 0:
            return cls(name, 0.0, 0.0, 1.0)
        mean, std = moments(present)
        return cls(name, float(np.median(present)), float(mean), float(std))

    def fill(self, out: Array, column: Column) -> None:
        """Write the standardised numbers, shape (N, 1)."""
        numbers = as_numbers(column, self.name)
        filled = np.where(np.isnan(numbers), self.median, numbers)
        with np.errstate(over="ignore"):  # looked for below, and named
            out[:, 0] = (filled - self.mean) / self.std
        _require_finite(out, numbers, self.name)


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

    def __post_init__(self) -> None:
        super().__post_init__()
        require_names(self.categories, f"The categories of {self.name!r}")

    @classmethod
    def fit(cls, name: str, column: Column) -> "CategoricalColumn":
        """Learn the categories."""
        cells = as_text(column)
        categories, counts = np.unique(cells[cells != ""], return_counts=True)
        most = np.sort(np.argsort(-counts, kind="stable")[:MOST_CATEGORIES])
        return cls(name, tuple(categories[most].tolist()))

    @property
    def width(self) -> int:
        """The number of categories."""
        return len(self.categories)

    def check(self, column: Column) -> None:
        """Do nothing: any cell is a category, known or not."""

    def fill(self, out: Array, column: Column) -> None:
        """Write the ones, shape (N, width)."""
        index = {category: i for i, category in enumerate(self.categories)}
        distinct, inverse = np.unique(as_text(column), return_inverse=True)
        codes: NDArray[np.int64] = np.array([index.get(cell, -1) for cell in distinct.tolist()])
        known = np.flatnonzero(codes[inverse] >= 0)
        out[known, codes[inverse][known]] = 1


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
        _require_finite(out, numbers, self.name)


COLUMNS = (NumericColumn, CategoricalColumn, PlainColumn)
"""Every kind of column, for files that name one."""


@dataclass(frozen=True)
class TableRecipe(Recipe):
    """Columns of a table side by side.

    Parameters
    ----------
    columns : tuple of NumericColumn, CategoricalColumn and PlainColumn
        The columns in the order of the network's inputs.
    """

    columns: tuple[InputColumn, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.columns, tuple) or not all(
            isinstance(column, InputColumn) for column in self.columns
        ):
            raise UsageError(
                "A table's columns must be NumericColumn, CategoricalColumn or PlainColumn."
            )
        require_names(tuple(column.name for column in self.columns), "The columns' names")

    @classmethod
    def fit(cls, table: Table) -> "TableRecipe":
        """Learn every column of the training data."""
        return cls(
            tuple(
                NumericColumn.fit(name, column)
                if is_numeric(column)
                else CategoricalColumn.fit(name, column)
                for name, column in table.columns.items()
            )
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape (D,), with an input for each numeric column and each category."""
        return (sum(column.width for column in self.columns),)

    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Fill, standardise and encode the columns, computed in float64."""
        table = self._checked(raw)
        out = np.zeros((len(table), *self.input_shape), dtype=dtype)
        start = 0
        for column in self.columns:
            column.fill(out[:, start : start + column.width], table.columns[column.name])
            start += column.width
        return out

    def _checked(self, raw: Raw) -> Table:
        if not isinstance(raw, Table):
            raise DataError(f"Found an array of {raw.dtype}, expected a table with named columns.")
        names = {column.name: column for column in self.columns}
        if missing := [name for name in names if name not in raw.columns]:
            raise DataError(
                f"The column {missing[0]!r} is missing; found {listed(raw.names)}. "
                f"{names[missing[0]].instead}"
            )
        if unknown := [name for name in raw.names if name not in names]:
            raise DataError(
                f"The column {unknown[0]!r} was not in the training data, which had "
                f"{listed(names)}. Remove it."
            )
        for column in self.columns:
            column.check(raw.columns[column.name])
        return raw


def _require_finite(inputs: Array, numbers: Column, name: str) -> None:
    """Raise DataError if an input (N, 1) is not finite; the number that it was made of is named."""
    finite = np.isfinite(inputs[:, 0])
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(
            f"Row {row + 1} of column {name!r} is {numbers[row]}, expected a finite number within "
            "reach of the training data."
        )

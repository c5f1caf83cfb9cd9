"""Tables to a network's input."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clearprop.data.dataset import Raw
from clearprop.data.selected_rows import Array
from clearprop.data.table import Column, Table, as_numbers, as_text, is_numeric
from clearprop.errors import DataError, UsageError
from clearprop.preprocessing.fields import moments, require_names, require_numbers

MOST_CATEGORIES = 100
"""Categories of a column that get an input each: the most frequent ones."""


@dataclass(frozen=True)
class NumericColumn:
    """One input: the standardised number, with the median in place of a missing one.

    Parameters
    ----------
    name : str
    median, mean, std : float
        The moments of the training data's numbers that were not missing; std is 1 where all are
        alike.
    """

    name: str
    median: float
    mean: float
    std: float

    instead: ClassVar[str] = "Leave its cells empty if nothing is known."
    """The advice where a table has no such column."""

    def __post_init__(self) -> None:
        require_names((self.name,), "A column's name")
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

    @property
    def width(self) -> int:
        """The number of its inputs: 1."""
        return 1

    def check(self, column: Column) -> None:
        """Raise DataError if a cell is no number."""
        if not is_numeric(column):
            as_numbers(column, self.name)

    def fill(self, out: Array, column: Column) -> None:
        """Write the input, shape (N, 1), into `out`, zeros."""
        numbers = as_numbers(column, self.name)
        filled = np.where(np.isnan(numbers), self.median, numbers)
        with np.errstate(over="ignore"):  # looked for below, and named
            out[:, 0] = (filled - self.mean) / self.std
        _require_finite(out, numbers, self.name)


@dataclass(frozen=True)
class CategoricalColumn:
    """One input for each category: 1 for the cell's own, 0 for the others.

    A missing cell, a category that the training data did not have, and one beyond the
    `MOST_CATEGORIES` most frequent, are zero everywhere: nothing is known of them.

    Parameters
    ----------
    name : str
    categories : tuple of str
        The categories, sorted.
    """

    name: str
    categories: tuple[str, ...]

    instead: ClassVar[str] = "Leave its cells empty if nothing is known."
    """The advice where a table has no such column."""

    def __post_init__(self) -> None:
        require_names((self.name,), "A column's name")
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
        """Write the inputs, shape (N, width), into `out`, zeros."""
        index = {category: i for i, category in enumerate(self.categories)}
        distinct, inverse = np.unique(as_text(column), return_inverse=True)
        codes: NDArray[np.int64] = np.array([index.get(cell, -1) for cell in distinct.tolist()])
        known = np.flatnonzero(codes[inverse] >= 0)
        out[known, codes[inverse][known]] = 1


@dataclass(frozen=True)
class PlainColumn:
    """One input: the number itself. Nothing is known that could stand for a missing one.

    Parameters
    ----------
    name : str
    """

    name: str

    instead: ClassVar[str] = "Add it: every row needs a number."
    """The advice where a table has no such column."""

    def __post_init__(self) -> None:
        require_names((self.name,), "A column's name")

    @property
    def width(self) -> int:
        """The number of its inputs: 1."""
        return 1

    def check(self, column: Column) -> None:
        """Raise DataError if a cell is no number."""
        as_numbers(column, self.name)

    def fill(self, out: Array, column: Column) -> None:
        """Write the input, shape (N, 1), into `out`."""
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


TableColumn: TypeAlias = NumericColumn | CategoricalColumn | PlainColumn


@dataclass(frozen=True)
class TableRecipe:
    """Columns of a table side by side.

    Parameters
    ----------
    columns : tuple of NumericColumn, CategoricalColumn and PlainColumn
        The columns in the order of the network's inputs.
    """

    columns: tuple[TableColumn, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.columns, tuple) or not all(
            isinstance(column, TableColumn) for column in self.columns
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

    def check(self, raw: Raw) -> None:
        """Check that a table has the columns of the training data, in any order.

        Raises
        ------
        DataError
            If it is no table, a column is missing or not known, or a numeric one holds text.
        """
        self._checked(raw)

    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Fill, standardise and encode the columns.

        Parameters
        ----------
        raw : Table, N rows
        dtype : dtype-like
            float32 or float64. The arithmetic is float64.

        Returns
        -------
        ndarray of `dtype`, shape (N, D)
            C-contiguous.

        Raises
        ------
        DataError
            For the reasons of `check`, or if a number is infinite or too far from the training
            data for `dtype`.
        """
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
                f"The column {missing[0]!r} is missing; found {', '.join(raw.names)}. "
                f"{names[missing[0]].instead}"
            )
        if unknown := [name for name in raw.names if name not in names]:
            raise DataError(
                f"The column {unknown[0]!r} was not in the training data, which had "
                f"{', '.join(names)}. Remove it."
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

"""Named columns: numbers, or text that names categories."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.errors import DataError

Column: TypeAlias = NDArray[Any]

TEXT = np.dtypes.StringDType()
"""Variable width: one long cell does not widen a column of a million."""


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length by name.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (N,)
        float64 with NaN for a missing number, or text (`TEXT`) with "" for a missing category.
    """

    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return next((len(column) for column in self.columns.values()), 0)

    def __getitem__(self, rows: Any) -> "Table":
        return Table({name: column[rows] for name, column in self.columns.items()})

    def without(self, name: str) -> "Table":
        """Return the table without the column `name`."""
        return Table({key: column for key, column in self.columns.items() if key != name})

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(self.columns)

    @property
    def nbytes(self) -> int:
        """Memory of the columns; text over 15 bytes a cell comes on top."""
        return sum(column.nbytes for column in self.columns.values())


def is_numeric(column: Column) -> bool:
    """Whether a column holds numbers rather than text."""
    return column.dtype.kind in "biuf"


def number(text: str) -> float:
    """Read a number as tables write it: no underscores, which Python would allow.

    Raises
    ------
    ValueError
        If `text` is no number.
    """
    if "_" in text:
        raise ValueError(f"{text!r} is no number")
    return float(text)


def as_text(column: Iterable[Any] | Column) -> Column:
    """Spell every cell as a category.

    What reads as a number gets the number's shortest spelling, so that ``7``, ``7.0`` and ``07``
    name the same category whether or not the rest of their column were numbers.

    Parameters
    ----------
    column : ndarray, shape (N,)
        Text, or numbers with NaN for missing.

    Returns
    -------
    ndarray of text, shape (N,)
        "" where missing.
    """
    cells = np.asarray(column)
    if cells.dtype.kind == "S":
        cells = np.char.decode(cells, "utf-8", "replace")
    distinct, inverse = np.unique(cells, return_inverse=True)
    spelled = np.array([_spell(cell) for cell in distinct.tolist()], dtype=TEXT)
    return spelled[inverse]


def as_numbers(column: Column, name: str) -> NDArray[np.float64]:
    """Read every cell as a number.

    Parameters
    ----------
    column : ndarray, shape (N,)
        Numbers, or text with "" for missing.
    name : str
        The column's name, for the error.

    Returns
    -------
    ndarray of float64, shape (N,)
        NaN where missing.

    Raises
    ------
    DataError
        If a cell is no number; its row and column are named.
    """
    if is_numeric(column):
        return column.astype(np.float64, copy=False)
    numbers = np.full(len(column), np.nan)
    for row, cell in enumerate(column.tolist()):
        try:
            numbers[row] = number(cell) if cell else np.nan
        except ValueError as error:
            raise DataError(
                f"Row {row + 1} of column {name!r} is {cell!r}, expected a number. "
                "Correct the cell, or leave it empty if the number is missing."
            ) from error
    return numbers


def _spell(cell: Any) -> str:
    if isinstance(cell, str):
        try:
            value = number(cell)
        except ValueError:
            return cell
        if not np.isfinite(value):
            return cell
    elif isinstance(cell, float):
        value = cell
    else:
        return str(int(cell))
    if np.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)

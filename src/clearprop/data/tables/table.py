"""Named columns: numbers, dates, or words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.data.reading import Role
from clearprop.errors import DataError

_NOTHING = {"NAType", "NaTType"}  # of pandas, by name: it is not imported


@dataclass(frozen=True, eq=False)
class Words:
    """A column of words: every cell is a place among the different ones.

    Parameters
    ----------
    texts : tuple of str
        The different words, sorted.
    codes : ndarray of int32, shape (N,)
        The place of each cell's word in `texts`; -1 where the cell is missing.
    """

    texts: tuple[str, ...]
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, cells: Iterable[str]) -> "Words":
        """Make a column of cells, of which "" are missing."""
        cells = list(cells)
        texts = sorted(set(cells) - {""})
        places = {text: place for place, text in enumerate(texts)} | {"": -1}
        return cls(tuple(texts), np.fromiter(map(places.__getitem__, cells), np.int32, len(cells)))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> "Words":
        return Words(self.texts, self.codes[rows])

    def __iter__(self) -> Iterator[str]:
        return iter(self.tolist())

    @property
    def nbytes(self) -> int:
        """The memory of the cells, without that of the different words."""
        return self.codes.nbytes

    def tolist(self) -> list[str]:
        """Return every cell as text; "" where it is missing."""
        texts = [*self.texts, ""]  # which -1 reaches
        return [texts[code] for code in self.codes.tolist()]

    def counts(self) -> NDArray[np.int64]:
        """Count the cells of each word, in the order of `texts`."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))

    def translated(self, places: Mapping[str, int]) -> NDArray[np.int64]:
        """Return the place of every cell's word in another order, shape (N,); -1 for none.

        A word that is not there under its own spelling is looked for under that of its number: 7.0
        is 7 where it comes from a program that writes every number so. TRUE is True and true, as
        one program or another writes it.
        """
        found = [
            next((places[one] for one in spellings(text) if one in places), -1)
            for text in self.texts
        ]
        return np.array([*found, -1], dtype=np.int64)[self.codes]


Column: TypeAlias = NDArray[Any] | Words
"""float64 with NaN for missing, datetime64[s] with NaT for missing, or words."""


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length by name.

    Parameters
    ----------
    columns : mapping of str to ndarray or Words, N rows
        Numbers become float64, in which NaN is missing; dates become datetime64[s] in UTC; text
        becomes `Words`, in which "" and None are missing.
    """

    columns: Mapping[str, Column]

    def __post_init__(self) -> None:
        columns = {name: as_column(column) for name, column in self.columns.items()}
        object.__setattr__(self, "columns", columns)

    def __len__(self) -> int:
        return next((len(column) for column in self.columns.values()), 0)

    def __getitem__(self, rows: Any) -> "Table":
        return Table({name: column[rows] for name, column in self.columns.items()})

    def without(self, *names: str) -> "Table":
        """Return the table without some columns."""
        return Table({key: column for key, column in self.columns.items() if key not in names})

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(self.columns)

    @property
    def nbytes(self) -> int:
        """The memory of the columns; the different words come on top."""
        return sum(column.nbytes for column in self.columns.values())


def as_column(values: Any) -> Column:
    """Make a column of an array (N,) or a sequence of numbers, dates, text, or a mixture."""
    if isinstance(values, Words):
        return values
    cells = np.asarray(values)
    if cells.dtype.kind in "biuf":
        return cells.astype(np.float64, copy=False)
    if cells.dtype.kind == "M":
        return cells.astype("datetime64[s]", copy=False)
    if cells.dtype.kind == "S":
        cells = np.char.decode(cells, "utf-8", "replace")
    texts = ["" if _is_none(cell) else str(cell) for cell in cells.tolist()]
    return Words.of(texts)


def _is_none(cell: Any) -> bool:
    return cell is None or type(cell).__name__ in _NOTHING or bool(cell != cell)


def is_numeric(column: Column) -> bool:
    """Whether a column holds numbers."""
    return not isinstance(column, Words) and column.dtype.kind in "biuf"


def is_date(column: Column) -> bool:
    """Whether a column holds dates."""
    return not isinstance(column, Words) and column.dtype.kind == "M"


def role_of(column: Column) -> Role:
    """Return the kind of a column's cells."""
    return "category" if isinstance(column, Words) else "date" if is_date(column) else "number"


def is_missing(column: Column) -> NDArray[np.bool_]:
    """Tell the missing cells of a column, shape (N,)."""
    if isinstance(column, Words):
        return column.codes < 0
    return np.isnat(column) if is_date(column) else np.isnan(column)


def as_words(column: Column) -> Words:
    """Spell every cell: a number as short as it can be, a date as ISO 8601 does."""
    if isinstance(column, Words):
        return column
    missing = is_missing(column)
    distinct, places = np.unique(column[~missing], return_inverse=True)
    texts = [
        number_text(value) if isinstance(value, float) else value.isoformat(" ")
        for value in distinct.tolist()
    ]
    codes = np.full(len(column), -1, np.int32)
    order = np.argsort(np.array(texts, dtype=object), kind="stable")
    codes[~missing] = np.argsort(order)[places]
    return Words(tuple(texts[place] for place in order.tolist()), codes)


def as_numbers(column: Column, name: str) -> NDArray[np.float64]:
    """Read every cell as a number.

    Parameters
    ----------
    column : ndarray or Words, N rows
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
    if not isinstance(column, Words):
        if is_date(column):
            raise DataError(f"Column {name!r} holds dates, expected numbers.")
        return column.astype(np.float64, copy=False)
    numbers = np.full(len(column.texts) + 1, np.nan)  # the last is what -1 reaches
    for place in np.unique(column.codes[column.codes >= 0]).tolist():
        try:
            numbers[place] = number(column.texts[place])
        except ValueError as error:
            raise DataError(
                f"Row {int(np.argmax(column.codes == place)) + 1} of column {name!r} is "
                f"{column.texts[place]!r}, expected a number. "
                "Correct the cell, or leave it empty if the number is missing."
            ) from error
    return numbers[column.codes]


def number(text: str) -> float:
    """Read a number as programs write it: no underscores, which Python would allow.

    Raises
    ------
    ValueError
        If `text` is no number.
    """
    if "_" in text or not text.isascii():
        raise ValueError(f"{text!r} is no number")
    return float(text)


def number_text(value: float) -> str:
    """Write a number as short as it can be: ``7`` for 7.0."""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def spellings(text: str) -> tuple[str, ...]:
    """Return the ways in which programs write a word, its own first: 7 for 7.0, true for TRUE."""
    if text.lower() in ("true", "false"):
        return text, text.upper(), text.capitalize(), text.lower()
    return text, spelled(text)


def spelled(text: str) -> str:
    """Write a number as short as it can be; leave 007, which is a name, and other text as it is."""
    try:
        value = number(text)
    except ValueError:
        return text
    if len(text) > 1 and text[0] == "0" and text.isdigit():
        return text
    return number_text(value) if np.isfinite(value) else text

"""Rows as they are, before any preparation, in the plain types that every target can be given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.data import Raw, Table
from clearprop.data.tables.table import Words, as_numbers, as_words
from clearprop.exports.description import Inputs, TableInputs
from clearprop.preprocessing.cells import CategoryCells, NumberCells
from clearprop.preprocessing.table_columns import as_dates

Column: TypeAlias = NDArray[np.float64] | tuple[str | None, ...]
"""Numbers, NaN where missing; seconds since 1970 of dates, NaN where missing; or texts."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows.

    Parameters
    ----------
    count : int
    columns : mapping of str to Column
        The cells of a table by column, in the order of the model's columns; empty for others.
    array : ndarray or None
        Pictures (uint8) of one size, shape (N, H, W, 3) or (N, H, W), or numbers (float64), shape
        (N, ...); None for a table.
    """

    count: int
    columns: Mapping[str, Column]
    array: NDArray[Any] | None = None

    @classmethod
    def of(cls, inputs: Inputs, raw: Raw) -> "Rows":
        """Take what a model's inputs are made of.

        Parameters
        ----------
        inputs : Inputs
            A description's.
        raw : ndarray, SelectedRows or Table, N rows
        """
        if not isinstance(raw, Table):
            array = np.asarray(raw[np.arange(len(raw))])
            return cls(len(raw), {}, array if array.dtype == np.uint8 else array.astype(np.float64))
        columns = inputs.columns if isinstance(inputs, TableInputs) else ()
        found: dict[str, Column] = {}
        for cells in columns:
            column = raw.columns[cells.name]
            if isinstance(cells, NumberCells):
                found[cells.name] = np.asarray(as_numbers(column, cells.name), np.float64)
            elif isinstance(cells, CategoryCells):
                found[cells.name] = _texts(as_words(column), cells)
            else:
                dates = as_dates(column, cells.name).astype("datetime64[s]")
                seconds = dates.astype(np.float64)
                found[cells.name] = np.where(np.isnat(dates), np.nan, seconds)
        return cls(len(raw), found)

    def raw(self, inputs: Inputs) -> Raw:
        """Return them as a recipe takes them."""
        if self.array is not None:
            return self.array
        columns = inputs.columns if isinstance(inputs, TableInputs) else ()
        found: dict[str, Any] = {}
        for cells in columns:
            column = self.columns[cells.name]
            if isinstance(column, tuple):
                found[cells.name] = Words.of(text or "" for text in column)
            elif isinstance(cells, NumberCells):
                found[cells.name] = column
            else:
                known = np.isfinite(column)
                dates = np.where(known, column, 0).astype("datetime64[s]")
                found[cells.name] = np.where(known, dates, np.datetime64("NaT", "s"))
        return Table(found)

    def take(self, places: NDArray[np.intp]) -> "Rows":
        """Return some rows, in the order of their places."""
        if self.array is not None:
            return Rows(len(places), {}, self.array[places])
        found: dict[str, Column] = {}
        for name, column in self.columns.items():
            if isinstance(column, tuple):
                found[name] = tuple(column[place] for place in places.tolist())
            else:
                found[name] = column[places]
        return Rows(len(places), found)

    def followed_by(self, other: "Rows") -> "Rows":
        """Return these rows and then those of another."""
        count = self.count + other.count
        if self.array is not None and other.array is not None:
            return Rows(count, {}, np.concatenate([self.array, other.array]))
        found: dict[str, Column] = {}
        for name, column in self.columns.items():
            after = other.columns[name]
            if isinstance(column, tuple) and isinstance(after, tuple):
                found[name] = column + after
            else:
                found[name] = np.concatenate([np.asarray(column), np.asarray(after)])
        return Rows(count, found)


def _texts(words: Words, cells: CategoryCells) -> tuple[str | None, ...]:
    """Return cells as the training data spelled them: 7.0 is 7 where 7 is a category."""
    known = words.translated({text: place for place, text in enumerate(cells.categories)})
    return tuple(
        cells.categories[place] if place >= 0 else text or None
        for place, text in zip(known.tolist(), words.tolist(), strict=True)
    )

"""Rows as they are, before any preparation, in the plain types that every target can be given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.data import Raw, Table
from clearprop.data.tables.table import as_numbers, as_words
from clearprop.export.description import Inputs, TableInputs
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
    array: NDArray[np.generic] | None = None

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
                found[cells.name] = tuple(text or None for text in as_words(column).tolist())
            else:
                dates = as_dates(column, cells.name).astype("datetime64[s]")
                seconds = dates.astype(np.float64)
                found[cells.name] = np.where(np.isnat(dates), np.nan, seconds)
        return cls(len(raw), found)

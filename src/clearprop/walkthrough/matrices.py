"""Matrices of the engine under the names and in the layout of a notation."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np

from clearprop.parameters import Array
from clearprop.walkthrough.expressions import Number

Index: TypeAlias = tuple[int, ...]


class Layout(Enum):
    """How an array of the engine is shown."""

    AS_IS = "as it is"
    TRANSPOSED = "transposed"
    COLUMN = "(M,) as (M, 1)"
    ROW = "(N,) as (1, N)"

    def show(self, array: Array) -> Array:
        """Return the array as it is shown; a view."""
        match self:
            case Layout.TRANSPOSED:
                return array.T
            case Layout.COLUMN:
                return array[:, np.newaxis]
            case Layout.ROW:
                return array[np.newaxis, :]
        return array

    def shown(self, index: Index) -> Index:
        """Return where an entry of the engine's is shown."""
        match self:
            case Layout.TRANSPOSED:
                return index[::-1]
            case Layout.COLUMN:
                return (*index, 0)
            case Layout.ROW:
                return (0, *index)
        return index

    def engine(self, index: Index) -> Index:
        """Return which entry of the engine's is shown at `index`."""
        match self:
            case Layout.TRANSPOSED:
                return index[::-1]
            case Layout.COLUMN:
                return index[:1]
            case Layout.ROW:
                return index[1:]
        return index


@dataclass(frozen=True, eq=False)
class Matrix:
    """An array under its symbol. Its entries are asked for by the engine's index.

    Parameters
    ----------
    symbol : str
        As formulas call it.
    array : ndarray
        The engine's numbers, in the engine's layout.
    layout : Layout
        How they are shown.
    factor : int, default 1
        What they are shown multiplied with: the course's dA and dZ are m times the engine's.
    per_sample : bool, default False
        Whether the engine's first axis counts the samples.
    """

    symbol: str
    array: Array
    layout: Layout = Layout.AS_IS
    factor: int = 1
    per_sample: bool = False

    @property
    def shown(self) -> Array:
        """The numbers as they are shown."""
        return self.layout.show(self.array if self.factor == 1 else self.array * self.factor)

    @property
    def shape(self) -> Index:
        """That of what is shown."""
        return self.layout.show(self.array).shape

    @property
    def sample_axis(self) -> int | None:
        """Which axis of what is shown counts the samples."""
        if not self.per_sample:
            return None
        return 0 if self.layout is Layout.AS_IS else 1

    def at(self, *index: int) -> Number:
        """Return one entry."""
        where = ",".join(map(str, self.layout.shown(index)))
        symbol = f"{self.symbol}[{where}]" if where else self.symbol
        return Number(float(self.array[index] * self.factor), symbol)

    def line(self, *index: int | None) -> "Line":
        """Return the entries along the axis whose index is None."""
        return Line(self, index)


@dataclass(frozen=True, eq=False)
class Line:
    """A row or column of a matrix.

    Parameters
    ----------
    matrix : Matrix
    index : tuple of int or None
        None for the axis along which it runs.
    """

    matrix: Matrix
    index: tuple[int | None, ...]

    def at(self, place: int) -> Number:
        """Return one entry."""
        return self.matrix.at(*(place if i is None else i for i in self.index))

    @property
    def values(self) -> Array:
        """Every entry, in float64."""
        where = tuple(slice(None) if i is None else i for i in self.index)
        return self.matrix.array[where].astype(np.float64) * self.matrix.factor

"""The steps of a walk, their matrices under the names of a notation, and an entry's arithmetic."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np

from clearprop.core.expressions import Expression, Index, Number
from clearprop.core.parameters import Array
from clearprop.errors import ShapeError
from clearprop.walkthrough.plain import entry_text, quantity_text


class Layout(Enum):
    """The way to show an array of the engine."""

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


@dataclass(frozen=True, eq=False)
class Matrix:
    """An array under its symbol, in the layout of a notation.

    Parameters
    ----------
    symbol : str
        The name that formulas call it by.
    array : ndarray
        The engine's numbers, in the engine's layout.
    layout : Layout
    factor : int, default 1
        The number that they are shown multiplied with: the course's dA and dZ are m times the
        engine's.
    per_sample : bool, default False
        Whether the engine's first axis counts the samples.
    names : mapping of int to sequence of str
        The names of the places along an axis, as it is shown, where they have some.
    """

    symbol: str
    array: Array
    layout: Layout = Layout.AS_IS
    factor: int = 1
    per_sample: bool = False
    names: Mapping[int, Sequence[str]] = field(default_factory=dict)

    @property
    def shown(self) -> Array:
        """The numbers as they are shown."""
        return self.layout.show(self.array if self.factor == 1 else self.array * self.factor)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape as it is shown."""
        return self.layout.show(self.array).shape

    def named(self, axis: int, names: Sequence[str]) -> "Matrix":
        """Return it with names for the places along one of the engine's axes."""
        shown = 1 - axis if self.layout is Layout.TRANSPOSED else axis
        return replace(self, names={**self.names, shown: names})

    @property
    def sample_axis(self) -> int | None:
        """The axis that counts the samples, as it is shown."""
        if not self.per_sample:
            return None
        return 0 if self.layout is Layout.AS_IS else 1

    def at(self, *index: Any) -> Number:
        """Return an entry, or the row or column of entries along a slice, in float64."""
        found = self.layout.show(self.array)[index]
        written = [":" if isinstance(place, slice) else str(place) for place in index]
        while written and written[-1] == ":":
            written.pop()
        symbol = f"{self.symbol}[{','.join(written)}]" if written else self.symbol
        if found.ndim:
            return Number(found.astype(np.float64) * self.factor, symbol)
        return Number(float(found * self.factor), symbol)


@dataclass(frozen=True, eq=False)
class Entry:
    """One number of the engine's, and the arithmetic that leads to it.

    Parameters
    ----------
    name : str
        ``"0.y[3,0]"``, or ``"Z1[0,3]"`` in the course's notation.
    symbol : str
        The name that the formula calls it by: ``"y[3,0]"``.
    formula : str
        The formula of the whole matrix; empty where it is given, not computed.
    value : float
        The engine's number.
    arithmetic : Expression or None
        The way to the same number from its operands; None where it is given, or computed by code
        of the user's own.
    computed : bool
        Whether it is computed, rather than given.
    """

    name: str
    symbol: str
    formula: str
    value: float
    arithmetic: Expression | None
    computed: bool

    @property
    def total(self) -> float | None:
        """The number that the written operands come to in float64; None without arithmetic."""
        return None if self.arithmetic is None else self.arithmetic.value

    def to_dict(self) -> dict[str, Any]:
        """Describe it in JSON values."""
        found: dict[str, Any] = {"name": self.name, "formula": self.formula, "value": self.value}
        if self.arithmetic is not None:
            found |= {
                "symbols": self.arithmetic.symbols(),
                "numbers": self.arithmetic.numbers(),
                "total": self.arithmetic.value,
            }
        return found

    def __str__(self) -> str:
        return entry_text(self)

    def _repr_html_(self) -> str:
        from clearprop.walkthrough.page import entry_fragment  # Pillow is imported with it

        return entry_fragment(self)


@dataclass(frozen=True, eq=False)
class Quantity:
    """One matrix of a step.

    Parameters
    ----------
    key : str
        The name that it is asked for by: ``"0.dW"``, or ``"dW1"`` in the course's notation.
    meaning : str
        Its meaning, in words.
    formula : str
        The formula that it is computed by; empty where it is given.
    shapes : str
        The formula with shapes in the place of symbols, where it is a product of matrices.
    matrix : Matrix
    explain : callable or None
        Gives the arithmetic of the entry at an index; None where it is given, or computed by code
        of the user's own.
    computed : bool
        Whether it is computed, rather than given.
    picture_shape : tuple of int, optional
        (H, W) or (H, W, 3), where each sample, or what each unit looks at, is a picture.
    """

    key: str
    meaning: str
    formula: str
    shapes: str
    matrix: Matrix
    explain: Callable[[Index], Expression] | None
    computed: bool
    picture_shape: Index | None = None

    @property
    def symbol(self) -> str:
        """The name by which formulas call it: ``"dW"``."""
        return self.matrix.symbol

    @property
    def array(self) -> Array:
        """The numbers, in the notation's layout."""
        with np.errstate(all="ignore"):
            return self.matrix.shown

    @property
    def shape(self) -> Index:
        """The array's shape."""
        return self.matrix.shape

    def entry(self, *index: int) -> Entry:
        """Return one number with its arithmetic.

        Parameters
        ----------
        *index : int
            In the notation's layout, from 0.

        Raises
        ------
        ShapeError
            If there is no such entry.
        """
        fits = len(index) == len(self.shape) and all(
            0 <= i < size for i, size in zip(index, self.shape, strict=True)
        )
        if not fits:
            raise ShapeError(
                f"{self.key} has shape {self.shape} and no entry {list(index)}; indices count "
                "from 0."
            )
        with np.errstate(all="ignore"):  # numbers that are not finite are shown, too
            number = self.matrix.at(*index)
            arithmetic = None if self.explain is None else self.explain(index)
        return Entry(
            name=self.key + number.symbol.removeprefix(self.symbol),
            symbol=number.symbol,
            formula=self.formula,
            value=number.value,
            arithmetic=arithmetic,
            computed=self.computed,
        )

    @property
    def first_not_finite(self) -> Index | None:
        """The place of its first NaN or infinity, in the engine's order; None if all is finite."""
        finite = np.isfinite(self.matrix.array)
        if finite.all():
            return None
        where = np.unravel_index(int(np.argmin(finite)), finite.shape)
        return self.matrix.layout.shown(tuple(int(i) for i in where))

    def __str__(self) -> str:
        return quantity_text(self)

    def _repr_html_(self) -> str:
        from clearprop.walkthrough.page import quantity_fragment  # Pillow is imported with it

        return quantity_fragment(self)


@dataclass(frozen=True, eq=False)
class Step:
    """The matrices that one layer, the loss or the optimizer computes in one pass.

    Parameters
    ----------
    name : str
        The name that it is asked for by: ``"2"``, ``"2.0"``, ``"input"``, ``"loss"``.
    stage : {"input", "forward", "loss", "backward", "update"}
    title : str
        The layer, loss or optimizer with its settings.
    note : str
        Further sentences; may be empty.
    quantities : tuple of Quantity
        The matrices, in the order in which they are computed.
    """

    name: str
    stage: str
    title: str
    note: str
    quantities: tuple[Quantity, ...]

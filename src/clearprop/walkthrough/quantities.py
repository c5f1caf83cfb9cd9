"""What a walk shows: steps, their quantities, and the arithmetic of an entry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.errors import ShapeError
from clearprop.parameters import Array
from clearprop.walkthrough.expressions import Expression
from clearprop.walkthrough.matrices import Index, Matrix


@dataclass(frozen=True, eq=False)
class Entry:
    """One number of the engine's, and the arithmetic that leads to it.

    Parameters
    ----------
    name : str
        ``"0.y[3,0]"``, or ``"Z1[0,3]"`` in the course's notation.
    symbol : str
        As the formula calls it: ``"y[3,0]"``.
    formula : str
        Of the whole matrix; empty where it is given, not computed.
    value : float
        The engine's number.
    arithmetic : Expression or None
        The same from its operands; None where it is given, or computed by code of the user's own.
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
        """What the written operands come to in float64; None without arithmetic."""
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
        from clearprop.walkthrough.text import entry_text  # it needs this module

        return entry_text(self)

    def _repr_html_(self) -> str:
        from clearprop.walkthrough.page import entry_fragment  # it needs this module

        return entry_fragment(self)


@dataclass(frozen=True, eq=False)
class Quantity:
    """One matrix of a step.

    Parameters
    ----------
    key : str
        What it is asked for by: ``"0.dW"``, or ``"dW1"`` in the course's notation.
    meaning : str
        What it is, in words.
    formula : str
        How it is computed; empty where it is given.
    shapes : str
        The formula with shapes in the place of symbols, where it is a product of matrices.
    matrix : Matrix
    explain : callable or None
        Gives the arithmetic of the entry at an index of the engine's; None where it is given, or
        computed by code of the user's own.
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
    explain: Callable[..., Expression] | None
    computed: bool
    picture_shape: Index | None = None

    @property
    def symbol(self) -> str:
        """As formulas call it: ``"dW"``."""
        return self.matrix.symbol

    @property
    def array(self) -> Array:
        """The numbers, in the notation's layout."""
        with np.errstate(all="ignore"):
            return self.matrix.shown

    @property
    def shape(self) -> Index:
        """Of the array."""
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
        where = self.matrix.layout.engine(index)
        with np.errstate(all="ignore"):  # what is not finite is shown
            number = self.matrix.at(*where)
            arithmetic = None if self.explain is None else self.explain(*where)
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
        """Where its first NaN or infinity stands, in the engine's order; None if all is finite."""
        finite = np.isfinite(self.matrix.array)
        if finite.all():
            return None
        where = np.unravel_index(int(np.argmin(finite)), finite.shape)
        return self.matrix.layout.shown(tuple(int(i) for i in where))

    def __str__(self) -> str:
        from clearprop.walkthrough.text import quantity_text  # it needs this module

        return quantity_text(self)

    def _repr_html_(self) -> str:
        from clearprop.walkthrough.page import quantity_fragment  # it needs this module

        return quantity_fragment(self)


@dataclass(frozen=True, eq=False)
class Step:
    """What one layer, the loss or the optimizer computes in one pass.

    Parameters
    ----------
    name : str
        What it is asked for by: ``"2"``, ``"2.0"``, ``"input"``, ``"loss"``.
    stage : {"input", "forward", "loss", "backward", "update"}
    title : str
        The layer, loss or optimizer with its settings.
    note : str
        What more there is to say; may be empty.
    quantities : tuple of Quantity
        In the order in which they are computed.
    """

    name: str
    stage: str
    title: str
    note: str
    quantities: tuple[Quantity, ...]

"""Formulas that go by the columns of tables, index by index, and by the rows of embeddings."""

from collections.abc import Callable
from math import pi
from typing import Any, NamedTuple

import numpy as np

from clearprop.core import expressions
from clearprop.core.expressions import Expression, Number, Operands, Place, Style, series
from clearprop.core.symbols import Symbol, dy, x, y

TWO_PI = Number(2 * pi, "2*pi")

_LETTERS = "ndfk"  # samples, numbers, waves, and the outputs of a number


def result(letters: str, body: Expression) -> Expression:
    """Return the formula of a matrix whose entries are counted by letters, as ``"ndk"``.

    The letters d and k may count one axis together: that of the outputs of all numbers.
    """
    return _Result(body, letters, f"[{','.join(letters)}]")


def at(matrix: Symbol, letters: str) -> Expression:
    """Return the entry of a matrix at the places that the letters stand for."""
    return _At(matrix, letters)


def sum_over(letter: str, body: Expression) -> Expression:
    """Return the sum over all places that a letter stands for."""
    return _SumOver(body, letter)


def row_of_code() -> Expression:
    """Return the row of a code in tables that lie one below the other."""
    return _RowOfCode()


def of_rows(tables: Symbol, rows: Symbol) -> Expression:
    """Return the numbers in the row of each code, side by side."""
    return _OfRows(tables, rows)


def rows_given(tables: Symbol, rows: Symbol) -> Expression:
    """Return the gradient of tables: for each row the sum of dy where it was taken."""
    return _RowsGiven(tables, rows)


def output_of(name: int | str, of: str = "y") -> Symbol:
    """Return the symbol of what a layer inside a container makes, or of the dx that it returns."""
    return Symbol(f"{of}_{name}", per_sample=True)


def side_by_side() -> Expression:
    """Return what the layers of a container make, side by side."""
    return _SideBySide()


def added_up() -> Expression:
    """Return the sum of what the layers of a container give back for each column."""
    return _AddedUp()


class _Result(Expression):
    body: Expression
    letters: str
    subscript: str

    @property
    def binding(self) -> int:
        return self.body.binding

    def write(self, style: Style) -> str:
        return self.body.write(style)

    def at(self, place: Place) -> Expression:
        found, letters = [*place.indices], self.letters
        if len(found) < len(letters):  # the last axis counts d and k
            outputs = place.operands.shape(y)[1] // place.operands.shape(x)[1]
            found = [*found[:-1], *divmod(found[-1], outputs)]
        known = dict(zip(letters, found, strict=True))
        return self.body.at(place._replace(indices=tuple(known.get(one, 0) for one in _LETTERS)))


class _At(Expression):
    matrix: Symbol
    letters: str

    def write(self, style: Style) -> str:
        return f"{style.leaf(self.matrix)}[{','.join(self.letters)}]"

    def at(self, place: Place) -> Expression:
        shape = place.operands.shape(self.matrix)
        index = [place.indices[_LETTERS.index(one)] for one in self.letters]
        if len(shape) < len(index):
            outputs = shape[-1] // place.operands.shape(x)[1]
            d, k = index[-2:]
            first = d * outputs
            last = slice(first, first + outputs) if isinstance(k, slice) else first + k
            index = [*index[:-2], last]
        return place.operands.number(self.matrix, tuple(index))


class _SumOver(Expression):
    body: Expression
    letter: str
    binds = expressions.PREFIX

    def write(self, style: Style) -> str:
        return f"sum_{self.letter} {expressions.held(self.body, style, expressions.PRODUCT)}"

    def at(self, place: Place) -> Expression:
        axis = _LETTERS.index(self.letter)

        def term(i: Any) -> Expression:
            index = (*place.indices[:axis], i, *place.indices[axis + 1 :])
            return self.body.at(place._replace(indices=index))

        values = term(slice(None)).compute()
        if values.ndim > 1:  # within another sum, of whose terms only the values are asked for
            return Number(values.sum(axis=-1), "")
        return series(term, values)


class _RowOfCode(Expression):
    subscript = "[n,c]"

    def write(self, style: Style) -> str:
        return f"{style.leaf(x)}[n,c] + the first row of table c"

    def at(self, place: Place) -> Expression:
        sample, column = place.indices
        first = sum(place.operands.settings["sizes"][:column])
        return place.operands.number(x, (sample, column)) + Number(float(first), str(first))


class _OfRows(Expression):
    tables: Symbol
    rows: Symbol
    subscript = "[n,c,k]"

    def write(self, style: Style) -> str:
        return f"{style.leaf(self.tables)}[{style.leaf(self.rows)}[n,c],k]"

    def at(self, place: Place) -> Expression:
        (sample, output), operands = place.indices, place.operands
        column, k = divmod(output, operands.shape(self.tables)[1])
        row = int(operands.number(self.rows, (sample, column)).value)
        return operands.number(self.tables, (row, k))


class _RowsGiven(Expression):
    tables: Symbol
    rows: Symbol
    subscript = "[r,k]"
    binds = expressions.PREFIX

    def write(self, style: Style) -> str:
        return f"sum_nc [{style.leaf(self.rows)}[n,c] = r] * {style.leaf(dy)}[n,c,k]"

    def at(self, place: Place) -> Expression:
        (row, k), operands = place.indices, place.operands
        width, (samples, columns) = operands.shape(self.tables)[1], operands.shape(self.rows)
        taken = [
            (n, column * width + k)
            for column in range(columns)
            for n in range(samples)
            if operands.number(self.rows, (n, column)).value == row
        ]
        if not taken:
            return expressions.constant(0.0)
        values = np.array([operands.number(dy, one).value for one in taken])
        return series(lambda i: operands.number(dy, taken[i]), values)


class _Part(NamedTuple):
    """The part of a container's y and dx that one of its layers makes.

    Parameters
    ----------
    name : int
        The layer's place.
    start, stop : int
        Its columns of x.
    first, last : int
        Its columns of y.
    passes_on : bool
        Whether it is an empty chain.
    """

    name: int
    start: int
    stop: int
    first: int
    last: int
    passes_on: bool

    @property
    def made(self) -> tuple[Symbol, int]:
        """The matrix with its numbers of y, and the first column of them there."""
        return (x, self.start) if self.passes_on else (output_of(self.name), 0)

    @property
    def given_back(self) -> tuple[Symbol, int]:
        """The matrix with its numbers of dx, and the first column of them there."""
        return (dy, self.first) if self.passes_on else (output_of(self.name, "dx"), 0)


class _OfParts(Expression):
    """Base of what is known once the layers of a container are."""

    of: tuple[_Part, ...] = ()

    def resolved(self, operands: Operands) -> Expression:
        settings, first = operands.settings, 0
        found = list[_Part]()
        for name, (layer, (start, stop)) in enumerate(
            zip(settings["layers"], settings["ranges"], strict=True)
        ):
            passes_on = layer.chains and not layer.inner()
            last = first + (stop - start if passes_on else operands.shape(output_of(name))[1])
            found.append(_Part(name, start, stop, first, last, passes_on))
            first = last
        return type(self)(tuple(found))

    def mapped(self, change: Callable[[Expression], Expression]) -> Expression:
        return self  # its parts hold no numbers


class _SideBySide(_OfParts):
    def write(self, style: Style) -> str:
        parts = (
            f"{style.leaf(x)}[:,{one.start}:{one.stop}]"
            if one.passes_on
            else style.leaf(output_of(one.name))
            for one in self.of
        )
        return f"[{', '.join(parts)}]"

    def at(self, place: Place) -> Expression:
        sample, column = place.indices
        part = next(one for one in self.of if column < one.last)
        matrix, begins = part.made
        return place.operands.number(matrix, (sample, begins + column - part.first))


class _AddedUp(_OfParts):
    subscript = "[n,d]"
    binds = expressions.SUM

    def write(self, style: Style) -> str:
        terms = []
        for one in self.of:
            matrix, begins = one.given_back
            column = f"d{begins - one.start:+}" if begins != one.start else "d"
            terms.append(f"[{one.start} <= d < {one.stop}] * {style.leaf(matrix)}[n,{column}]")
        return " + ".join(terms)

    def at(self, place: Place) -> Expression:
        sample, column = place.indices
        terms = [
            place.operands.number(matrix, (sample, begins + column - one.start))
            for one in self.of
            for matrix, begins in [one.given_back]
            if one.start <= column < one.stop
        ]
        return expressions.Sum(tuple(terms)) if len(terms) > 1 else terms[0]

"""Formulas that go by the places of pictures, and for flat samples are those of samples."""

from math import prod
from typing import Any

import numpy as np

from clearprop.core import expressions
from clearprop.core.expressions import Expression, Number, Operands, Place, Style, series
from clearprop.core.formulas import sum_n
from clearprop.core.symbols import N, Symbol, Transposed, dy, x


def sum_of_places(body: Expression) -> Expression:
    """Return the sum over the samples; of pictures, over all places of all samples."""
    return _SumOfPlaces(body)


def number_of_places() -> Expression:
    """Return the number N of samples; of pictures, that of all places of all samples."""
    return _NumberOfPlaces()


def product_of_rows(left: Symbol, right: Symbol) -> Expression:
    """Return left.T right; of pictures, with the channels of each place as a row."""
    return Transposed(_Rows(left)) @ _Rows(right)


def mean_of_picture() -> Expression:
    """Return the mean of each channel of x over the whole picture."""
    return _MeanOfPicture()


def share_of_picture() -> Expression:
    """Return dx where y is the mean over the whole picture."""
    return _ShareOfPicture()


class _SumOfPlaces(Expression):
    body: Expression
    binds = expressions.PREFIX

    def resolved(self, operands: Operands) -> Expression:
        if len(operands.shape(x)) == 2:
            return sum_n(self.body).resolved(operands)
        return self.changed(body=self.body.resolved(operands))

    def write(self, style: Style) -> str:
        def placed(leaf: Any) -> str:
            is_placed = isinstance(leaf, Symbol) and leaf.per_sample
            return style.leaf(leaf) + ("[n,h,w]" if is_placed else "")

        held = expressions.held(self.body, style._replace(leaf=placed), expressions.PRODUCT)
        return f"sum_nhw {held}"

    def shape(self, place: Place) -> tuple[int, ...]:
        return self.body.shape(place)[3:] or (1,)

    def at(self, place: Place) -> Expression:
        whole = self.body.shape(place)
        channel = place.indices[-1:] if len(whole) == 4 else ()

        def term(k: Any) -> Expression:
            every = (slice(None),) * 3
            here = every if isinstance(k, slice) else map(int, np.unravel_index(k, whole[:3]))
            return self.body.at(place._replace(indices=(*here, *channel), in_sum=True))

        values = np.broadcast_to(term(slice(None)).compute(), whole[:3])
        return series(term, values.ravel())


class _NumberOfPlaces(Expression):
    def resolved(self, operands: Operands) -> Expression:
        return N if len(operands.shape(x)) == 2 else self

    def write(self, style: Style) -> str:
        return "NHW"

    def shape(self, place: Place) -> tuple[int, ...]:
        return ()

    def at(self, place: Place) -> Expression:
        return Number(float(prod(place.operands.shape(x)[:3])), "NHW")


class _Rows(Expression):
    matrix: Symbol

    def resolved(self, operands: Operands) -> Expression:
        return self.matrix if len(operands.shape(self.matrix)) == 2 else self

    def write(self, style: Style) -> str:
        return f"{style.leaf(self.matrix)}.reshape(NHW, -1)"

    def shape(self, place: Place) -> tuple[int, ...]:
        *places, channels = place.operands.shape(self.matrix)
        return (prod(places), channels)

    def at(self, place: Place) -> Expression:
        (row, channel), shape = place.indices, place.operands.shape(self.matrix)[:-1]
        if isinstance(row, slice):
            every = place.operands.number(self.matrix, (*[row] * len(shape), channel))
            return Number(every.compute().ravel(), every.symbol)
        here = map(int, np.unravel_index(row, shape))
        return place.operands.number(self.matrix, (*here, channel))


class _MeanOfPicture(Expression):
    binds = expressions.PREFIX
    subscript = "[n]"

    def write(self, style: Style) -> str:
        return f"mean_hw {style.leaf(x)}[n,h,w]"

    def shape(self, place: Place) -> tuple[int, ...]:
        samples, _, _, *channels = place.operands.shape(x)
        return (samples, *(channels or (1,)))

    def at(self, place: Place) -> Expression:
        operands, (n, c), shape = place.operands, place.indices, place.operands.shape(x)
        channel = (c,) if len(shape) == 4 else ()

        def term(k: int) -> Expression:
            here = map(int, np.unravel_index(k, shape[1:3]))
            return operands.number(x, (n, *here, *channel))

        values = operands.number(x, (n, slice(None), slice(None), *channel)).compute()
        return series(term, values.ravel()) / Number(float(prod(shape[1:3])), "HW")


class _ShareOfPicture(Expression):
    binds = expressions.PRODUCT
    subscript = "[n,h,w]"

    def write(self, style: Style) -> str:
        return f"{style.leaf(dy)}[n] / HW"

    def shape(self, place: Place) -> tuple[int, ...]:
        return place.operands.shape(x)

    def at(self, place: Place) -> Expression:
        n, _, _, c = (*place.indices, 0)[:4]
        count = prod(place.operands.shape(x)[1:3])
        return place.operands.number(dy, (n, c)) / Number(float(count), "HW")

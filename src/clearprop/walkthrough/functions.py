"""Functions that make expressions, and sums that are cut short where they are long."""

from collections.abc import Callable

import numpy as np

from clearprop.parameters import Array
from clearprop.walkthrough.expressions import (
    Call,
    Expression,
    Number,
    Omitted,
    Operable,
    Sum,
    number_text,
)

_WHOLE = 8  # terms up to which a sum is written whole
_FIRST, _LAST = 4, 1  # terms of a longer one


def series(term: Callable[[int], Expression], values: Array) -> Expression:
    """Write a sum, of which a long one is cut short.

    Parameters
    ----------
    term : callable
        Gives term i.
    values : ndarray of float64, shape (n,)
        What every term comes to.

    Returns
    -------
    Expression
        Whose value is the sum of all terms, written or not.
    """
    count = len(values)
    if count <= _WHOLE:
        terms = [term(i) for i in range(count)]
    else:
        left_out = values[_FIRST : count - _LAST]
        rest = Omitted(float(left_out.sum()), len(left_out))
        terms = [
            *(term(i) for i in range(_FIRST)),
            rest,
            *(term(i) for i in range(count - _LAST, count)),
        ]
    return Sum(tuple(terms)) if len(terms) > 1 else terms[0]


def constant(value: float) -> Number:
    """Return a number that is its own symbol."""
    return Number(value, number_text(value))


def exp(x: Expression) -> Expression:
    """Return the exponential."""
    return Call("exp", np.exp, (x,))


def log(x: Expression) -> Expression:
    """Return the natural logarithm."""
    return Call("log", np.log, (x,))


def sqrt(x: Expression) -> Expression:
    """Return the square root."""
    return Call("sqrt", np.sqrt, (x,))


def absolute(x: Expression) -> Expression:
    """Return the absolute value."""
    return Call("abs", np.abs, (x,))


def maximum(x: Expression, y: Operable) -> Expression:
    """Return the larger of two, as NumPy compares them: NaN stays NaN."""
    return Call("max", np.maximum, (x, y if isinstance(y, Expression) else constant(y)))

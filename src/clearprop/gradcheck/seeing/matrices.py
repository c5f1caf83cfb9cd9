"""What ``numpy.matrix`` does otherwise: it always has two axes, and its ``*`` multiplies matrices.

A watched matrix is a watched array that says so of itself. What NumPy computes of matrices tells
the shape of every result; the numbers are those of arrays.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def is_matrix(item: Any) -> bool:
    """Whether an argument is a watched matrix."""
    return getattr(item, "_is_matrix", False) is True


def holds_matrix(args: tuple[Any, ...]) -> bool:
    """Whether one of some arguments is a watched matrix, or a list with one in it."""
    return any(
        is_matrix(one) or (type(one) in (list, tuple) and any(map(is_matrix, one))) for one in args
    )


def matrix_of(item: Any) -> Any:
    """Return an argument with the matrices of NumPy in the place of watched ones."""
    if is_matrix(item):
        return item.view(np.ndarray).view(np.matrix)
    if type(item) in (list, tuple):
        return type(item)(map(matrix_of, item))
    return item


PARTS: dict[str, Callable[[Any], Any]] = {
    "A": lambda matrix: matrix.as_array(),
    "A1": lambda matrix: matrix.as_array().reshape(-1),
    "I": np.linalg.inv,
    "H": lambda matrix: matrix.T,
    "getA": lambda matrix: matrix.as_array,
    "getA1": lambda matrix: lambda: matrix.as_array().reshape(-1),
    "getI": lambda matrix: lambda: np.linalg.inv(matrix),
    "getT": lambda matrix: lambda: matrix.T,
}
"""The attributes that matrices have, and arrays don't: functions of a watched matrix."""

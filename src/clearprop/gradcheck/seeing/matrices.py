"""Arrays as numbers and texts, and as ``numpy.matrix``: with two axes, and a ``*`` of matrices.

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


class Converted(np.ndarray):
    """An array of a class of its own, which is shown and converted as arrays of NumPy are.

    One without axes stands for a scalar.
    """

    def __float__(self) -> float:
        return float(
            self.view(np.ndarray).reshape(-1)[0] if self.size == 1 else self.view(np.ndarray)
        )

    def __int__(self) -> int:
        return int(float(self))

    def __round__(self, digits: int | None = None) -> Any:
        return np.round(self, digits or 0) if digits is not None else round(float(self))

    def __hash__(self) -> int:  # type: ignore[override]
        if self.ndim:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return hash(self.view(np.ndarray)[()])

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __reduce__(self) -> Any:
        array = self.view(np.ndarray)
        return (array if array.ndim else array[()]).__reduce__()

    def __contains__(self, item: Any) -> bool:
        sought = item.view(np.ndarray) if isinstance(item, np.ndarray) else item
        return sought in self.view(np.ndarray)

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray) if self.ndim else self.view(np.ndarray)[()])

    def __str__(self) -> str:
        return str(self.view(np.ndarray) if self.ndim else self.view(np.ndarray)[()])

    def __format__(self, form: str) -> str:
        array = self.view(np.ndarray)
        return format(array.reshape(-1)[0] if self.size == 1 else str(array), form)

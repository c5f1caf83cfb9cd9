"""When two arrays are the same numbers, or the same up to a factor."""

from dataclasses import dataclass

import numpy as np

from clearprop.parameters import Array

CLOSE = 1e-6
"""Of the largest entry: an epsilon in their logarithms may move the last digits."""

SINGLE = 1e-4
"""The same where they compute in float32."""

LEAST = 1e-16
"""What is said of no difference at all."""

_TELLING = 3  # entries, from which on a factor that nobody expected may be believed


@dataclass(frozen=True)
class Fit:
    """How an array comes from others.

    Parameters
    ----------
    factor : float
        By what the first is multiplied.
    error : float
        The largest difference that is left, over the largest entry.
    free : float
        By what the second is multiplied, where there are two.
    telling : bool
        Whether the arrays have entries enough for any factor to mean something.
    """

    factor: float
    error: float
    free: float = 0
    telling: bool = True


def fit(
    theirs: Array, value: Array, *, free: Array | None = None, close: float = CLOSE
) -> Fit | None:
    """Write theirs as a multiple of a value, or as a value plus a multiple of what is free.

    Axes of length 1 don't count.

    Parameters
    ----------
    theirs, value : ndarray
    free : ndarray, optional
        Of the shape of `value`. With it, the factor is 1.
    close : float
        The largest difference that counts as rounding, over the largest entry.

    Returns
    -------
    Fit or None
        None where it can't be written so.
    """
    theirs, value = np.squeeze(theirs), np.squeeze(value)
    if theirs.shape != value.shape or not np.isfinite(value).all():
        return None
    if free is None:
        return _multiple(theirs, value, close)
    direction = np.squeeze(free)
    squares = float(np.vdot(direction, direction))
    if not squares or theirs.size < _TELLING:
        return None
    coefficient = float(np.vdot(direction, theirs - value)) / squares
    error = relative_error(theirs, value + coefficient * direction)
    return Fit(1, error, coefficient) if error <= close else None


def relative_error(theirs: Array, value: Array) -> float:
    """Return the largest difference over the largest entry; 0 where there are no entries."""
    largest = float(np.abs(theirs).max(initial=0))
    difference = float(np.abs(theirs - value).max(initial=0))
    return difference / largest if largest else float(difference > 0)


def _multiple(theirs: Array, value: Array, close: float) -> Fit | None:
    squares = float(np.vdot(value, value))
    if not squares:
        return None if theirs.any() else Fit(1, 0)
    factor = float(np.vdot(value, theirs)) / squares
    error = relative_error(theirs, factor * value)
    if not factor or not error <= close:
        return None
    return Fit(factor, error, telling=theirs.size >= _TELLING)

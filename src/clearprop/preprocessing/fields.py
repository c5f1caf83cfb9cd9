"""The fields of a recipe: computed from training data, and checked when they come from a file."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.data.selected_rows import Array, SelectedRows, blocks
from clearprop.errors import UsageError


def moments(
    rows: Array | SelectedRows, *, together: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the mean and the standard deviation of every feature, or of all features together.

    Each feature is first brought to -1..1 by its range, so that squares can't overflow.

    Parameters
    ----------
    rows : ndarray or SelectedRows, shape (N, ...)
        Finite numbers.
    together : bool, default False
        Whether all features share one mean and one deviation.

    Returns
    -------
    mean, std : ndarray of float64, shape (...), or () if together
        The moments of the population: squares are divided by their number. A constant feature
        has std 1, which makes it zero when it is standardised.
    """
    axis, shape = (None, ()) if together else (0, rows.shape[1:])
    count = math.prod(rows.shape) if together else len(rows)
    low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
    for _, block in blocks(rows):
        low = np.minimum(low, block.min(axis=axis))
        high = np.maximum(high, block.max(axis=axis))
    centre, half = low / 2 + high / 2, high / 2 - low / 2
    half = np.where(half > 0, half, 1.0)
    total, squares = np.zeros(shape), np.zeros(shape)
    for _, block in blocks(rows):
        scaled = (block - centre) / half
        total += scaled.sum(axis=axis)
        squares += np.square(scaled).sum(axis=axis)
    mean = total / count
    std = half * np.sqrt(np.maximum(squares / count - np.square(mean), 0.0))
    return centre + half * mean, np.where((low < high) & (std > 0), std, 1.0)


def require_sizes(sizes: Any, name: str) -> None:
    """Raise UsageError unless `sizes` is a tuple of positive int."""
    if not isinstance(sizes, tuple) or not all(_is_int(size) and size > 0 for size in sizes):
        raise UsageError(f"{name} is {sizes!r}, expected a tuple of whole numbers above 0.")


def require_numbers(numbers: Any, name: str, *, positive: bool = False) -> None:
    """Raise UsageError unless every entry of the tuple is a finite, perhaps positive, number."""
    if not isinstance(numbers, tuple) or not all(_is_number(number) for number in numbers):
        raise UsageError(f"{name} is {_shortened(numbers)}, expected finite numbers.")
    if positive and any(number <= 0 for number in numbers):
        raise UsageError(f"{name} holds {min(numbers)}, expected numbers above 0.")


def require_names(names: Any, name: str) -> None:
    """Raise UsageError unless `names` is a tuple of different str."""
    if not isinstance(names, tuple) or not all(isinstance(entry, str) for entry in names):
        raise UsageError(f"{name} is {_shortened(names)}, expected a tuple of texts.")
    if len(set(names)) < len(names):
        raise UsageError(f"{name} holds a text twice: {_shortened(names)}.")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return (_is_int(value) or isinstance(value, float)) and math.isfinite(value)


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

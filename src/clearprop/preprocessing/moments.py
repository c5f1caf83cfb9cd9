"""Mean and standard deviation without a second copy of the data, and without overflow."""

import math

import numpy as np
from numpy.typing import NDArray

from clearprop.data.rows import Array, SelectedRows, blocks


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
        Of the population: the squares are divided by their number. What is constant has std 1,
        which makes it zero when it is standardised.
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

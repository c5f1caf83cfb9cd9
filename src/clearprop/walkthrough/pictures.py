"""Pictures of matrices, inside a page: each is a ``data:`` address with a PNG."""

import base64
import io
from dataclasses import dataclass
from math import ceil

import numpy as np
from PIL import Image

from clearprop.parameters import Array

NEGATIVE, POSITIVE = (0, 114, 178), (213, 94, 0)  # a blue and an orange that all eyes tell apart

_MOST_POINTS = 64  # along a side of a heat map
_LARGEST_SAMPLE, _LARGEST_UNIT = 64, 32  # points along a side of a picture


@dataclass(frozen=True)
class HeatMap:
    """A matrix as a picture.

    Parameters
    ----------
    source : str
        Its address.
    height, width : int
        In points.
    rows, columns : int
        How many of the matrix a point stands for, at most.
    """

    source: str
    height: int
    width: int
    rows: int
    columns: int


def heat_map(matrix: Array) -> HeatMap:
    """Draw a matrix: the larger a number, the stronger its colour, on whatever lies beneath.

    Parameters
    ----------
    matrix : ndarray, shape (R, C)
        What is not finite is drawn as zero.
    """
    rows, columns = (max(1, ceil(size / _MOST_POINTS)) for size in matrix.shape)
    means = _block_means(_finite(matrix), rows, columns)
    share = np.abs(means) / (np.abs(means).max() or 1)
    pixels = np.empty((*means.shape, 4), np.uint8)
    pixels[:, :, :3] = np.where(means[:, :, np.newaxis] < 0, NEGATIVE, POSITIVE)
    pixels[:, :, 3] = np.round(255 * share)
    height, width = means.shape
    return HeatMap(_png(pixels), height, width, rows, columns)


def sample_picture(sample: Array) -> str:
    """Draw a sample, (H, W) or (H, W, 3): from 0 to 1 as it is, any other range stretched."""
    values = _finite(sample)
    low, high = values.min(), values.max()
    if low < 0 or high > 1:
        values = (values - low) / ((high - low) or 1)
    return _png(_shrunk(values, _LARGEST_SAMPLE))


def unit_picture(weights: Array, largest: float) -> str:
    """Draw the weights of a unit, (H, W) or (H, W, 3), against the largest of all units.

    Grey pictures: orange is positive, blue negative. Colour pictures: mid-grey is zero, and each
    colour's weight shifts that colour.
    """
    scaled = (_finite(weights) / (largest or 1)).clip(-1, 1)
    if scaled.ndim == 2:
        return heat_map(scaled).source
    return _png(_shrunk((scaled + 1) / 2, _LARGEST_UNIT))


def _shrunk(picture: Array, largest: int) -> Array:
    """Turn numbers 0..1 into bytes, at most so many a side."""
    height, width = picture.shape[:2]
    factor = max(1, ceil(max(height, width) / largest))
    channels = picture.reshape(height, width, -1)
    small = [
        _block_means(channels[:, :, channel], factor, factor)
        for channel in range(channels.shape[2])
    ]
    pixels = np.round(255 * np.stack(small, axis=2)).astype(np.uint8)
    return pixels if pixels.shape[2] == 3 else pixels[:, :, 0]


def _block_means(matrix: Array, rows: int, columns: int) -> Array:
    """Return the mean of every block of rows x columns; those at the end may be smaller."""
    if rows == columns == 1:
        return matrix
    means = matrix
    for axis, step in enumerate((rows, columns)):
        starts = np.arange(0, matrix.shape[axis], step)
        counts = np.diff(starts, append=matrix.shape[axis])
        counts = counts.reshape(-1, 1) if axis == 0 else counts
        means = np.add.reduceat(means, starts, axis=axis) / counts
    return means


def _finite(values: Array) -> Array:
    return np.nan_to_num(values.astype(np.float64), nan=0, posinf=0, neginf=0)


def _png(pixels: Array) -> str:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode("ascii")

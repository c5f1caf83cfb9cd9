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
_LEVELS = 127  # of strength, for either sign: a byte a point
_PALETTE = [*NEGATIVE * _LEVELS, *POSITIVE * (_LEVELS + 1)]
_OPACITIES = bytes(round(255 * abs(level) / _LEVELS) for level in range(-_LEVELS, _LEVELS + 1))
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
    values = _finite(matrix)
    means = _block_means(values / (np.abs(values).max() or 1), rows, columns)
    height, width = means.shape
    source = _coloured(means / (np.abs(means).max() or 1))
    return HeatMap(source, height, width, rows, columns)


def sample_picture(sample: Array) -> str:
    """Draw a sample, (H, W) or (H, W, 3): from 0 to 1 as it is, any other range stretched."""
    values = _finite(sample)
    low, high = values.min(), values.max()
    if low < 0 or high > 1:
        values = (values / 2 - low / 2) / ((high / 2 - low / 2) or 1)  # halves can't overflow
    return _address(_shrunk(values, _LARGEST_SAMPLE))


def unit_picture(weights: Array, largest: float) -> str:
    """Draw the weights of a unit, (H, W) or (H, W, 3), against the largest of all units.

    Grey pictures: orange is positive, blue negative. Colour pictures: mid-grey is zero, and each
    colour's weight shifts that colour.
    """
    with np.errstate(over="ignore"):  # an outlier far above the largest
        scaled = (_finite(weights) / (largest or 1)).clip(-1, 1)
    if scaled.ndim == 2:
        return _coloured(scaled)
    return _address(_shrunk((scaled + 1) / 2, _LARGEST_UNIT))


def _coloured(shares: Array) -> str:
    """Draw numbers -1..1 by hue and opacity."""
    levels = np.round(_LEVELS * (1 + shares)).astype(np.uint8)
    image = Image.fromarray(levels)
    image.putpalette(_PALETTE)
    return _address(image, transparency=_OPACITIES)


def _shrunk(picture: Array, largest: int) -> Image.Image:
    """Draw numbers 0..1, in at most so many points a side."""
    height, width = picture.shape[:2]
    factor = max(1, ceil(max(height, width) / largest))
    channels = picture.reshape(height, width, -1)
    small = [
        _block_means(channels[:, :, channel], factor, factor)
        for channel in range(channels.shape[2])
    ]
    pixels = np.round(255 * np.stack(small, axis=2)).astype(np.uint8)
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])


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


def _address(image: Image.Image, **options: bytes) -> str:
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True, **options)
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode("ascii")

"""Matrices as pictures, each a PNG in a ``data:`` address."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from PIL import Image

from clearprop.core.parameters import Array
from clearprop.core.thumbnails import address, block_means, finite, shrunk

NEGATIVE, POSITIVE = (0, 114, 178), (213, 94, 0)  # a blue and an orange that all eyes tell apart

_MOST_POINTS = 64  # along a side of a heat map
_LEVELS = 127  # of strength, for either sign: a byte a point
_PALETTE = [*NEGATIVE * _LEVELS, *POSITIVE * (_LEVELS + 1)]
_OPACITIES = bytes(round(255 * abs(level) / _LEVELS) for level in range(-_LEVELS, _LEVELS + 1))
_LARGEST_UNIT = 32  # points along a side of a picture


@dataclass(frozen=True)
class HeatMap:
    """A matrix as a picture.

    Parameters
    ----------
    source : str
        The picture's address.
    height, width : int
        The picture's size in points.
    rows, columns : int
        The largest number of the matrix's rows and columns that one point stands for.
    """

    source: str
    height: int
    width: int
    rows: int
    columns: int


def heat_map(matrix: Array) -> HeatMap:
    """Draw a matrix (R, C): the larger a number, the stronger its colour, on whatever lies beneath.

    A number that is not finite is drawn as zero.
    """
    rows, columns = (max(1, ceil(size / _MOST_POINTS)) for size in matrix.shape)
    values = finite(matrix)
    means = block_means(values / (np.abs(values).max() or 1), rows, columns)
    height, width = means.shape
    source = _coloured(means / (np.abs(means).max() or 1))
    return HeatMap(source, height, width, rows, columns)


def unit_picture(weights: Array, largest: float) -> str:
    """Draw the weights of a unit, (H, W) or (H, W, 3), against the largest of all units.

    Grey pictures: orange is positive, blue negative. Colour pictures: mid-grey is zero, and each
    colour's weight shifts that colour.
    """
    with np.errstate(over="ignore"):  # an outlier far above the largest
        scaled = (finite(weights) / (largest or 1)).clip(-1, 1)
    if scaled.ndim == 2:
        return _coloured(scaled)
    return address(shrunk((scaled + 1) / 2, _LARGEST_UNIT))


def _coloured(shares: Array) -> str:
    """Draw numbers -1..1 by hue and opacity."""
    levels = np.round(_LEVELS * (1 + shares)).astype(np.uint8)
    image = Image.fromarray(levels)
    image.putpalette(_PALETTE)
    return address(image, transparency=_OPACITIES)

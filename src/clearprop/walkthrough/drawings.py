"""Matrices as pictures: which are ones, and their drawing as a PNG in a ``data:`` address."""

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil, prod
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from clearprop.core.formulas import DROPOUT, FLAT, LINEAR, formulas_of
from clearprop.core.parameters import Array
from clearprop.core.symbols import Symbol
from clearprop.errors import UsageError
from clearprop.network import Network
from clearprop.walkthrough.notation import INPUT, Notation

if TYPE_CHECKING:
    from clearprop.walkthrough.quantities import Step

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


def picture_shape_of(network: Network, given: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Find the shape, (H, W) or (H, W, 3), of a network's samples; None where they are no pictures.

    A `UsageError` says if a given one is no such shape, or not of as many numbers as a sample.
    """
    shape = network.input_shape if given is None else tuple(given)
    if len(shape) not in (2, 3) or shape[2:] not in ((), (3,)):
        if given is None:
            return None
        raise UsageError(f"A picture's shape is (H, W) or (H, W, 3), found {given}.")
    numbers = prod(network.input_shape)
    if prod(shape) != numbers:
        raise UsageError(
            f"A picture of shape {shape} has {prod(shape):,} numbers, a sample {numbers:,}."
        )
    return shape


def with_pictures(
    steps: "Iterable[Step]", network: Network, notation: Notation, shape: tuple[int, ...] | None
) -> "tuple[Step, ...]":
    """Mark the samples, and the weights of a Dense layer right above them with their gradient."""
    if shape is None:
        return tuple(steps)
    keys = {notation.layers[INPUT].key(Symbol("X"))}
    for name, layer in zip(network.body.names, network.layers, strict=True):
        formulas = formulas_of(layer)
        if formulas is None or formulas.course not in (FLAT, DROPOUT, LINEAR):
            break
        if formulas.course == LINEAR:
            W = formulas.symbol("W")
            keys |= {notation.layers[name].key(matrix) for matrix in (W, W.gradient)}
            break
    return tuple(
        replace(
            step,
            quantities=tuple(
                replace(one, picture_shape=shape) if one.key in keys else one
                for one in step.quantities
            ),
        )
        for step in steps
    )


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

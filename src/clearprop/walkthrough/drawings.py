"""Matrices beside their numbers: those that are pictures, drawn, and names of rows and columns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, prod
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from clearprop.core.formulas import DROPOUT, FLAT, LINEAR, formulas_of
from clearprop.core.html import address, block_means, finite, shrunk
from clearprop.core.parameters import Array
from clearprop.core.symbols import Symbol, y
from clearprop.errors import UsageError
from clearprop.layers import Layer
from clearprop.network import Network
from clearprop.walkthrough.notation import INPUT, LOSS, Notation

if TYPE_CHECKING:
    from clearprop.walkthrough.quantities import Quantity, Step

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


def picture_shape_of(network: Network, given: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Find the shape, (H, W) or (H, W, 3), of a network's samples; None where they are no pictures.

    Of a single channel it is (H, W).

    A `UsageError` says if a given one is no such shape, or not of as many numbers as a sample.
    """
    shape = network.input_shape if given is None else tuple(given)
    shape = shape[:2] if len(shape) == 3 and shape[2] == 1 else shape
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
    steps: Iterable["Step"], network: Network, notation: Notation, shape: tuple[int, ...] | None
) -> tuple["Step", ...]:
    """Mark the samples, and the weights of a Dense layer right above them with their gradient."""
    first = _first_linear(network)
    keys = {notation.layers[INPUT].key(Symbol("X"))}
    if first is not None:
        W = Symbol("W")
        keys |= {notation.layers[first].key(matrix) for matrix in (W, W.gradient)}

    def marked(one: "Quantity", _: "Step") -> "Quantity":
        return replace(one, picture_shape=shape) if one.key in keys else one

    return tuple(steps) if shape is None else _each(steps, marked)


def with_names(
    steps: Iterable["Step"],
    network: Network,
    notation: Notation,
    features: Sequence[str],
    outputs: Sequence[str],
) -> tuple["Step", ...]:
    """Name the features, in the samples and a Dense layer right above them, and the outputs."""
    first, last = _first_linear(network), network.body.names[-1]
    below = None if first is None else notation.layers[first].label
    above = notation.layers[last] if _is(network.layers[-1], LINEAR) else None
    X = notation.layers[INPUT].key(Symbol("X"))

    def names_of(one: "Quantity", step: "Step") -> Iterator[tuple[int, Sequence[str]]]:
        matrix, shape = one.matrix, one.matrix.array.shape
        if one.key == X and shape[1:] == (len(features),):
            yield 1, features
        elif step.name == below and not matrix.per_sample and shape[:1] == (len(features),):
            yield from [(0, features)] * (len(shape) == 2)
        if not outputs or shape[-1:] != (len(outputs),):
            return
        if above is not None and step.name == above.label:
            if not matrix.per_sample or matrix.symbol == above.symbol(y):
                yield len(shape) - 1, outputs
        elif step.name == LOSS and matrix.per_sample and len(shape) == 2:
            yield 1, outputs

    def marked(one: "Quantity", step: "Step") -> "Quantity":
        matrix = one.matrix
        for axis, names in names_of(one, step):
            matrix = matrix.named(axis, names)
        return one if matrix is one.matrix else replace(one, matrix=matrix)

    return _each(steps, marked)


def _first_linear(network: Network) -> str | None:
    """Return the name of the Dense layer that the samples reach as they are, if there is one."""
    for name, layer in zip(network.body.names, network.layers, strict=True):
        if _is(layer, LINEAR):
            return name
        if not _is(layer, FLAT, DROPOUT):
            break
    return None


def _is(layer: Layer, *kinds: str) -> bool:
    formulas = formulas_of(layer)
    return formulas is not None and formulas.course in kinds


def _each(
    steps: Iterable["Step"], marked: Callable[["Quantity", "Step"], "Quantity"]
) -> tuple["Step", ...]:
    return tuple(
        replace(step, quantities=tuple(marked(one, step) for one in step.quantities))
        for step in steps
    )

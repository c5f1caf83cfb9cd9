"""The convolutions before the dense layers of a network: their shapes, and their formula."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Weights: TypeAlias = list[tuple[Array, Array]]
Front: TypeAlias = Sequence[Any]
"""Parts one after the other, each with pictures (H, W, C) in and out but for the last one's out.

A number is a convolution of 3 x 3 with so many filters and a border of zeros, without bias where a
norm follows; "norm" normalises each channel over the batch and its places, "relu" is what it says,
"pool" takes the maximum of 2 x 2, "average" that of all places; a front within a front is a
residual block. Features are flattened in the order (H, W, C).
"""

EPSILON = 1e-5  # of a norm, for everybody
NORM_MOMENTUM = 0.1  # the share of the newest batch in running statistics

_OUT = (3, 3)


def has_bias(front: Front, place: int) -> bool:
    """Whether the convolution at a place has a bias."""
    return place + 1 == len(front) or front[place + 1] != "norm"


def frozen(front: Front) -> Front:
    """Return the same front as tuples, of lists that JSON knows."""
    return tuple(part if isinstance(part, int | str) else frozen(part) for part in front)


def parts(front: Front) -> Iterator[int | str]:
    """Yield the parts of a front, and of the blocks in it, in order."""
    for part in front:
        if isinstance(part, int | str):
            yield part
        else:
            yield from parts(part)


def shapes(front: Front, picture: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield the shapes of what is learned: (3, 3, C, F) and F of a convolution, or 0 without bias.

    Of a norm it is (C,) and C: its scales, and its shifts.
    """
    channels = picture[2]
    for place, part in enumerate(front):
        if isinstance(part, int):
            yield (*_OUT, channels, part), part if has_bias(front, place) else 0
            channels = part
        elif part == "norm":
            yield (channels,), channels
        elif not isinstance(part, str):
            yield from shapes(part, (*picture[:2], channels))


def features(front: Front, picture: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the shape of the features that a front makes of a picture (H, W, C)."""
    height, width, channels = picture
    for part in parts(front):
        if isinstance(part, int):
            channels = part
        elif part == "pool":
            height, width = height // 2, width // 2
        elif part == "average":
            height = width = 1
    return height, width, channels


def features_of(front: Front, weights: Weights, X: Array) -> Array:
    """Compute the features (N, D) in float64, by the formula alone.

    Norms take mean and variance of the samples that are given, so that what is compared depends on
    nothing but weights.
    """
    x = _forward(front, iter(weights), X.astype(np.float64))
    return x.reshape(len(x), -1)


def _forward(front: Front, weights: Iterator[tuple[Array, Array]], x: Array) -> Array:
    for part in front:
        if isinstance(part, int):
            x = _convolved(x, *next(weights))
        elif part == "norm":
            gamma, beta = next(weights)
            s = np.sqrt(x.var(axis=(0, 1, 2)) + EPSILON)
            x = gamma * (x - x.mean(axis=(0, 1, 2))) / s + beta
        elif part == "relu":
            x = np.maximum(x, 0)
        elif part == "pool":
            N, H, W, C = x.shape
            x = x[:, : H // 2 * 2, : W // 2 * 2].reshape(N, H // 2, 2, W // 2, 2, C).max((2, 4))
        elif part == "average":
            x = x.mean(axis=(1, 2))
        else:
            x = x + _forward(part, weights, x)
    return x


def _convolved(x: Array, W: Array, b: Array) -> Array:
    height, width = x.shape[1:3]
    bordered = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    y: Array = np.zeros((*x.shape[:3], W.shape[-1]))
    for i, j in np.ndindex(_OUT):
        y += bordered[:, i : i + height, j : j + width] @ W[i, j].astype(np.float64)
    return y + b if b.size else y

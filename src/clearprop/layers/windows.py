"""The windows of a picture that convolutions and pools look at, and where they lie.

A window has one output. It begins at (i s, j s) for the output (i, j) with stride s, so that its
place (p, q) lies at (i s + p, j s + q) of a picture that may have a border of zeros.
"""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import ShapeError, UsageError, shortened

Pair = tuple[int, int]

_AT_ONCE = 2**18  # numbers


class Windows(NamedTuple):
    """The windows of pictures of one size.

    Parameters
    ----------
    size, stride : tuple of int
        Height and width of a window, and the steps from one to the next, down and to the right.
    out : tuple of int
        The number of windows, down and to the right.
    before, after : tuple of int
        The lines of zeros above and to the left of a picture, and those below and to its right.
    """

    size: Pair
    stride: Pair
    out: Pair
    before: Pair = (0, 0)
    after: Pair = (0, 0)

    def places(self) -> Iterator[Pair]:
        """Yield the places (p, q) of a window, line by line."""
        return product(range(self.size[0]), range(self.size[1]))

    def at(self, pictures: Array, place: Pair) -> Array:
        """Return one place of all windows.

        Parameters
        ----------
        pictures : ndarray, shape (N, H, W, C)
            Pictures with their border.
        place : tuple of int
            The place (p, q).

        Returns
        -------
        ndarray, shape (N, *out, C)
            A view of `pictures`.
        """
        rows, columns = (
            slice(start, start + step * (count - 1) + 1, step)
            for start, step, count in zip(place, self.stride, self.out, strict=True)
        )
        return pictures[:, rows, columns]

    def few_samples(self, shape: tuple[int, ...]) -> Iterator[slice]:
        """Yield pictures of such a shape, few enough for their windows to stay in the cache."""
        step = max(1, _AT_ONCE // (prod(self.out) * prod(self.size) * shape[-1]))
        return (slice(start, start + step) for start in range(0, shape[0], step))

    def bordered(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of pictures with their border."""
        samples, height, width, channels = shape
        (top, left), (bottom, right) = self.before, self.after
        return (samples, top + height + bottom, left + width + right, channels)

    def inside(self, bordered: Array, shape: tuple[int, ...]) -> Array:
        """Return what lies inside the border, of pictures of such a shape without it."""
        top, left = self.before
        return bordered[:, top : top + shape[1], left : left + shape[2]]


def windows_that_fit(name: str, picture: Pair, size: Pair, stride: Pair) -> Windows:
    """Return the windows that lie wholly on a picture; what is left at its end has none.

    Raises
    ------
    ShapeError
        If there is none, or the stride skips all but the first.
    """
    if any(window > side for window, side in zip(size, picture, strict=True)):
        raise ShapeError(
            f"{name} looks at {_times(size)} places at a time, found pictures of {_times(picture)}."
            " Give it larger pictures, or fewer layers below it that make them smaller."
        )
    _check_stride(name, picture, stride)
    out = [(side - window) // step + 1 for side, window, step in zip(picture, size, stride)]  # noqa: B905 - pairs
    return Windows(size, stride, (out[0], out[1]))


def windows_with_border(name: str, picture: Pair, size: Pair, stride: Pair) -> Windows:
    """Return one window for each stride, with as much border as they need.

    The smaller half of the border lies before the picture, as in TensorFlow.

    Raises
    ------
    ShapeError
        If the stride skips all but the first.
    """
    _check_stride(name, picture, stride)
    out, before, after = [], [], []
    for side, window, step in zip(picture, size, stride, strict=True):
        count = -(-side // step)
        border = max((count - 1) * step + window - side, 0)
        out.append(count)
        before.append(border // 2)
        after.append(border - border // 2)
    return Windows(size, stride, *((one[0], one[1]) for one in (out, before, after)))


def picture_shape(name: str, in_shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the shape (H, W, C) of samples (H, W, C) or (H, W), which have one channel.

    Raises
    ------
    ShapeError
        If they are no pictures.
    """
    match in_shape:
        case (height, width, channels):
            return height, width, channels
        case (height, width):
            return height, width, 1
        case (numbers,):
            raise ShapeError(
                f"{name} takes pictures (H, W, C), found flat samples of {numbers} numbers. Leave "
                "out the Flatten() before it, or give the pictures' own shape as input_shape, such "
                "as (28, 28, 1)."
            )
    raise ShapeError(
        f"{name} takes pictures (H, W, C) or (H, W), found samples of shape {in_shape}. Reshape "
        "them to pictures first."
    )


def as_pictures(x: Array) -> Array:
    """Return samples (N, H, W, C) or (N, H, W) as (N, H, W, C)."""
    return x if x.ndim == 4 else x[..., np.newaxis]


def sums_of_places(pictures: Array) -> Array:
    """Return the sum of each channel of each sample, shape (N, C).

    To add up samples afterwards keeps the chains of float32 sums short; and as a matrix product it
    is quicker than `numpy.sum` over short lines of channels.
    """
    places = pictures.reshape(len(pictures), -1, pictures.shape[-1])
    return np.ones(places.shape[1], places.dtype) @ places


def pair_of(name: str, what: str, value: Any) -> Pair:
    """Return height and width of a size that is one number, or a pair.

    Raises
    ------
    UsageError
        If it is neither, or not of whole numbers from 1.
    """
    pair = (value, value) if np.ndim(value) == 0 else tuple(value)
    if len(pair) != 2 or not all(_is_size(one) for one in pair):
        raise UsageError(
            f"{name} needs a {what} of a whole number from 1, or a pair of these for height and "
            f"width; found {shortened(value)}."
        )
    return int(pair[0]), int(pair[1])


def keep_pair(layer: Any, name: str, pair: Pair) -> None:
    """Keep a pair as a tuple, which is what comes back from a file: a list is equal to none."""
    if np.ndim(getattr(layer, name) or 0):
        object.__setattr__(layer, name, pair)


def _is_size(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 1)


def _check_stride(name: str, picture: Pair, stride: Pair) -> None:
    if any(step > side for step, side in zip(stride, picture, strict=True)):
        raise ShapeError(
            f"{name} has a stride of {_times(stride)}, which skips all but the first place of "
            f"pictures of {_times(picture)}. Give it a smaller stride or larger pictures."
        )


def _times(sizes: Pair) -> str:
    return f"{sizes[0]} x {sizes[1]}"

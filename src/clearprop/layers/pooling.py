"""Pools: one number for each window, or all, of a channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from clearprop.core.formulas import Formulas
from clearprop.core.parameters import Array, Params
from clearprop.core.program import Program, Value
from clearprop.core.symbols import Symbol, dx, y
from clearprop.core.trace import Trace
from clearprop.layers.base import Built, Layer
from clearprop.layers.place_formulas import mean_of_picture, share_of_picture
from clearprop.layers.window_formulas import (
    largest,
    mean_of_window,
    place_of_largest,
    to_all,
    to_winners,
)
from clearprop.layers.windows import (
    Pair,
    Windows,
    as_pictures,
    keep_pair,
    pair_of,
    picture_shape,
    sums_of_places,
    windows_that_fit,
)

_won = Symbol("won", "place of each window's largest, counted line by line", per_sample=True)


def _windows_of_largest(settings: Mapping[str, Any], picture: Pair) -> Windows:
    return MaxPool2D(**settings).windows(picture)


def _windows_of_mean(settings: Mapping[str, Any], picture: Pair) -> Windows:
    return AveragePool2D(**settings).windows(picture)


@dataclass(frozen=True)
class _Pool(Layer):
    """Base of the pools: which windows there are.

    Windows lie wholly on the picture: what does not fit at its end is left out.
    """

    size: int | Pair = 2
    stride: int | Pair | None = None

    def __post_init__(self) -> None:
        keep_pair(self, "size", self.pool_size)
        keep_pair(self, "stride", self.strides)

    @property
    def pool_size(self) -> Pair:
        """Height and width of a window."""
        return pair_of(type(self).__name__, "size", self.size)

    @property
    def strides(self) -> Pair:
        """The steps down and to the right."""
        if self.stride is None:
            return self.pool_size
        return pair_of(type(self).__name__, "stride", self.stride)

    def windows(self, picture: Pair) -> Windows:
        """Return the windows of pictures of that height and width."""
        return windows_that_fit(type(self).__name__, picture, self.pool_size, self.strides)

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take pictures (H, W, C) or (H, W), give smaller ones."""
        *picture, channels = picture_shape(type(self).__name__, in_shape)
        return Built((*self.windows((picture[0], picture[1])).out, channels))


@dataclass(frozen=True)
class MaxPool2D(_Pool):
    """The largest number of each window, channel by channel.

    Parameters
    ----------
    size : int or pair of int, default 2
        Height and width of a window.
    stride : int or pair of int, optional
        The steps from one window to the next; unless given, windows lie side by side.

    Notes
    -----
    y[n, i, j, c] = max_pq x[n, i s + p, j t + q, c]; its dy goes to the input that was the largest,
    the first of several. What does not fit at the picture's end is left out. Source: Scherer,
    Müller, Behnke, "Evaluation of Pooling Operations in Convolutional Architectures for Object
    Recognition" (2010), section 3.
    """

    formulas = Formulas(
        {
            y: largest(_windows_of_largest),
            _won: place_of_largest(_windows_of_largest),
        },
        {dx: to_winners(_won, _windows_of_largest)},
    )

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = max_pq x[n, i s + p, j t + q]; note which place of each window has won."""
        trace["shape"], x = x.shape, as_pictures(x)
        windows = self.windows(x.shape[1:3])
        y = trace.buffer("y", (len(x), *windows.out, x.shape[-1]), x.dtype)
        won = trace.buffer("won", y.shape, np.min_scalar_type(prod(windows.size) - 1))
        for some in windows.few_samples(x.shape):
            _find_largest(windows, x[some], y[some], won[some], trace)
        trace["won"] = won
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx: the dy of each window where the place has won."""
        windows, won = self.windows(trace["shape"][1:3]), trace["won"]
        dx = trace.buffer("dx", trace["shape"], dy.dtype)
        pictures = as_pictures(dx)
        for some in windows.few_samples(pictures.shape):
            _hand_back(windows, dy[some], won[some], pictures[some], trace)
        return dx

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is a pool of the largest."""
        x = program.reshaped(x, picture_shape(type(self).__name__, x.shape))
        windows = self.windows((x.shape[0], x.shape[1]))
        return program.pooling(x, windows.size, windows.stride, windows.out, largest=True)


def _find_largest(windows: Windows, x: Array, y: Array, won: Array, trace: Trace) -> None:
    """Write the largest number of each window into y, and the number of its place into won."""
    here = trace.buffer("here", y.shape, y.dtype)
    above = trace.buffer("above", y.shape, np.bool_)
    number_above = trace.buffer("number above", y.shape, won.dtype)
    y[...], won[...] = windows.at(x, (0, 0)), 0
    for number, place in enumerate(windows.places()):
        here[...] = windows.at(x, place)  # side by side, which all that follows is quicker with
        np.greater(here, y, out=above)
        np.multiply(above, won.dtype.type(number), out=number_above)
        np.maximum(won, number_above, out=won)
        np.maximum(y, here, out=y)


def _hand_back(windows: Windows, dy: Array, won: Array, dx: Array, trace: Trace) -> None:
    """Write dx: the dy of each window goes to the place that has won."""
    mine = trace.buffer("mine", dy.shape, np.bool_)
    share = trace.buffer("share", dy.shape, dy.dtype)
    dx[...] = 0
    for number, place in enumerate(windows.places()):
        np.equal(won, number, out=mine)
        np.multiply(dy, mine, out=share)
        reached = windows.at(dx, place)
        reached += share


@dataclass(frozen=True)
class AveragePool2D(_Pool):
    """The mean of each window, channel by channel.

    Parameters
    ----------
    size : int or pair of int, default 2
        Height and width of a window.
    stride : int or pair of int, optional
        The steps from one window to the next; unless given, windows lie side by side.

    Notes
    -----
    With P places in a window, y[n, i, j] = sum_pq x[n, i s + p, j t + q] / P; each place gets dy /
    P. What does not fit at the picture's end is left out. Source: LeCun, Bottou, Bengio, Haffner,
    "Gradient-Based Learning Applied to Document Recognition" (1998), section II.B.
    """

    formulas = Formulas({y: mean_of_window(_windows_of_mean)}, {dx: to_all(_windows_of_mean)})

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = sum_pq x[n, i s + p, j t + q] / P."""
        trace["shape"], x = x.shape, as_pictures(x)
        windows = self.windows(x.shape[1:3])
        y = trace.buffer("y", (len(x), *windows.out, x.shape[-1]), x.dtype)
        y[...] = 0
        for place in windows.places():
            y += windows.at(x, place)
        y /= prod(windows.size)
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx: dy / P of each window that an input lies in."""
        windows = self.windows(trace["shape"][1:3])
        dx = trace.buffer("dx", trace["shape"], dy.dtype)
        share = trace.buffer("share", dy.shape, dy.dtype)
        np.divide(dy, prod(windows.size), out=share)
        dx[...] = 0
        for place in windows.places():
            reached = windows.at(as_pictures(dx), place)
            reached += share
        return dx

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is a pool of the mean."""
        x = program.reshaped(x, picture_shape(type(self).__name__, x.shape))
        windows = self.windows((x.shape[0], x.shape[1]))
        return program.pooling(x, windows.size, windows.stride, windows.out, largest=False)


@dataclass(frozen=True)
class GlobalAveragePool2D(Layer):
    """The mean of each channel over the whole picture, which makes flat samples (C,).

    Notes
    -----
    y[n, c] = sum_hw x[n, h, w, c] / (H W); dx[n, h, w, c] = dy[n, c] / (H W). Source: Lin, Chen,
    Yan, "Network In Network" (2014), section 3.2.
    """

    formulas = Formulas({y: mean_of_picture()}, {dx: share_of_picture()})

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take pictures (H, W, C) or (H, W), give (C,)."""
        return Built(picture_shape(type(self).__name__, in_shape)[2:])

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = sum_hw x[n, h, w] / (H W)."""
        trace["shape"], x = x.shape, as_pictures(x)
        y = trace.buffer("y", (len(x), x.shape[-1]), x.dtype)
        return np.divide(sums_of_places(x), prod(x.shape[1:3]), out=y)

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx = dy / (H W) for every place."""
        shape = trace["shape"]
        dx = trace.buffer("dx", shape, dy.dtype)
        as_pictures(dx)[...] = (dy / prod(shape[1:3]))[:, np.newaxis, np.newaxis]
        return dx

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is a pool of the mean, whose one window is the picture."""
        height, width, channels = picture_shape(type(self).__name__, x.shape)
        x, picture = program.reshaped(x, (height, width, channels)), (height, width)
        y = program.pooling(x, picture, picture, (1, 1), largest=False)
        return program.reshaped(y, (channels,))

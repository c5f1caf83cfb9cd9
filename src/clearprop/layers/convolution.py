"""The convolution of pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from clearprop.core.formulas import Formulas, known
from clearprop.core.initializers import HeNormal, Initializer, Zeros
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.program import Program, Value
from clearprop.core.symbols import Symbol, dx, dy, y
from clearprop.core.trace import Trace
from clearprop.errors import UsageError
from clearprop.layers.base import Built, Layer
from clearprop.layers.place_formulas import sum_of_places
from clearprop.layers.window_formulas import convolved, of_weights, spread
from clearprop.layers.windows import (
    Pair,
    Windows,
    as_pictures,
    keep_pair,
    pair_of,
    picture_shape,
    sums_of_places,
    windows_that_fit,
    windows_with_border,
)

_MANY_CHANNELS = 8  # from here on lines of channels are copied sooner than lines of places

_W, _b = Symbol("W", "weights"), Symbol("b", "biases")


def _windows_of(settings: Mapping[str, Any], picture: Pair) -> Windows:
    return Conv2D(**settings).windows(picture)


@dataclass(frozen=True)
class Conv2D(Layer):
    """The same affine map of each small window of a picture: a filter that looks everywhere.

    Parameters
    ----------
    filters : int
        The number F of outputs of each window: the channels of the picture that comes out.
    kernel : int or pair of int, default 3
        Height and width of a window.
    stride : int or pair of int, default 1
        The steps from one window to the next, down and to the right.
    padding : {"same", "valid"}, default "same"
        Whether a border of zeros gives one window for each stride (the smaller half of the border
        lies before the picture), or windows lie wholly on the picture.
    init : Initializer, default HeNormal()
        The initializer of W (kh, kw, C, F); b (F,) starts at zero.
    bias : bool, default True
        Whether there is a b.

    Notes
    -----
    With strides s and t, x with its border, and sums over the places (p, q) of a window and over
    the samples n and windows (i, j)::

        y[n, i, j] = b + sum_pq x[n, i s + p, j t + q] W[p, q]            (F,)
        dW[p, q]   = sum_nij outer(x[n, i s + p, j t + q], dy[n, i, j])   (C, F)
        db         = sum_nij dy[n, i, j]                                  (F,)
        dx[n, i s + p, j t + q] += dy[n, i, j] W[p, q].T                  (C,)

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document
    Recognition" (1998), section II.
    """

    filters: int
    kernel: int | Pair = 3
    stride: int | Pair = 1
    padding: str = "same"
    init: Initializer = HeNormal()
    bias: bool = True

    formulas = Formulas(
        {y: known(_b, _b + convolved(_W, _windows_of), convolved(_W, _windows_of))},
        {
            _W.gradient: of_weights(_W, _windows_of),
            _b.gradient: sum_of_places(dy),
            dx: spread(_W, _windows_of),
        },
    )

    def __post_init__(self) -> None:
        if not isinstance(self.filters, int | np.integer) or self.filters < 1:
            raise UsageError(
                f"Conv2D needs a whole number of filters from 1, found {self.filters!r}."
            )
        keep_pair(self, "kernel", self.kernel_size)
        keep_pair(self, "stride", self.strides)
        if self.padding not in ("same", "valid"):
            raise UsageError(
                f"Conv2D's padding is 'same', with a border of zeros, or 'valid', without; found "
                f"{self.padding!r}."
            )
        if not isinstance(self.init, Initializer):
            raise UsageError(
                f"Conv2D needs an initializer, such as HeNormal(); found {self.init!r}."
            )

    @property
    def kernel_size(self) -> Pair:
        """Height and width of a window."""
        return pair_of("Conv2D", "kernel", self.kernel)

    @property
    def strides(self) -> Pair:
        """The steps down and to the right."""
        return pair_of("Conv2D", "stride", self.stride)

    def windows(self, picture: Pair) -> Windows:
        """Return the windows of pictures of that height and width."""
        of = windows_with_border if self.padding == "same" else windows_that_fit
        return of(f"Conv2D({self.filters})", picture, self.kernel_size, self.strides)

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take pictures (H, W, C) or (H, W), give pictures of F channels."""
        height, width, channels = picture_shape(f"Conv2D({self.filters})", in_shape)
        windows = self.windows((height, width))
        shape = (*windows.size, channels, self.filters)
        parameters = {"W": Parameter(shape, self.init, decays=True)}
        if self.bias:
            parameters["b"] = Parameter((self.filters,), Zeros())
        return Built((*windows.out, self.filters), parameters)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y[n, i, j] = b + sum_pq x[n, i s + p, j t + q] W[p, q]."""
        trace["x"], x = x, as_pictures(x)
        windows, W = self.windows(x.shape[1:3]), params["W"].reshape(-1, self.filters)
        y = trace.buffer("y", (len(x), *windows.out, self.filters), x.dtype)
        for some in windows.few_samples(x.shape):
            inputs = _inputs_of(windows, x[some], trace)
            np.matmul(inputs, W, out=y[some].reshape(-1, self.filters))
        if self.bias:
            pictures = y.reshape(len(y), -1)  # a long line each, which NumPy adds b to much quicker
            pictures += np.tile(params["b"], prod(windows.out))
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write dW and db; return dx where it is wanted."""
        x, dW = as_pictures(trace["x"]), grads["W"].reshape(-1, self.filters)
        windows = self.windows(x.shape[1:3])
        part = trace.buffer("part of dW", dW.shape, x.dtype)
        dW[...] = 0
        for some in windows.few_samples(x.shape):
            inputs = _inputs_of(windows, x[some], trace)
            dW += np.matmul(inputs.T, dy[some].reshape(-1, self.filters), out=part)
        if self.bias:
            np.sum(sums_of_places(dy), axis=0, out=grads["b"])
        if not trace.wants_dx:
            return None
        dx = trace.buffer("dx", x.shape, x.dtype)
        for some in windows.few_samples(x.shape):
            self._add_up(windows, dy[some], params["W"], dx[some], trace)
        return dx.reshape(trace["x"].shape)

    def _add_up(self, windows: Windows, dy: Array, W: Array, dx: Array, trace: Trace) -> None:
        """Write dx: an input has a share in every window that it lies in."""
        bordered = trace.buffer("bordered", windows.bordered(dx.shape), dx.dtype)
        share = trace.buffer("share", (*dy.shape[:3], dx.shape[-1]), dx.dtype)
        rows = dy.reshape(-1, self.filters)
        bordered[...] = 0
        for place in windows.places():
            np.matmul(rows, W[place].T, out=share.reshape(len(rows), -1))
            reached = windows.at(bordered, place)
            reached += share
        dx[...] = windows.inside(bordered, dx.shape)

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is a convolution."""
        x = program.reshaped(x, picture_shape(f"Conv2D({self.filters})", x.shape))
        _, stride, out, before, after = self.windows((x.shape[0], x.shape[1]))
        return program.convolution(x, params["W"], params.get("b"), stride, out, before, after)


def _inputs_of(windows: Windows, x: Array, trace: Trace) -> Array:
    """Return the inputs of each window as a row, shape (N * windows, kh * kw * C)."""
    bordered = trace.buffer("bordered", windows.bordered(x.shape), x.dtype)
    bordered[...] = 0
    windows.inside(bordered, x.shape)[...] = x
    of_window, every_window = (*windows.size, x.shape[-1]), (len(x), *windows.out)
    if x.shape[-1] < _MANY_CHANNELS:
        inputs = trace.buffer("inputs", (*of_window, *every_window), x.dtype)
        by_place = inputs.transpose(0, 1, 3, 4, 5, 2)
        rows = inputs.reshape(prod(of_window), -1).T
    else:
        inputs = trace.buffer("inputs", (*every_window, *of_window), x.dtype)
        by_place = inputs.transpose(3, 4, 0, 1, 2, 5)
        rows = inputs.reshape(prod(every_window), -1)
    for place in windows.places():
        by_place[place] = windows.at(bordered, place)
    return rows

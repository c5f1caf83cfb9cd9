"""The fully connected layer, and the one that makes samples flat for it."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.core.formulas import FLAT, LINEAR, Formulas, flat, known, shaped_like, sum_n
from clearprop.core.initializers import HeNormal, Initializer, Zeros
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.symbols import Symbol, dx, dy, x, y
from clearprop.core.trace import Trace
from clearprop.errors import ShapeError, UsageError
from clearprop.layers.base import Built, Layer

_W, _b = Symbol("W", "weights"), Symbol("b", "biases")


@dataclass(frozen=True)
class Dense(Layer):
    """Affine map of each sample: y = x W + b.

    Parameters
    ----------
    units : int
        The number M of outputs.
    init : Initializer, default HeNormal()
        The initializer of W (D, M); b (M,) starts at zero.
    bias : bool, default True
        Whether there is a b.

    Notes
    -----
    With the loss a function of y, and sums over the N samples of the batch::

        dW = x.T dy        (D, M)
        db = sum_n dy[n]   (M,)
        dx = dy W.T        (N, D)
    """

    units: int
    init: Initializer = HeNormal()
    bias: bool = True

    weights: ClassVar[str] = "W"

    formulas = Formulas(
        {y: known(_b, x @ _W + _b, x @ _W)},
        {_W.gradient: x.T @ dy, _b.gradient: sum_n(dy), dx: dy @ _W.T},
        course=LINEAR,
    )

    def __post_init__(self) -> None:
        if not isinstance(self.units, int | np.integer) or self.units < 1:
            raise UsageError(f"Dense needs a whole number of units from 1, found {self.units!r}.")
        if not isinstance(self.init, Initializer):
            raise UsageError(
                f"Dense needs an initializer, such as HeNormal(); found {self.init!r}."
            )

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take flat samples (D,), give (M,)."""
        if len(in_shape) != 1:
            raise ShapeError(
                f"Dense({self.units}) takes flat samples (D,), found samples of shape {in_shape}. "
                "Put a Flatten() before it."
            )
        parameters = {"W": Parameter((in_shape[0], self.units), self.init, decays=True)}
        if self.bias:
            parameters["b"] = Parameter((self.units,), Zeros())
        return Built((self.units,), parameters)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = x W + b, shape (N, M)."""
        trace["x"] = x
        y = trace.buffer("y", (len(x), self.units), x.dtype)
        np.matmul(x, params["W"], out=y)
        if self.bias:
            y += params["b"]
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write dW and db; return dx where it is wanted."""
        x = trace["x"]
        np.matmul(x.T, dy, out=grads["W"])
        if self.bias:
            np.sum(dy, axis=0, out=grads["b"])
        if not trace.wants_dx:
            return None
        dx = trace.buffer("dx", x.shape, x.dtype)
        # Of one unit no sums are needed, which a matrix product is slow to find out.
        product = np.multiply if self.units == 1 else np.matmul
        return product(dy, params["W"].T, out=dx)


@dataclass(frozen=True)
class Flatten(Layer):
    """Give each sample's numbers as one row, in C order: the last axis runs fastest."""

    formulas = Formulas({y: flat(x)}, {dx: shaped_like(dy, x)}, course=FLAT)

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take samples of any shape, give (D,)."""
        return Built((math.prod(in_shape),))

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return x as (N, D)."""
        trace["shape"] = x.shape
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dy in the shape of x."""
        return dy.reshape(trace["shape"])

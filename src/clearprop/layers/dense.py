"""Fully connected layers, in two parametrisations, and the one that makes samples flat for them."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.core.formulas import FLAT, LINEAR, Formulas, flat, known, shaped_like, sum_n
from clearprop.core.initializers import FromData, HeNormal, Initializer, Normal, Zeros
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.program import Program, Value
from clearprop.core.symbols import D, Symbol, dx, dy, sqrt, x, y
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
        _check("Dense", self.units, self.init)

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take flat samples (D,), give (M,)."""
        inputs = flat_size(f"Dense({self.units})", in_shape)
        parameters = {"W": Parameter((inputs, self.units), self.init, decays=True)}
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

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is y = x W + b."""
        return program.affine(x, params["W"], params.get("b"))

    def initialize_from(
        self, params: Params, x: Array, random_state: np.random.RandomState
    ) -> None:
        """Fit W and b to samples (N, D), where `init` is `FromData`."""
        _fit(self, params, x, random_state)


@dataclass(frozen=True)
class NTKDense(Layer):
    """Affine map of each sample in the neural tangent parametrisation: y = x W / sqrt(D) + b.

    With weights of variance 1 it starts as a `Dense` layer does with weights of variance 1 / D. But
    a step of W counts 1 / sqrt(D) times as much: one learning rate suits narrow and wide layers.

    Parameters
    ----------
    units : int
        The number M of outputs.
    init : Initializer, default Normal(1.0)
        The initializer of W (D, M); b (M,) starts at zero.
    bias : bool, default True
        Whether there is a b.
    bias_rate : float, default 1.0
        The factor of the learning rate for b. RealMLP takes 0.1.

    Notes
    -----
    With sums over the N samples of the batch::

        dW = x.T dy / sqrt(D)   (D, M)
        db = sum_n dy[n]        (M,)
        dx = dy W.T / sqrt(D)   (N, D)

    Source: Jacot, Gabriel, Hongler, "Neural Tangent Kernel: Convergence and Generalization in
    Neural Networks" (2018), section 2.
    """

    units: int
    init: Initializer = Normal(1.0)
    bias: bool = True
    bias_rate: float = 1.0

    formulas = Formulas(
        {y: known(_b, x @ _W / sqrt(D) + _b, x @ _W / sqrt(D))},
        {_W.gradient: x.T @ dy / sqrt(D), _b.gradient: sum_n(dy), dx: dy @ _W.T / sqrt(D)},
    )

    def __post_init__(self) -> None:
        _check("NTKDense", self.units, self.init)

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take flat samples (D,), give (M,)."""
        inputs = flat_size(f"NTKDense({self.units})", in_shape)
        parameters = {"W": Parameter((inputs, self.units), self.init, decays=True)}
        if self.bias:
            parameters["b"] = Parameter((self.units,), Zeros(), rate=self.bias_rate)
        return Built((self.units,), parameters)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = x W / sqrt(D) + b, shape (N, M)."""
        trace["x"] = x
        y = trace.buffer("y", (len(x), self.units), x.dtype)
        np.matmul(x, params["W"], out=y)
        y *= 1 / math.sqrt(x.shape[1])
        if self.bias:
            y += params["b"]
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write dW and db; return dx where it is wanted."""
        x, dW = trace["x"], grads["W"]
        factor = 1 / math.sqrt(x.shape[1])
        np.matmul(x.T, dy, out=dW)
        dW *= factor
        if self.bias:
            np.sum(dy, axis=0, out=grads["b"])
        if not trace.wants_dx:
            return None
        dx = np.matmul(dy, params["W"].T, out=trace.buffer("dx", x.shape, x.dtype))
        dx *= factor
        return dx

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is y = x (W / sqrt(D)) + b."""
        W = params["W"]
        return program.affine(x, W * W.dtype.type(1 / math.sqrt(len(W))), params.get("b"))

    def initialize_from(
        self, params: Params, x: Array, random_state: np.random.RandomState
    ) -> None:
        """Fit W and b to samples (N, D), where `init` is `FromData`."""
        _fit(self, params, x, random_state)


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

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is another shape."""
        return program.reshaped(x, (x.size,))

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dy in the shape of x."""
        return dy.reshape(trace["shape"])


def flat_size(layer: str, in_shape: tuple[int, ...]) -> int:
    """Return the number D of features of flat samples.

    Parameters
    ----------
    layer : str
        The layer that takes them, for the message.
    in_shape : tuple of int

    Raises
    ------
    ShapeError
        If the samples are not flat.
    """
    if len(in_shape) != 1:
        raise ShapeError(
            f"{layer} takes flat samples (D,), found samples of shape {in_shape}. "
            "Put a Flatten() before it."
        )
    return in_shape[0]


def _fit(
    layer: Dense | NTKDense, params: Params, x: Array, random_state: np.random.RandomState
) -> None:
    if not isinstance(layer.init, FromData):
        return
    W, b = params["W"], params["b"] if layer.bias else np.empty(layer.units)
    b[...] = 0
    factors, biases = layer.init.fit(random_state, layer.forward(params, x, Trace()))
    W *= factors
    b[...] = biases


def _check(layer: str, units: object, init: object) -> None:
    if not isinstance(units, int | np.integer) or units < 1:
        raise UsageError(f"{layer} needs a whole number of units from 1, found {units!r}.")
    if not isinstance(init, Initializer):
        raise UsageError(f"{layer} needs an initializer, such as HeNormal(); found {init!r}.")

"""Element-wise activations: y = g(x), dx = dy * g'(x).

Each keeps only what its derivative needs, which for sigmoid, tanh, ReLU and ELU is the output.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.core.formulas import activation, forms, slope_at, where_positive
from clearprop.core.kernels import relu, relu_backward, sigmoid
from clearprop.core.parameters import Array, Params
from clearprop.core.symbols import Setting, absolute, dy, exp, log, maximum, tanh, x, y
from clearprop.core.trace import Trace
from clearprop.errors import UsageError
from clearprop.layers.base import Layer

_slope, _alpha = Setting("slope"), Setting("alpha")

_SELU_SCALE = 1.0507009873554805
_SELU_LIMIT = _SELU_SCALE * 1.6732632423543772  # s a


class Activation(Layer):
    """Base of the activations that have a name; one's own may be any layer."""

    name: ClassVar[str]
    """The name on the command line; the estimators' has underscores."""

    scikit_learn: ClassVar[str | None] = None
    """scikit-learn's own name of it, where it has it."""

    saturates: ClassVar[bool] = False
    """Whether it flattens out on both sides, so that Glorot's weights suit it, not He's."""

    loop: ClassVar[Callable[..., None] | None] = None
    """``loop(y, number)``: the code of compiled steps, for Numba to compile: y in place of x (Q,).

    It takes those of the two that it needs, by these names. It counts for the very class that has
    it, as one that inherits may compute something else.
    """

    loop_back: ClassVar[Callable[..., None] | None] = None
    """``loop_back(y, dy, number)``: dx in place of dy (Q,), from the output y alone."""

    loop_bent: ClassVar[Callable[..., None] | None] = None
    """``loop_bent(z, change, slope)``: write g(z) - z and g'(z), for compiled steps that blend.

    Each is an array (Q,), and `slope` comes with exp(min(z, 20)).
    """

    bends: ClassVar[bool] = True
    """Whether the slope depends on more than the sign of y: then compiled steps take no dropout
    above it, which changes the y that `loop_back` sees."""

    @property
    def number(self) -> float:
        """The one hyper-parameter that the loops take, if any."""
        return 0.0


@dataclass(frozen=True)
class Sigmoid(Activation):
    """Logistic sigmoid: y = 1 / (1 + exp(-x)), between 0 and 1; g'(x) = y (1 - y)."""

    name: ClassVar[str] = "sigmoid"
    scikit_learn: ClassVar[str | None] = "logistic"
    saturates: ClassVar[bool] = True

    formulas = activation(1 / (1 + exp(-x)), dy * y * (1 - y))

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = 1 / (1 + exp(-x))."""
        trace["y"] = y = sigmoid(x, out=trace.buffer("y", x.shape, x.dtype))
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx = dy y (1 - y)."""
        y = trace["y"]
        dx = trace.buffer("dx", y.shape, y.dtype)
        np.subtract(1, y, out=dx)
        dx *= y
        dx *= dy
        return dx

    @staticmethod
    def loop(y: Array) -> None:
        """Write 1 / (1 + exp(-y)) into y."""
        one = y.dtype.type(1)  # 1 would be a wider number than float32
        for i in range(len(y)):
            y[i] = one / (one + np.exp(-y[i]))

    @staticmethod
    def loop_back(y: Array, dy: Array) -> None:
        """Multiply dy by y (1 - y)."""
        one = y.dtype.type(1)
        for i in range(len(y)):
            dy[i] *= y[i] * (one - y[i])


@dataclass(frozen=True)
class Tanh(Activation):
    """Hyperbolic tangent: y = tanh(x), between -1 and 1; g'(x) = 1 - y^2."""

    name: ClassVar[str] = "tanh"
    scikit_learn: ClassVar[str | None] = "tanh"
    saturates: ClassVar[bool] = True

    formulas = activation(tanh(x), dy * (1 - y**2))

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = tanh(x)."""
        trace["y"] = y = np.tanh(x, out=trace.buffer("y", x.shape, x.dtype))
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx = dy (1 - y^2)."""
        y = trace["y"]
        dx = trace.buffer("dx", y.shape, y.dtype)
        np.multiply(y, y, out=dx)
        np.subtract(1, dx, out=dx)
        dx *= dy
        return dx

    @staticmethod
    def loop(y: Array) -> None:
        """Write tanh(y) into y."""
        for i in range(len(y)):
            y[i] = np.tanh(y[i])

    @staticmethod
    def loop_back(y: Array, dy: Array) -> None:
        """Multiply dy by 1 - y^2."""
        one = y.dtype.type(1)  # 1 would be a wider number than float32
        for i in range(len(y)):
            dy[i] *= one - y[i] * y[i]


@dataclass(frozen=True)
class ReLU(Activation):
    """Rectified linear unit: y = max(x, 0); g'(x) = 1 where x > 0, else 0 (at the kink, too)."""

    name: ClassVar[str] = "relu"
    scikit_learn: ClassVar[str | None] = "relu"
    bends: ClassVar[bool] = False

    formulas = activation(maximum(x, 0), dy * slope_at(x, 1, 0))

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = max(x, 0)."""
        trace["y"] = y = trace.buffer("y", x.shape, x.dtype)
        relu(x.reshape(-1), y.reshape(-1))
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx = dy where y > 0, else 0."""
        y = trace["y"]
        dx = trace.buffer("dx", y.shape, y.dtype)
        alive = trace.buffer("alive", (y.size,), np.bool_)
        relu_backward(y.reshape(-1), dy.reshape(-1), dx.reshape(-1), alive)
        return dx

    @staticmethod
    def loop(y: Array) -> None:
        """Write max(y, 0) into y."""
        zero = y.dtype.type(0)  # 0 would be a wider number than float32
        for i in range(len(y)):
            y[i] = y[i] if y[i] > zero or y[i] != y[i] else zero  # NaN stays NaN

    @staticmethod
    def loop_back(y: Array, dy: Array) -> None:
        """Make dy zero where y is."""
        zero = y.dtype.type(0)
        for i in range(len(y)):
            dy[i] = dy[i] if y[i] > zero else zero


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """ReLU that lets a little through below zero: y = x where x > 0, else slope x.

    Parameters
    ----------
    slope : float, default 0.01
        The slope below zero, between 0 and 1.

    Notes
    -----
    Source: Maas, Hannun, Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models"
    (2013), section 2.
    """

    slope: float = 0.01

    name: ClassVar[str] = "leaky-relu"
    bends: ClassVar[bool] = False

    formulas = activation(maximum(x, _slope * x), dy * slope_at(x, 1, _slope))

    def __post_init__(self) -> None:
        if not 0 <= self.slope <= 1:
            raise UsageError(f"LeakyReLU needs a slope between 0 and 1, found {self.slope}.")

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = max(x, slope x), which for slopes up to 1 is the same."""
        trace["x"] = x
        y = trace.buffer("y", x.shape, x.dtype)
        np.multiply(x, self.slope, out=y)
        return np.maximum(x, y, out=y)

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx = dy where x > 0, else slope dy."""
        x = trace["x"]
        above = np.greater(x, 0, out=trace.buffer("above", x.shape, np.bool_))
        dx = trace.buffer("dx", x.shape, x.dtype)
        np.multiply(dy, self.slope, out=dx)
        np.copyto(dx, dy, where=above)
        return dx

    @property
    def number(self) -> float:
        """The slope."""
        return self.slope

    @staticmethod
    def loop(y: Array, number: float) -> None:
        """Multiply y by the slope where it is not above zero."""
        zero = y.dtype.type(0)  # 0 would be a wider number than float32
        for i in range(len(y)):
            y[i] = y[i] if y[i] > zero else number * y[i]

    @staticmethod
    def loop_back(y: Array, dy: Array, number: float) -> None:
        """Multiply dy by the slope where y is not above zero."""
        zero = y.dtype.type(0)
        for i in range(len(y)):
            dy[i] = dy[i] if y[i] > zero else number * dy[i]


@dataclass(frozen=True)
class ELU(Activation):
    """Exponential linear unit: y = x where x > 0, else alpha (exp(x) - 1).

    Parameters
    ----------
    alpha : float, default 1.0
        Minus the limit far below zero; positive.

    Notes
    -----
    g'(x) = 1 where x > 0, else alpha exp(x) = y + alpha. Source: Clevert, Unterthiner, Hochreiter,
    "Fast and Accurate Deep Network Learning by Exponential Linear Units" (2016), equation 15.
    """

    alpha: float = 1.0

    name: ClassVar[str] = "elu"

    formulas = activation(
        where_positive(x, x, _alpha * (exp(x) - 1)), dy * slope_at(x, 1, y + _alpha)
    )

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise UsageError(f"ELU needs a positive alpha, found {self.alpha}.")

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = x where x > 0, else alpha (exp(x) - 1)."""
        trace["x"] = x
        trace["y"] = y = trace.buffer("y", x.shape, x.dtype)
        np.minimum(x, 0, out=y)  # before exp, so that large x can't overflow
        np.exp(y, out=y)
        y -= 1  # next to 0 expm1 would keep more digits, and take up to eight times as long
        y *= self.alpha
        above = np.greater(x, 0, out=trace.buffer("above", x.shape, np.bool_))
        np.copyto(y, x, where=above)
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx = dy where x > 0, else dy (y + alpha)."""
        x, y = trace["x"], trace["y"]
        above = np.greater(x, 0, out=trace.buffer("above", x.shape, np.bool_))
        dx = trace.buffer("dx", y.shape, y.dtype)
        np.add(y, self.alpha, out=dx)
        dx *= dy
        np.copyto(dx, dy, where=above)
        return dx


@dataclass(frozen=True)
class SELU(Activation):
    """Scaled exponential linear unit: y = s x where x > 0, else s a (exp(x) - 1).

    With s = 1.0507 and a = 1.6733 the outputs of inputs that are N(0, 1) have mean 0 and variance 1
    again, and drift back there from nearby.

    Notes
    -----
    g'(x) = s where x > 0, else s a exp(x) = y + s a. Source: Klambauer, Unterthiner, Mayr,
    Hochreiter, "Self-Normalizing Neural Networks" (2017), equation 2.
    """

    name: ClassVar[str] = "selu"

    formulas = activation(
        where_positive(x, _SELU_SCALE * x, _SELU_LIMIT * (exp(x) - 1)),
        dy * slope_at(x, _SELU_SCALE, y + _SELU_LIMIT),
    )

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = s x where x > 0, else s a (exp(x) - 1)."""
        trace["y"] = y = trace.buffer("y", x.shape, x.dtype)
        above = np.greater(x, 0, out=trace.buffer("above", x.shape, np.bool_))
        np.minimum(x, 0, out=y)  # before exp, so that large x can't overflow
        np.exp(y, out=y)
        y -= 1  # next to 0 expm1 would keep more digits, and take up to eight times as long
        y *= _SELU_LIMIT
        return np.multiply(x, _SELU_SCALE, out=y, where=above)

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx = s dy where y > 0, else dy (y + s a)."""
        y = trace["y"]
        above = np.greater(y, 0, out=trace.buffer("above", y.shape, np.bool_))
        dx = trace.buffer("dx", y.shape, y.dtype)
        np.add(y, _SELU_LIMIT, out=dx)
        np.copyto(dx, _SELU_SCALE, where=above)
        dx *= dy
        return dx

    @staticmethod
    def loop(y: Array) -> None:
        """Write s y into y where it is above zero, else s a (exp(y) - 1)."""
        zero, one = y.dtype.type(0), y.dtype.type(1)  # wider numbers than float32 otherwise
        scale, limit = y.dtype.type(_SELU_SCALE), y.dtype.type(_SELU_LIMIT)
        for i in range(len(y)):
            y[i] = scale * y[i] if y[i] > zero else limit * (np.exp(y[i]) - one)

    @staticmethod
    def loop_back(y: Array, dy: Array) -> None:
        """Multiply dy by s where y is above zero, else by y + s a."""
        zero = y.dtype.type(0)
        scale, limit = y.dtype.type(_SELU_SCALE), y.dtype.type(_SELU_LIMIT)
        for i in range(len(y)):
            dy[i] *= scale if y[i] > zero else y[i] + limit

    @staticmethod
    def loop_bent(z: Array, change: Array, slope: Array) -> None:
        """Write what it adds to z, and its slope; e^z comes as `slope`."""
        zero, one = z.dtype.type(0), z.dtype.type(1)
        scale, limit = z.dtype.type(_SELU_SCALE), z.dtype.type(_SELU_LIMIT)
        for i in range(len(z)):
            bent = limit * slope[i]
            change[i] = (scale - one) * z[i] if z[i] > zero else bent - limit - z[i]
            slope[i] = scale if z[i] > zero else bent


@dataclass(frozen=True)
class Softplus(Activation):
    """Smooth ReLU: y = log(1 + exp(x)); g'(x) = 1 / (1 + exp(-x)).

    Notes
    -----
    Source: Dugas, Bengio, Bélisle, Nadeau, Garcia, "Incorporating Second-Order Functional Knowledge
    for Better Option Pricing" (2001), equation 4.
    """

    name: ClassVar[str] = "softplus"

    formulas = activation(
        forms(log(1 + exp(x)), maximum(x, 0) + log(1 + exp(-absolute(x)))), dy / (1 + exp(-x))
    )

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = log(exp(0) + exp(x))."""
        trace["x"] = x
        return np.logaddexp(0, x, out=trace.buffer("y", x.shape, x.dtype))

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx = dy / (1 + exp(-x))."""
        x = trace["x"]
        dx = sigmoid(x, out=trace.buffer("dx", x.shape, x.dtype))
        dx *= dy
        return dx

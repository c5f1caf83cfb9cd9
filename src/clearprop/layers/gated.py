"""Activations that multiply their input by a gate between 0 and 1: y = x gate(x)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.core.expressions import Call
from clearprop.core.formulas import activation
from clearprop.core.kernels import sigmoid
from clearprop.core.parameters import Array, Params
from clearprop.core.symbols import Symbol, dy, exp, log, tanh, x
from clearprop.core.trace import Trace
from clearprop.layers.activations import Activation

_LARGEST = 20.0  # from here on Mish's gate is 1 to the last bit
_Phi = Symbol("Phi", "normal distribution function", per_sample=True)
_t = Symbol("t", "gate", per_sample=True)


def _normal_distribution(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def _normal_density(x: float) -> float:
    return math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


@dataclass(frozen=True)
class GELU(Activation):
    """Gaussian error linear unit: y = x Phi(x), with Phi the normal distribution function.

    Notes
    -----
    g'(x) = Phi(x) + x phi(x), with phi the normal density. The exact form, not the one by tanh.
    Source: Hendrycks, Gimpel, "Gaussian Error Linear Units" (2016), section 2.
    """

    name: ClassVar[str] = "gelu"

    formulas = activation(
        x * _Phi,
        dy * (_Phi + x * Call("phi", _normal_density, (x,), "with phi the normal density")),
        {_Phi: Call("Phi", _normal_distribution, (x,), "the normal distribution function")},
    )

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = x Phi(x)."""
        from scipy.special import ndtr  # here, so that importing clearprop stays quick

        trace["x"] = x
        trace["Phi"] = ndtr(x, out=trace.buffer("Phi", x.shape, x.dtype))
        return np.multiply(x, trace["Phi"], out=trace.buffer("y", x.shape, x.dtype))

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx = dy (Phi(x) + x phi(x))."""
        x = trace["x"]
        dx = trace.buffer("dx", x.shape, x.dtype)
        np.multiply(x, x, out=dx)
        dx *= -0.5
        np.exp(dx, out=dx)
        dx *= 1 / np.sqrt(2 * np.pi).item()
        dx *= x
        dx += trace["Phi"]
        dx *= dy
        return dx


@dataclass(frozen=True)
class Mish(Activation):
    """Mish: y = x t with t = tanh(log(1 + exp(x))), smooth and slightly negative below zero.

    Notes
    -----
    g'(x) = t + x (1 - t^2) / (1 + exp(-x)). With u = exp(x), t = (u^2 + 2 u) / (u^2 + 2 u + 2):
    one exponential in the place of three. Source: Misra, "Mish: A Self Regularized Non-Monotonic
    Activation Function" (2019), equation 1.
    """

    name: ClassVar[str] = "mish"

    formulas = activation(
        x * _t, dy * (_t + x * (1 - _t**2) / (1 + exp(-x))), {_t: tanh(log(1 + exp(x)))}
    )

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = x t."""
        trace["x"] = x
        trace["t"] = t = trace.buffer("t", x.shape, x.dtype)
        y = trace.buffer("y", x.shape, x.dtype)
        u = np.exp(np.minimum(x, _LARGEST, out=y), out=y)
        np.add(u, 2, out=t)
        t *= u
        np.add(t, 2, out=y)
        t /= y
        return np.multiply(x, t, out=y)

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx = dy (t + x (1 - t^2) / (1 + exp(-x)))."""
        x, t = trace["x"], trace["t"]
        dx = sigmoid(x, out=trace.buffer("dx", x.shape, x.dtype))
        dx *= x
        bent = np.multiply(t, t, out=trace.buffer("bent", x.shape, x.dtype))
        dx *= np.subtract(1, bent, out=bent)
        dx += t
        dx *= dy
        return dx

    @staticmethod
    def loop_bent(z: Array, change: Array, slope: Array) -> None:
        """Write x t - x and the slope; e^x comes as `slope`, which is u.

        Then 1 - t = 2 / (u^2 + 2 u + 2), from which nothing is lost where t is nearly 1.
        """
        one, two = z.dtype.type(1), z.dtype.type(2)
        for i in range(len(z)):
            u = slope[i]
            rest = two / (u * (u + two) + two)
            change[i] = -z[i] * rest
            slope[i] = one - rest + z[i] * rest * (two - rest) * (u / (one + u))

"""Activations as a learner writes them: g(Z), and its derivative in terms of Z and of A = g(Z)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from clearprop.kernels import sigmoid
from clearprop.parameters import Array

Function: TypeAlias = Callable[[Array], Array]


@dataclass(frozen=True)
class Derivative:
    """One formula for g', and how it is written.

    Parameters
    ----------
    of : callable
        The formula.
    written : str
        The same as text, with ``{u}`` for its argument.
    """

    of: Function
    written: str


@dataclass(frozen=True)
class Activation:
    """An element-wise activation.

    Parameters
    ----------
    name : str
    g : callable
    at_Z : Derivative
        g' as a function of Z.
    at_A : Derivative, optional
        g' as a function of A, where one is in use that differs from `at_Z`.
    """

    name: str
    g: Function
    at_Z: Derivative
    at_A: Derivative | None = None

    @property
    def kinked(self) -> bool:
        """Whether the derivative is a mask: 1 above zero, a constant below."""
        return "relu" in self.name


def _leaky(slope: float) -> Activation:
    name = "leaky_relu" if slope == 0.01 else f"leaky_relu({slope:g})"
    return Activation(
        name,
        lambda Z: np.where(Z > 0, Z, slope * Z),
        Derivative(lambda u: np.where(u > 0, 1.0, slope), f"np.where({{u}} > 0, 1, {slope:g})"),
    )


SIGMOID = Activation(
    "sigmoid",
    sigmoid,
    Derivative(lambda u: sigmoid(u) * (1 - sigmoid(u)), "sigmoid({u}) * (1 - sigmoid({u}))"),
    Derivative(lambda u: u * (1 - u), "{u} * (1 - {u})"),
)
TANH = Activation(
    "tanh",
    np.tanh,
    Derivative(lambda u: 1 - np.tanh(u) ** 2, "(1 - np.tanh({u})**2)"),
    Derivative(lambda u: 1 - u**2, "(1 - {u}**2)"),
)
RELU = Activation(
    "relu", lambda Z: np.maximum(Z, 0), Derivative(lambda u: (u > 0) * 1.0, "({u} > 0)")
)
LEAKY_RELU = _leaky(0.01)
IDENTITY = Activation("identity", lambda Z: Z, Derivative(np.ones_like, "1"))

ACTIVATIONS = (
    RELU,
    TANH,
    SIGMOID,
    LEAKY_RELU,
    *map(_leaky, (0.1, 0.2, 0.3, 0.05, 0.001)),
    IDENTITY,
    Activation(
        "elu",
        lambda Z: np.where(Z > 0, Z, np.expm1(np.minimum(Z, 0))),
        Derivative(
            lambda u: np.where(u > 0, 1, np.exp(np.minimum(u, 0))),
            "np.where({u} > 0, 1, np.exp({u}))",
        ),
    ),
    Activation(
        "swish",
        lambda Z: Z * sigmoid(Z),
        Derivative(
            lambda u: sigmoid(u) * (1 + u * (1 - sigmoid(u))),
            "sigmoid({u}) * (1 + {u} * (1 - sigmoid({u})))",
        ),
    ),
    Activation("softplus", lambda Z: np.logaddexp(0, Z), Derivative(sigmoid, "sigmoid({u})")),
)
"""What a hidden layer may have, the usual ones first."""

"""One layer of the course: the linear step, the activation, and both backward."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from clearprop.course.shapes import require_columns, require_linear, require_shape
from clearprop.errors import unknown_name
from clearprop.kernels import sigmoid
from clearprop.layers import Layer, LeakyReLU, ReLU, Sigmoid, Tanh
from clearprop.parameters import Array

LinearCache: TypeAlias = tuple[Array, Array, Array]
"""What the linear step keeps for backward: A_prev, W, b."""

Cache: TypeAlias = tuple[LinearCache, Array]
"""The two caches of a layer: that of the linear step, and Z for the activation."""


class Activation(NamedTuple):
    """An activation, its derivative, and the engine's layer that computes the same."""

    g: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    layer: Layer


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, lambda Z: sigmoid(Z) * (1 - sigmoid(Z)), Sigmoid()),
    "tanh": Activation(np.tanh, lambda Z: 1 - np.tanh(Z) ** 2, Tanh()),
    "relu": Activation(lambda Z: np.maximum(Z, 0), lambda Z: Z > 0, ReLU()),
    "leaky_relu": Activation(
        lambda Z: np.where(Z > 0, Z, 0.01 * Z), lambda Z: np.where(Z > 0, 1, 0.01), LeakyReLU(0.01)
    ),
}


def find_activation(name: str) -> Activation:
    """Return the activation of that name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name not in ACTIVATIONS:
        raise unknown_name("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]


def linear_forward(A_prev: Array, W: Array, b: Array) -> tuple[Array, LinearCache]:
    """Compute Z = W A_prev + b.

    Parameters
    ----------
    A_prev : ndarray, shape (n_prev, m)
    W : ndarray, shape (n, n_prev)
    b : ndarray, shape (n, 1)

    Returns
    -------
    Z : ndarray, shape (n, m)
    cache : tuple
        A_prev, W and b.

    Raises
    ------
    ShapeError
        If the shapes don't fit: b of shape (n,) would be added along the wrong axis.
    """
    require_columns("A_prev", A_prev)
    require_linear(W, b, len(A_prev), "A_prev")
    Z = np.asarray(W @ A_prev + b, np.float64)
    return Z, (A_prev, W, b)


def linear_activation_forward(
    A_prev: Array, W: Array, b: Array, activation: str
) -> tuple[Array, Cache]:
    """Compute A = g(W A_prev + b).

    Parameters
    ----------
    A_prev : ndarray, shape (n_prev, m)
    W : ndarray, shape (n, n_prev)
    b : ndarray, shape (n, 1)
    activation : {"sigmoid", "tanh", "relu", "leaky_relu"}
        The g; leaky ReLU has the slope 0.01 below zero.

    Returns
    -------
    A : ndarray, shape (n, m)
    cache : tuple
        (A_prev, W, b) and Z.
    """
    Z, linear_cache = linear_forward(A_prev, W, b)
    return find_activation(activation).g(Z), (linear_cache, Z)


def linear_backward(dZ: Array, cache: LinearCache) -> tuple[Array, Array, Array]:
    """Compute the gradients of the linear step.

    Parameters
    ----------
    dZ : ndarray, shape (n, m)
    cache : tuple
        What `linear_forward` kept.

    Returns
    -------
    dA_prev : ndarray, shape (n_prev, m)
        W.T dZ.
    dW : ndarray, shape (n, n_prev)
        dZ A_prev.T / m.
    db : ndarray, shape (n, 1)
        The sum of dZ over the samples, divided by m.
    """
    A_prev, W, b = cache
    m = A_prev.shape[1]
    require_shape("dZ", dZ, (len(b), m))
    return W.T @ dZ, dZ @ A_prev.T / m, dZ.sum(axis=1, keepdims=True) / m


def linear_activation_backward(
    dA: Array, cache: Cache, activation: str
) -> tuple[Array, Array, Array]:
    """Compute the gradients of a layer: dZ = dA g'(Z), then those of the linear step.

    Parameters
    ----------
    dA : ndarray, shape (n, m)
    cache : tuple
        What `linear_activation_forward` kept.
    activation : {"sigmoid", "tanh", "relu", "leaky_relu"}
        The one of forward. The derivative of ReLU at 0 is 0.

    Returns
    -------
    dA_prev, dW, db : ndarray
        As `linear_backward` gives them.
    """
    linear_cache, Z = cache
    require_shape("dA", dA, Z.shape)
    return linear_backward(dA * find_activation(activation).derivative(Z), linear_cache)

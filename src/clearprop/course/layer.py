"""One layer of the course: the linear step, the activation, both backward, and their shapes.

Shapes are checked where NumPy would broadcast a mistake, or speak of axes.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np

from clearprop.core.kernels import sigmoid
from clearprop.core.parameters import Array
from clearprop.errors import ShapeError, listed, unknown_name
from clearprop.layers import Layer, LeakyReLU, ReLU, Sigmoid, Tanh

LinearCache: TypeAlias = tuple[Array, Array, Array]
"""The arrays that the linear step keeps for backward: A_prev, W, b."""

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
    """Return the activation of that name, or raise UnknownNameError."""
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
        The cache that `linear_forward` gave.

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
        The cache that `linear_activation_forward` gave.
    activation : {"sigmoid", "tanh", "relu", "leaky_relu"}
        The activation of forward. The derivative of ReLU at 0 is 0.

    Returns
    -------
    dA_prev, dW, db : ndarray
        The gradients as `linear_backward` gives them.
    """
    linear_cache, Z = cache
    require_shape("dA", dA, Z.shape)
    return linear_backward(dA * find_activation(activation).derivative(Z), linear_cache)


def require_shape(name: str, array: Array, expected: tuple[int, ...], why: str = "") -> None:
    """Raise ShapeError for another shape than expected; it names the array and ends with `why`."""
    if np.shape(array) != expected:
        raise ShapeError(f"{name} has shape {np.shape(array)}, expected {expected}{why}.")


def require_columns(name: str, array: Array) -> None:
    """Raise ShapeError for what is not a matrix with at least one sample, a column each."""
    if np.ndim(array) != 2 or np.shape(array)[1] == 0:
        raise ShapeError(
            f"{name} has shape {np.shape(array)}, expected (features, m): a column for each sample."
        )


def require_linear(W: Array, b: Array, inputs: int, below: str, place: str = "") -> None:
    """Raise ShapeError for a W, (n, inputs), or b, (n, 1), that does not fit the layer below.

    The error names ``W2`` or ``b2`` for place ``"2"``; `below` is what W is multiplied with.
    """
    n = len(W) if np.ndim(W) else 1
    require_shape(f"W{place}", W, (n, inputs), f", a column for each row of {below}")
    require_shape(f"b{place}", b, (n, 1), f", a row for each row of W{place}")


def require_parameters(parameters: Mapping[str, Array], n_x: int | None = None) -> int:
    """Return the number L of layers of a network that takes `n_x` features, or as many as W1 does.

    Raises
    ------
    ShapeError
        If the parameters make no such network; it names the first array that does not fit.
    """
    L = max(1, (len(parameters) + 1) // 2)
    names = [f"{kind}{layer}" for layer in range(1, L + 1) for kind in "Wb"]
    if parameters.keys() != set(names):
        raise ShapeError(
            f"parameters has {listed(parameters) or 'nothing'}; "
            f"a network of that many arrays has {listed(names)}."
        )
    inputs = np.atleast_2d(parameters["W1"]).shape[1] if n_x is None else n_x
    below = "X"
    for layer in range(1, L + 1):
        W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
        require_linear(W, b, inputs, below, str(layer))
        inputs, below = len(W), f"A{layer}"
    return L

"""The course's network: [LINEAR -> hidden] x (L-1) -> LINEAR -> SIGMOID, and its training.

`from_course` and `to_course` lead to the engine's network, and back.
"""
# ruff: noqa: N802 - the functions bear the names that the course gave them

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from clearprop.core.initializers import Initializer, Scaled
from clearprop.core.parameters import Array
from clearprop.course.layer import (
    ACTIVATIONS,
    Cache,
    find_activation,
    linear_activation_backward,
    linear_activation_forward,
    linear_backward,
    require_columns,
    require_parameters,
    require_shape,
)
from clearprop.errors import UsageError
from clearprop.layers import Dense, Layer
from clearprop.losses import BinaryCrossEntropy
from clearprop.network import Network


def initialize_parameters_deep(
    layer_dims: Sequence[int],
    seed: int = 1,
    initialization: Initializer = Scaled(),  # noqa: B008 - frozen: nobody can change it
) -> dict[str, Array]:
    """Draw the first weights; biases start at zero.

    Parameters
    ----------
    layer_dims : sequence of int
        n_x and the units of every layer: ``[12288, 20, 7, 5, 1]``.
    seed : int, default 1
    initialization : Initializer, default Scaled()
        The rule that draws the weights. The default is ``randn(n[l], n[l-1]) / sqrt(n[l-1])``.

    Returns
    -------
    dict of str to ndarray
        W1 (n[1], n_x), b1 (n[1], 1), ..., WL, bL.

    Raises
    ------
    UsageError
        If there are fewer than two sizes, or one is below 1.
    """
    if len(layer_dims) < 2 or min(layer_dims) < 1:
        raise UsageError(
            f"layer_dims needs the number of features and the units of each layer, all at least 1; "
            f"found {list(layer_dims)}."
        )
    random_state = np.random.RandomState(seed)
    parameters: dict[str, Array] = {}
    for layer, (inputs, units) in enumerate(pairwise(layer_dims), start=1):
        W = np.empty((units, inputs))
        # An initializer answers in the engine's layout.
        W.T[...] = initialization.draw(random_state, (inputs, units))
        parameters[f"W{layer}"] = W
        parameters[f"b{layer}"] = np.zeros((units, 1))
    return parameters


def L_model_forward(
    X: Array, parameters: Mapping[str, Array], hidden: str = "relu"
) -> tuple[Array, list[Cache]]:
    """Compute [LINEAR -> hidden] x (L-1) -> LINEAR -> SIGMOID.

    Parameters
    ----------
    X : ndarray, shape (n_x, m)
    parameters : mapping of str to ndarray
    hidden : {"relu", "sigmoid", "tanh", "leaky_relu"}

    Returns
    -------
    AL : ndarray, shape (n[L], m)
        Probabilities.
    caches : list of tuple
        One for each layer, the first for layer 1.

    Raises
    ------
    ShapeError
        If an array is missing or does not fit; the message names it.
    """
    require_columns("X", X)
    L = require_parameters(parameters, len(X))
    A = X
    caches = []
    for layer in range(1, L + 1):
        W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
        A, cache = linear_activation_forward(A, W, b, hidden if layer < L else "sigmoid")
        caches.append(cache)
    return A, caches


def compute_cost(AL: Array, Y: Array) -> float:
    """Compute the cross-entropy -(Y log AL + (1 - Y) log(1 - AL)), its mean over the samples.

    A probability that was rounded to 0 or 1 counts as the nearest float64 between them, so that the
    cost stays finite; the engine, which starts from Z, needs no such bound.

    Parameters
    ----------
    AL : ndarray, shape (n[L], m)
    Y : ndarray, shape (n[L], m)
        0 or 1.

    Returns
    -------
    float

    Raises
    ------
    ShapeError
        If AL and Y differ in shape.
    """
    require_shape("Y", Y, AL.shape)
    bounds = np.finfo(np.float64)
    p = np.clip(AL, bounds.tiny, 1 - bounds.epsneg)
    return float(-np.sum(Y * np.log(p) + (1 - Y) * np.log1p(-p)) / Y.shape[1])


def L_model_backward(
    AL: Array, Y: Array, caches: Sequence[Cache], hidden: str = "relu"
) -> dict[str, Array]:
    """Compute every gradient of the cost, from the last layer to the first.

    Parameters
    ----------
    AL : ndarray, shape (n[L], m)
    Y : ndarray, shape (n[L], m)
    caches : sequence of tuple
        The caches that `L_model_forward` gave.
    hidden : {"relu", "sigmoid", "tanh", "leaky_relu"}
        The activation of forward.

    Returns
    -------
    dict of str to ndarray
        dW1, db1, ..., dWL, dbL, and dA0, ..., dA(L-1): each of the shape of what it belongs to.

    Raises
    ------
    ShapeError
        If AL and Y differ in shape.
    UsageError
        If forward had another `hidden`.

    Notes
    -----
    dAL = -(Y / AL - (1 - Y) / (1 - AL)) is not computed, because it divides by zero where a
    probability is rounded to 0 or 1. The sigmoid's derivative AL (1 - AL) cancels its
    denominators: dZL = AL - Y.
    """
    require_shape("Y", Y, AL.shape)
    _require_hidden(caches, hidden)
    L = len(caches)
    linear_cache, _ = caches[-1]
    dA, dW, db = linear_backward(AL - Y, linear_cache)
    grads = {f"dA{L - 1}": dA, f"dW{L}": dW, f"db{L}": db}
    for layer in range(L - 1, 0, -1):
        dA, dW, db = linear_activation_backward(dA, caches[layer - 1], hidden)
        grads |= {f"dA{layer - 1}": dA, f"dW{layer}": dW, f"db{layer}": db}
    return grads


def update_parameters(
    parameters: Mapping[str, Array], grads: Mapping[str, Array], learning_rate: float
) -> dict[str, Array]:
    """Return the parameters after a step of gradient descent: W - learning_rate dW, b likewise."""
    return {name: array - learning_rate * grads[f"d{name}"] for name, array in parameters.items()}


def L_layer_model(
    X: Array,
    Y: Array,
    layers_dims: Sequence[int],
    learning_rate: float = 0.0075,
    num_iterations: int = 3000,
    print_cost: bool = False,
    *,
    hidden: str = "relu",
    seed: int = 1,
    initialization: Initializer = Scaled(),  # noqa: B008 - frozen: nobody can change it
) -> tuple[dict[str, Array], list[float]]:
    """Train a network by gradient descent on all samples at once.

    Parameters
    ----------
    X : ndarray, shape (n_x, m)
    Y : ndarray, shape (n[L], m)
    layers_dims : sequence of int
        n_x and the units of every layer.
    learning_rate : float, default 0.0075
    num_iterations : int, default 3000
    print_cost : bool, default False
        Whether to print every cost that is returned.
    hidden : {"relu", "sigmoid", "tanh", "leaky_relu"}
    seed, initialization
        The seed and the rule that `initialize_parameters_deep` takes.

    Returns
    -------
    parameters : dict of str to ndarray
    costs : list of float
        The costs before iterations 0, 100, 200, ...
    """
    parameters = initialize_parameters_deep(layers_dims, seed, initialization)
    costs = []
    for iteration in range(num_iterations):
        AL, caches = L_model_forward(X, parameters, hidden)
        if iteration % 100 == 0:
            costs.append(compute_cost(AL, Y))
            if print_cost:
                print(f"Cost after iteration {iteration}: {costs[-1]:.6f}")
        grads = L_model_backward(AL, Y, caches, hidden)
        parameters = update_parameters(parameters, grads, learning_rate)
    return parameters, costs


def predict(
    X: Array, parameters: Mapping[str, Array], y: Array | None = None, hidden: str = "relu"
) -> Array:
    """Return 1 where the probability is over one half, else 0; print the accuracy where y is given.

    Parameters
    ----------
    X : ndarray, shape (n_x, m)
    parameters : mapping of str to ndarray
    y : ndarray, shape (n[L], m), optional
        The truth.
    hidden : {"relu", "sigmoid", "tanh", "leaky_relu"}

    Returns
    -------
    ndarray of int64, shape (n[L], m)
    """
    AL, _ = L_model_forward(X, parameters, hidden)
    p = (AL > 0.5).astype(np.int64)
    if y is not None:
        require_shape("y", y, p.shape)
        print(f"Accuracy: {np.mean(p == y):.4f}")
    return p


def to_course(network: Network) -> dict[str, Array]:
    """Return the parameters of a network of the engine, in the course's layout.

    Parameters
    ----------
    network : Network
        Dense layers with one of the course's activations between them, the same everywhere, and
        `BinaryCrossEntropy`.

    Returns
    -------
    dict of str to ndarray
        Copies, in the network's dtype: W1 (n[1], n_x), b1 (n[1], 1), ...

    Raises
    ------
    UsageError
        If the network is another one.
    """
    dense, between = network.layers[::2], network.layers[1::2]
    hidden = [activation.layer for activation in ACTIVATIONS.values()]
    if not (
        all(isinstance(layer, Dense) and layer.bias for layer in dense)
        and len(dense) == len(between) + 1
        and any(all(layer == known for layer in between) for known in hidden)
        and network.loss == BinaryCrossEntropy()
    ):
        raise UsageError(
            "The course's networks are Dense layers with biases, the same ReLU(), Sigmoid(), "
            f"Tanh() or LeakyReLU() between them, and BinaryCrossEntropy(); found {network}."
        )
    parameters = {}
    for layer in range(1, len(dense) + 1):
        parameters[f"W{layer}"] = network.parameters[f"{2 * layer - 2}.W"].T.copy()
        parameters[f"b{layer}"] = network.parameters[f"{2 * layer - 2}.b"][:, np.newaxis].copy()
    return parameters


def from_course(parameters: Mapping[str, Array], *, hidden: str = "relu") -> Network:
    """Return the engine's network that computes what `L_model_forward` does.

    Parameters
    ----------
    parameters : mapping of str to ndarray
    hidden : {"relu", "sigmoid", "tanh", "leaky_relu"}

    Returns
    -------
    Network
        A network in float64. It takes samples as rows: ``network.predict_proba(X.T)``.

    Raises
    ------
    ShapeError
        If an array is missing or does not fit; the message names it.
    """
    L = require_parameters(parameters)
    layers: list[Layer] = []
    arrays: dict[str, Array] = {}
    for layer in range(1, L + 1):
        W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
        layers += [Dense(len(W)), find_activation(hidden).layer]
        arrays |= {f"{2 * layer - 2}.W": W.T, f"{2 * layer - 2}.b": b[:, 0]}
    network = Network(
        layers[:-1], loss=BinaryCrossEntropy(), input_shape=parameters["W1"].shape[1:]
    )
    network.parameters.assign(arrays)
    return network


def _require_hidden(caches: Sequence[Cache], hidden: str) -> None:
    g = find_activation(hidden).g
    for layer, ((_, Z), ((A, _, _), _)) in enumerate(pairwise(caches), start=1):
        if not np.allclose(g(Z), A, equal_nan=True):
            raise UsageError(
                f"A{layer} in the caches is not {hidden}(Z{layer}). Give L_model_backward the same "
                "hidden as L_model_forward."
            )

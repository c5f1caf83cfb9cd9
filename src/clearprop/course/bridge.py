"""From the course's dictionary to the engine's network, and back."""

from collections.abc import Mapping

import numpy as np

from clearprop.course.layer import ACTIVATIONS, find_activation, require_parameters
from clearprop.errors import UsageError
from clearprop.layers import Dense, Layer
from clearprop.losses import BinaryCrossEntropy
from clearprop.network import Network
from clearprop.parameters import Array


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
        In float64. It takes samples as rows: ``network.predict_proba(X.T)``.

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

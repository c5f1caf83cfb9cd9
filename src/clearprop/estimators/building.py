"""The network that an estimator's parameters describe, its first weights, and rows for it."""

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from clearprop import layers
from clearprop.configuration import classes_in
from clearprop.core.initializers import GlorotUniform
from clearprop.core.parameters import Array
from clearprop.errors import unknown_name
from clearprop.network import Network
from clearprop.training.engines import SparseRows

if TYPE_CHECKING:
    from clearprop.estimators.estimator import Estimator

ACTIVATIONS: dict[str, layers.Layer | None] = {
    "identity": None,
    **{one.scikit_learn or one.name.replace("-", "_"): one for one in layers.ACTIVATIONS.values()},
}
"""Activations by scikit-learn's names, and those that it lacks; the identity is no layer."""

_NO_ACTIVATIONS = tuple(
    kind
    for kind in classes_in(vars(layers), layers.Layer)
    if not issubclass(kind, layers.Activation)
)


def activation_of(given: Any) -> layers.Layer | None:
    """Return the layer of an activation that is given by name or as a layer.

    Raises
    ------
    ValueError
        If nothing goes by that name, or the layer is no activation.
    """
    if isinstance(given, _NO_ACTIVATIONS):
        raise ValueError(
            f"activation can't be {given!r}. Hidden layers come from hidden_layer_sizes, and what "
            "else follows them from dropout and batch_norm."
        )
    if isinstance(given, layers.Layer):
        return given
    if isinstance(given, type) and issubclass(given, layers.Layer):
        raise ValueError(f"activation takes a layer, {given.__name__}(), and not its class.")
    if not isinstance(given, str) or given not in ACTIVATIONS:
        raise unknown_name("activation", str(given), ACTIVATIONS)
    return ACTIVATIONS[given]


def share_of(given: Any) -> float:
    """Return the share that dropout drops after a layer.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not (isinstance(given, Real) and 0 <= float(given) < 1):
        raise ValueError(f"dropout must hold shares of at least 0 and below 1, got {given!r}.")
    return float(given)


def per_layer(name: str, given: Any, hidden: int) -> list[Any]:
    """Return one value for each hidden layer.

    Parameters
    ----------
    name : str
        The name of the parameter, for messages.
    given : object
        One value for all, or a sequence of one for each.
    hidden : int
        The number of hidden layers.

    Raises
    ------
    ValueError
        If there are more or fewer values than hidden layers.
    """
    if isinstance(given, str | layers.Layer) or not isinstance(given, Sequence | np.ndarray):
        return [given] * hidden
    if len(given) != hidden:
        raise ValueError(
            f"The parameter {name!r} has {len(given)} values, and there are {hidden} hidden layers."
        )
    return list(given)


def layers_of(estimator: "Estimator", units: Sequence[int]) -> tuple[layers.Layer, ...]:
    """Return the layers that an estimator's parameters describe.

    Parameters
    ----------
    estimator : Estimator
    units : sequence of int
        The number of units of every hidden layer, and of the output.
    """
    *hidden, outputs = units
    activations = per_layer("activation", estimator.activation, len(hidden))
    dropout = per_layer("dropout", estimator.dropout, len(hidden))
    # Unless one is asked for, `draw_weights` writes over whatever this one makes.
    init = GlorotUniform() if estimator.init is None else estimator.init
    stack: list[layers.Layer] = []
    for size, given, share in zip(hidden, activations, dropout, strict=True):
        activation, rate = activation_of(given), share_of(share)
        stack.append(layers.Dense(int(size), init))
        stack += [layers.BatchNorm()] * estimator.batch_norm
        stack += [activation] if activation is not None else []
        stack += [layers.Dropout(rate)] if rate else []
    return *stack, layers.Dense(int(outputs), init)


def network_of(estimator: "Estimator", sizes: Sequence[int], dtype: Any) -> Network:
    """Return the network that an estimator's parameters and targets describe.

    Parameters
    ----------
    estimator : Estimator
    sizes : sequence of int
        The number of features, and then the units as `layers_of` takes them.
    dtype : dtype-like
    """
    features, *units = sizes
    stack, loss = layers_of(estimator, units), estimator._engine_loss()
    return Network(stack, loss=loss, input_shape=(int(features),), dtype=dtype)


def dense_places(network: Network) -> list[str]:
    """Return the names of the Dense layers, from input to output."""
    return [
        str(place) for place, layer in enumerate(network.layers) if isinstance(layer, layers.Dense)
    ]


def weights_and_biases(network: Network) -> tuple[list[Array], list[Array]]:
    """Return the arrays W (D, M) and b (M,) of every Dense layer: views, not copies."""
    places, parameters = dense_places(network), network.parameters
    return [parameters[f"{at}.W"] for at in places], [parameters[f"{at}.b"] for at in places]


def draw_weights(
    network: Network,
    random_state: np.random.RandomState,
    dtype: np.dtype[Any],
    *,
    logistic: bool,
) -> None:
    """Draw weights and biases as scikit-learn does, in its order.

    Parameters
    ----------
    network : Network
        Its Dense layers are written to.
    random_state : numpy.random.RandomState
        It is advanced.
    dtype : numpy.dtype
        The type that draws are rounded to.
    logistic : bool
        Whether a network without hidden layers is drawn as if there were a sigmoid.

    Notes
    -----
    Uniform on ±sqrt(factor / (inputs + units)), biases too, with a factor of 2 before a sigmoid and
    of 6 otherwise; the output layer is drawn as the last hidden one. Source: Glorot, Bengio,
    "Understanding the difficulty of training deep feedforward neural networks" (2010), equation 16,
    whose bound is that for tanh.
    """
    factor = 2.0 if logistic else 6.0
    for place in dense_places(network):
        following = network.layers[int(place) + 1 :]
        if following:
            hidden = next((one for one in following if not isinstance(one, layers.BatchNorm)), None)
            factor = 2.0 if isinstance(hidden, layers.Sigmoid) else 6.0
        W, b = network.parameters[f"{place}.W"], network.parameters[f"{place}.b"]
        bound = np.sqrt(factor / sum(W.shape))
        for array in (W, b):
            array[...] = random_state.uniform(-bound, bound, array.shape).astype(dtype)


def rows_of(X: Any, dtype: np.dtype[Any]) -> Any:
    """Return checked samples as rows that batches are taken of: an array, or `SparseRows`.

    Parameters
    ----------
    X : ndarray or scipy.sparse CSR matrix, shape (N, D)
    dtype : numpy.dtype
        The network's.
    """
    if isinstance(X, np.ndarray):
        return X.astype(dtype, copy=False)
    return SparseRows(X.astype(dtype, copy=False), np.arange(X.shape[0]))

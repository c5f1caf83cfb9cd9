"""Rows of samples, dense or sparse, passed through an estimator's network."""

from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.core.trace import Trace
from clearprop.layers import Dense, Dropout, Sequential
from clearprop.network import Network
from clearprop.training.engines import Engine, SparseEngine, SparseRows


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


def engine_for(network: Network, rows: Any) -> Engine:
    """Return the engine that passes such rows through a network."""
    kind = SparseEngine if isinstance(rows, SparseRows) else Engine
    return kind(network, network.loss, rows)


def hidden_outputs(engine: Engine, layer: int) -> Array:
    """Compute the outputs of one hidden layer's activation for the rows of an engine.

    Parameters
    ----------
    engine : Engine
    layer : int
        From 0; negative numbers count from the last.

    Returns
    -------
    ndarray, shape (N, units)

    Raises
    ------
    ValueError
        If there is no such hidden layer.
    """
    layers = engine.network.layers
    *hidden, _ = ((place, one.units) for place, one in enumerate(layers) if isinstance(one, Dense))
    if not -len(hidden) <= layer < len(hidden):
        raise ValueError(f"There are {len(hidden)} hidden layers; found layer={layer}.")
    first, units = hidden[layer]
    end = first + 1
    while not isinstance(layers[end], Dense | Dropout):
        end += 1
    body, trace, X = Sequential(engine.body.layers[:end]), Trace(), engine.X
    outputs = np.empty((len(X), units), engine.dtype)
    for start in range(0, len(X), engine.chunk):
        rows = slice(start, start + engine.chunk)
        outputs[rows] = body.forward(engine.stack.params, engine.inputs(X[rows]), trace)
    return outputs

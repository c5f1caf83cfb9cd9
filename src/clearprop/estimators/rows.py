"""Rows of samples, dense or sparse, and the network that takes sparse ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.kernels import sparse_multiply, sparse_multiply_transposed
from clearprop.layers import Dense, Dropout, Sequential
from clearprop.network import Network
from clearprop.parameters import Array, Params
from clearprop.sample_space import SampleNetwork
from clearprop.trace import Trace
from clearprop.training.batches import Rows

_CHUNK = 2**17  # numbers in the widest layer at a time: 1 MiB in float64, within a core's cache


@dataclass(frozen=True)
class SparseRows:
    """Some rows of a sparse matrix, which are never made dense.

    Parameters
    ----------
    matrix : scipy.sparse CSR matrix, shape (R, D)
    rows : ndarray of int64, shape (N,)
    """

    matrix: Any
    rows: Array

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (N, D) of these rows."""
        return len(self.rows), self.matrix.shape[1]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, batch: Rows) -> "SparseRows":
        return SparseRows(self.matrix, self.rows[batch])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Make the rows dense, for who looks at a few of them."""
        return np.asarray(self.matrix[self.rows].toarray(), dtype)

    def arrays(self) -> tuple[Array, ...]:
        """Return data, indices, indptr and rows, as the products take them."""
        matrix = self.matrix
        return matrix.data, matrix.indices, matrix.indptr, self.rows


@dataclass(frozen=True)
class SparseDense(Dense):
    """A Dense layer for `SparseRows`: y = x W + b, dW = x.T dy."""

    def forward(self, params: Params, x: Any, trace: Trace) -> Array:
        """Return y = x W + b, shape (N, M)."""
        trace["x"] = x
        W = params["W"]
        y = trace.buffer("y", (len(x), self.units), W.dtype)
        sparse_multiply(*x.arrays(), W, y)
        if self.bias:
            y += params["b"]
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> None:
        """Write dW and db; the samples have no gradient."""
        sparse_multiply_transposed(*trace["x"].arrays(), dy, grads["W"])
        if self.bias:
            np.sum(dy, axis=0, out=grads["b"])


class SparseNetwork(Network):
    """The same network, of the same parameters, for `SparseRows`.

    Parameters
    ----------
    network : Network
        Its first layer is Dense. It shares its parameters and state with this one.
    """

    def __init__(self, network: Network) -> None:
        self.__dict__.update(network.__dict__)
        self.dense = network
        first, *others = network.layers
        assert isinstance(first, Dense)  # noqa: S101 - for the type checker: estimators build it so
        self.layers = (SparseDense(first.units, first.init, first.bias), *others)
        self.body = Sequential(self.layers)

    def inputs(self, X: Any) -> Any:
        """Take sparse rows as they are."""
        return X

    def copy(self) -> Network:
        """Return a copy of the network that it stands for, which takes arrays."""
        return self.dense.copy()


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


def engine_for(network: Network, rows: Any) -> Network:
    """Return the network itself, or the one that stands for it where rows are sparse."""
    return SparseNetwork(network) if isinstance(rows, SparseRows) else network


def chunk_rows(network: Network) -> int:
    """Return how many samples to pass through a network at a time."""
    widest = max(len(bias) for name, bias in network.parameters.items() if name.endswith(".b"))
    return max(1, _CHUNK // widest)


def logits_of(network: Network, X: Any) -> Array:
    """Compute the logits of any number of samples, a chunk of rows after the other.

    Parameters
    ----------
    network : Network
        A `SparseNetwork` for sparse rows, a `SampleNetwork` for row numbers.
    X : ndarray, SparseRows or RowNumbers, shape (N, D)

    Returns
    -------
    ndarray, shape (N, K)
    """
    if isinstance(network, SampleNetwork):
        return network.logits(X)
    rows, trace = chunk_rows(network), Trace()
    logits = np.empty((len(X), network.output_shape[0]), network.dtype)
    for start in range(0, len(X), rows):
        chunk = X[start : start + rows]
        logits[start : start + rows] = network.forward(chunk, trace)
    return logits


def hidden_outputs(network: Network, X: Any, layer: int) -> Array:
    """Compute what one hidden layer's activation gives for any number of samples.

    Parameters
    ----------
    network : Network
        As in `logits_of`.
    X : ndarray or SparseRows, shape (N, D)
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
    *hidden, _ = (
        (place, one.units) for place, one in enumerate(network.layers) if isinstance(one, Dense)
    )
    if not -len(hidden) <= layer < len(hidden):
        raise ValueError(f"There are {len(hidden)} hidden layers; found layer={layer}.")
    first, units = hidden[layer]
    end = first + 1
    while not isinstance(network.layers[end], Dense | Dropout):
        end += 1
    body = Sequential(network.layers[:end])
    params = {
        name: {**network.parameters.tree.get(name, {}), **network.state.tree.get(name, {})}
        for name in body.names
    }
    rows, trace = chunk_rows(network), Trace()
    outputs = np.empty((len(X), units), network.dtype)
    for start in range(0, len(X), rows):
        outputs[start : start + rows] = body.forward(params, X[start : start + rows], trace)
    return outputs

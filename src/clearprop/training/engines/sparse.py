"""Training on rows of a sparse matrix, which are never made dense."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.kernels import sparse_multiply, sparse_multiply_transposed
from clearprop.core.parameters import Array, Params
from clearprop.core.trace import Trace
from clearprop.layers import Dense, Sequential
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.training.engines.base import Engine
from clearprop.training.samples import Rows


@dataclass(frozen=True)
class SparseRows:
    """Some rows of a sparse matrix.

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


class SparseEngine(Engine):
    """An engine that passes `SparseRows` through the network's own parameters.

    Parameters
    ----------
    network : Network
        A network whose first layer is Dense.
    X, held_out : SparseRows, shape (N, D) and (H, D)
    """

    def __init__(self, network: Network, loss: Loss, X: Any, held_out: Any = None) -> None:
        super().__init__(network, loss, X, held_out)
        first, *others = network.layers
        assert isinstance(first, Dense)  # noqa: S101 - for the type checker: estimators build it so
        self.body = Sequential((SparseDense(first.units, first.init, first.bias), *others))

    def inputs(self, x: Any) -> Any:
        """Take sparse rows as they are."""
        return x

    def compiled_inputs(self) -> None:
        """Return None: compiled steps know arrays only."""

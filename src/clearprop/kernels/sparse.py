"""Products of some rows of a sparse matrix, without making a matrix of those rows.

The matrix comes as its three arrays in compressed row form (CSR): row n has the numbers
``data[indptr[n]:indptr[n + 1]]`` in the columns that `indices` names at the same places.
"""

from typing import Any

from clearprop.kernels.kernel import Kernel
from clearprop.parameters import Array


def _gathered(data: Array, indices: Array, indptr: Array, rows: Array, columns: int) -> Any:
    from scipy.sparse import csr_array  # here, so that importing clearprop stays quick

    return csr_array((data, indices, indptr), shape=(len(indptr) - 1, columns))[rows]


def _multiply(data: Array, indices: Array, indptr: Array, rows: Array, W: Array, y: Array) -> None:
    y[...] = _gathered(data, indices, indptr, rows, len(W)) @ W


def _multiply_loop(
    data: Array, indices: Array, indptr: Array, rows: Array, W: Array, y: Array
) -> None:
    for n in range(rows.size):
        for m in range(W.shape[1]):
            y[n, m] = 0
        for k in range(indptr[rows[n]], indptr[rows[n] + 1]):
            factor, d = data[k], indices[k]
            for m in range(W.shape[1]):
                y[n, m] += factor * W[d, m]


def _multiply_transposed(
    data: Array, indices: Array, indptr: Array, rows: Array, dy: Array, dW: Array
) -> None:
    dW[...] = _gathered(data, indices, indptr, rows, len(dW)).T @ dy


def _multiply_transposed_loop(
    data: Array, indices: Array, indptr: Array, rows: Array, dy: Array, dW: Array
) -> None:
    for d in range(dW.shape[0]):
        for m in range(dW.shape[1]):
            dW[d, m] = 0
    for n in range(rows.size):
        for k in range(indptr[rows[n]], indptr[rows[n] + 1]):
            factor, d = data[k], indices[k]
            for m in range(dW.shape[1]):
                dW[d, m] += factor * dy[n, m]


_SIGNATURE = "void(T[::1], int32[::1], int32[::1], int64[::1], T[:, ::1], T[:, ::1])"

sparse_multiply = Kernel(_multiply, _multiply_loop, _SIGNATURE)
"""``sparse_multiply(data, indices, indptr, rows, W, y)``: write y (B, M) = X[rows] W."""

sparse_multiply_transposed = Kernel(_multiply_transposed, _multiply_transposed_loop, _SIGNATURE)
"""``sparse_multiply_transposed(data, indices, indptr, rows, dy, dW)``: dW (D, M) = X[rows].T dy."""

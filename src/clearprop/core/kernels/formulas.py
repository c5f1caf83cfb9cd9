"""Formulas that layers and losses share: sigmoid, ReLU, softmax, and products of sparse rows.

Of the softmax, exp and log are left to NumPy, whose are as fast as any. A sparse matrix comes as
its three arrays in compressed row form (CSR): row n has ``data[indptr[n]:indptr[n + 1]]`` in the
columns that `indices` names at the same places. Products take some of its rows, without making a
matrix of those.
"""

from typing import Any

import numpy as np

from clearprop.core.kernels.kernel import Kernel
from clearprop.core.parameters import Array


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """Return 1 / (1 + exp(-x)), to the last bits at both ends.

    Parameters
    ----------
    x : ndarray of float
    out : ndarray, optional
        The array to write to; a new one otherwise.

    Returns
    -------
    ndarray
        An array of the shape and dtype of `x`. Far below zero exp(-x) overflows to infinity, and
        its reciprocal is the right 0.
    """
    y = np.negative(x, out=out)
    with np.errstate(over="ignore"):
        np.exp(y, out=y)
    y += 1
    return np.reciprocal(y, out=y)


def _relu(x: Array, y: Array) -> None:
    np.maximum(x, 0, out=y)


def _relu_loop(x: Array, y: Array) -> None:
    for i in range(x.size):
        y[i] = x[i] if x[i] > 0 or x[i] != x[i] else 0  # NaN stays NaN


def _relu_backward(y: Array, dy: Array, dx: Array, alive: Array) -> None:
    np.greater(y, 0, out=alive)
    np.multiply(dy, alive, out=dx)


def _relu_backward_loop(y: Array, dy: Array, dx: Array, alive: Array) -> None:
    for i in range(y.size):
        dx[i] = dy[i] * (y[i] > 0)


relu = Kernel(_relu, _relu_loop, "void(T[::1], T[::1])")
"""``relu(x, y)``: write y = max(x, 0)."""

relu_backward = Kernel(
    _relu_backward, _relu_backward_loop, "void(T[::1], T[::1], T[::1], boolean[::1])"
)
"""``relu_backward(y, dy, dx, alive)``: write dx = dy where y > 0, else 0; `alive` is scratch."""


def _shift(logits: Array, shifted: Array) -> None:
    np.subtract(logits, logits.max(axis=1, keepdims=True), out=shifted)


def _shift_loop(logits: Array, shifted: Array) -> None:
    for n in range(logits.shape[0]):
        largest = logits[n, 0]
        for k in range(1, logits.shape[1]):
            if logits[n, k] > largest or logits[n, k] != logits[n, k]:  # NaN stays NaN
                largest = logits[n, k]
        for k in range(logits.shape[1]):
            shifted[n, k] = logits[n, k] - largest


def _pick(p: Array, shifted: Array, total: Array, labels: Array, losses: Array) -> None:
    rows = np.arange(len(labels))
    p /= total[:, np.newaxis]
    losses -= shifted[rows, labels]
    p[rows, labels] -= 1


def _pick_loop(p: Array, shifted: Array, total: Array, labels: Array, losses: Array) -> None:
    for n in range(p.shape[0]):
        for k in range(p.shape[1]):
            p[n, k] /= total[n]
        losses[n] -= shifted[n, labels[n]]
        p[n, labels[n]] -= 1


softmax_shift = Kernel(_shift, _shift_loop, "void(T[:, ::1], T[:, ::1])")
"""``softmax_shift(logits, shifted)``: write each row (N, K) less its largest number."""

softmax_pick = Kernel(_pick, _pick_loop, "void(T[:, ::1], T[:, ::1], T[::1], int64[::1], T[::1])")
"""``softmax_pick(p, shifted, total, labels, losses)``: bring labels (N,) into loss and gradient.

p (N, K) comes as exp(shifted), and becomes p / total - one-hot; losses (N,) come as log(total), and
lose the shifted logit of their label.
"""


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

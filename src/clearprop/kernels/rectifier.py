"""The rectified linear unit, of flat arrays."""

import numpy as np

from clearprop.kernels.kernel import Kernel
from clearprop.parameters import Array


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

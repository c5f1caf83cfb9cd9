"""The formulas of compiled steps: activations, dropout and losses.

Nothing here is imported without Numba. exp, log and tanh are the compiler's own, whose last bit may
differ from NumPy's.
"""

import numpy as np

from clearprop.fused.chain import LEAKY_RELU, RELU, SIGMOID, TANH
from clearprop.fused.crew import compiled
from clearprop.parameters import Array


@compiled
def activate(activation: int, slope: float, y: Array) -> None:
    """Apply an activation in place."""
    zero, one = y.dtype.type(0), y.dtype.type(1)  # 0 and 1 would be wider numbers, and slow
    if activation == RELU:
        for i in range(len(y)):
            y[i] = y[i] if y[i] > zero or y[i] != y[i] else zero  # NaN stays NaN
    elif activation == LEAKY_RELU:
        for i in range(len(y)):
            y[i] = y[i] if y[i] > zero else slope * y[i]
    elif activation == SIGMOID:
        for i in range(len(y)):
            y[i] = one / (one + np.exp(-y[i]))
    elif activation == TANH:
        for i in range(len(y)):
            y[i] = np.tanh(y[i])


@compiled
def deactivate(activation: int, slope: float, y: Array, dy: Array) -> None:
    """Multiply by the activation's derivative, which is a function of its output, in place."""
    zero, one = y.dtype.type(0), y.dtype.type(1)
    if activation == RELU:
        for i in range(len(y)):
            dy[i] = dy[i] if y[i] > zero else zero
    elif activation == LEAKY_RELU:
        for i in range(len(y)):
            dy[i] = dy[i] if y[i] > zero else slope * dy[i]
    elif activation == SIGMOID:
        for i in range(len(y)):
            dy[i] *= y[i] * (one - y[i])
    elif activation == TANH:
        for i in range(len(y)):
            dy[i] *= one - y[i] * y[i]


@compiled
def drop(y: Array, kept: Array, scale: float) -> None:
    """Let some numbers stay, in place."""
    zero = y.dtype.type(0)
    for n in range(y.shape[0]):
        for k in range(y.shape[1]):
            y[n, k] = y[n, k] * scale if kept[n, k] else zero


@compiled
def binary_cross_entropy(z: Array, n: int, y: Array, row: int, cap: float, dz: Array) -> float:
    """Return the loss of sample n of z (B, K) and targets y[row] (N, K); write dz[n] (B, K)."""
    loss, one = 0.0, z.dtype.type(1)
    for k in range(z.shape[1]):
        e = np.exp(-abs(z[n, k]))
        dz[n, k] = 1 / (1 + e) if z[n, k] > 0 else e / (1 + e)
        if cap < np.inf:  # who caps losses takes them from probabilities, as rounded as they are
            output = -np.log(dz[n, k] if y[row, k] else one - dz[n, k])
            loss += cap if output > cap else output  # NaN stays NaN
        else:
            loss += max(z[n, k], 0) - z[n, k] * y[row, k] + np.log1p(e)
        dz[n, k] -= y[row, k]
    return loss


@compiled
def softmax_cross_entropy(
    z: Array, n: int, labels: Array, y: Array, row: int, cap: float, dz: Array
) -> float:
    """Return the loss of sample n, of its label (N,) or its shares y[row] (N, K); else as above."""
    largest = z[n, 0]
    for k in range(1, z.shape[1]):
        if z[n, k] > largest or z[n, k] != z[n, k]:  # NaN stays NaN
            largest = z[n, k]
    total = 0.0
    for k in range(z.shape[1]):
        dz[n, k] = np.exp(z[n, k] - largest)
        total += dz[n, k]
    loss = np.log(total)
    for k in range(z.shape[1]):
        dz[n, k] /= total
    if len(labels):
        loss -= z[n, labels[row]] - largest
        dz[n, labels[row]] -= 1
    else:
        for k in range(z.shape[1]):
            loss -= (z[n, k] - largest) * y[row, k]
            dz[n, k] -= y[row, k]
    return cap if loss > cap else loss  # NaN stays NaN


@compiled
def squared_error(z: Array, n: int, y: Array, row: int, half: bool, dz: Array) -> float:
    """Return the squared error of sample n, or half of it; arrays as above."""
    loss, units = 0.0, z.shape[1]
    for k in range(units):
        difference = z[n, k] - y[row, k]
        loss += difference * difference
        dz[n, k] = difference if half else difference * 2 / units
    return 0.5 * loss / units if half else loss / units

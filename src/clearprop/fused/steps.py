"""Whole training steps of a chain, compiled by Numba: nothing here is imported without it.

Matrix products go to the same kind of library as NumPy's do. exp, log and tanh are the compiler's
own, whose last bit may differ from NumPy's.
"""

from typing import Any

import numpy as np
from numba import njit

from clearprop import kernels
from clearprop.fused.chain import (
    ACTIVATION,
    ADAPT,
    BINARY_CROSS_ENTROPY,
    DESCEND,
    DY,
    INPUTS,
    LEAKY_RELU,
    LOOK_AHEAD,
    NONE,
    PUSH,
    RELU,
    SCALE,
    SIGMOID,
    SOFTMAX_CROSS_ENTROPY,
    TANH,
    UNITS,
    B,
    Batches,
    Chain,
    Vectors,
    W,
    Y,
)
from clearprop.parameters import Array

_compiled: Any = njit(cache=True, nogil=True, error_model="numpy")
_adapt, _descend, _look_ahead, _push, _scale = (
    _compiled(kernel.loop)
    for kernel in (
        kernels.adapt,
        kernels.descend,
        kernels.look_ahead,
        kernels.push,
        kernels.scale,
    )
)


@_compiled
def train(chain: Chain, vectors: Vectors, batches: Batches, losses: Array, logits: Array) -> int:
    """Do an update for each batch, and return how many were done.

    It ends before the update of a batch whose loss is not finite.

    Parameters
    ----------
    chain : Chain
    vectors : Vectors
    batches : Batches
    losses : ndarray of float64, shape (S,)
        Takes the loss of every batch.
    logits : ndarray, shape (R, K)
        Takes the logits of every sample of every batch.
    """
    for update in range(len(losses)):
        first, last = batches.bounds[update], batches.bounds[update + 1]
        _forward(chain, vectors, batches, first, last, logits)
        counted, loss = _loss(chain, vectors, batches, first, last, logits)
        _backward(chain, vectors, batches, first, last)
        if chain.alpha:
            loss += _pull(chain, vectors, chain.alpha / counted)
        losses[update] = loss
        if not np.isfinite(loss):
            return update
        if batches.factors[update] != 1:
            for begin, end in chain.decayed:
                vectors.params[begin:end] *= batches.factors[update]
        _step(chain.kernel, vectors, batches.coefficients[update])
    return len(losses)


@_compiled
def _output(chain: Chain, which: int, layer: int, samples: int, memory: Array) -> Array:
    begin, units = chain.layers[layer, which], chain.layers[layer, UNITS]
    return memory[begin : begin + samples * units].reshape(samples, units)


@_compiled
def _weights(chain: Chain, layer: int, vector: Array) -> Array:
    begin, inputs, units = (
        chain.layers[layer, W],
        chain.layers[layer, INPUTS],
        chain.layers[layer, UNITS],
    )
    return vector[begin : begin + inputs * units].reshape(inputs, units)


@_compiled
def _bias(chain: Chain, layer: int, vector: Array) -> Array:
    begin = chain.layers[layer, B]
    return vector[begin : begin + chain.layers[layer, UNITS]] if begin != NONE else vector[:0]


@_compiled
def _forward(
    chain: Chain, vectors: Vectors, batches: Batches, first: int, last: int, logits: Array
) -> None:
    memory, top = vectors.memory, len(chain.layers) - 1
    for layer in range(top + 1):
        y = logits[first:last] if layer == top else _output(chain, Y, layer, last - first, memory)
        weights = _weights(chain, layer, vectors.params)
        if layer:
            np.dot(_output(chain, Y, layer - 1, last - first, memory), weights, y)
        else:
            np.dot(batches.X[first:last], weights, y)
            if chain.scaled_at != NONE:
                factor = vectors.params[chain.scaled_at]
                for n in range(last - first):
                    for k in range(y.shape[1]):
                        y[n, k] += factor * batches.Z_0[first + n, k]
        _activate(
            chain.layers[layer, ACTIVATION],
            chain.slopes[layer],
            _bias(chain, layer, vectors.params),
            y,
        )


@_compiled
def _activate(activation: int, slope: float, bias: Array, y: Array) -> None:
    """Add the bias and apply the activation, in place."""
    if len(bias):
        for n in range(y.shape[0]):
            for k in range(y.shape[1]):
                y[n, k] += bias[k]
    if activation == RELU:
        for n in range(y.shape[0]):
            for k in range(y.shape[1]):
                y[n, k] = y[n, k] if y[n, k] > 0 or y[n, k] != y[n, k] else 0  # NaN stays NaN
    elif activation == LEAKY_RELU:
        for n in range(y.shape[0]):
            for k in range(y.shape[1]):
                y[n, k] = y[n, k] if y[n, k] > 0 else slope * y[n, k]
    elif activation == SIGMOID:
        for n in range(y.shape[0]):
            for k in range(y.shape[1]):
                y[n, k] = 1 / (1 + np.exp(-y[n, k]))
    elif activation == TANH:
        for n in range(y.shape[0]):
            for k in range(y.shape[1]):
                y[n, k] = np.tanh(y[n, k])


@_compiled
def _backward(chain: Chain, vectors: Vectors, batches: Batches, first: int, last: int) -> None:
    memory, samples = vectors.memory, last - first
    for layer in range(len(chain.layers) - 1, -1, -1):
        dz = _output(chain, DY, layer, samples, memory)
        dW = _weights(chain, layer, vectors.gradient)
        db = _bias(chain, layer, vectors.gradient)
        if len(db):
            db[:] = 0
            for n in range(samples):
                for k in range(len(db)):
                    db[k] += dz[n, k]
        if layer:
            y = _output(chain, Y, layer - 1, samples, memory)
            dy = _output(chain, DY, layer - 1, samples, memory)
            np.dot(y.T, dz, dW)
            np.dot(dz, _weights(chain, layer, vectors.params).T, dy)
            activation, slope = chain.layers[layer - 1, ACTIVATION], chain.slopes[layer - 1]
            _deactivate(activation, slope, y.reshape(-1), dy.reshape(-1))
        elif chain.scaled_at == NONE:
            np.dot(batches.X[first:last].T, dz, dW)
        else:  # the gradient of C is dz itself, and that of the factor is not needed
            vectors.gradient[chain.scaled_at] = 0
            dW[:] = 0
            for n in range(samples):
                row = batches.rows[first + n] if len(batches.rows) else n
                for k in range(dz.shape[1]):
                    dW[row, k] += dz[n, k]


@_compiled
def _deactivate(activation: int, slope: float, y: Array, dy: Array) -> None:
    """Multiply by the activation's derivative, which is a function of its output, in place."""
    one = y.dtype.type(1)  # 1 would be a wider number, and slow
    if activation == RELU:
        for i in range(len(y)):
            dy[i] = dy[i] if y[i] > 0 else 0
    elif activation == LEAKY_RELU:
        for i in range(len(y)):
            dy[i] = dy[i] if y[i] > 0 else slope * dy[i]
    elif activation == SIGMOID:
        for i in range(len(y)):
            dy[i] *= y[i] * (one - y[i])
    elif activation == TANH:
        for i in range(len(y)):
            dy[i] *= one - y[i] * y[i]


@_compiled
def _loss(
    chain: Chain, vectors: Vectors, batches: Batches, first: int, last: int, logits: Array
) -> tuple[float, float]:
    """Write the gradient of the mean loss; return what the samples count, and the loss."""
    dz = _output(chain, DY, len(chain.layers) - 1, last - first, vectors.memory)
    weights, labels, targets = batches.weights, batches.labels, batches.targets
    counted = float(last - first)
    if len(weights):
        counted = 0.0
        for row in range(first, last):
            counted += weights[row]
    share = 1 / counted if counted > 0 else 0.0
    total = 0.0
    for row in range(first, last):
        if chain.loss == BINARY_CROSS_ENTROPY:
            one = _binary_cross_entropy(logits, targets, row, dz, row - first)
        elif chain.loss == SOFTMAX_CROSS_ENTROPY:
            one = _softmax_cross_entropy(logits, labels, targets, row, dz, row - first)
        else:
            one = _squared_error(logits, targets, row, dz, row - first)
        part = share * weights[row] if len(weights) else share
        total += part * one
        for k in range(dz.shape[1]):
            dz[row - first, k] *= part
    return (counted if counted > 0 else float(last - first)), total


@_compiled
def _binary_cross_entropy(z: Array, y: Array, row: int, dz: Array, n: int) -> float:
    loss = 0.0
    for k in range(z.shape[1]):
        e = np.exp(-abs(z[row, k]))
        loss += max(z[row, k], 0) - z[row, k] * y[row, k] + np.log1p(e)
        dz[n, k] = (1 / (1 + e) if z[row, k] > 0 else e / (1 + e)) - y[row, k]
    return loss


@_compiled
def _softmax_cross_entropy(z: Array, labels: Array, y: Array, row: int, dz: Array, n: int) -> float:
    largest = z[row, 0]
    for k in range(1, z.shape[1]):
        if z[row, k] > largest or z[row, k] != z[row, k]:  # NaN stays NaN
            largest = z[row, k]
    total = 0.0
    for k in range(z.shape[1]):
        dz[n, k] = np.exp(z[row, k] - largest)
        total += dz[n, k]
    loss = np.log(total)
    for k in range(z.shape[1]):
        dz[n, k] /= total
    if len(labels):
        loss -= z[row, labels[row]] - largest
        dz[n, labels[row]] -= 1
    else:
        for k in range(z.shape[1]):
            loss -= (z[row, k] - largest) * y[row, k]
            dz[n, k] -= y[row, k]
    return loss


@_compiled
def _squared_error(z: Array, y: Array, row: int, dz: Array, n: int) -> float:
    loss = 0.0
    for k in range(z.shape[1]):
        difference = z[row, k] - y[row, k]
        loss += difference * difference
        dz[n, k] = difference * 2 / z.shape[1]
    return loss / z.shape[1]


@_compiled
def _pull(chain: Chain, vectors: Vectors, strength: float) -> float:
    """Add the gradient of L2, and return what it adds to the loss."""
    factor, squares = vectors.params.dtype.type(strength), 0.0
    for begin, end in chain.decayed:
        for i in range(begin, end):
            vectors.gradient[i] += factor * vectors.params[i]
            squares += vectors.params[i] * vectors.params[i]
    return 0.5 * strength * squares


@_compiled
def _step(kernel: int, vectors: Vectors, c: Array) -> None:
    w, g, m, v = vectors.params, vectors.gradient, vectors.first, vectors.second
    if kernel == DESCEND:
        _descend(w, g, c[0], c[1], g)
    elif kernel == PUSH:
        _push(w, g, m, c[0], c[1], c[2], g)
    elif kernel == LOOK_AHEAD:
        _look_ahead(w, g, m, c[0], c[1], c[2], g)
    elif kernel == SCALE:
        _scale(w, g, m, c[0], c[1], c[2], c[3], c[4], g)
    elif kernel == ADAPT:
        _adapt(w, g, m, v, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], g)

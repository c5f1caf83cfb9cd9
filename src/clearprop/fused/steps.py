"""Whole training steps of a chain, compiled by Numba: nothing here is imported without it.

Several threads do a step together, and meet twice in it. Up to the first meeting each takes some of
the batch's samples through all layers and back; after it, each takes some rows of every layer's
weights: their gradient, by all samples, and their update. Matrix products go to the same kind of
library as NumPy's do, one thread each.
"""

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401 - before threads are limited: it has its own library

from clearprop.fused.chain import (
    ACTIVATION,
    BINARY_CROSS_ENTROPY,
    DZ,
    HALF_SQUARED_ERROR,
    INPUTS,
    KEPT,
    NONE,
    SOFTMAX_CROSS_ENTROPY,
    UNITS,
    B,
    Batches,
    Chain,
    Samples,
    Vectors,
    W,
    X,
)
from clearprop.fused.crew import compiled, copy, cut, multiply, wait_for_all
from clearprop.fused.formulas import (
    activate,
    binary_cross_entropy,
    deactivate,
    drop,
    softmax_cross_entropy,
    squared_error,
)
from clearprop.fused.updates import squares_of_weights, update_layer
from clearprop.parameters import Array


@compiled
def train(
    chain: Chain,
    samples: Samples,
    vectors: Vectors,
    batches: Batches,
    losses: Array,
    logits: Array,
    counter: Array,
    part: int,
) -> int:
    """Do a thread's part of an update for each batch, and return how many updates were done.

    It ends before the update of a batch whose loss is not finite.

    Parameters
    ----------
    chain : Chain
    samples : Samples
    vectors : Vectors
    batches : Batches
    losses : ndarray of float64, shape (S,)
        Takes the loss of every batch.
    logits : ndarray, shape (R * K,)
        Takes the logits of every sample of every batch, in rows.
    counter : ndarray of int64, shape (1,)
        Of the threads' barrier.
    part : int
        Which of the T threads this is.
    """
    parts = len(vectors.shares)
    for update in range(len(losses)):
        start, stop = batches.bounds[update], batches.bounds[update + 1]
        size, rows = stop - start, batches.rows[start:stop]
        first, last = cut(size, part, parts), cut(size, part + 1, parts)
        counted = _count(samples, rows, start, size)
        _gather(chain, samples, rows, vectors.memory, first, last)
        kept = batches.kept[start:stop]
        _forward(chain, samples, rows, start, kept, vectors, logits, first, last)
        loss = _loss(chain, samples, rows, start, counted, vectors.memory, logits, first, last)
        _backward(chain, kept, vectors, first, last)
        vectors.shares[part, 0] = loss
        if chain.alpha:
            vectors.shares[part, 1] = squares_of_weights(chain, samples, vectors, part, parts)
        if parts > 1:
            wait_for_all(counter, parts * (2 * update + 1))
        pull = chain.alpha / (counted if counted > 0 else size)
        loss = vectors.shares[:, 0].sum() + 0.5 * pull * vectors.shares[:, 1].sum()
        losses[update] = loss
        if not np.isfinite(loss):
            return update
        factor, coefficients = batches.factors[update], batches.coefficients[update]
        for layer in range(len(chain.layers)):
            _learn(chain, samples, rows, start, size, vectors, layer, part, parts)
            update_layer(chain, vectors, layer, pull, factor, coefficients, part, parts)
        if parts > 1:
            wait_for_all(counter, parts * (2 * update + 2))
    return len(losses)


@compiled
def _count(samples: Samples, rows: Array, start: int, size: int) -> float:
    """Return what the samples of a batch count together."""
    if len(samples.weights) == 0:
        return float(size)
    counted = 0.0
    for n in range(size):
        counted += samples.weights[rows[n] if len(rows) else start + n]
    return counted


@compiled
def _gather(
    chain: Chain, samples: Samples, rows: Array, memory: Array, first: int, last: int
) -> None:
    """Copy samples to where the first layer's input is; not where they are all, in order."""
    inputs = chain.layers[0, INPUTS]
    for n in range(first, min(last, len(rows))):
        copy(memory, chain.layers[0, X] + n * inputs, samples.inputs, rows[n] * inputs, inputs)


@compiled
def _forward(
    chain: Chain,
    samples: Samples,
    rows: Array,
    start: int,
    kept: Array,
    vectors: Vectors,
    logits: Array,
    first: int,
    last: int,
) -> None:
    memory, params, count = vectors.memory, vectors.params, last - first
    top = len(chain.layers) - 1
    for layer in range(top + 1):
        here = chain.layers[layer]
        D, M = here[INPUTS], here[UNITS]
        y = logits if layer == top else memory
        to = start * M if layer == top else chain.layers[layer + 1, X]
        to += first * M
        if layer or len(rows):
            x = here[X] + first * D
            multiply(0, count, M, D, memory, x, D, params, here[W], M, y, to, M)
        else:
            x = (start + first) * D
            multiply(0, count, M, D, samples.inputs, x, D, params, here[W], M, y, to, M)
        z = y[to : to + count * M].reshape(count, M)  # loops over what begins at 0 are quicker
        if layer == 0 and chain.scaled_at != NONE:
            factor = params[chain.scaled_at]
            for n in range(count):
                row = rows[first + n] if len(rows) else start + first + n
                for k in range(M):
                    z[n, k] += factor * samples.Z_0[row, k]
        if here[B] != NONE:
            b = params[here[B] : here[B] + M]
            for n in range(count):
                for k in range(M):
                    z[n, k] += b[k]
        activate(here[ACTIVATION], chain.slopes[layer], z.reshape(-1))
        if here[KEPT] != NONE:
            drop(z, kept[first:last, here[KEPT] : here[KEPT] + M], chain.scales[layer])


@compiled
def _loss(
    chain: Chain,
    samples: Samples,
    rows: Array,
    start: int,
    counted: float,
    memory: Array,
    logits: Array,
    first: int,
    last: int,
) -> float:
    """Write the gradient of the batch's mean loss, and return what these samples add to it."""
    labels, targets, weights = samples.labels, samples.targets, samples.weights
    M, begin, count = chain.layers[-1, UNITS], chain.layers[-1, DZ], last - first
    dz = memory[begin + first * M : begin + last * M].reshape(count, M)
    z = logits[(start + first) * M : (start + last) * M].reshape(count, M)
    share = 1 / counted if counted > 0 else 0.0
    total = 0.0
    for n in range(count):
        row = rows[first + n] if len(rows) else start + first + n
        if chain.loss == BINARY_CROSS_ENTROPY:
            loss = binary_cross_entropy(z, n, targets, row, chain.cap, dz)
        elif chain.loss == SOFTMAX_CROSS_ENTROPY:
            loss = softmax_cross_entropy(z, n, labels, targets, row, chain.cap, dz)
        else:
            loss = squared_error(z, n, targets, row, chain.loss == HALF_SQUARED_ERROR, dz)
        part = share * weights[row] if len(weights) else share
        total += part * loss
        for k in range(M):
            dz[n, k] *= part
    return total


@compiled
def _backward(chain: Chain, kept: Array, vectors: Vectors, first: int, last: int) -> None:
    """Write the gradients of all layers' outputs before activation."""
    memory, count = vectors.memory, last - first
    for layer in range(len(chain.layers) - 1, 0, -1):
        here, below = chain.layers[layer], chain.layers[layer - 1]
        D, M = here[INPUTS], here[UNITS]
        dz, to, x = here[DZ] + first * M, below[DZ] + first * D, here[X] + first * D
        multiply(2, count, D, M, memory, dz, M, vectors.params, here[W], M, memory, to, D)
        dy = memory[to : to + count * D]
        if below[KEPT] != NONE:
            stayed = kept[first:last, below[KEPT] : below[KEPT] + D]
            drop(dy.reshape(count, D), stayed, chain.scales[layer - 1])
        y = memory[x : x + count * D]
        deactivate(below[ACTIVATION], chain.slopes[layer - 1], y, dy)


@compiled
def _learn(
    chain: Chain,
    samples: Samples,
    rows: Array,
    start: int,
    size: int,
    vectors: Vectors,
    layer: int,
    part: int,
    parts: int,
) -> None:
    """Write the gradient of some rows of a layer's weights, and one thread that of the bias."""
    memory, gradient, here = vectors.memory, vectors.gradient, chain.layers[layer]
    D, M, begin = here[INPUTS], here[UNITS], here[DZ]
    dz = memory[begin : begin + size * M].reshape(size, M)
    first, last = cut(D, part, parts), cut(D, part + 1, parts)
    to, count = here[W] + first * M, last - first
    if layer == 0 and chain.scaled_at != NONE:  # the gradient of C is dz itself
        dC = gradient[to : to + count * M].reshape(count, M)
        dC[:] = 0
        for n in range(size):
            row = (rows[n] if len(rows) else start + n) - first
            if 0 <= row < count:
                for k in range(M):
                    dC[row, k] += dz[n, k]
        if part == 0:  # who also updates it
            gradient[chain.scaled_at] = 0
    elif layer or len(rows):
        x = here[X] + first
        multiply(1, count, M, size, memory, x, D, memory, begin, M, gradient, to, M)
    else:
        x = start * D + first
        multiply(1, count, M, size, samples.inputs, x, D, memory, begin, M, gradient, to, M)
    if here[B] != NONE and layer % parts == part:
        db = gradient[here[B] : here[B] + M]
        db[:] = 0
        for n in range(size):
            for k in range(M):
                db[k] += dz[n, k]

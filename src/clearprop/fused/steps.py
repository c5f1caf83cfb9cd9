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
from clearprop.fused.crew import compiled, copy, multiply, wait_for_all
from clearprop.fused.formulas import (
    activate,
    binary_cross_entropy,
    deactivate,
    drop,
    softmax_cross_entropy,
    squared_error,
    take_step,
)
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
        first, last = _cut(size, part, parts), _cut(size, part + 1, parts)
        counted = _count(samples, rows, start, size)
        _gather(chain, samples, rows, vectors.memory, first, last)
        kept = batches.kept[start:stop]
        _forward(chain, samples, rows, start, kept, vectors, logits, first, last)
        loss = _loss(chain, samples, rows, start, counted, vectors.memory, logits, first, last)
        _backward(chain, kept, vectors, first, last)
        vectors.shares[part, 0] = loss
        if chain.alpha:
            vectors.shares[part, 1] = _squares(chain, samples, vectors, part, parts)
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
            _update(chain, vectors, layer, pull, factor, coefficients, part, parts)
        if parts > 1:
            wait_for_all(counter, parts * (2 * update + 2))
    return len(losses)


@compiled
def _cut(size: int, part: int, parts: int) -> int:
    """Return where a part begins."""
    return size * part // parts


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
    first, last = _cut(D, part, parts), _cut(D, part + 1, parts)
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


@compiled
def _squares(chain: Chain, samples: Samples, vectors: Vectors, part: int, parts: int) -> float:
    """Return the sum of squares of the weights that a thread updates."""
    params, squares, first = vectors.params, 0.0, 0
    if chain.products_at != NONE:
        squares = _squares_of_first(chain, samples, vectors, part, parts)
        first = 1
    for layer in range(first, len(chain.layers)):
        here = chain.layers[layer]
        D, M = here[INPUTS], here[UNITS]
        begin, end = here[W] + _cut(D, part, parts) * M, here[W] + _cut(D, part + 1, parts) * M
        weights = params[begin:end]
        for i in range(len(weights)):
            squares += weights[i] * weights[i]
    return squares


@compiled
def _squares_of_first(
    chain: Chain, samples: Samples, vectors: Vectors, part: int, parts: int
) -> float:
    """Return a thread's share in a^2 |W_0|^2 + 2 a <Z_0, C> + <C, K C>, which is |W|^2."""
    params, here = vectors.params, chain.layers[0]
    N, M, a = here[INPUTS], here[UNITS], vectors.params[chain.scaled_at]
    first, last = _cut(N, part, parts), _cut(N, part + 1, parts)
    count, at, begin = last - first, chain.products_at + first * M, here[W] + first * M
    memory = vectors.memory
    multiply(0, count, M, N, samples.inputs, first * N, N, params, here[W], M, memory, at, M)
    C = params[begin : begin + count * M].reshape(count, M)
    KC = memory[at : at + count * M].reshape(count, M)
    squares = a * a * chain.first_squares if part == 0 else 0.0
    for n in range(count):
        for k in range(M):
            squares += C[n, k] * (2 * a * samples.Z_0[first + n, k] + KC[n, k])
    return squares


@compiled
def _update(
    chain: Chain,
    vectors: Vectors,
    layer: int,
    pull: float,
    factor: float,
    coefficients: Array,
    part: int,
    parts: int,
) -> None:
    """Update what `_learn` has the gradient of; weights, but no biases, are pulled to zero."""
    here = chain.layers[layer]
    D, M = here[INPUTS], here[UNITS]
    begin, end = here[W] + _cut(D, part, parts) * M, here[W] + _cut(D, part + 1, parts) * M
    _pull(vectors, pull, factor, begin, end)
    take_step(chain.kernel, vectors, coefficients, begin, end)
    if here[B] != NONE and layer % parts == part:
        take_step(chain.kernel, vectors, coefficients, here[B], here[B] + M)
    if layer == 0 and chain.scaled_at != NONE and part == 0:
        _pull(vectors, pull, factor, chain.scaled_at, chain.scaled_at + 1)
        take_step(chain.kernel, vectors, coefficients, chain.scaled_at, chain.scaled_at + 1)


@compiled
def _pull(vectors: Vectors, pull: float, factor: float, begin: int, end: int) -> None:
    """Add L2's gradient, and multiply weights by a factor, where there is anything to do."""
    weights, gradient = vectors.params[begin:end], vectors.gradient[begin:end]
    if pull:
        strength = weights.dtype.type(pull)
        for i in range(len(weights)):
            gradient[i] += strength * weights[i]
    if factor != 1:
        for i in range(len(weights)):
            weights[i] *= factor

"""Training steps of the network of a table, compiled by Numba.

A batch is computed in `PARTS`, of some of its samples each, and so is the update, of some of the
weights each: threads share the parts, and meet between. What a part adds to the gradient of small
arrays lies apart, and is added up in order. Nothing here is imported without Numba.
"""

import numpy as np

from clearprop.compiled.building import NONE, Samples, Vectors
from clearprop.compiled.crew import count_of, step_part
from clearprop.compiled.passes import add_losses
from clearprop.compiled.smooth import exponential
from clearprop.compiled.table_building import (
    ACTIVATION,
    ALPHA,
    BEGIN,
    BENT_LOOPS,
    CHANGE,
    DECAYS,
    DZ,
    END,
    INPUTS,
    KEPT,
    PARTS,
    RATE,
    SLOPE,
    SMALL_RATE,
    UNITS,
    B,
    TableBatches,
    TableChain,
    W,
    X,
)
from clearprop.compiled.table_columns import embed, unembed
from clearprop.compiled.threads import compiled, cut, named, one_of, product, wait_for_all
from clearprop.core.parameters import Array

_bend = one_of("z, change, slope", [(loop, named(loop)) for loop in BENT_LOOPS])
_LARGEST = 20.0  # as `Activation.loop_bent` asks


@compiled
def train_table(
    chain: TableChain,
    samples: Samples,
    vectors: Vectors,
    partial: Array,
    batches: TableBatches,
    losses: Array,
    logits: Array,
    counter: Array,
    thread: int,
    threads: int,
) -> int:
    """Do a thread's share of an update for each batch, and return how many updates were done.

    It ends before the update of a batch whose loss is not finite.

    Parameters
    ----------
    partial : ndarray, shape (PARTS, P)
        What each part adds to the gradient; the first row is that of `vectors`.
    losses : ndarray of float64, shape (U,)
    logits : ndarray, shape (Q * K,)
    counter : ndarray of int64, shape (1,)
        The state of the threads' barrier.
    thread : int
        The number of this thread among the `threads`.
    """
    begin, end = cut(PARTS, thread, threads), cut(PARTS, thread + 1, threads)
    for update in range(len(losses)):
        start, stop = batches.bounds[update], batches.bounds[update + 1]
        size, rows = stop - start, batches.rows[start:stop]
        kept, scales = batches.kept[start:stop], batches.scales[update]
        counted = count_of(samples, rows, start, size)
        share = 1 / counted if counted > 0 else 0.0
        for part in range(begin, end):
            first, last = cut(size, part, PARTS), cut(size, part + 1, PARTS)
            for row in range(len(chain.small)):
                partial[part, chain.small[row, BEGIN] : chain.small[row, END]] = 0
            vectors.shares[part, 0] = 0
            if first == last:
                continue
            embed(chain, samples, rows, start, vectors, part, first, last)
            rise(chain, vectors, kept, scales, logits, start, first, last)
            vectors.shares[part, 0] = _look(
                chain, samples, rows, start, share, vectors, logits, first, last
            )
            fall(chain, vectors, partial[part], kept, scales, first, last)
            unembed(chain, vectors, partial[part], part, first, last)
        if threads > 1:  # weights change after this, when nobody reads them any more
            wait_for_all(counter, threads * (2 * update + 1))
        loss = vectors.shares[:, 0].sum()
        losses[update] = loss
        if not np.isfinite(loss):
            return update
        coefficients, factors = batches.coefficients[update], batches.factors[update]
        for part in range(begin, end):
            learn(chain, vectors, coefficients, factors, part, size)
            learn_small(chain, vectors, partial, coefficients, factors, part)
            if chain.front.codes:
                learn_codes(chain, samples, vectors, rows, start, coefficients, factors, part, size)
        if threads > 1:  # the next pass reads weights that others write
            wait_for_all(counter, threads * (2 * update + 2))
    return len(losses)


@compiled
def predict_table(
    chain: TableChain, samples: Samples, vectors: Vectors, kept: Array, scales: Array,
    logits: Array, start: int, size: int, thread: int, threads: int,
) -> None:  # fmt: skip
    """Write a thread's share of the logits of `size` samples from `start` on."""
    rows = np.empty(0, np.int64)
    for part in range(cut(PARTS, thread, threads), cut(PARTS, thread + 1, threads)):
        first, last = cut(size, part, PARTS), cut(size, part + 1, PARTS)
        if first < last:
            embed(chain, samples, rows, start, vectors, part, first, last)
            rise(chain, vectors, kept, scales, logits, start, first, last)


@compiled
def rise(
    chain: TableChain,
    vectors: Vectors,
    kept: Array,
    scales: Array,
    logits: Array,
    start: int,
    first: int,
    last: int,
) -> None:
    """Take some samples through the dense layers, and write their logits."""
    memory, params, n = vectors.memory, vectors.params, last - first
    top = len(chain.layers) - 1
    for layer in range(top + 1):
        here = chain.layers[layer]
        D, M, factor = here[INPUTS], here[UNITS], chain.factors[layer]
        y = logits if layer == top else memory
        to = (start + first) * M if layer == top else chain.layers[layer + 1, X] + first * M
        x_at = here[X] + first * D
        product(0, False, n, M, D, memory, x_at, D, params, here[W], M, y, to, M)
        z = y[to : to + n * M].reshape(n, M)
        _shift(z, factor, params, here[B])
        if here[ACTIVATION] == NONE:
            continue
        changes = memory[here[CHANGE] + first * M : here[CHANGE] + last * M].reshape(n, M)
        slopes = memory[here[SLOPE] + first * M : here[SLOPE] + last * M].reshape(n, M)
        alpha = params[here[ALPHA] : here[ALPHA] + M]
        largest, zero, scale = alpha.dtype.type(_LARGEST), alpha.dtype.type(0), scales[layer]
        for i in range(n):  # a row stays in the nearest cache
            z_i, change, slope = z[i], changes[i], slopes[i]
            for k in range(M):
                slope[k] = exponential(largest if z_i[k] > largest else z_i[k])
            _bend(here[ACTIVATION], z_i, change, slope)
            for k in range(M):
                z_i[k] += alpha[k] * change[k]
            if here[KEPT] != NONE:
                stays = kept[first + i, here[KEPT] : here[KEPT] + M]
                for k in range(M):
                    z_i[k] = z_i[k] * scale if stays[k] else zero


@compiled
def _shift(z: Array, factor: float, params: Array, b_at: int) -> None:
    """Write z factor + b over z (B, M)."""
    M = z.shape[1]
    if b_at == NONE:
        for i in range(len(z)):
            for k in range(M):
                z[i, k] *= factor
        return
    b = params[b_at : b_at + M]
    for i in range(len(z)):
        z_i = z[i]
        for k in range(M):
            z_i[k] = z_i[k] * factor + b[k]


@compiled
def _look(
    chain: TableChain,
    samples: Samples,
    rows: Array,
    start: int,
    share: float,
    vectors: Vectors,
    logits: Array,
    first: int,
    last: int,
) -> float:
    """Write the gradient of the batch's mean loss, and return what these samples add to it."""
    M, begin, n = chain.layers[-1, UNITS], chain.layers[-1, DZ], last - first
    dz = vectors.memory[begin + first * M : begin + last * M].reshape(n, M)
    z = logits[(start + first) * M : (start + last) * M].reshape(n, M)
    some = rows[first:last] if len(rows) else rows
    return add_losses(chain.loss, samples, some, start + first, share, chain.loss_number, z, dz)


@compiled
def fall(
    chain: TableChain,
    vectors: Vectors,
    gradient: Array,
    kept: Array,
    scales: Array,
    first: int,
    last: int,
) -> None:
    """Write the gradients of all layers' outputs, and add to those of biases and alphas."""
    memory, params, n = vectors.memory, vectors.params, last - first
    for layer in range(len(chain.layers) - 1, -1, -1):
        here = chain.layers[layer]
        D, M, factor = here[INPUTS], here[UNITS], chain.factors[layer]
        dz_at = here[DZ] + first * M
        if here[B] != NONE:
            dz, db = memory[dz_at : dz_at + n * M].reshape(n, M), gradient[here[B] : here[B] + M]
            for i in range(n):
                for k in range(M):
                    db[k] += dz[i, k]
        below = chain.layers[layer - 1]
        to = (below[DZ] if layer else chain.front.du_at) + first * D
        product(2, False, n, D, M, memory, dz_at, M, params, here[W], M, memory, to, D)
        dy = memory[to : to + n * D].reshape(n, D)
        for i in range(n):
            for j in range(D):
                dy[i, j] *= factor
        if layer == 0:
            return
        changes = memory[below[CHANGE] + first * D : below[CHANGE] + last * D].reshape(n, D)
        slopes = memory[below[SLOPE] + first * D : below[SLOPE] + last * D].reshape(n, D)
        alpha = params[below[ALPHA] : below[ALPHA] + D]
        dalpha = gradient[below[ALPHA] : below[ALPHA] + D]
        zero, one, scale = alpha.dtype.type(0), alpha.dtype.type(1), scales[layer - 1]
        for i in range(n):
            dy_i, change, slope = dy[i], changes[i], slopes[i]
            if below[KEPT] != NONE:
                stays = kept[first + i, below[KEPT] : below[KEPT] + D]
                for j in range(D):
                    dy_i[j] = dy_i[j] * scale if stays[j] else zero
            for j in range(D):
                dalpha[j] += dy_i[j] * change[j]
                dy_i[j] *= one + alpha[j] * (slope[j] - one)


@compiled
def learn(
    chain: TableChain, vectors: Vectors, coefficients: Array, factors: Array, part: int, size: int
) -> None:
    """Write the gradient of some rows of each layer's weights, and update them."""
    memory, gradient = vectors.memory, vectors.gradient
    for layer in range(len(chain.layers)):
        here, factor = chain.layers[layer], chain.factors[layer]
        D, M = here[INPUTS], here[UNITS]
        first, last = cut(D, part, PARTS), cut(D, part + 1, PARTS)
        begin, end = here[W] + first * M, here[W] + last * M
        x_at, dz_at = here[X] + first, here[DZ]
        product(
            1, False, last - first, M, size, memory, x_at, D, memory, dz_at, M, gradient, begin, M
        )
        dW = gradient[begin:end]
        for i in range(len(dW)):
            dW[i] *= factor
        _update(chain, vectors, coefficients, factors, begin, end, here[RATE], 1)


@compiled
def learn_small(
    chain: TableChain,
    vectors: Vectors,
    partial: Array,
    coefficients: Array,
    factors: Array,
    part: int,
) -> None:
    """Add up what the parts have of some small arrays, and update them."""
    for row in range(part, len(chain.small), PARTS):
        begin, end = chain.small[row, BEGIN], chain.small[row, END]
        for other in range(1, PARTS):
            for i in range(begin, end):
                partial[0, i] += partial[other, i]
        rate, decays = chain.small[row, SMALL_RATE], chain.small[row, DECAYS]
        _update(chain, vectors, coefficients, factors, begin, end, rate, decays)


@compiled
def learn_codes(
    chain: TableChain,
    samples: Samples,
    vectors: Vectors,
    rows: Array,
    start: int,
    coefficients: Array,
    factors: Array,
    part: int,
    size: int,
) -> None:
    """Write the gradient of the numbers of some columns' categories, and update them."""
    front, memory, gradient = chain.front, vectors.memory, vectors.gradient
    width, given, codes = front.embedded, front.given, front.codes
    passed = front.numbers + front.plain
    for column in range(part, codes, PARTS):
        begin = front.E_at + chain.firsts[column] * width
        end = front.E_at + chain.firsts[column + 1] * width
        gradient[begin:end] = 0
        for i in range(size):
            row = rows[i] if len(rows) else start + i
            code = int(samples.inputs[row * (passed + codes) + passed + column])
            at = front.du_at + (i + 1) * given - (codes - column) * width
            for j in range(width):
                gradient[begin + code * width + j] += memory[at + j]
        _update(chain, vectors, coefficients, factors, begin, end, chain.table_rate, 1)


@compiled
def _update(
    chain: TableChain,
    vectors: Vectors,
    coefficients: Array,
    factors: Array,
    begin: int,
    end: int,
    rate: int,
    decays: int,
) -> None:
    """Let a stretch of the parameters decay, if it does, and update it."""
    if decays and factors[rate] != 1:
        weights, factor = vectors.params[begin:end], factors[rate]
        for i in range(len(weights)):
            weights[i] *= factor
    step_part(chain.kernel, vectors, coefficients[rate], begin, end)

"""The part of each thread in whole training steps, and in the gradient of very many samples.

Several threads do a step together, and meet twice in it. Up to the first meeting each takes some of
the batch's samples through all layers and back; after it, each takes some rows of every layer's
weights: their gradient, by all samples, and their update. So no thread waits for a sum of another,
and nothing is added up in an order that depends on who was quicker. Matrix products go to the same
kind of library as NumPy's do, one thread each. Nothing here is imported without Numba.
"""

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401 - before threads are limited: it has its own library

from clearprop.compiled.building import (
    INPUTS,
    KERNELS,
    NONE,
    UNITS,
    B,
    Batches,
    Chain,
    Samples,
    Vectors,
    W,
    X,
)
from clearprop.compiled.passes import backward, forward, learn, loss_of
from clearprop.compiled.threads import compiled, copy, cut, one_of, product, wait_for_all
from clearprop.core.kernels import Kernel
from clearprop.core.parameters import Array


def _arguments(kernel: Kernel) -> str:
    """Write the arguments of a kernel's loop, of which some take no moments, others m, or m and v.

    For the scratch, which loops don't need, they get g once more.
    """
    taken = kernel.signature.removeprefix("void(").removesuffix(")").split(", ")
    numbers = taken.count("T")
    moments = "mv"[: len(taken) - numbers - 3]  # beside w, g and the scratch
    return ", ".join(["w", "g", *moments, *(f"c[{place}]" for place in range(numbers)), "g"])


_update = one_of("w, g, m, v, c", [(kernel.loop, _arguments(kernel)) for kernel in KERNELS])


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
    losses : ndarray of float64, shape (S,)
        The array that takes the loss of every batch.
    logits : ndarray, shape (R * K,)
        The array that takes the logits of all samples of all batches, in rows.
    counter : ndarray of int64, shape (1,)
        The state of the threads' barrier.
    part : int
        The number of this thread among the T.
    """
    parts = len(vectors.shares)
    for update in range(len(losses)):
        start, stop = batches.bounds[update], batches.bounds[update + 1]
        size, rows = stop - start, batches.rows[start:stop]
        first, last = cut(size, part, parts), cut(size, part + 1, parts)
        counted = count_of(samples, rows, start, size)
        _gather(chain, samples, rows, vectors.memory, first, last)
        kept = batches.kept[start:stop]
        forward(chain, samples, rows, start, kept, vectors, logits, first, last)
        loss = loss_of(chain, samples, rows, start, counted, vectors.memory, logits, first, last)
        backward(chain, kept, vectors, first, last)
        vectors.shares[part, 0] = loss
        if chain.alpha:
            vectors.shares[part, 1] = squares_of_weights(chain, samples, vectors, part, parts)
        if parts > 1:  # weights change after this, when nobody reads them any more
            wait_for_all(counter, parts * (2 * update + 1))
        # Every thread adds the shares up, in the same order: they all go on, or all end.
        pull = chain.alpha / (counted if counted > 0 else size)
        loss = vectors.shares[:, 0].sum() + 0.5 * pull * vectors.shares[:, 1].sum()
        losses[update] = loss
        if not np.isfinite(loss):
            return update
        factor, coefficients = batches.factors[update], batches.coefficients[update]
        for layer in range(len(chain.layers)):
            learn(chain, samples, rows, start, size, vectors, layer, part, parts, False)
            update_layer(chain, vectors, layer, pull, factor, coefficients, part, parts)
        if parts > 1:  # the next pass reads weights that others write
            wait_for_all(counter, parts * (2 * update + 2))
    return len(losses)


@compiled
def count_of(samples: Samples, rows: Array, start: int, size: int) -> float:
    """Return the sum of the weights of a batch's samples; each counts 1 where there are none."""
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
    """Copy samples to the first layer's input: a product takes rows that lie behind each other.

    Where they are all, in order, they do already.
    """
    inputs = chain.layers[0, INPUTS]
    for n in range(first, min(last, len(rows))):
        copy(memory, chain.layers[0, X] + n * inputs, samples.inputs, rows[n] * inputs, inputs)


@compiled
def gradient_of(
    chain: Chain,
    samples: Samples,
    vectors: Vectors,
    logits: Array,
    counted: float,
    begin: int,
    end: int,
    size: int,
) -> float:
    """Write the gradient of a sum of losses, and return the sum.

    A few samples pass at a time, so that what the layers leave stays in the processor's cache.

    Parameters
    ----------
    vectors : Vectors
        The arrays of this thread, but for the parameters, which all share.
    logits : ndarray, shape (size * K,)
        Room to work in.
    counted : float
        The number that each sample's loss is divided by.
    begin, end : int
        The samples that are taken.
    size : int
        The number of samples that pass at a time.
    """
    all_rows, all_kept = np.empty(0, np.int64), np.empty((0, 0), np.bool_)
    total, D = 0.0, chain.layers[0, INPUTS]
    for start in range(begin, end, size):
        count = min(size, end - start)
        some = Samples(
            samples.inputs[start * D :],
            samples.Z_0,
            samples.labels[start:],
            samples.targets[start:],
            samples.weights[start:],
        )
        forward(chain, some, all_rows, 0, all_kept, vectors, logits, 0, count)
        total += loss_of(chain, some, all_rows, 0, counted, vectors.memory, logits, 0, count)
        backward(chain, all_kept, vectors, 0, count)
        for layer in range(len(chain.layers)):
            learn(chain, some, all_rows, 0, count, vectors, layer, 0, 1, start > begin)
    return total


@compiled
def squares_of_weights(
    chain: Chain, samples: Samples, vectors: Vectors, part: int, parts: int
) -> float:
    """Return the sum of squares of the weights that a thread updates, before it does."""
    params, squares, first = vectors.params, 0.0, 0
    if chain.products_at != NONE:
        squares = _squares_of_first(chain, samples, vectors, part, parts)
        first = 1
    for layer in range(first, len(chain.layers)):
        here = chain.layers[layer]
        D, M = here[INPUTS], here[UNITS]
        begin, end = here[W] + cut(D, part, parts) * M, here[W] + cut(D, part + 1, parts) * M
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
    first, last = cut(N, part, parts), cut(N, part + 1, parts)
    count, at, begin = last - first, chain.products_at + first * M, here[W] + first * M
    memory = vectors.memory
    product(0, False, count, M, N, samples.inputs, first * N, N, params, here[W], M, memory, at, M)
    C = params[begin : begin + count * M].reshape(count, M)
    KC = memory[at : at + count * M].reshape(count, M)
    squares = a * a * chain.first_squares if part == 0 else 0.0
    for n in range(count):
        for k in range(M):
            squares += C[n, k] * (2 * a * samples.Z_0[first + n, k] + KC[n, k])
    return squares


@compiled
def update_layer(
    chain: Chain,
    vectors: Vectors,
    layer: int,
    pull: float,
    factor: float,
    coefficients: Array,
    part: int,
    parts: int,
) -> None:
    """Update the parameters whose gradient this thread has; weights alone are pulled to zero."""
    here = chain.layers[layer]
    D, M = here[INPUTS], here[UNITS]
    begin, end = here[W] + cut(D, part, parts) * M, here[W] + cut(D, part + 1, parts) * M
    pull_and_scale(vectors, pull, factor, begin, end)
    step_part(chain.kernel, vectors, coefficients, begin, end)
    if here[B] != NONE and layer % parts == part:
        step_part(chain.kernel, vectors, coefficients, here[B], here[B] + M)
    if layer == 0 and chain.scaled_at != NONE and part == 0:
        pull_and_scale(vectors, pull, factor, chain.scaled_at, chain.scaled_at + 1)
        step_part(chain.kernel, vectors, coefficients, chain.scaled_at, chain.scaled_at + 1)


@compiled
def pull_and_scale(vectors: Vectors, pull: float, factor: float, begin: int, end: int) -> None:
    """Add L2's gradient, and multiply weights by a factor, where there is anything to do."""
    weights, gradient = vectors.params[begin:end], vectors.gradient[begin:end]
    if pull:
        strength = weights.dtype.type(pull)  # a float64 would make the loop one of wider numbers
        for i in range(len(weights)):
            gradient[i] += strength * weights[i]
    if factor != 1:
        for i in range(len(weights)):
            weights[i] *= factor


@compiled
def step_part(kernel: int, vectors: Vectors, c: Array, begin: int, end: int) -> None:
    """Update a stretch of the parameters (P,) by a kernel's code and its numbers c (C,)."""
    _update(
        kernel,
        vectors.params[begin:end],
        vectors.gradient[begin:end],
        vectors.first[begin:end],
        vectors.second[begin:end],
        c,
    )

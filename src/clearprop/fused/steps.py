"""Whole training steps of a chain, compiled by Numba: nothing here is imported without it.

Several threads do a step together, and meet twice in it. Up to the first meeting each takes some of
the batch's samples through all layers and back; after it, each takes some rows of every layer's
weights: their gradient, by all samples, and their update. Matrix products go to the same kind of
library as NumPy's do, one thread each.
"""

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401 - before threads are limited: it has its own library

from clearprop.fused.chain import INPUTS, Batches, Chain, Samples, Vectors, X
from clearprop.fused.crew import compiled, copy, cut, wait_for_all
from clearprop.fused.passes import backward, forward, learn, loss_of
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
        forward(chain, samples, rows, start, kept, vectors, logits, first, last)
        loss = loss_of(chain, samples, rows, start, counted, vectors.memory, logits, first, last)
        backward(chain, kept, vectors, first, last)
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
            learn(chain, samples, rows, start, size, vectors, layer, part, parts, False)
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

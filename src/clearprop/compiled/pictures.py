"""The part of each thread in a training step of pictures, and in their forward pass.

A batch is cut into groups of samples, and a thread takes whole groups: the gradients of a group's
samples are added up one after the other, and those of the groups in their order, so that the bits
of convolutions don't depend on the number of threads. Threads meet where a norm has to see the
batch, and once more before weights change. Nothing here is imported without Numba.
"""

from typing import NamedTuple

import numpy as np

from clearprop.compiled.blocks import (
    BETA,
    DEPTH,
    FILTERS,
    GAMMA,
    GIVEN,
    GRADIENT,
    GROUPS,
    HEIGHT,
    KERNEL,
    SPLIT,
    TAKEN,
    WIDTH,
    B,
    Front,
    W,
    Z,
)
from clearprop.compiled.building import DZ as CHAIN_DZ
from clearprop.compiled.building import INPUTS, NONE, UNITS, Chain, Samples, Vectors
from clearprop.compiled.building import W as CHAIN_W
from clearprop.compiled.convolutions import (
    convolve,
    give_features,
    go_back,
    normalise,
    prepare,
    take_gradient,
    take_pictures,
)
from clearprop.compiled.crew import pull_and_scale, squares_of_weights, step_part, update_layer
from clearprop.compiled.norms import add_moments, add_sums, move_averages, see_batch, see_gradients
from clearprop.compiled.passes import backward, forward, learn, loss_of
from clearprop.compiled.threads import compiled, cut, product, wait_for_all
from clearprop.core.parameters import Array


class Maps(NamedTuple):
    """The arrays that blocks work with, for all threads.

    Parameters
    ----------
    memory : ndarray, shape (Q,)
        All feature maps; see `Front`.
    codes : ndarray of uint8, shape (R,)
        The places that pooled values came from.
    totals : ndarray of float64, shape (L, 2, groups of samples, 2, F)
        The sums of each group that norms need, on the way up and back.
    seen : ndarray of float64, shape (L, 2, F)
        The mean and the unbiased variance of the batch, where there is a norm.
    state : ndarray, shape (S,)
        The running statistics.
    features, dfeatures : ndarray, shape (N * D,)
        The features of a batch, and their gradient.
    """

    memory: Array
    codes: Array
    totals: Array
    seen: Array
    state: Array
    features: Array
    dfeatures: Array


@compiled
def through_chain(
    chain: Chain, maps: Maps, samples: Samples, vectors: Vectors, kept: Array, logits: Array,
    size: int, part: int,
) -> None:  # fmt: skip
    """Take a thread's samples through the Dense layers and back to the gradient of their features.

    Parameters
    ----------
    samples : Samples
        The labels or targets of the batch, and weights; its inputs are the features.
    kept : ndarray of bool, shape (B, Q)
        The numbers that dropout lets stay.
    logits : ndarray, shape (B * K,)
        The array that takes the logits.
    """
    first, last = own_samples(size, part, len(vectors.shares))
    rows = np.empty(0, np.int64)
    memory, shares = vectors.memory, vectors.shares
    forward(chain, samples, rows, 0, kept, vectors, logits, first, last)
    counted = _count(samples, size)
    shares[part, 0] = loss_of(chain, samples, rows, 0, counted, memory, logits, first, last)
    backward(chain, kept, vectors, first, last)
    here = chain.layers[0]
    D, M = here[INPUTS], here[UNITS]
    dz = here[CHAIN_DZ] + first * M
    product(
        2, False, last - first, D, M, memory, dz, M, vectors.params, here[CHAIN_W], M,
        maps.dfeatures, first * D, D,
    )  # fmt: skip
    shares[part, 1] = 0
    if chain.alpha:
        shares[part, 1] = squares_of_weights(chain, samples, vectors, part, len(shares))


@compiled
def update(
    front: Front, chain: Chain, maps: Maps, samples: Samples, vectors: Vectors, factor: float,
    coefficients: Array, counter: Array, met: int, size: int, part: int,
) -> float:  # fmt: skip
    """Meet the other threads, do a part of the update, and return the batch's loss.

    Nothing is done where the loss is not finite.
    """
    parts = len(vectors.shares)
    if chain.alpha:
        vectors.shares[part, 1] += _squares_of_filters(front, vectors.params, part, parts)
    if parts > 1:
        wait_for_all(counter, parts * (met + 1))
    counted = _count(samples, size)
    pull = chain.alpha / (counted if counted > 0 else size)
    loss = vectors.shares[:, 0].sum() + 0.5 * pull * vectors.shares[:, 1].sum()
    if np.isfinite(loss) and size:
        rows = np.empty(0, np.int64)
        for layer in range(len(chain.layers)):
            learn(chain, samples, rows, 0, size, vectors, layer, part, parts, False)
            update_layer(chain, vectors, layer, pull, factor, coefficients, part, parts)
        for layer in range(len(front.numbers)):
            _update_block(front, chain, maps, vectors, pull, factor, coefficients, layer, part)
        if part == 0:
            move_averages(front, maps.seen, maps.state)
    return loss


@compiled
def predict(
    front: Front, chain: Chain, maps: Maps, samples: Samples, vectors: Vectors, pictures: Array,
    logits: Array, size: int, parts: int, part: int,
) -> None:  # fmt: skip
    """Write the logits of a thread's samples, outside training."""
    rise(front, maps, vectors.params, pictures, np.zeros(1, np.int64), size, part, parts)
    first, last = own_samples(size, part, parts)
    rows, kept = np.empty(0, np.int64), np.empty((0, 0), np.bool_)
    forward(chain, samples, rows, 0, kept, vectors, logits, first, last)


@compiled
def own_samples(size: int, part: int, parts: int) -> tuple[int, int]:
    """Return where the samples of a thread begin and end: it has whole groups of a batch."""
    first, last = cut(GROUPS, part, parts), cut(GROUPS, part + 1, parts)
    return cut(size, first, GROUPS), cut(size, last, GROUPS)


@compiled
def _count(samples: Samples, size: int) -> float:
    """Return the sum of a batch's weights, or the number of its samples."""
    if len(samples.weights) == 0:
        return float(size)
    counted = 0.0
    for n in range(size):
        counted += samples.weights[n]
    return counted


@compiled
def rise(
    front: Front, maps: Maps, params: Array, pictures: Array, counter: Array, size: int, part: int,
    parts: int,
) -> int:  # fmt: skip
    """Take a thread's samples up through all blocks; return how often threads have met.

    From one norm to the next a sample goes through all blocks before the next one does, so that
    what it leaves is still in the cache.
    """
    memory, codes, begin = maps.memory, maps.codes, front.own_at + part * front.own
    first_group, last_group = cut(GROUPS, part, parts), cut(GROUPS, part + 1, parts)
    first, last = own_samples(size, part, parts)
    prepare(front, params, maps.state, memory, begin)
    take_pictures(front, pictures, memory, first, last)
    met, low, blocks = 0, 0, len(front.numbers)
    while low <= blocks:
        high = low
        while high < blocks and front.blocks[high, Z] == NONE:
            high += 1
        for group in range(first_group, last_group):
            if high < blocks:
                maps.totals[high, 0, group] = 0
            for n in range(cut(size, group, GROUPS), cut(size, group + 1, GROUPS)):
                if low:
                    normalise(front, memory, codes, begin, low - 1, n)
                for layer in range(low, high):
                    convolve(front, memory, codes, begin, layer, n)
                if high < blocks:
                    convolve(front, memory, codes, begin, high, n)
                    add_moments(front, memory, maps.totals[high, 0, group], begin, high, n)
        if high < blocks:
            met += 1
            if parts > 1:
                wait_for_all(counter, parts * met)
            places = size * front.blocks[high, HEIGHT] * front.blocks[high, WIDTH]
            see_batch(
                front, params, maps.totals[high, 0], maps.seen[high], memory, begin, high, places,
                part == 0,
            )  # fmt: skip
        low = high + 1
        if high == blocks:
            break
    give_features(front, memory, maps.features, first, last)
    return met


@compiled
def descend(
    front: Front, maps: Maps, vectors: Vectors, counter: Array, met: int, size: int, part: int,
    parts: int,
) -> int:  # fmt: skip
    """Take a thread's samples back through all blocks; return how often threads have met."""
    memory, codes, begin = maps.memory, maps.codes, front.own_at + part * front.own
    first_group, last_group = cut(GROUPS, part, parts), cut(GROUPS, part + 1, parts)
    for group in range(first_group, last_group):
        at = front.groups_at + group * front.group
        memory[at : at + front.group] = 0
    top = len(front.numbers) - 1
    high = top
    while high >= 0:
        here = front.blocks[high]
        if here[Z] != NONE:
            for group in range(first_group, last_group):
                maps.totals[high, 1, group] = 0
                for n in range(cut(size, group, GROUPS), cut(size, group + 1, GROUPS)):
                    if high == top:
                        take_gradient(front, memory, maps.dfeatures, begin, n)
                    add_sums(front, memory, codes, maps.totals[high, 1, group], begin, high, n)
            met += 1
            if parts > 1:
                wait_for_all(counter, parts * met)
            see_gradients(
                front, maps.totals[high, 1], memory, vectors.gradient, begin, high,
                size * here[HEIGHT] * here[WIDTH], part == 0,
            )  # fmt: skip
        low = high
        while low > 0 and front.blocks[low - 1, Z] == NONE:
            low -= 1
        for group in range(first_group, last_group):
            at = front.groups_at + group * front.group
            for n in range(cut(size, group, GROUPS), cut(size, group + 1, GROUPS)):
                if high == top and here[Z] == NONE:
                    take_gradient(front, memory, maps.dfeatures, begin, n)
                for layer in range(high, low - 1, -1):
                    go_back(front, memory, codes, begin, at, layer, n)
        high = low - 1
    return met


@compiled
def _squares_of_filters(front: Front, params: Array, part: int, parts: int) -> float:
    """Return a thread's share in the sum of squares of all filters."""
    squares = 0.0
    for layer in range(part, len(front.numbers), parts):
        here = front.blocks[layer]
        count = here[KERNEL] * here[KERNEL] * here[TAKEN] * here[GIVEN]
        for i in range(here[W], here[W] + count):
            squares += params[i] * params[i]
    return squares


@compiled
def _update_block(
    front: Front, chain: Chain, maps: Maps, vectors: Vectors, pull: float, factor: float,
    coefficients: Array, layer: int, part: int,
) -> None:  # fmt: skip
    """Add a thread's part of a block's gradient up, over all groups, and update by it."""
    here, memory, gradient = front.blocks[layer], maps.memory, vectors.gradient
    parts = len(vectors.shares)
    taken, given, C, G = here[TAKEN], here[GIVEN], here[DEPTH], front.wide
    size, split = here[KERNEL], here[SPLIT]
    rows = size * size * taken
    first, last = cut(rows, part, parts), cut(rows, part + 1, parts)
    sums_of = front.groups_at + here[GRADIENT]
    for row in range(first, last):
        i, j, c = row // taken // size, row // taken % size, row % taken
        for group in range(here[FILTERS]):
            at = ((group * size + i) * split + c // C) * size + j
            at = sums_of + (at * C + c % C) * G
            count = min(G, given - group * G)
            _add_groups(front, memory, gradient, at, here[W] + row * given + group * G, count)
    begin, end = here[W] + first * given, here[W] + last * given
    pull_and_scale(vectors, pull, factor, begin, end)
    step_part(chain.kernel, vectors, coefficients, begin, end)
    if layer % parts != part:
        return
    if here[B] != NONE:
        at = sums_of + size * size * split * C * here[FILTERS] * G
        _add_groups(front, memory, gradient, at, here[B], given)
        step_part(chain.kernel, vectors, coefficients, here[B], here[B] + given)
    if here[Z] != NONE:
        step_part(chain.kernel, vectors, coefficients, here[GAMMA], here[GAMMA] + given)
        step_part(chain.kernel, vectors, coefficients, here[BETA], here[BETA] + given)


@compiled
def _add_groups(front: Front, memory: Array, gradient: Array, at: int, to: int, count: int) -> None:
    for i in range(count):
        total = memory[at + i]
        for group in range(1, GROUPS):
            total += memory[at + group * front.group + i]
        gradient[to + i] = total

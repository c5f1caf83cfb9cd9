"""A pass of some samples of a batch through blocks of convolutions and back, compiled by Numba.

`begin` is the place where a thread's own part of the memory begins. A convolution's sums z are made
a line at a time, and go on from the processor's nearest cache; only where a norm has to see the
whole batch first are they kept. Nothing here is imported without Numba.
"""

import numpy as np

from clearprop.compiled.blocks import (
    BETA,
    CHANNELS,
    CODES,
    DY,
    DZ,
    EPSILON,
    FILTERS,
    FLOOR,
    GAMMA,
    GIVEN,
    GRADIENT,
    HEIGHT,
    KERNEL,
    MEAN,
    MOMENTUM,
    PACKED,
    POOLED,
    TAKEN,
    TURNED,
    VARIANCE,
    WIDTH,
    B,
    Front,
    K,
    W,
    X,
    Z,
)
from clearprop.compiled.building import NONE
from clearprop.compiled.channels import (
    AT,
    BY,
    PIVOT,
    PLUS,
    SCALE,
    SHIFT,
    finish,
    finish_pooled,
    moments,
    spread,
    spread_normed,
    spread_normed_pooled,
    spread_pooled,
    sums,
    sums_pooled,
)
from clearprop.compiled.threads import compiled, copy
from clearprop.compiled.vectors import product_of_windows
from clearprop.core.parameters import Array


@compiled
def prepare(front: Front, params: Array, memory: Array, begin: int) -> None:
    """Bring the weights of all blocks into the thread's memory: in vectors, and turned round.

    The gradient of a block's input is a convolution, too: of dz, with each kernel turned by half a
    circle, and with filters and channels exchanged.
    """
    for layer in range(len(front.numbers)):
        here = front.blocks[layer]
        C, F, size = here[CHANNELS], here[FILTERS], here[KERNEL]
        packed, turned, k = begin + here[PACKED], begin + here[TURNED], begin + here[K]
        taken, given = here[TAKEN], here[GIVEN]
        for place in range(size * size):
            back = size * size - 1 - place
            for c in range(taken):
                at = here[W] + (place * taken + c) * given
                to = packed + (place * C + c) * F
                for f in range(given):
                    memory[to + f] = params[at + f]
                    memory[turned + (back * F + f) * C + c] = params[at + f]
        for f in range(F):
            memory[k + SCALE * F + f] = 1
            memory[k + SHIFT * F + f] = 0
        if here[B] != NONE:
            for f in range(given):
                memory[k + SHIFT * F + f] = params[here[B] + f]


@compiled
def take_pictures(front: Front, pictures: Array, memory: Array, first: int, last: int) -> None:
    """Copy pictures, in rows (H, W, C) one after the other, into the first block's input."""
    here = front.blocks[0]
    H, line, border = here[HEIGHT], here[WIDTH] * here[CHANNELS], here[KERNEL] // 2
    for n in range(first, last):
        for h in range(H):
            copy(memory, _row_at(here, border, n, h), pictures, (n * H + h) * line, line)


@compiled
def _row_at(here: Array, border: int, n: int, h: int) -> int:
    """Return where a line of a block's input begins, behind its border."""
    width = here[WIDTH] + 2 * border
    size = (here[HEIGHT] + 2 * border) * width
    return here[X] + (n * size + (h + border) * width + border) * here[CHANNELS]


@compiled
def _dy_at(here: Array, begin: int, n: int) -> int:
    """Return where the gradient of a block's output begins: of each sample, or in one place."""
    if here[Z] == NONE:
        return begin + here[DY]
    by = 1 + here[POOLED]
    return here[DY] + n * (here[HEIGHT] // by) * (here[WIDTH] // by) * here[FILTERS]


@compiled
def convolve(front: Front, memory: Array, codes: Array, begin: int, layer: int, n: int) -> None:
    """Take one sample through a block; where there is a norm, only up to z."""
    here = front.blocks[layer]
    H, M, C, F = here[HEIGHT], here[WIDTH], here[CHANNELS], here[FILTERS]
    size, border = here[KERNEL], here[KERNEL] // 2
    P = M + 2 * border
    x = here[X] + n * (H + 2 * border) * P * C
    packed, wide = begin + here[PACKED], front.wide
    lines = 1 if here[Z] != NONE else 1 + here[POOLED]
    for h in range(0, H // lines * lines, lines):
        for line in range(lines):
            at = x + (h + line) * P * C
            z = begin + front.line_at + line * M * F
            if here[Z] != NONE:
                z = here[Z] + (n * H + h) * M * F
            product_of_windows(
                False, M, F, wide,
                memory, at, C, 1, P * C, size, size * C,
                memory, packed, F, size * C * F,
                memory, z, F,
            )  # fmt: skip
        if here[Z] == NONE:
            _finish_line(front, memory, codes, begin, layer, n, h // lines, begin + front.line_at)


@compiled
def normalise(front: Front, memory: Array, codes: Array, begin: int, layer: int, n: int) -> None:
    """Take one sample on from z, when the norm has seen the batch."""
    here = front.blocks[layer]
    lines = 1 + here[POOLED]
    step = lines * here[WIDTH] * here[FILTERS]
    z = here[Z] + n * here[HEIGHT] * here[WIDTH] * here[FILTERS]
    for i in range(here[HEIGHT] // lines):
        _finish_line(front, memory, codes, begin, layer, n, i, z + i * step)


@compiled
def _finish_line(
    front: Front, memory: Array, codes: Array, begin: int, layer: int, n: int, i: int, z: int
) -> None:
    here, above = front.blocks[layer], front.blocks[layer + 1]
    F, line = here[FILTERS], here[WIDTH] * here[FILTERS]
    k, floor = begin + here[K], front.numbers[layer, FLOOR]
    y = _row_at(above, above[KERNEL] // 2, n, i)
    Q = above[WIDTH]
    if here[POOLED]:
        won = here[CODES] + (n * above[HEIGHT] + i) * Q * F
        finish_pooled(memory, z, line, memory, k, floor, memory, y, codes, won, Q, F)
    else:
        finish(memory, z, line, memory, k, floor, memory, y, codes, 0, Q, F)


@compiled
def add_moments(front: Front, memory: Array, totals: Array, begin: int, layer: int, n: int) -> None:
    """Add a sample's sums of z and of its squares, both less the pivot, to its group's."""
    here = front.blocks[layer]
    F, places = here[FILTERS], here[HEIGHT] * here[WIDTH]
    at = begin + front.sums_at
    memory[at : at + 2 * F] = 0
    moments(memory, here[Z] + n * places * F, memory, begin + here[K], memory, at, places, F)
    for f in range(2 * F):
        totals[f] += memory[at + f]


@compiled
def see_batch(
    front: Front, params: Array, totals: Array, seen: Array, memory: Array, begin: int, layer: int,
    places: int, notes: bool,
) -> None:  # fmt: skip
    """Follow what a norm multiplies and adds from the sums of all groups.

    Parameters
    ----------
    totals : ndarray of float64, shape (G, 2 F)
    seen : ndarray of float64, shape (2, F)
        The array that takes the mean and the unbiased variance.
    places : int
        The number of places of all samples.
    notes : bool
        Whether it is this thread that writes them.
    """
    here, epsilon = front.blocks[layer], front.numbers[layer, EPSILON]
    F, k = here[FILTERS], begin + here[K]
    for f in range(here[GIVEN]):
        away, squares = 0.0, 0.0
        for group in range(len(totals)):
            away += totals[group, f]
            squares += totals[group, F + f]
        away /= places
        variance = max(squares / places - away * away, 0.0)
        mean = away + memory[k + PIVOT * F + f]
        inverse = 1 / np.sqrt(variance + epsilon)
        scale = params[here[GAMMA] + f] * inverse
        memory[k + SCALE * F + f] = scale
        memory[k + SHIFT * F + f] = params[here[BETA] + f] - mean * scale
        memory[k + BY * F + f] = mean  # for the way back, which replaces them
        memory[k + AT * F + f] = inverse
        if notes:
            seen[0, f] = mean
            seen[1, f] = variance * (places / max(places - 1, 1))


@compiled
def move_averages(front: Front, seen: Array, state: Array) -> None:
    """Move the running statistics of all norms towards those of the batch."""
    for layer in range(len(front.numbers)):
        here, momentum = front.blocks[layer], front.numbers[layer, MOMENTUM]
        if here[Z] != NONE:
            for f in range(here[GIVEN]):
                for place, new in (
                    (here[MEAN] + f, seen[layer, 0, f]),
                    (here[VARIANCE] + f, seen[layer, 1, f]),
                ):
                    state[place] = (1 - momentum) * state[place] + momentum * new


@compiled
def pivot(front: Front, state: Array, memory: Array, begin: int) -> None:
    """Take the running means as what sums of squares are measured from: less is lost of them."""
    for layer in range(len(front.numbers)):
        here = front.blocks[layer]
        if here[Z] != NONE:
            for f in range(here[GIVEN]):
                memory[begin + here[K] + PIVOT * here[FILTERS] + f] = state[here[MEAN] + f]


@compiled
def give_features(front: Front, memory: Array, features: Array, first: int, last: int) -> None:
    """Write the features of samples, as the Dense layers take them."""
    here = front.blocks[-1]
    places, C, D = here[HEIGHT] * here[WIDTH], here[CHANNELS], here[TAKEN]
    for n in range(first, last):
        x = here[X] + n * places * C
        if front.averages:
            for d in range(D):
                total = 0.0
                for place in range(places):
                    total += memory[x + place * C + d]
                features[n * D + d] = total / places
        else:
            for place in range(places):
                to = (n * places + place) * D
                for d in range(D):
                    features[to + d] = memory[x + place * C + d]


@compiled
def take_gradient(front: Front, memory: Array, dfeatures: Array, begin: int, n: int) -> None:
    """Write the gradient of the last block's output for one sample."""
    here, last = front.blocks[-1], front.blocks[-2]
    places, C, D = here[HEIGHT] * here[WIDTH], here[CHANNELS], here[TAKEN]
    dy = _dy_at(last, begin, n)
    for place in range(places):
        at = n * D if front.averages else (n * places + place) * D
        for d in range(D):
            value = dfeatures[at + d]
            memory[dy + place * C + d] = value / places if front.averages else value


@compiled
def add_sums(
    front: Front, memory: Array, codes: Array, totals: Array, begin: int, layer: int, n: int
) -> None:
    """Add a sample's sums of g and of g (z - pivot) to its group's, where there is a norm."""
    here, above = front.blocks[layer], front.blocks[layer + 1]
    F, line, lines = here[FILTERS], here[WIDTH] * here[FILTERS], 1 + here[POOLED]
    at, k, floor = begin + front.sums_at, begin + here[K], front.numbers[layer, FLOOR]
    memory[at : at + 2 * F] = 0
    Q, dy = above[WIDTH], _dy_at(here, begin, n)
    z = here[Z] + n * here[HEIGHT] * line
    for i in range(above[HEIGHT]):
        y = _row_at(above, above[KERNEL] // 2, n, i)
        won = here[CODES] + (n * above[HEIGHT] + i) * Q * F
        g, here_z = dy + i * Q * F, z + i * lines * line
        if here[POOLED]:
            sums_pooled(
                memory, g, memory, y, codes, won, floor, memory, here_z, line, memory, k,
                memory, at, Q, F,
            )  # fmt: skip
        else:
            sums(
                memory, g, memory, y, codes, won, floor, memory, here_z, line, memory, k,
                memory, at, Q, F,
            )  # fmt: skip
    for f in range(2 * F):
        totals[f] += memory[at + f]


@compiled
def see_gradients(
    front: Front, totals: Array, memory: Array, gradient: Array, begin: int, layer: int,
    places: int, writes: bool,
) -> None:  # fmt: skip
    """Follow dgamma and dbeta from the sums of all groups, and what dz is made of.

    dz = scale (g - dbeta / M - xhat dgamma / M), of M places, is by g + at z + plus.
    """
    here = front.blocks[layer]
    F, k = here[FILTERS], begin + here[K]
    for f in range(here[GIVEN]):
        dbeta, along = 0.0, 0.0
        for group in range(len(totals)):
            dbeta += totals[group, f]
            along += totals[group, F + f]
        mean, inverse = memory[k + BY * F + f], memory[k + AT * F + f]
        dgamma = inverse * (along - (mean - memory[k + PIVOT * F + f]) * dbeta)
        if writes:
            gradient[here[GAMMA] + f] = dgamma
            gradient[here[BETA] + f] = dbeta
        scale = memory[k + SCALE * F + f]
        at = -scale * inverse * dgamma / places
        memory[k + PLUS * F + f] = -scale * dbeta / places - at * mean
        memory[k + BY * F + f] = scale
        memory[k + AT * F + f] = at


@compiled
def go_back(
    front: Front, memory: Array, codes: Array, begin: int, sums_of: int, layer: int, n: int
) -> None:
    """Take one sample back through a block: add to dW and db of its group, and write dx.

    Parameters
    ----------
    sums_of : int
        The place where the gradients of the sample's group begin.
    """
    here, F = front.blocks[layer], front.blocks[layer, FILTERS]
    H, M, C, size = here[HEIGHT], here[WIDTH], here[CHANNELS], here[KERNEL]
    border = size // 2
    P, wide = M + 2 * border, front.wide
    _spread_sample(front, memory, codes, begin, layer, n)
    db = sums_of + here[GRADIENT] + size * size * C * F
    for f in range(F):
        memory[db + f] += memory[begin + front.sums_at + f]
    x, dz = here[X] + n * (H + 2 * border) * P * C, begin + here[DZ]
    inner = dz + (border * P + border) * F
    for i in range(size):
        product_of_windows(
            True, size * C, F, wide,
            memory, x + i * P * C, 1, C, 0, 1, H * P - 2 * border,
            memory, inner, F, 0,
            memory, sums_of + here[GRADIENT] + i * size * C * F, F,
        )  # fmt: skip
    if layer:
        turned, dx = begin + here[TURNED], _dy_at(front.blocks[layer - 1], begin, n)
        for h in range(H):
            product_of_windows(
                False, M, C, wide,
                memory, dz + h * P * F, F, 1, P * F, size, size * F,
                memory, turned, C, size * F * C,
                memory, dx + h * M * C, C,
            )  # fmt: skip


@compiled
def _spread_sample(
    front: Front, memory: Array, codes: Array, begin: int, layer: int, n: int
) -> None:
    """Write dz of one sample with a border, and the sums over its places without a norm."""
    here, above = front.blocks[layer], front.blocks[layer + 1]
    F, M, lines = here[FILTERS], here[WIDTH], 1 + here[POOLED]
    border = here[KERNEL] // 2
    line, far = M * F, (M + 2 * border) * F
    at, k, floor = begin + front.sums_at, begin + here[K], front.numbers[layer, FLOOR]
    memory[at : at + F] = 0
    Q, dy, z0 = above[WIDTH], _dy_at(here, begin, n), here[Z] + n * here[HEIGHT] * line
    for i in range(above[HEIGHT]):
        y = _row_at(above, above[KERNEL] // 2, n, i)
        won = here[CODES] + (n * above[HEIGHT] + i) * Q * F
        g, z = dy + i * Q * F, z0 + i * lines * line
        d = begin + here[DZ] + (i * lines + border) * far + border * F
        if here[Z] == NONE and here[POOLED]:
            spread_pooled(
                memory, g, memory, y, codes, won, floor, memory, g, line, memory, k,
                memory, d, far, memory, at, Q, F,
            )  # fmt: skip
        elif here[Z] == NONE:
            spread(
                memory, g, memory, y, codes, won, floor, memory, g, line, memory, k,
                memory, d, far, memory, at, Q, F,
            )  # fmt: skip
        elif here[POOLED]:
            spread_normed_pooled(
                memory, g, memory, y, codes, won, floor, memory, z, line, memory, k,
                memory, d, far, memory, at, Q, F,
            )  # fmt: skip
        else:
            spread_normed(
                memory, g, memory, y, codes, won, floor, memory, z, line, memory, k,
                memory, d, far, memory, at, Q, F,
            )  # fmt: skip
    if here[Z] != NONE and here[POOLED]:
        _left_over(here, memory, begin, z0)


@compiled
def _left_over(here: Array, memory: Array, begin: int, z: int) -> None:
    """Write dz of the line and the column that no pool of two by two takes: those of odd sizes."""
    H, M, F, border = here[HEIGHT], here[WIDTH], here[FILTERS], here[KERNEL] // 2
    k, P = begin + here[K], here[WIDTH] + 2 * border
    for h in range(H):
        for w in range(0 if h == H // 2 * 2 else M // 2 * 2, M):
            d = begin + here[DZ] + ((h + border) * P + w + border) * F
            for f in range(F):
                at = memory[k + AT * F + f] * memory[z + (h * M + w) * F + f]
                memory[d + f] = at + memory[k + PLUS * F + f]

"""A pass of some samples of a batch through blocks of convolutions and back, compiled by Numba.

`begin` is the place where a thread's own part of the memory begins. A convolution's sums z are made
a line at a time, and go on from the processor's nearest cache; only where a norm has to see the
whole batch first are they kept. Nothing here is imported without Numba.
"""

import numpy as np

from clearprop.compiled.blocks import (
    BETA,
    CODES,
    DEPTH,
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
    LENT,
    MEAN,
    PACKED,
    POOLED,
    ROWS,
    SKIP,
    SPLIT,
    STEP,
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
    PIVOT,
    PLUS,
    SCALE,
    SHIFT,
    finish,
    finish_added,
    finish_added_pooled,
    finish_pooled,
    spread,
    spread_normed,
    spread_normed_pooled,
    spread_pooled,
)
from clearprop.compiled.threads import compiled, copy
from clearprop.compiled.vectors import MOST_GROUPS, product_of_windows
from clearprop.core.parameters import Array


@compiled
def prepare(front: Front, params: Array, state: Array, memory: Array, begin: int) -> None:
    """Bring the weights of all blocks into the thread's memory: in the order of products, twice.

    The gradient of a block's input is a convolution, too: of dz, with each kernel turned by half a
    circle, and with filters and channels exchanged. Outside training a norm is an affine map.
    """
    G = front.wide
    for layer in range(len(front.numbers)):
        here = front.blocks[layer]
        C, size, taken, given = here[DEPTH], here[KERNEL], here[TAKEN], here[GIVEN]
        k = begin + here[K]
        for i in range(size):
            for j in range(size):
                for c in range(taken):
                    at = here[W] + ((i * size + j) * taken + c) * given
                    of, lane = c // C, c % C
                    for f in range(given):
                        to = ((f // G * size + i) * here[SPLIT] + of) * size + j
                        memory[begin + here[PACKED] + (to * C + lane) * G + f % G] = params[at + f]
                        if layer:
                            to = ((of * size + size - 1 - i) * here[FILTERS] + f // G) * size
                            to = (to + size - 1 - j) * G + f % G
                            memory[begin + here[TURNED] + to * G + lane] = params[at + f]
        for f in range(here[FILTERS] * G):
            at = k + f // G * ROWS * G + f % G
            memory[at + SCALE * G] = 1
            memory[at + SHIFT * G] = 0
            if here[B] != NONE and f < given:
                memory[at + SHIFT * G] = params[here[B] + f]
            if here[GAMMA] != NONE and f < given:
                spread_of = np.sqrt(state[here[VARIANCE] + f] + front.numbers[layer, EPSILON])
                scale = params[here[GAMMA] + f] / spread_of
                memory[at + SCALE * G] = scale
                memory[at + SHIFT * G] = params[here[BETA] + f] - state[here[MEAN] + f] * scale
                memory[at + PIVOT * G] = state[here[MEAN] + f]


@compiled
def take_pictures(front: Front, pictures: Array, memory: Array, first: int, last: int) -> None:
    """Copy pictures, in rows (H, W, C) one after the other, into the first block's input."""
    here = front.blocks[0]
    H, line = here[HEIGHT], here[WIDTH] * here[DEPTH]
    for n in range(first, last):
        for h in range(H):
            copy(memory, row_at(here, n, 0, h), pictures, (n * H + h) * line, line)


@compiled
def row_at(here: Array, n: int, group: int, h: int) -> int:
    """Return where a line of a block's input begins, behind its border."""
    border = here[KERNEL] // 2
    width, height = here[WIDTH] + 2 * border, here[HEIGHT] + 2 * border
    line = (n * here[SPLIT] + group) * height + h + border
    return here[X] + (line * width + border) * here[DEPTH]


@compiled
def dy_at(here: Array, begin: int, n: int) -> int:
    """Return where the gradient of a block's output begins: of each sample, or in one place."""
    return here[DY] + n * here[STEP] if here[STEP] else begin + here[DY]


@compiled
def convolve(front: Front, memory: Array, codes: Array, begin: int, layer: int, n: int) -> None:
    """Take one sample through a block; where there is a norm, only up to z."""
    here, G = front.blocks[layer], front.wide
    H, M, C, size = here[HEIGHT], here[WIDTH], here[DEPTH], here[KERNEL]
    P, border = M + size - 1, size // 2
    x = row_at(here, n, 0, 0) - (border * P + border) * C
    lines = 1 if here[Z] != NONE else 1 + here[POOLED]
    weights = size * size * here[SPLIT] * C * G
    far = (H if here[Z] != NONE else lines) * M * G
    for group in range(0, here[FILTERS], MOST_GROUPS):
        groups = min(MOST_GROUPS, here[FILTERS] - group)
        for h in range(0, H // lines * lines, lines):
            for line in range(lines):
                z = begin + front.line_at + line * M * G
                if here[Z] != NONE:
                    z = here[Z] + ((n * here[FILTERS] + group) * H + h) * M * G
                product_of_windows(
                    False, M, groups,
                    memory, x + (h + line) * P * C, C, 1, size * C,
                    (H + size - 1) * P * C, here[SPLIT], P * C, size,
                    memory, begin + here[PACKED] + group * weights, G, weights,
                    memory, z, G, far,
                )  # fmt: skip
            if here[Z] == NONE:
                for one in range(groups):
                    z = begin + front.line_at + one * far
                    _finish_line(front, memory, codes, begin, layer, n, group + one, h // lines, z)


@compiled
def normalise(front: Front, memory: Array, codes: Array, begin: int, layer: int, n: int) -> None:
    """Take one sample on from z, when the norm has seen the batch."""
    here = front.blocks[layer]
    lines, line = 1 + here[POOLED], here[WIDTH] * front.wide
    for group in range(here[FILTERS]):
        z = here[Z] + (n * here[FILTERS] + group) * here[HEIGHT] * line
        for i in range(here[HEIGHT] // lines):
            at = z + i * lines * line
            _finish_line(front, memory, codes, begin, layer, n, group, i, at)


@compiled
def _finish_line(
    front: Front, memory: Array, codes: Array, begin: int, layer: int, n: int, group: int, i: int,
    z: int,
) -> None:  # fmt: skip
    here, above, G = front.blocks[layer], front.blocks[layer + 1], front.wide
    k, floor = begin + here[K] + group * ROWS * G, front.numbers[layer, FLOOR]
    y, Q = row_at(above, n, group, i), above[WIDTH]
    line, lines, skip, far = here[WIDTH] * G, 1 + here[POOLED], 0, 0
    won = here[CODES] + ((n * here[FILTERS] + group) * above[HEIGHT] + i) * Q * G
    if here[SKIP] != NONE:
        lender = front.blocks[here[SKIP]]
        skip = row_at(lender, n, group, i * lines)
        far = (lender[WIDTH] + lender[KERNEL] - 1) * G
    if here[SKIP] == NONE and here[POOLED]:
        finish_pooled(
            memory, z, line, memory, skip, far, memory, k, floor, memory, y, codes, won, Q
        )  # fmt: skip
    elif here[SKIP] == NONE:
        finish(memory, z, line, memory, skip, far, memory, k, floor, memory, y, codes, won, Q)
    elif here[POOLED]:
        finish_added_pooled(
            memory, z, line, memory, skip, far, memory, k, floor, memory, y, codes, won, Q
        )  # fmt: skip
    else:
        finish_added(memory, z, line, memory, skip, far, memory, k, floor, memory, y, codes, won, Q)


@compiled
def give_features(front: Front, memory: Array, features: Array, first: int, last: int) -> None:
    """Write the features of samples, as the Dense layers take them."""
    here, G = front.blocks[-1], front.wide
    places, D = here[HEIGHT] * here[WIDTH], here[TAKEN]
    for n in range(first, last):
        for group in range(here[SPLIT]):
            x = here[X] + (n * here[SPLIT] + group) * places * G
            count = min(G, D - group * G)
            if front.averages:
                for d in range(count):
                    total = 0.0
                    for place in range(places):
                        total += memory[x + place * G + d]
                    features[n * D + group * G + d] = total / places
            else:
                for place in range(places):
                    to = (n * places + place) * D + group * G
                    for d in range(count):
                        features[to + d] = memory[x + place * G + d]


@compiled
def take_gradient(front: Front, memory: Array, dfeatures: Array, begin: int, n: int) -> None:
    """Write the gradient of the last block's output for one sample."""
    here, G = front.blocks[-1], front.wide
    places, D = here[HEIGHT] * here[WIDTH], here[TAKEN]
    dy = dy_at(front.blocks[-2], begin, n)
    share = memory.dtype.type(1 / places) if front.averages else memory.dtype.type(1)
    for group in range(here[SPLIT]):
        count = min(G, D - group * G)
        for place in range(places):
            at = (n if front.averages else n * places + place) * D + group * G
            to = dy + (group * places + place) * G
            for d in range(count):
                memory[to + d] = dfeatures[at + d] * share


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
    here, G = front.blocks[layer], front.wide
    H, M, C, size = here[HEIGHT], here[WIDTH], here[DEPTH], here[KERNEL]
    border, P, split = size // 2, M + size - 1, here[SPLIT]
    x = row_at(here, n, 0, 0) - (border * P + border) * C
    picture, map_size = (H + size - 1) * P * C, (H + size - 1) * P * G
    dW = sums_of + here[GRADIENT]
    db = dW + size * size * split * C * here[FILTERS] * G
    for group in range(0, here[FILTERS], MOST_GROUPS):
        groups = min(MOST_GROUPS, here[FILTERS] - group)
        for one in range(group, group + groups):
            _spread_group(front, memory, codes, begin, layer, n, one)
            for f in range(G):
                memory[db + one * G + f] += memory[begin + front.sums_at + f]
        inner = begin + here[DZ] + group * map_size + (border * P + border) * G
        for i in range(size):
            for part in range(split):
                product_of_windows(
                    True, size * C, groups,
                    memory, x + part * picture + i * P * C, 1, C, H * P - 2 * border, 0, 1, 0, 1,
                    memory, inner, G, map_size,
                    memory, dW + ((group * size + i) * split + part) * size * C * G, G,
                    size * split * size * C * G,
                )  # fmt: skip
    if layer:
        dz, weights = begin + here[DZ], size * size * here[FILTERS] * G * G
        dx = dy_at(front.blocks[layer - 1], begin, n)
        if here[LENT] != NONE:
            _go_round(front, memory, codes, begin, layer, n, dx)
        for part in range(0, split, MOST_GROUPS):
            for h in range(H):
                product_of_windows(
                    here[LENT] != NONE, M, min(MOST_GROUPS, split - part),
                    memory, dz + h * P * G, G, 1, size * G, map_size, here[FILTERS], P * G, size,
                    memory, begin + here[TURNED] + part * weights, G, weights,
                    memory, dx + (part * H + h) * M * G, G, H * M * G,
                )  # fmt: skip


@compiled
def _go_round(
    front: Front, memory: Array, codes: Array, begin: int, layer: int, n: int, dx: int
) -> None:
    """Write the gradient that goes round a Residual, which ends with another block."""
    here, end, G = front.blocks[layer], front.blocks[front.blocks[layer, LENT]], front.wide
    above = front.blocks[here[LENT] + 1]
    floor, Q, H = front.numbers[here[LENT], FLOOR], above[WIDTH], above[HEIGHT]
    line, lines, at = here[WIDTH] * G, 1 + end[POOLED], begin + front.sums_at
    dy, k = dy_at(end, begin, n), begin + end[K]
    if end[POOLED]:  # odd sizes have places that no pool takes
        memory[dx : dx + end[FILTERS] * here[HEIGHT] * line] = 0
    for group in range(end[FILTERS]):
        for i in range(H):
            y, g = row_at(above, n, group, i), dy + (group * H + i) * Q * G
            won = end[CODES] + ((n * end[FILTERS] + group) * H + i) * Q * G
            d = dx + (group * here[HEIGHT] + i * lines) * line
            if end[POOLED]:
                spread_pooled(
                    memory, g, memory, y, codes, won, floor, memory, g, line, memory, k,
                    memory, d, line, memory, at, Q,
                )  # fmt: skip
            else:
                spread(
                    memory, g, memory, y, codes, won, floor, memory, g, line, memory, k,
                    memory, d, line, memory, at, Q,
                )  # fmt: skip


@compiled
def _spread_group(
    front: Front, memory: Array, codes: Array, begin: int, layer: int, n: int, group: int
) -> None:
    """Write dz of a group of channels with a border, and its sums over places without a norm."""
    here, above, G = front.blocks[layer], front.blocks[layer + 1], front.wide
    lines, border = 1 + here[POOLED], here[KERNEL] // 2
    line, far = here[WIDTH] * G, (here[WIDTH] + 2 * border) * G
    at, k = begin + front.sums_at, begin + here[K] + group * ROWS * G
    floor, Q, H = front.numbers[layer, FLOOR], above[WIDTH], above[HEIGHT]
    dy = dy_at(here, begin, n) + group * H * Q * G
    dz = begin + here[DZ] + (group * (here[HEIGHT] + 2 * border) + border) * far + border * G
    place = n * here[FILTERS] + group
    z0, won0 = here[Z] + place * here[HEIGHT] * line, here[CODES] + place * H * Q * G
    memory[at : at + G] = 0
    for i in range(H):
        y, won = row_at(above, n, group, i), won0 + i * Q * G
        g, z, d = dy + i * Q * G, z0 + i * lines * line, dz + i * lines * far
        if here[Z] == NONE and here[POOLED]:
            spread_pooled(
                memory, g, memory, y, codes, won, floor, memory, g, line, memory, k,
                memory, d, far, memory, at, Q,
            )  # fmt: skip
        elif here[Z] == NONE:
            spread(
                memory, g, memory, y, codes, won, floor, memory, g, line, memory, k,
                memory, d, far, memory, at, Q,
            )  # fmt: skip
        elif here[POOLED]:
            spread_normed_pooled(
                memory, g, memory, y, codes, won, floor, memory, z, line, memory, k,
                memory, d, far, memory, at, Q,
            )  # fmt: skip
        else:
            spread_normed(
                memory, g, memory, y, codes, won, floor, memory, z, line, memory, k,
                memory, d, far, memory, at, Q,
            )  # fmt: skip
    if here[Z] != NONE and here[POOLED]:
        _left_over(here, memory, G, z0, k, dz, far)


@compiled
def _left_over(here: Array, memory: Array, G: int, z: int, k: int, dz: int, far: int) -> None:
    """Write dz of the line and the column that no pool of two by two takes: those of odd sizes."""
    H, M = here[HEIGHT], here[WIDTH]
    for h in range(H):
        for w in range(0 if h == H // 2 * 2 else M // 2 * 2, M):
            for f in range(G):
                at = memory[k + AT * G + f] * memory[z + (h * M + w) * G + f]
                memory[dz + h * far + w * G + f] = at + memory[k + PLUS * G + f]

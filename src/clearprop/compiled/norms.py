"""What batch norms have to see of a whole batch, on the way up and back, compiled by Numba.

Sums are made for each group of samples, and added up in their order by every thread. Squares are
measured from the running means, as less is lost of them there than from zero. Nothing here is
imported without Numba.
"""

import numpy as np

from clearprop.compiled.blocks import (
    BETA,
    CODES,
    DY,
    EPSILON,
    FILTERS,
    FLOOR,
    GAMMA,
    GIVEN,
    HEIGHT,
    MEAN,
    MOMENTUM,
    POOLED,
    ROWS,
    VARIANCE,
    WIDTH,
    Front,
    K,
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
    moments,
    sums,
    sums_pooled,
)
from clearprop.compiled.convolutions import row_at
from clearprop.compiled.threads import compiled
from clearprop.core.parameters import Array


@compiled
def add_moments(front: Front, memory: Array, totals: Array, begin: int, layer: int, n: int) -> None:
    """Add a sample's sums of z and of its squares, both less the pivot, to its group's."""
    here, G, at = front.blocks[layer], front.wide, begin + front.sums_at
    places = here[HEIGHT] * here[WIDTH]
    for group in range(here[FILTERS]):
        z = here[Z] + (n * here[FILTERS] + group) * places * G
        memory[at : at + 2 * G] = 0
        moments(memory, z, memory, begin + here[K] + group * ROWS * G, memory, at, places)
        for f in range(G):
            totals[0, group * G + f] += memory[at + f]
            totals[1, group * G + f] += memory[at + G + f]


@compiled
def see_batch(
    front: Front, params: Array, totals: Array, seen: Array, memory: Array, begin: int, layer: int,
    places: int, notes: bool,
) -> None:  # fmt: skip
    """Follow what a norm multiplies and adds from the sums of all groups.

    Parameters
    ----------
    totals : ndarray of float64, shape (groups of samples, 2, F)
    seen : ndarray of float64, shape (2, F)
        The array that takes the mean and the unbiased variance.
    places : int
        The number of places of all samples.
    notes : bool
        Whether it is this thread that writes them.
    """
    here, epsilon, G = front.blocks[layer], front.numbers[layer, EPSILON], front.wide
    for f in range(here[GIVEN]):
        away, squares = 0.0, 0.0
        for group in range(len(totals)):
            away += totals[group, 0, f]
            squares += totals[group, 1, f]
        k = begin + here[K] + f // G * ROWS * G + f % G
        away /= places
        variance = max(squares / places - away * away, 0.0)
        mean = away + memory[k + PIVOT * G]
        inverse = 1 / np.sqrt(variance + epsilon)
        scale = params[here[GAMMA] + f] * inverse
        memory[k + SCALE * G] = scale
        memory[k + SHIFT * G] = params[here[BETA] + f] - mean * scale
        memory[k + BY * G] = mean  # for the way back, which replaces them
        memory[k + AT * G] = inverse
        if notes:
            seen[0, f] = mean
            seen[1, f] = variance * (places / max(places - 1, 1))


@compiled
def move_averages(front: Front, seen: Array, state: Array) -> None:
    """Move the running statistics of all norms towards those of the batch."""
    for layer in range(len(front.numbers)):
        here, momentum = front.blocks[layer], front.numbers[layer, MOMENTUM]
        if here[Z] != NONE:
            for row, begin in enumerate((here[MEAN], here[VARIANCE])):
                for f in range(here[GIVEN]):
                    moved = momentum * seen[layer, row, f]
                    state[begin + f] = (1 - momentum) * state[begin + f] + moved


@compiled
def add_sums(
    front: Front, memory: Array, codes: Array, totals: Array, begin: int, layer: int, n: int
) -> None:
    """Add a sample's sums of g and of g (z - pivot) to its group's, where there is a norm."""
    here, above, G = front.blocks[layer], front.blocks[layer + 1], front.wide
    line, lines, floor = here[WIDTH] * G, 1 + here[POOLED], front.numbers[layer, FLOOR]
    at, Q, H = begin + front.sums_at, above[WIDTH], above[HEIGHT]
    for group in range(here[FILTERS]):
        k, place = begin + here[K] + group * ROWS * G, n * here[FILTERS] + group
        memory[at : at + 2 * G] = 0
        for i in range(H):
            y, z = row_at(above, n, group, i), here[Z] + (place * here[HEIGHT] + i * lines) * line
            g, won = here[DY] + (place * H + i) * Q * G, here[CODES] + (place * H + i) * Q * G
            if here[POOLED]:
                sums_pooled(
                    memory, g, memory, y, codes, won, floor, memory, z, line, memory, k,
                    memory, at, Q,
                )  # fmt: skip
            else:
                sums(
                    memory, g, memory, y, codes, won, floor, memory, z, line, memory, k,
                    memory, at, Q,
                )  # fmt: skip
        for f in range(G):
            totals[0, group * G + f] += memory[at + f]
            totals[1, group * G + f] += memory[at + G + f]


@compiled
def see_gradients(
    front: Front, totals: Array, memory: Array, gradient: Array, begin: int, layer: int,
    places: int, writes: bool,
) -> None:  # fmt: skip
    """Follow dgamma and dbeta from the sums of all groups, and what dz is made of.

    dz = scale (g - dbeta / M - xhat dgamma / M), of M places, is by g + at z + plus.
    """
    here, G = front.blocks[layer], front.wide
    for f in range(here[GIVEN]):
        dbeta, along = 0.0, 0.0
        for group in range(len(totals)):
            dbeta += totals[group, 0, f]
            along += totals[group, 1, f]
        k = begin + here[K] + f // G * ROWS * G + f % G
        mean, inverse = memory[k + BY * G], memory[k + AT * G]
        dgamma = inverse * (along - (mean - memory[k + PIVOT * G]) * dbeta)
        if writes:
            gradient[here[GAMMA] + f] = dgamma
            gradient[here[BETA] + f] = dbeta
        scale = memory[k + SCALE * G]
        at = -scale * inverse * dgamma / places
        memory[k + PLUS * G] = -scale * dbeta / places - at * mean
        memory[k + BY * G] = scale
        memory[k + AT * G] = at

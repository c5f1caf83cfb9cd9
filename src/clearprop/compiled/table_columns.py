"""The first layer of the network of a table, and back through it, compiled by Numba.

A part of a batch goes sample after sample through tables of categories and factors, and number
after number through waves: each wave of all samples lies in a piece, so that their sums are matrix
products, and the rest vectors. Nothing here is imported without Numba.
"""

import math

from clearprop.compiled.building import Samples, Vectors
from clearprop.compiled.smooth import wave
from clearprop.compiled.table_building import TableChain, X
from clearprop.compiled.threads import compiled, product
from clearprop.core.parameters import Array


@compiled
def embed(
    chain: TableChain,
    samples: Samples,
    rows: Array,
    start: int,
    vectors: Vectors,
    part: int,
    first: int,
    last: int,
) -> None:
    """Write what the first layer gives, and what is left of it by the factor of each input."""
    front, memory, params = chain.front, vectors.memory, vectors.params
    D, passed, n = front.numbers, front.numbers + front.plain, last - first
    K, given, width = front.width, front.given, front.embedded
    columns, codes_at = passed + front.codes, D * K + passed
    u = memory[front.u_at + first * given : front.u_at + last * given].reshape(n, given)
    for i in range(n):
        row = rows[first + i] if len(rows) else start + first + i
        x = samples.inputs[row * columns : (row + 1) * columns]
        for j in range(passed):
            u[i, D * K + j] = x[j]
        for column in range(front.codes):
            at = front.E_at + (chain.firsts[column] + int(x[passed + column])) * width
            for j in range(width):
                u[i, codes_at + column * width + j] = params[at + j]
    for number in range(D):
        _wave(chain, vectors, u, part, number, first)
    s, x_at = params[front.s_at : front.s_at + given], chain.layers[0, X] + first * given
    scaled = memory[x_at : x_at + n * given].reshape(n, given)
    for i in range(n):
        for j in range(given):
            scaled[i, j] = u[i, j] * s[j]


@compiled
def _wave(
    chain: TableChain, vectors: Vectors, u: Array, part: int, number: int, first: int
) -> None:
    """Write the embedding of one number of some samples, sample after sample for each wave."""
    front, memory, params = chain.front, vectors.memory, vectors.params
    n, K, F, D = len(u), front.width, front.frequencies, front.numbers
    own = front.own_at + part * front.own_size
    x, at = memory[own : own + n], (first * D + number * n) * F
    for i in range(n):
        x[i] = u[i, D * K + number]
    turn = x.dtype.type(0.5 / math.pi)
    for f in range(F):
        w1 = params[front.w1_at + number * F + f]
        b1 = params[front.b1_at + number * F + f] * turn
        cosines = memory[front.cosines_at + at + f * n : front.cosines_at + at + (f + 1) * n]
        sines = memory[front.sines_at + at + f * n : front.sines_at + at + (f + 1) * n]
        for i in range(n):
            cosines[i], sines[i] = wave(x[i] * w1 + b1)
    W2_at, y_at = front.W2_at + number * F * K, own + 2 * n
    product(1, False, K, n, F, params, W2_at, K, memory, front.cosines_at + at, n, memory, y_at, n)
    for k in range(K):
        y, b2 = memory[y_at + k * n : y_at + (k + 1) * n], params[front.b2_at + number * K + k]
        for i in range(n):
            u[i, number * K + k] = y[i] + b2


@compiled
def unembed(
    chain: TableChain, vectors: Vectors, gradient: Array, part: int, first: int, last: int
) -> None:
    """Write the gradient of what the first layer gives, and those of factors and waves."""
    front, memory, params = chain.front, vectors.memory, vectors.params
    given, n = front.given, last - first
    u = memory[front.u_at + first * given : front.u_at + last * given].reshape(n, given)
    du = memory[front.du_at + first * given : front.du_at + last * given].reshape(n, given)
    s, ds = params[front.s_at : front.s_at + given], gradient[front.s_at : front.s_at + given]
    for i in range(n):
        for j in range(given):
            ds[j] += du[i, j] * u[i, j]
            du[i, j] *= s[j]
    for number in range(front.numbers):
        _unwave(chain, vectors, gradient, u, du, part, number, first)


@compiled
def _unwave(
    chain: TableChain,
    vectors: Vectors,
    gradient: Array,
    u: Array,
    du: Array,
    part: int,
    number: int,
    first: int,
) -> None:
    """Write the gradients of the embedding of one number: sums over samples are products, too."""
    front, memory, params = chain.front, vectors.memory, vectors.params
    n, K, F, D = len(u), front.width, front.frequencies, front.numbers
    own, at = front.own_at + part * front.own_size, (first * D + number * n) * F
    dy_at, dphi_at, sums_at = own + 2 * n, own + (2 + K) * n, own + (2 + K + F) * n
    x, ones = memory[own : own + n], memory[own + n : own + 2 * n]
    for i in range(n):
        x[i], ones[i] = u[i, D * K + number], 1
    for k in range(K):
        dy = memory[dy_at + k * n : dy_at + (k + 1) * n]
        for i in range(n):
            dy[i] = du[i, number * K + k]
    W2_at, b2_at, w1_at = front.W2_at + number * F * K, front.b2_at + number * K, number * F
    cosines = front.cosines_at + at
    product(2, False, F, K, n, memory, cosines, n, memory, dy_at, n, gradient, W2_at, K)
    product(2, False, K, 1, n, memory, dy_at, n, memory, own + n, n, gradient, b2_at, 1)
    product(0, False, F, n, K, params, W2_at, K, memory, dy_at, n, memory, dphi_at, n)
    dphi = memory[dphi_at : dphi_at + F * n]
    sines = memory[front.sines_at + at : front.sines_at + at + F * n]
    for i in range(F * n):
        dphi[i] *= -sines[i]
    product(2, False, F, 2, n, memory, dphi_at, n, memory, own, n, memory, sums_at, 2)
    turn = x.dtype.type(2 * math.pi)
    for f in range(F):
        gradient[front.w1_at + w1_at + f] = memory[sums_at + 2 * f] * turn
        gradient[front.b1_at + w1_at + f] = memory[sums_at + 2 * f + 1]

"""The updates of compiled steps: L2 and the optimizers' kernels, of the rows that a thread updates.

Nothing here is imported without Numba.
"""

from clearprop import kernels
from clearprop.fused.chain import (
    ADAPT,
    DESCEND,
    INPUTS,
    LOOK_AHEAD,
    NONE,
    PUSH,
    SCALE,
    UNITS,
    B,
    Chain,
    Samples,
    Vectors,
    W,
)
from clearprop.fused.crew import compiled, cut, product
from clearprop.parameters import Array

_adapt, _descend, _look_ahead, _push, _scale = (
    compiled(kernel.loop)
    for kernel in (
        kernels.adapt,
        kernels.descend,
        kernels.look_ahead,
        kernels.push,
        kernels.scale,
    )
)


@compiled
def squares_of_weights(
    chain: Chain, samples: Samples, vectors: Vectors, part: int, parts: int
) -> float:
    """Return the sum of squares of the weights that a thread updates."""
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
    """Update what this thread has the gradient of; weights, but no biases, are pulled to zero."""
    here = chain.layers[layer]
    D, M = here[INPUTS], here[UNITS]
    begin, end = here[W] + cut(D, part, parts) * M, here[W] + cut(D, part + 1, parts) * M
    _pull(vectors, pull, factor, begin, end)
    _take_step(chain.kernel, vectors, coefficients, begin, end)
    if here[B] != NONE and layer % parts == part:
        _take_step(chain.kernel, vectors, coefficients, here[B], here[B] + M)
    if layer == 0 and chain.scaled_at != NONE and part == 0:
        _pull(vectors, pull, factor, chain.scaled_at, chain.scaled_at + 1)
        _take_step(chain.kernel, vectors, coefficients, chain.scaled_at, chain.scaled_at + 1)


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


@compiled
def _take_step(kernel: int, vectors: Vectors, c: Array, begin: int, end: int) -> None:
    """Update a stretch of the parameters (P,) by a kernel's code and its coefficients c (C,)."""
    w, g = vectors.params[begin:end], vectors.gradient[begin:end]
    m, v = vectors.first[begin:end], vectors.second[begin:end]
    if kernel == DESCEND:
        _descend(w, g, c[0], c[1], g)
    elif kernel == PUSH:
        _push(w, g, m, c[0], c[1], c[2], g)
    elif kernel == LOOK_AHEAD:
        _look_ahead(w, g, m, c[0], c[1], c[2], g)
    elif kernel == SCALE:
        _scale(w, g, m, c[0], c[1], c[2], c[3], c[4], g)
    elif kernel == ADAPT:
        _adapt(w, g, m, v, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], g)

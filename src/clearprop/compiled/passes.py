"""A pass of some samples of a batch through a chain and back, compiled by Numba.

`rows` are the samples of the batch; where it is empty, they are all, from `start` on. A thread
takes those from `first` to `last` of the batch. exp, log and tanh are the compiler's own, whose
last bit may differ from NumPy's. Nothing here is imported without Numba.
"""

from clearprop.compiled.building import (
    ACTIVATION,
    ACTIVATION_LOOPS,
    DZ,
    INPUTS,
    KEPT,
    LOSS_LOOPS,
    NONE,
    UNITS,
    B,
    Chain,
    Samples,
    Vectors,
    W,
    X,
)
from clearprop.compiled.threads import compiled, cut, named, one_of, part, product, written
from clearprop.core.parameters import Array

_activate = one_of("y, number", [(loop, named(loop)) for loop, _ in ACTIVATION_LOOPS])
_activate_back = one_of("y, dy, number", [(loop, named(loop)) for _, loop in ACTIVATION_LOOPS])


_ADDED = "samples, rows, begin, share, number, z, dz"
# Written for each loss, with the arguments that it takes: to choose among losses for every sample,
# or to pass on an array that one does not look at, would take as long as some of them.
_ADD = f"""
def add({_ADDED}):
    labels, y, weights, total = samples.labels, samples.targets, samples.weights, 0.0
    for n in range(len(z)):
        row = rows[n] if len(rows) else begin + n
        part = share * weights[row] if len(weights) else share
        total += part * loss({{arguments}})
        for k in range(z.shape[1]):
            dz[n, k] *= part
    return total
"""
add_losses = one_of(
    _ADDED,
    [
        (written("add", _ADD.format(arguments=named(loop)), {"loss": part(loop)}), _ADDED)
        for loop in LOSS_LOOPS
    ],
)


@compiled
def forward(
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
    """Take samples through all layers, and write their logits.

    The inputs of all layers stay in the memory for the way back, one after the other.
    """
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
            product(0, False, count, M, D, memory, x, D, params, here[W], M, y, to, M)
        else:
            x = (start + first) * D  # all, in order: no need to gather them
            product(0, False, count, M, D, samples.inputs, x, D, params, here[W], M, y, to, M)
        z = y[to : to + count * M].reshape(count, M)  # loops over what begins at 0 are quicker
        if layer == 0 and chain.scaled_at != NONE:  # sample space: K C is there, a Z_0 is missing
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
        if here[ACTIVATION] != NONE:
            _activate(here[ACTIVATION], z.reshape(-1), chain.numbers[layer])
        if here[KEPT] != NONE:
            _drop(z, kept[first:last, here[KEPT] : here[KEPT] + M], chain.scales[layer])


@compiled
def loss_of(
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
    M, begin, count = chain.layers[-1, UNITS], chain.layers[-1, DZ], last - first
    dz = memory[begin + first * M : begin + last * M].reshape(count, M)
    z = logits[(start + first) * M : (start + last) * M].reshape(count, M)
    share = 1 / counted if counted > 0 else 0.0  # as `Loss` has it where all weights are zero
    some = rows[first:last] if len(rows) else rows
    return add_losses(chain.loss, samples, some, start + first, share, chain.loss_number, z, dz)


@compiled
def backward(chain: Chain, kept: Array, vectors: Vectors, first: int, last: int) -> None:
    """Write the gradients of all layers' outputs before activation; nobody needs the input's."""
    memory, count = vectors.memory, last - first
    for layer in range(len(chain.layers) - 1, 0, -1):
        here, below = chain.layers[layer], chain.layers[layer - 1]
        D, M = here[INPUTS], here[UNITS]
        dz, to, x = here[DZ] + first * M, below[DZ] + first * D, here[X] + first * D
        product(2, False, count, D, M, memory, dz, M, vectors.params, here[W], M, memory, to, D)
        dy = memory[to : to + count * D]
        if below[KEPT] != NONE:
            stayed = kept[first:last, below[KEPT] : below[KEPT] + D]
            # Where it let a number stay, y is larger by a factor above zero: its sign is the same,
            # and of an activation that does not bend the slope, too.
            _drop(dy.reshape(count, D), stayed, chain.scales[layer - 1])
        if below[ACTIVATION] != NONE:
            y = memory[x : x + count * D]
            _activate_back(below[ACTIVATION], y, dy, chain.numbers[layer - 1])


@compiled
def learn(
    chain: Chain,
    samples: Samples,
    rows: Array,
    start: int,
    size: int,
    vectors: Vectors,
    layer: int,
    part: int,
    parts: int,
    adds: bool,
) -> None:
    """Write the gradient of some rows of a layer's weights, and one thread that of the bias.

    Where `adds` is true, it is added to what is there; outside sample space, that is.
    """
    memory, gradient, here = vectors.memory, vectors.gradient, chain.layers[layer]
    D, M, begin = here[INPUTS], here[UNITS], here[DZ]
    dz = memory[begin : begin + size * M].reshape(size, M)
    first, last = cut(D, part, parts), cut(D, part + 1, parts)
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
        product(1, adds, count, M, size, memory, x, D, memory, begin, M, gradient, to, M)
    else:
        x = start * D + first
        product(1, adds, count, M, size, samples.inputs, x, D, memory, begin, M, gradient, to, M)
    if here[B] != NONE and layer % parts == part:
        db = gradient[here[B] : here[B] + M]
        if not adds:
            db[:] = 0
        for n in range(size):
            for k in range(M):
                db[k] += dz[n, k]


@compiled
def _drop(y: Array, kept: Array, scale: float) -> None:
    """Let some numbers stay, in place."""
    zero = y.dtype.type(0)  # 0 would be a wider number than float32
    for n in range(y.shape[0]):
        for k in range(y.shape[1]):
            y[n, k] = y[n, k] * scale if kept[n, k] else zero

"""The gradient of very many samples, a chunk after the other, compiled by Numba.

Nothing here is imported without it.
"""

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401 - before threads are limited: it has its own library

from clearprop.fused.chain import INPUTS, Chain, Samples, Vectors
from clearprop.fused.crew import compiled
from clearprop.fused.passes import backward, forward, learn, loss_of
from clearprop.parameters import Array


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

    Parameters
    ----------
    chain : Chain
    samples : Samples
    vectors : Vectors
        Of this thread, but for the parameters.
    logits : ndarray, shape (size * K,)
        Scratch.
    counted : float
        What each sample's loss is divided by.
    begin, end : int
        Which samples.
    size : int
        How many pass at a time.
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

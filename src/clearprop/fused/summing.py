"""The gradient of all samples by compiled passes, as whoever minimises their loss asks for it."""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from clearprop.fused.building import chain_of, samples_of, vectors_of
from clearprop.layer_stack import LayerStack
from clearprop.losses import Loss
from clearprop.parameters import Array

_CHUNK = 2**13  # numbers in the widest layer at a time: 64 KiB in float64


class FusedGradient:
    """Compiled passes of all samples through one network.

    Parameters
    ----------
    network : LayerStack
        Its parameters may be changed between two calls; `is_plain_chain` must hold.
    loss : Loss
        Its own, or one that is minimised in its place.
    X : ndarray, shape (N, D)
    y : ndarray of int64, shape (N,), or ndarray, shape (N, K)
        Class numbers, or targets.
    weights : ndarray, shape (N,), or None
    threads : int
        How many have a share of the samples each.

    Attributes
    ----------
    gradient : ParameterVector
        Of the mean loss, as of the last call.
    blas_threads : int
        How many threads a product outside is to have meanwhile: one.

    Raises
    ------
    Exception
        Whatever a broken Numba raises.
    """

    blas_threads = 1

    def __init__(
        self,
        network: LayerStack,
        loss: Loss,
        X: Array,
        y: Array,
        weights: Array | None,
        threads: int,
    ) -> None:
        from clearprop.fused.gradient import gradient_of  # here: it needs Numba

        self._gradient_of = gradient_of
        threads = min(threads, len(y))
        widest = max(math.prod(shape) for shape in network.summary().output_shapes)
        self._size = min(max(1, _CHUNK // widest), len(y))
        self._chain, memory = chain_of(network, loss, None, self._size)
        self._samples = samples_of(X, y, weights)
        self._counted = float(len(y)) if weights is None else float(weights.sum())
        gradients = [network.parameters.like() for _ in range(threads)]
        self._vectors = [  # only the parameters are everybody's
            vectors_of(network, None, {}, memory, 1)._replace(gradient=one.data)
            for one in gradients
        ]
        self._logits = np.empty((threads, self._size * network.output_shape[0]), network.dtype)
        cuts = [len(y) * part // threads for part in range(threads + 1)]
        self._shares = list(pairwise(cuts))
        self._others = ThreadPoolExecutor(max(threads - 1, 1))  # its threads start when needed
        self.gradient = gradients[0]
        self._pass(0, (0, 0))  # compiles, if that is to be done

    def __call__(self) -> float:
        """Write the gradient of the mean loss into `gradient`, and return the loss."""
        first, *others = enumerate(self._shares)
        results = [self._others.submit(self._pass, *share) for share in others]
        loss = self._pass(*first)
        for vectors, result in zip(self._vectors[1:], results, strict=True):
            loss += result.result()
            self.gradient.data += vectors.gradient
        return loss

    def _pass(self, part: int, share: tuple[int, int]) -> float:
        return self._gradient_of(
            self._chain,
            self._samples,
            self._vectors[part],
            self._logits[part],
            self._counted,
            *share,
            self._size,
        )

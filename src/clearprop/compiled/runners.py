"""Compiled steps and compiled gradients of one network, as those who train call them."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import accumulate, pairwise

import numpy as np

from clearprop.compiled.building import Batches, chain_of, nothing, samples_of, vectors_of
from clearprop.core.kernels import flush_below
from clearprop.core.parameters import Array
from clearprop.layers import Dropout
from clearprop.losses import Loss
from clearprop.network.stack import LayerStack
from clearprop.optimizers import Optimizer, OptimizerState

_CHUNK = 2**13  # numbers in the widest layer at a time: 64 KiB in float64
_AT_ONCE = 2_000_000_000  # weights times samples: a tenth of a second, for which Ctrl-C waits


class FusedSteps:
    """Compiled steps of one network, one optimizer and one set of samples.

    Parameters
    ----------
    network : LayerStack
        The layers, whose parameters are changed; `is_chain` must hold.
    loss : Loss
        The network's, or one that is minimised in its place.
    state : dict of str to ndarray
        The moments that the optimizer keeps, changed.
    X : ndarray, shape (N, D)
        The samples; in sample space K (N, N).
    y : ndarray of int64, shape (N,), or ndarray, shape (N, K)
        Class numbers, or targets.
    weights : ndarray, shape (N,), or None
    Z_0 : ndarray, shape (N, M), or None
        The product X W_0 with the first weights, in sample space.
    first_squares : float
        The sum of the first weights' squares, in sample space.
    batch_size : int
        The largest number of samples in a batch.
    threads : int
        The number of threads that work on a batch together.
    random_state : numpy.random.RandomState
        The source from which dropout draws, in the order in which its layers would.

    Attributes
    ----------
    optimizer : Optimizer
        It may be replaced by another one of its kind, with another learning rate.
    at_once : int
        The number of updates that are best done in one call.

    Raises
    ------
    Exception
        If Numba is broken: whatever it raises.
    """

    def __init__(
        self,
        network: LayerStack,
        loss: Loss,
        optimizer: Optimizer,
        state: OptimizerState,
        X: Array,
        y: Array,
        weights: Array | None,
        Z_0: Array | None,
        first_squares: float,
        batch_size: int,
        threads: int,
        random_state: np.random.RandomState,
    ) -> None:
        from clearprop.compiled.crew import train  # here: it needs Numba

        self._train = train
        self.optimizer = optimizer
        self._dtype = network.dtype
        self._chain, memory = chain_of(network, loss, optimizer, batch_size, first_squares)
        self._vectors = vectors_of(network, optimizer, state, memory, threads)
        self._samples = samples_of(X, y, weights, Z_0)
        self._outputs = network.output_shape[0]
        self._drawn = Draws(network, random_state)
        self._others = ThreadPoolExecutor(max(threads - 1, 1))  # its threads start when needed
        self._threads = threads
        self._no_rows = nothing(np.dtype(np.int64))
        self.at_once = max(1, _AT_ONCE // (network.parameters.data.size * batch_size))
        self(0, slice(0, 0), [])  # compiles, if that is to be done, before anything is changed

    def __call__(
        self, step: int, rows: slice | Array, sizes: Sequence[int]
    ) -> tuple[list[float], Array]:
        """Do an update for each batch, but none from the first one on whose loss is not finite.

        Parameters
        ----------
        step : int
            The number of updates done before.
        rows : ndarray of int64, shape (R,), or slice
            The samples of all batches, one batch after the other; a slice begins with the first
            sample.
        sizes : sequence of int
            The number of samples of each batch, R in all.

        Returns
        -------
        losses : list of float
            The loss of every batch that was looked at.
        logits : ndarray, shape (R, K)
        """
        bounds = np.array([0, *accumulate(sizes)])
        given = Batches(
            self._no_rows if isinstance(rows, slice) else rows,
            bounds,
            self._drawn(sizes),
            *scheduled(self.optimizer, self._vectors.params, range(step, step + len(sizes))),
        )
        losses = np.empty(len(sizes))
        logits = np.empty((bounds[-1], self._outputs), self._dtype)
        counter = np.zeros(1, np.int64)
        train = partial(
            self._train,
            self._chain,
            self._samples,
            self._vectors,
            given,
            losses,
            logits.reshape(-1),
            counter,
        )
        others = [self._others.submit(train, part) for part in range(1, self._threads)]
        done = train(0)
        for other in others:
            other.result()
        return losses[: done + 1].tolist(), logits


class Draws:
    """The numbers that dropout lets stay, drawn as its layers would, batch after batch.

    Parameters
    ----------
    network : LayerStack
    random_state : numpy.random.RandomState
        The source from which dropout draws, in the order in which its layers would.
    """

    def __init__(self, network: LayerStack, random_state: np.random.RandomState) -> None:
        shapes = [built.out_shape for built in network.body.build_each(network.input_shape)]
        self.random_state = random_state
        self.layers = [
            (layer, shape[0])
            for layer, shape in zip(network.layers, shapes, strict=True)
            if isinstance(layer, Dropout)
        ]
        self._none = np.empty((0, 0), np.bool_)

    def __call__(self, sizes: Sequence[int], step: int = 0) -> Array:
        """Draw for batches of these sizes, shape (R, Q), the first of which is of that update."""
        if not self.layers:
            return self._none
        kept = np.empty((sum(sizes), sum(units for _, units in self.layers)), np.bool_)
        starts = accumulate(sizes, initial=0)
        for update, (start, size) in enumerate(zip(starts, sizes, strict=False), step):
            column = 0
            for layer, units in self.layers:
                drawn = np.empty((size, units), np.bool_)
                layer.draw(self.random_state, drawn, update)
                kept[start : start + size, column : column + units] = drawn
                column += units
        return kept


def scheduled(optimizer: Optimizer, params: Array, steps: range) -> tuple[Array, Array]:
    """Return the optimizer's coefficients (S, C) and factors (S,) of each update."""
    coefficients, factors = [], []
    for step in steps:
        rate = optimizer.rate(step)
        floor = flush_below(params, step)
        coefficients.append((*optimizer.coefficients(rate, step), floor))
        factors.append(optimizer.decay_factor(step))
    if not coefficients:
        return nothing(params.dtype, 2), nothing(params.dtype)
    return np.array(coefficients, params.dtype), np.array(factors, params.dtype)


class FusedGradient:
    """Compiled passes of all samples through one network.

    Parameters
    ----------
    network : LayerStack
        The layers; their parameters may change between two calls; `is_plain_chain` must hold.
    loss : Loss
        The network's, or one that is minimised in its place.
    X : ndarray, shape (N, D)
    y : ndarray of int64, shape (N,), or ndarray, shape (N, K)
        Class numbers, or targets.
    weights : ndarray, shape (N,), or None
    threads : int
        The number of threads, of which each has a share of the samples.

    Attributes
    ----------
    gradient : ParameterVector
        The gradient of the mean loss, as of the last call.
    blas_threads : int
        The number of threads that a product outside is to have meanwhile: one.

    Raises
    ------
    Exception
        If Numba is broken: whatever it raises.
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
        from clearprop.compiled.crew import gradient_of  # here: it needs Numba

        self._gradient_of = gradient_of
        threads = min(threads, len(y))
        widest = max(math.prod(shape) for shape in network.summary().output_shapes)
        self._size = min(max(1, _CHUNK // widest), len(y))
        self._chain, memory = chain_of(network, loss, None, self._size)
        self._samples = samples_of(X, y, weights)
        self._counted = (0.0 if weights is None else float(weights.sum())) or float(len(y))
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

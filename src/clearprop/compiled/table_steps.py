"""Compiled steps and forward passes of the network of a table, as those who train call them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import accumulate
from threading import Lock

import numpy as np

from clearprop.compiled.building import NONE, nothing, samples_of, vectors_of
from clearprop.compiled.runners import Draws
from clearprop.compiled.table_building import (
    KEPT,
    PARTS,
    TableBatches,
    embedding_of,
    rates_of,
    table_chain_of,
)
from clearprop.core.blas import blas_threads
from clearprop.core.kernels import flush_below
from clearprop.core.parameters import Array
from clearprop.losses import Loss
from clearprop.network.stack import LayerStack
from clearprop.optimizers import Optimizer, OptimizerState

_AT_ONCE = 2_000_000_000  # weights times samples: a tenth of a second, for which Ctrl-C waits


class TableSteps:
    """Compiled steps of one network of a table, one optimizer and one set of samples.

    Parameters
    ----------
    network : LayerStack
        The layers, whose parameters are changed; `is_table` must hold.
    loss : Loss
        The network's, or one that is minimised in its place.
    state : dict of str to ndarray
        The moments that the optimizer keeps, changed.
    X : ndarray, shape (N, D)
        The samples.
    y : ndarray of int64, shape (N,), or ndarray, shape (N, K)
        Class numbers, or targets.
    weights : ndarray, shape (N,), or None
    batch_size : int
        The largest number of samples in a batch.
    threads : int
        The number of threads that may work on a batch together: bits don't depend on it.
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
    DataError
        If a code of a category is not one of its table.
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
        batch_size: int,
        threads: int,
        random_state: np.random.RandomState,
    ) -> None:
        from clearprop.compiled.tables import train_table  # here: it needs Numba

        if (found := embedding_of(network)) is not None:  # compiled code looks nothing up twice
            embedding, columns = found
            embedding.check_codes(X[:, columns])
        self._train = train_table
        self.optimizer = optimizer
        self._dtype, self._rates = network.dtype, rates_of(network)
        self._chain, memory = table_chain_of(network, loss, optimizer, batch_size)
        vectors = vectors_of(network, optimizer, state, memory, PARTS)
        self._partial = np.zeros((PARTS, vectors.params.size), network.dtype)
        self._vectors = vectors._replace(gradient=self._partial[0])
        self._samples = samples_of(X, y, weights)
        self._outputs = network.output_shape[0]
        self._drawn = Draws(network, random_state)
        self._threads = min(threads, PARTS)
        self._others = ThreadPoolExecutor(max(self._threads - 1, 1))  # they start when needed
        self._no_rows = nothing(np.dtype(np.int64))
        self.at_once = max(1, _AT_ONCE // (network.parameters.data.size * batch_size))
        self(0, slice(0, 0), [])  # compiles, if that is to be done, before anything is changed

    def __call__(
        self, step: int, rows: slice | Array, sizes: Sequence[int]
    ) -> tuple[list[float], Array]:
        """Do an update for each batch, as `FusedSteps` does."""
        bounds = np.array([0, *accumulate(sizes)])
        steps = range(step, step + len(sizes))
        given = TableBatches(
            self._no_rows if isinstance(rows, slice) else rows,
            bounds,
            self._drawn(sizes, step),
            self._scales(steps),
            *self._scheduled(steps),
        )
        losses = np.empty(len(sizes))
        logits = np.empty((bounds[-1], self._outputs), self._dtype)
        train = partial(
            self._train,
            self._chain,
            self._samples,
            self._vectors,
            self._partial,
            given,
            losses,
            logits.reshape(-1),
            np.zeros(1, np.int64),
        )
        threads = self._threads
        others = [self._others.submit(train, one, threads) for one in range(1, threads)]
        done = train(0, threads)
        for other in others:
            other.result()
        return losses[: done + 1].tolist(), logits

    def _scales(self, steps: range) -> Array:
        """Return the factor of what dropout above each layer lets stay, in each update."""
        scales = np.ones((len(steps), len(self._chain.layers)), self._dtype)
        above = np.flatnonzero(self._chain.layers[:, KEPT] != NONE)
        for place, (layer, _) in zip(above, self._drawn.layers, strict=True):
            scales[:, place] = [layer.scale(step) for step in steps]
        return scales

    def _scheduled(self, steps: range) -> tuple[Array, Array]:
        """Return coefficients (U, R, C) and factors (U, R) of each update, for each rate."""
        optimizer, params, rates = self.optimizer, self._vectors.params, self._rates
        if not len(steps):
            return np.empty((0, 0, 0), self._dtype), np.empty((0, 0), self._dtype)
        coefficients = [
            [
                (
                    *optimizer.coefficients(optimizer.rate(step) * rate, step),
                    flush_below(params, step),
                )
                for rate in rates
            ]
            for step in steps
        ]
        factors = [[optimizer.decay_factor(step, rate) for rate in rates] for step in steps]
        return np.array(coefficients, self._dtype), np.array(factors, self._dtype)


class TablePasses:
    """Compiled forward passes of one network of a table, outside training.

    Parameters
    ----------
    network : LayerStack
        The layers; their parameters may change between two calls; `is_table` must hold.
    loss : Loss
    optimizer : Optimizer
    threads : int
        The number of threads that may work on a chunk together: bits don't depend on it.
    """

    _CHUNK = 256  # samples at a time, whose numbers stay in the processor's cache

    def __init__(self, network: LayerStack, loss: Loss, optimizer: Optimizer, threads: int) -> None:
        from clearprop.compiled.tables import predict_table  # here: it needs Numba

        self._predict = predict_table
        self._network, self._threads = network, min(threads, PARTS)
        chain, memory = table_chain_of(network, loss, optimizer, self._CHUNK)
        chain.layers[:, KEPT] = NONE
        self._chain = chain
        self._vectors = vectors_of(network, None, {}, memory, PARTS)
        self._others = ThreadPoolExecutor(max(self._threads - 1, 1))  # they start when needed
        self._lock = Lock()

    def logits(self, X: Array) -> Array:
        """Return the logits (N, K) of any number of samples of the network's dtype.

        Raises
        ------
        DataError
            If a code of a category is not one of its table.
        """
        if (found := embedding_of(self._network)) is not None:
            embedding, columns = found
            embedding.check_codes(X[:, columns])
        # Threads that each ask the library for threads would wait for each other.
        with self._lock, blas_threads(1):
            return self._logits(np.require(X, requirements=["C", "W"]))

    def _logits(self, X: Array) -> Array:
        samples = samples_of(X, np.empty(0, np.int64), None)
        logits = np.empty((len(X), *self._network.output_shape), self._network.dtype)
        for start in range(0, len(X), self._CHUNK):
            do = partial(
                self._predict,
                self._chain,
                samples,
                self._vectors,
                np.empty((0, 0), np.bool_),
                np.ones(len(self._chain.layers), self._network.dtype),
                logits.reshape(-1),
                start,
                min(self._CHUNK, len(X) - start),
            )
            threads = self._threads
            others = [self._others.submit(do, one, threads) for one in range(1, threads)]
            do(0, threads)
            for other in others:
                other.result()
        return logits

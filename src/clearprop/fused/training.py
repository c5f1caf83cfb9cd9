"""Training by compiled steps, as the training loop calls them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import accumulate

import numpy as np

from clearprop.fused.building import chain_of, samples_of, vectors_of
from clearprop.fused.chain import Batches, nothing
from clearprop.kernels import flush_below
from clearprop.layer_stack import LayerStack
from clearprop.layers import Dropout
from clearprop.losses import Loss
from clearprop.optimizers import Optimizer, OptimizerState
from clearprop.parameters import Array

_AT_ONCE = 2_000_000_000  # weights times samples: a tenth of a second, for which Ctrl-C waits


class FusedSteps:
    """Compiled steps of one network, one optimizer and one set of samples.

    Parameters
    ----------
    network : LayerStack
        Its parameters are changed; `is_chain` must hold.
    loss : Loss
        Its own, or one that is minimised in its place.
    optimizer : Optimizer
    state : dict of str to ndarray
        What the optimizer keeps, changed.
    X : ndarray, shape (N, D)
        In sample space K (N, N).
    y : ndarray of int64, shape (N,), or ndarray, shape (N, K)
        Class numbers, or targets.
    weights : ndarray, shape (N,), or None
    Z_0 : ndarray, shape (N, M), or None
        In sample space what the first weights give.
    first_squares : float
        In sample space the sum of the first weights' squares.
    batch_size : int
        The most samples that a batch has.
    threads : int
        How many work on a batch together.
    random_state : numpy.random.RandomState
        Where dropout draws, in the order in which its layers would.

    Attributes
    ----------
    optimizer : Optimizer
        It may be replaced by another one of its kind, with another learning rate.
    at_once : int
        How many updates are best done in one call.

    Raises
    ------
    Exception
        Whatever a broken Numba raises.
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
        from clearprop.fused.steps import train  # here: it needs Numba

        self._train = train
        self.optimizer = optimizer
        self._dtype = network.dtype
        self._chain, memory = chain_of(network, loss, optimizer, batch_size, first_squares)
        self._vectors = vectors_of(network, optimizer, state, memory, threads)
        self._samples = samples_of(X, y, weights, Z_0)
        self._outputs = network.output_shape[0]
        self._random_state = random_state
        widths = [built.out_shape[0] for built in network.body.build_each(network.input_shape)]
        self._dropping = [
            (layer, units)
            for layer, units in zip(network.layers, widths, strict=True)
            if isinstance(layer, Dropout)
        ]
        self._others = ThreadPoolExecutor(max(threads - 1, 1))  # its threads start when needed
        self._threads = threads
        self._no_rows = nothing(np.dtype(np.int64))
        self._no_draws = np.empty((0, 0), np.bool_)
        self.at_once = max(1, _AT_ONCE // (network.parameters.data.size * batch_size))
        self(0, slice(0, 0), [])  # compiles, if that is to be done, before anything is changed

    def __call__(
        self, step: int, rows: slice | Array, sizes: Sequence[int]
    ) -> tuple[list[float], Array]:
        """Do an update for each batch, but none from the first one on whose loss is not finite.

        Parameters
        ----------
        step : int
            How many updates were done before.
        rows : ndarray of int64, shape (R,), or slice
            The samples of all batches, one batch after the other; a slice begins with the first
            sample.
        sizes : sequence of int
            How many samples each batch has, R in all.

        Returns
        -------
        losses : list of float
            Of every batch that was looked at.
        logits : ndarray, shape (R, K)
        """
        bounds = np.array([0, *accumulate(sizes)])
        given = Batches(
            self._no_rows if isinstance(rows, slice) else rows,
            bounds,
            self._drawn(sizes),
            *self._scheduled(range(step, step + len(sizes))),
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

    def _drawn(self, sizes: Sequence[int]) -> Array:
        """Draw what dropout lets stay in all batches."""
        if not self._dropping:
            return self._no_draws
        kept = np.empty((sum(sizes), sum(units for _, units in self._dropping)), np.bool_)
        for start, size in zip(accumulate(sizes, initial=0), sizes, strict=False):
            column = 0
            for layer, units in self._dropping:
                drawn = np.empty((size, units), np.bool_)
                layer.draw(self._random_state, drawn)
                kept[start : start + size, column : column + units] = drawn
                column += units
        return kept

    def _scheduled(self, steps: range) -> tuple[Array, Array]:
        """Return what the optimizer says of each update: coefficients (S, C) and factors (S,)."""
        optimizer, params = self.optimizer, self._vectors.params
        coefficients, factors = [], []
        for step in steps:
            rate = optimizer.rate(step)
            floor = flush_below(params, step)
            coefficients.append((*optimizer.coefficients(rate, step), floor))
            factors.append(optimizer.decay_factor(rate))
        if not coefficients:
            return nothing(self._dtype, 2), nothing(self._dtype)
        return np.array(coefficients, self._dtype), np.array(factors, self._dtype)

"""Training by compiled steps, as the training loop calls them."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from clearprop.fused.building import chain_of, vectors_of
from clearprop.fused.chain import Batches, nothing
from clearprop.kernels import flush_below
from clearprop.network import Network
from clearprop.optimizers import Optimizer, OptimizerState
from clearprop.parameters import Array

_AT_ONCE = 2**18  # bytes of samples, which stay in a cache; a call takes a hundredth of a second


class FusedSteps:
    """Compiled steps of one network and one optimizer.

    Parameters
    ----------
    network : Network
        Its parameters are changed; `is_chain` must hold.
    optimizer : Optimizer
    state : dict of str to ndarray
        What the optimizer keeps, changed.
    batch_size : int
        The most samples that a batch has.

    Attributes
    ----------
    at_once : int
        How many updates are best done in one call.

    Raises
    ------
    Exception
        Whatever a broken Numba raises.
    """

    def __init__(
        self, network: Network, optimizer: Optimizer, state: OptimizerState, batch_size: int
    ) -> None:
        from clearprop.fused.steps import train  # here: it needs Numba

        self._train = train
        self._optimizer = optimizer
        self._dtype = network.dtype
        self._chain, memory = chain_of(network, optimizer, batch_size)
        self._vectors = vectors_of(network, optimizer, state, memory)
        inputs, outputs = self._chain.layers[0, 0], network.output_shape[0]
        self._outputs = outputs
        self.at_once = max(1, int(_AT_ONCE // (batch_size * inputs * self._dtype.itemsize)))
        # Now it is compiled, if it has to be, before anything is changed.
        self(0, [], np.empty((0, inputs), self._dtype), np.empty((0, outputs), self._dtype))

    def __call__(
        self,
        step: int,
        sizes: Sequence[int],
        X: Array,
        y: Array,
        weights: Array | None = None,
        Z_0: Array | None = None,
        rows: Array | None = None,
    ) -> tuple[Array, Array]:
        """Do an update for each batch, but none from the first one on whose loss is not finite.

        Parameters
        ----------
        step : int
            How many updates were done before.
        sizes : sequence of int
            How many samples each batch has, R in all.
        X : ndarray, shape (R, D)
        y : ndarray of int64, shape (R,), or ndarray, shape (R, K)
            Class numbers, or targets.
        weights : ndarray, shape (R,), optional
        Z_0 : ndarray, shape (R, M), optional
            In sample space what the first weights give; X is K then.
        rows : ndarray of int64, shape (R,), optional
            In sample space which samples they are, unless they are all, in order.

        Returns
        -------
        losses : ndarray of float64
            Of every batch that was looked at.
        logits : ndarray, shape (R, K)
        """
        dtype, integers = self._dtype, np.dtype(np.int64)
        given = Batches(
            np.array([0, *accumulate(sizes)]),
            X,
            nothing(dtype, 2) if Z_0 is None else Z_0,
            nothing(integers) if rows is None else rows,
            y if y.ndim == 1 else nothing(integers),
            y if y.ndim == 2 else nothing(dtype, 2),
            nothing(dtype) if weights is None else weights,
            *self._scheduled(range(step, step + len(sizes))),
        )
        losses = np.empty(len(sizes))
        logits = np.empty((len(X), self._outputs), dtype)
        done = self._train(self._chain, self._vectors, given, losses, logits)
        return losses[: done + 1], logits

    def _scheduled(self, steps: range) -> tuple[Array, Array]:
        """Return what the optimizer says of each update: coefficients (S, C) and factors (S,)."""
        optimizer, params = self._optimizer, self._vectors.params
        coefficients, factors = [], []
        for step in steps:
            rate = optimizer.rate(step)
            floor = flush_below(params, step)
            coefficients.append((*optimizer.coefficients(rate, step), floor))
            factors.append(optimizer.decay_factor(rate))
        if not coefficients:
            return nothing(self._dtype, 2), nothing(self._dtype)
        return np.array(coefficients, self._dtype), np.array(factors, self._dtype)

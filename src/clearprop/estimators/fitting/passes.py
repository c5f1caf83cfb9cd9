"""Passes of all samples through a network's layers, for the gradient of their mean loss."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from clearprop.estimators.rows import chunk_rows
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.parameters import Array, ParameterVector
from clearprop.trace import Trace


class _Share:
    """Chunks of samples that one thread passes through the network, and what it needs for that."""

    def __init__(self, network: Network, starts: range) -> None:
        self.starts = starts
        self.trace = Trace(training=True)
        self.trace.wants_dx = False
        self.gradient, self.part = network.parameters.like(), network.parameters.like()


class LayerPasses:
    """The layers' own forward and backward, a chunk of samples at a time.

    What lies between the layers stays in the cache so. Where there are many samples, several
    threads have a share of them each; where there are few, they share each product.

    Parameters
    ----------
    network : Network
        Its parameters may be changed between two calls.
    loss : Loss
    X : ndarray or SparseRows, shape (N, D)
    y : ndarray, shape (N,) or (N, K)
        Targets, as the loss takes them.
    weights : ndarray, shape (N,), or None
    threads : int

    Attributes
    ----------
    gradient : ParameterVector
        Of the mean loss, as of the last call.
    blas_threads : int
        How many threads a product is to have.
    """

    def __init__(
        self, network: Network, loss: Loss, X: Any, y: Array, weights: Array | None, threads: int
    ) -> None:
        self.network, self.loss, self.X, self.y = network, loss, X, y
        self.total = float(len(y)) if weights is None else float(weights.sum())
        self.weights = None if weights is None else (weights / self.total)[:, np.newaxis]
        self.rows = chunk_rows(network)
        shares = min(threads, len(y)) if len(y) > self.rows else 1
        self.blas_threads = 1 if shares > 1 else threads
        cuts = [len(y) * part // shares for part in range(shares + 1)]
        self.shares = [_Share(network, range(*ends, self.rows)) for ends in pairwise(cuts)]
        self.others = ThreadPoolExecutor(max(shares - 1, 1))  # its threads start when needed
        self.gradient = self.shares[0].gradient

    def __call__(self) -> float:
        """Write the gradient of the mean loss into `gradient`, and return the loss."""
        first, *others = self.shares
        results = [self.others.submit(self._pass, share) for share in others]
        loss = self._pass(first)
        for share, result in zip(others, results, strict=True):
            loss += result.result()
            self.gradient.data += share.gradient.data
        return loss

    def _pass(self, share: _Share) -> float:
        loss, gradient = 0.0, share.gradient
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a thread has its own
            for start in share.starts:
                rows = slice(start, min(start + self.rows, share.starts.stop))
                loss += self._chunk(rows, share.trace, gradient)
                if gradient is share.part:
                    share.gradient.data += share.part.data
                gradient = share.part
        return loss

    def _chunk(self, rows: slice, trace: Trace, gradient: ParameterVector) -> float:
        logits = self.network.forward(self.X[rows], trace)
        losses, dlogits = self.loss.each(logits, self.y[rows])
        if self.weights is None:
            dlogits /= self.total
            loss = losses.sum() / self.total
        else:
            dlogits *= self.weights[rows]
            loss = losses @ self.weights[rows, 0]
        self.network.backward(dlogits, trace, gradient)
        return float(loss)

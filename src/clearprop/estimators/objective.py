"""What L-BFGS minimises: the loss of all samples as a function of one vector."""

from concurrent.futures import Executor
from itertools import pairwise
from typing import Any

import numpy as np

from clearprop.estimators.rows import chunk_rows
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.parameters import Array, ParameterVector
from clearprop.trace import Trace


class Share:
    """Chunks of samples that one thread passes through the network, and what it needs for that.

    Parameters
    ----------
    engine : Network
    starts : range
        Where the chunks begin; its end is that of the last one.
    """

    def __init__(self, engine: Network, starts: range) -> None:
        self.starts = starts
        self.trace = Trace(training=True)
        self.trace.wants_dx = False
        self.gradient, self.part = engine.parameters.like(), engine.parameters.like()


class Objective:
    """The loss of all samples, with L2, and its gradient, as functions of one vector.

    The samples pass a chunk at a time, so that what lies between the layers stays in the cache, and
    where there are many, several threads have a share of them each.

    Parameters
    ----------
    engine : Network
        Its parameters are those of the last call.
    loss : Loss
    X : ndarray or SparseRows, shape (N, D)
    y : ndarray, shape (N,) or (N, K)
        Targets, as the loss takes them.
    weights : ndarray, shape (N,), or None
    alpha : float
        L2, as scikit-learn scales it.
    """

    def __init__(
        self, engine: Network, loss: Loss, X: Any, y: Array, weights: Array | None, alpha: float
    ) -> None:
        self.engine, self.loss, self.alpha = engine, loss, alpha
        self.X, self.y = X, y
        total = float(len(y)) if weights is None else float(weights.sum())
        self.weights = None if weights is None else (weights / total)[:, np.newaxis]
        self.total = total
        self.rows = chunk_rows(engine)
        self.shares = [Share(engine, range(0, len(y), self.rows))]
        self.gradient = self.shares[0].gradient

    def __call__(self, vector: Array) -> tuple[float, Array]:
        """Return the loss, and a new array, its gradient, at a vector of parameters."""
        self.move_to(vector)
        first, *others = self.shares
        results = [self.pool.submit(self._pass, share) for share in others]
        loss = self._pass(first)
        for share, result in zip(others, results, strict=True):
            loss += result.result()
            self.gradient.data += share.gradient.data
        return loss + self._regularize(), self.gradient.data.copy()

    def share_among(self, pool: Executor, threads: int) -> None:
        """Have so many threads do the work, all but one of them from a pool."""
        self.pool = pool
        cuts = [len(self.y) * part // threads for part in range(threads + 1)]
        first, *others = (range(*ends, self.rows) for ends in pairwise(cuts))
        self.shares[0].starts = first
        self.shares += [Share(self.engine, starts) for starts in others]

    def start(self) -> Array:
        """Return the vector that stands for the present parameters."""
        return self.engine.parameters.data.copy()

    def largest_gradient(self, tolerance: float) -> float:
        """Return what L-BFGS is to take for a tolerance of the gradient of every parameter."""
        return tolerance

    def is_flat(self, tolerance: float) -> bool:
        """Whether the last gradient is below a tolerance, where L-BFGS can't see that itself."""
        return False

    def move_to(self, vector: Array) -> None:
        """Write a vector of parameters into the engine."""
        self.engine.parameters.data[...] = vector

    def finish(self, vector: Array) -> None:
        """Leave the parameters of a vector in the network."""
        self.move_to(vector)

    def _pass(self, share: Share) -> float:
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
        logits = self.engine.forward(self.X[rows], trace)
        losses, dlogits = self.loss.each(logits, self.y[rows])
        if self.weights is None:
            dlogits /= self.total
            loss = losses.sum() / self.total
        else:
            dlogits *= self.weights[rows]
            loss = losses @ self.weights[rows, 0]
        self.engine.backward(dlogits, trace, gradient)
        return float(loss)

    def _regularize(self) -> float:
        parameters = self.engine.parameters
        for name in parameters.decayed:
            self.gradient[name][...] += self.alpha / self.total * parameters[name]
        squares = self.engine.squared_norm(parameters, parameters.decayed)
        return 0.5 * self.alpha / self.total * squares

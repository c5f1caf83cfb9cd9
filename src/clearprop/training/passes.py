"""Passes of all samples through a network's layers, for the gradient of their mean loss."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from clearprop.core.parameters import ParameterVector
from clearprop.core.trace import Trace
from clearprop.training.engines import Engine
from clearprop.training.samples import Samples


class _Share:
    """Chunks of samples that one thread passes through the network, and its working memory."""

    def __init__(self, engine: Engine, starts: range) -> None:
        self.starts = starts
        self.trace = Trace(training=True)
        self.trace.wants_dx = False
        self.gradient, self.part = engine.parameters.like(), engine.parameters.like()


class LayerPasses:
    """The layers' own forward and backward, a chunk of samples at a time.

    So the numbers between the layers stay in the cache. Where there are many samples, several
    threads have a share of them each; where there are few, they share each product.

    Parameters
    ----------
    engine : Engine
        Its parameters may be changed between two calls.
    samples : Samples
        The samples as the engine takes them.
    threads : int

    Attributes
    ----------
    gradient : ParameterVector
        The gradient of the mean loss, as of the last call.
    blas_threads : int
        The number of threads that a product is to have.
    """

    def __init__(self, engine: Engine, samples: Samples, threads: int) -> None:
        self.engine, self.X, self.y, weights = engine, samples.X, samples.y, samples.weights
        self.total = samples.counted
        self.weights = None if weights is None else (weights / self.total)[:, np.newaxis]
        self.rows = engine.chunk
        count = len(samples)
        shares = min(threads, count) if count > self.rows else 1
        self.blas_threads = 1 if shares > 1 else threads
        cuts = [count * part // shares for part in range(shares + 1)]
        self.shares = [_Share(engine, range(*ends, self.rows)) for ends in pairwise(cuts)]
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
        logits = self.engine.forward(self.X[rows], trace)
        losses, dlogits = self.engine.loss.each(logits, self.y[rows])
        if self.weights is None:
            dlogits /= self.total
            loss = losses.sum() / self.total
        else:
            dlogits *= self.weights[rows]
            loss = losses @ self.weights[rows, 0]
        self.engine.backward(dlogits, trace, gradient)
        return float(loss)

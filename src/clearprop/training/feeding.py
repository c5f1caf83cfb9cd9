"""The samples of batch after batch, as updates take them, with the next ones made ready ahead.

Rows of an array are copied when they are asked for, which costs next to nothing. Where a batch is
work, because its rows are prepared as they are asked for or because its pictures are changed, a
thread of its own does that for the next few batches while the present one is learned from; unless
updates keep every core busy, which it would only get in the way of.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from itertools import tee
from typing import Any, NamedTuple

import numpy as np

from clearprop.core.parameters import Array
from clearprop.preprocessing import PreparedRows
from clearprop.training.augmentation import Augmenter, Share, all_at_once
from clearprop.training.samples import Gatherer, Rows, Samples

_AHEAD = 3  # batches: enough for one that takes longer, few enough to stay in a core's cache


class Batch(NamedTuple):
    """The samples that an update sees.

    Parameters
    ----------
    x : ndarray, shape (B, *input_shape), or rows as an engine takes them
    y : ndarray, shape (B,) or (B, K)
        The targets, as the loss takes them.
    weights : ndarray, shape (B,), or None
    """

    x: Any
    y: Array
    weights: Array | None


class Feed:
    """Gives the samples of batch after batch, one at a time and in order.

    Parameters
    ----------
    samples : Samples
        The samples as the run's engine takes them.
    augmenter : Augmenter, optional
        What changes the pictures of each batch.

    Attributes
    ----------
    changes_targets : bool
        Whether `y` of a batch are rows (B, K) of shares, even where those of the samples are class
        numbers (N,).
    """

    def __init__(self, samples: Samples, augmenter: Augmenter | None = None) -> None:
        self.samples, self.augmenter = samples, augmenter
        self.changes_targets = augmenter is not None and augmenter.changes_targets
        self._is_work = augmenter is not None or isinstance(samples.X, PreparedRows)
        # One batch is in use while others are made ready.
        self._places = [_Place(samples) for _ in range(_AHEAD + 1 if self._is_work else 1)]
        self._scratch = _Memory()
        self._first, self._left = 0, iter(list[tuple[int, Rows]]())
        self._coming: deque[Future[Batch]] = deque()
        self._thread: ThreadPoolExecutor | None = None
        self._share: Share = all_at_once

    @contextmanager
    def ahead(
        self, batches: Iterable[Rows], first: int, share: Share | None = None
    ) -> Iterator[Iterator[Rows]]:
        """Hear which batches an epoch has, and give them back; within it, they are made ready.

        Parameters
        ----------
        batches : iterable of Rows
            The batches that are going to be asked for, in this order.
        first : int
            The number of updates that are done before.
        share : Share, optional
            Shares work on pictures among the threads that updates have: then each batch is made as
            it is asked for. Unless given, a thread of its own makes them, ahead.
        """
        if not self._is_work:
            yield iter(batches)
            return
        for_learner, for_thread = tee(batches)
        self._first, self._left = first, enumerate(for_thread)
        aside = ThreadPoolExecutor(1, "clearprop-feed") if share is None else nullcontext()
        self._share = share or all_at_once
        with aside as self._thread:
            try:
                for _ in range(_AHEAD if self._thread else 0):
                    self._make_ready()
                yield for_learner
            finally:
                while self._coming:
                    self._coming.pop().cancel()
                self._thread, self._left = None, iter(())

    def __call__(self, batch: Rows) -> Batch:
        """Return the samples of a batch: within `ahead` of the next one.

        The next call overwrites them.
        """
        if self._thread is None:
            following = next(self._left, None)  # none outside of an epoch: nothing is augmented
            return self._places[0].gather(batch) if following is None else self._made(*following)
        found = self._coming.popleft().result()
        self._make_ready()  # where the batch before this one lay
        return found

    def _make_ready(self) -> None:
        following = next(self._left, None)
        if following is not None and self._thread is not None:
            self._coming.append(self._thread.submit(self._made, *following))

    def _made(self, place: int, rows: Rows) -> Batch:
        found, X = self._places[place % len(self._places)], self.samples.X
        if self.augmenter is None:
            return found.gather(rows)
        y, weights = found.targets(rows)
        shape = (len(y), *X.shape[1:])
        x, own = (memory(shape, self.augmenter.dtype) for memory in (self._scratch, found.memory))
        # Copied, as rows of a slice, or of whoever prepares them, are not to be written to.
        if isinstance(X, np.ndarray) and X.dtype == x.dtype and not isinstance(rows, slice):
            np.take(X, rows, axis=0, out=x, mode="clip")
        else:
            x[...] = X[rows]
        x, y, weights = self.augmenter(self._first + place, x, own, y, weights, self._share)
        if not np.may_share_memory(x, own):  # nothing was moved, or moved back
            own[...] = x
        return Batch(own, y, weights)


class _Place:
    """The memory that a batch lies in until it is learned from."""

    def __init__(self, samples: Samples) -> None:
        self.x, self.y, self.weights = Gatherer(samples.X), Gatherer(samples.y), samples.weights
        self.memory = _Memory()

    def targets(self, rows: Rows) -> tuple[Array, Array | None]:
        return self.y(rows), None if self.weights is None else self.weights[rows]

    def gather(self, rows: Rows) -> Batch:
        return Batch(self.x(rows), *self.targets(rows))


class _Memory:
    """Memory for batches of any size up to the largest so far."""

    def __init__(self) -> None:
        self._array: Array | None = None

    def __call__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        if self._array is None or len(self._array) < shape[0]:
            self._array = np.empty(shape, dtype)
        return self._array[: shape[0]]

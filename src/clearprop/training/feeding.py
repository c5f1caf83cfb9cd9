"""The samples of batch after batch, as updates take them, with the next ones made ready ahead.

Rows of an array are copied when they are asked for, which costs next to nothing. Where a batch is
work, because its rows are prepared as they are asked for or because its pictures are changed, a
second thread does that for the next few batches while the present one is learned from.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

from clearprop.core.parameters import Array
from clearprop.preprocessing import PreparedRows
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


Change: TypeAlias = Callable[[Batch, int], Batch]
"""``change(batch, number)``: what is done to the samples of the update of that number, from 0.

It may write into the arrays of the batch and return them, and depends on nothing but its arguments:
it is called from a second thread, and ahead.
"""


class Feed:
    """Gives the samples of batch after batch, one at a time and in order.

    Parameters
    ----------
    samples : Samples
        The samples as the run's engine takes them.
    change : callable, optional
        What is done to the samples of each batch: see `Change`.
    """

    def __init__(self, samples: Samples, change: Change | None = None) -> None:
        self.change = change
        self._is_work = change is not None or isinstance(samples.X, PreparedRows)
        # One batch is in use while others are made ready.
        self._places = [_Place(samples) for _ in range(_AHEAD + 1 if self._is_work else 1)]
        self._left: Iterator[tuple[int, Rows]] = iter(())
        self._coming: deque[Future[Batch]] = deque()
        self._thread: ThreadPoolExecutor | None = None

    @contextmanager
    def ahead(self, batches: Iterable[Rows], first: int) -> Iterator[Iterator[Rows]]:
        """Hear which batches an epoch has, and give them back; within it, they are made ready.

        Parameters
        ----------
        batches : iterable of Rows
            The batches that are going to be asked for, in this order.
        first : int
            The number of updates that are done before.
        """
        if not self._is_work:
            yield iter(batches)
            return
        batches = list(batches)
        self._left = enumerate(batches, first)
        with ThreadPoolExecutor(1, "clearprop-feed") as self._thread:
            try:
                for _ in range(_AHEAD):
                    self._make_ready()
                yield iter(batches)
            finally:
                while self._coming:
                    self._coming.pop().cancel()
                self._thread = None

    def __call__(self, batch: Rows) -> Batch:
        """Return the samples of a batch: within `ahead` of the next one.

        The next call overwrites them.
        """
        if self._thread is None:
            return self._places[0].gather(batch)
        found = self._coming.popleft().result()
        self._make_ready()  # where the batch before this one lay
        return found

    def _make_ready(self) -> None:
        following = next(self._left, None)
        if following is not None and self._thread is not None:
            self._coming.append(self._thread.submit(self._made, *following))

    def _made(self, number: int, rows: Rows) -> Batch:
        batch = self._places[number % len(self._places)].gather(rows)
        return batch if self.change is None else self.change(batch, number)


class _Place:
    """The memory that batches are copied to."""

    def __init__(self, samples: Samples) -> None:
        self.x, self.y, self.weights = Gatherer(samples.X), Gatherer(samples.y), samples.weights

    def gather(self, rows: Rows) -> Batch:
        weights = None if self.weights is None else self.weights[rows]
        return Batch(self.x(rows), self.y(rows), weights)

"""Which samples each update sees."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from clearprop.core.parameters import Array

Rows = slice | Array
"""A batch: a slice of neighbours, which needs no copy, or the numbers of its rows."""


def steps_per_epoch(samples: int, batch_size: int | None) -> int:
    """Return how many updates one epoch has; the last batch may be smaller."""
    return 1 if batch_size is None else -(-samples // batch_size)


def batches(
    samples: int,
    batch_size: int | None,
    *,
    replacement: bool,
    random_state: np.random.RandomState,
) -> Iterator[Rows]:
    """Choose the batches of one epoch.

    Parameters
    ----------
    samples : int
        How many there are.
    batch_size : int or None
        How many a batch has; None for all of them, in order.
    replacement : bool
        Whether each batch is drawn anew from all samples. Otherwise they are shuffled once an
        epoch, and each is seen once.
    random_state : numpy.random.RandomState
        It is advanced.

    Yields
    ------
    slice or ndarray of int
        The rows of each batch.
    """
    if batch_size is None:
        yield slice(0, samples)
    elif replacement:
        # At once, so that nothing is drawn in between, however many steps are looked ahead.
        yield from random_state.choice(samples, (steps_per_epoch(samples, batch_size), batch_size))
    else:
        order = random_state.permutation(samples)
        for start in range(0, samples, batch_size):
            yield order[start : start + batch_size]


def joined(batches: Sequence[Rows]) -> tuple[Rows, list[int]]:
    """Return the rows of batches that follow each other as one, and how many each has."""
    slices = [batch for batch in batches if isinstance(batch, slice)]
    if slices:
        return slice(slices[0].start, slices[-1].stop), [one.stop - one.start for one in slices]
    arrays = [batch for batch in batches if not isinstance(batch, slice)]
    return np.concatenate(arrays), list(map(len, arrays))


class Gatherer:
    """Copies the rows of batch after batch into the same memory.

    Parameters
    ----------
    rows : ndarray, shape (N, ...), or anything that gives rows by index
        Where batches come from.
    """

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self._memory: Array | None = None

    def __call__(self, batch: Rows) -> Array:
        """Return the rows of a batch; the next call overwrites them."""
        if isinstance(batch, slice) or not isinstance(self.rows, np.ndarray):
            return self.rows[batch]
        if self._memory is None or len(self._memory) < len(batch):
            self._memory = np.empty((len(batch), *self.rows.shape[1:]), self.rows.dtype)
        # Any mode but "raise" lets take write without a buffer in between; the rows do exist.
        return np.take(self.rows, batch, axis=0, out=self._memory[: len(batch)], mode="clip")

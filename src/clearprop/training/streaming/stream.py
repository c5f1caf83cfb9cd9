"""Passes over samples on disk, batch by batch, through a window in memory."""

from collections.abc import Callable, Generator, Sequence

import numpy as np

from clearprop.core.parameters import Array
from clearprop.preprocessing.blocks import Blocks
from clearprop.training.streaming.order import ABREAST, order_of, phases
from clearprop.training.streaming.window import Finish, Window

_AHEAD = 2  # blocks that are read ahead
_REGIONS = ABREAST + _AHEAD + 1  # if all batches on their way are from one phase, or two
_SHARE = 2  # the part of the memory that data may take which the window gets
_BATCHES = 6  # that may be on their way at a time


class Stream:
    """Samples on disk, read in passes that each see all of them once.

    Parameters
    ----------
    blocks : Blocks
    finish : callable
        Brings targets into the form that the loss takes.
    batch_size : int
        The number of samples of a batch, about: a block is one at least.

    Attributes
    ----------
    window : Window
        The memory; a batch is rows of it, which stay there until the batch after the next few is
        asked for.
    """

    def __init__(self, blocks: Blocks, finish: Finish, batch_size: int) -> None:
        first = int(np.argmax(blocks.counts > 0))
        room = np.empty((int(blocks.counts[first]), *blocks.input_shape), blocks.dtype)
        y = finish(blocks.read_piece(first, room)[:1])
        row_bytes = int(np.prod(blocks.input_shape)) * blocks.dtype.itemsize + y.nbytes
        rows = max(blocks.memory // (_SHARE * _REGIONS * row_bytes), batch_size)
        self.cut = blocks.cut(rows)
        sizes = sorted(block.rows for block in self.cut)
        # The fewest rows of one: every part may be rounded down, and one block has its first row.
        self._phase = max(sum(rows // ABREAST for rows in sizes[:ABREAST]), 1)
        self._in_use = -(-_BATCHES * batch_size // self._phase)
        regions = min(ABREAST + _AHEAD + self._in_use, len(self.cut))
        self.window = Window(blocks, regions, sizes[-1], y, finish)

    def at_once(self, batch_size: int) -> int:
        """Return the number of batches that may be asked for before the first is learned from."""
        if len(self.cut) == self.window.regions:
            return len(self.window.blocks)  # nothing is overwritten
        return max(1, self._in_use * self._phase // batch_size - 1)

    def walk(
        self, seed: Sequence[int], batches: int, end: Callable[[int], int], first: int = 0
    ) -> Generator[Array]:
        """Go through all samples, and give the rows of the window that each batch lies in.

        Parameters
        ----------
        seed : sequence of int
            The source of the order.
        batches : int
        end : callable
            Takes k, and returns the number of samples in the first k batches.
        first : int, default 0
            The batch to begin with: what only those before it need is not read.
        """
        order = order_of(self.cut, np.random.RandomState([*seed, 0]))
        if first == batches:
            return
        start, passed, batch = end(first), 0, first
        left: Array = np.empty(0, np.int64)
        every, phase = phases(order), 0
        parts = next(every)
        while passed + (rows_of := sum(len(part.rows) for part in parts)) <= start:
            passed, phase, parts = passed + rows_of, phase + 1, next(every)
        with self.window.reading(order, max(phase - ABREAST + 1, 0)) as reading:
            while True:
                reading.need(min(phase, len(order) - 1))
                reading.release(max(phase - ABREAST + 1 - self._in_use, 0))
                rows = np.concatenate(
                    [self.window.first_row(part.place) + part.rows for part in parts]
                )
                mixed = np.random.RandomState([*seed, 1, phase]).permutation(rows)
                left = np.concatenate([left, mixed[max(start - passed, 0) :]])
                passed += len(rows)
                while batch < batches and end(batch + 1) <= passed:
                    size = end(batch + 1) - end(batch)
                    yield left[:size]
                    left, batch = left[size:], batch + 1
                if batch == batches:
                    return
                phase, parts = phase + 1, next(every)

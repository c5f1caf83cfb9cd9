"""The memory that blocks of samples are read into, ahead of those who learn from them."""

import threading
import time
from collections.abc import Callable, Sequence
from itertools import islice
from types import TracebackType
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.network.summary import readable_bytes
from clearprop.preprocessing.blocks import Block, Blocks

Finish = Callable[[Any], Array]
"""Brings targets, as blocks give them, into the form that the loss takes."""

_EXPECTED = 2  # blocks that the system is asked for before they are read


class Window:
    """Room for some blocks of samples, which a thread of its own fills in order.

    Parameters
    ----------
    blocks : Blocks
    regions : int
        The number of blocks that there is room for.
    rows : int
        The most samples that a block has.
    y : ndarray, shape (1, ...)
        A target as the loss takes it, whose shape and dtype all have.
    finish : callable
        Brings targets into that form.

    Attributes
    ----------
    X, y : ndarray, shape (regions * rows, ...)
        The samples and targets.
    weights : ndarray or None
        The weights of the samples, where they have any.
    waited : float
        The seconds for which a learner has waited for a block.
    read : int
        The number of samples that were read.
    """

    def __init__(self, blocks: Blocks, regions: int, rows: int, y: Array, finish: Finish) -> None:
        self.blocks, self.regions, self.rows = blocks, regions, rows
        self.X = np.empty((regions * rows, *blocks.input_shape), blocks.dtype)
        self.y = np.empty((regions * rows, *y.shape[1:]), y.dtype)
        self.weights: Array | None = None
        self.waited, self.read = 0.0, 0
        self._finish, self._began = finish, 0.0
        self._each: Array | None = None

    def reading(self, order: Sequence[Block], first: int = 0) -> "Reading":
        """Begin to read blocks in an order from a place on; leaving the context ends that."""
        self._began = self._began or time.perf_counter()
        return Reading(self, order, first)

    def first_row(self, place: int) -> int:
        """Return the row from which on the block at a place of the order lies."""
        return place % self.regions * self.rows

    def weigh(self, each: Array) -> Array:
        """Give every sample the weight of its class, and return the memory of the weights.

        Parameters
        ----------
        each : ndarray, shape (C,)
            The weight of each class.
        """
        self._each, self.weights = each, np.empty(len(self.X), each.dtype)
        return self.weights

    def pace(self) -> str:
        """Say how fast samples are read, and whether learning waits for that."""
        seconds = time.perf_counter() - self._began
        if not self._began or not seconds:
            return ""
        rows = self.read / seconds
        size = round(self.blocks.file_bytes * rows / max(len(self.blocks), 1))
        waited = f", {self.waited / seconds:.0%} of the time waited for" * (self.waited > 0)
        return f"{rows:,.0f} rows and {readable_bytes(size)} a second{waited}"

    def fill(self, place: int, block: Block) -> None:
        """Read a block into its region.

        Raises
        ------
        DataError
            If it can't be read, or has other samples than it had.
        """
        start = self.first_row(place)
        rows = slice(start, start + block.rows)
        y = self.blocks.read(block, self.X[rows])
        self.y[rows] = self._finish(y)
        if self.weights is not None and self._each is not None:
            self.weights[rows] = self._each[y]
        self.read += block.rows


class Reading:
    """Blocks on their way into a window: one epoch's.

    Parameters
    ----------
    window : Window
    order : sequence of Block
    first : int
        The place of the block that is read first.
    """

    def __init__(self, window: Window, order: Sequence[Block], first: int) -> None:
        self.window, self.order, self.first = window, order, first
        self._changed = threading.Condition()
        self._read, self._free, self._ended = first, first + window.regions, False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._go, name="clearprop-read", daemon=True)

    def __enter__(self) -> "Reading":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    def need(self, place: int) -> None:
        """Wait until the block at a place is there.

        Raises
        ------
        Exception
            Whatever reading it raised.
        """
        begun = time.perf_counter()
        with self._changed:
            while self._read <= place and self._error is None:
                self._changed.wait()
            if self._read <= place and self._error is not None:
                raise self._error
        self.window.waited += time.perf_counter() - begun

    def release(self, place: int) -> None:
        """Say that nobody learns any more from blocks before a place."""
        with self._changed:
            self._free = place + self.window.regions
            self._changed.notify_all()

    def _go(self) -> None:
        blocks = self.order[self.first :]
        expected = iter(blocks[1:])
        try:
            for place, block in enumerate(blocks, self.first):
                for coming in islice(expected, 1 if place > self.first else _EXPECTED):
                    self.window.blocks.expect(coming)
                with self._changed:
                    while place >= self._free and not self._ended:
                        self._changed.wait()
                    if self._ended:
                        return
                self.window.fill(place, block)
                with self._changed:
                    self._read = place + 1
                    self._changed.notify_all()
        except BaseException as error:  # raised where the block is needed
            with self._changed:
                self._error = error
                self._changed.notify_all()

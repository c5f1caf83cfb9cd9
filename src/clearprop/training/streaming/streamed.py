"""Samples on disk in the place of samples in memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import UsageError
from clearprop.network import Network
from clearprop.preprocessing.blocks import Block, Blocks
from clearprop.training.samples import Rows, Samples, steps_per_epoch
from clearprop.training.streaming.order import ABREAST, order_of, phases
from clearprop.training.streaming.window import Window

_AHEAD = 2  # blocks that are read ahead
_IN_USE = 1  # phases whose batches may still be learned from when the next one begins
_REGIONS = ABREAST + _AHEAD + _IN_USE
_SHARE = 2  # the part of the memory that data may take which the window gets
_BATCHES = 6  # that may be on their way at a time: all of them from one phase, or two


@dataclass(frozen=True, kw_only=True)
class Streamed(Samples):
    """Samples that are read from disk, epoch for epoch, through a window in memory.

    `X`, `y` and `weights` are that window; a batch is rows of it, which stay there until the batch
    after the next few is asked for.

    Parameters
    ----------
    window : Window
    blocks : tuple of Block
    """

    window: Window
    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, blocks: Blocks, network: Network, batch_size: int) -> "Streamed":
        """Make room for blocks that are large enough for batches of a size."""
        first = int(np.argmax(blocks.counts > 0))
        room = np.empty((int(blocks.counts[first]), *blocks.input_shape), blocks.dtype)
        y = network.targets(blocks.read_piece(first, room)[:1])
        row_bytes = int(np.prod(blocks.input_shape)) * blocks.dtype.itemsize + y.nbytes
        rows = max(blocks.memory // (_SHARE * _REGIONS * row_bytes), _BATCHES * batch_size)
        cut = blocks.cut(rows)
        most = max(block.rows for block in cut)
        window = Window(blocks, min(_REGIONS, len(cut)), most, y, network.targets)
        return cls(window.X, window.y, None, window=window, blocks=cut)

    def __len__(self) -> int:
        return len(self.window.blocks)

    @property
    def counted(self) -> float:
        """The number of samples."""
        return float(len(self))

    def at_once(self, batch_size: int) -> int:
        """Return the number of batches that may be asked for before the first is learned from."""
        if len(self.blocks) <= ABREAST + _AHEAD:
            return len(self)  # nothing is overwritten
        return max(1, min(block.rows for block in self.blocks) // batch_size - 1)

    def checksum(self) -> int:
        """Return a number that tells these samples from others."""
        return self.window.blocks.checksum()

    def split(self, share: float, random_state: np.random.RandomState) -> tuple[Samples, Samples]:
        """Refuse to hold some out: who reads them from disk does that."""
        raise UsageError(
            "A share of samples on disk can't be held out here: give validation=(X, y)."
        )

    def class_weighted(
        self, class_weight: str | Mapping[int, float] | None, dtype: np.dtype[Any]
    ) -> Samples:
        """Refuse weights of classes."""
        if class_weight is None:
            return self
        raise UsageError(
            "Weights of classes can't be had for data on disk yet. Leave class_weight out, or read "
            "the data into memory."
        )

    def batches(
        self,
        batch_size: int | None,
        *,
        replacement: bool,
        random_state: np.random.RandomState,
        drop_last: bool = False,
    ) -> Iterator[Rows]:
        """Choose the batches of one epoch, and read what they need; see `samples.batches`."""
        seed = int(random_state.randint(2**32, dtype=np.uint32))
        size = batch_size or len(self)
        left = steps_per_epoch(len(self), size, drop_last=drop_last)
        order = order_of(self.blocks, np.random.RandomState([seed, 0]))
        rest: Array = np.empty(0, np.int64)
        with self.window.reading(order) as reading:
            for phase, parts in enumerate(phases(order)):
                reading.need(min(phase, len(order) - 1))
                reading.release(max(phase - ABREAST + 1 - _IN_USE, 0))
                rows = np.concatenate([self._slots(part.place) + part.rows for part in parts])
                mixed = np.random.RandomState([seed, 1, phase]).permutation(rows)
                rest = np.concatenate([rest, mixed])
                whole = len(rest) // size
                for batch in rest[: whole * size].reshape(whole, size):
                    yield batch
                    left -= 1
                rest = rest[whole * size :]
            if left > 0 and len(rest):
                yield rest

    def _slots(self, place: int) -> int:
        return place % self.window.regions * self.window.rows

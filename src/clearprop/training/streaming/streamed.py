"""Samples on disk in the place of samples in memory."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import UsageError
from clearprop.network import Network
from clearprop.preprocessing.blocks import Blocks
from clearprop.training.samples import Rows, Samples, steps_per_epoch, weights_of_classes
from clearprop.training.streaming.stream import Stream

_PIECES, _OF_EACH = 32, 16  # pieces and samples that tell what all look like


@dataclass(frozen=True, kw_only=True)
class OnDisk(Samples):
    """Samples that are read from disk, epoch for epoch.

    Parameters
    ----------
    blocks : Blocks
    """

    blocks: Blocks

    def __len__(self) -> int:
        return len(self.blocks)

    @property
    def counted(self) -> float:
        """The number of samples."""
        return float(len(self))

    def to_look_at(self) -> Array:
        """Read some samples of some pieces, both evenly spread."""
        counts, found = self.blocks.counts, []
        there = np.flatnonzero(counts)
        chosen = np.linspace(0, len(there) - 1, min(_PIECES, len(there))).astype(np.int64)
        for piece in there[chosen].tolist():
            rows = np.empty((int(counts[piece]), *self.blocks.input_shape), self.blocks.dtype)
            self.blocks.read_piece(piece, rows)
            found.append(rows[:: -(-len(rows) // _OF_EACH)].copy())
        return np.concatenate(found)

    def checksum(self) -> int:
        """Return a number that tells these samples from others."""
        return self.blocks.checksum()

    def split(self, share: float, random_state: np.random.RandomState) -> tuple[Samples, Samples]:
        """Refuse to hold some out: who reads them from disk does that."""
        raise UsageError(
            "A share of samples on disk can't be held out here: give validation=(X, y)."
        )

    def class_weighted(
        self, class_weight: str | Mapping[int, float] | None, dtype: np.dtype[Any]
    ) -> Samples:
        """Refuse weights of classes, unless somebody can tell them."""
        if class_weight is None:
            return self
        raise UsageError(
            "Weights of classes can't be had in shards of data that stay on disk. Leave one of "
            "them out, or let the data take more memory."
        )


@dataclass(frozen=True, kw_only=True)
class Streamed(OnDisk):
    """Samples on disk of which `X` and `y` are the window; a batch is rows of it.

    Parameters
    ----------
    stream : Stream
    """

    stream: Stream

    @classmethod
    def of(cls, blocks: Blocks, network: Network, batch_size: int) -> "Streamed":
        """Make a window that is large enough for batches of a size."""
        stream = Stream(blocks, network.targets, batch_size)
        return cls(stream.window.X, stream.window.y, blocks=blocks, stream=stream)

    def class_weighted(
        self, class_weight: str | Mapping[int, float] | None, dtype: np.dtype[Any]
    ) -> Samples:
        """Give samples the weights of their classes; see `Samples.class_weighted`."""
        if class_weight is None:
            return self
        counts = self.blocks.class_counts
        if counts is None:
            raise UsageError("class_weight needs targets that are classes.")
        there, each = np.flatnonzero(counts), np.zeros(len(counts))
        each[there] = weights_of_classes(class_weight, there, counts[there])
        return replace(self, weights=self.stream.window.weigh(each.astype(dtype)))

    def at_once(self, batch_size: int) -> int:
        """Return the number of batches that may be asked for before the first is learned from."""
        return self.stream.at_once(batch_size)

    def batches(
        self,
        batch_size: int | None,
        *,
        replacement: bool,
        random_state: np.random.RandomState,
        drop_last: bool = False,
    ) -> Generator[Rows]:
        """Choose the batches of one epoch, and read what they need; see `samples.batches`."""
        samples, size = len(self), batch_size or len(self)
        seed = int(random_state.randint(2**32, dtype=np.uint32))
        steps = steps_per_epoch(samples, size, drop_last=drop_last)
        return self.stream.walk([seed], steps, lambda batch: min(batch * size, samples))

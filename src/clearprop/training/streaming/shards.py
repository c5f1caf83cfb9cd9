"""Samples on disk cut into virtual shards, each of which whoever computes it reads by himself."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.network import Network
from clearprop.preprocessing.blocks import Blocks, SomeBlocks
from clearprop.training.samples import Samples, steps_per_epoch
from clearprop.training.streaming.stream import Stream
from clearprop.training.streaming.streamed import OnDisk
from clearprop.training.streaming.window import Finish


@dataclass(frozen=True)
class Turn:
    """Which batch of a pass it is: each shard finds its own samples of it.

    Parameters
    ----------
    seed : int
        The source of the pass's order.
    number, of : int
        The number of the batch, from 0, and of all batches of the pass.
    samples : int
        The number of its samples, of all shards together.
    """

    seed: int
    number: int
    of: int
    samples: int

    def __len__(self) -> int:
        return self.samples

    def end(self, samples: int, batches: int) -> int:
        """Return how many of a shard's samples the first batches have."""
        return batches * samples // self.of

    def rows(self, samples: int) -> int:
        """Return how many samples a shard of so many has in it."""
        return self.end(samples, self.number + 1) - self.end(samples, self.number)


@dataclass(frozen=True, kw_only=True)
class ShardedOnDisk(OnDisk):
    """Samples on disk in virtual shards; a batch is a `Turn`.

    Parameters
    ----------
    parts : tuple of range
        The pieces of each shard.
    finish : callable
        Brings targets into the form that the loss takes; it travels to workers.
    batch_size : int
    """

    parts: tuple[range, ...]
    finish: Finish
    batch_size: int

    @classmethod
    def of(cls, blocks: Blocks, network: Network, batch_size: int, shards: int) -> "ShardedOnDisk":
        """Cut samples into shards: a piece belongs to the one in which its first sample lies."""
        counts = blocks.counts
        before = np.cumsum(counts) - counts
        ends = np.searchsorted(before, np.arange(shards + 1) * len(blocks) / shards)
        parts = tuple(range(start, stop) for start, stop in pairwise(ends.tolist()))
        outputs, dtype = network.output_shape[0], network.dtype
        finish = partial(network.loss.targets, outputs=outputs, dtype=dtype)
        X = np.empty((0, *blocks.input_shape), blocks.dtype)
        return cls(X, X[:, 0], blocks=blocks, parts=parts, finish=finish, batch_size=batch_size)

    def turns(
        self, random_state: np.random.RandomState, *, drop_last: bool = False
    ) -> Generator[Any]:
        """Give the batches of an epoch, each a `Turn`."""
        seed = int(random_state.randint(2**32, dtype=np.uint32))
        steps = steps_per_epoch(len(self), self.batch_size, drop_last=drop_last)
        sizes = self.sizes
        for number in range(steps):
            turn = Turn(seed, number, steps, 0)
            yield Turn(seed, number, steps, sum(map(turn.rows, sizes)))

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of samples of each shard."""
        counts = self.blocks.counts
        return tuple(int(counts[part.start : part.stop].sum()) for part in self.parts)

    def shard(self, number: int) -> "ShardOnDisk":
        """Return the samples of a shard."""
        memory = self.blocks.memory // len(self.parts)
        some = SomeBlocks(self.blocks, self.parts[number], memory)
        return ShardOnDisk(some, self.finish, -(-self.batch_size // len(self.parts)), number)


@dataclass(eq=False)
class ShardOnDisk:
    """The samples of a virtual shard, as whoever computes it reads them: turn after turn.

    Parameters
    ----------
    blocks : Blocks
    finish : callable
    batch_size : int
        The number of its samples in a batch, about.
    number : int
        The number of the shard.
    """

    blocks: Blocks
    finish: Finish
    batch_size: int
    number: int

    _stream: Stream | None = field(default=None, init=False)
    _walk: Iterator[Array] = field(default_factory=lambda: iter(()), init=False)
    _next: tuple[int, int] = field(default=(-1, 0), init=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stream": None, "_walk": iter(()), "_next": (-1, 0)}

    def take(self, turn: Turn) -> Samples:
        """Return its samples of a batch: soonest where that follows the last one."""
        if self._stream is None:
            self._stream = Stream(self.blocks, self.finish, self.batch_size)
        if self._next != (turn.seed, turn.number):
            end: Callable[[int], int] = partial(turn.end, len(self.blocks))
            self._walk = self._stream.walk([turn.seed, self.number], turn.of, end, turn.number)
        rows = next(self._walk)
        self._next = turn.seed, turn.number + 1
        window = self._stream.window
        return Samples(window.X[rows], window.y[rows])

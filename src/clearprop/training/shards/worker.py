"""The work of one thread on the shards that it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from clearprop.core.parameters import Array
from clearprop.core.trace import Trace
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.training.augmentation import Augmenter
from clearprop.training.samples import Samples
from clearprop.training.shards.cutting import Node, Part, nodes_within, summed
from clearprop.training.streaming.shards import ShardOnDisk

_WORD = 2**32


Shard: TypeAlias = Samples | ShardOnDisk
"""The samples of a shard: `take` returns some of them."""


@dataclass(frozen=True, eq=False)
class Work:
    """What all shards have in common.

    Parameters
    ----------
    network : Network
        A network of the layers; its weights are of no importance.
    loss : Loss
        The loss that is minimised.
    shards : int
        The number of virtual shards.
    seed : int
        The source of what layers draw, and of augmentation.
    augmenter : Augmenter or None
        What changes the pictures of each batch.
    """

    network: Network
    loss: Loss
    shards: int
    seed: int
    augmenter: Augmenter | None = None

    @property
    def root(self) -> Node:
        """The node of the tree that holds every shard."""
        return 0, self.shards


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked of the shards for one update.

    Parameters
    ----------
    step : int
        The number of updates before it.
    parameters, state : ndarray
        The present weights.
    shards : sequence of int
        The shards that are asked.
    rows : mapping of int to ndarray
        The rows of each of them in the batch, counted within the shard; of some there may be none.
    total : float
        The sum of the batch's weights; without any, the number of its samples.
    """

    step: int
    parameters: Array
    state: Array
    shards: Sequence[int]
    rows: Mapping[int, Array]
    total: float

    def of(self, shards: Sequence[int]) -> "Asked":
        """Return what is asked of some shards."""
        rows = {shard: self.rows[shard] for shard in shards if shard in self.rows}
        return replace(self, shards=shards, rows=rows)


@dataclass(frozen=True, eq=False)
class Found:
    """What a worker has found out for one update.

    Parameters
    ----------
    parts : mapping of Node to Part or None
        The sums of the largest nodes of the tree all of whose shards were asked.
    logits, y : mapping of int to ndarray
        The logits (B, K) and targets of each shard's samples, before the update.
    """

    parts: dict[Node, Part | None]
    logits: dict[int, Array]
    y: dict[int, Array]

    def copy(self) -> "Found":
        """Return it with sums in memory of their own."""
        parts = {
            node: part and replace(part, gradient=part.gradient.copy())
            for node, part in self.parts.items()
        }
        return replace(self, parts=parts)


@dataclass(eq=False)
class Worker:
    """One thread's share of the work.

    Parameters
    ----------
    work : Work
    samples : mapping of int to Samples
        The samples of each shard that it has.
    """

    work: Work
    samples: dict[int, Shard]

    network: Network = field(init=False)
    trace: Trace = field(init=False)

    def __post_init__(self) -> None:
        self.network = self.work.network.copy()
        # One for good, which the traces of inner layers hold on to: each part seeds it anew.
        self.random_state = np.random.RandomState(0)
        self.trace = Trace(training=True, random_state=self.random_state)
        self.trace.wants_dx = False
        self.gradient = self.network.parameters.like()
        # Memory of a gradient's size, which the system would otherwise clear anew for every part.
        self._free: list[Array] = []
        self._given: list[Array] = []  # what the last answer is in, whose reader is done by now

    def __call__(self, asked: Asked) -> Found:
        """Compute the parts of its shards, by one thread; the next call overwrites the sums."""
        network = self.network
        network.parameters.data[...] = asked.parameters
        logits: dict[int, Array] = {}
        targets: dict[int, Array] = {}

        def part_of(shard: int) -> Part | None:
            if shard not in asked.rows:
                return None
            part, logits[shard], targets[shard] = self._part(asked, shard)
            return part

        self._free += self._given
        with np.errstate(all="ignore"):  # what overflows is found in the loss
            parts = {
                node: summed(node, {}, part_of, self._plus)
                for node in nodes_within(set(asked.shards), self.work.root)
            }
        self._given = [part.gradient for part in parts.values() if part is not None]
        return Found(parts, logits, targets)

    def _part(self, asked: Asked, shard: int) -> tuple[Part, Array, Array]:
        work, network, trace = self.work, self.network, self.trace
        network.state.data[...] = asked.state
        number = asked.step * work.shards + shard
        x, y, weights = self._batch(number, self.samples[shard], asked.rows[shard])
        trace.step = asked.step
        self.random_state.seed([work.seed, number % _WORD, number // _WORD])
        logits = network.body.forward(network.params, network.inputs(x), trace)
        counted = float(len(y)) if weights is None else float(weights.sum())
        share = counted / asked.total
        loss, dlogits = work.loss(logits, y, weights)
        dlogits *= share
        network.body.backward(network.params, dlogits, trace, self.gradient.tree)
        network.update_state(trace)
        state = np.multiply(network.state.data, share, dtype=network.dtype)
        gradient = self._free.pop() if self._free else np.empty_like(self.gradient.data)
        gradient[...] = self.gradient.data
        return Part(loss * share, gradient, state), logits.copy(), y

    def _plus(self, left: Part, right: Part) -> Part:
        """Add two parts, and keep the memory of the second for the next."""
        self._free.append(right.gradient)
        return left.plus(right)

    def _batch(self, number: int, samples: Shard, rows: Any) -> tuple[Any, Array, Array | None]:
        """Return a shard's samples of a batch, with their pictures changed where that is wanted."""
        some = samples.take(rows)
        if self.work.augmenter is None:
            return some.X, some.y, some.weights
        x = np.array(some.X, self.work.augmenter.dtype)
        return self.work.augmenter(number, x, np.empty_like(x), some.y, some.weights)

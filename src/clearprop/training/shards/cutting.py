"""How samples and batches are cut into virtual shards, and in what order their sums are made."""

from collections.abc import Callable, Generator, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.core.parameters import Array
from clearprop.training.samples import steps_per_epoch

SHARDS = 16
"""The number of virtual shards where somebody gives a cluster and no number."""

Node: TypeAlias = tuple[int, int]
"""A node of the tree of sums: the shards from the first to before the second."""


@dataclass(frozen=True, eq=False)
class Part:
    """A shard's share of a batch's loss and gradient, or the sum of several.

    Parameters
    ----------
    loss : float
    gradient : ndarray, shape (P,)
    state : ndarray, shape (S,)
        Its share of what the layers keep, such as running means, after the update.
    """

    loss: float
    gradient: Array
    state: Array

    def plus(self, other: "Part") -> "Part":
        """Add another part, in the memory of this one."""
        self.gradient[...] += other.gradient
        self.state[...] += other.state
        return Part(self.loss + other.loss, self.gradient, self.state)


def bounds(samples: int, shards: int) -> NDArray[np.int64]:
    """Return where each shard's samples begin, and the end of the last: shape (shards + 1,)."""
    return np.arange(shards + 1, dtype=np.int64) * samples // shards


def shard_batches(
    samples: int,
    batch_size: int | None,
    shards: int,
    random_state: np.random.RandomState,
    *,
    drop_last: bool = False,
) -> Generator[Array]:
    """Choose the batches of one epoch: each takes its share of every shard, shard by shard.

    Every shard's samples are shuffled for themselves, and each is seen once an epoch.

    Parameters
    ----------
    samples : int
        The number of samples.
    batch_size : int or None
        The number that a batch has, about: up to `shards` more or less. None for all, in order.
    shards : int
    random_state : numpy.random.RandomState
        The source of the orders, which is advanced.
    drop_last : bool, default False
        Whether there are only as many batches as are full.

    Yields
    ------
    ndarray of int64
        The rows of each batch, in the order of the shards.
    """
    if batch_size is None:
        yield np.arange(samples)
        return
    ends = bounds(samples, shards)
    orders = [
        start + random_state.permutation(stop - start) for start, stop in pairwise(ends.tolist())
    ]
    steps = steps_per_epoch(samples, batch_size, drop_last=drop_last)
    for step in range(steps):
        yield np.concatenate(
            [
                order[step * len(order) // steps : (step + 1) * len(order) // steps]
                for order in orders
            ]
        )


def cut(rows: Array, ends: NDArray[np.int64]) -> dict[int, Array]:
    """Return the rows of each shard that a batch has any of, in the order of the shards."""
    shards = np.searchsorted(ends, rows, side="right") - 1
    starts = np.searchsorted(shards, np.arange(len(ends)))
    return {
        shard: rows[start:stop]
        for shard, (start, stop) in enumerate(pairwise(starts.tolist()))
        if start < stop
    }


def summed(
    node: Node,
    known: Mapping[Node, Part | None],
    leaf: Callable[[int], Part | None] = lambda _: None,
    plus: Callable[[Part, Part], Part] = Part.plus,
) -> Part | None:
    """Add parts up the tree, those of neighbours first; None where there are none.

    Parameters
    ----------
    node : Node
        The node whose sum is wanted.
    known : mapping of Node to Part or None
        The sums that are there already. They are changed.
    leaf : callable, optional
        Gives the part of a shard that is in none of these, when it is its turn: of all that a node
        has, no more are there at a time than the tree is deep.
    plus : callable, optional
        Adds the second of two neighbours to the first, and has no more need of it.
    """
    if node in known:
        return known[node]
    start, stop = node
    if stop - start == 1:
        return leaf(start)
    left, right = (summed(child, known, leaf, plus) for child in _children(node))
    if left is None or right is None:
        return left if right is None else right
    return plus(left, right)


def nodes_within(owned: Set[int], node: Node) -> Iterator[Node]:
    """Give the largest nodes of the tree all of whose shards are among some."""
    start, stop = node
    if all(shard in owned for shard in range(start, stop)):
        yield node
    elif stop - start > 1:
        for child in _children(node):
            yield from nodes_within(owned, child)


def _children(node: Node) -> tuple[Node, Node]:
    """Cut a node at the largest power of two below its length: a tree that grows at its end."""
    start, stop = node
    half = 1 << (stop - start - 1).bit_length() - 1
    return (start, start + half), (start + half, stop)

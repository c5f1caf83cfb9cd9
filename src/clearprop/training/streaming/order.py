"""The order in which an epoch goes through samples that can only be read block by block.

Blocks come in a random order. Each is cut into `ABREAST` parts, every part of every `ABREAST`-th of
its rows, and stays in memory for as many phases: in each of them one part of it is learned from, in
random order together with a part of each other block that is there. So every sample is seen once an
epoch, a batch is drawn from `ABREAST` blocks, and one block is read a phase.

How well that mixes: let B samples be drawn from G blocks in the place of all, and rho be the share
of the variance of some quantity that lies between blocks. Two of them are of one block with the
chance 1 / G, so that their mean has a variance of 1 + (B - 1) rho / G times that of B samples drawn
from all. Source: Kish, "Survey Sampling" (1965), section 5.4, the design effect of clusters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearprop.preprocessing.blocks import Block

ABREAST = 8
"""Blocks that a batch is drawn from."""

_SIDE_BY_SIDE = 4  # runs of several blocks that are read in turns


@dataclass(frozen=True)
class Part:
    """A part of a block that a phase learns from.

    Parameters
    ----------
    place : int
        The place of the block in the order of reading.
    rows : ndarray of int64
        Its rows, counted within the block.
    """

    place: int
    rows: NDArray[np.int64]


def design_effect(batch_size: int, between: float) -> float:
    """Return by how much the variance of a batch's mean exceeds that of samples drawn from all.

    Parameters
    ----------
    batch_size : int
    between : float
        The share of the variance that lies between blocks.
    """
    return 1 + max(batch_size / ABREAST - 1, 0.0) * between


def order_of(blocks: Sequence[Block], random_state: np.random.RandomState) -> list[Block]:
    """Return blocks in the order in which an epoch reads them.

    Runs come in random order. The blocks of a run follow each other, as its rows can only be read
    from the first on; some runs are read in turns.
    """
    runs: dict[int, list[Block]] = {}
    for block in blocks:
        runs.setdefault(block.run, []).append(block)
    keys = list(runs)
    waiting = [runs[keys[at]] for at in random_state.permutation(len(keys)).tolist()]
    waiting.reverse()
    found: list[Block] = []
    open_runs: list[list[Block]] = []
    while waiting or open_runs:
        while waiting and len(open_runs) < _SIDE_BY_SIDE:
            open_runs.append(waiting.pop())
        found += [one[0] for one in open_runs]
        open_runs = [one[1:] for one in open_runs if len(one) > 1]
    return found


def phases(order: Sequence[Block]) -> Iterator[list[Part]]:
    """Give the parts that each phase learns from; phase t needs the blocks up to place t."""
    for phase in range(len(order) + ABREAST - 1):
        live = range(max(0, phase - ABREAST + 1), min(phase, len(order) - 1) + 1)
        yield [Part(place, np.arange(phase - place, order[place].rows, ABREAST)) for place in live]

"""The order in which samples on disk are learned from, and how well it mixes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.core.parameters import Array
from clearprop.preprocessing.blocks import Block
from clearprop.training.streaming.order import ABREAST, order_of, phases

BLOCKS = st.lists(
    st.lists(st.integers(1, 40), min_size=1, max_size=6), min_size=1, max_size=12
).map(
    lambda runs: [
        Block(run, range(at, at + 1), rows)
        for run, blocks in enumerate(runs)
        for at, rows in enumerate(blocks)
    ]
)


def order(blocks: list[Block], seed: int = 0) -> list[Block]:
    return order_of(blocks, np.random.RandomState(seed))


@given(BLOCKS)
def test_an_order_has_every_block_once_and_those_of_a_run_in_order(blocks: list[Block]) -> None:
    found = order(blocks)
    assert sorted(map(repr, found)) == sorted(map(repr, blocks))
    for run in {block.run for block in blocks}:
        starts = [block.pieces.start for block in found if block.run == run]
        assert starts == sorted(starts)


@given(BLOCKS)
def test_no_more_than_four_runs_are_read_in_turns(blocks: list[Block]) -> None:
    found, begun, ended = order(blocks), set[int](), set[int]()
    left = {block.run: sum(one.run == block.run for one in blocks) for block in blocks}
    for block in found:
        begun.add(block.run)
        left[block.run] -= 1
        ended |= {block.run} if not left[block.run] else set()
        assert len(begun - ended) <= 4


def test_an_order_depends_on_the_seed_alone() -> None:
    blocks = [Block(run, range(run, run + 1), 3) for run in range(40)]
    assert order(blocks, 1) == order(blocks, 1)
    assert order(blocks, 1) != order(blocks, 2)
    assert order(blocks, 1) != blocks


@given(BLOCKS)
def test_phases_see_every_row_once(blocks: list[Block]) -> None:
    seen: dict[int, list[int]] = {place: [] for place in range(len(blocks))}
    for parts in phases(blocks):
        for part in parts:
            seen[part.place] += part.rows.tolist()
    for place, rows in seen.items():
        assert sorted(rows) == [*range(blocks[place].rows)]


@given(BLOCKS)
def test_a_phase_takes_a_part_of_each_of_the_last_eight_blocks(blocks: list[Block]) -> None:
    found = [*phases(blocks)]
    assert len(found) == len(blocks) + ABREAST - 1
    for phase, parts in enumerate(found):
        live = [place for place in range(phase - 7, phase + 1) if 0 <= place < len(blocks)]
        assert [part.place for part in parts] == live
        for part in parts:
            assert abs(len(part.rows) - blocks[part.place].rows / ABREAST) < 1
            assert all(after - before == ABREAST for before, after in pairwise(part.rows))


def batch_means(values: Array, blocks: list[Block], batch: int, seed: int) -> list[float]:
    """Return the means of the batches of an epoch in which eight blocks are abreast."""
    random_state, found = np.random.RandomState(seed), []
    read = order_of(blocks, random_state)
    for parts in phases(read):
        if len(parts) < ABREAST:  # the first and the last of an epoch
            continue
        phase = np.concatenate([values[read[part.place].run][part.rows] for part in parts])
        random_state.shuffle(phase)
        found += phase[: len(phase) // batch * batch].reshape(-1, batch).mean(axis=1).tolist()
    return found


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("batch", [16, 128])
def test_means_of_batches_vary_as_the_design_effect_says(share: float, batch: int) -> None:
    """Of 300 blocks with 2,048 rows, whose means make a share of all variance."""
    random_state, count, rows = np.random.RandomState(0), 300, 2048
    means = random_state.standard_normal((count, 1)) * share**0.5
    values = means + random_state.standard_normal((count, rows)) * (1 - share) ** 0.5
    blocks = [Block(run, range(1), rows) for run in range(count)]
    between = values.mean(axis=1).var() / values.var()
    found = np.concatenate([batch_means(values, blocks, batch, seed) for seed in range(3)])
    effect = np.mean((found - values.mean()) ** 2) * batch / values.var()
    assert effect == pytest.approx(1 + (batch - 1) * between / ABREAST, rel=0.1)

"""The window in memory that samples on disk go through: nothing is lost in it, and threads end."""

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from small_blocks import SmallBlocks

from clearprop.core.parameters import Array
from clearprop.errors import DataError
from clearprop.preprocessing.blocks import Block
from clearprop.training.streaming import window as windows
from clearprop.training.streaming.stream import Stream
from clearprop.training.streaming.window import Reading, Window


class Hasty(Reading):
    """Reads all that there is room for at once: nobody could overwrite more, or sooner."""

    def __enter__(self) -> "Hasty":
        self._fill()
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def need(self, place: int) -> None:
        assert self._read > place

    def release(self, place: int) -> None:
        self._free = place + self.window.regions
        self._fill()

    def _fill(self) -> None:
        while self._read < min(self._free, len(self.order)):
            self.window.fill(self._read, self.order[self._read])
            self._read += 1


def targets(y: Any) -> Array:
    return np.asarray(y, np.float64)


def batch_ends(samples: int, size: int) -> Callable[[int], int]:
    return lambda batch: min(batch * size, samples)


def walk(stream: Stream, size: int, seed: int = 0, first: int = 0) -> Iterator[Array]:
    samples = len(stream.window.blocks)
    return stream.walk([seed], -(-samples // size), batch_ends(samples, size), first)


def numbers_of(stream: Stream, rows: Array) -> list[int]:
    """Return the samples that lie in rows of the window."""
    found = stream.window.X[rows, 0].astype(int).tolist()
    assert stream.window.y[rows].tolist() == found
    return found


def flat(batches: list[list[int]]) -> list[int]:
    return [number for batch in batches for number in batch]


def learned(stream: Stream, size: int, at_once: int) -> list[list[int]]:
    """Take batches, many at once, and only then look at the samples that they have."""
    found, batches = list[list[int]](), walk(stream, size)
    while some := [*islice(batches, at_once)]:
        found += [numbers_of(stream, rows) for rows in some]
    return found


@given(
    runs=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=4), min_size=1, max_size=60),
    size=st.integers(1, 60),
    memory=st.integers(1, 20_000),
)
@example(runs=[[9], [1], [3]] * 40, size=1, memory=1)
@example(runs=[[1], [30]] * 60, size=60, memory=1)
def test_no_row_is_overwritten_before_it_is_learned_from(
    runs: list[list[int]], size: int, memory: int
) -> None:
    counts = [count for run in runs for count in run]
    if not any(counts):
        return
    blocks = SmallBlocks.numbered(counts, [at for at, run in enumerate(runs) for _ in run], memory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "Reading", Hasty)
        stream = Stream(blocks, targets, size)
        found = learned(stream, size, stream.at_once(size))
    assert [len(batch) for batch in found[:-1]] == [size] * (len(found) - 1)
    assert sorted(flat(found)) == [*range(sum(counts))]


def test_taking_more_at_once_than_is_told_would_lose_rows() -> None:
    """So the test above can fail."""
    blocks = SmallBlocks.numbered([16] * 60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "Reading", Hasty)
        stream = Stream(blocks, targets, 4)
        found = learned(stream, 4, 10_000)
    assert sorted(flat(found)) != [*range(960)]


@given(st.integers(0, 30))
def test_a_walk_that_begins_later_goes_on_the_same(first: int) -> None:
    stream = Stream(SmallBlocks.numbered([7, 30, 12, 1, 9] * 6), targets, 12)
    whole = [numbers_of(stream, rows) for rows in walk(stream, 12)]
    first = min(first, len(whole))
    assert [numbers_of(stream, rows) for rows in walk(stream, 12, first=first)] == whole[first:]


def test_walks_of_a_seed_are_alike_and_of_another_differ() -> None:
    stream = Stream(SmallBlocks.numbered([20] * 30), targets, 8)
    one, again, other = (
        [numbers_of(stream, rows) for rows in walk(stream, 8, seed)] for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other


def test_memory_bounds_the_window() -> None:
    counts = [10] * 500
    small, large = (
        Stream(SmallBlocks.numbered(counts, [0] * 500, memory), targets, 10).window
        for memory in (8000, 32_000)
    )
    assert small.X.nbytes + small.y.nbytes <= 8000
    assert 8000 < large.X.nbytes + large.y.nbytes <= 32_000


def readers() -> list[threading.Thread]:
    gc.collect()
    return [one for one in threading.enumerate() if one.name == "clearprop-read"]


def test_the_thread_that_reads_ends_however_a_walk_ends() -> None:
    stream = Stream(SmallBlocks.numbered([10] * 80), targets, 10)
    assert len([*walk(stream, 10)]) == 80
    assert not readers()
    left = walk(stream, 10)
    next(left)
    assert readers()
    left.close()
    assert not readers()

    def fails() -> None:
        for _ in walk(stream, 10):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not readers()


def test_what_reading_raises_is_raised_where_the_block_is_needed() -> None:
    blocks = SmallBlocks.numbered([10] * 80)
    stream = Stream(blocks, targets, 10)
    order = [numbers_of(stream, rows) for rows in walk(stream, 10)]
    blocks.broken = 37
    found = list[list[int]]()

    def learn() -> None:
        for rows in walk(stream, 10):
            found.append(numbers_of(stream, rows))

    with pytest.raises(DataError, match=r"^piece 37 can't be read\.$"):
        learn()
    assert 0 < len(found) < 80
    assert found == order[: len(found)]
    assert not any(370 <= number < 380 for number in flat(found))
    assert not readers()
    blocks.broken = None
    assert [numbers_of(stream, rows) for rows in walk(stream, 10)] == order


def read_by(window: Window, order: Sequence[Block], regions: int) -> None:
    with window.reading(order) as reading:
        for place, block in enumerate(order):
            reading.need(place)
            start = window.first_row(place)
            assert window.X[start : start + block.rows, 0].astype(int).tolist() == [
                *range(3 * block.pieces.start, 3 * block.pieces.stop)
            ]
            reading.release(place + 1)
            assert place % window.regions < regions


@pytest.mark.parametrize("regions", [1, 2, 3, 40])
def test_blocks_lie_where_they_are_looked_for(regions: int) -> None:
    blocks = SmallBlocks.numbered([3] * 30)
    window = Window(blocks, regions, 3, np.zeros(1), targets)
    read_by(window, blocks.cut(3), regions)
    assert window.read == 90
    assert "rows and" in window.pace()


def test_samples_have_the_weights_of_their_classes() -> None:
    rows = np.arange(200)
    blocks = SmallBlocks(rows[:, None].astype(float), rows % 3, [10] * 20)
    stream = Stream(blocks, targets, 10)
    weights = stream.window.weigh(np.array([0.5, 1.0, 4.0]))
    for batch in walk(stream, 10):
        numbers = stream.window.X[batch, 0].astype(int)
        np.testing.assert_array_equal(weights[batch], np.array([0.5, 1.0, 4.0])[numbers % 3])

"""Blocks of a table on disk: together they are the table in memory, but for held-out rows."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from disk_tables import in_memory, on_disk, split
from hypothesis import given
from hypothesis import strategies as st

from clearprop import preprocessing
from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.data.tables import column_files, column_heads
from clearprop.errors import DataError
from clearprop.preprocessing.blocks import Block, Blocks, TableBlocks

ROWS = 300


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a piece have twenty rows at most."""
    monkeypatch.setattr(column_files, "_FEWEST", 20)
    monkeypatch.setattr(column_files, "_CELLS", 20)


def table() -> dict[str, Any]:
    """Return columns of every kind with gaps, and targets of several kinds with gaps."""
    random_state = np.random.RandomState(1)
    x = random_state.standard_normal(ROWS)
    day = datetime(2020, 1, 1)
    gaps = random_state.random_sample((8, ROWS)) < 0.1
    cells: dict[str, list[Any]] = {
        "number": x.tolist(),
        "endless": np.where(np.arange(ROWS) % 50 == 3, np.inf, x).tolist(),
        "word": random_state.choice(["red", "green", "blue"], ROWS).tolist(),
        "is": (random_state.random_sample(ROWS) < 0.5).tolist(),
        "when": [day + timedelta(hours=int(at)) for at in random_state.randint(0, 9999, ROWS)],
        "price": [f"${at},{at:03}.5" for at in random_state.randint(1, 9, ROWS)],
        "label": np.where(x > 0, "yes", "no").tolist(),
        "value": (x * 3 + 1).tolist(),
    }
    for gap, column in zip(gaps, cells.values(), strict=True):
        for row in np.flatnonzero(gap):
            column[row] = None
    return cells | {
        "code": random_state.choice([10, 2, 40_000], ROWS).tolist(),
        "text code": random_state.choice(["1.0", "2.0", "10.0"], ROWS).tolist(),
        "money": [f"${at}.5" for at in random_state.randint(100, 999, ROWS)],
    }


INPUTS = ("number", "endless", "word", "is", "when", "price")


def row_numbers(dataset: Dataset) -> Array:
    """Return the number of each sample's row in the file, from 0."""
    return np.array([int(dataset.source(row).split()[1]) - 1 for row in range(len(dataset))])


def read_all(blocks: Blocks, rows: int) -> tuple[Array, Array]:
    """Read all blocks of about so many rows, one after the other."""
    parts = []
    for block in blocks.cut(rows):
        X = np.empty((block.rows, *blocks.input_shape), blocks.dtype)
        parts.append((X, blocks.read(block, X)))
    return np.concatenate([X for X, _ in parts]), np.concatenate([y for _, y in parts])


def in_any_order(X: Array, y: Array) -> Array:
    """Return samples with their targets, sorted."""
    both = np.column_stack([X, y.reshape(len(y), -1)])
    return both[np.lexsort(both.T)]


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("target", "task"),
    [
        ("label", None), ("value", None), ("code", "classify"), ("code", "regress"),
        ("text code", "classify"), ("text code", "regress"), ("money", "regress"), ("is", None),
    ],
)  # fmt: skip
def test_blocks_are_the_table_without_the_held_out_rows(
    tmp_path: Path, target: str, task: str | None, dtype: Any, *, robust: bool
) -> None:
    cells = table()
    kept = {name: cells[name] for name in (*INPUTS, target)}
    split(tmp_path, kept, [40, 100, 30], group=47)
    dataset = on_disk(tmp_path, target=target, task=task)
    held_out = np.array([0, 1, 39, 40, 77, 140, 299])
    assert dataset.whole is not None
    filled = [cell is not None for cell in cells[target]]
    held_out = held_out[np.array(filled)[held_out]]
    dataset = replace(dataset, whole=replace(dataset.whole, held_out=held_out))
    recipe = preprocessing.fit_recipe(dataset, robust=robust)
    blocks = TableBlocks(dataset.whole, recipe, dtype)
    X, y = read_all(blocks, 60)

    whole = in_memory(tmp_path, target=target, task=task)
    rest = whole.take(np.flatnonzero(~np.isin(row_numbers(whole), held_out)))
    expected = recipe.inputs.transform(rest.X, dtype), recipe.target.encode(rest)
    assert len(blocks) == len(X) == sum(filled) - len(held_out)
    assert (X.dtype, X.shape[1:]) == (dtype, blocks.input_shape)
    np.testing.assert_array_equal(in_any_order(X, y), in_any_order(*expected))


def test_the_moments_of_a_recipe_are_those_of_a_table_in_memory(tmp_path: Path) -> None:
    cells = table()
    split(tmp_path, {name: cells[name] for name in (*INPUTS, "code")}, [40, 100, 30], group=47)
    mine = preprocessing.fit_recipe(on_disk(tmp_path, target="code", task="classify"))
    expected = preprocessing.fit_recipe(in_memory(tmp_path, target="code", task="classify"))
    rows = in_memory(tmp_path, target="code", task="classify")
    for recipe in (mine, expected):
        recipe.inputs.check(rows.X)
    np.testing.assert_allclose(
        mine.inputs.transform(rows.X, np.float64),
        expected.inputs.transform(rows.X, np.float64),
        rtol=1e-10,
        atol=1e-12,
    )


def test_a_file_of_which_no_target_is_filled_is_not_read(tmp_path: Path) -> None:
    cells = {"x": np.arange(60) / 7, "y": ["a", "b"] * 30}
    cells["y"] = [None if 20 <= row < 40 else cells["y"][row] for row in range(60)]
    split(tmp_path, cells, [20, 20], group=20)
    dataset = on_disk(tmp_path, keep=("x",))
    (tmp_path / "part-001.parquet").unlink()
    assert dataset.whole is not None
    X, _ = read_all(TableBlocks(dataset.whole, preprocessing.fit_recipe(dataset), float), 15)
    assert len(X) == 40


def test_a_file_with_other_rows_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_heads, "stamp_of", lambda _: (0, 0))  # of the same time and size
    cells: dict[str, Any] = {"x": np.arange(60) / 7, "y": ["a", "b"] * 30}
    split(tmp_path, cells, [30], group=20)
    dataset = on_disk(tmp_path, keep=("x",))
    assert dataset.whole is not None
    blocks = TableBlocks(dataset.whole, preprocessing.fit_recipe(dataset), float)
    cells["y"][35] = None
    split(tmp_path, cells, [30], group=20)
    with pytest.raises(DataError) as caught:
        read_all(blocks, 100)
    assert str(caught.value) == (
        f"{tmp_path}/part-001.parquet has changed since it was looked at: found 19 rows to learn "
        "from in a part of it that had 20. Leave data alone while they are learned from, and "
        "start anew."
    )


class Counted(Blocks):
    """Pieces of some sizes in some runs, which nobody reads."""

    def __init__(self, counts: list[int], runs: list[int]) -> None:
        self._counts, self._runs = np.array(counts), runs

    @property
    def counts(self) -> Any:
        return self._counts

    @property
    def runs(self) -> list[int]:
        return self._runs

    def read_piece(self, piece: int, X: Array) -> Any:
        raise AssertionError

    place_of = checksum = class_counts = file_bytes = None  # type: ignore[assignment]


RUNS = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=9), min_size=1, max_size=30)


@given(runs=RUNS, rows=st.integers(1, 120))
def test_a_cut_takes_every_piece_once_and_makes_no_block_too_small(
    runs: list[list[int]], rows: int
) -> None:
    counts = [count for run in runs for count in run]
    blocks = Counted(counts, [at for at, run in enumerate(runs) for _ in run])
    cut = blocks.cut(rows)
    assert [piece for block in cut for piece in block.pieces] == [*range(len(counts))]
    assert [block.rows for block in cut] == [
        sum(counts[piece] for piece in block.pieces) for block in cut
    ]
    assert len(cut) == 1 or min(4 * block.rows for block in cut) >= rows
    largest = max(counts)
    assert max(block.rows for block in cut) <= 2 * rows + 2 * largest


def test_a_large_run_is_cut_into_equal_blocks_and_small_ones_go_together() -> None:
    blocks = Counted([10] * 24 + [4, 4, 4, 4, 4, 4], [0] * 24 + [1, 2, 3, 4, 5, 6])
    assert blocks.cut(80) == (
        Block(0, range(8), 80),
        Block(0, range(8, 16), 80),
        Block(0, range(16, 24), 80),
        Block(1, range(24, 30), 24),
    )
    assert blocks.cut(97)[-1] == Block(0, range(16, 30), 104)  # too few to be one

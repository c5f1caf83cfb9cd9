"""Holding out, and rows that are not copied."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from clearprop.data import Dataset, Table, hold_out
from clearprop.data import selected_rows as rows_module
from clearprop.data.selected_rows import SelectedRows, blocks, require_finite, take_rows
from clearprop.errors import DataError, ShapeError, UsageError


def dataset_of(labels: list[int], names: tuple[str, ...] | None = ("a", "b", "c")) -> Dataset:
    y = np.array(labels, dtype=np.int64 if names else np.float64)
    return Dataset("made", "array", np.arange(len(y) * 2.0).reshape(-1, 2), y, names)


@given(
    counts=st.tuples(st.integers(2, 30), st.integers(2, 30), st.integers(2, 30)),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_class_is_split_in_proportion_and_no_sample_lost(
    counts: tuple[int, ...], share: float, seed: int
) -> None:
    dataset = dataset_of(np.repeat([0, 1, 2], counts).tolist())
    train, held = hold_out(dataset, share, seed)
    for name, count in zip("abc", counts, strict=True):
        assert train.counts()[name] + held.counts()[name] == count
        assert min(train.counts()[name], held.counts()[name]) >= 1
        assert abs(held.counts()[name] - share * count) <= 1
    both = np.concatenate([np.asarray(train.X), np.asarray(held.X)])
    np.testing.assert_array_equal(both[np.argsort(both[:, 0])], dataset.X)


def test_the_seed_decides_the_split() -> None:
    dataset = dataset_of([0, 1] * 50)
    first, again, other = (hold_out(dataset, 0.2, seed)[1].sources for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_samples_keep_their_origin_through_splits() -> None:
    train, held = hold_out(dataset_of([0, 1] * 5), 0.3, 0)
    for part in (train, held):
        assert part.sources == tuple(f"row {int(x / 2) + 1}" for x in np.asarray(part.X)[:, 0])


def test_values_are_split_as_one() -> None:
    train, held = hold_out(dataset_of(list(range(10)), names=None), 0.2, 0)
    assert (len(train), len(held)) == (8, 2)


def test_a_class_with_one_sample_is_named() -> None:
    with pytest.raises(
        DataError, match=r"The class 'b' of made has one sample only, row 3.*--test 0"
    ):
        hold_out(dataset_of([0, 0, 1, 2, 2]), 0.2, 0)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        hold_out(dataset_of([0, 0, 1, 1]), share, 0)


def test_a_data_set_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(DataError, match="label 3, which is outside its 3 classes"):
        dataset_of([0, 3])
    with pytest.raises(DataError, match="label -1"):
        dataset_of([0, -1])
    with pytest.raises(DataError, match="holds no samples"):
        dataset_of([])
    with pytest.raises(ShapeError, match="2 samples and 3 targets"):
        Dataset("made", "array", np.zeros((2, 1)), np.zeros(3), None)


@pytest.mark.parametrize(
    "chosen", [slice(1, 4), np.array([3, 0, 3]), np.array([True, False, True, True, False])]
)
def test_selected_rows_are_those_of_a_copy(chosen: Any) -> None:
    base = np.random.RandomState(0).randn(9, 3, 2)
    indices = np.array([8, 2, 2, 5, 0])
    rows = SelectedRows(base, indices)
    copy = base[indices]
    np.testing.assert_array_equal(rows[chosen], copy[chosen])
    np.testing.assert_array_equal(np.asarray(rows), copy)
    np.testing.assert_array_equal(rows[2], copy[2])
    assert (rows.shape, rows.dtype, rows.ndim, rows.nbytes, len(rows)) == (
        copy.shape, copy.dtype, copy.ndim, copy.nbytes, len(copy),
    )  # fmt: skip
    assert np.asarray(rows, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="without a copy"):
        np.array(rows, copy=False)


def test_large_arrays_are_split_without_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "COPY_LIMIT", 16)
    dataset = dataset_of([0, 1] * 5)
    train, _ = hold_out(dataset, 0.2, 0)
    assert isinstance(train.X, SelectedRows)
    assert train.X.base is dataset.X
    again = take_rows(train.X, np.array([1, 3, 5]))
    assert isinstance(again, SelectedRows)
    assert again.base is dataset.X
    np.testing.assert_array_equal(np.asarray(again), np.asarray(train.X)[[1, 3, 5]])
    assert not isinstance(take_rows(train.X, np.array([1])), SelectedRows)


@given(count=st.integers(1, 40), block=st.integers(1, 200))
def test_blocks_cover_every_row_once(count: int, block: int) -> None:
    rows: NDArray[np.float64] = np.arange(count * 2.0).reshape(count, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "_BLOCK", block)
        walked = list(blocks(rows))
    np.testing.assert_array_equal(np.concatenate([part for _, part in walked]), rows)
    for where, part in walked:
        np.testing.assert_array_equal(rows[where], part)


def test_the_first_number_that_is_not_finite_is_found_behind_the_first_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows_module, "_BLOCK", 64)
    X = np.zeros((100, 2))
    X[77, 1] = np.inf
    with pytest.raises(DataError, match=r"X\[77, 1\] is inf"):
        require_finite(X, "X")
    require_finite(X[:77], "X")


def test_a_table_gives_rows_and_drops_columns() -> None:
    table = Table({"a": np.array([1.0, 2.0, 3.0]), "b": np.array([4.0, 5.0, 6.0])})
    assert len(table) == 3
    assert table[np.array([2, 0])].columns["b"].tolist() == [6, 4]
    assert table.without("a").names == ("b",)
    assert len(Table({})) == 0

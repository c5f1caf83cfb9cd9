"""Folds of whole groups, and folds that follow each other in time."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold, TimeSeriesSplit

from clearprop.data import Dataset, Table
from clearprop.data.folds import folds_in_time, folds_of_groups
from clearprop.data.tables.table import as_column
from clearprop.errors import DataError, UnknownNameError, UsageError


def table_of(cells: Any, y: Any = None, names: tuple[str, ...] | None = None) -> Dataset:
    """Make a table with a column `by`."""
    by = as_column(cells)
    y = np.zeros(len(by)) if y is None else np.array(y, dtype=np.int64 if names else np.float64)
    return Dataset("made", "table", Table({"by": by, "x": np.arange(len(by) * 1.0)}), y, names)


@given(
    groups=st.lists(st.integers(0, 12), min_size=2, max_size=120).filter(lambda g: len({*g}) > 1),
    count=st.integers(2, 6),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_group_lies_in_two_folds_and_no_row_is_lost(
    groups: list[int], count: int, seed: int
) -> None:
    dataset, numbers = table_of(np.array(groups, float)), np.array(groups)
    if len({*groups}) < count:
        with pytest.raises(DataError, match="folds are asked for"):
            folds_of_groups(dataset, "by", count, seed)
        return
    held, note = folds_of_groups(dataset, "by", count, seed)
    assert len(held) == count
    np.testing.assert_array_equal(np.sum(held, axis=0), 1)
    for rows in held:
        assert rows.any()
        assert not {*numbers[rows]} & {*numbers[~rows]}
    # The largest goes first: no fold is larger than the least by more than one group.
    sizes = [int(rows.sum()) for rows in held]
    assert max(sizes) - min(sizes) <= max(map(groups.count, groups))
    assert (
        f"{len({*groups})} groups of 'by' in {count} folds of {min(sizes)} to {max(sizes)}" in note
    )


def test_classes_are_spread_as_well_as_scikit_learn_spreads_them() -> None:
    random_state = np.random.RandomState(0)
    groups = random_state.geometric(0.02, 2000)
    y = random_state.binomial(1, 0.05 + 0.3 * random_state.rand(groups.max() + 1)[groups])

    def unevenness(folds: Any) -> float:
        counts = np.array([np.bincount(y[rows], minlength=2) for rows in folds])
        return float(np.abs(counts / counts.sum(axis=0) - 1 / 5).max())

    ours, _ = folds_of_groups(table_of(groups * 1.0, y, ("no", "yes")), "by", 5, 0)
    theirs = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(y, y, groups)
    assert unevenness(ours) <= unevenness([rows for _, rows in theirs]) < 0.02


def test_every_class_can_be_learned_without_any_fold() -> None:
    # The rare class lies in three groups of ten rows, and "lone" in a single one.
    groups = np.repeat(np.arange(12.0), 10)
    y = np.zeros(120)
    y[[3, 14, 25]], y[[117, 118]] = 1, 2
    for seed in range(20):
        held, note = folds_of_groups(table_of(groups, y, ("no", "rare", "lone")), "by", 3, seed)
        assert [int((rows & (y == 1)).sum()) for rows in held] == [1, 1, 1]
        assert not any(rows[110:].any() for rows in held)
        assert "1 group with all rows of a class, always learned from" in note


def test_rows_without_a_group_are_one() -> None:
    held, note = folds_of_groups(table_of(["a", "", "b", "", "c", "c"]), "by", 2, 0)
    assert [rows[1] for rows in held] == [rows[3] for rows in held]
    assert "rows without 'by' (2) are one group" in note


@given(n=st.integers(3, 80), count=st.integers(2, 6), seed=st.integers(0, 2**32 - 1))
def test_different_times_are_cut_as_scikit_learn_cuts_them(n: int, count: int, seed: int) -> None:
    times = np.random.RandomState(seed).permutation(n) * 1.5
    if n <= count:
        with pytest.raises(DataError, match="too few to cut"):
            folds_in_time(table_of(times), "by", count)
        return
    found, _ = folds_in_time(table_of(times), "by", count)
    order = np.argsort(times)
    expected = TimeSeriesSplit(count).split(order)
    for (learned, held), (before, fold) in zip(found, expected, strict=True):
        assert {*np.flatnonzero(learned)} == {*order[before]}
        assert {*np.flatnonzero(held)} == {*order[fold]}


@given(
    different=st.integers(8, 20),
    each=st.integers(1, 6),
    missing=st.integers(0, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_equal_times_stay_together_and_later_ones_are_never_learned_from(
    different: int, each: int, missing: int, seed: int
) -> None:
    times = np.r_[np.repeat(np.arange(different * 1.0), each), np.full(missing, np.nan)]
    np.random.RandomState(seed).shuffle(times)
    found, _ = folds_in_time(table_of(times), "by", 3)
    for learned, held in found:
        assert held.any()
        assert learned[np.isnan(times)].all()
        known = learned & ~np.isnan(times)
        assert times[known].max() < times[held].min()
        np.testing.assert_array_equal(known, times < times[held].min())


def test_dates_name_where_folds_begin() -> None:
    days = [f"2024-01-{day:02}" for day in range(1, 13)]
    _, note = folds_in_time(table_of(np.array(days, "datetime64[us]")), "by", 2)
    assert note.endswith("folds begin at by = 2024-01-05, 2024-01-09.")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 0, 1, 0, 2], "'c' of made occurs only from by = 4 on, in fold 2 of 2"),
        ([0, 0, 1, 1, 1, 0], "'b' of made occurs only from by = 2 on, in fold 1 of 2"),
    ],
)
def test_a_class_that_no_row_before_a_fold_teaches_is_refused(y: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        folds_in_time(table_of(np.arange(6.0), y, ("a", "b", "c")), "by", 2)


def test_what_is_no_column_to_follow() -> None:
    dataset = table_of(["a", "b", "c", "c"])
    with pytest.raises(UnknownNameError, match="no column 'bi'"):
        folds_of_groups(dataset, "bi", 2, 0)
    with pytest.raises(UsageError, match="no place in time"):
        folds_in_time(dataset, "by", 2)
    with pytest.raises(DataError, match="All rows of made have the same 'by'"):
        folds_of_groups(table_of(["a", "a"]), "by", 2, 0)

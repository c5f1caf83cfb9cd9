"""Holding out whole groups of rows, or the latest."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupShuffleSplit

from clearprop.data import Dataset, Table
from clearprop.data.splitting import hold_out_groups, hold_out_latest, without_column
from clearprop.data.tables.table import as_column
from clearprop.errors import DataError, UnknownNameError, UsageError


def table_of(
    cells: Any, y: Any = None, names: tuple[str, ...] | None = None, **more: Any
) -> Dataset:
    """Make a table whose column `x` counts its rows, with a column `by`."""
    by = as_column(cells)
    count = len(by)
    y = np.zeros(count) if y is None else np.array(y, dtype=np.int64 if names else np.float64)
    return Dataset(
        "made", "table", Table({"by": by, "x": np.arange(count * 1.0)}), y, names, **more
    )


def rows_of(part: Dataset) -> list[int]:
    assert isinstance(part.X, Table)
    return part.X.columns["x"].astype(int).tolist()


@given(
    groups=st.lists(st.integers(0, 12), min_size=2, max_size=120).filter(lambda g: len({*g}) > 1),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_group_is_on_both_sides_and_no_row_lost(
    groups: list[int], share: float, seed: int
) -> None:
    train, held, note = hold_out_groups(table_of(np.array(groups, float)), "by", share, seed)
    first, second = rows_of(train), rows_of(held)
    assert sorted(first + second) == list(range(len(groups)))
    assert (first, second) == (sorted(first), sorted(second))
    assert first
    assert second
    assert not {groups[row] for row in first} & {groups[row] for row in second}
    # Any other group, put to the other side, would not bring the share closer: at most half of the
    # largest group is missing or too much, but where one group is all there is.
    largest = max(map(groups.count, groups))
    assert abs(len(second) - share * len(groups)) <= max(largest, 1)
    assert f"{len(second):,} of {len(groups):,} rows ({len(second) / len(groups):.1%})" in note


def test_the_share_is_met_as_well_as_scikit_learn_meets_it() -> None:
    random_state = np.random.RandomState(0)
    groups = random_state.geometric(0.02, 2000).astype(float)
    dataset = table_of(groups)
    ours = [len(hold_out_groups(dataset, "by", 0.2, seed)[1]) for seed in range(10)]
    splits = GroupShuffleSplit(10, test_size=0.2, random_state=0).split(groups, groups=groups)
    theirs = [len(held) for _, held in splits]
    assert max(abs(count - 400) for count in ours) <= 20
    assert max(abs(count - 400) for count in theirs) > 20


def test_the_seed_decides_the_groups() -> None:
    dataset = table_of(np.arange(200) // 4 * 1.0)
    first, again, other = (rows_of(hold_out_groups(dataset, "by", 0.2, s)[1]) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_every_class_is_on_both_sides_where_groups_allow_it() -> None:
    # The rare class lies in two groups of 10 rows out of 40 groups.
    groups = np.repeat(np.arange(40.0), 10)
    y = np.zeros(400)
    y[[3, 4, 205]] = 1
    for seed in range(20):
        train, held, note = hold_out_groups(table_of(groups, y, ("no", "yes")), "by", 0.2, seed)
        assert min(*train.counts().values(), *held.counts().values()) >= 1
        assert len(held) in (80, 90)  # one group more, where chance took none of the class
        assert "no row held out" not in note


def test_a_class_in_one_group_only_is_learned_and_said() -> None:
    groups = np.repeat(np.arange(10.0), 10)
    y = np.where(groups == 3, 1, 0)
    y[::2] = 0
    train, held, note = hold_out_groups(table_of(groups, y, ("no", "yes")), "by", 0.3, 0)
    assert train.counts()["yes"] == 5
    assert held.counts()["yes"] == 0
    assert note.endswith("The class 'yes' has no row held out.")


def test_the_column_can_be_left_out_of_every_part() -> None:
    test = table_of(["a", "b"])
    cells = ["ann", "ann", "", "bob", "bob", "", "cy", "cy"]
    dataset = table_of(cells, feature_names=("by", "x"), test=test, validation=test)
    for part in hold_out_groups(dataset, "by", 0.3, 0)[:2]:
        assert isinstance(part.X, Table)
        assert part.X.names == part.feature_names == ("by", "x")  # it may be needed once more
    rest = without_column(dataset, "by")
    assert rest.feature_names == ("x",)
    for one in (rest, rest.test, rest.validation):
        assert one is not None
        assert isinstance(one.X, Table)
        assert one.X.names == ("x",)


def test_rows_without_a_group_stay_together_and_are_counted() -> None:
    for cells in (["a", "", "b", "", "c"], np.array([1, np.nan, 2, np.nan, 3])):
        train, held, note = hold_out_groups(table_of(cells), "by", 0.4, 0)
        assert {1, 3} <= {*rows_of(train)} or {1, 3} <= {*rows_of(held)}
        assert note.endswith("; rows without 'by' (2) are one group.")


def test_what_can_t_be_held_out_by_groups_is_refused() -> None:
    with pytest.raises(DataError, match=r"All rows of made have the same 'by', '7': no group"):
        hold_out_groups(table_of(np.full(5, 7.0)), "by", 0.2, 0)
    with pytest.raises(DataError, match=r"Any group of 'by' in made, held out, takes all rows"):
        hold_out_groups(table_of(["a", "a", "b"], [0, 0, 1], ("no", "yes")), "by", 0.5, 0)
    only = Dataset("one", "table", Table({"by": np.array([1.0, 2.0])}), np.zeros(2), None)
    with pytest.raises(DataError, match=r"one has no column besides 'by' to learn from"):
        without_column(only, "by")


@pytest.mark.parametrize("option", ["group", "time"])
def test_a_column_that_can_t_be_followed_is_refused(option: str) -> None:
    def follow(dataset: Dataset, column: str, share: float = 0.5) -> Any:
        if option == "group":
            return hold_out_groups(dataset, column, share, 0)
        return hold_out_latest(dataset, column, share)

    dataset = table_of(np.arange(4.0))
    with pytest.raises(
        UnknownNameError, match=r"no column 'bye'\. Did you mean 'by'\? Known: by, x\."
    ):
        follow(dataset, "bye")
    with pytest.raises(UsageError, match=f"'target' is the target of made: give --{option}"):
        follow(dataset, "target")
    array = Dataset("array", "array", np.zeros((4, 2)), np.zeros(4), None)
    with pytest.raises(UsageError, match=f"--{option} names a column, and array is no table"):
        follow(array, "by")
    with pytest.raises(UsageError, match="between 0 and 1"):
        follow(dataset, "by", 1.0)


@given(
    times=st.lists(st.integers(0, 15), min_size=2, max_size=80).filter(lambda t: len({*t}) > 1),
    share=st.floats(0.05, 0.95),
)
def test_all_held_out_rows_are_later_than_all_others(times: list[int], share: float) -> None:
    train, held, _ = hold_out_latest(table_of(np.array(times, float)), "by", share)
    first, second = rows_of(train), rows_of(held)
    assert sorted(first + second) == list(range(len(times)))
    last, next_one = max(times[row] for row in first), min(times[row] for row in second)
    assert last < next_one
    # No other time to begin with brings the part closer to the share.
    counts = [sum(t >= start for t in times) for start in sorted({*times})[1:]]
    wanted = share * len(times)
    assert abs(len(second) - wanted) == min(abs(count - wanted) for count in counts)


DATES = ["2024-01-01", "2023-05-01", "", "2024-03-01", "2023-12-31"]


def test_dates_are_put_in_order_and_named() -> None:
    dates = np.array([one or "NaT" for one in DATES], dtype="datetime64[s]")
    train, held, note = hold_out_latest(table_of(dates), "by", 0.4)
    assert rows_of(held) == [0, 3]
    assert rows_of(train) == [1, 2, 4]
    assert note == (
        "2 of 5 rows (40.0%), those from by = 2024-01-01 on. "
        "Rows without 'by' (1) are learned from."
    )


def test_the_first_value_held_out_is_said_and_the_column_stays() -> None:
    _, held, note = hold_out_latest(table_of(np.repeat([2020.0, 2021.0, 2022.5], 4)), "by", 0.3)
    assert rows_of(held) == [8, 9, 10, 11]
    assert "those from by = 2022.5 on" in note
    assert isinstance(held.X, Table)
    assert held.X.names == ("by", "x")


def test_what_can_t_be_held_out_by_time_is_refused() -> None:
    for same in (np.full(4, 3.0), np.full(4, np.nan), ["", "", ""]):
        with pytest.raises(DataError, match="have the same 'by', or none: there is no later part"):
            hold_out_latest(table_of(same), "by", 0.5)
    with pytest.raises(UsageError, match=r"Row 2 of column 'by' is 'May', which has no place in"):
        hold_out_latest(table_of(["", "May"]), "by", 0.5)
    new = table_of(np.arange(10.0), [0] * 8 + [1, 1], ("no", "yes"))
    with pytest.raises(DataError, match=r"The class 'yes' of made occurs only from by = 8 on"):
        hold_out_latest(new, "by", 0.2)

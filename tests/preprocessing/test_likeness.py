"""Samples that are unlike the training data are told of, by column, row and value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.data import Table
from clearprop.data.tables.columns import MOST_CATEGORIES
from clearprop.preprocessing import CategoricalColumn, NumericColumn, TableRecipe, unlikeness


def text(*cells: str) -> np.ndarray:
    return np.array(cells, dtype=object)


def notes_on(recipe: TableRecipe, **columns: np.ndarray) -> tuple[str, ...]:
    return unlikeness(Table(columns), recipe, "new.csv")


CITIES = TableRecipe((CategoricalColumn("city", ("Oslo", "Rome")),))


def test_categories_that_training_never_had_are_counted() -> None:
    cells = text("Rome", "", "Paris", "Oslo", "Bonn", "Paris")
    assert notes_on(CITIES, city=cells) == (
        "new.csv, column 'city': 3 rows with categories that training never had, the first row 3: "
        "'Paris'.",
    )


def test_a_long_cell_is_shortened() -> None:
    (note,) = notes_on(CITIES, city=text("x" * 100_000))
    assert note.endswith(f": '{'x' * 60}...'.")


def test_known_and_missing_ones_are_not() -> None:
    assert notes_on(CITIES, city=text("Rome", "", "Oslo")) == ()


def test_of_many_categories_only_the_known_ones_are_spoken_of() -> None:
    names = tuple(sorted(f"c{number}" for number in range(MOST_CATEGORIES)))
    (note,) = notes_on(TableRecipe((CategoricalColumn("c", names),)), c=text("d"))
    assert "1 row with categories that are not among the 100 known ones" in note


def test_numbers_are_categories_by_their_spelling() -> None:
    recipe = TableRecipe((CategoricalColumn("k", ("1", "2")),))
    assert notes_on(recipe, k=np.array([1.0, 2.0, np.nan])) == ()
    (note,) = notes_on(recipe, k=np.array([1.0, 3.0]))
    assert note.endswith("the first row 2: '3'.")


@given(st.lists(st.sampled_from(["Oslo", "Rome", "", "Paris", "Bonn"]), min_size=1))
def test_the_count_and_the_first_row_are_right(cells: list[str]) -> None:
    new = [row for row, cell in enumerate(cells, 1) if cell in ("Paris", "Bonn")]
    notes = notes_on(CITIES, city=text(*cells))
    if new:
        rows = "1 row" if len(new) == 1 else f"{len(new)} rows"
        assert f": {rows} with" in notes[0]
        assert f"the first row {new[0]}: {cells[new[0] - 1]!r}." in notes[0]
    else:
        assert notes == ()


HEIGHTS = np.array([150.0, 160.0, 170.0, 180.0, 190.0])
HEIGHT = TableRecipe((NumericColumn.fit("height", HEIGHTS),))  # mean 170, std 14.14


def test_numbers_far_outside_are_counted() -> None:
    heights = np.array([170.0, 400.0, np.nan, 1700.0])
    assert notes_on(HEIGHT, height=heights) == (
        "new.csv, column 'height': 2 rows with numbers far outside those of training (150 to 190), "
        "the first row 2: 400.",
    )
    assert notes_on(HEIGHT, height=np.array([170.0 + 10 * HEIGHTS.std() - 1e-9])) == ()


def test_numbers_as_far_as_those_of_training_are_not() -> None:
    skewed = np.array([0.0] * 1000 + [1e6])
    recipe = TableRecipe((NumericColumn.fit("x", skewed),))
    assert notes_on(recipe, x=np.array([1e6])) == ()
    assert len(notes_on(recipe, x=np.array([2e6]))) == 1


def test_another_unit_shows_where_most_numbers_are_outside() -> None:
    metres = HEIGHTS.repeat(2) / 100
    wide = TableRecipe((NumericColumn("height", 170.0, 170.0, 100.0, 10.0, 500.0),))
    assert notes_on(wide, height=metres[:9]) == ()  # too few to say
    assert notes_on(wide, height=metres) == (
        "new.csv, column 'height': 10 rows with numbers outside those of training (10 to 500), the "
        "first row 1: 1.5.",
    )
    assert notes_on(wide, height=np.concatenate([metres, HEIGHTS.repeat(2)])) == ()


def test_of_an_older_file_only_the_distance_from_the_mean_is_known() -> None:
    recipe = TableRecipe((NumericColumn("x", 0.0, 0.0, 1.0),))
    assert notes_on(recipe, x=np.full(20, 9.0)) == ()
    (note,) = notes_on(recipe, x=np.array([0.0, -11.0]))
    assert note.endswith("far outside those of training (a mean of 0), the first row 2: -11.")


def test_the_range_is_learned_and_checked() -> None:
    column = NumericColumn.fit("x", np.array([3.0, np.nan, -1.0]))
    assert (column.low, column.high) == (-1.0, 3.0)
    with pytest.raises(ValueError, match="The range of 'x'"):
        NumericColumn("x", 0.0, 0.0, 1.0, np.nan, 1.0)


def test_arrays_are_passed_by() -> None:
    assert unlikeness(np.zeros((2, 2)), HEIGHT, "x") == ()

"""Columns by their quartiles: numbers as scikit-learn scales them, few categories, many codes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from raw_samples import table_of
from sklearn.preprocessing import RobustScaler

from clearprop.data import Table
from clearprop.errors import DataError, UsageError
from clearprop.preprocessing import TableRecipe
from clearprop.preprocessing.robust_columns import CodedColumn, RobustCategories, RobustColumn

NUMBERS = st.floats(-1e6, 1e6).map(lambda one: round(one, 3))
WORDS = [f"word {place:02}" for place in range(20)]


def fitted(table: Table) -> TableRecipe:
    return TableRecipe.fit(table, robust=True)


def prepared(table: Table, **cells: Any) -> NDArray[Any]:
    """Return the rows of other cells as the recipe of a table prepares them, in float64."""
    return fitted(table).transform(table_of(**cells) if cells else table, np.float64)


@given(arrays.arrays(np.float64, st.integers(4, 40), elements=NUMBERS))
def test_numbers_are_those_of_scikit_learn_pressed_together(numbers: NDArray[np.float64]) -> None:
    first, third = np.quantile(numbers, [0.25, 0.75])
    assume(third - first > 1e-3)
    plain = RobustScaler().fit_transform(numbers[:, np.newaxis])
    found = prepared(table_of(a=numbers.tolist()))
    np.testing.assert_allclose(found, plain / np.sqrt(1 + (plain / 3) ** 2), rtol=1e-9, atol=1e-12)
    assert np.abs(found).max() <= 3


def test_equal_quartiles_leave_the_range_and_a_constant_nothing() -> None:
    found = prepared(table_of(mostly=[1.0] * 9 + [5.0], always=[7.0] * 10))
    z = 2 / (5 - 1) * (5 - 1)
    np.testing.assert_allclose(found[:, 0], [0] * 9 + [z / np.sqrt(1 + (z / 3) ** 2)])
    np.testing.assert_array_equal(found[:, 1], 0)
    assert prepared(table_of(always=[7.0] * 10), always=[1e300])[0] == 0


@pytest.mark.parametrize("far", [1e200, -1e300])
def test_numbers_far_away_come_to_the_bound(far: float) -> None:
    found = prepared(table_of(a=[0.0, 1.0, 2.0, 3.0]), a=[far, 1.5])
    np.testing.assert_allclose(found[:, 0], [3 * np.sign(far), 0], atol=1e-12)


def test_a_gap_becomes_the_median_and_is_told() -> None:
    table = table_of(a=[1.0, None, 2.0, 9.0], b=[1.0, 2.0, 3.0, 4.0])
    recipe = fitted(table)
    assert recipe.input_names == ("a", "a is missing", "b")
    found = recipe.transform(table, np.float64)
    np.testing.assert_array_equal(found[:, 1], [-1, 1, -1, -1])
    assert found[1, 0] == 0
    later = recipe.transform(table_of(a=[2.0], b=[None]), np.float64)
    np.testing.assert_array_equal(later, [[0, -1, 0]])  # training had no gap in b


def test_all_missing_numbers_are_nothing() -> None:
    table = table_of(a=[1.0, 2.0, 3.0], b=[None, None, 5.0])
    recipe = fitted(table)
    empty = TableRecipe((RobustColumn.fit("b", np.full(3, np.nan)),))
    assert recipe.input_names == ("a", "b", "b is missing")
    assert empty.transform(table_of(b=[4.0, None]), np.float64).tolist() == [[0], [0]]


def test_dates_are_brought_to_their_quartiles() -> None:
    days = [f"2020-01-0{day}" for day in (1, 3, 5, 7, 9)]
    training, later = (
        Table({"when": np.array(cells, "datetime64[s]")})
        for cells in ([*days, "NaT"], [days[2], days[3], "NaT"])
    )
    recipe = fitted(training)
    found = recipe.transform(later, np.float64)
    assert recipe.input_names[0] == "when: days"
    assert recipe.input_names[-1] == "when is missing"
    np.testing.assert_array_equal(found[:, -1], [-1, -1, 1])
    np.testing.assert_allclose(found[:, 0], [0, 0.5 / np.sqrt(1 + (0.5 / 3) ** 2), 0])
    np.testing.assert_array_equal(found[2, :-1], 0)


def test_two_categories_are_one_input_of_two_signs() -> None:
    table = table_of(sex=["f", "m", "m", "f"], a=[1.0, 2.0, 3.0, 4.0])
    recipe = fitted(table)
    assert recipe.input_names == ("a", "sex = f")
    one = 1 / np.sqrt(1 + (1 / 2 / 3) ** 2) / 2  # quartiles -1 and 1 are two apart
    found = recipe.transform(table_of(sex=["f", "m", "x", ""], a=[2.5] * 4), np.float64)
    np.testing.assert_allclose(found[:, 1], [one, -one, 0, 0], atol=1e-12)


def test_some_categories_are_inputs_of_their_own() -> None:
    words = ["a"] * 6 + ["b"] * 2 + ["c"] * 2
    recipe = fitted(table_of(k=words))
    assert recipe.input_names == ("k = a", "k = b", "k = c")
    found = recipe.transform(table_of(k=["a", "b", "other"]), np.float64)
    pressed = {z: z / np.sqrt(1 + (z / 3) ** 2) for z in (-1, 0, 2)}
    # Of "a" the median is 1 and the quartiles are 0 and 1; of the others all three are 0.
    expected = [[0, 0, 0], [-1, 2, 0], [-1, 0, 0]]
    np.testing.assert_allclose(found, np.vectorize(pressed.get)(expected), atol=1e-12)


@given(st.integers(9, 20), st.randoms(use_true_random=False))
def test_many_categories_are_codes(count: int, random: Any) -> None:
    words = WORDS[:count] * 2
    random.shuffle(words)
    recipe = fitted(table_of(k=words, a=[float(place) for place in range(len(words))]))
    assert recipe.groups == (1, 0, (count + 1,))
    found = recipe.transform(table_of(k=[*WORDS, "", "?"], a=[0.0] * 22), np.float32)
    known = [*range(1, count + 1)] + [0] * (20 - count)
    assert found[:, 1].tolist() == [*known, 0, 0]


def test_numbers_come_first_and_codes_last() -> None:
    table = table_of(
        many=WORDS, two=["a", "b"] * 10, a=[float(one) for one in range(20)], one=["x"] * 20
    )
    recipe = fitted(table)
    assert [column.name for column in recipe.columns] == ["a", "two", "one", "many"]
    assert recipe.groups == (1, 2, (21,))
    assert recipe.places["many"] == slice(3, 4)
    assert set(recipe.roles.values()) == {"number", "category"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: RobustCategories("k", ("a", "b"), medians=(0.0, 0.0), scales=(1.0,)),
            "expected 1",
        ),
        (lambda: RobustCategories("k", ("a",), medians=(0.0,), scales=(-1.0,)), "numbers from 0"),
        (lambda: RobustCategories("k", ("a",), medians=("x",), scales=(1.0,)), "finite numbers"),  # type: ignore[arg-type]
        (lambda: CodedColumn("k", ("a", "a")), "twice"),
    ],
)
def test_descriptions_that_can_not_be(make: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


def test_cells_that_are_no_numbers_are_named() -> None:
    recipe = fitted(table_of(a=[1.0, 2.0, 4.0]))
    with pytest.raises(DataError, match="'a'"):
        recipe.transform(table_of(a=["x", "y"]), np.float64)

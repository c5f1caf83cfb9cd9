"""What each recipe does to the samples it was fitted for, and what it refuses."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from raw_samples import FINITE, FLOATS, PICTURES, TABLE, dataset_of, table_of
from sklearn.preprocessing import StandardScaler

from clearprop.data import Table
from clearprop.data.selected_rows import SelectedRows
from clearprop.data.tables.table import Words
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.preprocessing import (
    ArrayRecipe,
    CategoricalColumn,
    ClassTarget,
    DateColumn,
    NumericColumn,
    PictureRecipe,
    TableRecipe,
    ValueTarget,
    array_recipe,
    fit_recipe,
    table_columns,
)
from clearprop.preprocessing.fields import moments


@given(
    pixels=arrays.arrays(np.uint8, st.sampled_from([(2, 3, 4), (2, 3, 4, 3), (0, 2, 2)])),
    dtype=FLOATS,
)
def test_pictures_are_divided_by_255_in_the_dtype(pixels: NDArray[np.uint8], dtype: type) -> None:
    recipe = PictureRecipe(pixels.shape[1:3], 3 if pixels.ndim == 4 else 1)
    prepared = recipe.transform(np.asfortranarray(pixels), dtype)
    np.testing.assert_array_equal(prepared, pixels.astype(dtype) / dtype(255))
    assert prepared.dtype == dtype
    assert prepared.flags.c_contiguous
    assert prepared.shape[1:] == recipe.input_shape


@pytest.mark.parametrize(
    ("raw", "error", "message"),
    [
        (PICTURES[:, :2], ShapeError, r"shape \(2, 5, 3\), expected \(3, 5, 3\)"),
        (PICTURES[..., 0], ShapeError, r"shape \(3, 5\), expected \(3, 5, 3\)"),
        (PICTURES[..., :1], ShapeError, r"shape \(3, 5, 1\)"),
        (PICTURES / 100, DataError, "numbers of type float64, expected pictures"),
        (PICTURES.astype(str), DataError, "numbers of type <U3, expected pictures"),
        (TABLE, DataError, "Found a table, expected pictures"),
    ],
)
def test_other_pictures_are_refused(raw: Any, error: type[Exception], message: str) -> None:
    recipe = fit_recipe(dataset_of(PICTURES, [0, 1, 0, 1])).inputs
    assert isinstance(recipe, PictureRecipe)
    assert (recipe.size, recipe.channels, recipe.depth) == ((3, 5), 3, None)
    for use in (recipe.check, lambda raw: recipe.transform(raw, np.float32)):
        with pytest.raises(error, match=message):
            use(raw)


# Arrays


@given(
    X=arrays.arrays(
        np.float64, arrays.array_shapes(min_dims=2, max_dims=3, max_side=6), elements=FINITE
    ),
    dtype=FLOATS,
)
def test_standardised_features_have_mean_0_and_deviation_1_or_0(
    X: NDArray[np.float64], dtype: type
) -> None:
    recipe = ArrayRecipe.fit(X)
    Z = recipe.transform(X, dtype)
    assert (Z.dtype, Z.shape, recipe.input_shape) == (dtype, X.shape, X.shape[1:])
    assert Z.flags.c_contiguous
    flat = Z.reshape(len(Z), -1).astype(np.float64)
    constant = (X[:1] == X).all(axis=0).reshape(-1)
    # A spread that float64 can hardly tell from none is left aside.
    low, high = X.min(axis=0).reshape(-1), X.max(axis=0).reshape(-1)
    clear = high - low > 1e-6 * np.maximum(abs(low), abs(high))
    np.testing.assert_allclose(flat[:, clear].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(flat[:, clear].std(axis=0), 1, rtol=1e-4)
    np.testing.assert_allclose(flat[:, constant], 0, atol=1e-6)


def test_arrays_are_standardised_as_by_scikit_learn() -> None:
    X = np.random.RandomState(0).randn(50, 4) * (1, 10, 1e-3, 0) + (0, 5, 1e3, 7)
    expected = StandardScaler().fit_transform(X)
    np.testing.assert_allclose(ArrayRecipe.fit(X).transform(X, np.float64), expected, atol=1e-9)


def test_moments_neither_overflow_nor_depend_on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.array([[1e308, 3.0], [-1e308, 3.0], [1e308, 3.0], [-1e308, 3.0]])
    mean, std = moments(X)
    np.testing.assert_array_equal(mean, [0, 3])
    np.testing.assert_allclose(std, [1e308, 1])
    Y = np.random.RandomState(0).randn(100, 3)
    monkeypatch.setattr("clearprop.data.selected_rows._BLOCK", 100)
    mean, std = moments(SelectedRows(Y, np.arange(100)))
    np.testing.assert_allclose(mean, Y.mean(axis=0))
    np.testing.assert_allclose(std, Y.std(axis=0))


def test_very_many_features_share_one_mean_and_deviation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_recipe, "MOST_MOMENTS", 5)
    X = np.random.RandomState(0).randn(10, 2, 3) + 4
    recipe = ArrayRecipe.fit(X)
    np.testing.assert_allclose(recipe.mean, [X.mean()])
    np.testing.assert_allclose(recipe.std, [X.std()])
    np.testing.assert_allclose(recipe.transform(X, np.float64), (X - X.mean()) / X.std())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200])
def test_what_does_not_become_a_finite_number_is_named(value: float) -> None:
    X = np.random.RandomState(0).randn(9, 2)
    recipe = ArrayRecipe.fit(X)
    X[7, 1] = value
    with pytest.raises(DataError, match=rf"X\[7, 1\] is {value}".replace("+", r"\+")):
        recipe.transform(X, np.float32)


def test_missing_numbers_are_refused_when_learning() -> None:
    with pytest.raises(DataError, match=r"X\[1, 0\] is nan"):
        ArrayRecipe.fit(np.array([[1.0], [np.nan]]))


@pytest.mark.parametrize(
    ("raw", "error", "message"),
    [
        (np.zeros((4, 3)), ShapeError, r"shape \(3,\), expected \(2,\)"),
        (np.zeros((4, 2)).astype(str), DataError, "expected an array of numbers"),
        (TABLE, DataError, "Found a table"),
    ],
)
def test_other_arrays_are_refused(raw: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ArrayRecipe((2,), (0.0, 0.0), (1.0, 1.0)).check(raw)


# Tables


def test_columns_are_filled_standardised_and_encoded() -> None:
    recipe = TableRecipe.fit(TABLE)
    number, category = recipe.columns
    assert isinstance(number, NumericColumn)
    assert (number.name, number.median) == ("width", 3.0)
    assert (number.mean, number.std) == pytest.approx((4.0, np.std([1, 3, 8])))
    assert category == CategoricalColumn("colour", ("blue", "red"))
    width = (np.array([1, 3, 3, 8]) - 4) / np.std([1, 3, 8])
    expected = np.column_stack([width, [0, 0, 1, 0], [1, 0, 0, 1]])
    np.testing.assert_allclose(recipe.transform(TABLE, np.float64), expected)
    assert recipe.input_shape == (3,)


def test_columns_are_found_by_name_in_any_order() -> None:
    recipe = TableRecipe.fit(TABLE)
    turned = Table(dict(reversed(list(TABLE.columns.items()))))
    np.testing.assert_array_equal(
        recipe.transform(turned, np.float32), recipe.transform(TABLE, np.float32)
    )


def test_an_unknown_category_is_zero_everywhere() -> None:
    recipe = TableRecipe.fit(TABLE)
    new = recipe.transform(table_of(width=[4.0], colour=["green"]), np.float64)
    np.testing.assert_allclose(new, [[0, 0, 0]], atol=1e-12)


def test_a_column_of_numbers_only_can_still_be_categories() -> None:
    recipe = TableRecipe.fit(table_of(size=["7", "x", "7.5"]))
    np.testing.assert_array_equal(
        recipe.transform(table_of(size=[7.0, 7.5, np.nan, 8.0]), np.float64),
        [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]],
    )


def test_only_the_most_frequent_categories_get_an_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_columns, "MOST_CATEGORIES", 2)
    recipe = TableRecipe.fit(table_of(name=["d", "b", "b", "a", "c", "c"]))
    assert recipe.columns == (CategoricalColumn("name", ("b", "c")),)


DATES = ["2024-02-29T18:00", "1970-01-01", "NaT", "2000-12-31T06:00"]


def test_dates_become_days_year_month_weekday_and_hour() -> None:
    column = np.array(DATES, dtype="datetime64[s]")
    recipe = TableRecipe.fit(Table({"when": column}))
    # By hand: Thursday 1970-01-01, Thursday 2024-02-29, Sunday 2000-12-31.
    parts = np.array([[19782.75, 2024, 2, 3, 18], [0, 1970, 1, 3, 0], [11322.25, 2000, 12, 6, 6]])
    expected = np.zeros((4, 5))
    expected[[0, 1, 3]] = (parts - parts.mean(axis=0)) / parts.std(axis=0)
    np.testing.assert_allclose(recipe.transform(Table({"when": column}), np.float64), expected)
    assert recipe.input_shape == (5,)


@given(st.lists(st.datetimes(datetime(1600, 1, 1), datetime(2400, 1, 1)), min_size=1, max_size=9))
def test_parts_of_dates_are_those_of_datetime(moments: list[datetime]) -> None:
    column = np.array(moments, dtype="datetime64[s]")
    recipe = DateColumn("when", (0.0,) * 5, (1.0,) * 5)
    found = np.zeros((len(moments), 5))
    recipe.fill(found, column)
    for row, moment in zip(found, moments, strict=True):
        hour = moment.hour + moment.minute / 60 + moment.second / 3600
        days = (moment - datetime(1970, 1, 1)).days
        assert row == pytest.approx(
            [days + hour / 24, moment.year, moment.month, moment.weekday(), hour], rel=1e-9
        )


def test_days_without_an_hour_have_four_inputs_and_alike_ones_are_zero() -> None:
    days = Table({"when": np.array(["2024-02-29", "2024-02-29", "NaT"], "datetime64[s]")})
    recipe = TableRecipe.fit(days)
    np.testing.assert_array_equal(recipe.transform(days, np.float32), np.zeros((3, 4)))
    empty = Table({"when": np.array(["NaT"], "datetime64[s]")})
    np.testing.assert_array_equal(recipe.transform(empty, np.float32), np.zeros((1, 4)))
    assert TableRecipe.fit(empty).input_shape == (4,)


def test_what_is_no_date_is_named_and_nothing_is_taken_for_missing() -> None:
    recipe = TableRecipe.fit(Table({"when": np.array(["2024-02-29"], "datetime64[s]")}))
    with pytest.raises(DataError, match="Row 2 of column 'when' is 'soon', expected a date"):
        recipe.transform(table_of(when=["", "soon"]), np.float32)
    with pytest.raises(DataError, match="Row 1 of column 'when' is '7', expected a date"):
        recipe.transform(table_of(when=[7.0]), np.float32)
    nothing = recipe.transform(table_of(when=["", ""]), np.float32)
    np.testing.assert_array_equal(nothing, np.zeros((2, 4)))
    with pytest.raises(UsageError, match="Found 3 means of 'when', expected 4 or 5"):
        DateColumn("when", (0.0,) * 3, (1.0,) * 3)


def test_numbers_find_categories_that_are_spelled_like_them() -> None:
    column = CategoricalColumn("size", ("007", "7", "7.5", "red"))
    out = np.zeros((6, 4))
    column.fill(out, Words.of(["7", "7.0", "007", "", "7.50", "blue"]))
    np.testing.assert_array_equal(out.argmax(axis=1), [1, 1, 0, 0, 2, 0])
    np.testing.assert_array_equal(out.sum(axis=1), [1, 1, 1, 0, 1, 0])


def test_words_with_texts_that_no_cell_has_make_no_categories() -> None:
    words = Words.of(["red", "blue", "green", "red"])[np.array([0, 3, 1])]
    assert CategoricalColumn.fit("colour", words).categories == ("blue", "red")


def test_columns_that_are_no_inputs_are_passed_over() -> None:
    recipe = TableRecipe.fit(table_of(width=[1.0, 2.0]), ignored=("id", "note"))
    assert recipe.ignored == ("id", "note")
    new = table_of(id=["a"], width=[1.0], more=["x"])
    np.testing.assert_array_equal(
        recipe.transform(new, np.float64), recipe.transform(table_of(width=[1.0]), np.float64)
    )
    assert recipe.roles == {"width": "number"}


def test_constant_and_empty_columns_are_zero() -> None:
    table = table_of(same=[5.0, 5.0], nothing=[np.nan, np.nan])
    Z = TableRecipe.fit(table).transform(table, np.float32)
    np.testing.assert_array_equal(Z, np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (table_of(width=[1.0]), "column 'colour' is missing; found width"),
        (
            table_of(width=["1", "wide"], colour=["red", "red"]),
            "Row 2 of column 'width' is 'wide', expected a number",
        ),
        (PICTURES, "Found an array of uint8, expected a table"),
    ],
)
def test_other_tables_are_refused(raw: Any, message: str) -> None:
    recipe = TableRecipe.fit(TABLE)
    for use in (recipe.check, lambda raw: recipe.transform(raw, np.float32)):
        with pytest.raises(DataError, match=message):
            use(raw)


def test_a_number_out_of_reach_is_named() -> None:
    recipe = TableRecipe.fit(TABLE)
    with pytest.raises(DataError, match=r"Row 2 of column 'width' is 1e\+200"):
        recipe.transform(table_of(width=[1.0, 1e200], colour=["", ""]), np.float32)


# Targets


def test_classes_are_encoded_by_name() -> None:
    target = ClassTarget.fit(dataset_of(PICTURES, [0, 1, 1, 1]))
    assert target == ClassTarget(("no", "yes"), "target")
    turned = dataset_of(PICTURES, [0, 1, 1, 1], ("yes", "no"))
    assert target.encode(turned).tolist() == [1, 0, 0, 0]
    only = dataset_of(PICTURES, [0, 0, 0, 0], ("yes",))
    assert target.encode(only).tolist() == [1, 1, 1, 1]


def test_a_class_outside_the_classes_is_named() -> None:
    other = dataset_of(PICTURES, [0, 1, 1, 1], ("yes", "maybe"))
    with pytest.raises(DataError, match=r"Row 2 of 'target' is 'maybe', which is none of .* no, y"):
        ClassTarget(("no", "yes"), "target").encode(other)


def test_a_few_numbers_are_classes_or_values_as_the_target_says() -> None:
    values = dataset_of(PICTURES, [1.0, 0.0, 2.0, 1.0], None)
    assert ClassTarget(("0", "1", "2"), "y").encode(values).tolist() == [1, 0, 2, 1]
    classes = dataset_of(PICTURES, [1, 0, 0, 1], ("5", "7"))
    assert ValueTarget((0.0,), (1.0,), "y").encode(classes).tolist() == [[7], [5], [5], [7]]
    with pytest.raises(DataError, match="has the classes no, yes, expected values"):
        ValueTarget((0.0,), (1.0,), "y").encode(dataset_of(PICTURES, [0, 1, 0, 1]))


def test_a_single_class_can_t_be_learned() -> None:
    with pytest.raises(DataError, match="single class, 'cat', so there is nothing to tell apart"):
        fit_recipe(dataset_of(PICTURES, [0, 0, 0, 0], ("cat",)))
    with pytest.raises(DataError, match="no sample of the class 'no'"):
        fit_recipe(dataset_of(PICTURES, [1, 1, 1, 1]))


@given(arrays.arrays(np.float64, st.sampled_from([(7,), (7, 1), (7, 3)]), elements=FINITE))
def test_values_come_back_to_their_own_scale(values: NDArray[np.float64]) -> None:
    dataset = replace(dataset_of(TABLE, [0.0] * 4, None), X=np.zeros((7, 1)), y=values)
    target = ValueTarget.fit(dataset)
    encoded = target.encode(dataset)
    assert encoded.shape == (7, target.outputs)
    scale = np.abs(values).max() or 1
    back = target.restore(encoded)
    np.testing.assert_allclose(back.reshape(7, -1), values.reshape(7, -1), atol=1e-9 * scale)
    assert back.shape == ((7,) if target.outputs == 1 else values.shape)


def test_answers_beyond_the_largest_number_are_the_largest() -> None:
    target = ValueTarget((1e308,), (1e308,), "y")
    largest = np.finfo(np.float64).max
    np.testing.assert_array_equal(
        target.restore(np.array([[2.0], [-5.0], [0.0]])), [largest, -largest, 1e308]
    )


def test_another_number_of_outputs_is_refused() -> None:
    dataset = dataset_of(np.zeros((4, 1)), [0.5, 1.5, 2.5, 3.5], None)
    with pytest.raises(ShapeError, match="1 values a sample, expected 2"):
        ValueTarget((0.0, 0.0), (1.0, 1.0), "y").encode(dataset)


# The whole recipe

"""Samples in C as people have them: tables, pictures and arrays, against the recipe in Python."""

from dataclasses import replace
from datetime import UTC, datetime
from math import nan

import numpy as np
import pytest
from c_programs import Program, assert_near, model_of, needs_compiler, ran
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import clearprop as cp
from clearprop.data import Table
from clearprop.data.tables.table import Words
from clearprop.exports.description import describe
from clearprop.exports.rows import Rows
from clearprop.preprocessing import (
    ArrayRecipe,
    ClassTarget,
    PictureRecipe,
    Preprocessing,
    TableRecipe,
    ValueTarget,
)
from clearprop.preprocessing.cells import CategoryCells, DateCells, NumberCells
from clearprop.preprocessing.table_columns import PlainColumn

pytestmark = needs_compiler

CLASSES = ClassTarget(("a", "b", "c"), "answer")


def behind(recipe, layers=(), dtype="float32"):
    """Return a model of a recipe."""
    net = [*layers, cp.Flatten(), cp.Dense(6), cp.Tanh(), cp.Dense(3)]
    return model_of(
        net,
        recipe.input_shape,
        loss=cp.SoftmaxCrossEntropy(),
        dtype=dtype,
        recipe=Preprocessing(recipe, CLASSES),
    )


def table(rows=80):
    random = np.random.RandomState(2)
    size = random.uniform(1e6, 1e6 + 1, rows)  # what float32 holds of them is no number any more
    age = np.where(random.uniform(size=rows) < 0.2, nan, random.randint(0, 99, rows))
    born = np.datetime64("1931-05-17T03:00:01", "s") + random.randint(0, 2 * 10**9, rows)
    born[::9] = np.datetime64("NaT")
    day = np.datetime64("2001-01-01", "s") + 86400 * random.randint(-9999, 9999, rows)
    return Table(
        {
            "age": age,
            "size": size,
            "city": Words.of(random.choice(["", "Oslo", "7", "Tromsø"], rows).tolist()),
            "born": born,
            "day": day,
            "pet": Words.of(random.choice(["cat", "dog"], rows).tolist()),
            "street": Words.of([f"street {place % 23}" for place in range(rows)]),
        }
    )


def asked_of(known):
    """Return rows with what training had not: gaps, unknown categories, extremes."""
    columns = dict(known.columns)
    rows = len(known)
    columns["city"] = Words.of(["Nowhere", "7 ", "oslo", "", *["Tromsø"] * (rows - 4)])
    columns["street"] = Words.of(["street 1" * 50, "", *["street 22"] * (rows - 2)])
    columns["age"] = np.array([nan, 1e9, -1e9, *known.columns["age"][3:]])
    columns["size"] = np.array([nan, 0.0, *known.columns["size"][2:]])
    days = known.columns["day"].copy()
    days[:5] = np.array(
        ["NaT", "2000-02-29", "1969-12-31", "1900-03-01", "2100-12-31"], "datetime64[s]"
    )
    columns["day"] = days
    return Table(columns)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("robust", [False, True])
def test_tables_with_gaps_categories_and_dates(robust, dtype):
    known = table()
    recipe = TableRecipe.fit(known, robust=robust)
    layers = []
    if robust:
        numbers, plain, sizes = recipe.groups
        layers = [cp.Columns.of_table(numbers=numbers, plain=plain, sizes=sizes)]
    kinds = {type(column.describe()) for column in recipe.columns}
    assert kinds == {CategoryCells, DateCells, NumberCells}
    model = behind(recipe, layers, dtype)
    asked = asked_of(known)
    expected = model.network.logits(recipe.transform(asked, dtype))
    found = ran(model, asked)
    assert_near(found["logits"], expected)
    assert found["class"][:, 0].tolist() == expected.argmax(axis=1).tolist()


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("name", ["adult", "german"])
def test_real_tables(shared_data, name, robust):
    data = cp.load_data(shared_data / f"tables/{name}.csv")
    known, asked = (data.X[np.arange(len(data.X))[first::40]] for first in (0, 1))
    recipe = TableRecipe.fit(known, robust=robust)
    model = behind(recipe)
    expected = model.network.logits(recipe.transform(asked, "float32"))
    assert_near(ran(model, asked, watches=False)["logits"], expected)


@given(seconds=st.lists(st.integers(-(10**11), 10**11), min_size=20, max_size=60))
@settings(max_examples=5)
def test_parts_of_dates_are_those_of_the_calendar(seconds):
    # Of a network that is the identity, with a recipe that takes parts as they are.
    dates = np.array(seconds).astype("datetime64[s]")
    known = Table({"born": np.array(["1970-01-01T00:00", "2004-05-06T07:08:09"], "datetime64[s]")})
    (column,) = TableRecipe.fit(known).columns
    recipe = TableRecipe((type(column)(column.name, (0.0,) * 5, (1.0,) * 5),))
    model = model_of([cp.Dense(5)], (5,), dtype="float64", recipe=Preprocessing(recipe, values(5)))
    model.network.parameters["0.W"][...] = np.eye(5)
    model.network.parameters["0.b"][...] = 0
    found = ran(model, Table({"born": dates}), watches=False)["logits"]
    for second, parts in zip(seconds, found, strict=True):
        days, rest = divmod(second, 86400)
        assert parts[0] == pytest.approx(days + rest / 86400, rel=1e-6)
        assert parts[4] == pytest.approx(rest / 3600, abs=1e-5)
        assert parts[3] == (days + 3) % 7
        if 1 <= 1970 + days / 366 < 9999 and -719_162 <= days <= 2_932_896:
            date = datetime.fromordinal(days + datetime(1970, 1, 1, tzinfo=UTC).toordinal())
            assert parts[1:4].tolist() == [date.year, date.month, date.weekday()]


def values(count):
    return ValueTarget((0.0,) * count, (1.0,) * count, None)


def test_a_cell_that_can_not_be_used_is_refused_by_its_column(tmp_path):
    known = table(4)
    fitted = TableRecipe.fit(known)
    plain = PlainColumn("age")
    recipe = replace(fitted, columns=(plain, *fitted.columns[1:]))
    description = describe(behind(recipe))
    rows = Rows.of(description.inputs, known)
    broken = {
        "age": np.array([1.0, nan, 1e39, 2.0]),  # 1e39 is beyond float32
        "size": np.array([-np.inf, 1.0, 1.0, 1.0]),
        "born": np.array([0.0, 0.0, 0.0, np.inf]),
    }
    found = Program(description, tmp_path).says(Rows(4, {**rows.columns, **broken}))
    assert found["refused"].tolist() == [[2], [1], [1], [4]]
    assert "logits" not in found


@pytest.mark.parametrize(("channels", "dtype"), [(1, "float32"), (3, "float64")])
def test_pictures_of_their_size(channels, dtype):
    shape = (9, 7) if channels == 1 else (9, 7, 3)
    pictures = np.random.RandomState(0).randint(0, 256, (30, *shape)).astype(np.uint8)
    recipe = PictureRecipe.fit(pictures)
    model = behind(recipe, dtype=dtype)
    expected = model.network.logits(recipe.transform(pictures, dtype))
    assert_near(ran(model, pictures)["logits"], expected)


SIZES = [
    *((9, 7), (9, 30), (31, 7), (64, 50), (5, 4), (1, 1)),
    *((100, 8), (8, 100), (3, 40), (200, 199)),
]


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_other_sizes_come_out_as_pillow_has_them(channels, tmp_path):
    # The network gives the picture's levels themselves.
    size = (9, 7) if channels == 1 else (9, 7, 3)
    recipe = PictureRecipe((9, 7), channels)
    count = int(np.prod(size))
    model = model_of(
        [cp.Flatten(), cp.Dense(count)], size, recipe=Preprocessing(recipe, values(count))
    )
    model.network.parameters["1.W"][...] = 255 * np.eye(count)
    model.network.parameters["1.b"][...] = 0
    program, random = Program(describe(model), tmp_path), np.random.RandomState(0)
    for height, width in SIZES:
        shape = (4, height, width) if channels == 1 else (4, height, width, 3)
        pictures = random.randint(0, 256, shape).astype(np.uint8)
        pictures[1] = 255 * (pictures[1] > 127)  # as far apart as levels can be
        found = np.rint(program.says(Rows(4, {}, pictures))["logits"])
        expected = [
            np.asarray(Image.fromarray(one).resize((7, 9), Image.Resampling.LANCZOS))
            for one in pictures
        ]
        np.testing.assert_array_equal(found.reshape(np.shape(expected)), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("together", [False, True])
def test_arrays_of_numbers_far_from_zero(together, dtype):
    sizes = np.arange(1, 13).reshape(3, 4)
    numbers = 1e7 + np.random.RandomState(0).standard_normal((40, 3, 4)) * sizes
    recipe = ArrayRecipe.fit(numbers)
    if together:
        recipe = ArrayRecipe((3, 4), (1e7,), (6.0,))
    model = behind(recipe, dtype=dtype)
    expected = model.network.logits(recipe.transform(numbers, dtype))
    assert_near(ran(model, numbers)["logits"], expected)


@pytest.mark.parametrize("has_recipe", [False, True])
def test_a_number_that_is_not_finite_is_refused_by_its_place(has_recipe):
    numbers = np.random.RandomState(0).standard_normal((4, 3)).astype(np.float32)
    model = behind(ArrayRecipe.fit(numbers)) if has_recipe else model_of([cp.Dense(2)], (3,))
    asked = numbers.copy()
    asked[1, 2], asked[3, 0] = nan, np.inf
    found = ran(model, asked)
    assert found["refused"].tolist() == [[3], [1]]
    assert len(found["logits"]) == 2

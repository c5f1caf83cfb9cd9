"""Leaks: a column that gives the target alone is named, and one that is only good is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearprop.data import Dataset, Table, load
from clearprop.data.leaks import leaks

NAMES = ("no", "yes")


def table(columns, y, names=None, target="target"):
    columns = {name: np.asarray(column) for name, column in columns.items()}
    values = np.asarray(y) if names else np.asarray(y, float)
    return Dataset("data.csv", "table", Table(columns), values, names, target_name=target)


def drawn(n=400, seed=0):
    random = np.random.RandomState(seed)
    return random, random.randn(n)


def prices(n=400):
    random, x = drawn(n)
    return np.exp(11 + x + 0.3 * random.randn(n)), x


def named(found):
    return [says.split(" alone gives")[0] for says in found]


PRICES, SIZE = prices()
BANDS = np.digitize(PRICES, np.quantile(PRICES, (0.2, 0.4, 0.6, 0.8)))
COPIES = {
    "the same": PRICES,
    "another currency": PRICES * 1.07,
    "less than nothing": -PRICES,
    "logarithm": np.log(PRICES),
    "rounded": PRICES.round(-3),
    "rounded much": np.floor(PRICES / 5000),
    "almost": PRICES * np.random.RandomState(1).uniform(0.99, 1.01, 400),
    "with gaps": np.where(np.arange(400) % 400 == 7, np.nan, PRICES),
    "up and down": np.abs(np.argsort(np.argsort(PRICES)) - 30.0) * 1.0,
}


@pytest.mark.parametrize("name", [name for name in COPIES if name != "up and down"])
def test_a_copy_of_values_is_named(name):
    found = leaks(table({"size": SIZE, name: COPIES[name]}, PRICES, target="price"))
    assert named(found) == [name]
    assert "alone gives the target price (R² of ranks " in found[0]
    assert "on 400 rows held out). If it would not be known when you predict" in found[0]


def test_what_is_said_can_be_typed():
    (says,) = leaks(table({"price eur": PRICES, "size": SIZE}, PRICES, target="price"))
    assert says.endswith("leave it out: --drop 'price eur'")
    (says,) = leaks(table({"price_eur": PRICES, "size": SIZE}, PRICES, target="price"))
    assert says.endswith("leave it out: --drop price_eur")


YES = (np.random.RandomState(2).rand(300) < 0.4).astype(int)
SHADES = np.random.RandomState(3).randint(0, 4, 300)
CODED = {
    "0 and 1": YES * 1.0,
    "5 and -3": np.where(YES, 5.0, -3.0),
    "other words": np.where(YES, "Ja", "Nein"),
    "other spelling": np.where(YES, " YES", "No"),
    "only if so": np.where(YES, np.random.RandomState(4).rand(300), np.nan),
    "finer words": np.char.add(np.where(YES, "a", "b"), SHADES.astype(str)),
    "number": np.where(YES, 1.0, -1.0) * np.random.RandomState(4).uniform(0.1, 9, 300),
}


@pytest.mark.parametrize("name", CODED)
def test_classes_in_other_words_or_numbers_are_named(name):
    x = np.random.RandomState(5).randn(300)
    found = leaks(table({"x": x, name: CODED[name]}, YES, NAMES))
    assert named(found) == [name]
    assert "(right in 300 of 300 rows held out)" in found[0] or name == "number"


def test_a_code_of_many_classes_is_named():
    random = np.random.RandomState(0)
    y, code = random.randint(0, 7, 900), random.permutation(7)
    columns = {
        "code": code[y] * 1.0,
        "word": np.array(list("gfedcba"))[y],
        "x": y + random.randn(900),
    }
    assert named(leaks(table(columns, y, tuple("abcdefg")))) == ["code", "word"]


def test_one_of_two_columns_is_as_good_as_the_other():
    found = leaks(table({"is yes": YES * 1.0, "is no": 1.0 - YES}, YES, NAMES))
    assert named(found) == ["is yes", "is no"]


def test_columns_one_for_each_class_are_named_together():
    y = np.random.RandomState(0).randint(0, 3, 200)
    columns = {f"is_{k}": (y == k) * 1.0 for k in range(3)}
    columns["x"] = y + np.random.RandomState(1).randn(200)
    (says,) = leaks(table(columns, y, ("red", "green", "blue"), "colour"))
    assert says == (
        "is_0, is_1, is_2 together are the target colour, one for each class. If they would not "
        "be known when you predict, leave them out: --drop is_0,is_1,is_2"
    )
    del columns["is_1"]
    assert "is_0, is_2 together" in leaks(table(columns, y, ("red", "green", "blue")))[0]
    del columns["is_0"]
    assert leaks(table(columns, y, ("red", "green", "blue"))) == ()


def test_the_limit_of_a_number_that_made_the_classes_is_named():
    random, x = drawn(2000)
    grade = np.digitize(x, (-1, 0, 1))
    assert named(leaks(table({"points": x, "z": random.randn(2000)}, grade, tuple("abcd")))) == [
        "points"
    ]


def test_a_column_that_is_only_good_is_not_named():
    random, x = drawn(1000)
    y = x + 0.12 * random.randn(1000)  # R² 0.986
    assert leaks(table({"x": x}, y)) == ()
    assert leaks(table({"x": x}, (y > 0).astype(int), NAMES)) == ()


@pytest.mark.parametrize("n", [60, 400, 3000])
@pytest.mark.parametrize("kind", ["values", "classes", "rare"])
def test_names_of_rows_and_noise_tell_nothing(n, kind):
    random = np.random.RandomState(n)
    y = random.randn(n)
    columns = {
        "name": np.array([f"row {k}" for k in range(n)]),
        "number": random.permutation(n) * 1.0,
        "day": np.datetime64("2024-01-01") + random.permutation(n),
        "noise": random.randn(n),
        "few": random.randint(0, 3, n) * 1.0,
        "empty": np.full(n, np.nan),
        "constant": np.ones(n),
    }
    if kind == "values":
        assert leaks(table(columns, y)) == ()
        return
    classes = (y > (0 if kind == "classes" else 2.2)).astype(int)
    if classes.any():
        assert leaks(table(columns, classes, NAMES)) == ()


@pytest.mark.parametrize("times", [2, 10])
def test_rows_that_come_several_times_tell_nothing_of_each_other(times):
    random, x = drawn(300)
    y = (x + random.randn(300) > 0).astype(int)
    rows = random.permutation(np.repeat(np.arange(300), times))
    assert leaks(table({"x": x[rows], "z": random.randn(300)[rows]}, y[rows], NAMES)) == ()
    columns = {"x": x[rows], "copy": np.where(y, "Ja", "Nein")[rows]}
    assert named(leaks(table(columns, y[rows], NAMES))) == ["copy"]


def test_few_different_rows_that_come_often_are_no_copies():
    sex, adult = np.random.RandomState(0).randint(0, 2, (2, 400)) * 1.0
    found = leaks(
        table(
            {"sex": sex, "adult": adult, "died": 1.0 - YES[np.arange(400) % 300]},
            YES[np.arange(400) % 300],
            NAMES,
        )
    )
    assert named(found) == ["died"]


def test_rows_in_the_order_of_the_target_are_named():
    """Petals say it in 95% of rows; the number of the row says it in all, and is no flower."""
    iris = load("iris")
    order = {**iris.X.columns, "row": np.arange(150.0)}
    found = leaks(table(order, iris.y, iris.class_names, "species"))
    assert named(found) == ["row"] or found == ()  # two borders cost a row each


def test_fewer_than_fifty_rows_tell_nothing():
    y = np.arange(60) % 2
    columns = {"copy": y * 1.0}
    assert leaks(table({"copy": y[:49] * 1.0}, y[:49], NAMES)) == ()
    assert leaks(table({"copy": np.arange(49.0)}, np.arange(49.0))) == ()
    assert named(leaks(table({"copy": np.arange(50.0)}, np.arange(50.0)))) == ["copy"]
    assert leaks(table(columns, y, NAMES)) == ()  # so few might be right by luck: 0.95^60 = 4.6%


def test_many_are_counted_and_those_that_are_meant_are_not_told():
    columns = {f"copy {k}": PRICES * k for k in range(1, 10)}
    found = leaks(table(columns, PRICES))
    assert named(found[:5]) == [f"copy {k}" for k in range(1, 6)]
    assert found[5:] == ("So do 4 more columns.",)
    assert leaks(table(columns, PRICES), tuple(columns)) == ()


def test_other_kinds_of_data_are_passed_over():
    assert leaks(Dataset("a", "array", PRICES[:, np.newaxis], PRICES, None)) == ()
    several = Dataset("a", "table", Table({"x": PRICES}), np.column_stack([PRICES, SIZE]), None)
    assert leaks(several) == ()
    assert leaks(table({"x": PRICES}, np.ones(400))) == ()


@given(st.integers(0, 2**31), st.integers(2, 6), st.booleans())
@settings(max_examples=30)
def test_whatever_the_order_and_the_code_of_classes_a_copy_is_named(seed, K, as_words):
    random = np.random.RandomState(seed)
    y = random.randint(0, K, 300)
    code = random.permutation(100)[:K]
    copy = np.array([f"c{one}" for one in code])[y] if as_words else code[y] * 1.0
    found = leaks(table({"x": random.randn(300), "copy": copy}, y, tuple("abcdef"[:K])))
    assert named(found)[:1] == ["copy"]


REAL = (
    *("abalone", "adult", "german", "glass", "housing", "ionosphere", "phoneme", "pima", "segment"),
    *("sonar", "winequality-red"),
)


@pytest.mark.parametrize("name", REAL)
def test_real_tables_have_none(shared_data, name):
    assert leaks(load(shared_data / f"tables/{name}.csv")) == ()


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_built_in_tables_have_none(name):
    assert leaks(load(name)) == ()

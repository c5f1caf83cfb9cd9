"""`Model.predict` takes what a program holds: arrays, data frames of two libraries, paths."""

from pathlib import Path

import numpy as np
import pandas
import polars
import pytest
from PIL import Image

import clearprop as cp
from clearprop.data.tables.table import Table
from clearprop.errors import DataError, ShapeError
from clearprop.experiment import Settings, learn, set_task

RANDOM = np.random.RandomState(0)
AGES, CITIES = RANDOM.randint(18, 80, 60), RANDOM.choice(["Oslo", "Rome"], 60)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> cp.Model:
    """A table's model: one number, one category, three classes."""
    path = tmp_path_factory.mktemp("table") / "people.csv"
    sizes = np.array(["large", "middle", "small"])[np.digitize(AGES, [40, 60])]
    lines = [f"{age},{city},{size}" for age, city, size in zip(AGES, CITIES, sizes, strict=True)]
    path.write_text("\n".join(["age,city,size", *lines]) + "\n")
    settings = Settings(data=str(path), target="size", layers=(4,), epochs=9)
    return learn(set_task(settings, cp.load_data(path, target="size"))).model


@pytest.fixture(scope="module")
def arrays() -> cp.Model:
    digits = cp.load_data("planar")
    return learn(set_task(Settings(data="planar", layers=(4,), epochs=2), digits)).model


def by_hand(model: cp.Model, age: list[float], city: list[str]) -> np.ndarray:
    """The probabilities, prepared column by column: the number, then a one for each category."""
    number, category = model.preprocessing.inputs.columns
    ages = np.where(np.isnan(age), number.median, age)
    ones = [[cell == name for cell in city] for name in category.categories]
    prepared = np.column_stack([(ages - number.mean) / number.std, *np.array(ones, dtype=float)])
    return probabilities(model, prepared)


def probabilities(model: cp.Model, prepared: np.ndarray) -> np.ndarray:
    """The network's probabilities p at the model's temperature T: p^(1/T), of the sum 1."""
    plain = model.network.predict_proba(prepared.astype(model.network.dtype))
    shares = plain ** (1 / model.preprocessing.target.temperature)
    return shares / shares.sum(axis=1, keepdims=True)


FRAMES = {
    "pandas": lambda columns: pandas.DataFrame(columns),
    "polars": lambda columns: polars.DataFrame(columns, strict=False),
    "a dict": lambda columns: columns,
}


@pytest.mark.parametrize("kind", FRAMES)
def test_columns_are_found_by_name_in_any_order(model: cp.Model, kind: str) -> None:
    frame = FRAMES[kind]({"city": ["Rome", "Oslo", None], "age": [20, None, 70]})
    shares = by_hand(model, [20, np.nan, 70], ["Rome", "Oslo", ""])
    np.testing.assert_allclose(model.predict_proba(frame), shares, rtol=1e-6)
    said = model.predict(frame)
    assert said.shape == (3,)
    assert said.tolist() == [model.class_names[index] for index in shares.argmax(axis=1)]


@pytest.mark.parametrize(
    "ages",
    [
        pandas.array([20, None, 70], dtype="Int64"),
        pandas.array([20.0, None, 70], dtype="Float64"),
        pandas.Series([20, None, 70], dtype=object),
        pandas.Series(["20", None, "70"]),
        pandas.Series([20, pandas.NA, "70"], dtype=object),
        polars.Series([20, None, 70]),
        polars.Series(["20", None, "70"]),
        np.array([20, np.nan, 70], dtype=np.float32),
    ],
)
@pytest.mark.parametrize(
    "cities",
    [
        pandas.Series(["Rome", "Oslo", None], dtype="category"),
        pandas.Series(["Rome", "Oslo", None], dtype="string"),
        pandas.Series(["Rome", "Oslo", pandas.NA], dtype=object),
        polars.Series(["Rome", "Oslo", None], dtype=polars.Categorical),
        np.array(["Rome", "Oslo", ""]),
    ],
)
def test_missing_cells_are_missing_however_they_are_written(
    model: cp.Model, ages: object, cities: object
) -> None:
    found = model.predict_proba({"age": ages, "city": cities})
    shares = by_hand(model, [20, np.nan, 70], ["Rome", "Oslo", ""])
    np.testing.assert_allclose(found, shares, rtol=1e-6)


def test_yes_and_no_are_numbers_or_categories_as_in_training(tmp_path: Path) -> None:
    path = tmp_path / "flags.csv"
    rows = [f"{flag},{int(flag)},{'ab'[flag]}" for flag in (True, False) * 20]
    path.write_text("\n".join(["text,number,y", *rows]) + "\n")
    settings = Settings(data=str(path), layers=(4,), epochs=9)
    model = learn(set_task(settings, cp.load_data(path))).model
    frame = pandas.DataFrame({"text": [True, False], "number": [True, False]})
    np.testing.assert_array_equal(model.predict_proba(frame), model.predict_proba(path)[:2])


def test_other_columns_are_passed_over_and_told_once(model: cp.Model) -> None:
    frame = pandas.DataFrame({"age": [20], "city": ["Rome"], "size": ["?"], "a": [1], "b": [2]})
    with pytest.warns(UserWarning, match="passed over") as told:
        said = model.predict(frame)
    (one,) = told
    assert str(one.message) == "X: 2 columns that training did not have, passed over: a, b."
    assert one.filename == __file__
    assert said.tolist() == model.predict(frame[["age", "city"]]).tolist()


def test_what_is_unlike_the_training_data_is_told(model: cp.Model) -> None:
    with pytest.warns(UserWarning, match="column 'city': 1 row .* the first row 2: 'Bonn'"):
        model.predict({"age": [20, 30], "city": ["Rome", "Bonn"]})


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pandas.DataFrame({"age": [1]}), "X: The column 'city' is missing; found age"),
        (pandas.DataFrame({"age": ["old"], "city": ["Rome"]}), "Row 1 of column 'age' is 'old'"),
        (np.zeros((2, 2)), "Found ndarray, expected columns by name"),
        ({"age": [1, 2], "city": ["Rome"]}, "The columns of X differ in length"),
        (
            pandas.DataFrame([[1, 1, "Rome"]], columns=["age", "age", "city"]),
            "X has two columns of one name",
        ),
        ({"age": [[1, 2]], "city": ["Rome"]}, r"A column of X has the shape \(1, 2\)"),
    ],
)
def test_columns_that_do_not_fit_are_refused(model: cp.Model, X: object, message: str) -> None:
    with pytest.raises((DataError, ShapeError), match=message):
        model.predict(X)


def test_files_are_read_and_joined(model: cp.Model, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("city,age\nRome,20\nOslo,\n")
    (tmp_path / "b.csv").write_text("age,city\n70,\n")
    shares = by_hand(model, [20, np.nan, 70], ["Rome", "Oslo", ""])
    paths = [tmp_path / "a.csv", str(tmp_path / "b.csv")]
    for X in (paths, str(tmp_path / "?.csv")):
        np.testing.assert_allclose(model.predict_proba(X), shares, rtol=1e-6)
    np.testing.assert_allclose(model.predict_proba(paths[0]), shares[:2], rtol=1e-6)


def test_no_file_is_left_out(tmp_path: Path) -> None:
    digits = cp.load_data("digits")
    model = learn(set_task(Settings(data="digits", layers=(3,), epochs=1), digits)).model
    Image.fromarray((digits.X[0] * 15).astype(np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no picture")
    assert model.predict(tmp_path / "a.png").shape == (1,)
    with pytest.raises(DataError, match=r"b\.png is not a"):
        model.predict(tmp_path)


def test_arrays_are_taken_as_they_are(arrays: cp.Model) -> None:
    X = np.array([[1.0, 2.0], [-3.0, 0.5]])
    prepared = (X - arrays.preprocessing.inputs.mean) / arrays.preprocessing.inputs.std
    shares = probabilities(arrays, prepared)
    for given in (X, X.tolist(), pandas.DataFrame(X), Table({"a": X[:, 0], "b": X[:, 1]})):
        np.testing.assert_allclose(arrays.predict_proba(given), shares, rtol=1e-6)
    assert arrays.predict(X[:0]).shape == (0,)
    assert arrays.predict_proba(X[:0]).shape == (0, 2)


def test_a_single_sample_is_refused_with_the_way_out(arrays: cp.Model) -> None:
    with pytest.raises(ShapeError, match=r"Expected 2D array, got 1D .*reshape\(1, -1\)"):
        arrays.predict(np.zeros(2))
    with pytest.raises(ShapeError, match=r"X: The samples have shape \(3,\), expected \(2,\)"):
        arrays.predict(np.zeros((1, 3)))


def test_a_model_without_its_recipe_takes_what_its_network_takes() -> None:
    net = cp.Network([cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(2,))
    X = np.random.RandomState(0).randn(5, 2)
    np.testing.assert_array_equal(cp.Model(net).predict(X), net.predict(X))
    np.testing.assert_array_equal(cp.Model(net).predict_proba(X), net.predict_proba(X))


def test_text_among_numbers_is_read_and_told_as_in_files(model: cp.Model, tmp_path: Path) -> None:
    ages = ["20", "30 years", "abc", "N/A", "1,5"]
    rows = [f"{age};Rome" for age in ages]
    (tmp_path / "new.csv").write_text("\n".join(["age;city", *rows]) + "\n")
    expected = by_hand(model, [20, np.nan, np.nan, np.nan, 1.5], ["Rome"] * 5)
    for name, X in (
        ("X", {"age": ages, "city": ["Rome"] * 5}),
        ("new.csv", tmp_path / "new.csv"),
    ):
        with pytest.warns(UserWarning, match=":") as told:
            np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-6)
        assert [str(one.message) for one in told] == [
            f"{name}: age: 2 cells are no number, '30 years' (row 2), 'abc' (row 3), and taken for "
            "missing.",
            f"{name}: Numbers are written with the decimal sign ',', in the training data with "
            "'.'.",
        ]

"""Built-in and generated data, loading by name, and descriptions."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets

from clearprop.data import Table, describe, load
from clearprop.data.named import blobs, linear, moons, planar, spirals
from clearprop.errors import DataError, UnknownNameError, UsageError

NAMES = [
    "digits", "iris", "wine", "breast_cancer", "diabetes",
    "planar", "moons", "spirals", "blobs", "linear",
]  # fmt: skip


def test_the_flower_is_the_published_one() -> None:
    dataset = load("planar")
    random_state = np.random.RandomState(1)
    for petals in (0, 1):
        t = np.linspace(petals * 3.12, (petals + 1) * 3.12, 200) + random_state.randn(200) * 0.2
        r = 4 * np.sin(4 * t) + random_state.randn(200) * 0.2
        rows = slice(200 * petals, 200 * (petals + 1))
        np.testing.assert_array_equal(
            np.asarray(dataset.X)[rows], np.c_[r * np.sin(t), r * np.cos(t)]
        )
        assert (dataset.y[rows] == petals).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_name_loads_the_same_each_time_and_is_described_in_json(name: str) -> None:
    first, second = load(name), load(name)
    assert first.name == name
    np.testing.assert_array_equal(first.y, second.y)
    if isinstance(first.X, Table):
        assert isinstance(second.X, Table)
        for column in first.X.names:
            np.testing.assert_array_equal(first.X.columns[column], second.X.columns[column])
    else:
        np.testing.assert_array_equal(first.X, second.X)
    description = json.loads(json.dumps(describe(first)))
    assert description["samples"] == len(first)
    assert sum(description.get("classes", {"all": len(first)}).values()) == len(first)


@pytest.mark.parametrize("name", ["planar", "moons", "spirals", "blobs", "linear"])
def test_a_seed_changes_generated_data(name: str) -> None:
    assert not np.array_equal(np.asarray(load(name, seed=5).X), np.asarray(load(name, seed=6).X))


def test_digits_are_pictures_in_a_picture_s_shades() -> None:
    dataset = load("digits")
    bunch = datasets.load_digits()
    X = np.asarray(dataset.X)
    assert dataset.kind == "pictures"
    assert X.max() == 255
    np.testing.assert_array_equal(np.round(X * (16 / 255)), bunch.images)
    np.testing.assert_array_equal(dataset.y, bunch.target)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_the_tables_are_scikit_learn_s(name: str) -> None:
    dataset = load(name)
    bunch = getattr(datasets, f"load_{name}")()
    assert isinstance(dataset.X, Table)
    np.testing.assert_array_equal(np.column_stack([*dataset.X.columns.values()]), bunch.data)
    np.testing.assert_array_equal(dataset.y, bunch.target)
    assert dataset.feature_names == tuple(bunch.feature_names)


def test_without_noise_the_shapes_are_exact() -> None:
    moon = np.asarray(moons(noise=0.0).X)
    upper, lower = moon[:200], moon[200:]
    np.testing.assert_allclose(np.hypot(*upper.T), 1)
    np.testing.assert_allclose(np.hypot(*(lower - (1, 0.5)).T), 1)
    line = linear(noise=0.0)
    np.testing.assert_allclose(line.y, np.asarray(line.X) @ (2, -1) + 0.5)
    arms = np.asarray(spirals(samples=40, arms=4, noise=0.0).X).reshape(4, 10, 2)
    quarter = np.array([[0, -1], [1, 0]])
    for arm in range(3):
        np.testing.assert_allclose(arms[arm + 1], arms[arm] @ quarter.T, atol=1e-12)


def test_samples_are_spread_evenly_over_classes() -> None:
    assert list(blobs(samples=11, centres=4).counts().values()) == [3, 3, 3, 2]
    assert list(planar(samples=5).counts().values()) == [3, 2]
    with pytest.raises(UsageError, match="1 samples can't be spread over 2 classes"):
        moons(samples=1)


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'digts'\. Did you mean 'digits'"):
        load("digts")


@pytest.mark.parametrize("path", ["photos/", "gone.csv", "a/b", "../gone", "https://a/b.zip"])
def test_a_path_that_is_not_there_is_named(path: str) -> None:
    with pytest.raises(DataError, match="There is no file or folder"):
        load(path)


def test_a_file_in_no_known_format_lists_those_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "data.docx"
    path.write_bytes(b"PK")
    with pytest.raises(DataError, match=r"data.docx is in no format.*\.csv.*\.xlsx"):
        load(path)


def test_a_table_s_description_has_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("width,colour,price\n1.5,red,0.5\n,blue,2.5\n4,,1.5\n")
    description = describe(load(path))
    assert description["task"] == "regression"
    assert description["target"] == "price"
    assert description["values"] == [0.5, 2.5]
    columns = description["columns"]
    assert isinstance(columns, list)
    assert [
        [column[key] for key in ("name", "kind", "missing", "content")] for column in columns
    ] == [
        ["price", "target", 0, "values from 0.5 to 2.5"],
        ["width", "number", 1, "1.5 to 4"],
        ["colour", "category", 1, "2 categories: blue, red"],
    ]


def test_an_array_s_description_has_its_shape_and_range() -> None:
    description = describe(load("digits"))
    assert description["shape"] == [8, 8]
    assert description["dtype"] == "uint8"
    assert description["range"] == [0, 255]
    assert description["bytes"] == 1797 * 64
    assert description["test"] is None

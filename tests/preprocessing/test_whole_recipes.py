"""A whole recipe: its description, the rows it prepares, and the files it reads."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from raw_samples import PICTURES, dataset_of

from clearprop.data import Table, hold_out, load
from clearprop.data.tables.table import as_words, role_of
from clearprop.errors import ShapeError, UsageError
from clearprop.preprocessing import (
    PictureRecipe,
    PreparedRows,
    Preprocessing,
    fit_recipe,
    prepare,
    read_inputs,
)
from clearprop.preprocessing import recipe as recipe_module


@pytest.mark.parametrize("name", ["digits", "iris", "diabetes", "planar", "linear"])
def test_a_recipe_survives_json(name: str) -> None:
    recipe = fit_recipe(load(name))
    again = Preprocessing.from_config(json.loads(json.dumps(recipe.to_config())))
    assert again == recipe


COLUMN = {"type": "CategoricalColumn", "name": "a", "categories": ["x"]}


@pytest.mark.parametrize(
    "change",
    [
        {"type": "PictureRecipe", "size": [8], "channels": 3},
        {"type": "PictureRecipe", "size": ["8", 8], "channels": 3},
        {"type": "PictureRecipe", "size": [8, 0], "channels": 3},
        {"type": "PictureRecipe", "size": [8, 8], "channels": 2},
        {"type": "PictureRecipe", "size": [8, 8]},
        {"type": "ArrayRecipe", "shape": [2], "mean": [0, 0], "std": [1, 0]},
        {"type": "ArrayRecipe", "shape": [2], "mean": [0, float("nan")], "std": [1, 1]},
        {"type": "ArrayRecipe", "shape": [3], "mean": [0, 0], "std": [1, 1]},
        {"type": "ArrayRecipe", "shape": 3, "mean": [0], "std": [1]},
        {"type": "TableRecipe", "columns": ["a"]},
        {"type": "TableRecipe", "columns": [COLUMN, COLUMN]},
        COLUMN,
        {"type": "Path", "name": "a"},
        {"size": [8, 8]},
        None,
    ],
)
def test_a_description_that_can_t_be_is_refused(change: Any) -> None:
    target = {"type": "ClassTarget", "class_names": ["a", "b"], "name": "y"}
    with pytest.raises(UsageError):
        Preprocessing.from_config({"type": "Preprocessing", "inputs": change, "target": target})


@pytest.mark.parametrize(
    "target",
    [
        {"type": "ClassTarget", "class_names": ["a"], "name": "y"},
        {"type": "ClassTarget", "class_names": ["a", "a"], "name": "y"},
        {"type": "ClassTarget", "class_names": ["a", 1], "name": "y"},
        {"type": "ValueTarget", "mean": [0], "std": [-1], "name": "y"},
        {"type": "ValueTarget", "mean": [], "std": [], "name": "y"},
        {"type": "ValueTarget", "mean": [0], "std": [1], "name": 3},
    ],
)
def test_a_target_s_description_that_can_t_be_is_refused(target: Any) -> None:
    inputs = {"type": "PictureRecipe", "size": [8, 8], "channels": 3}
    with pytest.raises(UsageError):
        Preprocessing.from_config({"type": "Preprocessing", "inputs": inputs, "target": target})


def test_only_a_whole_recipe_is_taken_for_one() -> None:
    with pytest.raises(UsageError, match="expected a Preprocessing recipe"):
        Preprocessing.from_config({"type": "PictureRecipe", "size": [8, 8], "channels": 3})


# Prepared rows


@pytest.mark.parametrize("name", ["digits", "iris", "planar"])
@pytest.mark.parametrize("rows", [slice(3, 40, 2), np.array([5, 1, 1]), slice(None)])
def test_prepared_rows_are_those_of_the_whole(name: str, rows: Any) -> None:
    dataset = load(name)
    recipe = fit_recipe(dataset).inputs
    whole = recipe.transform(dataset.X, np.float32)
    lazy = PreparedRows(dataset.X, recipe, np.float32)
    np.testing.assert_array_equal(lazy[rows], whole[rows])
    assert (lazy.shape, lazy.dtype, len(lazy)) == (whole.shape, whole.dtype, len(whole))


def test_large_data_are_prepared_when_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    train, _ = hold_out(load("digits"), 0.2, 0)
    recipe = fit_recipe(train).inputs
    whole = prepare(train.X, recipe, np.float32)
    assert isinstance(whole, np.ndarray)
    monkeypatch.setattr(recipe_module, "WHOLE_LIMIT", whole.nbytes)
    lazy = prepare(train.X, recipe, np.float32)
    assert isinstance(lazy, PreparedRows)
    np.testing.assert_array_equal(lazy[:], whole)


def test_splitting_and_batching_large_pictures_takes_no_second_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("clearprop.data.selected_rows.COPY_LIMIT", 2**20)
    monkeypatch.setattr(recipe_module, "WHOLE_LIMIT", 2**20)
    pictures = np.zeros((4000, 32, 32, 3), dtype=np.uint8)
    dataset = dataset_of(pictures, [0, 1] * 2000)
    tracemalloc.start()
    try:
        train, _ = hold_out(dataset, 0.2, 0)
        rows = prepare(train.X, fit_recipe(train).inputs, np.float32)
        assert rows[np.arange(50)].shape == (50, 32, 32, 3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < pictures.nbytes / 4


def test_what_does_not_fit_is_refused_at_once() -> None:
    with pytest.raises(ShapeError, match="expected"):
        PreparedRows(PICTURES, PictureRecipe((8, 8), 3), np.float32)


# Reading samples to predict from


def test_pictures_are_read_as_the_recipe_needs_them(tmp_path: Path) -> None:
    recipe = fit_recipe(load("digits"))
    picture = Image.new("RGB", (40, 40), (90, 90, 90))
    picture.save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_text("text")
    inputs = read_inputs([tmp_path / "a.png", tmp_path / "b.jpg"], recipe)
    np.testing.assert_array_equal(inputs.raw, np.full((1, 8, 8), 90))
    assert inputs.sources == (str(tmp_path / "a.png"),)
    assert [problem.source for problem in inputs.problems] == [str(tmp_path / "b.jpg")]


@pytest.mark.parametrize("with_target", [True, False])
def test_a_table_is_read_with_or_without_its_target(tmp_path: Path, with_target: bool) -> None:
    train = tmp_path / "train.csv"
    train.write_text("width,colour,price\n1,red,0.5\n2,blue,1.5\n")
    recipe = fit_recipe(load(train))
    new = tmp_path / "new.csv"
    new.write_text("colour,width,price\nred,1,0\n" if with_target else "colour,width\nred,1\n")
    inputs = read_inputs([new], recipe)
    np.testing.assert_allclose(recipe.inputs.transform(inputs.raw, np.float64), [[-1, 0, 1]])
    assert inputs.sources == ("new.csv row 1",)


def test_columns_are_read_at_prediction_as_what_they_were_at_training(tmp_path: Path) -> None:
    train, new = tmp_path / "train.csv", tmp_path / "new.csv"
    rows = "".join(f"{row * row},2024-01-{row % 28 + 1:02},0{row % 2},{row}\n" for row in range(40))
    train.write_text("width,when,code,price\n" + rows)
    new.write_text("code,width,when,more\n01,$4,2024-01-05,x\n00,wide,,z\n")
    inputs = read_inputs([new], fit_recipe(load(train, target="price")))
    table = inputs.raw
    assert isinstance(table, Table)
    assert inputs.notes == (  # without advice: the options that it names are of training
        "new.csv: width: 1 cell is no number, 'wide' (row 2), and taken for missing.",
        "new.csv: 1 column that training did not have, passed over: more.",
    )
    assert role_of(table.columns["when"]) == "date"
    assert as_words(table.columns["code"]).tolist() == ["01", "00"]
    np.testing.assert_array_equal(table.columns["width"], [4, np.nan])


def test_arrays_are_read_from_npz_and_from_tables_of_numbers(tmp_path: Path) -> None:
    recipe = fit_recipe(load("planar"))
    points = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.savez(tmp_path / "new.npz", X=points)
    (tmp_path / "new.csv").write_text("x1,x2\n1,2\n3,4\n")
    for name in ("new.npz", "new.csv"):
        np.testing.assert_array_equal(read_inputs([tmp_path / name], recipe).raw, points)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "no file to predict from"),
        (["a.csv", "b.png"], "expected pictures, or one CSV"),
        (["a.csv", "b.csv"], "expected pictures, or one CSV"),
        (["a.doc"], "can't be predicted from"),
        (["a.png"], "not trained on pictures"),
        (["gone.csv"], "gone.csv can't be read: No such file"),
        (["wide.csv"], r"shape \(3,\), expected \(2,\)"),
        (["text.csv"], "Row 1 of column 'x2' is 'two', expected a number"),
        (["class.csv"], "no columns besides the target; expected 2"),
    ],
)
def test_files_that_can_t_be_predicted_from_are_refused(
    tmp_path: Path, files: list[str], message: str
) -> None:
    (tmp_path / "wide.csv").write_text("x1,x2,x3\n1,2,3\n")
    (tmp_path / "text.csv").write_text("x1,x2\n1,two\n")
    (tmp_path / "class.csv").write_text("class\nred\n")
    (tmp_path / "a.doc").write_text("some words")
    with pytest.raises(ValueError, match=message):
        read_inputs([tmp_path / name for name in files], fit_recipe(load("planar")))

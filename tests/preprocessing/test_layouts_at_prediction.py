"""Samples at prediction in another layout than in training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from raw_samples import PICTURES, dataset_of

from clearprop.data.selected_rows import SelectedRows
from clearprop.errors import ShapeError
from clearprop.preprocessing import ArrayRecipe, PictureRecipe, fit_recipe, prepare, read_inputs
from clearprop.preprocessing.given import prepared_from

X = np.random.RandomState(0).randn(4, 5, 6, 3)
ARRAYS = fit_recipe(dataset_of(X, [0, 1, 0, 1]))
PIXELS = fit_recipe(dataset_of(PICTURES, [0, 1, 0, 1]))


@pytest.mark.parametrize(
    "change",
    [
        lambda a: np.moveaxis(a, -1, 1),
        lambda a: a.reshape(len(a), -1),
        lambda a: a[:, np.newaxis],
        lambda a: SelectedRows(np.moveaxis(a, -1, 1), np.arange(len(a))),
    ],
)
@pytest.mark.parametrize(("samples", "recipe"), [(X, ARRAYS.inputs), (PICTURES, PIXELS.inputs)])
def test_other_layouts_are_prepared_alike(change: Any, samples: Any, recipe: Any) -> None:
    expected = recipe.transform(samples, np.float64)
    changed = change(samples)
    np.testing.assert_array_equal(prepare(changed, recipe, np.float64)[:], expected)
    _, (note,) = recipe.bring(changed)
    assert note.endswith("as in training.")


@pytest.mark.parametrize("scale", [1.0, 255.0])
def test_a_model_of_pictures_takes_floats(scale: float) -> None:
    given = PICTURES / 255 * scale
    expected = PIXELS.inputs.transform(PICTURES, np.float32)
    np.testing.assert_array_equal(prepare(np.round(given, 12), PIXELS.inputs, np.float32), expected)
    _, (note,) = PIXELS.inputs.bring(np.round(given, 12))
    assert note == "The pictures, float64, are read as bytes from 0 to 255."


def test_what_can_t_be_brought_names_both_shapes() -> None:
    with pytest.raises(ShapeError, match=r"shape \(7, 6, 3\), expected \(5, 6, 3\)"):
        ARRAYS.inputs.bring(np.zeros((4, 7, 6, 3)))
    assert isinstance(PIXELS.inputs, PictureRecipe)
    with pytest.raises(ShapeError, match=r"shape \(3, 4\), expected \(3, 5, 3\)"):
        PIXELS.inputs.bring(np.zeros((4, 3, 4), np.uint8))


def test_many_samples_are_never_taken_for_one() -> None:
    recipe = ArrayRecipe((3, 4), (0.0,) * 12, (1.0,) * 12)
    assert recipe.bring(np.zeros((3, 4)))[0].shape == (1, 3, 4)
    with pytest.raises(ShapeError, match=r"3 samples that are 1 of shape \(3, 4\)"):
        prepare(np.zeros((3, 4)), recipe, np.float32)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_files_are_brought_and_said(tmp_path: Path, suffix: str) -> None:
    turned = np.moveaxis(X, -1, 1)
    path = tmp_path / f"new.{suffix}"
    if suffix == "npy":
        np.save(path, turned)
    else:
        np.savez(path, turned)
    inputs = read_inputs([path], ARRAYS)
    np.testing.assert_array_equal(inputs.raw, X)
    assert inputs.notes == (
        f"new.{suffix}: The samples, 4x3x5x6, are turned, colours last: 4x5x6x3, as in training.",
    )
    np.save(tmp_path / "one.npy", X[2])
    with pytest.warns(UserWarning, match="^X: The samples, 4x3x5x6, are turned") as told:
        (prepared,) = prepared_from(turned, ARRAYS, np.dtype(np.float64))
    assert len(told) == 1
    np.testing.assert_array_equal(prepared, ARRAYS.inputs.transform(X, np.float64))
    alone = read_inputs([tmp_path / "one.npy"], ARRAYS)
    np.testing.assert_array_equal(alone.raw, X[2:3])
    assert alone.sources == ("one.npy row 1",)

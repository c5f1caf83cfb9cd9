"""Arrays as people save them: under any usual names, in any usual layout."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from clearprop.data import Dataset, load
from clearprop.data.arrays.layout import brought_to, exact_pixels, laid_out, nearest_pixels
from clearprop.data.arrays.names import role_of
from clearprop.data.arrays.npz import Npz
from clearprop.data.selected_rows import SelectedRows
from clearprop.errors import DataError

RANDOM = np.random.RandomState(0)
X = RANDOM.randn(12, 3)
Y = np.arange(12) % 3
PICTURES = RANDOM.randint(0, 256, (12, 5, 6, 3)).astype(np.uint8)


def read(tmp_path: Path, *arrays: Any, **named: Any) -> Dataset:
    np.savez(tmp_path / "a.npz", *arrays, **named)
    return load(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("samples", "targets"),
    [
        ("X", "y"),
        ("x", "Y"),
        ("images", "labels"),
        ("data", "labels"),
        ("data", "target"),
        ("features", "targets"),
        ("inputs", "outputs"),
        ("X_train", "y_train"),
        ("xTrain", "yTrain"),
        ("train_images", "train_labels"),
        ("train_set_x_orig", "train_set_y"),
        ("trX", "trY"),
        ("mnist_train_images", "mnist_train_labels"),
        ("arr_0", "arr_1"),
        ("X_test_MNIST", "y_test_MNIST"),
        ("X_train", "y"),
        ("spectra", "concentration"),
    ],
)
def test_samples_and_targets_are_found_by_their_names(
    tmp_path: Path, samples: str, targets: str
) -> None:
    dataset = read(tmp_path, **{targets: Y, samples: X})
    np.testing.assert_array_equal(dataset.X, X)
    assert dataset.y.tolist() == Y.tolist()
    assert dataset.notes == (f"{samples} (12x3) are the samples, {targets} (12) their targets.",)


def test_arrays_without_names_are_taken_in_their_order(tmp_path: Path) -> None:
    dataset = read(tmp_path, X, np.eye(3)[Y])
    np.testing.assert_array_equal(dataset.X, X)
    four = read(tmp_path, X, Y, X[:4], Y[:4])
    split = read(tmp_path, X, X[:4], Y, Y[:4])  # as scikit-learn's train_test_split gives them
    for dataset in (four, split):
        assert dataset.test is not None
        assert (len(dataset), len(dataset.test)) == (12, 4)


def test_all_parts_are_read(tmp_path: Path) -> None:
    dataset = read(
        tmp_path,
        train_images=PICTURES,
        train_labels=Y.reshape(-1, 1),
        val_images=PICTURES[:6],
        val_labels=Y[:6].reshape(-1, 1),
        test_images=PICTURES[6:9],
        test_labels=Y[6:9].reshape(-1, 1),
        extra=np.zeros(2),
    )
    assert dataset.validation is not None
    assert dataset.test is not None
    assert [len(part) for part in (dataset, dataset.validation, dataset.test)] == [12, 6, 3]
    assert dataset.test.y.tolist() == [0, 1, 2]
    assert dataset.notes == (
        "train_images (12x5x6x3) are the samples, train_labels (12x1) their targets; to validate: "
        "val_images (6x5x6x3) are the samples, val_labels (6x1) their targets; to test: "
        "test_images (3x5x6x3) are the samples, test_labels (3x1) their targets.",
        "Not used: extra (2).",
    )


def test_a_part_without_targets_is_left_out_and_said(tmp_path: Path) -> None:
    dataset = read(tmp_path, x_train=X, y_train=Y, x_test=X[:5])
    assert dataset.test is None
    assert dataset.notes[1] == "x_test (5x3) has no targets: left out here, but predict takes it."
    np.testing.assert_array_equal(Npz().read_inputs(tmp_path / "a.npz").raw, X[:5])


def test_a_test_set_alone_is_a_set(tmp_path: Path) -> None:
    assert len(read(tmp_path, x_test=X, y_test=Y)) == 12


def test_pictures_go_before_the_same_numbers_made_flat_and_names_are_used(tmp_path: Path) -> None:
    bunch = load_digits()
    names = np.array([f"digit {k}" for k in range(10)])
    held = {"data": bunch.data, "target": bunch.target, "images": bunch.images}
    dataset = read(tmp_path, **held, target_names=names, feature_names=bunch.feature_names)
    np.testing.assert_array_equal(dataset.X, bunch.images)
    assert dataset.class_names == tuple(names)
    assert dataset.notes[1] == "Not used: data (1797x64)."
    flat = read(tmp_path, data=bunch.data, target=bunch.target, feature_names=bunch.feature_names)
    assert flat.feature_names == tuple(bunch.feature_names)


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"a": X, "b": X}, r"has a \(12x3\), b \(12x3\), which does not say"),
        ({"a_X": X, "a_y": Y, "b_X": X, "b_y": Y}, r"a_X \(12x3\), .*, which does not say"),
        ({"X": X, "weights": X}, r"has samples, but no targets: X \(12x3\), weights \(12x3\)"),
        ({f"w{k}": X for k in range(40)}, r"w11 \(12x3\) and 28 more, which does not say"),
    ],
)
def test_what_can_not_be_told_is_listed(tmp_path: Path, held: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=f"{message}.* Expected X and y"):
        read(tmp_path, **held)


@pytest.mark.parametrize("name", ["weights", "y", "lr", "index", "xy", "sample_rate"])
def test_other_names_are_no_samples(name: str) -> None:
    role = role_of(name)
    assert role is None or role.kind != "X"


@pytest.mark.parametrize("dtype", [int, float, bool])
def test_one_hot_targets_are_classes(tmp_path: Path, dtype: type) -> None:
    one_hot = np.eye(4)[Y].astype(dtype)  # the class 3 has no sample
    dataset = read(tmp_path, X=X, y=one_hot, X_test=X[:4], y_test=one_hot[:4])
    assert dataset.class_names == ("0", "1", "2")
    assert dataset.y.tolist() == Y.tolist()
    assert dataset.test is not None
    assert dataset.test.y.tolist() == Y[:4].tolist()
    assert dataset.notes[1] == "y is one-hot: 4 classes. 1 of them have no sample, as '3'."


def test_several_ones_in_a_row_are_values_and_said(tmp_path: Path) -> None:
    labels = np.array([[1, 0], [1, 1]] * 6)
    dataset = read(tmp_path, X=X, y=labels)
    assert dataset.class_names is None
    np.testing.assert_array_equal(dataset.y, labels)
    assert dataset.notes[1].startswith("y has rows with several or no 1: each of its 2 columns")


def test_values_near_one_hot_stay_values(tmp_path: Path) -> None:
    smooth = np.eye(3)[Y] * 0.9 + 0.05
    np.testing.assert_array_equal(read(tmp_path, X=X, y=smooth).y, smooth)


@pytest.mark.parametrize("labels", [Y == 1, np.array([b"a", b"b", b"c"])[Y], Y.astype(float)])
def test_flags_bytes_and_whole_floats_are_classes(tmp_path: Path, labels: Any) -> None:
    dataset = read(tmp_path, X=X, y=labels)
    _, expected = np.unique(labels, return_inverse=True)
    assert dataset.y.tolist() == expected.tolist()


def test_the_course_s_layout_has_the_samples_last(tmp_path: Path) -> None:
    dataset = read(tmp_path, X=X.T, Y=Y.reshape(1, -1))
    np.testing.assert_array_equal(dataset.X, X)
    assert dataset.y.tolist() == Y.tolist()
    assert dataset.notes[1] == "The samples are the last axis of 3x12: it is taken as first."
    one_hot = read(tmp_path, X=X[:, :2].T, Y=np.eye(3)[Y].T)
    assert one_hot.y.tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("given", "expected", "word"),
    [
        (np.moveaxis(PICTURES, -1, 1), PICTURES, "colours come first in 12x3x5x6: moved last"),
        (PICTURES[..., :1], PICTURES[..., 0], "one channel of 12x5x6x1 is taken for grey"),
        (PICTURES[:, None, :, :, 0], PICTURES[..., 0], "one channel of 12x1x5x6"),
        (np.moveaxis(PICTURES, 0, -1), PICTURES, "samples are the last axis of 5x6x3x12"),
        (PICTURES / 255, PICTURES, "float64 from 0 to 1, are read as bytes: nothing is lost"),
        (
            np.float32(PICTURES / 255)[..., 0],
            PICTURES[..., 0],
            "float32 from 0.00784314 to 1, are read",
        ),
        (np.float32(PICTURES), PICTURES, "float32 from 0 to 255"),
        (PICTURES.astype(int), PICTURES, "int64 from 0 to 255"),
        (np.pad(PICTURES, [(0, 0)] * 3 + [(0, 1)], constant_values=255), PICTURES, "same number"),
    ],
)
def test_pictures_in_any_layout_are_pictures(
    tmp_path: Path, given: Any, expected: Any, word: str
) -> None:
    dataset = read(tmp_path, X=given, y=Y)
    assert dataset.kind == "pictures"
    np.testing.assert_array_equal(dataset.X, expected)
    assert any(word in note for note in dataset.notes), dataset.notes


@pytest.mark.parametrize(
    "given",
    [
        RANDOM.rand(12, 5, 6),  # pixels that no bytes were
        load_digits().images[:12],  # 17 shades, which are dark as bytes
        (RANDOM.rand(12, 5, 6) > 0.5) * 1.0,
        RANDOM.randn(12, 5, 6, 3),
        RANDOM.rand(12, 5, 6, 4),
        PICTURES.astype(float)[..., :2],
    ],
)
def test_numbers_that_were_no_bytes_stay_as_they_are(tmp_path: Path, given: Any) -> None:
    dataset = read(tmp_path, X=given, y=Y)
    assert dataset.kind == "array"
    np.testing.assert_array_equal(dataset.X, given)
    assert len(dataset.notes) == 1


@given(st.sampled_from(["f2", "f4", "f8"]), st.integers(0, 2**32 - 1))
def test_what_becomes_bytes_comes_back_from_them(dtype: str, seed: int) -> None:
    pixels = np.random.RandomState(seed).randint(0, 256, (2, 3, 4)).astype(np.uint8)
    found = exact_pixels((pixels / 255).astype(dtype))
    assert found is not None
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize(
    ("shape", "have"),
    [
        ((5, 6), (5, 6, 1)),
        ((5, 6), (1, 5, 6)),
        ((5, 6), (30,)),
        ((30,), (5, 6)),
        ((5, 6, 3), (3, 5, 6)),
        ((3, 5, 6), (5, 6, 3)),
        ((1,), ()),
        ((5, 6, 1), (5, 6)),
    ],
)
def test_samples_are_brought_to_the_layout_of_training(
    shape: tuple[int, ...], have: tuple[int, ...]
) -> None:
    rows = RANDOM.randn(4, *have)
    found, notes = brought_to(rows, shape)
    assert found.shape == (4, *shape)
    assert len(notes) == 1
    np.testing.assert_array_equal(np.sort(found, axis=None), np.sort(rows, axis=None))
    some, _ = brought_to(SelectedRows(rows, np.array([2, 1])), shape)
    np.testing.assert_array_equal(some[:], found[[2, 1]])
    if have and len(have) > 1:  # and one alone
        alone, _ = brought_to(rows[2], shape)
        np.testing.assert_array_equal(alone, found[2:3])


def test_colours_keep_their_places_when_they_are_turned() -> None:
    found, _ = brought_to(np.moveaxis(PICTURES, -1, 1), (5, 6, 3))
    np.testing.assert_array_equal(found, PICTURES)
    found, _ = brought_to(PICTURES[3], (5, 6, 3))
    np.testing.assert_array_equal(found, PICTURES[3:4])


def test_other_shapes_are_left_alone() -> None:
    for rows in (np.zeros((4, 7)), np.zeros((4, 5, 7)), np.zeros((2, 3, 4, 5, 6))):
        found, notes = brought_to(rows, (5, 6))
        assert found is rows
        assert notes == ()


def test_nothing_is_said_of_what_is_in_order() -> None:
    for array in (X, PICTURES, PICTURES[..., 0], RANDOM.randn(3, 4, 5, 6, 7)):
        found, notes = laid_out(array, len(array))
        assert found is array
        assert notes == ()


@pytest.mark.parametrize("wrong", [PICTURES - 300.0, PICTURES * 2.0, PICTURES / 100, X > 0])
def test_numbers_that_are_no_pixels_are_none(wrong: Any) -> None:
    assert nearest_pixels(wrong) is None

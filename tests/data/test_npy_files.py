"""NPY files, alone and beside each other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from clearprop.data import load
from clearprop.data.arrays.npy import Npy
from clearprop.errors import DataError

X = np.arange(24.0).reshape(8, 3)
Y = np.array([0, 1] * 4)


def save(folder: Path, **held: Any) -> Path:
    for name, array in held.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=True)
    return folder


@given(
    array=arrays.arrays(
        st.sampled_from(["u1", "i2", "<i8", ">i4", "f4", ">f8", "?"]),
        arrays.array_shapes(min_dims=1, max_dims=4, max_side=5),
        elements={"allow_nan": False, "allow_infinity": False},
    ),
    fortran=st.booleans(),
)
def test_every_dtype_shape_and_order_comes_back(
    tmp_path_factory: pytest.TempPathFactory, array: NDArray[Any], fortran: bool
) -> None:
    folder = tmp_path_factory.mktemp("npy")
    save(folder, a=np.asfortranarray(array) if fortran else array)
    read = Npy().read_inputs(folder / "a.npy").raw
    assert isinstance(read, np.ndarray)
    np.testing.assert_array_equal(read, array)
    assert read.flags.c_contiguous
    assert read.dtype.isnative


def test_an_array_stays_in_its_file(tmp_path: Path) -> None:
    save(tmp_path, X=X, y=Y)
    read = load(tmp_path / "X.npy").X
    assert isinstance(read, np.ndarray)
    while isinstance(read.base, np.ndarray):
        read = read.base
    assert isinstance(read, np.memmap)


@pytest.mark.parametrize(
    ("samples", "targets"),
    [("X", "y"), ("train_X", "train_y"), ("mnist_images", "mnist_labels"), ("data", "target")],
)
def test_targets_are_found_beside_the_samples(tmp_path: Path, samples: str, targets: str) -> None:
    save(tmp_path, **{samples: X, targets: Y, "other_y": Y[:3]})
    for path in (tmp_path / f"{samples}.npy", tmp_path):
        dataset = load(path)
        np.testing.assert_array_equal(dataset.X, X)
        assert dataset.y.tolist() == Y.tolist()
        assert dataset.notes[0] == f"{samples} (8x3) are the samples, {targets} (8) their targets."


def test_a_folder_has_its_parts_and_a_file_is_its_part_alone(tmp_path: Path) -> None:
    save(tmp_path, X_train=X, y_train=Y, X_test=X[:2], y_test=Y[:2])
    whole = load(tmp_path)
    assert whole.test is not None
    assert (len(whole), len(whole.test)) == (8, 2)
    train, test = (load(tmp_path / f"X_{part}.npy") for part in ("train", "test"))
    assert (len(train), train.test, len(test)) == (8, None, 2)


def test_samples_alone_are_for_predict(tmp_path: Path) -> None:
    save(tmp_path, X=X)
    with pytest.raises(DataError, match=r"has samples, but no targets: X \(8x3\).*for predict"):
        load(tmp_path / "X.npy")
    save(tmp_path, anything=X)
    np.testing.assert_array_equal(Npy().read_inputs(tmp_path / "anything.npy").raw, X)


def test_a_folder_that_does_not_fit_lists_what_was_found(tmp_path: Path) -> None:
    save(tmp_path, left=X, right=X)
    with pytest.raises(DataError, match=r"left \(8x3\), right \(8x3\), which does not say"):
        load(tmp_path)


def test_an_array_of_objects_is_refused_with_the_way_to_save_it(tmp_path: Path) -> None:
    batches = np.empty(2, object)
    batches[:] = [X[:3], X[3:]]
    save(tmp_path, X=batches, y=Y)
    with pytest.raises(DataError, match=r"can hide code. Save one array of numbers, numpy.stack"):
        load(tmp_path / "X.npy")


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b[:30]])
def test_a_size_that_does_not_fit_is_refused(tmp_path: Path, change: Any) -> None:
    save(tmp_path, X=X, y=Y)
    path = tmp_path / "X.npy"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=r"can't hold|goes on after|no array that NumPy wrote"):
        load(path)


@pytest.mark.parametrize("point", [0x110000, 0xD800, 2**32 - 1])
@pytest.mark.parametrize("order", "<>")
def test_characters_that_unicode_does_not_know_are_refused(
    tmp_path: Path, point: int, order: str
) -> None:
    labels = np.array([ord("a"), ord("b")] * 4, dtype=f"{order}u4")
    labels[5] = point
    save(tmp_path, X=X, y=labels.view(f"{order}U1"))
    with pytest.raises(DataError, match="Row 6 of 'y' is no text"):
        load(tmp_path / "X.npy")


@pytest.mark.parametrize("sign", [1, -1])
def test_targets_that_no_loss_can_square_are_named(tmp_path: Path, sign: int) -> None:
    values = np.linspace(0, 1, 8)
    values[3] = sign * 1.7e308
    save(tmp_path, X=X, y=values)
    with pytest.raises(DataError, match=r"Row 4 of 'y' is -?1.7e\+308, too large"):
        load(tmp_path / "X.npy")


@pytest.mark.parametrize("sizes", ["1," * 65, f"{2**70},", "9" * 4000 + ",", "-3,"])
def test_sizes_that_no_array_has_are_one_short_sentence(tmp_path: Path, sizes: str) -> None:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({sizes}), }}\n".encode()
    save(tmp_path, y=Y)
    path = tmp_path / "X.npy"
    path.write_bytes(b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text + bytes(8))
    with pytest.raises(DataError) as caught:
        load(path)
    assert len(str(caught.value)) < 300 + len(str(path))


def test_long_doubles_are_numbers(tmp_path: Path) -> None:
    save(tmp_path, X=X.astype(np.longdouble), y=Y)
    read = load(tmp_path / "X.npy").X
    assert read.dtype == np.float64
    np.testing.assert_array_equal(read, X)

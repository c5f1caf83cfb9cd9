"""The course's HDF5 files."""

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearprop.data import load
from clearprop.errors import DataError, MissingExtraError

h5py = pytest.importorskip("h5py", reason="the extra h5 is not installed")

X = np.arange(5 * 4 * 4 * 3, dtype=np.uint8).reshape(5, 4, 4, 3)
Y = np.array([[1, 0, 1, 0, 1]])  # the course's y has a row too much


def write(path: Path, part: str = "train", **changed: Any) -> Path:
    held = {f"{part}_set_x": X, f"{part}_set_y": Y, "list_classes": np.array([b"non-cat", b"cat"])}
    with h5py.File(path, "w") as file:
        for name, array in (held | changed).items():
            if array is not None:
                file[name] = array
    return path


def test_a_file_finds_its_sibling_and_so_does_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "train_cats.h5")
    write(tmp_path / "test_cats.h5", "test", test_set_x=X[:2], test_set_y=Y[:, 1:3])
    for path in (tmp_path, tmp_path / "train_cats.h5"):
        dataset = load(path)
        np.testing.assert_array_equal(dataset.X, X)
        assert dataset.y.tolist() == [1, 0, 1, 0, 1]
        assert dataset.class_names == ("non-cat", "cat")
        assert dataset.test is not None
        assert dataset.test.y.tolist() == [0, 1]


def test_a_test_file_alone_is_a_set(tmp_path: Path) -> None:
    dataset = load(write(tmp_path / "test_cats.h5", "test"))
    assert len(dataset) == 5
    assert dataset.test is None


def test_without_a_list_of_classes_the_labels_name_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", list_classes=None, train_set_y=np.array([7, 10, 7, 7, 10]))
    dataset = load(path)
    assert dataset.class_names == ("7", "10")
    assert dataset.y.tolist() == [0, 1, 0, 0, 1]


def test_compressed_arrays_are_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("train_set_x", data=np.zeros((50, 40), "f8"), compression="gzip")
        file["train_set_y"] = np.arange(50) % 2
    assert np.shape(load(tmp_path / "a.h5").X) == (50, 40)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train_set_x": None}, r"list_classes \(2\), train_set_y \(1x5\), which does not say"),
        ({"train_set_y": None}, "has samples, but no targets: list_classes .*train_set_x"),
        ({"train_set_y": Y + 1}, "label 2, which is outside its 2 classes"),
        ({"train_set_y": Y - 1}, "label -1, which is outside"),
        ({"train_set_y": Y[:, :4]}, "5 samples and 4 targets"),
        ({"train_set_y": Y + 0.5}, "expected whole numbers from 0"),
        ({"train_set_x": np.full((5, 3), np.nan)}, r"train_set_x\[0, 0\] is nan"),
    ],
)
def test_wrong_arrays_are_named(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(write(tmp_path / "a.h5", **changed))


def test_an_array_larger_than_its_file_is_not_allocated(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", train_set_x=None)
    with h5py.File(path, "a") as file:
        file.create_dataset("train_set_x", shape=(10**9, 1000), dtype="f8")
    with pytest.raises(DataError, match="which a file of its size can't hold"):
        load(path)


@pytest.mark.parametrize("end", [100, -100])
def test_a_truncated_file_is_refused(tmp_path: Path, end: int) -> None:
    path = write(tmp_path / "a.h5")
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(DataError, match="no HDF5 file, or damaged"):
        load(path)


def test_nothing_outside_the_file_is_read(tmp_path: Path) -> None:
    other = write(tmp_path / "other.hdf5")
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(240))
    path = tmp_path / "a.h5"
    layout = h5py.VirtualLayout(shape=X.shape, dtype="u1")
    layout[:] = h5py.VirtualSource(other, "train_set_x", shape=X.shape)

    def link(file: Any) -> None:
        file["train_set_x"] = h5py.ExternalLink(str(other), "train_set_x")

    def external(file: Any) -> None:
        file.create_dataset("train_set_x", X.shape, "u1", external=[(str(secret), 0, 240)])

    def virtual(file: Any) -> None:
        file.create_virtual_dataset("train_set_x", layout)

    for plant in (link, external, virtual):
        write(path, train_set_x=None)
        with h5py.File(path, "a") as file:
            plant(file)
        with pytest.raises(DataError, match="no array that lies in this file"):
            load(path)


def test_without_h5py_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.h5")
    real = builtins.__import__

    def without_h5py(name: str, *rest: Any, **options: Any) -> Any:
        if name == "h5py":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without_h5py)
    with pytest.raises(MissingExtraError, match=r"pip install 'clearprop\[h5\]'"):
        load(path)

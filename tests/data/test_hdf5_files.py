"""HDF5 files: the course's, and plain ones."""

import builtins
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearprop.data import load
from clearprop.data.arrays.hdf5 import Hdf5
from clearprop.data.arrays.hdf5_texts import read_texts
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


@pytest.mark.parametrize("group", ["", "data/", "some set/"])
def test_plain_names_are_found_in_the_root_or_a_group(tmp_path: Path, group: str) -> None:
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file[f"{group}images"] = X
        file[f"{group}labels"] = ["cat", "dog", "cat", "dog", "cat"]
        file["weights/layer"] = np.zeros(3)
    dataset = load(tmp_path / "a.hdf5")
    np.testing.assert_array_equal(dataset.X, X)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.notes[1] == "Not used: weights/layer (3)."


def test_parts_may_be_groups(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for part in ("train", "valid", "test"):
            file[f"{part}/x"], file[f"{part}/y"] = X, np.array([1, 0, 1, 0, 1])
    dataset = load(tmp_path / "a.h5")
    assert dataset.validation is not None
    assert dataset.test is not None
    assert Hdf5().read_inputs(tmp_path / "a.h5").raw.shape == X.shape


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (2,)},
        {"chunks": (3,), "compression": "gzip"},
        {"chunks": (4,), "compression": "gzip", "shuffle": True},
    ],
)
def test_texts_of_any_length_come_back(tmp_path: Path, options: dict[str, Any]) -> None:
    texts = ["ä cat", "", "x" * 5000, "b", "ä cat"]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", data=texts, dtype=h5py.string_dtype(), **options)
        file["X"] = X
    with h5py.File(tmp_path / "a.h5") as file:
        filters = [1, 2] if "compression" in options else []
        read = read_texts(
            file["a"], filters if options.get("shuffle") else filters[:1], tmp_path / "a.h5", "a"
        )
    assert read.tolist() == texts


def test_texts_that_share_one_place_are_not_multiplied(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["X"] = np.zeros((5000, 2))
        file.create_dataset("y", data=["x" * 300_000] + ["y"] * 4999, dtype=h5py.string_dtype())
        place = file["y"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[place : place + 5000 * 16] = content[place : place + 16] * 5000
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"claims texts of more than the \d+ bytes of its file"):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("place", [0, 4, 12])
def test_references_to_nowhere_are_refused(tmp_path: Path, place: int) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["X"], file["y"] = X, ["a", "b", "a", "b", "a"]
        start = file["y"].id.get_offset() + place
    content = bytearray(path.read_bytes())
    content[start : start + 2] = b"\xff\x03"
    path.write_bytes(content)
    with pytest.raises(DataError, match="Get"):
        load(path)


def test_what_was_never_written_is_not_allocated(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("X", (40_000, 8000), "f8", compression="gzip")
        file["y"], file["padding"] = np.zeros(40_000, int), np.zeros(3_000_000, np.uint8)
    with pytest.raises(DataError, match="can't hold: 0 bytes at most"):
        load(path)


@pytest.mark.slow
def test_a_chunk_that_goes_on_after_its_end_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        array = file.create_dataset("X", (4, 4), "f8", chunks=(4, 4), compression="gzip")
        array.id.write_direct_chunk((0, 0), zlib.compress(bytes(2**29)))
        file["y"] = [0, 1, 0, 1]
    with pytest.raises(DataError, match="goes on after its chunk"):
        load(path)


def odd_types() -> dict[str, Any]:
    wide = h5py.h5t.STD_I64LE.copy()
    wide.set_size(16)
    odd = h5py.h5t.IEEE_F32LE.copy()
    odd.set_fields(31, 20, 11, 0, 20)
    return {"time": h5py.h5t.UNIX_D32LE, "wide": wide, "odd": odd}


@pytest.mark.parametrize("kind", odd_types())
def test_types_that_numpy_does_not_know_are_refused_where_they_are_asked_for(
    tmp_path: Path, kind: str
) -> None:
    for name in ("X", "other"):
        path = write(tmp_path / f"{name}.h5")
        with h5py.File(path, "a") as file:
            if name == "X":
                del file["train_set_x"]
            space = h5py.h5s.create_simple((5, 2))
            where = b"train_set_x" if name == "X" else b"other"
            h5py.h5d.create(file.id, where, odd_types()[kind], space)
    with pytest.raises(DataError):
        load(tmp_path / "X.h5")
    assert len(load(tmp_path / "other.h5")) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scaleoffset": 2}, "packed by the filter 6"),
        ({"data": h5py.Empty("f8")}, "no shape|holds"),
    ],
)
def test_arrays_packed_in_rare_ways_are_named(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("X", **({"data": np.zeros((50, 4))} | options))
        file["y"] = np.arange(50) % 2
    with pytest.raises(DataError, match=message):
        load(tmp_path / "a.h5")

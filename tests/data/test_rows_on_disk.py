"""Arrays that stay in their files, against NumPy on the whole array."""

import os
import pickle
import zipfile
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearprop.data import Dataset, load
from clearprop.data.reading import Reading
from clearprop.data.rows_on_disk import FileRows
from clearprop.data.selected_rows import SelectedRows, blocks, on_disk, some_in_memory
from clearprop.data.whole.whole import Memory
from clearprop.errors import DataError
from clearprop.preprocessing import ArrayRecipe

FEW = Memory(1000)
"""Bytes that every array here exceeds."""

X = np.random.RandomState(0).randn(211, 6, 5).astype(np.float32)
Y = np.arange(len(X)) % 3


def saved(folder: Path, how: str, X: Any = X, y: Any = Y) -> Path:
    """Save samples and targets in one of the ways that leave them in their file."""
    path = folder / ("X.npy" if how in ("npy", "fortran", "other bytes") else "a.npz")
    if how == "npz":
        np.savez(path, X=X, y=y)
    elif path.suffix == ".npy":
        order = np.asfortranarray(X) if how == "fortran" else X
        np.save(path, order.astype(order.dtype.newbyteorder(">")) if "bytes" in how else order)
        np.save(folder / "y.npy", y)
    else:
        h5py = pytest.importorskip("h5py", reason="the extra h5 is not installed")
        path = folder / "a.h5"
        options = {
            "contiguous": {},
            "userblock": {},
            "chunks": {"chunks": (16, 4, 5)},
            "gzip": {"compression": "gzip", "chunks": (10, 6, 2), "shuffle": True},
        }[how]
        with h5py.File(path, "w", userblock_size=512 if how == "userblock" else 0) as file:
            file.create_dataset("X", data=X, **options)
            file["y"] = y
    return path


WAYS = ["npy", "fortran", "other bytes", "npz", "contiguous", "userblock", "chunks", "gzip"]


def rows_of(dataset: Dataset) -> SelectedRows:
    assert isinstance(dataset.X, SelectedRows)
    assert on_disk(dataset.X) is not None
    return dataset.X


@pytest.mark.parametrize("how", WAYS)
def test_rows_are_those_of_the_whole_array(tmp_path: Path, how: str) -> None:
    dataset = load(saved(tmp_path, how), memory=FEW)
    rows = rows_of(dataset)
    assert (rows.shape, rows.dtype, rows.nbytes) == (X.shape, X.dtype, X.nbytes)
    np.testing.assert_array_equal(rows[:], X)
    np.testing.assert_array_equal(rows[20:37], X[20:37])
    np.testing.assert_array_equal(rows[7], X[7])
    np.testing.assert_array_equal(rows[X[:, 0, 0] > 0], X[X[:, 0, 0] > 0])
    drawn = np.random.RandomState(1).randint(len(X), size=300)  # in any order, and again
    np.testing.assert_array_equal(rows[drawn], X[drawn])
    np.testing.assert_array_equal(np.concatenate([one for _, one in blocks(rows)]), X)
    np.testing.assert_array_equal(dataset.y, Y)
    assert any("stays on disk" in note for note in dataset.notes)


@pytest.mark.parametrize("how", WAYS)
def test_a_recipe_has_the_same_numbers_as_of_an_array_in_memory(tmp_path: Path, how: str) -> None:
    path, many = saved(tmp_path, how, X.repeat(3, axis=0), Y.repeat(3)), Memory(10**9)
    assert ArrayRecipe.fit(load(path, memory=FEW).X) == ArrayRecipe.fit(load(path, memory=many).X)


@pytest.mark.parametrize("how", WAYS)
def test_a_smaller_array_is_in_memory(tmp_path: Path, how: str) -> None:
    dataset = load(saved(tmp_path, how), memory=Memory(X.nbytes))
    assert isinstance(dataset.X, np.ndarray)
    assert not any("stays on disk" in note for note in dataset.notes)


KINDS = ("samples last", "colours first", "grey", "opaque", "floats of bytes", "long doubles")
LAID_OUT = [
    (how, kind)
    for how, kind in product(("npy", "fortran", "npz", "contiguous", "chunks", "gzip"), KINDS)
    if kind != "long doubles" or how not in ("chunks", "gzip")  # h5py stores these as it likes
]


@pytest.mark.parametrize(("how", "kind"), LAID_OUT)
def test_layouts_are_brought_in_order_as_in_memory(tmp_path: Path, how: str, kind: str) -> None:
    random = np.random.RandomState(2)
    pixels = random.randint(0, 256, (40, 6, 5, 3)).astype(np.uint8)
    samples = {
        "samples last": random.randn(30, 40),
        "colours first": np.moveaxis(pixels, -1, 1),
        "grey": pixels[..., :1],
        "opaque": np.concatenate([pixels, np.full_like(pixels[..., :1], 9)], axis=3),
        "floats of bytes": (pixels / 255).astype(np.float32),
        "long doubles": random.randn(40, 6, 5).astype(np.longdouble),
    }[kind]
    if how in ("chunks", "gzip"):
        h5py = pytest.importorskip("h5py", reason="the extra h5 is not installed")
        path = tmp_path / "a.h5"
        packed = "gzip" if how == "gzip" else None
        with h5py.File(path, "w") as file:
            chunks = tuple(max(size // 3, 1) for size in samples.shape)
            file.create_dataset("X", data=samples, chunks=chunks, compression=packed)
            file["y"] = np.arange(40) % 2
    else:
        path = saved(tmp_path, how, samples, np.arange(40) % 2)
    expected, dataset = load(path), load(path, memory=FEW)
    rows = rows_of(dataset)
    np.testing.assert_array_equal(rows[:], expected.X)
    assert (rows.dtype, dataset.kind) == (expected.X.dtype, expected.kind)
    np.testing.assert_array_equal(rows[np.array([31, 2, 3])], np.asarray(expected.X)[[31, 2, 3]])
    assert tuple(n for n in dataset.notes if "stays on disk" not in n) == expected.notes


def test_parts_are_taken_without_a_copy_and_small_ones_are_copied(tmp_path: Path) -> None:
    dataset = load(saved(tmp_path, "npy"), memory=Memory(8 * 10 * X[0].nbytes))
    large, small = dataset.take(np.arange(0, 200, 2)), dataset.take(np.arange(5))
    assert on_disk(large.X) is not None
    np.testing.assert_array_equal(np.asarray(large.X), X[:200:2])
    assert large.source(3) == "row 7"
    assert large.take(np.arange(50, 90)).source(1) == "row 103"
    assert isinstance(small.X, np.ndarray)
    assert small.sources is not None
    assert [*small.sources] == ["row 1", "row 2", "row 3", "row 4", "row 5"]
    some = some_in_memory(dataset.X)  # type: ignore[arg-type]
    assert some is not None
    assert (len(some), some[0], some[-1]) == (10, 0, len(X) - 1)
    assert len(dataset.in_memory()) == 10


@pytest.mark.parametrize("how", ["npy", "npz", "gzip"])
def test_numbers_that_are_not_finite_are_named(tmp_path: Path, how: str) -> None:
    wrong = X.copy()
    wrong[150, 2, 1] = np.nan
    with pytest.raises(DataError, match=r"X\[150, 2, 1\] is nan"):
        load(saved(tmp_path, how, wrong), memory=FEW)


@pytest.mark.parametrize("how", WAYS)
def test_a_file_that_changes_or_is_cut_off_is_named(tmp_path: Path, how: str) -> None:
    path = saved(tmp_path, how)
    rows = rows_of(load(path, memory=FEW))
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 10**9))
    with pytest.raises(DataError, match=rf"{path.name}.* has changed since it was looked at"):
        rows[:]
    with path.open("r+b") as file:
        file.truncate(facts.st_size // 2)
    with pytest.raises(DataError, match=rf"{path.name}.* (is cut off|has changed since)"):
        rows[:]
    path.unlink()
    with pytest.raises(DataError, match=rf"{path.name}.* can't be read"):
        rows[:]


def test_a_file_that_ends_while_it_is_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(100))
    seen = path.stat().st_size, path.stat().st_mtime_ns
    rows = FileRows.of(path, (30, 4), np.dtype(np.uint8), offset=0, memory=1)
    assert rows.seen == seen
    assert rows.read(0, 25).shape == (25, 4)
    with pytest.raises(DataError, match="is cut off: a had 100 bytes"):
        rows.read(20, 26)


def test_compressed_archives_are_read_and_say_what_would_leave_them_on_disk(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", X=X, y=Y)
    dataset = load(tmp_path / "a.npz", memory=FEW)
    np.testing.assert_array_equal(dataset.X, X)
    assert isinstance(dataset.X, np.ndarray)
    assert any("numpy.save('X.npy', X)" in note for note in dataset.notes)


@pytest.mark.parametrize("what", ["sign", "compression", "name", "encrypted", "header", "size"])
def test_an_archive_that_lies_about_a_member_is_refused(tmp_path: Path, what: str) -> None:
    path = saved(tmp_path, "npz")
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("X.npy").header_offset
    data = bytearray(path.read_bytes())
    name = data.index(b"X.npy", start)
    place = {
        "sign": start,
        "compression": start + 8,
        "encrypted": start + 6,
        "name": name,
        "header": data.index(b"211", start),
        "size": data.rindex(b"PK\1\2", 0, data.rindex(b"X.npy")) + 20,
    }[what]
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.npz"):
        load(path, memory=FEW)


@pytest.mark.parametrize("how", ["npy", "gzip"])
def test_rows_travel_to_other_processes(tmp_path: Path, how: str) -> None:
    rows = rows_of(load(saved(tmp_path, how), memory=FEW))
    rows[:3]  # opens it
    base = pickle.loads(pickle.dumps(on_disk(rows)))  # noqa: S301 - our own
    np.testing.assert_array_equal(base[4:9], X[4:9])


def test_inputs_alone_stay_on_disk_too(tmp_path: Path) -> None:
    from clearprop.data.arrays.npy import Npy

    path = saved(tmp_path, "npy")
    samples = Npy().read_inputs(path, Reading(memory=1000))
    assert on_disk(samples.raw) is not None
    np.testing.assert_array_equal(np.asarray(samples.raw), X)

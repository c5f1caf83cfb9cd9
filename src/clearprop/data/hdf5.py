"""The HDF5 files of the well-known online course: ``train_set_x``, ``train_set_y``, their tests."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.data.dataset import Dataset, kind_of
from clearprop.data.format import DEFLATE_LIMIT, Format, cannot_read, list_folder
from clearprop.data.reading import DEFAULT, Reading
from clearprop.data.selected_rows import Array, require_finite
from clearprop.data.target import index_labels
from clearprop.errors import DataError, MissingExtraError

_NAMES = ("train_set_x", "train_set_y", "test_set_x", "test_set_y", "list_classes")


class Hdf5(Format):
    """HDF5 files as the course hands them out."""

    suffixes = (".h5", ".hdf5")
    takes_folders = True

    def read(self, path: Path, reading: Reading = DEFAULT) -> Dataset:
        """Read a file or a folder.

        Parameters
        ----------
        path : Path
            A folder that has one file with "train" in its name, and perhaps one with "test"; or one
            such file, whose sibling is found by its name; or one file that holds both parts.

        Returns
        -------
        Dataset
            The part "train", with "test" as its test set; if only "test" is there, that.

        Raises
        ------
        MissingExtraError
            If h5py is not installed.
        DataError
            If an array is missing, damaged, claims more than the file can hold, or lies elsewhere.
        """
        found: dict[str, Array] = {}
        for file in _files(path):
            arrays = _read_file(file)
            if twice := sorted(arrays.keys() & found.keys() - {"list_classes"}):
                raise DataError(f"{path} has two arrays {twice[0]!r}. Give the path of one file.")
            found |= arrays
        if "train_set_x" in found:
            train = _part(str(path), "train", found)
            test = _part(str(path), "test", found, train) if "test_set_x" in found else None
            return replace(train, test=test)
        if "test_set_x" in found:
            return _part(str(path), "test", found)
        raise DataError(f"{path} has no array 'train_set_x'; expected the course's names.")


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for file in list_folder(path) if file.suffix.lower() in Hdf5.suffixes]
    sibling = path.with_name(path.name.replace("train", "test"))
    return [path, sibling] if sibling != path and sibling.is_file() else [path]


def _part(name: str, part: str, found: dict[str, Array], train: Dataset | None = None) -> Dataset:
    X, y = found[f"{part}_set_x"], found.get(f"{part}_set_y")
    if y is None:
        raise DataError(f"{name} has '{part}_set_x' but no '{part}_set_y'.")
    labels = y.reshape(-1)
    if X.dtype.kind not in "biuf" or X.ndim < 2 or labels.dtype.kind not in "biu":
        raise DataError(
            f"{name}: '{part}_set_x' has shape {X.shape} of {X.dtype} and '{part}_set_y' "
            f"{y.shape} of {y.dtype}; expected (N, ...) numbers and N whole numbers."
        )
    require_finite(X, f"{part}_set_x")
    if "list_classes" in found:  # labels are places in it
        names = tuple(map(_text, found["list_classes"].reshape(-1).tolist()))
        return Dataset(name, kind_of(X), X, labels.astype(np.int64), names, target_name="class")
    names = (train and train.class_names) or tuple(str(int(label)) for label in np.unique(labels))
    indices = index_labels(labels, names, f"{part}_set_y")
    return Dataset(name, kind_of(X), X, indices, names, target_name="class")


def _text(name: Any) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _read_file(path: Path) -> dict[str, Array]:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("h5py", "h5", "Reading HDF5 files") from error
    try:
        with h5py.File(path, "r") as file:
            links = set(file)  # their names; `in` would follow them
            return {name: _read_array(file, name, path) for name in _NAMES if name in links}
    except (OSError, RuntimeError, KeyError) as error:
        if isinstance(error, OSError) and error.errno:
            raise cannot_read(path, error) from error
        raise DataError(f"{path} is no HDF5 file, or damaged: {error}. Get it anew.") from error


def _read_array(file: Any, name: str, path: Path) -> Array:
    import h5py

    array = file.get(name) if isinstance(file.get(name, getlink=True), h5py.HardLink) else None
    # Links, virtual arrays and external storage would have us read other files of this machine.
    if not isinstance(array, h5py.Dataset) or array.is_virtual or array.external:
        raise DataError(f"{path}: {name!r} is no array that lies in this file.")
    text = h5py.check_string_dtype(array.dtype) is not None
    if array.dtype.hasobject and not text:
        raise DataError(f"{path}: {name!r} holds {array.dtype}, expected numbers.")
    most = path.stat().st_size * (DEFLATE_LIMIT if array.compression else 1)
    if array.nbytes > most:
        raise DataError(
            f"{path}: {name!r} claims the shape {array.shape} of {array.dtype}, {array.nbytes} "
            "bytes, which a file of its size can't hold. The file is damaged; get it anew."
        )
    return np.asarray(array[()])

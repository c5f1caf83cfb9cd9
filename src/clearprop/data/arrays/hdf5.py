"""HDF5 files: the course's ``train_set_x`` and its kin, and plain ones with any usual names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.data.arrays.hdf5_rows import Packing, array_in, open_file, stay_in
from clearprop.data.arrays.hdf5_texts import TEXT, read_texts
from clearprop.data.arrays.names import Stored, role_of
from clearprop.data.arrays.parts import MOST_LISTED, dataset_of, inputs_of
from clearprop.data.dataset import Dataset
from clearprop.data.format import Format, Samples, foreign
from clearprop.data.reading import DEFAULT, Reading
from clearprop.data.rows_on_disk import RowsOnDisk
from clearprop.data.selected_rows import Array
from clearprop.errors import DataError


class Hdf5(Format):
    """HDF5 files whose arrays lie in the root, or in groups of it."""

    suffixes = (".h5", ".hdf5")
    takes_folders = takes_inputs = True

    def read(self, path: Path, reading: Reading = DEFAULT) -> Dataset:
        """Read a file or a folder.

        Parameters
        ----------
        path : Path
            A folder whose files hold the parts, as the course's two; or one such file, whose
            sibling is found by its name; or one file that holds all parts.

        Returns
        -------
        Dataset
            See `parts.dataset_of`.

        Raises
        ------
        MissingExtraError
            If h5py is not installed.
        DataError
            If an array is missing, damaged, claims more than the file can hold, or lies elsewhere.
        ShapeError
            If samples and targets don't belong together.
        """
        found: dict[str, Stored] = {}
        unseen = 0
        for file in _files(path):
            stored, others = _stored(file)
            for one in stored:
                role = role_of(one.name)
                if one.name in found and role and role.kind in "Xy":
                    raise DataError(
                        f"{path} has two arrays {one.name!r}. Give the path of one file."
                    )
                found[one.name] = one
            unseen += others
        if any(name.endswith(("block0_values", "/table")) for name in found):
            raise DataError(
                f"{path} is a table that pandas saved. Save it as CSV, which is read here: "
                "pandas.read_hdf(path).to_csv('table.csv', index=False)."
            )
        return dataset_of(str(path), list(found.values()), unseen, memory=reading.memory)

    def read_inputs(self, path: Path, reading: Reading = DEFAULT) -> Samples:
        """Read samples alone, shape (N, ...); see `parts.inputs_of`.

        Raises
        ------
        MissingExtraError
            If h5py is not installed.
        DataError
            If they are missing, damaged, or no array of finite numbers.
        """
        return inputs_of(str(path), *_stored(path), memory=reading.memory)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return Hdf5().files_in(path)
    sibling = path.with_name(path.name.replace("train", "test"))
    return [path, sibling] if sibling != path and sibling.is_file() else [path]


def _stored(path: Path) -> tuple[list[Stored], int]:
    """List the arrays that may be meant, and count the others."""
    with foreign(path, "HDF5 file"), open_file(path) as file:
        names = list(_names(file))
        named = [name for name in names if role_of(name)]
        seen = names[:MOST_LISTED] if len(names) <= MOST_LISTED or not named else named
        return [_describe(file, name, path) for name in seen], len(names) - len(seen)


def _names(file: Any) -> Iterator[str]:
    """Walk over the names of arrays, and of links, which are not followed: root, then groups."""
    import h5py

    groups = []
    for name in file:
        link = file.get(name, getlink=True)
        kind = file.get(name, getclass=True) if isinstance(link, h5py.HardLink) else None
        if kind is h5py.Group:
            groups.append(name)
        elif kind is not h5py.Datatype:
            yield name
    for group in groups:
        yield from (f"{group}/{name}" for name in file[group])


def _describe(file: Any, name: str, path: Path) -> Stored:
    import h5py

    def read() -> Array:
        with foreign(f"{path}: {name}", "array that is read here"), open_file(path) as file:
            return _read(array_in(file, name, path), f"{path}: {name!r}", path)

    def stay(memory: int) -> RowsOnDisk:
        with foreign(f"{path}: {name}", "array that is read here"), open_file(path) as file:
            return stay_in(file, name, path, memory)

    try:
        array = array_in(file, name, path)
        dtype = TEXT if h5py.check_string_dtype(array.dtype) else array.dtype
        return Stored(name, array.shape or (), dtype, read, stay)
    except Exception:  # an array that NumPy can't hold is none until it is asked for
        return Stored(name, (), np.dtype(object), read)


def _read(array: Any, name: str, path: Path) -> Array:
    packing = Packing.of(array, name, path)
    if array.chunks is not None and packing.ratio > 1:
        for place in range(array.id.get_num_chunks()):
            packing.require_honest(array, array.id.get_chunk_info(place))
    if array.dtype.kind == "O":
        return read_texts(array, packing.filters, path, name)
    return np.asarray(array[()])

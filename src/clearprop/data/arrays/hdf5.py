"""HDF5 files: the course's ``train_set_x`` and its kin, and plain ones with any usual names."""

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.data.arrays.hdf5_texts import TEXT, read_texts
from clearprop.data.arrays.names import Stored, role_of
from clearprop.data.arrays.parts import MOST_LISTED, dataset_of, inputs_of
from clearprop.data.dataset import Dataset
from clearprop.data.format import DEFLATE_LIMIT, Format, Samples, claimed_bytes, foreign
from clearprop.data.reading import DEFAULT, Reading
from clearprop.data.selected_rows import Array
from clearprop.errors import DataError, MissingExtraError

_LZF_LIMIT = 88
"""Bytes that one byte of LZF can stand for at most: 3 bytes repeat up to 264."""

_SHUFFLE, _CHECKSUM, _DEFLATE, _LZF = 2, 3, 1, 32000
"""Numbers of filters (The HDF Group, "Registered filter plugins")."""

_LIMITS = {_SHUFFLE: 1, _CHECKSUM: 1, _DEFLATE: DEFLATE_LIMIT, _LZF: _LZF_LIMIT}
"""The filters that are read, and the bytes that one byte behind them can stand for at most."""

_UNSEEN = 2**28  # bytes that the library may unpack before anybody has counted them


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
        return dataset_of(str(path), list(found.values()), unseen)

    def read_inputs(self, path: Path, reading: Reading = DEFAULT) -> Samples:
        """Read samples alone, shape (N, ...); see `parts.inputs_of`.

        Raises
        ------
        MissingExtraError
            If h5py is not installed.
        DataError
            If they are missing, damaged, or no array of finite numbers.
        """
        return inputs_of(str(path), *_stored(path))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return Hdf5().files_in(path)
    sibling = path.with_name(path.name.replace("train", "test"))
    return [path, sibling] if sibling != path and sibling.is_file() else [path]


def _open(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("h5py", "h5", "Reading HDF5 files") from error
    return h5py.File(path, "r")


def _stored(path: Path) -> tuple[list[Stored], int]:
    """List the arrays that may be meant, and count the others."""
    with foreign(path, "HDF5 file"), _open(path) as file:
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


def _array(file: Any, name: str, path: Path) -> Any:
    """Return an array of the file itself.

    Links, virtual arrays and external storage would have us read other files of this machine.
    """
    import h5py

    array = file.get(name) if isinstance(file.get(name, getlink=True), h5py.HardLink) else None
    if not isinstance(array, h5py.Dataset) or array.is_virtual or array.external:
        raise DataError(f"{path}: {name!r} is no array that lies in this file.")
    return array


def _describe(file: Any, name: str, path: Path) -> Stored:
    import h5py

    def read() -> Array:
        with foreign(f"{path}: {name}", "array that is read here"), _open(path) as file:
            return _read(_array(file, name, path), f"{path}: {name!r}", path)

    try:
        array = _array(file, name, path)
        dtype = TEXT if h5py.check_string_dtype(array.dtype) else array.dtype
        return Stored(name, array.shape or (), dtype, read)
    except Exception:  # an array that NumPy can't hold is none until it is asked for
        return Stored(name, (), np.dtype(object), read)


def _read(array: Any, name: str, path: Path) -> Array:
    import h5py

    dtype, size = array.dtype, path.stat().st_size
    is_text = h5py.check_string_dtype(dtype) is not None
    if array.shape is None or (dtype.kind not in "biufSU" and not is_text):
        raise DataError(f"{name} holds {dtype}, expected numbers.")
    layout = array.id.get_create_plist()
    filters = [layout.get_filter(place)[0] for place in range(layout.get_nfilters())]
    if strange := [code for code in filters if code not in _LIMITS]:
        raise DataError(
            f"{name} is packed by the filter {strange[0]}, which is not read. Save it anew with "
            'compression="gzip".'
        )
    ratio = max((_LIMITS[code] for code in filters), default=1)
    if sum(_LIMITS[code] > 1 for code in filters) > 1:
        raise DataError(f"{name} is packed twice, which is not read. Save it anew.")
    stored = min(array.id.get_storage_size(), size)  # an index, too, may claim more than there is
    claimed_bytes(array.shape, dtype, stored * ratio, name)
    if array.chunks is not None:
        claimed_bytes(array.chunks, dtype, max(stored * ratio, _UNSEEN), f"{name}: its chunk")
        _require_honest_chunks(array, ratio, size, name)
    if dtype.kind == "O":
        return read_texts(array, filters, path, name)
    return np.asarray(array[()])


def _require_honest_chunks(array: Any, ratio: int, most: int, name: str) -> None:
    """Check that no chunk unpacks to more than a chunk: the library would only see it afterwards.

    Only those are unpacked twice that could fill memory; chunks as they are written can't.
    """
    if ratio == 1:
        return
    size = math.prod(array.chunks) * array.dtype.itemsize
    for place in range(array.id.get_num_chunks()):
        info = array.id.get_chunk_info(place)
        if info.size * ratio <= _UNSEEN:
            continue
        if ratio == _LZF_LIMIT or info.size > most:
            raise DataError(
                f"{name} has chunks of {info.size} bytes, which is too large. Save it in smaller "
                "ones."
            )
        _, packed = array.id.read_direct_chunk(info.chunk_offset)
        unpacker, count = zlib.decompressobj(), 0
        while packed and not unpacker.eof:
            count += len(unpacker.decompress(packed, 2**20))
            packed = unpacker.unconsumed_tail
            if count > size + 64:  # a checksum may come before the packing
                raise DataError(
                    f"{name} goes on after its chunk. The file is damaged; get it anew."
                )

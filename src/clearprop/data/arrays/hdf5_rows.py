"""How arrays are packed in HDF5 files, and rows of those that stay there."""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.data.format import DEFLATE_LIMIT, claimed_bytes, foreign
from clearprop.data.rows_on_disk import FileRows, RowsOnDisk, facts_of, has_changed
from clearprop.data.selected_rows import Array
from clearprop.errors import DataError, MissingExtraError

_LZF_LIMIT = 88
"""Bytes that one byte of LZF can stand for at most: 3 bytes repeat up to 264."""

_SHUFFLE, _CHECKSUM, _DEFLATE, _LZF = 2, 3, 1, 32000
"""Numbers of filters (The HDF Group, "Registered filter plugins")."""

_LIMITS = {_SHUFFLE: 1, _CHECKSUM: 1, _DEFLATE: DEFLATE_LIMIT, _LZF: _LZF_LIMIT}
"""The filters that are read, and the bytes that one byte behind them can stand for at most."""

_UNSEEN = 2**28  # bytes that the library may unpack before anybody has counted them


@dataclass(frozen=True)
class Packing:
    """How an array is packed, as far as that is read here.

    Parameters
    ----------
    name : str
        The file and the array, for messages.
    filters : list of int
        The numbers of its filters, in the order in which they were applied.
    most : int
        The bytes of its file.
    """

    name: str
    filters: list[int]
    most: int

    @classmethod
    def of(cls, array: Any, name: str, path: Path) -> "Packing":
        """Look at an array, and check that its file can hold what it claims.

        Raises
        ------
        DataError
            If it can't, or the array holds no numbers or text, or is packed in a rare way.
        """
        import h5py

        dtype, size = array.dtype, path.stat().st_size
        is_text = h5py.check_string_dtype(dtype) is not None
        if array.shape is None or (dtype.kind not in "biufSU" and not is_text):
            raise DataError(f"{name} holds {dtype}, expected numbers.")
        layout = array.id.get_create_plist()
        filters = [layout.get_filter(place)[0] for place in range(layout.get_nfilters())]
        if strange := [code for code in filters if code not in _LIMITS]:
            raise DataError(
                f"{name} is packed by the filter {strange[0]}, which is not read. Save it anew "
                'with compression="gzip".'
            )
        if sum(_LIMITS[code] > 1 for code in filters) > 1:
            raise DataError(f"{name} is packed twice, which is not read. Save it anew.")
        found = cls(name, filters, size)
        stored = min(array.id.get_storage_size(), size)  # an index may claim more than there is
        claimed_bytes(array.shape, dtype, stored * found.ratio, name)
        if array.chunks is not None:
            most = max(stored * found.ratio, _UNSEEN)
            claimed_bytes(array.chunks, dtype, most, f"{name}: its chunk")
        return found

    @property
    def ratio(self) -> int:
        """The bytes that one byte can stand for at most."""
        return max((_LIMITS[code] for code in self.filters), default=1)

    def require_honest(self, array: Any, chunk: Any) -> None:
        """Check that a chunk unpacks to no more than one: the library would only see it afterwards.

        Only those are unpacked twice that could fill memory; chunks as they are written can't.
        """
        if chunk.size * self.ratio <= _UNSEEN:
            return
        if self.ratio == _LZF_LIMIT or chunk.size > self.most:
            raise DataError(
                f"{self.name} has chunks of {chunk.size} bytes, which is too large. Save it in "
                "smaller ones."
            )
        size = math.prod(array.chunks) * array.dtype.itemsize
        _, packed = array.id.read_direct_chunk(chunk.chunk_offset)
        unpacker, count = zlib.decompressobj(), 0
        while packed and not unpacker.eof:
            count += len(unpacker.decompress(packed, 2**20))
            packed = unpacker.unconsumed_tail
            if count > size + 64:  # a checksum may come before the packing
                raise DataError(
                    f"{self.name} goes on after its chunk. The file is damaged; get it anew."
                )


def open_file(path: Path) -> Any:
    """Open an HDF5 file to read.

    Raises
    ------
    MissingExtraError
        If h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("h5py", "h5", "Reading HDF5 files") from error
    return h5py.File(path, "r")


def array_in(file: Any, name: str, path: Path) -> Any:
    """Return an array of the file itself.

    Links, virtual arrays and external storage would have us read other files of this machine.

    Raises
    ------
    DataError
        If it is none.
    """
    import h5py

    array = file.get(name) if isinstance(file.get(name, getlink=True), h5py.HardLink) else None
    if not isinstance(array, h5py.Dataset) or array.is_virtual or array.external:
        raise DataError(f"{path}: {name!r} is no array that lies in this file.")
    return array


def stay_in(file: Any, inner: str, path: Path, memory: int) -> RowsOnDisk:
    """Leave an array of numbers in its file, of which rows may take so many bytes in memory.

    Raises
    ------
    DataError
        If it is damaged, or packed in a rare way.
    """
    import h5py

    array, name = array_in(file, inner, path), f"{path}: {inner!r}"
    packing = Packing.of(array, name, path)
    offset = array.id.get_offset() if array.chunks is None else None
    is_plain = array.id.get_type() == h5py.h5t.py_create(array.dtype, logical=True)
    if offset is not None and is_plain:
        claimed_bytes(array.shape, array.dtype, packing.most - offset, name)
        return FileRows.of(path, array.shape, array.dtype, offset=offset, memory=memory, name=name)
    return Hdf5Rows(
        path=path,
        name=name,
        stored=array.shape,
        kind=array.dtype,
        memory=memory,
        axes=tuple(range(array.ndim)),
        inner=inner,
        packing=packing,
        seen=facts_of(path.stat()),
        chunks=array.chunks or array.shape,
        size=array.id.get_storage_size(),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Hdf5Rows(RowsOnDisk):
    """An array in an HDF5 file that is cut into chunks, or packed.

    Parameters
    ----------
    inner : str
        Its name in the file.
    packing : Packing
    seen : (int, int)
        The file's size and time when it was looked at.
    chunks : tuple of int
        The shape of a chunk.
    size : int
        The bytes that they take in the file.
    """

    inner: str
    packing: Packing
    seen: tuple[int, int]
    chunks: tuple[int, ...]
    size: int
    _honest: set[tuple[int, ...]] = field(default_factory=set, init=False, repr=False)

    @property
    def file_bytes(self) -> int:
        """The bytes of the file that the array takes."""
        return self.size

    @property
    def grain(self) -> int:
        """The rows of a chunk."""
        return self.chunks[self.axes[0]]

    def read_stored(self, start: int, stop: int) -> Array:
        """Read rows through the library, chunk after chunk."""
        with foreign(self.name, "array that is read here"):
            if facts_of(self.path.stat()) != self.seen:
                raise has_changed(self.path)
            array = self._array
            for place in self._places(start, stop) if self.packing.ratio > 1 else ():
                chunk = array.id.get_chunk_info_by_coord(place)
                if chunk.byte_offset is not None:
                    self.packing.require_honest(array, chunk)
                self._honest.add(place)
            where = (slice(None),) * self.axes[0] + (slice(start, stop),)
            return np.asarray(array[where])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_array"}

    @cached_property
    def _array(self) -> Any:
        return array_in(open_file(self.path), self.inner, self.path)

    def _places(self, start: int, stop: int) -> Iterator[tuple[int, ...]]:
        """Walk over the chunks that rows lie in, and that nobody has looked at."""
        ranges = [range(0, size, step) for size, step in zip(self.stored, self.chunks, strict=True)]
        axis = self.axes[0]
        first = start // self.grain * self.grain
        ranges[axis] = range(first, stop, self.grain)
        return (place for place in product(*ranges) if place not in self._honest)

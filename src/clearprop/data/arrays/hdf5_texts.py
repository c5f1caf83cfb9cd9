"""Texts of any length in HDF5 files, read here and not by the library.

The library allocates what a reference claims before it looks at the text, reads a text that many
references share as often, and walks through a heap without an end for ever.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.data.format import claimed_bytes
from clearprop.data.selected_rows import Array
from clearprop.errors import DataError

TEXT = np.dtypes.StringDType()
"""Variable width: one long text does not widen an array of a million."""

_REFERENCE = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])
_HEAP, _HEAP_HEAD, _OBJECT = b"GCOL\x01\0\0\0", 16, struct.Struct("<H6xQ")
_DEFLATE, _SHUFFLE = 1, 2  # the library leaves texts of any length unshuffled


def read_texts(array: Any, filters: list[int], path: Path, name: str) -> Array:
    """Read an array of texts.

    Parameters
    ----------
    array : h5py.Dataset
        Of texts of any length, one a row.
    filters : list of int
        The numbers of the filters that pack it, in the order in which they were applied.
    path : Path
        Its file.
    name : str
        The file and the array, for errors.

    Returns
    -------
    ndarray of `TEXT`, shape (N,)

    Raises
    ------
    DataError
        If it has another shape, is packed in another way than gzip's, refers to what is no text
        in this file, or holds more than the whole file does.
    """
    sizes = array.file.id.get_create_plist().get_sizes()
    if math.prod(array.shape[1:]) != 1 or not array.shape or sizes != (8, 8):
        raise DataError(f"{name} holds texts in the shape {array.shape}, expected one a row.")
    references = np.zeros(len(array), _REFERENCE)
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        claimed_bytes(references.shape, _REFERENCE, len(data) * 1032, name)
        for start, raw in _blocks(array, filters, data, name):
            block = np.frombuffer(raw, _REFERENCE)[: len(array) - start]
            references[start : start + len(block)] = block
        if int(references["length"].sum(dtype=np.uint64)) > len(data):
            raise DataError(
                f"{name} claims texts of more than the {len(data)} bytes of its file. It is "
                "damaged; get it anew."
            )
        return _texts(references, data, array.file.userblock_size, name)


def _blocks(array: Any, filters: list[int], data: mmap, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield references as they lie in the file, with the row of the first one."""
    if array.chunks is None:
        start = array.id.get_offset()
        if start is not None:
            yield 0, data[start : start + len(array) * _REFERENCE.itemsize]
            return
        raise DataError(f"{name} lies in a header, which is not read. Save it anew.")
    if array.ndim != 1 or not set(filters) <= {_DEFLATE, _SHUFFLE}:
        raise DataError(f"{name} holds texts that are packed. Save them unpacked, in one row each.")
    size = array.chunks[0] * _REFERENCE.itemsize
    for place in range(array.id.get_num_chunks()):
        (start,) = array.id.get_chunk_info(place).chunk_offset
        _, raw = array.id.read_direct_chunk((start,))
        if _DEFLATE in filters:
            raw = zlib.decompressobj().decompress(raw, size)
        if len(raw) != size:
            raise DataError(f"{name} has a chunk of another size than claimed. Get it anew.")
        yield start, raw


def _texts(references: Array, data: mmap, base: int, name: str) -> Array:
    heaps: dict[int, dict[int, tuple[int, int]]] = {}
    texts = np.empty(len(references), TEXT)
    for row, (length, heap, number) in enumerate(references.tolist()):
        if length == 0:
            continue
        if heap not in heaps:
            heaps[heap] = _objects(data, base + heap, name)
        start, size = heaps[heap].get(number, (0, -1))
        if size < length:
            raise DataError(f"{name}: row {row + 1} refers to no text. Get the file anew.")
        texts[row] = data[start : start + length].rstrip(b"\0").decode("utf-8", "replace")
    return texts


def _objects(data: mmap, start: int, name: str) -> dict[int, tuple[int, int]]:
    """Find the objects of a heap: place and size, by their numbers.

    A heap is a sign, its size, and objects: each has a number, a size, and as many bytes, filled
    up to a multiple of eight. Number 0 is free space up to the end (The HDF Group, "HDF5 file
    format specification", III.E).
    """
    if data[start : start + len(_HEAP)] != _HEAP:
        raise DataError(f"{name} refers to texts that are not in the file. Get it anew.")
    end = start + int.from_bytes(data[start + len(_HEAP) : start + _HEAP_HEAD], "little")
    found, place = {}, start + _HEAP_HEAD
    while place + _OBJECT.size <= min(end, len(data)):
        number, size = _OBJECT.unpack_from(data, place)
        place += _OBJECT.size
        if number == 0 or place + size > len(data):
            break
        found[number] = (place, size)
        place += -(-size // 8) * 8
    return found

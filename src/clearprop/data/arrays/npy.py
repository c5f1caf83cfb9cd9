"""NPY files: one array each, read together by the names that people give them."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from clearprop.data.arrays.names import Stored, role_of
from clearprop.data.arrays.parts import dataset_of, inputs_of
from clearprop.data.dataset import Dataset
from clearprop.data.format import Format, Samples, claimed_bytes, foreign
from clearprop.data.reading import DEFAULT, Reading
from clearprop.data.rows_on_disk import FileRows
from clearprop.data.selected_rows import Array
from clearprop.errors import DataError

_HEADERS: dict[tuple[int, int], Callable[..., Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class Header:
    """The header of an array as NumPy writes it, before any of it is believed.

    Parameters
    ----------
    shape : tuple of int
    fortran : bool
        Whether the first index moves fastest.
    dtype : dtype
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


def read_header(stream: IO[bytes], name: str) -> Header:
    """Read a header, and leave the stream at the first byte of the data.

    Raises
    ------
    DataError
        If NumPy did not write it.
    """
    with foreign(name, "array that NumPy wrote"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the parser thinks of a header from elsewhere
        version = np.lib.format.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"its version is {version}, expected (1, 0) or (2, 0)")
        shape, fortran, dtype = _HEADERS[version](stream)
    return Header(shape, fortran, dtype)


def require_plain(header: Header, name: str) -> None:
    """Check that an array holds numbers or text.

    Raises
    ------
    DataError
        If it holds Python objects, or anything else.
    """
    if header.dtype.hasobject:
        raise DataError(
            f"{name} holds Python objects, which are never read because they can hide code. Save "
            "one array of numbers, numpy.stack(samples), all of one shape; labels as text or "
            "numbers."
        )
    if header.dtype.kind not in "biufUS" or header.dtype.itemsize == 0:
        raise DataError(f"{name} holds {header.dtype}, which is not read; save numbers, or text.")


class Npy(Format):
    """NPY files: X.npy with y.npy beside it, X_train.npy with y_train.npy, and the like."""

    suffixes = (".npy",)
    takes_folders = takes_inputs = True

    def read(self, path: Path, reading: Reading = DEFAULT) -> Dataset:
        """Read a folder of arrays, or a file of samples with the targets beside it.

        Raises
        ------
        DataError
            If there are no samples or no targets, or an array is damaged.
        ShapeError
            If they don't belong together.
        """
        if path.is_dir():
            stored = [_stored(file) for file in self.files_in(path)]
            return dataset_of(str(path), stored, memory=reading.memory)
        this = role_of(path.stem)
        beside = [_stored(path)]
        for file in self.files_in(path.parent):
            role = role_of(file.stem)
            if (
                this
                and role
                and file != path
                and role.family == this.family
                and role.part in (this.part, "")
            ):
                beside.append(_stored(file))
        return dataset_of(str(path), beside, memory=reading.memory)

    def read_inputs(self, path: Path, reading: Reading = DEFAULT) -> Samples:
        """Read one array of samples, whatever its name.

        Raises
        ------
        DataError
            If it is damaged, or no array of finite numbers.
        """
        return inputs_of(str(path), [_stored(path)], memory=reading.memory)


def _stored(path: Path) -> Stored:
    with foreign(path, "NPY file"), path.open("rb") as stream:
        header = read_header(stream, str(path))
        start, size = stream.tell(), os.fstat(stream.fileno()).st_size

    def read() -> Array:
        _require_whole(path, header, start, size)
        return _map(path, header, start)

    def stay(memory: int) -> FileRows:
        _require_whole(path, header, start, size)
        return rows_of(path, header, start, memory, str(path))

    return Stored(path.stem, header.shape, header.dtype, read, stay)


def rows_of(path: Path, header: Header, start: int, memory: int, name: str) -> FileRows:
    """Leave an array in its file, in which it is known to lie as a whole from a byte on."""
    fortran = header.fortran and len(header.shape) > 1
    return FileRows.of(
        *(path, header.shape, header.dtype),
        offset=start,
        memory=memory,
        fortran=fortran,
        name=name,
    )


def _require_whole(path: Path, header: Header, start: int, size: int) -> None:
    require_plain(header, str(path))
    claimed = claimed_bytes(header.shape, header.dtype, size - start, str(path))
    if claimed < size - start:
        raise DataError(
            f"{path} goes on after the {claimed} bytes that its header claims. The file is "
            "damaged; get it anew."
        )


def _map(path: Path, header: Header, start: int) -> Array:
    """Let the system read the array when it is looked at; other orders of bytes are copied."""
    with foreign(path, "NPY file"):
        mapped = np.memmap(
            path, header.dtype, "r", start, header.shape, "F" if header.fortran else "C"
        )
    return np.asarray(mapped, header.dtype.newbyteorder("="), order="C")

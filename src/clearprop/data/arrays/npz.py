"""NPZ files of plain arrays."""

import os
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from clearprop.data.arrays.names import Stored, role_of
from clearprop.data.arrays.npy import Header, read_header, require_plain, rows_of
from clearprop.data.arrays.parts import MOST_LISTED, dataset_of, inputs_of
from clearprop.data.dataset import Dataset
from clearprop.data.format import (
    DEFLATE_LIMIT,
    Format,
    Samples,
    claimed_bytes,
    foreign,
    read_claimed,
)
from clearprop.data.reading import DEFAULT, Reading
from clearprop.data.rows_on_disk import FileRows
from clearprop.data.selected_rows import Array
from clearprop.errors import DataError

_PACKED = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: DEFLATE_LIMIT}
"""The compressions that NumPy writes, and the bytes that one byte can stand for at most."""

_LOCAL = struct.Struct("<4s2xHH4x3I2H")
"""What stands before a member: sign, flags, compression, CRC and sizes, the lengths of two fields.

Source: PKWARE, ".ZIP File Format Specification" 6.3.10, section 4.3.7.
"""

_ENCRYPTED, _IN_UTF8 = 1, 0x800  # flags


class Npz(Format):
    """NPZ files that NumPy writes, with samples and targets under any of their usual names."""

    suffixes = (".npz",)
    takes_folders = takes_inputs = True

    def read(self, path: Path, reading: Reading = DEFAULT) -> Dataset:
        """Read samples and targets of all parts that are there; see `parts.dataset_of`.

        A folder may have a file for each part: train.npz, val.npz, test.npz.

        Raises
        ------
        DataError
            If it can't be told which arrays these are, or one is damaged, holds Python objects, or
            has values that are not finite.
        ShapeError
            If they don't belong together.
        """
        if not path.is_dir():
            return dataset_of(str(path), *_stored(path), memory=reading.memory)
        files = self.files_in(path)
        if len(files) == 1:
            return self.read(files[0], reading)
        stored, unseen = [], 0
        for file in files:
            found, others = _stored(file)
            stored += [replace(one, name=f"{file.stem}/{one.name}") for one in found]
            unseen += others
        return dataset_of(str(path), stored, unseen, memory=reading.memory)

    def read_inputs(self, path: Path, reading: Reading = DEFAULT) -> Samples:
        """Read samples alone, shape (N, ...); see `parts.inputs_of`.

        Raises
        ------
        DataError
            If they are missing, damaged, or no array of finite numbers.
        """
        return inputs_of(str(path), *_stored(path), memory=reading.memory)


def _stored(path: Path) -> tuple[list[Stored], int]:
    """List the arrays that may be meant, and count the others."""
    with foreign(path, "NPZ file"), zipfile.ZipFile(path) as archive:
        arrays = {
            info.filename.removesuffix(".npy"): info
            for info in archive.infolist()
            if info.filename.endswith(".npy")
        }
        named = {name: info for name, info in arrays.items() if role_of(name)}
        if len(arrays) <= MOST_LISTED or not named:
            named = dict(list(arrays.items())[:MOST_LISTED])
        stored = [_stored_member(path, archive, name, info) for name, info in named.items()]
    return stored, len(arrays) - len(stored)


def _stored_member(
    path: Path, archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo
) -> Stored:
    place = f"{path}: {name}"
    if info.compress_type not in _PACKED:
        raise DataError(f"{place} is compressed in a way that NumPy does not use.")
    with archive.open(info) as stream:
        header = read_header(stream, place)

    def stay(memory: int) -> FileRows:
        return rows_of(path, header, _start_of(path, info, header, place), memory, place)

    return Stored(
        *(name, header.shape, header.dtype, lambda: _read(path, info, header, place)),
        stay if info.compress_type == zipfile.ZIP_STORED else None,
    )


def _start_of(path: Path, info: zipfile.ZipInfo, header: Header, place: str) -> int:
    """Find the byte that the numbers of an uncompressed member begin at.

    Raises
    ------
    DataError
        If the archive's list, what stands before the member, and the member differ.
    """
    require_plain(header, place)
    with foreign(path, "NPZ file"), path.open("rb") as file:
        file.seek(info.header_offset)
        sign, flags, compression, *_, name, extra = _LOCAL.unpack(file.read(_LOCAL.size))
        named = file.read(name)
        if (
            (sign, compression) != (b"PK\3\4", zipfile.ZIP_STORED)
            or flags & _ENCRYPTED
            or named != info.orig_filename.encode("utf-8" if flags & _IN_UTF8 else "cp437")
            or info.file_size != info.compress_size
        ):
            raise DataError(
                f"{place} does not lie where the archive says. The file is damaged; get it anew."
            )
        file.seek(extra, os.SEEK_CUR)
        member = file.tell()
        if read_header(file, place) != header:
            raise DataError(
                f"{place} has two headers that differ. The file is damaged; get it anew."
            )
        start, size = file.tell(), os.fstat(file.fileno()).st_size
    most = min(info.file_size - (start - member), size - start)
    if claimed_bytes(header.shape, header.dtype, most, place) < most:
        raise DataError(
            f"{place} goes on after the bytes that its header claims. The file is damaged; get it "
            "anew."
        )
    return start


def _read(path: Path, info: zipfile.ZipInfo, header: Header, place: str) -> Array:
    require_plain(header, place)
    # The archive's own claim is bounded by what is really on disk before anything is allocated.
    most = min(info.file_size, info.compress_size * _PACKED[info.compress_type])
    claimed = claimed_bytes(header.shape, header.dtype, most, place)
    with (
        foreign(path, "NPZ file"),
        zipfile.ZipFile(path) as archive,
        archive.open(info) as stream,
    ):
        read_header(stream, place)
        flat = np.frombuffer(read_claimed(stream, claimed, place), dtype=header.dtype)
    array = flat.reshape(header.shape, order="F" if header.fortran else "C")
    return np.ascontiguousarray(array, dtype=header.dtype.newbyteorder("="))

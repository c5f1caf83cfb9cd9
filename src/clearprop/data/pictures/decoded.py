"""Pictures that are too many for memory: decoded once, into a file that is read from then on.

The file is a plain NPY of bytes, whose name says of which files it is made: others, files that were
changed meanwhile, or another size have another one.
"""

import json
import math
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, replace
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

import numpy as np

from clearprop.configuration import Json
from clearprop.core.reading import parsed_json, read_bounded
from clearprop.data.arrays.npy import Header, read_header
from clearprop.data.pictures.depth import Depth
from clearprop.data.pictures.files import (
    Look,
    Pictures,
    decode,
    pictures_of,
    read_pictures,
    shape_of,
    spans_of,
)
from clearprop.data.rows_on_disk import FileRows, facts_of
from clearprop.data.selected_rows import SelectedRows
from clearprop.data.whole.whole import Memory
from clearprop.errors import DataError, OutputError

_VERSION = 1  # of how pixels come about here, and of what is kept beside them
_TOGETHER = 2**25  # bytes of pixels that are decoded before they are written
_ABOUT = 2**10  # bytes that are kept of a picture at most
_MARGIN = 2**26  # bytes on a disk that are left to others


def read_or_decode(
    paths: Sequence[Path],
    root: Path,
    size: tuple[int, int],
    channels: int,
    depth: Depth | None,
    memory: Memory,
) -> Pictures:
    """Read pictures as `read_pictures` does; into a file, once, if they take more than memory may.

    Parameters
    ----------
    paths : sequence of Path
        Files below `root`.
    root : Path
    size : (int, int)
    channels : {3, 1}
    depth : Depth or None
    memory : Memory
        Where it keeps nothing, they are read into memory, however many they are.

    Raises
    ------
    DataError
        If there is not enough disk.
    OutputError
        If the file can't be written.
    """
    shape = shape_of(size, channels)
    needed = len(paths) * math.prod(shape)
    if needed <= memory.most or memory.kept_in is None:
        return read_pictures(paths, size, channels, depth)
    path = memory.kept_in / f"pictures-{_fingerprint(paths, root, (size, channels, depth))}.npy"
    looks, was = _kept(path, len(paths), shape), "had been"
    if looks is None:
        _require_room(memory.kept_in, needed, len(paths), size)
        looks, was = _decoded(path, paths, shape, depth), "were"
    by_row = dict(enumerate(looks))
    header, offset = _header_of(path)
    rows = FileRows.of(path, header.shape, header.dtype, offset=offset, memory=memory.most)
    read = pictures_of(SelectedRows.all_of(rows), paths, by_row, spans_of(by_row), depth)
    note = (
        f"{len(rows):,} pictures {was} decoded into {path}, {rows.file_bytes / 1e9:.3g} GB, and "
        "are learned from there. Another run takes them from it, too; remove it when none will."
    )
    return replace(read, notes=(*read.notes, note))


def _fingerprint(paths: Sequence[Path], root: Path, form: object) -> str:
    """Digest the form, and of each file its place below the root, its size and its time."""
    import PIL  # here, because it is slow to import

    found = blake2b(repr((_VERSION, PIL.__version__, form)).encode(), digest_size=8)
    above = len(os.fspath(root))
    for path in paths:
        try:
            facts = facts_of(path.stat())
        except OSError:  # it will be a problem, and is none that a file which is there has
            facts = (-1, 0)
        found.update(repr((os.fspath(path)[above:], facts)).encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def _require_room(folder: Path, needed: int, count: int, size: tuple[int, int]) -> None:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed + _MARGIN:
        raise DataError(
            f"{count:,} pictures of {size[0]}x{size[1]} take {needed / 1e9:.3g} GB on disk when "
            f"they are decoded, and {folder} has {free / 1e9:.3g} GB free. Make room, choose a "
            "smaller --size, or a folder on another disk: --out FOLDER."
        )


def _decoded(
    path: Path, paths: Sequence[Path], shape: tuple[int, ...], depth: Depth | None
) -> list[Look]:
    """Decode pictures into a file, and keep what was found in theirs beside it."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    about = beside.with_suffix(".json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w+b") as file:
            looks = _written(file, paths, shape, depth)
        with about.open("wb") as file:
            file.write(json.dumps(_to_json(looks)).encode())
        about.replace(path.with_suffix(".json"))
        beside.replace(path)
    except OSError as error:
        raise OutputError(f"{path} can't be written: {error.strerror or error}.") from error
    finally:
        for one in (beside, about):
            with suppress(OSError):
                one.unlink(missing_ok=True)
    return looks


def _written(
    file: BinaryIO, paths: Sequence[Path], shape: tuple[int, ...], depth: Depth | None
) -> list[Look]:
    """Write the pictures that can be read, as many at a time as memory has room for."""
    each = math.prod(shape)
    pixels = np.empty((min(max(_TOGETHER // each, 1), len(paths)), *shape), np.uint8)
    _write_header(file, (len(paths), *shape))
    start, same, looks = file.tell(), dict[Look, Look](), list[Look]()
    for first in range(0, len(paths), len(pixels)):
        some = paths[first : first + len(pixels)]
        found = decode(pixels, some, range(len(some)), depth)
        file.write(pixels[: len(some)][[look.fault is None for look in found]].data)
        looks += [same.setdefault(look, look) for look in found]  # millions are few different ones
    is_kept = np.array([look.fault is None for look in looks])
    places = np.cumsum(is_kept) - 1
    deep = [row for row, look in enumerate(looks) if look.span is not None]
    if deep and depth is None:
        depth = Depth.covering(spans_of(dict(enumerate(looks))).values())
        for row in deep:
            (looks[row],) = decode(pixels, [paths[row]], [0], depth)
            if looks[row].fault:
                raise DataError(f"{paths[row]} {looks[row].fault}, and could be read before.")
            file.seek(start + int(places[row]) * each)
            file.write(pixels[0].data)
    file.seek(0)
    _write_header(file, (int(is_kept.sum()), *shape))
    return looks


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Write a header, whose length is the same whatever the first size is."""
    told = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, told)


def _header_of(path: Path) -> tuple[Header, int]:
    with path.open("rb") as file:
        return read_header(file, str(path)), file.tell()


def _to_json(looks: Sequence[Look]) -> dict[str, Json]:
    numbers: dict[Look, int] = {}
    codes: list[Json] = [numbers.setdefault(look, len(numbers)) for look in looks]
    return {"version": _VERSION, "looks": [list(astuple(one)) for one in numbers], "rows": codes}


def _kept(path: Path, count: int, shape: tuple[int, ...]) -> list[Look] | None:
    """Return what is kept of pictures that were decoded before; None where they are not there."""
    if not path.is_file():
        return None
    try:
        told = parsed_json(read_bounded(path.with_suffix(".json"), _ABOUT * (count + _ABOUT)))
        each = [
            Look(fault, span and tuple(span), moves, through, size and tuple(size))
            for fault, span, moves, through, size in told["looks"]
        ]
        looks = [each[code] for code in told["rows"]]
        kept = sum(look.fault is None for look in looks)
        header, offset = _header_of(path)
        is_whole = path.stat().st_size == offset + kept * math.prod(shape)
        is_same = (told["version"], len(looks), header.shape) == (_VERSION, count, (kept, *shape))
        return looks if is_whole and is_same else None
    except Exception:  # torn, or somebody else's: they are decoded anew
        return None

"""One way in: a name or a path to a data set."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from clearprop.core.reading import special_kind
from clearprop.data.arrays.hdf5 import Hdf5
from clearprop.data.arrays.idx import Idx
from clearprop.data.arrays.npy import Npy
from clearprop.data.arrays.npz import Npz
from clearprop.data.dataset import Dataset
from clearprop.data.format import Format, cannot_read
from clearprop.data.named import BUILTINS, TOYS
from clearprop.data.pictures.folders import read_folder
from clearprop.data.reading import DEFAULT, Reading, TextForm
from clearprop.data.tables import arrow
from clearprop.data.tables.column_files import MOST_PACKED, ColumnFiles
from clearprop.data.tables.column_paths import has_pattern
from clearprop.data.tables.columnar import Columnar
from clearprop.data.tables.delimited import Delimited, is_table
from clearprop.data.tables.json_lines import JsonLines
from clearprop.data.tables.text_file import STDIN
from clearprop.data.tables.workbooks import Workbook
from clearprop.data.whole import whole
from clearprop.data.whole.whole import Memory
from clearprop.errors import DataError, UsageError, is_address, nearest_file, unknown_name

FORMATS: tuple[Format, ...] = (
    *(Idx(), Delimited(), JsonLines(), Workbook(), Columnar()),
    *(Npz(), Npy(), Hdf5()),
)
"""Every format that is read; the first one that owns a file reads it."""


def format_of(path: Path, form: TextForm = DEFAULT.text) -> Format | None:
    """Return the format of a file, by its name or as it is a table of text; or None.

    Of a folder or a pattern, that of the files, where they are a table of columns.
    """
    if path.is_dir() or has_pattern(path):
        columnar = next(one for one in FORMATS if isinstance(one, Columnar))
        return columnar if has_pattern(path) or columnar.owns_folder(path) else None
    named = next((one for one in FORMATS if one.owns(path)), None)
    return Delimited() if named is None and path.is_file() and is_table(path, form) else named


def suffixes(formats: Iterable[Format]) -> str:
    """List the suffixes of formats: ".csv, .tsv or .npz"."""
    return _in_words([suffix for one in formats for suffix in one.suffixes], "or")


def names(formats: Iterable[Format], last: str) -> str:
    """List the names of formats, with a word before the last: "CSV, TSV or NPZ"."""
    return _in_words([suffix[1:].upper() for one in formats for suffix in one.suffixes], last)


def load(
    name_or_path: str | os.PathLike[str],
    *,
    target: str | None = None,
    reading: Reading = DEFAULT,
    size: tuple[int, int] | None = None,
    channels: int = 3,
    seed: int | None = None,
    memory: Memory = whole.DEFAULT,
) -> Dataset:
    """Load a data set by its name or its path.

    A name (digits, iris, wine, breast_cancer, diabetes; planar, moons, spirals, blobs, linear) goes
    before a file of the same name, which ``./`` in front tells apart. A path may be a folder of
    pictures by class, or of Parquet, NPZ, NPY, IDX or HDF5 files, or one file: a table (CSV, TSV
    and other text, packed or not; JSON Lines, Excel, Parquet, Feather; ``-`` for standard input),
    NPZ, HDF5, or NPY or IDX samples with their targets beside; or a pattern of Parquet or Arrow
    files that are one table, ``data/*.parquet``.

    Parameters
    ----------
    name_or_path : str or path-like
    target : str, optional
        The column of a table that is to be learned; see `tabular.TableFormat.read`.
    reading : Reading
        What else is said of a table beforehand.
    size : (int, int), optional
        Height and width that pictures in folders are brought to, in pixels; by default 64x64, or
        96x96 for fewer than 10,000 pictures that are mostly larger.
    channels : {3, 1}, default 3
        The channels of pictures in folders: RGB or grey.
    seed : int, optional
        The seed of generated data; each has a default, which gives planar's published points.
    memory : Memory
        What data may take: a larger table of Parquet or Arrow files stays on disk, and so do larger
        arrays in NPY, NPZ and HDF5 files, and larger pictures of folders.

    Returns
    -------
    Dataset
        Of a table that stays on disk a sample, whose `whole` knows all of it.

    Raises
    ------
    UnknownNameError
        If it is neither a name nor a path, or there is no column `target`.
    UsageError
        If `target` is given for something that is no table file.
    DataError
        If the data can't be read or contradict themselves.
    MissingExtraError
        If it is in a format whose library is not installed: h5py, pyarrow, python-calamine.
    """
    text = os.fspath(name_or_path)
    path = Path(text)
    reading = reading if target is None else replace(reading, target=target)
    reading = replace(reading, memory=memory.most)
    if text in BUILTINS or text in TOYS:
        _require_nothing_said(text, reading)
        if text in BUILTINS:
            return BUILTINS[text]()
        return TOYS[text]() if seed is None else TOYS[text](seed=seed)
    if text == STDIN:
        return Delimited().read(path, reading)
    try:
        is_folder, there = path.is_dir(), path.exists()
    except OSError as error:
        raise cannot_read(path, error) from error
    if is_folder:
        return _load_folder(path, size, channels, reading, memory)
    if not there and has_pattern(path):
        return _load_columns(path, reading, memory)
    if not there:
        raise _not_there(path, text)
    if not path.is_file():
        kind = special_kind(path.stat().st_mode)
        raise DataError(
            f"{path} is {kind}, expected a file or a folder. What comes through a pipe is read "
            "from standard input: give - for it."
        )
    owner = format_of(path, reading.text)
    if owner is None:
        others = "".join(f"{one.otherwise}, " for one in FORMATS if one.otherwise)
        raise DataError(
            f"{path} is in no format that is read here. Expected a {suffixes(FORMATS)} file, "
            f"{others}or a folder with one folder a class."
        )
    if not owner.has_columns:
        _require_nothing_said(text, reading)
    if isinstance(owner, Columnar):
        return _load_columns(path, reading, memory)
    return owner.read(path, reading)


def is_folder_of_pictures(name_or_path: str) -> bool:
    """Whether `load` takes it for a folder of picture files, all of which it brings to a size."""
    path = Path(name_or_path)
    try:
        is_folder = path.is_dir()
    except OSError:  # a name that is too long for one
        return False
    if name_or_path in BUILTINS or name_or_path in TOYS or not is_folder:
        return False
    return not any(owner.owns_folder(path) for owner in FORMATS)


def _require_nothing_said(text: str, reading: Reading) -> None:
    said = [
        name for name in ("target", "drop", "keep", "category", "number") if getattr(reading, name)
    ]
    said += ["text"] if reading.text != DEFAULT.text else []
    if said:
        about = "name a target of" if said == ["target"] else "say something of"
        known = names([one for one in FORMATS if one.has_columns], "and")
        raise UsageError(f"{text} has no columns to {about}; only {known} files have.")


def _load_folder(
    path: Path,
    size: tuple[int, int] | None,
    channels: int,
    reading: Reading,
    memory: Memory,
) -> Dataset:
    for owner in FORMATS:
        if owner.owns_folder(path):
            if isinstance(owner, Columnar):
                return _load_columns(path, reading, memory)
            _require_nothing_said(str(path), reading)
            return owner.read(path, reading)
    _require_nothing_said(str(path), reading)
    return read_folder(path, size, channels, memory=memory)


def _load_columns(path: Path, reading: Reading, memory: Memory) -> Dataset:
    """Read a table of columns, which stays on disk where it is larger than memory may be."""
    if path.is_file():
        size = path.stat().st_size
        most = memory.most if arrow.is_stream(path) else memory.most // MOST_PACKED
        if size <= most:
            return Columnar().read(path, reading)
    return whole.read_files(ColumnFiles.of(path, reading.drop), reading, memory)


def _not_there(path: Path, text: str) -> DataError | UsageError:
    if path.suffix or path.name != text:
        hint = nearest_file(text)
        advice = "" if is_address(text) else " Check the path."
        return DataError(f"There is no file or folder {text}.{hint}{advice}")
    return unknown_name("data set or path", text, [*BUILTINS, *TOYS])


def _in_words(parts: Sequence[str], last: str) -> str:
    """Join words by commas, and the last one by a word."""
    return f" {last} ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))

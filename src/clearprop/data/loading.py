"""One way in: a name or a path to a data set."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from clearprop.data.dataset import Dataset
from clearprop.data.delimited import Delimited
from clearprop.data.format import Format, cannot_read, list_folder
from clearprop.data.hdf5 import Hdf5
from clearprop.data.idx import Idx
from clearprop.data.named import BUILTINS, TOYS
from clearprop.data.npz import Npz
from clearprop.data.picture_files import DEFAULT_SIZE
from clearprop.data.picture_folders import read_folder
from clearprop.errors import DataError, UsageError, unknown_name

FORMATS: tuple[Format, ...] = (Delimited(), Npz(), Idx(), Hdf5())
"""Every format that is read; the first one that owns a file reads it."""


def format_of(path: Path) -> Format | None:
    """Return the format of a file by its name, or None."""
    return next((one for one in FORMATS if one.owns(path)), None)


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
    size: tuple[int, int] | None = None,
    channels: int = 3,
    seed: int | None = None,
) -> Dataset:
    """Load a data set by its name or its path.

    A name (digits, iris, wine, breast_cancer, diabetes; planar, moons, spirals, blobs, linear) goes
    before a file of the same name, which ``./`` in front tells apart. A path may be a folder of
    pictures by class, of IDX files or of the course's HDF5 files, or one file: CSV, TSV, NPZ, HDF5
    or IDX images with their labels beside.

    Parameters
    ----------
    name_or_path : str or path-like
    target : str, optional
        The column of a CSV or TSV file that is to be learned; see `delimited.Delimited.read`.
    size : (int, int), optional
        Height and width that pictures in folders are brought to, in pixels; 64x64 by default.
    channels : {3, 1}, default 3
        The channels of pictures in folders: RGB or grey.
    seed : int, optional
        The seed of generated data; each has a default, which gives planar's published points.

    Returns
    -------
    Dataset

    Raises
    ------
    UnknownNameError
        If it is neither a name nor a path, or there is no column `target`.
    UsageError
        If `target` is given for something that is no table file.
    DataError
        If the data can't be read or contradict themselves.
    MissingExtraError
        If it is an HDF5 file and h5py is not installed.
    """
    text = os.fspath(name_or_path)
    path = Path(text)
    if target is not None:
        tables = [one for one in FORMATS if one.has_columns]
        if not any(one.owns(path) for one in tables):
            known = names(tables, "and")
            raise UsageError(f"{text} has no columns to name a target of; only {known} files have.")
    if text in BUILTINS:
        return BUILTINS[text]()
    if text in TOYS:
        return TOYS[text]() if seed is None else TOYS[text](seed=seed)
    try:
        if path.is_dir():
            return _load_folder(path, size or DEFAULT_SIZE, channels)
        there = path.exists()
    except OSError as error:
        raise cannot_read(path, error) from error
    if not there:
        raise _not_there(path, text)
    if not path.is_file():
        raise DataError(f"{path} is neither a file nor a folder.")
    owner = format_of(path)
    if owner is None:
        others = "".join(f"{one.otherwise}, " for one in FORMATS if one.otherwise)
        raise DataError(
            f"{path} is in no format that is read here. Expected a {suffixes(FORMATS)} file, "
            f"{others}or a folder with one folder a class."
        )
    return owner.read(path, target)


def _load_folder(path: Path, size: tuple[int, int], channels: int) -> Dataset:
    files = list_folder(path)
    for owner in FORMATS:
        if owner.takes_folders and any(map(owner.owns, files)):
            return owner.read(path)
    return read_folder(path, size, channels)


def _not_there(path: Path, text: str) -> DataError | UsageError:
    if path.suffix or path.name != text:
        return DataError(f"There is no file or folder {text}. Check the path.")
    return unknown_name("data set or path", text, [*BUILTINS, *TOYS])


def _in_words(parts: Sequence[str], last: str) -> str:
    """Join words by commas, and the last one by a word."""
    return f" {last} ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))

"""One way in: a name or a path to a data set."""

import os
from pathlib import Path

from clearprop.data.builtin import BUILTINS
from clearprop.data.dataset import Dataset
from clearprop.data.delimited import read_table_dataset
from clearprop.data.folders import read_folder
from clearprop.data.hdf5 import SUFFIXES as HDF5_SUFFIXES
from clearprop.data.hdf5 import read_hdf5_dataset
from clearprop.data.idx import named_like_idx, read_idx_folder, read_idx_images
from clearprop.data.npz import read_npz_dataset
from clearprop.data.pictures import DEFAULT_SIZE
from clearprop.data.reading import cannot_read, list_folder
from clearprop.data.toy import TOYS
from clearprop.errors import DataError, UsageError, unknown_name

TABLE_SUFFIXES = (".csv", ".tsv")


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
        The column of a CSV or TSV file that is to be learned; see `delimited.read_table_dataset`.
    size : (int, int), optional
        Height and width that pictures in folders are brought to, in pixels; 64x64 by default.
    channels : {3, 1}, default 3
        Whether pictures in folders become RGB or grey.
    seed : int, optional
        Of generated data; by default its own, which gives the published points of planar.

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
    if target is not None and path.suffix.lower() not in TABLE_SUFFIXES:
        raise UsageError(f"{text} has no columns to name a target of; only CSV and TSV files have.")
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
    return _load_file(path, target)


def _load_folder(path: Path, size: tuple[int, int], channels: int) -> Dataset:
    files = list_folder(path)
    if any(named_like_idx(file) for file in files):
        return read_idx_folder(path)
    if any(file.suffix.lower() in HDF5_SUFFIXES for file in files):
        return read_hdf5_dataset(path)
    return read_folder(path, size, channels)


def _load_file(path: Path, target: str | None) -> Dataset:
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES:
        return read_table_dataset(path, target)
    if suffix == ".npz":
        return read_npz_dataset(path)
    if suffix in HDF5_SUFFIXES:
        return read_hdf5_dataset(path)
    if named_like_idx(path):
        return read_idx_images(path)
    raise DataError(
        f"{path} is in no format that is read here. Expected a .csv, .tsv, .npz, .h5 or .hdf5 "
        "file, IDX images (NAME-images-idx3-ubyte), or a folder with one folder a class."
    )


def _not_there(path: Path, text: str) -> DataError | UsageError:
    if path.suffix or path.name != text:
        return DataError(f"There is no file or folder {text}. Check the path.")
    return unknown_name("data set or path", text, [*BUILTINS, *TOYS])

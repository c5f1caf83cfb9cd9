"""The files of columns that a path stands for: itself, a folder's, or those of a pattern."""

import glob
import os
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote

from clearprop.data.format import cannot_read
from clearprop.data.tables import arrow
from clearprop.errors import DataError

_SIGNS = "*?["
_PASSED_OVER = (".", "_")  # what Spark and others leave behind
_LOGS = {"_delta_log": "Delta Lake", ".hoodie": "Hudi"}


def has_pattern(path: str | os.PathLike[str]) -> bool:
    """Whether a path is none by itself, and a pattern such as ``data/*.parquet``."""
    text = os.fspath(path)
    return any(sign in text for sign in _SIGNS) and not os.path.lexists(text)


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether a path is one, or a pattern that something matches."""
    if not has_pattern(path):
        return Path(path).exists()
    return any(glob.iglob(os.fspath(path), recursive=True))  # noqa: PTH207 - also absolute


def files_of(path: Path) -> list[Path]:
    """List the files that a path stands for: itself, those in a folder, or those of a pattern.

    Raises
    ------
    DataError
        If there is none, or one is of another kind.
    """
    if not has_pattern(path):
        if not path.is_dir():
            return [path]
        _require_plain_files(path)
        if files := sorted(filter(arrow.named_so, _walk(path))):
            return files
        raise DataError(
            f"{path} has no Parquet or Arrow file that is read: those whose names, or whose "
            "folders' names, begin with . or _ are passed over. Rename those that are data."
        )
    found: set[Path] = set()
    above = folder_of(path)
    for one in map(Path, glob.glob(str(path), recursive=True)):  # noqa: PTH207 - also absolute
        if any(part.startswith(_PASSED_OVER) for part in one.relative_to(above).parts):
            continue
        found |= set(filter(arrow.named_so, _walk(one))) if one.is_dir() else {one}
    if not found:
        raise DataError(f"No file matches {path}. Check the path, and the signs in it.")
    for folder in {one.parent for one in found} | {above}:
        _require_plain_files(folder)
    files = sorted(found)
    others = [one for one in files if not arrow.named_so(one)]
    if others:
        raise DataError(
            f"{path} matches {others[0]}, which is no Parquet or Arrow file. Several files are "
            "read as one table where they are of these formats."
        )
    return files


def _require_plain_files(folder: Path) -> None:
    """Refuse a folder of files of which some hold rows that are there no more."""
    for log, whose in _LOGS.items():
        if (folder / log).is_dir():
            raise DataError(
                f"{folder} is a table of {whose}, whose files also hold rows that were changed or "
                "deleted since. Write what it holds now to Parquet files of its own."
            )


def _walk(folder: Path) -> Iterator[Path]:
    """Walk over the files of a folder and of its folders, without hidden and temporary ones."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise cannot_read(folder, error) from error
    for one in entries:
        if one.name.startswith(_PASSED_OVER):
            continue
        if one.is_dir():
            yield from _walk(one)
        else:
            yield one


def folder_of(path: Path) -> Path:
    """Return the folder below which all files lie."""
    if not has_pattern(path):
        return path if path.is_dir() else path.parent
    plain = takewhile(lambda part: not any(sign in part for sign in _SIGNS), path.parts)
    return Path(*plain)


def told_by_folders(file: Path) -> dict[str, str]:
    """Return the columns that the folders above a file tell, ``year=2024``, as Hive writes them.

    Those of its whole path: the file alone, a pattern and the folder of all files tell the same.
    """
    pairs = [part.partition("=") for part in file.absolute().parent.parts if "=" in part]
    return {unquote(name): _told(text) for name, _, text in pairs}


def _told(text: str) -> str:
    text = unquote(text)
    return "" if text == "__HIVE_DEFAULT_PARTITION__" else text

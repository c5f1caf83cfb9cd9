"""A format of files, and reading what a file claims to hold without believing the claim."""

import errno
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np

from clearprop.data.dataset import Dataset, Problem, Raw
from clearprop.data.reading import DEFAULT, Reading, TextForm
from clearprop.data.tables.understood import Understood
from clearprop.errors import ClearpropError, DataError, nearest_file

DEFLATE_LIMIT = 1032
"""Bytes that one compressed byte can stand for at most.

Source: Deutsch, RFC 1951 (1996): a match of 258 bytes takes at least two bits.
"""

MOST_DIMENSIONS = 64
"""Dimensions that an array of NumPy can have."""

_STEP = 2**20  # bytes
_EXCERPT = 80  # characters of a shape in a message


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples without targets, as a file gives them.

    Parameters
    ----------
    raw : ndarray or Table, N rows
    notes : tuple of str
        Sentences on what was understood, changed or left out, the most important first.
    problems : tuple of Problem
        The parts of the file that were left out.
    columns : tuple of Understood
        The columns of a table, as they were understood.
    """

    raw: Raw
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    columns: tuple[Understood, ...] = ()


class Format(ABC):
    """A format that data sets are read from: a new one is a subclass, and a place in `FORMATS`.

    Attributes
    ----------
    suffixes : tuple of str
        The ends of its files' names, in small letters.
    otherwise : str
        The names of its files where no suffix tells them.
    has_columns : bool
        Whether its files are tables, one column of which is the target.
    takes_folders : bool
        Whether a folder of its files is read as one data set.
    takes_inputs : bool
        Whether samples without targets are read from it, to predict from.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    otherwise: ClassVar[str] = ""
    has_columns: ClassVar[bool] = False
    takes_folders: ClassVar[bool] = False
    takes_inputs: ClassVar[bool] = False

    def owns(self, path: Path) -> bool:
        """Whether a file is of this format, by its name."""
        return path.suffix.lower() in self.suffixes

    def owns_folder(self, folder: Path) -> bool:
        """Whether a folder is read as one data set of this format, by the names in it.

        Folders in it may be classes of pictures: then stray files of other formats don't count.
        """
        return self.takes_folders and bool(self.files_in(folder)) and not _has_folders(folder)

    def files_in(self, folder: Path, *, inner: bool = False) -> list[Path]:
        """List the files of this format in a folder, sorted; then perhaps those of its folders."""
        entries = list_folder(folder)
        found = [path for path in entries if self.owns(path) and path.is_file()]
        if inner:
            for one in filter(Path.is_dir, entries):
                found += self.files_in(one)
        return found

    @abstractmethod
    def read(self, path: Path, reading: Reading = DEFAULT) -> Dataset:
        """Read a file, or a folder where it `takes_folders`.

        Parameters
        ----------
        path : Path
        reading : Reading
            What is said of a table beforehand, where it `has_columns`.

        Raises
        ------
        DataError
            If it can't be read, or contradicts itself.
        """

    def column_names(self, path: Path, form: TextForm = DEFAULT.text) -> Sequence[str]:
        """Return the names of a table's columns, where it `has_columns`."""
        raise NotImplementedError

    def read_inputs(self, path: Path, reading: Reading = DEFAULT) -> Samples:
        """Read samples alone, where it `takes_inputs`; a table may have its target, too."""
        raise NotImplementedError


def claimed_bytes(shape: tuple[int, ...], dtype: np.dtype[Any], most: int, name: str) -> int:
    """Return the bytes of an array that a header claims: the one door for sizes from files.

    Parameters
    ----------
    shape : tuple of int
        The claim, of any size and sign.
    dtype : dtype
    most : int
        The bytes that the file can hold of it.
    name : str
        The file and the array, for the error.

    Raises
    ------
    DataError
        If no such array can be, or the file can't hold it.
    """
    if len(shape) > MOST_DIMENSIONS:
        raise DataError(
            f"{name} claims {len(shape)} dimensions, expected at most {MOST_DIMENSIONS}. The file "
            "is damaged; get it anew."
        )
    # Each size by itself first: their product may have thousands of digits.
    if (
        not all(0 < size <= most for size in shape)
        or (claimed := math.prod(shape) * dtype.itemsize) > most
    ):
        text = "x".join(str(size) if abs(size) < 2**64 else "..." for size in shape)
        text = text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 3]}..."
        raise DataError(
            f"{name} claims the shape {text or 'of one'} of {dtype}, which a file of its size "
            f"can't hold: {most} bytes at most. It is empty or damaged; get it anew."
        )
    return claimed


@contextmanager
def foreign(path: str | os.PathLike[str], kind: str) -> Iterator[None]:
    """Name the file, and its kind, in whatever the libraries raise that take its bytes apart.

    Raises
    ------
    DataError
        For any error but our own, and a lack of memory.
    """
    try:
        yield
    except (ClearpropError, MemoryError):
        raise
    except Exception as error:  # a library may raise anything on bytes that nobody thought of
        # A place that no file can have is the file's own mistake, not the system's.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise cannot_read(path, error) from error
        found = _instead(path) or str(error) or type(error).__name__
        raise DataError(
            f"{os.fspath(path)} is no {kind}, or damaged: {found[:_EXCERPT]}. Get it anew."
        ) from error


def _instead(path: str | os.PathLike[str]) -> str | None:
    """Name what downloads leave behind in the place of a file."""
    file = Path(path)
    if not file.is_file():  # the name of an array in one
        return None
    try:
        with file.open("rb") as stream:
            start = stream.read(512).lstrip().lower()
    except OSError:
        return None
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS, which `git lfs pull` turns into the data"
    return "it is a web page" if start.startswith((b"<!doctype html", b"<html")) else None


def read_claimed(stream: IO[bytes] | BufferedIOBase, size: int, name: str) -> bytearray:
    """Read exactly `size` bytes, growing only as they really come.

    Raises
    ------
    DataError
        If `stream` ends before, or goes on after them.
    """
    data = bytearray()
    while step := stream.read(min(_STEP, size + 1 - len(data))):
        data += step
        if len(data) > size:
            raise DataError(
                f"{name} goes on after the {size} bytes that its header claims. "
                "The file is damaged; get it anew."
            )
    if len(data) < size:
        raise DataError(
            f"{name} ends after {len(data)} bytes of data, but its header claims {size}. "
            "The file is truncated; get it anew."
        )
    return data


def list_folder(folder: Path) -> list[Path]:
    """List what is in a folder, sorted.

    Raises
    ------
    DataError
        If it can't be listed.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise cannot_read(folder, error) from error


def _has_folders(folder: Path) -> bool:
    """Whether there are folders in a folder, but for hidden ones and what archives leave behind."""
    return any(
        path.is_dir() and not path.name.startswith((".", "__")) for path in list_folder(folder)
    )


def cannot_read(path: str | os.PathLike[str], error: OSError) -> DataError:
    """Make the error for a file or folder that the system does not let us read."""
    reason = str(error.strerror or error)
    is_pipe = reason.startswith("it is a pipe")  # as `open_to_read` says
    advice = (
        "What comes through a pipe is read from standard input: give - for it."
        if is_pipe
        else "Check that it is there and that you may read it."
    )
    if isinstance(error, FileNotFoundError):
        advice = f"{nearest_file(path).lstrip()} {advice}".lstrip()
    return DataError(f"{os.fspath(path)} can't be read: {reason}. {advice}")

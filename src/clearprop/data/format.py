"""A format of files, and reading what a file claims to hold without believing the claim."""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import IO, ClassVar

from clearprop.data.dataset import Dataset, Problem, Raw
from clearprop.data.reading import DEFAULT, Reading, TextForm
from clearprop.errors import DataError

DEFLATE_LIMIT = 1032
"""Bytes that one compressed byte can stand for at most.

Source: Deutsch, RFC 1951 (1996): a match of 258 bytes takes at least two bits.
"""

_STEP = 2**20  # bytes


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
    """

    raw: Raw
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


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


def cannot_read(path: str | os.PathLike[str], error: OSError) -> DataError:
    """Make the error for a file or folder that the system does not let us read."""
    return DataError(
        f"{os.fspath(path)} can't be read: {error.strerror or error}. "
        "Check that it is there and that you may read it."
    )

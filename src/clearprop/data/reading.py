"""Reading what a file claims to hold without believing the claim."""

import os
from pathlib import Path
from typing import Protocol

from clearprop.errors import DataError

DEFLATE_LIMIT = 1032
"""Bytes that one compressed byte can stand for at most.

Source: Deutsch, RFC 1951 (1996): a match of 258 bytes takes at least two bits.
"""

_STEP = 2**20  # bytes


class Readable(Protocol):
    """Anything with a file's `read`."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


def read_claimed(stream: Readable, size: int, name: str) -> bytearray:
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


def read_at_once(stream: Readable, size: int, path: Path) -> bytes:
    """Read the few bytes of a header.

    Raises
    ------
    DataError
        If `stream` ends before.
    """
    data = stream.read(size)
    if len(data) < size:
        raise DataError(f"{path} ends within its header. The file is truncated; get it anew.")
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

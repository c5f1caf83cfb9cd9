"""Arrays in memory that processes of one machine have together, where the system is Linux.

The memory has a name for nobody but who can look into the process that made it, and none in any
folder: so it is gone when the last of its users is, however they end. Elsewhere, and where others
may not look into that process, there is none of it, and arrays travel through the network.
"""

import mmap
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clearprop.core.parameters import Array


@dataclass(frozen=True)
class Place:
    """Where another process finds an array.

    Parameters
    ----------
    path : str
        The path of the memory among the open files of the process that made it.
    target : str
        What that path leads to on the same machine: it has a random word in it, so that whoever
        reads it there has proven that it is.
    shape : tuple of int
    dtype : str
    """

    path: str
    target: str
    shape: tuple[int, ...]
    dtype: str

    def open(self) -> Array | None:
        """Return the array, zero at first; None where it can't be reached from this process."""
        try:
            if str(Path(self.path).readlink()) != self.target:
                return None
            file = os.open(self.path, os.O_RDWR)
        except OSError:  # another machine or container, another user, or no such system
            return None
        try:
            return _mapped(file, self)
        finally:
            os.close(file)


class SharedArray:
    """An array that other processes of this machine can open, as long as it is not closed.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy.dtype

    Attributes
    ----------
    array : ndarray
        Zero at first. Only what is written to takes memory.
    place : Place

    Raises
    ------
    OSError
        If the system has no such memory, or no more of it.
    """

    def __init__(self, shape: tuple[int, ...], dtype: "np.dtype[np.generic]") -> None:
        if sys.platform != "linux":
            raise OSError("memory without a name can be had on Linux alone")
        name = f"clearprop-{secrets.token_hex(16)}"
        self._file = os.memfd_create(name)
        path = f"/proc/{os.getpid()}/fd/{self._file}"
        self.place = Place(path, f"/memfd:{name} (deleted)", shape, dtype.str)
        try:
            os.ftruncate(self._file, max(1, int(np.prod(shape)) * dtype.itemsize))
            self.array = _mapped(self._file, self.place)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let nobody open it any more; who has it, keeps it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _mapped(file: int, place: Place) -> Array:
    count, dtype = int(np.prod(place.shape)), np.dtype(place.dtype)
    memory = mmap.mmap(file, max(1, count * dtype.itemsize))
    return np.frombuffer(memory, dtype, count).reshape(place.shape)

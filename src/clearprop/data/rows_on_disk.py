"""Arrays that stay in their files: rows are read as they are asked for, and no others.

They are read, not mapped: a mapped file that is cut off meanwhile ends the process without a word,
and whoever waits for a page of it keeps every other thread of Python waiting.
"""

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.errors import DataError

Array: TypeAlias = NDArray[Any]
Change: TypeAlias = Callable[[Array], Array]

_NEAR = 2**16  # bytes between wanted rows that are quicker read than passed over
_GRAINS = 64  # rows that are best read together would fit as often into the memory they may take
_SPAN = 2**24  # bytes that are read together for rows that are near each other


@dataclass(frozen=True, eq=False, kw_only=True)
class RowsOnDisk(ABC):
    """An array (N, ...) in a file, of numbers.

    Parameters
    ----------
    path : Path
    name : str
        The file, and the array in it, for messages.
    stored : tuple of int
        The shape that the file gives it, the last index of which moves fastest.
    kind : dtype
        The numbers as the file has them.
    memory : int
        The bytes that rows of it may take in memory while they are learned from.
    axes : tuple of int
        The axes of `stored` in the array's order.
    changes : tuple of callable
        What is done to rows that were read, (B, ...), one after the other.
    """

    path: Path
    name: str
    stored: tuple[int, ...]
    kind: np.dtype[Any]
    memory: int
    axes: tuple[int, ...]
    changes: tuple[Change, ...] = ()

    @abstractmethod
    def read_stored(self, start: int, stop: int) -> Array:
        """Read rows in the layout of `stored`, whose axis ``axes[0]`` they are taken along.

        Raises
        ------
        DataError
            If the file can't be read, or is not as it was.
        """

    @property
    @abstractmethod
    def file_bytes(self) -> int:
        """The bytes of the file that the array takes."""

    @property
    def grain(self) -> int:
        """The number of rows that are best read together: from multiples of it, and as many."""
        return 1

    @cached_property
    def _none(self) -> Array:
        """Rows as they are read, but none of them."""
        return self._changed(np.empty((0, *(self.stored[axis] for axis in self.axes[1:]))))

    def _changed(self, rows: Array) -> Array:
        rows = rows.astype(self.kind.newbyteorder("="), copy=False)
        for change in self.changes:
            rows = change(rows)
        return rows

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape (N, ...)."""
        return (self.stored[self.axes[0]], *self._none.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of rows that were read."""
        return self._none.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes that all rows would take in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, start: int, stop: int) -> Array:
        """Read neighbouring rows, (stop - start, ...)."""
        return self._changed(self.read_stored(start, stop).transpose(self.axes))

    def expect(self, start: int, stop: int) -> None:  # noqa: B027 - not all can be had beforehand
        """Hear that neighbouring rows are read soon."""

    def __getitem__(self, rows: Any) -> Array:
        """Read rows: a slice of them, or those at some places, in any order."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                return self.read(start, max(start, stop))
        places = np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows)
        if places.ndim == 0:
            return self.read(int(places), int(places) + 1)[0]
        return self._gathered(np.flatnonzero(places) if places.dtype == bool else places)

    def _gathered(self, places: NDArray[np.int64]) -> Array:
        """Read rows at some places: those that are near each other at a time."""
        found = np.empty((len(places), *self.shape[1:]), self.dtype)
        if not len(places):
            return found
        order = np.argsort(places, kind="stable")
        ordered = places[order]
        each = max(self.nbytes // len(self), 1)
        is_far = np.diff(ordered) > max(_NEAR // each, self.grain)
        is_far |= np.diff(ordered // max(_SPAN // each, 1)) > 0
        for some in np.split(order, np.flatnonzero(is_far) + 1):
            start, stop = int(places[some[0]]), int(places[some[-1]]) + 1
            found[some] = self.read(start, stop)[places[some] - start]
        return found

    def changed(self, change: Change) -> "RowsOnDisk":
        """Return the same, with rows changed as they are read.

        Parameters
        ----------
        change : callable
            Takes rows (B, ...) of any number, 0 too, and returns as many, each from its own alone.
        """
        return replace(self, changes=(*self.changes, change))

    def samples_last(self) -> "RowsOnDisk":
        """Return the array whose last axis is the first one."""
        return replace(self, axes=(self.axes[-1], *self.axes[:-1]))


@dataclass(frozen=True, eq=False, kw_only=True)
class FileRows(RowsOnDisk):
    """An array whose numbers lie in a file one after the other.

    Parameters
    ----------
    offset : int
        The place of the first, in bytes.
    seen : (int, int)
        The file's size and time when it was looked at.
    """

    offset: int
    seen: tuple[int, int]

    @classmethod
    def of(
        cls,
        path: Path,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        *,
        offset: int,
        memory: int,
        fortran: bool = False,
        name: str | None = None,
    ) -> "FileRows":
        """Describe an array that is known to lie in a file as a whole.

        Parameters
        ----------
        path : Path
        shape : tuple of int
        dtype : dtype
            In the file's order of bytes.
        offset : int
        memory : int
        fortran : bool, default False
            Whether the first index moves fastest.
        name : str, optional
            The file's path unless given.
        """
        axes = tuple(range(len(shape)))
        return cls(
            path=path,
            name=name or str(path),
            stored=shape[::-1] if fortran else shape,
            kind=dtype,
            memory=memory,
            axes=axes[::-1] if fortran else axes,
            # Sums come out to the same bits as of an array in memory.
            changes=(np.ascontiguousarray,) if fortran else (),
            offset=offset,
            seen=facts_of(path.stat()),
        )

    @property
    def file_bytes(self) -> int:
        """The bytes of the file that the array takes."""
        return math.prod(self.stored) * self.kind.itemsize

    @property
    def grain(self) -> int:
        """One row, but where each has its numbers at many places of the file."""
        if self.axes[0] == 0:
            return 1
        along = math.prod(self.stored[self.axes[0] + 1 :]) * self.kind.itemsize
        each = max(self.file_bytes // len(self), 1)
        return max(min(_NEAR // along, self.memory // _GRAINS // each), 1)

    def expect(self, start: int, stop: int) -> None:
        """Have the system read neighbouring rows, where it can, while others are prepared."""
        if not hasattr(os, "posix_fadvise") or self.axes[0] != 0:
            return
        each = self.file_bytes // self.stored[0]
        with suppress(OSError), FileIO(self.path) as file:  # whoever reads them tells of it
            first, size = self.offset + start * each, (stop - start) * each
            os.posix_fadvise(file.fileno(), first, size, os.POSIX_FADV_WILLNEED)

    def read_stored(self, start: int, stop: int) -> Array:
        """Read rows, each part of which lies along the rows' axis."""
        axis = self.axes[0]
        rows = np.empty((*self.stored[:axis], stop - start, *self.stored[axis + 1 :]), self.kind)
        parts = math.prod(self.stored[:axis])
        size = rows.nbytes // max(parts, 1)
        step = self.file_bytes // max(parts, 1)  # from part to part
        first = self.offset + start * (step // self.stored[axis])
        into = rows.reshape(-1).view(np.uint8).data
        try:
            with FileIO(self.path) as file:
                self._require_same(os.fstat(file.fileno()))
                for part in range(parts if size else 0):
                    file.seek(first + part * step)
                    self._fill(file, into[part * size : (part + 1) * size])
        except OSError as error:
            raise DataError(
                f"{self.name} can't be read any more: {error.strerror or error}. Put it back, and "
                "start anew."
            ) from error
        return rows

    def _require_same(self, found: os.stat_result) -> None:
        if found.st_size < self.seen[0]:
            raise self._cut_off(found.st_size)
        if facts_of(found) != self.seen:
            raise has_changed(self.name)

    def _fill(self, file: FileIO, into: memoryview) -> None:
        while into:
            count = file.readinto(into)
            if not count:
                raise self._cut_off(os.fstat(file.fileno()).st_size)
            into = into[count:]

    def _cut_off(self, size: int) -> DataError:
        return DataError(
            f"{self.name} is cut off: {self.path.name} had {self.seen[0]:,} bytes when it was "
            f"looked at, and has {size:,}. Put it back, and start anew."
        )


def facts_of(found: os.stat_result) -> tuple[int, int]:
    """Return what tells whether a file was written to: its size, and its time in nanoseconds."""
    return found.st_size, found.st_mtime_ns


def has_changed(name: object) -> DataError:
    """Return the error of a file that was written to since it was looked at."""
    return DataError(
        f"{name} has changed since it was looked at. Leave data alone while they are learned from, "
        "and start anew."
    )

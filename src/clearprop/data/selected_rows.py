"""Rows of arrays that may be larger than what can be copied: chosen, and walked block by block."""

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clearprop.data.rows_on_disk import Change, RowsOnDisk
from clearprop.errors import DataError

Array: TypeAlias = NDArray[Any]

COPY_LIMIT = 256 * 2**20
"""Bytes up to which chosen rows are copied; above, they stay where they are (`SelectedRows`)."""

_PARTS = 8  # of the memory that rows on disk may take: one may be held out, and copied

_BLOCK = 16 * 2**20  # bytes: large enough for NumPy's speed, small enough to be forgotten


class SelectedRows:
    """Rows of an array, chosen without copying them.

    Training and held-out samples of several GB of pictures are two of these over one array.

    Parameters
    ----------
    base : ndarray or RowsOnDisk, shape (N, ...)
        The array that holds the rows.
    indices : ndarray of int64, shape (K,)
        The places of the rows, in order.
    """

    __slots__ = ("base", "indices")

    def __init__(self, base: Array | RowsOnDisk, indices: NDArray[np.int64]) -> None:
        self.base = base
        self.indices = indices

    @classmethod
    def all_of(cls, base: RowsOnDisk) -> "SelectedRows":
        """Choose every row of an array on disk."""
        return cls(base, np.arange(len(base)))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape (K, ...)."""
        return (len(self.indices), *self.base.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The array's dtype."""
        return self.base.dtype

    @property
    def ndim(self) -> int:
        """The array's number of dimensions."""
        return self.base.ndim

    @property
    def nbytes(self) -> int:
        """The bytes that a copy of the chosen rows would take."""
        return len(self) * math.prod(self.shape[1:]) * self.dtype.itemsize

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, rows: Any) -> Array:
        chosen: Array = self.base[self.indices[rows]]
        return chosen

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("chosen rows can't become an array without a copy")
        return self.base[self.indices].astype(dtype or self.base.dtype, copy=False)


def take_rows(rows: Array | SelectedRows, indices: NDArray[np.int64]) -> Array | SelectedRows:
    """Choose rows, (K, ...): as a copy while that is at most `COPY_LIMIT`, else without copying."""
    selected = (
        SelectedRows(rows.base, rows.indices[indices])
        if isinstance(rows, SelectedRows)
        else SelectedRows(rows, indices)
    )
    return selected if selected.nbytes > copied_of(selected, COPY_LIMIT) else selected[:]


def on_disk(rows: Any) -> RowsOnDisk | None:
    """Return the array on disk whose rows these are; None of rows in memory, and of tables."""
    base = rows.base if isinstance(rows, SelectedRows) else rows
    return base if isinstance(base, RowsOnDisk) else None


def copied_of(rows: Array | SelectedRows, most: int) -> int:
    """Return the bytes up to which a part of rows may be in memory: of those on disk, fewer."""
    base = on_disk(rows)
    return most if base is None else min(most, base.memory // _PARTS)


def some_in_memory(rows: Array | SelectedRows) -> NDArray[np.int64] | None:
    """Choose rows of an array on disk, evenly, that may be in memory; None of other rows: all."""
    if on_disk(rows) is None:
        return None
    count = copied_of(rows, COPY_LIMIT) * len(rows) // max(rows.nbytes, 1)
    return np.linspace(0, len(rows) - 1, min(max(count, 1), len(rows))).astype(np.int64)


def changed(rows: Array | SelectedRows, change: Change) -> Array | SelectedRows:
    """Change each row by itself: at once, or of an array on disk as it is read.

    Parameters
    ----------
    rows : ndarray or SelectedRows, shape (N, ...)
    change : callable
        Takes rows (B, ...) of any number, and returns as many, each from its own alone.
    """
    if not isinstance(rows, SelectedRows):
        return change(rows)
    base = rows.base
    return SelectedRows(
        base.changed(change) if isinstance(base, RowsOnDisk) else change(base), rows.indices
    )


def blocks(rows: Array | SelectedRows) -> Iterator[tuple[slice, Array]]:
    """Walk over rows in consecutive blocks of about 16 MiB.

    Yields
    ------
    slice, ndarray
        The places of the rows, and the rows themselves.
    """
    base = on_disk(rows)
    grain = 1 if base is None else base.grain
    step = max(1, _BLOCK * len(rows) // max(1, rows.nbytes) // grain) * grain
    for start in range(0, len(rows), step):
        where = slice(start, min(start + step, len(rows)))
        yield where, rows[where]


def require_finite(rows: Array | SelectedRows, name: str) -> None:
    """Check that every number is finite.

    Raises
    ------
    DataError
        Naming the position of the first that is not.
    """
    if rows.dtype.kind != "f":
        return
    for where, block in blocks(rows):
        finite = np.isfinite(block)
        if not finite.all():
            first = tuple(np.argwhere(~finite)[0].tolist())
            place = ", ".join(map(str, (where.start + first[0], *first[1:])))
            raise DataError(
                f"{name}[{place}] is {block[first]}, expected a finite number. "
                "Fill or remove the samples with missing and infinite values."
            )

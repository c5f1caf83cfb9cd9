"""Arrays on disk as a training takes them: small pieces from all over the file, block after block.

Samples often lie in the file class after class, or as they were recorded. A block is therefore no
stretch of the file: its pieces lie evenly all over it, each long enough to be read at the speed of
one that goes on. Pieces are numbered by the order of the fractions of k / golden ratio, so that any
neighbours among them are spread so. Source: Swierczkowski, "On successive settings of an arc on the
circumference of a circle" (1958).
"""

import math
import zlib
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clearprop.data import Dataset
from clearprop.data.rows_on_disk import RowsOnDisk
from clearprop.data.selected_rows import Array, SelectedRows, on_disk
from clearprop.errors import naming
from clearprop.preprocessing.blocks import Block, Blocks
from clearprop.preprocessing.recipe import Preprocessing
from clearprop.preprocessing.targets import ClassTarget

_LEAST, _MOST = 2**12, 2**20  # bytes of a piece
_PIECES = 2**10  # that would fit into the memory that samples may take, unless they were too small
_GOLDEN = (math.sqrt(5) - 1) / 2
_LOOKED_AT = 64  # rows whose bytes tell one array from another


def stays_on_disk(dataset: Dataset) -> bool:
    """Whether samples are learned from block by block, as `ArrayBlocks`."""
    return on_disk(dataset.X) is not None


class ArrayBlocks(Blocks):
    """The samples of an array that stays on disk; their targets are in memory.

    Parameters
    ----------
    train : Dataset
        Samples that are rows of an array on disk.
    recipe : Preprocessing
    dtype : dtype-like
        float32 or float64.
    """

    def __init__(self, train: Dataset, recipe: Preprocessing, dtype: DTypeLike) -> None:
        assert isinstance(train.X, SelectedRows)  # noqa: S101 - see `stays_on_disk`
        assert isinstance(train.X.base, RowsOnDisk)  # noqa: S101
        self.base, self.inputs = train.X.base, recipe.inputs
        self.places, self.y = train.X.indices, recipe.target.encode(train)
        if (np.diff(self.places) < 0).any():
            order = np.argsort(self.places, kind="stable")
            self.places, self.y = self.places[order], self.y[order]
        self.input_shape = recipe.inputs.input_shape
        self.dtype, self.memory = np.dtype(dtype), self.base.memory
        target = recipe.target
        self._classes = len(target.class_names) if isinstance(target, ClassTarget) else 0

    @cached_property
    def _piece(self) -> int:
        """The number of rows of a piece."""
        each = self.base.nbytes // len(self.base)
        size = min(max(self.memory // _PIECES, _LEAST), _MOST)
        rows = max(size // max(each, 1), 1)
        return -(-rows // self.base.grain) * self.base.grain

    @cached_property
    def _firsts(self) -> NDArray[np.int64]:
        """The first row of each piece, shape (P,): neighbours among pieces lie far apart."""
        firsts = np.arange(0, len(self.base), self._piece)
        firsts[np.argsort(np.arange(len(firsts)) * _GOLDEN % 1)] = firsts.copy()
        return firsts

    @cached_property
    def _spans(self) -> NDArray[np.int64]:
        """The places among all samples of the first of each piece, and behind it, shape (P, 2)."""
        ends = np.stack([self._firsts, self._firsts + self._piece], axis=1)
        return np.searchsorted(self.places, ends)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The number of samples of each piece that are learned from, shape (P,)."""
        return np.diff(self._spans)[:, 0]

    @cached_property
    def runs(self) -> Sequence[int]:
        """The run of each piece: every one can be read by itself."""
        return range(len(self.counts))

    def cut(self, rows: int) -> tuple[Block, ...]:
        """Cut all samples into equal blocks of about so many, a piece at least."""
        counts = self.counts
        number = min(-(-len(self) // rows), len(counts))
        ends = [len(counts) * place // number for place in range(number + 1)]
        blocks = (range(start, end) for start, end in pairwise(ends))
        cut = (Block(one.start, one, int(counts[one].sum())) for one in blocks)
        return tuple(block for block in cut if block.rows)

    def expect(self, block: Block) -> None:
        """Have the system read the pieces of a block."""
        for piece in block.pieces:
            first = int(self._firsts[piece])
            self.base.expect(first, min(first + self._piece, len(self.base)))

    def place_of(self, piece: int) -> str:
        """Name the file, and the array in it."""
        return self.base.name

    def read_piece(self, piece: int, X: Array) -> NDArray[Any]:
        """Read the samples of a piece that are learned from."""
        first, last = self._spans[piece]
        places = self.places[first:last]
        start, stop = int(places[0]), int(places[-1]) + 1
        rows = self.base.read(start, stop)
        if len(rows) > len(places):
            rows = rows[places - start]
        with naming(self.base.name):
            X[...] = self.inputs.transform(rows, self.dtype)
        return self.y[first:last]

    def checksum(self) -> int:
        """Return the CRC-32 of targets, of places in the file, of the recipe, and of some rows."""
        rows = np.linspace(0, len(self) - 1, min(_LOOKED_AT, len(self))).astype(np.int64)
        found = zlib.crc32(repr((self.base.shape, self.inputs)).encode())
        for array in (self.places, self.y, self.base[self.places[rows]]):
            found = zlib.crc32(np.ascontiguousarray(array).data.cast("B"), found)
        return found

    @property
    def class_counts(self) -> NDArray[np.int64] | None:
        """The number of samples of each class."""
        return np.bincount(self.y, minlength=self._classes) if self._classes else None

    @property
    def file_bytes(self) -> int:
        """The bytes of the file that the array takes."""
        return self.base.file_bytes

"""Blocks of samples in memory, which tell what was read of them, and break where they are told."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import DataError
from clearprop.preprocessing.blocks import Blocks


class SmallBlocks(Blocks):
    """Pieces of rows of arrays.

    Parameters
    ----------
    X : ndarray, shape (N, ...)
    y : ndarray, shape (N,)
    counts : sequence of int
        The rows of each piece.
    runs : sequence of int, optional
        The run of each piece; each is one of its own unless given.
    memory : int
        The bytes that samples may take.

    Attributes
    ----------
    pieces : list of int
        The pieces that were read, in order.
    broken : int or None
        The piece that can't be read.
    left : int or None
        The number of pieces that are read before the next one can't be.
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        counts: Sequence[int],
        runs: Sequence[int] | None = None,
        memory: int = 1,
    ) -> None:
        assert sum(counts) == len(X) == len(y)
        self.X, self.y, self.memory = X, y, memory
        self.dtype, self.input_shape = X.dtype, X.shape[1:]
        self._counts, self._runs = np.array(counts), runs or [*range(len(counts))]
        self.starts = np.cumsum([0, *counts])
        self.pieces: list[int] = []
        self.broken: int | None = None
        self.left: int | None = None

    @classmethod
    def numbered(
        cls, counts: Sequence[int], runs: Sequence[int] | None = None, memory: int = 1
    ) -> "SmallBlocks":
        """Make samples that are their own numbers."""
        rows = np.arange(sum(counts))
        return cls(rows[:, None].astype(np.float64), rows, counts, runs, memory)

    @property
    def counts(self) -> Any:
        return self._counts

    @property
    def runs(self) -> Sequence[int]:
        return self._runs

    def read_piece(self, piece: int, X: Array) -> Any:
        if piece == self.broken or len(self.pieces) == self.left:
            raise DataError(f"{self.place_of(piece)} can't be read.")
        self.pieces.append(piece)
        rows = slice(self.starts[piece], self.starts[piece + 1])
        X[...] = self.X[rows]
        return self.y[rows]

    def place_of(self, piece: int) -> str:
        return f"piece {piece}"

    def checksum(self) -> int:
        return int(self.y.sum())

    @property
    def class_counts(self) -> Any:
        return np.bincount(self.y) if self.y.dtype.kind == "i" else None

    @property
    def file_bytes(self) -> int:
        return self.X.nbytes

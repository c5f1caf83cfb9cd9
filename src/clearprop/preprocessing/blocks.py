"""Samples on disk as a training takes them: block after block, prepared by a recipe."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clearprop.data import Dataset, Table
from clearprop.data.selected_rows import Array
from clearprop.data.tables.table import Column, Words, as_words
from clearprop.data.target import index_labels
from clearprop.data.whole.whole import Whole
from clearprop.errors import DataError, naming
from clearprop.preprocessing.recipe import Preprocessing
from clearprop.preprocessing.table_recipe import TableRecipe
from clearprop.preprocessing.targets import ClassTarget


@dataclass(frozen=True)
class Block:
    """Some samples that are read together.

    Parameters
    ----------
    run : int
        The run of files that it lies in: blocks of one run are best read in order.
    pieces : range
        The pieces that it consists of.
    rows : int
        The number of its samples that are learned from.
    """

    run: int
    pieces: range
    rows: int


class Blocks(ABC):
    """Samples that are prepared block by block, each of one or more pieces.

    Attributes
    ----------
    input_shape : tuple of int
        The shape of a sample.
    dtype : dtype
    memory : int
        The bytes that samples may take in memory at a time.
    """

    input_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    memory: int

    @property
    @abstractmethod
    def counts(self) -> NDArray[np.int64]:
        """The number of samples of each piece that are learned from, shape (P,)."""

    @property
    @abstractmethod
    def runs(self) -> Sequence[int]:
        """The run of each piece, such as a row group: its pieces are best read in order."""

    @abstractmethod
    def read_piece(self, piece: int, X: Array) -> NDArray[Any]:
        """Write the prepared samples of a piece into `X`, and return their targets.

        Parameters
        ----------
        piece : int
        X : ndarray, shape (counts[piece], *input_shape)

        Raises
        ------
        DataError
            If it can't be read any more, or has other samples than it had.
        """

    def apart(self) -> "Blocks":
        """Return the same, to be read by somebody else at the same time."""
        return self

    def expect(self, block: Block) -> None:  # noqa: B027 - what lies in memory needs no help
        """Hear that a block is read next, while another one is read."""

    @abstractmethod
    def place_of(self, piece: int) -> str:
        """Name the file, or whatever else it is, that a piece lies in."""

    @abstractmethod
    def checksum(self) -> int:
        """Return a number that tells these samples from others, wherever they lie."""

    @property
    @abstractmethod
    def class_counts(self) -> NDArray[np.int64] | None:
        """The number of samples of each class; None where targets are values."""

    @property
    @abstractmethod
    def file_bytes(self) -> int:
        """The bytes of whatever all samples are read from."""

    def __len__(self) -> int:
        return int(self.counts.sum())

    def cut(self, rows: int) -> tuple[Block, ...]:
        """Cut all samples into blocks of about so many: a run into equal ones, small runs together.

        A block has a piece at least, and a quarter of so many rows if all together have.
        """
        counts, runs = self.counts, self.runs
        found, small = list[range](), list[int]()
        for _, pieces in groupby(range(len(counts)), lambda piece: runs[piece]):
            small += pieces
            total = int(counts[small].sum())
            if 2 * total >= rows:
                share = total / -(-total // rows)  # of one of so many
                parts = np.minimum(np.cumsum(counts[small]) - 1, total - 1) // share
                _, firsts, sizes = np.unique(parts, return_index=True, return_counts=True)
                found += [
                    range(small[0] + first, small[0] + first + size)
                    for first, size in zip(firsts.tolist(), sizes.tolist(), strict=True)
                ]
                small = []
        if small:
            found.append(range(small[0], small[-1] + 1))
        joined = found[:1]
        for one in found[1:]:
            last = joined[-1]
            if 4 * min(counts[last].sum(), counts[one].sum()) < rows:  # too few to be one
                joined[-1] = range(last.start, one.stop)
            else:
                joined.append(one)
        return tuple(Block(runs[one.start], one, int(counts[one].sum())) for one in joined)

    def read(self, block: Block, X: Array) -> NDArray[Any]:
        """Write the prepared samples of a block into `X`, and return their targets.

        Parameters
        ----------
        block : Block
        X : ndarray, shape (block.rows, *input_shape)

        Raises
        ------
        DataError
            If it can't be read any more, or has other samples than it had.
        """
        found, start = [], 0
        for piece in block.pieces:
            stop = start + int(self.counts[piece])
            if stop > start:  # something of it is learned from
                found.append(self.read_piece(piece, X[start:stop]))
            start = stop
        return np.concatenate(found)

    def require_as_many(self, piece: int, rows: int) -> None:
        """Raise DataError unless a piece has as many samples to learn from as it had."""
        if rows != self.counts[piece]:
            raise DataError(
                f"{self.place_of(piece)} has changed since it was looked at: found {rows:,} rows "
                f"to learn from in a part of it that had {self.counts[piece]:,}. Leave data alone "
                "while they are learned from, and start anew."
            )


class SomeBlocks(Blocks):
    """Some neighbouring pieces of other blocks.

    Parameters
    ----------
    blocks : Blocks
    pieces : range
    memory : int
        The bytes that samples may take in memory at a time.
    """

    def __init__(self, blocks: Blocks, pieces: range, memory: int) -> None:
        self.blocks, self.pieces, self.memory = blocks.apart(), pieces, memory
        self.input_shape, self.dtype = blocks.input_shape, blocks.dtype

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of samples of each piece."""
        return self.blocks.counts[self.pieces.start : self.pieces.stop]

    @property
    def runs(self) -> Sequence[int]:
        """The run of each piece."""
        return self.blocks.runs[self.pieces.start : self.pieces.stop]

    def expect(self, block: Block) -> None:
        """Have the pieces of a block made ready."""
        start = self.pieces.start
        there = range(block.pieces.start + start, block.pieces.stop + start)
        self.blocks.expect(Block(block.run, there, block.rows))

    def read_piece(self, piece: int, X: Array) -> NDArray[Any]:
        """Read a piece."""
        return self.blocks.read_piece(self.pieces[piece], X)

    def place_of(self, piece: int) -> str:
        """Name the file of a piece."""
        return self.blocks.place_of(self.pieces[piece])

    def checksum(self) -> int:
        """Return a number that tells the other blocks."""
        return self.blocks.checksum()

    @property
    def class_counts(self) -> NDArray[np.int64] | None:
        """Those of the other blocks."""
        return self.blocks.class_counts

    @property
    def file_bytes(self) -> int:
        """The bytes that these pieces take, about."""
        return round(self.blocks.file_bytes * len(self) / max(len(self.blocks), 1))


class TableBlocks(Blocks):
    """The rows of a table on disk that are not held out.

    Parameters
    ----------
    whole : Whole
    recipe : Preprocessing
    dtype : dtype-like
        float32 or float64.
    """

    def __init__(self, whole: Whole, recipe: Preprocessing, dtype: DTypeLike) -> None:
        assert isinstance(recipe.inputs, TableRecipe)  # noqa: S101 - of a table
        self.whole, self.recipe, self.inputs = whole, recipe, recipe.inputs
        self.dtype, self.memory = np.dtype(dtype), whole.memory
        self.input_shape = recipe.inputs.input_shape
        self.files = whole.files.only({**recipe.inputs.roles, whole.target: None})

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of rows of each piece that are learned from, shape (P,)."""
        return self.whole.rows

    @cached_property
    def runs(self) -> Sequence[int]:
        """The run of files of each piece."""
        return [piece.run for piece in self.whole.files.pieces]

    def place_of(self, piece: int) -> str:
        """Name the file of a piece."""
        files = self.whole.files
        return str(files.files[files.runs[self.runs[piece]].file])

    def apart(self) -> "TableBlocks":
        """Return the same with files that are opened anew."""
        return TableBlocks(self.whole, self.recipe, self.dtype)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "whole": self.whole.without_sample()}

    def expect(self, block: Block) -> None:
        """Have the system read the pieces of a block."""
        for piece in block.pieces:
            self.files.expect(self.files.pieces[piece])

    def read_piece(self, piece: int, X: Array) -> NDArray[Any]:
        """Read the rows of a piece that are learned from."""
        rows = self.files.read(self.files.pieces[piece])
        with naming(self.place_of(piece)):
            return self._prepared(piece, rows, X)

    def checksum(self) -> int:
        """Return the CRC-32 of what the survey found out, and of what is held out."""
        found = zlib.crc32(np.ascontiguousarray(self.whole.held_out).data.cast("B"))
        for name, one in self.whole.survey.columns.items():
            found = zlib.crc32(repr((name, one.to_json() | {"counts": None})).encode(), found)
        return found

    @property
    def class_counts(self) -> NDArray[np.int64] | None:
        """The number of samples of each class, those held out, too."""
        target = self.recipe.target
        if not isinstance(target, ClassTarget):
            return None
        return np.array([self.whole.counts.get(name, 0) for name in target.class_names])

    @property
    def file_bytes(self) -> int:
        """The bytes of the files."""
        return self.whole.files.file_bytes

    def _prepared(self, piece: int, rows: Any, X: Array) -> NDArray[Any]:
        y, keep = self.whole.targets(rows)
        keep &= are_kept(self.whole.held_out, int(self.whole.starts[piece]), len(keep))
        inputs, target = self.inputs, self.recipe.target
        table = Table(
            {
                name: self.whole.column(rows, name, role, inputs.form)
                for name, role in inputs.roles.items()
            }
        )
        # Nearly all rows are kept. The last ones move into the gaps: so nearly none is copied.
        count = int(keep.sum())
        self.require_as_many(piece, count)
        chosen, gaps = np.arange(count), np.flatnonzero(~keep[:count])
        chosen[gaps] = count + np.flatnonzero(keep[count:])
        inputs.check(table)
        inputs.fill(X, table[:count])
        X[gaps] = inputs.transform(table[chosen[gaps]], self.dtype)
        y = y[chosen]
        names = target.class_names if isinstance(target, ClassTarget) else None
        known = np.asarray(y) if names is None else self._labels(y, names)
        shown = Dataset("", "array", X, known, names, target_name=self.whole.target)
        return target.encode(shown)

    def _labels(self, cells: Column, class_names: tuple[str, ...]) -> NDArray[np.int64]:
        """Return the numbers of the classes that words or numbers call."""
        if isinstance(cells, Words):
            return index_labels(cells.texts, class_names, self.whole.target)[cells.codes]
        distinct = np.array(sorted(map(float, self.whole.counts)))  # quicker than to sort the cells
        places = np.minimum(np.searchsorted(distinct, cells), len(distinct) - 1)
        if not np.array_equal(distinct[places], cells):  # a file has changed
            distinct, places = np.unique(cells, return_inverse=True)
        return index_labels(as_words(distinct), class_names, self.whole.target)[places]


def are_kept(held_out: NDArray[np.int64], start: int, rows: int) -> NDArray[np.bool_]:
    """Return which of some rows are not held out, shape (rows,).

    Parameters
    ----------
    held_out : ndarray of int64
        The numbers of the rows that are, in order.
    start, rows : int
        The number of the first, and how many they are.
    """
    first, last = np.searchsorted(held_out, [start, start + rows])
    keep = np.ones(rows, np.bool_)
    keep[held_out[first:last] - start] = False
    return keep

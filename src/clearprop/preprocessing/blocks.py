"""Samples on disk as a training takes them: block after block, prepared by a recipe."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clearprop.data import Dataset, Table
from clearprop.data.reading import Reading, Role
from clearprop.data.selected_rows import Array
from clearprop.data.tables import arrow
from clearprop.data.tables.cells import Numbers
from clearprop.data.tables.columnar import ColumnSource
from clearprop.data.tables.table import Words, as_words, is_missing
from clearprop.data.tables.tabular import understand
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
    def read_piece(self, piece: int) -> tuple[Array, NDArray[Any]]:
        """Read a piece: prepared samples (B, *input_shape), and their targets.

        Raises
        ------
        DataError
            If it can't be read any more, or is not as it was.
        """

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

        A block has a piece at least.
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
        if small and found and 4 * int(counts[small].sum()) < rows:  # too few to be one
            found[-1] = range(found[-1].start, small[-1] + 1)
        elif small:
            found.append(range(small[0], small[-1] + 1))
        blocks = (Block(runs[one.start], one, int(counts[one].sum())) for one in found)
        return tuple(block for block in blocks if block.rows)

    def read(self, block: Block) -> Iterator[tuple[Array, NDArray[Any]]]:
        """Read a block: some prepared samples and their targets after others.

        Raises
        ------
        DataError
            If it can't be read any more, or has other samples than it had.
        """
        for piece in block.pieces:
            X, y = self.read_piece(piece)
            if len(X) != self.counts[piece]:
                raise DataError(
                    f"{self.place_of(piece)} has changed since it was looked at: found {len(X):,} "
                    f"rows to learn from in a part of it that had {self.counts[piece]:,}. Leave "
                    "data alone while they are learned from, and start anew."
                )
            yield X, y


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
        self.target = recipe.target.name or ""

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """The number of the first row of each piece, and of all rows, shape (P + 1,)."""
        return np.cumsum([0, *(piece.rows for piece in self.whole.files.pieces)])

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The number of rows of each piece that are learned from, shape (P,)."""
        held = np.diff(np.searchsorted(self.whole.held_out, self._starts))
        rows: NDArray[np.int64] = self.whole.rows_with(self.target) - held
        return rows

    @cached_property
    def runs(self) -> Sequence[int]:
        """The run of files of each piece."""
        return [piece.run for piece in self.whole.files.pieces]

    def place_of(self, piece: int) -> str:
        """Name the file of a piece."""
        files = self.whole.files
        return str(files.files[files.runs[self.runs[piece]].file])

    def read_piece(self, piece: int) -> tuple[Array, NDArray[Any]]:
        """Read the rows of a piece that are learned from."""
        rows = self.whole.files.read(self.whole.files.pieces[piece])
        with naming(self.place_of(piece)):
            return self._prepared(piece, rows)

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
        return np.array([self.whole.counts[name] for name in target.class_names])

    @property
    def file_bytes(self) -> int:
        """The bytes of the files."""
        return self.whole.files.file_bytes

    def _prepared(self, piece: int, rows: Any) -> tuple[Array, NDArray[Any]]:
        start, stop = self._starts[piece], self._starts[piece + 1]
        first, last = np.searchsorted(self.whole.held_out, [start, stop])
        y, keep = self._targets(rows)
        keep[self.whole.held_out[first:last] - start] = False
        table = self._known(rows)
        if not keep.all():
            table, y = table[keep], y[keep]
        self.inputs.check(table)
        target = self.recipe.target
        class_names = target.class_names if isinstance(target, ClassTarget) else None
        shown = Dataset("", "table", table, y, class_names, target_name=self.target)
        return self.inputs.transform(table, self.dtype), target.encode(shown)

    def _targets(self, rows: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return the targets as a data set has them, and which are not missing."""
        target = self.recipe.target
        is_word = (
            isinstance(target, ClassTarget) and self.whole.files.kinds[self.target] != "number"
        )
        column = self._column(rows, self.target, "category" if is_word else "number")
        missing = is_missing(column)
        if not isinstance(target, ClassTarget):
            return np.asarray(column), ~missing
        if not isinstance(column, Words):
            known = np.array([float(name) for name in target.class_names])
            order = np.argsort(known)
            place = np.searchsorted(known[order], column[~missing])
            codes = np.zeros(len(column), np.int64)
            codes[~missing] = order[np.minimum(place, len(known) - 1)]
            if np.array_equal(known[codes[~missing]], column[~missing]):
                return codes, ~missing
        words = as_words(column)
        labels = np.zeros(len(words), np.int64)
        labels[~missing] = index_labels(words[~missing], target.class_names, self.target)
        return labels, ~missing

    def _known(self, rows: Any) -> Table:
        """Return the columns that the recipe takes."""
        return Table(
            {name: self._column(rows, name, role) for name, role in self.inputs.roles.items()}
        )

    def _column(self, rows: Any, name: str, role: Role) -> Any:
        files, form = self.whole.files, self.inputs.form
        if files.kinds[name] == "number" and role == "number" and not form.missing:
            cells = arrow.cells_of(arrow.decoded(rows.column(name)))
            if isinstance(cells, Numbers):
                return cells.values
        source = ColumnSource(Path(files.name), (name,), [], rows.select([name]))
        (found,), _ = understand(source, Reading(text=form, roles={name: role}))
        return found.column

"""Samples on disk as a training takes them: block after block, prepared by a recipe."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
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
from clearprop.data.tables.column_files import Piece
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
    """Samples that are prepared block by block.

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

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @abstractmethod
    def cut(self, rows: int) -> tuple[Block, ...]:
        """Cut all samples into blocks of about so many, a piece at least."""

    @abstractmethod
    def read(self, block: Block) -> Iterator[tuple[Array, NDArray[Any]]]:
        """Read a block: some prepared samples (B, *input_shape) and their targets after others."""

    @abstractmethod
    def changed(self, block: Block) -> DataError:
        """Make the error for a block that has not the samples that it had."""

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
        """The bytes of the files that all samples are read from."""


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
    def _rows(self) -> NDArray[np.int64]:
        """The number of rows of each piece that are learned from, shape (P,)."""
        held = np.diff(np.searchsorted(self.whole.held_out, self._starts))
        rows: NDArray[np.int64] = self.whole.rows_with(self.target) - held
        return rows

    def __len__(self) -> int:
        return int(self._rows.sum())

    def cut(self, rows: int) -> tuple[Block, ...]:
        """Cut all samples into blocks of about equal size: a run into some, small runs together."""
        counts, pieces = self._rows, self.whole.files.pieces
        runs = groupby(range(len(pieces)), lambda at: pieces[at].run)
        found, small = list[range](), list[int]()
        for _, ats in runs:
            small += ats
            total = int(counts[small].sum())
            if 2 * total >= rows:
                share = total / -(-total // rows)  # of one of so many
                parts = np.minimum(np.cumsum(counts[small]) - 1, total - 1) // share
                found += [
                    range(small[0] + first, small[0] + first + count)
                    for first, count in zip(
                        *np.unique(parts, return_index=True, return_counts=True)[1:], strict=True
                    )
                ]
                small = []
        if small and found and 4 * int(counts[small].sum()) < rows:  # too few to be one
            found[-1] = range(found[-1].start, small[-1] + 1)
        elif small:
            found.append(range(small[0], small[-1] + 1))
        blocks = (Block(pieces[one.start].run, one, int(counts[one].sum())) for one in found)
        return tuple(block for block in blocks if block.rows)

    def changed(self, block: Block) -> DataError:
        """Make the error for a block that has not the samples that it had."""
        files = self.whole.files
        name = files.files[files.runs[block.run].file]
        return DataError(
            f"{name} has changed since it was looked at: expected {block.rows:,} rows with a "
            "target in a part of it. Leave data alone while they are learned from, and start anew."
        )

    def read(self, block: Block) -> Iterator[tuple[Array, NDArray[Any]]]:
        """Read a block piece by piece.

        Raises
        ------
        DataError
            If a file can't be read any more, or is not as it was.
        """
        for at in block.pieces:
            piece = self.whole.files.pieces[at]
            rows = self.whole.files.read(piece)
            with naming(str(self.whole.files.files[self.whole.files.runs[piece.run].file])):
                yield self._prepared(at, piece, rows)

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

    def _prepared(self, at: int, piece: Piece, rows: Any) -> tuple[Array, NDArray[Any]]:
        start, stop = self._starts[at], self._starts[at + 1]
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

"""Dask's collections in the place of samples in memory: surveyed once, learned from by partitions.

A collection is a list of recipes for its partitions, which only the scheduler computes; where a
client of a cluster is there, on its workers. None of Dask is imported here: a collection brings
what it needs.
"""

import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.core.parameters import Array
from clearprop.data import Table
from clearprop.data.reading import MEMORY
from clearprop.data.tables.cells import Cells, Numbers
from clearprop.data.tables.table import Column, Words, as_words, is_numeric
from clearprop.data.whole.column_survey import ColumnSurvey
from clearprop.data.whole.survey import SAMPLE, drawn
from clearprop.data.whole.whole import as_frequent
from clearprop.estimators.table_samples import columns_of, require_as_many
from clearprop.preprocessing import TableRecipe
from clearprop.preprocessing.blocks import Blocks, are_kept

_CELL = 8  # bytes

Encode = Callable[[Array], Array]


def is_dask(collection: Any) -> bool:
    """Whether it is a data frame, a series or an array of Dask, none of which is computed yet."""
    return hasattr(collection, "__dask_graph__") and hasattr(collection, "to_delayed")


def computed(*collections: Any) -> tuple[Any, ...]:
    """Return each as it is in memory."""
    return tuple(one.compute() if is_dask(one) else one for one in collections)


@dataclass(frozen=True, eq=False)
class Partitions:
    """Samples and targets, partition by partition.

    Parameters
    ----------
    samples, targets : sequence of dask.delayed.Delayed
        Data frames or arrays (N, D), and as many targets (N,) or (N, K).
    rows : ndarray of int64, shape (P,)
        The number of rows of each partition.
    columns : int
        The number of columns of samples.
    categories : collection of str or int
        The columns of categories, whatever is in their cells.
    """

    samples: Sequence[Any]
    targets: Sequence[Any]
    rows: NDArray[np.int64]
    columns: int
    categories: Collection[Any] = ()

    @classmethod
    def of(cls, X: Any, y: Any, categories: Collection[Any] = ()) -> "Partitions":
        """Take a collection of samples, and one of their targets cut in the same way.

        Raises
        ------
        ValueError
            If the targets are no collection of Dask, or have other partitions.
        """
        if not is_dask(y):
            raise ValueError(
                f"X is a collection of Dask and y is {type(y).__name__}: give both as Dask's, cut "
                "into the same partitions, such as columns of one data frame."
            )
        samples, targets = (_delayed(one) for one in (X, y))
        if len(samples) != len(targets):
            raise ValueError(
                f"X has {len(samples)} partitions and y has {len(targets)}: cut both in the same "
                "way, such as columns of one data frame."
            )
        rows = _together([_apply(len, one) for one in samples])
        return cls(samples, targets, np.array(rows), int(X.shape[1]), categories)

    def __len__(self) -> int:
        return int(self.rows.sum())

    @property
    def is_small(self) -> bool:
        """Whether all cells may lie in memory."""
        return len(self) * self.columns * _CELL <= MEMORY

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The number of the first row of each partition, and of all rows, shape (P + 1,)."""
        return np.cumsum([0, *self.rows.tolist()])

    def read(self, place: int) -> tuple[Table, Array]:
        """Return the columns and the targets of a partition.

        Raises
        ------
        ValueError
            If they are of different numbers of rows.
        """
        X, y = _together([self.samples[place], self.targets[place]])
        return _as_table(X, y, self.categories)

    def survey(self) -> "Surveyed":
        """Look at every row once, where the partitions are."""
        share = min(SAMPLE / max(len(self), 1), 1.0)
        found: list[Surveyed] = _together(
            [
                _apply(_look, X, y, self.categories, int(start), share)
                for X, y, start in zip(self.samples, self.targets, self.starts, strict=False)
            ]
        )
        return Surveyed.of([one for one, rows in zip(found, self.rows, strict=True) if rows])


@dataclass(frozen=True, eq=False)
class Surveyed:
    """What is known of all rows, or of those of a partition, and a sample of them.

    Parameters
    ----------
    columns : dict of str to ColumnSurvey
    sample : Table
    y : ndarray
        The targets of the sample.
    places : ndarray of int64
        The numbers of the sample's rows among all.
    labels : ndarray
        The different targets, where they may be classes.
    low, high : ndarray
        The least and the largest targets, where they are numbers.
    """

    columns: dict[str, ColumnSurvey]
    sample: Table
    y: Array
    places: NDArray[np.int64]
    labels: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, parts: Sequence["Surveyed"]) -> "Surveyed":
        """Put parts together, in order."""
        columns: dict[str, ColumnSurvey] = {}
        for part in parts:
            for name, one in part.columns.items():
                columns.setdefault(name, ColumnSurvey()).merge(one)
        y, places = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("y", "places")
        )
        sample = _joined([part.sample for part in parts])
        labels = np.unique(np.concatenate([part.labels for part in parts]))
        low = np.min([part.low for part in parts], axis=0)
        high = np.max([part.high for part in parts], axis=0)
        return cls(columns, sample, y, places, labels, low, high)

    def recipe(self, rows: Array) -> TableRecipe:
        """Fit a recipe to some rows of the sample, and to what is known of all."""
        some = self.sample[rows]
        columns = {
            name: as_frequent(counts)
            if isinstance(column, Words) and (counts := self.columns[name].counts)
            else column
            for name, column in some.columns.items()
        }
        recipe = TableRecipe.fit(Table(columns), robust=True)
        numbers = {
            name: self.columns[name] for name in some.names if is_numeric(some.columns[name])
        }
        return recipe.surveyed(numbers)


class PartitionBlocks(Blocks):
    """The rows of partitions that are not held out.

    Parameters
    ----------
    partitions : Partitions
    recipe : TableRecipe
    held_out : ndarray of int64
        The numbers of the rows that are not learned from, in order.
    encode : callable
        Brings targets into the form that the loss takes.
    """

    def __init__(
        self,
        partitions: Partitions,
        recipe: TableRecipe,
        held_out: NDArray[np.int64],
        encode: Encode,
    ) -> None:
        self.partitions, self.recipe, self.held_out = partitions, recipe, held_out
        self.encode = encode
        self.input_shape, self.dtype = recipe.input_shape, np.dtype(np.float32)
        self.memory = MEMORY

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The number of rows of each partition that are learned from."""
        held = np.diff(np.searchsorted(self.held_out, self.partitions.starts))
        return np.asarray(self.partitions.rows - held)

    @property
    def runs(self) -> Sequence[int]:
        """Each partition is one of its own."""
        return range(len(self.partitions.rows))

    def place_of(self, piece: int) -> str:
        """Name a partition."""
        return f"Partition {piece + 1} of X"

    def read_piece(self, piece: int, X: Array) -> NDArray[Any]:
        """Compute a partition."""
        table, y = self.partitions.read(piece)
        keep = are_kept(self.held_out, int(self.partitions.starts[piece]), len(table))
        self.require_as_many(piece, int(keep.sum()))
        self.recipe.fill(X, table[keep])
        return self.encode(y[keep])

    def checksum(self) -> int:
        """Return the CRC-32 of what is held out."""
        return zlib.crc32(np.ascontiguousarray(self.held_out).data.cast("B"))

    @property
    def class_counts(self) -> NDArray[np.int64] | None:
        """Nobody asks for them."""
        return None

    @property
    def file_bytes(self) -> int:
        """The bytes of all cells."""
        return len(self.partitions) * self.partitions.columns * _CELL


def by_partitions(call: Callable[[Any], Array], X: Any, shown: Array) -> Any:
    """Return what a call gives for each partition, as a collection that is not computed yet.

    Parameters
    ----------
    call : callable
        Takes samples, and returns an array (N, ...).
    X : dask.dataframe.DataFrame or dask.array.Array
    shown : ndarray, shape (0, ...)
        An array as the call returns it.
    """
    if hasattr(X, "map_partitions"):
        return X.map_partitions(call, meta=shown)
    X = X.rechunk({1: -1})
    if shown.ndim == 1:
        return X.map_blocks(call, dtype=shown.dtype, drop_axis=1, meta=shown)
    return X.map_blocks(call, dtype=shown.dtype, chunks=(X.chunks[0], shown.shape[1:]), meta=shown)


def _look(X: Any, y: Any, categories: Collection[Any], start: int, share: float) -> Surveyed:
    table, y = _as_table(X, y, categories)
    columns = {name: ColumnSurvey() for name in table.names}
    for name, column in table.columns.items():
        cells: Cells = column
        if not isinstance(column, Words) and is_numeric(column):
            cells = Numbers(column, {}, is_code=False)
        columns[name].add(cells)
    rows = drawn(start, len(table), share)
    is_number, labels = y.dtype.kind in "biuf", np.unique(y[rows])
    if y.ndim == 1 and (not is_number or np.array_equal(labels, np.round(labels.astype(float)))):
        labels = np.unique(y)
    low, high = (y.min(axis=0), y.max(axis=0)) if is_number and len(y) else (np.inf, -np.inf)
    return Surveyed(
        columns, table[rows], y[rows], start + rows, labels, np.asarray(low), np.asarray(high)
    )


def _as_table(X: Any, y: Any, categories: Collection[Any]) -> tuple[Table, Array]:
    table, y = columns_of(X, categories), np.asarray(y)
    require_as_many(y, len(table))
    return table, y


def _joined(tables: Sequence[Table]) -> Table:
    """Put the rows of tables one below the other."""
    found: dict[str, Column] = {}
    for name in tables[0].names:
        columns = [table.columns[name] for table in tables]
        if any(isinstance(column, Words) for column in columns):
            found[name] = Words.of(chain.from_iterable(map(as_words, columns)))
        else:
            found[name] = np.concatenate([np.asarray(column) for column in columns])
    return Table(found)


def _delayed(collection: Any) -> list[Any]:
    """Return the partitions of a collection, whole rows each."""
    if not hasattr(collection, "map_partitions") and collection.ndim == 2:
        collection = collection.rechunk({1: -1})
    return list(np.ravel(collection.to_delayed()))


def _apply(function: Callable[..., Any], part: Any, *others: Any) -> Any:
    from dask.delayed import delayed

    return delayed(function)(part, *others)


def _together(parts: Sequence[Any]) -> Any:
    """Compute parts, each where it is, and return them in order."""
    from dask.base import compute

    return compute(*parts)  # type: ignore[no-untyped-call]

"""Parquet and Arrow files that are one table, however many and however large, read by pieces."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from clearprop.data.rows_on_disk import has_changed
from clearprop.data.tables import arrow, column_heads, column_paths
from clearprop.data.tables.column_heads import Head, common_kinds
from clearprop.errors import DataError, counted, listed, unknown_name

MOST_PACKED = 1000
"""The times by which cells in memory are larger than a file, at most, but for the oddest ones."""

_CELLS = 2**21  # of a piece, about: a row group of any size is decoded in such portions
_FEWEST, _MOST = 2**10, 2**16  # rows of a piece
_BUFFER = 2**16  # bytes of a column that are read at a time: a whole row group takes no memory
_OPEN = 16  # row groups that are read side by side, at most


@dataclass(frozen=True)
class Run:
    """Rows that lie together in a file, and are read from their first on.

    A row group of Parquet, or a record batch of Arrow.

    Parameters
    ----------
    file : int
        The place of the file among the files.
    group : int
        The place of the run in the file.
    rows : int
    """

    file: int
    group: int
    rows: int


@dataclass(frozen=True)
class Piece:
    """Rows of a run that are read at a time, from `start` to before `stop`."""

    run: int
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """Their number."""
        return self.stop - self.start


@dataclass(eq=False)
class ColumnFiles:
    """Files of columns, one below the other.

    Parameters
    ----------
    name : str
        The path or pattern that they were found by.
    files : tuple of Path
        In the order of their names.
    kinds : dict of str to str
        The kind of each column that is read: number, text, boolean, date, time or duration.
    types : dict of str to pyarrow.DataType
        The type to which each is brought, whatever type it has in a file.
    runs : tuple of Run
    stamps : tuple of (int, int)
        The size in bytes of each file, and the time of its last change in nanoseconds.
    columns_in_path : tuple of dict of str to str
        The columns that a file's folders tell, ``year=2024``, of each file.
    piece_rows : int
        The number of rows of a piece.
    said : tuple of str
        Sentences on what is not read, or not as it is written.
    """

    name: str
    files: tuple[Path, ...]
    kinds: dict[str, str]
    types: dict[str, Any]
    runs: tuple[Run, ...]
    stamps: tuple[tuple[int, int], ...]
    columns_in_path: tuple[dict[str, str], ...]
    piece_rows: int
    said: tuple[str, ...] = ()

    _open: dict[int, "_Walk"] = field(default_factory=dict, init=False)
    _places: dict[Run, list[tuple[int, int]]] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, path: Path, drop: Iterable[str] = ()) -> "ColumnFiles":
        """Look at the heads of a file, of all that a pattern matches, or of those in a folder.

        Parameters
        ----------
        path : Path
        drop : iterable of str
            The columns that are not read, and may differ.

        Raises
        ------
        MissingExtraError
            If pyarrow is not installed.
        DataError
            If a file can't be read, there are no rows, or files have other columns than the first.
        """
        files = column_paths.files_of(path)
        heads = [Head.of(file, set(drop)) for file in files]
        for name in drop:
            if not any(name in head.dropped for head in heads):
                raise unknown_name("column", name, [*heads[0].kinds])
        in_path = [column_paths.told_by_folders(file) for file in files]
        filled = [at for at, head in enumerate(heads) if head.rows]
        if not filled:
            raise DataError(f"{path} has no rows{f' in {len(files)} files' * (len(files) > 1)}.")
        kinds = common_kinds([(files[at], heads[at].kinds | _texts(in_path[at])) for at in filled])
        if not kinds:
            raise DataError(f"{path} has no column of numbers, text or dates.")
        found: dict[str, set[Any]] = {name: set() for name in kinds}
        for at in filled:
            for name, one in heads[at].types.items():
                found[name].add(one)
        return cls(
            str(path),
            tuple(files),
            {name: "text" if kind == "nothing" else kind for name, kind in kinds.items()},
            {name: arrow.common_type(kind, found[name]) for name, kind in kinds.items()},
            tuple(
                Run(at, group, rows)
                for at in filled
                for group, rows in enumerate(heads[at].groups)
                if rows
            ),
            tuple(head.stamp for head in heads),
            tuple(in_path),
            min(max(_CELLS // len(kinds), _FEWEST), _MOST),
            (
                *heads[filled[0]].remarks,
                *_without_rows(
                    [
                        file.relative_to(column_paths.folder_of(path))
                        for file, head in zip(files, heads, strict=True)
                        if not head.rows
                    ]
                ),
            ),
        )

    def __len__(self) -> int:
        return sum(run.rows for run in self.runs)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}, "_places": {}}

    def only(self, names: Iterable[str]) -> "ColumnFiles":
        """Return the same rows in the same pieces, of some columns."""
        kinds = {name: self.kinds[name] for name in names}
        return replace(self, kinds=kinds, types={name: self.types[name] for name in kinds})

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.kinds)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """All rows in pieces, in order."""
        step = self.piece_rows
        return tuple(
            Piece(run, start, min(start + step, about.rows))
            for run, about in enumerate(self.runs)
            for start in range(0, about.rows, step)
        )

    @property
    def cells_bytes(self) -> int:
        """The bytes that all cells take in memory, eight each."""
        return 8 * len(self) * len(self.kinds)

    @property
    def file_bytes(self) -> int:
        """The bytes of the files."""
        return sum(size for size, _ in self.stamps)

    @property
    def remarks(self) -> list[str]:
        """Sentences on what is not read, or not as it is written."""
        durations = [name for name, kind in self.kinds.items() if kind == "duration"]
        if not durations:
            return [*self.said]
        return [*self.said, f"Columns of durations are read as seconds: {listed(durations, 8)}."]

    def fingerprint(self) -> str:
        """Return what tells these files from others, and from what they were before a change."""
        files = [str(file.absolute()) for file in self.files]
        told = repr((files, self.stamps, self.runs, sorted(self.kinds.items())))
        return sha256(told.encode()).hexdigest()[:16]

    def read(self, piece: Piece) -> Any:
        """Read rows of a run: quickly where they follow those that were read last.

        Returns
        -------
        pyarrow.Table
            The columns in the order of `names`, as `columnar.ColumnSource` takes them.

        Raises
        ------
        DataError
            If the file can't be read any more, or is damaged.
        """
        pa, run = arrow.library(), self.runs[piece.run]
        with arrow.reading(self.files[run.file]):
            walk = self._open.pop(piece.run, None)
            if walk is None or walk.at > piece.start:
                walk = _Walk(self._batches(run))
            walk.skip(piece.start)
            found = walk.take(piece.stop)
            if walk.at < piece.stop:
                raise ValueError(f"its row group {run.group + 1} ends too early")
            if walk.at < run.rows:
                self._open[piece.run] = walk
                while len(self._open) > _OPEN:
                    del self._open[next(iter(self._open))]
            table = pa.Table.from_batches(found)
            table.validate(full=True)
            return self._in_order(table, run)

    def expect(self, piece: Piece) -> None:
        """Have the system read a piece, where it can, while another one is decoded."""
        if not hasattr(os, "posix_fadvise"):  # not everywhere
            return
        run = self.runs[piece.run]
        path = self.files[run.file]
        with arrow.reading(path), path.open("rb") as file:
            for start, size in self._bytes_of(run):
                first, last = (start + size * row // run.rows for row in (piece.start, piece.stop))
                os.posix_fadvise(file.fileno(), first, last - first, os.POSIX_FADV_WILLNEED)

    def _bytes_of(self, run: Run) -> list[tuple[int, int]]:
        """Return where the columns of a run begin in its file, and the bytes that each takes."""
        path = self.files[run.file]
        if run not in self._places:
            self._places.clear()  # one run after the other is asked for
            self._places[run] = arrow.bytes_of(path, run.group, self.kinds)
        return self._places[run]

    def table(self) -> Any:
        """Read all rows into memory."""
        pa = arrow.library()
        return pa.concat_tables([self.read(piece) for piece in self.pieces])

    def _batches(self, about: Run) -> Iterator[Any]:
        """Open a run, and walk over its rows in batches of pyarrow, the columns by our names."""
        pa, path = arrow.library(), self.files[about.file]
        if column_heads.stamp_of(path) != self.stamps[about.file]:
            raise has_changed(path)
        told = self.columns_in_path[about.file]
        if arrow.is_parquet(path):
            opened = arrow.open_parquet(str(path))
            chosen = _Chosen.of(opened.schema_arrow, self.kinds.keys() - told.keys())
            texts = zip(chosen.names, chosen.places, strict=True)
            opened = arrow.open_parquet(
                str(path),
                metadata=opened.metadata,
                read_dictionary=[own for name, (own, _) in texts if self.kinds[name] == "text"],
                buffer_size=_BUFFER,
                pre_buffer=False,
            )
            batches = opened.iter_batches(
                self.piece_rows, [about.group], chosen.written, use_threads=False
            )
        else:
            file = pa.OSFile(str(path))
            schema = pa.ipc.open_file(file).schema
            chosen = _Chosen.of(schema, self.kinds.keys() - told.keys())
            places = [at for at, name in enumerate(schema.names) if name in chosen.written]
            options = pa.ipc.IpcReadOptions(included_fields=places)
            batches = [pa.ipc.open_file(file, options=options).get_batch(about.group)]
        return map(chosen.of_batch, batches)

    def _in_order(self, table: Any, run: Run) -> Any:
        """Return all columns in their types, also those that folders tell."""
        pa, told = arrow.library(), self.columns_in_path[run.file]
        columns = []
        for name, kind in self.types.items():
            column = None if name in told else table.column(name)
            if column is None:
                column = arrow.repeated(told[name], table.num_rows)
            columns.append(arrow.as_type(column, kind))
        return pa.table(columns, [*self.types])


@dataclass
class _Walk:
    """Batches of a run that are taken in portions of any size.

    Parameters
    ----------
    batches : iterator of pyarrow.RecordBatch
    at : int
        The row of the run that comes next.
    """

    batches: Iterator[Any]
    at: int = 0

    _rest: Any = field(default=None, init=False)

    def skip(self, stop: int) -> None:
        """Pass over the rows before one."""
        while self.at < stop and self._some(stop) is not None:
            pass

    def take(self, stop: int) -> list[Any]:
        """Return the rows up to one, or all that there are."""
        found = []
        while self.at < stop and (some := self._some(stop)) is not None:
            found.append(some)
        return found

    def _some(self, stop: int) -> Any:
        batch, self._rest = self._rest, None
        if batch is None:
            batch = next(self.batches, None)
        if batch is None:
            return None
        left = stop - self.at
        if batch.num_rows > left:
            batch, self._rest = batch.slice(0, left), batch.slice(left)
        self.at += batch.num_rows
        return batch


@dataclass(frozen=True)
class _Chosen:
    """The columns that are read of a file.

    Parameters
    ----------
    names : list of str
        As we call them.
    written : list of str
        As the file calls them: names that several columns may have.
    places : list of tuple of (str, int)
        The name of each in the file, and which of those of this name it is.
    """

    names: list[str]
    written: list[str]
    places: list[tuple[str, int]]

    @classmethod
    def of(cls, schema: Any, wanted: Collection[str]) -> "_Chosen":
        found = {name: at for name, at in arrow.columns_of(schema, []).items() if name in wanted}
        seen: Counter[str] = Counter()
        which = []
        for name in schema.names:
            which.append((name, seen[name]))
            seen[name] += 1
        places = [which[at] for at in found.values()]
        return cls([*found], sorted({name for name, _ in places}), places)

    def of_batch(self, batch: Any) -> Any:
        """Return them of a batch, in which others may have come along."""
        there: dict[str, list[Any]] = {}
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            there.setdefault(name, []).append(column)
        columns = [there[name][which] for name, which in self.places]
        return arrow.library().RecordBatch.from_arrays(columns, self.names)


def _without_rows(files: Sequence[Path]) -> list[str]:
    """Say that some files are passed over."""
    if not files:
        return []
    some = counted(len(files), "file")
    return [f"{some} without rows, passed over: {listed(files, 5)}."]


def _texts(names: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(names, "text")

"""Parquet and Arrow files that are one table, however many and however large, read by pieces."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from clearprop.data.format import cannot_read
from clearprop.data.tables import arrow
from clearprop.errors import DataError, counted, listed, unknown_name

MOST_PACKED = 1000
"""The times by which cells in memory are larger than a file, at most, but for the oddest ones."""

_CELLS = 2**21  # of a piece, about: a row group of any size is decoded in such portions
_FEWEST, _MOST = 2**10, 2**16  # rows of a piece
_BUFFER = 2**16  # bytes of a column that are read at a time: a whole row group takes no memory
_OPEN = 16  # row groups that are read side by side, at most
_SIGNS = "*?["


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
    runs : tuple of Run
    stamps : tuple of (int, int)
        The size in bytes of each file, and the time of its last change in nanoseconds.
    columns_in_path : tuple of dict of str to str
        The columns that a file's folders tell, ``year=2024``, of each file.
    left_out : tuple of str
        The columns of kinds that are not read.
    empty : tuple of str
        The files without rows.
    """

    name: str
    files: tuple[Path, ...]
    kinds: dict[str, str]
    runs: tuple[Run, ...]
    stamps: tuple[tuple[int, int], ...]
    columns_in_path: tuple[dict[str, str], ...]
    left_out: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()

    _open: dict[int, tuple[Iterator[Any], int]] = field(default_factory=dict, init=False)

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
        files = files_of(path)
        heads = [_Head.of(file, set(drop)) for file in files]
        for name in drop:
            if not any(name in head.dropped for head in heads):
                raise unknown_name("column", name, [*heads[0].kinds])
        in_path = [_told_by_folders(file, path) for file in files]
        filled = [at for at, head in enumerate(heads) if head.rows]
        if not filled:
            raise DataError(f"{path} has no rows{f' in {len(files)} files' * (len(files) > 1)}.")
        kinds = _common_kinds([(files[at], heads[at].kinds | _texts(in_path[at])) for at in filled])
        if not kinds:
            raise DataError(f"{path} has no column of numbers, text or dates.")
        return cls(
            str(path),
            tuple(files),
            kinds,
            tuple(
                Run(at, group, rows)
                for at in filled
                for group, rows in enumerate(heads[at].groups)
                if rows
            ),
            tuple(head.stamp for head in heads),
            tuple(in_path),
            heads[filled[0]].left_out,
            tuple(str(file) for file, head in zip(files, heads, strict=True) if not head.rows),
        )

    def __len__(self) -> int:
        return sum(run.rows for run in self.runs)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.kinds)

    @property
    def piece_rows(self) -> int:
        """The number of rows of a piece: fewer of a wide table."""
        return min(max(_CELLS // len(self.kinds), _FEWEST), _MOST)

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
        """Sentences on what is not read."""
        found = []
        if self.left_out:
            left_out = listed(self.left_out, 8)
            found.append(f"Columns of a kind that is not read, left out: {left_out}.")
        if self.empty:
            some = counted(len(self.empty), "file")
            found.append(f"{some} without rows, passed over: {listed(self.empty, 5)}.")
        durations = [name for name, kind in self.kinds.items() if kind == "duration"]
        if durations:
            found.append(f"Columns of durations are read as seconds: {listed(durations, 8)}.")
        return found

    def fingerprint(self) -> str:
        """Return what tells these files from others, and from what they were before a change."""
        told = repr((self.name, self.files, self.stamps, self.runs, sorted(self.kinds.items())))
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
            parts, at = self._open.pop(piece.run, (None, 0))
            if parts is None or at > piece.start:
                parts, at = self._batches(run), 0
            found: list[Any] = []
            while at < piece.stop:
                batch = next(parts, None)
                if batch is None:
                    raise ValueError(f"its row group {run.group + 1} ends too early")
                end = at + batch.num_rows
                first = max(piece.start, at)
                if end > piece.stop:  # the rest is for the next call
                    parts = chain([batch.slice(piece.stop - at)], parts)
                    end = piece.stop
                if first < end:
                    found.append(batch.slice(first - at, end - first))
                at = end
            if at < run.rows:
                self._keep(piece.run, parts, at)
            table = pa.Table.from_batches(found)
            table.validate(full=True)
            return self._in_order(table, run)

    def table(self) -> Any:
        """Read all rows into memory."""
        pa = arrow.library()
        return pa.concat_tables(
            [self.read(piece) for piece in self.pieces], promote_options="permissive"
        )

    def _keep(self, run: int, parts: Iterator[Any], at: int) -> None:
        self._open[run] = parts, at
        while len(self._open) > _OPEN:
            del self._open[next(iter(self._open))]

    def _batches(self, about: Run) -> Iterator[Any]:
        """Open a run, and walk over its rows in batches of pyarrow."""
        pa = arrow.library()
        path = self.files[about.file]
        told = self.columns_in_path[about.file]
        names = [name for name in self.kinds if name not in told]
        if arrow.is_parquet(path):
            opened = pa.parquet.ParquetFile(
                str(path), buffer_size=_BUFFER, pre_buffer=False, arrow_extensions_enabled=False
            )
            if opened.metadata.row_group(about.group).num_rows != about.rows:
                raise ValueError("it has changed since training began")
            there = set(opened.schema_arrow.names)
            walk = opened.iter_batches(
                self.piece_rows, [about.group], [n for n in names if n in there], use_threads=False
            )
            return iter(walk)
        reader = pa.ipc.open_file(pa.OSFile(str(path)))
        return iter([reader.get_batch(about.group)])

    def _in_order(self, table: Any, run: Run) -> Any:
        """Return all columns, also those that folders tell, or of which a file has nothing."""
        pa, told = arrow.library(), self.columns_in_path[run.file]
        rows, columns = table.num_rows, []
        for name, kind in self.kinds.items():
            if name in told:
                columns.append(pa.repeat(pa.scalar(told[name], pa.string()), rows))
                continue
            column = table.column(name)
            if pa.types.is_null(column.type):  # nothing is filled in this file
                column = pa.nulls(rows, arrow.type_of(kind))
            columns.append(column)
        return pa.table(dict(zip(self.kinds, columns, strict=True)))


@dataclass(frozen=True)
class _Head:
    """What a file tells before any row is read."""

    kinds: dict[str, str]
    groups: tuple[int, ...]
    stamp: tuple[int, int]
    left_out: tuple[str, ...]
    dropped: frozenset[str]

    @property
    def rows(self) -> int:
        return sum(self.groups)

    @classmethod
    def of(cls, path: Path, drop: set[str]) -> "_Head":
        with arrow.reading(path):
            about = path.stat()
            schema, groups = arrow.head_of(path)
            kinds = {}
            for one in schema:
                if one.name in drop or one.name.startswith(arrow.INDEX):
                    continue
                if one.name in kinds:
                    raise ValueError(f"it has two columns {one.name!r}")
                if arrow.is_plain(one.type):
                    kinds[one.name] = arrow.kind_of(one.type)
            left_out = tuple(
                f"{one.name} ({str(one.type)[:40]})"
                for one in schema
                if not arrow.is_plain(one.type) and one.name not in drop
            )
        dropped = frozenset(drop & set(schema.names))
        return cls(kinds, tuple(groups), (about.st_size, about.st_mtime_ns), left_out, dropped)


def has_pattern(path: str | os.PathLike[str]) -> bool:
    """Whether a path is none by itself, and a pattern such as ``data/*.parquet``."""
    text = os.fspath(path)
    return any(sign in text for sign in _SIGNS) and not os.path.lexists(text)


def files_of(path: Path) -> list[Path]:
    """List the files that a path stands for: itself, those in a folder, or those of a pattern.

    Raises
    ------
    DataError
        If there is none, or one is of another kind.
    """
    if has_pattern(path):
        found = [Path(one) for one in glob.glob(str(path), recursive=True)]  # noqa: PTH207 - also absolute
        found = sorted(one for one in found if one.is_file())
        if not found:
            raise DataError(f"No file matches {path}. Check the path, and the signs in it.")
        others = [one for one in found if not arrow.named_so(one)]
        if others:
            raise DataError(
                f"{path} matches {others[0]}, which is no Parquet or Arrow file. Several files are "
                "read as one table where they are of these formats."
            )
        return found
    if path.is_dir():
        return sorted(one for one in _walk(path) if arrow.named_so(one))
    return [path]


def _walk(folder: Path) -> Iterator[Path]:
    """Walk over the files of a folder and of its folders, without hidden and temporary ones."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise cannot_read(folder, error) from error
    for one in entries:
        if one.name.startswith((".", "_")):  # what Spark and others leave behind
            continue
        if one.is_dir():
            yield from _walk(one)
        else:
            yield one


def _told_by_folders(file: Path, path: Path) -> dict[str, str]:
    """Return the columns that the folders above a file tell, ``year=2024``, as Hive writes them."""
    above = file.parent
    with suppress(ValueError):
        if not has_pattern(path):
            above = above.relative_to(path)
    pairs = [part.partition("=") for part in above.parts if "=" in part]
    return {unquote(name): _told(text) for name, _, text in pairs}


def _told(text: str) -> str:
    text = unquote(text)
    return "" if text == "__HIVE_DEFAULT_PARTITION__" else text


def _texts(names: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(names, "text")


def _common_kinds(found: Sequence[tuple[Path, dict[str, str]]]) -> dict[str, str]:
    """Return the kinds of the columns, which must be the same in all files.

    Raises
    ------
    DataError
        Naming the column and two files.
    """
    first, kinds = found[0][0], dict(found[0][1])
    for path, others in found[1:]:
        if kinds.keys() != others.keys():
            name = next(iter([*(kinds.keys() - others.keys()), *(others.keys() - kinds.keys())]))
            has, lacks = (first, path) if name in kinds else (path, first)
            raise DataError(
                f"{lacks} has no column {name!r}, which {has} has: files that are one table have "
                "the same columns. Add it, leave one of the files out, or the column: "
                f"--drop {name}"
            )
        for name, kind in others.items():
            before = kinds[name]
            if kind != before and "nothing" not in (kind, before):
                raise DataError(
                    f"{path} has {name!r} as {kind}, and {first} as {before}: expected the same in "
                    "all files that are one table. Write one of them anew, or leave the column "
                    f"out: --drop {name}"
                )
            kinds[name] = kind if before == "nothing" else before
    return {name: "text" if kind == "nothing" else kind for name, kind in kinds.items()}

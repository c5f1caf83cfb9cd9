"""A table that stays on disk, of which a data set in memory is a sample."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.data.dataset import Dataset
from clearprop.data.reading import Reading, TextForm
from clearprop.data.tables.column_files import ColumnFiles
from clearprop.data.tables.columnar import Columnar, ColumnSource
from clearprop.data.tables.table import Table, Words, spelled
from clearprop.data.tables.understood import Spelling
from clearprop.data.whole.column_survey import ColumnSurvey
from clearprop.data.whole.survey import SAMPLE, Survey, Told, survey
from clearprop.errors import DataError, counted

MEMORY = 2**30
"""Bytes of cells, eight each, up to which a table is read into memory."""


@dataclass(frozen=True, eq=False)
class Whole:
    """The table on disk that a data set is a sample of.

    Parameters
    ----------
    files : ColumnFiles
    survey : Survey
    places : ndarray of int64, shape (N,)
        The number of each of the data set's rows among all.
    memory : int
        The bytes that rows of it may take in memory while they are learned from.
    counts : dict of str to int
        The rows of each class.
    held_out : ndarray of int64
        The numbers of the rows that are not learned from, in order.
    """

    files: ColumnFiles
    survey: Survey
    places: NDArray[np.int64]
    memory: int
    counts: dict[str, int] = field(default_factory=dict)
    held_out: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        """Return the number of rows that are not held out, with a target or without."""
        return len(self.files) - len(self.held_out)

    def at(self, rows: NDArray[Any]) -> "Whole":
        """Return the same for some rows of the data set."""
        return replace(self, places=self.places[rows])

    def numbers(self, form: TextForm) -> dict[str, ColumnSurvey]:
        """Return what is known of the columns of numbers; nothing where some stand for missing."""
        kinds = {} if form.missing else self.files.kinds
        return {name: self.survey.columns[name] for name in kinds if kinds[name] == "number"}

    def with_all_categories(self, table: Table, form: TextForm) -> Table:
        """Return the sample's columns, those of words with every category that is anywhere.

        Each comes about as often as in all rows, at least once; which rows have it is lost.
        """
        changed = {}
        for name, column in table.columns.items():
            counts = self.survey.columns[name].counts
            if isinstance(column, Words) and counts is not None:
                changed[name] = _as_frequent(_without_missing(counts, form))
        return Table({**table.columns, **changed})

    def rows_with(self, target: str) -> NDArray[np.int64]:
        """Return the number of rows of each piece whose target is not missing, shape (P,)."""
        rows = np.array([piece.rows for piece in self.files.pieces])
        return rows - self.survey.missing[target]


@dataclass(frozen=True)
class Memory:
    """What data on disk may take, and where what was found out about them is kept.

    Parameters
    ----------
    most : int
        Bytes of cells above which a table stays on disk.
    kept_in : Path, optional
        The folder of the surveys of tables; None keeps none.
    tell : callable, optional
        Makes, of the files, a callable that hears of the survey's progress.
    """

    most: int = MEMORY
    kept_in: Path | None = None
    tell: Callable[[ColumnFiles], Told] | None = None


DEFAULT = Memory()


class _OfFiles(Columnar):
    """Reads rows of files that are open in the place of a file."""

    def __init__(self, files: ColumnFiles, rows: Any, whole: Whole | None = None) -> None:
        self.files, self.rows, self.whole = files, rows, whole

    def source(self, path: Path, form: TextForm) -> ColumnSource:
        return ColumnSource(path, self.files.names, self.files.remarks, self.rows, self.whole)


def read_files(files: ColumnFiles, reading: Reading, memory: Memory) -> Dataset:
    """Read a table of files into memory; one that is too large, survey it and read a sample.

    Raises
    ------
    DataError, UnknownNameError
        As whoever reads tables; see `tabular.TableFormat.read`.
    """
    reading, path = replace(reading, drop=()), Path(files.name)
    if files.cells_bytes <= memory.most:
        return _OfFiles(files, files.table()).read(path, reading)
    found = _surveyed(files, memory)
    whole = Whole(files, found, found.places, memory.most)
    dataset = _OfFiles(files, found.sample, whole).read(path, reading)
    dataset = _with_all_classes(dataset, whole)
    rows = int(whole.rows_with(dataset.target_name).sum())
    said = (
        f"{rows:,} rows in {counted(len(files.files), 'file')} of {files.file_bytes / 1e9:.3g} GB "
        f"stay on disk, and are learned from piece by piece; {len(dataset):,} of them, drawn "
        "evenly, tell what the columns are, and give the rows that are held out."
    )
    return replace(dataset, notes=(*dataset.notes[:1], said, *dataset.notes[1:]))


def _surveyed(files: ColumnFiles, memory: Memory) -> Survey:
    """Return what is kept of a survey of the same files, or survey them and keep that."""
    fingerprint = files.fingerprint()
    path = None if memory.kept_in is None else memory.kept_in / f"survey-{fingerprint}.parquet"
    found = None if path is None else Survey.load(path, fingerprint)
    if found is None:
        found = survey(files, None if memory.tell is None else memory.tell(files))
        if path is not None:
            found.save(path)
    return found


def _with_all_classes(dataset: Dataset, whole: Whole) -> Dataset:
    """Give a data set the classes of all rows, of which its own may be only some.

    Raises
    ------
    DataError
        If they can't be counted.
    """
    own, target = dataset.class_names, dataset.target_name
    if own is None:
        return dataset
    counts = whole.survey.columns[target].counts
    if counts is None:
        raise DataError(
            f"{dataset.name}: {target!r}, the target, has too many different values to be classes. "
            "Name another column with --target, or learn values: --task regress"
        )
    is_number = whole.files.kinds[target] == "number"
    there = _without_missing(counts, dataset.form, among_words=not is_number)
    found = {spelled(text): (text, count) for text, count in there.items()}
    names = sorted(found, key=float) if is_number else sorted(found)
    calls = {name: name if name in own else found[name][0] for name in names}
    all_names = tuple(calls[name] for name in names)
    places = {name: place for place, name in enumerate(all_names)}
    moved = np.array([places[name] for name in own])
    told = {calls[name]: found[name][1] for name in names}
    return replace(
        dataset,
        y=moved[dataset.y],
        class_names=all_names,
        whole=replace(dataset.whole or whole, counts=told),
    )


def _without_missing(
    counts: Mapping[str, int], form: TextForm, *, among_words: bool = True
) -> dict[str, int]:
    spelling = Spelling(missing=frozenset(text.lower() for text in form.missing))
    return {
        text: count
        for text, count in counts.items()
        if not spelling.is_missing(text, among_words=among_words)
    }


def _as_frequent(counts: Mapping[str, int]) -> Words:
    """Make a column of words that come about as often as some counts say."""
    texts = sorted(counts)
    rows = np.array([counts[text] for text in texts], dtype=np.float64)
    rows = np.maximum(np.ceil(rows * min(SAMPLE / max(rows.sum(), 1.0), 1.0)), 1.0)
    codes = np.repeat(np.arange(len(texts), dtype=np.int32), rows.astype(np.int64))
    return Words(tuple(texts), codes)

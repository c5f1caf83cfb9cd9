"""A table that stays on disk, of which a data set in memory is a sample."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.data.dataset import Dataset
from clearprop.data.reading import MEMORY, Reading, Role, TextForm
from clearprop.data.tables import arrow
from clearprop.data.tables.cells import Numbers
from clearprop.data.tables.column_files import ColumnFiles
from clearprop.data.tables.columnar import Columnar, ColumnSource
from clearprop.data.tables.table import Column, Table, Words, as_words, is_missing, number, spelled
from clearprop.data.tables.tabular import understand
from clearprop.data.tables.understood import Spelling
from clearprop.data.whole.column_survey import ColumnSurvey
from clearprop.data.whole.survey import SAMPLE, Survey, Told, survey
from clearprop.errors import DataError, counted


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
    target : str
        The column that is learned.
    form : TextForm
        How its text becomes cells.
    classes : dict of str to str, or None
        The class that each text of the target stands for; None where it holds values.
    counts : dict of str to int
        The rows of each class.
    filled : ndarray of int64, shape (P,)
        The number of rows of each piece whose target is not missing.
    held_out : ndarray of int64
        The numbers of the rows that are not learned from, in order.
    """

    files: ColumnFiles
    survey: Survey
    places: NDArray[np.int64]
    memory: int
    target: str = ""
    form: TextForm = field(default_factory=TextForm)
    classes: dict[str, str] | None = None
    counts: dict[str, int] = field(default_factory=dict)
    filled: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    held_out: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        """Return the number of rows that are learned from: with a target, and not held out."""
        return int(self.rows.sum())

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The number of rows of each piece that are learned from, shape (P,)."""
        held: NDArray[np.int64] = np.diff(np.searchsorted(self.held_out, self.starts))
        return self.filled - held

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The number of the first row of each piece, and of all rows, shape (P + 1,)."""
        return np.cumsum([0, *(piece.rows for piece in self.files.pieces)])

    def count_targets(self) -> NDArray[np.int64]:
        """Return the number of rows of each piece whose target is not missing, shape (P,)."""
        counts = self.survey.columns[self.target].counts
        all_stand_for_classes = counts and self.classes and counts.keys() <= self.classes.keys()
        if all_stand_for_classes or (self._is_number(self.target) and not self.form.missing):
            rows = np.array([piece.rows for piece in self.files.pieces])
            return rows - self.survey.missing[self.target]
        alone = self.files.only([self.target])  # some texts stand for missing: it is read again
        there = (self.targets(alone.read(piece))[1].sum() for piece in alone.pieces)
        return np.fromiter(there, np.int64)

    def targets(self, rows: Any) -> tuple[Column, NDArray[np.bool_]]:
        """Return the targets of some rows, numbers or the names of classes; and which are there.

        Parameters
        ----------
        rows : pyarrow.Table
            Rows of the files.
        """
        if self.classes is None or self._is_number(self.target):
            column = self.column(rows, self.target, "number", self.form)
            return column, ~is_missing(column)
        cells = arrow.as_category(arrow.decoded(rows.column(self.target)))
        names = [self.classes.get(text, "") for text in cells.texts]
        texts = tuple(sorted({*names} - {""}))
        places = {name: place for place, name in enumerate(texts)}
        codes = np.array([*(places.get(name, -1) for name in names), -1], np.int32)[cells.codes]
        return Words(texts, codes), codes >= 0

    def column(self, rows: Any, name: str, role: Role, form: TextForm) -> Column:
        """Read a column of some rows in a role.

        Parameters
        ----------
        rows : pyarrow.Table
            Rows of the files.
        name : str
        role : {"number", "category", "date"}
        form : TextForm
        """
        if self._is_number(name) and role == "number" and not form.missing:
            cells = arrow.cells_of(arrow.decoded(rows.column(name)))
            if isinstance(cells, Numbers):
                return cells.values
        source = ColumnSource(Path(self.files.name), (name,), [], rows.select([name]))
        (found,), _ = understand(source, Reading(text=form, roles={name: role}))
        return found.column

    def _is_number(self, name: str) -> bool:
        return self.files.kinds[name] == "number"

    def without_sample(self) -> "Whole":
        """Return what is needed to read rows: a small part of it that can travel."""
        survey = replace(self.survey, sample=None, places=self.places[:0])
        return replace(self, survey=survey, places=self.places[:0])

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
            # Of numbers and dates that are spelled out, the survey may have counted other texts.
            if isinstance(column, Words) and counts is not None and {*column.texts} <= {*counts}:
                changed[name] = as_frequent(_without_missing(counts, form))
        return Table({**table.columns, **changed})


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
    whole = whole if dataset.whole is None else dataset.whole  # of the rows with a target
    whole = replace(whole, target=dataset.target_name, form=dataset.form)
    dataset, whole = _with_all_classes(dataset, whole)
    whole = replace(whole, filled=whole.count_targets())
    said = (
        f"{len(whole):,} rows in {counted(len(files.files), 'file')} of {_size(files.file_bytes)} "
        f"stay on disk. Training learns from all of them; {len(dataset):,}, drawn evenly, tell "
        "what the columns are, give the rows that are held out, and stand for all elsewhere."
    )
    return replace(dataset, whole=whole, notes=(*dataset.notes[:1], said, *dataset.notes[1:]))


def _size(size: int) -> str:
    return f"{size / 1e9:.3g} GB" if size >= 1e8 else f"{size / 1e6:.3g} MB"


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


def _with_all_classes(dataset: Dataset, whole: Whole) -> tuple[Dataset, Whole]:
    """Give a data set the classes of all rows, of which its own may be only some.

    Raises
    ------
    DataError
        If they can't be counted.
    """
    own, target = dataset.class_names, dataset.target_name
    if own is None:
        return dataset, whole
    counts = whole.survey.columns[target].counts
    if counts is None:
        raise DataError(
            f"{dataset.name}: {target!r}, the target, has too many different values to be classes. "
            "Name another column with --target, or learn values: --task regress"
        )
    are_numbers = all(map(_is_numeral, own))
    texts = [*_without_missing(counts, dataset.form, among_words=not are_numbers)]
    called = texts
    if are_numbers and whole.files.kinds[target] in ("text", "time"):  # as the sample's: 1.0 is 1
        rows = arrow.library().table({target: texts})
        called = as_words(whole.column(rows, target, "number", dataset.form)).tolist()
    classes = {text: name for text, name in zip(texts, called, strict=True) if name}
    names = sorted({*classes.values()}, key=float if are_numbers else None)
    places = {name: place for place, name in enumerate(names)}
    moved = np.array([places[name] for name in own])
    told = dict.fromkeys(names, 0)
    for text, name in classes.items():
        told[name] += counts[text]
    dataset = replace(dataset, y=moved[dataset.y], class_names=tuple(names))
    return dataset, replace(whole, classes=classes, counts=told)


def _is_numeral(name: str) -> bool:
    """Whether a class is called by a number: 7, and not 007."""
    try:
        number(name)
    except ValueError:
        return False
    return spelled(name) == name


def _without_missing(
    counts: Mapping[str, int], form: TextForm, *, among_words: bool = True
) -> dict[str, int]:
    spelling = Spelling(missing=frozenset(text.lower() for text in form.missing))
    return {
        text: count
        for text, count in counts.items()
        if not spelling.is_missing(text, among_words=among_words)
    }


def as_frequent(counts: Mapping[str, int]) -> Words:
    """Make a column of words that come about as often as some counts say."""
    texts = sorted(counts)
    rows = np.array([counts[text] for text in texts], dtype=np.float64)
    rows = np.maximum(np.ceil(rows * min(SAMPLE / max(rows.sum(), 1.0), 1.0)), 1.0)
    codes = np.repeat(np.arange(len(texts), dtype=np.int32), rows.astype(np.int64))
    return Words(tuple(texts), codes)

"""From a file's rows or columns to a data set: what all formats of tables have in common."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from clearprop.data.class_names import alike_in_words
from clearprop.data.dataset import Dataset, Problem
from clearprop.data.format import Format, Samples
from clearprop.data.reading import DEFAULT, Reading, TextForm
from clearprop.data.tables import columns, known_columns
from clearprop.data.tables.cells import Cells, Numbers, Rows, read_cells, read_words
from clearprop.data.tables.doubts import emptied, total_row
from clearprop.data.tables.table import Table, Words, is_missing
from clearprop.data.tables.text_file import shown
from clearprop.data.tables.understood import (
    LONGEST_NAME,
    Doubt,
    Spelling,
    UnderstoodColumn,
    decimal_of,
    doubts_of,
)
from clearprop.data.target import choose_target, task_in_words, understand_target
from clearprop.errors import DataError, UsageError, counted, listed, unknown_name

if TYPE_CHECKING:
    from clearprop.data.whole.whole import Whole


class Source(Protocol):
    """A table that can be walked again: its names, and its columns' cells.

    Attributes
    ----------
    names : tuple of str
    remarks : list of str
        What was found out about the file that is not as usual.
    whole : Whole or None
        The table on disk that its rows are a sample of.
    """

    names: tuple[str, ...]
    remarks: list[str]
    whole: "Whole | None"

    def cells(self, as_words: Iterable[str], as_numbers: Iterable[str]) -> Mapping[str, Cells]:
        """Read every column; some of them as words or as numbers in any case."""

    def words(self, names: Iterable[str]) -> Mapping[str, Words]:
        """Read some columns, every cell as it is written."""

    def problems(self) -> tuple[Problem, ...]:
        """Tell the rows that were left out, once all were read."""


@dataclass
class RowSource:
    """A table whose rows are walked one by one.

    Parameters
    ----------
    path : Path
    names : tuple of str
    remarks : list of str
    rows : callable
        Begins a walk over the rows below the header.
    left_out : dict of int to str
        The reasons why lines of the file were left out, by their number.
    empty : int
        The number of rows in which no cell is filled.
    filled : list of int
        The lines whose last cells were missing, and taken as empty.
    below : int
        The number of lines below the table: sums, sources.
    again : int
        The number of lines that repeat the header.
    odd_lines : callable
        See `cells.read_cells`.
    keeps_empty : bool
        Whether a row without a filled cell is one, if others follow: each is to be answered.
    is_cut : bool
        Whether its lines are cut into cells by a delimiter, which may be another one.
    """

    path: Path
    names: tuple[str, ...]
    remarks: list[str]
    rows: Rows = list
    left_out: dict[int, str] = field(default_factory=dict)
    empty: int = 0
    filled: list[int] = field(default_factory=list)
    below: int = 0
    again: int = 0
    odd_lines: Callable[[], int | None] = lambda: None
    keeps_empty: bool = False
    is_cut: bool = False

    whole: "Whole | None" = field(default=None, init=False)

    def cells(self, as_words: Iterable[str], as_numbers: Iterable[str]) -> Mapping[str, Cells]:
        """Read every column."""
        found = read_cells(self.rows, self.names, as_words, as_numbers, lambda: self.odd_lines())
        if not found:
            rows = "no row with a filled cell" if self.empty else "no rows"
            raise DataError(f"{self.path} has a header but {rows}.")
        if self.empty:
            self.remarks.append(f"{counted(self.empty, 'row')} without a filled cell, passed over.")
        if self.below:
            self.remarks.append(f"{counted(self.below, 'line')} below the table, passed over.")
        if self.again:
            said = counted(self.again, "line")
            self.remarks.append(f"The header comes again in {said}, passed over.")
        if self.filled:
            self.remarks.append(
                f"{counted(len(self.filled), 'line')} with fewer cells than the header, the first "
                f"line {self.filled[0]}: the last ones are taken as missing."
            )
        return found

    def words(self, names: Iterable[str]) -> Mapping[str, Words]:
        """Read some columns as they are written."""
        return read_words(self.rows, self.names, names)

    def problems(self) -> tuple[Problem, ...]:
        """Tell the rows that were left out."""
        return tuple(
            Problem(f"line {line} of {self.path}", reason) for line, reason in self.left_out.items()
        )


class TableFormat(Format):
    """A format of tables, one column of which is to be learned."""

    has_columns = takes_inputs = True

    @abstractmethod
    def source(self, path: Path, form: TextForm) -> Source:
        """Open a file."""

    def read(self, path: Path, reading: Reading = DEFAULT) -> Dataset:
        """Read a table, one column of which is to be learned.

        Parameters
        ----------
        path : Path
        reading : Reading
            Where no target is named, it is the only column called target, label, class or y (in
            capitals or not), else the last one; the data set's `notes` say which.

        Returns
        -------
        Dataset
            A table of the columns that can be learned from, and `columns`: all, as they were
            understood. Rows without a target are left out.

        Raises
        ------
        UnknownNameError
            If there is no column of a name that was given.
        DataError
            If the file can't be read, or nothing is left to learn.
        """
        source = self._open(path, reading)
        _require_names(source, reading)
        found, spelling = understand(source, reading)
        known_columns.require_inputs(shown(path), source.names, reading)
        _require_numbers(path, found, reading)
        label, chosen = choose_target(found, reading.target)
        dataset = _dataset(shown(path), source, reading, found, label, chosen)
        orders = [order for order in map(_day_first, found) if order is not None]
        form = replace(
            reading.text,
            decimal=spelling.decimal,
            day_first=orders[0] if orders else reading.text.day_first,
        )
        return replace(dataset, form=form)

    def column_names(self, path: Path, form: TextForm = DEFAULT.text) -> tuple[str, ...]:
        """Return the columns' names."""
        return self.source(path, form).names

    def read_inputs(self, path: Path, reading: Reading = DEFAULT) -> Samples:
        """Read the columns that `reading.roles` names; all where it names none."""
        source = self._open(path, reading, whole=True)
        found, spelling = understand(source, reading)
        known_columns.require_inputs(shown(path), source.names, reading)
        notes = [*doubts_of(found, with_advice=False), *source.remarks]
        known = {*(reading.roles or source.names), *reading.drop}
        if extra := [name for name in source.names if name not in known]:
            notes.append(
                f"{counted(len(extra), 'column')} that training did not have, passed over: "
                f"{listed(extra, 5)}."
            )
        notes += known_columns.other_decimal(spelling, reading.text) if reading.roles else ()
        table = Table({one.name: one.column for one in found})
        facts = tuple(one.facts for one in found)
        return Samples(table, tuple(notes), source.problems(), facts)

    def as_written(self, path: Path, reading: Reading = DEFAULT) -> dict[str, Words]:
        """Read every column, each cell as it is written, of the rows that `read_inputs` reads."""
        source = self._open(path, reading, whole=True)
        return dict(source.words(source.names))

    def _open(self, path: Path, reading: Reading, *, whole: bool = False) -> Source:
        """Open a file; with `whole` every row of it is to be answered."""
        form = reading.text
        if reading.roles is not None:
            form = replace(form, encoding=known_columns.encoding_of(path, form.encoding))
        source = self.source(path, form)
        if form.header is None and known_columns.lacks_header(source.names, reading.roles or {}):
            source = self.source(path, replace(form, header=False))
        if isinstance(source, RowSource):
            source.keeps_empty = whole
        return source


def _require_names(source: Source, reading: Reading) -> None:
    """Raise UnknownNameError for a column that is named and not there.

    Of a model's own reading that is the target alone: those that training left out may be left out
    of the file, too.
    """
    said = (*reading.drop, *reading.keep, *reading.category, *reading.number)
    named = said if reading.roles is None else ()
    for name in named if reading.target is None else (*named, reading.target):
        if name not in source.names:
            whole = next((one for one in source.names if "," in one and name in one.split(",")), "")
            if whole and name in said:
                raise UsageError(
                    f"There is no column {name!r}. If {whole!r} is meant, write it in quotes of "
                    f"its own, as names stand between commas: '\"{whole}\"'."
                )
            raise unknown_name("column", name, source.names)


def _require_numbers(path: Path, found: Iterable[UnderstoodColumn], reading: Reading) -> None:
    for one in found:
        if one.name in reading.number and one.kind == "empty" and one.doubt.says:
            raise DataError(
                f"{path}: --number names a column without any; leave it out. {one.doubt.says}."
            )


def understand(source: Source, reading: Reading) -> tuple[list[UnderstoodColumn], Spelling]:
    """Understand every column that is asked for, and how cells are spelled."""
    roles = dict(reading.roles or {})
    categories = {*reading.category, *(name for name, role in roles.items() if role == "category")}
    numbers = {*reading.number, *(name for name, role in roles.items() if role == "number")}
    if reading.target is not None and reading.task == "regress":
        numbers.add(reading.target)
    if reading.target is not None and reading.task == "classify" and reading.roles is not None:
        categories.add(reading.target)  # as it is written, to be looked for among known classes
    read = dict(source.cells(categories, numbers))
    wanted = [
        name
        for name in source.names
        if name not in reading.drop
        and (reading.roles is None or name in roles or name == reading.target)
    ]
    said, told = reading.text.decimal, decimal_of(read[name] for name in wanted)
    decimal = said or told if reading.roles is None else told or said
    missing = frozenset(text.lower() for text in reading.text.missing)
    spelling = Spelling(decimal or ".", missing, reading.text.day_first)
    found: list[UnderstoodColumn] = []
    used = {*reading.keep, *roles}
    open_dates: dict[int, Words] = {}
    again = [
        name
        for name in wanted
        if isinstance(begun := read[name], Numbers)
        and (roles.get(name) == "date" or columns.needs_words(begun, spelling))
    ]
    written = dict(source.words(again)) if again else {}  # all at once: files may be wide
    for name in wanted:
        cells = read.pop(name)
        words = written.pop(name, cells if isinstance(cells, Words) else None)
        one = _as_asked(name, cells, words, spelling, roles, categories, numbers)
        if one.kind == "empty" and not one.doubt.says:
            one = replace(one, doubt=emptied(name, cells, missing))
        if one.date_form and one.doubt.says and words is not None:
            open_dates[len(found)] = words
        found.append(_kept(one) if name in used and not one.is_used else one)
    orders = {_day_first(one) for one in found if not one.doubt.says} - {None}
    if open_dates and len(orders) == 1:  # other columns leave no doubt
        spelling = replace(spelling, day_first=orders.pop())
        for place, words in open_dates.items():
            found[place] = columns.as_date(found[place].name, words, spelling) or found[place]
    return found, spelling


def _day_first(one: UnderstoodColumn) -> bool | None:
    """Whether dates are written with the day before the month; None where that is not open."""
    orders = {"day/month/year": True, "day.month.year": True, "month/day/year": False}
    return orders.get(one.date_form)


def _as_asked(
    name: str,
    cells: Cells,
    words: Words | None,
    spelling: Spelling,
    roles: Mapping[str, str],
    categories: Iterable[str],
    numbers: Iterable[str],
) -> UnderstoodColumn:
    if name in numbers:
        as_read = not isinstance(cells, Numbers) or spelling.is_plain(cells)
        return columns.as_number(name, cells if as_read or words is None else words, spelling)
    if words is not None and name in categories:
        return replace(columns.as_category(name, words, spelling), is_used=True)
    if words is not None and roles.get(name) == "date":
        found = columns.as_known_date(name, words, spelling)
        return found or columns.as_category(name, words, spelling)
    return columns.understand(name, cells, spelling, words)


def _kept(one: UnderstoodColumn) -> UnderstoodColumn:
    """Use a column that looks of no use, because somebody wants it."""
    remark = "standardised" if not isinstance(one.column, Words) else "an input a category"
    return replace(one, is_used=True, remark=f"{remark}, as --keep says")


def _as_all_there_is(one: UnderstoodColumn) -> UnderstoodColumn:
    """Use a column of numbers that looks like a name of rows where there is nothing else."""
    if one.kind != "identifier" or isinstance(one.column, Words):
        return one
    name = one.name[:LONGEST_NAME]
    says = f"{name}: {one.remark}; it is used, as there is no other column to learn from"
    return replace(one, is_used=True, remark="standardised", doubt=Doubt(says))


def _dataset(
    path: Path,
    source: Source,
    reading: Reading,
    found: list[UnderstoodColumn],
    label: UnderstoodColumn,
    chosen: str,
) -> Dataset:
    found = [one for one in found if one is not label]
    name = label.name
    if not any(one.is_used for one in found):
        found = [_as_all_there_is(one) for one in found]
    used = [one for one in found if one.is_used]
    if not used:
        raise _nothing_to_learn_from(path, source, found, name)
    there = ~is_missing(label.column)
    if not there.any():
        why = f" {label.doubt.says}." if label.doubt.says else ""
        raise DataError(
            f"{path}: no row has a value of {name[:LONGEST_NAME]!r}, the target ({chosen}).{why} "
            "Name another column with --target."
        )
    values, rows = label.column[there], int(np.sum(there))
    y, class_names = understand_target(values, name, reading.task)
    if class_names is not None and len(class_names) > max(rows / 2, 2):
        why = f" {label.doubt.says}; {label.doubt.advice}" if label.doubt.advice else ""
        raise DataError(
            f"{path}: {name!r}, the target ({chosen}), has {len(class_names):,} different texts in "
            f"{rows:,} rows, which is nothing to learn.{why} Name another column with --target."
        )
    table = Table({one.name: one.column for one in used})
    lost = len(there) - rows
    labelled = "" if chosen == "as asked" else f" ({chosen})"
    task, why = task_in_words(values, class_names, reading.task)
    facts = replace(
        label.facts,
        kind="target",
        is_used=True,
        content=task,
        remark=f"{chosen}{why}",
        missing=lost,
    )
    notes = [f"Target: {name[:LONGEST_NAME]}{labelled}, {task}{why}."]
    if lost:
        markers = listed(map(repr, label.markers), 3)
        as_said = f"; {markers} is taken for missing" if markers else ""
        notes.append(f"{counted(lost, 'row')} without a target, left out{as_said}.")
    is_new = reading.roles is None  # what a model knows is settled, and nothing is advised
    if is_new:
        notes += [*alike_in_words(class_names or (), plurals=False), *total_row([label, *found])]
    notes += doubts_of([label, *found], with_advice=is_new)
    gaps = [one.name[:LONGEST_NAME] for one in used if 2 * one.missing > len(there)]
    if gaps and is_new:
        notes.append(
            f"Over half of the cells are missing in {listed(gaps, 6)}; "
            "--drop COLUMN leaves one out."
        )
    return Dataset(
        str(path),
        "table",
        table if lost == 0 else table[there],
        y,
        class_names,
        table.names,
        target_name=name,
        problems=source.problems(),
        notes=(*notes, *source.remarks),
        columns=(facts, *(one.facts for one in found)),
        sources=None
        if lost == 0 or source.whole is not None
        else tuple(f"row {row + 1}" for row in np.flatnonzero(there)),
        whole=None if source.whole is None else source.whole.at(np.flatnonzero(there)),
    )


def _nothing_to_learn_from(
    path: Path, source: Source, found: Sequence[UnderstoodColumn], name: str
) -> DataError:
    if len(source.names) == 1:
        cut = (
            " No delimiter cuts most of its lines into as many cells; --delimiter names another."
            if isinstance(source, RowSource) and source.is_cut
            else ""
        )
        return DataError(
            f"{path} has only one column, {name[:40]!r}; expected one to learn from beside it.{cut}"
        )
    why = "; ".join(f"{one.name[:40]}: {one.kind}, {one.remark}" for one in found[:5])
    left_out = source.problems()
    lines = f" Left out: {left_out[0].source} {left_out[0].reason}." if left_out else ""
    return DataError(
        f"{path} has no column to learn {name[:40]!r} from{f' ({why})' if why else ''}. Expected "
        f"at least one beside the target; --keep COLUMN uses one that was left out.{lines}"
    )

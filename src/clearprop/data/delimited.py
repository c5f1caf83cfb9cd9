"""CSV and TSV files to tables."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np

from clearprop.data.dataset import Dataset, understand_target
from clearprop.data.format import Format, cannot_read
from clearprop.data.table import TEXT, Column, Table, as_text, is_numeric, number
from clearprop.errors import DataError, unknown_name

MISSING = frozenset({"", "NA", "NaN", "nan", "null", "None", "?"})
"""The cells that stand for a value that is not known."""

_USUAL_TARGETS = {"target", "label", "class", "y"}
_DELIMITERS = ",;\t|"
_LONGEST_SNIFFED = 2**20  # characters of the header that are looked at for a delimiter
_BLOCK = 8192  # rows that are Python strings at a time, before they become columns


class Delimited(Format):
    """CSV and TSV files."""

    suffixes = (".csv", ".tsv")
    has_columns = takes_inputs = True

    def read(self, path: Path, target: str | None = None) -> Dataset:
        """Read a table, one column of which is to be learned.

        Parameters
        ----------
        path : Path
        target : str, optional
            The column to learn. By default the only one called target, label, class or y (in
            capitals or not), else the last one; the data set's `target_name` says which.

        Returns
        -------
        Dataset
            A table; `dataset.understand_target` decides between classes and values.

        Raises
        ------
        UnknownNameError
            If there is no column `target`.
        DataError
            If the file is wrong (see `read_table`), a target is missing, or no other column is
            there.
        """
        table = read_table(path)
        name = _choose_target(table.names, target)
        if len(table.names) == 1:
            raise DataError(
                f"{path} has only the column {name!r}; expected at least one more to learn from."
            )
        y, class_names = understand_target(table.columns[name], name)
        inputs = table.without(name)
        return Dataset(str(path), "table", inputs, y, class_names, inputs.names, target_name=name)

    def column_names(self, path: Path) -> tuple[str, ...]:
        """Read the table for its columns' names."""
        return read_table(path).names

    def read_inputs(self, path: Path) -> Table:
        """Read the whole table."""
        return read_table(path)


def read_table(path: Path) -> Table:
    """Read a CSV or TSV file with a header.

    Commas, semicolons, tabs and bars are told apart by the header. A column is numeric if every
    cell that is not missing (`MISSING`) reads as a number, else it holds categories; spaces around
    a cell don't count.

    Parameters
    ----------
    path : Path
        A file in UTF-8, with or without a byte order mark.

    Raises
    ------
    DataError
        If it can't be read; a line has more or fewer cells than the header; the header has empty,
        repeated or only numeric names; or a numeric column holds an infinite value.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(file, path)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8: {error}. Save it as UTF-8.") from error
    except OSError as error:
        raise cannot_read(path, error) from error


def _read(file: TextIO, path: Path) -> Table:
    unquoted = re.sub(r'"[^"]*"', "", file.readline(_LONGEST_SNIFFED))
    file.seek(0)
    delimiter = max(_DELIMITERS, key=unquoted.count)  # the first, a comma, where none occurs
    lines = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        names = _header(next(lines, []), path)
        parts: list[list[Column]] = [[] for _ in names]
        rows = _rows(lines, len(names), path)
        while block := list(islice(rows, _BLOCK)):
            for cells, part in zip(zip(*block, strict=True), parts, strict=True):
                part.append(_column(cells))
    except csv.Error as error:
        raise DataError(f"Line {lines.line_num} of {path} can't be read: {error}.") from error
    if not parts[0]:
        raise DataError(f"{path} has a header but no rows.")
    columns = {name: _join(part) for name, part in zip(names, parts, strict=True)}
    for name, column in columns.items():
        _require_no_infinity(column, name, path)
    return Table(columns)


def _header(cells: list[str], path: Path) -> list[str]:
    names = [cell.strip() for cell in cells]
    if not any(names):
        raise DataError(f"{path} has no header; expected the columns' names in its first line.")
    if "" in names:
        raise DataError(
            f"Column {names.index('') + 1} of {path} has no name; name it in the first line."
        )
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise DataError(f"{path} has {times} columns {name!r}; give each a name of its own.")
    if all(is_numeric(_column([name])) for name in names):
        raise DataError(
            f"The first line of {path} holds only numbers; expected the columns' names. "
            "Add a line of names at the top."
        )
    return names


def _rows(lines: Iterator[list[str]], width: int, path: Path) -> Iterator[list[str]]:
    for row in lines:
        if len(row) == width:
            yield row
        elif row:  # an empty line is none
            number = lines.line_num  # type: ignore[attr-defined] # what csv.reader gives has it
            raise DataError(
                f"Line {number} of {path} has {len(row)} cells, expected {width} as in "
                "the header. Quote cells that hold the delimiter."
            )


def _column(cells: Sequence[str]) -> Column:
    """Make a float64 column if every cell is a number or missing, else one of text."""
    if not any("_" in cell for cell in cells):
        try:
            return np.array([float(cell) for cell in cells])  # most columns, and the fastest way
        except ValueError:
            pass
    stripped = [cell.strip() for cell in cells]
    try:
        return np.array([np.nan if cell in MISSING else number(cell) for cell in stripped])
    except ValueError:
        return np.array(["" if cell in MISSING else cell for cell in stripped], dtype=TEXT)


def _join(parts: list[Column]) -> Column:
    if all(is_numeric(part) for part in parts):
        return np.concatenate(parts)
    return np.concatenate([as_text(part) for part in parts])


def _require_no_infinity(column: Column, name: str, path: Path) -> None:
    infinite = is_numeric(column) and np.isinf(column)
    if np.any(infinite):
        raise DataError(
            f"Row {int(np.argmax(infinite)) + 1} of column {name!r} in {path} is infinite, "
            "expected a finite number. Correct the cell, or leave it empty."
        )


def _choose_target(names: tuple[str, ...], target: str | None) -> str:
    if target is not None:
        if target not in names:
            raise unknown_name("column", target, names)
        return target
    usual = [name for name in names if name.lower() in _USUAL_TARGETS]
    return usual[0] if len(usual) == 1 else names[-1]

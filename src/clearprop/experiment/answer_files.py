"""Answers in a file: what was given, the prediction, and the probability of each class."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from clearprop.data.tables.table import Words
from clearprop.errors import MissingExtraError, UsageError
from clearprop.experiment.prediction import Block, Predictions
from clearprop.experiment.values import Names
from clearprop.files.written import written_beside
from clearprop.preprocessing import Part, shown

Columns: TypeAlias = Mapping[str, Sequence[Any]]
Write: TypeAlias = Callable[[Columns], None]
Open: TypeAlias = Callable[[Path, Mapping[str, type]], AbstractContextManager[Write]]

# A name that is not UTF-8, and half of a UTF-16 pair, are written as Python escapes them.
_ESCAPED = "backslashreplace"
_NAMES = Names()


def require_format(path: str | os.PathLike[str]) -> None:
    """Check that a file's suffix names a format that answers are written in.

    Raises
    ------
    UsageError
        If it does not.
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise UsageError(
            f"--out is {os.fspath(path)}, expected a file that ends in {', '.join(FORMATS)}. "
            "The pictures of --show go to --show-in FOLDER."
        )


def save_answers(
    path: str | os.PathLike[str], found: Predictions, *, all_classes: bool = True
) -> tuple[str, ...]:
    """Write answers to a CSV, JSON Lines or Parquet file, block by block, whole or not at all.

    A row is a sample: of tables all cells as they were written, or the one of `found.id`; of
    pictures and arrays the file, of arrays also the row, counted from 1; the prediction; the
    probabilities or the quantiles, where the model gives them; and where it promises a coverage the
    set, as names between commas, or where the interval of each value begins and ends.

    Parameters
    ----------
    path : path-like
        A file whose suffix says the format.
    found : Predictions
        The answers; with `found.top` the likeliest classes are written in pairs of columns.
    all_classes : bool, default True
        Whether to write a column for the probability of each class, if there is no `found.top`.

    Returns
    -------
    tuple of str
        Sentences on columns that have another name than usual, as the input has one of that name.

    Raises
    ------
    UsageError
        If the suffix names no format.
    MissingExtraError
        If it is Parquet and pyarrow is not installed.
    OutputError
        If the file can't be written; what stood there before is untouched.
    """
    require_format(path)
    layout = _Layout(found, all_classes)
    opened = FORMATS[Path(path).suffix.lower()]
    with written_beside(path) as beside, opened(beside, layout.kinds) as write:
        for block in found.blocks():
            write(layout.columns(block))
    return layout.notes


class _Layout:
    """The columns of a file: first those that were given, then those of the model."""

    def __init__(self, found: Predictions, all_classes: bool) -> None:
        self.found = found
        self.notes: tuple[str, ...] = ()
        self.given: list[str] = []
        self.places: list[str] = []
        if found.id is not None:
            self.given = [found.id]
        else:
            self.given = list(dict.fromkeys(name for one in found.written for name in one))
            tables = [bool(one) for one in found.written]
            if len(tables) > 1 or not all(tables):
                self.places.append(self._free("file"))
            if any(part.path is not None and not columns for part, columns in self._parts()):
                self.places.append(self._free("row"))
        self.predicted, self.shares = self._of_model(all_classes)
        self.quantiles = [self._free(f"quantile {level}") for level in found.levels]
        said = float if found.model.class_names is None else str
        self.kinds: dict[str, type] = dict.fromkeys(self.places + self.given, str)
        self.kinds |= dict.fromkeys(self.places[1:], int)
        for place, name in enumerate(self.predicted):
            self.kinds[name] = said
            if found.top is not None:
                self.kinds[self.shares[place]] = float
        self.kinds |= dict.fromkeys((*self.shares, *self.quantiles), float)
        self.held = self._holding()
        self.kinds |= dict.fromkeys(self.held, str if found.model.class_names else float)

    def columns(self, block: Block) -> Columns:
        """Return the cells of a block by column, in the order of the file's columns."""
        rows, n = block.rows, len(block.sources)
        ours = next(columns for part, columns in self._parts() if part is block.part)
        filled: dict[str, Sequence[Any]] = {name: [""] * n for name in self.places + self.given}
        if self.places:
            path = block.part.path
            filled[self.places[0]] = block.sources if path is None else [shown(path)] * n
        for name in self.places[1:]:
            here = block.part.path is not None and not ours
            filled[name] = range(rows.start + 1, rows.stop + 1) if here else [None] * n
        for name in self.given:
            if name in ours:
                filled[name] = ours[name][rows].tolist()
        said = block.prediction if block.likeliest is None else block.likeliest
        pairs = zip(self.predicted, said.reshape(n, -1).T, strict=True)
        filled |= {name: column.tolist() for name, column in pairs}
        if self.shares and block.probabilities is not None:
            pairs = zip(self.shares, block.probabilities.T, strict=True)
            filled |= {name: column.tolist() for name, column in pairs}
        if block.quantiles is not None:
            pairs = zip(self.quantiles, block.quantiles.T, strict=True)
            filled |= {name: column.tolist() for name, column in pairs}
        if block.sets is not None:
            filled[self.held[0]] = [_NAMES.write(names) for names in block.sets]
        if block.intervals is not None:
            ends = block.intervals.reshape(n, -1).T
            filled |= {name: end.tolist() for name, end in zip(self.held, ends, strict=True)}
        return {name: filled[name] for name in self.kinds}

    def _parts(self) -> Iterator[tuple[Part, Mapping[str, Words]]]:
        return zip(self.found.parts, self.found.written, strict=True)

    @property
    def _values(self) -> int:
        """The number of values that a sample is answered by."""
        network = self.found.model.network
        return network.loss.answers(network.output_shape[0])

    def _of_model(self, all_classes: bool) -> tuple[list[str], list[str]]:
        model, top = self.found.model, self.found.top
        outputs = self._values if model.class_names is None else top or 1
        more = [f" {place}" for place in range(2, outputs + 1)]
        predicted = [self._free(f"prediction{one}") for one in ("", *more)]
        if not model.gives_probabilities or model.class_names is None:
            return predicted, []
        if top is not None:
            return predicted, [self._free(f"probability{one}") for one in ("", *more)]
        names = model.class_names if all_classes else ()
        return predicted, [self._free(f"probability {name}") for name in names]

    def _holding(self) -> list[str]:
        model = self.found.model
        if model.preprocessing is None or model.preprocessing.target.coverage is None:
            return []
        if model.class_names is not None:
            return [self._free("set")]
        more = ["", *(f" {place}" for place in range(2, self._values + 1))]
        return [self._free(f"{end}{one}") for end in ("lower", "upper") for one in more]

    def _free(self, name: str) -> str:
        """Return a name that no column of the input has."""
        free, number = name, 2
        while free in self.given:
            free, number = f"{name} ({number})", number + 1
        if free != name:
            self.notes += (f"The input has a column {name!r} of its own; ours is {free!r}.",)
        return free


@contextmanager
def _csv(path: Path, kinds: Mapping[str, type]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", errors=_ESCAPED, newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(kinds)
        yield lambda columns: rows.writerows(zip(*columns.values(), strict=True))


@contextmanager
def _json_lines(path: Path, kinds: Mapping[str, type]) -> Iterator[Write]:
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    with path.open("w", encoding="utf-8", errors=_ESCAPED, newline="\n") as file:

        def write(columns: Columns) -> None:
            finite = [
                _finite(column) if kinds[name] is float else column
                for name, column in columns.items()
            ]
            for row in zip(*finite, strict=True):
                file.write(encode(dict(zip(columns, row, strict=True))) + "\n")

        yield write


@contextmanager
def _parquet(path: Path, kinds: Mapping[str, type]) -> Iterator[Write]:
    try:
        import pyarrow as arrow
        from pyarrow.parquet import ParquetWriter
    except ImportError as error:
        raise MissingExtraError("pyarrow", "parquet", "Writing Parquet") from error
    of = {str: arrow.string(), float: arrow.float64(), int: arrow.int64()}
    schema = arrow.schema([(_valid(name), of[kind]) for name, kind in kinds.items()])
    with ParquetWriter(path, schema) as file:

        def array(column: Sequence[Any], kind: type) -> Any:
            try:
                return arrow.array(column, of[kind])
            except UnicodeEncodeError:
                return arrow.array([_valid(cell) for cell in column], of[kind])

        def write(columns: Columns) -> None:
            arrays = [array(column, kinds[name]) for name, column in columns.items()]
            file.write_table(arrow.Table.from_arrays(arrays, schema=schema))

        yield write


FORMATS: dict[str, Open] = {".csv": _csv, ".jsonl": _json_lines, ".parquet": _parquet}
"""The formats that answers are written in, by suffix."""


def _finite(column: Sequence[float]) -> Sequence[float | None]:
    """Put None in the place of what JSON has no number for."""
    finite = np.isfinite(column)
    if finite.all():
        return column
    return [value if known else None for value, known in zip(column, finite, strict=True)]


def _valid(text: str) -> str:
    return text.encode("utf-8", _ESCAPED).decode()

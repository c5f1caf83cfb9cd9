"""A model of a table as one SELECT of standard SQL.

Each layer is a common table expression with a column a unit. A window of one row in each of them
keeps a database from putting the formulas of a layer into those of the next one, where each would
be computed again for every unit above it.

The exporter orbital (0.6) is of no use here: it translates steps of scikit-learn's pipelines, by
way of ONNX. Of activations it knows ReLU, sigmoid and tanh, and it has no exponential, root, cosine
or maximum to make the others, a LayerNorm or a PeriodicEmbedding of; nor does it read dates.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import numpy as np

from clearprop.core import reading
from clearprop.errors import UsageError
from clearprop.exports.description import ClassAnswer, Description, TableInputs
from clearprop.exports.rows import Column, Rows
from clearprop.exports.sql.answers import answers
from clearprop.exports.sql.inputs import prepared
from clearprop.exports.sql.network import logits
from clearprop.exports.sql.query import KEY, MOST_COLUMNS, Query, comment, identifier
from clearprop.exports.target import NotRun, Ran, Target, Written
from clearprop.files.models import Model
from clearprop.preprocessing.cells import CategoryCells, Cells, DateCells, NumberCells
from clearprop.version import __version__

MOST_PARAMETERS = 300_000
"""Weights of a network at most: the text has about 45 bytes for each, and a database minutes."""

_MOST_BYTES = 2**28  # of a query that is run
_SECONDS = 300.0  # that running it may take
_STEPS = 100_000  # of SQLite's machine between two looks at the clock
_FUNCTIONS = {"exp": np.exp, "ln": np.log, "sqrt": np.sqrt, "cos": np.cos, "floor": np.floor}
_ASKED = {
    CategoryCells: "a category, as text",
    DateCells: "a DATE, a TIMESTAMP, or a text such as 2024-01-31 12:34:56",
}


class SqlTarget(Target):
    """One SELECT."""

    name: ClassVar[str] = "sql"
    ending: ClassVar[str] = ".sql"
    title: ClassVar[str] = "one SELECT of SQL, for tables"

    def write(self, model: Model, description: Description) -> Written:
        """Write a query of the answers, their probabilities and the logits of a table's rows."""
        text, tables = query_text(description)
        facts = {"query": f"{tables} tables in a row, {MOST_COLUMNS:,} columns at most in each"}
        notes = []
        if any(isinstance(one, DateCells) for one in _columns(description)):
            notes.append("Dates are DATE, TIMESTAMP, or texts such as 2024-01-31 12:34:56.")
        return Written({self.ending: text.encode()}, facts, tuple(notes))

    def run(self, path: Path, description: Description, rows: Rows) -> Ran | NotRun:
        """Run it by the SQLite that Python has, on a table in memory."""
        with closing(sqlite3.connect(":memory:")) as connection:
            teach(connection)
            fill(connection, description, rows)
            start = time.perf_counter()
            stop = start + _SECONDS
            connection.set_progress_handler(lambda: time.perf_counter() > stop, _STEPS)
            try:
                cursor = connection.execute(reading.read_bounded(path, _MOST_BYTES).decode())
                names, found = [one[0] for one in cursor.description], cursor.fetchall()
            except sqlite3.Error as error:
                if time.perf_counter() > stop:
                    return NotRun(
                        f"SQLite was not done with {rows.count:,} rows in {_SECONDS:g} seconds."
                    )
                raise UsageError(f"{path} could not be run by SQLite: {error}") from error
            seconds = (time.perf_counter() - start) / max(rows.count, 1)
        found.sort(key=lambda row: row[names.index(KEY)])
        columns = dict(zip(names, zip(*found, strict=True), strict=False)) if found else {}
        logits, given = (
            [columns.get(one, ()) for one in names if one.startswith(kind)]
            for kind in ("logit_", "answer")
        )
        answers = np.array(given).T
        return Ran(
            np.array(logits, np.float64).T,
            seconds,
            f"SQLite {sqlite3.sqlite_version}",
            answers[:, 0] if len(given) == 1 else answers,
        )


def query_text(description: Description) -> tuple[str, int]:
    """Return the text of the query, and the number of its tables.

    Raises
    ------
    UsageError
        If the model is not one of a table, its network is too large or wide, or a name can't stand
        in a database.
    """
    inputs = description.inputs
    if not isinstance(inputs, TableInputs):
        raise UsageError(
            "SQL is for models of tables, and this one takes arrays or pictures, which are no "
            "columns. Export it to another format, such as .onnx."
        )
    if description.parameters > MOST_PARAMETERS:
        raise UsageError(
            f"The network has {description.parameters:,} weights, and a query of more than "
            f"{MOST_PARAMETERS:,} takes a database minutes to read. Train a smaller network, or "
            "export it to another format, such as .onnx."
        )
    query = Query()
    answers(query, description.answer, logits(query, description, prepared(query, inputs)))
    return f"{comment(_head(description, inputs))}\n{query.text()}", len(query.tables)


def _head(description: Description, inputs: TableInputs) -> str:
    answer = description.answer
    kind = "class" if isinstance(answer, ClassAnswer) else "value"
    lines = [
        f"Predicts the {kind}{f' of {description.target!r}' if description.target else ''} of rows "
        "of the table data; NULL is a missing cell.",
        "",
        "Columns of data:",
        *(f"  {cells.name!r}, {_ASKED.get(type(cells), cells.asked)}" for cells in inputs.columns),
        "",
        "Columns of the result: row_id, answer and what follows.",
    ]
    if isinstance(answer, ClassAnswer):
        lines += [f"  class {k} is {name!r}" for k, name in enumerate(answer.names)]
    elif answer.levels:
        levels = (f"quantile_{k} of {level:g}" for k, level in enumerate(answer.levels))
        lines.append(f"  {', '.join(levels)}")
    return "\n".join([*lines, "", f"Written by clearprop {__version__}."])


def _columns(description: Description) -> tuple[Cells, ...]:
    inputs = description.inputs
    return inputs.columns if isinstance(inputs, TableInputs) else ()


def teach(connection: sqlite3.Connection) -> None:
    """Let SQLite have the functions that it may be built without."""
    for name, function in _FUNCTIONS.items():
        try:
            connection.execute(f"SELECT {name}(1.0)")
        except sqlite3.OperationalError:
            connection.create_function(name, 1, _of_floats(function), deterministic=True)


def _of_floats(function: Callable[[float], float]) -> Callable[[float | None], float | None]:
    return lambda x: None if x is None else float(function(x))


def fill(connection: sqlite3.Connection, description: Description, rows: Rows) -> None:
    """Make the table data of rows."""
    columns = _columns(description)
    names = [identifier(one.name, "The column") for one in columns]
    kinds = ["REAL" if isinstance(one, NumberCells) else "TEXT" for one in columns]
    described = ", ".join(" ".join(pair) for pair in zip(names, kinds, strict=True))
    connection.execute(f"CREATE TABLE data ({described})")
    cells = [_cells(one, rows.columns[one.name]) for one in columns]
    places = ", ".join("?" * len(columns))
    connection.executemany(
        f"INSERT INTO data VALUES ({places})",  # noqa: S608 - question marks
        zip(*cells, strict=True),
    )


def _cells(cells: Cells, column: Column) -> Iterable[float | str | None]:
    if isinstance(column, tuple):
        return column
    if isinstance(cells, DateCells):
        missing = np.isnan(column)
        dates = np.where(missing, 0, column).astype("datetime64[s]").astype(str)
        return [None if gone else text for gone, text in zip(missing, dates.tolist(), strict=True)]
    return [None if np.isnan(one) else one for one in column.tolist()]

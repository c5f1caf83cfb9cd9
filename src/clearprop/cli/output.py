"""How commands speak: results to standard output, everything else to standard error.

No command prints in any other way: here text from outside becomes text that a terminal only shows.
"""

import errno
import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from io import StringIO
from itertools import islice
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from clearprop.cli.command import EVERY, Option, colour, is_quiet
from clearprop.core.printable import printable
from clearprop.data import Dataset, Problem
from clearprop.data.tables.column_files import ColumnFiles
from clearprop.data.whole.survey import Told
from clearprop.errors import OutputError
from clearprop.experiment.folder import dumps
from clearprop.network.summary import readable_bytes
from clearprop.training import ProgressLine
from clearprop.training import progress as progress_line

MOST_ROWS = 40
"""Rows of a table that describes data: more are counted, as nobody reads 20,000 classes."""

_NO_EDGE = 10_000  # columns
_WRAPPED = 1000  # rows at most that cells are wrapped in: it takes a quarter of a second
_MOST_LINES = 20  # of a message
_MOST_CHARACTERS = 2_000  # of a line of a message
_MOST_PROBLEMS = _NOTES = 10

json_option = click.option(
    "--json",
    "as_json",
    cls=Option,
    group=EVERY,
    is_flag=True,
    help="Print one JSON object instead of text.",
)


def say(text: object = "") -> None:
    """Print a result: a line, or several."""
    _print(printable(str(text)))


def say_line(text: object) -> None:
    """Print a result that is one line whatever it holds: a path, for instance."""
    _print(printable(str(text), one_line=True))


def say_json(value: Any) -> None:
    """Print a value as JSON."""
    _print(dumps(value))


def note(message: str) -> None:
    """Tell something along the way; all lines but the first are indented.

    So a name with a line break in it begins no line that looks like another message. Where the
    command was told to be quiet, nothing is told.
    """
    if not is_quiet():
        tell(_indented(message))


def tell(text: str) -> None:
    """Print text to standard error as it is laid out: how a command is used."""
    _print("\n".join(line.rstrip() for line in printable(_excerpt(text)).split("\n")), err=True)


def progress(*labels: str) -> list[ProgressLine]:
    """Return the callbacks that show how far trainings are; each of several has a name."""
    return [] if is_quiet() else [ProgressLine(labels=labels or ("",))]


class Reads:
    """What is read, and how far: for whoever waits.

    Parameters
    ----------
    data : str
        A name or path.
    """

    def __init__(self, data: str) -> None:
        self._said = f"Reading {data}"
        self._data = data

    def __call__(self) -> str:
        """Return what to say just now."""
        return self._said

    def survey(self, files: ColumnFiles) -> Told:
        """Hear that files on disk are surveyed, and return who hears of the progress."""
        began = time.monotonic()

        def tell(done: int, rows: int) -> None:
            seconds = max(time.monotonic() - began, 1e-3)
            pace = readable_bytes(round(files.file_bytes * done / rows / seconds))
            self._said = (
                f"Surveying {self._data}: {done:,} of {rows:,} rows, {done / seconds:,.0f} rows "
                f"and {pace} a second"
            )

        return tell


def waiting(what: str | Callable[[], str]) -> AbstractContextManager[None]:
    """Say what is going on where it takes time and no training shows it; see `progress.waiting`."""
    return nullcontext() if is_quiet() else progress_line.waiting(what)


def complain(message: str) -> None:
    """Tell why a command ends."""
    with suppress(OSError):  # nobody hears it
        click.secho("Error: ", fg="red", nl=False, err=True, color=colour())
    tell(_indented(message))


def _indented(message: str) -> str:
    return message.replace("\n", "\n  ")


def note_left_out(problems: Sequence[Problem]) -> None:
    """Tell which files could not be read."""
    for problem in problems[:_MOST_PROBLEMS]:
        note(printable(f"Left out: {problem}.", one_line=True))
    if (more := len(problems) - _MOST_PROBLEMS) > 0:
        note(f"Left out: {more:,} more.")


def note_data(dataset: Dataset) -> None:
    """Tell what was understood of data, and which files or rows could not be read."""
    for line in dataset.in_words():
        note(line)
    note_left_out(dataset.problems)


def note_all(notes: Sequence[str]) -> None:
    """Tell the first of several notes, and how many more there are."""
    for message in notes[:_NOTES]:
        note(f"Note: {message}")
    if len(notes) > _NOTES:
        note(f"... and {len(notes) - _NOTES} more notes; --json has them all.")


def note_undrawn(problems: Sequence[Problem]) -> None:
    """Tell which pictures could not be drawn: the first ones, and how many more."""
    for problem in problems[:_NOTES]:
        note(f"Not drawn: {problem}.")
    if len(problems) > _NOTES:
        note(f"Nor are {len(problems) - _NOTES} more drawn.")


def say_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    title: str = "",
    most: int | None = None,
) -> None:
    """Print a table; columns whose name ends in a space are set to the left, others to the right.

    On a terminal long cells are wrapped, unless there are thousands of rows; elsewhere there is no
    edge to wrap at. Of more than `most` rows the others are counted.
    """
    rows = iter(rows)
    cells = [
        tuple(printable(str(cell), one_line=True) for cell in row) for row in islice(rows, most)
    ]
    columns = [printable(name, one_line=True) for name in columns]
    if title:
        say(title)
    _print_many(columns, cells) if len(cells) > _WRAPPED else _print_table(columns, cells)
    if more := sum(1 for _ in rows):
        say(f"... and {more:,} more; --json has them all")


def _print_table(columns: Sequence[str], rows: list[tuple[str, ...]]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name.rstrip(), justify="left" if name.endswith(" ") else "right")
    for row in rows:
        table.add_row(*row)
    real, drawn = Console(), StringIO()  # what is captured of a real one is written to it as well
    console = Console(
        file=drawn,
        force_terminal=real.is_terminal,
        width=real.width if real.is_terminal else _NO_EDGE,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(table)
    for line in drawn.getvalue().splitlines():
        _print(line.rstrip())


def _print_many(columns: Sequence[str], rows: list[tuple[str, ...]]) -> None:
    header = tuple(name.rstrip() for name in columns)
    widths = [max(map(cell_len, column)) for column in zip(header, *rows, strict=True)]
    lines = (
        "  ".join(
            cell + " " * (width - cell_len(cell))
            if name.endswith(" ")
            else " " * (width - cell_len(cell)) + cell
            for name, cell, width in zip(columns, row, widths, strict=True)
        ).rstrip()
        for row in (header, *rows)
    )
    while block := list(islice(lines, _WRAPPED)):  # each print waits until it is written
        _print("\n".join(block))


def _print(text: str, *, err: bool = False) -> None:
    """Print, whatever the encoding of the stream: what it lacks is shown by its code point."""
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    try:
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        click.echo(text, err=err, color=colour())
    except OSError as error:
        if err:  # nobody hears it, and what was asked for can be done all the same
            return
        # What could not be written would be tried again, and complained of, at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:  # nobody reads on: the command still does its work
            return
        reason = error.strerror or error
        raise OutputError(f"The output can't be written: {reason}.") from error


def _excerpt(message: str) -> str:
    """Leave out the middle of a long message: what is wrong stands at its beginning or its end."""
    lines = message.split("\n")
    if (more := len(lines) - _MOST_LINES) > 0:
        half = _MOST_LINES // 2
        lines = [*lines[:half], f"... {more + 1:,} more lines ...", *lines[1 - half :]]
    return "\n".join(map(_cut, lines))


def _cut(line: str) -> str:
    if (more := len(line) - _MOST_CHARACTERS) <= 0:
        return line
    half = _MOST_CHARACTERS // 2
    return f"{line[:half]} ... {more:,} characters more ... {line[-half:]}"


def word(text: str) -> str:
    """Write a word as one types it into a shell, also where it has characters that don't show."""
    if printable(text, one_line=True) == text:
        return shlex.quote(text)
    shown = (chr(code) if _is_plain(code) else f"\\x{code:02x}" for code in os.fsencode(text))
    return f"$'{''.join(shown)}'"


def _is_plain(code: int) -> bool:
    return 0x20 <= code < 0x7F and chr(code) not in "\\'"


def percent(share: float) -> str:
    """Write a share as people do: ``98.33%``; ``–`` where there is none."""
    return "–" if math.isnan(share) else f"{share:.2%}"


def duration(seconds: float) -> str:
    """Write seconds: ``12.3 s``, ``0.04 s``."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2f} s"

"""How commands speak: results to standard output, everything else to standard error."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from clearprop.data import Problem
from clearprop.experiment.folder import dumps

_NO_EDGE = 10_000  # columns
_WRAPPED = 1000  # rows at most that cells are wrapped in: it takes a quarter of a second
_NOTES = 10

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object instead of text."
)


def say_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(dumps(value))


def say(text: str) -> None:
    """Print a line of the result."""
    click.echo(text)


def note(message: str) -> None:
    """Tell something along the way."""
    click.echo(message, err=True)


def note_left_out(problems: Iterable[Problem]) -> None:
    """Tell which files could not be read."""
    for problem in problems:
        note(f"Left out: {problem}.")


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


def say_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
    """Print a table; columns whose name ends in a space are set to the left, others to the right.

    On a terminal long cells are wrapped, unless there are thousands of rows; elsewhere there is no
    edge to wrap at.
    """
    cells = [tuple(map(str, row)) for row in rows]
    if len(cells) > _WRAPPED:
        _say_many(columns, cells)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name.rstrip(), justify="left" if name.endswith(" ") else "right")
    for row in cells:
        table.add_row(*row)
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _NO_EDGE
    with console.capture() as captured:
        console.print(table)
    if title:
        click.echo(title)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def _say_many(columns: Sequence[str], rows: list[tuple[str, ...]]) -> None:
    header = tuple(name.rstrip() for name in columns)
    widths = [max(map(cell_len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        padded = (
            cell + " " * (width - cell_len(cell))
            if name.endswith(" ")
            else " " * (width - cell_len(cell)) + cell
            for name, cell, width in zip(columns, row, widths, strict=True)
        )
        click.echo("  ".join(padded).rstrip())


def percent(share: float) -> str:
    """Write a share as people do: ``98.33%``; ``–`` where there is none."""
    return "–" if math.isnan(share) else f"{share:.2%}"


def score_name(name: str) -> str:
    """Write the name of a score as people do: ``accuracy``, ``R²``."""
    return "R²" if name == "r2" else name


def score_value(name: str, value: float) -> str:
    """Write a score: ``98.33%``, ``0.5120``; ``–`` where there is none."""
    return percent(value) if name == "accuracy" or math.isnan(value) else f"{value:.4f}"


def score_text(name: str, value: float) -> str:
    """Write a score with its name: ``accuracy 98.33%``, ``R² 0.5120``."""
    return f"{score_name(name)} {score_value(name, value)}"


def duration(seconds: float) -> str:
    """Write seconds: ``12.3 s``, ``0.04 s``."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2f} s"

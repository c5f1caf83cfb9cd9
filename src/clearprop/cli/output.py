"""How commands speak: results to standard output, everything else to standard error."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from clearprop.data import Problem
from clearprop.experiment.folder import dumps

_NO_EDGE = 10_000  # columns

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object instead of text."
)


def say_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(dumps(value))


def note(message: str) -> None:
    """Tell something along the way."""
    click.echo(message, err=True)


def note_left_out(problems: Iterable[Problem]) -> None:
    """Tell which files could not be read."""
    for problem in problems:
        note(f"Left out: {problem}.")


def note_undrawn(problems: Iterable[Problem]) -> None:
    """Tell which pictures could not be drawn."""
    for problem in problems:
        note(f"Not drawn: {problem}.")


def say_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
    """Print a table; columns whose name ends in a space are set to the left, others to the right.

    On a terminal long cells are wrapped; elsewhere there is no edge to wrap at.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name.rstrip(), justify="left" if name.endswith(" ") else "right")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _NO_EDGE
    with console.capture() as captured:
        console.print(table)
    if title:
        click.echo(title)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


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

"""How commands speak: results to standard output, everything else to standard error."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from clearprop.experiment.folder import dumps

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object instead of text."
)


def say_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(dumps(value))


def note(message: str) -> None:
    """Tell something along the way."""
    click.echo(message, err=True)


def say_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
    """Print a table; columns whose name ends in a space are set to the left, others to the right.

    Parameters
    ----------
    columns : sequence of str
        The header.
    rows : iterable of sequence
        Cells; numbers are formatted by the caller.
    title : str, optional
        A line above.
    """
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for name in columns:
        table.add_column(name.rstrip(), justify="left" if name.endswith(" ") else "right")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 200  # a file or a pipe has no edge to wrap at
    console.print(table)


def percent(share: float) -> str:
    """Write a share as people do: ``98.33%``; ``–`` where there is none."""
    return "–" if math.isnan(share) else f"{share:.2%}"


def score_text(name: str, value: float) -> str:
    """Write a score with its name: ``accuracy 98.33%``, ``R² 0.512``."""
    return f"accuracy {percent(value)}" if name == "accuracy" else f"R² {value:.4f}"

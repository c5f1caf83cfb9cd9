"""The results: one file of JSON, from which every table is made."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clearprop.errors import DataError
from clearprop.files.written import write_text

FILE = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Figure:
    """The result of one peer in one line of the table.

    Parameters
    ----------
    value : float or None
        The number in the line's unit; None where there is none, and `remark` says why: a few
        words, or "failed: " and more.
    ratio : float or None
        The median of value / clearprop's value over the rounds.
    setting : str
        The way it was used: "2 threads", "loop, 1 thread".
    steps : int or None
        The number of updates timed, where they were fewer than all; `value` is scaled up.
    outcome : float or None
        The loss after the updates that were timed, or how certain predictions are.
    apart : float or None
        The difference from clearprop's after the same updates, relative to it.
    agrees : bool or None
        Whether that is as near as it must be; None where it can't be compared.
    remark : str
        Whatever else has to be known.
    """

    value: float | None
    ratio: float | None = None
    setting: str = ""
    steps: int | None = None
    outcome: float | None = None
    apart: float | None = None
    agrees: bool | None = None
    remark: str = ""


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Parameters
    ----------
    name : str
        The cell's name, and the target where a cell has several.
    title : str
        Parts separated by "; ": a table sets each in a line of its own.
    table : str
        The heading of the table that it belongs to.
    unit : str
        "s" or "bytes".
    figures : mapping of str to Figure
        The figures by peer.
    """

    name: str
    title: str
    table: str
    unit: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class Results:
    """All lines, and where and when each was measured.

    Parameters
    ----------
    lines : tuple of Line
    measured : mapping of str to (mapping of str to str)
        The conditions by a line's name: "date", "machine", and the version of every package.
    """

    lines: tuple[Line, ...] = ()
    measured: Mapping[str, Mapping[str, str]] | None = None

    def with_lines(self, lines: list[Line], facts: Mapping[str, str]) -> "Results":
        """Put lines in the place of those of the same name, or at the end."""
        new = {line.name: line for line in lines}
        kept = [new.pop(line.name, line) for line in self.lines]
        measured = dict(self.measured or {}) | {line.name: facts for line in lines}
        return Results((*kept, *new.values()), measured)

    def save(self) -> None:
        """Write `results.json`."""
        write_text(FILE, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls) -> "Results":
        """Read `results.json`; no lines where there is no such file.

        Raises
        ------
        DataError
            If it is not what `save` writes.
        """
        if not FILE.exists():
            return cls()
        try:
            held: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
            lines = tuple(
                Line(**line | {"figures": _figures(line["figures"])}) for line in held["lines"]
            )
            return cls(lines, held["measured"])
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"{FILE.name} is not what python -m bench writes: {error}. Delete it and measure "
                "again."
            ) from error


def _figures(held: Mapping[str, Any]) -> dict[str, Figure]:
    return {peer: Figure(**figure) for peer, figure in held.items()}

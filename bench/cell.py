"""What is common to all that is measured."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from bench.peers import Entry
from bench.pool import Pool
from bench.results import Figure, Line
from bench.work import Effort


@dataclass(frozen=True)
class Bench:
    """What is measured with.

    Parameters
    ----------
    pool : Pool
    entries : tuple of Entry
        The peers, clearprop among them.
    effort : Effort
    """

    pool: Pool
    entries: tuple[Entry, ...]
    effort: Effort


@dataclass(frozen=True)
class Cell(ABC):
    """Something to measure, which becomes one line of the results or several.

    Parameters
    ----------
    name : str
        What the command line calls it.
    title : str
        What the tables call it.
    table : str
        The heading of the table that it belongs to.
    """

    name: str
    title: str
    table: str

    @abstractmethod
    def lines(self, bench: Bench) -> list[Line]:
        """Measure; no lines where that is not possible here."""

    def line(self, unit: str, figures: Mapping[str, Figure]) -> Line:
        """Return the line of a cell that has but one."""
        return Line(self.name, self.title, self.table, unit, figures)

"""Cells: the things that are measured."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bench.peers import CLEARPROP, NUMPY_ALONE, Entry
from bench.pool import Pool
from bench.results import Figure, Line
from bench.work import Effort, Stored, Work


@dataclass(frozen=True)
class Bench:
    """The means of measuring.

    Parameters
    ----------
    pool : Pool
    entries : tuple of Entry
        The peers, clearprop among them.
    effort : Effort
    threads : int or None
        The number of threads that everybody has; None for the better one of each.
    """

    pool: Pool
    entries: tuple[Entry, ...]
    effort: Effort
    threads: int | None = None


@dataclass(frozen=True)
class Job:
    """The part of a cell that clearprop does, again and again.

    Parameters
    ----------
    name : str
        The line of the results.
    make : callable
        Makes the task, and says how it is worked on.
    entries : tuple of Entry
        The ways of using clearprop that are measured.
    threads : int or None
        The number of threads that it has; None leaves it to clearprop.
    """

    name: str
    make: Callable[[], tuple[Stored, Work]]
    entries: tuple[Entry, ...] = (CLEARPROP, NUMPY_ALONE)
    threads: int | None = None


@dataclass(frozen=True)
class Cell(ABC):
    """Something to measure, which becomes one line of the results or several.

    Parameters
    ----------
    name : str
        The name on the command line.
    title : str
        The name in the tables.
    table : str
        The heading of the table that it belongs to.
    """

    name: str
    title: str
    table: str

    @abstractmethod
    def lines(self, bench: Bench) -> list[Line]:
        """Measure; no lines where that is not possible here."""

    def jobs(self) -> Iterator[Job]:
        """List the jobs of clearprop; none where it has but one turn."""
        yield from ()

    def line(self, unit: str, figures: Mapping[str, Figure]) -> Line:
        """Return the line of a cell that has but one."""
        return Line(self.name, self.title, self.table, unit, figures)

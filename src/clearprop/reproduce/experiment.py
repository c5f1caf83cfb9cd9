"""An experiment, its result, and when a measured figure equals a published one."""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from clearprop.configuration import Json
from clearprop.files.written import make_folder
from clearprop.network import Network
from clearprop.reproduce.published import Published
from clearprop.reproduce.sources import Source
from clearprop.training import Callback

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress: TypeAlias = Callable[[str], Sequence[Callback]]
"""Announces a training by its title, and gives the callbacks that watch it."""

_NUMBER = re.compile(r"\d+(?:\.(?P<decimals>\d+))?")


@dataclass(frozen=True)
class Row:
    """One figure, published beside measured.

    A measured figure equals a published one if, rounded to as many decimals as were published, it
    has the same digits: 0.67205329 equals 0.672053, and 98.0769 equals 98 but not 98.0.

    Parameters
    ----------
    what : str
        The name of the figure.
    published : str or None
        The figure as it was printed. Words, such as "about 300", are shown, not compared.
    measured : float
        The figure in the same unit.
    unit : str, default ""
        The text behind the number: "%", " times".
    """

    what: str
    published: str | None
    measured: float
    unit: str = ""

    @property
    def equal(self) -> bool | None:
        """Whether the two are equal; None where there is no published number."""
        number = self._number()
        return None if number is None else _rounded_as(number, self.measured) == number[0]

    def texts(self) -> tuple[str, str]:
        """Write both figures for people; the measured one to the published decimals."""
        number = self._number()
        measured = f"{self.measured:#.4g}" if number is None else _rounded_as(number, self.measured)
        published = "–" if self.published is None else self.published + self.unit
        return published, measured + self.unit

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values; numbers keep every digit."""
        number = self._number()
        return {
            "what": self.what,
            "published": self.published if number is None else float(number[0]),
            "measured": self.measured,
            "equal": self.equal,
        }

    def _number(self) -> re.Match[str] | None:
        return _NUMBER.fullmatch(self.published or "")


def _rounded_as(number: re.Match[str], value: float) -> str:
    return f"{value:.{len(number['decimals'] or '')}f}"


def layer_rows(network: Network, published: Sequence[int], prefix: str = "") -> list[Row]:
    """Compare the units of every layer, from the first to the last."""
    widths = [W.shape[1] for name, W in network.parameters.items() if name.endswith(".W")]
    return [
        Row(f"{prefix}units in layer {place}", str(units), width)
        for place, (units, width) in enumerate(zip(published, widths, strict=True), start=1)
    ]


@dataclass(frozen=True)
class Result:
    """The figures and pictures of an experiment.

    Parameters
    ----------
    rows : tuple of Row
    pictures : mapping of str to Figure
        The pictures by the name of their file, without a suffix.
    """

    rows: tuple[Row, ...]
    pictures: "Mapping[str, Figure]"


@dataclass(frozen=True)
class Report:
    """The record of an experiment that has run.

    Parameters
    ----------
    name : str
        The experiment's.
    rows : tuple of Row
    lesson : str
    pictures : tuple of pathlib.Path
        The files that were written.
    seconds : float
        The time that it took.
    """

    name: str
    rows: tuple[Row, ...]
    lesson: str
    pictures: tuple[Path, ...]
    seconds: float

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return {
            "name": self.name,
            "rows": [row.to_json() for row in self.rows],
            "lesson": self.lesson,
            "pictures": [str(path) for path in self.pictures],
            "seconds": self.seconds,
        }


class Experiment(ABC):
    """Base of every experiment: a published system, and the recipe that repeats it.

    Attributes
    ----------
    name : str
        The name on the command line.
    title : str
        The subject, in a line.
    articles : tuple of int
        The numbers of those of the five published articles that it repeats.
    lesson : str
        The lesson to be learned from it, in a few sentences.
    needs : Source or None
        The data that must be given; None if they are generated.
    published : Published or None
        The training that the doctor examines by the experiment's name.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    articles: ClassVar[tuple[int, ...]]
    lesson: ClassVar[str]
    needs: ClassVar[Source | None] = None
    published: ClassVar[Published | None] = None

    @abstractmethod
    def recipe(self, data: Path | None, progress: Progress) -> Result:
        """Train, measure and draw; `data` is the folder that holds the data, or their own."""

    def run(self, data: Path | None, out: Path, progress: Progress) -> Report:
        """Follow the recipe, and write its pictures into `out`, a folder made where it is missing.

        Raises
        ------
        UsageError
            If data are needed and `data` is None.
        DataError
            If they are not there, or can't be read.
        OutputError
            If the pictures can't be written; it is tried before training begins.
        KeyboardInterrupt
            If training was interrupted.
        """
        from clearprop import plots

        began = time.perf_counter()
        if self.needs is not None:
            self.needs.find(data)  # first, so that no folder is made for nothing
        folder = make_folder(out)
        result = self.recipe(data, progress)
        paths = []
        for name, figure in result.pictures.items():
            paths.append(folder / f"{name}.png")
            plots.save(figure, paths[-1])
        seconds = time.perf_counter() - began
        return Report(self.name, result.rows, self.lesson, tuple(paths), seconds)

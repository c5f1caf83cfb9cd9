"""The costs of a peer besides time: memory, disk, and patience at import."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from statistics import median

from bench.cell import Bench, Cell
from bench.peers import CLEARPROP, Entry
from bench.pool import PeerError, Pool, settings_of
from bench.results import Figure, Line
from bench.task import Task
from bench.timing import failure, on_disk

_UPDATES = 3  # after which no more memory is asked for
_MODULES = {"clearprop": "clearprop", "scikit-learn": "sklearn.neural_network", "PyTorch": "torch"}
_MODULES |= {"JAX": "jax", "Keras": "keras"}
_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Memory(Cell):
    """The peak of memory during some updates, each peer in a fresh process.

    Parameters
    ----------
    make : callable
        Makes the task.
    """

    make: Callable[[], Task]

    def lines(self, bench: Bench) -> list[Line]:
        """Train, and read off the peak."""
        figures: dict[str, Figure] = {}
        with on_disk(self.make()) as path:
            for entry in bench.entries:
                try:
                    found = _peak(entry, path)
                except PeerError as error:
                    found = failure(entry.name, error)
                if found is not None:
                    figures[entry.name] = found
        return [self.line("bytes", _compared(figures))]


@dataclass(frozen=True)
class Import(Cell):
    """The seconds of `import` in a new process, less what Python itself takes."""

    def lines(self, bench: Bench) -> list[Line]:
        """Import in turns."""
        measured = [entry for entry in bench.entries if entry.name in _MODULES]
        seconds: dict[str, list[float]] = {entry.name: [] for entry in measured}
        for _ in range(bench.effort.rounds + 1):  # the first one fills the disk's cache
            empty = _start("pass", "")
            for entry in measured:
                taken = _start(f"import {_MODULES[entry.name]}", _beneath(entry))
                seconds[entry.name].append(taken - empty)
        medians = {name: Figure(median(taken[1:])) for name, taken in seconds.items()}
        return [self.line("s", _compared(medians))]


@dataclass(frozen=True)
class Size(Cell):
    """The files of a package and of all that it requires."""

    def lines(self, bench: Bench) -> list[Line]:
        """Add them up."""
        figures = {}
        for entry in bench.entries:
            if entry.name in _MODULES or entry.is_clearprop:
                packages = set().union(*map(needed, [*entry.packages, _beneath(entry)]))
                figures[entry.name] = Figure(float(sum(map(_bytes, packages))))
        return [self.line("bytes", _compared(figures))]


def needed(package: str) -> set[str]:
    """Return the distributions that one requires, itself included, as far as they are installed."""
    found: set[str] = set()
    ahead = [package]
    while ahead:
        name = re.sub(r"[-_.]+", "-", ahead.pop()).lower()
        try:
            required = distribution(name).requires or []
        except (PackageNotFoundError, ValueError):  # no name at all is a ValueError
            continue
        if name not in found:
            found.add(name)
            names = (_NAME.match(one) for one in required if "extra ==" not in one)
            ahead += [name[0] for name in names if name]
    return found


def _bytes(package: str) -> int:
    if package == "clearprop":  # installed for development, it lists none of its files
        folder = Path(str(import_module(package).__file__)).parent
        return sum(path.stat().st_size for path in folder.rglob("*.py"))
    paths = (path.locate() for path in distribution(package).files or [])
    return sum(Path(path).stat().st_size for path in paths if Path(path).is_file())


def _beneath(entry: Entry) -> str:
    """Return the framework that Keras runs on; nothing for the others."""
    return entry.ways[0].removeprefix("on ") if entry.ways[0].startswith("on ") else ""


def _start(code: str, beneath: str) -> float:
    environment = os.environ | {"KERAS_BACKEND": beneath}
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], check=True, env=environment, stderr=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def _peak(entry: Entry, path: str) -> Figure | None:
    """Return the peak in the first of the settings with most threads that can do the task."""
    settings = settings_of(entry)
    for setting in (one for one in settings if one.threads == settings[-1].threads):
        with Pool() as fresh:
            remote = fresh.get(setting)
            if remote.ask("load", path=path)["can"]:
                remote.ask("forget_peak")  # of reading the file, which takes twice its size
                remote.ask("train", steps=_UPDATES)
                return Figure(remote.ask("memory")["bytes"], setting=setting.in_words())
    return None


def _compared(figures: dict[str, Figure]) -> dict[str, Figure]:
    """Give every figure its ratio to clearprop's."""
    ours = figures[CLEARPROP.name].value
    return {
        peer: replace(one, ratio=one.value / ours if one.value and ours else None)
        for peer, one in figures.items()
    }

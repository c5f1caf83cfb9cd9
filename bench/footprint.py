"""What a peer takes besides time: memory, disk, and patience at import."""

import os
import re
import subprocess
import sys
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from statistics import median

from bench.peers import CLEARPROP, Entry
from bench.pool import PeerError, Pool, settings_of
from bench.results import Figure, Line
from bench.task import Task
from bench.timing import failure, on_disk
from bench.work import Effort

_UPDATES = 3  # after which no more memory is asked for
_MODULES = {"clearprop": "clearprop", "scikit-learn": "sklearn.neural_network", "PyTorch": "torch"}
_MODULES |= {"JAX": "jax", "Keras": "keras"}
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def memory(entries: tuple[Entry, ...], cell_name: str, title: str, task: Task) -> Line:
    """Train a few updates, each peer in a fresh process, and read off its peak of memory."""
    figures: dict[str, Figure] = {}
    with on_disk(task) as path, Pool() as fresh:
        for entry in entries:
            setting = settings_of(entry)[-1]
            remote = fresh.get(setting)
            try:
                if not remote.ask("load", path=path)["can"]:
                    continue
                remote.ask("train", steps=_UPDATES)
                figures[entry.name] = Figure(
                    remote.ask("memory")["bytes"], setting=setting.in_words()
                )
            except PeerError as error:
                figures[entry.name] = failure(entry.name, error)
            finally:
                remote.close()
    return _line(cell_name, title, "bytes", figures)


def importing(entries: tuple[Entry, ...], cell_name: str, title: str, effort: Effort) -> Line:
    """Time `import` in new processes, in turns, less what Python itself takes."""
    measured = [entry for entry in entries if entry.name in _MODULES]
    seconds: dict[str, list[float]] = {entry.name: [] for entry in measured}
    for _ in range(effort.rounds + 1):  # the first one fills the disk's cache
        empty = _start("pass", "")
        for entry in measured:
            taken = _start(f"import {_MODULES[entry.name]}", _beneath(entry))
            seconds[entry.name].append(taken - empty)
    return _line(
        cell_name, title, "s", {name: Figure(median(taken[1:])) for name, taken in seconds.items()}
    )


def installed_size(entries: tuple[Entry, ...], cell_name: str, title: str) -> Line:
    """Add up the files of a package and of all that it requires."""
    figures = {}
    for entry in entries:
        if entry.name in _MODULES:
            packages = set().union(*map(needed, [*entry.packages, _beneath(entry)]))
            figures[entry.name] = Figure(float(sum(map(_bytes, packages))))
    return _line(cell_name, title, "bytes", figures)


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


def _line(name: str, title: str, unit: str, figures: dict[str, Figure]) -> Line:
    ours = figures[CLEARPROP.name].value
    shown = {
        peer: Figure(
            one.value,
            one.value / ours if one.value and ours else None,
            one.setting,
            remark=one.remark,
        )
        for peer, one in figures.items()
    }
    return Line(name, title, unit, shown)

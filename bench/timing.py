"""Pair by pair: every peer at its best setting, in turns, so that all meet the same machine."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.peers import CLEARPROP, Entry
from bench.pool import PeerError, Pool, Remote, Setting, settings_of
from bench.results import Figure
from bench.task import Task
from bench.work import Effort, Training, Work

TOLERANCE = {"float64": 1e-7, "float32": 1e-2}
"""By how much, relative to it, a peer's outcome may differ from clearprop's."""


@dataclass
class Contender:
    """A peer at its best setting, ready with the task.

    Parameters
    ----------
    setting : Setting
    remote : Remote
    size : int
        Of its turns.
    differs : str or None
        Why its outcome is not compared.
    seconds : list of float
        What its turns took, scaled up to the whole work.
    """

    setting: Setting
    remote: Remote
    size: int
    differs: str | None
    seconds: list[float] = field(default_factory=list)


@contextmanager
def on_disk(task: Task) -> Iterator[str]:
    """Write a task where every process can read it, and give its path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "task.safetensors")
        task.save(path)
        yield str(path)


def measure(
    pool: Pool, entries: tuple[Entry, ...], task: Task, work: Work, effort: Effort
) -> dict[str, Figure]:
    """Time the same work by every peer that can do it.

    Parameters
    ----------
    pool : Pool
    entries : tuple of Entry
        The peers, clearprop among them.
    task : Task
    work : Work
    effort : Effort

    Returns
    -------
    dict of str to Figure
        Seconds, by peer.

    Raises
    ------
    PeerError
        If clearprop itself fails.
    """
    figures: dict[str, Figure] = {}
    ready: dict[str, Contender] = {}
    with on_disk(task) as path:
        for entry in entries:
            try:
                found = best(pool, entry, path, work, effort)
            except PeerError as error:
                figures[entry.name] = failure(entry.name, error)
                continue
            if found is not None:
                ready[entry.name] = found
        for number in range(effort.rounds):
            for name in list(ready) if number % 2 == 0 else list(reversed(ready)):
                one = ready[name]
                try:
                    one.seconds.append(work.turn(one.remote, one.size, effort))
                except PeerError as error:
                    figures[name] = failure(name, error)
                    del ready[name]
        figures |= _compared(ready, work, TOLERANCE[task.X.dtype.name])
        for one in ready.values():
            one.remote.ask("drop")
    return figures


def best(pool: Pool, entry: Entry, path: str, work: Work, effort: Effort) -> Contender | None:
    """Try every setting of a peer, and keep the fastest; None where it can't do the task.

    Raises
    ------
    PeerError
        If it fails.
    """
    tried: list[tuple[float, Contender]] = []
    for setting in settings_of(entry)[: effort.settings]:
        remote = pool.get(setting)
        answer = remote.ask("load", path=path)
        if not answer["can"]:
            return None
        slowness, size = work.try_out(remote, effort)
        tried.append((slowness, Contender(setting, remote, size, answer["differs"])))
    tried.sort(key=lambda one: one[0])
    for _, loser in tried[1:]:
        loser.remote.ask("drop")
    return tried[0][1]


def failure(name: str, error: PeerError) -> Figure:
    """Say that a peer failed, and go on without it.

    Raises
    ------
    PeerError
        If it is clearprop: there is nothing to compare with then.
    """
    if name == CLEARPROP.name:
        raise error
    say(f"  {name:<18} failed: {error}")
    return Figure(None, remark=f"failed: {error}")


def say(text: str) -> None:
    """Tell whoever waits."""
    print(text, file=sys.stderr, flush=True)


def _compared(ready: dict[str, Contender], work: Work, tolerance: float) -> dict[str, Figure]:
    """Turn what was measured into figures, each with its outcome compared with clearprop's."""
    ours = ready[CLEARPROP.name]
    expected: dict[int, float] = {}
    figures = {}
    for name, one in ready.items():
        outcome = agrees = None
        if one.differs is None:
            if one.size not in expected:
                expected[one.size] = work.outcome(ours.remote, one.size)
            outcome = work.outcome(one.remote, one.size)
            agrees = abs(outcome - expected[one.size]) <= tolerance * abs(expected[one.size])
        cut = isinstance(work, Training) and one.size < work.steps
        ratios = (mine / theirs for mine, theirs in zip(one.seconds, ours.seconds, strict=True))
        figures[name] = figure = Figure(
            value=median(one.seconds),
            ratio=median(ratios),
            setting=one.setting.in_words(),
            steps=one.size if cut else None,
            outcome=outcome,
            agrees=agrees,
            remark=one.differs or "",
        )
        warning = "  OUTCOME DIFFERS" if agrees is False else ""
        say(f"  {name:<18}{figure.value:10.4g} s {figure.ratio:8.2f}  {figure.setting}{warning}")
    return figures

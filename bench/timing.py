"""Pair by pair: every peer at its best setting, in turns, so that all meet the same machine."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.cell import Bench
from bench.peers import CLEARPROP, Entry
from bench.pool import PeerError, Remote, Setting, settings_of
from bench.results import Figure
from bench.work import Stored, Work

_PAUSE = 0.05  # seconds in which the threads of the last peer stop waiting for more to do


@dataclass
class Contender:
    """A peer at its best setting, ready with the task.

    Parameters
    ----------
    setting : Setting
    remote : Remote
    size : int
        The size of its turns.
    differs : str or None
        Why its outcome is not compared.
    seconds : list of float
        The seconds of its turns, scaled up to the whole work.
    """

    setting: Setting
    remote: Remote
    size: int
    differs: str | None
    seconds: list[float] = field(default_factory=list)


@contextmanager
def on_disk(task: Stored) -> Iterator[str]:
    """Write a task where every process can read it, and give its path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "task")
        task.save(path)
        yield str(path)


def measure(bench: Bench, task: Stored, work: Work) -> dict[str, Figure]:
    """Time the same work by every peer that can do it.

    Parameters
    ----------
    bench : Bench
    task : Stored
    work : Work

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
        for entry in bench.entries:
            try:
                found = best(bench, entry, path, work)
            except PeerError as error:
                figures[entry.name] = failure(entry.name, error)
                continue
            if found is not None:
                ready[entry.name] = found
        for number in range(bench.effort.rounds):
            for name in list(ready) if number % 2 == 0 else list(reversed(ready)):
                one = ready[name]
                time.sleep(_PAUSE)
                try:
                    one.seconds.append(work.turn(one.remote, one.size, bench.effort))
                except PeerError as error:
                    figures[name] = failure(name, error)
                    del ready[name]
        ours, expected = ready[CLEARPROP.name], Expected(ready[CLEARPROP.name].remote, work)
        for name, one in ready.items():
            try:
                figures[name] = _figure(one, ours, expected)
            except PeerError as error:
                figures[name] = failure(name, error)
            else:
                _tell(name, figures[name])
        for name, one in ready.items():
            if figures[name].value is not None:
                one.remote.ask("drop")
    return {entry.name: figures[entry.name] for entry in bench.entries if entry.name in figures}


def best(bench: Bench, entry: Entry, path: str, work: Work) -> Contender | None:
    """Try every setting of a peer, and keep the fastest; None where it can't do the task.

    Raises
    ------
    PeerError
        If it fails.
    """
    tried: list[tuple[float, Contender]] = []
    for setting in settings_of(entry, bench.threads)[: bench.effort.settings]:
        remote = bench.pool.get(setting)
        answer = remote.ask("load", path=path)
        if answer["can"]:
            slowness, size = work.try_out(remote, bench.effort)
            tried.append((slowness, Contender(setting, remote, size, answer["differs"])))
    tried.sort(key=lambda one: one[0])
    for _, loser in tried[1:]:
        loser.remote.ask("drop")
    return tried[0][1] if tried else None


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
    in_a_table = " ".join(str(error).split()).replace("|", "/")
    return Figure(None, remark=f"failed: {in_a_table:.80}")


def say(text: str) -> None:
    """Tell whoever waits."""
    print(text, file=sys.stderr, flush=True)


class Expected:
    """clearprop's outcomes, each computed when it is first asked for.

    Parameters
    ----------
    remote : Remote
        clearprop's.
    work : Work
    """

    def __init__(self, remote: Remote, work: Work) -> None:
        self.remote = remote
        self.work = work
        self._known: dict[int, float] = {}

    def after(self, updates: int) -> float:
        """Return the outcome after so many updates."""
        if updates not in self._known:
            self._known[updates] = self.work.outcome(self.remote, updates)
        return self._known[updates]


def _figure(one: Contender, ours: Contender, expected: Expected) -> Figure:
    """Turn what was measured into a figure, with its outcome compared with clearprop's."""
    work = expected.work
    outcome = apart = agrees = None
    if one.differs is None:
        agrees = True
        for check in reversed(work.checks(one.size)):  # the last state is there already
            found, wanted = work.outcome(one.remote, check.updates), expected.after(check.updates)
            difference = abs(found / wanted - 1)
            agrees = agrees and difference <= check.tolerance
            if outcome is None:
                outcome, apart = found, difference
    ratios = (mine / theirs for mine, theirs in zip(one.seconds, ours.seconds, strict=True))
    return Figure(
        value=median(one.seconds),
        ratio=median(ratios),
        setting=one.setting.in_words(),
        steps=one.size if work.is_cut(one.size) else None,
        outcome=outcome,
        apart=apart,
        agrees=agrees,
        remark=one.differs or "",
    )


def _tell(name: str, figure: Figure) -> None:
    warning = "  OUTCOME DIFFERS" if figure.agrees is False else ""
    say(f"  {name:<18}{figure.value:10.4g} s {figure.ratio:8.2f}  {figure.setting}{warning}")

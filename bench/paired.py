"""``python -m bench paired --against PATH``: this checkout against another one.

Both do the same work in turns, each in a process of its own; nothing is imported or compiled while
the clock runs. After every few pairs both processes are new ones: where a process finds its memory
and its code makes it faster or slower than its twin, which no number of pairs evens out. A cell is
slower if the 95% interval of the median of new / old lies above `BORDER`. The other checkout, of
whatever version, brings its own `bench.worker`.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from statistics import mean, median

from bench.cell import Job
from bench.cells import CELLS
from bench.machine import facts
from bench.peers import Entry, version_of
from bench.pool import ROOT, PeerError, Pool, settings_of, source_of
from bench.timing import on_disk, say
from bench.work import Effort, Work
from clearprop.files.written import write_text

BORDER = 1.03
FEWEST = 6  # pairs, below which even the whole range is no 95% interval
_TOGETHER = 5  # pairs of the same two processes
_EFFORT = Effort(rounds=1, turn=0.2, trial=0.2, limit=0.0)
_PAUSE = 0.05  # seconds in which the threads of the other side stop waiting for more to do
_IMPORT = """
import time
began = time.perf_counter()
import clearprop
print(time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Pairs:
    """The turns of a cell that were measured next to each other.

    Parameters
    ----------
    cell, way : str
    new, old : tuple of float
        Seconds of each turn, in pairs.
    apart : float or None
        The relative difference of the outcomes: 0 where both compute the same bits.
    agrees : bool
        Whether that is rounding alone.
    """

    cell: str
    way: str
    new: tuple[float, ...]
    old: tuple[float, ...]
    apart: float | None = None
    agrees: bool = True

    @property
    def ratios(self) -> list[float]:
        """The ratio new / old of each pair."""
        return [new / old for new, old in zip(self.new, self.old, strict=True)]

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the median ratio."""
        return interval(self.ratios)

    @property
    def is_slower(self) -> bool:
        """Whether the new checkout is slower by more than `BORDER`, as far as can be known."""
        return self.interval[0] > BORDER

    def in_words(self) -> str:
        """Return one line of the report."""
        low, high = self.interval
        remark = "  SLOWER" if self.is_slower else ""
        remark += "" if self.agrees else f"  OUTCOME DIFFERS by {self.apart:.1g}"
        return (
            f"{self.cell:<26}{self.way:<13}{median(self.old):9.4g} s {median(self.new):9.4g} s"
            f"{median(self.ratios):8.3f} [{low:.3f}, {high:.3f}] of {len(self.new)}{remark}"
        )

    def as_json(self) -> dict[str, object]:
        """Return all of it, with what follows from it."""
        low, high = self.interval
        found = {"ratio": median(self.ratios), "low": low, "high": high, "slower": self.is_slower}
        return asdict(self) | found


def interval(ratios: Sequence[float]) -> tuple[float, float]:
    """Return an interval that holds the median with a probability of 95% at least.

    Its ends are order statistics: as many ratios lie below it as the median of a sample of this
    size has above it with a probability of at most 2.5%, by the binomial distribution with p = 1/2.

    Parameters
    ----------
    ratios : sequence of float, of length N
        `FEWEST` at least; of fewer the whole range, which means less.
    """
    count, left_out, below = len(ratios), 0, 1
    while below <= 0.025 * 2**count:  # sum of binomial coefficients up to `left_out`
        left_out += 1
        below += math.comb(count, left_out)
    ordered = sorted(ratios)
    left_out = max(left_out - 1, 0)
    return ordered[left_out], ordered[count - 1 - left_out]


def turns(
    new: Callable[[], float], old: Callable[[], float], count: int
) -> list[tuple[float, float]]:
    """Time both sides `count` times, pair by pair; each begins every other pair.

    Parameters
    ----------
    new, old : callable
        Does the work once, and returns the seconds.
    count : int
    """
    pairs = []
    for number in range(count):
        pair = {}
        for side in (new, old) if number % 2 == 0 else (old, new):
            time.sleep(_PAUSE)
            pair[side] = _turn(side)
        pairs.append((pair[new], pair[old]))
    return pairs


def _apart(pairs: list[tuple[float, float]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the seconds of the new side, and those of the old one."""
    return tuple(new for new, _ in pairs), tuple(old for _, old in pairs)


def _turn(once: Callable[[], float]) -> float:
    """Do what is quick over and over, and return the mean."""
    began, taken = time.perf_counter(), [once()]
    while time.perf_counter() - began < _EFFORT.turn:
        taken.append(once())
    return mean(taken)


@dataclass(frozen=True)
class Comparison:
    """Two checkouts, and how often they are compared.

    Parameters
    ----------
    new, old : Pool
        The processes of each.
    pairs : int
    at_most : float
        Seconds that the pairs of one cell and way may take; `FEWEST` are made in any case.
    """

    new: Pool
    old: Pool
    pairs: int
    at_most: float = math.inf

    def of_import(self) -> Pairs:
        """Compare the seconds of `import clearprop` in new processes."""
        new, old = partial(_import, self.new.root), partial(_import, self.old.root)
        slowest = max(new(), old())  # the first time writes byte code
        return Pairs("import", "", *_apart(turns(new, old, self._count(slowest))))

    def of_job(self, job: Job) -> Iterator[Pairs]:
        """Compare a job in every way there is here."""
        task, work = job.make()
        with on_disk(task) as path:
            for entry in job.entries:
                if all(map(version_of, entry.packages)):
                    yield self._pairs(job, entry, path, work)

    def _pairs(self, job: Job, entry: Entry, path: str, work: Work) -> Pairs:
        [setting] = settings_of(entry, job.threads)
        pairs: list[tuple[float, float]] = []
        count = 1
        while len(pairs) < count:
            remotes = [pool.new(setting) for pool in (self.new, self.old)]
            for remote in remotes:
                remote.ask("load", path=path)
                _, size = work.try_out(remote, _EFFORT)  # which may compile
            new, old = (partial(work.turn, remote, size, _EFFORT) for remote in remotes)
            if not pairs:
                count = self._count(max(_turn(new), _turn(old)))
            pairs += turns(new, old, min(_TOGETHER, count - len(pairs)))
        agrees, apart = True, 0.0
        for check in work.checks(size):
            outcomes = [work.outcome(remote, check.updates) for remote in remotes]
            apart = abs(outcomes[0] / outcomes[1] - 1)
            agrees = agrees and apart <= check.tolerance
        for remote in remotes:
            remote.ask("drop")
        return Pairs(job.name, entry.name, *_apart(pairs), apart, agrees)

    def _count(self, seconds: float) -> int:
        fitting = self.at_most / (2 * max(seconds, _EFFORT.turn))
        return int(max(FEWEST, min(self.pairs, fitting)))


def _import(root: Path) -> float:
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", _IMPORT],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | source_of(root),
    )
    return float(done.stdout)


def _commit(root: Path) -> str:
    """Return the commit of a checkout; nothing where Git does not know it."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()  # noqa: S603 - our own
    except OSError:
        return ""


def jobs(pattern: str) -> list[Job]:
    """Return the jobs of all cells whose names match a pattern of the shell."""
    found = (job for cell in CELLS.values() for job in cell.jobs())
    return [job for job in found if fnmatchcase(job.name, pattern)]


def main(arguments: list[str]) -> int:
    """Compare; return 1 if any cell is slower."""
    parser = argparse.ArgumentParser(prog="python -m bench paired", description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="another checkout")
    parser.add_argument("--cells", default="*", help="a pattern, such as 'estimators-*'")
    parser.add_argument("--pairs", type=int, default=15, help="of a cell; %(default)s by default")
    parser.add_argument(
        "--at-most",
        type=float,
        default=math.inf,
        metavar="SECONDS",
        help=f"what the pairs of one cell may take: long ones get fewer, but {FEWEST}",
    )
    parser.add_argument("--json", type=Path, default=Path(__file__).with_name("paired.json"))
    asked = parser.parse_args(arguments)
    against = asked.against.resolve()
    if not (against / "bench/worker.py").exists():
        parser.error(f"{asked.against} is no checkout of clearprop: it has no bench/worker.py")
    if asked.pairs < FEWEST:
        parser.error(f"--pairs is at least {FEWEST}; found {asked.pairs}")
    chosen, with_import = jobs(asked.cells), fnmatchcase("import", asked.cells)
    if not chosen and not with_import:
        parser.error(f"no cell matches {asked.cells!r}; there are import, {', '.join(_names())}")
    conditions = facts() | {"new": _commit(ROOT), "old": _commit(against)}
    found: list[Pairs] = []
    with ExitStack() as stack:
        new, old = (stack.enter_context(Pool(root)) for root in (ROOT, against))
        comparison = Comparison(new, old, asked.pairs, asked.at_most)
        say(f"{'cell':<39}{'old':>9}   {'new':>9}   {'new / old':>7}")
        for one in _compare(comparison, chosen, with_import):
            found.append(one)
            say(one.in_words())
            cells = [pairs.as_json() for pairs in found]
            write_text(asked.json, json.dumps(conditions | {"cells": cells}, indent=1) + "\n")
    slower = [f"{one.cell} ({one.way})" for one in found if one.is_slower]
    say(f"{len(slower)} of {len(found)} slower: {', '.join(slower)}" if slower else "None slower.")
    return bool(slower)


def _compare(comparison: Comparison, chosen: list[Job], with_import: bool) -> Iterator[Pairs]:
    if with_import:
        yield comparison.of_import()
    for job in chosen:
        try:
            yield from comparison.of_job(job)
        except PeerError as error:
            raise SystemExit(f"{job.name}: {error}") from error


def _names() -> list[str]:
    return [job.name for job in jobs("*")]

"""scikit-learn's estimators against clearprop's, which take their place."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

from bench import data
from bench.cell import Bench, Cell, Job
from bench.peers import CLEARPROP, NUMPY_ALONE
from bench.pool import Remote
from bench.results import Line
from bench.task import Array
from bench.timing import measure, say
from bench.work import Check, Effort

TABLE = "A fit by scikit-learn's estimators, and by clearprop's with the same parameters"
SOLVERS = ("sgd", "adam", "lbfgs")
_PLACES = {
    "clearprop": "bench.peers.estimators:Ours",
    "NumPy alone": "bench.peers.estimators:Ours",
    "scikit-learn": "bench.peers.estimators:Theirs",
}
_ROUNDS = 3
_TRIED = 4  # of so many iterations, one is tried


@dataclass(frozen=True)
class Samples:
    """A set of samples to fit.

    Parameters
    ----------
    title : str
    make : callable
        Makes X, an array or a sparse matrix, and y: class numbers, or values of a float type.
    iterations : tuple of int
        The number of a fit's epochs by sgd and by adam, and of its iterations by L-BFGS.
    """

    title: str
    make: Callable[[], tuple[Any, Array]]
    iterations: tuple[int, int, int]


SAMPLES = {
    "digits": Samples("digits, 1797 × 64", data.small_digits, (200, 200, 30)),
    "cancer": Samples("breast cancer, 569 × 30", data.tumours, (200, 200, 30)),
    "mnist": Samples("MNIST, 60000 × 784", data.digits_in_float64, (2, 2, 3)),
    "wide": Samples("500 × 20000", data.wide, (20, 6, 5)),
    "sparse": Samples("sparse, 20000 × 5000", data.documents, (2, 2, 5)),
    "long": Samples("1,000,000 × 20, a value", data.long, (1, 1, 1)),
}
_TOLERANCES = {"sgd": 1e-9, "adam": 1e-9, "lbfgs": 1e-6}
"""Differences of losses that are allowed; a line search makes more of rounding than a step."""


@dataclass(frozen=True)
class Fit:
    """A fit, described.

    Parameters
    ----------
    name : str
        The name of the samples.
    solver : str
    """

    name: str
    solver: str

    def samples(self) -> tuple[Any, Array]:
        """Return X and y; those that were made last are kept."""
        return _made(self.name)

    def save(self, path: Path) -> None:
        """Write it to a file."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Fit":
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def _made(name: str) -> tuple[Any, Array]:
    return SAMPLES[name].make()


@dataclass(frozen=True)
class Fitting:
    """A whole fit; the outcome is the loss that the estimator reports.

    Parameters
    ----------
    iterations : int
    tolerance : float
        The relative difference of losses that is allowed.
    """

    iterations: int
    tolerance: float

    def try_out(self, remote: Remote, effort: Effort) -> tuple[float, int]:
        """Time some iterations; those that are over quickly again, as the first ones warm up."""
        some = max(1, self.iterations // _TRIED)
        seconds = remote.ask("train", steps=some)["seconds"]
        if seconds < effort.trial:
            seconds = remote.ask("train", steps=some)["seconds"]
        return seconds, self.iterations

    def turn(self, remote: Remote, size: int, effort: Effort) -> float:
        """Fit from the first weights on, over and over where that is quick, and take the mean."""
        taken: list[float] = []
        while sum(taken) < effort.turn:
            taken.append(float(remote.ask("train", steps=size)["seconds"]))
        return mean(taken)

    def is_cut(self, size: int) -> bool:
        """Never."""
        return False

    def checks(self, size: int) -> tuple[Check, ...]:
        """Return the one number there is."""
        return (Check(size, self.tolerance),)

    def outcome(self, remote: Remote, updates: int) -> float:
        """Return the loss."""
        return float(remote.ask("loss", steps=updates)["loss"])


@dataclass(frozen=True)
class Fits(Cell):
    """Every solver on every set of samples: a line for each."""

    def lines(self, bench: Bench) -> list[Line]:
        """Fit in turns, fewer than elsewhere, as they are long."""
        entries = (one for one in bench.entries if one.name in _PLACES)
        fewer = Bench(
            bench.pool,
            tuple(replace(entry, place=_PLACES[entry.name]) for entry in entries),
            replace(bench.effort, rounds=min(bench.effort.rounds, _ROUNDS)),
        )
        lines = []
        for name, solver in product(SAMPLES, SOLVERS):
            say(f" {name} {solver}")
            figures = measure(fewer, *_work(name, solver))
            title = f"{SAMPLES[name].title}; {solver}"
            lines.append(Line(f"{self.name}-{name}-{solver}", title, TABLE, "s", figures))
        return lines

    def jobs(self) -> Iterator[Job]:
        """Fit every set of samples by every solver."""
        entries = tuple(replace(one, place=_PLACES[one.name]) for one in (CLEARPROP, NUMPY_ALONE))
        for name, solver in product(SAMPLES, SOLVERS):
            yield Job(f"{self.name}-{name}-{solver}", partial(_work, name, solver), entries)


def _work(name: str, solver: str) -> tuple[Fit, Fitting]:
    iterations = dict(zip(SOLVERS, SAMPLES[name].iterations, strict=True))[solver]
    return Fit(name, solver), Fitting(iterations, _TOLERANCES[solver])

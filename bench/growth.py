"""The growth of an update's cost with samples, features, width and depth."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from bench import data
from bench.cell import Bench, Cell, Job
from bench.peers import CLEARPROP
from bench.results import Line
from bench.task import Rule, Task
from bench.timing import measure, say
from bench.work import Training

TABLE = "How the time of 100 updates grows"
PEERS = ("clearprop", "published loop", "scikit-learn", "PyTorch", "JAX")
_UPDATES = 100
_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Shape:
    """Full-batch gradient descent: what is varied, one at a time.

    Parameters
    ----------
    samples, features, width : int
    depth : int
        Hidden layers.
    """

    samples: int = 400
    features: int = 1000
    width: int = 32
    depth: int = 2

    def task(self) -> Task:
        """Make a task of this shape, in float32."""
        widths = (*(self.width for _ in range(self.depth)), 10)
        X, y = data.table(self.samples, self.features, 10)
        return Task(Rule(widths, _UPDATES, None, "sgd", 1e-3), X, y)


SIZES = {
    "samples": (50, 200, 800, 3200),
    "features": (100, 1000, 10_000, 50_000),
    "width": (8, 32, 128, 512),
    "depth": (1, 2, 4, 8),
}
_SIZED = [(what, size) for what, sizes in SIZES.items() for size in sizes]


@dataclass(frozen=True)
class Growth(Cell):
    """Updates for every size of each of the four, all else at its default: a line for each."""

    def lines(self, bench: Bench) -> list[Line]:
        """Measure fewer peers, and with less effort: a picture shows no third digit."""
        effort = bench.effort
        less = Bench(
            bench.pool,
            tuple(entry for entry in bench.entries if entry.name in PEERS),
            replace(
                effort, rounds=min(effort.rounds, 3), turn=effort.trial, trial=effort.trial / 4
            ),
        )
        lines = []
        for what, size in _SIZED:
            say(f" {what} {size}")
            figures = measure(less, *_work(what, size))
            lines.append(Line(f"{self.name}-{what}-{size}", f"{what} {size}", TABLE, "s", figures))
        return lines

    def jobs(self) -> Iterator[Job]:
        """Train at every size, by the way that the picture shows."""
        for what, size in _SIZED:
            yield Job(f"{self.name}-{what}-{size}", partial(_work, what, size), (CLEARPROP,))


def _work(what: str, size: int) -> tuple[Task, Training]:
    task = replace(Shape(), **{what: size}).task()
    return task, Training(_UPDATES, "float32", _TOLERANCE)

"""The cells of pictures: an update of convolutions by Adam."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from bench import data
from bench.cell import Bench, Cell, Job
from bench.fronts import Front
from bench.results import Line
from bench.task import NEGLIGIBLE, Array, Rule, Task
from bench.timing import measure
from bench.work import Step, Training

_ROUNDS, _TURN = 4, 1.5  # seconds: in shorter ones what `fit` does once would count
_MOST = 200  # updates
_BATCHES = 4  # that differ
_PEERS = ("clearprop", "NumPy alone", "PyTorch", "JAX", "Keras")


def table(threads: int) -> str:
    """Return the heading of the table of those who have so many threads."""
    return f"An update by Adam of convolutions, float32, {threads} thread{'s'[: threads - 1]}"


@dataclass(frozen=True)
class Stepped(Cell):
    """The seconds of an update by so many threads.

    Parameters
    ----------
    make : callable
        Makes the task.
    threads : int
    tolerance : float
        The relative difference from clearprop's loss that is allowed after the first updates.
    """

    make: Callable[[], Task]
    threads: int
    tolerance: float

    def lines(self, bench: Bench) -> list[Line]:
        """Update in turns."""
        effort, entries = bench.effort, bench.entries
        less = replace(
            bench,
            entries=tuple(entry for entry in entries if entry.name in _PEERS),
            effort=replace(
                effort, rounds=min(effort.rounds, _ROUNDS), turn=min(effort.turn, _TURN)
            ),
            threads=self.threads,
        )
        return [self.line("s", measure(less, *self._work()))]

    def jobs(self) -> Iterator[Job]:
        """Update."""
        yield Job(self.name, self._work, threads=self.threads)

    def _work(self) -> tuple[Task, Training]:
        task = self.make()
        return task, Step(task.rule.steps, task.X.dtype.name, self.tolerance, first=self.tolerance)


def cells() -> Iterator[Stepped]:
    """Yield a cell for each network and number of threads."""
    for threads in (1, 2):
        for name, (title, make, tolerance) in _NETWORKS.items():
            yield Stepped(f"conv-{name}-{threads}", title, table(threads), make, threads, tolerance)


def blocks(filters: tuple[int, ...], *, norm: bool) -> Front:
    """Return a front of blocks, each a convolution of so many filters, ReLU and a pool."""
    parts: list[int | str] = []
    for count in filters:
        parts += [count, *(["norm"] if norm else []), "relu", "pool"]
    return tuple(parts)


def _digits(*, norm: bool) -> Task:
    X, y, _, _ = data.digits()
    X = X[: 128 * _BATCHES].reshape(-1, 28, 28, 1)
    return _task(blocks((16, 32), norm=norm), (128, 10), 128, X, y)


def _photos(*, norm: bool) -> Task:
    X, y = data.photos(32 * _BATCHES, 64)
    return _task(blocks((16, 32, 64, 64), norm=norm), (64, 2), 32, X, y)


def _residual() -> Task:
    X, y = data.photos(64 * _BATCHES, 32)
    front: list[int | str | Front] = []
    for count in (32, 64):
        block = (count, "norm", "relu", count, "norm")
        front += [count, block, "relu", "pool"]
    return _task((*front, "average"), (10,), 64, X, y)


def _task(front: Front, widths: tuple[int, ...], batch: int, X: Array, y: Array) -> Task:
    rule = Rule(widths, _MOST, batch, "adam", 1e-4, epsilon=NEGLIGIBLE, front=front)
    return Task(rule, np.ascontiguousarray(X, np.float32), y[: len(X)])


_DIGITS = "28 × 28 × 1, batches of 128; conv 16 and 32{}, each with pool; 128, 10"
_PHOTOS = "64 × 64 × 3, batches of 32; conv 16, 32, 64, 64{}, each with pool; 64, 2"
_NETWORKS: dict[str, tuple[str, Callable[[], Task], float]] = {
    "digits": (_DIGITS.format(""), lambda: _digits(norm=False), 1e-4),
    "digits-norm": (_DIGITS.format(" with norm"), lambda: _digits(norm=True), 2e-3),
    "photos": (_PHOTOS.format(""), lambda: _photos(norm=False), 2e-3),
    "photos-norm": (_PHOTOS.format(" with norm"), lambda: _photos(norm=True), 2e-3),
    "residual": (
        "32 × 32 × 3, batches of 64; conv 32 and 64, each with residual block and pool; 10",
        _residual,
        2e-3,
    ),
}

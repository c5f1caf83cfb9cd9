"""What is measured."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from bench import data
from bench.task import Rule, Task

_CATS = Rule((20, 7, 5, 1), 2500, None, "sgd", 0.0075, he=False)  # the published run


@dataclass(frozen=True)
class Cell:
    """One line of the table.

    Parameters
    ----------
    name : str
        What the command line calls it.
    title : str
        What the table calls it.
    kind : str
        "train", "predict", "learn" (to an accuracy), "memory", "import" or "size".
    make : callable
        Makes the task.
    simpler : tuple of callable
        Make the tasks of those who can't do the first, the best first.
    needs_digits : bool
        Whether it means nothing without the real digits.
    """

    name: str
    title: str
    kind: str
    make: Callable[[], Task]
    simpler: tuple[Callable[[], Task], ...] = ()
    needs_digits: bool = False


def _cats(dtype: DTypeLike) -> Task:
    X, y = data.course_pictures()
    return Task(_CATS, X.astype(dtype), y)


def _large() -> Task:
    return Task(_CATS, *data.large_pictures())


def _genes() -> Task:
    return Task(Rule((64, 32, 10), 1000, 50, "momentum", 1e-5), *data.genes())


def _tiny() -> Task:
    return Task(Rule((32, 32, 2), 320, 32, "adam", 1e-3), *data.table(320 * 32, 20, 2))


def _digits(hidden: tuple[int, ...], batch_size: int, steps: int, optimizer: str) -> Task:
    X, y, _, _ = data.digits()
    samples = batch_size * steps
    rate = {"sgd": 0.1, "adam": 1e-3}[optimizer]
    return Task(Rule((*hidden, 10), steps, batch_size, optimizer, rate), X[:samples], y[:samples])


def _learning(epochs: int, optimizer: str, learning_rate: float, dropout: float = 0.0) -> Task:
    X, y, X_test, y_test = data.digits()
    samples = len(X) // 128 * 128
    steps = epochs * samples // 128
    rule = Rule((512, 256, 10), steps, 128, optimizer, learning_rate, dropout=dropout)
    return Task(rule, X[:samples], y[:samples], X_test, y_test)


def _prediction(samples: int) -> Task:
    X, y, X_test, y_test = data.digits()
    rule = Rule((256, 128, 10), 1, 128, "sgd", 0.1)
    return Task(rule, X[:128], y[:128], X_test[:samples], y_test[:samples])


CELLS = {
    cell.name: cell
    for cell in (
        Cell(
            "cat-float64",
            "209 x 12288, [20, 7, 5, 1], 2500 iterations, float64",
            "train",
            lambda: _cats(np.float64),
        ),
        Cell("cat-float32", "the same, float32", "train", lambda: _cats(np.float32)),
        Cell("cats-1323", "1323 x 49152, [20, 7, 5, 1], 2500 iterations, float64", "train", _large),
        Cell(
            "genes",
            "500 x 20000, [64, 32, 10], batches of 50, momentum, 100 epochs",
            "train",
            _genes,
        ),
        Cell("tiny-adam", "[20, 32, 32, 2], batches of 32, Adam, 320 steps", "train", _tiny),
        Cell(
            "small-sgd",
            "[784, 64, 32, 10], batches of 200, SGD, 300 steps",
            "train",
            lambda: _digits((64, 32), 200, 300, "sgd"),
        ),
        Cell(
            "small-adam",
            "[784, 64, 32, 10], batches of 200, Adam, 300 steps",
            "train",
            lambda: _digits((64, 32), 200, 300, "adam"),
        ),
        Cell(
            "middle-adam",
            "[784, 256, 128, 10], batches of 128, Adam, 300 steps",
            "train",
            lambda: _digits((256, 128), 128, 300, "adam"),
        ),
        Cell(
            "wide-adam",
            "[784, 1024, 1024, 10], batches of 256, Adam, 60 steps",
            "train",
            lambda: _digits((1024, 1024), 256, 60, "adam"),
        ),
        Cell(
            "mnist",
            "MNIST",
            "learn",
            lambda: _learning(10, "adam", 2e-3, dropout=0.2),
            simpler=(lambda: _learning(50, "adam", 1e-3), lambda: _learning(50, "sgd", 0.2)),
            needs_digits=True,
        ),
        Cell("predict-one", "[784, 256, 128, 10]: 1 sample", "predict", lambda: _prediction(1)),
        Cell(
            "predict-many",
            "[784, 256, 128, 10]: 10,000 samples",
            "predict",
            lambda: _prediction(10_000),
        ),
        Cell("memory", "Peak memory of 1323 x 49152", "memory", _large),
        Cell("import", "Import", "import", _tiny),
        Cell("size", "Installed, with all it needs", "size", _tiny),
    )
}

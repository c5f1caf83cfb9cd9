"""The cells of the benchmark."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from bench import convolutions, data
from bench.cell import Bench, Cell, Job
from bench.fits import Fits
from bench.footprint import Import, Memory, Size
from bench.growth import Growth
from bench.race import Race, Recipe
from bench.results import Line
from bench.task import NEGLIGIBLE, Rule, Task
from bench.timing import measure
from bench.work import Predicting, Training

_CATS = Rule((20, 7, 5, 1), 2500, None, "sgd", 0.0075, he=False)  # the published run


@dataclass(frozen=True)
class Trained(Cell):
    """The seconds of a training.

    Parameters
    ----------
    make : callable
        Makes the task.
    tolerance : float
        The relative difference from clearprop's loss that is allowed after the last update: a few
        times that which ``python -m bench.rounding`` finds where rounding alone differs.
    until : int or None
        The update after which losses are compared for the last time; None for the last timed.
    """

    make: Callable[[], Task]
    tolerance: float
    until: int | None = None

    def lines(self, bench: Bench) -> list[Line]:
        """Train in turns."""
        return [self.line("s", measure(bench, *self._work()))]

    def jobs(self) -> Iterator[Job]:
        """Train."""
        yield Job(self.name, self._work)

    def _work(self) -> tuple[Task, Training]:
        task = self.make()
        return task, Training(task.rule.steps, task.X.dtype.name, self.tolerance, self.until)


@dataclass(frozen=True)
class Predicted(Cell):
    """The seconds of a call that predicts.

    Parameters
    ----------
    make : callable
        Makes the task.
    """

    make: Callable[[], Task]

    def lines(self, bench: Bench) -> list[Line]:
        """Predict in turns."""
        return [self.line("s", measure(bench, self.make(), Predicting()))]

    def jobs(self) -> Iterator[Job]:
        """Predict."""
        yield Job(self.name, lambda: (self.make(), Predicting()))


def _cats(dtype: DTypeLike) -> Task:
    X, y = data.course_pictures()
    return Task(_CATS, X.astype(dtype), y)


def _large() -> Task:
    return Task(_CATS, *data.large_pictures())


def _genes() -> Task:
    return Task(Rule((64, 32, 10), 1000, 50, "momentum", 1e-5), *data.genes())


def _tiny() -> Task:
    return Task(
        Rule((32, 32, 2), 3200, 32, "adam", 1e-3, epsilon=NEGLIGIBLE),
        *data.table(320 * 32, 20, 2),
    )


def _digits(hidden: tuple[int, ...], batch_size: int, steps: int, optimizer: str) -> Task:
    X, y, _, _ = data.digits()
    samples = batch_size * steps
    rate = {"sgd": 0.1, "adam": 1e-3}[optimizer]
    rule = Rule((*hidden, 10), steps, batch_size, optimizer, rate, epsilon=NEGLIGIBLE)
    return Task(rule, X[:samples], y[:samples])


def _learning(epochs: int, optimizer: str, learning_rate: float, dropout: float = 0.0) -> Task:
    X, y, X_test, y_test = data.digits()
    samples = len(X) // 128 * 128
    steps = epochs * samples // 128
    rule = Rule((512, 256, 10), steps, 128, optimizer, learning_rate, dropout=dropout)
    return Task(rule, X[:samples], y[:samples], X_test, y_test)


_VERSIONS, _PASSES = 5, 10  # of all digits


def _learning_by_convolutions() -> Task:
    _, _, X_test, y_test = data.digits()
    samples = 60000 // 128 * 128
    updates = samples // 128
    rule = Rule(
        (64, 10),
        _PASSES * updates,
        128,
        "adam",
        3e-3,
        dropout=0.3,
        front=convolutions.blocks((16, 32, 64), norm=True),
        cycle=True,
        every=updates // 2,
    )
    X, y = data.changed_digits(samples, _VERSIONS)
    return Task(rule, X, y, X_test.reshape(-1, 28, 28, 1), y_test)


def _prediction(samples: int) -> Task:
    X, y, X_test, y_test = data.digits()
    rule = Rule((256, 128, 10), 1, 128, "sgd", 0.1)
    return Task(rule, X[:128], y[:128], X_test[:samples], y_test[:samples])


_FEW_SAMPLES = "Training on few samples of many features"
_MINI_BATCHES = "Training by mini-batches, float32"
_MNIST = "Training on MNIST to a test accuracy"
_PREDICTION = "Prediction by [784, 256, 128, 10], float32"
_FOOTPRINT = "What it takes"

CELLS: dict[str, Cell] = {
    cell.name: cell
    for cell in (
        Trained(
            "cat-float64",
            "209 × 12288; [20, 7, 5, 1]; 2500 updates; float64",
            _FEW_SAMPLES,
            lambda: _cats(np.float64),
            1e-7,
        ),
        Trained(
            "cat-float32",
            "209 × 12288; [20, 7, 5, 1]; 2500 updates; float32",
            _FEW_SAMPLES,
            lambda: _cats(np.float32),
            1e-6,
            until=200,  # from about the 250th on, rounding alone leads up to a third apart
        ),
        Trained(
            "cats-1323",
            "1323 × 49152; [20, 7, 5, 1]; 2500 updates; float64",
            _FEW_SAMPLES,
            _large,
            1e-7,
            until=200,  # ReLUs that switch an update earlier part the ways later on
        ),
        Trained(
            "genes",
            "500 × 20000; [64, 32, 10]; 1000 updates; momentum, batches of 50; float32",
            _FEW_SAMPLES,
            _genes,
            1e-4,
        ),
        Trained(
            "tiny-adam",
            "[20, 32, 32, 2]; batches of 32; Adam; 3200 updates",
            _MINI_BATCHES,
            _tiny,
            5e-4,
        ),
        Trained(
            "small-sgd",
            "[784, 64, 32, 10]; batches of 200; SGD; 300 updates",
            _MINI_BATCHES,
            lambda: _digits((64, 32), 200, 300, "sgd"),
            1e-4,
        ),
        Trained(
            "small-adam",
            "[784, 64, 32, 10]; batches of 200; Adam; 300 updates",
            _MINI_BATCHES,
            lambda: _digits((64, 32), 200, 300, "adam"),
            5e-3,
        ),
        Trained(
            "middle-adam",
            "[784, 256, 128, 10]; batches of 128; Adam; 300 updates",
            _MINI_BATCHES,
            lambda: _digits((256, 128), 128, 300, "adam"),
            4e-2,
        ),
        Trained(
            "wide-adam",
            "[784, 1024, 1024, 10]; batches of 256; Adam; 60 updates",
            _MINI_BATCHES,
            lambda: _digits((1024, 1024), 256, 60, "adam"),
            1e-2,
        ),
        Race(
            "mnist",
            "",
            _MNIST,
            (
                Recipe("", lambda: _learning(10, "adam", 2e-3, dropout=0.2)),
                Recipe("Adam without dropout", lambda: _learning(50, "adam", 1e-3)),
                Recipe("gradient descent without dropout", lambda: _learning(50, "sgd", 0.2)),
            ),
        ),
        *convolutions.cells(),
        Race(
            "mnist-conv",
            "",
            "Training on MNIST to a test accuracy, by convolutions",
            (Recipe("", _learning_by_convolutions),),
            targets=(0.99, 0.994),
            limit=110.0,
            peers=("clearprop", "PyTorch", "JAX", "Keras"),
        ),
        Predicted("predict-one", "1 sample", _PREDICTION, lambda: _prediction(1)),
        Predicted("predict-many", "10,000 samples", _PREDICTION, lambda: _prediction(10_000)),
        Fits("estimators", "", ""),
        Import("import", "import", _FOOTPRINT),
        Size("size", "installed; with all it needs", _FOOTPRINT),
        Memory("memory", "peak memory; of 1323 × 49152; float64", _FOOTPRINT, _large),
        Growth("growth", "", ""),
    )
}

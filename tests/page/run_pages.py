"""Runs as pages show them: of pictures, of classes with odd names, of values."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import clearprop as cp
from clearprop.data import Dataset
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.page import pack
from clearprop.preprocessing import (
    ArrayRecipe,
    ClassTarget,
    PictureRecipe,
    Preprocessing,
    ValueTarget,
)
from clearprop.report import RunPage, page_data

COMMAND = "clearprop train digits --layers 24,12 --epochs 6"
MARKUP = '<img src="x" onerror="document.title = 1">'
SAMPLES = 200


@dataclass
class Shown:
    """A run, with what a page of it is compared with.

    Parameters
    ----------
    page : RunPage
    x : ndarray, shape (N, *input_shape)
        The embedded samples as the network takes them, float64.
    truth : ndarray, shape (N,)
    kept : list of (int, ndarray)
    """

    page: RunPage
    x: Any
    truth: Any
    kept: list[tuple[int, Any]]

    @property
    def network(self) -> Network:
        return self.page.model.network

    def network_after(self, place: int) -> Network:
        """Return the network of a kept epoch, in the half precision that a page has."""
        network = self.network.copy()
        network.parameters.data[...] = self.kept[place][1].astype(np.float16)
        return network


class Keeping(cp.Callback):
    """Keeps the parameters after every other epoch."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, Any]] = []

    def on_train_begin(self, run: cp.Run) -> None:
        self.kept.append((0, run.write_back().parameters.data.copy()))

    def on_epoch_end(self, run: cp.Run) -> None:
        if run.epoch % 2 == 0:
            self.kept.append((run.epoch, run.write_back().parameters.data.copy()))


def digits_run(name: str = "digits", seed: int = 0) -> Shown:
    """Train a small network on digits for a few epochs, with a dead unit in its first layer."""
    data = cp.load_data("digits")
    X, y = data.X / 255, data.y
    layers = [
        cp.Flatten(),
        cp.Dense(24),
        cp.ReLU(),
        cp.Dropout(0.1),
        cp.Dense(12),
        cp.Tanh(),
        cp.Dense(10),
    ]
    network = cp.Network(
        layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(8, 8), seed=seed, dtype="float64"
    )
    network.parameters["1.b"][3] = -100.0
    keeping = Keeping()
    trainer = cp.Trainer(optimizer=cp.Adam(0.01), epochs=6, batch_size=32, seed=seed)
    history = trainer.fit(
        network,
        X[SAMPLES:1000],
        y[SAMPLES:1000],
        validation=(X[1000:], y[1000:]),
        callbacks=[keeping],
    )
    history.best_epoch = 5
    settings = {
        "data": "digits",
        "layers": [24, 12],
        "optimizer": "adam",
        "learning_rate": 0.01,
        "l2": 0.0,
        "seed": seed,
    }
    report = {
        "data": "digits",
        "folder": "runs/digits",
        "samples": {"train": 800, "test": SAMPLES},
        "parameters": network.parameters.data.size,
        "seconds": 75.0,
        "settings": settings,
        "test": {
            "samples": SAMPLES,
            "score": "accuracy",
            "accuracy": 0.9125,
            "log_loss": 0.3321,
            "baselines": {"constant": {"accuracy": 0.1, "log_loss": 2.3}},
        },
        "notes": ["A note about the data."],
    }
    finding = {
        "illness": "overfitting",
        "finding": f"Overfitting. {MARKUP}",
        "advice": "Drop some.",
        "command": "clearprop train digits --dropout 0.3",
    }
    target = ClassTarget(tuple(data.class_names or ()), "digit")
    page = RunPage(
        name=name,
        command=COMMAND,
        model=Model(network, Preprocessing(PictureRecipe((8, 8), 1), target), {}),
        history=history,
        report=report,
        samples=("test", data.take(np.arange(SAMPLES))),
        kept=keeping.kept,
        doctor=finding,
    )
    return Shown(page, X[:SAMPLES], y[:SAMPLES], keeping.kept)


def planar_run() -> Shown:
    """Train a tiny network on two features, whose classes have names that are markup."""
    random = np.random.RandomState(1)
    X, y = random.normal(size=(60, 2)), np.arange(60) % 2
    X += 1.5 * y[:, np.newaxis]
    network = cp.Network(
        [cp.Dense(4), cp.Tanh(), cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(2,),
        seed=0,
    )
    history = cp.Trainer(epochs=3, batch_size=20).fit(network, X, y)
    names = (MARKUP, "</script><b>no</b>")
    data = Dataset(MARKUP, "array", X, y, names, feature_names=(MARKUP, "b"))
    recipe = Preprocessing(ArrayRecipe((2,), (0.0, 0.0), (1.0, 1.0)), ClassTarget(names, MARKUP))
    page = RunPage(
        name=MARKUP,
        command=f"clearprop train '{MARKUP}'",
        model=Model(network, recipe, {}),
        history=history,
        report={
            "settings": {"data": MARKUP, "optimizer": "lbfgs", "note": MARKUP},
            "notes": [MARKUP],
        },
        samples=("train", data),
    )
    return Shown(page, X.astype(np.float32).astype(np.float64), y, [])


def values_run() -> Shown:
    """Train a network that answers values, on another scale than it learns."""
    random = np.random.RandomState(2)
    X = random.normal(size=(50, 3)).astype(np.float32).astype(np.float64)
    y = 100 + 20 * X[:, 0]
    network = cp.Network(
        [cp.Dense(6), cp.LeakyReLU(), cp.Dense(1)],
        loss=cp.MeanSquaredError(),
        input_shape=(3,),
        seed=0,
        dtype="float64",
    )
    history = cp.Trainer(epochs=5).fit(network, X, (y - 100) / 20)
    target = ValueTarget((100.0,), (20.0,), "price")
    data = Dataset("prices", "array", X, y, None)
    page = RunPage(
        name="prices",
        command="clearprop train prices",
        model=Model(network, Preprocessing(ArrayRecipe((3,), (0.0,) * 3, (1.0,) * 3), target), {}),
        history=history,
        report={},
        samples=("validation", data),
    )
    return Shown(page, X, y, [])


def written_page(
    path: Path, *runs: RunPage, change: Callable[[dict[str, Any]], None] | None = None
) -> Path:
    """Write a page of runs, whose data may be changed before."""
    data = page_data(runs)
    if change is not None:
        change(data)
    path.write_text(pack(data, title="runs"), encoding="utf-8")
    return path

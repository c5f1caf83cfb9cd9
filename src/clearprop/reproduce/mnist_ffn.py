"""MNIST by a softmax network: the plateau it is left on as published, and the way off."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clearprop.experiment.settings import Settings
from clearprop.initializers import Normal
from clearprop.reproduce.comparing import layer_rows
from clearprop.reproduce.descent import accuracy, fit
from clearprop.reproduce.experiment import Experiment, Progress, Result, Row
from clearprop.reproduce.pictures import mnist
from clearprop.reproduce.published import Parts, Published, SetUp
from clearprop.reproduce.sources import MNIST
from clearprop.training import Callback, Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UPDATES = 5000
BATCH = 200
TRAINING = 60000
HELD_OUT = 6000  # 10% of them

_LESSON = (
    "Weights of 0.01 randn give logits next to zero: at first every digit is as likely as any "
    "other, and the gradients are so small that 5000 updates at a rate of 0.01 only begin to leave "
    "that plateau; with sigmoid they don't, and the network says one digit to everything. The "
    "corrected recipe draws by He, which keeps the variance through ReLU, and has a rate of 0.1; "
    "nothing else is changed. Sigmoid learns then too, but slower: its slope is 1/4 at most."
)


@dataclass(frozen=True)
class _OneStream(Callback):
    """Lets batches go on in the stream of random numbers that the weights came from."""

    random_state: np.random.RandomState

    def on_train_begin(self, run: Run) -> None:
        run.random_state.set_state(self.random_state.get_state())


_AS_PUBLISHED = Settings(
    data=MNIST.name,
    layers=(64, 32),
    init="normal",
    optimizer="sgd",
    learning_rate=0.01,
    schedule="constant",
    epochs=-(-UPDATES * BATCH // (TRAINING - HELD_OUT)),
    batch_size=BATCH,
    dtype="float64",
)
_CORRECTED = _AS_PUBLISHED.changed({"init": "he", "learning_rate": 0.1})
_SIGMOID = {"activation": "sigmoid"}
_RECIPES = (
    ("as published", _AS_PUBLISHED),
    ("as published but with sigmoid", _AS_PUBLISHED.changed(_SIGMOID)),
    ("corrected", _CORRECTED),
    ("corrected but with sigmoid", _CORRECTED.changed(_SIGMOID)),
)


def _read(data: Path | None) -> Parts:
    train, test = mnist(data)
    return Parts(
        train=(train.X[HELD_OUT:], train.y[HELD_OUT:]),
        held_out=(train.X[:HELD_OUT], train.y[:HELD_OUT]),
        test=(test.X, test.y),
    )


def _adapt(made: SetUp, settings: Settings) -> SetUp:
    """Draw weights and batches as the article does: by input, from one stream, with replacement."""
    random_state = np.random.RandomState(settings.seed)
    parameters = made.network.parameters
    parameters.initialize(random_state)
    if settings.init == "normal":
        random_state.seed(settings.seed)
        for name in parameters.decayed:
            parameters[name][...] = Normal().std * random_state.standard_normal(
                parameters[name].shape
            )
    trainer = replace(made.trainer, max_steps=UPDATES, replacement=True)
    return SetUp(made.network, trainer, (_OneStream(random_state),))


_PUBLISHED = Published(_AS_PUBLISHED, _read, _adapt)


def _recipe(data: Path | None, progress: Progress) -> Result:
    from clearprop.plots import curves

    parts = _PUBLISHED.read(data)
    (X, y), held_out, test = parts.train, parts.held_out, parts.test
    digits = len(X) + HELD_OUT
    rows = [
        Row("training digits", "60000", digits),
        Row("test digits", "10000", len(test[0])),
        Row("features", "784", X.shape[1]),
        Row("held out for validation", "10", 100 * HELD_OUT / digits, "%"),
    ]
    pictures: dict[str, Figure] = {}
    for name, settings in _RECIPES:
        made = _PUBLISHED.set_up(settings, parts.train)
        network = made.network
        if not pictures:
            rows += layer_rows(network, (64, 32, 10))
        callbacks = [*made.callbacks, *progress(name)]
        history = fit(made.trainer, network, X, y, validation=held_out, callbacks=callbacks)
        rows += [
            Row(f"{name}: cost of the last epoch", None, history["loss"][-1]),
            Row(
                f"{name}: validation accuracy", None, 100 * history["validation_accuracy"][-1], "%"
            ),
            Row(f"{name}: test accuracy", None, accuracy(network, *test), "%"),
        ]
        pictures[f"curves-{name.replace(' ', '-')}"] = curves(history.to_dict())
    return Result(tuple(rows), _LESSON, pictures)


MNIST_FFN = Experiment(
    "mnist-ffn", "Digits by a softmax network, stalled and freed", (2,), MNIST, _recipe, _PUBLISHED
)

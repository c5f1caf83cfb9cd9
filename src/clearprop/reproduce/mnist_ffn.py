"""MNIST by a softmax network: the plateau it is left on as published, and the way off."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clearprop.core.initializers import Normal
from clearprop.experiment.settings import Settings
from clearprop.reproduce.experiment import Experiment, Progress, Result, Row, layer_rows
from clearprop.reproduce.published import Parts, Published, SetUp, accuracy
from clearprop.reproduce.sources import MNIST, Part, mnist
from clearprop.training import Callback, Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UPDATES = 5000
BATCH = 200
TRAINING = 60000
HELD_OUT = 6000  # 10% of them


@dataclass(frozen=True)
class _OneStream(Callback):
    """Lets batches go on in the stream of random numbers that the weights came from."""

    random_state: np.random.RandomState

    def on_train_begin(self, run: Run) -> None:
        run.random_state.set_state(self.random_state.get_state())


def _read(data: Path | None) -> Parts:
    train, test = mnist(data)
    X, y = train.X, train.y
    return Parts(Part(X[HELD_OUT:], y[HELD_OUT:]), test, Part(X[:HELD_OUT], y[:HELD_OUT]))


def _adapt(made: SetUp, settings: Settings) -> SetUp:
    """Draw weights and batches as the article does: by input, from one stream, with replacement."""
    random_state = np.random.RandomState(settings.seed)
    parameters = made.network.parameters
    parameters.initialize(random_state)
    if settings.init == "normal":
        random_state.seed(settings.seed)
        for name in parameters.decayed:
            W = parameters[name]
            W[...] = Normal().std * random_state.standard_normal(W.shape)
    trainer = replace(made.trainer, max_steps=UPDATES, replacement=True)
    return SetUp(made.network, trainer, (_OneStream(random_state),))


class MnistFFN(Experiment):
    """The recipe as published and corrected, each with ReLU and with sigmoid."""

    name = "mnist-ffn"
    title = "Digits by a softmax network, stalled and freed"
    articles = (2,)
    needs = MNIST
    lesson = (
        "Weights of 0.01 randn give logits next to zero: at first every digit is as likely as any "
        "other, and the gradients are so small that 5000 updates at a rate of 0.01 only begin to "
        "leave that plateau; with sigmoid they don't, and the network says one digit to "
        "everything. The corrected recipe draws by He, which keeps the variance through ReLU, and "
        "has a rate of 0.1; nothing else is changed. Sigmoid learns then too, but slower: its "
        "slope is 1/4 at most."
    )
    published = Published(
        Settings(
            data=MNIST.name,
            layers=(64, 32),
            init="normal",
            optimizer="sgd",
            learning_rate=0.01,
            schedule="constant",
            epochs=-(-UPDATES * BATCH // (TRAINING - HELD_OUT)),
            batch_size=BATCH,
            dtype="float64",
        ),
        _read,
        _adapt,
    )
    corrected = published.settings.changed({"init": "he", "learning_rate": 0.1})
    variants = (
        ("as published", published.settings),
        (
            "as published but with sigmoid",
            published.settings.changed({"activation": "sigmoid"}),
        ),
        ("corrected", corrected),
        ("corrected but with sigmoid", corrected.changed({"activation": "sigmoid"})),
    )

    def recipe(self, data: Path | None, progress: Progress) -> Result:
        """Train all four, and draw their curves."""
        from clearprop.plots import curves

        parts = self.published.read(data)
        X = parts.train.X
        digits = len(X) + HELD_OUT
        rows = [
            Row("training digits", "60000", digits),
            Row("test digits", "10000", len(parts.test.X)),
            Row("features", "784", X.shape[1]),
            Row("held out for validation", "10", 100 * HELD_OUT / digits, "%"),
        ]
        pictures: dict[str, Figure] = {}
        for name, settings in self.variants:
            network, history = self.published.train(parts, settings, progress(name))
            if not pictures:
                rows += layer_rows(network, (64, 32, 10))
            validated = 100 * history["validation_accuracy"][-1]
            rows += [
                Row(f"{name}: cost of the last epoch", None, history["loss"][-1]),
                Row(f"{name}: validation accuracy", None, validated, "%"),
                Row(f"{name}: test accuracy", None, accuracy(network, parts.test), "%"),
            ]
            pictures[f"curves-{name.replace(' ', '-')}"] = curves(history.to_dict())
        return Result(tuple(rows), pictures)

"""MNIST by a softmax network: the plateau it is left on as published, and the way off."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clearprop.initializers import HeNormal, Initializer
from clearprop.layers import Dense, Layer, ReLU, Sigmoid
from clearprop.losses import SoftmaxCrossEntropy
from clearprop.network import Network
from clearprop.optimizers import SGD
from clearprop.reproduce.comparing import layer_rows
from clearprop.reproduce.descent import accuracy, fit
from clearprop.reproduce.experiment import Experiment, Progress, Result, Row
from clearprop.reproduce.pictures import mnist
from clearprop.reproduce.sources import MNIST
from clearprop.training import Callback, Run, Trainer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UPDATES = 5000
BATCH = 200
HELD_OUT = 6000  # 10% of the training set

_LESSON = (
    "Weights of 0.01 randn give logits next to zero: at first every digit is as likely as any "
    "other, and the gradients are so small that 5000 updates at a rate of 0.01 only begin to leave "
    "that plateau; with sigmoid they don't, and the network says one digit to everything. The "
    "corrected recipe draws by He, which keeps the variance through ReLU, and has a rate of 0.1; "
    "nothing else is changed. Sigmoid learns then too, but slower: its slope is 1/4 at most."
)


@dataclass(frozen=True)
class _DrawnByInput(Initializer):
    """The article's draw: std * randn(inputs, units), without the engine's transposition."""

    std: float

    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[Any]:
        return self.std * random_state.standard_normal(shape)


@dataclass(frozen=True)
class _OneStream(Callback):
    """Lets batches go on in the stream of random numbers that the weights came from."""

    random_state: np.random.RandomState

    def on_train_begin(self, run: Run) -> None:
        run.random_state.set_state(self.random_state.get_state())


_AS_PUBLISHED = (_DrawnByInput(0.01), 0.01)
_CORRECTED = (HeNormal(), 0.1)
_RECIPES: tuple[tuple[str, Layer, tuple[Initializer, float]], ...] = (
    ("as published", ReLU(), _AS_PUBLISHED),
    ("as published but with sigmoid", Sigmoid(), _AS_PUBLISHED),
    ("corrected", ReLU(), _CORRECTED),
    ("corrected but with sigmoid", Sigmoid(), _CORRECTED),
)


def _recipe(data: Path | None, progress: Progress) -> Result:
    from clearprop.plots import curves

    train, test = mnist(data)
    held_out = train.X[:HELD_OUT], train.y[:HELD_OUT]
    X, y = train.X[HELD_OUT:], train.y[HELD_OUT:]
    rows = [
        Row("training digits", "60000", len(train.X)),
        Row("test digits", "10000", len(test.X)),
        Row("features", "784", train.X.shape[1]),
        Row("held out for validation", "10", 100 * HELD_OUT / len(train.X), "%"),
    ]
    pictures: dict[str, Figure] = {}
    for name, activation, (init, learning_rate) in _RECIPES:
        random_state = np.random.RandomState(0)
        network = Network(
            [Dense(64, init), activation, Dense(32, init), activation, Dense(10, init)],
            loss=SoftmaxCrossEntropy(),
            input_shape=(train.X.shape[1],),
        )
        network.parameters.initialize(random_state)
        trainer = Trainer(
            optimizer=SGD(learning_rate),
            epochs=-(-UPDATES * BATCH // len(X)),
            max_steps=UPDATES,
            batch_size=BATCH,
            replacement=True,
        )
        if not pictures:
            rows += layer_rows(network, (64, 32, 10))
        callbacks = [_OneStream(random_state), *progress(name)]
        history = fit(trainer, network, X, y, validation=held_out, callbacks=callbacks)
        rows += [
            Row(f"{name}: cost of the last epoch", None, history["loss"][-1]),
            Row(
                f"{name}: validation accuracy", None, 100 * history["validation_accuracy"][-1], "%"
            ),
            Row(f"{name}: test accuracy", None, accuracy(network, test.X, test.y), "%"),
        ]
        pictures[f"curves-{name.replace(' ', '-')}"] = curves(history.to_dict())
    return Result(tuple(rows), _LESSON, pictures)


MNIST_FFN = Experiment(
    "mnist-ffn", "Digits by a softmax network, stalled and freed", (2,), MNIST, _recipe
)

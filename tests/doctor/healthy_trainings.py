"""Trainings in which nothing is wrong, on real and generated data."""

from collections.abc import Callable
from pathlib import Path

from doctor_trainings import Samples, Training, net, real, three_heaps, toy, trained_by

import clearprop as cp
from clearprop.data.named import linear, moons, planar, spirals
from clearprop.network import Network
from clearprop.reproduce.sources import course_cats

HEALTHY: dict[str, Callable[[], Training]] = {}
"""By what it is."""


def healthy(
    what: str,
    parts: Callable[[], tuple[Samples, Samples]],
    network: Callable[[], Network],
    trainer: cp.Trainer,
) -> None:
    """Enter a training."""

    def make() -> Training:
        train, held = parts()
        return Training(network=network(), samples=train, held_out=held, trainer=trainer)

    HEALTHY[what] = make


def values(inputs: int, hidden: list[int]) -> Network:
    return net(inputs, hidden, 1, loss=cp.MeanSquaredError())


def residual() -> Network:
    block = cp.Residual((cp.Dense(32), cp.LeakyReLU()))
    return Network(
        [cp.Dense(32), cp.LeakyReLU(), block, cp.Dense(10)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(64,),
    )


healthy(
    "moons, tanh, Adam",
    lambda: toy(moons),
    lambda: net(2, [16], 1, cp.Tanh()),
    trained_by(cp.Adam(0.02)),
)
healthy(
    "moons, ReLU, SGD",
    lambda: toy(moons),
    lambda: net(2, [32], 1),
    trained_by(cp.SGD(0.3), 80),
)
healthy(
    "moons, sigmoid, RMSprop",
    lambda: toy(moons),
    lambda: net(2, [16], 1, cp.Sigmoid()),
    trained_by(cp.RMSprop(0.02), 100),
)
healthy(
    "heaps, GELU, momentum",
    lambda: toy(three_heaps),
    lambda: net(2, [16], 3, cp.GELU()),
    trained_by(cp.Momentum(0.02)),
)
healthy(
    "heaps, no hidden layer",
    lambda: toy(three_heaps),
    lambda: net(2, [], 3),
    trained_by(cp.SGD(0.1)),
)
healthy(
    "planar, tanh, full batches",
    lambda: toy(planar, 400),
    lambda: net(2, [8], 1, cp.Tanh()),
    trained_by(cp.Adam(0.03), 800, None),
)
healthy(
    "planar as published, 0.01 randn in two layers",
    lambda: toy(planar, 400),
    lambda: net(2, [4], 1, cp.Tanh(), init=cp.Normal(0.01), seed=2),
    trained_by(cp.SGD(1.2), 3000, None),
)
healthy(
    "spirals, ReLU, Adam",
    lambda: toy(spirals, 450),
    lambda: net(2, [32, 32], 3),
    trained_by(epochs=100),
)
healthy(
    "spirals, ELU, layer norm",
    lambda: toy(spirals, 450),
    lambda: net(2, [32, 32], 3, cp.ELU(), before=[cp.LayerNorm()]),
    trained_by(epochs=80),
)
healthy(
    "linear values, one Dense layer",
    lambda: toy(linear),
    lambda: values(2, []),
    trained_by(cp.SGD(0.05), 30),
)
healthy("linear values, ReLU", lambda: toy(linear), lambda: values(2, [16]), trained_by())
healthy("iris, ReLU, Adam", lambda: real("iris"), lambda: net(4, [16], 3), trained_by())
healthy(
    "wine, ReLU, Nesterov",
    lambda: real("wine"),
    lambda: net(13, [16], 3),
    trained_by(cp.Nesterov(0.02), 40),
)
healthy(
    "wine, batch norm",
    lambda: real("wine"),
    lambda: net(13, [16], 3, before=[cp.BatchNorm()]),
    trained_by(epochs=40),
)
healthy(
    "breast_cancer, ReLU, AdamW",
    lambda: real("breast_cancer"),
    lambda: net(30, [16], 1),
    trained_by(cp.AdamW(0.003), 25),
)
healthy(
    "breast_cancer, no hidden layer",
    lambda: real("breast_cancer"),
    lambda: net(30, [], 1),
    trained_by(cp.SGD(0.1), 40),
)
healthy(
    "diabetes, ReLU, L2",
    lambda: real("diabetes"),
    lambda: values(10, [16]),
    trained_by(cp.Adam(0.005, alpha=10.0), 30),
)
healthy(
    "digits, ReLU, Adam",
    lambda: real("digits"),
    lambda: net(64, [32], 10),
    trained_by(cp.Adam(0.005), 20),
)
healthy(
    "digits, ReLU, SGD",
    lambda: real("digits"),
    lambda: net(64, [32], 10),
    trained_by(cp.SGD(0.1), 30),
)
healthy(
    "digits, dropout",
    lambda: real("digits"),
    lambda: net(64, [64], 10, before=[cp.Dropout(0.2)]),
    trained_by(cp.Adam(0.005), 20),
)
healthy(
    "digits, leaky ReLU, a residual block",
    lambda: real("digits"),
    residual,
    trained_by(cp.Adam(0.003), 20),
)


def course_pictures(shared_data: Path) -> Training:
    """Cat or not in 209 photographs, stopped before they are known by heart."""
    train, test = course_cats(shared_data)
    return Training(
        network=net(12288, [7], 1, init=cp.Scaled(), seed=1),
        samples=(train.X, train.y),
        held_out=(test.X, test.y),
        trainer=trained_by(cp.SGD(0.0075), 2500, None, early_stopping=cp.EarlyStopping(100)),
    )

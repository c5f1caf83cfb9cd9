"""Trainings with one illness planted into each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from doctor_trainings import Samples, Training, net, real, three_heaps, toy, trained_by

import clearprop as cp
from clearprop.core.parameters import Array
from clearprop.data.named import moons, planar, spirals
from clearprop.network import Network

PLANTED: dict[str, tuple[str, Callable[[], Training]]] = {}
"""By what was done, the illness that comes of it, and the training."""

Make = Callable[[], Training]


def planted(illness: str, what: str) -> Callable[[Make], Make]:
    """Enter a training."""

    def enter(make: Make) -> Make:
        PLANTED[what] = illness, make
        return make

    return enter


def training(
    network: Network,
    parts: tuple[Samples, Samples],
    optimizer: cp.Optimizer | None = None,
    epochs: int = 60,
    **settings: Any,
) -> Training:
    """Put a training together."""
    train, held = parts
    trainer = trained_by(optimizer, epochs, **settings)
    return Training(network=network, samples=train, held_out=held, trainer=trainer)


@planted("symmetric_weights", "all weights zero (planar, tanh)")
def _() -> Training:
    return training(net(2, [8], 1, cp.Tanh(), init=cp.Zeros()), toy(planar))


@planted("symmetric_weights", "all weights one half (iris, ReLU)")
def _() -> Training:
    return training(net(4, [16], 3, init=cp.Constant(0.5)), real("iris"))


@planted("unscaled_inputs", "the measures of wines in their own units")
def _() -> Training:
    wine = cp.load_data("wine")
    X = np.column_stack(list(wine.X.columns.values()))
    trainer = trained_by(cp.SGD(0.01))
    return Training(network=net(13, [16], 3), samples=(X, wine.y), trainer=trainer)


@planted("unscaled_inputs", "shades from 0 to 255 (digits)")
def _() -> Training:
    digits = cp.load_data("digits")
    X = np.asarray(digits.X[:800]).reshape(800, -1)
    trainer = trained_by(cp.SGD(0.1), 20)
    return Training(network=net(64, [32], 10), samples=(X, digits.y[:800]), trainer=trainer)


@planted("unscaled_inputs", "points far from zero (moons)")
def _() -> Training:
    (X, y), _ = toy(moons)
    return Training(network=net(2, [16], 1), samples=(X + 200, y))


@planted("unscaled_inputs", "points next to zero (heaps)")
def _() -> Training:
    (X, y), _ = toy(three_heaps)
    trainer = trained_by(cp.SGD(0.1))
    return Training(network=net(2, [16], 3), samples=(X / 10_000, y), trainer=trainer)


@planted("large_initial_weights", "randn, three ReLU layers (digits)")
def _() -> Training:
    network = net(64, [64, 48, 32], 10, init=cp.Normal(1.0))
    return training(network, real("digits"), cp.SGD(0.05), 15)


@planted("large_initial_weights", "randn, four tanh layers (digits)")
def _() -> Training:
    network = net(64, [40] * 4, 10, cp.Tanh(), init=cp.Normal(1.0))
    return training(network, real("digits"), cp.SGD(0.05), 15)


@planted("small_initial_weights", "0.01 randn, three ReLU layers (digits)")
def _() -> Training:
    network = net(64, [32] * 3, 10, init=cp.Normal(0.01))
    return training(network, real("digits"), cp.SGD(0.1), 30)


@planted("small_initial_weights", "0.01 randn, four tanh layers (moons)")
def _() -> Training:
    network = net(2, [16] * 4, 1, cp.Tanh(), init=cp.Normal(0.01))
    return training(network, toy(moons), cp.SGD(0.1))


@planted("exploding_gradients", "16 residual blocks without a norm (digits)")
def _() -> Training:
    block = cp.Residual((cp.Dense(16), cp.ReLU(), cp.Dense(16)))
    network = Network(
        [cp.Dense(16), *[block] * 16, cp.Dense(10)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(64,),
    )
    return training(network, real("digits"), cp.SGD(0.01), 12)


@planted("vanishing_gradients", "seven sigmoid layers (digits)")
def _() -> Training:
    return training(net(64, [16] * 7, 10, cp.Sigmoid()), real("digits"), cp.SGD(0.1), 20)


@planted("vanishing_gradients", "six sigmoid layers (moons)")
def _() -> Training:
    return training(net(2, [8] * 6, 1, cp.Sigmoid()), toy(moons), cp.SGD(0.1), 40)


@planted("learning_rate_too_high", "SGD at 10, until the loss overflows (diabetes)")
def _() -> Training:
    return training(net(10, [16], 1, loss=cp.MeanSquaredError()), real("diabetes"), cp.SGD(10.0))


@planted("learning_rate_too_high", "Adam at 3 (digits)")
def _() -> Training:
    return training(net(64, [32], 10), real("digits"), cp.Adam(3.0), 20)


@planted("learning_rate_too_high", "SGD at 30 (moons, tanh)")
def _() -> Training:
    return training(net(2, [16, 16], 1, cp.Tanh()), toy(moons), cp.SGD(30.0), 40)


@dataclass(frozen=True)
class Logarithm(cp.Layer):
    """log x, whose inputs nobody keeps positive."""

    def forward(self, params: Any, x: Array, trace: cp.Trace) -> Array:
        trace["x"] = x
        return np.log(x)

    def backward(self, params: Any, dy: Array, trace: cp.Trace, grads: Any) -> Array:
        return dy / trace["x"]


@dataclass(frozen=True)
class Root(cp.Layer):
    """The root of what is positive, with its infinite derivative at zero."""

    def forward(self, params: Any, x: Array, trace: cp.Trace) -> Array:
        trace["y"] = np.sqrt(np.maximum(x, 0))
        return trace["y"]

    def backward(self, params: Any, dy: Array, trace: cp.Trace, grads: Any) -> Array:
        with np.errstate(divide="ignore"):
            return dy / (2 * trace["y"]) * (trace["y"] > 0)


@planted("not_a_number", "the logarithm of negative numbers (moons)")
def _() -> Training:
    network = Network(
        [cp.Dense(8), Logarithm(), cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,)
    )
    return training(network, toy(moons))


@planted("not_a_number", "the derivative of a root at zero (iris)")
def _() -> Training:
    network = Network(
        [cp.Dense(8), Root(), cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4,)
    )
    return training(network, real("iris"))


@planted("too_much_regularization", "L2 of 60 (digits)")
def _() -> Training:
    return training(net(64, [32], 10), real("digits"), cp.Adam(0.01, alpha=60.0), 20)


@planted("too_much_regularization", "a dropout of 0.97 (spirals)")
def _() -> Training:
    return training(net(2, [32, 32], 3, before=[cp.Dropout(0.97)]), toy(spirals, 450))


@planted("dead_relus", "biases of -20 in the second layer (digits)")
def _() -> Training:
    network = net(64, [32, 32], 10)
    network.parameters["2.b"][...] = -20
    return training(network, real("digits"), epochs=10)


@planted("dead_relus", "biases of -20 in the first layer (planar)")
def _() -> Training:
    network = net(2, [32, 16], 1)
    network.parameters["0.b"][...] = -20
    return training(network, toy(planar))


@planted("saturated_units", "sigmoids with biases of 15 (iris)")
def _() -> Training:
    network = net(4, [16], 3, cp.Sigmoid())
    network.parameters["0.b"][...] = 15
    return training(network, real("iris"), cp.SGD(0.1))


@planted("saturated_units", "tanhs with biases of -8 (moons)")
def _() -> Training:
    network = net(2, [16], 1, cp.Tanh())
    network.parameters["0.b"][...] = -8
    return training(network, toy(moons), cp.SGD(0.1))


@planted("learning_rate_too_low", "SGD at 0.00003 (digits)")
def _() -> Training:
    return training(net(64, [32], 10), real("digits"), cp.SGD(3e-5), 20)


@planted("learning_rate_too_low", "Adam at 0.000002 (wine)")
def _() -> Training:
    return training(net(13, [16], 3), real("wine"), cp.Adam(2e-6))


@planted("small_batch_for_batch_norm", "batches of two (wine)")
def _() -> Training:
    network = net(13, [16], 3, before=[cp.BatchNorm()])
    return training(network, real("wine"), cp.Adam(0.003), 15, batch_size=2)


def mislabelled(y: Array, classes: int, share: float) -> Array:
    """Give a random share of the samples another label."""
    random_state = np.random.RandomState(0)
    wrong = random_state.rand(len(y)) < share
    return np.where(wrong, (y + random_state.randint(1, classes, len(y))) % classes, y)


@planted("wrong_labels", "a tenth of the digits mislabelled")
def _() -> Training:
    (X, y), held = real("digits")
    return training(net(64, [32], 10), ((X, mislabelled(y, 10, 0.1)), held), epochs=15)


@planted("wrong_labels", "an eighth of the wines mislabelled")
def _() -> Training:
    (X, y), held = real("wine")
    return training(net(13, [16], 3), ((X, mislabelled(y, 3, 0.125)), held))


@planted("wrong_labels", "labels shuffled without their inputs (breast_cancer)")
def _() -> Training:
    shuffle = np.random.RandomState(0).permutation
    (X, y), (held_X, held_y) = real("breast_cancer")
    parts = (X, shuffle(y)), (held_X, shuffle(held_y))
    return training(net(30, [32], 1), parts, epochs=30)


@planted("one_answer", "a class that is never the likelier one")
def _() -> Training:
    random_state = np.random.RandomState(0)
    X = random_state.randn(900, 2)
    y = (random_state.rand(900) < 0.1 + 0.25 * (X[:, 0] > 0)).astype(int)
    return training(net(2, [], 1), ((X[:600], y[:600]), (X[600:], y[600:])))


@planted("unbalanced_classes", "a class of one in fifteen (heaps that overlap)")
def _() -> Training:
    y = (np.arange(450) % 15 == 0).astype(int)
    X = np.random.RandomState(0).randn(450, 2) + 0.8 * y[:, np.newaxis]
    return training(net(2, [], 1), ((X[:300], y[:300]), (X[300:], y[300:])))


def rarer(samples: Samples, kept: float) -> Samples:
    """Leave most samples of class 1 out."""
    X, y = samples
    stays = (y == 0) | (np.random.RandomState(0).rand(len(y)) < kept)
    return X[stays], y[stays]


@planted("unbalanced_classes", "a class of one in twelve (moons that overlap)")
def _() -> Training:
    one, other = toy(moons, 600, noise=0.45)
    return training(net(2, [4], 1), (rarer(one, 0.08), rarer(other, 0.08)), epochs=40)


@planted("underfitting", "no hidden layer (spirals)")
def _() -> Training:
    return training(net(2, [], 3), toy(spirals))


@planted("underfitting", "no hidden layer (planar)")
def _() -> Training:
    return training(net(2, [], 1), toy(planar))


@planted("underfitting", "three epochs (digits)")
def _() -> Training:
    return training(net(64, [16], 10), real("digits"), cp.SGD(0.02), 3)


@planted("overlap", "held-out samples among the training samples (wine)")
def _() -> Training:
    (X, y), (held_X, held_y) = real("wine")
    both = np.concatenate([X, held_X]), np.concatenate([y, held_y])
    return training(net(13, [16], 3), (both, (held_X, held_y)), epochs=30)


@planted("overfitting", "384 units for 60 patients (diabetes)")
def _() -> Training:
    (X, y), held = real("diabetes")
    network = net(10, [256, 128], 1, loss=cp.MeanSquaredError())
    return training(network, ((X[:60], y[:60]), held), epochs=100)


@planted("overfitting", "39 of 40 features are noise")
def _() -> Training:
    random_state = np.random.RandomState(3)
    X = random_state.randn(260, 40)
    y = (X[:, 0] + 0.5 * random_state.randn(260) > 0).astype(int)
    return training(net(40, [64], 1), ((X[:60], y[:60]), (X[60:], y[60:])))

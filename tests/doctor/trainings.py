"""Trainings with an illness planted, and healthy ones: small, and the same on every machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import clearprop as cp
from clearprop.data import hold_out
from clearprop.data.toy import linear, moons, planar, spirals
from clearprop.network import Network
from clearprop.parameters import Array

Samples = tuple[Array, Array]


@dataclass(frozen=True, kw_only=True)
class Training:
    """A network, its samples, and how it is trained.

    Parameters
    ----------
    network : Network
    samples : (X, y)
    held_out : (X, y), optional
    trainer : Trainer
    """

    network: Network
    samples: Samples
    held_out: Samples | None = None
    trainer: cp.Trainer = field(default_factory=lambda: fast())

    def examined(self) -> cp.Doctor:
        """Train it with a doctor watching."""
        doctor = cp.Doctor()
        try:
            self.trainer.fit(
                self.network, *self.samples, validation=self.held_out, callbacks=[doctor]
            )
        except cp.ClearpropError:
            assert doctor.examination  # it diverged, and the doctor knows why
        return doctor


def fast(optimizer: Any = None, epochs: int = 60, batch_size: int | None = 32, **more: Any):
    return cp.Trainer(
        optimizer=optimizer or cp.Adam(0.01), epochs=epochs, batch_size=batch_size, **more
    )


def data(name: str, share: float = 0.25, most: int = 800) -> tuple[Samples, Samples]:
    """Return prepared training and held-out samples of a named data set."""
    dataset = cp.load_data(name)
    if len(dataset) > most:
        dataset = dataset.take(np.arange(most))
    train, held = hold_out(dataset, share, seed=0)
    recipe = cp.fit_recipe(train)
    (X, y), (Xh, yh) = (
        (recipe.inputs.transform(part.X, "float64"), recipe.target.encode(part))
        for part in (train, held)
    )
    return (X.reshape(len(X), -1), y), (Xh.reshape(len(Xh), -1), yh)


def toy(make: Callable[..., Any], samples: int = 300, **more: Any) -> tuple[Samples, Samples]:
    """Return training and held-out points: of two seeds."""
    one, other = make(samples, seed=1, **more), make(samples, seed=2, **more)
    return (np.asarray(one.X), one.y), (np.asarray(other.X), other.y)


def net(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    activation: cp.Layer | None = None,
    *,
    init: cp.Initializer | None = None,
    between: tuple[cp.Layer, ...] = (),
    values: bool = False,
    seed: int = 0,
) -> Network:
    activation = activation or cp.ReLU()
    saturates = isinstance(activation, cp.Tanh | cp.Sigmoid)
    init = init or (cp.Scaled() if saturates else cp.HeNormal())
    layers: list[cp.Layer] = []
    for units in hidden:
        layers += [cp.Dense(units, init), *between, activation]
    layers.append(cp.Dense(outputs, init))
    loss: cp.Loss = cp.SoftmaxCrossEntropy()
    if outputs == 1:
        loss = cp.MeanSquaredError() if values else cp.BinaryCrossEntropy()
    return Network(layers, loss=loss, input_shape=(inputs,), seed=seed)


# --- what is wrong -------------------------------------------------------------------------------


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
    """The root of max(x, 0), whose derivative at 0 is infinite."""

    def forward(self, params: Any, x: Array, trace: cp.Trace) -> Array:
        trace["y"] = y = np.sqrt(np.maximum(x, 0))
        return y

    def backward(self, params: Any, dy: Array, trace: cp.Trace, grads: Any) -> Array:
        return dy * 0.5 / trace["y"] * (trace["y"] > 0)


def flipped(y: Array, classes: int, share: float, seed: int = 0) -> Array:
    random_state = np.random.RandomState(seed)
    wrong = random_state.rand(len(y)) < share
    y = y.copy()
    y[wrong] = (y[wrong] + random_state.randint(1, classes, wrong.sum())) % classes
    return y


def shuffled(y: Array) -> Array:
    return np.random.RandomState(0).permutation(y)


def rare(samples: Samples, kept: float) -> Samples:
    """Leave out most samples of class 1."""
    X, y = samples
    stays = (y == 0) | (np.random.RandomState(0).rand(len(y)) < kept)
    return X[stays], y[stays]


PLANTED: list[tuple[str, str, Callable[[], Training]]] = []


def planted(illness: str, name: str):
    def enter(make: Callable[[], Training]) -> Callable[[], Training]:
        PLANTED.append((illness, name, make))
        return make

    return enter


@planted("symmetric_weights", "all weights zero, tanh on planar")
def _() -> Training:
    train, held = toy(planar)
    return Training(
        network=net(2, [8], 1, cp.Tanh(), init=cp.Zeros()), samples=train, held_out=held
    )


@planted("symmetric_weights", "all weights 0.5, ReLU on iris")
def _() -> Training:
    train, held = data("iris")
    network = net(4, [16], 3, init=cp.Constant(0.5))
    return Training(network=network, samples=train, held_out=held)


@planted("unscaled_inputs", "wines in their own units, SGD")
def _() -> Training:
    wine = cp.load_data("wine")
    X = np.column_stack(list(wine.X.columns.values()))
    return Training(network=net(13, [16], 3), samples=(X, wine.y), trainer=fast(cp.SGD(0.01)))


@planted("unscaled_inputs", "pixels from 0 to 255, digits")
def _() -> Training:
    digits = cp.load_data("digits")
    X = np.asarray(digits.X[:800]).reshape(800, -1).astype(float)
    return Training(
        network=net(64, [32], 10), samples=(X, digits.y[:800]), trainer=fast(cp.SGD(0.1), 20)
    )


@planted("unscaled_inputs", "moons far from zero")
def _() -> Training:
    (X, y), _ = toy(moons)
    return Training(network=net(2, [16], 1), samples=(X + 200, y))


@planted("large_initial_weights", "randn, ReLU on digits, SGD")
def _() -> Training:
    train, held = data("digits")
    network = net(64, [64, 32], 10, init=cp.Normal(1.0))
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(0.05), 15))


@planted("large_initial_weights", "randn, four tanh layers on digits")
def _() -> Training:
    train, held = data("digits")
    network = net(64, [40, 40, 40, 40], 10, cp.Tanh(), init=cp.Normal(1.0))
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(0.05), 15))


@planted("small_initial_weights", "0.01 randn, three ReLU layers on digits, SGD")
def _() -> Training:
    train, held = data("digits")
    network = net(64, [32, 32, 32], 10, init=cp.Normal(0.01))
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(0.1), 30))


@planted("small_initial_weights", "0.01 randn, four tanh layers on moons")
def _() -> Training:
    train, held = toy(moons)
    network = net(2, [16, 16, 16, 16], 1, cp.Tanh(), init=cp.Normal(0.01))
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(0.1), 60))


@planted("learning_rate_too_high", "SGD at 100, values that diverge")
def _() -> Training:
    train, held = data("diabetes")
    network = net(10, [16], 1, values=True)
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(10.0)))


@planted("learning_rate_too_high", "Adam at 3, digits")
def _() -> Training:
    train, held = data("digits")
    network = net(64, [32], 10)
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.Adam(3.0), 20))


@planted("learning_rate_too_high", "SGD at 30, tanh on moons")
def _() -> Training:
    train, held = toy(moons)
    network = net(2, [16, 16], 1, cp.Tanh())
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(30.0), 40))


@planted("learning_rate_too_low", "SGD at 0.00003, digits")
def _() -> Training:
    train, held = data("digits")
    network = net(64, [32], 10)
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(3e-5), 20))


@planted("learning_rate_too_low", "Adam at 0.000002, wine")
def _() -> Training:
    train, held = data("wine")
    return Training(
        network=net(13, [16], 3), samples=train, held_out=held, trainer=fast(cp.Adam(2e-6))
    )


@planted("not_a_number", "a logarithm of what is not positive, moons")
def _() -> Training:
    train, _ = toy(moons)
    network = Network(
        [cp.Dense(8), Logarithm(), cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,)
    )
    return Training(network=network, samples=train)


@planted("not_a_number", "a root whose derivative at zero is infinite, iris")
def _() -> Training:
    train, held = data("iris")
    network = Network(
        [cp.Dense(8), Root(), cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4,)
    )
    return Training(network=network, samples=train, held_out=held)


@planted("exploding_gradients", "24 residual blocks without normalisation, digits, SGD")
def _() -> Training:
    train, held = data("digits")
    blocks = [cp.Residual((cp.Dense(16), cp.ReLU(), cp.Dense(16))) for _ in range(24)]
    network = Network(
        [cp.Dense(16), *blocks, cp.Dense(10)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(64,),
    )
    trainer = fast(cp.SGD(0.01), 12)
    return Training(network=network, samples=train, held_out=held, trainer=trainer)


@planted("vanishing_gradients", "seven sigmoid layers, digits")
def _() -> Training:
    train, held = data("digits")
    network = net(64, [16] * 7, 10, cp.Sigmoid())
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(0.1), 20))


@planted("vanishing_gradients", "six sigmoid layers, moons")
def _() -> Training:
    train, held = toy(moons)
    network = net(2, [8] * 6, 1, cp.Sigmoid())
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(0.1), 40))


@planted("dead_relus", "biases of -10, digits")
def _() -> Training:
    train, held = data("digits")
    network = net(64, [32, 32], 10)
    network.parameters["2.b"][...] = -20
    return Training(network=network, samples=train, held_out=held, trainer=fast(epochs=10))


@planted("dead_relus", "biases of -5, planar")
def _() -> Training:
    train, held = toy(planar)
    network = net(2, [32, 16], 1)
    network.parameters["0.b"][...] = -20
    return Training(network=network, samples=train, held_out=held)


@planted("saturated_units", "sigmoids with biases of 15, iris")
def _() -> Training:
    train, held = data("iris")
    network = net(4, [16], 3, cp.Sigmoid())
    network.parameters["0.b"][...] = 15
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(0.1)))


@planted("saturated_units", "tanhs with biases of -8, moons")
def _() -> Training:
    train, held = toy(moons)
    network = net(2, [16], 1, cp.Tanh())
    network.parameters["0.b"][...] = -8
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(0.1)))


@planted("small_batch_for_batch_norm", "batches of 2, wine")
def _() -> Training:
    train, held = data("wine")
    network = net(13, [16], 3, between=(cp.BatchNorm(),))
    trainer = fast(cp.Adam(0.003), epochs=15, batch_size=2)
    return Training(network=network, samples=train, held_out=held, trainer=trainer)


@planted("wrong_labels", "a tenth of the digits mislabelled")
def _() -> Training:
    (X, y), held = data("digits")
    return Training(
        network=net(64, [32], 10),
        samples=(X, flipped(y, 10, 0.1)),
        held_out=held,
        trainer=fast(epochs=15),
    )


@planted("wrong_labels", "an eighth of the wines mislabelled")
def _() -> Training:
    (X, y), held = data("wine")
    return Training(network=net(13, [16], 3), samples=(X, flipped(y, 3, 0.125)), held_out=held)


@planted("wrong_labels", "labels shuffled without their inputs, breast_cancer")
def _() -> Training:
    (X, y), (Xh, yh) = data("breast_cancer")
    samples, held = (X, shuffled(y)), (Xh, shuffled(yh))
    return Training(
        network=net(30, [32], 1), samples=samples, held_out=held, trainer=fast(epochs=30)
    )


@planted("one_answer", "a class of one in fifteen that overlaps, linear decision")
def _() -> Training:
    random_state = np.random.RandomState(0)
    y = (np.arange(450) % 15 == 0).astype(int)
    X = random_state.randn(450, 2) + 0.8 * y[:, np.newaxis]
    return Training(network=net(2, [], 1), samples=(X[:300], y[:300]), held_out=(X[300:], y[300:]))


@planted("underfitting", "no hidden layer, spirals")
def _() -> Training:
    train, held = toy(spirals)
    return Training(network=net(2, [], 3), samples=train, held_out=held)


@planted("underfitting", "no hidden layer, moons with much to bend")
def _() -> Training:
    train, held = toy(planar)
    return Training(network=net(2, [], 1), samples=train, held_out=held)


@planted("too_much_regularization", "L2 of 60, digits")
def _() -> Training:
    train, held = data("digits")
    trainer = fast(cp.Adam(0.01, alpha=60.0), 20)
    return Training(network=net(64, [32], 10), samples=train, held_out=held, trainer=trainer)


@planted("too_much_regularization", "dropout of 0.97, spirals")
def _() -> Training:
    train, held = toy(spirals, 450)
    network = net(2, [32, 32], 3, between=(cp.Dropout(0.97),))
    return Training(network=network, samples=train, held_out=held)


@planted("underfitting", "three epochs, digits, SGD")
def _() -> Training:
    train, held = data("digits")
    network = net(64, [16], 10)
    return Training(network=network, samples=train, held_out=held, trainer=fast(cp.SGD(0.02), 3))


@planted("overlap", "held-out samples that are trained on, wine")
def _() -> Training:
    train, held = data("wine")
    samples = tuple(np.concatenate(parts) for parts in zip(train, held, strict=True))
    return Training(
        network=net(13, [16], 3), samples=samples, held_out=held, trainer=fast(epochs=30)
    )


@planted("overfitting", "256 units for 60 patients, diabetes")
def _() -> Training:
    (X, y), held = data("diabetes")
    network = net(10, [256, 128], 1, values=True)
    return Training(
        network=network, samples=(X[:60], y[:60]), held_out=held, trainer=fast(epochs=100)
    )


@planted("overfitting", "noise for all features but one")
def _() -> Training:
    random_state = np.random.RandomState(3)
    X = random_state.randn(260, 40)
    y = (X[:, 0] + 0.5 * random_state.randn(260) > 0).astype(int)
    return Training(network=net(40, [64], 1), samples=(X[:60], y[:60]), held_out=(X[60:], y[60:]))


@planted("unbalanced_classes", "a class of one in twelve, overlapping moons")
def _() -> Training:
    one, other = toy(moons, 600, noise=0.45)
    return Training(
        network=net(2, [4], 1),
        samples=rare(one, 0.08),
        held_out=rare(other, 0.08),
        trainer=fast(epochs=40),
    )


# --- what is well --------------------------------------------------------------------------------

HEALTHY: list[tuple[str, Callable[[], Training]]] = []


def healthy(name: str):
    def enter(make: Callable[[], Training]) -> Callable[[], Training]:
        HEALTHY.append((name, make))
        return make

    return enter


def _well(
    name: str,
    samples: Callable[[], tuple[Samples, Samples]],
    network: Callable[[], Network],
    trainer: cp.Trainer,
) -> None:
    @healthy(name)
    def _() -> Training:
        train, held = samples()
        return Training(network=network(), samples=train, held_out=held, trainer=trainer)


_well(
    "moons, tanh, Adam", lambda: toy(moons), lambda: net(2, [16], 1, cp.Tanh()), fast(cp.Adam(0.02))
)
_well("moons, ReLU, SGD", lambda: toy(moons), lambda: net(2, [32], 1), fast(cp.SGD(0.3), 80))
_well(
    "moons, sigmoid, RMSprop",
    lambda: toy(moons),
    lambda: net(2, [16], 1, cp.Sigmoid()),
    fast(cp.RMSprop(0.02), 100),
)
_well(
    "blobs, GELU, Momentum",
    lambda: toy(lambda n, seed: _apart(n, seed)),
    lambda: net(2, [16], 3, cp.GELU()),
    fast(cp.Momentum(0.02)),
)
_well(
    "blobs, no hidden layer",
    lambda: toy(lambda n, seed: _apart(n, seed)),
    lambda: net(2, [], 3),
    fast(cp.SGD(0.1)),
)
_well(
    "planar, tanh, full batch",
    lambda: toy(planar, 400),
    lambda: net(2, [8], 1, cp.Tanh()),
    fast(cp.Adam(0.03), 800, None),
)
_well(
    "planar as published: 0.01 randn, rate 1.2",
    lambda: (toy(planar, 400)[0], toy(planar, 400)[1]),
    lambda: net(2, [4], 1, cp.Tanh(), init=cp.Normal(0.01), seed=2),
    fast(cp.SGD(1.2), 3000, None),
)
_well(
    "spirals, ReLU, Adam",
    lambda: toy(spirals, 450),
    lambda: net(2, [32, 32], 3),
    fast(cp.Adam(0.01), 100),
)
_well(
    "spirals, ELU, layer norm",
    lambda: toy(spirals, 450),
    lambda: net(2, [32, 32], 3, cp.ELU(), between=(cp.LayerNorm(),)),
    fast(cp.Adam(0.01), 80),
)
_well(
    "linear values, one Dense",
    lambda: toy(linear),
    lambda: net(2, [], 1, values=True),
    fast(cp.SGD(0.05), 30),
)
_well(
    "linear values, ReLU",
    lambda: toy(linear),
    lambda: net(2, [16], 1, values=True),
    fast(cp.Adam(0.01), 60),
)
_well("iris, ReLU, Adam", lambda: data("iris"), lambda: net(4, [16], 3), fast(cp.Adam(0.01), 60))
_well(
    "wine, ReLU, Nesterov",
    lambda: data("wine"),
    lambda: net(13, [16], 3),
    fast(cp.Nesterov(0.02), 40),
)
_well(
    "wine, batch norm",
    lambda: data("wine"),
    lambda: net(13, [16], 3, between=(cp.BatchNorm(),)),
    fast(cp.Adam(0.01), 40),
)
_well(
    "breast_cancer, ReLU, AdamW",
    lambda: data("breast_cancer"),
    lambda: net(30, [16], 1),
    fast(cp.AdamW(0.003), 25),
)
_well(
    "breast_cancer, no hidden layer",
    lambda: data("breast_cancer"),
    lambda: net(30, [], 1),
    fast(cp.SGD(0.1), 40),
)
_well(
    "diabetes, ReLU, L2",
    lambda: data("diabetes"),
    lambda: net(10, [16], 1, values=True),
    fast(cp.Adam(0.005, alpha=10.0), 30),
)
_well(
    "digits, ReLU, Adam",
    lambda: data("digits"),
    lambda: net(64, [32], 10),
    fast(cp.Adam(0.005), 20),
)
_well("digits, ReLU, SGD", lambda: data("digits"), lambda: net(64, [32], 10), fast(cp.SGD(0.1), 30))
_well(
    "digits, dropout, batch norm",
    lambda: data("digits"),
    lambda: net(64, [64], 10, between=(cp.BatchNorm(),)),
    fast(cp.Adam(0.005), 15),
)
_well(
    "digits, leaky ReLU, residual",
    lambda: data("digits"),
    lambda: Network(
        [cp.Dense(32), cp.LeakyReLU(), cp.Residual((cp.Dense(32), cp.LeakyReLU())), cp.Dense(10)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(64,),
    ),
    fast(cp.Adam(0.003), 20),
)


def _apart(samples: int, seed: int):
    """Blobs of one place and another seed of noise, far enough apart."""
    random_state = np.random.RandomState(seed)
    y = np.arange(samples) % 3
    X = np.array([[0.0, 2.5], [2.0, -1.5], [-2.0, -1.5]])[y] + 0.7 * random_state.randn(samples, 2)
    return cp.Dataset("apart", "array", X, y, ("a", "b", "c"))

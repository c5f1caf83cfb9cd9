"""What planted and healthy trainings are made of: small, and the same at every call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

import clearprop as cp
from clearprop.core.parameters import Array
from clearprop.errors import DivergedError
from clearprop.network import Network

Samples: TypeAlias = tuple[Array, Array]


def trained_by(
    optimizer: cp.Optimizer | None = None,
    epochs: int = 60,
    batch_size: int | None = 32,
    **settings: Any,
) -> cp.Trainer:
    """Return a trainer for small data, by Adam at 0.01 unless told otherwise."""
    optimizer = optimizer or cp.Adam(0.01)
    return cp.Trainer(optimizer=optimizer, epochs=epochs, batch_size=batch_size, **settings)


@dataclass(frozen=True, kw_only=True)
class Training:
    """A network, its samples, and how it is trained."""

    network: Network
    samples: Samples
    held_out: Samples | None = None
    trainer: cp.Trainer = field(default_factory=trained_by)

    def watched(self) -> cp.Doctor:
        """Train, and return the doctor that watched."""
        doctor = cp.Doctor()
        X, y = self.samples
        try:
            self.trainer.fit(self.network, X, y, validation=self.held_out, callbacks=[doctor])
        except DivergedError:
            assert doctor.findings
        return doctor


def real(name: str, most: int = 800) -> tuple[Samples, Samples]:
    """Return prepared samples of a named data set: three quarters to train on, and the rest."""
    dataset = cp.load_data(name)
    train, held = cp.hold_out(dataset.take(np.arange(min(len(dataset), most))), 0.25, seed=0)
    recipe = cp.fit_recipe(train)

    def prepared(part: cp.Dataset) -> Samples:
        X = recipe.inputs.transform(part.X, "float64")
        return X.reshape(len(X), -1), recipe.target.encode(part)

    return prepared(train), prepared(held)


def toy(make: Callable[..., cp.Dataset], samples: int = 300, **how: Any) -> tuple[Samples, Samples]:
    """Return generated points to train on, and others of another seed."""
    one, other = (make(samples, seed=seed, **how) for seed in (1, 2))
    return (np.asarray(one.X), one.y), (np.asarray(other.X), other.y)


def three_heaps(samples: int, seed: int) -> cp.Dataset:
    """Make three heaps that hardly touch, at the same places for every seed."""
    random_state = np.random.RandomState(seed)
    y = np.arange(samples) % 3
    places = np.array([[0.0, 2.5], [2.0, -1.5], [-2.0, -1.5]])
    X = places[y] + 0.7 * random_state.randn(samples, 2)
    return cp.Dataset("heaps", "array", X, y, ("a", "b", "c"))


def net(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    activation: cp.Layer | None = None,
    *,
    init: cp.Initializer | None = None,
    before: Sequence[cp.Layer] = (),
    loss: cp.Loss | None = None,
    seed: int = 0,
) -> Network:
    """Build a network with usual first weights, and `before` every activation what is given.

    The loss is that of classes, one output meaning yes or no, unless given.
    """
    activation = activation or cp.ReLU()
    saturates = isinstance(activation, cp.Tanh | cp.Sigmoid)
    init = init or (cp.Scaled() if saturates else cp.HeNormal())
    layers: list[cp.Layer] = []
    for units in hidden:
        layers += [cp.Dense(units, init), *before, activation]
    loss = loss or (cp.BinaryCrossEntropy() if outputs == 1 else cp.SoftmaxCrossEntropy())
    return Network([*layers, cp.Dense(outputs, init)], loss=loss, input_shape=(inputs,), seed=seed)

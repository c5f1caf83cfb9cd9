"""Networks of convolutions: what is planted into them is found, and a healthy one is left alone."""

from collections.abc import Callable

import numpy as np
import pytest
from doctor_trainings import Samples, Training, real, trained_by

import clearprop as cp
from clearprop.doctor.treatment import treated


def digits(samples: int = 400) -> tuple[Samples, Samples]:
    """Return digits of 8 x 8 places, to train on and others."""
    (X, y), (X_held, y_held) = real("digits", samples)
    return (X.reshape(-1, 8, 8, 1), y), (X_held.reshape(-1, 8, 8, 1), y_held)


def network(init: cp.Initializer, activation: cp.Layer, *, convolutions: int = 2) -> cp.Network:
    layers = [one for _ in range(convolutions) for one in (cp.Conv2D(8, init=init), activation)]
    return cp.Network(
        [*layers, cp.MaxPool2D(), cp.Flatten(), cp.Dense(10)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(8, 8, 1),
    )


def training(net: cp.Network, optimizer: cp.Optimizer, epochs: int = 8) -> Training:
    samples, held_out = digits()
    trainer = trained_by(optimizer, epochs)
    return Training(network=net, samples=samples, held_out=held_out, trainer=trainer)


def alike() -> Training:
    return training(network(cp.Constant(0.05), cp.ReLU()), cp.Adam(0.01))


def dead() -> Training:
    net = network(cp.HeNormal(), cp.ReLU())
    net.parameters["0.b"][:6] = -20
    return training(net, cp.SGD(0.05))


def small() -> Training:
    return training(network(cp.Normal(0.005), cp.ReLU(), convolutions=3), cp.SGD(0.05))


def unscaled() -> Training:
    (X, y), _ = digits()
    X = 255 * (X - X.min()) / (X.max() - X.min())
    return Training(
        network=network(cp.HeNormal(), cp.ReLU()),
        samples=(X, y),
        trainer=trained_by(cp.SGD(0.1), 6),
    )


PLANTED: dict[str, Callable[[], Training]] = {
    "symmetric_weights": alike,
    "dead_relus": dead,
    "small_initial_weights": small,
    "unscaled_inputs": unscaled,
}


@pytest.mark.parametrize("illness", PLANTED)
def test_what_is_planted_into_convolutions_is_found(illness: str) -> None:
    assert illness in {one.illness for one in PLANTED[illness]().watched().findings}


def test_a_healthy_network_of_convolutions_is_left_alone() -> None:
    healthy = training(network(cp.HeNormal(), cp.ReLU()), cp.Adam(0.005), 12)
    assert healthy.watched().findings == ()


def test_treatments_reach_filters_and_keep_the_kind_of_dropout() -> None:
    net = cp.Network(
        [cp.Conv2D(4), cp.ReLU(), cp.SpatialDropout2D(0.5), cp.GlobalAveragePool2D(), cp.Dense(2)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(6, 6, 1),
    )
    other = treated(net, {"init": "scaled", "dropout": 0.1, "activation": "leaky-relu"})
    assert other.layers[0] == cp.Conv2D(4, init=cp.Scaled())
    assert other.layers[1] == cp.LeakyReLU()
    assert other.layers[2] == cp.SpatialDropout2D(0.1)
    normed = treated(net, {"batch_norm": True})
    assert normed.layers[1] == cp.BatchNorm()
    assert np.isfinite(normed.logits(np.zeros((2, 6, 6, 1)))).all()

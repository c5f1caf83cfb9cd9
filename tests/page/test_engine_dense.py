"""Flat networks in the page's engine: every activation, loss and optimizer, as in Python."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import ACTIVATIONS, Drawn, networks, randomized
from twins import assert_close, assert_trains_alike, in_base64

import clearprop as cp
from clearprop.network import Network

CLASS_LOSSES = [
    cp.SoftmaxCrossEntropy(),
    cp.SmoothedCrossEntropy(),
    cp.SmoothedCrossEntropy(0.3),
    cp.SoftmaxFocal(),
    cp.SoftmaxFocal(0.5),
    cp.SoftmaxFocal(0),
    cp.MulticlassHinge(),
]
YES_NO_LOSSES = [
    cp.BinaryCrossEntropy(),
    cp.BinaryFocal(),
    cp.BinaryFocal(0.5),
    cp.Hinge(),
]
VALUE_LOSSES = [
    cp.MeanSquaredError(),
    cp.AbsoluteError(),
    cp.Huber(),
    cp.Huber(0.3),
    cp.Quantile(),
    cp.Quantile(0.2),
    cp.PoissonDeviance(),
]
OPTIMIZERS = [
    cp.SGD(0.05),
    cp.SGD(0.05, alpha=0.3),
    cp.SGD(cp.WarmUp(7, cp.CosineSchedule(0.1, 30)), weight_decay=0.1),
    cp.Momentum(0.01),
    cp.Momentum(0.01, momentum=0.5, weight_decay=cp.FlatCosineSchedule(0.3, 50)),
    cp.Nesterov(0.01, alpha=0.1),
    cp.AdaGrad(0.02),
    cp.RMSprop(0.002, decay=0.9),
    cp.Adam(0.003),
    cp.Adam(cp.OneCycleSchedule(0.01, 50), alpha=0.2, beta_1=0.8, epsilon=1e-6),
    cp.AdamW(0.003),
    cp.AdamW(0.003, weight_decay=0.2, beta_2=0.99),
]

SEEDS = st.integers(0, 10_000)


def _of(layers: list[cp.Layer], loss: cp.Loss, outputs: int, inputs: int, seed: int) -> Network:
    net = Network([*layers, cp.Dense(outputs)], loss=loss, input_shape=(inputs,))
    return randomized(net, np.random.RandomState(seed))


def _targets(loss: cp.Loss, samples: int, outputs: int, random: np.random.RandomState) -> Any:
    if loss.one_of_many:
        return random.randint(0, outputs, samples)
    if loss.classifies:
        return random.randint(0, 2, (samples, outputs))
    if isinstance(loss, cp.Quantiles):
        return random.standard_normal(samples)
    if isinstance(loss, cp.PoissonDeviance):
        return random.poisson(2, (samples, outputs)).astype(float)
    return random.standard_normal((samples, outputs))


@given(networks())
def test_a_drawn_network_trains_alike(engine: Any, drawn: Drawn) -> None:
    net, x, y, weight = drawn
    assert_trains_alike(engine, net, x, y, weight, seed=3)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_every_activation_trains_alike(engine: Any, activation: cp.Layer) -> None:
    random = np.random.RandomState(0)
    net = _of([cp.Dense(6), activation], cp.MeanSquaredError(), 2, 3, seed=1)
    x = 3 * random.standard_normal((20, 3))
    assert_trains_alike(engine, net, x, random.standard_normal((20, 2)))


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_an_activation_stays_finite_far_from_zero(engine: Any, activation: cp.Layer) -> None:
    net = Network([activation, cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(1,))
    net.parameters["1.W"][...] = 1
    x = np.array([-800, -100, -40, -8, -1e-9, 0, 1e-9, 5, 19, 21, 40, 100, 800.0])[:, np.newaxis]
    assert_trains_alike(engine, net, x, np.zeros(len(x)))


@pytest.mark.parametrize("loss", CLASS_LOSSES + YES_NO_LOSSES + VALUE_LOSSES, ids=repr)
@pytest.mark.parametrize("heaviest", [None, 0, 2])
def test_every_loss_trains_alike(engine: Any, loss: cp.Loss, heaviest: float | None) -> None:
    random = np.random.RandomState(0)
    net = _of([cp.Dense(5), cp.Tanh()], loss, 3, 4, seed=2)
    x, y = random.standard_normal((12, 4)), _targets(loss, 12, 3, random)
    weight = None if heaviest is None else random.uniform(0, heaviest, 12)
    assert_trains_alike(engine, net, x, y, weight)


@pytest.mark.parametrize("loss", CLASS_LOSSES + YES_NO_LOSSES, ids=repr)
def test_a_loss_stays_finite_far_from_zero(engine: Any, loss: cp.Loss) -> None:
    net = Network([cp.Dense(3)], loss=loss, input_shape=(3,))
    net.parameters["0.W"][...] = np.eye(3)
    x = np.array([[600, -600, 0], [0, 40, -40], [1, 1, 1], [-50, 0, 600.0]])
    y = np.array([0, 2, 1, 2]) if loss.one_of_many else np.abs(np.sign(x))
    assert_trains_alike(engine, net, x, y, optimizer=cp.SGD(1e-9))


@pytest.mark.parametrize("levels", [(0.1, 0.5, 0.9), (0.2, 0.4), (0.3,), (0.6, 0.9)])
def test_quantiles_train_alike(engine: Any, levels: tuple[float, ...]) -> None:
    random = np.random.RandomState(0)
    net = _of([cp.Dense(5), cp.Tanh()], cp.Quantiles(levels), len(levels), 4, seed=2)
    x = random.standard_normal((12, 4))
    assert_trains_alike(engine, net, x, random.standard_normal(12))


@pytest.mark.parametrize("loss", CLASS_LOSSES, ids=repr)
def test_rows_of_probabilities_are_targets(engine: Any, loss: cp.Loss) -> None:
    random = np.random.RandomState(0)
    net = _of([cp.Dense(5), cp.Tanh()], loss, 3, 4, seed=2)
    soft = random.dirichlet(np.ones(3), 12)
    assert_trains_alike(engine, net, random.standard_normal((12, 4)), soft)
    found = engine.ask(
        ask="judged", model=in_base64(net), x=np.ones(48).tolist(), y=soft.ravel().tolist(), n=12,
        weights=None, parameters=net.parameters.data.tolist(),
    )  # fmt: skip
    assert_close(found["loss"], loss(net.logits(np.ones((12, 4))), net.targets(soft))[0])


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize(
    "loss", [*CLASS_LOSSES, *YES_NO_LOSSES, *VALUE_LOSSES, cp.Quantiles((0.2, 0.4, 0.6))], ids=repr
)
def test_what_a_loss_says_of_predictions(engine: Any, loss: cp.Loss, outputs: int) -> None:
    """And of the samples as they are predicted, without dropout, by other parameters, too."""
    outputs = 3 if loss.one_of_many or isinstance(loss, cp.Quantiles) else outputs
    random = np.random.RandomState(3)
    net = _of([cp.Dense(5), cp.Dropout(0.9), cp.Tanh()], loss, outputs, 4, seed=2)
    x, y = random.standard_normal((9, 4)), _targets(loss, 9, outputs, random)
    weight, others = random.uniform(0, 2, 9), random.standard_normal(net.parameters.data.size)
    found = engine.ask(
        ask="judged", model=in_base64(net), x=x.ravel().tolist(), y=y.ravel().tolist(), n=9,
        weights=weight.tolist(), parameters=others.tolist(),
    )  # fmt: skip
    assert_close(found["predictions"], net.predict(x))
    assert_close(found["loss"], loss(net.logits(x), net.targets(y), weight)[0])
    if type(loss).predict_proba is cp.Loss.predict_proba:
        assert found["probabilities"] is None
    else:
        assert_close(found["probabilities"], net.predict_proba(x))
    net.parameters.data[...] = others
    assert_close(found["otherLogits"], net.logits(x))


@given(st.sampled_from(OPTIMIZERS), SEEDS)
@settings(max_examples=60)
def test_every_optimizer_trains_alike(engine: Any, optimizer: cp.Optimizer, seed: int) -> None:
    random = np.random.RandomState(seed)
    layers = [cp.NTKDense(4, bias_rate=0.1), cp.Blend(cp.Tanh(), rate=0.2), cp.Dense(3), cp.ELU()]
    net = _of([cp.Scale(rate=6), *layers], cp.SoftmaxCrossEntropy(), 3, 5, seed)
    x, y = random.standard_normal((9, 5)), random.randint(0, 3, 9)
    weight = random.uniform(0, 2, 9) if seed % 2 else None
    assert_trains_alike(engine, net, x, y, weight, optimizer)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 11), SEEDS)
def test_any_widths_and_batches_train_alike(
    engine: Any, widths: list[int], samples: int, seed: int
) -> None:
    """The blocks of a product have edges of every kind."""
    random = np.random.RandomState(seed)
    layers = [layer for width in widths for layer in (cp.Dense(width), cp.Sigmoid())]
    net = _of(layers, cp.MeanSquaredError(), widths[0], widths[-1], seed)
    x = random.standard_normal((samples, widths[-1]))
    assert_trains_alike(engine, net, x, random.standard_normal((samples, widths[0])))


@given(SEEDS, st.sampled_from([0, 0.2, 1 / 3, 0.99999, 2.5 / 65536, 3.5 / 65536]))
def test_dropout_given_the_same_draws_drops_alike(engine: Any, seed: int, rate: float) -> None:
    random = np.random.RandomState(seed)
    schedule = cp.FlatCosineSchedule(rate, 50)
    layers = [cp.Dropout(rate), cp.Dense(4), cp.Tanh(), cp.Dropout(schedule)]
    net = _of(layers, cp.MeanSquaredError(), 1, 6, seed)
    x = random.standard_normal((4, 6))
    optimizer = cp.SGD(1e-4)
    assert_trains_alike(engine, net, x, random.standard_normal(4), None, optimizer, seed)


def test_dropout_without_random_numbers_says_so(engine: Any, node_error: type[Exception]) -> None:
    net = Network([cp.Dropout(0.5), cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(2,))
    with pytest.raises(node_error, match="Dropout needs random numbers while training"):
        assert_trains_alike(engine, net, np.ones((1, 2)), np.ones(1))

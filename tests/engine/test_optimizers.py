"""Optimizers against the trajectories of PyTorch, and what they promise beside."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from golden_values import golden

import clearprop as cp
from clearprop.core.initializers import Normal
from clearprop.core.parameters import Parameter, ParameterVector
from clearprop.core.schedules import StepSchedule
from clearprop.errors import UsageError
from clearprop.network import Network
from clearprop.optimizers import (
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
)

GOLDEN = golden("optimizers")
ALPHA, WEIGHT_DECAY, BATCH = 0.5, 0.1, 4  # as in tests/golden/make_golden.py
PLAIN: dict[str, Optimizer] = {
    "sgd": SGD(0.1),
    "momentum": Momentum(0.05, momentum=0.9),
    "nesterov": Nesterov(0.05, momentum=0.9),
    "adagrad": AdaGrad(0.1, epsilon=1e-10),
    "rmsprop": RMSprop(0.01, decay=0.99, epsilon=1e-8),
    "adam": Adam(0.02, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    "adamw": AdamW(0.02, beta_1=0.9, beta_2=0.999, epsilon=1e-8, weight_decay=0),
}
PULLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "l2": {"alpha": ALPHA},
    "decoupled": {"weight_decay": WEIGHT_DECAY},
}
TRAJECTORIES = sorted(GOLDEN.keys() - {"X", "y", "start"})


def test_every_optimizer_has_its_trajectories() -> None:
    decoupled = {"sgd", "momentum", "nesterov", "adamw"}
    # Those that look along lines are held against SciPy's in tests/lbfgs.
    element_wise = {name for name, kind in OPTIMIZERS.items() if not kind.full_batch}
    assert element_wise == PLAIN.keys()
    assert set(TRAJECTORIES) == {
        *(f"{name}/plain" for name in element_wise),
        *(f"{name}/l2" for name in element_wise),
        *(f"{name}/decoupled" for name in decoupled),
    }


@pytest.mark.parametrize("trajectory", TRAJECTORIES)
def test_fifty_steps_are_those_of_pytorch(trajectory: str) -> None:
    name, pull = trajectory.split("/")
    optimizer = replace(PLAIN[name], **PULLS[pull])
    X, y = GOLDEN["X"], GOLDEN["y"]
    net = Network(
        [cp.Dense(3), cp.Tanh(), cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4,)
    )
    net.parameters.data[...] = GOLDEN["start"]
    state = optimizer.start(net.parameters)
    for step, expected in enumerate(GOLDEN[trajectory]):
        batch = (step * BATCH + np.arange(BATCH)) % len(X)
        _, gradient = net.loss_and_gradient(X[batch], y[batch])
        optimizer.regularize(net, gradient, BATCH)
        optimizer.step(net.parameters, gradient, state, step)
        np.testing.assert_allclose(
            net.parameters.data, expected, rtol=1e-10, atol=1e-12, err_msg=f"after step {step}"
        )


def test_l2_is_half_alpha_of_the_squared_weights_over_the_samples() -> None:
    net = Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(2,))
    net.parameters.data[...] = [3, 4, 100]  # two weights and a bias
    gradient = net.parameters.like()
    gradient.data[...] = 1
    assert SGD(alpha=0.2).regularize(net, gradient, 10) == pytest.approx(0.2 / 20 * 25)
    np.testing.assert_allclose(gradient.data, [1 + 0.02 * 3, 1 + 0.02 * 4, 1])
    assert SGD().regularize(net, gradient, 10) == 0


@pytest.mark.parametrize("optimizer", PLAIN.values(), ids=PLAIN)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 8191, 8192, 8193, 20_000])
def test_updates_in_blocks_equal_updates_in_one(
    optimizer: Optimizer, dtype: type[np.floating], size: int
) -> None:
    vector = ParameterVector({"W": Parameter((size,), Normal(1.0), decays=True)}, dtype)
    vector.initialize(np.random.RandomState(0))
    gradient = vector.like()
    state = optimizer.start(vector)
    w = vector.data.copy()
    whole = {name: array.copy() for name, array in state.items()}
    for step in range(3):
        gradient.initialize(np.random.RandomState(step + 1))
        kept = gradient.data.copy()
        optimizer.step(vector, gradient, state, step)
        optimizer.update(w, kept, whole, optimizer.rate(step), step, np.empty_like(w))
        np.testing.assert_array_equal(gradient.data, kept)
    np.testing.assert_array_equal(vector.data, w)
    assert state.keys() == whole.keys() == set(optimizer.moments)
    for name, array in state.items():
        np.testing.assert_array_equal(array, whole[name])
        assert array.dtype == dtype


@pytest.mark.parametrize("optimizer", PLAIN.values(), ids=PLAIN)
def test_a_gradient_of_zero_moves_nothing_at_first(optimizer: Optimizer) -> None:
    vector = ParameterVector({"W": Parameter((3,), Normal(), decays=True)}, np.float64)
    vector.data[...] = 1
    optimizer.step(vector, vector.like(), optimizer.start(vector), 0)
    np.testing.assert_array_equal(vector.data, 1)


def test_the_rate_follows_a_schedule() -> None:
    sgd = SGD(StepSchedule(1.0, every=2, factor=0.5))
    assert [sgd.rate(step) for step in range(5)] == [1, 1, 0.5, 0.5, 0.25]
    assert SGD(0.3).rate(1000) == 0.3
    vector = ParameterVector({"W": Parameter((1,), Normal())}, np.float64)
    gradient = vector.like()
    gradient.data[...] = 1
    for step in range(4):
        sgd.step(vector, gradient, sgd.start(vector), step)
    assert vector.data[0] == -3


def test_weight_decay_is_never_taken_for_another_number() -> None:
    assert Momentum(0.1, 0.5).momentum == Nesterov(0.1, 0.5).momentum == 0.5
    assert Adam(0.1, 0.5, 0.6, 1e-3) == Adam(0.1, beta_1=0.5, beta_2=0.6, epsilon=1e-3)
    for optimizer in (SGD, Momentum, Nesterov, AdamW):
        with pytest.raises(TypeError):
            optimizer(*[0.1] * 6)


@pytest.mark.parametrize(
    ("optimizer", "fields"),
    [
        (SGD, {"learning_rate": -0.1}),
        (SGD, {"learning_rate": float("nan")}),
        (SGD, {"learning_rate": float("inf")}),
        (SGD, {"alpha": -1}),
        (SGD, {"weight_decay": -1}),
        (Momentum, {"momentum": 1}),
        (Nesterov, {"momentum": -0.1}),
        (AdaGrad, {"epsilon": -1}),
        (RMSprop, {"decay": 1.5}),
        (Adam, {"beta_1": 1}),
        (AdamW, {"beta_2": 1}),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else value.__name__,
)
def test_impossible_numbers_are_refused_by_name(
    optimizer: type[Optimizer], fields: dict[str, float]
) -> None:
    [(name, value)] = fields.items()
    with pytest.raises(UsageError, match=f"{optimizer.__name__} needs a {name} .*found {value}"):
        optimizer(**fields)

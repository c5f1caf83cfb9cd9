"""A layer, an activation, a loss, a schedule and an optimizer of one's own, in about ten lines."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from central_differences import assert_same_gradient, numerical_gradient
from random_networks import randomized

import clearprop as cp
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.schedules import Schedule
from clearprop.core.trace import Trace
from clearprop.network import Network
from clearprop.optimizers import Optimizer


@dataclass(frozen=True)
class Scale(cp.Layer):
    def build(self, in_shape: tuple[int, ...]) -> cp.Built:
        return cp.Built(in_shape, {"s": Parameter(in_shape, cp.Constant(1.0))})

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        trace["x"] = x
        return x * params["s"]

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        grads["s"][...] = (dy * trace["x"]).sum(axis=0)
        return dy * params["s"]


@dataclass(frozen=True)
class Sine(cp.Layer):
    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        trace["x"] = x
        return np.sin(x)

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        return dy * np.cos(trace["x"])


@dataclass(frozen=True)
class LogCosh(cp.Loss):
    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        error = logits - y
        return np.log(np.cosh(error)).sum(axis=1), np.tanh(error)


@dataclass(frozen=True)
class SignDescent(Optimizer):
    def update(
        self,
        w: Array,
        g: Array,
        state: Mapping[str, Array],
        learning_rate: float,
        step: int,
        scratch: Array,
    ) -> None:
        w -= learning_rate * np.sign(g)


@dataclass(frozen=True)
class Harmonic(Schedule):
    def __call__(self, step: int) -> float:
        return 1 / (step + 1)


@dataclass(frozen=True)
class Ramp(cp.Initializer):
    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> Array:
        return np.arange(np.prod(shape), dtype=float).reshape(shape)


@pytest.mark.parametrize("weighted", [False, True])
def test_they_train_beside_the_built_in_ones(weighted: bool) -> None:
    net = Network(
        [Scale(), cp.Dense(4), Sine(), cp.Residual((Scale(), Sine())), cp.Dense(2)],
        loss=LogCosh(),
        input_shape=(3,),
    )
    randomized(net, np.random.RandomState(0))
    random_state = np.random.RandomState(1)
    X, y = random_state.standard_normal((6, 3)), random_state.standard_normal((6, 2))
    weight = random_state.uniform(0, 2, 6) if weighted else None
    _, gradient = net.loss_and_gradient(X, y, weight)
    assert_same_gradient(
        gradient.data,
        numerical_gradient(lambda: net.loss_and_gradient(X, y, weight)[0], net.parameters.data),
    )
    np.testing.assert_array_equal(net.predict(X), net.logits(X))


def test_an_optimizer_of_ones_own_follows_a_schedule_of_ones_own() -> None:
    net = Network([cp.Dense(1, init=Ramp())], loss=LogCosh(), input_shape=(3,))
    np.testing.assert_array_equal(net.parameters["0.W"], [[0], [1], [2]])
    optimizer = SignDescent(Harmonic())
    gradient = net.parameters.like()
    gradient.data[...] = [5, -2, 0, 1]
    for step in range(2):
        optimizer.step(net.parameters, gradient, optimizer.start(net.parameters), step)
    np.testing.assert_allclose(net.parameters.data, [0 - 1.5, 1 + 1.5, 2, 0 - 1.5])

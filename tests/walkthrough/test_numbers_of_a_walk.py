"""A walk shows the engine's numbers, bit for bit, and arithmetic that leads to them."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_networks import (
    CODE_CASES,
    LAYER_CASES,
    PICTURE_CASES,
    Drawn,
    codes_and_numbers,
    networks,
    randomized,
)

import clearprop as cp
from clearprop import layers, losses, optimizers
from clearprop.configuration import classes_in

OPTIMIZERS: list[cp.Optimizer] = [
    cp.SGD(0.1),
    cp.SGD(0.1, alpha=0.3, weight_decay=0.2),
    cp.Momentum(0.1, weight_decay=0.1),
    cp.Nesterov(0.1, alpha=0.1),
    cp.AdaGrad(0.1),
    cp.RMSprop(0.1, alpha=0.2),
    cp.Adam(0.1),
    cp.AdamW(0.1, alpha=0.1),
]


def every_entry(walked: cp.Walk) -> Any:
    for quantity in walked.quantities:
        for index in product(*map(range, quantity.shape)):
            yield quantity, index, quantity.entry(*index)


def assert_sums_lead_to_the_numbers(walked: cp.Walk) -> None:
    for quantity, index, entry in every_entry(walked):
        assert entry.value == quantity.array[index] or np.isnan(entry.value)
        assert quantity.computed == (quantity.explain is not None)
        if entry.total is not None:
            assert np.isclose(entry.total, entry.value, rtol=1e-12, atol=1e-12), str(entry)


@given(networks(), st.sampled_from(OPTIMIZERS))
def test_operands_add_up_to_the_engine_s_numbers(drawn: Drawn, optimizer: cp.Optimizer) -> None:
    net, X, y, weight = drawn
    walked = cp.walk(net, X, y, sample_weight=weight, optimizer=optimizer)
    assert_sums_lead_to_the_numbers(walked)


@given(networks(), st.sampled_from(OPTIMIZERS))
def test_numbers_are_the_engine_s_bit_for_bit(drawn: Drawn, optimizer: cp.Optimizer) -> None:
    net, X, y, weight = drawn
    before = net.parameters.data.tobytes(), net.state.data.tobytes()
    walked = cp.walk(net, X, y, sample_weight=weight, optimizer=optimizer)
    assert (net.parameters.data.tobytes(), net.state.data.tobytes()) == before

    loss, gradient = net.loss_and_gradient(X, y, weight)
    assert walked.loss == loss
    assert walked["loss.loss"].array == loss
    for name, array in gradient.items():
        place, _, leaf = name.rpartition(".")
        assert np.array_equal(walked[f"{place}.d{leaf}"].array, array)
        assert np.array_equal(walked[name].array, net.parameters[name])

    trace = cp.Trace(training=True, random_state=np.random.RandomState(net.seed))
    logits = net.forward(net.inputs(X), trace)
    assert np.array_equal(walked[f"{len(net.layers) - 1}.y"].array, logits)
    _, dlogits = net.loss(logits, net.targets(y), weight)
    assert np.array_equal(walked["loss.dlogits"].array, dlogits)

    count = len(X) if weight is None else float(weight.sum()) or len(X)
    optimizer.regularize(net, gradient, count)
    optimizer.step(net.parameters, gradient, optimizer.start(net.parameters), 0)
    net.update_state(trace)
    for vector in (net.parameters, net.state):
        for name, array in vector.items():
            assert np.array_equal(walked[f"{name}_new"].array, array)


class Kept(dict[str, Any]):
    """What each layer of a chain was given and gave, computed one by one by the engine's layers."""

    def __init__(self, net: cp.Network, X: np.ndarray, y: np.ndarray) -> None:
        trace = cp.Trace(training=True, random_state=np.random.RandomState(net.seed))
        params, gradient = net.parameters.tree, net.parameters.like()
        x = X
        for name, layer in zip(net.body.names, net.layers, strict=True):
            x = layer.forward(params.get(name, {}), x, trace.child(name)).copy()
            self[f"{name}.y"] = x
        _, dy = net.loss(x, net.targets(y))
        for name, layer in reversed(list(zip(net.body.names, net.layers, strict=True))):
            child = trace.child(name)
            dy = layer.backward(params.get(name, {}), dy, child, gradient.tree.get(name, {}))
            self[f"{name}.dx"] = dy = np.copy(dy)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_every_layer_gives_is_kept_apart_on_both_ways(dtype: str) -> None:
    net = cp.Network(
        [cp.Dense(6), cp.ReLU(), cp.Dense(6), cp.Dropout(0.5), cp.Tanh(), cp.Dense(3)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(4,),
        dtype=dtype,
    )
    X, y = np.random.RandomState(1).randn(8, 4).astype(dtype), np.arange(8) % 3
    walked, kept = cp.walk(net, X, y), Kept(net, X, y)
    del kept["0.dx"]  # nobody below wants it
    for key, array in kept.items():
        assert walked[key].array.dtype == dtype
        assert np.array_equal(walked[key].array, array)
    shown = [quantity.array for quantity in walked.quantities]
    assert not any(
        np.may_share_memory(one, other)
        for place, one in enumerate(shown)
        for other in shown[:place]
    )
    assert "0.dx" not in {quantity.key for quantity in walked.quantities}


@pytest.mark.parametrize("layer", LAYER_CASES, ids=repr)
@pytest.mark.parametrize("training", [True, False])
def test_every_layer_is_explained_in_every_kind_of_pass(layer: cp.Layer, training: bool) -> None:
    shape = (2, 3) if isinstance(layer, cp.Flatten) else (5,)
    below = [] if isinstance(layer, cp.Flatten) else [cp.Dense(5)]
    net = cp.Network([*below, layer, cp.Dense(2)], loss=cp.MeanSquaredError(), input_shape=shape)
    random_state = np.random.RandomState(0)
    randomized(net, random_state)
    X, y = random_state.standard_normal((4, *shape)), random_state.standard_normal((4, 2))
    trace = cp.Trace(training=training, random_state=random_state)
    assert_sums_lead_to_the_numbers(cp.walk(net, X, y, trace=trace))


@pytest.mark.parametrize("layer", CODE_CASES, ids=repr)
@pytest.mark.parametrize("wants_dx", [True, False])
def test_every_layer_of_codes_is_explained(layer: cp.Layer, wants_dx: bool) -> None:
    net = cp.Network([layer, cp.Dense(2)], loss=cp.MeanSquaredError(), input_shape=(5,))
    randomized(net, np.random.RandomState(0))
    X, y = codes_and_numbers(layer, 4), np.random.RandomState(1).standard_normal((4, 2))
    trace = cp.Trace(training=True)
    trace.wants_dx = wants_dx
    walked = cp.walk(net, X, y, trace=trace)
    assert_sums_lead_to_the_numbers(walked)
    assert "of your own" not in str(walked)


def exported(module: Any, base: type) -> set[type]:
    return set(classes_in(vars(module), base))


def test_the_cases_above_are_all_that_is_exported() -> None:
    # Of a Sequential, the inner layers are shown.
    cases = {type(case) for case in [*LAYER_CASES, *PICTURE_CASES, *CODE_CASES]}
    assert cases == exported(layers, cp.Layer)
    walked = {one for one in exported(optimizers, cp.Optimizer) if not one.full_batch}
    assert {type(optimizer) for optimizer in OPTIMIZERS} == walked


@pytest.mark.parametrize("loss", sorted(exported(losses, cp.Loss), key=str))
def test_a_loss_without_arithmetic_still_shows_its_numbers(loss: Any) -> None:
    outputs = 3 if loss is cp.Quantiles else 2
    net = cp.Network([cp.Dense(outputs)], loss=loss(), input_shape=(3,))
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((4, 3))
    single = isinstance(net.loss, cp.SoftmaxCrossEntropy | cp.MulticlassHinge | cp.Quantiles)
    y = random_state.randint(0, 2, 4 if single else (4, outputs))
    loss_and_gradient = net.loss_and_gradient(X, y)
    walked = cp.walk(net, X, y)
    assert walked.loss == loss_and_gradient[0]
    assert np.array_equal(walked["0.dW"].array, loss_and_gradient[1]["0.W"])


@pytest.mark.parametrize("loss", [cp.BinaryCrossEntropy(), cp.SoftmaxCrossEntropy()])
def test_logits_that_overflow_exp_are_explained(loss: cp.Loss) -> None:
    net = cp.Network([cp.Dense(2, cp.Constant(1.0))], loss=loss, input_shape=(1,))
    net.parameters["0.b"][...] = [3.0, -3.0]
    y = [[1, 0], [0, 1]]
    assert_sums_lead_to_the_numbers(cp.walk(net, [[2000.0], [-2000.0]], y))


def test_a_long_sum_leads_to_the_number_too() -> None:
    net = cp.Network([cp.Dense(3), cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(500,))
    random_state = np.random.RandomState(0)
    X, y = random_state.standard_normal((60, 500)), random_state.standard_normal(60)
    walked = cp.walk(net, X, y, sample=50)
    for name in ("0.y[50,2]", "0.dW[499,1]", "0.db[0]", "1.dx[50,2]", "loss.loss"):
        entry = walked.entry(name)
        assert np.isclose(entry.total, entry.value, rtol=1e-12, atol=1e-12)
        assert name == "1.dx[50,2]" or "more:" in entry.arithmetic.numbers()


def test_weights_of_zero_give_a_loss_of_zero() -> None:
    net = cp.Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(2,))
    walked = cp.walk(net, np.ones((3, 2)), np.ones(3), sample_weight=np.zeros(3))
    assert walked.loss == 0
    assert_sums_lead_to_the_numbers(walked)


@dataclass(frozen=True)
class Scale(cp.Layer):
    """Multiply each feature by a learned number.

    More is not shown.
    """

    def build(self, in_shape: tuple[int, ...]) -> cp.Built:
        return cp.Built(in_shape, parameters={"w": cp.Parameter(in_shape, cp.Constant(2.0))})

    def forward(self, params: Any, x: Any, trace: cp.Trace) -> Any:
        trace["x"] = x
        return x * params["w"]

    def backward(self, params: Any, dy: Any, trace: cp.Trace, grads: Any) -> Any:
        grads["w"][...] = (dy * trace["x"]).sum(axis=0)
        return dy * params["w"]


@dataclass(frozen=True)
class Absolute(cp.Loss):
    """Mean absolute error."""

    def each(self, logits: Any, y: Any) -> Any:
        return np.abs(logits - y).sum(axis=1), np.sign(logits - y)


@dataclass(frozen=True)
class Sign(cp.Optimizer):
    """Move by the learning rate, up or down."""

    learning_rate: float = 0.1

    def update(
        self, w: Any, g: Any, state: Any, learning_rate: Any, step: int, scratch: Any
    ) -> None:
        w -= learning_rate * np.sign(g)


def test_parts_of_one_s_own_are_shown_with_what_they_say_of_themselves() -> None:
    net = cp.Network([cp.Dense(2), Scale(), cp.Dense(1)], loss=Absolute(), input_shape=(3,))
    X, y = np.random.RandomState(0).randn(4, 3), np.zeros(4)
    walked = cp.walk(net, X, y, optimizer=Sign())
    _, gradient = net.loss_and_gradient(X, y)
    assert np.array_equal(walked["1.y"].array, 2 * walked["0.y"].array)
    assert np.array_equal(walked["1.w"].array, [2, 2])
    assert np.array_equal(walked["1.dw"].array, gradient["1.w"])
    assert np.array_equal(walked["1.w_new"].array, 2 - 0.1 * np.sign(gradient["1.w"]))
    for name in ("1.y[0,0]", "1.dw[0]", "1.dx[0,0]", "loss.losses[0]", "1.w_new[0]"):
        entry = walked.entry(name)
        assert entry.total is None
        assert "computed by code of your own" in str(entry)
    said = " ".join(str(walked).split())
    assert "It says: Multiply each feature by a learned number." in said
    assert "More is not shown" not in said
    assert "It says: Mean absolute error." in said
    assert "It says: Move by the learning rate, up or down." in said
    assert walked.entry("loss.loss").total == pytest.approx(walked.loss)

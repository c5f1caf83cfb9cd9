"""What holds for a pass of any network: precision, purity, reuse of memory, layouts."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import ACTIVATIONS, LAYER_CASES, Drawn, networks, randomized

import clearprop as cp
from clearprop.core.parameters import ParameterVector, Params
from clearprop.core.trace import Trace
from clearprop.errors import UsageError
from clearprop.network import Network

DEEP = (
    cp.Dense(6),
    cp.BatchNorm(),
    cp.ReLU(),
    cp.Dropout(0.3),
    cp.Residual((cp.Dense(6), cp.LayerNorm(), cp.GELU())),
    cp.Residual((cp.Dense(4), cp.ELU())),
    cp.Dense(3),
)


def training_trace() -> Trace:
    return Trace(training=True, random_state=np.random.RandomState(0))


def passed(
    net: Network, x: np.ndarray, dy: np.ndarray, trace: Trace
) -> tuple[np.ndarray, np.ndarray | None, ParameterVector]:
    gradient = net.parameters.like()
    y = net.forward(x, trace).copy()
    dx = net.backward(dy, trace, gradient)
    return y, None if dx is None else dx.copy(), gradient


@given(networks(), st.booleans())
@settings(max_examples=40)
def test_forward_and_backward_change_nothing_they_are_given(drawn: Drawn, training: bool) -> None:
    net, x, y, _ = drawn
    trace = Trace(training=training, random_state=np.random.RandomState(0))
    _, dy = net.loss(net.forward(x, trace), net.targets(y))
    given_arrays = (x, dy, net.parameters.data, net.state.data)
    before = [array.copy() for array in given_arrays]
    passed(net, x, dy, trace)
    for array, copy in zip(given_arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("layer", LAYER_CASES, ids=repr)
def test_one_layer_writes_to_neither_x_nor_dy(layer: cp.Layer) -> None:
    net = Network([layer], loss=cp.MeanSquaredError(), input_shape=(5,))
    x = np.random.RandomState(0).standard_normal((4, 5))
    dy = np.random.RandomState(1).standard_normal((4, *net.output_shape))
    x.setflags(write=False)
    dy.setflags(write=False)  # a write would raise
    for training in (True, False):
        passed(net, x, dy, Trace(training=training, random_state=np.random.RandomState(0)))


@given(networks())
@settings(max_examples=40)
def test_a_used_trace_gives_the_bits_of_a_fresh_one(drawn: Drawn) -> None:
    net, x, y, weight = drawn
    random_state = np.random.RandomState(0)
    used = Trace(training=True, random_state=random_state)
    batches = [slice(None), slice(0, len(x) - 1), slice(None)]  # the second is smaller
    for batch in batches:
        fresh = training_trace()
        random_state.seed(0)
        part_weight = None if weight is None else weight[batch]
        loss, gradient = net.loss_and_gradient(x[batch], y[batch], part_weight, trace=used)
        expected, other = net.loss_and_gradient(x[batch], y[batch], part_weight, trace=fresh)
        assert loss == expected
        np.testing.assert_array_equal(gradient.data, other.data)


@given(networks())
@settings(max_examples=40)
def test_parameter_gradients_are_the_same_when_nobody_wants_dx(drawn: Drawn) -> None:
    net, x, y, _ = drawn
    wanting, not_wanting = training_trace(), training_trace()
    not_wanting.wants_dx = False
    _, dy = net.loss(net.forward(x, training_trace()), net.targets(y))
    _, dx, gradient = passed(net, x, dy, wanting)
    _, nothing, same = passed(net, x, dy, not_wanting)
    assert dx is not None
    assert dx.shape == x.shape
    assert nothing is None
    np.testing.assert_array_equal(gradient.data, same.data)


@pytest.mark.parametrize("nested", [False, True], ids=["plain", "inside residual links"])
def test_nothing_runs_backward_further_down_than_the_first_parameters(nested: bool) -> None:
    asked = []

    class Unreachable(cp.Tanh):
        def backward(self, *arguments: object) -> np.ndarray:
            raise AssertionError("nothing below the first parameters has to run backward")

    class Watched(cp.Dense):
        def backward(
            self, params: Params, dy: np.ndarray, trace: Trace, grads: Params
        ) -> np.ndarray | None:
            asked.append(trace.wants_dx)
            return super().backward(params, dy, trace, grads)

    below, above = Unreachable(), Watched(3)
    first = cp.Residual((cp.Residual((below, Watched(3))),)) if nested else Watched(3)
    net = Network([below, first, above], loss=cp.MeanSquaredError(), input_shape=(3,))
    trace = training_trace()
    trace.wants_dx = False
    passed(net, np.ones((4, 3)), np.ones((4, 3)), trace)
    assert asked == [True, False]


@given(networks())
@settings(max_examples=40)
def test_float32_agrees_with_float64(drawn: Drawn) -> None:
    net, x, y, _ = drawn
    x = x.astype(np.float32).astype(np.float64)
    twin = Network(net.layers, loss=net.loss, input_shape=net.input_shape, dtype=np.float32)
    twin.parameters.assign(net.parameters)
    twin.state.assign(net.state)
    net.parameters.assign(twin.parameters)
    net.state.assign(twin.state)

    loss, gradient = net.loss_and_gradient(x, y)
    rounded_loss, rounded = twin.loss_and_gradient(x.astype(np.float32), y)
    assert rounded.data.dtype == np.float32
    assert twin.logits(x).dtype == np.float32
    assert twin.forward(x.astype(np.float32)).dtype == np.float32
    assert rounded_loss == pytest.approx(loss, rel=1e-4, abs=1e-5)
    scale = np.abs(gradient.data).max()
    np.testing.assert_allclose(rounded.data, gradient.data, rtol=1e-3, atol=2e-4 * (1 + scale))


@pytest.mark.parametrize("layer", LAYER_CASES, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_array_of_a_layer_has_the_dtype_of_its_input(
    layer: cp.Layer, dtype: type[np.floating]
) -> None:
    net = Network([layer], loss=cp.MeanSquaredError(), input_shape=(5,), dtype=dtype)
    x = np.random.RandomState(0).standard_normal((4, 5)).astype(dtype)
    for training in (True, False):
        trace = Trace(training=training, random_state=np.random.RandomState(0))
        y, dx, _ = passed(net, x, np.ones((4, *net.output_shape), dtype), trace)
        assert y.dtype == dtype
        assert dx is not None
        assert dx.dtype == dtype


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "Fortran order": np.asfortranarray,
    "every second row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "reversed": lambda x: x[::-1].copy()[::-1],
    "a window of columns": lambda x: np.hstack([x, x])[:, : x.shape[1]],
    "another byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "a list": lambda x: x.tolist(),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_layout_of_x_does_not_matter(layout: Callable[[np.ndarray], Any]) -> None:
    net = Network(DEEP, loss=cp.SoftmaxCrossEntropy(), input_shape=(5,))
    x = np.random.RandomState(0).standard_normal((8, 5))
    y = np.arange(8) % 3
    loss, gradient = net.loss_and_gradient(x, y)
    same, twin = net.loss_and_gradient(layout(x), y)
    assert same == pytest.approx(loss, rel=1e-13)
    np.testing.assert_allclose(twin.data, gradient.data, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(net.predict_proba(layout(x)), net.predict_proba(x), rtol=1e-12)


@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "bool", "float16", "float32"])
def test_x_of_any_kind_of_numbers_means_its_values(kind: str) -> None:
    net = Network(DEEP, loss=cp.SoftmaxCrossEntropy(), input_shape=(5,))
    x = (np.arange(40).reshape(8, 5) % 3).astype(kind)
    np.testing.assert_array_equal(net.logits(x), net.logits(x.astype(float)))


@pytest.mark.parametrize(
    "layer", [*ACTIVATIONS, cp.Dense(300), cp.Residual((cp.Dense(300), cp.Tanh()))], ids=repr
)
def test_the_second_pass_allocates_nothing(layer: cp.Layer) -> None:
    rows, width = 1000, 300
    net = randomized(
        Network([layer], loss=cp.MeanSquaredError(), input_shape=(width,)),
        np.random.RandomState(0),
    )
    x = np.random.RandomState(1).standard_normal((rows, width))
    dy = np.ones((rows, *net.output_shape))
    trace, gradient = training_trace(), net.parameters.like()

    def once() -> None:
        net.forward(x, trace)
        net.backward(dy, trace, gradient)

    once()
    tracemalloc.start()
    once()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # One array of booleans is 300 kB; NumPy's own buffer for casting, of fixed size, is 66 kB.
    assert peak < x.size / 2


def test_a_batch_that_grew_gets_buffers_that_grew() -> None:
    trace = Trace()
    small = trace.buffer("y", (2, 3), np.float64)
    large = trace.buffer("y", (4, 3), np.float64)
    again = trace.buffer("y", (3, 3), np.float64)
    assert not np.shares_memory(small, large)
    assert np.shares_memory(large, again)
    assert large.shape == (4, 3)
    assert again.flags.c_contiguous
    assert trace.buffer("y", (3, 3), np.float32).dtype == np.float32


def test_a_trace_holds_what_forward_put_there() -> None:
    trace = Trace()
    trace["x"] = 1
    trace["y"] = 2
    assert dict(trace) == {"x": 1, "y": 2}
    del trace["x"]
    assert list(trace) == ["y"]
    assert len(trace) == 1
    assert trace.child("0") is trace.child("0")


def test_dropout_keeps_the_mean_and_drops_its_share() -> None:
    net = Network([cp.Dropout(0.3)], loss=cp.MeanSquaredError(), input_shape=(1000,))
    y = net.forward(np.ones((1000, 1000)), training_trace())
    assert np.unique(y) == pytest.approx([0.0, 1 / 0.7], rel=1e-5)
    steps = 65536 / np.unique(y)[1]  # the share that stays is a whole number of them
    assert steps == pytest.approx(round(steps), rel=1e-12)
    # Six standard deviations of the mean of a million draws.
    assert (y == 0).mean() == pytest.approx(0.3, abs=6 * (0.3 * 0.7 / 1e6) ** 0.5)


def test_dropout_without_random_numbers_says_so() -> None:
    net = Network([cp.Dropout(0.3)], loss=cp.MeanSquaredError(), input_shape=(2,))
    with pytest.raises(UsageError, match="Dropout needs random numbers"):
        net.forward(np.ones((1, 2)), Trace(training=True))


def test_a_pass_alone_leaves_the_running_statistics_and_update_state_moves_them() -> None:
    net = Network(
        [cp.Residual((cp.BatchNorm(momentum=0.25),))],
        loss=cp.MeanSquaredError(),
        input_shape=(2,),
    )
    x = np.array([[1.0, 2.0], [3.0, 2.0], [5.0, 8.0]])
    trace = training_trace()
    net.forward(x, trace)
    np.testing.assert_array_equal(net.state["0.0.running_mean"], [0, 0])
    net.update_state(trace)
    np.testing.assert_allclose(net.state["0.0.running_mean"], 0.25 * x.mean(axis=0))
    np.testing.assert_allclose(
        net.state["0.0.running_variance"], 0.75 + 0.25 * x.var(axis=0, ddof=1)
    )


def test_batch_norm_of_a_single_sample_stays_finite() -> None:
    net = Network([cp.BatchNorm()], loss=cp.MeanSquaredError(), input_shape=(2,))
    trace = training_trace()
    np.testing.assert_array_equal(net.forward(np.array([[3.0, 4.0]]), trace), [[0, 0]])
    net.update_state(trace)
    assert np.isfinite(net.state.data).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layer", ACTIVATIONS, ids=repr)
def test_activations_have_their_limits_far_from_zero(
    layer: cp.Layer, dtype: type[np.floating]
) -> None:
    net = Network([layer], loss=cp.MeanSquaredError(), input_shape=(2,), dtype=dtype)
    x = np.array([[-1e4, 1e4]], dtype)
    y, dx, _ = passed(net, x, np.ones((1, 2), dtype), Trace())
    slope = layer.slope if isinstance(layer, cp.LeakyReLU) else 0
    steep = 1.0507009873554805 if isinstance(layer, cp.SELU) else 1
    ends: dict[cp.Layer, float] = {cp.Tanh(): -1, cp.ELU(): -1, cp.ELU(alpha=0.4): -0.4}
    ends[cp.SELU()] = -1.0507009873554805 * 1.6732632423543772
    low = ends.get(layer, -1e4 * slope)
    bounded = isinstance(layer, cp.Sigmoid | cp.Tanh)
    np.testing.assert_allclose(y, [[low, 1 if bounded else 1e4 * steep]], rtol=1e-6, atol=1e-30)
    assert dx is not None
    np.testing.assert_allclose(dx, [[slope, 0 if bounded else steep]], rtol=1e-6, atol=1e-7)

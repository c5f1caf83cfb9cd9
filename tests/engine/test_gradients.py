"""Every layer's and every network's backward pass against central differences."""

from functools import partial

import numpy as np
import pytest
from central_differences import assert_same_gradient, numerical_gradient, smooth_gradient
from hypothesis import given, settings
from random_networks import (
    CODE_CASES,
    LAYER_CASES,
    PICTURE,
    PICTURE_CASES,
    Drawn,
    codes_and_numbers,
    networks,
    randomized,
)

import clearprop as cp
from clearprop import layers
from clearprop.configuration import classes_in
from clearprop.core.parameters import ParameterVector
from clearprop.core.trace import Trace
from clearprop.network import Network


@pytest.mark.parametrize("training", [True, False], ids=["training", "predicting"])
@pytest.mark.parametrize("layer", LAYER_CASES, ids=repr)
def test_backward_is_the_derivative_of_forward(layer: cp.Layer, training: bool) -> None:
    assert_right_gradients([layer], away_from_zero((4, 5)), training=training)


@pytest.mark.parametrize("training", [True, False], ids=["training", "predicting"])
@pytest.mark.parametrize("layer", PICTURE_CASES, ids=repr)
def test_backward_of_pictures_is_the_derivative_of_forward(layer: cp.Layer, training: bool) -> None:
    assert_right_gradients([layer, cp.Flatten()], apart((3, *PICTURE)), training=training)


@pytest.mark.parametrize(
    "layer",
    [
        cp.Conv2D(3),
        cp.MaxPool2D(),
        cp.AveragePool2D(2, stride=1),
        cp.GlobalAveragePool2D(),
        cp.BatchNorm(),
        cp.SpatialDropout2D(0.5),
    ],
    ids=repr,
)
def test_pictures_without_channels_have_one(layer: cp.Layer) -> None:
    x = apart((3, 5, 4))
    assert_right_gradients([layer, cp.Flatten()], x, training=True)
    flat, with_channel = (
        randomized(
            Network([layer, cp.Flatten()], loss=cp.MeanSquaredError(), input_shape=shape),
            np.random.RandomState(1),
        )
        for shape in ((5, 4), (5, 4, 1))
    )
    np.testing.assert_allclose(
        flat.forward(x), with_channel.forward(x[..., np.newaxis]), rtol=1e-14
    )


def assert_right_gradients(layers: list[cp.Layer], x: np.ndarray, *, training: bool) -> None:
    net = randomized(
        Network(layers, loss=cp.MeanSquaredError(), input_shape=x.shape[1:]),
        np.random.RandomState(1),
    )
    dy = np.random.RandomState(2).standard_normal((len(x), *net.output_shape))

    def objective() -> float:
        trace = Trace(training=training, random_state=np.random.RandomState(3))
        return float(np.vdot(dy, net.forward(x, trace)))

    trace = Trace(training=training, random_state=np.random.RandomState(3))
    gradient = filled_with_nan(net)
    net.forward(x, trace)
    dx = net.backward(dy, trace, gradient)

    assert dx is not None
    assert_same_gradient(dx, numerical_gradient(objective, x))
    for name, values in net.parameters.items():
        assert_same_gradient(gradient[name], numerical_gradient(objective, values))


@pytest.mark.parametrize("layer", PICTURE_CASES, ids=repr)
def test_gradients_in_float32_are_those_in_float64(layer: cp.Layer) -> None:
    found = {}
    for dtype in (np.float64, np.float32):
        net = Network(
            [layer, cp.Flatten()], loss=cp.MeanSquaredError(), input_shape=(12, 11, 2), dtype=dtype
        )
        randomized(net, np.random.RandomState(1))
        net.parameters.data[...] = net.parameters.data.astype(np.float32)
        x = apart((40, 12, 11, 2)).astype(np.float32).astype(dtype)
        dy = np.random.RandomState(2).standard_normal((40, *net.output_shape)).astype(np.float32)
        trace = Trace(training=True, random_state=np.random.RandomState(3))
        gradient = filled_with_nan(net)
        net.forward(x, trace)
        dx = net.backward(dy.astype(dtype), trace, gradient)
        found[dtype] = dx, gradient.data
    for narrow, wide in zip(found[np.float32], found[np.float64], strict=True):
        assert narrow.dtype == np.float32
        assert np.linalg.norm(narrow - wide) <= 5e-6 * np.linalg.norm(wide)


def test_no_exported_layer_is_left_out() -> None:
    exported = classes_in(vars(layers), cp.Layer)
    cases = [*LAYER_CASES, *PICTURE_CASES, *CODE_CASES]
    assert set(exported) == {type(layer) for layer in cases}


@pytest.mark.parametrize("layer", CODE_CASES, ids=repr)
def test_backward_of_codes_is_the_derivative_by_all_else(layer: cp.Layer) -> None:
    x = codes_and_numbers(layer, 6)
    net = randomized(
        Network([layer], loss=cp.MeanSquaredError(), input_shape=(5,)), np.random.RandomState(1)
    )
    dy = np.random.RandomState(2).standard_normal((6, *net.output_shape))
    trace, gradient = Trace(), filled_with_nan(net)
    net.forward(x, trace)
    dx = net.backward(dy, trace, gradient)
    assert dx is not None

    moving = [column for column in range(5) if column not in layer.codes((5,))]
    numbers = x[:, moving].copy()

    def objective() -> float:
        x[:, moving] = numbers
        return float(np.vdot(dy, net.forward(x)))

    assert_same_gradient(dx[:, moving], numerical_gradient(objective, numbers))
    for name, values in net.parameters.items():
        assert_same_gradient(gradient[name], numerical_gradient(objective, values))


def test_flatten_passes_gradients_of_pictures_through() -> None:
    net = randomized(
        Network([cp.Flatten(), cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(2, 3, 2)),
        np.random.RandomState(0),
    )
    x = np.random.RandomState(1).standard_normal((3, 2, 3, 2))
    y = np.array([0, 1, 1])
    trace = Trace()
    _, dlogits = net.loss(net.forward(x, trace), y)
    dx = net.backward(dlogits, trace, filled_with_nan(net))
    assert dx is not None
    assert_same_gradient(dx, numerical_gradient(lambda: net.loss_and_gradient(x, y)[0], x))


@given(networks())
@settings(max_examples=40)
def test_the_gradient_of_any_network_is_the_derivative_of_its_loss(drawn: Drawn) -> None:
    net, x, y, weight = drawn
    loss = partial(training_loss, net, x, y, weight)
    trace = Trace(training=True, random_state=np.random.RandomState(5))
    logits = net.forward(x, trace)
    _, dlogits = net.loss(logits, net.targets(y), weight)
    gradient = filled_with_nan(net)
    dx = net.backward(dlogits, trace, gradient)

    assert dx is not None
    for analytical, at in ((gradient.data, net.parameters.data), (dx, x)):
        numerical, smooth = smooth_gradient(loss, at)
        # Kinks are rare at random points: were more entries left out, something else is wrong.
        assert smooth.mean() > 0.5
        assert_same_gradient(analytical[smooth], numerical[smooth])


def filled_with_nan(net: Network) -> ParameterVector:
    gradient = net.parameters.like()
    gradient.data[...] = np.nan  # backward writes, and adds to nothing that was there
    return gradient


def training_loss(net: Network, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
    trace = Trace(training=True, random_state=np.random.RandomState(5))
    return net.loss(net.forward(x, trace), net.targets(y), weight)[0]


def away_from_zero(shape: tuple[int, ...]) -> np.ndarray:
    random_state = np.random.RandomState(0)
    return random_state.uniform(0.1, 2, shape) * random_state.choice([-1, 1], shape)


def apart(shape: tuple[int, ...]) -> np.ndarray:
    """Return numbers of which no two are close, so that the largest stays the largest."""
    count = int(np.prod(shape))
    return np.random.RandomState(0).permutation(np.linspace(-2, 2, count)).reshape(shape)

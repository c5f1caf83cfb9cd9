"""Networks of pictures in the page's engine: convolutions, pools, norms and links, as in Python."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_networks import PICTURE, PICTURE_CASES, randomized
from twins import assert_trains_alike, in_base64

import clearprop as cp
from clearprop.network import Network

SEEDS = st.integers(0, 10_000)
PAIRS = st.one_of(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4)))


@st.composite
def convolutional(draw: st.DrawFn) -> tuple[Network, np.ndarray, np.ndarray]:
    """Draw a network of pictures, grey without an axis of channels among them."""
    shape = draw(st.sampled_from([(6, 5), (5, 7, 1), (6, 6, 3), (9, 4, 2)]))
    random = np.random.RandomState(draw(SEEDS))
    bodies = [
        cp.Conv2D(3, kernel=draw(PAIRS), stride=draw(st.integers(1, 2)), bias=draw(st.booleans())),
        draw(st.sampled_from([cp.BatchNorm(), cp.Tanh(), cp.SpatialDropout2D(0.3)])),
        draw(st.sampled_from([cp.MaxPool2D(2, stride=1), cp.AveragePool2D((2, 1)), cp.Sigmoid()])),
        cp.Residual((cp.Conv2D(draw(st.integers(2, 3)), kernel=2), cp.Softplus())),
        draw(st.sampled_from([cp.GlobalAveragePool2D(), cp.Flatten()])),
    ]
    net = Network([*bodies, cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=shape)
    # A norm takes the size of a filter away: of one that is a single weight only what its epsilon
    # leaves is learned, with a slope that no rate is calm for.
    assume(net.parameters["0.W"].size > 3 or not isinstance(bodies[1], cp.BatchNorm))
    samples = draw(st.integers(2, 4))
    x, y = random.standard_normal((samples, *shape)), random.randint(0, 3, samples)
    return randomized(net, random), x, y


@given(convolutional(), SEEDS)
def test_a_drawn_network_of_pictures_trains_alike(
    engine: Any, drawn: tuple[Network, np.ndarray, np.ndarray], seed: int
) -> None:
    assert_trains_alike(engine, *drawn, seed=seed)


@pytest.mark.parametrize("layer", PICTURE_CASES, ids=repr)
def test_every_layer_of_pictures_trains_alike(engine: Any, layer: cp.Layer) -> None:
    random = np.random.RandomState(0)
    layers = [cp.Conv2D(2, kernel=1), layer, cp.Flatten(), cp.Dense(2)]
    net = randomized(Network(layers, loss=cp.MeanSquaredError(), input_shape=PICTURE), random)
    x, y = random.standard_normal((5, *PICTURE)), random.standard_normal((5, 2))
    assert_trains_alike(engine, net, x, y, seed=1)


@pytest.mark.parametrize("layer", [cp.SpatialDropout2D(0.4), cp.BatchNorm(), cp.AveragePool2D()])
def test_pictures_without_an_axis_of_channels_train_alike(engine: Any, layer: cp.Layer) -> None:
    random = np.random.RandomState(0)
    layers = [layer, cp.Conv2D(2), cp.GlobalAveragePool2D(), cp.Dense(1)]
    net = randomized(Network(layers, loss=cp.MeanSquaredError(), input_shape=(6, 5)), random)
    x, y = random.standard_normal((3, 6, 5)), random.standard_normal(3)
    assert_trains_alike(engine, net, x, y, seed=1)


@given(PAIRS, PAIRS, st.sampled_from(["same", "valid"]), SEEDS)
@settings(max_examples=30)
def test_a_convolution_of_any_windows_trains_alike(
    engine: Any, kernel: Any, stride: Any, padding: str, seed: int
) -> None:
    random = np.random.RandomState(seed)
    layers = [cp.Conv2D(2, kernel, stride, padding), cp.Flatten(), cp.Dense(1)]
    net = randomized(Network(layers, loss=cp.MeanSquaredError(), input_shape=(5, 4, 2)), random)
    x, y = random.standard_normal((3, 5, 4, 2)), random.standard_normal(3)
    assert_trains_alike(engine, net, x, y)


def test_samples_in_parts_and_in_used_traces_have_the_same_logits(engine: Any) -> None:
    random = np.random.RandomState(0)
    layers = [cp.Conv2D(4), cp.BatchNorm(), cp.ReLU(), cp.MaxPool2D(), cp.Flatten(), cp.Dense(3)]
    net = randomized(Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(6, 6, 1)), random)
    x = random.standard_normal((5, 6, 6, 1))
    found = engine.ask(ask="repeated", model=in_base64(net), x=x.ravel().tolist(), n=5)
    assert found["parts"] == found["grown"] == found["whole"]
    assert found["one"] == found["oneAgain"] == found["whole"][:3]

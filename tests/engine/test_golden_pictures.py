"""Layers of pictures, and networks of them, against the values of PyTorch."""

import numpy as np
import pytest
from golden_values import below, golden

import clearprop as cp
from clearprop.core.trace import Trace
from clearprop.network import Network

PICTURES = golden("pictures")

CONVOLUTIONS = {
    "3x3": cp.Conv2D(4),
    "3x3 valid": cp.Conv2D(4, 3, padding="valid"),
    "3x3 stride 2": cp.Conv2D(3, (3, 3), 2),
    "3x3 valid stride 2": cp.Conv2D(3, stride=(2, 2), padding="valid"),
    "even": cp.Conv2D(3, (2, 4)),
    "even stride": cp.Conv2D(3, (4, 2), (3, 2)),
    "flat and long": cp.Conv2D(2, (1, 5), (1, 3)),
    "1x1 stride 2": cp.Conv2D(6, 1, 2),
    "many channels": cp.Conv2D(5),
    "larger than the picture": cp.Conv2D(2, (7, 5), (2, 1)),
    "whole picture": cp.Conv2D(3, (4, 5), padding="valid"),
}
POOLS = {
    "2": (2, None),
    "3 stride 2": (3, 2),
    "3 stride 1": ((3, 3), 1),
    "2x1 stride 3x2": ((2, 1), (3, 2)),
}
FORWARD_ALONE = ("x", "y", "dy", "dx", "running_mean", "running_variance")
"""What a golden layer has that is no parameter or its gradient."""


def assert_equal(found: np.ndarray | None, expected: np.ndarray) -> None:
    assert found is not None
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def assert_passes(layer: cp.Layer, name: str, trace: Trace, state: dict[str, np.ndarray]) -> None:
    expected = below(PICTURES, name)
    given = {key for key in expected if key not in FORWARD_ALONE and f"d{key}" in expected}
    params = {key: expected[key] for key in given}
    grads = {key: np.full_like(values, np.nan) for key, values in params.items()}
    assert layer.build(expected["x"].shape[1:]).out_shape == expected["y"].shape[1:]
    assert_equal(layer.forward({**params, **state}, expected["x"], trace), expected["y"])
    assert_equal(layer.backward({**params, **state}, expected["dy"], trace, grads), expected["dx"])
    for key, values in grads.items():
        assert_equal(values, expected[f"d{key}"])


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_go_forward_and_backward_as_in_pytorch(name: str) -> None:
    assert_passes(CONVOLUTIONS[name], f"Conv2D {name}", Trace(), {})


@pytest.mark.parametrize("kind", [cp.MaxPool2D, cp.AveragePool2D])
@pytest.mark.parametrize("name", POOLS)
def test_pools_go_forward_and_backward_as_in_pytorch(name: str, kind: type[cp.MaxPool2D]) -> None:
    assert_passes(kind(*POOLS[name]), f"{kind.__name__} {name}", Trace(), {})


def test_the_mean_of_pictures_is_that_of_pytorch() -> None:
    assert_passes(cp.GlobalAveragePool2D(), "GlobalAveragePool2D", Trace(), {})


def test_batch_norm_of_channels_trains_and_predicts_as_in_pytorch() -> None:
    layer = cp.BatchNorm(momentum=0.2, epsilon=1e-3)
    state = {"running_mean": np.zeros(3), "running_variance": np.ones(3)}
    for call in ("train", "train again", "eval"):
        trace = Trace(training=call != "eval")
        assert_passes(layer, f"BatchNorm {call}", trace, state)
        if trace.training:
            layer.update_state(state, trace)
        for key, values in state.items():
            assert_equal(values, PICTURES[f"BatchNorm {call}/{key}"])


RELU, POOL, DENSE = cp.ReLU(), cp.MaxPool2D(), cp.Dense(3)
NETWORKS: dict[str, list[cp.Layer]] = {
    "plain": [
        *(cp.Conv2D(4), RELU, POOL, cp.Conv2D(5), RELU, POOL, cp.Flatten()),
        *(cp.Sequential((cp.Dense(6), cp.Tanh())), DENSE),
    ],
    "normed": [
        *(cp.Conv2D(4, stride=2, bias=False), cp.BatchNorm(), RELU),
        *(cp.Conv2D(5, (2, 3), padding="valid", bias=False), cp.BatchNorm(), RELU),
        *(cp.GlobalAveragePool2D(), DENSE),
    ],
    "residual": [
        *(cp.Conv2D(4), RELU),
        *(cp.Residual((cp.Conv2D(4), cp.BatchNorm(), RELU, cp.Conv2D(4))), RELU),
        *(cp.Residual((cp.Conv2D(5, 1),)), cp.AveragePool2D(3, 2), cp.Flatten(), DENSE),
    ],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradients_of_networks_are_those_of_pytorch(name: str) -> None:
    expected = below(PICTURES, name)
    x, y = expected["x"], expected["y"]
    net = Network(NETWORKS[name], loss=cp.SoftmaxCrossEntropy(), input_shape=x.shape[1:])
    net.parameters.assign(below(expected, "start"))
    trace, gradient = Trace(training=True), net.parameters.like()
    loss, dlogits = net.loss(net.forward(x, trace), y)
    assert loss == pytest.approx(expected["loss"][0], rel=1e-12)
    assert_equal(net.backward(dlogits, trace, gradient), expected["dx"])
    for key, values in below(expected, "gradient").items():
        assert_equal(gradient[key], values)

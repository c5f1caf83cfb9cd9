"""Single layers and whole networks against the values of PyTorch."""

import numpy as np
import pytest
from golden_values import below, golden

import clearprop as cp
from clearprop.core.trace import Trace
from clearprop.network import Network
from clearprop.optimizers import SGD

LAYERS = golden("layers")
NETWORKS = golden("networks")

ACTIVATIONS = {
    "Sigmoid": cp.Sigmoid(),
    "Tanh": cp.Tanh(),
    "ReLU": cp.ReLU(),
    "LeakyReLU": cp.LeakyReLU(slope=0.2),
    "ELU": cp.ELU(alpha=0.7),
    "GELU": cp.GELU(),
    "Softplus": cp.Softplus(),
}
RESIDUAL = (
    cp.Dense(5),
    cp.Residual((cp.Dense(5), cp.Tanh())),
    cp.Residual((cp.Dense(3), cp.Tanh())),
)
SOFTMAX = cp.SoftmaxCrossEntropy()
FAMILIES: dict[str, tuple[tuple[cp.Layer, ...], cp.Loss]] = {
    **{name: ((cp.Dense(5), layer, cp.Dense(3)), SOFTMAX) for name, layer in ACTIVATIONS.items()},
    "LayerNorm": ((cp.Dense(5), cp.LayerNorm(), cp.Tanh(), cp.Dense(3)), SOFTMAX),
    "BatchNorm": ((cp.Dense(5), cp.BatchNorm(), cp.Tanh(), cp.Dense(3)), SOFTMAX),
    "Dropout": (
        (cp.Dense(5), cp.Sequential((cp.Tanh(), cp.Dropout(0.4))), cp.Dense(3)),
        SOFTMAX,
    ),
    "Residual": (RESIDUAL, SOFTMAX),
    "soft labels": ((cp.Dense(5), cp.Tanh(), cp.Dense(3)), SOFTMAX),
    "weighted": ((cp.Dense(5), cp.Tanh(), cp.Dense(3)), SOFTMAX),
    "binary": ((cp.Dense(5), cp.Tanh(), cp.Dense(1)), cp.BinaryCrossEntropy()),
    "multilabel": ((cp.Dense(5), cp.Tanh(), cp.Dense(3)), cp.BinaryCrossEntropy()),
    "squared error": ((cp.Dense(5), cp.Tanh(), cp.Dense(3)), cp.MeanSquaredError()),
}


def assert_equal(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_go_forward_and_backward_as_in_pytorch(name: str) -> None:
    layer, expected, trace = ACTIVATIONS[name], below(LAYERS, name), Trace()
    assert_equal(layer.forward({}, LAYERS["x"], trace), expected["y"])
    dx = layer.backward({}, LAYERS["dy"], trace, {})
    assert dx is not None
    assert_equal(dx, expected["dx"])


def test_layer_norm_goes_forward_and_backward_as_in_pytorch() -> None:
    net = normalizing(cp.LayerNorm(epsilon=1e-3))
    assert_passes(net, LAYERS["x"], Trace(training=True), below(LAYERS, "LayerNorm"))
    assert_passes(net, LAYERS["x"], Trace(), below(LAYERS, "LayerNorm"))


def test_batch_norm_trains_and_predicts_as_in_pytorch() -> None:
    net = normalizing(cp.BatchNorm(momentum=0.2, epsilon=1e-3))
    for call, x in (
        ("train", LAYERS["x"]),
        ("train again", LAYERS["x"][::-1] * 2),
        ("eval", LAYERS["x"]),
    ):
        expected = below(LAYERS, f"BatchNorm {call}")
        trace = Trace(training=call != "eval")
        assert_passes(net, x, trace, expected)
        if trace.training:
            net.update_state(trace)
        assert_equal(net.state["0.running_mean"], expected["running_mean"])
        assert_equal(net.state["0.running_variance"], expected["running_variance"])


@pytest.mark.parametrize("name", FAMILIES)
def test_networks_train_as_in_pytorch(name: str) -> None:
    layers, loss = FAMILIES[name]
    net = Network(layers, loss=loss, input_shape=(4,))
    expected = below(NETWORKS, name)
    net.parameters.assign(below(expected, "start"))
    X, y = NETWORKS["X"], expected["y"]
    weight = NETWORKS["weight"] if name == "weighted" else None
    sgd, losses = SGD(0.2), []
    state = sgd.start(net.parameters)
    for step in range(len(expected["losses"])):
        trace = Trace(training=True, random_state=np.random.RandomState(7))
        value, gradient = net.loss_and_gradient(X, y, weight, trace=trace)
        net.update_state(trace)
        sgd.step(net.parameters, gradient, state, step)
        losses.append(value)
    assert_equal(np.array(losses), expected["losses"])
    for key, values in below(expected, "end").items():
        assert_equal(net.parameters[key], values)
    for key, values in net.state.items():
        assert_equal(values, expected[key.removeprefix("1.")])
    assert_equal(net.logits(X), expected["logits"])


def normalizing(layer: cp.Layer) -> Network:
    net = Network([layer], loss=cp.MeanSquaredError(), input_shape=(5,))
    net.parameters.assign({"0.gamma": LAYERS["gamma"], "0.beta": LAYERS["beta"]})
    return net


def assert_passes(
    net: Network, x: np.ndarray, trace: Trace, expected: dict[str, np.ndarray]
) -> None:
    gradient = net.parameters.like()
    assert_equal(net.forward(x, trace), expected["y"])
    dx = net.backward(LAYERS["dy"], trace, gradient)
    assert dx is not None
    assert_equal(dx, expected["dx"])
    assert_equal(gradient["0.gamma"], expected["dgamma"])
    assert_equal(gradient["0.beta"], expected["dbeta"])

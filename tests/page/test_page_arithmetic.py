"""The arithmetic that the page's panels write, beside that of a walk in Python."""

from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
import pytest
from twins import array

import clearprop as cp
from clearprop import layers, losses
from clearprop.layers import Layer
from clearprop.network import Network
from clearprop.network.probe import Forward, Record, watched

RANDOM = np.random.RandomState(0)


def drawn_network(chain: list[Layer], input_shape: tuple[int, ...]) -> Network:
    """Make a network of a few layers with random numbers in every parameter."""
    net = Network(chain, loss=losses.MeanSquaredError(), input_shape=input_shape, dtype="float64")
    net.parameters.data[...] = RANDOM.normal(size=net.parameters.data.size)
    return net


PAIRS = ("stride", "size")
FLAT_CHAINS = {
    "dense": [layers.Dense(3)],
    "many operands": [layers.Dense(2)],
    "without bias": [layers.Dense(3, bias=False)],
    "ntk": [layers.NTKDense(3)],
    "scale": [layers.Scale(), layers.Dense(2)],
    "layer norm": [layers.LayerNorm(), layers.Dense(2)],
    **{
        kind.__name__: [layers.Dense(4), kind(), layers.Dense(2)]
        for kind in (
            layers.ReLU,
            layers.LeakyReLU,
            layers.ELU,
            layers.SELU,
            layers.Sigmoid,
            layers.Tanh,
            layers.Softplus,
        )
    },
}
POOL_CHAINS = {
    "largest": [layers.MaxPool2D(2), layers.Flatten(), layers.Dense(2)],
    "overlapping": [layers.MaxPool2D(3, stride=1), layers.Flatten(), layers.Dense(2)],
    "mean": [layers.AveragePool2D((1, 2)), layers.Flatten(), layers.Dense(2)],
    "of all places": [layers.GlobalAveragePool2D(), layers.Dense(2)],
}
PICTURE_CHAINS = {
    "valid": [layers.Conv2D(2, 3, padding="valid"), layers.Flatten(), layers.Dense(2)],
    "same": [layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)],
    "stride": [
        layers.Conv2D(2, (2, 3), stride=(2, 1), bias=False),
        layers.Flatten(),
        layers.Dense(2),
    ],
}


def recorded(net: Network, x: Any, y: Any) -> Record:
    record = Record()
    watched(net, record).loss_and_gradient(x, y)
    return record


def assert_written_as_a_walk_writes(view: Any, net: Network, x: Any, y: Any) -> None:
    """Compare every entry of every layer's matrices that a page has a formula for."""
    walked, record = cp.walk(net, x, y), recorded(net, x, y)
    backwards = {one.name: one for one in record.backwards}
    compared = 0
    for forward in record.forwards:
        arrays = {"x": forward.x, "y": forward.y, **forward.params}
        backward = backwards.get(forward.name)  # none for a first layer that learns nothing
        if backward is not None:
            arrays["dy"] = backward.dy
            arrays |= {f"d{name}": one for name, one in backward.grads.items()}
        for quantity in walked.quantities:
            layer, _, symbol = quantity.key.rpartition(".")
            if layer == forward.name and symbol in ("y", "dx", *(f"d{p}" for p in forward.params)):
                compared += assert_quantity(view, forward, quantity, symbol, arrays)
    assert compared


def assert_quantity(
    view: Any, forward: Forward, quantity: Any, symbol: str, arrays: dict[str, Any]
) -> int:
    indices = list(product(*map(range, quantity.shape)))
    answers = view.ask(
        ask="arithmetic",
        type=type(forward.layer).__name__,
        layer=settings_of(forward.layer),
        result=symbol,
        arrays={name: array(one) for name, one in arrays.items()},
        indices=indices,
    )
    if answers[0] is None:
        assert symbol == "dx" or isinstance(forward.layer, layers.Flatten)  # it is only reshaped
        return 0
    for index, answer in zip(indices, answers, strict=True):
        expected = quantity.entry(*index).arithmetic
        assert answer["symbols"] == expected.symbols()
        assert answer["numbers"] == expected.numbers()
        assert answer["value"] == pytest.approx(expected.value, rel=1e-12, abs=1e-14)
    return len(indices)


def settings_of(layer: Layer) -> dict[str, Any]:
    """Return the hyper-parameters that arithmetic takes, as the page's twin has them."""
    names = ("slope", "alpha", "stride", "padding", "size", "epsilon")
    found = {name: getattr(layer, name) for name in names if hasattr(layer, name)}
    found["stride"] = found.get("stride") or found.get("size")
    return {
        name: [one] * 2 if name in PAIRS and isinstance(one, int) else one
        for name, one in found.items()
    }


@pytest.mark.parametrize("name", FLAT_CHAINS)
def test_arithmetic_is_written_as_a_walk_writes_it(view: Any, name: str) -> None:
    inputs, samples = (12, 11) if name == "many operands" else (3, 2)
    chain = FLAT_CHAINS[name]
    net = drawn_network(chain, (inputs,))
    x = RANDOM.normal(size=(samples, inputs)).round(2)
    assert_written_as_a_walk_writes(view, net, x, RANDOM.normal(size=(samples, *net.output_shape)))


@pytest.mark.parametrize("name", POOL_CHAINS)
def test_arithmetic_of_pools_is_written_as_a_walk_writes_it(view: Any, name: str) -> None:
    net = drawn_network(POOL_CHAINS[name], (4, 5, 2))
    x = RANDOM.normal(size=(2, 4, 5, 2))
    assert_written_as_a_walk_writes(view, net, x, RANDOM.normal(size=(2, 2)))


@pytest.mark.parametrize("name", PICTURE_CHAINS)
def test_arithmetic_of_convolutions_is_written_as_a_walk_writes_it(view: Any, name: str) -> None:
    net = drawn_network(PICTURE_CHAINS[name], (5, 6, 2))
    x = RANDOM.normal(size=(2, 5, 6, 2))
    assert_written_as_a_walk_writes(view, net, x, RANDOM.normal(size=(2, 2)))


LOSSES = {
    "softmax": (losses.SoftmaxCrossEntropy(), 4, [0, 3, 1]),
    "softmax of many": (losses.SoftmaxCrossEntropy(), 11, [0, 10, 1]),
    "smoothed": (losses.SmoothedCrossEntropy(0.2), 3, [0, 2, 1]),
    "binary": (losses.BinaryCrossEntropy(), 1, [[0.0], [1.0], [1.0]]),
    "several yes or no": (losses.BinaryCrossEntropy(), 2, [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
    "squares": (losses.MeanSquaredError(), 2, [[0.5, 1.0], [2.0, -1.0], [0.0, 0.25]]),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_losses_are_written_as_a_walk_writes_them(view: Any, name: str) -> None:
    loss, outputs, y = LOSSES[name]
    net = Network([layers.Dense(outputs)], loss=loss, input_shape=(3,), dtype="float64")
    x = RANDOM.normal(size=(3, 3))
    walked = {one.key: one for one in cp.walk(net, x, np.array(y)).quantities}
    dlogits = walked["loss.dlogits"]
    indices = list(product(*map(range, dlogits.shape)))
    answers = view.ask(
        ask="loss",
        type=type(loss).__name__,
        loss={"smoothing": getattr(loss, "smoothing", None)},
        arrays={"logits": array(net.logits(x)), "y": array(y)},
        indices=indices,
    )
    for index, answer in zip(indices, answers, strict=True):
        expected = dlogits.entry(*index)
        assert answer["symbols"] == expected.arithmetic.symbols()
        assert answer["numbers"] == expected.arithmetic.numbers()
        assert answer["value"] == pytest.approx(expected.value, rel=1e-12)
        assert answer["formula"] == dlogits.formula
        for step in answer["before"]:
            entry = walked["loss.p"].entry(*index)
            assert step["name"] == entry.symbol
            assert step["symbols"] == entry.arithmetic.symbols()
            assert step["numbers"] == entry.arithmetic.numbers()


@pytest.mark.parametrize("shape", [(3,), (2, 3, 2)])
def test_batch_norm_is_written_by_what_it_has_kept(view: Any, shape: tuple[int, ...]) -> None:
    net = drawn_network([layers.BatchNorm(), layers.Flatten(), layers.Dense(1)], shape)
    net.state.data[...] = RANDOM.uniform(0.5, 2, size=net.state.data.size)
    x = RANDOM.normal(size=(4, *shape))
    record = Record()
    watched(net, record).logits(x)
    norm = record.forwards[0]
    arrays = {"x": norm.x, "y": norm.y, "dy": RANDOM.normal(size=norm.y.shape), **norm.params}
    arrays |= {name: net.state[f"0.{name}"] for name in ("running_mean", "running_variance")}
    s = np.sqrt(arrays["running_variance"] + 1e-5)
    xhat = (norm.x - arrays["running_mean"]) / s
    places = tuple(range(xhat.ndim - 1))
    expected = {
        "y": norm.y,
        "dgamma": (arrays["dy"] * xhat).sum(axis=places),
        "dbeta": arrays["dy"].sum(axis=places),
        "dx": arrays["dy"] * arrays["gamma"] / s,
    }
    for result, values in expected.items():
        indices = list(product(*map(range, values.shape)))
        answers = view.ask(
            ask="arithmetic",
            type="BatchNorm",
            layer={"epsilon": 1e-5},
            result=result,
            arrays={name: array(one) for name, one in arrays.items()},
            indices=indices,
        )
        found = [answer["value"] for answer in answers]
        np.testing.assert_allclose(found, values.ravel(), rtol=1e-12)
    place = ",".join("0" * x.ndim)
    (first,) = view.ask(
        ask="arithmetic",
        type="BatchNorm",
        layer={"epsilon": 1e-5},
        result="y",
        arrays={name: array(one) for name, one in arrays.items()},
        indices=[[0] * x.ndim],
    )
    assert first["symbols"] == f"gamma[0]*xhat[{place}] + beta[0]"
    assert [(step["name"], step["symbols"]) for step in first["before"]] == [
        ("s[0]", "sqrt(running_variance[0] + epsilon)"),
        (f"xhat[{place}]", f"(x[{place}] - running_mean[0]) / s[0]"),
    ]


OPTIMIZERS = [
    cp.SGD(0.1),
    cp.SGD(0.1, alpha=0.3, weight_decay=0.2),
    cp.Momentum(0.1, momentum=0.8),
    cp.Nesterov(0.1, weight_decay=0.1),
    cp.AdaGrad(0.1),
    cp.RMSprop(0.1, alpha=0.2),
    cp.Adam(0.1),
    cp.AdamW(0.1, weight_decay=0.3),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_updates_are_written_as_a_walk_writes_them(view: Any, optimizer: cp.Optimizer) -> None:
    net = drawn_network([layers.Dense(2)], (3,))
    x, y = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(4, 2))
    walked = {one.key: one for one in cp.walk(net, x, y, optimizer=optimizer).quantities}
    for symbol, decays in (("W", True), ("b", False)):
        W = walked[f"0.{symbol}"]
        indices = list(product(*map(range, W.shape)))
        settings = asdict(optimizer) | {"samples": len(x)}
        if not decays:
            settings |= {"alpha": 0, "weight_decay": 0}
        answers = view.ask(
            ask="update",
            name=type(optimizer).__name__,
            settings=settings,
            symbol=symbol,
            arrays={symbol: array(W.array), f"d{symbol}": array(walked[f"0.d{symbol}"].array)},
            indices=indices,
        )
        for index, steps in zip(indices, answers, strict=True):
            assert steps[-1]["name"].startswith(f"{symbol}_new")
            for step in steps:
                entry = walked[f"0.{step['name'].partition('[')[0]}"].entry(*index)
                assert step["name"] == entry.symbol
                assert step["symbols"] == entry.arithmetic.symbols()
                assert step["numbers"] == entry.arithmetic.numbers()
                assert step["value"] == pytest.approx(entry.value, rel=1e-9)


def test_a_layer_without_a_formula_has_no_arithmetic(view: Any) -> None:
    found = view.ask(
        ask="arithmetic",
        type="GELU",
        layer={},
        result="y",
        arrays={"x": array([[1]])},
        indices=[[0, 0]],
    )
    assert found == [None]

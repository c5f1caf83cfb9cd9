"""Class activation in the page's engine is Python's, wherever the last maps of a network are."""

from typing import Any

import numpy as np
import pytest
from random_networks import randomized
from twins import assert_close, in_base64

import clearprop as cp
from clearprop.network import Network

CONV = cp.Conv2D(4)
AVERAGED = (cp.GlobalAveragePool2D(), cp.Dense(3))
NETWORKS = {
    "an average behind": [CONV, cp.ReLU(), *AVERAGED],
    "no activation": [CONV, *AVERAGED],
    "norm, then a pool": [
        CONV,
        cp.BatchNorm(),
        cp.Tanh(),
        cp.MaxPool2D(),
        cp.Flatten(),
        cp.Dense(3),
    ],
    "behind a pool": [CONV, cp.MaxPool2D(3), cp.Conv2D(5), cp.ELU(), cp.Flatten(), cp.Dense(3)],
    "inside a container": [cp.Sequential((CONV, cp.Tanh())), *AVERAGED],
    "a link around": [
        CONV,
        cp.Residual((cp.Conv2D(4), cp.ReLU(), cp.Conv2D(4))),
        cp.ReLU(),
        *AVERAGED,
    ],
    "a link with a projection": [CONV, cp.Residual((cp.Conv2D(3), cp.Softplus())), *AVERAGED],
    "one place": [cp.MaxPool2D(5), CONV, cp.ReLU(), cp.Flatten(), cp.Dense(3)],
    "a row of places": [cp.MaxPool2D((5, 1)), CONV, cp.Flatten(), cp.Dense(3)],
}


def _network(layers: list[cp.Layer], shape: tuple[int, ...], loss: cp.Loss) -> Network:
    return randomized(Network(layers, loss=loss, input_shape=shape), np.random.RandomState(4))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("shape", [(8, 8, 3), (7, 5)])
def test_class_activation_is_pythons(engine: Any, name: str, shape: tuple[int, ...]) -> None:
    net = _network(NETWORKS[name], shape, cp.SoftmaxCrossEntropy())
    x = np.random.RandomState(1).standard_normal((4, *shape))
    answers = [0, 2, 1, 2]
    asked = {"model": in_base64(net), "x": x.ravel().tolist(), "n": 4}
    expected = cp.class_activation(net, x, answers)
    assert expected.any()
    assert_close(engine.ask(ask="classActivation", answers=answers, **asked), expected)
    alike = engine.ask(ask="classActivation", answers=1, **asked)
    assert_close(alike, cp.class_activation(net, x, 1))


def test_one_output_speaks_for_the_second_class_and_against_the_first(engine: Any) -> None:
    layers = [CONV, cp.ReLU(), cp.GlobalAveragePool2D(), cp.Dense(1)]
    net = _network(layers, (6, 6), cp.BinaryCrossEntropy())
    x = np.random.RandomState(1).standard_normal((2, 6, 6))
    asked = {"model": in_base64(net), "x": x.ravel().tolist(), "n": 2}
    for answers in ([0, 1], [1, 0]):
        expected = cp.class_activation(net, x, answers)
        assert expected.any()
        assert_close(engine.ask(ask="classActivation", answers=answers, **asked), expected)


def test_the_value_of_a_network_without_classes_is_what_is_spoken_for(engine: Any) -> None:
    layers = [CONV, cp.ReLU(), cp.GlobalAveragePool2D(), cp.Dense(1)]
    net = _network(layers, (6, 6), cp.MeanSquaredError())
    x = np.random.RandomState(1).standard_normal((2, 6, 6))
    found = engine.ask(
        ask="classActivation", model=in_base64(net), x=x.ravel().tolist(), n=2, answers=0
    )
    assert_close(found, cp.class_activation(net, x))


def test_without_a_convolution_there_is_none(engine: Any) -> None:
    net = _network([cp.Flatten(), cp.Dense(2)], (3, 3), cp.SoftmaxCrossEntropy())
    asked = {"model": in_base64(net), "x": [0.0] * 9, "n": 1, "answers": 0}
    assert engine.ask(ask="classActivation", **asked) is None

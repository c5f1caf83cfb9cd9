"""How parameters start: distributions, published numbers, dtypes."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from sklearn.neural_network import MLPRegressor

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.network import Network

INPUTS, UNITS = 400, 250

NORMAL = {
    cp.Normal(0.3): 0.3,
    cp.Normal(): 0.01,
    cp.Scaled(): (1 / INPUTS) ** 0.5,
    cp.HeNormal(): (2 / INPUTS) ** 0.5,
    cp.GlorotNormal(): (2 / (INPUTS + UNITS)) ** 0.5,
}
UNIFORM = {
    cp.Uniform(0.25): 0.25,
    cp.HeUniform(): (6 / INPUTS) ** 0.5,
    cp.GlorotUniform(): (6 / (INPUTS + UNITS)) ** 0.5,
}


def drawn(init: cp.Initializer) -> np.ndarray:
    values = init.draw(np.random.RandomState(3), (INPUTS, UNITS))
    assert isinstance(values, np.ndarray)
    assert values.shape == (INPUTS, UNITS)
    assert values.dtype == np.float64
    return values.ravel()


@pytest.mark.parametrize(("init", "std"), NORMAL.items(), ids=repr)
def test_normal_ones_are_normal_with_their_standard_deviation(
    init: cp.Initializer, std: float
) -> None:
    assert stats.kstest(drawn(init), stats.norm(scale=std).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("init", "bound"), UNIFORM.items(), ids=repr)
def test_uniform_ones_fill_their_bounds(init: cp.Initializer, bound: float) -> None:
    values = drawn(init)
    assert np.abs(values).max() < bound
    assert stats.kstest(values, stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-3


def test_glorot_uniform_has_the_bound_of_scikit_learn() -> None:
    mlp = MLPRegressor(hidden_layer_sizes=(UNITS,), activation="relu", random_state=3, alpha=0)
    mlp.partial_fit(np.zeros((1, INPUTS)), [0.0])  # for input of zero W has no gradient, and stays
    bound = np.abs(mlp.coefs_[0]).max()
    assert np.abs(drawn(cp.GlorotUniform())).max() == pytest.approx(bound, rel=1e-3)


def test_constants_fill_the_array() -> None:
    net = Network(
        [cp.Dense(2, init=cp.Constant(0.7)), cp.Dense(2, init=cp.Zeros())],
        loss=cp.MeanSquaredError(),
        input_shape=(3,),
    )
    np.testing.assert_array_equal(net.parameters["0.W"], np.full((3, 2), 0.7))
    np.testing.assert_array_equal(net.parameters["1.W"], np.zeros((2, 2)))


def test_weights_are_drawn_layer_by_layer_in_the_published_order() -> None:
    sizes = (12288, 20, 7, 5, 1)
    net = Network(
        [cp.Dense(units, init=cp.Scaled()) for units in sizes[1:]],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(12288,),
        seed=1,
    )
    published = np.random.RandomState(1)
    for place, (inputs, units) in enumerate(pairwise(sizes)):
        W = published.randn(units, inputs) / np.sqrt(inputs)
        np.testing.assert_array_equal(net.parameters[f"{place}.W"], W.T)
        np.testing.assert_array_equal(net.parameters[f"{place}.b"], np.zeros(units))


RANDOM: list[Callable[[], cp.Initializer]] = [
    cp.Normal,
    cp.Scaled,
    cp.HeNormal,
    cp.HeUniform,
    cp.GlorotNormal,
    cp.GlorotUniform,
]


@pytest.mark.parametrize("init", RANDOM)
def test_a_float32_network_starts_as_the_float64_one_rounded(
    init: Callable[[], cp.Initializer],
) -> None:
    wide, narrow = (
        Network(
            [cp.Dense(5, init=init()), cp.BatchNorm(), cp.Dense(2, init=init())],
            loss=cp.SoftmaxCrossEntropy(),
            input_shape=(7,),
            seed=4,
            dtype=dtype,
        )
        for dtype in (np.float64, np.float32)
    )
    assert narrow.parameters.data.dtype == np.float32
    np.testing.assert_array_equal(narrow.parameters.data, wide.parameters.data.astype(np.float32))


def test_scale_and_running_variance_start_at_one_and_shift_and_mean_at_zero() -> None:
    net = Network([cp.BatchNorm()], loss=cp.MeanSquaredError(), input_shape=(3,))
    assert {name: set(values) for name, values in net.parameters.items()} == {
        "0.gamma": {1.0},
        "0.beta": {0.0},
    }
    assert {name: set(values) for name, values in net.state.items()} == {
        "0.running_mean": {0.0},
        "0.running_variance": {1.0},
    }


@pytest.mark.parametrize("std", [0, -1, float("nan")])
def test_a_standard_deviation_is_positive(std: float) -> None:
    with pytest.raises(UsageError, match=f"positive standard deviation, found {std}"):
        cp.Normal(std)

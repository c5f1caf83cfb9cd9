"""New networks, random numbers and toy data in the page: as Python's, but for the very numbers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_networks import codes_and_numbers, randomized
from twins import assert_close, in_base64

import clearprop as cp
from clearprop.configuration import to_config
from clearprop.core.schedules import Schedule
from clearprop.network import Network

SCHEDULES = [
    cp.ConstantSchedule(0.3),
    cp.StepSchedule(0.3, 7),
    cp.ExponentialSchedule(0.3, 9, 0.5),
    cp.CosineSchedule(0.3, 20, 0.01),
    cp.OneCycleSchedule(0.3, 30),
    cp.OneCycleSchedule(0.3, 30, rise=0.6, start_divisor=5, final_divisor=10),
    cp.WarmUp(5, cp.CosineSchedule(0.3, 20)),
    cp.CosLogSchedule(0.3, 30),
    cp.FlatCosineSchedule(0.3, 30),
]
INITIALIZERS = [
    (cp.HeNormal(), 2 / 300),
    (cp.HeUniform(), 2 / 300),
    (cp.GlorotNormal(), 2 / 500),
    (cp.GlorotUniform(), 2 / 500),
    (cp.Scaled(), 1 / 300),
    (cp.Normal(0.3), 0.09),
    (cp.Uniform(0.3), 0.03),
    (cp.FromData(), 1.0),
]
LOSS = {"type": "MeanSquaredError"}


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_schedules_are_pythons(engine: Any, schedule: Schedule) -> None:
    steps = [*range(35), 100]
    found = engine.ask(ask="schedule", config=to_config(schedule), steps=steps)
    assert_close(found, [schedule(step) for step in steps])


@pytest.mark.parametrize(("init", "variance"), INITIALIZERS, ids=repr)
def test_first_weights_have_the_variance_of_their_initializer(
    engine: Any, init: cp.Initializer, variance: float
) -> None:
    layers = [to_config(cp.Dense(200, init=init))]
    config = {"layers": layers, "loss": LOSS, "input_shape": [300]}
    weights = np.array(engine.ask(ask="built", config=config, seed=1)["0.W"])
    deviations = 6 * np.sqrt(2 / weights.size)
    assert abs(weights.var() / variance - 1) < deviations
    assert abs(weights.mean()) < 6 * np.sqrt(variance / weights.size)
    if isinstance(init, (cp.HeUniform, cp.GlorotUniform, cp.Uniform)):
        assert np.abs(weights).max() <= np.sqrt(3 * variance)


def test_the_variance_of_filters_counts_their_windows(engine: Any) -> None:
    layers = [cp.Conv2D(64, kernel=5, init=cp.GlorotNormal()), cp.Flatten(), cp.Dense(1)]
    config = {"layers": [*map(to_config, layers)], "loss": LOSS, "input_shape": [6, 6, 8]}
    weights = np.array(engine.ask(ask="built", config=config, seed=1)["0.W"])
    assert abs(weights.var() / (2 / (25 * (8 + 64))) - 1) < 6 * np.sqrt(2 / weights.size)


def test_the_same_seed_makes_the_same_network_and_another_another(engine: Any) -> None:
    layers = [*map(to_config, (cp.Dense(3), cp.BatchNorm()))]
    config = {"layers": layers, "loss": LOSS, "input_shape": [2]}
    config["layers"].append(to_config(cp.Dense(1)))
    one, same, other = (engine.ask(ask="built", config=config, seed=seed) for seed in (5, 5, 6))
    assert one == same
    assert one["0.W"] != other["0.W"]
    assert one["0.b"] == one["1.beta"] == [0, 0, 0]
    assert one["1.gamma"] == [1, 1, 1]


def test_first_values_are_fitted_to_samples(engine: Any) -> None:
    """Inside containers, too; units of which all products are the same are left as they are."""
    fitted = cp.Sequential((cp.Dense(40, init=cp.FromData()),))
    layers = [
        cp.Columns(((0, 3), (3, 4)), (fitted, cp.NTKDense(2, init=cp.FromData()))),
        cp.Dense(1),
    ]
    config = {"layers": [*map(to_config, layers)], "loss": LOSS, "input_shape": [4]}
    x = np.random.RandomState(0).standard_normal((50, 4)) * [1, 10, 100, 0] + [7, 7, 7, 3]
    found = engine.ask(ask="fitted", config=config, seed=2, x=x.ravel().tolist(), n=50)
    products, same = np.split(np.array(found).reshape(50, 42), [40], axis=1)
    np.testing.assert_allclose(same, 0, atol=1e-12)
    np.testing.assert_allclose(products.std(axis=0), 1, rtol=1e-10)
    assert (products.min(axis=0) < 0).all()
    assert (products.max(axis=0) > 0).all()


def test_random_numbers_have_their_distributions(engine: Any) -> None:
    count = 20_000
    drawn = {
        kind: np.array(engine.ask(ask="drawn", kind=kind, seed=3, count=count))
        for kind in ("normal", "exponential", "uint16")
    }
    assert abs(drawn["normal"].mean()) < 6 / np.sqrt(count)
    assert abs(drawn["normal"].var() - 1) < 6 * np.sqrt(2 / count)
    assert abs(np.mean(np.abs(drawn["normal"]) < 1.96) - 0.95) < 0.01
    assert abs(drawn["exponential"].mean() - 1) < 6 / np.sqrt(count)
    assert drawn["exponential"].min() >= 0
    shares = np.bincount(drawn["uint16"] >> 12, minlength=16) / count
    assert np.abs(shares - 1 / 16).max() < 6 * np.sqrt(1 / 16 / count)


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_a_permutation_has_every_number_once(engine: Any, count: int, seed: int) -> None:
    order = engine.ask(ask="drawn", kind="permutation", seed=seed, count=count)
    assert sorted(order) == list(range(count))


@pytest.mark.parametrize("seed", [-1, 0.5, 2**32])
def test_a_seed_that_is_none_is_told(engine: Any, node_error: type[Exception], seed: float) -> None:
    with pytest.raises(node_error, match="A seed is a whole number from 0"):
        engine.ask(ask="drawn", kind="normal", seed=seed, count=1)


@pytest.mark.parametrize("name", ["blobs", "linear", "moons", "planar", "spirals"])
def test_toy_data_are_spread_as_pythons(engine: Any, name: str) -> None:
    """Class by class they have about the same means and deviations."""
    expected = cp.load_data(name)
    samples = len(expected)
    found = engine.ask(ask="dataSet", name=name, samples=samples, seed=4)
    x, y = np.array(found["x"]).reshape(-1, 2), np.array(found["y"])
    assert found["classNames"] == (expected.class_names and list(expected.class_names))
    if name == "linear":
        np.testing.assert_allclose(y, x @ [2, -1] + 0.5, atol=0.6)
        assert np.std(y - x @ [2, -1]) == pytest.approx(0.1, rel=0.3)
        return
    assert np.array_equal(np.bincount(y.astype(int)), np.bincount(expected.y))
    for label in range(len(expected.class_names)):
        own, theirs = x[y == label], expected.X[expected.y == label]
        tolerance = 6 * theirs.std(axis=0) / np.sqrt(len(theirs))
        np.testing.assert_allclose(own.std(axis=0), theirs.std(axis=0), rtol=0.3)
        if name != "blobs":  # whose places are drawn
            assert (np.abs(own.mean(axis=0) - theirs.mean(axis=0)) < tolerance).all()


def test_too_few_samples_are_told(engine: Any, node_error: type[Exception]) -> None:
    with pytest.raises(node_error, match="2 samples can't be spread over 3 classes; give more"):
        engine.ask(ask="dataSet", name="spirals", samples=2, seed=0)


@pytest.mark.parametrize("shape", [(4, 3, 2), (4, 3), (7,)])
def test_saliency_without_noise_is_pythons(engine: Any, shape: tuple[int, ...]) -> None:
    layers = [cp.Flatten(), cp.Dense(5), cp.BatchNorm(), cp.Tanh(), cp.Dropout(0.5), cp.Dense(3)]
    net = Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=shape)
    randomized(net, np.random.RandomState(0))
    x, answers = np.random.RandomState(1).standard_normal((4, *shape)), [0, 2, 1, 2]
    found = engine.ask(
        ask="saliency", model=in_base64(net), x=x.ravel().tolist(), n=4, answers=answers, noise=0
    )
    assert_close(found, cp.saliency(net, x, answers, noise=0))


def test_saliency_of_codes_is_zero(engine: Any) -> None:
    first = cp.Columns.of_table(numbers=2, plain=1, sizes=(3, 4))
    layers = [first, cp.Dense(2)]
    net = Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(5,))
    randomized(net, np.random.RandomState(0))
    x = codes_and_numbers(first, 3)
    found = engine.ask(
        ask="saliency", model=in_base64(net), x=x.ravel().tolist(), n=3, answers=1, noise=0
    )
    assert_close(found, cp.saliency(net, x, 1, noise=0))
    assert found[3:5] == [0, 0]


def test_saliency_with_noise_is_that_of_a_linear_network(engine: Any) -> None:
    """There the gradient is the same everywhere, so that noise changes nothing."""
    net = Network([cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(3,))
    net.parameters["0.W"][...] = [[1, 0.5], [2, -2], [3, 0]]
    found = engine.ask(ask="saliency", model=in_base64(net), x=[1, 2, 3], n=1, answers=1, noise=0.1)
    assert_close(found, [0.5, 2, 0])


def test_updates_allocate_no_arrays_after_the_first(engine: Any) -> None:
    layers = [
        *(cp.Conv2D(3), cp.BatchNorm(), cp.ReLU(), cp.MaxPool2D(), cp.SpatialDropout2D(0.2)),
        *(cp.Residual((cp.Conv2D(3), cp.Tanh())), cp.Flatten(), cp.Dense(8), cp.LayerNorm()),
        *(cp.GELU(), cp.Dropout(0.2), cp.Dense(3)),
    ]
    net = Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(6, 6, 1))
    x = np.random.RandomState(0).standard_normal((12, 36))
    bytes_made = engine.ask(
        ask="allocated", model=in_base64(net), x=x.ravel().tolist(), y=[0, 1, 2] * 4, sizes=[12, 5]
    )
    assert bytes_made <= 0

"""The network: construction, prediction, copies, threads, and what it refuses."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.core.trace import Trace
from clearprop.errors import ClearpropError, DataError, ShapeError, UsageError
from clearprop.network import Network, network

X = np.random.RandomState(0).standard_normal((50, 4))


def classifier(**changes: Any) -> Network:
    settings: dict[str, Any] = {
        "layers": [cp.Dense(6), cp.BatchNorm(), cp.GELU(), cp.Dropout(0.5), cp.Dense(3)],
        "loss": cp.SoftmaxCrossEntropy(),
        "input_shape": (4,),
        "seed": 3,
    }
    return Network(**(settings | changes))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"dtype": np.float16}, UsageError, "float32 or float64, found float16"),
        ({"dtype": int}, UsageError, "float32 or float64, found int64"),
        ({"layers": []}, UsageError, "at least one layer"),
        ({"loss": "bce"}, UsageError, r"a loss such as SoftmaxCrossEntropy\(\), found 'bce'"),
        ({"layers": [cp.Dense(3), cp.ReLU]}, UsageError, r"Layer 1 is no layer.*Is a \(\) missing"),
        ({"input_shape": 4}, UsageError, r"input_shape is the shape.*\(2,\).*found 4"),
        ({"input_shape": ()}, UsageError, r"input_shape is the shape.*found \(\)"),
        ({"input_shape": (0,)}, UsageError, r"input_shape is the shape.*found \(0,\)"),
        ({"input_shape": (2.5,)}, UsageError, r"input_shape is the shape.*found \(2.5,\)"),
        ({"layers": [cp.Dense(1)]}, ShapeError, "at least 2; found 1.*BinaryCrossEntropy"),
        ({"layers": [cp.ReLU()], "input_shape": (4, 4)}, ShapeError, r"flat logits.*\(4, 4\)"),
        (
            {"input_shape": (8, 8, 3)},
            ShapeError,
            r"Layer 0: Dense\(6\) takes flat samples.*\(8, 8, 3\).*Put a Flatten\(\) before it",
        ),
        (
            {"layers": [cp.Tanh(), cp.BatchNorm(), cp.Dense(2)], "input_shape": (2, 2, 2, 2)},
            ShapeError,
            r"Layer 1: BatchNorm takes pictures \(H, W, C\).*found samples of shape \(2, 2, 2, 2\)",
        ),
        (
            {"layers": [cp.Residual((cp.LayerNorm(),)), cp.Dense(2)], "input_shape": (2, 2)},
            ShapeError,
            r"Layer 0: Layer 0: LayerNorm takes flat",
        ),
        (
            {"layers": [cp.Residual((cp.Flatten(),)), cp.Dense(2)], "input_shape": (2, 2)},
            ShapeError,
            r"Layer 0: Residual can project the last axis only.* a pool, a stride or a Flatten",
        ),
    ],
)
def test_networks_that_cannot_be_are_refused(
    changes: dict[str, object], error: type[ClearpropError], message: str
) -> None:
    with pytest.raises(error, match=message):
        classifier(**changes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cp.Dense(0), "Dense needs a whole number of units from 1, found 0"),
        (lambda: cp.Dense(5 / 2), "Dense needs a whole number of units from 1, found 2.5"),  # type: ignore[arg-type]
        (lambda: cp.Dropout(1), "Dropout's rate.*found 1"),
        (lambda: cp.Dropout(-0.1), "Dropout's rate.*found -0.1"),
        (lambda: cp.Dropout(float("nan")), "Dropout's rate.*found nan"),
        (lambda: cp.LeakyReLU(slope=-1), "slope between 0 and 1, found -1"),
        (lambda: cp.ELU(alpha=0), "positive alpha, found 0"),
        (lambda: cp.BatchNorm(momentum=0), "momentum.*found 0"),
        (lambda: cp.BatchNorm(epsilon=0), "BatchNorm needs a positive epsilon, found 0"),
        (lambda: cp.LayerNorm(epsilon=-1), "LayerNorm needs a positive epsilon, found -1"),
    ],
)
def test_layers_with_impossible_numbers_are_refused(
    make: Callable[[], cp.Layer], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.zeros((5, 3)), ShapeError, r"X has shape \(5, 3\), the network takes \(N, 4\)"),
        (np.zeros(4), ShapeError, r"X has shape \(4,\), the network takes \(N, 4\)"),
        (np.zeros((5, 4, 1)), ShapeError, r"X has shape \(5, 4, 1\)"),
        ([["a"] * 4], DataError, "X must hold numbers"),
        (np.zeros((5, 4), complex), DataError, "X must hold numbers, found complex128"),
        (np.full((5, 4), None), DataError, "X must hold numbers, found object"),
    ],
)
def test_samples_that_do_not_fit_are_refused(
    x: object, error: type[ClearpropError], message: str
) -> None:
    for use in (classifier().predict, lambda x: classifier().loss_and_gradient(x, [0] * 5)):
        with pytest.raises(error, match=message):
            use(x)


@pytest.mark.parametrize(
    ("samples", "targets", "weight", "error", "message"),
    [
        (5, 4, None, ShapeError, "X has 5 samples and y has 4"),
        (0, 0, None, DataError, "X has no samples"),
        (5, 5, [1.0] * 4, ShapeError, r"weights have shape \(4,\), expected \(5,\)"),
        (5, 5, [[1.0]] * 5, ShapeError, r"weights have shape \(5, 1\), expected \(5,\)"),
        (5, 5, [1, 1, -1, 1, 1], DataError, "finite and not negative"),
        (5, 5, [1, 1, np.nan, 1, 1], DataError, "finite and not negative"),
        (5, 5, [1, 1, np.inf, 1, 1], DataError, "finite and not negative"),
        (5, 5, ["a"] * 5, DataError, "weights must be numbers"),
    ],
)
def test_batches_that_contradict_themselves_are_refused(
    samples: int, targets: int, weight: object, error: type[ClearpropError], message: str
) -> None:
    with pytest.raises(error, match=message):
        classifier().loss_and_gradient(np.zeros((samples, 4)), np.zeros(targets, np.int64), weight)


def test_weights_that_are_all_zero_teach_nothing() -> None:
    loss, gradient = classifier().loss_and_gradient(X, np.arange(50) % 3, np.zeros(50))
    assert loss == 0
    assert not gradient.data.any()


def test_predictions_of_classes_have_a_row_of_probabilities_each() -> None:
    net = classifier()
    p = net.predict_proba(X)
    assert p.shape == (50, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(net.predict(X), p.argmax(axis=1))

    net = classifier(layers=[cp.Dense(1)], loss=cp.BinaryCrossEntropy())
    p = net.predict_proba(X)
    assert p.shape == (50, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(net.predict(X), p[:, 1] > 0.5)

    net = classifier(loss=cp.BinaryCrossEntropy())
    assert net.predict_proba(X).shape == net.predict(X).shape == (50, 3)
    np.testing.assert_array_equal(net.predict(X), net.predict_proba(X) > 0.5)


def test_predictions_of_values_are_the_logits() -> None:
    net = classifier(loss=cp.MeanSquaredError())
    np.testing.assert_array_equal(net.predict(X), net.logits(X))
    net = classifier(layers=[cp.Dense(1)], loss=cp.MeanSquaredError())
    assert net.predict(X).shape == (50,)
    with pytest.raises(UsageError, match="no probabilities"):
        net.predict_proba(X)


@pytest.mark.parametrize("numbers", [1, 6, 7, 48, 100, 299, 300, 10_000])
def test_prediction_in_chunks_equals_prediction_in_one_pass(
    numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = classifier()
    whole = net.forward(X)
    passes = []

    def counted(x: np.ndarray, trace: Trace) -> np.ndarray:
        passes.append(len(x))
        return Network.forward(net, x, trace)

    monkeypatch.setattr(network, "_CHUNK", numbers)  # the widest layer has 6
    monkeypatch.setattr(net, "forward", counted)
    np.testing.assert_allclose(net.logits(X), whole, rtol=1e-12)
    assert sum(passes) == 50
    assert max(passes) == min(max(1, numbers // 6), 50)


def test_no_samples_give_no_predictions() -> None:
    net = classifier()
    assert net.predict(np.empty((0, 4))).shape == (0,)
    assert net.predict_proba(np.empty((0, 4))).shape == (0, 3)


def test_the_loss_is_that_of_the_logits_and_repeats_itself() -> None:
    net = classifier(layers=[cp.Dense(5), cp.Tanh(), cp.Dense(3)])
    y = np.arange(50) % 3
    loss, gradient = net.loss_and_gradient(X, y)
    assert loss == net.loss(net.logits(X), y)[0]
    again, twin = net.loss_and_gradient(X, y)
    assert again == loss
    np.testing.assert_array_equal(twin.data, gradient.data)

    net = classifier()  # with dropout
    assert net.loss_and_gradient(X, y)[0] == net.loss_and_gradient(X, y)[0]


def test_a_given_gradient_is_filled_whatever_it_held() -> None:
    net = classifier()
    y = np.arange(50) % 3
    given = net.parameters.like()
    given.data[...] = np.nan
    _, gradient = net.loss_and_gradient(X, y, gradient=given)
    assert gradient is given
    np.testing.assert_array_equal(given.data, net.loss_and_gradient(X, y)[1].data)


def test_the_seed_decides_the_weights() -> None:
    weights = [classifier(seed=seed).parameters.data for seed in (3, 3, 4)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_initialize_brings_back_the_first_weights_and_state() -> None:
    net = classifier()
    first, state = net.parameters.data.copy(), net.state.data.copy()
    net.parameters.data[...] = 9
    net.state.data[...] = 9
    net.initialize(3)
    np.testing.assert_array_equal(net.parameters.data, first)
    np.testing.assert_array_equal(net.state.data, state)


def test_a_copy_predicts_the_same_and_shares_nothing() -> None:
    net = classifier(dtype=np.float32)
    net.parameters.data[...] += 0.1
    net.state.data[...] += 0.2
    twin = net.copy()
    expected = net.logits(X)
    assert twin.dtype == np.float32
    assert twin.seed == net.seed
    np.testing.assert_array_equal(twin.logits(X), expected)
    twin.parameters.data[...] = 0
    twin.state.data[...] = 1
    np.testing.assert_array_equal(net.logits(X), expected)


def test_threads_can_predict_with_one_network_while_another_pass_trains() -> None:
    net = classifier()
    batches = [X[start : start + 10] for start in range(0, 50, 10)] * 20
    expected = [net.logits(batch) for batch in batches]
    trace = Trace(training=True, random_state=np.random.RandomState(0))
    net.forward(X, trace)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(net.logits, batches))
    for logits, same in zip(found, expected, strict=True):
        np.testing.assert_array_equal(logits, same)


def test_it_can_be_read() -> None:
    net = classifier(layers=[cp.Dense(3)])
    assert repr(net) == (
        "Network([Dense(units=3, init=HeNormal(), bias=True)], "
        "loss=SoftmaxCrossEntropy(), input_shape=(4,))"
    )

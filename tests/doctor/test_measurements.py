"""What the doctor measures, against independent oracles."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from doctor_trainings import net, real, toy
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.neighbors import NearestNeighbors

import clearprop as cp
from clearprop.core.parameters import Array
from clearprop.data.named import moons
from clearprop.doctor.case import Case
from clearprop.doctor.scores import Score, ask_neighbours, class_numbers, is_gain, score
from clearprop.doctor.treatment import treated
from clearprop.doctor.watching import find_origin, watch
from clearprop.network import Network
from clearprop.training.samples import Samples, checked_samples


def samples_of(network: Network, parts: tuple[Array, Array]) -> Samples:
    X, y = parts
    return Samples(X, network.targets(y))


@pytest.mark.parametrize(("name", "network"), [("iris", net(4, [5], 3)), ("wine", net(13, [], 3))])
def test_a_score_is_the_balanced_accuracy_above_guessing(name: str, network: Network) -> None:
    train, _ = real(name)
    expected = balanced_accuracy_score(train[1], network.predict(train[0]), adjusted=True)
    found = score(network, samples_of(network, train))
    assert found.value == pytest.approx(expected)
    assert found.shown == pytest.approx(np.mean(network.predict(train[0]) == train[1]))


def test_a_score_of_values_is_r2() -> None:
    train, _ = real("diabetes")
    network = net(10, [4], 1, loss=cp.MeanSquaredError())
    found = score(network, samples_of(network, train))
    assert found.value == pytest.approx(r2_score(train[1], network.predict(train[0])))


def test_saying_one_class_to_everything_is_worth_nothing() -> None:
    (X, y), _ = real("wine")
    network = net(13, [], 3, init=cp.Zeros())
    found = score(network, samples_of(network, (X, y)))
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.shown > 0.3


def test_the_standard_error_is_that_of_scores_on_many_draws() -> None:
    network = net(2, [], 1, cp.Tanh())
    network.parameters["0.W"][...] = [[1.0], [0.0]]
    random_state = np.random.RandomState(0)

    def draw() -> Score:
        y = np.arange(200) % 2
        X = random_state.randn(200, 2) + (y[:, np.newaxis] - 0.5)
        return score(network, samples_of(network, (X, y)))

    drawn = [draw() for _ in range(400)]
    assert np.std([one.value for one in drawn]) == pytest.approx(drawn[0].error, rel=0.15)


def test_a_gain_must_matter_and_exceed_chance() -> None:
    poor = Score(0.5, 0.0, 1.0, "accuracy", 0.75)
    assert is_gain(replace(poor, value=0.61), poor)
    assert not is_gain(replace(poor, value=0.59), poor)
    assert not is_gain(replace(poor, value=0.61, error=0.06), poor)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_neighbours_are_the_nearest_other_samples(name: str) -> None:
    (X, y), _ = real(name)
    loss = cp.SoftmaxCrossEntropy()
    nearest = NearestNeighbors(n_neighbors=10).fit(X).kneighbors(return_distance=False)
    classes = int(y.max()) + 1
    votes = np.stack([(y[nearest] == k).sum(axis=1) for k in range(classes)], axis=1)
    opinion = ask_neighbours(X, y, loss)
    assert opinion is not None
    assert opinion.shown == pytest.approx(np.mean(votes.argmax(axis=1) == y))
    others = np.where(np.arange(classes) == y[:, np.newaxis], 0, votes).max(axis=1)
    assert opinion.suspects.tolist() == np.flatnonzero(others >= 9).tolist()


def test_neighbours_of_values_predict_their_mean() -> None:
    (X, y), _ = real("diabetes")
    nearest = NearestNeighbors(n_neighbors=10).fit(X).kneighbors(return_distance=False)
    opinion = ask_neighbours(X, y, cp.MeanSquaredError())
    assert opinion is not None
    assert opinion.value == pytest.approx(r2_score(y, y[nearest].mean(axis=1)))


def test_suspects_of_labels_without_meaning_are_as_many_as_expected() -> None:
    random_state = np.random.RandomState(0)
    X, y = random_state.randn(4000, 3), (random_state.rand(4000) < 0.25).astype(int)
    opinion = ask_neighbours(X, y, cp.BinaryCrossEntropy())
    assert opinion is not None
    assert len(opinion.suspects) / 4000 == pytest.approx(opinion.expected, rel=0.15)


def test_few_samples_have_no_opinion() -> None:
    assert ask_neighbours(np.zeros((49, 2)), np.arange(49) % 2, cp.BinaryCrossEntropy()) is None


def test_a_watched_pass_is_the_network_s_own() -> None:
    (X, y), _ = toy(moons, 40)
    network = Network(
        [cp.Dense(4), cp.Tanh(), cp.Residual((cp.Dense(4), cp.ReLU())), cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(2,),
    )
    seen = {one.name: one for one in watch(network, X, network.targets(y), training=True)}
    assert list(seen) == ["0", "1", "2.0", "2.1", "2", "3"]
    np.testing.assert_array_equal(seen["3"].y, network.forward(X))
    _, dlogits = network.loss(network.forward(X), network.targets(y))
    np.testing.assert_array_equal(seen["3"].dy, dlogits)
    _, gradient = network.loss_and_gradient(X, y)
    np.testing.assert_array_equal(X.T @ seen["0"].dy, gradient["0.W"])
    np.testing.assert_array_equal(seen["1"].y.T @ seen["2.0"].dy, gradient["2.0.W"])


def test_dropout_inside_a_container_is_some() -> None:
    (X, y), _ = toy(moons, 40)
    network = Network(
        [cp.Residual((cp.Dense(4), cp.ReLU(), cp.Dropout(0.9))), cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(2,),
    )
    case = Case(network=network, start=network, samples=checked_samples(network, X, y))
    assert case.layers_of(cp.Dropout) == [cp.Dropout(0.9)]


@pytest.mark.parametrize(
    ("first", "found"),
    [
        (cp.Sequential((cp.BatchNorm(), cp.Dense(4))), False),
        (cp.Sequential((cp.Sequential((cp.Tanh(), cp.Dense(4))), cp.BatchNorm())), True),
        (cp.Residual((cp.BatchNorm(), cp.Dense(4))), True),
    ],
)
def test_inputs_need_no_scale_where_a_norm_in_a_sequential_gives_them_one(
    first: cp.Layer, found: bool
) -> None:
    (X, y), _ = toy(moons, 60)
    network = Network([first, cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,))
    illnesses = cp.examine(network, 1000 * X, y).illnesses
    assert ("unscaled_inputs" in illnesses) is found


@pytest.mark.parametrize("name", ["0.W", "2.W"])
def test_large_numbers_that_stay_finite_have_no_origin(name: str) -> None:
    (X, y), _ = toy(moons, 20)
    network = net(2, [4, 4], 1)
    network.parameters[name][...] = 1e200
    assert find_origin(network, X, network.targets(y)) is None


def test_the_origin_is_the_first_operation_that_overflows() -> None:
    (X, y), _ = toy(moons, 20)
    network = net(2, [4, 4], 1)
    network.parameters["0.W"][...] = 1e200
    network.parameters["2.W"][...] = 1e200
    origin = find_origin(network, X, network.targets(y))
    assert origin is not None
    assert (origin.operation, origin.layer, origin.kind) == ("forward", "2", "Dense")
    assert 1e199 < origin.largest < 1e202


def test_the_loss_can_be_the_origin() -> None:
    (X, y), _ = toy(moons, 20)
    network = net(2, [], 1, loss=cp.MeanSquaredError())
    network.parameters["0.W"][...] = 1e200
    origin = find_origin(network, X, network.targets(y))
    assert origin is not None
    assert (origin.operation, origin.layer, origin.kind) == ("loss", None, "MeanSquaredError")


def kinds(network: Network) -> list[str]:
    return [type(layer).__name__ for layer in network.layers]


def test_changed_settings_build_another_network_of_the_same_seed() -> None:
    network = net(3, [4, 5], 2, cp.Tanh(), before=[cp.Dropout(0.5)], seed=7)
    network.parameters.data[...] = 0.5
    copied = treated(network, {"learning_rate": 1.0})
    np.testing.assert_array_equal(copied.parameters.data, network.parameters.data)
    relu = treated(network, {"activation": "relu", "init": "he"})
    assert kinds(relu) == ["Dense", "Dropout", "ReLU"] * 2 + ["Dense"]
    expected = net(3, [4, 5], 2, cp.ReLU(), seed=7)
    np.testing.assert_array_equal(relu.parameters.data, expected.parameters.data)
    normed = treated(network, {"batch_norm": True})
    assert kinds(normed) == ["Dense", "Dropout", "BatchNorm", "Tanh"] * 2 + ["Dense"]
    assert treated(network, {"dropout": 0.0}).layers[1] == cp.Dropout(0.0)


def test_changed_settings_reach_into_residual_blocks() -> None:
    network = Network(
        [cp.Residual((cp.Dense(3), cp.Tanh(), cp.Dense(3))), cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(3,),
    )
    block = treated(network, {"activation": "relu", "init": "zeros"}).layers[0]
    assert block == cp.Residual((cp.Dense(3, cp.Zeros()), cp.ReLU(), cp.Dense(3, cp.Zeros())))


@pytest.mark.parametrize(
    ("loss", "y", "expected"),
    [
        (cp.MeanSquaredError(), np.array([0.0, 1.0]), None),
        (cp.BinaryCrossEntropy(), np.array([[0.0], [1.0]]), [0, 1]),
        (cp.BinaryCrossEntropy(), np.array([[0.0, 1.0], [1.0, 1.0]]), None),
        (cp.SoftmaxCrossEntropy(), np.array([2, 0]), [2, 0]),
        (cp.SoftmaxCrossEntropy(), np.array([[0.0, 1.0], [1.0, 0.0]]), [1, 0]),
    ],
)
def test_samples_have_one_class_or_none(loss: cp.Loss, y: Array, expected: Any) -> None:
    found = class_numbers(loss, y)
    assert (None if found is None else found.tolist()) == expected


LAYERS: list[cp.Layer] = [
    *(cp.ReLU(), cp.Tanh(), cp.Sigmoid(), cp.LeakyReLU(), cp.GELU(), cp.Dropout(0.5)),
    *(cp.BatchNorm(), cp.LayerNorm(), cp.Dense(3), cp.Residual((cp.Dense(4), cp.ReLU()))),
    *(cp.NTKDense(3), cp.Scale(), cp.Blend(cp.ReLU())),
]
TASKS: list[tuple[cp.Loss, int]] = [
    *((cp.BinaryCrossEntropy(), 1), (cp.BinaryCrossEntropy(), 2), (cp.SoftmaxCrossEntropy(), 3)),
    *((cp.MeanSquaredError(), 1), (cp.MeanSquaredError(), 2)),
]


@settings(max_examples=15)
@given(
    hidden=st.lists(st.sampled_from(LAYERS), max_size=3),
    task=st.sampled_from(TASKS),
    samples=st.integers(2, 60),
    dtype=st.sampled_from(["float32", "float64"]),
    scale=st.sampled_from([1e-30, 1.0, 1e30]),
    epochs=st.integers(0, 2),
)
def test_any_training_can_be_examined_and_nothing_of_it_changes(
    hidden: list[cp.Layer],
    task: tuple[cp.Loss, int],
    samples: int,
    dtype: str,
    scale: float,
    epochs: int,
) -> None:
    loss, outputs = task
    random_state = np.random.RandomState(0)
    X = scale * random_state.randn(samples, 5)
    y = random_state.randint(0, 2, samples if outputs in (1, 3) else (samples, outputs))
    network = Network(
        [*hidden, cp.Dense(outputs)], loss=loss, input_shape=(5,), seed=1, dtype=dtype
    )
    trainer = cp.Trainer(epochs=max(epochs, 1), batch_size=16)
    history = None
    if epochs:
        try:
            history = trainer.fit(network, X, y)
        except cp.ClearpropError as error:
            history = getattr(error, "history")  # noqa: B009 - only a diverged one has it
    before = network.parameters.data.copy()
    found = cp.examine(network, X, y, validation=(X, y), trainer=trainer, history=history)
    np.testing.assert_array_equal(network.parameters.data, before)
    assert str(found)
    assert sorted(finding.harm for finding in found) == [finding.harm for finding in found]

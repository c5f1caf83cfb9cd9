"""Saliency is the derivative of the asked logit, whatever the network and the answer."""

import numpy as np
import pytest
from picture_networks import SHAPE, flat_network, pictures

import clearprop as cp
from clearprop.errors import DataError, ShapeError, UsageError


def central_difference(network, x, signs, step=1e-6):
    """Return d(signs · logits)/dx by differences, shape of x."""
    found = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        ends = []
        for side in (step, -step):
            moved = x.copy()
            moved[place] += side
            ends.append(network.logits(moved[np.newaxis])[0] @ signs)
        found[place] = (ends[0] - ends[1]) / (2 * step)
    return found


@pytest.mark.parametrize("answer", [None, 2])
def test_without_noise_it_is_the_derivative_of_the_logit(answer):
    network, X = flat_network(), pictures()
    network.state.data[...] = np.random.RandomState(1).rand(network.state.data.size) + 0.5
    said = network.predict(X) if answer is None else np.full(len(X), answer)
    found = cp.saliency(network, X, answer, noise=0)
    assert found.shape == (3, 8, 8)
    for one, x, k in zip(found, X, said, strict=True):
        expected = np.abs(central_difference(network, x, np.eye(3)[k])).max(axis=2)
        np.testing.assert_allclose(one, expected, atol=1e-7)


def test_one_logit_of_two_classes_speaks_against_class_0():
    network = flat_network(loss=cp.BinaryCrossEntropy(), outputs=1)
    X = pictures()
    for answers in (0, 1, [0, 1, 0], None):
        found = cp.saliency(network, X, answers, noise=0)
        expected = np.abs(central_difference(network, X[1], np.ones(1))).max(axis=2)
        np.testing.assert_allclose(found[1], expected, atol=1e-7)


def test_noise_is_averaged_and_the_same_in_whatever_company():
    network, X = flat_network(), pictures(5)
    found = cp.saliency(network, X, draws=4, noise=0.3)
    np.testing.assert_allclose(found[2:3], cp.saliency(network, X[2:3], draws=4, noise=0.3))
    random = np.random.RandomState(0).standard_normal((4, *SHAPE))
    x, k = X[0], network.predict(X[:1])[0]
    slopes = [
        central_difference(network, x + 0.3 * np.ptp(x) * one, np.eye(3)[k]) for one in random
    ]
    np.testing.assert_allclose(found[0], np.abs(np.mean(slopes, axis=0)).max(axis=2), atol=1e-7)


def test_many_samples_are_done_in_blocks(monkeypatch):
    network, X = flat_network(), pictures(7)
    whole = cp.saliency(network, X)
    monkeypatch.setattr("clearprop.explain.question._AT_ONCE", 40_000)
    np.testing.assert_allclose(cp.saliency(network, X), whole)


def test_grey_pictures_and_rows_keep_their_shape():
    grey = flat_network(shape=(8, 8))
    assert cp.saliency(grey, pictures(2, (8, 8))).shape == (2, 8, 8)
    rows = cp.Network([cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(5,), seed=0)
    found = cp.saliency(rows, np.ones((2, 5)), 1)
    np.testing.assert_allclose(found, np.abs([rows.parameters["0.W"][:, 1]] * 2))


def test_a_network_of_values_is_asked_about_an_output():
    network = cp.Network([cp.Dense(2)], loss=cp.MeanSquaredError(), input_shape=(4,), seed=0)
    X, W = np.ones((1, 4)), network.parameters["0.W"]
    np.testing.assert_allclose(cp.saliency(network, X, 1)[0], np.abs(W[:, 1]))
    with pytest.raises(UsageError, match="2 outputs that are no classes"):
        cp.saliency(network, X)
    single = cp.Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(4,), seed=0)
    np.testing.assert_allclose(cp.saliency(single, X)[0], np.abs(single.parameters["0.W"][:, 0]))


def test_a_model_takes_samples_as_they_are_and_decides_by_its_threshold():
    X = np.random.RandomState(0).randint(0, 256, (40, 8, 8), dtype=np.uint8)
    data = cp.Dataset("made", "pictures", X, np.arange(40) % 2, ("no", "yes"))
    recipe = cp.fit_recipe(data)
    network = cp.Network(
        [cp.Flatten(), cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(8, 8), seed=0
    )
    model = cp.Model(network, recipe)
    np.testing.assert_allclose(cp.saliency(model, X), cp.saliency(network, X / 255))
    target = recipe.target
    for threshold, said in ((1e-9, 1), (1 - 1e-9, 0)):
        decided = cp.preprocessing.ClassTarget(target.class_names, target.name, threshold)
        own = cp.Model(network, cp.Preprocessing(recipe.inputs, decided))
        np.testing.assert_allclose(cp.saliency(own, X), cp.saliency(network, X / 255, said))


def test_the_network_is_left_as_it_was():
    network, X = flat_network(), pictures()
    before = network.parameters.data.copy(), network.state.data.copy(), X.copy()
    cp.saliency(network, X)
    cp.class_activation(network, X)
    cp.feature_maps(network, X)
    after = network.parameters.data, network.state.data, X
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"draws": 0}, UsageError, "whole number from 1"),
        ({"noise": -1}, UsageError, "share of the range"),
        ({"noise": np.nan}, UsageError, "share of the range"),
        ({"answers": 3}, DataError, "from 0 to 2"),
        ({"answers": [0.5, 1.0, 1.0]}, DataError, "whole numbers"),
        ({"answers": [0, 1]}, ShapeError, r"expected \(3,\)"),
    ],
)
def test_what_can_t_be_asked_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        cp.saliency(flat_network(), pictures(), **changes)


def test_samples_of_another_shape_and_what_is_no_network_are_refused():
    with pytest.raises(ShapeError, match="the network takes"):
        cp.saliency(flat_network(), pictures(2, (8, 9, 3)))
    with pytest.raises(UsageError, match="Found list, expected a Network"):
        cp.saliency([1], pictures())


def test_no_samples_give_none():
    assert cp.saliency(flat_network(), pictures(0)).shape == (0, 8, 8)

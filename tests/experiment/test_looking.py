"""What is drawn of a run's first layer and of where it looks is chosen by a rule."""

import numpy as np
import pytest

import clearprop as cp
from clearprop import plots
from clearprop.experiment import looking
from clearprop.experiment.answers import Answers


def network_of(layers, shape, outputs=2):
    return cp.Network(
        [*layers, cp.Dense(outputs)], loss=cp.SoftmaxCrossEntropy(), input_shape=shape, seed=3
    )


FLAT = (cp.ReLU(), cp.Flatten())


class TestFirstWeights:
    @pytest.mark.parametrize(
        ("layers", "shape", "seen"),
        [
            ([cp.Conv2D(5, kernel=(3, 2)), *FLAT], (8, 8, 3), (3, 2, 3)),
            ([cp.Conv2D(5), *FLAT], (8, 8), (3, 3)),
            ([cp.Conv2D(5), *FLAT], (8, 8, 1), (3, 3)),
            ([cp.Residual((cp.BatchNorm(), cp.Conv2D(5))), *FLAT], (8, 8, 5), None),
            ([cp.Sequential((cp.Conv2D(5),)), *FLAT], (8, 8, 3), (3, 3, 3)),
            ([cp.Flatten(), cp.Dense(5)], (4, 6, 3), (4, 6, 3)),
            ([cp.Flatten(), cp.Dense(5)], (4, 6), (4, 6)),
            ([cp.Flatten(), cp.Dense(5)], (4, 6, 2), None),
            ([cp.Dense(5)], (24,), None),
            ([cp.AveragePool2D(2), cp.Flatten(), cp.Dense(5)], (4, 6), None),
        ],
    )
    def test_are_those_of_units_or_filters_that_see_pictures(self, layers, shape, seen):
        network = network_of(layers, shape)
        began = next(one for one in network.parameters.values() if one.ndim > 1).copy()
        network.parameters.data[...] += 1
        found = looking.first_weights(network)
        if seen is None:
            assert found is None
            return
        W, picture, first, called = found
        assert picture == seen
        assert called == ("unit" if isinstance(layers[-1], cp.Dense) else "filter")
        np.testing.assert_array_equal(first, began.reshape(-1, 5))
        np.testing.assert_array_equal(W, began.reshape(-1, 5) + 1)
        figure = plots.first_layer_weights(W, picture, first, called)
        assert f"all {called}s, the largest first\n{called}: length" in figure.get_suptitle()


def test_right_answers_of_every_class_in_turn_and_the_surest_mistakes_are_drawn(monkeypatch):
    rows = 40
    X = np.random.RandomState(0).randint(0, 256, (rows, 6, 6), np.uint8)
    truth = np.repeat([0, 1, 2], [30, 7, 3])
    data = cp.Dataset("made", "pictures", X, truth, ("a", "b", "c"))
    predicted = truth.copy()
    wrong = np.arange(9)
    predicted[wrong] = 1
    shares = np.full((rows, 3), 0.2)
    shares[wrong, 1] = 0.5 + wrong / 100
    shares[np.arange(9, rows), truth[9:]] = 0.9
    model = cp.Model(network_of([cp.Conv2D(2), *FLAT], (6, 6), 3), cp.fit_recipe(data))
    drawn = []
    monkeypatch.setattr(plots, "attention", lambda *args, **maps: drawn.append((args, maps)))
    looking.draw_attention(model, Answers(np.zeros(rows), truth, predicted, shares), data)
    (samples, true, said, share, names, *_), maps = drawn[0]
    assert names == ("a", "b", "c")
    assert true.tolist() == [0, 1, 2, 0, *[0] * 4]
    assert said.tolist() == [0, 1, 2, 0, *[1] * 4]
    np.testing.assert_allclose(share, [0.9] * 4 + [0.58, 0.57, 0.56, 0.55])
    np.testing.assert_allclose(samples, X[[9, 30, 37, 10, 8, 7, 6, 5]] / 255)
    np.testing.assert_allclose(maps["saliency"], cp.saliency(model.network, samples, said))
    looking.draw_attention(model, Answers(np.zeros(rows), truth, predicted, None), data)
    (_, true, _, share, *_), _ = drawn[1]
    assert share is None
    assert len(true) == 8


def test_feature_maps_are_those_of_a_right_answer_if_there_is_one(monkeypatch):
    X = np.random.RandomState(0).randint(0, 256, (4, 6, 6), np.uint8)
    data = cp.Dataset("made", "pictures", X, np.array([0, 1, 0, 1]), ("a", "b"))
    model = cp.Model(network_of([cp.Conv2D(2), *FLAT], (6, 6)), cp.fit_recipe(data))
    drawn = []
    monkeypatch.setattr(plots, "feature_maps", lambda *args: drawn.append(args))
    for predicted, row in (([1, 0, 0, 1], 2), ([1, 0, 1, 0], 0)):
        answers = Answers(np.zeros(4), data.y, np.array(predicted), None)
        looking.draw_features(model, answers, data)
        picture, maps = drawn.pop()
        np.testing.assert_allclose(picture, X[row] / 255)
        np.testing.assert_allclose(maps, cp.feature_maps(model, X[row : row + 1])[0])

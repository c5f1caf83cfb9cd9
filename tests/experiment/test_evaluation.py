"""What a model reached, against scikit-learn's measures of the same predictions."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    r2_score,
)

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.experiment import Settings, Trained, evaluate, learn, set_task
from clearprop.experiment.folder import dumps


def trained(data: str, **given: object) -> Trained:
    settings = Settings(data=data, layers=(4,), epochs=3, test="0.4", validation="0.2", **given)
    return learn(set_task(settings, cp.load_data(data)))


@pytest.mark.parametrize("data", ["iris", "moons"])
def test_classes_are_measured_as_by_scikit_learn(data: str) -> None:
    run = trained(data)
    held_out = run.task.test
    measured = evaluate(run.model, held_out)
    truth, said, names = held_out.y, measured.answers.predicted, run.model.class_names

    prepared = run.model.preprocessing.inputs.transform(held_out.X, run.model.network.dtype)
    np.testing.assert_array_equal(said, run.model.network.predict(prepared))
    np.testing.assert_array_equal(measured.answers.truth, truth)
    assert measured.samples == len(truth)
    assert measured.score_name == "accuracy"
    assert measured.score == pytest.approx(accuracy_score(truth, said))
    assert 0.3 < measured.score < 1  # there is something to be wrong about
    plain = run.model.network.predict_proba(prepared)  # what is trained on has no temperature
    assert measured.loss == pytest.approx(log_loss(truth, plain), rel=1e-5)
    labels = range(len(names))
    np.testing.assert_array_equal(measured.confusion, confusion_matrix(truth, said, labels=labels))
    precision, recall, _, support = precision_recall_fscore_support(
        truth, said, labels=labels, zero_division=np.nan
    )
    assert [report.name for report in measured.classes] == list(names)
    np.testing.assert_allclose([report.precision for report in measured.classes], precision)
    np.testing.assert_allclose([report.recall for report in measured.classes], recall)
    np.testing.assert_array_equal([report.samples for report in measured.classes], support)


def test_samples_in_another_layout_are_measured_alike_and_it_is_said() -> None:
    X = np.random.RandomState(0).randn(20, 5, 6, 3)
    data = cp.data.Dataset("made", "array", X, np.arange(20) % 2, ("no", "yes"))
    model = learn(set_task(Settings(data="made", layers=(4,), epochs=2), data)).model
    turned = evaluate(model, replace(data, X=np.moveaxis(X, -1, 1)))
    assert turned.loss == evaluate(model, data).loss
    assert turned.notes == (
        "made: The samples, 20x3x5x6, are turned, colours last: 20x5x6x3, as in training.",
    )


@pytest.mark.parametrize("data", ["iris", "moons"])
def test_every_mistake_is_told_the_most_confident_first(data: str) -> None:
    run = trained(data)
    held_out = run.task.test
    measured = evaluate(run.model, held_out)
    confidence = measured.answers.probabilities.max(axis=1)
    wrong = np.flatnonzero(measured.answers.predicted != held_out.y)
    assert len(wrong) > 1
    assert sorted(mistake.row for mistake in measured.mistakes) == wrong.tolist()
    told = [mistake.probability for mistake in measured.mistakes]
    assert told == sorted(told, reverse=True)
    for mistake in measured.mistakes:
        assert mistake.probability == pytest.approx(confidence[mistake.row])
        assert mistake.source == held_out.source(mistake.row)
        assert mistake.truth == held_out.class_names[held_out.y[mistake.row]]
        assert mistake.predicted == held_out.class_names[measured.answers.predicted[mistake.row]]


def test_values_are_measured_on_their_own_scale() -> None:
    run = trained("diabetes")
    held_out = run.task.test
    measured = evaluate(run.model, held_out)
    assert measured.score_name == "r2"
    assert measured.score == pytest.approx(
        r2_score(held_out.y, measured.answers.predicted), rel=1e-5
    )
    np.testing.assert_allclose(measured.answers.truth, held_out.y, rtol=1e-5)
    assert measured.answers.probabilities is None
    assert measured.confusion is None
    assert measured.classes == ()
    off = np.abs(measured.answers.predicted - held_out.y)
    rows = [mistake.row for mistake in measured.mistakes]
    np.testing.assert_allclose(off[rows], np.sort(off)[::-1][:10], rtol=1e-4)
    first = measured.mistakes[0]
    assert float(first.truth) == pytest.approx(held_out.y[first.row], rel=1e-4)
    assert float(first.predicted) == pytest.approx(measured.answers.predicted[first.row], rel=1e-4)


def test_a_class_that_is_never_said_or_never_there_has_no_share() -> None:
    dataset = cp.load_data("iris")
    recipe = cp.fit_recipe(dataset)
    net = cp.Network([cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4,))
    net.parameters.data[...] = 0
    net.parameters["0.b"][0] = 1  # says the first class of everything
    some = dataset.take(dataset.y < 2)
    measured = evaluate(cp.Model(net, recipe), some)
    first, second, third = measured.classes
    assert (first.precision, first.recall, first.samples) == (0.5, 1.0, 50)
    assert math.isnan(second.precision)
    assert (second.recall, second.samples) == (0.0, 50)
    assert math.isnan(third.precision)
    assert math.isnan(third.recall)
    described = json.loads(dumps(measured.to_json()))
    assert described["accuracy"] == 0.5
    assert described["classes"][2]["recall"] is None
    assert described["confusion"] == [[50, 0, 0], [50, 0, 0], [0, 0, 0]]
    assert len(described["mistakes"]) == 50


def test_a_model_without_its_recipe_can_not_be_measured() -> None:
    net = cp.Network([cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4,))
    with pytest.raises(UsageError, match="without preprocessing"):
        evaluate(cp.Model(net), cp.load_data("iris"))

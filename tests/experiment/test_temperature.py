"""The temperature: what it is fitted to, where it is not, and how well probabilities come true."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

import clearprop as cp
from clearprop.data import Dataset
from clearprop.experiment import Settings, cross_validation, learn, measure, set_task
from clearprop.experiment.answers import Answers, answers_of
from clearprop.experiment.temperature import (
    calibration_error,
    calibration_of,
    fit_temperature,
    outcomes,
    reliability,
)
from clearprop.experiment.thresholds import choose
from clearprop.preprocessing import ClassTarget, ValueTarget

SOFTMAX, SIGMOID = cp.SoftmaxCrossEntropy(), cp.BinaryCrossEntropy()


def drawn(n=400, outputs=3, too_sure=2.0, seed=0):
    """Draw logits that are so many times what they should be, and classes."""
    random_state = np.random.RandomState(seed)
    logits = 1.5 * random_state.randn(n, outputs)
    loss = SIGMOID if outputs == 1 else SOFTMAX
    p = loss.predict_proba(logits)
    y = (p.cumsum(axis=1) < random_state.rand(n, 1)).sum(axis=1).clip(0, p.shape[1] - 1)
    return loss, too_sure * logits, y


@pytest.mark.parametrize("outputs", [1, 2, 5])
@pytest.mark.parametrize("too_sure", [0.4, 1.0, 5.0])
@pytest.mark.parametrize("n", [20, 400])
def test_it_is_the_likeliest(outputs, too_sure, n):
    loss, logits, y = drawn(n, outputs, too_sure)
    found = fit_temperature(loss, logits, y)
    assert found.samples == n
    grid = found.value * np.geomspace(0.5, 2, 201)  # its middle is the one found
    labels = range(max(outputs, 2))
    likely = [
        norm.logpdf(np.log(one), scale=0.5)
        - log_loss(y, loss.predict_proba(logits / one), labels=labels, normalize=False)
        for one in grid
    ]
    assert np.argmax(likely) == 100


def test_of_several_networks_it_is_that_of_their_mean():
    loss, logits, y = drawn(400, 3, 3.0)
    others = logits + np.random.RandomState(1).randn(2, *logits.shape)
    found = fit_temperature(loss, np.array([logits, *others]), y)
    grid = found.value * np.geomspace(0.5, 2, 201)
    likely = [
        norm.logpdf(np.log(one), scale=0.5)
        - log_loss(
            y,
            np.mean([loss.predict_proba(each / one) for each in (logits, *others)], axis=0),
            normalize=False,
        )
        for one in grid
    ]
    assert np.argmax(likely) == 100
    assert found.value < fit_temperature(loss, logits, y).value  # a mean is less sure already


def test_it_finds_by_how_much_a_network_is_too_sure():
    found = fit_temperature(*drawn(20_000, 4, 3.0))
    assert found.value == pytest.approx(3, rel=0.05)
    assert str(found).startswith("Temperature: ")
    assert "20,000 samples that were not learned from" in str(found)


@pytest.mark.parametrize("of", ["few", "all right", "one wrong"])
def test_few_samples_or_few_that_are_wrong_leave_it_near_one(of):
    loss, logits, y = drawn(60)
    if of == "few":
        logits, y = logits[:5], y[:5]
    else:
        y = logits.argmax(axis=1)
        y[0] = (y[0] + (of == "one wrong")) % 3
    assert 0.3 < fit_temperature(loss, logits, y).value < 3


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (slice(0, 0), "there are no samples to fit it to"),
        (slice(0, 60), "some outputs are not finite"),
    ],
)
def test_where_nothing_can_be_fitted_it_is_one_and_the_reason_is_told(rows, why):
    loss, logits, y = drawn(60)
    logits[3, 1] = np.nan
    logits, y = logits[rows], y[rows]
    found = fit_temperature(loss, logits, y)
    assert found.value == 1
    assert found.why_one == why
    assert str(found) == f"Temperature: 1, as none could be fitted: {why}."
    assert found.to_json() == {"temperature": 1.0, "samples": len(y), "why_one": why}


def test_logits_without_bounds_keep_it_within_sense():
    loss, logits, y = drawn(50)
    assert 0.04 < fit_temperature(loss, 1e6 * logits, y).value < 21
    assert 0.04 < fit_temperature(loss, 1e-9 * logits, y).value < 21
    right = np.where(np.arange(50) == 0, (logits.argmax(axis=1) + 1) % 3, logits.argmax(axis=1))
    assert 0.04 < fit_temperature(loss, logits, right).value < 21


PROBABILITIES = st.lists(
    st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=300
)


@given(PROBABILITIES)
def test_bins_are_those_of_scikit_learn(pairs):
    said, is_true = np.array(pairs, dtype=np.float64).T
    mean, share, counts = reliability(said, is_true.astype(bool))
    bins = min(10, max(len(said) // 10, 1))
    known, expected = calibration_curve(is_true, said, n_bins=bins, strategy="quantile")
    np.testing.assert_allclose(mean, expected)
    np.testing.assert_allclose(share, known)
    assert counts.sum() == len(said)
    error = calibration_error(said, is_true.astype(bool))
    assert error == pytest.approx(np.abs(known - expected) @ counts / len(said))


@given(PROBABILITIES, st.integers(0, 99))
def test_the_order_of_samples_makes_no_difference(pairs, seed):
    said, is_true = np.array(pairs, dtype=np.float64).T
    order = np.random.RandomState(seed).permutation(len(said))
    other = calibration_error(said[order], is_true[order].astype(bool))
    assert calibration_error(said, is_true.astype(bool)) == pytest.approx(other, abs=1e-12)


def test_bins_hold_about_equally_many():
    said = np.random.RandomState(0).rand(1003)
    _, _, counts = reliability(said, said > 0.5)
    assert len(counts) == 10
    assert counts.max() - counts.min() <= 1


def test_of_two_classes_the_positive_one_is_told_and_of_more_the_likeliest():
    shares, truth = np.array([[0.2, 0.8], [0.7, 0.3]]), np.array([1, 1])
    said, is_true = outcomes(shares, truth, ClassTarget(("a", "b"), "y", positive=0))
    assert said.tolist() == [0.2, 0.7]
    assert is_true.tolist() == [False, False]
    shares = np.array([[0.2, 0.5, 0.3], [0.7, 0.2, 0.1]])
    said, is_true = outcomes(shares, truth, ClassTarget(("a", "b", "c"), "y"))
    assert said.tolist() == [0.5, 0.7]
    assert is_true.tolist() == [True, False]


def test_log_loss_before_and_after_are_scikit_learns():
    loss, logits, y = drawn(500, 3, 2.0)
    after, before = loss.predict_proba(logits / 2), loss.predict_proba(logits)
    own = Answers(np.zeros(500), y, y, after, before)
    found = calibration_of(own, ClassTarget(("a", "b", "c"), "y", temperature=2.0))
    assert found.log_loss == pytest.approx(log_loss(y, after))
    assert found.log_loss_before == pytest.approx(log_loss(y, before))
    assert found.error < found.error_before


def test_values_and_answers_without_probabilities_have_none():
    own = Answers(np.zeros(3), np.arange(3), np.arange(3), None)
    assert calibration_of(own, ClassTarget(("a", "b", "c"), "y")) is None
    assert calibration_of(own, ValueTarget((0.0,), (1.0,), "y")) is None


def noisy(n=400, seed=0, classes=2):
    random_state = np.random.RandomState(seed)
    X = random_state.randn(n, 3)
    y = np.digitize(X[:, 0] + random_state.randn(n), (0,) if classes == 2 else (-0.6, 0.6))
    return Dataset("noisy", "array", X, y, tuple("abc"[:classes]))


def trained(data, **given):
    plain = {"layers": (32,), "epochs": 30, "learning_rate": 0.03, "l2": 0.0, "dtype": "float64"}
    return learn(set_task(Settings(data=data.name, **(plain | given)), data))


def test_the_samples_that_chose_the_epoch_fit_it_and_others_score():
    found = trained(noisy(), folds=0)
    task, target = found.task, found.task.recipe.target
    assert found.temperature.samples == len(task.validation)
    X, y = task.prepared(task.validation)
    again = fit_temperature(task.network.loss, task.network.logits(X), y)
    assert target.temperature == again.value == found.temperature.value
    assert target.temperature > 1  # it has learned noise by heart
    score = measure(found).parts["test"]
    X, y = task.prepared(task.test)
    logits = task.network.logits(X)
    before, after = (
        log_loss(y, task.network.loss.predict_proba(logits / one))
        for one in (1, target.temperature)
    )
    assert score.calibration.log_loss_before == pytest.approx(before)
    assert score.calibration.log_loss == pytest.approx(after)
    assert score.scores["log_loss"] == pytest.approx(after)
    assert after < before
    assert score.loss == pytest.approx(before)  # what is trained on has no temperature


def test_no_answer_changes_by_it():
    found = trained(noisy(classes=3), folds=0)
    X, _ = found.task.prepared(found.task.test)
    np.testing.assert_array_equal(
        found.model.predict_proba(found.task.test.X).argmax(axis=1), found.task.network.predict(X)
    )


def test_the_truth_of_the_samples_that_score_has_no_part_in_it():
    data = noisy()
    part = noisy(80, seed=5)
    one = trained(replace(data, test=part), folds=0)
    other = trained(replace(data, test=replace(part, y=1 - part.y)), folds=0)
    assert one.temperature == other.temperature


def test_without_samples_to_fit_it_to_it_is_one():
    found = trained(noisy(), folds=0, validation="0")
    assert found.temperature.value == 1
    assert "no samples are held out but those that give the score" in str(found.temperature)
    score = measure(found).parts["test"].calibration
    assert score.log_loss == score.log_loss_before


def test_values_have_no_temperature():
    data = noisy()
    values = Dataset("values", "array", data.X, np.asarray(data.X)[:, 0] + data.y, None)
    assert trained(values, folds=0).temperature is None


def test_of_folds_each_is_answered_for_by_the_temperature_of_the_others(monkeypatch):
    asked = []

    def spied(loss, logits, truth):
        asked.append(logits)
        return fit_temperature(loss, logits, truth)

    monkeypatch.setattr(cross_validation, "fit_temperature", spied)
    data = noisy(classes=3)
    found = trained(data, folds=3)
    whole, *others = asked
    assert len(whole) == 400
    assert found.temperature.samples == 400
    own, answers = found.model.preprocessing.target.temperature, found.out_of_fold.answers
    assert own == found.temperature.value > 1
    start = 0
    for logits, (_, fold) in zip(others, found.out_of_fold.trials, strict=True):
        rows = slice(start, start + len(fold))
        assert len(logits) == 400 - len(fold)
        before = {round(x, 9) for x in SOFTMAX.predict_proba(logits)[:, 0].tolist()}
        told = {round(x, 9) for x in answers.untempered[rows, 0].tolist()}
        assert not told & before
        p = answers.untempered[rows]
        value = np.log(p[:, 0] / p[:, 1]) / np.log(
            answers.probabilities[rows, 0] / answers.probabilities[rows, 1]
        )
        np.testing.assert_allclose(value, value[0])  # one temperature a fold
        start += len(fold)


def test_a_threshold_is_one_of_tempered_probabilities():
    found = trained(noisy(), folds=0, threshold="f1")
    task = found.task
    target = task.recipe.target
    assert target.temperature == found.temperature.value != 1
    again = choose("f1", target, answers_of(task.network, task.recipe, task.validation))
    assert again.target.threshold == target.threshold


def test_training_that_goes_on_fits_it_anew(tmp_path):
    data = noisy()
    first = trained(data, folds=0)
    path = tmp_path / "model.safetensors"
    cp.save(path, first.model)
    loaded = cp.load(path)
    assert loaded.preprocessing.target.temperature == first.temperature.value
    np.testing.assert_array_equal(loaded.predict_proba(data.X), first.model.predict_proba(data.X))
    settings = Settings(data=data.name, start=str(path), layers=(32,), epochs=2, folds=0)
    settings = replace(settings, validation="0", test="0", dtype="float64")
    task = set_task(settings, data)
    assert task.recipe.target.temperature == 1
    assert learn(task).model.preprocessing.target.temperature == 1


def test_what_tells_of_it_is_json():
    json.dumps(trained(noisy(60), folds=0, epochs=2).temperature.to_json())

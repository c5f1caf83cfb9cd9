"""Scores against scikit-learn's, and against what they have to beat."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge

import clearprop as cp
from clearprop.experiment import Settings, load_dataset, set_task
from clearprop.experiment.answers import Answers
from clearprop.experiment.baselines import (
    constant_answers,
    constant_of,
    fit_linear,
    linear_answers,
)
from clearprop.experiment.scores import headline, rare_classes, scores_of
from clearprop.preprocessing import ClassTarget, ValueTarget


def class_answers(truth, shares) -> Answers:
    shares = np.array(shares, float)
    own = np.array(truth)
    losses = -np.log(shares[np.arange(len(own)), own])
    return Answers(losses, own, shares.argmax(axis=1), shares)


@given(st.integers(2, 5), st.integers(8, 60), st.integers(0, 2**31))
def test_class_scores_are_scikit_learns(count, n, seed) -> None:
    random = np.random.default_rng(seed)
    truth = np.r_[np.arange(count), random.integers(0, count, n)]
    shares = random.dirichlet(np.ones(count), len(truth))
    target = ClassTarget(tuple(map(str, range(count))), "y")
    found = scores_of(class_answers(truth, shares), target)
    said = shares.argmax(axis=1)
    ranked = shares[:, 1] if count == 2 else shares
    assert found == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(truth, said),
            "balanced_accuracy": metrics.recall_score(truth, said, average="macro"),
            "f1": metrics.f1_score(truth, said, average="binary" if count == 2 else "macro"),
            "log_loss": metrics.log_loss(truth, shares),
            "roc_auc": metrics.roc_auc_score(truth, ranked, multi_class="ovr"),
        }
    )


@given(st.integers(1, 3), st.integers(2, 50), st.integers(0, 2**31))
def test_value_scores_are_scikit_learns(outputs, n, seed) -> None:
    random = np.random.default_rng(seed)
    truth, said = random.normal(5, 3, (2, n, outputs))
    if outputs == 1:
        truth, said = truth[:, 0], said[:, 0]
    target = ValueTarget((0.0,) * outputs, (1.0,) * outputs, "y")
    assert scores_of(Answers(np.zeros(n), truth, said, None), target) == pytest.approx(
        {
            "r2": metrics.r2_score(truth, said),
            "mae": metrics.mean_absolute_error(truth, said),
            "rmse": metrics.root_mean_squared_error(truth, said),
        }
    )


def test_scores_that_are_not_defined_are_nan() -> None:
    only = class_answers([1, 1], [[0.3, 0.7], [0.6, 0.4]])
    found = scores_of(only, ClassTarget(("a", "b"), "y"))
    assert np.isnan(found["roc_auc"])
    assert found["accuracy"] == 0.5
    alike = Answers(np.zeros(2), np.full(2, 3.0), np.array([3.0, 4.0]), None)
    assert np.isnan(scores_of(alike, ValueTarget((0.0,), (1.0,), "y"))["r2"])


def test_errors_of_the_largest_values_do_not_overflow() -> None:
    truth = np.array([1e308, -1e308])
    found = scores_of(Answers(np.zeros(2), truth, -truth, None), ValueTarget((0.0,), (1.0,), "y"))
    assert found["r2"] == pytest.approx(-3)


def test_a_rare_class_makes_balanced_accuracy_the_score_that_counts() -> None:
    target = ClassTarget(("no", "yes"), "y")
    shares = np.tile([0.9, 0.1], (1000, 1))
    assert rare_classes(np.arange(1000) < 99, 2) == [1]
    assert headline(class_answers((np.arange(1000) < 99).astype(int), shares), target) == (
        "balanced_accuracy"
    )
    assert (
        headline(class_answers((np.arange(1000) < 101).astype(int), shares), target) == "accuracy"
    )


def task_of(name: str):
    settings = Settings(data=name, test="0.3", validation="0.2", folds=0, dtype="float64")
    return set_task(settings, load_dataset(settings))


def arrays_of(task, part):
    return task.recipe.inputs.transform(part.X, "float64").reshape(len(part), -1)


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "moons"])
def test_baselines_of_classes_are_scikit_learns(name) -> None:
    task = task_of(name)
    X, y, Z, t = arrays_of(task, task.train), task.train.y, arrays_of(task, task.test), task.test.y
    dummy = DummyClassifier(strategy="prior").fit(X, y)
    constant = constant_answers(
        constant_of(task.train, task.network.loss), task.network, task.recipe, task.test
    )
    np.testing.assert_allclose(constant.probabilities, dummy.predict_proba(Z))
    assert constant.loss == pytest.approx(metrics.log_loss(t, dummy.predict_proba(Z)))
    theirs = LogisticRegression(max_iter=200).fit(X, y)
    ours = linear_answers(fit_linear(task), task.recipe, task.test)
    np.testing.assert_allclose(ours.probabilities, theirs.predict_proba(Z), atol=1e-9)
    np.testing.assert_array_equal(ours.predicted, theirs.predict(Z))


def test_baselines_of_values_are_scikit_learns() -> None:
    task = task_of("diabetes")
    X, Z = arrays_of(task, task.train), arrays_of(task, task.test)
    mean = DummyRegressor().fit(X, task.train.y).predict(Z)
    constant = constant_answers(
        constant_of(task.train, task.network.loss), task.network, task.recipe, task.test
    )
    np.testing.assert_allclose(constant.predicted, mean)
    theirs = Ridge().fit(X, task.train.y)
    ours = linear_answers(fit_linear(task), task.recipe, task.test)
    np.testing.assert_allclose(ours.predicted, theirs.predict(Z))


def test_a_model_keeps_what_it_has_to_beat(tmp_path) -> None:
    from clearprop.experiment import evaluate, learn, measure

    settings = Settings(data="iris", epochs=2, test="0.3", validation="0.2")
    measured = measure(learn(set_task(settings, load_dataset(settings))))
    cp.save(tmp_path / "model.safetensors", measured.model)
    again = cp.load(tmp_path / "model.safetensors")
    assert again.constant == measured.model.constant
    assert evaluate(again, measured.scored).baselines == measured.score.baselines
    assert set(measured.score.baselines) == {"constant", "linear"}

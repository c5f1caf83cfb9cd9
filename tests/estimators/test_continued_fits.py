"""Partial fits and warm starts go on as scikit-learn's do."""

from typing import Any

import numpy as np
import pytest
from side_by_side import assert_same, both, random_data

import clearprop as cp

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("mode"),
]


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_partial_fits_go_on_as_scikit_learn_s_do(name: str, solver: str) -> None:
    is_class = name == "MLPClassifier"
    X, y = random_data("multiclass" if is_class else "value", 90, 4, 0)
    ours, other = both(name, solver=solver, random_state=2, learning_rate="invscaling")
    for estimator in (ours, other):
        estimator.fit(X[:30], y[:30])
        for part in (slice(0, 30), slice(30, 60), slice(60, 90)):
            estimator.partial_fit(X[part], y[part])
    assert_same(ours, other, X)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_warm_starts_go_on_as_scikit_learn_s_do(solver: str) -> None:
    X, y = random_data("binary", 60, 4, 0)
    ours, other = both(
        "MLPClassifier",
        solver=solver,
        warm_start=True,
        max_iter=5,
        random_state=3,
    )
    for estimator in (ours, other):
        estimator.fit(X, y)
        estimator.fit(X, y)
    assert_same(ours, other, X)


def test_partial_fits_go_on_after_training_in_sample_space() -> None:
    X, y = random_data("binary", 40, 900, 0)
    ours, other = both("MLPClassifier", solver="sgd", random_state=0, max_iter=60, batch_size=20)
    for one in (ours, other):
        one.fit(X, y).partial_fit(X, y).partial_fit(X[:20], y[:20])
    assert_same(ours, other, X)


class Failing(cp.Callback):
    def on_epoch_end(self, run: cp.Run) -> None:
        raise LookupError


def test_partial_fits_go_on_after_a_fit_in_sample_space_that_failed() -> None:
    X, y = random_data("binary", 40, 900, 0)
    settings: dict[str, Any] = {"solver": "sgd", "random_state": 0, "batch_size": 20}
    ours, other = (
        cp.MLPClassifier(callbacks=[Failing()], sample_space=choice, **settings)
        for choice in (True, False)
    )
    for one in (ours, other):
        with pytest.raises(LookupError):
            one.fit(X, y)
        one.set_params(callbacks=None).partial_fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0], other.coefs_[0], rtol=1e-9, atol=1e-12)


def test_partial_fits_go_on_after_another_network_was_fitted_by_lbfgs() -> None:
    X, y = random_data("binary", 40, 4, 0)
    ours = cp.MLPClassifier(30, solver="sgd", random_state=0, max_iter=5).fit(X, y)
    other = cp.MLPClassifier(4, solver="lbfgs", random_state=0, max_iter=5).fit(X, y)
    ours.set_params(solver="lbfgs", hidden_layer_sizes=4).fit(X, y)
    for one in (ours, other):
        one.set_params(solver="sgd").partial_fit(X, y)
    np.testing.assert_array_equal(ours.coefs_[0], other.coefs_[0])


def test_early_stopping_may_change_between_two_fits() -> None:
    X, y = random_data("binary", 60, 4, 0)
    ours = cp.MLPClassifier(warm_start=True, max_iter=3, early_stopping=True, random_state=0)
    ours.fit(X, y).set_params(early_stopping=False).fit(X, y)
    assert ours.best_loss_ < np.inf
    assert ours.validation_scores_ is None
    ours.set_params(early_stopping=True).fit(X, y)
    assert len(ours.validation_scores_) == 3


def test_a_warm_start_that_finds_nothing_better_keeps_the_best_weights() -> None:
    X, y = random_data("binary", 60, 4, 0)
    ours = cp.MLPClassifier(warm_start=True, early_stopping=True, random_state=0, max_iter=40)
    before = [W.copy() for W in ours.fit(X, y).coefs_]
    ours.best_validation_score_ = 2.0  # nothing is better
    ours.fit(X, y)
    for kept, now in zip(before, ours.coefs_, strict=True):
        np.testing.assert_array_equal(kept, now)

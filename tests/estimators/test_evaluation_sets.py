"""Sets that are measured after every epoch, and early stopping by them and by any scorer."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from small_data import three_classes, two_classes, values

import clearprop as cp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_an_evaluation_set_is_measured_after_every_epoch(solver: str) -> None:
    X, y = three_classes()
    net = cp.MLPClassifier(8, solver=solver, max_iter=6, random_state=0, tol=0)
    net.fit(X[:100], y[:100], eval_set=(X[100:], y[100:]))
    history = net.history_
    assert len(history) == net.n_iter_ == 6
    assert history["epoch"] == [1, 2, 3, 4, 5, 6]
    expected = -np.log(
        net.predict_proba(X[100:])[np.arange(50), np.unique(y[100:], return_inverse=True)[1]]
    )
    assert history["validation_loss"][-1] == pytest.approx(expected.mean())
    assert history["validation_accuracy"][-1] == pytest.approx(net.score(X[100:], y[100:]))
    assert history.stopped == "finished"
    if solver != "lbfgs":
        assert history["loss"] == net.loss_curve_
        assert {"accuracy", "learning_rate", "seconds", "step"} <= set(history.columns)


def test_the_evaluation_set_changes_nothing() -> None:
    X, y = values()
    net = cp.MLPRegressor(hidden_layer_sizes=8, max_iter=6, random_state=0)
    alone = net.fit(X[:90], y[:90]).loss_curve_
    assert net.fit(X[:90], y[:90], eval_set=(X[90:], y[90:])).loss_curve_ == alone
    assert len(net.history_["validation_r2"]) == 6


def test_an_evaluation_set_that_does_not_fit_is_refused() -> None:
    X, y = two_classes()
    with pytest.raises(ValueError, match="5 features"):
        cp.MLPClassifier().fit(X, y, eval_set=(X[:, :5], y))
    with pytest.raises(ValueError, match=r"classes not in `self.classes_`"):
        cp.MLPClassifier().fit(X, y, eval_set=(X, y + 5))


def test_early_stopping_looks_at_the_evaluation_set_where_there_is_one() -> None:
    X, y = two_classes()
    net = cp.MLPClassifier(8, early_stopping=True, random_state=0, max_iter=10)
    net.fit(X[:80], y[:80], eval_set=(X[80:], y[80:]))
    assert net.t_ == 80 * net.n_iter_  # nothing was held out of them
    assert net.best_validation_score_ == pytest.approx(net.score(X[80:], y[80:]))


def test_early_stopping_on_the_loss_restores_the_weights_of_the_least() -> None:
    X, y = two_classes()
    net = cp.MLPClassifier(
        30,
        early_stopping=True,
        scoring="loss",
        learning_rate_init=0.05,
        tol=0,
        n_iter_no_change=5,
        random_state=0,
    ).fit(X[:60], y[:60], eval_set=(X[60:], y[60:]))
    assert net.history_.stopped == "early"
    least = min(net.history_["validation_loss"])
    assert net.best_validation_score_ == -least
    p = net.predict_proba(X[60:])[np.arange(60), y[60:]]
    assert -np.log(p).mean() == pytest.approx(least)


@pytest.mark.parametrize("sparse", [False, True])
def test_early_stopping_on_any_scorer(sparse: bool) -> None:
    X, y = three_classes()
    given = csr_matrix(X) if sparse else X
    net = cp.MLPClassifier(
        8, early_stopping=True, scoring="neg_log_loss", random_state=0, max_iter=5
    ).fit(given, y)
    losses = net.history_["validation_loss"]
    np.testing.assert_allclose(net.validation_scores_, np.negative(losses), rtol=1e-6)


def test_a_scorer_sees_the_weights_of_training_in_sample_space() -> None:
    X, y = two_classes(40, 800)
    settings: dict[str, Any] = {
        "solver": "sgd",
        "early_stopping": True,
        "scoring": "neg_log_loss",
        "random_state": 0,
        "max_iter": 30,
        "batch_size": 12,
    }
    here, there = (
        cp.MLPClassifier(8, sample_space=choice, **settings).fit(X, y) for choice in (True, False)
    )
    np.testing.assert_allclose(here.validation_scores_, there.validation_scores_, rtol=1e-9)

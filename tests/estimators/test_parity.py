"""The same numbers as scikit-learn: for random data, parameters, solvers and kinds of targets."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from side_by_side import assert_same, both, predictions, random_data
from sklearn.exceptions import ConvergenceWarning

import clearprop as cp
from clearprop.core.blas import available_cores
from clearprop.core.kernels import kernel
from clearprop.training.step import CompiledStep

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("mode"),
]


@given(
    kind=st.sampled_from(["binary", "multiclass", "multilabel", "value", "values", "counts"]),
    solver=st.sampled_from(["sgd", "adam", "lbfgs"]),
    activation=st.sampled_from(["identity", "logistic", "tanh", "relu"]),
    hidden=st.sampled_from([(), 5, (4,), (6, 3)]),
    samples=st.integers(25, 60),
    features=st.integers(1, 6),
    alpha=st.sampled_from([0, 1e-4, 0.1]),
    batch_size=st.sampled_from(["auto", 1, 7, 20]),
    learning_rate=st.sampled_from(["constant", "invscaling", "adaptive"]),
    momentum=st.sampled_from([0, 0.5, 0.9]),
    nesterovs_momentum=st.booleans(),
    shuffle=st.booleans(),
    early_stopping=st.booleans(),
    weighted=st.booleans(),
    sparse=st.booleans(),
    dtype=st.sampled_from([np.float64, np.float64, np.float32]),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=60)
def test_fits_are_those_of_scikit_learn(
    kind: str,
    samples: int,
    features: int,
    hidden: Any,
    weighted: bool,
    sparse: bool,
    dtype: type,
    seed: int,
    **parameters: Any,
) -> None:
    # With several values their loss is the mean over them, and their gradient that of the sum: no
    # line search can succeed near the minimum, and what it does there is left to rounding.
    assume(not (kind == "values" and parameters["solver"] == "lbfgs"))
    X, y = random_data(kind, samples, features, seed)
    X = csr_matrix(X) if sparse else X
    weights = np.random.RandomState(1).uniform(0.5, 2, samples) if weighted else None
    parameters |= {"hidden_layer_sizes": hidden, "random_state": seed, "max_iter": 8}
    if kind == "counts":
        parameters["loss"] = "poisson"
    is_class = kind in ("binary", "multiclass", "multilabel")
    ours, other = both("MLPClassifier" if is_class else "MLPRegressor", **parameters)
    try:
        with np.errstate(all="ignore"):  # its Poisson loss divides by what may be zero
            other.fit(X.astype(dtype), y, weights)
    except ValueError as error:  # too few samples of a class to hold some out
        with pytest.raises(ValueError, match=str(error)[:25]):
            ours.fit(X.astype(dtype), y, weights)
        return
    ours.fit(X.astype(dtype), y, weights)
    if dtype is np.float64:
        assert_same(ours, other, X)
        return
    assert [W.dtype for W in ours.coefs_] == [W.dtype for W in other.coefs_]
    if parameters["solver"] != "lbfgs":  # whose line search makes large of rounding what is small
        np.testing.assert_allclose(ours.loss_, other.loss_, rtol=1e-3)
        expected = predictions(other, X.astype(dtype))
        np.testing.assert_allclose(predictions(ours, X.astype(dtype)), expected, atol=0.01)


def test_a_source_of_random_numbers_is_drawn_from_as_scikit_learn_does() -> None:
    X, y = random_data("value", 40, 3, 0)
    for seed in (np.random.RandomState(5), np.random.RandomState(5)):
        first, second = both("MLPRegressor", random_state=seed, max_iter=3)
        first.fit(X, y)
        after = seed.randint(10**9)
    assert np.random.RandomState(5).randint(10**9) != after
    state = np.random.RandomState(5)
    second.set_params(random_state=state).fit(X, y)
    assert state.randint(10**9) == after


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_texts_on_screen_are_scikit_learn_s(
    solver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    X, y = random_data("binary", 60, 4, 0)
    texts = []
    for estimator in both(
        "MLPClassifier",
        solver=solver,
        verbose=True,
        random_state=0,
        tol=1.0,
        n_iter_no_change=2,
        learning_rate="adaptive",
        early_stopping=True,
    ):
        estimator.fit(X, y)
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert "Stopping." in texts[0]


def test_momentum_may_be_one_as_in_scikit_learn() -> None:
    X, y = random_data("value", 40, 3, 0)
    for nesterov in (False, True):
        ours, other = both(
            "MLPRegressor",
            solver="sgd",
            momentum=1,
            nesterovs_momentum=nesterov,
            max_iter=4,
            random_state=0,
        )
        assert_same(ours.fit(X, y), other.fit(X, y), X)


def test_saturated_probabilities_cost_what_they_do_there() -> None:
    X, y = random_data("multiclass", 60, 3, 0)
    for targets in (y, y == 7):
        ours, other = both(
            "MLPClassifier", max_iter=2, random_state=0, activation="identity", solver="sgd"
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            ours.fit(X * 1e3, targets)
            other.fit(X * 1e3, targets)
        np.testing.assert_allclose(ours.loss_curve_, other.loss_curve_, rtol=1e-9)


def test_wide_data_is_trained_in_sample_space_to_the_same_result() -> None:
    X, y = random_data("binary", 40, 900, 0)
    ours, other = both("MLPClassifier", solver="sgd", random_state=0, max_iter=60, batch_size=20)
    plain = cp.MLPClassifier(**ours.get_params()).set_params(sample_space=False)
    for early_stopping in (False, True):
        for one in (ours, other, plain):
            one.set_params(early_stopping=early_stopping).fit(X, y)
        assert_same(ours, other, X)
        np.testing.assert_allclose(
            ours._optimizer.state["v"], plain._optimizer.state["v"], atol=1e-9
        )
    assert "v" in plain._optimizer.state


@pytest.mark.parametrize("kind", ["binary", "multiclass", "value"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0, 0.5])
def test_lbfgs_over_few_samples_of_many_features_takes_the_same_steps(
    kind: str, weighted: bool, alpha: float
) -> None:
    X, y = random_data(kind, 30, 400, 0)
    weights = np.random.RandomState(1).uniform(0.5, 2, 30) if weighted else None
    name = "MLPRegressor" if kind == "value" else "MLPClassifier"
    settings: dict[str, Any] = {
        "solver": "lbfgs",
        "random_state": 0,
        "max_iter": 40,
        "alpha": alpha,
        "hidden_layer_sizes": (8, 4),
    }
    ours, other = both(name, **settings)
    plain = getattr(cp, name)(sample_space=False, **settings)
    for one in (ours, other, plain):
        one.fit(X, y, weights)
    assert_same(ours, other, X)
    assert_same(plain, other, X)


def test_the_features_that_samples_share_may_be_fewer_than_they() -> None:
    X, y = random_data("value", 30, 3, 0)
    X = np.hstack([X, X, X, np.zeros((30, 100))])
    ours, other = both("MLPRegressor", solver="lbfgs", random_state=0, max_iter=20)
    assert_same(ours.fit(X, y), other.fit(X, y), X)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("sparse", [False, True])
def test_steps_are_compiled_where_they_are_known(
    solver: str, sparse: bool, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def make(*arguments: Any) -> CompiledStep:
        made.append(arguments)
        return CompiledStep(*arguments)

    monkeypatch.setattr("clearprop.training.plan.CompiledStep", make)
    X, y = random_data("multiclass", 60, 4, 0)
    cp.MLPClassifier(solver=solver, max_iter=2).fit(csr_matrix(X) if sparse else X, y)
    assert len(made) == (mode == "compiled" and not sparse)


def test_losses_that_overflow_are_borne_until_the_end() -> None:
    X, y = random_data("values", 60, 4, 0)
    ours, other = both(
        "MLPRegressor",
        solver="sgd",
        activation="identity",
        learning_rate_init=0.2,
        nesterovs_momentum=False,
        batch_size=10,
        max_iter=60,
        random_state=0,
    )
    for one in (ours, other):
        with np.errstate(all="ignore"), pytest.raises(ValueError, match="non-finite parameter"):
            one.fit(X, y)
    assert ours.n_iter_ == other.n_iter_
    assert np.isfinite(ours.loss_curve_[0])
    assert not np.isfinite(ours.loss_)
    np.testing.assert_allclose(ours.loss_curve_, other.loss_curve_, rtol=1e-6)


def test_a_history_counts_the_batches_before_one_that_overflows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = random_data("multiclass", 60, 4, 0)
    X[35] = 1e300  # of the fourth batch
    counted = []
    for _ in range(2):
        ours = cp.MLPClassifier(
            solver="sgd", shuffle=False, batch_size=10, max_iter=1, random_state=0
        )
        with np.errstate(all="ignore"), pytest.raises(ValueError, match="non-finite parameter"):
            ours.fit(X, y, eval_set=(X[:30], y[:30]))
        counted.append(ours.history_["accuracy"])
        monkeypatch.setattr(kernel, "_mode", kernel._Mode("numpy"))
    assert counted[0] == counted[1]
    assert counted[0][0] > 0


@pytest.mark.parametrize("kind", ["multiclass", "value"])
@pytest.mark.parametrize("weighted", [False, True])
def test_threads_that_share_the_samples_of_lbfgs_take_the_same_steps(
    kind: str, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearprop.training.engines.base._CHUNK", 300)  # of 20 samples
    X, y = random_data(kind, 110, 5, 0)
    weights = np.random.RandomState(1).uniform(0.5, 2, 110) if weighted else None
    name = "MLPRegressor" if kind == "value" else "MLPClassifier"
    ours, other = both(
        name, solver="lbfgs", hidden_layer_sizes=15, random_state=0, max_iter=20, alpha=0.1
    )
    ours.set_params(threads=available_cores())
    for X_in in (X, csr_matrix(X)):
        assert_same(ours.fit(X_in, y, weights), other.fit(X_in, y, weights), X)

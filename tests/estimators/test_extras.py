"""What scikit-learn's perceptrons lack in how they are trained, and what is refused."""

import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from small_data import two_classes, values

import clearprop as cp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
STOCHASTIC = pytest.mark.parametrize("solver", ["sgd", "adam"])


@pytest.mark.parametrize("given", [{"dropout": 0.1}, {"batch_norm": True}, {"weight_decay": 0.1}])
def test_what_lbfgs_cannot_train_with_is_refused(given: Any) -> None:
    X, y = two_classes()
    with pytest.raises(ValueError, match=f"{next(iter(given))}={next(iter(given.values()))}"):
        cp.MLPClassifier(solver="lbfgs", **given).fit(X, y)


@STOCHASTIC
def test_weight_decay_shrinks_weights_by_the_rate_in_every_step(solver: str) -> None:
    X, y = np.zeros((10, 2)), np.zeros(10)
    net = cp.MLPRegressor(
        hidden_layer_sizes=3,
        solver=solver,
        weight_decay=0.5,
        alpha=0,
        max_iter=4,
        learning_rate_init=0.1,
        random_state=0,
    )
    start = cp.MLPRegressor(
        hidden_layer_sizes=3, solver=solver, max_iter=1, random_state=0, learning_rate_init=1e-300
    )
    first = start.fit(X, y).coefs_[0]
    np.testing.assert_allclose(net.fit(X, y).coefs_[0], first * 0.95**4)


@STOCHASTIC
def test_a_schedule_gives_the_rate_of_every_update(solver: str) -> None:
    X, y = values()
    schedule = cp.StepSchedule(0.01, every=6)
    net = cp.MLPRegressor(
        hidden_layer_sizes=8,
        solver=solver,
        learning_rate=schedule,
        batch_size=40,
        max_iter=4,
        random_state=0,
    ).fit(X, y)
    np.testing.assert_allclose(net.history_["learning_rate"], [0.01, 0.001, 0.001, 0.0001])
    constant = cp.MLPRegressor(
        hidden_layer_sizes=8,
        solver=solver,
        learning_rate=cp.ConstantSchedule(0.02),
        max_iter=4,
        random_state=0,
    ).fit(X, y)
    plain = constant.set_params(learning_rate="constant", learning_rate_init=0.02)
    before = constant.loss_curve_
    np.testing.assert_array_equal(before, plain.fit(X, y).loss_curve_)


def test_balanced_classes_weigh_like_samples_repeated() -> None:
    X, y = two_classes()
    rare = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:12]]
    X, y = X[rare], y[rare]
    settings: dict[str, Any] = {"solver": "lbfgs", "random_state": 0, "max_iter": 20, "alpha": 0}
    balanced = cp.MLPClassifier(4, class_weight="balanced", **settings).fit(X, y)
    given = {0: len(y) / (2 * np.sum(y == 0)), 1: len(y) / (2 * np.sum(y == 1))}
    by_hand = cp.MLPClassifier(4, class_weight=given, **settings).fit(X, y)
    weights = np.where(y == 1, given[1], given[0])
    weighed = cp.MLPClassifier(4, **settings).fit(X, y, weights)
    for one in (by_hand, weighed):
        np.testing.assert_allclose(one.predict_proba(X), balanced.predict_proba(X), rtol=1e-9)


def test_balance_needs_all_samples() -> None:
    X, y = two_classes()
    with pytest.raises(ValueError, match="needs all samples"):
        cp.MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1])


def test_sample_space_is_refused_where_it_is_not_exact() -> None:
    X, y = two_classes()
    with pytest.raises(ValueError, match="updates of EarlyEpsilonAdam are not linear"):
        cp.MLPClassifier(sample_space=True).fit(X, y)


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_sample_space_is_refused_for_sparse_samples(solver: str) -> None:
    X, y = two_classes()
    with pytest.raises(ValueError, match="found a sparse matrix"):
        cp.MLPClassifier(solver=solver, sample_space=True).fit(csr_matrix(X), y)


class Listener(cp.Callback):
    def __init__(self, stop_at: int | None = None) -> None:
        self.heard: list[str] = []
        self.stop_at = stop_at

    def on_train_begin(self, run: cp.Run) -> None:
        self.heard.append("begin")

    def on_step_end(self, run: cp.Run) -> None:
        self.heard.append("step")

    def on_epoch_end(self, run: cp.Run) -> None:
        self.heard.append(f"epoch {run.epoch} {len(run.history)}")
        if run.epoch == self.stop_at:
            run.stop()

    def on_train_end(self, run: cp.Run) -> None:
        self.heard.append(f"end {run.stop_reason}")


def test_callbacks_hear_of_steps_and_epochs_and_may_stop() -> None:
    X, y = two_classes()
    listener = Listener(stop_at=2)
    net = cp.MLPClassifier(4, callbacks=[listener], batch_size=60, random_state=0).fit(X, y)
    steps = ["step", "step"]
    assert listener.heard == ["begin", *steps, "epoch 1 1", *steps, "epoch 2 2", "end asked"]
    assert net.n_iter_ == 2
    assert net.history_.stopped == "asked"


def test_callbacks_hear_of_lbfgs_and_may_stop_it() -> None:
    X, y = two_classes()
    listener = Listener(stop_at=3)
    net = cp.MLPClassifier(4, solver="lbfgs", callbacks=[listener], random_state=0).fit(X, y)
    epochs = ["step", "epoch 1 1", "step", "epoch 2 2", "step", "epoch 3 3"]
    assert listener.heard == ["begin", *epochs, "end asked"]
    assert net.n_iter_ == 3


def test_a_progress_line_is_a_callback(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = two_classes()
    cp.MLPClassifier(4, callbacks=[cp.ProgressLine()], max_iter=10).fit(X, y)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "epoch 10/10" in shown.err


class Interrupting(cp.Callback):
    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act

    def on_step_end(self, run: cp.Run) -> None:
        if run.step == 5:
            self.act()


def _ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def _raise() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("act", [_ctrl_c, _raise])
def test_ctrl_c_ends_fit_and_keeps_the_model(act: Callable[[], object]) -> None:
    X, y = two_classes()
    net = cp.MLPClassifier(4, callbacks=[Interrupting(act)], batch_size=40, random_state=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        net.fit(X, y)
    assert net.n_iter_ == 1  # the second epoch was not finished
    assert net.history_.stopped == "interrupted"
    assert net.predict(X).shape == y.shape


def test_ctrl_c_ends_lbfgs_and_keeps_the_model() -> None:
    X, y = two_classes()

    class AtThree(cp.Callback):
        def on_epoch_end(self, run: cp.Run) -> None:
            if run.epoch == 3:
                _ctrl_c()

    net = cp.MLPClassifier(4, solver="lbfgs", callbacks=[AtThree()], random_state=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        net.fit(X, y)
    assert net.n_iter_ == 3
    assert net.predict(X).shape == y.shape


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"activation": "relo"}, "'activation' parameter of MLPClassifier must be"),
        ({"activation": ["relu", "relo"], "hidden_layer_sizes": (3, 3)}, "Did you mean 'relu'"),
        ({"activation": ["relu"], "hidden_layer_sizes": (3, 3)}, "'activation' has 1 values"),
        ({"dropout": 1.0}, "'dropout' parameter of MLPClassifier must be"),
        ({"loss": "square"}, "'loss' parameter of MLPClassifier must be"),
        ({"scoring": "acc"}, "'scoring' parameter of MLPClassifier must be"),
        ({"init": "he"}, "'init' parameter of MLPClassifier must be"),
        ({"sample_space": "yes"}, "'sample_space' parameter of MLPClassifier must be"),
        ({"solver": "rmsprop"}, "'solver' parameter of MLPClassifier must be"),
    ],
)
def test_parameters_out_of_range_are_refused(given: dict[str, Any], message: str) -> None:
    X, y = two_classes()
    with pytest.raises(ValueError, match=message):
        cp.MLPClassifier(**given).fit(X, y)


def test_negative_weights_are_refused() -> None:
    X, y = two_classes()
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        cp.MLPClassifier().fit(X, y, np.where(y, 1.0, -1.0))


def test_fits_side_by_side_leave_the_threads_as_they_were() -> None:
    from joblib import Parallel, delayed
    from threadpoolctl import threadpool_info

    def counts() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    X, y = two_classes()
    before = counts()
    fits = [
        delayed(cp.MLPClassifier(4, max_iter=3, random_state=seed, threads=1).fit)(X, y)
        for seed in (0, 0, 1)
    ]
    first, second, _ = Parallel(n_jobs=3, prefer="threads")(fits)
    assert counts() == before
    np.testing.assert_array_equal(first.coefs_[0], second.coefs_[0])


def test_a_batch_without_weight_changes_nothing_but_what_l2_pulls() -> None:
    X, y = values()
    net = cp.MLPRegressor(
        solver="sgd", alpha=0, max_iter=2, shuffle=False, batch_size=60, momentum=0, random_state=0
    )
    half = np.r_[np.zeros(60), np.ones(60)]
    with_nothing = net.fit(X, y, half).coefs_[0]
    without = net.fit(X[60:], y[60:]).coefs_[0]
    np.testing.assert_allclose(with_nothing, without, rtol=1e-12)


def test_adam_goes_on_where_lbfgs_ended() -> None:
    X, y = two_classes()
    net = cp.MLPClassifier(4, solver="lbfgs", max_iter=5, random_state=0).fit(X, y)
    before = net.loss_
    net.set_params(solver="adam", warm_start=True, max_iter=8).fit(X, y)
    assert net.loss_ < before
    assert len(net.loss_curve_) == 8
    assert len(net.history_) == 13

"""What scikit-learn's perceptrons lack."""

import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from small_data import three_classes, two_classes, values

import clearprop as cp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
STOCHASTIC = pytest.mark.parametrize("solver", ["sgd", "adam"])


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "gelu", "softplus", "relu", "logistic"])
def test_any_activation_by_name_learns(name: str) -> None:
    X, y = three_classes()
    net = cp.MLPClassifier(16, name, random_state=0, learning_rate_init=0.01).fit(X, y)
    assert net.score(X, y) > 0.95


def test_each_layer_may_have_its_own_activation() -> None:
    X, y = two_classes()
    mixed = ["tanh", cp.LeakyReLU(0.2), "identity"]
    net = cp.MLPClassifier((5, 4, 3), mixed, max_iter=3, random_state=0).fit(X, y)
    assert [type(layer) for layer in net.network_.layers] == [
        *(cp.Dense, cp.Tanh, cp.Dense, cp.LeakyReLU, cp.Dense, cp.Dense)
    ]
    assert net.network_.layers[3] == cp.LeakyReLU(0.2)


def test_dropout_drops_while_training_only() -> None:
    X, y = two_classes()
    net = cp.MLPClassifier((8, 4), dropout=[0.5, 0.0], max_iter=5, random_state=0).fit(X, y)
    plain = cp.MLPClassifier((8, 4), max_iter=5, random_state=0).fit(X, y)
    assert sum(isinstance(layer, cp.Dropout) for layer in net.network_.layers) == 1
    assert not np.allclose(net.loss_curve_, plain.loss_curve_)
    np.testing.assert_array_equal(net.predict_proba(X), net.predict_proba(X))


def test_batch_norm_keeps_running_statistics() -> None:
    X, y = two_classes()
    net = cp.MLPClassifier(8, batch_norm=True, random_state=0, learning_rate_init=0.01)
    net.fit(100 * X, y)
    assert isinstance(net.network_.layers[1], cp.BatchNorm)
    hidden = 100 * X @ net.coefs_[0] + net.intercepts_[0]
    # The intercepts have moved since the first batches; means of inputs are what is left.
    running = net.network_.state["1.running_variance"]
    np.testing.assert_allclose(running, hidden.var(axis=0), rtol=0.05)
    assert net.score(100 * X, y) > 0.85


@pytest.mark.parametrize("given", [{"dropout": 0.1}, {"batch_norm": True}, {"weight_decay": 0.1}])
def test_what_changes_the_loss_from_step_to_step_is_refused_by_lbfgs(given: Any) -> None:
    X, y = two_classes()
    with pytest.raises(ValueError, match=f"with {next(iter(given))}="):
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


def test_an_initializer_draws_the_weights_and_biases_start_at_zero() -> None:
    X, y = two_classes()
    net = cp.MLPClassifier(
        50, init=cp.Normal(3.0), max_iter=1, learning_rate_init=1e-12, random_state=0
    ).fit(X, y)
    assert 2.5 < net.coefs_[0].std() < 3.5
    np.testing.assert_allclose(net.intercepts_[0], 0, atol=1e-10)


CLASS_LOSSES = ["log_loss", "hinge", "focal", cp.SoftmaxFocal(1.0)]


@pytest.mark.parametrize("loss", CLASS_LOSSES, ids=repr)
def test_losses_of_classes_learn(loss: Any) -> None:
    X, y = three_classes()
    net = cp.MLPClassifier(16, loss=loss, random_state=0, learning_rate_init=0.01).fit(X, y)
    assert net.score(X, y) > 0.95
    assert hasattr(net, "predict_proba") == (loss != "hinge")
    if loss != "hinge":
        np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1)


def test_two_classes_and_labels_take_the_binary_losses() -> None:
    X, y = two_classes()
    labels = np.stack([y, X[:, 0] > 0], axis=1).astype(int)
    for loss, kind in (("hinge", cp.Hinge), ("focal", cp.BinaryFocal)):
        for targets in (y, labels):
            net = cp.MLPClassifier(16, loss=loss, random_state=0, learning_rate_init=0.01)
            assert net.fit(X, targets).score(X, targets) > 0.9
            assert isinstance(net.network_.loss, kind)
            assert net.predict(X).shape == targets.shape


@pytest.mark.parametrize(
    "loss", ["absolute_error", "huber", "quantile", cp.Huber(0.3), cp.Quantile(0.5)], ids=repr
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_losses_of_values_learn(loss: Any, solver: str) -> None:
    X, y = values()
    net = cp.MLPRegressor(
        loss, 20, solver=solver, random_state=0, learning_rate_init=0.01, max_iter=300
    ).fit(X, y)
    assert net.score(X, y) > 0.9


def test_a_quantile_has_its_share_below() -> None:
    random_state = np.random.RandomState(0)
    X, y = random_state.standard_normal((800, 1)), random_state.standard_normal(800)
    net = cp.MLPRegressor(
        cp.Quantile(0.9), 4, learning_rate_init=0.01, random_state=0, max_iter=60
    ).fit(X, y)
    assert 0.86 < np.mean(y < net.predict(X)) < 0.94


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


def test_sample_space_is_refused_where_it_is_not_exact() -> None:
    X, y = two_classes()
    with pytest.raises(ValueError, match="updates of EarlyEpsilonAdam are not linear"):
        cp.MLPClassifier(sample_space=True).fit(X, y)


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
    assert listener.heard == ["begin", "epoch 1 1", "epoch 2 2", "epoch 3 3", "end asked"]
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


def test_one_s_own_loss_is_trained() -> None:
    class Cubic(cp.Loss):
        def each(self, logits: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            errors = logits - y
            return (np.abs(errors) ** 3).sum(axis=1), 3 * errors * np.abs(errors)

    X, y = values()
    net = cp.MLPRegressor(Cubic(), 20, learning_rate_init=0.01, random_state=0).fit(X, y)
    assert net.score(X, y) > 0.9


@pytest.mark.parametrize("sparse", [False, True])
def test_hidden_outputs_are_those_of_the_layers(sparse: bool) -> None:
    X, y = two_classes()
    given = csr_matrix(X) if sparse else X
    net = cp.MLPClassifier((5, 3), max_iter=5, random_state=0, dropout=0.2).fit(given, y)
    first = np.maximum(X @ net.coefs_[0] + net.intercepts_[0], 0)
    last = np.maximum(first @ net.coefs_[1] + net.intercepts_[1], 0)
    np.testing.assert_allclose(net.transform(given, layer=0), first)
    np.testing.assert_allclose(net.transform(given), last)
    assert net.get_feature_names_out().tolist() == [f"mlpclassifier{n}" for n in range(3)]
    with pytest.raises(ValueError, match="There are 2 hidden layers; found layer=2"):
        net.transform(given, layer=2)


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

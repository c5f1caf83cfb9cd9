"""Fits by L-BFGS: how they begin, how they end, and in which coordinates."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from side_by_side import assert_same, both, random_data

import clearprop as cp
from clearprop.compiled import FusedGradient
from clearprop.core.kernels import give_up_compiling
from clearprop.training.engines import rotated as rotation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def wide(samples: int = 30, features: int = 400) -> tuple[Any, Any]:
    return random_data("binary", samples, features, 0)


@pytest.mark.parametrize("features", [5, 400])
@pytest.mark.parametrize("settings", [{"tol": 1e3}, {"tol": 1e-2}, {"max_fun": 1}, {"max_iter": 1}])
def test_it_ends_where_scikit_learn_s_does(features: int, settings: dict[str, Any]) -> None:
    X, y = wide(features=features)
    ours, other = both("MLPClassifier", solver="lbfgs", random_state=0, **settings)
    assert_same(ours.fit(X, y), other.fit(X, y), X)


@pytest.mark.parametrize(
    ("prepare", "basis"),
    [
        (lambda X: X, "_by_products"),
        (lambda X: 1e6 * X, "_by_products"),
        (lambda X: np.vstack([X[:-1], X[:1]]), "_by_columns"),  # one sample twice
        (lambda X: X + 1e3, "_by_columns"),  # all of them nearly alike
    ],
)
def test_a_rotation_changes_no_step(
    prepare: Callable[[Any], Any], basis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name in ("_by_products", "_by_columns"):
        find = getattr(rotation, name)
        monkeypatch.setattr(
            rotation,
            name,
            lambda X, name=name, find=find: (found.append(name), find(X))[1],
        )
    X, y = wide()
    X = prepare(X)
    settings: dict[str, Any] = {"solver": "lbfgs", "random_state": 0, "max_iter": 5, "alpha": 0.1}
    ours = cp.MLPClassifier((8, 4), **settings).fit(X, y)
    plain = cp.MLPClassifier((8, 4), sample_space=False, **settings).fit(X, y)
    assert found[-1] == basis
    np.testing.assert_allclose(ours.loss_, plain.loss_, rtol=1e-9)
    np.testing.assert_allclose(ours.coefs_[0], plain.coefs_[0], rtol=1e-6, atol=1e-9)


def test_samples_of_noise_are_rotated_by_products_however_many() -> None:
    X = np.random.RandomState(0).standard_normal((400, 1600))
    basis = rotation._by_products(X)
    assert basis is not None
    Q = basis.B.T @ basis.T
    np.testing.assert_allclose(Q.T @ Q, np.eye(400), atol=1e-12)
    np.testing.assert_allclose(Q @ basis.R, X.T, atol=1e-11)


def test_overflow_on_the_way_is_not_told() -> None:
    X, y = wide()
    net = cp.MLPClassifier(4, solver="lbfgs", random_state=0, max_iter=2)
    net.fit(1e160 * X, y)  # its square is infinite, and a warning would be an error here
    assert np.isfinite(net.coefs_[0]).all()


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_somebody_has_to_count(solver: str) -> None:
    X, y = random_data("binary", 30, 3, 0)
    for weights in ({"yes": 0.0, "no": 0.0}, {"no": 0.0}):
        sample_weight = None if "yes" in weights else (y == "no").astype(float)
        net = cp.MLPClassifier(4, solver=solver, class_weight=weights)
        with pytest.raises(ValueError, match="Every sample has weight 0"):
            net.fit(X, y, sample_weight)


def test_a_refused_fit_leaves_what_was_learned() -> None:
    X, y = random_data("multiclass", 60, 4, 0)
    net = cp.MLPClassifier(8, solver="lbfgs", random_state=0, max_iter=50).fit(X, y)
    before = net.predict(X)
    with pytest.raises(ValueError, match="sample_weight"):
        net.fit(X[y != 7], y[y != 7], np.ones(3))
    with pytest.raises(ValueError, match="dropout"):
        net.set_params(dropout=0.5).fit(X, y)
    with pytest.raises(ValueError, match="alpha pulls"):
        net.set_params(dropout=0.0, weight_decay=0.1).fit(X, y)
    np.testing.assert_array_equal(net.predict(X), before)


class Acting(cp.Callback):
    def __init__(self, place: str, act: Callable[[cp.Run], object]) -> None:
        self.place, self.act, self.ended = place, act, 0

    def on_train_begin(self, run: cp.Run) -> None:
        if self.place == "begin":
            self.act(run)

    def on_epoch_end(self, run: cp.Run) -> None:
        if self.place == "epoch" and run.epoch == 2:
            self.act(run)

    def on_train_end(self, run: cp.Run) -> None:
        self.ended += 1


def _fail(error: type[BaseException]) -> Callable[[cp.Run], object]:
    def act(_: cp.Run) -> None:
        raise error

    return act


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callbacks_that_fail_or_stop_end_it_alike(solver: str) -> None:
    X, y = random_data("binary", 40, 3, 0)
    failing = Acting("epoch", _fail(LookupError))
    with pytest.raises(LookupError):
        cp.MLPClassifier(4, solver=solver, callbacks=[failing], random_state=0).fit(X, y)
    assert failing.ended == 1
    interrupting = Acting("epoch", _fail(KeyboardInterrupt))
    net = cp.MLPClassifier(4, solver=solver, callbacks=[interrupting], random_state=0)
    with pytest.warns(UserWarning, match="interrupted by user"):
        net.fit(X, y)
    assert (net.n_iter_, interrupting.ended) == (2, 1)
    stopping = Acting("begin", lambda run: run.stop())
    net = cp.MLPClassifier(4, solver=solver, callbacks=[stopping], random_state=0).fit(X, y)
    assert (net.n_iter_, stopping.ended, net.history_.stopped) == (0, 1, "asked")


def test_few_samples_of_a_million_features_take_little_memory() -> None:
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    net = cp.Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(1000,))
    X = np.ones((3, 1000))
    passes = FusedGradient(net, net.loss, X, np.ones((3, 1)), None, 1)
    assert passes._vectors[0].memory.size <= 3


def test_too_little_memory_is_not_blamed_on_numba() -> None:
    with pytest.raises(MemoryError):
        give_up_compiling(MemoryError())

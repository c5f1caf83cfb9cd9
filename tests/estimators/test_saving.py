"""Estimators in files, in pickles, and to and from scikit-learn."""

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.metrics import accuracy_score, make_scorer
from small_data import three_classes, two_classes, values

import clearprop as cp
from clearprop.errors import ModelFileError
from clearprop.files.tensors import open_tensors, save_tensors

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def multilabel() -> tuple[np.ndarray, np.ndarray]:
    X, y = two_classes()
    return X, np.stack([y, X[:, 0] > 0], axis=1).astype(int)


CASES: dict[str, tuple[Any, tuple[np.ndarray, np.ndarray]]] = {
    "numbers": (cp.MLPClassifier(4), two_classes()),
    "strings": (cp.MLPClassifier((4, 3), ("tanh", cp.ELU(0.5)), solver="sgd"), three_classes()),
    "labels": (cp.MLPClassifier(4, batch_norm=True, dropout=0.1), multilabel()),
    "weights of classes": (cp.MLPClassifier(4, class_weight={0: 1.0, 1: 3.0}), two_classes()),
    "hinge": (cp.MLPClassifier(4, loss="hinge", early_stopping=True), three_classes()),
    "schedule": (cp.MLPClassifier(4, learning_rate=cp.CosineSchedule(0.1, 9)), two_classes()),
    "values": (cp.MLPRegressor(cp.Huber(0.4), 4, init=cp.HeNormal()), values()),
    "several values": (cp.MLPRegressor(solver="lbfgs"), (values()[0], values()[0][:, :2])),
}
each_case = pytest.mark.parametrize(("estimator", "data"), CASES.values(), ids=CASES)


def fitted(estimator: Any, data: tuple[np.ndarray, np.ndarray]) -> Any:
    return copy.deepcopy(estimator).set_params(max_iter=4, random_state=0).fit(*data)


def assert_equal(one: Any, other: Any, X: np.ndarray) -> None:
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    assert one.predict(X).dtype == other.predict(X).dtype
    if hasattr(one, "predict_proba"):
        np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


@each_case
def test_a_file_gives_the_same_estimator(
    estimator: Any, data: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    before = fitted(estimator, data)
    before.save(tmp_path / "net.safetensors")
    after: Any = cp.load(tmp_path / "net.safetensors")
    assert type(after) is type(before)
    assert_equal(before, after, data[0])
    assert repr(after.get_params()) == repr(before.get_params())
    assert after.history_.rows == before.history_.rows
    for name in ("loss_", "n_iter_", "t_", "n_features_in_", "out_activation_"):
        assert getattr(after, name) == getattr(before, name)
    if before.solver != "lbfgs":
        after.partial_fit(*data) if not before.early_stopping else None
        after.set_params(warm_start=True).fit(*data)


@each_case
def test_pickles_and_copies_are_whole(estimator: Any, data: tuple[np.ndarray, np.ndarray]) -> None:
    before = fitted(estimator, data)
    for after in (pickle.loads(pickle.dumps(before)), copy.deepcopy(before)):  # noqa: S301 - ours
        assert_equal(before, after, data[0])
        assert np.shares_memory(after.coefs_[0], after.network_.parameters.data)
        if before.solver != "lbfgs" and not before.early_stopping:
            twin = copy.deepcopy(before)
            assert_equal(twin.partial_fit(*data), after.partial_fit(*data), data[0])


def test_a_file_of_an_estimator_is_a_model_file_too(tmp_path: Path) -> None:
    from clearprop.files.models import load

    X, y = two_classes()
    net = cp.MLPClassifier(4, max_iter=3, random_state=0).fit(X, y)
    net.save(tmp_path / "net.safetensors")
    model = load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(model.network.predict_proba(X), net.predict_proba(X))
    cp.save(tmp_path / "plain.safetensors", net.network_)
    assert isinstance(cp.load(tmp_path / "plain.safetensors"), cp.Model)


def test_what_is_no_plain_value_is_left_out(tmp_path: Path) -> None:
    X, y = two_classes()
    net = cp.MLPClassifier(
        4,
        max_iter=2,
        callbacks=[cp.Callback()],
        random_state=np.random.RandomState(0),
        scoring=make_scorer(accuracy_score),
    ).fit(X, y)
    net.save(tmp_path / "net.safetensors")
    after: Any = cp.load(tmp_path / "net.safetensors")
    assert after.callbacks is after.random_state is after.scoring is None
    assert_equal(net, after, X)


def test_names_of_features_are_kept(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    X, y = two_classes()
    table = pandas.DataFrame(X, columns=list("abcdef"))
    cp.MLPClassifier(4, max_iter=2).fit(table, y).save(tmp_path / "net.safetensors")
    after: Any = cp.load(tmp_path / "net.safetensors")
    assert after.feature_names_in_.tolist() == list("abcdef")
    with pytest.raises(ValueError, match="feature names should match"):
        after.predict(table.rename(columns={"a": "z"}))


@pytest.mark.parametrize(
    "damage",
    [
        {"class": "Classifier"},
        {"class": 3},
        {"reached": {"n_features_in_": 9, "n_outputs_": 1}},
        {"reached": None},
        {"parameters": {"activation": {"type": "Popen"}}},
        {"parameters": ["relu"]},
        {"classes": {"dtype": "U99999999999", "values": [0, 1], "multilabel": False}},
        {"classes": {"dtype": "int64", "values": [[[0]]], "multilabel": False}},
        {"history": 3},
    ],
    ids=repr,
)
def test_a_damaged_description_is_refused(damage: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    X, y = two_classes()
    cp.MLPClassifier(4, max_iter=2).fit(X, y).save(path)
    file = open_tensors(path, "model")
    description = json.loads(json.dumps(file.description))
    description["training"]["estimator"].update(damage)
    save_tensors(path, {name: file.read(name) for name in file.shapes}, description)
    with pytest.raises(ModelFileError, match="estimator is damaged"):
        cp.load(path)


def test_an_estimator_that_has_not_learned_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not fitted yet"):
        cp.MLPClassifier().save(tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("data", [two_classes(), three_classes(), multilabel()])
def test_classifiers_go_to_scikit_learn_and_come_from_there(
    solver: str, data: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = data
    other = theirs.MLPClassifier(8, "tanh", solver=solver, max_iter=4, random_state=0).fit(X, y)
    ours = cp.MLPClassifier.from_sklearn(other)
    np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), rtol=1e-12)
    back = ours.to_sklearn()
    assert back.get_params() == other.get_params()
    np.testing.assert_array_equal(back.predict_proba(X), other.predict_proba(X))
    ours.coefs_[0][...] = 0
    assert back.coefs_[0].any()
    assert other.coefs_[0].any()


def test_regressors_go_to_scikit_learn_and_come_from_there() -> None:
    X, y = values()
    for loss, targets in (("squared_error", y), ("poisson", np.abs(y))):
        other = theirs.MLPRegressor(loss, 8, max_iter=4, random_state=0).fit(X, targets)
        ours = cp.MLPRegressor.from_sklearn(other)
        np.testing.assert_allclose(ours.predict(X), other.predict(X), rtol=1e-12)
        np.testing.assert_array_equal(ours.to_sklearn().predict(X), other.predict(X))
        np.testing.assert_allclose(
            ours.partial_fit(X, targets).loss_, other.partial_fit(X, targets).loss_, rtol=0.05
        )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"activation": "gelu"}, "no activation='gelu'"),
        ({"activation": ["relu"]}, r"no activation=\['relu'\]"),
        ({"batch_norm": True}, "no batch_norm"),
        ({"loss": "hinge"}, "no loss='hinge'"),
    ],
)
def test_what_scikit_learn_lacks_does_not_go_there(given: dict[str, Any], message: str) -> None:
    X, y = two_classes()
    net = cp.MLPClassifier(4, max_iter=2, random_state=0).set_params(**given).fit(X, y)
    with pytest.raises(ValueError, match=message):
        net.to_sklearn()


def test_only_scikit_learn_s_come_from_there() -> None:
    with pytest.raises(TypeError, match="from_sklearn takes scikit-learn's"):
        cp.MLPClassifier.from_sklearn(theirs.MLPRegressor())
    with pytest.raises(ValueError, match="not fitted yet"):
        cp.MLPClassifier.from_sklearn(theirs.MLPClassifier())


def test_arrays_put_into_the_lists_are_used() -> None:
    X, y = two_classes()
    net = cp.MLPClassifier(4, max_iter=2, random_state=0).fit(X, y)
    net.coefs_[1] = np.zeros((4, 1))
    net.intercepts_[1] = np.full(1, 2.0)
    np.testing.assert_allclose(net.predict_proba(X)[:, 1], 1 / (1 + np.exp(-2)))
    assert not net.network_.parameters["2.W"].any()


def test_the_network_is_the_engine_s() -> None:
    X, y = two_classes()
    net = cp.MLPClassifier(4, max_iter=2, random_state=0).fit(X, y)
    loss, gradient = net.network_.loss_and_gradient(X, y)
    assert np.isfinite(loss)
    assert gradient["0.W"].shape == net.coefs_[0].shape
    with pytest.raises(ValueError, match="not fitted yet"):
        _ = cp.MLPClassifier().network_


def test_classes_that_a_file_cannot_hold_are_refused(tmp_path: Path) -> None:
    X, days = np.eye(4), np.array(["2020-01-01", "2020-01-02"] * 2, dtype="datetime64[D]")
    net = cp.MLPClassifier(3, max_iter=2).fit(X, days)
    with pytest.raises(cp.errors.UsageError, match=r"datetime64.*can't be saved"):
        net.save(tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())

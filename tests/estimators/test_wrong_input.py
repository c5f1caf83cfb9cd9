"""What a newcomer gets wrong is refused by scikit-learn's types, in words that name it."""

from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from scipy.sparse import csr_matrix
from small_data import three_classes, two_classes, values

import clearprop as cp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = two_classes(40)


def fit(**settings: Any) -> cp.MLPClassifier:
    return cp.MLPClassifier(**{"hidden_layer_sizes": 4, "max_iter": 2} | settings).fit(X, y)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"hidden_layer_sizes": (4.5,)}, TypeError, r"whole numbers, such as \(100, 50\), got 4.5"),
        ({"hidden_layer_sizes": ["8"]}, TypeError, "whole numbers, .* got '8'"),
        ({"hidden_layer_sizes": ((4, 3),)}, TypeError, r"whole numbers, .* got \(4, 3\)"),
        ({"hidden_layer_sizes": True}, TypeError, "whole numbers, .* got True"),
        ({"hidden_layer_sizes": (4, 0)}, ValueError, r"must be > 0, got \[4, 0\]"),
        ({"activation": ["rellu"]}, ValueError, "no activation 'rellu'. Did you mean 'relu'"),
        ({"activation": [None]}, ValueError, "no activation 'None'"),
        ({"activation": [[1]]}, ValueError, r"no activation '\[1\]'"),
        ({"activation": [cp.LeakyReLU]}, ValueError, r"takes a layer, LeakyReLU\(\), and not its"),
        ({"activation": cp.Dense(3)}, ValueError, r"activation can't be Dense.*hidden_layer_sizes"),
        ({"activation": cp.Dropout(0.5)}, ValueError, "activation can't be Dropout"),
        ({"activation": ["relu", "tanh"]}, ValueError, "has 2 values, and there are 1 hidden"),
        ({"dropout": [1.5]}, ValueError, "dropout must hold shares .* got 1.5"),
        ({"dropout": ["a"]}, ValueError, "dropout must hold shares .* got 'a'"),
        ({"dropout": [float("nan")]}, ValueError, "dropout must hold shares .* got nan"),
        ({"dropout": 1.5}, ValueError, "'dropout' parameter of MLPClassifier"),
        ({"callbacks": cp.ProgressLine()}, ValueError, "'callbacks' parameter of MLPClassifier"),
        ({"callbacks": [print]}, TypeError, "instances of clearprop.Callback, .* got <built-in"),
        ({"callbacks": [cp.ProgressLine]}, TypeError, "instances of clearprop.Callback, .* <class"),
        ({"class_weight": {0: -1.0}}, ValueError, "numbers of at least 0, got -1.0 for 0"),
        ({"class_weight": {1: float("nan")}}, ValueError, "finite numbers .* got nan for 1"),
        ({"class_weight": {1: "2"}}, ValueError, "finite numbers .* got '2' for 1"),
        ({"class_weight": {0: 1, 7: 2}}, ValueError, r"weight for 7; the classes are \[0, 1\]"),
        ({"loss": cp.MeanSquaredError()}, ValueError, "is for values; MLPRegressor takes it"),
        ({"loss": cp.SoftmaxCrossEntropy()}, ValueError, r"two classes, .*BinaryCrossEntropy\(\)"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_parameters(settings: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        fit(**settings)


@pytest.mark.parametrize("loss", [cp.BinaryCrossEntropy(), cp.Hinge(), cp.BinaryFocal(1.0)])
def test_a_loss_of_yes_or_no_for_three_classes(loss: cp.Loss) -> None:
    with pytest.raises(ValueError, match=r"not for one of many classes; (Soft|Multi)\w+\(\) is"):
        cp.MLPClassifier(loss=loss).fit(*three_classes())


def test_a_loss_of_classes_for_values() -> None:
    with pytest.raises(ValueError, match="is for classes; MLPClassifier takes it"):
        cp.MLPRegressor(cp.Hinge()).fit(*values())


@pytest.mark.parametrize(
    ("eval_set", "found"),
    [
        (X, "a ndarray"),
        ((X, y, y), "a tuple of 3"),
        ([(X, y)], "a list of 1"),
        ([(X, y), (X, y)], "a list of 2"),
        (0.2, "a float"),
    ],
    ids=["array", "three", "list of one", "list of two", "share"],
)
def test_an_evaluation_set_that_is_no_pair(eval_set: Any, found: str) -> None:
    with pytest.raises(TypeError, match=rf"eval_set=\(X_val, y_val\), got {found}"):
        cp.MLPClassifier(4).fit(X, y, eval_set=eval_set)


def test_what_is_wrong_with_the_evaluation_set_is_said_to_be_its() -> None:
    with pytest.raises(ValueError, match="3 features") as caught:
        cp.MLPClassifier(4).fit(X, y, eval_set=(X[:, :3], y))
    assert caught.value.__notes__ == ["It is the eval_set that this is about."]
    with pytest.raises(ValueError, match="contains NaN") as caught:
        cp.MLPClassifier(4).fit(X * np.nan, y, eval_set=(X, y))
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("estimator", [cp.MLPClassifier, cp.MLPRegressor])
def test_a_column_of_text_is_named(library: str, estimator: Any) -> None:
    frames = pytest.importorskip(library)
    numbers = {"size": X[:, 0], "empty": [None, *X[1:, 1]]}
    text = frames.DataFrame({**numbers, "colour": ["red", "green"] * 20, "odd": ["x"] * 40})
    message = rf"{estimator.__name__} takes numbers, and column 'colour' holds 'red'. Encode"
    with pytest.raises(ValueError, match=message):
        estimator().fit(text, y)
    net = estimator(hidden_layer_sizes=4, max_iter=2)
    net.fit(frames.DataFrame({"size": X[:, 0], "colour": X[:, 1]}), y)
    with pytest.raises(ValueError, match="column 'colour' holds 'red'"):
        net.predict(text[["size", "colour"]])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        estimator().fit(text[["size", "empty"]], y)


def test_a_column_of_dates_is_named() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": X[:, 0]}).assign(day=pandas.Timestamp("2020-01-01"))
    with pytest.raises(TypeError, match="column 'day' holds '2020-01-01"):
        cp.MLPClassifier().fit(table, y)


def test_labels_may_be_floats_and_sparse() -> None:
    labels = np.stack([y, 1 - y, X[:, 0] > 0], axis=1).astype(float)
    dense, sparse = (
        cp.MLPClassifier(4, max_iter=2, random_state=0).fit(X, given)
        for given in (labels, csr_matrix(labels))
    )
    np.testing.assert_array_equal(dense.predict_proba(X), sparse.predict_proba(X))


def test_values_for_a_classifier() -> None:
    for net in (cp.MLPClassifier(4), fit().set_params(warm_start=True)):
        with pytest.raises(ValueError, match=r"Unknown label type: continuous\. Maybe you are"):
            net.fit(X, X[:, 0])


@pytest.mark.parametrize("labels", [["a", 1], [None, "a"], [1, "a"]])
def test_labels_of_different_types(labels: list[Any]) -> None:
    with pytest.raises(TypeError, match=r"labels of one type, got \w+, \w+. Bring them to one"):
        cp.MLPClassifier().fit(X, np.array(labels, dtype=object)[y])


def test_a_layer_that_is_no_number() -> None:
    net = fit()
    np.testing.assert_array_equal(net.transform(X, layer=np.int64(0)), net.transform(X))
    for layer in ("last", 0.5):
        with pytest.raises(TypeError, match="number of a hidden layer, got"):
            net.transform(X, layer=layer)


def test_nothing_is_transformed_without_hidden_layers() -> None:
    net = fit(hidden_layer_sizes=())
    with pytest.raises(ValueError, match="There are 0 hidden layers"):
        net.transform(X)
    with pytest.raises(ValueError, match="no hidden layer"):
        net.get_feature_names_out()


def test_what_does_not_come_from_scikit_learn() -> None:
    with pytest.raises(TypeError, match=r"takes scikit-learn's own MLPClassifier, fitted, got ML"):
        cp.MLPClassifier.from_sklearn(theirs.MLPRegressor())


def test_weights_of_some_classes_are_enough_for_a_batch_without_them() -> None:
    net = cp.MLPClassifier(4, class_weight={1: 5.0}, random_state=0)
    plain = cp.MLPClassifier(4, random_state=0)
    for one in (net, plain):
        one.partial_fit(X[y == 0], y[y == 0], classes=[0, 1])
    np.testing.assert_array_equal(net.coefs_[0], plain.coefs_[0])
    plain.partial_fit(X, y, np.where(y == 1, 5.0, 1.0))
    np.testing.assert_array_equal(net.partial_fit(X, y).coefs_[0], plain.coefs_[0])

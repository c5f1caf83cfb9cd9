"""Activations, layers and losses that scikit-learn's perceptrons lack."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from small_data import three_classes, two_classes, values

import clearprop as cp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    "name", ["leaky_relu", "elu", "selu", "gelu", "mish", "softplus", "relu", "logistic"]
)
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


def test_an_initializer_draws_the_weights_and_biases_start_at_zero() -> None:
    X, y = two_classes()
    net = cp.MLPClassifier(
        50, init=cp.Normal(3.0), max_iter=1, learning_rate_init=1e-12, random_state=0
    ).fit(X, y)
    assert 2.5 < net.coefs_[0].std() < 3.5
    np.testing.assert_allclose(net.intercepts_[0], 0, atol=1e-10)


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


def test_one_s_own_loss_is_trained() -> None:
    class Cubic(cp.Loss):
        def each(self, logits: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            errors = logits - y
            return (np.abs(errors) ** 3).sum(axis=1), 3 * errors * np.abs(errors)

    X, y = values()
    net = cp.MLPRegressor(Cubic(), 20, learning_rate_init=0.01, random_state=0).fit(X, y)
    assert net.score(X, y) > 0.9

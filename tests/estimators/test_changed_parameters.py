"""Parameters that change between two fits hold in the second."""

from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from small_data import two_classes

import clearprop as cp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = two_classes()
SETTINGS: dict[str, Any] = {"hidden_layer_sizes": (6, 4), "max_iter": 4, "random_state": 0}


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("activation", ["tanh", "identity"])
def test_an_activation_changed_for_a_warm_start(solver: str, activation: str) -> None:
    ours, other = (
        kind(solver=solver, warm_start=True, **SETTINGS)
        .fit(X, y)
        .set_params(activation=activation)
        .fit(X, y)
        for kind in (cp.MLPClassifier, theirs.MLPClassifier)
    )
    np.testing.assert_allclose(ours.loss_, other.loss_, rtol=1e-9)
    np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), rtol=1e-7)
    assert np.shares_memory(ours.coefs_[0], ours.network_.parameters.data)


def test_an_activation_changed_between_batches() -> None:
    ours, other = (
        kind(**SETTINGS).partial_fit(X, y, classes=[0, 1])
        for kind in (cp.MLPClassifier, theirs.MLPClassifier)
    )
    for activation in ("tanh", "tanh", "relu"):
        for net in (ours, other):
            net.set_params(activation=activation).partial_fit(X, y)
        np.testing.assert_allclose(ours.loss_curve_, other.loss_curve_, rtol=1e-9)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_l2_changed_between_batches(solver: str) -> None:
    ours, other = (
        kind(solver=solver, **SETTINGS).partial_fit(X, y, classes=[0, 1])
        for kind in (cp.MLPClassifier, theirs.MLPClassifier)
    )
    for alpha in (10.0, 0.0):
        for net in (ours, other):
            net.set_params(alpha=alpha).partial_fit(X, y).partial_fit(X, y)
    np.testing.assert_allclose(ours.loss_curve_, other.loss_curve_, rtol=1e-9)


def test_dropout_and_losses_change_too() -> None:
    net = cp.MLPClassifier(**SETTINGS).partial_fit(X, y, classes=[0, 1])
    for changed, kind in (({"dropout": 0.3}, cp.Dropout), ({"activation": "gelu"}, cp.GELU)):
        net.set_params(**changed).partial_fit(X, y)
        assert any(isinstance(layer, kind) for layer in net.network_.layers)
    weights = net.coefs_[0].copy()
    net.set_params(loss="hinge", learning_rate_init=1e-300, warm_start=True).fit(X, y)
    assert isinstance(net.network_.loss, cp.Hinge)
    np.testing.assert_array_equal(net.coefs_[0], weights)


def test_nothing_is_built_anew_where_nothing_changes() -> None:
    net = cp.MLPClassifier(**SETTINGS, dropout=[0.1, 0]).partial_fit(X, y, classes=[0, 1])
    network = net.network_
    assert net.set_params(alpha=0.1).partial_fit(X, y).network_ is network


def test_what_has_numbers_of_its_own_needs_a_clone() -> None:
    net = cp.MLPClassifier(**SETTINGS).partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="a network of 95 numbers, and 75 were learned"):
        net.set_params(batch_norm=True).partial_fit(X, y)

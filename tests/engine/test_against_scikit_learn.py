"""Networks against scikit-learn's own, where it has the same parts."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

import clearprop as cp
from clearprop.network import Network
from clearprop.optimizers import Adam, Momentum, Nesterov, Optimizer

ALPHA, RATE, STEPS = 0.3, 0.02, 10
X = np.random.RandomState(0).standard_normal((40, 6))
CLASSES = np.arange(40) % 3
TARGETS: dict[str, tuple[cp.Loss, int, np.ndarray]] = {
    "three classes": (cp.SoftmaxCrossEntropy(), 3, CLASSES),
    "two classes": (cp.BinaryCrossEntropy(), 1, CLASSES % 2),
    "multilabel": (cp.BinaryCrossEntropy(), 3, (X[:, :3] > 0).astype(int)),
    "values": (cp.MeanSquaredError(), 1, X @ np.arange(6)),
}
ACTIVATIONS: dict[str, cp.Layer] = {"relu": cp.ReLU(), "tanh": cp.Tanh(), "logistic": cp.Sigmoid()}
# scikit-learn adds Adam's epsilon before the second correction, as in the paper's last formula of
# section 2, and clearprop after it, as in algorithm 1: only where it is tiny are both the same.
TINY = 1e-30
SOLVERS: dict[str, tuple[dict[str, object], Optimizer]] = {
    "adam": ({"solver": "adam", "epsilon": TINY}, Adam(RATE, alpha=ALPHA, epsilon=TINY)),
    "momentum": (
        {"solver": "sgd", "nesterovs_momentum": False},
        Momentum(RATE, alpha=ALPHA),
    ),
    "nesterov": ({"solver": "sgd"}, Nesterov(RATE, alpha=ALPHA)),
}


@pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning")
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", TARGETS)
def test_full_batches_train_as_in_scikit_learn(kind: str, activation: str, solver: str) -> None:
    loss, outputs, y = TARGETS[kind]
    options, optimizer = SOLVERS[solver]
    settings = {
        **options,
        "hidden_layer_sizes": (5, 4),
        "activation": activation,
        "alpha": ALPHA,
        "batch_size": len(X),
        "shuffle": False,
        "random_state": 0,
        "max_iter": STEPS,
        "n_iter_no_change": STEPS + 1,
    }
    estimator = MLPRegressor if kind == "values" else MLPClassifier
    unmoved = estimator(learning_rate_init=1e-300, **settings).fit(X, y)
    trained = estimator(learning_rate_init=RATE, **settings).fit(X, y)
    halves = 1.0
    if kind == "values":  # scikit-learn trains for half the squared error
        halves, optimizer = 2.0, for_twice_the_loss(optimizer)

    layer = ACTIVATIONS[activation]
    net = Network(
        [cp.Dense(5), layer, cp.Dense(4), layer, cp.Dense(outputs)], loss=loss, input_shape=(6,)
    )
    net.parameters.assign(arrays_of(unmoved))
    state = optimizer.start(net.parameters)
    losses = []
    for step in range(STEPS):
        value, gradient = net.loss_and_gradient(X, y)
        losses.append(value + optimizer.regularize(net, gradient, len(X)))
        optimizer.step(net.parameters, gradient, state, step)

    np.testing.assert_allclose(losses, halves * np.array(trained.loss_curve_), rtol=1e-10)
    for name, values in arrays_of(trained).items():
        np.testing.assert_allclose(net.parameters[name], values, rtol=1e-9, atol=1e-12)
    if kind == "values":
        np.testing.assert_allclose(net.predict(X), trained.predict(X), rtol=1e-9)
    else:
        np.testing.assert_allclose(net.predict_proba(X), trained.predict_proba(X), rtol=1e-9)
        np.testing.assert_array_equal(net.predict(X), trained.predict(X))


def for_twice_the_loss(optimizer: Optimizer) -> Optimizer:
    """Return the optimizer that does to 2 f what the given one does to f."""
    rate = RATE if isinstance(optimizer, Adam) else RATE / 2  # Adam divides by the gradient's size
    return replace(optimizer, alpha=2 * ALPHA, learning_rate=rate)


def arrays_of(mlp: MLPClassifier | MLPRegressor) -> dict[str, np.ndarray]:
    weights = {f"{2 * place}.W": W for place, W in enumerate(mlp.coefs_)}
    return weights | {f"{2 * place}.b": b for place, b in enumerate(mlp.intercepts_)}

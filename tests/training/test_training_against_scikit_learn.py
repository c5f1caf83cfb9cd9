"""Minibatch training, from the same first weights and on the same batches as scikit-learn's."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier
from small_training import RecordedRows, Recorder, small_network, two_classes

import clearprop as cp

X, Y = two_classes(31)
ALPHA, RATE = 0.4, 0.05
TINY = 1e-30  # scikit-learn adds Adam's epsilon at another place: only a tiny one is the same
SOLVERS: dict[str, tuple[dict[str, object], cp.Optimizer]] = {
    "adam": ({"solver": "adam", "epsilon": TINY}, cp.Adam(RATE, alpha=ALPHA, epsilon=TINY)),
    "momentum": ({"solver": "sgd", "nesterovs_momentum": False}, cp.Momentum(RATE, alpha=ALPHA)),
    "nesterov": ({"solver": "sgd"}, cp.Nesterov(RATE, alpha=ALPHA)),
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("replacement", [False, True])
def test_minibatches_train_as_in_scikit_learn(solver: str, replacement: bool) -> None:
    options, optimizer = SOLVERS[solver]
    net = small_network(cp.Dense(5), cp.ReLU())
    mlp = MLPClassifier(
        (5,), alpha=ALPHA, learning_rate_init=RATE, shuffle=False, random_state=0, **options
    )
    mlp.partial_fit(X, Y, classes=[0, 1])  # makes its arrays, which then get our first weights
    for place, layer in enumerate("02"):
        mlp.coefs_[place][...] = net.parameters[f"{layer}.W"]
        mlp.intercepts_[place][...] = net.parameters[f"{layer}.b"]
    del mlp._optimizer  # with what it remembers of that call

    rows, recorder = RecordedRows(X), Recorder()
    cp.Trainer(optimizer=optimizer, epochs=4, batch_size=8, replacement=replacement).fit(
        net, rows, Y, callbacks=[recorder]
    )
    losses = []
    for batch in rows.asked:
        mlp.partial_fit(X[batch], Y[batch])
        losses.append(mlp.loss_)

    np.testing.assert_allclose(recorder.losses, losses, rtol=1e-9)
    for place, layer in enumerate("02"):
        for name, array in (("W", mlp.coefs_[place]), ("b", mlp.intercepts_[place])):
            np.testing.assert_allclose(net.parameters[f"{layer}.{name}"], array, rtol=1e-8)
    np.testing.assert_allclose(net.predict_proba(X), mlp.predict_proba(X), rtol=1e-9)

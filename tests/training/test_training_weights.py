"""What pulls at an update beside the plain mean loss: weights, L2 and clipping."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from small_training import small_network, two_classes

import clearprop as cp
from clearprop.core.parameters import Array
from clearprop.errors import UsageError
from clearprop.network import Network

X, Y = two_classes()
THREE = np.array([0] * 12 + [1] * 8 + [2] * 3)


def softmax_network() -> Network:
    return cp.Network(
        [cp.Dense(4), cp.Tanh(), cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(3,)
    )


@pytest.mark.parametrize(
    ("make", "y"),
    [(small_network, Y), (softmax_network, THREE), (softmax_network, np.eye(3)[THREE])],
    ids=["two classes", "three classes", "one-hot"],
)
@pytest.mark.parametrize("batch_size", [None, 5])
def test_balanced_classes_weigh_as_in_scikit_learn(
    make: Callable[[], Network], y: Array, batch_size: int | None
) -> None:
    numbers = y if y.ndim == 1 else y.argmax(axis=1)
    settings = {"optimizer": cp.SGD(0.3), "epochs": 3, "batch_size": batch_size}
    net, twin = make(), make()
    cp.Trainer(class_weight="balanced", **settings).fit(net, X, y)
    cp.Trainer(**settings).fit(twin, X, y, sample_weight=compute_sample_weight("balanced", numbers))
    np.testing.assert_array_equal(net.parameters.data, twin.parameters.data)

    classes = np.unique(numbers)
    named = dict(
        zip(
            classes.tolist(),
            compute_class_weight("balanced", classes=classes, y=numbers).tolist(),
            strict=True,
        )
    )
    third = make()
    cp.Trainer(class_weight=named, **settings).fit(third, X, y)
    np.testing.assert_array_equal(net.parameters.data, third.parameters.data)


@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_whole_sample_weights_are_samples_repeated(alpha: float) -> None:
    counts = np.arange(len(X)) % 4
    trainer = cp.Trainer(optimizer=cp.Momentum(0.3, alpha=alpha), epochs=5, batch_size=None)
    weighted, repeated = small_network(), small_network()
    first = trainer.fit(weighted, X, Y, sample_weight=counts)
    second = trainer.fit(repeated, X.repeat(counts, axis=0), Y.repeat(counts))
    np.testing.assert_allclose(weighted.parameters.data, repeated.parameters.data, rtol=1e-11)
    np.testing.assert_allclose(first["loss"], second["loss"], rtol=1e-11)


def test_held_out_samples_count_alike() -> None:
    weights = np.arange(len(X)) % 2.0
    net = small_network()
    trainer = cp.Trainer(optimizer=cp.SGD(1e-300), epochs=1, seed=3)
    history = trainer.fit(net, X, Y, validation=0.3, sample_weight=weights)
    held = round(0.3 * len(X))
    rows = np.random.RandomState(3).permutation(len(X))[:held]
    expected = net.loss_and_gradient(X[rows], Y[rows])[0]
    assert history["validation_loss"] == [pytest.approx(expected, rel=1e-12)]


def test_class_and_sample_weights_are_multiplied() -> None:
    weights = np.linspace(0.5, 2, len(X))
    trainer = cp.Trainer(epochs=2, batch_size=6)
    net, twin = small_network(), small_network()
    cp.Trainer(epochs=2, batch_size=6, class_weight={1: 3.0}).fit(net, X, Y, sample_weight=weights)
    trainer.fit(twin, X, Y, sample_weight=weights * np.where(Y == 1, 3.0, 1.0))
    np.testing.assert_array_equal(net.parameters.data, twin.parameters.data)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("even", "found 'even'"),
        ({2: 1.0}, r"class 2, which does not occur; there are \[0, 1\]"),
        ({1: -1.0}, "not negative"),
        ({0: float("nan")}, "finite"),
    ],
)
def test_class_weights_that_can_not_be_are_refused(class_weight: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        cp.Trainer(class_weight=class_weight).fit(small_network(), X, Y)


def test_values_have_no_class_weights() -> None:
    net = cp.Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(3,))
    with pytest.raises(UsageError, match="targets that are classes"):
        cp.Trainer(class_weight="balanced").fit(net, X, X[:, 0])


def penalised_loss(flat: Array, alpha: float) -> complex:
    """Mean cross-entropy of a 3-4-1 tanh network, plus alpha / (2 N) times its squared weights."""
    W1, b1, W2, b2 = flat[:12].reshape(3, 4), flat[12:16], flat[16:20], flat[20]
    z = np.tanh(X @ W1 + b1) @ W2 + b2
    losses = np.log(1 + np.exp(-z)) + (1 - Y) * z
    return losses.mean() + alpha / (2 * len(Y)) * ((W1**2).sum() + (W2**2).sum())


def complex_step_gradient(flat: Array, alpha: float) -> Array:
    """Im f(w + ih) / h is the derivative to the last digits: nothing is subtracted."""
    steps = 1e-30j * np.eye(flat.size)
    return np.array([penalised_loss(flat + step, alpha).imag / 1e-30 for step in steps])


@pytest.mark.parametrize("alpha", [0.0, 0.5, 20.0])
def test_l2_is_in_the_loss_and_in_the_gradient(alpha: float) -> None:
    net = small_network()
    before = net.parameters.data.copy()
    trainer = cp.Trainer(optimizer=cp.SGD(1.0, alpha=alpha), epochs=1, batch_size=None)
    history = trainer.fit(net, X, Y)
    np.testing.assert_allclose(history["loss"], [penalised_loss(before, alpha).real], rtol=1e-12)
    np.testing.assert_allclose(
        before - net.parameters.data, complex_step_gradient(before, alpha), rtol=1e-10, atol=1e-14
    )


@pytest.mark.parametrize("alpha", [0.0, 20.0])
def test_a_gradient_is_clipped_to_its_norm_and_keeps_its_direction(alpha: float) -> None:
    def moved(clip_norm: float | None) -> Array:
        net = small_network()
        before = net.parameters.data.copy()
        optimizer = cp.SGD(1.0, alpha=alpha)
        cp.Trainer(optimizer=optimizer, epochs=1, batch_size=None, clip_norm=clip_norm).fit(
            net, X, Y
        )
        return before - net.parameters.data

    free = moved(None)
    norm = np.linalg.norm(free)
    np.testing.assert_allclose(moved(0.5 * norm), 0.5 * free, rtol=1e-10)
    np.testing.assert_allclose(moved(1.5 * norm), free, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(moved(0.01)), 0.01, rtol=1e-10)

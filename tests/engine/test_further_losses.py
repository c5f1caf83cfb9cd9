"""Hinge, focal, count and robust losses: derivatives, independent oracles, what they refuse."""

import numpy as np
import pytest
from central_differences import assert_same_gradient, numerical_gradient
from scipy.special import huber, log_softmax
from sklearn.metrics import (
    hinge_loss,
    mean_absolute_error,
    mean_pinball_loss,
    mean_poisson_deviance,
)

import clearprop as cp
from clearprop.errors import DataError, ShapeError, UsageError

NUMBERS = np.array([0, 2, 1, 1])
YES = np.array([[0, 1, 1], [1, 1, 0], [0, 0, 0], [0, 1, 0]])
VALUES = np.array([[0.3, -2, 1], [1, 4, 0.1], [2, 2, -3], [0, 0.5, 7]])
CASES = {
    "hinge, one output": (cp.Hinge(), 1, YES[:, :1]),
    "hinge, three outputs": (cp.Hinge(), 3, YES),
    "hinge, three classes": (cp.MulticlassHinge(), 3, NUMBERS),
    "binary focal": (cp.BinaryFocal(), 1, YES[:, 1:2]),
    "binary focal, soft, three outputs": (cp.BinaryFocal(0.5), 3, YES * 0.7 + 0.1),
    "binary focal without focus": (cp.BinaryFocal(0), 3, YES),
    "smoothed": (cp.SmoothedCrossEntropy(), 3, NUMBERS),
    "smoothed, two classes": (cp.SmoothedCrossEntropy(0.3), 2, NUMBERS.clip(0, 1)),
    "smoothed, soft": (cp.SmoothedCrossEntropy(0.2), 3, np.full((4, 3), 1 / 3)),
    "softmax focal": (cp.SoftmaxFocal(), 3, NUMBERS),
    "softmax focal, soft": (cp.SoftmaxFocal(0.5), 3, np.full((4, 3), 1 / 3)),
    "softmax focal without focus": (cp.SoftmaxFocal(0), 3, NUMBERS),
    "absolute": (cp.AbsoluteError(), 3, VALUES),
    "huber": (cp.Huber(0.8), 3, VALUES),
    "quantile": (cp.Quantile(0.8), 3, VALUES),
    "quantiles": (cp.Quantiles((0.1, 0.5, 0.9)), 3, VALUES[:, 0]),
    "one quantile": (cp.Quantiles((0.8,)), 1, VALUES[:, :1]),
    "counts": (cp.PoissonDeviance(), 3, np.abs(VALUES).round()),
}


def drawn_logits(outputs: int) -> np.ndarray:
    return 2 * np.random.RandomState(3).standard_normal((4, outputs))


@pytest.mark.parametrize("weight", [None, [0.5, 0, 2, 1.5]], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("loss", "outputs", "y"), CASES.values(), ids=CASES)
def test_the_gradient_is_the_derivative_of_the_loss(
    loss: cp.Loss, outputs: int, y: np.ndarray, weight: list[float] | None
) -> None:
    logits = drawn_logits(outputs)
    targets = loss.targets(y, outputs, logits.dtype)
    weights = None if weight is None else np.array(weight)
    _, gradient = loss(logits, targets, weights)
    assert_same_gradient(
        gradient, numerical_gradient(lambda: loss(logits, targets, weights)[0], logits)
    )


@pytest.mark.parametrize(("loss", "outputs", "y"), CASES.values(), ids=CASES)
def test_single_precision_stays(loss: cp.Loss, outputs: int, y: np.ndarray) -> None:
    logits = drawn_logits(outputs).astype(np.float32)
    targets = loss.targets(y, outputs, logits.dtype)
    losses, dlogits = loss.each(logits, targets)
    assert losses.dtype == dlogits.dtype == np.float32
    exact = loss.each(logits.astype(float), loss.targets(y, outputs, np.dtype(float)))
    np.testing.assert_allclose(losses, exact[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(dlogits, exact[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("loss", "outputs", "y"), CASES.values(), ids=CASES)
def test_extreme_logits_give_no_nan(loss: cp.Loss, outputs: int, y: np.ndarray) -> None:
    if isinstance(loss, cp.PoissonDeviance):
        logits = np.full((4, outputs), -800.0)
    else:
        logits = np.tile([800.0, -800.0, 0.0][:outputs], (4, 1))
    losses, dlogits = loss.each(logits, loss.targets(y, outputs, logits.dtype))
    assert np.isfinite(losses).all()
    assert np.isfinite(dlogits).all()


def test_hinge_is_that_of_scikit_learn() -> None:
    z = drawn_logits(3)
    assert cp.Hinge()(z[:, :1], YES[:, :1].astype(float))[0] == pytest.approx(
        hinge_loss(YES[:, 0], z[:, 0])
    )
    assert cp.MulticlassHinge()(z, NUMBERS)[0] == pytest.approx(
        hinge_loss(NUMBERS, z, labels=[0, 1, 2])
    )


def test_robust_losses_are_those_of_scikit_learn_and_scipy() -> None:
    z = drawn_logits(3)
    assert cp.AbsoluteError()(z, VALUES)[0] == pytest.approx(mean_absolute_error(VALUES, z))
    assert cp.Quantile(0.9)(z, VALUES)[0] == pytest.approx(mean_pinball_loss(VALUES, z, alpha=0.9))
    assert cp.Huber(0.7)(z, VALUES)[0] == pytest.approx(huber(0.7, z - VALUES).mean())


def test_half_of_the_poisson_deviance_is_that_of_scikit_learn() -> None:
    counts, z = np.array([[0.0], [3], [1], [8]]), drawn_logits(1)
    expected = mean_poisson_deviance(counts[:, 0], np.exp(z[:, 0])) / 2
    assert cp.PoissonDeviance()(z, counts)[0] == pytest.approx(expected)
    np.testing.assert_allclose(cp.PoissonDeviance().predict(z), np.exp(z[:, 0]))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_losses_are_their_formula(gamma: float) -> None:
    z = drawn_logits(3)
    log_p = log_softmax(z, axis=1)[np.arange(4), NUMBERS]
    expected = np.mean(-((1 - np.exp(log_p)) ** gamma) * log_p)
    assert cp.SoftmaxFocal(gamma)(z, NUMBERS)[0] == pytest.approx(expected)
    two = np.hstack([np.zeros((4, 1)), z[:, :1]])
    yes = YES[:, 1]
    assert cp.BinaryFocal(gamma)(z[:, :1], yes[:, np.newaxis])[0] == pytest.approx(
        cp.SoftmaxFocal(gamma)(two, yes)[0]
    )


def test_without_focus_they_are_cross_entropies() -> None:
    z = drawn_logits(3)
    for focal, plain, y in (
        (cp.SoftmaxFocal(0), cp.SoftmaxCrossEntropy(), NUMBERS),
        (cp.BinaryFocal(0), cp.BinaryCrossEntropy(), YES),
    ):
        value, gradient = focal(z, y)
        expected, expected_gradient = plain(z, y)
        assert value == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(gradient, expected_gradient, atol=1e-15)


def test_predictions_are_the_side_of_the_border_and_the_largest_logit() -> None:
    z = np.array([[-1.0, 2, 0.5]])
    assert cp.Hinge().predict(z).tolist() == [[0, 1, 1]]
    assert cp.Hinge().predict(z[:, :1]).tolist() == [0]
    assert cp.MulticlassHinge().predict(z).tolist() == [1]
    assert cp.MulticlassHinge().targets(np.eye(3)[[2]], 3, z.dtype).tolist() == [2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: cp.Huber(0),
        lambda: cp.Quantile(1),
        lambda: cp.SoftmaxFocal(-1),
        lambda: cp.BinaryFocal(float("nan")),
    ],
)
def test_parameters_out_of_range_are_refused(make: object) -> None:
    with pytest.raises(UsageError, match="needs a"):
        make()  # type: ignore[operator]


def test_counts_below_zero_and_single_outputs_are_refused() -> None:
    with pytest.raises(DataError, match=r"at least 0; sample 1 has \[-1.0\]"):
        cp.PoissonDeviance().targets([0, -1], 1, np.dtype(float))
    with pytest.raises(ShapeError, match="at least 2"):
        cp.MulticlassHinge().check_outputs(1)
    with pytest.raises(UsageError, match="no probabilities"):
        cp.Hinge().predict_proba(np.zeros((1, 1)))

"""Losses: values and gradients against independent formulas, extremes, and what they refuse."""

import math

import numpy as np
import pytest
from central_differences import assert_same_gradient, numerical_gradient
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax, softmax, xlogy
from sklearn.metrics import log_loss, mean_squared_error

import clearprop as cp
from clearprop.errors import DataError, ShapeError, UsageError

BINARY, SOFTMAX, SQUARED = (
    cp.BinaryCrossEntropy(),
    cp.SoftmaxCrossEntropy(),
    cp.MeanSquaredError(),
)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])

classes = np.array([0, 2, 1, 1])
soft = np.array([[0.2, 0.3, 0.5], [1, 0, 0], [0, 0.5, 0.5], [0.1, 0.8, 0.1]])
CASES = {
    "binary, one output": (BINARY, 1, np.array([0, 1, 1, 0])),
    "binary, one output, soft": (BINARY, 1, np.array([0.1, 1, 0.6, 0])),
    "binary, three outputs": (BINARY, 3, np.array([[0, 1, 1], [1, 1, 0], [0, 0, 0], [0, 1, 0]])),
    "softmax, class numbers": (SOFTMAX, 3, classes),
    "softmax, class numbers as floats": (SOFTMAX, 3, classes.astype(float)),
    "softmax, two booleans": (SOFTMAX, 2, np.array([True, False, False, True])),
    "softmax, one-hot": (SOFTMAX, 3, np.eye(3)[classes]),
    "softmax, soft": (SOFTMAX, 3, soft),
    "squared error, one output": (SQUARED, 1, np.array([0.3, -2, 1, 4])),
    "squared error, three outputs": (SQUARED, 3, soft * 5 - 2),
}


@pytest.mark.parametrize("weight", [None, [0.5, 0, 2, 1.5]], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("loss", "outputs", "y"), CASES.values(), ids=CASES)
def test_the_gradient_is_the_derivative_of_the_loss(
    loss: cp.Loss, outputs: int, y: np.ndarray, weight: list[float] | None
) -> None:
    logits = np.random.RandomState(0).standard_normal((4, outputs))
    targets = loss.targets(y, outputs, logits.dtype)
    weights = None if weight is None else np.array(weight)
    _, gradient = loss(logits, targets, weights)
    assert_same_gradient(
        gradient, numerical_gradient(lambda: loss(logits, targets, weights)[0], logits)
    )


@pytest.mark.parametrize("weight", [None, [0.5, 0, 2, 1.5]], ids=["unweighted", "weighted"])
def test_values_are_those_of_scikit_learn(weight: list[float] | None) -> None:
    logits = 3 * np.random.RandomState(0).standard_normal((4, 3))
    weights = None if weight is None else np.array(weight)
    p = softmax(logits, axis=1)
    expected = log_loss(classes, p, sample_weight=weights, labels=[0, 1, 2])
    assert SOFTMAX(logits, classes, weights)[0] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(SOFTMAX.predict_proba(logits), p, rtol=1e-13)

    yes, z = np.array([[0.0], [1], [1], [0]]), logits[:, :1]
    expected = log_loss(yes[:, 0], 1 / (1 + np.exp(-z[:, 0])), sample_weight=weights)
    assert BINARY(z, yes, weights)[0] == pytest.approx(expected, rel=1e-12)

    expected = mean_squared_error(soft, logits, sample_weight=weights)
    assert SQUARED(logits, soft, weights)[0] == pytest.approx(expected, rel=1e-12)


def test_soft_labels_give_the_cross_entropy_of_two_distributions() -> None:
    logits = np.random.RandomState(0).standard_normal((4, 3))
    expected = -(soft * log_softmax(logits, axis=1)).sum(axis=1).mean()
    assert SOFTMAX(logits, soft)[0] == pytest.approx(expected, rel=1e-13)

    y, z = np.array([[0.1], [1], [0.6], [0]]), logits[:, :1]
    p = 1 / (1 + np.exp(-z))
    expected = -(xlogy(y, p) + xlogy(1 - y, 1 - p)).mean()
    assert BINARY(z, y)[0] == pytest.approx(expected, rel=1e-13)


def test_class_numbers_and_one_hot_rows_mean_the_same() -> None:
    logits = np.random.RandomState(0).standard_normal((4, 3))
    loss, gradient = SOFTMAX(logits, classes)
    same, twin = SOFTMAX(logits, np.eye(3)[classes])
    assert same == pytest.approx(loss, rel=1e-14)
    np.testing.assert_allclose(twin, gradient, rtol=1e-14)


@DTYPES
@pytest.mark.parametrize(
    ("z", "y", "value", "slope"),
    [
        (1e4, 0, 1e4, 1),
        (-1e4, 1, 1e4, -1),
        (1e4, 1, 0, 0),
        (-1e4, 0, 0, 0),
        (1e4, 0.75, 2500, 0.25),
    ],
)
def test_binary_cross_entropy_is_exact_at_the_ends(
    z: float, y: float, value: float, slope: float, dtype: type[np.floating]
) -> None:
    loss, gradient = BINARY(np.full((1, 2), z, dtype), np.full((1, 2), y, dtype))
    assert loss == 2 * value
    np.testing.assert_array_equal(gradient, [[slope, slope]])
    assert gradient.dtype == dtype


@DTYPES
@pytest.mark.parametrize("form", ["class numbers", "one-hot"])
@pytest.mark.parametrize(
    ("logits", "label", "value", "slopes"),
    [
        ([1e4, -1e4, 0], 0, 0, [0, 0, 0]),
        ([1e4, -1e4, 0], 1, 2e4, [1, -1, 0]),
        ([-1e4, -1e4, -1e4], 2, math.log(3), [1 / 3, 1 / 3, -2 / 3]),
        ([1e4, 1e4, -1e4], 0, math.log(2), [-0.5, 0.5, 0]),
    ],
)
def test_softmax_cross_entropy_is_exact_at_the_ends(
    logits: list[float],
    label: int,
    value: float,
    slopes: list[float],
    form: str,
    dtype: type[np.floating],
) -> None:
    y = np.array([label]) if form == "class numbers" else np.eye(3, dtype=dtype)[[label]]
    loss, gradient = SOFTMAX(np.array([logits], dtype), y)
    precision = 4 * float(np.finfo(dtype).eps)
    assert loss == pytest.approx(value, rel=precision)
    np.testing.assert_allclose(gradient, [slopes], atol=precision)
    assert gradient.dtype == dtype


@DTYPES
def test_squared_error_is_exact_at_the_ends(dtype: type[np.floating]) -> None:
    loss, gradient = SQUARED(np.array([[1e4, -1e4]], dtype), np.zeros((1, 2), dtype))
    assert loss == 1e8
    np.testing.assert_array_equal(gradient, np.array([[1e4, -1e4]]))


@DTYPES
def test_probabilities_at_the_ends_are_zero_and_one(dtype: type[np.floating]) -> None:
    one = np.array([[1e4], [-1e4]], dtype)
    np.testing.assert_array_equal(BINARY.predict_proba(one), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(BINARY.predict_proba(one.repeat(2, 1)), [[1, 1], [0, 0]])
    np.testing.assert_array_equal(SOFTMAX.predict_proba(np.hstack([one, -one])), np.eye(2))


@DTYPES
@pytest.mark.parametrize("z", [5.0, 10.0, 15.0, 30.0])
def test_the_small_loss_of_a_confident_right_answer_keeps_its_digits(
    z: float, dtype: type[np.floating]
) -> None:
    loss, _ = BINARY(np.array([[z]], dtype), np.array([[1]], dtype))
    assert loss == pytest.approx(math.log1p(math.exp(-z)), rel=1e-6)


@given(
    arrays(np.float64, (3, 4), elements=st.floats(-1e4, 1e4)),
    st.lists(st.integers(0, 3), min_size=3, max_size=3),
)
def test_any_logits_give_finite_losses_and_gradients_that_add_up_to_nothing(
    logits: np.ndarray, y: list[int]
) -> None:
    loss, gradient = SOFTMAX(logits, np.array(y))
    assert math.isfinite(loss)
    assert loss >= 0
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-15)
    loss, gradient = BINARY(logits, np.eye(4)[y])
    assert math.isfinite(loss)
    assert loss >= 0
    assert (np.abs(gradient) <= 1).all()


@pytest.mark.parametrize(("loss", "outputs", "y"), CASES.values(), ids=CASES)
def test_a_loss_changes_neither_logits_nor_targets(
    loss: cp.Loss, outputs: int, y: np.ndarray
) -> None:
    logits = np.random.RandomState(0).standard_normal((4, outputs))
    targets = loss.targets(y, outputs, logits.dtype).copy()
    logits.setflags(write=False)
    targets.setflags(write=False)  # a write would raise
    _, gradient = loss(logits, targets, np.ones(4))
    assert not np.shares_memory(gradient, logits)


@pytest.mark.parametrize(("loss", "outputs", "y"), CASES.values(), ids=CASES)
def test_whole_weights_repeat_samples(loss: cp.Loss, outputs: int, y: np.ndarray) -> None:
    logits = np.random.RandomState(0).standard_normal((4, outputs))
    targets = loss.targets(y, outputs, logits.dtype)
    times = np.array([2, 0, 1, 3])
    value, _ = loss(logits, targets, times.astype(float))
    expected, _ = loss(logits.repeat(times, axis=0), targets.repeat(times, axis=0))
    assert value == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(("loss", "outputs", "y"), CASES.values(), ids=CASES)
def test_weights_that_are_all_zero_give_no_loss_and_no_gradient(
    loss: cp.Loss, outputs: int, y: np.ndarray
) -> None:
    logits = np.random.RandomState(0).standard_normal((4, outputs))
    value, gradient = loss(logits, loss.targets(y, outputs, logits.dtype), np.zeros(4))
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize(
    ("loss", "outputs", "y", "message"),
    [
        (SOFTMAX, 3, [0, 3], "0 to 2.*sample 1 has 3"),
        (SOFTMAX, 3, [-1, 0], "0 to 2.*sample 0 has -1"),
        (SOFTMAX, 3, [0.5, 1], "class numbers 0 to 2.*0.5"),
        (SOFTMAX, 3, [np.nan, 1], "class numbers 0 to 2.*nan"),
        (SOFTMAX, 3, [np.inf, 1], "0 to 2.*sample 0 has inf"),
        (SOFTMAX, 3, ["cat", "dog"], "class numbers 0 to 2.*cat"),
        (SOFTMAX, 3, [[1, 0, 0], [1, 1, 0]], "add up to 1; row 1"),
        (SOFTMAX, 3, [[2, -1, 0], [1, 0, 0]], "add up to 1; row 0"),
        (SOFTMAX, 3, [[1, 0, 0], [np.nan, 0, 0]], "sample 1 is not finite"),
        (BINARY, 1, [0, 2], "between 0 and 1; sample 1 has.*SoftmaxCrossEntropy"),
        (BINARY, 1, [-1, 1], "between 0 and 1; sample 0"),
        (BINARY, 2, [[0, 1], [0, 1.5]], "between 0 and 1; sample 1"),
        (BINARY, 1, [0, np.nan], "sample 1 is not finite"),
        (BINARY, 1, ["no", "yes"], "must be numbers.*encode"),
        (SQUARED, 1, [0, np.inf], "sample 1 is not finite"),
        (SQUARED, 1, [None, 1], "must be numbers"),
    ],
)
def test_targets_with_wrong_values_are_named(
    loss: cp.Loss, outputs: int, y: list[object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        loss.targets(y, outputs, np.dtype(float))


@pytest.mark.parametrize(
    ("loss", "outputs", "shape", "message"),
    [
        (SOFTMAX, 3, (4, 1), r"rows \(N, 3\).*\(4, 1\)"),
        (SOFTMAX, 3, (4, 2), r"rows \(N, 3\).*\(4, 2\)"),
        (SOFTMAX, 3, (), r"rows \(N, 3\).*\(\)"),
        (BINARY, 1, (4, 2), r"\(4, 2\).*1 outputs.*\(N,\) or \(N, 1\)"),
        (BINARY, 3, (4,), r"\(4,\).*3 outputs.*\(N, 3\)"),
        (SQUARED, 2, (4, 3), r"\(4, 3\).*2 outputs.*\(N, 2\)"),
        (SQUARED, 2, (4, 2, 1), r"\(4, 2, 1\).*2 outputs"),
        (SQUARED, 1, (), r"\(\).*1 outputs"),
    ],
)
def test_targets_of_a_wrong_shape_say_what_was_expected(
    loss: cp.Loss, outputs: int, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        loss.targets(np.zeros(shape), outputs, np.dtype(float))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64, bool])
def test_class_numbers_come_out_as_integers_that_can_index(dtype: type[np.generic]) -> None:
    targets = SOFTMAX.targets(np.array([0, 1, 1], dtype), 2, np.dtype(np.float32))
    assert targets.dtype == np.int64
    np.testing.assert_array_equal(targets, [0, 1, 1])


def test_predictions_are_classes_or_values() -> None:
    logits = np.array([[1.0, -2, 0.5], [-1, -2, -3]])
    np.testing.assert_array_equal(SOFTMAX.predict(logits), [0, 0])
    np.testing.assert_array_equal(BINARY.predict(logits), [[1, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(BINARY.predict(logits[:, :1]), [1, 0])
    np.testing.assert_array_equal(SQUARED.predict(logits), logits)
    np.testing.assert_array_equal(SQUARED.predict(logits[:, :1]), [1, -1])


def test_a_logit_of_zero_is_no_yes() -> None:
    np.testing.assert_array_equal(BINARY.predict(np.zeros((1, 1))), [0])


def test_values_have_no_probabilities() -> None:
    with pytest.raises(UsageError, match="MeanSquaredError gives no probabilities"):
        SQUARED.predict_proba(np.zeros((1, 1)))


def test_losses_say_whether_they_are_of_classes() -> None:
    assert [loss.classifies for loss in (BINARY, SOFTMAX, SQUARED)] == [True, True, False]

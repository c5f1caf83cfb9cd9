"""What a diagnosis says of a cost that no dense network has, or that it can't repeat."""

import numpy as np
import pytest

from clearprop.gradcheck import check_backward


def cubes(parameters):
    """A cost that no dense network has."""
    return sum(float(np.sum((array - 0.5) ** 3)) for array in parameters.values())


def true_gradients(parameters):
    return {name: 3 * (array - 0.5) ** 2 for name, array in parameters.items()}


@pytest.mark.parametrize(
    ("name", "wrong", "cause"),
    [
        ("W2", lambda right, _: -right, "sign"),
        ("W2", lambda right, _: 2 * right, "factor_two"),
        ("W2", lambda right, _: 9 * right, "mean_missing"),
        ("W2", lambda right, _: right / 9, "mean_twice"),
        ("W2", lambda right, _: 0.37 * right, "factor"),
        ("W2", lambda right, _: 1.2345678e-6 * right, "factor"),
        ("W2", lambda right, _: 123456.4 * right, "factor"),
        ("W2", lambda right, _: right.T, "transposed"),
        ("W2", lambda right, _: 0 * right, "zero"),
        ("W2", lambda right, own: right + 0.2 * own, "l2_extra"),
        ("W2", lambda right, own: right - 0.2 * own, "l2_missing"),
        ("b2", lambda right, own: right + 0.2 * own, "l2_bias"),
        ("b2", lambda right, _: right.sum(), "bias_broadcast"),
        ("b2", lambda right, _: np.full_like(right, right.mean()), "bias_averaged"),
        ("W2", lambda right, _: np.sin(9 * right), None),
    ],
)
def test_without_the_network_gradients_are_compared_with_the_numerical_ones(name, wrong, cause):
    random_state = np.random.RandomState(4)
    shapes = {"W1": (3, 4), "b1": (3, 1), "W2": (5, 3), "b2": (5, 1)}
    parameters = {key: random_state.standard_normal(shape) for key, shape in shapes.items()}

    def gradients(given):
        right = true_gradients(given)
        return {**right, name: wrong(right[name], given[name])}

    diagnosis = check_backward(cubes, gradients, parameters).diagnosis
    assert (diagnosis.parameter, diagnosis.cause) == (name, cause)
    if cause is not None:  # the line that is printed gives the gradient, where ... is the right one
        target, formula = diagnosis.mistakes[0].theirs.replace("...", "right").split(" = ")
        names = {**parameters, "np": np, "right": true_gradients(parameters)[name]}
        assert target == f"d{name}"
        assert np.allclose(eval(formula, names), gradients(parameters)[name], rtol=1e-5)  # noqa: S307
    assert diagnosis.known[-1].startswith("X and Y are not known")
    assert bool(diagnosis.ruled_out) == (cause is None)


def test_the_gradient_of_another_parameter_is_told_without_the_network():
    random_state = np.random.RandomState(4)
    parameters = {name: random_state.standard_normal((3, 3)) for name in ("W1", "W2", "W3")}

    def gradients(given):
        right = true_gradients(given)
        return {"W1": right["W1"], "W2": right["W1"], "W3": right["W2"]}

    (mistake,) = check_backward(cubes, gradients, parameters).diagnosis.mistakes
    assert mistake.cause == "off_by_one"
    assert (mistake.theirs, mistake.places) == ("dW3 = dW2", ("dW3", "dW2"))


def test_a_cost_that_cannot_be_repeated_is_told():
    parameters = {"W1": np.ones((1, 2)), "b1": np.ones((1, 1))}

    def gradients(given):
        return {name: -gradient for name, gradient in true_gradients(given).items()}

    report = check_backward(cubes, gradients, parameters, X=np.ones((2, 3)), Y=np.ones((1, 3)))
    assert report.diagnosis.known[-1].startswith("The cost could not be repeated")

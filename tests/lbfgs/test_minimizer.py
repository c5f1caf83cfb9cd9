"""The whole minimiser against SciPy's L-BFGS-B, whose rules it follows."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize as scipy_minimize
from scipy.optimize import rosen, rosen_der

import clearprop as cp
from clearprop.training.lbfgs.minimizer import Minimizer

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


def logistic(seed: int) -> Function:
    """Return the loss of a logistic regression, whose curvature is mild."""
    random_state = np.random.RandomState(seed)
    X, y = random_state.normal(size=(60, 8)), random_state.uniform(size=60) < 0.5

    def function(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = X @ w
        loss = np.logaddexp(0, z).sum() - z[y].sum() + 0.005 * w @ w
        return float(loss), X.T @ (1 / (1 + np.exp(-z)) - y) + 0.01 * w

    return function


def quadratic(seed: int) -> Function:
    """Return a bowl of 8 numbers that is up to a million times as steep one way as another."""
    random_state = np.random.RandomState(seed)
    root, b = random_state.normal(size=(8, 8)), random_state.normal(size=8)
    A = root @ root.T + np.diag(10.0 ** random_state.uniform(-4, 2, 8))
    return lambda x: (float(0.5 * x @ A @ x - b @ x), A @ x - b)


def wavy(seed: int) -> Function:
    """Return a function with many minima, and stretches that curve downward."""
    A = np.random.RandomState(seed).normal(size=(8, 8))

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        z = A @ x
        value = np.sum(np.sin(z) + 0.1 * z * z) + np.sum(x**4)
        return float(value), A.T @ (np.cos(z) + 0.2 * z) + 4 * x**3

    return function


def flat_at(tolerance: float) -> Callable[[np.ndarray], bool]:
    """Return the rule that SciPy ends by, where there are no bounds."""
    return lambda gradient: bool(np.abs(gradient).max() <= tolerance)


class Found(NamedTuple):
    x: np.ndarray
    value: float
    iterations: int
    evaluations: int
    reason: str | None


def found_by(
    function: Function,
    start: np.ndarray,
    *,
    max_iterations: int = 200,
    max_evaluations: int = 1000,
    is_flat: Callable[[np.ndarray], bool] | None = None,
) -> Found:
    """Minimise with the rules of the estimators, some of them changed."""
    state = cp.LBFGS().start_of(len(start))
    minimizer = Minimizer(
        function,
        start,
        state,
        is_flat=is_flat or flat_at(1e-6),
        max_evaluations=max_evaluations,
    )
    iterations = 0
    while iterations < max_iterations and minimizer.iterate():
        iterations += 1
    reason = "iterations" if iterations == max_iterations else minimizer.reason
    return Found(minimizer.x, minimizer.value, iterations, int(state["counts"][1]), reason)


@settings(deadline=None)
@given(kind=st.sampled_from([logistic, quadratic, wavy]), seed=st.integers(0, 999))
def test_steps_values_and_ends_are_those_of_scipy(
    kind: Callable[[int], Function], seed: int
) -> None:
    function = kind(seed)
    start = np.random.RandomState(seed + 1).normal(size=8)
    for allowed in (1, 2, 3, 5, 8, 12):
        other = scipy_minimize(
            function,
            start,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": allowed, "maxfun": 1000, "gtol": 1e-6},
        )
        ours = found_by(function, start, max_iterations=allowed)
        assert ours.iterations == other.nit
        assert ours.evaluations == other.nfev
        np.testing.assert_allclose(ours.value, other.fun, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(ours.x, other.x, rtol=1e-5, atol=1e-6)
        assert (ours.reason == "iterations") == (other.status == 1)


def test_rosenbrocks_valley_is_walked_to_its_end() -> None:
    found = found_by(lambda x: (rosen(x), rosen_der(x)), np.full(20, -1.2))
    np.testing.assert_allclose(found.x, 1.0, atol=1e-3)
    assert found.reason in {"flat", "still"}


def test_it_says_why_it_ended() -> None:
    function, start = wavy(0), np.full(8, 2.0)
    assert found_by(function, start, is_flat=flat_at(1e9)).reason == "flat"
    assert found_by(function, start, is_flat=flat_at(1e9)).evaluations == 1
    assert found_by(function, start, is_flat=flat_at(1e-2)).reason == "flat"
    assert found_by(function, start, is_flat=flat_at(0.0)).reason == "still"
    assert found_by(function, start, max_evaluations=6).reason == "evaluations"


def test_a_gradient_that_points_the_wrong_way_leaves_it_at_the_start() -> None:
    start = np.array([1.0, 2.0])
    found = found_by(lambda x: (float(x @ x), -2 * x), start)
    # Rounding decides whether a step that changes no bit counts as one: processors differ.
    assert (found.reason, found.iterations) in (("stuck", 0), ("still", 1))
    np.testing.assert_array_equal(found.x, [1.0, 2.0])


def test_where_there_are_no_numbers_it_keeps_the_last_place_that_had_some() -> None:
    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        if (x < 0.5).any():
            return np.nan, np.full_like(x, np.nan)
        return float(x @ x), 2 * x

    found = found_by(function, np.array([1.0, 2.0]))
    assert found.reason == "stuck"
    assert np.isfinite(found.x).all()
    assert found.value == pytest.approx(found.x @ found.x)


def test_a_plain_slope_is_followed_as_scipy_follows_it() -> None:
    def slope(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(1e-3 * x.sum()), np.full_like(x, 1e-3)

    other = scipy_minimize(
        slope, np.zeros(3), jac=True, method="L-BFGS-B", options={"maxiter": 5, "gtol": 0.0}
    )
    ours = found_by(slope, np.zeros(3), max_iterations=5, is_flat=flat_at(0.0))
    assert (ours.iterations, ours.evaluations) == (other.nit, other.nfev)
    np.testing.assert_allclose(ours.x, other.x, rtol=1e-5)


def test_every_iteration_lowers_the_value_at_its_place() -> None:
    function, values = wavy(3), []
    minimizer = Minimizer(function, np.full(8, 2.0), cp.LBFGS().start_of(8), is_flat=flat_at(1e-6))
    while minimizer.iterate():
        assert minimizer.value == function(minimizer.x)[0]
        values.append(minimizer.value)
    assert len(values) > 5
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("cut", [0, 1, 3, 14])
def test_what_is_cut_off_goes_on_to_the_same_bits(cut: int) -> None:
    function, start = wavy(3), np.full(8, 2.0)
    whole = found_by(function, start)
    state = cp.LBFGS().start_of(8)
    minimizer = Minimizer(function, start, state, is_flat=flat_at(1e-6))
    for _ in range(cut):
        assert minimizer.iterate()
    copied = {name: array.copy() for name, array in state.items()}
    going_on = Minimizer(function, minimizer.x.copy(), copied, is_flat=flat_at(1e-6))
    while going_on.iterate():
        pass
    assert (going_on.reason, copied["counts"][1]) == (whole.reason, whole.evaluations)
    np.testing.assert_array_equal(going_on.x, whole.x)

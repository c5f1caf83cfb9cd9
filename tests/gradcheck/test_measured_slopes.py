"""Slopes of functions whose derivative is known, with kinks, rounding and curvature."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.gradcheck.differences import DOUBLE, SINGLE, is_single, measure_slope
from clearprop.gradcheck.measuring import EACH, choose_entries

SMOOTH = [
    (lambda t: math.sin(1 + t), math.cos(1)),
    (lambda t: math.exp(2 * t), 2.0),
    (lambda t: (t - 3) ** 2, -6.0),
    (lambda t: math.log(0.01 + 1e-3 * t), 0.1),  # which has no value one step of 0.1 further
    (lambda t: math.sin(300 * t), 300.0),  # curved within the first step
    (lambda t: 1 + 1e-6 * math.sin(t), 1e-6),
    (lambda _: 5.0, 0.0),
]


def measured(cost, claimed, precision=DOUBLE, floor=0.0):
    def finite(t):
        try:
            return cost(t)
        except ValueError:
            return math.nan

    return measure_slope(
        finite, claimed, at_zero=cost(0), scale=1, floor=floor, precision=precision
    )


@pytest.mark.parametrize(("cost", "slope"), SMOOTH)
def test_a_right_claim_is_right(cost, slope):
    assert measured(cost, slope).outcome == "right"


@pytest.mark.parametrize(("cost", "slope"), SMOOTH)
@pytest.mark.parametrize("wrong", [-1, 2, 0.5, 1.001, 0])
def test_a_wrong_claim_is_wrong_and_the_slope_is_known(cost, slope, wrong):
    claimed = wrong * slope if slope else 1.0
    found = measured(cost, claimed)
    assert found.outcome == "wrong"
    assert found.value == pytest.approx(slope, rel=1e-7, abs=1e-9)


@given(st.floats(-1, 1), st.floats(0.1, 2), st.floats(-1, 1))
def test_no_claim_between_the_two_slopes_of_a_kink_is_wrong(left, jump, share):
    claimed = left + jump * abs(share)
    assert measured(lambda t: left * t + jump * max(t, 0), claimed).outcome in ("kink", "right")


@given(st.floats(1e-9, 1e-3), st.sampled_from([-1, 1]), st.floats(0.1, 10))
def test_a_kink_close_by_does_not_make_a_right_claim_wrong(distance, side, jump):
    def cost(t):
        return math.sin(t) + jump * max(side * t - distance, 0)

    assert measured(cost, 1.0).outcome != "wrong"


def test_a_kink_close_by_does_not_hide_a_wrong_claim():
    assert measured(lambda t: math.sin(t) + 3 * max(t - 3e-5, 0), 1.1).outcome == "wrong"


@given(st.integers(0, 1000))
def test_rounding_of_the_cost_makes_no_right_claim_wrong(seed):
    noise = np.random.RandomState(seed)

    def cost(t):  # as if large numbers had cancelled each other
        return math.sin(t) + 1e-9 * noise.uniform(-1, 1)

    assert measured(cost, 1.0).outcome != "wrong"


def test_what_rounding_hides_is_lost():
    noise = np.random.RandomState(0)
    found = measured(lambda t: 1e-9 * t + 1e-9 * noise.uniform(-1, 1), 2e-9)
    assert found.outcome == "lost"


def test_a_cost_in_float32_is_known_well_enough():
    def cost(t):
        return float(np.float32(np.sin(np.float32(1 + t))))

    assert measured(cost, math.cos(1), SINGLE).outcome == "right"
    assert measured(cost, -math.cos(1), SINGLE).outcome == "wrong"


def test_without_a_claim_the_slope_is_measured():
    found = measured(lambda t: math.sin(1 + t), math.nan)
    assert found.outcome == "unclaimed"
    assert found.value == pytest.approx(math.cos(1), rel=1e-9)


def test_a_cost_that_is_nan_around_zero_gives_no_slope():
    found = measured(lambda t: math.nan if t else 1.0, 2.0)
    assert found.outcome == "lost"
    assert math.isnan(found.value)


@pytest.mark.parametrize(
    ("array", "single"),
    [
        (np.array([0.1], np.float32), True),
        (np.array([0.1], np.float32).astype(float), True),
        (np.array([0.1]), False),
        (np.array([0.5, 3.0]), False),  # written down, not computed
        (np.array([3 * 2.0**-56]), False),  # left over by rounding
        (np.zeros(3), False),
        (np.array([1e300]), False),
    ],
)
def test_float32_is_recognised_by_its_values(array, single):
    assert is_single(array) is single


@given(st.integers(1, 10**9))
def test_small_arrays_are_chosen_whole_and_large_ones_with_both_ends(size):
    chosen = choose_entries(size, np.random.RandomState(0))
    assert chosen == sorted(set(chosen))
    assert chosen[0] == 0
    assert chosen[-1] == size - 1
    assert len(chosen) == size if size <= EACH else 20 < len(chosen) < EACH

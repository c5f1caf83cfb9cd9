"""The line search against the two conditions that it promises."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from clearprop.training.lbfgs.line_search import Point, search_line

Function = Callable[[float], tuple[float, float]]


def searched(function: Function, first: float) -> tuple[Point, Point | None, list[float]]:
    """Search from 0, and return start, what was found, and all steps that were tried."""
    tried: list[float] = []

    def look(step: float) -> Point:
        tried.append(step)
        return Point(step, *function(step))

    start = Point(0.0, *function(0.0))
    return start, search_line(look, start, first), tried


def falling(roots: list[float]) -> Function:
    """Return a polynomial whose slope has these roots: it goes down at 0, and up in the end."""
    slope = Polynomial.fromroots(roots)
    value = slope.integ()
    return lambda step: (float(value(step)), float(slope(step)))


@given(root=st.floats(0.05, 50), first=st.floats(1e-3, 1e3))
def test_what_is_found_has_fallen_enough_and_is_flat_enough(root: float, first: float) -> None:
    start, found, tried = searched(falling([root]), first)
    assert found is not None
    assert found.step == tried[-1]
    assert found.value <= start.value + 1e-3 * found.step * start.slope
    assert abs(found.slope) <= 0.9 * abs(start.slope)


@given(roots=st.lists(st.floats(0.05, 50), min_size=3, max_size=3), first=st.floats(1e-3, 1e3))
def test_between_hills_it_takes_the_best_that_it_saw(roots: list[float], first: float) -> None:
    function = falling(roots)
    start, found, tried = searched(function, first)
    assert found is not None
    assert found.value <= start.value + 1e-3 * found.step * start.slope
    is_flat = abs(found.slope) <= 0.9 * abs(start.slope)
    assert is_flat or found.value <= min(function(step)[0] for step in tried)


def test_a_good_first_step_is_taken() -> None:
    _, found, tried = searched(lambda t: ((t - 1) ** 2, 2 * (t - 1)), 1.0)
    assert tried == [1.0]
    assert found == Point(1.0, 0.0, 0.0)


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 1000.0])
def test_functions_of_the_paper_are_searched_from_near_and_far(first: float) -> None:
    def first_function(t: float) -> tuple[float, float]:
        return -t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2

    def fourth_function(t: float, one: float = 0.001, two: float = 0.001) -> tuple[float, float]:
        left, right = (math.sqrt(1 + b * b) - b for b in (one, two))
        a, b = math.hypot(1 - t, two), math.hypot(t, one)
        return left * a + right * b, left * (t - 1) / a + right * t / b

    for function in (first_function, fourth_function):
        start, found, tried = searched(function, first)
        assert found is not None
        assert found.value < start.value
        assert abs(found.slope) <= 0.9 * abs(start.slope)
        assert len(tried) <= 8


def test_where_there_is_no_bottom_the_longest_step_is_taken() -> None:
    _, found, tried = searched(lambda t: (-t, -1.0), 1.0)
    assert found == Point(1e10, -1e10, -1.0)
    assert np.all(np.diff(tried) > 0)


def test_numbers_that_are_not_finite_are_stepped_back_from() -> None:
    def steep(t: float) -> tuple[float, float]:
        return ((t - 1e-3) ** 2, 2 * (t - 1e-3)) if t < 0.5 else (math.nan, math.nan)

    start, found, tried = searched(steep, 10.0)
    assert found is not None
    assert found.value < start.value
    assert tried[:3] == [10.0, 1.0, pytest.approx(0.1)]
    nowhere, _, tried = searched(lambda t: (0.0, -math.inf if t else -1.0), 1.0)
    assert nowhere == Point(0.0, 0.0, -1.0)
    assert len(tried) == 20
    assert searched(lambda t: (math.nan if t else 0.0, -1.0), 1.0)[1] is None


def test_a_function_that_only_seems_to_fall_ends_the_search() -> None:
    _, found, tried = searched(lambda t: (t, -1.0), 1.0)  # its slope is a lie
    assert found is not None or len(tried) == 20
    assert min(tried) < 1e-3

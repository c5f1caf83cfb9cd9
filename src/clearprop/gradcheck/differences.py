"""The slope of a cost along a line, by central differences, held against what is claimed.

A cost that is smooth near zero is, up to the fourth power of the shift, a parabola plus a cubic:
two central differences of different width then give the slope, and the ways in which they fail to
fit tell how far it may be off. Kinks and rounding fail in ways of their own: a kink makes the
one-sided slopes differ by the same amount at every width, rounding by ever more at smaller ones.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.subject import Subject

Outcome: TypeAlias = Literal["right", "wrong", "kink", "lost", "unclaimed"]
"""The claim holds; it does not; a kink lies too near; rounding hides which; there is no claim."""
_WIDTHS = (1.0, 2.0**-5, 2.0**5, 2.0**-10)
_SURE = 10  # uncertainties apart: then two numbers differ
_CLEAR = 1e-5  # the relative uncertainty of a slope that is known well enough
_ROUNDINGS = 4  # of the cost, in one difference

_BITS = 2.0**12  # numbers of no more than 12 bits were written down, or are what rounding left over


@dataclass(frozen=True)
class Precision:
    """The worth of differences where a cost is computed in some dtype.

    Parameters
    ----------
    epsilon : float
        The relative rounding of a number.
    step : float
        The first shift, of a parameter that is not far from 1: near the fourth root of `epsilon`,
        where the two errors of a central difference are both small.
    tolerance : float
        The relative error from which on a slope is wrong.
    """

    epsilon: float
    step: float
    tolerance: float


DOUBLE = Precision(epsilon=2.0**-52, step=2.0**-13, tolerance=1e-6)
SINGLE = Precision(epsilon=2.0**-23, step=2.0**-6, tolerance=5e-3)


def is_single(array: Array) -> bool:
    """Whether an array holds float32 numbers, perhaps in float64."""
    if array.dtype == np.float32:
        return True
    with np.errstate(over="ignore", under="ignore"):
        rounded = array.astype(np.float32)
    if not np.isfinite(array).all():
        return False  # infinite in any precision
    mantissa, _ = np.frexp(array)
    return bool((rounded == array).all() and (mantissa * _BITS % 1 != 0).any())


def computes_in_single(subject: Subject, cost: float) -> bool:
    """Whether a cost is computed in float32: its values at three points show it."""
    random_state = np.random.RandomState(0)
    costs = [cost]
    for _ in range(2):
        moved = {
            name: array + 0.01 * random_state.standard_normal(array.shape)
            for name, array in subject.parameters.items()
        }
        costs.append(subject.cost(moved))
    return bool(np.isfinite(costs).all()) and is_single(np.array(costs))


@dataclass(frozen=True)
class Slope:
    """A slope that was measured: the best estimate, and the verdict on the claim."""

    value: float
    outcome: Outcome


@dataclass(frozen=True)
class _Estimate:
    value: float
    uncertainty: float
    jump: float  # by how much the one-sided slopes differ, over what a parabola makes them differ


def measure_slope(
    cost: Callable[[float], float],
    claimed: float,
    *,
    at_zero: float,
    scale: float,
    floor: float,
    precision: Precision,
) -> Slope:
    """Measure the slope of a cost at zero, as closely as it takes to judge a claim.

    Two costs are enough where they confirm the claim. A claim is wrong only if two steps of
    different width are sure of it.

    Parameters
    ----------
    cost : callable
        The cost after a shift along the line.
    claimed : float
        The slope as it is claimed; NaN where nothing is.
    at_zero : float
        The cost without a shift.
    scale : float
        The first shift is so many times that of `precision`.
    floor : float
        A difference between slopes that counts for nothing: the rounding of `claimed`.

    Notes
    -----
    With D(h) = (f(h) - f(-h)) / 2h, the slope is (4 D(h) - D(2h)) / 3 up to h^4 f^(5) / 30. With
    J(h) = (f(h) - 2 f(0) + f(-h)) / h, which is h f'' + h^3 f'''' / 12 for a smooth f and a
    constant at a kink, J(2h) - 2 J(h) is h^3 f'''' / 2 or minus that constant.
    """
    estimates: list[_Estimate] = []
    doubts = []
    for width in _WIDTHS:
        h = precision.step * scale * width
        ahead, behind = cost(h), cost(-h)
        near = (ahead - behind) / (2 * h)
        if _agree(near, claimed, floor, precision):
            return Slope(near, "right")
        far_ahead, far_behind = cost(2 * h), cost(-2 * h)
        wide = (far_ahead - far_behind) / (4 * h)
        bend = (ahead - 2 * at_zero + behind) / h
        wide_bend = (far_ahead - 2 * at_zero + far_behind) / (2 * h)
        # A cost far below 1 is the logarithm of a number near 1, as a rule, and as rounded as that.
        rounding = _ROUNDINGS * precision.epsilon * max(abs(at_zero), 1) / h
        jump = abs(wide_bend - 2 * bend)
        found = _Estimate(
            (4 * near - wide) / 3, abs(near - wide) / 3 + jump + rounding, max(jump - rounding, 0)
        )
        if _agree(found.value, claimed, floor, precision):
            return Slope(found.value, "right")
        if not math.isfinite(found.uncertainty):
            continue  # the cost has no value so far away: a shorter step may stay where it has one
        estimates.append(found)
        if math.isnan(claimed) and found.uncertainty <= _CLEAR * abs(found.value):
            return Slope(found.value, "unclaimed")
        if abs(found.value - claimed) > _SURE * found.uncertainty + floor:
            doubts.append(found)
            if len(doubts) == 2 and _alike(doubts, claimed):
                return Slope(min(doubts, key=_uncertainty).value, "wrong")
    if not estimates:
        return Slope(math.nan, "lost")
    best = min(estimates, key=_uncertainty)
    if math.isnan(claimed):
        return Slope(best.value, "unclaimed")
    return Slope(best.value, "kink" if _is_kink(estimates) else "lost")


def _agree(value: float, claimed: float, floor: float, precision: Precision) -> bool:
    largest = max(abs(value), abs(claimed))
    return abs(value - claimed) <= precision.tolerance * largest + floor


def _uncertainty(estimate: _Estimate) -> float:
    return estimate.uncertainty


def _alike(doubts: list[_Estimate], claimed: float) -> bool:
    """Whether two estimates that contradict a claim don't contradict each other more."""
    one, other = doubts
    return abs(one.value - other.value) < abs(one.value - claimed) / 2


def _is_kink(estimates: list[_Estimate]) -> bool:
    """Whether the one-sided slopes jump by as much over a short way as over a longer one."""
    jumps = [estimate.jump for estimate in estimates[:2]]
    return 0 < max(jumps) < 2 * min(jumps)

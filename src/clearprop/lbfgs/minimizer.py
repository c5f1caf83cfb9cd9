"""The loop: a direction, a step along it, and what was learned from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from clearprop.lbfgs.line_search import LONGEST, Point, search_line
from clearprop.lbfgs.memory import Memory, Pair
from clearprop.parameters import Array

Reason = Literal["flat", "still", "iterations", "evaluations", "stuck", "stopped"]

_PAIRS = 10
_STILL = 2.220446049250313e-09  # of the loss, in an iteration
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Minimum:
    """Where `minimize` ended.

    Parameters
    ----------
    x : ndarray, shape (P,)
    value : float
    iterations : int
    evaluations : int
    reason : str
        "flat": the gradient is. "still": an iteration lowered the value by less than 2.2e-9 of it,
        or of 1 where that is more. "iterations", "evaluations": as many as were allowed. "stuck":
        no step down was found. "stopped": `on_iteration` said so.
    """

    x: Array
    value: float
    iterations: int
    evaluations: int
    reason: Reason


def minimize(
    function: Callable[[Array], tuple[float, Array]],
    start: Array,
    *,
    max_iterations: int,
    max_evaluations: int,
    is_flat: Callable[[Array], bool],
    on_iteration: Callable[[Array, float], bool],
) -> Minimum:
    """Minimise a function of many numbers.

    The rules for when to end are those of SciPy's `L-BFGS-B`, whose steps these are, up to
    rounding, where there are no bounds.

    Parameters
    ----------
    function : callable
        Takes x (P,) of float64, returns its value there and a new array, the gradient (P,).
    start : ndarray, shape (P,)
    max_iterations, max_evaluations : int
        The iteration in which there were too many evaluations is finished.
    is_flat : callable
        Called with a gradient; True ends it.
    on_iteration : callable
        Called with x and its value, which was computed last, after every iteration; True ends it.

    Returns
    -------
    Minimum
    """
    x = start
    value, gradient = function(x)
    iterations, evaluations = 0, 1
    memory = Memory(_PAIRS)

    def ended(reason: Reason) -> Minimum:
        return Minimum(x, value, iterations, evaluations, reason)

    if is_flat(gradient):
        return ended("flat")
    while True:
        direction = memory.direction(gradient)
        line = _Line(function, x, direction)
        slope, found = float(gradient @ direction), None
        if slope < 0:
            length = float(np.sqrt(direction @ direction))
            step = 1.0 if iterations else min(1 / length, LONGEST)
            found = search_line(line.look, Point(0.0, value, slope), step)
        evaluations += line.looks
        if found is None:
            if not memory:
                return ended("stuck")
            memory.clear()  # straight down, then
            continue
        before, lowered = gradient, value - found.value
        x, value, gradient = line.x, found.value, line.gradient
        iterations += 1
        if on_iteration(x, value):
            return ended("stopped")
        if iterations >= max_iterations:
            return ended("iterations")
        if evaluations > max_evaluations:
            return ended("evaluations")
        if is_flat(gradient):
            return ended("flat")
        if lowered <= _STILL * max(abs(value + lowered), abs(value), 1.0):
            return ended("still")
        curvature = found.step * (found.slope - slope)
        if curvature > -_EPS * found.step * slope:
            direction *= found.step
            memory.add(Pair(direction, gradient - before, curvature))


class _Line:
    """A function along a line, and what was seen of it last.

    Parameters
    ----------
    function : callable
    start, direction : ndarray, shape (P,)
    """

    def __init__(
        self, function: Callable[[Array], tuple[float, Array]], start: Array, direction: Array
    ) -> None:
        self.function, self.start, self.direction = function, start, direction
        self.looks = 0
        self.x = self.gradient = start

    def look(self, step: float) -> Point:
        """Evaluate the function at a step."""
        self.looks += 1
        self.x = self.direction * step
        self.x += self.start
        value, self.gradient = self.function(self.x)
        return Point(step, value, float(self.gradient @ self.direction))

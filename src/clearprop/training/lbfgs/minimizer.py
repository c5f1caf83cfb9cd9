"""The iteration: a direction, a step along it, and the memory of both. It knows no networks."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from clearprop.core.parameters import Array
from clearprop.training.lbfgs.line_search import LONGEST, Point, search_line

REASONS = "flat", "still", "evaluations", "stuck"
"""The reasons for the end. "flat": the gradient is. "still": an iteration lowered the value by less
than 2.2e-9 of it, or of 1 where that is more. "evaluations": there were as many as are allowed.
"stuck": no step down was found."""

_STILL = 2.220446049250313e-09  # of the loss, in an iteration
_EPS = float(np.finfo(np.float64).eps)


class Pair(NamedTuple):
    """A step s, the change y of the gradient over it, and their product s y, which is positive."""

    s: Array
    y: Array
    sy: float


class Memory:
    """The last pairs of a step and a change, which stand for the inverse H of the curvature.

    Parameters
    ----------
    s, y : ndarray, shape (length, P)
    sy : ndarray, shape (length,)
    counts : ndarray of uint32
        The first is the number of pairs taken in since it was cleared.

    Notes
    -----
    The arrays are a ring, changed in place: they are an optimizer's state, which a checkpoint
    keeps. H begins as the multiple gamma = s y / y y of the newest pair, and each pair, from the
    oldest on, changes it so that H y = s::

        H <- (I - s y.T / sy) H (I - y s.T / sy) + s s.T / sy

    The two loops of `direction` multiply by H without ever writing it down. Source: Nocedal,
    "Updating Quasi-Newton Matrices with Limited Storage" (1980).
    """

    def __init__(self, s: Array, y: Array, sy: Array, counts: Array) -> None:
        self.s, self.y, self.sy, self.counts = s, y, sy, counts
        added, length = int(counts[0]), len(s)
        places = (place % length for place in range(max(added - length, 0), added))
        self._pairs = deque(map(self._pair, places), length)

    def __len__(self) -> int:
        return len(self._pairs)

    def add(self, direction: Array, step: float, before: Array, now: Array, sy: float) -> None:
        """Take in a step along a direction, and the gradients before and now; the oldest goes."""
        place = int(self.counts[0]) % len(self.s)
        np.multiply(direction, step, out=self.s[place])
        np.subtract(now, before, out=self.y[place])
        self.sy[place] = sy
        self.counts[0] += 1
        self._pairs.append(self._pair(place))

    def clear(self) -> None:
        """Forget all pairs."""
        self.counts[0] = 0
        self._pairs.clear()

    def _pair(self, place: int) -> Pair:
        return Pair(self.s[place], self.y[place], float(self.sy[place]))

    def direction(self, gradient: Array) -> Array:
        """Return -H gradient, a new array of float64, shape (P,)."""
        direction, pairs = -gradient, self._pairs
        if not pairs:
            return direction
        shares, scaled = [], np.empty_like(direction)
        for s, y, sy in reversed(pairs):
            shares.append(float(s @ direction) / sy)
            direction -= np.multiply(y, shares[-1], out=scaled)
        newest = pairs[-1]
        direction *= newest.sy / float(newest.y @ newest.y)
        for (s, y, sy), share in zip(pairs, reversed(shares), strict=True):
            direction += np.multiply(s, share - float(y @ direction) / sy, out=scaled)
        return direction


class Minimizer:
    """A function of many numbers on its way down, an iteration at a time.

    Steps and endings are those of SciPy's `L-BFGS-B`, up to rounding, where there are no bounds.

    Parameters
    ----------
    function : callable
        The function of x (P,) of float64: it returns its value and a new array, the gradient (P,).
    start : ndarray, shape (P,)
    state : mapping of str to ndarray
        The arrays of a `Memory` and x (P,), changed in place. ``counts[1]`` is the number of looks
        at the function, ``counts[2]`` the place of the reason in `REASONS`, from 1, and
        ``counts[3]`` the number of iterations. Where others have looked before, it goes on from x.
    is_flat : callable
        The test of the gradient at the last look; True ends it.
    max_evaluations : int or None
        The iteration in which there were too many looks is finished.

    Attributes
    ----------
    x : ndarray, shape (P,)
    value : float
    """

    def __init__(
        self,
        function: Callable[[Array], tuple[float, Array]],
        start: Array,
        state: Mapping[str, Array],
        *,
        is_flat: Callable[[Array], bool],
        max_evaluations: int | None = None,
    ) -> None:
        self.function, self.is_flat = function, is_flat
        self.max_evaluations = max_evaluations
        self.x, self.counts = state["x"], state["counts"]
        self.memory = Memory(state["s"], state["y"], state["sy"], self.counts)
        is_new = not self.counts[1]
        if is_new:
            self.x[...] = start
        self.value, self.gradient = function(self.x)
        if is_new:
            self.counts[1] = 1
            if is_flat(self.gradient):
                self._end("flat")

    @property
    def reason(self) -> str | None:
        """The reason for the end, once there is one."""
        place = int(self.counts[2])
        return REASONS[place - 1] if 0 < place <= len(REASONS) else None

    def iterate(self) -> bool:
        """Do an iteration; False, with a reason, where there is none to be done."""
        while self.reason is None:
            direction = self.memory.direction(self.gradient)
            line = _Line(self.function, self.x, direction)
            slope, found = float(self.gradient @ direction), None
            if slope < 0:
                is_first = not self.counts[3]  # nothing is known yet of how long steps are
                step = min(1 / float(np.linalg.norm(direction)), LONGEST) if is_first else 1.0
                found = search_line(line.look, Point(0.0, self.value, slope), step)
            self.counts[1] += line.looks
            if found is not None:
                self._take(found, slope, line)
                return True
            if not len(self.memory):
                self._end("stuck")
            self.memory.clear()  # straight down, then
        return False

    def _end(self, reason: str) -> None:
        self.counts[2] = REASONS.index(reason) + 1

    def _take(self, found: Point, slope: float, line: "_Line") -> None:
        """Go to the point that a search has found, and remember the way."""
        lowered, before = self.value - found.value, self.gradient
        largest = max(abs(self.value), abs(found.value), 1.0)
        self.x[...] = line.x
        self.value, self.gradient = found.value, line.gradient
        self.counts[3] += 1
        if self.max_evaluations is not None and self.counts[1] > self.max_evaluations:
            self._end("evaluations")
        elif self.is_flat(self.gradient):
            self._end("flat")
        elif lowered <= _STILL * largest:
            self._end("still")
        curvature = found.step * (found.slope - slope)
        if curvature > -_EPS * found.step * slope:
            self.memory.add(line.direction, found.step, before, self.gradient, curvature)


class _Line:
    """A function along a line, and the last look at it."""

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

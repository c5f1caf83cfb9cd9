"""The search for a step along a direction, by Moré and Thuente."""

import math
from collections.abc import Callable
from typing import NamedTuple

_DECREASE = 1e-3  # of the fall that the first slope promises
_FLATNESS = 0.9  # of the first slope
_NARROW = 0.1  # of the interval's upper end
LONGEST = 1e10
_LOOKS = 20


class Point(NamedTuple):
    """A step along the line, the function's value there, and its slope along the line."""

    step: float
    value: float
    slope: float


class Interval(NamedTuple):
    """The stretch of the line that the search has come down to.

    Parameters
    ----------
    best : Point
        The lowest so far.
    other : Point
        The other end.
    brackets : bool
        Whether a minimum is known to lie between them.
    """

    best: Point
    other: Point
    brackets: bool


def search_line(look: Callable[[float], Point], start: Point, step: float) -> Point | None:
    """Find a step at which a function has fallen enough, and is flat enough.

    Parameters
    ----------
    look : callable
        Evaluates the function at a step.
    start : Point
        At step 0; its slope is negative.
    step : float
        The step to be tried first; positive.

    Returns
    -------
    Point or None
        The point that was looked at last. None if 20 looks led nowhere.

    Notes
    -----
    Wanted are value <= start.value + 1e-3 step start.slope and |slope| <= 0.9 |start.slope|. An
    interval that holds such a step is first moved to longer steps, and then made narrower by
    polynomials through its ends and the newest point. Where it becomes too narrow for that, its
    best point has to do, and so has one at the longest step of all. Where a function has no finite
    value, a tenth of the way is tried. Source: Moré, Thuente, "Line Search Algorithms with
    Guaranteed Sufficient Decrease" (1994); the constants are those that L-BFGS-B has had since
    Zhu, Byrd, Lu, Nocedal (1997).
    """
    interval = Interval(start, start, brackets=False)
    low, high = 0.0, 5 * step
    widths = (LONGEST, 2 * LONGEST)  # of this interval, and of the one before the last
    fall, descends = _DECREASE * start.slope, True
    for _ in range(_LOOKS):
        here = look(step)
        if not (math.isfinite(here.value) and math.isfinite(here.slope)):
            high, step = step, interval.best.step + (step - interval.best.step) / 10
            continue
        aim = start.value + fall * step
        is_low, is_last = here.value <= aim, step == LONGEST and here.slope <= fall
        if is_low and (is_last or abs(here.slope) <= -_FLATNESS * start.slope):
            return here
        if interval.brackets and _is_spent(step, low, high):
            return here
        # Until a step has fallen enough and goes up, what is sought is a minimum of the function
        # less the line of the fall that is wanted.
        descends = descends and not (here.value <= aim and here.slope >= 0)
        tilt = fall if descends and aim < here.value <= interval.best.value else 0.0
        interval, step = _narrowed(interval, here, low, high, tilt)
        best, other = interval.best.step, interval.other.step
        if interval.brackets:
            width = abs(other - best)
            if width >= 0.66 * widths[1]:
                step = best + 0.5 * (other - best)
            widths = (width, widths[0])
            low, high = min(best, other), max(best, other)
        else:
            low, high = step + 1.1 * (step - best), step + 4 * (step - best)
        step = min(max(step, 0.0), LONGEST)
        if interval.brackets and _is_spent(step, low, high):
            step = best
    return None


def _is_spent(step: float, low: float, high: float) -> bool:
    """Whether rounding leaves nothing between the ends of an interval."""
    return step <= low or step >= high or high - low <= _NARROW * high


def _narrowed(
    interval: Interval, here: Point, low: float, high: float, tilt: float
) -> tuple[Interval, float]:
    """Take a point into the interval, and choose the next step, for the function less a line."""
    x, y, p = (
        Point(step, value - step * tilt, slope - tilt)
        for step, value, slope in (interval.best, interval.other, here)
    )
    turns = p.slope * math.copysign(1.0, x.slope) < 0
    if p.value > x.value:
        step = _nearest_to_best(x, p)
        return Interval(interval.best, here, brackets=True), step
    if turns:
        cubic, secant = _cubic_minimum(x, p), _secant_minimum(x, p)
        step = cubic if abs(cubic - p.step) > abs(secant - p.step) else secant
        return Interval(here, interval.best, brackets=True), step
    if abs(p.slope) < abs(x.slope):
        step = _ahead(x, y, p, low, high, interval.brackets)
    elif interval.brackets:
        step = _cubic_minimum(y, p)
    else:
        step = high if p.step > x.step else low
    return Interval(here, interval.other, interval.brackets), step


def _nearest_to_best(x: Point, p: Point) -> float:
    """Return a step between the best point and a higher one."""
    cubic, quadratic = _cubic_minimum(x, p), _quadratic_minimum(x, p)
    if abs(cubic - x.step) < abs(quadratic - x.step):
        return cubic
    return cubic + (quadratic - cubic) / 2


def _ahead(x: Point, y: Point, p: Point, low: float, high: float, brackets: bool) -> float:
    """Return a step beyond a point that is lower and flatter than the best one before."""
    secant, cubic = _secant_minimum(x, p), _cubic_minimum(x, p)
    if not (cubic - p.step) * (p.step - x.step) > 0:  # it has none, or it lies behind
        cubic = high if p.step > x.step else low
    nearer = abs(cubic - p.step) < abs(secant - p.step)
    if not brackets:
        return min(max(secant if nearer else cubic, low), high)
    step = cubic if nearer else secant
    border = p.step + 0.66 * (y.step - p.step)
    return min(border, step) if p.step > x.step else max(border, step)


def _cubic_minimum(a: Point, b: Point) -> float:
    """Return where the cubic of the values and slopes of two points has its minimum, else NaN."""
    theta = 3 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope
    size = max(abs(theta), abs(a.slope), abs(b.slope))  # without it squares could overflow
    square = (theta / size) ** 2 - (a.slope / size) * (b.slope / size)
    if square <= 0:
        return math.nan
    gamma = math.copysign(size * math.sqrt(square), b.step - a.step)
    below = b.slope - a.slope + 2 * gamma
    if not below:
        return math.nan
    return b.step + (b.slope + gamma - theta) / below * (a.step - b.step)


def _quadratic_minimum(a: Point, b: Point) -> float:
    """Return where the parabola of two values, and of the slope of the first, has its minimum."""
    chord = (a.value - b.value) / (b.step - a.step)
    return a.step + a.slope / (chord + a.slope) / 2 * (b.step - a.step)


def _secant_minimum(a: Point, b: Point) -> float:
    """Return where the parabola of two slopes has its minimum."""
    return b.step + b.slope / (b.slope - a.slope) * (a.step - b.step)

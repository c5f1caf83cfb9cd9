"""When two arrays are the same but for a factor, and the meaning of the factor."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.diagnosis.formulas import readable
from clearprop.gradcheck.diagnosis.networks import SUMS
from clearprop.gradcheck.diagnosis.replay import Place, Step, Steps

CLOSE = 1e-6
"""The largest difference that counts as rounding, over the largest entry.

An epsilon in their logarithms may move the last digits.
"""

SINGLE = 1e-4
"""The same where they compute in float32."""

LEAST = 1e-16
"""The number that is printed for no difference at all."""

_TELLING = 3  # entries, from which on a factor that nobody expected may be believed


@dataclass(frozen=True)
class Fit:
    """An array as a multiple of another, or as a sum.

    Parameters
    ----------
    factor : float
        The multiple of the first array.
    error : float
        The largest difference that is left, over the largest entry.
    free : float
        The multiple of the second, where there are two.
    telling : bool
        Whether the arrays have entries enough for any factor to mean something.
    """

    factor: float
    error: float
    free: float = 0
    telling: bool = True


def fit(
    theirs: Array, value: Array, *, free: Array | None = None, close: float = CLOSE
) -> Fit | None:
    """Write theirs as a multiple of a value, or as a value plus a multiple of what is free.

    Axes of length 1 don't count. A difference of up to `close`, over the largest entry, is
    rounding. None where it can't be written so.
    """
    theirs, value = np.squeeze(theirs), np.squeeze(value)
    if theirs.shape != value.shape or not np.isfinite(value).all():
        return None
    if free is None:
        return _multiple(theirs, value, close)
    direction = np.squeeze(free)
    squares = float(np.vdot(direction, direction))
    if not squares or theirs.size < _TELLING:
        return None
    coefficient = float(np.vdot(direction, theirs - value)) / squares
    error = relative_error(theirs, value + coefficient * direction)
    return Fit(1, error, coefficient) if error <= close else None


def relative_error(theirs: Array, value: Array) -> float:
    """Return the largest difference over the largest entry; 0 where there are no entries."""
    largest = float(np.abs(theirs).max(initial=0))
    difference = float(np.abs(theirs - value).max(initial=0))
    return difference / largest if largest else float(difference > 0)


def _multiple(theirs: Array, value: Array, close: float) -> Fit | None:
    squares = float(np.vdot(value, value))
    if not squares:
        return None if theirs.any() else Fit(1, 0)
    factor = float(np.vdot(value, theirs)) / squares
    error = relative_error(theirs, factor * value)
    if not factor or not error <= close:
        return None
    return Fit(factor, error, telling=theirs.size >= _TELLING)


@dataclass(frozen=True)
class Factor:
    """A number with a meaning.

    Parameters
    ----------
    value : float
        The multiple of the right value that it gives.
    causes : tuple of str
    times : str
        The formula of a multiple, of ``{}``.
    over : str, optional
        The divisor of the sum over samples, if it is not the right one; empty for none.
    equals : tuple of str
        Other causes of the same number.
    variant : str
        The variant of the `Step`; that of the formula unless given.
    scale : float, optional
        The factor of the cost for which the gradient would be right, besides 1/m.
    """

    value: float
    causes: tuple[str, ...]
    times: str = "{}"
    over: str | None = None
    equals: tuple[str, ...] = ()
    variant: str = ""
    scale: float | None = None


def meanings(value: float, at: Place, target: str, *, telling: bool) -> list[Steps]:
    """Say what the ratio of theirs and the right value of a line may mean, the likelier first.

    The factor 1 has one meaning, without steps. A number without any usual meaning is believed only
    where it is `telling`.
    """
    same = 3 * at.close
    if abs(value - 1) < same:
        return [()]
    simple = list(_simple(at, target))
    pairs = (_together(one, other) for one, other in combinations(simple, 2))
    for every in (((one,) for one in simple), pairs):
        if found := [some for some in every if some and abs(value / _product(some) - 1) < same]:
            return [
                tuple(_step(cause, one, at, target) for one in some for cause in one.causes)
                for some in found
            ]
    unnamed = Factor(value, ("factor",), f"{readable(value, '.17g')} * {{}}")
    return [(_step("factor", unnamed, at, target),)] if telling else []


def parts_of(value: float, at: Place, target: str) -> list[float]:
    """Return the factors that a number may be made of, where it has no meaning of its own."""
    same, simple = 3 * at.close, list(_simple(at, target))
    if any(abs(value / one.value - 1) < same for one in simple):
        return []
    return [
        part.value
        for pair in combinations(simple, 2)
        for part in pair
        if (some := _together(*pair)) and abs(value / _product(some) - 1) < same
    ]


def usual_causes(at: Place, target: str) -> list[str]:
    """Return the causes of the factors that a line is tried with."""
    return list(dict.fromkeys(cause for factor in _simple(at, target) for cause in factor.causes))


def _simple(at: Place, target: str) -> Iterator[Factor]:
    run = at.run
    if target == "dZ" and at.is_last:
        yield from _of_output(at)
    yield _times(at, "sign", "-{}")
    yield _times(at, "factor_two", "2 * {}")
    yield _times(at, "factor_two", "1/2 * {}")
    if target == "db":
        yield _times(at, "bias_averaged", "1/m * {}", "mean_twice")
    if run.plan.summed:  # so that nothing is to be divided
        yield _over(at, "other_loss", "m")
        return
    yield _over(at, "mean_missing", "")
    yield _over(at, "mean_twice", "m**2")
    # The lengths that may be taken for the number of samples, by the array that they are of.
    previous = "X" if at.layer == 1 else "A_prev"
    for kind, array in (("A_prev", previous), ("dZ", "dZ"), ("X", "X"), ("Y", "Y")):
        over = f"{array}.shape[0]"
        if at.value(over) != run.m:
            yield _over(at, "mean_axis", over, kind)
    for over in ("(m - 1)", "(m + 1)"):
        if at.value(over):
            yield _over(at, "mean_axis", over)


def _of_output(at: Place) -> Iterator[Factor]:
    plan = at.run.plan
    if plan.scale not in plan.cost.usual:  # the cost is the unusual one, not the gradient
        cause = "cost_sign" if plan.scale < 0 else "other_loss"
        for usual in plan.cost.usual:
            yield Factor(usual / plan.scale, (cause,), variant=f"{usual}", scale=usual)
    yield _times(at, "swapped", "-{}", "sign")
    if (outputs := len(at.run.Y)) > 1:
        yield _times(at, "other_loss", f"1/{outputs} * {{}}")
        yield _times(at, "other_loss", f"{outputs} * {{}}")


def _times(at: Place, cause: str, times: str, *equals: str) -> Factor:
    return Factor(float(at.value(times.format("1"))), (cause,), times, equals=equals)


def _over(at: Place, cause: str, over: str, variant: str = "") -> Factor:
    mean = at.lines.mean
    value = float(at.value(mean("1", over)) / at.value(mean("1")))
    return Factor(value, (cause,), over=over, variant=variant)


def _together(one: Factor, other: Factor) -> tuple[Factor, ...]:
    """Return two factors as one where they can stand in one line, else both; or none of them.

    That of a cost stands in a line of its own.
    """
    if one.causes == other.causes or None not in (one.over, other.over):
        return ()
    if one.scale is not None or other.scale is not None:
        return one, other
    over = one.over if other.over is None else other.over
    times = one.times.format(other.times)
    return (Factor(one.value * other.value, one.causes + other.causes, times, over),)


def _product(factors: tuple[Factor, ...]) -> float:
    return prod(one.value for one in factors)


def _step(cause: str, factor: Factor, at: Place, target: str) -> Step:
    theirs, ours = _lines(factor, at, target)
    equals = factor.equals if cause == factor.causes[0] else ()
    variant = factor.variant or f"{factor.times} / {factor.over}"
    return Step(cause, at.layer, target, theirs, ours, variant, equals, factor.value)


def _lines(factor: Factor, at: Place, target: str) -> tuple[str, str]:
    lines, times, over = at.lines, factor.times, factor.over
    if "cost_sign" in factor.causes:
        total = lines.mean("np.sum(...)")
        return f"cost = {total}", f"cost = -{total}"
    if target == "dZ" and over is not None:  # the division usually stands with dW and db
        target = "dW"
    ours = lines.right(target)
    if target in SUMS:
        return lines.gradient(target, SUMS[target], times, over), ours
    if factor.scale is not None:
        return f"dZ = {lines.scaled(factor.scale)}", ours
    if target == "dZ":
        return f"dZ = {times.format(f'({lines.scaled()})')}", ours
    before = {None: "", "": "m * ", "m": "1/m * ", "m**2": "1/m * "}.get(over, f"m/{over} * ")
    return lines.dA(times.format(f"{before}(W_next.T @ dZ_next)")), ours

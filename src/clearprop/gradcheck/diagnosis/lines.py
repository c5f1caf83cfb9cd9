"""The mistakes in dW and db of a layer, once its dZ is taken as given."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.diagnosis.factors import fit, meanings
from clearprop.gradcheck.diagnosis.formulas import neighbour
from clearprop.gradcheck.diagnosis.networks import SUMS
from clearprop.gradcheck.diagnosis.replay import Guess, Place, Step, Steps

_SAMPLES = (  # some of them only, as loops with a slip leave them: of dZ, and of A_prev
    ("last_sample", "-1:", "-1:"),
    ("last_sample", ":1", ":1"),
    ("off_by_one", ":-1", ":-1"),
    ("off_by_one", "1:", "1:"),
    ("off_by_one", "1:", ":-1"),
    ("off_by_one", ":-1", "1:"),
)
_ALONE = " alone"  # the end of a variant in which nothing is divided by m


@dataclass(frozen=True)
class Line:
    """One explanation of a line.

    Parameters
    ----------
    steps : tuple of Step
        The mistakes in it, besides the factor.
    factor : float or None
        The multiple that it is, for a reason yet to be found; None where it can't be known.
    error : float
        The largest difference from theirs, over their largest entry.
    telling : bool
        Whether a factor without a known meaning may be believed.
    """

    steps: Steps
    factor: float | None = None
    error: float = 0
    telling: bool = False


def explain(at: Place, target: str, theirs: Array | None, *, plain: bool) -> list[Line]:
    """Find the lines that give their dW or db, the likelier first, at a place with dZ and dA.

    Theirs is in columns; any line will do where it is None. Of a `plain` search only the right line
    is tried, with any factor.
    """
    if theirs is None:
        return [Line(())]
    found = []
    every = sums(at, target)
    right = next(every)
    penalties = list(_penalties(at, target, theirs.shape))
    for penalty, wrong in penalties:
        if fitted := fit(theirs - penalty, right.value, close=at.close):
            found.append(Line(wrong, fitted.factor, fitted.error, fitted.telling))
            if not wrong and abs(fitted.factor - 1) < at.close:
                return found  # it is right: nothing else is worth believing
    found = [line for line in found if _means_something(line, at, target)]
    if found or plain:
        return found
    if (line := _unknown_penalty(at, target, theirs, right)) is not None:
        found.append(line)
    if not theirs.any():
        return [*found, Line((at.step("zero", target, f"{target} = 0"),))]
    own_penalty, _ = penalties[0]  # two mistakes in one line would explain anything
    for guess in every:
        if fitted := fit(theirs - own_penalty, guess.value, close=at.close):
            line = Line(guess.steps, fitted.factor, fitted.error)
            found += [line] if _means_something(line, at, target) else []
    return found


def _means_something(line: Line, at: Place, target: str) -> bool:
    """Say whether a factor can be believed: of a single entry, any other one is some multiple."""
    known = line.factor is None or line.telling
    return known or bool(meanings(line.factor or 1, at, target, telling=False))


# Sums over the samples.


def sums(at: Place, target: str) -> Iterator[Guess]:
    """Yield what dW or db may be, apart from L2, at a place with dZ and dA; the right sum first.

    A guess may have another shape than the parameter.
    """
    lines, array = at.lines, _parameter(at, target)
    yield Guess(at.value(lines.mean(SUMS[target])))
    for cause, total, variant in (_weights if target == "dW" else _biases)(at):
        formula = f"({total})" if variant.endswith(_ALONE) else lines.mean(total)
        value = at.value(formula)
        spread = np.full(array.shape, value) if not value.ndim and array.size > 1 else None
        for one in (value, spread):  # a number may be spread over db by broadcasting
            if one is not None:
                penalty = lines.penalty(target) if one.shape == array.shape else ""
                step = at.step(cause, target, f"{target} = {formula}{penalty}", variant)
                yield Guess(one, (step,))


def _weights(at: Place) -> Iterator[tuple[str, str, str]]:
    """Yield wrong products for dW: the cause, the formula, and its variant."""
    run, layer, lines = at.run, at.layer, at.lines
    yield "transposed", "A_prev @ dZ.T", ""
    for product in ("dA @ A_prev.T", "dZ @ Z_prev.T", "A @ A_prev.T", "Z @ A_prev.T"):
        yield "wrong_pair", product, ""
    if layer - 1 in run.plan.dropout.masks:
        yield "dropout_missing", lines.undropped("dZ @ A_prev.T", "A_prev"), ""
    yield "reshaped", "dZ @ A_prev_reshaped", ""
    for other in range(run.L + 1):
        offset = other - layer
        if offset != -1:
            yield "cache_layer", f"dZ @ A{neighbour(offset)}.T", f"A{offset:+d}"
        if offset > 0:
            there = f"dZ{neighbour(offset)}"
            yield "delta_layer", f"{there} @ A_prev.T", f"dZ{offset:+d}"
            yield "off_by_one", f"{there} @ A{neighbour(offset - 1)}.T", f"both{offset:+d}"
    for cause, one, another in _SAMPLES if run.m > 2 else ():
        product = f"dZ[:, {one}] @ A_prev[:, {another}].T"
        yield cause, product, f"{one} {another}"
        if cause == "last_sample":
            yield cause, product, f"{one}{_ALONE}"
    shapes = {(len(run.Z[layer]), run.m), (run.m, run.m), run.W[layer].shape}
    for product in ("dZ * A_prev", "dZ * A_prev.T"):
        try:
            fits = at.value(product).shape in shapes
        except ValueError:  # NumPy does not let it pass
            continue
        if fits:
            yield "elementwise", product, product


def _biases(at: Place) -> Iterator[tuple[str, str, str]]:
    """Yield wrong sums for db: the cause, the formula, and its variant."""
    yield "bias_axis", "np.sum(dZ, axis=0, keepdims=kept)", ""
    yield "bias_broadcast", "np.sum(dZ)", "all"
    yield "bias_averaged", "np.mean(dZ)", f"all{_ALONE}"
    yield "bias_axis", "np.mean(dZ, axis=0)", f"mean{_ALONE}"
    yield "bias_broadcast", "dZ", "unsummed"
    for symbol in ("dA", "A", "Z"):
        yield "wrong_pair", SUMS["db"].replace("dZ", symbol), ""
    for offset in range(1, at.run.L - at.layer + 1):
        yield "delta_layer", SUMS["db"].replace("dZ", f"dZ{neighbour(offset)}"), f"{offset:+d}"
    for cause, one, other in _SAMPLES if at.run.m > 2 else ():
        if one == other:
            yield cause, SUMS["db"].replace("dZ", f"dZ[:, {one}]"), one
        if cause == "last_sample":
            yield cause, f"dZ[:, {one}]", f"{one}{_ALONE}"


# L2.


def _penalties(at: Place, target: str, shape: tuple[int, ...]) -> Iterator[tuple[Array, Steps]]:
    """Yield what L2 may add to a gradient: first as it should, then as it should not."""
    plan, own = at.run.plan, at.lines.penalty(target)
    if _parameter(at, target).shape != shape or not plan.shrinking:
        yield np.zeros(shape), ()
        return
    of_bias = target == "db"
    due = plan.bias_decay if of_bias else plan.decay
    terms = [("l2_missing", "")] if due else [("l2_bias" if of_bias else "l2_extra", "lambd/m * ")]
    if due or of_bias:
        terms += [
            ("l2_bias" if of_bias else cause, times)
            for cause, times in (
                ("l2_mean", "lambd * "),
                ("l2_mean", "lambd/m**2 * "),
                ("l2_factor", "2 * lambd/m * "),
                ("l2_factor", "lambd/(2 * m) * "),
                ("l2_factor", "-lambd/m * "),
            )
        ]
    yield at.value(f"0 * {target[1]}{own}"), ()
    for cause, times in terms:
        step = _l2(at, target, cause, times)
        yield at.value(f"0 * {target[1]} + {times or '0 * '}{target[1]}"), (step,)


def _unknown_penalty(at: Place, target: str, theirs: Array, right: Guess) -> Line | None:
    """Return the line with an L2 term that the cost does not have, or of another size."""
    array = _parameter(at, target)
    if array.shape != theirs.shape:
        return None
    fitted = fit(theirs, right.value, free=array, close=at.close)
    if fitted is None or abs(fitted.free) < at.close:
        return None
    cause = ("l2_factor" if at.run.plan.decay else "l2_extra") if target == "dW" else "l2_bias"
    step = _l2(at, target, cause, f"{fitted.free:.17g} * ")
    return Line((step,), factor=1, error=fitted.error)


def _l2(at: Place, target: str, cause: str, times: str) -> Step:
    """Make the step of a line with another L2 term."""
    sign, times = ("-", times[1:]) if times.startswith("-") else ("+", times)
    term = f" {sign} {times}{target[1]}" if times else ""
    theirs = f"{target} = {at.lines.mean(SUMS[target])}{term}"
    return at.step(cause, target, theirs, f"{sign}{times}")


def _parameter(at: Place, target: str) -> Array:
    return (at.run.W if target == "dW" else at.run.b)[at.layer]

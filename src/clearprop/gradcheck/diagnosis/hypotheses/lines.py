"""Which line of a backward pass gives their dW or db, once dZ is taken as given."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from clearprop.gradcheck.diagnosis.hypotheses.biases import biases
from clearprop.gradcheck.diagnosis.hypotheses.factors import meanings
from clearprop.gradcheck.diagnosis.hypotheses.fitting import fit
from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place, Step, Steps
from clearprop.gradcheck.diagnosis.hypotheses.weights import weights
from clearprop.parameters import Array


@dataclass(frozen=True)
class Line:
    """One explanation of a line.

    Parameters
    ----------
    steps : tuple of Step
        What is wrong with it, besides the factor.
    factor : float or None
        By what it is multiplied, for a reason yet to be found; None where it can't be known.
    error : float
        The largest difference from theirs, over their largest entry.
    telling : bool
        Whether a factor without a known meaning may be believed.
    """

    steps: Steps
    factor: float | None = None
    error: float = 0
    telling: bool = False


def explain(
    at: Place, target: str, theirs: Array | None, dZ: Array, dA: Array, *, plain: bool
) -> list[Line]:
    """Find the lines that give their numbers.

    Parameters
    ----------
    at : Place
    target : {"dW", "db"}
    theirs : ndarray or None
        Their gradient in columns; nothing is asked of the line where it is not known.
    dZ, dA : ndarray, shape (n[l], m)
        Taken as given.
    plain : bool
        Whether only the right line is tried, with any factor.

    Returns
    -------
    list of Line
        The likelier first.
    """
    if theirs is None:
        return [Line(())]
    table = weights if target == "dW" else biases
    found = []
    guesses = table(at, dZ, dA)
    right = next(guesses)
    for penalty, wrong in _penalties(at, target, theirs.shape):
        if fitted := fit(theirs - penalty, right.value, close=at.close):
            found.append(Line(wrong, fitted.factor, fitted.error, fitted.telling))
            if not wrong and abs(fitted.factor - 1) < at.close:
                return found
    found = [line for line in found if _means_something(line, at, target)]
    if found or plain:
        return found
    if (line := _unknown_penalty(at, target, theirs, right)) is not None:
        found.append(line)
    if not theirs.any():
        return [*found, Line((_zero(at, target),))]
    own_penalty, _ = next(_penalties(at, target, theirs.shape))
    for guess in guesses:
        if fitted := fit(theirs - own_penalty, guess.value, close=at.close):
            line = Line(guess.steps, fitted.factor, fitted.error)
            found += [line] if _means_something(line, at, target) else []
    return found


def _means_something(line: Line, at: Place, target: str) -> bool:
    """Say whether a factor can be believed: of a single entry, any other one is some multiple."""
    known = line.factor is None or line.telling
    return known or bool(meanings(line.factor or 1, at, target, telling=False))


def _penalties(at: Place, target: str, shape: tuple[int, ...]) -> Iterator[tuple[Array, Steps]]:
    """Yield what L2 may add to a gradient: first as it should, then as it should not."""
    plan, m = at.run.plan, at.run.m
    weights_line = target == "dW"
    array = at.run.W[at.layer] if weights_line else at.run.b[at.layer]
    due = plan.decay if weights_line else plan.bias_decay
    if array.shape != shape or not (plan.decay or plan.bias_decay):
        yield np.zeros(shape), ()
        return
    yield due * array, ()
    if due:
        yield np.zeros(shape), (_l2(at, target, "l2_missing", ""),)
    cause = "l2_factor" if weights_line else "l2_bias"
    size = due or plan.decay
    if not due:
        yield size * array, (_l2(at, target, "l2_bias", "lambd/m * "),)
    for times, another, written in (
        (m, "l2_mean", "lambd * "),
        (1 / m, "l2_mean", "lambd/m**2 * "),
        (2, cause, "2 * lambd/m * "),
        (0.5, cause, "lambd/(2 * m) * "),
        (-1, cause, "-lambd/m * "),
    ):
        known = another if weights_line else cause
        yield times * size * array, (_l2(at, target, known, written),)


def _unknown_penalty(at: Place, target: str, theirs: Array, right: Guess) -> Line | None:
    """Return the line with an L2 term that the cost does not have, or of another size."""
    array = at.run.W[at.layer] if target == "dW" else at.run.b[at.layer]
    if array.shape != theirs.shape:
        return None
    fitted = fit(theirs, right.value, free=array, close=at.close)
    if fitted is None or abs(fitted.free) < at.close:
        return None
    cause = ("l2_factor" if at.run.plan.decay else "l2_extra") if target == "dW" else "l2_bias"
    return Line((_l2(at, target, cause, f"{fitted.free:.6g} * "),), factor=1, error=fitted.error)


def _l2(at: Place, target: str, cause: str, times: str) -> Step:
    write = at.formulas
    right = write.dW() if target == "dW" else write.db()
    term = f" + {times}{write.name(target[1])}" if times else ""
    term = term.replace("+ -", "- ")
    ours = write.whole_dW() if target == "dW" else write.db()
    return Step(cause, at.layer, target, right + term, ours, times)


def _zero(at: Place, target: str) -> Step:
    write = at.formulas
    ours = write.whole_dW() if target == "dW" else write.db()
    return Step("zero", at.layer, target, f"{write.name(target)} = 0", ours, "zero")

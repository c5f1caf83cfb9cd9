"""What a learner may compute for dZ of the last layer."""

from collections.abc import Iterator

import numpy as np

from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place, Step
from clearprop.gradcheck.diagnosis.hypotheses.slopes import of_activation
from clearprop.gradcheck.diagnosis.network.costs import through_softmax
from clearprop.parameters import Array


def outputs(at: Place) -> Iterator[tuple[Guess, Array]]:
    """Yield what dZ of the last layer may be, the right one first, and the dA it is made of.

    Parameters
    ----------
    at : Place

    Yields
    ------
    guess : Guess
        Its value is dZ, shape (K, m).
    dA : ndarray, shape (K, m)
    """
    run, cost = at.run, at.run.plan.cost
    right = run.plan.scale * cost.dA(run.A[-1], run.Y)
    yield Guess(run.plan.scale * cost.dZ(run.A[-1], run.Y)), right
    for guess in _at_once(at):
        yield guess, right
    for dA in (Guess(right), *_upstream(at)):
        if np.isfinite(dA.value).all():
            for slope in _slopes(at):
                yield Guess(dA.value * slope.value, dA.steps + slope.steps), dA.value
            if cost.activation is None:
                yield Guess(through_softmax(dA.value, run.A[-1]), dA.steps), dA.value


def _at_once(at: Place) -> Iterator[Guess]:
    """Yield what is written for dZ without a dA."""
    run = at.run
    A, Y, Z = run.A[-1], run.Y, run.Z[-1]
    a, z = at.formulas.name("A"), at.formulas.name("Z")
    predicted = A.max(axis=0) == A if len(A) > 1 else A > 0.5
    for cause, value, written in (
        ("other_loss", A - Y, f"{a} - Y"),
        ("other_loss", 2 * (A - Y), f"2 * ({a} - Y)"),
        ("other_loss", np.sign(A - Y), f"np.sign({a} - Y)"),
        ("at_Z", Z - Y, f"{z} - Y"),
        ("thresholded", predicted - Y, f"({a} > 0.5) - Y"),
        ("Y_missing", A, a),
        ("inner_sign", A + Y, f"{a} + Y"),
    ):
        yield _wrong(at, cause, value, written)
    if run.plan.cost.activation is None:
        value, written = (A - Y) * A * (1 - A), f"({a} - Y) * {a} * (1 - {a})"
        yield _wrong(at, "softmax_elementwise", value, written)
    for shift in (1, -1) if len(A) > 1 else ():
        written = f"{a} - np.roll(Y, {shift}, axis={1 if run.plan.form.rows else 0})"
        yield _wrong(at, "off_by_one", A - np.roll(Y, shift, axis=0), written)


def _upstream(at: Place) -> Iterator[Guess]:
    """Yield what may be taken for dA of the last layer."""
    A, Y, a = at.run.A[-1], at.run.Y, at.formulas.name("A")
    with np.errstate(divide="ignore", invalid="ignore"):  # a saturated A explains nothing
        guesses = (
            ("other_loss", A - Y, f"{a} - Y"),
            ("other_loss", 2 * (A - Y), f"2 * ({a} - Y)"),
            ("inner_sign", -(Y / A + (1 - Y) / (1 - A)), f"-(Y / {a} + (1 - Y) / (1 - {a}))"),
            ("other_loss", -Y / A, f"-Y / {a}"),
            ("other_loss", (1 - Y) / (1 - A), f"(1 - Y) / (1 - {a})"),
            ("other_loss", -Y / A + (1 - Y) / (1 - A), f"-Y / {a} + (1 - Y) / (1 - {a})"),
            ("other_loss", np.sign(A - Y), f"np.sign({a} - Y)"),
        )
    name, ours = at.formulas.name("dA"), at.formulas.upstream()
    for cause, value, written in guesses:
        step = Step(cause, at.layer, "dA", f"{name} = {written}", ours, written)
        yield Guess(value, (step,))


def _slopes(at: Place) -> Iterator[Guess]:
    """Yield what dA of the last layer may be multiplied with, the right slope first."""
    run, own = at.run, at.run.plan.cost.activation
    A, Z = run.A[-1], run.Z[-1]
    a, dA = at.formulas.name("A"), at.formulas.name("dA")
    if own:
        yield Guess(own.at_Z.of(Z))
    yield _wrong(at, "slope_missing", np.ones_like(A), dA, "1")
    if own:
        yield from of_activation(at, own, Z, A)
    else:
        yield _wrong(at, "softmax_elementwise", A * (1 - A), f"{dA} * {a} * (1 - {a})")


def _wrong(at: Place, cause: str, value: Array, written: str, variant: str = "") -> Guess:
    line = f"{at.formulas.name('dZ')} = {written}"
    equals = ("wrong_pair",) if cause == "slope_missing" else ()  # dA was taken for dZ
    step = Step(cause, at.layer, "dZ", line, at.formulas.output(), variant or written, equals)
    return Guess(value, (step,))

"""What a learner may compute for dZ of the last layer."""

from collections.abc import Iterator

import numpy as np

from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place, Step
from clearprop.gradcheck.diagnosis.hypotheses.slopes import of_activation
from clearprop.gradcheck.diagnosis.network.costs import through_softmax
from clearprop.gradcheck.diagnosis.network.functions import IDENTITY, SIGMOID, TANH, Activation
from clearprop.parameters import Array


def outputs(at: Place) -> Iterator[Guess]:
    """Yield what dZ of the last layer may be, the right one first.

    Parameters
    ----------
    at : Place

    Yields
    ------
    Guess
        Its value is dZ, shape (K, m).
    """
    run, cost = at.run, at.run.plan.cost
    A, Y = run.A[-1], run.Y
    yield Guess(run.plan.scale * cost.dZ(A, Y))
    yield from _direct(at, A, Y)
    own = _LAST.get(cost.name.split()[-1]) or _LAST.get(cost.name.split()[0])
    dA = upstream(at)
    if not np.isfinite(dA).all():
        return
    yield _wrong(at, "slope_missing", dA, _dA_line(at), "1")
    if own:
        for slope in of_activation(at, own, run.Z[-1], A):
            yield Guess(dA * slope.value, slope.steps)


def upstream(at: Place) -> Array:
    """Return the right dA of the last layer, as the course computes it first."""
    return at.run.plan.scale * at.run.plan.cost.dA(at.run.A[-1], at.run.Y)


_LAST: dict[str, Activation] = {"sigmoid": SIGMOID, "tanh": TANH, "squares": IDENTITY}


def _direct(at: Place, A: Array, Y: Array) -> Iterator[Guess]:
    run = at.run
    a, z = at.formulas.name("A"), at.formulas.name("Z")
    one_hot = np.zeros_like(A)
    one_hot[A.argmax(axis=0), np.arange(run.m)] = 1
    predicted = one_hot if len(A) > 1 else (A > 0.5) * 1.0
    softmax = run.plan.cost.name.startswith("softmax")
    element_wise = "softmax_elementwise" if softmax else "other_loss"
    crossed = run.plan.cost.name.endswith("cross-entropy")
    with np.errstate(divide="ignore", invalid="ignore"):
        guesses = (
            ("other_loss", A - Y, f"{a} - Y"),
            ("other_loss", 2 * (A - Y), f"2 * ({a} - Y)"),
            (element_wise, (A - Y) * A * (1 - A), f"({a} - Y) * {a} * (1 - {a})"),
            ("other_loss", 2 * (A - Y) * A * (1 - A), f"2 * ({a} - Y) * {a} * (1 - {a})"),
            (element_wise, -Y * (1 - A), f"-Y / {a} * {a} * (1 - {a})"),
            ("other_loss", (A - Y) * (1 - A**2), f"({a} - Y) * (1 - {a}**2)"),
            ("other_loss", np.sign(A - Y), f"np.sign({a} - Y)"),
            ("at_Z" if crossed else "other_loss", run.Z[-1] - Y, f"{z} - Y"),
            ("thresholded", predicted - Y, f"({a} > 0.5) - Y"),
            ("Y_missing", A, a),
            (
                "inner_sign",
                -(Y / A + (1 - Y) / (1 - A)) * A * (1 - A),
                f"-(Y / {a} + (1 - Y) / (1 - {a})) * {a} * (1 - {a})",
            ),
            ("inner_sign", A + Y, f"{a} + Y"),
            ("other_loss", (1 - Y) * A, f"(1 - Y) / (1 - {a}) * {a} * (1 - {a})"),
        )
        jacobian = through_softmax(A - Y, A)
        binary = through_softmax(-Y / A + (1 - Y) / (1 - A), A)
    for cause, value, written in guesses:
        yield _wrong(at, cause, value, f"{at.formulas.name('dZ')} = {written}")
    if len(A) > 1:
        line = f"{at.formulas.name('dZ')} = "
        yield _wrong(at, "other_loss", jacobian, f"{line}{a} * (d - np.sum({a} * d)), d = {a} - Y")
        yield _wrong(
            at,
            "other_loss",
            binary,
            f"{line}{a} * (d - np.sum({a} * d)), d = -Y / {a} + (1 - Y) / (1 - {a})",
        )
        for shift in (1, -1):
            rolled = np.roll(Y, shift, axis=0)
            yield _wrong(
                at, "off_by_one", A - rolled, f"{line}{a} - Y, with the classes moved by {shift}"
            )


def _dA_line(at: Place) -> str:
    return f"{at.formulas.name('dZ')} = {at.formulas.name('dA')}"


def _wrong(at: Place, cause: str, value: Array, theirs: str, variant: str = "") -> Guess:
    step = Step(cause, at.layer, "dZ", theirs, at.formulas.output(), variant or theirs)
    return Guess(value, (step,))

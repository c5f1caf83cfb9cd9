"""What a learner may compute for dZ of the last layer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place, Step
from clearprop.gradcheck.diagnosis.hypotheses.slopes import at_the_layer, unbracketed
from clearprop.gradcheck.diagnosis.network.costs import through_softmax
from clearprop.parameters import Array


@dataclass(frozen=True)
class Slip:
    """A formula that may be written for dZ or dA of the last layer.

    Parameters
    ----------
    cause : str
    of : callable
        The formula, of A, Y and Z.
    written : str
        The same as text, with ``{A}`` and ``{Z}``.
    """

    cause: str
    of: Callable[[Array, Array, Array], Array]
    written: str


def _predicted(A: Array) -> Array:
    return A.max(axis=0) == A if len(A) > 1 else A > 0.5


AT_ONCE = (
    Slip("other_loss", lambda A, Y, Z: A - Y, "{A} - Y"),
    Slip("other_loss", lambda A, Y, Z: 2 * (A - Y), "2 * ({A} - Y)"),
    Slip("other_loss", lambda A, Y, Z: np.sign(A - Y), "np.sign({A} - Y)"),
    Slip("sign", lambda A, Y, Z: np.abs(A - Y), "np.abs({A} - Y)"),
    Slip("at_Z", lambda A, Y, Z: Z - Y, "{Z} - Y"),
    Slip("thresholded", lambda A, Y, Z: _predicted(A) - Y, "({A} > 0.5) - Y"),
    Slip("Y_missing", lambda A, Y, Z: A, "{A}"),
    Slip("dA_slip", lambda A, Y, Z: A + Y, "{A} + Y"),
)
"""For dZ, without a dA."""

OF_SOFTMAX = (
    Slip(
        "softmax_elementwise",
        lambda A, Y, Z: (A - Y) * A * (1 - A),
        "({A} - Y) * {A} * (1 - {A})",
    ),
    Slip("off_by_one", lambda A, Y, Z: A - np.roll(Y, 1, axis=0), "{A} - Y, the next class's"),
    Slip("off_by_one", lambda A, Y, Z: A - np.roll(Y, -1, axis=0), "{A} - Y, the class before's"),
)
"""For dZ of a softmax."""

UPSTREAM = (
    Slip("other_loss", lambda A, Y, Z: A - Y, "{A} - Y"),
    Slip("other_loss", lambda A, Y, Z: 2 * (A - Y), "2 * ({A} - Y)"),
    Slip("dA_slip", lambda A, Y, Z: -Y / A - (1 - Y) / (1 - A), "-(Y / {A} + (1 - Y) / (1 - {A}))"),
    Slip("dA_slip", lambda A, Y, Z: (1 - 2 * Y) / A, "-(Y / {A} - (1 - Y) / {A})"),
    Slip(
        "dA_slip", lambda A, Y, Z: (1 - 2 * Y) / (1 - A), "-(Y / (1 - {A}) - (1 - Y) / (1 - {A}))"
    ),
    Slip("dA_missing", lambda A, Y, Z: np.ones_like(A), "1"),
    Slip("other_loss", lambda A, Y, Z: -Y / A, "-Y / {A}"),
    Slip("other_loss", lambda A, Y, Z: (1 - Y) / (1 - A), "(1 - Y) / (1 - {A})"),
    Slip(
        "other_loss", lambda A, Y, Z: -Y / A + (1 - Y) / (1 - A), "-Y / {A} + (1 - Y) / (1 - {A})"
    ),
    Slip("other_loss", lambda A, Y, Z: np.sign(A - Y), "np.sign({A} - Y)"),
)
"""For dA."""


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
    run, plan = at.run, at.run.plan
    A, Y, softmax = run.A[-1], run.Y, plan.cost.activation is None
    right = run.scale * plan.cost.dA(A, Y)
    yield Guess(run.scale * plan.cost.dZ(A, Y)), right
    for slip in (*AT_ONCE, *(OF_SOFTMAX if softmax else ())):
        yield _wrong(at, slip, "dZ", at.formulas.output()), right
    upstream = (_wrong(at, slip, "dA", at.formulas.upstream()) for slip in UPSTREAM)
    for dA in (Guess(right), *upstream):
        if np.isfinite(dA.value).all():  # a saturated A explains nothing
            for slope in _slopes(at):
                yield Guess(dA.value * slope.value, dA.steps + slope.steps), dA.value
            for dZ in unbracketed(at, plan.cost.activation, dA.value):
                yield Guess(dZ.value, dA.steps + dZ.steps), dA.value
            if softmax:
                yield Guess(through_softmax(dA.value, A), dA.steps), dA.value


def _slopes(at: Place) -> Iterator[Guess]:
    """Yield what dA of the last layer may be multiplied with."""
    own, A = at.run.plan.cost.activation, at.run.A[-1]
    if own:
        yield Guess(own.at_Z.of(at.run.Z[-1]))
        yield from at_the_layer(at, own)
        return
    write, ours = at.formulas, at.formulas.output()
    a = write.name("A")
    line = write.dZ(f"{a} * (1 - {a})")
    yield Guess(A * (1 - A), (Step("softmax_elementwise", at.layer, "dZ", line, ours, "dA"),))
    step = Step("slope_missing", at.layer, "dZ", write.dZ("1"), ours, "1", ("wrong_pair",))
    yield Guess(np.ones_like(A), (step,))


def _wrong(at: Place, slip: Slip, target: str, ours: str) -> Guess:
    name = at.formulas.name
    written = slip.written.format(A=name("A"), Z=name("Z"))
    line = f"{name(target)} = {written}"
    with np.errstate(divide="ignore", invalid="ignore"):
        value = slip.of(at.run.A[-1], at.run.Y, at.run.Z[-1])
    return Guess(value, (Step(slip.cause, at.layer, target, line, ours, slip.written),))

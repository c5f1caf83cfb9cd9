"""The mistakes in dZ of a layer: on the way from the cost, or from the layer above.

Every mistake is a cause and a formula; the tables hold what learners write in the place of the
right one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.diagnosis.factors import CLOSE, fit
from clearprop.gradcheck.diagnosis.formulas import neighbour
from clearprop.gradcheck.diagnosis.networks import (
    LEAKY_RELU,
    RELU,
    SIGMOID,
    SUMS,
    TANH,
    THROUGH_SOFTMAX,
    Activation,
    of,
)
from clearprop.gradcheck.diagnosis.replay import Guess, Place, Step

Asked: TypeAlias = Mapping[str, Array | None]
"""The dW and db of a layer as the code under check has them, in columns."""

Formulas: TypeAlias = tuple[tuple[str, str], ...]
"""Mistakes: the cause of each, and its formula."""

AT_ONCE: Formulas = (
    ("other_loss", "A - Y"),
    ("other_loss", "2 * (A - Y)"),
    ("other_loss", "np.sign(A - Y)"),
    ("sign", "np.abs(A - Y)"),
    ("at_Z", "Z - Y"),
    ("Y_missing", "A"),
    ("dA_slip", "A + Y"),
)
"""Formulas for dZ of the last layer, without a dA."""

OF_UNITS: Formulas = (("thresholded", "(A > 0.5) - Y"),)
"""More of them, of outputs that don't depend on each other."""

OF_CLASSES: Formulas = (
    ("thresholded", "(A == np.max(A, axis=0, keepdims=True)) - Y"),
    ("softmax_elementwise", "(A - Y) * A * (1 - A)"),
    ("off_by_one", "A - np.roll(Y, 1, axis=0)"),
    ("off_by_one", "A - np.roll(Y, -1, axis=0)"),
)
"""More of them, of a softmax."""

UPSTREAM: Formulas = (
    ("other_loss", "A - Y"),
    ("other_loss", "2 * (A - Y)"),
    ("dA_slip", "-(Y / A + (1 - Y) / (1 - A))"),
    ("dA_slip", "-(Y / A - (1 - Y) / A)"),
    ("dA_slip", "-(Y / (1 - A) - (1 - Y) / (1 - A))"),
    ("dA_missing", "1"),
    ("other_loss", "-Y / A"),
    ("other_loss", "(1 - Y) / (1 - A)"),
    ("other_loss", "-Y / A + (1 - Y) / (1 - A)"),
    ("other_loss", "np.sign(A - Y)"),
)
"""Formulas for dA of the last layer."""

_OF_TANH: Formulas = (
    ("other_activation", "1 - sigmoid(Z)**2"),
    ("slope_incomplete", "1 - A"),
    ("slope_incomplete", "A**2"),
    ("slope_incomplete", "1 + A**2"),
    ("slope_incomplete", "(1 - A)**2"),
)
_OF_SIGMOID: Formulas = (
    ("other_activation", "np.tanh(Z) * (1 - np.tanh(Z))"),
    ("slope_incomplete", "1 - A"),
    ("slope_incomplete", "A * (1 + A)"),
    ("slope_incomplete", "A * (A - 1)"),
    ("slope_incomplete", "(1 - A)**2"),
    ("slope_incomplete", "A - A * (1 - A)"),
)
_OF_ANY: Formulas = (("slope_incomplete", "A"), ("slope_incomplete", "Z"))


def _derivatives(own: Activation) -> Iterator[tuple[str, str]]:
    """Yield the derivatives of the usual activations at Z and at A, but for the right ones."""
    for other in (SIGMOID, TANH, RELU, LEAKY_RELU):
        for formula, meant in ((other.at_Z, "Z"), (other.at_A, "A")):
            for symbol in ("Z", "A") if formula else ():
                if other is not own:
                    yield "other_activation", of(formula, symbol)
                elif symbol != meant:
                    yield f"at_{symbol}", of(formula, symbol)


SLOPES: dict[str, Formulas] = {
    own.name: (*_derivatives(own), *formulas, *_OF_ANY)
    for own, formulas in ((SIGMOID, _OF_SIGMOID), (TANH, _OF_TANH), (RELU, ()), (LEAKY_RELU, ()))
}
"""Formulas for g', by the activation that the layer has."""


def deltas(at: Place, mistakes: int, asked: Asked) -> Iterator[tuple[Guess, Array]]:
    """Yield what dZ (n[l], m) may be after so many mistakes, and the dA that it was made of.

    The `asked` gradients are those of the code under check: some mistakes have a number, such as a
    learning rate, that only these tell.
    """
    every = outputs(at) if at.is_last else _of_hidden(at, asked)
    right, right_dA = next(every)
    if not mistakes:
        yield right, right_dA
        return
    for guess, dA in every:
        if len(guess.steps) == mistakes and not _are_alike(right.value, guess.value):
            yield guess, dA


def _are_alike(right: Array, value: Array) -> bool:
    """Say whether a guess gives the right numbers, or those of a wrong sign, which has a name."""
    fitted = fit(right, value)  # the factors of a line are another matter: `meanings`
    return fitted is not None and abs(abs(fitted.factor) - 1) < CLOSE


def _of_hidden(at: Place, asked: Asked) -> Iterator[tuple[Guess, Array]]:
    every = list(slopes(at))  # which no dA changes
    for one in products(at):
        for another in every:
            guess = Guess(one.value * another.value, one.steps + another.steps)
            if one.free is None and another.free is None:
                yield guess, one.value
            elif another.free is None and one.free is not None:
                free = one.free * another.value
                for found, number in _freed(at, replace(guess, free=free, least=one.least), asked):
                    yield found, one.value + number * one.free
            elif one.free is None and another.free is not None:
                for found, _ in _freed(at, replace(guess, free=one.value * another.free), asked):
                    yield found, one.value
        for dZ in without_slope(at.given(dA=one.value)) if one.free is None else ():
            yield Guess(dZ.value, one.steps + dZ.steps), one.value


def _freed(at: Place, guess: Guess, asked: Asked) -> Iterator[tuple[Guess, float]]:
    """Yield a guess with its free number, if one gives their dW or their db."""
    free = np.zeros(()) if guess.free is None else guess.free
    for target, theirs in asked.items():
        penalty = at.value(f"0 * {target[1]}{at.lines.penalty(target)}")
        if theirs is None or theirs.shape != penalty.shape:
            continue
        value, direction = (
            at.given(dZ=dZ).value(at.lines.mean(SUMS[target])) for dZ in (guess.value, free)
        )
        fitted = fit(theirs - penalty, value, free=direction, close=at.close)
        if fitted and fitted.free >= guess.least:
            steps = tuple(_numbered(step, fitted.free) for step in guess.steps)
            yield Guess(guess.value + fitted.free * free, steps), fitted.free
            return


def _numbered(step: Step, number: float) -> Step:
    """Put a number in the place of the one that was free; alike where four digits are."""
    return replace(
        step,
        theirs=step.theirs.replace("number", f"{number:.17g}"),
        variant=step.variant.replace("number", f"{number:.4g}"),
    )


# The last layer.


def outputs(at: Place) -> Iterator[tuple[Guess, Array]]:
    """Yield what dZ (K, m) of the last layer may be, the right one first, and the dA of it."""
    softmax = at.run.plan.cost.activation is None
    right = at.right()
    right_dA, right_dZ = right.dA[at.layer], right.dZ[at.layer]
    yield Guess(right_dZ), right_dA
    for cause, formula in (*AT_ONCE, *(OF_CLASSES if softmax else OF_UNITS)):
        yield _output(at, cause, "dZ", formula), right_dA
    upstream = (_output(at, cause, "dA", formula) for cause, formula in UPSTREAM)
    for dA in (Guess(right_dA), *upstream):
        if np.isfinite(dA.value).all():  # a saturated A explains nothing
            given = at.given(dA=dA.value)
            for slope in _last_slopes(given):
                yield Guess(dA.value * slope.value, dA.steps + slope.steps), dA.value
            for dZ in without_slope(given):
                yield Guess(dZ.value, dA.steps + dZ.steps), dA.value
            if softmax:
                yield Guess(given.value(THROUGH_SOFTMAX), dA.steps), dA.value


def _output(at: Place, cause: str, target: str, formula: str) -> Guess:
    value = np.broadcast_to(at.value(formula), at.run.Y.shape)
    return Guess(value, (at.step(cause, target, f"{target} = {formula}", formula),))


def _last_slopes(at: Place) -> Iterator[Guess]:
    """Yield the factors that dA of the last layer may get."""
    own = at.run.plan.cost.activation
    if own:
        yield Guess(at.value(of(own.at_Z, "Z")))
        yield from at_the_layer(at, own)
        return
    yield _slope(at, "softmax_elementwise", "A * (1 - A)", "dA")
    yield _slope(at, "slope_missing", "1", equals=("wrong_pair",))


# dA of a hidden layer.


def products(at: Place) -> Iterator[Guess]:
    """Yield what dA (n[l], m) of a hidden layer may be, the right product first."""
    yield Guess(at.value(at.lines.right("dA")))
    for cause, line, variant in _products(at):
        if (value := at.value_like(line, at.run.Z[at.layer])) is not None:
            yield Guess(value, (at.step(cause, "dA", line, variant),))
    if (above := at.layer + 1) in at.dW and at.dW[above].shape == at.run.W[above].shape:
        line = at.lines.dA("(W_next - number * dW_next).T @ dZ_next")
        right, moved = (replace(at, number=number).value(line) for number in (0, 1))
        step = at.step("W_updated", "dA", line, "number")
        yield Guess(right, (step,), moved - right, least=1e-6)


def _products(at: Place) -> Iterator[tuple[str, str, str]]:
    """Yield wrong lines of dA: the cause, the line, and its variant."""
    write, run = at.lines.dA, at.run
    yield from _dropouts(at)
    yield "transposed", write("W_next @ dZ_next"), ""
    for symbol in ("dA_next", "A_next", "Z_next"):
        yield "wrong_pair", write(f"W_next.T @ {symbol}"), ""
    if at.layer + 1 in at.dW:
        yield "wrong_pair", write("dW_next.T @ dZ_next"), "dW"
    yield "dA_missing", write("1"), ""
    for layer in range(1, run.L + 1):
        offset = layer - at.layer - 1
        W, dZ, dA = (f"{base}{neighbour(layer - at.layer)}" for base in ("W", "dZ", "dA"))
        if offset:
            yield "W_layer", write(f"{W}.T @ dZ_next"), f"{offset:+d}"
            yield "W_layer", write(f"{W} @ dZ_next"), f"turned{offset:+d}"
        if offset > 0:
            yield "delta_layer", write(f"W_next.T @ {dZ}"), f"{offset:+d}"
            yield "delta_layer", write(f"{W}.T @ {dZ}"), f"both{offset:+d}"
            yield "delta_layer", write(dA), f"dA{offset:+d}"
    yield "W_missing", write("dZ_next"), ""
    yield "elementwise", write("W_next.T * dZ_next"), "W.T"
    yield "elementwise", write("W_next * dZ_next"), "W"
    if min(run.W[at.layer + 1].shape) > 1:
        yield "reshaped", write("W_next_reshaped @ dZ_next"), ""


def _dropouts(at: Place) -> Iterator[tuple[str, str, str]]:
    """Yield the lines in which dropout of the way forward is not that of the way back."""
    masks, right = at.run.plan.dropout.masks, at.lines.right("dA")
    if at.layer not in masks:
        return
    for cause, after in (
        ("dropout_missing", ""),
        ("dropout_missing", " / keep_prob"),
        ("dropout_scale", " * D"),
        ("dropout_scale", " * D / keep_prob"),
        ("dropout_scale", " * D * keep_prob"),
        ("dropout_scale", " * D / keep_prob**2"),
    ):
        line = f"dA = (W_next.T @ dZ_next){after}"
        if line != right:
            yield cause, line, after
    for other, mask in masks.items():
        if other != at.layer and mask.shape == masks[at.layer].shape:
            mask_there = f"D{neighbour(other - at.layer)}"
            yield "cache_layer", re.sub(r"\bD\b", mask_there, right), "D"


# g' of any layer.


def slopes(at: Place) -> Iterator[Guess]:
    """Yield the factors (n[l], m) that dA of a hidden layer may get, the right slope first."""
    own = at.run.plan.hidden[at.layer - 1]
    yield Guess(at.value(at.lines.slope()))
    yield from at_the_layer(at, own)
    cause = "mask_layer" if own.kinked else "cache_layer"
    shape = at.run.Z[at.layer].shape
    for layer, Z in enumerate(at.run.Z):  # of another layer, where the shapes let it pass
        if layer != at.layer and Z.shape in (shape, (1, shape[1])):
            ending = neighbour(layer - at.layer)
            for symbol, formula in (("Z", own.at_Z), ("A", own.at_A)):
                if formula:
                    variant = f"{symbol}{layer - at.layer:+d}"
                    yield _slope(at, cause, of(formula, symbol + ending), variant)
    if own.kinked:
        below = float(at.value(of(own.at_Z, "-1")))
        turned = "Z <= 0" if own is RELU else f"np.where(Z > 0, {below:g}, 1)"
        yield _slope(at, "mask_sign", turned)
        leaky = "np.where(Z > 0, 1, number)"
        zero, one = (replace(at, number=number).value(leaky) for number in (0, 1))
        yield replace(_slope(at, "leaky_slope", leaky), value=zero, free=one - zero)
    if at.layer in at.run.plan.dropout.masks and own.at_A:
        yield _slope(at, "dropout_slope", of(own.at_A, "A"))


def at_the_layer(at: Place, own: Activation) -> Iterator[Guess]:
    """Yield what may be taken for g' with what forward kept for the same layer."""
    yield _slope(at, "slope_missing", "1", equals=("wrong_pair",))  # dA for dZ
    for cause, formula in SLOPES.get(own.name) or (*_derivatives(own), *_OF_ANY):
        yield _slope(at, cause, at.lines.undropped(formula), formula)
    right = of(own.at_A, "A") if own.at_A else of(own.at_Z, "Z")
    twice = f"({right}) * ({right})"
    yield _slope(at, "slope_twice", at.lines.undropped(twice), twice)


def without_slope(at: Place) -> Iterator[Guess]:
    """Yield what dZ may be that is no dA times a slope of what forward kept."""
    plan = at.run.plan
    own = plan.cost.activation if at.is_last else plan.hidden[at.layer - 1]
    if own in (SIGMOID, TANH):  # the brackets of 1 - A are left out
        line = "dZ = dA * A * 1 - A" if own is SIGMOID else "dZ = dA * 1 - A**2"
        line = at.lines.undropped(line)
        yield Guess(at.value(line), (at.step("brackets", "dZ", line),))
    if own and own.kinked:
        line = at.lines.dZ(of(own.at_Z, "dA"))
        yield Guess(at.value(line), (at.step("mask_layer", "dZ", line, "dA"),))


def _slope(
    at: Place, cause: str, formula: str, variant: str = "", equals: tuple[str, ...] = ()
) -> Guess:
    value = np.broadcast_to(at.value(formula), at.run.Z[at.layer].shape)
    step = at.step(cause, "dZ", at.lines.dZ(formula), variant or formula, equals)
    return Guess(value, (step,))

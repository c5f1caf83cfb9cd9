"""What a learner may take for g'(Z) of a layer, or for its mask."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place, Step, Steps
from clearprop.gradcheck.diagnosis.network.functions import (
    LEAKY_RELU,
    RELU,
    SIGMOID,
    TANH,
    Activation,
    Derivative,
)
from clearprop.kernels import sigmoid
from clearprop.parameters import Array

Formula: TypeAlias = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Slip:
    """A formula that may be written for g'.

    Parameters
    ----------
    cause : str
    of : callable
        The formula, of Z and A.
    written : str
        The same as text, with ``{Z}`` and ``{A}``.
    """

    cause: str
    of: Formula
    written: str


def _derivatives(own: Activation) -> Iterator[Slip]:
    """Yield the derivatives of the usual activations at Z and at A, but for the right ones."""
    for other in (SIGMOID, TANH, RELU, LEAKY_RELU):
        for formula, meant in ((other.at_Z, "Z"), (other.at_A, "A")):
            if formula and not (other is own and meant == "Z"):
                cause = "at_Z" if other is own else "other_activation"
                yield Slip(cause, _of_Z(formula), formula.written.format(u="{Z}"))
            if formula and not (other is own and meant == "A"):
                cause = "at_A" if other is own else "other_activation"
                yield Slip(cause, _of_A(formula), formula.written.format(u="{A}"))


def _of_Z(formula: Derivative) -> Formula:
    return lambda Z, A: formula.of(Z)


def _of_A(formula: Derivative) -> Formula:
    return lambda Z, A: formula.of(A)


_OF_TANH = (
    Slip("other_activation", lambda Z, A: 1 - sigmoid(Z) ** 2, "(1 - sigmoid({Z})**2)"),
    Slip("slope_incomplete", lambda Z, A: 1 - A, "(1 - {A})"),
    Slip("slope_incomplete", lambda Z, A: A**2, "{A}**2"),
    Slip("slope_incomplete", lambda Z, A: 1 + A**2, "(1 + {A}**2)"),
    Slip("slope_incomplete", lambda Z, A: (1 - A) ** 2, "(1 - {A})**2"),
)
_OF_SIGMOID = (
    Slip(
        "other_activation",
        lambda Z, A: np.tanh(Z) * (1 - np.tanh(Z)),
        "np.tanh({Z}) * (1 - np.tanh({Z}))",
    ),
    Slip("slope_incomplete", lambda Z, A: 1 - A, "(1 - {A})"),
    Slip("slope_incomplete", lambda Z, A: A * (1 + A), "{A} * (1 + {A})"),
    Slip("slope_incomplete", lambda Z, A: A * (A - 1), "{A} * ({A} - 1)"),
    Slip("slope_incomplete", lambda Z, A: (1 - A) ** 2, "(1 - {A})**2"),
    Slip("slope_incomplete", lambda Z, A: A**2, "({A} - {A} * (1 - {A}))"),
)
_OF_ANY = (
    Slip("slope_incomplete", lambda Z, A: A, "{A}"),
    Slip("slope_incomplete", lambda Z, A: Z, "{Z}"),
)
SLIPS = {
    own.name: (*_derivatives(own), *slips, *_OF_ANY)
    for own, slips in ((SIGMOID, _OF_SIGMOID), (TANH, _OF_TANH), (RELU, ()), (LEAKY_RELU, ()))
}
"""By the activation that the layer has."""


def slopes(at: Place, dA: Array) -> Iterator[Guess]:
    """Yield what dA may be multiplied with to give dZ of a hidden layer, the right slope first.

    Parameters
    ----------
    at : Place
    dA : ndarray, shape (n[l], m)
        Some take the mask from it.

    Yields
    ------
    Guess
        Its value is the slope, shape (n[l], m).
    """
    own = at.run.plan.hidden[at.layer - 1]
    yield Guess(at.run.slope(at.layer))
    yield from at_the_layer(at, own)
    yield from _elsewhere(at, own)
    if own.kinked:
        yield from _masks(at, own, dA)
    if at.layer in at.run.plan.dropout.masks and own.at_A:
        value, written = own.at_A.of(at.run.A[at.layer]), own.at_A.written.format(u="{A}")
        yield _wrong(at, "dropout_slope", value, written)


def at_the_layer(at: Place, own: Activation) -> Iterator[Guess]:
    """Yield what may be taken for g' with what forward kept for the same layer.

    Parameters
    ----------
    at : Place
    own : Activation
        What the layer has.

    Yields
    ------
    Guess
    """
    Z, A = at.run.Z[at.layer], at.run.H[at.layer]
    yield _wrong(at, "slope_missing", np.ones_like(Z), "1", equals=("wrong_pair",))  # dA for dZ
    for slip in SLIPS.get(own.name) or (*_derivatives(own), *_OF_ANY):
        yield _wrong(at, slip.cause, slip.of(Z, A), slip.written)
    right = (own.at_A or own.at_Z).written.format(u="{A}" if own.at_A else "{Z}")
    yield _wrong(at, "slope_twice", own.at_Z.of(Z) ** 2, f"{right} * {right}")


def unbracketed(at: Place, own: Activation | None, dA: Array) -> Iterator[Guess]:
    """Yield dZ = dA * g'(Z) as it comes out without the brackets of 1 - A.

    Parameters
    ----------
    at : Place
    own : Activation or None
        What the layer has.
    dA : ndarray, shape (n[l], m)

    Yields
    ------
    Guess
        Its value is dZ.
    """
    A = at.run.H[at.layer]
    if own is SIGMOID:
        yield _wrong(at, "brackets", dA * A * 1 - A, "{A} * 1 - {A}")
    if own is TANH:
        yield _wrong(at, "brackets", dA * 1 - A**2, "1 - {A}**2")


def _elsewhere(at: Place, own: Activation) -> Iterator[Guess]:
    """Yield the right formula with what another layer kept, where the shapes let it pass."""
    cause = "mask_layer" if own.kinked else "cache_layer"
    shape = at.run.Z[at.layer].shape
    for layer, (Z, A) in enumerate(zip(at.run.Z, at.run.A, strict=True)):
        if layer == at.layer or Z.shape not in (shape, (1, shape[1])):
            continue
        for symbol, array, formula in (("Z", Z, own.at_Z), ("A", A, own.at_A)):
            if formula:
                value = np.broadcast_to(formula.of(array), shape)
                written = formula.written.format(u=at.formulas.name(symbol, layer))
                variant = f"{symbol}{layer - at.layer:+d}"
                yield _wrong(at, cause, value, written, variant=variant)


def _masks(at: Place, own: Activation, dA: Array) -> Iterator[Guess]:
    """Yield masks of a ReLU, leaky or not: turned, of another array, with another slope."""
    Z = at.run.Z[at.layer]
    below = float(own.at_Z.of(np.array(-1.0)))
    turned = "({Z} <= 0)" if own is RELU else f"np.where({{Z}} > 0, {below:g}, 1)"
    yield _wrong(at, "mask_sign", np.where(Z > 0, below, 1.0), turned)
    yield _wrong(at, "mask_layer", np.where(dA > 0, 1.0, below), "({dA} > 0)")

    def name(slope: float) -> Steps:
        return _wrong(at, "leaky_slope", Z, f"np.where({{Z}} > 0, 1, {slope:.6g})").steps

    yield Guess((Z > 0) * 1.0, (), (Z <= 0) * 1.0, name)


def _wrong(
    at: Place,
    cause: str,
    value: Array,
    written: str,
    *,
    variant: str = "",
    equals: tuple[str, ...] = (),
) -> Guess:
    write = at.formulas
    slope = written.format(**{symbol: write.name(symbol) for symbol in ("Z", "A", "dA")})
    ours = write.dZ() if at.layer < at.run.L else write.output()
    step = Step(cause, at.layer, "dZ", write.dZ(slope), ours, variant or written, equals)
    return Guess(value, (step,))

"""What a learner may take for g'(Z) of a layer, or for its mask."""

from collections.abc import Iterator

import numpy as np

from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place, Step
from clearprop.gradcheck.diagnosis.network.functions import (
    LEAKY_RELU,
    RELU,
    SIGMOID,
    TANH,
    Activation,
)
from clearprop.kernels import sigmoid
from clearprop.parameters import Array


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
    yield _wrong(at, "slope_missing", np.ones_like(dA), "1")
    yield from of_activation(at, own, at.run.Z[at.layer], at.run.H[at.layer])
    yield from _elsewhere(at, own)
    if own.kinked:
        yield from _masks(at, own, dA)
    if at.layer in at.run.plan.dropout.masks and own.at_A:
        dropped = own.at_A.of(at.run.A[at.layer])
        yield _wrong(at, "dropout_slope", dropped, own.at_A.written.format(u=_name(at, "A")))


def of_activation(at: Place, own: Activation, Z: Array, A: Array) -> Iterator[Guess]:
    """Yield what may be taken for the derivative of an activation at its own layer.

    Parameters
    ----------
    at : Place
    own : Activation
        What the layer has.
    Z, A : ndarray, shape (n[l], m)

    Yields
    ------
    Guess
    """
    z, a = _name(at, "Z"), _name(at, "A")
    for other in (SIGMOID, TANH, RELU, LEAKY_RELU):
        mine = other.name == own.name
        for formula, meant in ((other.at_Z, "Z"), (other.at_A, "A")):
            if formula is None:
                continue
            for argument, name, symbol in ((Z, z, "Z"), (A, a, "A")):
                if mine and meant == symbol:
                    continue
                cause = f"at_{symbol}" if mine else "other_activation"
                yield _wrong(at, cause, formula.of(argument), formula.written.format(u=name))
    if own is TANH:
        yield _wrong(at, "other_activation", 1 - sigmoid(Z) ** 2, f"(1 - sigmoid({z})**2)")
        yield _wrong(at, "slope_incomplete", 1 - A, f"(1 - {a})")
        yield _wrong(at, "slope_incomplete", A**2, f"{a}**2")
        yield _wrong(at, "slope_incomplete", 1 + A**2, f"(1 + {a}**2)")
        yield _wrong(at, "slope_incomplete", (1 - A) ** 2, f"(1 - {a})**2")
    if own is SIGMOID:
        yield _wrong(
            at, "other_activation", np.tanh(Z) * (1 - np.tanh(Z)), f"t * (1 - t), t = np.tanh({z})"
        )
        yield _wrong(at, "slope_incomplete", 1 - A, f"(1 - {a})")
        yield _wrong(at, "slope_incomplete", A * (1 + A), f"{a} * (1 + {a})")
        yield _wrong(at, "slope_incomplete", A * (A - 1), f"{a} * ({a} - 1)")
        yield _wrong(at, "slope_incomplete", (1 - A) ** 2, f"(1 - {a})**2")
        yield _wrong(at, "slope_incomplete", A - A * (1 - A), f"{a} - {a} * (1 - {a})")
    yield _wrong(at, "slope_incomplete", A, a)
    yield _wrong(at, "slope_incomplete", Z, z)
    right = own.at_Z.of(Z)
    yield _wrong(at, "slope_twice", right**2, f"{_right(at, own)} * {_right(at, own)}")


def _elsewhere(at: Place, own: Activation) -> Iterator[Guess]:
    """Yield the right formula with what another layer kept, where the shapes let it pass."""
    cause = "mask_layer" if own.kinked else "cache_layer"
    shape = at.run.Z[at.layer].shape
    for layer, (Z, A) in enumerate(zip(at.run.Z, at.run.A, strict=True)):
        if layer == at.layer or Z.shape not in (shape, (1, shape[1])):
            continue
        z, a = at.formulas.name("Z", layer), at.formulas.name("A", layer)
        variant = f"{layer - at.layer:+d}"
        written = own.at_Z.written.format(u=z)
        yield _wrong(at, cause, own.at_Z.of(Z) + np.zeros(shape), written, f"Z{variant}")
        if own.at_A:
            written = own.at_A.written.format(u=a)
            yield _wrong(at, cause, own.at_A.of(A) + np.zeros(shape), written, f"A{variant}")


def _masks(at: Place, own: Activation, dA: Array) -> Iterator[Guess]:
    Z, z = at.run.Z[at.layer], _name(at, "Z")
    below = float(own.at_Z.of(np.array(-1.0)))
    turned = f"({z} <= 0)" if own is RELU else f"np.where({z} > 0, {below:g}, 1)"
    yield _wrong(at, "mask_sign", np.where(Z > 0, below, 1.0), turned)
    written = f"({_name(at, 'dA')} > 0)"
    yield _wrong(at, "mask_layer", np.where(dA > 0, 1.0, below), written, "dA")

    def name(slope: float) -> tuple[Step, ...]:
        written = f"np.where({z} > 0, 1, {slope:.6g})"
        return _wrong(at, "leaky_slope", Z, written, f"{slope:.6g}").steps

    yield Guess((Z > 0) * 1.0, (), (Z <= 0) * 1.0, name)


def _wrong(at: Place, cause: str, value: Array, written: str, variant: str = "") -> Guess:
    numberless = written.replace(_name(at, "Z"), "Z").replace(_name(at, "A"), "A")
    write = at.formulas
    ours = write.dZ() if at.layer < at.run.L else write.output()
    equals = ("wrong_pair",) if cause == "slope_missing" else ()  # dA was taken for dZ
    line = write.dZ(written)
    step = Step(cause, at.layer, "dZ", line, ours, variant or numberless, equals)
    return Guess(value, (step,))


def _right(at: Place, own: Activation) -> str:
    if own.at_A:
        return own.at_A.written.format(u=_name(at, "A"))
    return own.at_Z.written.format(u=_name(at, "Z"))


def _name(at: Place, symbol: str) -> str:
    return at.formulas.name(symbol)

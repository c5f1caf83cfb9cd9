"""The arithmetic of the activations: y = g(x), dx = dy * g'(x)."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from clearprop.layers import (
    ELU,
    GELU,
    Layer,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softplus,
    Tanh,
)
from clearprop.walkthrough.expressions import Call, Expression, Number
from clearprop.walkthrough.functions import absolute, constant, exp, log, maximum
from clearprop.walkthrough.quantities import Quantity
from clearprop.walkthrough.sheet import Sheet


class Entries(NamedTuple):
    """The numbers that meet at one entry; Phi of GELU alone."""

    x: Number
    y: Number
    Phi: Number
    dy: Number


class _Activation(NamedTuple):
    """Formulas with roles in braces, and their arithmetic at one entry."""

    forward: str
    g: Callable[[Any, Entries], Expression]
    backward: str
    derived: Callable[[Any, Entries], Expression]


def _elu(layer: ELU, at: Entries) -> Expression:
    return at.x if at.x.value > 0 else layer.alpha * (exp(at.x) - 1)


def _elu_derived(layer: ELU, at: Entries) -> Expression:
    return at.dy * (_slope(at, 1.0) if at.x.value > 0 else at.y + layer.alpha)


def _gelu_derived(_layer: GELU, at: Entries) -> Expression:
    return at.dy * (at.Phi + at.x * Call("phi", _normal_density, (at.x,)))


def _softplus(_layer: Softplus, at: Entries) -> Expression:
    return maximum(at.x, 0) + log(1 + exp(-absolute(at.x)))


def _leaky_derived(layer: LeakyReLU, at: Entries) -> Expression:
    return at.dy * _slope(at, 1.0 if at.x.value > 0 else layer.slope)


def _slope(at: Entries, value: float) -> Number:
    return Number(value, f"g'({at.x.symbol})")


def _normal_density(x: float) -> float:
    return float(np.exp(-0.5 * np.square(x)) / math.sqrt(2 * math.pi))


_ACTIVATIONS: dict[type[Layer], _Activation] = {
    Sigmoid: _Activation(
        "{y} = 1 / (1 + exp(-{x}))",
        lambda _, at: 1 / (1 + exp(-at.x)),
        "{dx} = {dy} * {y} * (1 - {y})",
        lambda _, at: at.dy * at.y * (1 - at.y),
    ),
    Tanh: _Activation(
        "{y} = tanh({x})",
        lambda _, at: Call("tanh", np.tanh, (at.x,)),
        "{dx} = {dy} * (1 - {y}**2)",
        lambda _, at: at.dy * (1 - at.y**2),
    ),
    ReLU: _Activation(
        "{y} = max({x}, 0)",
        lambda _, at: maximum(at.x, 0),
        "{dx} = {dy} * g'({x}), with g' = 1 where {x} > 0, else 0",
        lambda _, at: at.dy * _slope(at, float(at.x.value > 0)),
    ),
    LeakyReLU: _Activation(
        "{y} = max({x}, slope * {x})",
        lambda layer, at: maximum(at.x, layer.slope * at.x),
        "{dx} = {dy} * g'({x}), with g' = 1 where {x} > 0, else slope",
        _leaky_derived,
    ),
    ELU: _Activation(
        "{y} = {x} where {x} > 0, else alpha * (exp({x}) - 1)",
        _elu,
        "{dx} = {dy} * g'({x}), with g' = 1 where {x} > 0, else {y} + alpha",
        _elu_derived,
    ),
    GELU: _Activation(
        "{y} = {x} * {Phi}",
        lambda _, at: at.x * at.Phi,
        "{dx} = {dy} * ({Phi} + {x} * phi({x})), with phi the normal density",
        _gelu_derived,
    ),
    Softplus: _Activation(
        "{y} = log(1 + exp({x})) = max({x}, 0) + log(1 + exp(-abs({x})))",
        _softplus,
        "{dx} = {dy} / (1 + exp(-{x}))",
        lambda _, at: at.dy / (1 + exp(-at.x)),
    ),
}


def activation_forward(layer: Layer, sheet: Sheet) -> list[Quantity]:
    """Explain y = g(x)."""
    activation = _ACTIVATIONS[type(layer)]
    found = [
        sheet.result("y", activation.forward, lambda *at: activation.g(layer, _entries(sheet, at)))
    ]
    if isinstance(layer, GELU):
        x = sheet["x"]
        formula = "{Phi} = Phi({x}), the normal distribution function"
        distributed = lambda *at: Call("Phi", _normal_distribution, (x.at(*at),))  # noqa: E731
        return [sheet.result("Phi", formula, distributed), *found]
    return found


def activation_backward(layer: Layer, sheet: Sheet) -> list[Quantity]:
    """Explain dx = dy * g'(x)."""
    if "dx" not in sheet:
        return []
    activation = _ACTIVATIONS[type(layer)]
    return [
        sheet.result(
            "dx", activation.backward, lambda *at: activation.derived(layer, _entries(sheet, at))
        )
    ]


def _entries(sheet: Sheet, at: tuple[int, ...]) -> Entries:
    nothing = constant(math.nan)
    return Entries(
        **{role: sheet[role].at(*at) if role in sheet else nothing for role in Entries._fields}
    )


def _normal_distribution(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))

"""The network of the code under check: what it is made of, run forward and back.

Everything here computes in one form, that of the course: samples are columns, W is (units, inputs),
b is (units, 1).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.diagnosis.formulas import Dense, Notation, readable, value_of
from clearprop.gradcheck.subject import Arrays, Layout


@dataclass(frozen=True)
class Activation:
    """An element-wise activation, in formulas of ``u``.

    Parameters
    ----------
    name : str
    g : str
        The activation, of Z.
    at_Z : str
        The derivative, of Z.
    at_A : str
        The derivative, of A = g(Z), where one is in use that differs from `at_Z`.
    """

    name: str
    g: str
    at_Z: str
    at_A: str = ""

    @property
    def kinked(self) -> bool:
        """Whether the derivative is a mask: 1 above zero, a constant below."""
        return "relu" in self.name


def of(formula: str, symbol: str) -> str:
    """Put an array in the place of ``u`` in a formula."""
    return re.sub(r"\bu\b", symbol, formula)


def _leaky(slope: float) -> Activation:
    name = "leaky_relu" if slope == 0.01 else f"leaky_relu({slope:g})"
    return Activation(name, f"np.where(u > 0, u, {slope:g} * u)", f"np.where(u > 0, 1, {slope:g})")


SIGMOID = Activation("sigmoid", "sigmoid(u)", "sigmoid(u) * (1 - sigmoid(u))", "u * (1 - u)")
TANH = Activation("tanh", "np.tanh(u)", "1 - np.tanh(u)**2", "1 - u**2")
RELU = Activation("relu", "np.maximum(u, 0)", "u > 0")
LEAKY_RELU = _leaky(0.01)
IDENTITY = Activation("identity", "u", "1")

ACTIVATIONS = (
    RELU,
    TANH,
    SIGMOID,
    LEAKY_RELU,
    *map(_leaky, (0.1, 0.2, 0.3, 0.05, 0.001)),
    IDENTITY,
    Activation(
        "elu", "np.where(u > 0, u, np.expm1(np.minimum(u, 0)))", "np.where(u > 0, 1, np.exp(u))"
    ),
    Activation("swish", "u * sigmoid(u)", "sigmoid(u) * (1 + u * (1 - sigmoid(u)))"),
    Activation("softplus", "np.logaddexp(0, u)", "sigmoid(u)"),
)
"""The activations that a hidden layer may have, the usual ones first."""


@dataclass(frozen=True)
class Cost:
    """A last activation A = g(Z) together with a loss, summed over outputs and samples.

    Parameters
    ----------
    name : str
    activation : Activation or None
        The last one; None for a softmax, which is not element-wise.
    loss : str
        The loss of each output, a formula of A and Y.
    dA, dZ : str
        The derivatives with respect to A and to Z, formulas of A and Y.
    usual : tuple of float
        The factors that usually stand before the sum, besides 1/m; the K outputs count as one.
    """

    name: str
    activation: Activation | None
    loss: str
    dA: str
    dZ: str
    usual: tuple[float, ...] = (1,)

    def output(self, Z: Array) -> Array:
        """Return A of Z, shape (K, m)."""
        if self.activation:
            return value_of(self.activation.g, {"u": Z})
        shifted = np.exp(Z - Z.max(axis=0))
        return shifted / shifted.sum(axis=0)

    def total(self, A: Array, Y: Array) -> float:
        """Return the sum of all losses."""
        return float(value_of(self.loss, {"A": A, "Y": Y}).sum())


def _squares(name: str, activation: Activation | None, dZ: str) -> Cost:
    usual = (1, 0.5)  # both 1/m and 1/(2m) are in use for squares
    return Cost(name, activation, "(A - Y)**2", "2 * (A - Y)", dZ, usual)


_SOFTMAX = Cost("softmax cross-entropy", None, "-Y * log(A)", "-Y / A", "A - Y")
THROUGH_SOFTMAX = "A * (dA - np.sum(A * dA, axis=0, keepdims=True))"
"""dZ of a softmax: the product of dA with its full Jacobian."""

COSTS = (
    Cost(
        "sigmoid cross-entropy",
        SIGMOID,
        "-(Y * log(A) + (1 - Y) * log(1 - A))",
        "-Y / A + (1 - Y) / (1 - A)",
        "A - Y",
    ),
    _SOFTMAX,
    _squares("squares after a sigmoid", SIGMOID, "2 * (A - Y) * A * (1 - A)"),
    _squares("squares", IDENTITY, "2 * (A - Y)"),
    _squares(
        "squares after a softmax",
        None,
        "2 * A * (A - Y - np.sum(A * (A - Y), axis=0, keepdims=True))",
    ),
    _squares("squares after tanh", TANH, "2 * (A - Y) * (1 - A**2)"),
)
"""The costs that a learner's network may end in."""


def costs_of(Y: Array) -> list[Cost]:
    """Return the costs that fit targets, shape (K, m): a softmax needs two outputs or more."""
    if len(Y) == 1:
        return [cost for cost in COSTS if cost.activation]
    if np.allclose(Y.sum(axis=0), 1):
        return list(COSTS)
    # A - Y is the derivative only where the targets of a sample are shares of one.
    shared = replace(_SOFTMAX, dZ="A * np.sum(Y, axis=0, keepdims=True) - Y")
    return [shared if cost is _SOFTMAX else cost for cost in COSTS]


@dataclass(frozen=True)
class Dropout:
    """The units of the hidden layers that dropout left.

    Parameters
    ----------
    masks : mapping of int to ndarray
        Arrays that are 1 where a unit was kept, by layer, shape (n[l], m).
    keep : float
        The share that was kept.
    scaled : bool
        Whether forward divides by it.
    """

    masks: Mapping[int, Array] = field(default_factory=dict)
    keep: float = 1
    scaled: bool = False

    def of(self, layer: int, array: str) -> str:
        """Write the dropout of a layer behind an array; nothing where there is none."""
        if layer not in self.masks:
            return array
        return f"{array} * D / keep_prob" if self.scaled else f"{array} * D"


@dataclass(frozen=True)
class Plan:
    """The network, apart from its numbers.

    Parameters
    ----------
    layout : Layout
    layers : sequence of Dense
        The names of the parameters, from the input to the output.
    hidden : sequence of Activation
        The activations, one for each layer but the last.
    cost : Cost
    scale : float
        The factor before the mean of the losses over the samples, or before their sum.
    summed : bool
        Whether it is the sum.
    decay, bias_decay : float
        The amount that L2 adds to dW for each unit of W, and to db for each unit of b.
    dropout : Dropout
    """

    layout: Layout
    layers: Sequence[Dense]
    hidden: Sequence[Activation]
    cost: Cost
    scale: float = 1
    summed: bool = False
    decay: float = 0
    bias_decay: float = 0
    dropout: Dropout = Dropout()

    @property
    def shrinking(self) -> float:
        """The L2 decay that formulas call ``lambd/m``: of the weights, else of the biases."""
        return self.decay or self.bias_decay

    def in_columns(self, gradients: Arrays) -> dict[str, Array]:
        """Turn gradients of parameters into columns, in float64."""
        turned = {layer.W: self.layout.weights for layer in self.layers}
        turned |= {layer.b: self.layout.bias for layer in self.layers}
        return {
            name: turn(np.asarray(gradients[name], np.float64))
            for name, turn in turned.items()
            if name in gradients
        }


SUMS = {"dW": "dZ @ A_prev.T", "db": "np.sum(dZ, axis=1, keepdims=kept)"}
"""The sums over samples that dW and db are made of; an axis is kept where b has it, too."""


@dataclass(frozen=True)
class Lines:
    """The right lines of one layer's backward pass, as formulas; layers are counted from 1."""

    plan: Plan
    layer: int

    @property
    def notation(self) -> Notation:
        """The notation of the code under check in this layer."""
        return Notation(self.plan.layout, self.plan.layers, self.layer)

    def right(self, target: str) -> str:
        """Return the right line of ``"dZ"``, ``"dA"``, ``"dW"`` or ``"db"``."""
        last = self.layer == len(self.plan.layers)
        if target in SUMS:
            return self.gradient(target, SUMS[target])
        if target == "dZ":
            return f"dZ = {self.scaled()}" if last else self.dZ(self.slope())
        if last:
            return f"dA = {_scaled(self.plan.cost.dA, self.plan.scale)}; {self.right('dZ')}"
        return self.dA("W_next.T @ dZ_next")

    def dA(self, product: str) -> str:
        """Return a line of dA: a product, and what dropout does to it."""
        return f"dA = {self.plan.dropout.of(self.layer, f'({product})')}"

    def dZ(self, slope: str) -> str:
        """Return a line of dZ of a slope."""
        return "dZ = dA" if slope == "1" else f"dZ = dA * ({slope})"

    def gradient(self, target: str, total: str, times: str = "{}", over: str | None = None) -> str:
        """Return a line of dW or db: a sum over samples, their mean where the cost has it, and L2.

        The formula `times` makes a multiple of its ``{}``; `over` is the divisor, if it is not the
        right one, and empty for none.
        """
        return f"{target} = {times.format(self.mean(total, over))}{self.penalty(target)}"

    def mean(self, total: str, over: str | None = None) -> str:
        """Divide a sum over samples by their number, where the cost does."""
        if over is None:
            over = "" if self.plan.summed else "m"
        return f"(({total}) / {over})" if over else f"({total})"

    def penalty(self, target: str) -> str:
        """Return the L2 term of dW or db, empty where the cost has none."""
        due = self.plan.decay if target == "dW" else self.plan.bias_decay
        if not due:
            return ""
        share = readable(due / self.plan.shrinking, ".17g")
        return f" + {'' if share == '1' else f'{share} * '}lambd/m * {target[1]}"

    def slope(self) -> str:
        """Return g' of a hidden layer; of A where that is usual."""
        activation = self.plan.hidden[self.layer - 1]
        if activation.at_A and not self.plan.dropout.masks:
            return of(activation.at_A, "A")
        return of(activation.at_Z, "Z")

    def undropped(self, formula: str, symbol: str = "A") -> str:
        """Put g(Z) in the place of an A in a formula, where dropout has changed that A since."""
        layer = self.layer - (symbol == "A_prev")
        if layer not in self.plan.dropout.masks:
            return formula
        before = of(self.plan.hidden[layer - 1].g, symbol.replace("A", "Z"))
        return re.sub(rf"\b{symbol}\b", f"({before})", formula)

    def scaled(self, scale: float | None = None) -> str:
        """Return dZ of the last layer, for the cost's own scale unless another is given."""
        return _scaled(self.plan.cost.dZ, self.plan.scale if scale is None else scale)


def _scaled(formula: str, scale: float) -> str:
    if scale == 0.5 and formula.startswith("2 * "):
        return formula.removeprefix("2 * ")
    if scale in (1, -1):
        return formula if scale == 1 else f"-({formula})"
    return f"{readable(scale, '.17g')} * ({formula})"

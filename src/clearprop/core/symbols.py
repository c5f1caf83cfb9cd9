"""The leaves of formulas (matrices, hyper-parameters and counts), and functions of them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from clearprop.core.expressions import Call, Expression, Operable, Place, Style, as_expression


class Symbol(Expression):
    """A matrix.

    Parameters
    ----------
    name : str
        The engine's name of it.
    meaning : str, default ""
        The meaning in words.
    per_sample : bool, default False
        Whether its first axis counts the samples.
    is_gradient : bool, default False
    course : str, default ""
        The course's name of it, where that is another one.
    """

    name: str
    meaning: str = ""
    per_sample: bool = False
    is_gradient: bool = False
    course: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Symbol) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def symbol(self) -> str:
        """The name itself."""
        return self.name

    @property
    def gradient(self) -> "Symbol":
        """The gradient of the loss with respect to it: of ``W`` that is ``dW``."""
        words = "gradient with respect to the" if self.per_sample else "gradient of"
        meaning = f"{words} {self.meaning or self.name}"
        return Symbol(f"d{self.name}", meaning, self.per_sample, is_gradient=True)

    @property
    def T(self) -> Expression:
        """The transposed matrix."""
        return Transposed(self)

    def write(self, style: Style) -> str:
        """Write the symbol as `style` says."""
        return style.leaf(self)

    def shape(self, place: Place) -> tuple[int, ...]:
        """Return that of the matrix."""
        return place.operands.shape(self)

    def at(self, place: Place) -> Expression:
        """Return the entry that NumPy would take, which fits shapes from the last axis on."""
        shape, index = self.shape(place), place.indices
        if self.per_sample and len(shape) == 1:  # a number for each sample
            index = index[:1]
        missing = len(shape) - len(index)
        index = (*[0] * missing, *index) if missing > 0 else index[-missing:]
        only = (0 if size == 1 and isinstance(i, int) else i for i, size in zip(index, shape))  # noqa: B905
        return place.operands.number(self, tuple(only))


class Setting(Symbol):
    """A hyper-parameter of the part that the formula belongs to, such as ``slope``."""

    def shape(self, place: Place) -> tuple[int, ...]:
        """Return the shape of a single number."""
        return ()

    def at(self, place: Place) -> Expression:
        """Return its value."""
        return place.operands.setting(self.name)


class Count(Setting):
    """The number N of samples, D of features or K of outputs."""

    def at(self, place: Place) -> Expression:
        """Return the number."""
        return place.operands.count(self.name)


class Transposed(Expression):
    """A transposed matrix."""

    matrix: Expression

    def write(self, style: Style) -> str:
        """Write the matrix with .T behind it."""
        return f"{self.matrix.write(style)}.T"

    def at(self, place: Place) -> Expression:
        """Return the entry at the place with rows and columns exchanged."""
        return self.matrix.at(place._replace(indices=place.indices[::-1]))

    def shape(self, place: Place) -> tuple[int, ...]:
        """Return that of the matrix, the other way round."""
        return self.matrix.shape(place)[::-1]


x = Symbol("x", "input", per_sample=True)
y = Symbol("y", "output", per_sample=True)
dx, dy = x.gradient, y.gradient
logits = Symbol("logits", per_sample=True)
target = Symbol("target", "targets", per_sample=True)
weights = Symbol("weights", "weights", per_sample=True)
p = Symbol("p", "probability", per_sample=True)
losses = Symbol("losses", "loss of each sample", per_sample=True)
loss = Symbol("loss", "mean loss")
dlogits = logits.gradient
w, g, w_new = Symbol("w"), Symbol("g"), Symbol("w_new")  # a parameter, its gradient, the step's end
N, D, K = Count("N"), Count("D"), Count("K")


def _function(name: str, compute: Callable[..., Any]) -> Callable[[Expression], Expression]:
    return lambda x: Call(name, compute, (x,))


exp, log = _function("exp", np.exp), _function("log", np.log)
sqrt, tanh = _function("sqrt", np.sqrt), _function("tanh", np.tanh)
absolute = _function("abs", np.abs)


def maximum(x: Expression, y: Operable) -> Expression:
    """Return the larger of two, as NumPy compares them: NaN stays NaN."""
    return Call("max", np.maximum, (x, as_expression(y)))

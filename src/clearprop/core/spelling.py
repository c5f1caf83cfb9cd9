"""Element-wise formulas in other languages: as text, or as the nodes of a graph.

The formula of an activation is written once, beside its code; `clearprop.walk` shows it, and here
it is put together anew from what another language has for each of its operators.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Protocol, TypeVar

from clearprop.core import expressions, formulas, symbols
from clearprop.core.expressions import Expression
from clearprop.errors import UsageError

T = TypeVar("T")

FUNCTIONS = ("exp", "log", "sqrt", "tanh", "sin", "cos", "abs", "max", "Phi")
"""The functions that formulas call: max takes two numbers, Phi is the normal distribution's."""


class Arithmetic(Protocol[T]):
    """What another language has for the operators of a formula."""

    def number(self, value: float) -> T:
        """Return a constant."""

    def add(self, left: T, right: T) -> T:
        """Return left + right."""

    def multiply(self, left: T, right: T) -> T:
        """Return left * right."""

    def divide(self, left: T, right: T) -> T:
        """Return left / right."""

    def negative(self, one: T) -> T:
        """Return -one."""

    def call(self, name: str, arguments: tuple[T, ...]) -> T:
        """Return what one of `FUNCTIONS` gives."""

    def choose(self, tested: T, then: T, otherwise: T) -> T:
        """Return then where tested > 0, else otherwise."""


class Infix:
    """The operators of languages that write them between their operands, each in brackets."""

    def add(self, left: str, right: str) -> str:
        """Return left + right."""
        return f"({left} + {right})"

    def multiply(self, left: str, right: str) -> str:
        """Return left * right."""
        return f"({left} * {right})"

    def divide(self, left: str, right: str) -> str:
        """Return left / right."""
        return f"({left} / {right})"

    def negative(self, one: str) -> str:
        """Return -one."""
        return f"(-{one})"


def output_formula(part: object) -> Expression | None:
    """Return the formula y = g(x) of an element-wise layer, with its settings put in.

    Parameters
    ----------
    part : object
        A layer whose very class has `formulas`.

    Returns
    -------
    Expression or None
        The formula, whose one symbol is x; None where the layer has none, or is of another kind.
    """
    own = formulas.formulas_of(part)
    if own is None or symbols.y not in own.forward:
        return None
    values: dict[str, Expression] = {}
    for symbol, formula in own.forward.items():
        values[symbol.name] = _put_in(formula, {**_settings(part), **values})
    found = values[symbols.y.name]
    kinds = (symbols.Symbol, expressions.Number, *_KINDS)
    fits = all(isinstance(node, kinds) and node_fits(node) for node in found.nodes())
    return found if fits else None


def node_fits(node: Expression) -> bool:
    """Whether a node is one that `spelled` knows: of x, and of functions with a name."""
    if isinstance(node, symbols.Symbol):
        return node == symbols.x
    if isinstance(node, expressions.Call):
        return node.name in FUNCTIONS
    return type(node) is not expressions.MatrixProduct


def spelled(formula: Expression, x: T, arithmetic: Arithmetic[T]) -> T:
    """Write a formula whose one symbol is x.

    Parameters
    ----------
    formula : Expression
        What `output_formula` returned.
    x : object
        What stands for x.
    arithmetic : Arithmetic
        What the language has for each operator.
    """

    def put(node: Expression) -> T:
        match node:
            case symbols.Symbol():
                return x
            case expressions.Number():
                return arithmetic.number(float(node.number))
            case expressions.Sum():
                first, *others = map(put, node.terms)
                for one in others:
                    first = arithmetic.add(first, one)
                return first
            case expressions.Product():
                return arithmetic.multiply(put(node.left), put(node.right))
            case expressions.Quotient():
                return arithmetic.divide(put(node.dividend), put(node.divisor))
            case expressions.Power():
                base = result = put(node.base)
                for _ in range(node.exponent - 1):
                    result = arithmetic.multiply(result, base)
                return result
            case expressions.Negative():
                return arithmetic.negative(put(node.negated))
            case expressions.Call():
                return arithmetic.call(node.name, tuple(map(put, node.arguments)))
            case formulas.Where():
                return arithmetic.choose(*map(put, node.parts))
            case formulas.Forms():
                return put(node.forms[-1])
        raise UsageError(f"{formula} can't be written in another language: of {node!r} there.")

    return put(formula)


_KINDS = (
    *(expressions.Sum, expressions.Product, expressions.Quotient, expressions.Power),
    *(expressions.Negative, expressions.Call, formulas.Where, formulas.Forms),
)


def _settings(part: object) -> dict[str, Expression]:
    every = fields(part) if is_dataclass(part) else ()
    values = {one.name: getattr(part, one.name) for one in every}
    return {
        name: expressions.constant(float(value))
        for name, value in values.items()
        if isinstance(value, int | float)
    }


def _put_in(formula: Expression, values: Mapping[str, Expression]) -> Expression:
    """Put settings, and what was computed before, in the place of their symbols."""
    if isinstance(formula, symbols.Symbol):
        return values.get(formula.name, formula)
    return formula.mapped(lambda part: _put_in(part, values))

"""What is left out of an expression, or is another than it should be: factors, slopes, terms."""

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from clearprop.gradcheck.seeing.judging.changes import (
    Change,
    Expression,
    again,
    args_of,
    constant,
    exchanged,
    meaning,
    several,
    times,
)
from clearprop.gradcheck.seeing.judging.rewriting import Make, ValueOf
from clearprop.gradcheck.seeing.judging.source import over
from clearprop.gradcheck.seeing.tape import Line, Node

Form: TypeAlias = Callable[[Any], Any]
"""The derivative of an activation, as a function of one array of the forward pass."""

_LEAKY = 0.35  # slopes of a leaky ReLU, at most
_NO_VALUE = ("getitem", "setitem", "transpose")
_SLOPE = "The derivative that belongs here is {}."


def factors(one: Expression) -> Iterator[Change]:
    """Yield factors more: numbers, sizes of axes, derivatives of activations."""
    if not one.node.is_float or one.node.name in _NO_VALUE:
        return
    inner = one.product
    known = [(2.0, "factor_two", f"2 * {inner}"), (0.5, "factor_two", f"{inner} / 2")]
    for size, said in one.sizes.items():
        known.append((1 / size, "mean_missing", f"{inner} / {said}"))
        known.append((float(size), "mean_twice", f"{inner} * {said}"))
    for number in set(one.numbers) - {0.0, 1.0, 2.0, 0.5}:
        known.append((number, "factor", f"{inner} * {number:g}"))
        known.append((1 / number, "factor", f"{inner} / {number:g}"))
    for factor, cause, text in known:
        why = f"It is {1 / factor:g} times what it should be."
        yield Change(cause, times(constant(factor)), one.whole(text), why)
    if one.node.value.size > 1:
        for slope, words, reads in _slopes(one, one.node):
            why = "The derivative of the activation is left out."
            edits = one.whole(f"{inner} * {_factor(words)}")
            yield Change("slope_missing", times(slope), edits, why, reads=reads)


def slopes(one: Expression) -> Iterator[Change]:
    """Yield other derivatives of activations as the factors of a product."""
    node = one.node
    if node.name in ("dot", "matmul") and len(node.args) == 2:
        yield from _before_products(one)
    if node.name != "multiply" or len(node.args) != 2:
        return
    for place, operand in enumerate(node.args):
        if not isinstance(operand, Node) or operand.value.shape != node.value.shape:
            continue
        text = one.text(place)
        for slope, words, reads in _slopes(one, operand):
            edits = () if text is None else several(over(text, words))
            make, why = exchanged(place, slope), _SLOPE.format(words)
            yield Change("other_activation", make, edits, why, reads=reads)


def _before_products(one: Expression) -> Iterator[Change]:
    """Yield derivatives of activations that were left out of what a product takes."""
    for place, operand in enumerate(one.node.args):
        text = one.text(place)
        if not isinstance(operand, Node) or operand.value.ndim < 1 or text is None:
            continue
        for slope, words, reads in _slopes(one, operand):
            edits = several(over(text, f"{one.raw(text)} * {_factor(words)}"))
            make = exchanged(place, _operand_times(place, slope))
            why = "The derivative of the activation is left out."
            yield Change("slope_missing", make, edits, why, reads=reads)


def _operand_times(place: int, slope: Make) -> Make:
    return lambda node, value_of: np.asarray(args_of(node, value_of)[place]) * slope(node, value_of)


def whole(one: Expression, parts: Sequence[Node]) -> Iterator[Change]:
    """Yield one part of a line times the derivative of an activation, in the place of all.

    Parameters
    ----------
    one : Expression
    parts : sequence of Node
        Those of the parts that errors have come back to.
    """
    line = one.node.line
    if len(one.site.nodes) > 1 or line is None:
        return
    for part in parts:
        said = one.source.expression(part) if _stands_in(part, line) else None
        text = one.raw(said) if said is not None else one.scope.text(part, line)
        for slope, words, reads in _slopes(one, one.node):
            edits = () if text is None else one.whole(f"{text} * {_factor(words)}")
            make, why = _part_times(part, slope), _SLOPE.format(words)
            yield Change("other_activation", make, edits, why, reads=(part, *reads))


def _part_times(part: Node, slope: Make) -> Make:
    return lambda node, value_of: np.asarray(value_of(part)) * slope(node, value_of)


def _stands_in(node: Node, line: Line) -> bool:
    own = node.line
    return own is not None and (own.file, own.number) == (line.file, line.number)


def summands(one: Expression) -> Iterator[Change]:
    """Yield a summand more: what comes back from the next time step, or from another branch."""
    if not one.node.is_float or one.node.name in _NO_VALUE:
        return
    for text, meant in one.scope.alike(one.site.nodes, one.node.value.shape, "next"):
        edits = one.whole(f"{one.product} + {text}")
        reads = tuple(meant.values())
        make = _plus(meaning(meant))
        yield Change("factor", make, edits, f"{text} is left out.", reads=reads)


def _plus(more: Make) -> Make:
    return lambda node, value_of: again(node, value_of) + more(node, value_of)


def forms(a: str, numbers: Sequence[float]) -> list[tuple[Form, str]]:
    """Return the usual derivatives of activations, and how they are written of an array ``a``."""
    leaky = [one for one in numbers if 0 < one < _LEAKY]
    return [
        (lambda x: 1 - x**2, f"1 - {a} ** 2"),
        (lambda x: x * (1 - x), f"{a} * (1 - {a})"),
        (lambda x: (x > 0) * 1.0, f"{a} > 0"),
        (lambda x: 1 - x, f"1 - {a}"),
        (lambda x: x, a),
        (lambda x: 1 - np.tanh(x) ** 2, f"1 - np.tanh({a}) ** 2"),
        (_of_sigmoid, f"np.exp(-{a}) / (1 + np.exp(-{a})) ** 2"),
        *((_of_leaky(one), f"np.where({a} > 0, 1, {one:g})") for one in leaky),
    ]


def _factor(text: str) -> str:
    """Put brackets about what is no factor of a product as it stands."""
    term = ast.parse(text, mode="eval").body
    sums = isinstance(term, ast.BinOp) and isinstance(term.op, ast.Add | ast.Sub)
    return f"({text})" if sums or isinstance(term, ast.Compare) else text


def _of_sigmoid(z: Any) -> Any:
    a = 1 / (1 + np.exp(-z))
    return a * (1 - a)


def _of_leaky(slope: float) -> Form:
    return lambda x: np.where(x > 0, 1, slope)


def _slopes(one: Expression, like: Node) -> Iterator[tuple[Make, str, tuple[Node, ...]]]:
    """Yield what the derivative of an activation may be, of the arrays of a shape."""
    for text, meant in one.scope.alike(one.site.nodes, like.value.shape, ""):
        for form, words in forms(text, one.numbers):
            yield of_form(form, meaning(meant)), words, tuple(meant.values())


def of_form(form: Form, array: Make) -> Make:
    """Compute the derivative of an activation."""

    def make(node: Node, value_of: ValueOf) -> Any:
        return form(np.asarray(array(node, value_of)))

    return make

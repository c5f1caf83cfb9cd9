"""What would make a wrong line right: one operation, operand or number of it changed."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.blame import Blame, Trail, same_line
from clearprop.gradcheck.seeing.judging.judge import CLOSE, fitted
from clearprop.gradcheck.seeing.judging.source import Source, operands, with_operand
from clearprop.gradcheck.seeing.tape import Node, computed

_MOST_OTHERS = 60  # arrays of a shape that are tried in the place of another


@dataclass(frozen=True)
class Repair:
    """A change of one line by which gradients become right.

    Parameters
    ----------
    cause : str
        A key of `CAUSES`.
    node : Node
        The part of the code that changes, in whose line the mistake stands.
    line : str or None
        The line as it should be; None where its text can't be told.
    why : str
        A sentence.
    mended : int
        The number of gradients that become right.
    """

    cause: str
    node: Node
    line: str | None
    why: str
    mended: int


_BINARY: dict[str, tuple[Callable[..., Any], str]] = {
    "add": (np.add, "+"),
    "subtract": (np.subtract, "-"),
    "multiply": (np.multiply, "*"),
    "divide": (np.divide, "/"),
    "matmul": (np.matmul, "@"),
}


def find_repairs(trail: Trail, blame: Blame, source: Source, leaves: list[Node]) -> list[Repair]:
    """Try small changes of the line at fault, and return those that make gradients right.

    Parameters
    ----------
    trail : Trail
    blame : Blame
    source : Source
    leaves : list of Node
        The data and parameters that are there, beside what was computed from parameters.
    """
    bench = _Bench(trail, blame, source, leaves)
    found: list[Repair] = []
    for node in bench.parts():
        for cause, value, text, why in bench.changes(node):
            mended = bench.mended(node, value)
            if mended:
                line = None if text is None else source.replaced(node, text)
                found.append(Repair(cause, node, line, why, mended))
    found += bench.updated()
    found = [*_elsewhere(bench), *found]
    return sorted(found, key=lambda one: (-one.mended, one.line is None))


def _elsewhere(bench: "_Bench") -> Iterator[Repair]:
    """Try changes of the lines that compute what the line at fault takes: derivatives of their own.

    The derivative of an activation, for instance, is often a function.
    """
    for node in bench.parts():
        for operand in node.parents:
            given = operand in bench.trail.backward or operand in bench.trail.forward
            local = operand.compute is not None and not given
            if not local or same_line(operand, node) or operand.value.shape != node.value.shape:
                continue
            for slope, words in bench.slopes(operand):
                if mended := bench.mended(operand, slope):
                    why = f"The derivative that belongs here is {words}."
                    yield Repair("other_activation", operand, None, why, mended)
            inner = replace(bench, blame=replace(bench.blame, node=operand, expected=None))
            for part in inner.parts():
                for cause, value, text, why in inner.changes(part):
                    if mended := inner.mended(part, value):
                        line = None if text is None else bench.source.replaced(part, text)
                        yield Repair(cause, part, line, why, mended)


@dataclass(frozen=True)
class _Bench:
    trail: Trail
    blame: Blame
    source: Source
    leaves: list[Node]

    def parts(self) -> Iterator[Node]:
        """Yield the nodes of the line at fault, from what it computes to what that is made of."""
        stack, seen = [self.blame.node], set()
        while stack:
            node = stack.pop(0)
            if node in seen or node.compute is None or not same_line(node, self.blame.node):
                continue
            seen.add(node)
            yield node
            stack.extend(node.parents)

    def updated(self) -> Iterator[Repair]:
        """Try the parameters as they were before their update, where the line takes them after."""
        roots = {one.result: one for one in self.trail.judgement.gradients if one.result}
        for node in self.parts():
            for operand in node.parents:
                gradient = roots.get(operand)
                if gradient is None:
                    continue

                def value_of(one: Node, new: Node = operand, old: Any = gradient) -> Any:
                    return old.parameter.value if one is new else one.value

                made = _tried(computed, node, value_of)
                if made is not None and (mended := self.mended(node, made)):
                    why = f"It is updated before the way back takes it in line {_number(node)}."
                    yield Repair("W_updated", operand, None, why, mended)

    def mended(self, node: Node, value: Any) -> int:
        """Count the gradients that would be right if a part of the line had another value."""
        value = np.asarray(value)
        if value.dtype.kind not in "fiub" or not np.isfinite(value).all():
            return 0
        later = (one for one in self.trail.wrong if one.claim.place >= node.place)
        return sum(bool(self.trail.mends(node, value, one)) for one in later)

    def changes(self, node: Node) -> Iterator[tuple[str, Any, str | None, str]]:
        """Yield changes of one part: cause, its new value, its new text, and a sentence."""
        expression = self.source.expression(node)
        with np.errstate(all="ignore"):
            yield from self._signs(node, expression)
            if node.name in _BINARY and len(node.args) == 2:
                yield from self._operators(node, expression)
            if node.name in ("dot", "matmul", "sum", "mean", "add.reduce"):
                yield from self._sums(node, expression)
            yield from self._summands(node, expression)
            if node is self.blame.node:
                yield from self._rewritten()
            yield from self._operands(node, expression)
            if node.is_float:
                yield from self._factors(node, expression)

    def _signs(self, node: Node, expression: Any) -> Iterator[tuple[str, Any, str | None, str]]:
        if not node.is_float:  # a mask
            if node.value.dtype.kind == "b":
                yield "mask_sign", ~node.value, None, "It lets through what it should stop."
            return
        text = None if expression is None else f"-({_text(expression)})"
        if node.name == "negative":
            text = _text(operands(expression)[0]) if operands(expression) else None
        elif node.name == "subtract" and len(operands(expression)) == 2:
            left, right = operands(expression)
            text = f"({_text(right)} - {_text(left)})"
        cause = "swapped" if node.name == "subtract" else "sign"
        yield cause, -node.value, text, "It has the opposite sign."

    def _operators(self, node: Node, expression: Any) -> Iterator[tuple[str, Any, str | None, str]]:
        left, right = (_value(one) for one in node.args)
        parts = [_text(one) for one in operands(expression)]
        for name, (does, sign) in _BINARY.items():
            if name == node.name:
                continue
            value = _tried(does, left, right)
            if value is not None and value.shape == node.value.shape:
                text = f"{parts[0]} {sign} {parts[1]}" if len(parts) == 2 else None
                cause = "elementwise" if name == "matmul" else "slope_incomplete"
                own = _BINARY[node.name][1]
                yield cause, value, text and f"({text})", f"There is a {own} for a {sign}."

    def _sums(self, node: Node, expression: Any) -> Iterator[tuple[str, Any, str | None, str]]:
        if node.name in ("dot", "matmul"):
            if len(node.args) != 2:
                return
            left, right = (_value(one) for one in node.args)
            turned = ((left.T, right), (left, right.T), (left.T, right.T), (right, left))
            for a, b in turned:
                value = _tried(np.matmul, a, b)
                for one in () if value is None else (value, value.T):
                    if one.shape == node.value.shape:
                        yield "transposed", one, None, "A factor is transposed that should not be."
            return
        array = _value(node.args[0])
        for axis in (0, 1, None):
            for does in (np.sum, np.mean):
                value = _tried(does, array, axis=axis, keepdims=True)
                if value is None:
                    continue
                shaped = value if value.shape == node.value.shape else None
                if shaped is None and value.size == node.value.size:
                    shaped = value.reshape(node.value.shape)
                if shaped is None:
                    shaped = _tried(np.broadcast_to, value, node.value.shape)
                if shaped is not None:
                    yield "bias_axis", shaped, None, f"The sum runs over another axis than {axis}."

    def _rewritten(self) -> Iterator[tuple[str, Any, str | None, str]]:
        """Try what came back, times the derivative of an activation, in the place of all."""
        for part in self.parts():
            back = part in self.trail.backward and self.trail.match(part) is not None
            if not back or part.value.shape != self.blame.node.value.shape:
                continue
            expression = self.source.expression(part)
            for slope, words in self.slopes(part):
                text = None if expression is None else f"{_text(expression)} * {_atom(words)}"
                why = f"The derivative that belongs here is {words}."
                yield "other_activation", part.value * slope, text, why

    def _summands(self, node: Node, expression: Any) -> Iterator[tuple[str, Any, str | None, str]]:
        """Try to add a share of the parameter: the derivative of an L2 term."""
        expected = self.blame.expected
        if node is not self.blame.node or expected is None:
            return
        weights = self.blame.gradient.parameter
        if weights.value.size < 3:  # too few to be told from chance
            return
        if weights.value.shape != node.value.shape:
            return
        share, error = fitted(expected - node.value, weights.value)
        if share is None or error >= CLOSE:
            return
        words = f"{share:.4g} * {_atom(self.source.name(weights))}"
        text = None if expression is None else f"{_text(expression)} + {words}"
        yield "l2_missing", expected, text, "The cost has an L2 term, and this gradient has none."

    def _operands(self, node: Node, expression: Any) -> Iterator[tuple[str, Any, str | None, str]]:
        """Try other arrays, and other numbers, in the place of each operand."""
        if node.compute is None:
            return
        for place, operand in enumerate(node.args):
            for value, words, cause in self._others(operand, node):

                def value_of(one: Node, operand: Any = operand, value: Any = value) -> Any:
                    return value if one is operand else one.value

                if isinstance(operand, Node):
                    made = _tried(computed, node, value_of)
                else:
                    args = list(node.args)
                    args[place] = value
                    made = _tried(
                        node.compute,
                        *(one.value if isinstance(one, Node) else one for one in args),
                        **node.kwargs,
                    )
                if made is None or made.shape != node.value.shape:
                    continue
                text = (
                    None
                    if expression is None or words is None
                    else (with_operand(expression, place, words))
                )
                yield cause, made, text and f"({text})", f"Needed is {words}."

    def _others(self, operand: Any, node: Node) -> Iterator[tuple[Any, str | None, str]]:
        if not isinstance(operand, Node):
            if isinstance(operand, int | float) and not isinstance(operand, bool):
                for number in (1, 2, 0.5, -1, 1 - operand, -operand):
                    if number not in (operand, 0):
                        yield number, f"{number:g}", "factor"
                for other in self._inputs():
                    yield other.value, self.source.name(other), "slope_incomplete"
            return
        tried: list[Array] = [operand.value]
        for other in self._alike(operand, node):
            if any(np.array_equal(other.value, one) for one in tried):
                continue
            tried.append(other.value)
            if operand not in self.trail.updated:
                yield other.value, self.source.name(other), "wrong_pair"
        if operand.value.ndim == 2:
            yield operand.value.T, None, "transposed"

    def _inputs(self) -> Iterator[Node]:
        """Yield what the line takes from others."""
        for node in self.parts():
            for one in node.parents:
                if not same_line(one, self.blame.node):
                    yield one

    def _alike(self, operand: Node, node: Node) -> list[Node]:
        shape = operand.value.shape
        among = [*self.trail.judgement.reached, *self.leaves]
        found = [
            one
            for one in among
            if one.value.shape == shape and one.place < node.place and one is not operand
        ]
        found.sort(key=lambda one: -one.place)
        return found[:_MOST_OTHERS]

    def _factors(self, node: Node, expression: Any) -> Iterator[tuple[str, Any, str | None, str]]:
        """Try a factor more."""
        text = None if expression is None else _text(expression)
        for number, cause, words in self._numbers():
            yield (
                cause,
                node.value * number,
                text and f"({text}){words}",
                (f"It is {1 / number:g} times what it should be."),
            )
        if node.value.size == 1:
            return
        for other in self._alike(node, node):
            if not other.is_float or other in self.trail.backward:
                continue
            a = _atom(self.source.name(other))
            for slope, words in (
                (1 - other.value**2, f"(1 - {a}**2)"),
                (other.value * (1 - other.value), f"{a} * (1 - {a})"),
                ((other.value > 0) * 1.0, f"({a} > 0)"),
                (other.value, a),
                (1 - other.value, f"(1 - {a})"),
            ):
                yield (
                    "slope_missing",
                    node.value * slope,
                    text and f"({text}) * {words}",
                    ("The derivative of the activation is left out."),
                )
        if node.name == "multiply" and len(node.args) == 2:
            yield from self._slopes(node, expression)

    def _slopes(self, node: Node, expression: Any) -> Iterator[tuple[str, Any, str | None, str]]:
        """Try other derivatives of activations as the second factor of a product."""
        for place, operand in enumerate(node.args):
            rest = _value(node.args[1 - place])
            if not isinstance(operand, Node) or operand.value.shape != node.value.shape:
                continue
            for slope, words in self.slopes(operand):
                text = None if expression is None else with_operand(expression, place, words)
                yield (
                    "other_activation",
                    rest * slope,
                    text,
                    (f"The derivative that belongs here is {words}."),
                )

    def slopes(self, node: Node) -> Iterator[tuple[Array, str]]:
        """Yield what the derivative of an activation may be, of the forward arrays of a shape."""
        for other in self._alike(node, node):
            if not other.is_float or other in self.trail.backward:
                continue
            a = _atom(self.source.name(other))
            yield 1 - other.value**2, f"1 - {a}**2"
            yield other.value * (1 - other.value), f"{a} * (1 - {a})"
            yield (other.value > 0) * 1.0, f"{a} > 0"
        yield np.ones(node.value.shape), "1"

    def _numbers(self) -> Iterator[tuple[float, str, str]]:
        yield 2.0, "factor_two", " * 2"
        yield 0.5, "factor_two", " / 2"
        sizes = {size for node in self.leaves for size in node.value.shape if size > 2}
        for size in sorted(sizes):
            yield 1 / size, "mean_missing", f" / {size}"
            yield float(size), "mean_twice", f" * {size}"


def _atom(text: str) -> str:
    """Put brackets about what is no single term."""
    term = ast.parse(text, mode="eval").body
    single = isinstance(term, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Constant)
    return text if single else f"({text})"


def _number(node: Node) -> int:
    return 0 if node.line is None else node.line.number


def _text(expression: Any) -> str:
    return ast.unparse(expression)


def _value(item: Any) -> Any:
    return item.value if isinstance(item, Node) else np.asarray(item)


def _tried(does: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return np.asarray(does(*args, **kwargs))
    except (ValueError, TypeError, IndexError, ArithmeticError, AttributeError):
        return None

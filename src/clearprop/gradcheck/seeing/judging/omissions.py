"""What is left out of an expression, or is another than it should be: factors, slopes, terms."""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.blame import Trail
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
from clearprop.gradcheck.seeing.judging.judgement import Gradient
from clearprop.gradcheck.seeing.judging.rewriting import Make, ValueOf
from clearprop.gradcheck.seeing.judging.source import Edit, Source, operands, over
from clearprop.gradcheck.seeing.tape import Line, Node

Form: TypeAlias = Callable[[Any], Any]
"""The derivative of an activation, as a function of one array of the forward pass."""

_MOST_SCALES = 12
_LEAKY = 0.35  # slopes of a leaky ReLU, at most
_NO_VALUE = ("getitem", "setitem", "transpose")
LEFT_OUT = "The derivative of the activation is left out."
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
    for multiple, cause, text in known:
        why = f"It is {1 / multiple:g} times what it should be."
        yield Change(cause, times(constant(multiple)), one.whole(text), why)
    for slope, words, reads in _slopes(one, one.node):
        if one.node.value.size > 1 or "np." not in words:  # of numbers anything fits by chance
            edits = one.whole(f"{inner} * {factor(words)}")
            yield Change("slope_missing", times(slope), edits, LEFT_OUT, reads=reads)


@dataclass(frozen=True)
class Scale:
    """What the forward pass multiplies or divides by, and no parameter has led to: a mask, say.

    Parameters
    ----------
    value : float or ndarray
    text : str
        With the operator before it.
    line : Line
    """

    value: Any
    text: str
    line: Line


def scales(trail: Trail, source: Source) -> list[Scale]:
    """Return what the forward pass scales arrays by, one after the other and several together."""
    found: dict[Node, Scale] = {}
    together: list[Scale] = []
    for node in sorted(trail.forward & trail.judgement.reached, key=lambda one: one.place):
        texts = operands(source.evaluated(node))
        if node.name not in ("divide", "multiply") or node.line is None or len(texts) != 2:
            continue
        for place in (1,) if node.name == "divide" else (0, 1):
            by, of = node.args[place], node.args[1 - place]
            is_plain = isinstance(texts[place], ast.Constant)  # as the file's numbers are
            if is_plain or by in trail.judgement.reached or of not in trail.judgement.reached:
                continue
            value = by.value if isinstance(by, Node) else by
            is_number = np.size(value) == 1
            if np.shape(value) != node.value.shape and not (is_number and np.ravel(value)[0]):
                continue
            value = np.ravel(value)[0] if is_number else value
            value, sign = (value, "*") if node.name == "multiply" else (1 / value, "/")
            text = f" {sign} {source.raw(node.line.file, texts[place])}"
            one = Scale(value, text, node.line)
            together.append(one)
            if of in found:
                one = Scale(found[of].value * value, found[of].text + text, node.line)
                together.append(one)
            found[node] = one
    return together[:_MOST_SCALES]


def scaled(one: Expression, known: Sequence[Scale]) -> Iterator[Change]:
    """Yield an expression times what the forward pass was scaled by."""
    line = one.node.line
    if not one.node.is_float or one.node.name in _NO_VALUE or line is None:
        return
    for scale in known:
        alone = len(one.site.nodes) == 1 and np.shape(scale.value) == one.node.value.shape
        at = scale.line.code.co_qualname
        if (alone or np.size(scale.value) == 1) and at in ("<module>", line.code.co_qualname):
            edits = one.whole(one.product + scale.text)
            why = f"What line {scale.line.number} scales by is left out."
            yield Change("factor", times(constant(scale.value)), edits, why)


def rates(one: Expression, steps: Sequence[Node]) -> Iterator[Change]:
    """Yield a step that is multiplied by the rate of others, which was left out.

    Parameters
    ----------
    one : Expression
        Such as a parameter and a step.
    steps : sequence of Node
        All steps.
    """
    text, line = one.text(1), one.node.line
    step = one.node.args[1] if one.node.name in ("add", "subtract") else None
    if step not in steps or text is None or line is None:
        return
    known: dict[str, float] = {}
    for other in steps:
        texts = operands(one.source.evaluated(other)) if other.name == "multiply" else ()
        for factor_text, arg in zip(texts, other.args, strict=False):
            value = arg.value if isinstance(arg, Node) else arg
            if np.size(value) == 1:
                known[ast.unparse(factor_text)] = float(np.ravel(value)[0])
    for said, rate in known.items():
        edits = several(over(text, f"{said} * {one.raw(text)}"))
        make = exchanged(1, _operand_times(1, constant(rate)))
        why = f"The factor {said} of the other steps is left out."
        yield Change("factor", make, edits, why, (line.file, line.number))


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
            edits = several(over(text, f"{one.raw(text)} * {factor(words)}"))
            make = exchanged(place, _operand_times(place, slope))
            yield Change("slope_missing", make, edits, LEFT_OUT, reads=reads)


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
            edits = () if text is None else one.whole(f"{text} * {factor(words)}")
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


def penalties(one: Expression, of: Sequence[Gradient]) -> Iterator[Change]:
    """Yield a share of the parameter beside its gradient: the derivative of an L2 term.

    Parameters
    ----------
    one : Expression
    of : sequence of Gradient
        Those that it is.
    """
    node, line = one.node, one.node.line
    if line is None or len(one.site.nodes) > 1 or node.value.size < 3:
        return
    for gradient in of:
        root = gradient.parameter
        if gradient.verdict == "right" or root.value.size != node.value.size:
            continue
        both = np.c_[gradient.truth, root.value.ravel()[gradient.places]]
        (_, share), *_ = np.linalg.lstsq(both, node.value.ravel(), rcond=None)
        text = one.scope.text(root, line)
        edits: tuple[Edit, ...] = ()
        if isinstance(one.evaluated, ast.expr) and text is not None:
            edits = one.whole(f"{ast.unparse(one.evaluated)} + {-share:.4g} * {text}")
        why = "The cost has an L2 term, and this gradient has none."
        yield Change("l2_missing", _less(root, float(share)), edits, why)


def _less(root: Node, share: float) -> Make:
    """Take away a share of the parameter."""

    def make(node: Node, value_of: ValueOf) -> Any:
        taken = share * np.asarray(value_of(root)).reshape(node.value.shape)
        return again(node, value_of) - taken

    return make


def shares(one: Expression, roots: Sequence[Node]) -> Iterator[Change]:
    """Yield a number times a parameter in the place of the number, or of another multiple of it.

    Such as ``dW += reg * W``, the derivative of an L2 term, for ``dW += reg``.

    Parameters
    ----------
    one : Expression
    roots : sequence of Node
        The parameters.
    """
    node, line = one.node, one.node.line
    if node.name not in ("add", "subtract", "multiply") or len(node.args) != 2 or line is None:
        return
    for place, operand in enumerate(node.args):
        other = node.args[1 - place]
        text, of = one.text(place), one.text(1 - place)
        value = operand.value if isinstance(operand, Node) else operand
        if text is None or of is None:
            continue
        if node.name == "multiply" and other in roots and np.size(value) > 1:
            for number in one.numbers:
                edits = several(over(text, f"{number:g}"))
                why = f"Needed is {number:g}."
                yield Change("factor", exchanged(place, constant(number)), edits, why)
        if node.name == "multiply" or np.size(value) > 1:
            continue
        for root in roots:
            name = one.scope.text(root, line)
            if name is not None and isinstance(other, Node) and root.value.size == other.value.size:
                edits = several(over(text, f"{one.raw(text)} * {name}"))
                make = exchanged(place, _share(place, root))
                yield Change(
                    "factor", make, edits, f"The factor {name} is left out.", reads=(root,)
                )


def _share(place: int, root: Node) -> Make:
    return lambda node, value_of: np.asarray(args_of(node, value_of)[place]) * value_of(root)


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


def factor(text: str) -> str:
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
        # That of a ReLU of what is above 0 is 1, and no slope that could have been forgotten.
        is_above = all(np.all(array.value > 0) for array in meant.values())
        for form, words in forms(text, one.numbers):
            if is_above and "> 0" in words:
                continue
            yield of_form(form, meaning(meant)), words, tuple(meant.values())


def is_slope_at(value: Array, a: Array) -> bool:
    """Whether a value is the derivative of a usual activation at an array, as what goes into it."""
    if value.shape != a.shape or not value.size:
        return False
    with np.errstate(all="ignore"):
        return any(
            np.allclose(value, of, rtol=1e-6) for of in (1 - np.tanh(a) ** 2, _of_sigmoid(a))
        )


def of_form(form: Form, array: Make) -> Make:
    """Compute the derivative of an activation."""

    def make(node: Node, value_of: ValueOf) -> Any:
        return form(np.asarray(array(node, value_of)))

    return make

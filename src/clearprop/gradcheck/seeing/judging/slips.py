"""Slips of one token, each as the change that takes it back: signs, axes, operands, numbers."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np

from clearprop.gradcheck.seeing.judging.changes import (
    Change,
    Expression,
    again,
    alone,
    applied,
    args_of,
    constant,
    exchanged,
    meaning,
    operated,
    several,
)
from clearprop.gradcheck.seeing.judging.rewriting import Make, Site, ValueOf
from clearprop.gradcheck.seeing.judging.scope import is_name
from clearprop.gradcheck.seeing.judging.source import Edit, over
from clearprop.gradcheck.seeing.tape import Node

_ARITHMETIC: dict[str, tuple[Callable[..., Any], str]] = {
    "add": (np.add, "+"),
    "subtract": (np.subtract, "-"),
    "multiply": (np.multiply, "*"),
    "divide": (np.divide, "/"),
    "matmul": (np.matmul, "@"),
}
_COMPARED: dict[str, tuple[Callable[..., Any], str]] = {
    "greater": (np.greater, ">"),
    "less": (np.less, "<"),
    "greater_equal": (np.greater_equal, ">="),
    "less_equal": (np.less_equal, "<="),
}
Axis: TypeAlias = int | tuple[int, ...] | None
_SUMMED: dict[str, Callable[..., Any]] = {"sum": np.sum, "add.reduce": np.sum, "mean": np.mean}
_CAUSES = {("+", "-"): "sign", ("-", "+"): "sign", ("*", "@"): "elementwise"}
_FAR = 1e3  # times another number, as an epsilon is beside a rate
_TRANSPOSED = "A factor is transposed that should not be, or is not and should be."


def signs(one: Expression) -> Iterator[Change]:
    """Yield changes of a sign, or of an operator."""
    node = one.node
    if node.name in _COMPARED:
        for name, (does, sign) in _COMPARED.items():
            if name != node.name:
                why = "It lets through what it should stop."
                yield Change("mask_sign", operated(does), one.operator(sign), why)
    if not node.is_float:
        return
    if node.name == "setitem":
        yield from _written(one)
    if node.name in _ARITHMETIC and len(node.args) == 2:
        own = _ARITHMETIC[node.name][1]
        for name, (does, sign) in _ARITHMETIC.items():
            if name != node.name:
                cause = _CAUSES.get((own, sign), "slope_incomplete")
                why = f"There is a {own} for a {sign}."
                yield Change(cause, operated(does), one.operator(sign), why)
    yield from _regrouped(one)
    if node.name in ("subtract", "divide") and isinstance(one.evaluated, ast.BinOp):
        left, right = one.operands
        edits = several(over(left, one.raw(right)), over(right, one.raw(left)))
        yield Change("swapped", _swapped, edits, "The two are taken the wrong way round.")
    if node.name == "negative":
        yield Change("sign", alone(0), *one.bare(0))
    else:
        edits = one.whole(f"-{one.product}")
        yield Change("sign", _negative, edits, "It has the opposite sign.")


def _written(one: Expression) -> Iterator[Change]:
    """Yield another number, or its opposite, as what is written into a part of an array."""
    number, line = one.node.args[-1], one.node.line
    statement = None if line is None else one.source.statement(line)
    if type(number) not in (int, float) or not isinstance(statement, ast.Assign):
        return
    text = statement.value
    minus = isinstance(text, ast.UnaryOp) and isinstance(text.op, ast.USub)
    said = one.raw(text.operand) if isinstance(text, ast.UnaryOp) and minus else f"-{one.raw(text)}"
    words = {value: f"{value:g}" for value in (0.0, 1.0, *one.numbers)} | {-number: said}
    for value, told in words.items():
        cause = "sign" if value == -number else "factor"
        make, edits = exchanged(2, constant(value)), several(over(text, told))
        if value != number:
            yield Change(cause, make, edits, f"Needed is {told}.")


def _regrouped(one: Expression) -> Iterator[Change]:
    """Yield a sum of products where there is one product: ``a * b + c`` for ``a * b * c``."""
    inner = one.node.args[0] if one.node.name == "multiply" else None
    if not isinstance(inner, Node) or inner.name != "multiply":
        return
    part = replace(one, site=Site((inner,)))
    if isinstance(one.evaluated, ast.BinOp) and one.evaluated.left is part.evaluated:
        for does, sign in (_ARITHMETIC["add"], _ARITHMETIC["subtract"]):
            why = f"There is a * for a {sign}."
            yield Change(
                "slope_incomplete", _summed_products(does), part.operator(sign, regroups=True), why
            )


def _summed_products(does: Callable[..., Any]) -> Make:
    def make(node: Node, value_of: ValueOf) -> Any:
        first, second = args_of(node.args[0], value_of)
        return does(first, np.multiply(second, args_of(node, value_of)[1]))

    return make


def _swapped(node: Node, value_of: ValueOf) -> Any:
    return applied(node, value_of, args_of(node, value_of)[::-1])


def _negative(node: Node, value_of: ValueOf) -> Any:
    return -again(node, value_of)


def sums(one: Expression) -> Iterator[Change]:
    """Yield changes of axes, and of transpositions."""
    node = one.node
    if node.name in ("dot", "matmul") and len(node.args) == 2:
        yield from _products(one)
    elif node.name in _SUMMED:
        yield from _axes(one)
    if node.name == "transpose" and len(node.args) == 1 and node.value.ndim == 2:
        yield Change("transposed", alone(0), *one.bare(0))
    elif node.name == "power" and isinstance(one.evaluated, ast.BinOp):
        yield Change("slope_incomplete", alone(0), *one.bare(0))


def _products(one: Expression) -> Iterator[Change]:
    for first, second, swapped in (
        (True, False, False),
        (False, True, False),
        (False, False, True),
        (True, True, True),
        (True, True, False),
        (True, False, True),
        (False, True, True),
    ):
        edits: tuple[Edit, ...] = ()
        if len(one.operands) == 2:
            pairs = zip(one.operands, (first, second), strict=True)
            texts = [transposed(text) if turn else one.raw(text) for text, turn in pairs]
            if swapped:
                texts.reverse()
            edits = several(*(over(old, new) for old, new in zip(one.operands, texts, strict=True)))
        yield Change("transposed", _turned(first, second, swapped), edits, _TRANSPOSED)
    if any(not isinstance(arg, Node) or arg.value.ndim > 1 for arg in one.node.args):
        text = one.product
        is_call = isinstance(one.evaluated, ast.Call) or text.startswith("(")
        edits = one.whole(f"{text}.T" if is_call else f"({text}).T")
        yield Change("transposed", _result_turned, edits, _TRANSPOSED)


def _turned(first: bool, second: bool, swapped: bool) -> Make:
    def make(node: Node, value_of: ValueOf) -> Any:
        a, b = (np.asarray(arg) for arg in args_of(node, value_of))
        a, b = (a.T if first else a), (b.T if second else b)
        return applied(node, value_of, (b, a) if swapped else (a, b))

    return make


def _result_turned(node: Node, value_of: ValueOf) -> Any:
    return again(node, value_of).T


def transposed(text: ast.expr) -> str:
    """Write the transposed of an array."""
    if isinstance(text, ast.Attribute) and text.attr == "T":
        return ast.unparse(text.value)
    function = text.func if isinstance(text, ast.Call) else None
    if isinstance(function, ast.Attribute) and function.attr == "transpose":
        args = text.args if isinstance(text, ast.Call) else []
        return ast.unparse(args[0] if args else function.value)
    single = is_name(text) or isinstance(text, ast.Call)
    return f"{ast.unparse(text)}.T" if single else f"({ast.unparse(text)}).T"


def _axes(one: Expression) -> Iterator[Change]:
    node = one.node
    array = np.asarray(node.args[0].value if isinstance(node.args[0], Node) else node.args[0])
    keeps = bool(node.kwargs.get("keepdims", False))
    axis = node.args[1] if len(node.args) > 1 else node.kwargs.get("axis")
    own = _SUMMED[node.name]
    # Of pictures, all axes but that of the channels.
    several = list(combinations(range(array.ndim), array.ndim - 1)) if array.ndim > 2 else []
    for does in (np.sum, np.mean):
        for other in (*range(array.ndim), None, *several):
            for kept in (keeps, not keeps):
                if (does, other, kept) == (own, axis, keeps):
                    continue
                cause, why = "bias_axis", f"The sum runs over another axis than {axis}."
                if does is not own:
                    cause, why = "bias_averaged", f"It should be the {does.__name__}."
                edits = _summed_text(one, does, other, kept)
                yield Change(cause, _summed(does, other, kept), edits, why)


def _summed(does: Callable[..., Any], axis: Axis, kept: bool) -> Make:
    return lambda node, value_of: does(args_of(node, value_of)[0], axis=axis, keepdims=kept)


def _summed_text(
    one: Expression, does: Callable[..., Any], axis: Axis, kept: bool
) -> tuple[Edit, ...]:
    call = one.evaluated
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return ()
    is_method = bool(one.operands) and call.func.value is one.operands[0]
    args = [one.raw(arg) for arg in call.args[: 0 if is_method else 1]]
    args += [f"axis={axis}"] if axis is not None else []
    args += ["keepdims=True"] if kept else []
    same = does is _SUMMED[one.node.name]
    name = call.func.attr if same else does.__name__
    return one.whole(f"{one.raw(call.func.value)}.{name}({', '.join(args)})")


def others(one: Expression) -> Iterator[Change]:
    """Yield other arrays and numbers in the place of the operands, and those left out."""
    node = one.node
    if node.name in ("setitem", "getitem") or not node.args:
        return
    if node.name in _ARITHMETIC and len(one.operands) == 2:
        cause = "slope_twice" if node.name in ("multiply", "matmul") else "factor"
        for place in (0, 1):
            yield Change(cause, alone(place), *one.bare(place))
    for place, operand in enumerate(node.args[:2]):
        if isinstance(operand, Node):
            yield from _arrays(one, place, operand)
        elif isinstance(operand, int | float) and not isinstance(operand, bool):
            yield from _numbers(one, place, operand)


def _arrays(one: Expression, place: int, operand: Node) -> Iterator[Change]:
    text = one.text(place)
    own = "" if text is None else ast.unparse(text)
    for other, meant in one.scope.alike(one.site.nodes, operand.value.shape, own):
        edits = () if text is None else several(over(text, other))
        make = exchanged(place, meaning(meant))
        reads = tuple(meant.values())
        yield Change("wrong_pair", make, edits, f"Needed is {other}.", reads=reads)
    for by in (-1, 1):
        shifted = one.scope.shifted(one.site.nodes, place, by)
        if shifted is not None:
            make = exchanged(place, meaning(shifted))
            yield Change("off_by_one", make, _shifted_text(text, by), "It is one round off.")
    if operand.value.ndim == 2 and one.node.name in _ARITHMETIC and text is not None:
        edits = several(over(text, transposed(text)))
        yield Change("transposed", exchanged(place, _operand_turned(place)), edits, _TRANSPOSED)


def parts(one: Expression) -> Iterator[Change]:
    """Yield the same part of another array, and another part of the same, as large as that."""
    node, text = one.node, one.evaluated
    array = node.args[0] if node.name == "getitem" else None
    if not isinstance(array, Node) or not isinstance(text, ast.Subscript) or not node.is_float:
        return
    own = ast.unparse(text.value)
    for other, meant in one.scope.alike(one.site.nodes, array.value.shape, own):
        make, reads = exchanged(0, meaning(meant)), tuple(meant.values())
        edits = several(over(text.value, other))
        yield Change("wrong_pair", make, edits, f"Needed is {other}.", reads=reads)
    yield from _cut_elsewhere(one, array, text.slice)


def _cut_elsewhere(one: Expression, array: Node, said: ast.expr) -> Iterator[Change]:
    """Yield the last entries in the place of as many first ones, or the other way round."""
    index = one.node.args[1]
    every = index if isinstance(index, tuple) else (index,)
    texts = said.elts if isinstance(said, ast.Tuple) else [said]
    cut = [k for k, each in enumerate(texts) if isinstance(each, ast.Slice) and _bound(each)]
    if len(cut) != 1 or len(every) != len(texts) or one.node.value.ndim != array.value.ndim:
        return
    axis, at = cut[0], texts[cut[0]]
    name = _bound(at) if isinstance(at, ast.Slice) else None
    size, whole = one.node.value.shape[axis], array.value.shape[axis]
    begins_late = isinstance(at, ast.Slice) and isinstance(at.lower, ast.Name | ast.Attribute)
    if name is None or not 0 < size < whole or (begins_late and 2 * size != whole):
        return
    for begin, words in ((0, f":{one.raw(name)}"), (whole - size, f"-{one.raw(name)}:")):
        new = (*every[:axis], slice(begin, begin + size), *every[axis + 1 :])
        edit = over(at, words)
        edits = () if edit is None else (replace(edit, is_operand=False),)
        yield Change("off_by_one", exchanged(1, constant(new)), edits, "It is another part.")


def _bound(part: ast.Slice) -> ast.expr | None:
    """Return how many entries a slice takes, or leaves out, of the first or the last ones."""
    lower, upper = part.lower, part.upper
    if (lower is None) == (upper is None) or isinstance(upper, ast.UnaryOp):
        return None
    return lower.operand if isinstance(lower, ast.UnaryOp) else upper or lower


def _operand_turned(place: int) -> Make:
    return lambda node, value_of: args_of(node, value_of)[place].T


def _shifted_text(text: ast.expr | None, by: int) -> tuple[Edit, ...]:
    if not isinstance(text, ast.Subscript) or isinstance(text.slice, ast.Tuple | ast.Slice):
        return ()
    return several(over(text.slice, _plus(text.slice, by)))


def _plus(index: ast.expr, by: int) -> str:
    """Write an index that is so much larger."""
    try:
        return str(int(ast.literal_eval(index)) + by)
    except (ValueError, TypeError):
        pass
    if isinstance(index, ast.BinOp) and isinstance(index.right, ast.Constant):
        own = index.right.value
        if isinstance(own, int) and isinstance(index.op, ast.Add | ast.Sub):
            total = by + (own if isinstance(index.op, ast.Add) else -own)
            left = ast.unparse(index.left)
            return left if not total else f"{left} {'+' if total > 0 else '-'} {abs(total)}"
    return f"{ast.unparse(index)} {'+' if by > 0 else '-'} {abs(by)}"


def _numbers(one: Expression, place: int, number: float) -> Iterator[Change]:
    text = one.text(place)
    words = {value: f"{value:g}" for value in (1, 2, 0.5, -number, 1 - number, number + 1)}
    near = (value for value in one.numbers if 1 / _FAR < abs(value / (number or 1)) < _FAR)
    words |= {value: f"{value:g}" for value in near}  # a far one would drown what is added
    words |= {float(size): said for size, said in one.sizes.items()}
    cause = "leaky_slope" if one.node.name in ("where", "maximum") else "factor"
    for value, said in words.items():
        left_out = value == 1 and one.node.name in ("multiply", "divide")  # as `others` does
        if value not in (number, 0) and not left_out:
            edits = () if text is None else several(over(text, said))
            yield Change(cause, exchanged(place, constant(value)), edits, f"Needed is {said}.")

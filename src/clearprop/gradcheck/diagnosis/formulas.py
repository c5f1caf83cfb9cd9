"""The language of formulas: one line of NumPy that is evaluated here and written for the learner.

A formula is a text. It speaks of one layer, in the notation of the course: samples are columns, W
is (units, inputs), b is (units, 1). ``dZ``, ``A`` and ``W`` are those of the layer itself,
``A_prev`` and ``W_next`` those of its neighbours, ``dZ_up2`` or ``A_down3`` lie further away.
`value_of` computes it; `Notation.write` turns it into the layout and the names of the code under
check. So a value and the advice that is printed for it can't come apart.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from clearprop.core.kernels import sigmoid
from clearprop.core.parameters import Array
from clearprop.gradcheck.subject import Layout

_SYMBOL = re.compile(r"(d?[WbZA]|H|D)(_prev|_next|_up\d+|_down\d+)?(_reshaped)?")
_OFFSETS = {None: 0, "_prev": -1, "_next": 1}
_COUNTS = ("m", "keep_prob", "lambd")
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(1, 6)  # how tightly a written node holds together
_OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.MatMult: "@",
    ast.Div: "/",
    ast.Pow: "**",
    ast.Gt: ">",
    ast.LtE: "<=",
    ast.Eq: "==",
}
_WHOLE, _APART = 1e-5, 0.01  # as a share, and at most: any large number is near to a whole one
_LARGE = 1e6


def _log(A: Array) -> Array:
    """Return the logarithm; that of 0 is finite, so that 0 log 0 is 0."""
    return np.log(np.maximum(A, np.finfo(np.float64).tiny))


_FUNCTIONS: dict[str, Any] = {"__builtins__": {}, "np": np, "sigmoid": sigmoid, "log": _log}


def value_of(formula: str, names: Any) -> Array:
    """Compute a formula, or the right side of a line; `KeyError` for an array that is not there.

    Saturated outputs may divide by 0, which is no error here.
    """
    with np.errstate(all="ignore"):
        return np.asarray(eval(_compiled(formula), _FUNCTIONS, names))  # noqa: S307 - our own text


@lru_cache(maxsize=4096)
def _compiled(formula: str) -> CodeType:
    return compile(formula.rpartition(" = ")[2], "<formula>", "eval")


def neighbour(offset: int) -> str:
    """Return the ending of the symbols of a layer so many above."""
    if abs(offset) < 2:
        return ("_prev", "", "_next")[offset + 1]
    return f"_up{offset}" if offset > 0 else f"_down{-offset}"


@lru_cache(maxsize=1024)
def parse_symbol(symbol: str) -> tuple[str, int, bool] | None:
    """Take a symbol apart: ``"A_prev"`` is A, one layer below; None of what is none.

    The last of the three says whether it stands for ``A.reshape(A.T.shape)``, in place of ``A.T``.
    """
    found = _SYMBOL.fullmatch(symbol)
    if found is None:
        return None
    base, ending, reshaped = found.groups()
    offset = _OFFSETS.get(ending)
    if offset is None:
        offset = int(re.sub(r"_(up|down)", lambda way: "-" * (way[1] == "down"), ending))
    return base, offset, bool(reshaped)


@dataclass(frozen=True)
class Dense:
    """The names of one layer's parameters, that of no bias empty, and its number in formulas."""

    W: str
    b: str
    number: str


@dataclass(frozen=True)
class Notation:
    """The names and the layout of one layer, counted from 1, of the code under check."""

    layout: Layout
    layers: Sequence[Dense]
    layer: int

    def name(self, symbol: str) -> str:
        """Return the name of an array: ``"Z2"``, ``"dW1"``, ``"X"``; other words stay."""
        parts = parse_symbol(symbol)
        if parts is None:
            return symbol
        base, offset, reshaped = parts
        written = self._named(base, self.layer + offset)
        return f"{written}.reshape({written}.T.shape)" if reshaped else written

    def write(self, line: str) -> str:
        """Write a line, or one of dA and, after "; ", one of dZ, as the code under check would.

        ``"dW = dZ @ A_prev.T / m"`` is ``"dW1 = 1/m * dZ1 @ X.T"``, or, where samples are rows,
        ``"dW1 = X.T @ dZ1 / m"``.
        """
        written = []
        for one in line.split("; ") if line.startswith("dA = ") else [line]:
            target, equals, formula = re.split(r"( \+?= )(?!.* = )", one)  # at the last of them
            array = re.sub(r'.*"|\W.*', "", target)  # of grads["dW2"] nothing, of "A, cache" A
            node = ast.parse(formula, mode="eval").body
            turned = self.layout.turned(array or _first_array(node))
            text, _ = _Writer(self).write(node, turned)
            written.append(re.sub(r"^\w+", lambda one: self.name(one[0]), target) + equals + text)
        return ", so that ".join(written)

    def _named(self, base: str, layer: int) -> str:
        if layer == 0:
            return "X" if base in ("A", "H", "Z") else f"{base}0"
        names = self.layers[layer - 1]
        if base[-1] in "Wb":  # by their own name, where one can be written in a formula
            own = names.W if base[-1] == "W" else names.b
            if own.isidentifier():
                return base[:-1] + own
        return base + names.number


@dataclass(frozen=True)
class _Writer:
    """Writes the tree of a formula; each node as it is, or turned where arrays lie turned."""

    notation: Notation

    def write(self, node: ast.AST, turned: bool) -> tuple[str, int]:
        """Return the text of a node, or of its transpose, and how tightly it holds together."""
        match node:
            case ast.Constant(value=int() | float() as number):
                return f"{number:.6g}", _ATOM
            case ast.Constant(value=value) if value is ...:
                return "...", _ATOM
            case ast.Name(id=symbol):
                return self._array(self.notation.name(symbol), symbol, turned), _ATOM
            case ast.Attribute(value=ast.Name() as array, attr="T"):
                return self.write(array, not turned)
            case ast.Attribute(value=inner, attr="T"):
                lies_turned = self.notation.layout.turned(_first_array(inner))
                text = self._within(inner, lies_turned, _ATOM)
                return (text if turned != lies_turned else f"{text}.T"), _ATOM
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=symbol)), slice=axis):
                index = int(ast.unparse(axis)) ^ self.notation.layout.turned(symbol)
                return f"{self.notation.name(symbol)}.shape[{index}]", _ATOM
            case ast.Subscript(value=ast.Name(id=symbol), slice=ast.Tuple(elts=[_, samples])):
                before = "" if self.notation.layout.rows else ":, "
                chosen = f"{self.notation.name(symbol)}[{before}{ast.unparse(samples)}]"
                return self._array(chosen, symbol, turned), _ATOM
            case ast.Call():
                return self._call(node, turned), _ATOM
            case ast.UnaryOp(operand=operand):
                return f"-{self._within(operand, turned, _PRODUCT)}", _SIGN
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                sides = (self._within(one, turned, _SUM) for one in (left, right))
                return f" {_OPERATORS[type(operator)]} ".join(sides), 0
            case ast.BinOp():
                return self._operation(node, turned)
        raise TypeError(f"{ast.dump(node)} has no place in a formula")

    def _within(self, node: ast.AST, turned: bool, tightness: int) -> str:
        text, own = self.write(node, turned)
        return text if own >= tightness else f"({text})"

    def _array(self, text: str, symbol: str, turned: bool) -> str:
        is_matrix = symbol == "Y" or (parse_symbol(symbol) and symbol.lstrip("d")[0] != "b")
        return f"{text}.T" if is_matrix and turned != self.notation.layout.turned(symbol) else text

    def _call(self, node: ast.Call, turned: bool) -> str:
        arguments = [self.write(one, turned)[0] for one in node.args]
        for keyword in node.keywords:
            value = ast.unparse(keyword.value)
            if keyword.arg == "axis":
                arguments.append(f"axis={int(value) ^ turned}")
            elif value != "kept" or self.notation.layout.kept_axis:
                arguments.append("keepdims=True")
        return f"{ast.unparse(node.func)}({', '.join(arguments)})"

    def _operation(self, node: ast.BinOp, turned: bool) -> tuple[str, int]:
        left, right, operator = node.left, node.right, _OPERATORS[type(node.op)]
        if operator == "**":
            return f"{self._within(left, turned, _ATOM)}**{ast.unparse(right)}", _POWER
        if operator in "+-":
            sides = self._within(left, turned, _SUM), self._within(right, turned, _PRODUCT)
            return f" {operator} ".join(sides), _SUM
        if operator == "/" and _is_number(right):
            over = self._within(right, turned, _POWER)
            if _is_number(left):
                return f"{self._within(left, turned, _PRODUCT)}/{over}", _PRODUCT
            if _is_count(right) and not self.notation.layout.rows:  # as the course writes it
                return f"1/{over} * {self._within(left, turned, _PRODUCT)}", _PRODUCT
        if operator == "@" and turned:
            left, right = right, left
        # Factors may change their company, but not a product of matrices and an array.
        free = operator == "*" and (_is_number(left) or not _has_product(right))
        sides = (
            self._within(left, turned, _PRODUCT),
            self._within(right, turned, _PRODUCT if free else _SIGN),
        )
        return f" {operator} ".join(sides), _PRODUCT


def _first_array(node: ast.AST) -> str:
    names = (one.id for one in ast.walk(node) if isinstance(one, ast.Name))
    return next(name for name in names if parse_symbol(name))


def _is_number(node: ast.AST) -> bool:
    """Whether a node is made of numbers only: of ``m``, ``lambd`` or a length."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Attribute)
    if isinstance(node, ast.Name):
        return node.id in _COUNTS
    if isinstance(node, ast.Constant):
        return node.value is not ...
    parts = list(ast.iter_child_nodes(node))
    return isinstance(node, ast.BinOp | ast.UnaryOp) and all(
        _is_number(one) for one in parts if isinstance(one, ast.expr)
    )


def _is_count(node: ast.AST) -> bool:
    return not any(
        isinstance(one, ast.Name) and one.id in _COUNTS[1:] for one in ast.walk(node)
    ) and not isinstance(node, ast.Constant)


def _has_product(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and (
        isinstance(node.op, ast.MatMult) or _has_product(node.left)
    )


def readable(factor: float, digits: str = ".6g") -> str:
    """Write a factor as people do: 8, 1/8, -1, 0.37.

    Formulas hold all digits (``".17g"``); where they are written for a person, six are left.
    """
    inverse = whole(1 / factor)
    if inverse is not None and abs(inverse) > 1:
        return f"1/{inverse}" if inverse > 0 else f"-1/{-inverse}"
    nearest = whole(factor)
    return f"{factor:{digits}}" if nearest is None else str(nearest)


def whole(value: float) -> int | None:
    """Return the whole number that a value is but for rounding; a share of a large one is none."""
    nearest = round(value) if abs(value) < _LARGE else 0
    return nearest if abs(value - nearest) < min(_WHOLE * abs(value), _APART) else None

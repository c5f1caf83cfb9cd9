"""Quotients that may be sizes and places, and texts that are decoded, as in Python 2."""

import ast
from typing import Any

QUOTIENT, TEXT = "_quotient_of_", "_text_of_"
"""The names by which watched code reaches `quotient` and `decodable`."""


class Whole(float):
    """A whole number that a division gave: a float, and an index too."""

    def __index__(self) -> int:
        return int(self)

    def __add__(self, other: Any) -> Any:
        return _whole(other, super().__add__(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return _whole(other, super().__sub__(other))

    def __rsub__(self, other: Any) -> Any:
        return _whole(other, super().__rsub__(other))

    def __mul__(self, other: Any) -> Any:
        return _whole(other, super().__mul__(other))

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        return _whole(other, super().__floordiv__(other))


def _whole(other: Any, result: Any) -> Any:
    both = type(other) in (int, Whole) and type(result) is float
    return Whole(result) if both else result


def quotient(one: Any, other: Any) -> Any:
    """Divide; what whole numbers give without a rest may be an index."""
    result = one / other
    numbers = type(one) in (int, Whole) and type(other) in (int, Whole)
    return Whole(result) if numbers and type(result) is float and result.is_integer() else result


class Text(str):
    """A text that was bytes in Python 2, and is what it is when it is decoded."""

    def decode(self, *_: Any, **__: Any) -> "Text":
        """Return the text."""
        return self

    encode = decode  # type: ignore[assignment]


def decodable(value: Any) -> Any:
    """Let a text be decoded, which fails in Python 3; return anything else as it is."""
    return Text(value) if type(value) is str else value


REACHED = {QUOTIENT: quotient, TEXT: decodable}
"""The functions by these names."""


class Quotients(ast.NodeTransformer):
    """Let divisions be done by `quotient`, but for those with a number that has a point.

    What is decoded is given to `decodable` before.
    """

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Change what is decoded."""
        self.generic_visit(node)
        if node.attr == "decode" and isinstance(node.ctx, ast.Load):
            call = ast.Call(ast.Name(TEXT, ast.Load()), [node.value], [])
            node.value = ast.fix_missing_locations(ast.copy_location(call, node.value))
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Change a division."""
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        for side in (node.left, node.right):
            if any(
                isinstance(one, ast.Constant) and type(one.value) is float for one in ast.walk(side)
            ):
                return node
        call = ast.Call(ast.Name(QUOTIENT, ast.Load()), [node.left, node.right], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

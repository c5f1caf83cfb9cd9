"""Names that code gives to its gradients."""

import ast
import re

GRADIENT = re.compile(r"^_?(d[A-Z_]|d[a-z]\d?$|d[wb]|dj|grad|nabla|delta)", re.I)
"""Names that gradients go by."""


def is_derivative(name: str) -> bool:
    """Whether a name is that of a derivative: dW1, db, grad_w, W_grad."""
    return re.search(r"^d[A-Z_]|^d[a-z]{1,2}\d*$|grad|nabla", name) is not None


def names_returned(function: ast.AST) -> list[str | None] | None:
    """Return the names in the last return statement of a function; None where there is none.

    That of a multiple of a gradient is the gradient's: ``dW`` of ``-dW / m``.
    """
    statements = [one for one in ast.walk(function) if isinstance(one, ast.Return)]
    for one in sorted(statements, key=lambda one: -one.lineno):
        if one.value is not None:
            several = one.value.elts if isinstance(one.value, ast.Tuple) else [one.value]
            plain = list(map(_name, several))
            return [name or _multiple_of(each) for each, name in zip(several, plain, strict=True)]
    return None


def _name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) and node.attr != "T" else None


def _multiple_of(node: ast.expr) -> str | None:
    """Return the name of the gradient that an expression is a multiple of, or turned round."""
    if isinstance(node, ast.Dict):
        keys = [str(one.value) for one in node.keys if isinstance(one, ast.Constant)]
        return "grads" if any(map(GRADIENT.match, keys)) else None
    parts: list[ast.expr] = []
    if isinstance(node, ast.UnaryOp):
        parts = [node.operand]
    elif isinstance(node, ast.Attribute):
        parts = [node.value]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        parts = [node.left, node.right]
    named = [name for one in parts if (name := _name(one) or _multiple_of(one)) is not None]
    return next(filter(GRADIENT.match, named), None)

"""Parts of code that is read: what is assigned, keys, names, strings."""

import ast
import re
from collections.abc import Iterable, Iterator


def strings(nodes: Iterable[ast.AST | None]) -> Iterator[str]:
    """Yield those of some nodes that are strings."""
    for one in nodes:
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def assigned(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what an assignment assigns to, and what it assigns: ``self.a, self.b = a, b`` two."""
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def numbered(key: ast.expr) -> str:
    """Return what stands before the number of a layer: ``W`` of ``f"W{l}"``, ``"W" + str(l)``."""
    first: ast.expr | None = None
    if isinstance(key, ast.JoinedStr) and len(key.values) == 2:
        first = key.values[0]
    elif isinstance(key, ast.BinOp) and isinstance(key.op, ast.Add | ast.Mod):
        first = key.left
    elif isinstance(key, ast.Call) and isinstance(key.func, ast.Attribute):
        first = key.func.value if key.func.attr == "format" else None
    text = first.value if isinstance(first, ast.Constant) else None
    return re.sub(r"(%[ds]|\{.*\})$", "", text) if isinstance(text, str) else ""


def key_of(node: ast.expr) -> str | None:
    """Return the key by which something is taken out of a dict: ``settings["mode"]``."""
    key: ast.expr | None = node.slice if isinstance(node, ast.Subscript) else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        key = next(iter(node.args), None) if node.func.attr == "get" else None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def name_of(node: ast.expr) -> str | None:
    """Return the name of a variable, or the last of an attribute."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None

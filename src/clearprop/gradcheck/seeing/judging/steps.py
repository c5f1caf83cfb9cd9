"""The gradient within a step: without its rate, its history, the roots that Adam divides by."""

from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.tape import Node

_SCALE = 30  # nodes of what a gradient is divided by, in which a root is looked for


def summands(step: Node, reached: set[Node]) -> list[Node]:
    """Return the gradient in a step, from outside in: without its rate, its history, its scale.

    Parameters
    ----------
    step : Node
    reached : set of Node
        All that was computed from the parameters before this update: the rest is history.
    """
    levels = [step]
    node: Node | None = step
    for _ in range(16):
        inner = None if node is None else _inner(node, reached)
        if inner is None or node is None or inner.value.size != node.value.size:
            break
        node = inner
        levels.append(node)
    return levels


def _inner(node: Node, reached: set[Node]) -> Node | None:
    if node.compute is None:
        return None
    args = node.args
    arrays = [one for one in args if isinstance(one, Node)]
    first = args[0] if args else None
    if node.name in ("negative", "reshape", "copy", "squeeze", "astype", "clip", "array", "ravel"):
        return arrays[0] if arrays else None
    if node.name == "setitem" and len(args) == 3 and _size(args[2]) == node.value.size:
        return args[2] if isinstance(args[2], Node) else None
    if len(args) != 2:
        return None
    second = args[1]
    if node.name == "multiply":
        pairs = (first, second), (second, first)
        scaled = next((a for a, b in pairs if _scales(b, a)), None)
        return scaled or next(
            (a for a, b in pairs if isinstance(a, Node) and _is_scale(b, a)), None
        )
    if node.name == "divide" and isinstance(first, Node):
        return first if _size(second) == 1 or _is_scale(second, first) else None
    if node.name in ("add", "subtract"):
        for one, other in ((first, second), (second, first)):
            if isinstance(one, Node) and _is_history(other, reached):
                return one
    return None


def _size(item: Any) -> int:
    return item.value.size if isinstance(item, Node) else int(np.size(item))


def _scales(item: Any, other: Any) -> bool:
    """Whether one factor is a number beside the other one."""
    if not isinstance(other, Node) or _size(item) != 1:
        return False
    return other.value.size > 1 or not isinstance(item, Node) or len(item.parents) == 0


def _is_scale(item: Any, gradient: Node) -> bool:
    """Whether it is what Adam and its like divide by: a root, or made of the gradient's squares."""
    stack, seen = [item], set[Node]()
    while stack and len(seen) < _SCALE:
        node = stack.pop(0)
        if not isinstance(node, Node) or node in seen or node is gradient:
            continue
        seen.add(node)
        squares = node.name in ("square", "power", "norm") or node.args[:1] == node.args[1:]
        if node.name == "sqrt" or (squares and gradient in node.parents):
            return True
        stack.extend(node.parents)
    return False


def _is_history(item: Any, reached: set[Node]) -> bool:
    if not isinstance(item, Node):
        return bool(np.all(item == 0))
    return item not in reached or not np.any(item.value)

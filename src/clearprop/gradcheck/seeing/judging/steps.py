"""The gradient within a step: without its rate, its history, the roots that Adam divides by."""

from collections.abc import Callable, Iterator
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
    return [node for node, _ in signed_summands(step, reached)]


def signed_summands(
    step: Node, reached: set[Node], is_own: Callable[[Any], bool] = lambda _: False
) -> list[tuple[Node, float]]:
    """Return the same, each with 1 where the step goes along it, and -1 where against it.

    `is_own` tells what stands beside a gradient of the parameter alone: decay.
    """
    levels = [(step, 1.0)]
    for _ in range(16):
        node, sign = levels[-1]
        inner = _inner(node, reached, is_own)
        if inner is None or inner[0].value.size != node.value.size:
            break
        levels.append((inner[0], sign * inner[1]))
    return levels


def _inner(
    node: Node, reached: set[Node], is_own: Callable[[Any], bool]
) -> tuple[Node, float] | None:
    """Return the operand that holds the gradient, and whether its sign stays."""
    if node.compute is None:
        return None
    args = node.args
    arrays = [one for one in args if isinstance(one, Node)]
    first = args[0] if args else None
    if node.name in ("negative", "reshape", "copy", "squeeze", "astype", "clip", "array", "ravel"):
        return (arrays[0], -1.0 if node.name == "negative" else 1.0) if arrays else None
    if node.name == "setitem" and len(args) == 3 and _size(args[2]) == node.value.size:
        return (args[2], 1.0) if isinstance(args[2], Node) else None
    if len(args) != 2:
        return None
    second = args[1]
    if is_second_order(node) and isinstance(second, Node):
        return second, 1.0
    if node.name in ("minimum", "maximum"):  # as ``clip`` does
        bounded = [one for one, by in ((first, second), (second, first)) if _size(by) == 1]
        return (bounded[0], 1.0) if bounded and isinstance(bounded[0], Node) else None
    if node.name == "multiply":
        both = [(a, b) for a, b in ((first, second), (second, first)) if isinstance(a, Node)]
        for one, by in both:
            if _scales(by, one):
                return one, _sign(by)
        # An earlier root lies behind either factor: in the gradient, too, far behind the weights.
        far = [(near, *pair) for pair in both if (near := _scale(pair[1], pair[0])) is not None]
        nearest = min(far, key=lambda found: found[0], default=None)
        return None if nearest is None else (nearest[1], _sign(nearest[2]))
    if node.name == "divide" and isinstance(first, Node):
        is_scale = _size(second) == 1 or _scale(second, first) is not None
        return (first, _sign(second)) if is_scale else None
    if node.name in ("add", "subtract"):
        if isinstance(first, Node) and (_is_history(second, reached) or is_own(second)):
            return first, 1.0
        if isinstance(second, Node) and (_is_history(first, reached) or is_own(first)):
            return second, -1.0 if node.name == "subtract" else 1.0
    return None


def is_second_order(node: Node) -> bool:
    """Whether a gradient is multiplied by the inverse of a matrix, as in Newton's method."""
    first = node.args[0] if node.args else None
    if node.name not in ("matmul", "dot"):
        return node.name == "solve"
    return isinstance(first, Node) and first.name in ("inv", "pinv")


def rates(step: Node) -> Iterator[float]:
    """Yield the numbers that a step is multiplied by in its own line: one may be the rate."""
    stack, seen = [step], set[Node]()
    while stack:
        node = stack.pop()
        if node in seen or node.line is None or step.line is None:
            continue
        seen.add(node)
        if (node.line.file, node.line.number) != (step.line.file, step.line.number):
            continue
        for one in node.args if node.name == "multiply" else ():
            if _size(one) == 1:
                value = one.value if isinstance(one, Node) else one
                yield float(np.asarray(value, np.float64).ravel()[0])
        stack.extend(node.parents)


def _sign(item: Any) -> float:
    """Return the sign of a rate, or of what scales each entry apart and turns all of them."""
    value = np.asarray(item.value if isinstance(item, Node) else item, np.float64)
    return -1.0 if value.max(initial=-np.inf) < 0 else 1.0


def _size(item: Any) -> int:
    return item.value.size if isinstance(item, Node) else int(np.size(item))


def _scales(item: Any, other: Any) -> bool:
    """Whether one factor is a number beside the other one."""
    if not isinstance(other, Node) or _size(item) != 1:
        return False
    return other.value.size > 1 or not isinstance(item, Node) or len(item.parents) == 0


def _scale(item: Any, gradient: Node) -> int | None:
    """Return how near the root is that Adam and its like divide by, or the gradient's squares.

    None of what is made of neither.
    """
    stack, seen = [item], set[Node]()
    while stack and len(seen) < _SCALE:
        node = stack.pop(0)
        if not isinstance(node, Node) or node in seen or node is gradient:
            continue
        seen.add(node)
        squares = node.name in ("square", "power", "norm") or node.args[:1] == node.args[1:2]
        is_root = node.name == "sqrt" and node.value.size == gradient.value.size
        if is_root or (squares and gradient in node.parents):
            return len(seen)
        stack.extend(node.parents)
    return None


def _is_history(item: Any, reached: set[Node]) -> bool:
    if not isinstance(item, Node):
        return bool(np.all(item == 0))
    return item not in reached or not np.any(item.value)

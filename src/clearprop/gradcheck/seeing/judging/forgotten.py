"""Parameters that take part and don't learn: nothing is known of their gradients."""

from collections.abc import Iterator, Mapping, Set

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.tape import Node

_BY_ENTRY = frozenset(
    (
        *("add", "subtract", "multiply", "divide", "negative", "clip", "astype", "array", "copy"),
        *("transpose", "reshape", "setitem", "asarray"),
    )
)
"""Operations by which a parameter becomes another version of itself."""


_MADE = ("add", "divide", "getitem", "multiply", "reshape", "subtract", "transpose")
"""Operations by which first weights are made of what is drawn."""

_PRODUCTS = frozenset(("dot", "matmul", "einsum", "inner", "tensordot"))


def forgotten(
    reached: set[Node], known: Mapping[Node, Array], roots: set[Node]
) -> tuple[Node, ...]:
    """Find what takes part in the forward pass as a parameter does, and does not learn."""
    found: dict[Node, None] = {}
    for node in sorted(reached, key=lambda node: node.place):
        if node.name not in ("dot", "matmul", "add") or not np.any(known.get(node, 0)):
            continue
        operands = [one for one in node.args[:2] if isinstance(one, Node)]
        outside = [one for one in operands if one not in reached and one.is_float]
        inside = [_origin(one, roots) for one in operands if one in reached]
        if len(inside) != 1 or len(outside) != 1 or _is_of(roots, inside[0]):
            continue
        (one,) = outside
        is_bias = node.name == "add" and 1 < one.value.size < node.value.size
        if (is_bias or (node.name != "add" and one.value.ndim == 2)) and _is_drawn(one):
            found[_origin(one)] = None
    for weights in _below(reached, known):
        found[weights] = None
    learnt = beginnings(roots)
    return tuple(one for one in found if one not in learnt)


def _is_of(roots: set[Node], node: Node) -> bool:
    """Whether something is a parameter, or was made of nothing else: weights by their length."""
    stack, seen = [node], set[Node]()
    while stack:
        one = stack.pop()
        if one in roots or one in seen:
            continue
        seen.add(one)
        if not one.parents and one.value.size > 1:
            return False
        stack.extend(one.parents)
    return True


def beginnings(roots: set[Node]) -> set[Node]:
    """Return what the parameters were before their earlier updates, and all that was added then.

    A cost that sums over samples still depends on them: on the forward pass of an earlier update.
    """
    found: set[Node] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            if node.name in _BY_ENTRY:
                stack.extend(one for one in node.parents if one.value.size == node.value.size)
    return found


def _below(reached: set[Node], known: Mapping[Node, Array]) -> Iterator[Node]:
    """Yield random weights of layers before the first one that learns.

    What is no factor of a product with what learns is no input of a layer: targets, say, that
    random numbers have made.
    """
    stack = [
        parent
        for node in reached
        if node.name in _PRODUCTS and np.any(known.get(node, 0))
        for parent in node.parents
        if parent not in reached
    ]
    samples = {size for node in reached if node.value.ndim == 2 for size in node.value.shape[:1]}
    seen: set[Node] = set()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        stack.extend(node.parents)
        if node.name not in ("dot", "matmul") or node.value.ndim != 2 or len(node.args) != 2:
            continue
        # The operand that shares no axis of samples with the result is the layer's.
        left = node.value.shape[0] in samples and node.value.shape[0] != node.value.shape[1]
        weights = node.args[1] if left else node.args[0]
        if isinstance(weights, Node) and _is_drawn(weights):
            yield _origin(weights)


def _is_drawn(node: Node) -> bool:
    """Whether it began as parameters do, and data don't."""
    return _origin(node).name in ("random", "zeros", "zeros_like", "ones")


def _origin(node: Node, roots: Set[Node] = frozenset()) -> Node:
    while node not in roots and node.parents:
        made = node.name in _MADE and all(one.value.size == 1 for one in node.parents[1:])
        stepped = node.name in ("add", "subtract") and not np.any(node.value - _first(node))
        if not (made or stepped):
            break
        node = node.parents[0]
    return node


def _first(node: Node) -> Array:
    """Return what a step was added to: one of zeros says nothing of a gradient."""
    return node.parents[0].value

"""Targets that are made of outputs, as ``reward + gamma * q(next_state).max()`` is.

Q-learning and its kin take them as given: what they were made of is not learned by.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.operations import MOVING
from clearprop.gradcheck.seeing.tape import Line, Node, ancestors

_CALLED = re.compile(r"gamma|γ|discount|reward|bootstrap|\btd", re.IGNORECASE)
_SHOWN = frozenset(("equal", "greater", "isfinite", "isnan", "less", "not_equal", "round"))


def bootstrapped(reached: set[Node], text: Callable[[Line], str]) -> set[Node]:
    """Find targets that are data plus a share of outputs, and are only held against outputs.

    Parameters
    ----------
    reached : set of Node
        All that was computed from the parameters.
    text : callable
        A function that gives the text of a line.
    """
    children: dict[Node, list[Node]] = {}
    for node in reached:
        for parent in node.parents:
            children.setdefault(parent, []).append(node)
    found: set[Node] = set()
    for node in sorted(reached, key=lambda one: one.place):
        if node not in found and _is_target(node, reached, text):
            found |= _held_against(node, children, reached)
    return found


def is_tried(steps: Iterable[Node], reached: set[Node], roots: Sequence[Node]) -> bool:
    """Whether steps come of parameters that were moved at random.

    No cost has such a slope: so evolution strategies learn.
    """
    return any(
        node.name in ("add", "subtract")
        and any(one in roots for one in node.parents)
        and any(_is_random(one, node) for one in node.parents if one not in reached)
        for node in ancestors(steps)
    )


def _is_random(noise: Node, moved: Node) -> bool:
    """Whether random numbers, or a part of them times a number, move a parameter."""
    shape = noise.value.shape
    while noise.parents and noise.name in (*MOVING, "multiply", "negative"):
        noise = noise.parents[0]
    return noise.name == "random" and shape == moved.value.shape


def _is_target(node: Node, reached: set[Node], text: Callable[[Line], str]) -> bool:
    """Whether something is a number for each sample: data, and outputs times a discount."""
    if (
        node.name != "add"
        or len(node.args) != 2
        or node.value.size != max(node.value.shape, default=1)
    ):
        return False
    for reward, share in (node.args, node.args[::-1]):
        if not _of(share, reached) or _of(reward, reached):
            continue
        is_data = isinstance(reward, Node) and reward.value.size == node.value.size
        is_called = node.line is not None and _CALLED.search(text(node.line))
        if is_called or (is_data and share.name == "multiply" and _discounts(share, reached)):
            return True
    return False


def _of(item: Any, reached: set[Node]) -> bool:
    return isinstance(item, Node) and item in reached


def _discounts(share: Node, reached: set[Node]) -> bool:
    """Whether outputs are multiplied by what lies between 0 and 1 alone."""
    others = [one for one in share.args if not _of(one, reached)]
    values = [np.asarray(one.value if isinstance(one, Node) else one) for one in others]
    return len(others) == 1 and bool(np.all((values[0] >= 0) & (values[0] <= 1)))


def _held_against(target: Node, children: dict[Node, list[Node]], reached: set[Node]) -> set[Node]:
    """Return a target and all that holds it; nothing where it is used in any other way."""
    stack, found, met = [target], set[Node](), False
    while stack:
        node = stack.pop()
        if node in found:
            continue
        found.add(node)
        for child in children.get(node, ()):
            others = [one for one in child.args if one is not node and _of(one, reached)]
            if child.name in (*MOVING, "where") or (
                child.name in ("add", "multiply") and not others
            ):
                stack.append(child)
            elif child.name == "subtract" and others:
                met = True
            elif child.name not in _SHOWN:
                return set()
    return found if met else set()

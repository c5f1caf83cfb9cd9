"""Where outputs meet their targets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.tape import Node

_NEAR = 30  # nodes behind an array, among which what it is made of is looked for


@dataclass(frozen=True)
class Meeting:
    """A place where an output meets its target.

    Parameters
    ----------
    output : Node
    target : ndarray
        Of the output's shape.
    at : Node
        The node that is computed of both.
    """

    output: Node
    target: Array
    at: Node


def meetings(nodes: Sequence[Node], reached: set[Node]) -> list[Meeting]:
    """Find where outputs are held against what was not computed from parameters.

    Parameters
    ----------
    nodes : sequence of Node
        In the order of the tape.
    reached : set of Node
        All that was computed from parameters.
    """
    found = [
        Meeting(output, target, node) for node in nodes for output, target in _met(node, reached)
    ]
    # 1 - a is a part of many derivatives, and no target, unless other targets stand there, too.
    sites: dict[object, list[Meeting]] = {}
    for one in found:
        line = one.at.line
        sites.setdefault(line and (line.file, line.number, line.instruction), []).append(one)
    return [one for some in sites.values() if not all(map(_is_complement, some)) for one in some]


def added(nodes: Sequence[Node], reached: set[Node]) -> list[Meeting]:
    """Find where outputs and what was not computed from parameters are added: ``y + output``.

    A sum that another output is held against is a target: ``r + gamma * max(q)``, say.
    """
    held = {
        one
        for node in nodes
        if node.name == "subtract" and len(node.parents) == 2 and reached.issuperset(node.parents)
        for one in node.parents
    }
    return [
        Meeting(output, other.value.astype(np.float64).reshape(output.value.shape), node)
        for node in nodes
        if node.name == "add" and len(node.args) == 2 and node not in held
        for output, other in (node.args, node.args[::-1])
        if isinstance(output, Node)
        and isinstance(other, Node)
        and output in reached
        and output.is_float
        and other not in reached
        and other.value.size == output.value.size
        and other.value.any()
        and not _recurs(other, node)
    ][-1:]


def _recurs(node: Node, later: Node) -> bool:
    """Whether something comes of what the same line has computed before: momentum, say."""
    stack, seen = [node], set[Node]()
    while stack and len(seen) < _NEAR:
        one = stack.pop()
        if one in seen:
            continue
        seen.add(one)
        if (
            one.line is not None
            and later.line is not None
            and ((one.line.code, one.line.instruction) == (later.line.code, later.line.instruction))
        ):
            return True
        stack.extend(one.parents)
    return False


def _is_complement(meeting: Meeting) -> bool:
    args = meeting.at.args
    return meeting.at.name == "subtract" and type(args[0]) in (int, float) and args[0] == 1


def _met(node: Node, reached: set[Node]) -> Iterator[tuple[Node, Array]]:
    args = node.args
    if node.name in ("subtract", "divide") and len(args) == 2:
        for output, target in ((args[0], args[1]), (args[1], args[0])):
            if not (isinstance(output, Node) and output in reached and output.is_float):
                continue
            if not isinstance(target, Node):
                if node.name == "subtract" and output.value.size == 1 and np.isscalar(target):
                    yield output, np.full(output.value.shape, float(target))  # type: ignore[arg-type]
                continue
            if target in reached:
                continue
            values = target.value
            if values.shape == output.value.shape:
                if node.name == "subtract" or values.min() != values.max():
                    yield output, values.astype(np.float64)
            elif node.name == "subtract" and values.size == output.value.size:
                yield output, values.astype(np.float64).reshape(output.value.shape)
    elif node.name in ("setitem", "subtract.at") and args and isinstance(args[0], Node):
        output = args[0]
        if output not in reached or not output.is_float:
            return
        less = output.value - node.value
        ones = np.isclose(less, 1)
        if ones.any() and np.all(ones | (less == 0)):  # p[range(m), y] -= 1
            yield output, ones.astype(np.float64)
    elif node.name == "getitem" and isinstance(args[0], Node) and args[0] in reached:
        output = args[0]
        index = args[1] if len(args) == 2 else None
        each = index if isinstance(index, tuple) else ()
        one_each = len(each) == 2 and not any(isinstance(one, slice) for one in each)
        if output.value.ndim == 2 and one_each:
            target = np.zeros(output.value.shape)
            target[tuple(one.value if isinstance(one, Node) else one for one in each)] = 1
            if node.value.ndim == 1 and target.sum() == node.value.size in output.value.shape:
                yield output, target  # the probability of each sample's class

"""The lines of faults in what is written where: copies that are none, other entries, old sums."""

import ast
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from clearprop.gradcheck.seeing.judging.judgement import Judgement
from clearprop.gradcheck.seeing.judging.scope import is_name
from clearprop.gradcheck.seeing.judging.source import Edit, Source, over
from clearprop.gradcheck.seeing.judging.steps import summands
from clearprop.gradcheck.seeing.judging.updates import Update
from clearprop.gradcheck.seeing.operations import MOVING
from clearprop.gradcheck.seeing.tape import Line, Node, filled

_SUMS = ("add", "subtract")
_BY_ENTRY = (*_SUMS, "divide", "multiply", "negative")


Told: TypeAlias = tuple[str, int, str, Edit | None]
"""The file and number of a line, a sentence, and what to change."""


def find_written(
    judgements: Sequence[Judgement], source: Source, nodes: Sequence[Node]
) -> Told | None:
    """Find a line that writes where it should not, or adds to what should have been set to 0."""
    finds = (_no_copy, _other_entry, _carried)
    return next(
        (one for find in finds for each in judgements for one in find(each, source, nodes)), None
    )


def _no_copy(judgement: Judgement, source: Source, nodes: Sequence[Node]) -> Iterator[Told]:
    """Yield the lines that give a parameter another name, by which it is written into.

    ``new = theta``, and then ``new[j] = theta[j] - step``, or ``new[0] = 0`` before new is used.
    """
    known = {_base(one): one.place for one in judgement.episode.roots}
    for node in nodes:
        line = node.line
        statement = None if line is None or node.name != "setitem" else source.statement(line)
        if line is None or not isinstance(statement, ast.Assign):
            continue
        target = statement.targets[0]
        name = target.value if isinstance(target, ast.Subscript) else None
        if not isinstance(name, ast.Name) or not isinstance(target, ast.Subscript):
            continue
        other = _alias(source, line, name.id)
        if other is None or node.place <= known.get(_base(node.args[0]), node.place):
            continue
        again = node.args[0].name == "setitem"
        stepped = again and _is_step_of(statement.value, ast.unparse(other), target.slice)
        if stepped or _sets_zero(statement, target.slice):
            said = f"{name.id} is {ast.unparse(other)} itself, and no copy"
            why = f"Here {said}: line {line.number} changes both."
            yield line.file, other.lineno, why, over(other, f"{ast.unparse(other)}.copy()")


def _alias(source: Source, line: Line, name: str) -> ast.expr | None:
    """Return what a name of a function is another name of, wherever it is assigned to."""
    values = [
        one.value
        for one in source.within(line)
        if isinstance(one, ast.Assign)
        and any(isinstance(to, ast.Name) and to.id == name for to in one.targets)
    ]
    same = [one for one in values if is_name(one) and one.lineno < line.number]
    return same[0] if len(same) == len(values) == 1 else None


def _base(node: Node) -> Node:
    """Return the array that another one is a look into, or was by what was written into it."""
    while node.name in MOVING and node.args and isinstance(node.args[0], Node):
        node = node.args[0]
    return node


def _is_step_of(value: ast.expr, name: str, index: ast.expr) -> bool:
    """Whether a value is the entry of the same place in another array, and a step."""
    before = value.left if isinstance(value, ast.BinOp) else None
    return (
        isinstance(before, ast.Subscript)
        and ast.unparse(before.value) == name
        and ast.unparse(before.slice) == ast.unparse(index)
    )


def _sets_zero(statement: ast.Assign, index: ast.expr) -> bool:
    is_zero = isinstance(statement.value, ast.Constant) and statement.value.value in (0, 0.0)
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    plain = all(isinstance(one, ast.Constant | ast.Slice) for one in parts)
    return is_zero and plain and any(isinstance(one, ast.Constant) for one in parts)


def _other_entry(judgement: Judgement, source: Source, nodes: Sequence[Node]) -> Iterator[Told]:
    """Yield the lines that take a step from one entry of a parameter, and give it to another."""
    takers: dict[Node, list[Node]] = {}
    for node in nodes:
        for parent in node.parents:
            takers.setdefault(parent, []).append(node)
    moved, stayed = list[Update](), False
    for update in judgement.episode.updates:
        given = _given_to(update, takers)
        if given is not None and update.before.value.size == 1 < update.root.value.size:
            own = int(update.places().ravel()[0])
            stayed = stayed or own == given
            moved += [update] if own != given else []
    for update in moved if stayed else ():
        for line in update.result.lines[:1]:
            taken = source.name(update.before)
            yield line.file, line.number, f"It takes {taken}, and changes another entry.", None


def _given_to(update: Update, takers: dict[Node, list[Node]]) -> int | None:
    """Return the place in the parameter where the result of a step goes, in C order."""
    node = update.result
    while len(later := takers.get(node, [])) == 1:
        taker = later[0]
        size = update.root.value.size
        if taker.name == "setitem" and taker.args[0] is not node and taker.value.size == size:
            places: Any = np.arange(size).reshape(taker.value.shape)
            where = np.ravel(places[filled(taker.args[1], lambda one: one.value)])
            return int(where[0]) if where.size == 1 else None
        if taker.name not in MOVING or taker.value.size > 1:
            return None
        node = taker
    return None


def _carried(judgement: Judgement, source: Source, nodes: Sequence[Node]) -> Iterator[Told]:
    """Yield the lines that add a gradient to those of earlier rounds, which nothing makes less."""
    updates = judgement.episode.updates
    inner = {one for update in updates for one in summands(update.step, judgement.reached)}
    sites = {_site(one) for one in inner if one.name in _SUMS}
    ends = {_site(update.result) for update in updates} - sites
    steps = [node for node in nodes if node.name in _SUMS and _site(node) in ends]
    places, taken = [node.place for node in steps], _taken(steps)
    for node in nodes:
        line = node.line
        before = node.args[0] if line is not None and _site(node) in sites else None
        if not isinstance(before, Node) or not before.value.any() or node not in taken:
            continue
        if _takes_away(node.args[1]):
            continue
        while before.name in MOVING and before.name != "setitem" and before.parents:
            before = before.parents[0]
        between = any(before.place < place < node.place for place in places)
        if between and line is not None and _site(before) == _site(node):
            why = f"It adds to what {source.name(node)} was in the round before"
            yield line.file, line.number, f"{why}: nothing sets it to 0.", None


def _taken(steps: Sequence[Node]) -> set[Node]:
    """Return what steps are made of, entry by entry."""
    stack, found = list(steps), set[Node]()
    while stack:
        node = stack.pop()
        for one in node.parents:
            if one not in found and one.name in (*_BY_ENTRY, *MOVING) and one not in steps:
                found.add(one)
                stack.append(one)
    return found


def _takes_away(item: Any) -> bool:
    """Whether something that was computed, or kept, is taken away in a sum."""
    stack = [item]
    while stack:
        node = stack.pop()
        if not isinstance(node, Node) or node.value.size < getattr(item, "value", node.value).size:
            continue
        if node.name == "subtract" and isinstance(node.args[1], Node) and node.args[1].parents:
            return True
        stack += node.args if node.name in (*_BY_ENTRY, "getitem") else ()
    return False


def _site(node: Node) -> object:
    line = node.line
    return line and (line.code, line.instruction, node.name)

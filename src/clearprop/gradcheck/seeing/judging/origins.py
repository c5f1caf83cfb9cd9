"""The lines of faults that are no wrong gradient: shapes, and steps without a gradient."""

import ast
import re
from collections.abc import Iterator, Sequence

import numpy as np

from clearprop.gradcheck.seeing.judging.judgement import Judgement
from clearprop.gradcheck.seeing.judging.scope import is_name
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.judging.written import find_written
from clearprop.gradcheck.seeing.running.notes import Failure
from clearprop.gradcheck.seeing.tape import Line, Node

_OF_PRODUCTS = re.compile(r"not aligned|core dimension")
_SUMS = ("sum", "mean", "add.reduce")
_PRODUCTS = ("dot", "matmul", "outer", "einsum")
_BROADCAST = ("add", "subtract", "multiply", "divide")
_LATE = 1000  # nodes before a failure, of which one may be what does not fit


def tell_failed(
    failed: Failure, source: Source, nodes: Sequence[Node], told: list[str]
) -> dict[str, object]:
    """Tell the line that a failing one takes its shape from, or itself, and return it.

    Parameters
    ----------
    failed : Failure
    source : Source
    nodes : sequence of Node
        All that was computed.
    told : list of str
        What is told is added.
    """
    file, number, made = failed.file, failed.number, origin(source, failed, nodes)
    if made is not None and (made.file, made.number) != (file, number):
        file, number = made.file, made.number
        name = next(_targets(source, made), "what does not fit")
        elsewhere = "" if file == failed.file else source.whose(file) or f" of {file}"
        told.append(f"The shape of {name} comes from line {number}{elsewhere}.")
    return _told(source, file, number, told)


def tell_failing(
    failed: Failure, source: Source, nodes: Sequence[Node], told: list[str]
) -> dict[str, object]:
    """Tell the same of a line that failed where a training went on."""
    where = f"line {failed.number}{source.whose(failed.file)}"
    told.append(f"But {where} fails where training goes on: {failed.text}")
    return tell_failed(failed, source, nodes, told)


def _told(source: Source, file: str, number: int, told: list[str]) -> dict[str, object]:
    text = source.row(file, number)
    told += ["", f"  line {number}:  {text}"]
    return {"file": file, "number": number, "text": text, "instead": None}


def origin(source: Source, failed: Failure, nodes: Sequence[Node]) -> Line | None:
    """Return the line that makes the shape that a failing one can't take; None if it is unknown.

    A bias whose gradient has the wrong shape fails where it is updated, and is wrong where it is
    summed; weights whose gradient is transposed where that is multiplied; a slice that runs past
    the end is empty.

    Parameters
    ----------
    source : Source
    failed : Failure
    nodes : sequence of Node
        All that was computed, of which that is looked at whose shape did not fit.
    """
    known = _made(failed, nodes)
    if known is not None:
        return known
    lines = {
        (node.line.file, node.line.number): node.line
        for node in nodes
        if node.name in _SUMS and node.line is not None and _misfits(node, failed.text)
    }
    taken = {
        ast.unparse(one)
        for one in source.nodes(failed.file)
        if isinstance(one, ast.Name | ast.Attribute | ast.Subscript)
        and isinstance(one.ctx, ast.Load)
        and one.lineno == failed.number
    }
    named = {at: one for at, one in lines.items() if taken & set(_targets(source, one))}
    found = named or lines
    return next(iter(found.values())) if len(found) == 1 else None


def _made(failed: Failure, nodes: Sequence[Node]) -> Line | None:
    """Return the line that made what a failing line has computed last, and could not take."""
    at = failed.file, failed.number
    late = nodes[-_LATE:]
    shapes = _shapes(failed.text)
    if len(shapes) == 2 and shapes[0] == shapes[1][::-1] != shapes[1]:  # one of them is turned
        turned = (one for one in reversed(late) if one.name in _PRODUCTS)
        return next((one.line for one in turned if one.value.shape in shapes), None)
    misfits = [one for one in reversed(late) if _misfits(one, failed.text)]
    empty = next((one for one in misfits if 0 in one.value.shape), None)
    own = (one for one in misfits if one.line and (one.line.file, one.line.number) == at)
    # What a product can't take says nothing of which of the two is wrong, or turned.
    node = next(own, None) if empty is None and not _OF_PRODUCTS.search(failed.text) else empty
    if node is None and "non-broadcastable" in failed.text:
        node = next(iter(misfits), None)
    return None if node is None else _first_of_shape(node)


def _first_of_shape(node: Node) -> Line | None:
    """Return the line that gave an array its shape: by a sum, a product, a slice, or two shapes."""
    while True:
        before = next((one for one in node.parents if 0 in one.value.shape), None)
        if 0 in node.value.shape and before is None:  # a slice that ends before it begins
            return node.line
        if before is None and node.name in (*_SUMS, *_PRODUCTS):
            return node.line
        same = next((one for one in node.parents if one.value.shape == node.value.shape), None)
        if before is None and same is None:
            return node.line if node.name in _BROADCAST and len(node.parents) == 2 else None
        node = before or same or node


def _targets(source: Source, line: Line) -> Iterator[str]:
    statement = source.statement(line)
    if isinstance(statement, ast.Assign):
        yield from map(ast.unparse, statement.targets)


def _shapes(text: str) -> list[tuple[int, ...]]:
    """Return the shapes that an error speaks of."""
    return [
        tuple(int(size) for size in re.findall(r"\d+", one))
        for one in re.findall(r"\((\d+,(?: ?\d+,?)*)\)", text)
    ]


def _misfits(node: Node, text: str) -> bool:
    """Whether an array has the shape that an error speaks of, and of no parameter."""
    shapes, own = _shapes(text), node.value.shape
    if "non-broadcastable" in text and len(shapes) == 2:
        parameter, wide = shapes
        try:
            return own != parameter and np.broadcast_shapes(own, parameter) == wide
        except ValueError:
            return False
    if len(shapes) == 3:
        return own in shapes[:2] and own != shapes[2]
    return len(shapes) == 2 and (own == shapes[1] or (own == shapes[0] and 0 in own))


def tell_grown(
    judgements: Sequence[Judgement], source: Source, told: list[str]
) -> dict[str, object] | None:
    """Tell the line by which the first step makes another shape of a parameter, and return it.

    A gradient of shape (4,) that is taken from a column of 4 makes a matrix of it.
    """
    for judgement in judgements:
        for update in judgement.episode.updates:
            old, new = update.root.value.shape, update.result.value.shape
            own = update.result.line
            if update.before is not update.root or own is None or np.prod(old) == np.prod(new):
                continue
            line = _first_of_shape(update.step) or own
            name, told_of = source.name(update.result), f"line {own.number}{source.whose(own.file)}"
            told.append(f"But {told_of} makes an array of shape {new} of {name}, which was {old}.")
            return _told(source, line.file, line.number, told)
    return None


def tell_written(
    judgements: Sequence[Judgement],
    source: Source,
    nodes: Sequence[Node],
    told: list[str],
) -> dict[str, object] | None:
    """Tell a line that writes where it should not, or adds to an old sum, and return it."""
    found = find_written(judgements, source, nodes)
    if found is None:
        return None
    file, number, why, edit = found
    where = f"line {number}{source.whose(file)} is wrong. {why}"
    told.append(f"But {where}" if told else f"L{where[1:]}")
    line = _told(source, file, number, told)
    edited = None if edit is None else source.edited(file, (edit,))
    if edited is not None:
        told.append(f"  change to:  {edited[2]}")
        line["instead"] = edited[2]
    return line


def tell_idle(
    judgements: Sequence[Judgement], source: Source, nodes: Sequence[Node], told: list[str]
) -> dict[str, object] | None:
    """Tell a line by which a parameter takes steps that are no gradient, and return it.

    ``W -= rate``, say, in the function or loop in which the others learn.
    """
    for judgement in judgements:
        for line in _idle(judgement, source, nodes):
            where = f"line {line.number}{source.whose(line.file)}"
            told.append(f"But {where} changes it, by no gradient.")
            return _told(source, line.file, line.number, told)
    return None


def _idle(judgement: Judgement, source: Source, nodes: Sequence[Node]) -> Iterator[Line]:
    blocks = set[tuple[str, int, int]]()
    for update in judgement.episode.updates:
        for own in update.result.lines[:1]:
            blocks.add((own.file, *source.block(own.file, own.number)))
    for node in nodes:
        line = node.line
        if node.name not in ("add", "subtract") or line is None or not _is_step(source, line):
            continue
        inside = any(
            file == line.file and first <= line.number <= last for file, first, last in blocks
        )
        if inside and not any(one.value.size > 1 for one in node.parents[1:]):
            root = node
            while root not in judgement.forgotten and root.parents:
                root = root.parents[0]
            if root in judgement.forgotten:
                yield line


def _is_step(source: Source, line: Line) -> bool:
    """Whether a line gives a name what it had, and more or less."""
    statement = source.statement(line)
    if isinstance(statement, ast.AugAssign):
        return isinstance(statement.op, ast.Add | ast.Sub) and is_name(statement.target)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.BinOp):
        return False
    return [ast.unparse(one) for one in statement.targets] == [ast.unparse(statement.value.left)]

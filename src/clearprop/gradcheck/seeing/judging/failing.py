"""Lines that fail for the shapes of their arrays where a training goes on."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from clearprop.gradcheck.seeing.calling.roles import BACKWARD
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.judging.updates import Update
from clearprop.gradcheck.seeing.running.notes import Failure
from clearprop.gradcheck.seeing.tape import Line, Node

_OF_SHAPES = re.compile(
    r"^(ValueError|IndexError)\b.*\b(shape|broadcast|align|dimension|size|axis)"
)
"""Errors that arrays of the wrong shape make."""

_OF_PRODUCTS = re.compile(r"not aligned|core dimension")
_SUMS = ("sum", "mean", "add.reduce")
_OTHER_DATA = re.compile(r"stand in for|are made smaller|are used\.|was answered with")
"""Notes on a run whose data, or answers, are not those that the code would have."""


def failing(
    source: Source,
    updates: Iterable[Update],
    failures: Sequence[Failure],
    notes: Iterable[str] = (),
) -> Failure | None:
    """Return a line that failed for its shapes in a function or loop that updates, if any.

    Parameters
    ----------
    source : Source
    updates : iterable of Update
        Those of the trainings that were judged.
    failures : sequence of Failure
    notes : iterable of str
        What was said of the run: with data that stand in for others, a line may fail for the data.
    """
    lines = [line for update in updates for line in update.result.lines[:1]]
    given = any("stand in for" in note for note in notes)
    for one in failures:
        if not _OF_SHAPES.search(one.text):
            continue
        if given and not (_OF_PRODUCTS.search(one.text) or "non-broadcastable" in one.text):
            continue
        first, last = source.block(one.file, one.number)
        if any(line.file == one.file and first <= line.number <= last for line in lines):
            return one
    return None


def failing_back(
    source: Source, failures: Sequence[Failure], notes: Iterable[str]
) -> Failure | None:
    """Return a line that failed for its shapes in code that goes back, before any update was seen.

    With data that stand in for others, or are fewer than the code's own, it may be for the data,
    but for a product in a function that goes back, after a forward pass that took them.

    Parameters
    ----------
    source : Source
    failures : sequence of Failure
    notes : iterable of str
        What was said of the run.
    """
    others = any(_OTHER_DATA.search(note) for note in notes)
    for one in failures:
        if not _OF_SHAPES.search(one.text) or (others and not _OF_PRODUCTS.search(one.text)):
            continue
        if _goes_back(source, one, by_name=others):
            return one
    return None


def _goes_back(source: Source, failed: Failure, *, by_name: bool) -> bool:
    """Whether a line stands in a function, or a loop, that computes gradients or takes steps."""
    first, last = source.block(failed.file, failed.number)
    inside = [
        one
        for one in source.nodes(failed.file)
        if isinstance(one, ast.stmt) and first <= one.lineno <= last
    ]
    names = [one.name for one in inside if isinstance(one, ast.FunctionDef)]
    steps = [
        one
        for one in inside
        if isinstance(one, ast.AugAssign) and isinstance(one.op, ast.Sub | ast.Add)
    ]
    products = any(
        isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult)
        for one in steps
        for part in ast.walk(one.value)
    )
    return (products and not by_name) or any(map(BACKWARD.search, names))


def failure(told: str | None) -> list[Failure]:
    """Return the failure that a sentence on a call tells, in a list; an empty one if it is none."""
    parts = re.match(r"(.*), line (\d+): (.*)", told or "")
    return [] if parts is None else [Failure(parts[1], int(parts[2]), parts[3])]


def origin(source: Source, failed: Failure, nodes: Sequence[Node]) -> Line | None:
    """Return the line that sums up what a failing line takes; None where several may, or none.

    A bias whose gradient has the wrong shape fails where it is updated, and is wrong where it is
    summed.

    Parameters
    ----------
    source : Source
    failed : Failure
    nodes : sequence of Node
        All that was computed, of which sums are looked at whose shape did not fit.
    """
    known = _summed(failed, nodes)
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


def _summed(failed: Failure, nodes: Sequence[Node]) -> Line | None:
    """Return the line that sums up the last thing that a failing line has computed."""
    at = failed.file, failed.number
    node = next(
        (
            one
            for one in reversed(nodes)
            if one.line is not None
            and (one.line.file, one.line.number) == at
            and _misfits(one, failed.text)
        ),
        None,
    )
    while node is not None and node.name not in _SUMS:
        node = next((one for one in node.parents if one.value.shape == node.value.shape), None)
    return None if node is None else node.line


def _targets(source: Source, line: Line) -> Iterator[str]:
    statement = source.statement(line)
    if isinstance(statement, ast.Assign):
        yield from map(ast.unparse, statement.targets)


def _misfits(node: Node, text: str) -> bool:
    """Whether an array has the shape that an error speaks of, and of no parameter."""
    shapes = [
        tuple(int(size) for size in re.findall(r"\d+", one))
        for one in re.findall(r"\((\d+,(?: ?\d+,?)*)\)", text)
    ]
    own = node.value.shape
    if "non-broadcastable" in text and len(shapes) == 2:
        parameter, wide = shapes
        try:
            return own != parameter and np.broadcast_shapes(own, parameter) == wide
        except ValueError:
            return False
    if len(shapes) == 3:
        return own in shapes[:2] and own != shapes[2]
    return len(shapes) == 2 and own == shapes[1]


def tell(
    failed: Failure, source: Source, nodes: Sequence[Node], told: list[str]
) -> dict[str, object]:
    """Tell a line that failed where a training went on; return it, or the one that it comes of.

    Parameters
    ----------
    failed : Failure
    source : Source
    nodes : sequence of Node
        All that was computed.
    told : list of str
        What is told is added.
    """
    where = f"line {failed.number}{source.whose(failed.file)}"
    told.append(f"But {where} fails where training goes on: {failed.text}")
    return tell_origin(failed, source, nodes, told)


def tell_origin(
    failed: Failure, source: Source, nodes: Sequence[Node], told: list[str]
) -> dict[str, object]:
    """Tell the line that a failing one takes its shape from, or itself, and return it."""
    file, number, made = failed.file, failed.number, origin(source, failed, nodes)
    if made is not None:
        file, number = made.file, made.number
        name = next(_targets(source, made), "what does not fit")
        elsewhere = "" if file == failed.file else source.whose(file) or f" of {file}"
        told.append(f"The shape of {name} comes from line {number}{elsewhere}.")
    text = source.row(file, number)
    told += ["", f"  line {number}:  {text}"]
    return {"file": file, "number": number, "text": text, "instead": None}

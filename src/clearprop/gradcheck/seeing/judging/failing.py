"""Lines that fail for the shapes of their arrays where a training goes on."""

import ast
import re
from collections.abc import Iterable, Sequence

from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.judging.updates import Update
from clearprop.gradcheck.seeing.running.notes import Failure

_OF_SHAPES = re.compile(r"^(ValueError|IndexError)\b.*(shape|broadcast|align|dimension|size|axis)")
"""Errors that arrays of the wrong shape make."""


def failing(
    source: Source, updates: Iterable[Update], failures: Sequence[Failure]
) -> Failure | None:
    """Return a line that failed for its shapes in a function or loop that updates, if any.

    Parameters
    ----------
    source : Source
    updates : iterable of Update
        Those of the trainings that were judged.
    failures : sequence of Failure
    """
    lines = [line for update in updates for line in update.result.lines]
    for one in failures:
        if not _OF_SHAPES.search(one.text):
            continue
        first, last = source.block(one.file, one.number)
        if any(line.file == one.file and first <= line.number <= last for line in lines):
            return one
    return None


def failure(told: str | None) -> list[Failure]:
    """Return the failure that a sentence on a call tells, in a list; an empty one if it is none."""
    parts = re.match(r"(.*), line (\d+): (.*)", told or "")
    return [] if parts is None else [Failure(parts[1], int(parts[2]), parts[3])]


def origin(source: Source, failed: Failure) -> tuple[int, str] | None:
    """Return the line that sums up what a failing line takes, and its name there.

    A bias whose gradient has the wrong shape fails where it is updated, and is wrong where it is
    summed. Where several lines may be meant, or none, there is none.
    """
    first, last = failed.number, failed.number
    taken = {
        ast.unparse(one)
        for one in source.nodes(failed.file)
        if isinstance(one, ast.Name | ast.Attribute | ast.Subscript)
        and isinstance(one.ctx, ast.Load)
        and first <= one.lineno <= last
    }
    found = {
        (one.lineno, ast.unparse(target))
        for one in source.nodes(failed.file)
        if isinstance(one, ast.Assign) and _sums(one.value)
        for target in one.targets
        if ast.unparse(target) in taken
    }
    return found.pop() if len(found) == 1 else None


def _sums(value: ast.expr) -> bool:
    calls = (one.func for one in ast.walk(value) if isinstance(one, ast.Call))
    return any(isinstance(one, ast.Attribute) and one.attr in ("sum", "mean") for one in calls)

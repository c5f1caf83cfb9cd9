"""Lines that fail for the shapes of their arrays where a training goes on."""

import ast
import re
from collections.abc import Iterable, Sequence

from clearprop.gradcheck.seeing.calling.roles import BACKWARD
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.judging.updates import Update
from clearprop.gradcheck.seeing.running.notes import Failure

_OF_SHAPES = re.compile(
    r"^(ValueError|IndexError)\b.*\b(shape|broadcast|align|dimension|size|axis)"
)
"""Errors that arrays of the wrong shape make."""

_OF_STEPS = re.compile(r"with shapes (?:\([\d,]*\) ?){3}")
"""The error of ``b -= step`` whose step has another size, whatever the data are like."""

_OF_PRODUCTS = re.compile(r"not aligned|core dimension")
_OF_LISTS = re.compile(r"^IndexError: list index out of range")
_OF_CODE = re.compile(
    r"^(NameError|IndexError|KeyError)\b|inhomogeneous|only integer scalar arrays"
    r"|^(?!.*Watched)(TypeError|AttributeError): .* object (is not subscript|has no attrib)"
)
"""Errors that data which are the code's own don't excuse."""

_TRIES = re.compile(r"^_*(test|try|demo|check)(_|$)|_(test|demo|check)$", re.I)
"""Names of functions that call a backward pass, and are none."""

_DERIVATIVE = re.compile(
    r"grad|deriv|delta|prime|slope|back|\bd_?(?!ot\b)[A-Za-z]\w?\b|error", re.I
)
"""Words of lines that go back."""

_PRODUCTS = ("dot", "matmul", "outer", "multiply", "einsum")
_SUMS = ("sum", "mean", "add.reduce")
_OTHER_DATA = re.compile(r"stand in for|stand-in|are made smaller|are used\.|was answered with")
"""Notes on a run whose data, libraries or answers are not those that the code would have."""


def failing(
    source: Source,
    updates: Iterable[Update],
    failures: Sequence[Failure],
    notes: Iterable[str] = (),
) -> Failure | None:
    """Return a line that failed for its shapes in a function or loop that updates, or goes back.

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
    notes = list(notes)
    given = any("stand in for" in note for note in notes)
    own = not any(_OTHER_DATA.search(note) for note in notes)
    for one in failures:
        if not _OF_SHAPES.search(one.text):
            continue
        if given and not (_OF_PRODUCTS.search(one.text) or "non-broadcastable" in one.text):
            continue
        of_data = given or one.text.startswith("IndexError")
        if of_data and not _is_of_the_way_back(source, one):
            continue  # a product with the data themselves, or a row that they don't have
        first, last = source.block(one.file, one.number)
        if any(line.file == one.file and first <= line.number <= last for line in lines):
            return one
        if own and _goes_back(source, one, by_name=True):
            return one
    return None


def failing_back(
    source: Source, failures: Sequence[Failure], notes: Iterable[str]
) -> Failure | None:
    """Return a line that failed in code that goes back, before any update was seen.

    With data that stand in for others, or are fewer than the code's own, it may be for the data,
    but for a name that is bound nowhere, and for a product, or a list that is too short, in a
    function that goes back, after a forward pass that took them.

    Parameters
    ----------
    source : Source
    failures : sequence of Failure
    notes : iterable of str
        What was said of the run.
    """
    others = any(_OTHER_DATA.search(note) for note in notes)
    for number, one in enumerate(failures):
        first = number == 0  # what fails later may fail for what an earlier failure has left out
        if _is_unbound(source, one) or (first and one.text.startswith("UnboundLocalError")):
            by_name = False
        elif others:
            by_name = not (_OF_STEPS.search(one.text) and _steps_at(source, one))
            known = _OF_PRODUCTS.search(one.text) or _OF_LISTS.search(one.text)
            if not known and not (_OF_SHAPES.search(one.text) and _steps_at(source, one)):
                continue
        elif _OF_SHAPES.search(one.text) or (first and _OF_CODE.search(one.text)):
            by_name = False
        else:
            continue
        of_code = not _OF_SHAPES.search(one.text) and not _OF_LISTS.search(one.text)
        if of_code and not by_name:  # in a loop that trains, a line of the forward pass may fail so
            by_name = not _is_of_the_way_back(source, one)
        if _goes_back(source, one, by_name=by_name):
            return one
    return None


def _is_of_the_way_back(source: Source, failed: Failure) -> bool:
    """Whether a line is a step, takes a difference, as to a target, or names a derivative."""
    return any(
        isinstance(one, ast.stmt)
        and one.lineno == failed.number
        and (_is_step(one) or _is_difference(one) or _DERIVATIVE.search(ast.unparse(one)))
        for one in source.nodes(failed.file)
    )


def _is_difference(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    return isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub)


def _is_unbound(source: Source, failed: Failure) -> bool:
    """Whether a line failed for a name that nothing in its file, or notebook, can have given."""
    name = re.match(r"NameError: name '(\w+)'", failed.text)
    bound = set[str]()
    notebook = failed.file.rpartition(", cell ")[0]
    cells = [one for one in source.files if notebook and one.startswith(f"{notebook}, cell ")]
    for one in (node for file in cells or [failed.file] for node in source.nodes(file)):
        if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            bound.add(one.id)
        elif isinstance(one, ast.FunctionDef | ast.ClassDef):
            bound.add(one.name)
        elif isinstance(one, ast.alias):
            bound.update((one.asname or one.name, "*" if one.name == "*" else ""))
        elif isinstance(one, ast.arg):
            bound.add(one.arg)
    return name is not None and name[1] not in bound and "*" not in bound


def _goes_back(source: Source, failed: Failure, *, by_name: bool) -> bool:
    """Whether a line stands in a function, or a loop, that computes gradients or takes steps."""
    first, last = source.block(failed.file, failed.number)
    inside = [
        one
        for one in source.nodes(failed.file)
        if isinstance(one, ast.stmt) and first <= one.lineno <= last
    ]
    names = [one.name for one in inside if isinstance(one, ast.FunctionDef)]
    names = [name for name in names if not _TRIES.search(name)]
    return (not by_name and any(map(_is_step, inside))) or any(map(BACKWARD.search, names))


def _steps_at(source: Source, failed: Failure) -> bool:
    """Whether a line is a step, in which no data meet a parameter, but gradients."""
    return any(
        isinstance(one, ast.stmt) and one.lineno == failed.number and _is_step(one)
        for one in source.nodes(failed.file)
    )


def _is_step(statement: ast.stmt) -> bool:
    """Whether something becomes itself and a product: a sum of gradients, or an update."""
    value: ast.expr | None = None
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Sub | ast.Add):
        value = statement.value
    elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.BinOp):
        whole = statement.value
        name = ast.unparse(statement.targets[0])
        itself = any(
            isinstance(one, ast.expr) and ast.unparse(one) == name for one in ast.walk(whole.left)
        )
        if isinstance(whole.op, ast.Sub | ast.Add) and itself:
            value = whole
    return value is not None and any(map(_is_product, ast.walk(value)))


def _is_product(part: ast.AST) -> bool:
    if isinstance(part, ast.BinOp):
        return isinstance(part.op, ast.Mult | ast.MatMult)
    name = (
        part.func.attr
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)
        else ""
    )
    return name in _PRODUCTS


def failure(told: str | None) -> list[Failure]:
    """Return the failure that a sentence on a call tells, in a list; an empty one if it is none."""
    parts = re.match(r"(.*), line (\d+): (.*)", told or "")
    return [] if parts is None else [Failure(parts[1], int(parts[2]), parts[3])]

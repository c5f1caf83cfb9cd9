"""Functions that give the derivative of an activation, and give another one than they should."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.judging.changes import Change, args_of, several
from clearprop.gradcheck.seeing.judging.omissions import Form, forms
from clearprop.gradcheck.seeing.judging.rewriting import Bench, Make, Site, ValueOf
from clearprop.gradcheck.seeing.judging.source import Source, over
from clearprop.gradcheck.seeing.tape import Line, Node

_SLOPE_NAME = re.compile(r"deriv|prime|grad|slope|(?-i:^d[_A-Z])|_d$|d_?(sig|tanh|relu)", re.I)
_NEAR = 40  # nodes of a call among which what it was given is looked for


@dataclass
class _Returned:
    """What a return statement gave on the way back, all times that it ran."""

    file: str
    value: ast.expr
    parameter: str
    given: dict[Node, Node] = field(default_factory=dict)
    """Of what was computed there: what it was computed of."""
    taken: dict[Node, int] = field(default_factory=dict)
    """Of the products that take what was given back unchanged: the place of that factor."""


def functions(
    bench: Bench, source: Source, numbers: Sequence[float]
) -> Iterator[tuple[Site, Change]]:
    """Yield other derivatives as what a function returns, wherever it was called."""
    for one in _returned(bench, source):
        nodes = tuple(sorted({*one.given, *one.taken}, key=lambda node: node.place))
        for form, words in forms(one.parameter, numbers):
            edits = several(over(one.value, words))
            at = one.file, one.value.lineno
            why = f"The derivative that belongs here is {words}."
            yield Site(nodes), Change("other_activation", _made(one, form), edits, why, at)


def _made(one: _Returned, form: Form) -> Make:
    def make(node: Node, value_of: ValueOf) -> Any:
        if node in one.given:
            return form(np.asarray(value_of(one.given[node])))
        args = args_of(node, value_of)
        place = one.taken[node]
        return args[1 - place] * form(np.asarray(args[place]))

    return make


def _returned(bench: Bench, source: Source) -> list[_Returned]:
    found: dict[tuple[str, int], _Returned] = {}
    forward = bench.trail.forward
    spoiled = set[tuple[str, int]]()
    for node in bench.needed:
        if node.compute is None or not node.is_float:
            continue
        for depth, line in enumerate(node.lines[:-1]):
            statement = source.statement(line)
            value = source.evaluated(line)
            if not isinstance(value, ast.expr) or not _returns(statement, value):
                break
            function = source.function(line)
            argument = _argument(node, node.lines[depth + 1])
            if function is None or argument is None or not _gives_slopes(function):
                continue
            key = line.file, value.lineno
            if node in forward:
                spoiled.add(key)
            parameter = _first(function)
            if parameter is not None:
                one = found.setdefault(key, _Returned(line.file, value, parameter))
                one.given[node] = argument
        if node.name == "multiply" and len(node.args) == 2 and node not in forward:
            for place, function, value, file in _unchanged(node, source):
                parameter = _first(function)
                if parameter is not None:
                    key = file, value.lineno
                    one = found.setdefault(key, _Returned(file, value, parameter))
                    one.taken[node] = place
    return [one for key, one in found.items() if key not in spoiled]


def _returns(statement: ast.stmt | None, value: ast.expr) -> bool:
    return isinstance(statement, ast.Return) and statement.value is value


def _gives_slopes(function: ast.FunctionDef) -> bool:
    """Whether its name says so, or that of an argument: ``sigmoid(x, deriv=True)``."""
    return any(map(_is_slope, (function.name, *(one.arg for one in function.args.args))))


def _is_slope(name: str) -> bool:
    return _SLOPE_NAME.search(name) is not None


def _argument(node: Node, caller: Line) -> Node | None:
    """Return the array of a node's shape that the call was given."""
    stack, seen = list(node.parents), set[Node]()
    found: set[Node] = set()
    while stack and len(seen) < _NEAR:
        one = stack.pop()
        if one in seen:
            continue
        seen.add(one)
        if any(
            (line.code, line.instruction) == (caller.code, caller.instruction) for line in one.lines
        ):
            stack.extend(one.parents)
        elif one.is_float and one.value.shape == node.value.shape:
            found.add(one)
    return found.pop() if len(found) == 1 else None


def _unchanged(node: Node, source: Source) -> Iterator[tuple[int, ast.FunctionDef, ast.expr, str]]:
    """Yield the factors of a product that a function has given back as it took them."""
    evaluated = source.evaluated(node)
    if not isinstance(evaluated, ast.BinOp) or node.line is None:
        return
    for place, text in enumerate((evaluated.left, evaluated.right)):
        if not isinstance(text, ast.Call) or not isinstance(node.args[place], Node):
            continue
        name = text.func.attr if isinstance(text.func, ast.Attribute) else None
        name = text.func.id if isinstance(text.func, ast.Name) else name
        for function in source.named(node.line.file, name or ""):
            if not _gives_slopes(function):
                continue
            parameter = _first(function)
            for statement in ast.walk(function):
                value = statement.value if isinstance(statement, ast.Return) else None
                if isinstance(value, ast.Name) and value.id == parameter:
                    yield place, function, value, node.line.file


def _first(function: ast.FunctionDef) -> str | None:
    names = [one.arg for one in function.args.args if one.arg not in ("self", "cls")]
    return names[0] if names else None

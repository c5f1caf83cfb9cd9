"""What the functions of watched code call their arrays."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TypeAlias

from clearprop.gradcheck.seeing.judging.judgement import Judgement
from clearprop.gradcheck.seeing.judging.source import Source, operands
from clearprop.gradcheck.seeing.tape import Line, Node

_MOST = 25  # names that are tried in the place of another one
_NEAR = 60  # ancestors among which the layer before is looked for
_FIRST = 3  # rounds of every expression in which the layer after is looked for
_CALLERS = 3  # to whose variables what is returned goes

Where: TypeAlias = tuple[str, str]
"""A file, and the function within it."""


@dataclass(frozen=True, slots=True)
class _Use:
    place: int
    """Where on the tape."""
    row: int
    """The number of its line."""
    node: Node


class Scope:
    """The names of arrays, in every function that uses them.

    Parameters
    ----------
    nodes : iterable of Node
        In the order of the tape.
    source : Source
    judgement : Judgement
    """

    def __init__(self, nodes: Iterable[Node], source: Source, judgement: Judgement) -> None:
        self.source, self._reached = source, judgement.reached
        self._layer_of = _layers(judgement)
        self._earlier: dict[Node, Node | None] = {}
        self._uses: dict[Where, dict[str, list[_Use]]] = {}
        self._texts: dict[Where, dict[Node, str]] = {}
        self._sites: dict[object, list[Node]] = {}
        for node in nodes:
            if node.line is None:
                continue
            self._sites.setdefault(_site(node), []).append(node)
            for line, text, used in self._named(node):
                where = _where(line)
                self._uses.setdefault(where, {}).setdefault(text, []).append(
                    _Use(node.place, line.number, used)
                )
                self._texts.setdefault(where, {})[used] = text

    def _named(self, node: Node) -> Iterator[tuple[Line, str, Node]]:
        """Yield what a node and its operands are called."""
        evaluated = self.source.evaluated(node)
        assert node.line is not None  # noqa: S101 - the caller has looked
        for operand, arg in zip(operands(evaluated), node.args, strict=False):
            if isinstance(arg, Node) and is_name(operand):
                yield node.line, ast.unparse(operand), arg
        for line in node.lines[:_CALLERS]:
            value = self.source.evaluated(line)
            statement = self.source.statement(line)
            if isinstance(statement, ast.Return) and statement.value is value:
                continue
            target = assigned(statement, value)
            if target is not None:
                yield line, ast.unparse(target), node
                yield from self._returned(node, line, target)
            return

    def _returned(
        self, node: Node, line: Line, target: ast.expr
    ) -> Iterator[tuple[Line, str, Node]]:
        """Yield what a caller calls one of several arrays that a function returns."""
        place = next((k for k, one in enumerate(node.lines) if one is line), 0) + 1
        caller = node.lines[place] if place < len(node.lines) else None
        statement = None if caller is None else self.source.statement(caller)
        function = self.source.function(line)
        if caller is None or function is None or not isinstance(statement, ast.Assign):
            return
        names = statement.targets[0]
        if isinstance(target, ast.Subscript) and node.name == "setitem":
            target = target.value  # the whole array is written into
        for one in self.source.within(line):
            value = one.value if isinstance(one, ast.Return) else None
            if isinstance(value, ast.Tuple) and isinstance(names, ast.Tuple):
                for own, to in zip(value.elts, names.elts, strict=False):
                    if ast.unparse(own) == ast.unparse(target):
                        yield caller, ast.unparse(to), node

    def text(self, node: Node, line: Line) -> str | None:
        """Return what a function calls a node."""
        return self._texts.get(_where(line), {}).get(node)

    def known(self, line: Line) -> Iterator[Node]:
        """Yield the arrays that a function has a name for."""
        yield from self._texts.get(_where(line), {})

    def at(self, text: str, node: Node, line: Line) -> Node | None:
        """Return what a name of a function means when a node is computed.

        That is what it means where it is used next to that. What stands above it in the text has
        run before it, and what stands below after it, in the same round of a loop.
        """
        uses = self._uses.get(_where(line), {}).get(text, ())
        known = [use for use in uses if use.node.place < node.place]
        near = [
            use
            for use in known
            if use.row == line.number or (use.row < line.number) == (use.place < node.place)
        ]
        # Where ``dW += x`` has used the one and made the other, the later one.
        found = min(
            near or known,
            key=lambda use: (abs(use.place - node.place), -use.node.place),
            default=None,
        )
        return None if found is None else found.node

    def alike(
        self,
        nodes: tuple[Node, ...],
        shape: tuple[int, ...],
        near: str,
        caller: Line | None = None,
    ) -> Iterator[tuple[str, Mapping[Node, Node]]]:
        """Yield the names of arrays of a shape, and what they mean for each of some nodes.

        Parameters
        ----------
        nodes : tuple of Node
            Of one expression.
        shape : tuple of int
            Of the array at the first of them.
        near : str
            The text that names are sorted by: those that are most like it come first.
        caller : Line, optional
            A line of the function whose names are meant; by default that of the nodes.
        """
        first = nodes[0]
        line = caller or first.line
        if line is None:
            return
        names = self._uses.get(_where(line), {})
        fitting = []
        for text in names:
            one = self.at(text, first, line)
            if text != near and one is not None and one.value.shape == shape:
                fitting.append((-SequenceMatcher(None, text, near).ratio(), text))
        for _, text in sorted(fitting)[:_MOST]:
            meant = {node: self.at(text, node, line) for node in nodes}
            if all(one is not None for one in meant.values()):
                yield text, {node: one for node, one in meant.items() if one is not None}

    def shifted(self, nodes: tuple[Node, ...], place: int, by: int) -> Mapping[Node, Node] | None:
        """Return the neighbour of an operand of each node: of the layer or time step before.

        `by` is -1 for the one before, 1 for the one after.
        """
        found = {}
        for node in nodes:
            operand = node.args[place]
            other = self._before(operand) if by < 0 else self._after(operand)
            if other is None or other.place >= node.place:
                return None
            found[node] = other
        return found

    def _before(self, node: Node) -> Node | None:
        """Return what a node was computed from by way of one layer, or one time step."""
        if node in self._layer_of:
            layers, number = self._layer_of[node]
            return layers[number - 1] if number else None
        if node not in self._earlier:
            self._earlier[node] = self._ancestor(node)
        return self._earlier[node]

    def _after(self, node: Node) -> Node | None:
        if node in self._layer_of:
            layers, number = self._layer_of[node]
            return layers[number + 1] if number + 1 < len(layers) else None
        rounds = self._sites.get(_site(node), []) if node in self._reached else []
        among = rounds or [one for site in self._sites.values() for one in site[:_FIRST]]
        return next((one for one in among if one is not node and self._before(one) is node), None)

    def _ancestor(self, node: Node) -> Node | None:
        """Return the nearest ancestor of the same expression, or else what no layer computed."""
        rounds = self._sites.get(_site(node), [])
        stack, seen = list(node.parents), set[Node]()
        found = list[Node]()
        while stack and len(seen) < _NEAR:
            one = stack.pop(0)
            if one in seen or one in self._layer_of:
                continue
            seen.add(one)
            if one in rounds:
                return one
            if one in self._reached:
                stack.extend(one.parents)
            elif one.is_float and one.value.ndim == node.value.ndim:
                found.append(one)
        # Of several what a chain of them begins with: a state of the same shape.
        same = [one for one in found if one.value.shape == node.value.shape]
        return next(iter(same or found), None)


def _layers(judgement: Judgement) -> dict[Node, tuple[list[Node], int]]:
    """Return for all parameters those that are used alike, by layers, and their places there."""
    roots = set(judgement.episode.roots)
    used: dict[Node, Node] = {}
    for node in sorted(judgement.reached, key=lambda node: node.place):
        for parent in node.parents:
            if parent in roots:
                used.setdefault(parent, node)
    kinds: dict[str, list[Node]] = {}
    for root, by in used.items():
        kinds.setdefault(by.name, []).append(root)
    return {root: (alike, k) for alike in kinds.values() for k, root in enumerate(alike)}


def _where(line: Line) -> Where:
    return line.file, line.code.co_qualname


def _site(node: Node) -> object:
    line = node.line
    return line and (line.code, line.instruction, node.name)


def is_name(expression: ast.expr) -> bool:
    """Whether an expression only names an array: ``W``, ``self.W``, ``cache["A1"]``, ``hs[t]``."""
    if isinstance(expression, ast.Name):
        return True
    if isinstance(expression, ast.Attribute):
        return expression.attr != "T" and is_name(expression.value)
    return isinstance(expression, ast.Subscript) and is_name(expression.value)


def assigned(statement: ast.stmt | None, value: ast.AST | None) -> ast.expr | None:
    """Return the name that an assignment gives to a value."""
    if isinstance(statement, ast.AugAssign):
        return statement.target if value is statement and is_name(statement.target) else None
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
        pairs = zip(target.elts, statement.value.elts, strict=False)
        return next((to for to, one in pairs if one is value and is_name(to)), None)
    return target if statement.value is value and is_name(target) else None

"""Changes of an expression: what it would compute, and how it would be written."""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.judging.rewriting import Make, Site, ValueOf
from clearprop.gradcheck.seeing.judging.scope import Scope
from clearprop.gradcheck.seeing.judging.source import Edit, Source, operands, over
from clearprop.gradcheck.seeing.tape import Node, filled

_TOKEN = re.compile(r"[\w.]+\.shape\[\d\]|[\w.]+|[^\w\s]")
_SUMS = ast.Add, ast.Sub
_MINUS = 0.8  # tokens that a minus counts as that is taken out: nobody writes one for nothing


@dataclass(frozen=True)
class Change:
    """A change of an expression.

    Parameters
    ----------
    cause : str
        A key of `CAUSES`.
    make : callable
        A function that computes it as it would be.
    edits : tuple of Edit
        The same in the text; none where that can't be told.
    why : str
        A sentence.
    at : tuple of str and int, or None
        The file and line that change, where they are not those of the expression.
    reads : tuple of Node
        What the expression newly takes.
    """

    cause: str
    make: Make
    edits: tuple[Edit, ...]
    why: str
    at: tuple[str, int] | None = None
    reads: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Expression:
    """An expression in its text, beside what it computed.

    Parameters
    ----------
    site : Site
    source : Source
    scope : Scope
    numbers : sequence of float
        The numbers that the file writes.
    sizes : mapping of int to str
        Sizes of axes, and an expression for each.
    """

    site: Site
    source: Source
    scope: Scope
    numbers: Sequence[float]
    sizes: Mapping[int, str]
    evaluated: ast.expr | ast.AugAssign | None = field(init=False)
    operands: tuple[ast.expr, ...] = field(init=False)

    def __post_init__(self) -> None:
        evaluated = self.source.evaluated(self.node)
        object.__setattr__(self, "evaluated", evaluated)
        object.__setattr__(self, "operands", operands(evaluated))

    @property
    def node(self) -> Node:
        """What it computed the first time."""
        return self.site.first

    def text(self, place: int) -> ast.expr | None:
        """Return the text of an operand."""
        return self.operands[place] if place < len(self.operands) else None

    @property
    def product(self) -> str:
        """The text of the expression, as a factor of a product."""
        if self.evaluated is None or isinstance(self.evaluated, ast.AugAssign):
            return ""
        raw = self.raw(self.evaluated)
        sums = isinstance(self.evaluated, ast.BinOp) and isinstance(self.evaluated.op, _SUMS)
        return f"({raw})" if sums else raw

    def raw(self, expression: ast.expr) -> str:
        """Return a part of the expression as it stands in its file."""
        line = self.node.line
        return ast.unparse(expression) if line is None else self.source.raw(line.file, expression)

    def whole(self, text: str) -> tuple[Edit, ...]:
        """Return the edit that puts a text in the place of all."""
        if self.evaluated is None or isinstance(self.evaluated, ast.AugAssign):
            return ()
        return several(over(self.evaluated, text))

    def bare(self, place: int) -> tuple[tuple[Edit, ...], str]:
        """Return the edits that leave one operand alone, and a sentence."""
        operand = self.text(place)
        if operand is None:
            return (), "Something stands in it that does not belong there."
        text = self.raw(operand)
        return self.whole(text), f"It should be {text} alone."

    def operator(self, sign: str, *, regroups: bool = False) -> tuple[Edit, ...]:
        """Return the edit that puts another operator between two operands.

        They stay together, unless the operator `regroups` what stands around them.
        """
        one = self.evaluated
        if not isinstance(one, ast.BinOp | ast.AugAssign | ast.Compare) or len(self.operands) != 2:
            return ()
        left, right = self.operands
        line = self.node.line
        if line is None or left.end_lineno != right.lineno or left.end_col_offset is None:
            return ()
        text = self.source.files[line.file][right.lineno - 1].encode()
        between = text[left.end_col_offset : right.col_offset]
        for old in (b"<=", b">=", b"**", b"//", b"+", b"-", b"*", b"/", b"@", b"<", b">"):
            if old in between:
                same = isinstance(getattr(one, "op", None), _SUMS) == (sign in "+-")
                if isinstance(one, ast.BinOp) and not (same or regroups):
                    return several(over(one, self._grouped(sign)))
                start = left.end_col_offset + between.index(old)
                return (Edit(right.lineno, start, start + len(old), sign, is_operand=False),)
        return ()

    def _grouped(self, sign: str) -> str:
        """Write the operands with another operator, and with brackets where they would part."""
        said = []
        for place, operand in enumerate(self.operands):
            sums = isinstance(operand, ast.BinOp) and isinstance(operand.op, _SUMS)
            parts = sums and (place or sign not in "+-")
            said.append(f"({self.raw(operand)})" if parts else self.raw(operand))
        return f" {sign} ".join(said)


def several(*edits: Edit | None) -> tuple[Edit, ...]:
    """Return edits; none where one of them is not known."""
    return () if None in edits else tuple(edit for edit in edits if edit is not None)


def args_of(node: Node, value_of: ValueOf) -> list[Any]:
    """Return the arguments of an operation, as they would be."""
    return list(filled(node.args, value_of))


def again(node: Node, value_of: ValueOf) -> Any:
    """Compute an operation as it stands; what was not computed is what it is."""
    if node.compute is None:
        return value_of(node)
    return applied(node, value_of, args_of(node, value_of))


def applied(node: Node, value_of: ValueOf, args: Sequence[Any]) -> Any:
    """Compute an operation of other arguments."""
    assert node.compute is not None  # noqa: S101 - only what was computed is changed
    return np.asarray(node.compute(*args, **filled(node.kwargs, value_of)))


def alone(place: int) -> Make:
    """Leave one operand alone."""
    return lambda node, value_of: args_of(node, value_of)[place]


def exchanged(place: int, new: Callable[[Node, ValueOf], Any]) -> Make:
    """Compute an operation of something else in one place."""

    def make(node: Node, value_of: ValueOf) -> Any:
        args = args_of(node, value_of)
        args[place] = new(node, value_of)
        return applied(node, value_of, args)

    return make


def meaning(meant: Mapping[Node, Node]) -> Make:
    """Give what a name means for every node."""
    return lambda node, value_of: value_of(meant[node])


def operated(does: Callable[..., Any]) -> Make:
    """Compute another operation of the same operands."""
    return lambda node, value_of: does(*args_of(node, value_of)[:2])


def times(factor: Make) -> Make:
    """Multiply by something more."""
    return lambda node, value_of: again(node, value_of) * factor(node, value_of)


def constant(value: Any) -> Make:
    """Give a number, or an array."""
    return lambda _, __: value


def tokens_of(before: str, after: str) -> float:
    """Return how many tokens differ; to put one in counts a little more than to take one out."""
    a, b = (_TOKEN.findall(text) for text in (before, after))
    if len(a) == len(b) + 1 and any(a[k] == "-" and a[:k] + a[k + 1 :] == b for k in range(len(a))):
        return _MINUS
    return 0.2 * (len(b) > len(a)) + sum(
        max(i2 - i1, j2 - j1)
        for kind, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
        if kind != "equal"
    )

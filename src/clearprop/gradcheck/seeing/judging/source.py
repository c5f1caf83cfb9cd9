"""The text of watched code: lines, the expression that a node was computed by, and its name."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from clearprop.gradcheck.seeing.tape import Line, Node


@dataclass(frozen=True)
class Source:
    """The lines of watched files, by the names that code objects have.

    Parameters
    ----------
    files : mapping of str to sequence of str
    """

    files: Mapping[str, Sequence[str]]
    _trees: dict[str, list[ast.AST]] = field(default_factory=dict)

    def text(self, line: Line | None) -> str:
        """Return a line without the blanks about it; empty where it is not known."""
        if line is None:
            return ""
        lines = self.files.get(line.file, ())
        return lines[line.number - 1].strip() if 0 < line.number <= len(lines) else ""

    def expression(self, at: Node | Line) -> ast.expr | None:
        """Return the expression that was evaluated; None where it spans lines."""
        line = at.line if isinstance(at, Node) else at
        columns = None if line is None else line.columns
        if line is None or columns is None:
            return None
        for one in self._nodes(line.file):
            if (
                isinstance(one, ast.expr)
                and one.lineno == one.end_lineno == line.number
                and (one.col_offset, one.end_col_offset) == columns
            ):
                return one
        return None

    def statement(self, line: Line) -> ast.stmt | None:
        """Return the innermost statement that a line, or the running part of it, stands in."""
        found: ast.stmt | None = None
        column = (line.columns or (0, 0))[0]
        for one in self._nodes(line.file):
            if not isinstance(one, ast.stmt):
                continue
            start = (one.lineno, one.col_offset if one.lineno == line.number else 0)
            end = (one.end_lineno or one.lineno, one.end_col_offset or 0)
            if start <= (line.number, column) and line.number <= end[0]:
                inside = line.number < end[0] or column < end[1]
                later = found is None or (one.lineno, one.col_offset) >= (
                    found.lineno,
                    found.col_offset,
                )
                if later and inside:
                    found = one
        return found

    def name(self, node: Node) -> str:
        """Return what the code calls a node: the variable that it is assigned to, or its formula.

        What a function returns is called as its caller calls it.
        """
        for line in node.lines:
            statement, expression = self.statement(line), self.expression(line)
            value = _value(statement, expression)
            if isinstance(statement, ast.Return) and (expression is value or expression is None):
                continue
            target = _target(statement, expression)
            if target is not None and node.name == "setitem" and isinstance(target, ast.Subscript):
                return ast.unparse(target.value)
            if target is not None and (
                expression is value or isinstance(statement, ast.AugAssign) or expression is None
            ):
                return ast.unparse(target)
            break
        expression = self.expression(node)
        return node.name if expression is None else ast.unparse(expression)

    def functions(self) -> Iterator[str]:
        """Yield the functions and methods of the file itself, as code objects name them.

        Those that are only declared are left out.
        """
        first = next(iter(self.files), "").split(", cell ")[0]
        for file in self.files:
            whole = self._nodes(file)[:1] if file.split(", cell ")[0] == first else []
            for module in whole:
                yield from _defined(module, "")

    def replaced(self, node: Node, text: str) -> str | None:
        """Return the line of a node with its expression replaced."""
        line = node.line
        columns = None if line is None else line.columns
        if line is None or columns is None:
            return None
        whole = self.files[line.file][line.number - 1].encode()
        start, end = columns
        return (whole[:start] + text.encode() + whole[end:]).decode().strip()

    def _nodes(self, file: str) -> list[ast.AST]:
        if file not in self._trees:
            try:
                tree = ast.parse("\n".join(self.files.get(file, ())))
            except (SyntaxError, ValueError):
                self._trees[file] = []
            else:
                self._trees[file] = list(ast.walk(tree))
        return self._trees[file]


def _target(statement: ast.stmt | None, value: ast.expr | None) -> ast.expr | None:
    """Return what a value is assigned to; of several in one statement the one in its place."""
    if isinstance(statement, ast.AugAssign | ast.AnnAssign):
        return statement.target
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target, whole = statement.targets[0], statement.value
    if not isinstance(target, ast.Tuple | ast.List):
        return target
    if isinstance(whole, ast.Tuple | ast.List):
        return next(
            (to for to, one in zip(target.elts, whole.elts, strict=False) if one is value), None
        )
    return None


def _value(statement: ast.stmt | None, expression: ast.expr | None) -> ast.expr | None:
    """Return the value of a statement; of several the one that an expression is."""
    value: ast.expr | None = getattr(statement, "value", None)
    if isinstance(value, ast.Tuple | ast.List) and expression in value.elts:
        return expression
    return value


def operands(expression: ast.expr | None) -> tuple[ast.expr, ...]:
    """Return the operands of an expression, as far as they are those of its operation."""
    if isinstance(expression, ast.BinOp):
        return expression.left, expression.right
    if isinstance(expression, ast.UnaryOp):
        return (expression.operand,)
    if isinstance(expression, ast.Subscript | ast.Attribute):
        return (expression.value,)
    if isinstance(expression, ast.Call):
        if isinstance(expression.func, ast.Attribute) and not _is_module(expression.func.value):
            return expression.func.value, *expression.args
        return tuple(expression.args)
    return ()


def _is_module(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Name) and expression.id in ("np", "numpy", "math", "cp")


def with_operand(expression: ast.expr, place: int, text: str) -> str | None:
    """Write an expression with another operand."""
    whole = operands(expression)
    if place >= len(whole):
        return None
    old, new = whole[place], ast.parse(text, mode="eval").body

    class Exchange(ast.NodeTransformer):
        def generic_visit(self, node: ast.AST) -> ast.AST:
            return new if node is old else super().generic_visit(node)

    return ast.unparse(Exchange().visit(_copy(expression, old)))


def _copy(expression: ast.expr, kept: ast.expr) -> ast.expr:
    """Copy an expression, but for one part that is to be found in it again."""
    return deepcopy(expression, {id(kept): kept})


def _defined(within: ast.AST, prefix: str) -> Iterator[str]:
    for one in ast.iter_child_nodes(within):
        if isinstance(one, ast.ClassDef):
            yield from _defined(one, f"{one.name}.")
        elif isinstance(one, ast.FunctionDef) and not all(map(_does_nothing, one.body)):
            yield f"{prefix}{one.name}"


def _does_nothing(statement: ast.stmt) -> bool:
    says = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return says or isinstance(statement, ast.Pass | ast.Raise)

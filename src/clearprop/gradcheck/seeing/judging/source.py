"""The text of watched code: lines, the expression that a node was computed by, and its name."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from textwrap import dedent
from typing import Any

from clearprop.gradcheck.seeing.tape import Line, Node


@dataclass(frozen=True)
class Edit:
    """A piece of a line that is replaced.

    Parameters
    ----------
    row, start, end : int
        The number of the line, from 1, and the columns in bytes.
    text : str
        What stands there instead.
    is_operand : bool
        Whether it may need brackets there.
    """

    row: int
    start: int
    end: int
    text: str
    is_operand: bool = True

    @property
    def bracketed(self) -> str:
        """The text with brackets about it, where it may need some."""
        return f"({self.text})" if self.is_operand else self.text


def over(expression: ast.expr, text: str) -> Edit | None:
    """Return the edit that puts a text in the place of an expression; None if it spans lines."""
    if expression.lineno != expression.end_lineno or expression.end_col_offset is None:
        return None
    if isinstance(getattr(expression, "ctx", None), ast.Store):
        return None
    return Edit(expression.lineno, expression.col_offset, expression.end_col_offset, text)


def _with(lines: Sequence[str], row: int, edits: Sequence[Edit]) -> list[str]:
    line = lines[row - 1].encode()
    for edit in sorted(edits, key=lambda one: -one.start):
        line = line[: edit.start] + edit.text.encode() + line[edit.end :]
    return [*lines[: row - 1], line.decode(), *lines[row:]]


def _parsed(lines: Sequence[str]) -> ast.AST | None:
    try:
        return ast.parse(dedent("\n".join(lines)))
    except (SyntaxError, ValueError):
        return None


@dataclass(frozen=True)
class Source:
    """The lines of watched files, by the names that code objects have.

    Parameters
    ----------
    files : mapping of str to sequence of str
    trees : mapping of str to ast.Module
        What was parsed of them, where that is something else than their lines.
    """

    files: Mapping[str, Sequence[str]]
    trees: Mapping[str, ast.AST] = field(default_factory=dict)
    _trees: dict[str, list[ast.AST]] = field(default_factory=dict)
    _evaluated: dict[Any, ast.expr | ast.AugAssign | None] = field(default_factory=dict)
    _statements: dict[Any, ast.stmt | None] = field(default_factory=dict)
    _functions: dict[Any, ast.FunctionDef | None] = field(default_factory=dict)
    _parts: dict[ast.AST, list[ast.AST]] = field(default_factory=dict)

    def text(self, line: Line | None) -> str:
        """Return a line without the blanks about it; empty where it is not known."""
        return "" if line is None else self.row(line.file, line.number)

    def row(self, file: str, number: int) -> str:
        """Return a line by its number, from 1, without the blanks about it."""
        lines = self.files.get(file, ())
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    def whose(self, file: str) -> str:
        """Return ``of layers.py`` after a blank, of another file than the one that is checked.

        Of a notebook the cell is told.
        """
        first = next(iter(self.files), "")
        name, _, cell = file.rpartition(", cell ")
        if name and name == first.rpartition(", cell ")[0]:
            return f" of cell {cell}" if len(self.files) > 1 else ""
        return "" if file in ("", first) else f" of {file}"

    def expression(self, at: Node | Line) -> ast.expr | None:
        """Return the expression that was evaluated; None where it is no expression."""
        found = self.evaluated(at)
        return found if isinstance(found, ast.expr) else None

    def evaluated(self, at: Node | Line) -> ast.expr | ast.AugAssign | None:
        """Return the expression, or the assignment such as ``+=``, that was evaluated."""
        line = at.line if isinstance(at, Node) else at
        span = None if line is None else line.span
        if line is None or span is None:
            return None
        if (line.file, span) not in self._evaluated:
            self._evaluated[line.file, span] = next(
                (
                    one
                    for one in self.nodes(line.file)
                    if isinstance(one, ast.expr | ast.AugAssign)
                    and (one.lineno, one.end_lineno, one.col_offset, one.end_col_offset) == span
                ),
                None,
            )
        return self._evaluated[line.file, span]

    def statement(self, line: Line) -> ast.stmt | None:
        """Return the innermost statement that a line, or the running part of it, stands in."""
        key = line.file, line.number, (line.columns or (0, 0))[0]
        if key not in self._statements:
            self._statements[key] = self._statement(*key)
        return self._statements[key]

    def _statement(self, file: str, number: int, column: int) -> ast.stmt | None:
        found: ast.stmt | None = None
        for one in self.nodes(file):
            if not isinstance(one, ast.stmt):
                continue
            start = (one.lineno, one.col_offset if one.lineno == number else 0)
            end = (one.end_lineno or one.lineno, one.end_col_offset or 0)
            if start <= (number, column) and number <= end[0]:
                inside = number < end[0] or column < end[1]
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

    def holder(self, node: Node) -> str:
        """Return what the value is assigned to that a node is a part of, or else its own name."""
        for line in node.lines[:1]:
            statement, expression = self.statement(line), self.expression(line)
            value = getattr(statement, "value", None)
            if expression is None or value is None:
                break
            for one in ast.walk(value):
                if isinstance(one, ast.Dict):
                    for key, item in zip(one.keys, one.values, strict=True):
                        if isinstance(key, ast.Constant) and _holds(item, expression):
                            return str(key.value)
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                if not isinstance(target, ast.Tuple):
                    return ast.unparse(target)
                if isinstance(value, ast.Tuple):
                    for to, item in zip(target.elts, value.elts, strict=False):
                        if _holds(item, expression):
                            return ast.unparse(to)
        return self.name(node)

    def functions(self, *, everywhere: bool = False) -> Iterator[str]:
        """Yield the functions and methods of the file itself, as code objects name them.

        Or `everywhere`, in all files. Those that are only declared are left out.
        """
        first = next(iter(self.files), "").split(", cell ")[0]
        for file in self.files:
            own = everywhere or file.split(", cell ")[0] == first
            for module in self.nodes(file)[:1] if own else ():
                yield from _defined(module, "")

    def function(self, line: Line) -> ast.FunctionDef | None:
        """Return the function that a line stands in."""
        at = line.file, line.number
        if at not in self._functions:
            inside = [
                one
                for one in self.nodes(line.file)
                if isinstance(one, ast.FunctionDef)
                and one.lineno <= line.number <= (one.end_lineno or 0)
            ]
            self._functions[at] = max(inside, key=lambda one: one.lineno, default=None)
        return self._functions[at]

    def within(self, line: Line) -> list[ast.AST]:
        """Return all nodes of the function that a line stands in; outside all, of its file."""
        function = self.function(line)
        if function is None:
            return self.nodes(line.file)
        if function not in self._parts:
            self._parts[function] = list(ast.walk(function))
        return self._parts[function]

    def sizes(self, line: Line) -> Iterator[tuple[str, str]]:
        """Yield the names that a line's function has for sizes: ``m`` for ``X.shape[1]``."""
        for one in self.within(line):
            if not isinstance(one, ast.Assign):
                continue
            target, value = one.targets[0], one.value
            said = ast.unparse(value)
            if isinstance(target, ast.Tuple) and said.endswith(".shape"):
                for axis, name in enumerate(target.elts):
                    yield ast.unparse(name), f"{said}[{axis}]"
            both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            names = target.elts if both and isinstance(target, ast.Tuple) else [target]
            values = value.elts if both and isinstance(value, ast.Tuple) else [value]
            for name, item in zip(names, values, strict=False):
                if isinstance(name, ast.Name):
                    yield name.id, re.sub(r"^len\((.*)\)$", r"\1.shape[0]", ast.unparse(item))

    def block(self, file: str, number: int) -> tuple[int, int]:
        """Return the first and last line of the function that a line stands in.

        Outside all functions that of the whole statement, such as a loop.
        """
        around = [
            one
            for one in self.nodes(file)
            if isinstance(one, ast.stmt) and one.lineno <= number <= (one.end_lineno or 0)
        ]
        functions = [one for one in around if isinstance(one, ast.FunctionDef)]
        whole = functions[-1] if functions else next(iter(around), None)
        return (number, number) if whole is None else (whole.lineno, whole.end_lineno or number)

    def named(self, file: str, name: str) -> Iterator[ast.FunctionDef]:
        """Yield the functions and methods of a file that have a name."""
        for one in self.nodes(file):
            if isinstance(one, ast.FunctionDef) and one.name == name:
                yield one

    def raw(self, file: str, expression: ast.expr) -> str:
        """Return an expression as it stands in a file, or else as Python writes it."""
        own = ast.unparse(expression)
        if expression.lineno != expression.end_lineno or file not in self.files:
            return own
        line = self.files[file][expression.lineno - 1].encode()
        told = line[expression.col_offset : expression.end_col_offset].decode(errors="replace")
        try:
            same = ast.unparse(ast.parse(told, mode="eval").body) == own
        except (SyntaxError, ValueError):
            return own
        return told if same else own

    def numbers(self) -> Iterator[float]:
        """Yield the numbers with a decimal point that stand in the files."""
        for file in self.files:
            for one in self.nodes(file):
                if isinstance(one, ast.Constant) and type(one.value) is float:
                    yield one.value

    def adds(self, names: Collection[str]) -> bool:
        """Whether anything but another of them gets what goes by one of some names added."""
        every = [node for file in self.files for node in self.nodes(file)]
        sums: list[tuple[ast.expr, ast.expr]] = [
            (one.target, one.value)
            for one in every
            if isinstance(one, ast.AugAssign) and isinstance(one.op, ast.Add)
        ]
        sums += [
            (one.targets[0], one.value)
            for one in every
            if isinstance(one, ast.Assign)
            and isinstance(one.value, ast.BinOp)
            and isinstance(one.value.op, ast.Add)
        ]
        known = set(names)
        return any(_names(added) & known and not _names(target) & known for target, added in sums)

    def edited(self, file: str, edits: Sequence[Edit]) -> tuple[int, str, str] | None:
        """Return a line with edits: its number, the line before and after; None if it is no code.

        Brackets about what is put in are left out where they say nothing.
        """
        rows = {edit.row for edit in edits}
        lines = self.files.get(file, ())
        if len(rows) != 1 or not edits:
            return None
        (number,) = rows
        row = number
        bare, bracketed = (
            _with(lines, row, texts)
            for texts in (edits, [replace(one, text=one.bracketed) for one in edits])
        )
        if _parsed(lines) is None:  # such as Python 2: then the line has to stand for itself
            bare, bracketed, row = bare[row - 1 : row], bracketed[row - 1 : row], 1
        trees = [_parsed(text) for text in (bare, bracketed)]
        if trees[1] is None:
            return None
        same = trees[0] is not None and ast.dump(trees[0]) == ast.dump(trees[1])
        chosen = (bare if same else bracketed)[row - 1].strip()
        return number, lines[number - 1].strip(), chosen

    def nodes(self, file: str) -> list[ast.AST]:
        """Return all nodes of what was parsed of a file; none where nothing was."""
        if file not in self._trees:
            tree = self.trees.get(file) or _parsed(self.files.get(file, ()))
            self._trees[file] = [] if tree is None else list(ast.walk(tree))
        return self._trees[file]


def _holds(whole: ast.AST, part: ast.AST) -> bool:
    return any(one is part for one in ast.walk(whole))


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


def operands(expression: ast.expr | ast.AugAssign | None) -> tuple[ast.expr, ...]:
    """Return the operands of an expression, as far as they are those of its operation."""
    if isinstance(expression, ast.AugAssign):
        return expression.target, expression.value
    if isinstance(expression, ast.BinOp):
        return expression.left, expression.right
    if isinstance(expression, ast.Compare) and len(expression.comparators) == 1:
        return expression.left, expression.comparators[0]
    if isinstance(expression, ast.UnaryOp):
        return (expression.operand,)
    if isinstance(expression, ast.Subscript | ast.Attribute):
        return (expression.value,)
    if isinstance(expression, ast.Call):
        if isinstance(expression.func, ast.Attribute) and not _is_module(expression.func.value):
            return expression.func.value, *expression.args
        return tuple(expression.args)
    return ()


def _names(within: ast.AST) -> set[str]:
    """Return the names of variables, attributes and keys."""
    found: set[str] = set()
    for one in ast.walk(within):
        if isinstance(one, ast.Name | ast.Attribute):
            found.add(one.id if isinstance(one, ast.Name) else one.attr)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            found.add(one.value)
    return found


def _is_module(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Name) and expression.id in ("np", "numpy", "math", "cp")


def _defined(within: ast.AST, prefix: str) -> Iterator[str]:
    for one in ast.iter_child_nodes(within):
        if isinstance(one, ast.ClassDef):
            yield from _defined(one, f"{one.name}.")
        elif isinstance(one, ast.FunctionDef) and not (
            all(map(_does_nothing, one.body)) or _is_unwritten(one)
        ):
            yield f"{prefix}{one.name}"
            yield from _defined(one, f"{prefix}{one.name}.<locals>.")


def _does_nothing(statement: ast.stmt) -> bool:
    says = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return says or isinstance(statement, ast.Pass | ast.Raise)


def _is_unwritten(function: ast.FunctionDef) -> bool:
    """Whether a function returns what was set to None and to nothing else, as exercises begin."""
    empty: set[str] = set()
    for one in function.body:
        plain = (ast.Name, ast.Constant, ast.Tuple, ast.expr_context)
        value = one.value if isinstance(one, ast.Assign | ast.Return) else None
        parts = [] if value is None else list(ast.walk(value))
        if not _does_nothing(one) and (not parts or not all(isinstance(n, plain) for n in parts)):
            return False
        names = {part.id for part in parts if isinstance(part, ast.Name)}
        if isinstance(one, ast.Assign) and not names:
            empty |= {each.id for each in ast.walk(one) if isinstance(each, ast.Name)}
        elif isinstance(one, ast.Return) and not names <= empty:
            return False
    return bool(empty)

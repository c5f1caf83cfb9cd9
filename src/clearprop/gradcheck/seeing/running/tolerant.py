"""Functions that hold a whole program, ``main()``, whose statements may fail one by one."""

import ast
from collections.abc import Callable

FAILURES, FAILED, DATA = "_failures_", "_failed_at_", "_data_for_"
"""The names by which watched code reaches what it may catch, and what is called then."""


_GIVEN_ON = ("sys.exit", "exit", "asyncio.run")
"""What may be called with what such a function returns."""


def programs_in(body: list[ast.stmt]) -> set[str]:
    """Return the functions that a module calls without arguments, and ``main``, with some, too."""
    found = set()
    for statement in body:
        if isinstance(statement, ast.If):
            found |= programs_in([*statement.body, *statement.orelse])
        value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
        if isinstance(value, ast.Call) and ast.unparse(value.func) in _GIVEN_ON:
            value = next(iter(value.args), None)
        name = getattr(value.func, "id", "") if isinstance(value, ast.Call) else ""
        if name == "main" or (name and not (value.args or value.keywords)):  # type: ignore[union-attr]
            found.add(name)
    return found


def stored_in(body: list[ast.stmt]) -> set[str]:
    """Return the names to which statements assign."""
    return {
        node.id
        for one in body
        for node in ast.walk(one)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def uncalled_main(body: list[ast.stmt]) -> ast.stmt | None:
    """Return a call of ``main()`` where a module defines it, and nothing in it names it again."""
    main = next(
        (one for one in body if isinstance(one, ast.FunctionDef) and one.name == "main"), None
    )
    names = {node.id for one in body for node in ast.walk(one) if isinstance(node, ast.Name)}
    if main is None or "main" in names:
        return None
    asked = main.args
    if len(asked.posonlyargs + asked.args) > len(asked.defaults) or None in asked.kw_defaults:
        return None
    call = ast.Expr(ast.Call(ast.Name("main", ast.Load()), [], []))
    return ast.fix_missing_locations(ast.copy_location(call, main))


class Tolerant(ast.NodeTransformer):
    """Let the statements of some functions fail one by one.

    Parameters
    ----------
    names : set of str
        The names of the functions.
    is_data : callable
        A function of the name of a variable and of a statement that says whether data can stand in
        for what it would have been.
    """

    def __init__(self, names: set[str], is_data: Callable[[str, str], bool]) -> None:
        self.names, self.is_data = names, is_data

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Change a function that holds a program."""
        if node.name in self.names and not _yields(node):
            node.body = [self._held(one) for one in node.body]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Leave methods as they are."""
        return node

    def _held(self, statement: ast.stmt) -> ast.stmt:
        kept = ast.FunctionDef | ast.ClassDef | ast.Global | ast.Nonlocal | ast.Return | ast.Pass
        if isinstance(statement, kept):
            return statement
        if isinstance(statement, ast.If | ast.With):
            statement.body = [self._held(one) for one in statement.body]
        if isinstance(statement, ast.If):
            statement.orelse = [self._held(one) for one in statement.orelse]
        line = ast.Constant(statement.lineno)
        instead: list[ast.stmt] = [ast.Expr(_call(FAILED, line))]
        instead += self._stand_ins(statement)
        handler = ast.ExceptHandler(ast.Name(FAILURES, ast.Load()), None, instead)
        held = ast.Try([statement], [handler], [], [])
        ast.copy_location(held, statement)
        for made in ast.walk(handler):
            ast.copy_location(made, statement)
        return held

    def _stand_ins(self, statement: ast.stmt) -> list[ast.stmt]:
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            return []
        text = ast.unparse(statement)
        names = [
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
        return [
            ast.Assign(
                [ast.Name(name, ast.Store())],
                _call(DATA, ast.Constant(name), ast.Constant(text)),
            )
            for name in names
            if self.is_data(name, text)
        ]


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


def _yields(node: ast.FunctionDef) -> bool:
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(node))

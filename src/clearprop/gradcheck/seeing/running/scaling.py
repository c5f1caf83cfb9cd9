"""Numbers in watched code that fit the data which are not there, and not the small ones instead."""

import ast
import re
from collections.abc import Callable

from clearprop.gradcheck.seeing.running.loops import EPOCHS, last_name, names_in

_OF_ROWS = ("reshape", "range", "xrange", "choice", "randint", "permutation", "sample")
_BATCH = re.compile(
    r"batch_?s(ize|z)|(^|\b|_)(mini_?)?batch$|^bs$|(?<!max_)(?<!max)seq(uence)?_?(len|size)|time_?steps|^T_steps$|^bptt",
    re.I,
)
"""Names of sizes of batches, and of the lengths of sequences."""
_SAMPLES = re.compile(r"(^|_)(n|num|number_?of|max|total)_?(samples|points|examples|data)", re.I)
_PART = re.compile(
    r"(^|_)(n|num|number)_?(of_?)?(train|val|dev|test|sample|example)"
    r"|(train|val|dev|test)\w*_(size|num|count|samples|examples)$",
    re.I,
)
"""Names of numbers of rows of well-known data: to learn from, to validate or to test with."""
_LARGEST_BATCH, _BATCH_INSTEAD = 12, 8  # so that there are several of the small data
_SAMPLES_INSTEAD = 24
_LEAST_PART = 100


class Scaling(ast.NodeTransformer):
    """Make numbers of rows and sizes of batches smaller, where small data stand in for others.

    Parameters
    ----------
    scaled : callable
        A function of a number of rows that gives the smaller one.
    all_samples : bool
        Whether numbers of samples that the program makes itself are made smaller, too.

    Attributes
    ----------
    changed : int
        The first number that was made smaller; 0 where none was.
    rows : int
        The number of all rows, which is made smaller wherever it stands; 0 where it is not known.
    """

    def __init__(self, scaled: Callable[[int], int], all_samples: bool = False) -> None:
        self.scaled, self.all_samples, self.changed, self.rows = scaled, all_samples, 0, 0
        self._batches: dict[str, dict[int, str]] = {}

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Change a number that looks like one of rows."""
        return self._smaller(node, node.value, 5000)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Learn in which place a function takes the size of a batch."""
        named = [one.arg for one in node.args.posonlyargs + node.args.args]
        named = named[1:] if named[:1] == ["self"] else named
        places = {place: name for place, name in enumerate(named) if _BATCH.search(name)}
        self._batches[node.name] = places
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Learn in which place a class takes the size of a batch."""
        made = self.generic_visit(node)
        if any(getattr(one, "name", "") == "__init__" for one in node.body):
            self._batches[node.name] = self._batches["__init__"]
        return made

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Change what asks for as many rows as there are, or goes through all, and batches."""
        for place, name in self._batches.get(last_name(node.func), {}).items():
            self._batch(name, node.args[place] if place < len(node.args) else None)
        if last_name(node.func) in _OF_ROWS:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant):
                    self._smaller(inner, inner.value, 500)
        if last_name(node.func) == "add_argument":
            called = " ".join(str(getattr(one, "value", "")) for one in node.args)
            for one in node.keywords:
                self._batch(called if one.arg == "default" else "", one.value)
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """Leave numbers of rounds as they are, and change sizes of batches."""
        names = [name for one in node.targets for name in names_in(one)]
        self._batch(" ".join(names), node.value)
        for target in node.targets:  # a, b = 1, 2
            parts = getattr(node.value, "elts", ()) if isinstance(target, ast.Tuple) else ()
            for one, value in zip(getattr(target, "elts", ()), parts, strict=False):
                self._batch(last_name(one), value)
        return node if any(map(EPOCHS.search, names)) else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Change sizes of batches."""
        self._batch(last_name(node.target), node.value)
        return self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        """Change sizes of batches."""
        for key, value in zip(node.keys, node.values, strict=True):
            self._batch(str(getattr(key, "value", "")), value)
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        """Leave numbers of rounds as they are, and change sizes of batches."""
        self._batch(node.arg or "", node.value)
        return node if EPOCHS.search(node.arg or "") else self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        """Change the sizes that batches have by default."""
        named = [*node.posonlyargs, *node.args]
        defaults = [*node.defaults, *(one for one in node.kw_defaults if one is not None)]
        named = [*named[len(named) - len(node.defaults) :], *node.kwonlyargs]
        for argument, default in zip(named, defaults, strict=False):
            self._batch(argument.arg, default)
        return self.generic_visit(node)

    def visit_Slice(self, node: ast.Slice) -> ast.AST:
        """Change the bounds of a slice, which may be lower."""
        for name in ("lower", "upper"):
            bound = getattr(node, name)
            inner = bound.operand if isinstance(bound, ast.UnaryOp) else bound
            if isinstance(inner, ast.Constant):
                self._smaller(inner, inner.value, 500)
            elif bound is not None:
                setattr(node, name, self.visit(bound))
        return node

    def _smaller(self, node: ast.Constant, number: object, least: int) -> ast.AST:
        if type(number) is not int or not self.rows:
            return node
        if number == self.rows or (number >= least and not number % 500):
            self.changed = self.changed or number
            node.value = self.scaled(number)
        return node

    def _batch(self, name: str, node: ast.expr | None) -> None:
        if not isinstance(node, ast.Constant) or type(node.value) is not int:
            return
        if _BATCH.search(name) and node.value > _LARGEST_BATCH:
            self.changed = self.changed or node.value
            node.value = _BATCH_INSTEAD
        elif self.rows and node.value >= _LEAST_PART and _PART.search(name):
            self.changed = self.changed or node.value
            node.value = self.scaled(node.value)
        elif self.all_samples and _SAMPLES.search(name) and node.value > _SAMPLES_INSTEAD:
            self.changed = self.changed or node.value
            node.value = _SAMPLES_INSTEAD

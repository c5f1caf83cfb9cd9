"""Loops of watched code that end in time: a few rounds of training show all that is to be seen.

A loop that trains, because it changes parameters, may end after any round: what it has done is
whole. A loop that computes, over positions or samples, may not: half of it is another function
than the one that was written. So only the first kind is ended early; the second is left to the
limits of its statement.
"""

import ast
import re
import time
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, field
from typing import Any

from clearprop.gradcheck.seeing.running.notes import Notes
from clearprop.gradcheck.seeing.tape import Tape

FOR, WHILE = "_rounds_of_", "_guard_of_"
"""The names by which watched code reaches `Loops.rounds` and `Loops.guard`."""

_MOST_NODES = 2500  # of a training loop
_MOST_PERHAPS = 10_000  # of a loop that may be one
_MOST_BYTES = 10**8  # of a training loop
_MOST_SECONDS = 4.0  # of a training loop, and of one that computes nothing
_COMPUTING_SECONDS = 8.0
_MANY = 200  # rounds that an outermost loop has only where it trains
_FEWEST = 2  # rounds, however long they take

_RATE = re.compile(r"(^|_)(lr|eta|alpha|learn\w*|rate|step_?size|epsilon|gamma|mu)(_|$)|rate", re.I)
_TRAINS = re.compile(
    r"^_*(update|optimi[sz]|train|fit|sgd|adam|learn|gradient_?descent|apply_?grad)", re.I
)
EPOCHS = re.compile(r"epo[ckq]|époqu|(^|_|max|n)iter(a\w*|s)?(_|\d|$)", re.I)
_STEPS = re.compile(r"^_*(d[A-Z_]|d[wb]\d*$|Δ|delta|grad|nabla|update|step|change)")
_DERIVATIVES = re.compile(r"^_*(d[a-z]*_|d[A-Z]|d[a-z]{1,2}\d*$|delta|grad|nabla)")
_COLLECTS = re.compile(
    r"^(d|g|grad|delta|nabla|sum|loss|cost|err|total|acc|res|out|z|s|y|count)", re.I
)
_PRODUCTS = ("dot", "matmul", "outer", "multiply", "sum", "mean")


class OutOfTime(BaseException):
    """A loop took too long; no ``except Exception`` of watched code may swallow it."""


def names_in(node: ast.AST | list[ast.AST]) -> set[str]:
    """Return the names of variables, attributes and functions in a piece of code."""
    nodes = node if isinstance(node, list) else [node]
    found = set()
    for inner in (one for each in nodes for one in ast.walk(each)):
        if isinstance(inner, ast.Name):
            found.add(inner.id)
        elif isinstance(inner, ast.Attribute):
            found.add(inner.attr)
    return found


@dataclass
class Training:
    """What in a program changes parameters.

    Attributes
    ----------
    functions : set of str
        The names of the functions and methods that do.
    """

    functions: set[str] = field(default_factory=set)

    def learn(self, tree: ast.AST) -> None:
        """Find the functions that change parameters, by themselves or by calling another."""
        defined = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        while True:
            found = {
                one.name
                for one in defined
                if one.name not in self.functions and self.changes(list(one.body), set())
            }
            if not found:
                return
            self.functions |= found

    def changes(self, body: list[ast.stmt], own: set[str]) -> bool:
        """Whether statements change parameters that are chosen by none of the loop's variables."""
        return any(self._changes(node, own) for each in body for node in ast.walk(each))

    def _changes(self, node: ast.AST, own: set[str]) -> bool:
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute):
                name = function.attr
                if names_in(function.value) & own:  # of a layer that the loop goes through
                    return False
            else:
                name = getattr(function, "id", "")
            return name in self.functions or bool(_TRAINS.match(name))
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            itself = isinstance(value, ast.BinOp) and ast.dump(value.left) == ast.dump(
                ast.parse(ast.unparse(target), mode="eval").body
            )
            if not itself or names_in(target) & own or _COLLECTS.match(last_name(target)):
                return False
            return isinstance(value.op, ast.Sub) and _is_product(value.right)  # type: ignore[attr-defined]
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
            if names_in(node.target) & own:
                return False
            name = last_name(node.target)
            takes_off = isinstance(node.op, ast.Sub) and _is_product(node.value)
            if _scales(node.value) or (takes_off and not _DERIVATIVES.match(name)):
                return True
            if _STEPS.match(last_name(node.value)) and not _COLLECTS.match(name.lstrip("_")):
                return True
            product = isinstance(node.value, ast.Call) and last_name(node.value.func) in _PRODUCTS
            return product and not _COLLECTS.match(name.lstrip("_"))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            left = last_name(node.left)
            steps = bool(_STEPS.match(last_name(node.right))) and bool(left)
            steps = steps and not _COLLECTS.match(left.lstrip("_"))
            return (steps or _scales(node.right)) and not names_in(node.left) & own
        return False


def _scales(value: ast.expr) -> bool:
    """Whether it is something times a learning rate."""
    return _is_product(value) and any(_RATE.search(name) for name in names_in(value))


def _is_product(value: ast.expr) -> bool:
    return isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult | ast.Div | ast.MatMult)


def _goes_back(items: ast.expr) -> bool:
    """Whether a loop goes from the last to the first, through layers or times: a way back."""
    if isinstance(items, ast.Subscript) and isinstance(items.slice, ast.Slice):
        return items.slice.step is not None and ast.unparse(items.slice.step).startswith("-")
    if not isinstance(items, ast.Call):
        return False
    steps = len(items.args) == 3 and ast.unparse(items.args[2]).startswith("-")
    return last_name(items.func) == "reversed" or (last_name(items.func) == "range" and steps)


def _draws(body: list[ast.stmt]) -> bool:
    """Whether a loop draws what comes next from what a net has said, and may end at any time."""
    calls = [
        one
        for statement in body
        for one in ast.walk(statement)
        if isinstance(one, ast.Call) and last_name(one.func) in ("choice", "multinomial")
    ]
    return any(
        last_name(one.func) == "multinomial" or "p" in [named.arg for named in one.keywords]
        for one in calls
    )


def _counters(body: list[ast.stmt]) -> set[str]:
    """Return the names to which statements add a number, as a loop over positions does."""
    return {
        node.target.id
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.AugAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def last_name(node: ast.AST) -> str:
    """Return the name of a variable, an attribute or a function, without what it belongs to."""
    while isinstance(node, ast.Subscript | ast.Starred):
        node = node.value
    return getattr(node, "attr", "") or getattr(node, "id", "")


class Cutting(ast.NodeTransformer):
    """Put a guard into every loop of a statement; line numbers stay.

    Parameters
    ----------
    file : str
        The name of the file.
    training : Training
    """

    def __init__(self, file: str, training: Training) -> None:
        self.file, self.training = file, training

    def visit_For(self, node: ast.For) -> ast.AST:
        """Count the rounds of a ``for``."""
        own = names_in(node.target)
        trains = self.training.changes(node.body, own) or self._says(node.target, node.iter)
        trains = (trains and not _goes_back(node.iter)) or _draws(node.body)
        self.generic_visit(node)
        node.iter = self._call(FOR, node, trains, node.iter)
        return node

    def visit_While(self, node: ast.While) -> list[ast.AST]:
        """Count the rounds of a ``while``."""
        trains = self.training.changes(node.body, _counters(node.body)) or self._says(node.test)
        trains = trains or _draws(node.body)
        self.generic_visit(node)
        name = f"{WHILE}{node.lineno}_{node.col_offset}"
        guard = ast.Assign([ast.Name(name, ast.Store())], self._call(WHILE, node, trains))
        again = ast.Call(ast.Attribute(ast.Name(name, ast.Load()), "again", ast.Load()), [], [])
        node.test = ast.BoolOp(ast.And(), [node.test, again])
        for made in (guard, node.test):
            ast.copy_location(made, node)
            ast.fix_missing_locations(made)
        return [guard, node]

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        """Count the rounds in a list of what steps of a training return."""
        first = node.generators[0]
        trains = self.training.changes([ast.Expr(node.elt)], names_in(first.target))
        self.generic_visit(node)
        if trains and len(node.generators) == 1 and not first.is_async:
            first.iter = self._call(FOR, node, trains, first.iter)
        return node

    def _says(self, *header: ast.AST) -> bool:
        return any(EPOCHS.search(name) for name in names_in(list(header)))

    def _call(
        self, name: str, node: ast.For | ast.While | ast.expr, trains: bool, *args: ast.expr
    ) -> ast.Call:
        told: list[ast.expr] = [ast.Constant(one) for one in (self.file, node.lineno, trains)]
        call = ast.Call(ast.Name(name, ast.Load()), [*told, *args], [])
        place = args[0] if args else node
        ast.copy_location(call, place)
        for one in (call.func, *told):
            ast.copy_location(one, place)
        return call


@dataclass
class Loops:
    """The guards of the loops of a run.

    Parameters
    ----------
    tape : Tape
    notes : Notes
    deadline : float
        The time, by `time.monotonic`, at which all loops end.
    """

    tape: Tape
    notes: Notes
    deadline: float
    depth: int = 0

    def rounds(self, file: str, line: int, trains: bool, items: Iterable[Any]) -> Iterator[Any]:
        """Give the items of a ``for``, until it has to end."""
        guard = Guard(self, file, line, trains)
        if not trains and not self.depth and isinstance(items, Sized) and len(items) >= _MANY:
            guard.trains, guard.most = True, _MOST_PERHAPS
        self.depth += 1
        try:
            for item in items:
                if not guard.again():
                    return
                yield item
        finally:
            self.depth -= 1

    def guard(self, file: str, line: int, trains: bool) -> "Guard":
        """Return what a ``while`` asks before every round."""
        return Guard(self, file, line, trains)


class Guard:
    """The count of the rounds of one run of a loop."""

    def __init__(self, loops: Loops, file: str, line: int, trains: bool) -> None:
        self.loops, self.file, self.line, self.trains = loops, file, line, trains
        self.done = -1
        self.first = self.counted = len(loops.tape)
        self.bytes, self.most = 0, _MOST_NODES
        self.began = time.monotonic()

    def again(self) -> bool:
        """Whether there is another round."""
        self.done += 1
        if self.done < 1:
            return True
        now, nodes = time.monotonic(), self.loops.tape.nodes
        took, late = now - self.began, now > self.loops.deadline
        computes = len(nodes) > self.first
        if not computes or self.trains:
            self.bytes += sum(node.value.nbytes for node in nodes[self.counted :])
            self.counted = len(nodes)
            much = computes and (len(nodes) - self.first > self.most or self.bytes > _MOST_BYTES)
            if late or (self.done >= _FEWEST and (took > _MOST_SECONDS or much)):
                return self._end()
        elif late or (self.done >= _FEWEST and took > _COMPUTING_SECONDS):
            self._end()
            raise OutOfTime
        return True

    def _end(self) -> bool:
        rounds = f"{self.done} round{'s' if self.done > 1 else ''}"
        self.loops.notes.add(
            f"{self.file}, line {self.line}: the loop was ended after {rounds}.",
            once=f"loop {self.file} {self.line}",
        )
        return False

"""The functions and classes that a learner has written, and what their text tells of them."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FunctionType, MethodType, ModuleType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin

from clearprop.gradcheck.seeing.calling.materials import Kind
from clearprop.gradcheck.seeing.calling.reading import (
    assigned,
    key_of,
    name_of,
    numbered,
    strings,
)
from clearprop.gradcheck.seeing.judging.gradient_names import names_returned
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.running.notes import Notes
from clearprop.gradcheck.seeing.running.statements import pieces_of
from clearprop.gradcheck.seeing.tape import Line, Tape

_BATCH = 32  # samples at the most
_NUMBERED = 3  # layers of a network whose parameters go by numbers

_PASS = re.compile(r"__(forward|backward|feed|back_?prop|train|fit|update)\w*__$", re.I)
"""Methods that are called like those of Python's own."""

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False)
class Defined:
    """What a file, and the files of its folder that it imports, define.

    Parameters
    ----------
    namespace : mapping of str to object
        The names of the file after it ran.
    source : Source
    tape : Tape
        Its `files` are those that count.
    doubts : dict of str to int
        What could be read in several ways since they were cleared, and in how many.
    wanted : frozenset of str
        The functions and methods that should be called rather than others of their kind.
    called : set of type
        The layers that were called on their own.
    """

    namespace: Mapping[str, Any]
    source: Source
    tape: Tape
    doubts: dict[str, int] = field(default_factory=dict)
    wanted: frozenset[str] = frozenset()
    called: set[type] = field(default_factory=set)
    _definitions: dict[str, list[Definition]] = field(default_factory=dict)
    _compared: dict[str, list[str]] = field(default_factory=dict)
    _trees: dict[str, ast.AST] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for _, value in self._all():
            inner = vars(value).values() if isinstance(value, type) else (value,)
            for one in inner:
                if isinstance(one, FunctionType):
                    self._see_through(one)

    def _see_through(self, function: FunctionType) -> None:
        """Mark what a decorator has made of a function, where it has not done so itself."""
        asked = inspect.signature(function).parameters.values()
        named = [one for one in asked if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
        takes_all = len(named) < len(asked) and len(named) < 2
        if not takes_all:
            return
        for cell in function.__closure__ or ():
            with suppress(ValueError):  # of a cell that nothing was put into
                inner = cell.cell_contents
                if not isinstance(inner, FunctionType) or not self.is_own(inner):
                    continue
                # A wrapper that counts its calls, ``wrap.calls``, closes over itself, too.
                if inspect.unwrap(inner, stop=lambda one: one is function) is not function:
                    vars(function)["__wrapped__"] = inner

    def doubt(self, kind: Kind, name: str, ways: int) -> int:
        """Say that something can be read in several ways, and return which of them to take."""
        self.doubts[name] = max(ways, self.doubts.get(name, 0))
        return min(dict(kind.options).get(name, 0), ways - 1)

    def is_own(self, item: Any) -> bool:
        """Whether a function, or a class by one of its methods, is the learner's."""
        if isinstance(item, MethodType):
            item = item.__func__
        if isinstance(item, FunctionType):
            return item.__code__.co_filename in self.tape.files
        return isinstance(item, type) and any(
            self.is_own(getattr(one, "__func__", one))
            for kind in item.__mro__
            for one in vars(kind).values()
        )

    def is_first(self, item: Any) -> bool:
        """Whether a function is written in the file itself."""
        code = getattr(inspect.unwrap(item), "__code__", None)
        first = next(iter(self.source.files), "").split(", cell ")[0]
        return code is not None and code.co_filename.split(", cell ")[0] == first

    def _all(self) -> Iterator[tuple[str, Any]]:
        for name, value in list(self.namespace.items()):
            if isinstance(value, ModuleType):
                for inner, one in list(vars(value).items()):
                    if isinstance(one, type | FunctionType):
                        yield inner, one
            elif isinstance(value, type | FunctionType):
                yield name, value

    @cached_property
    def functions(self) -> dict[str, FunctionType]:
        """The functions by name, in the order in which they are written."""
        found = {
            name: one
            for name, one in self._all()
            if isinstance(one, FunctionType) and self.is_own(one) and one.__name__ != "<lambda>"
        }
        order = list(self.source.files)

        def place(item: tuple[str, FunctionType]) -> tuple[int, int]:
            code = item[1].__code__
            file = order.index(code.co_filename) if code.co_filename in order else -1
            return file, code.co_firstlineno

        return dict(sorted(found.items(), key=place))

    @cached_property
    def static(self) -> dict[str, FunctionType]:
        """The functions that classes hold without being methods, by name."""
        inner = {
            name: one.__func__
            for kind in self.classes.values()
            for name, one in vars(kind).items()
            if isinstance(one, staticmethod)
        }
        return {
            name: one
            for name, one in inner.items()
            if isinstance(one, FunctionType) and self.is_own(one)
        }

    @cached_property
    def classes(self) -> dict[str, type]:
        """The classes by name, each once, exceptions and abstract ones left out."""
        found: dict[str, type] = {}
        for name, one in self._all():
            if (
                isinstance(one, type)
                and self.is_own(one)
                and not issubclass(one, BaseException)
                and not inspect.isabstract(one)  # of which there are no objects
                and one not in found.values()
            ):
                found[name] = one
        return found

    def class_in(self, annotation: Any) -> type | None:
        """Return the learner's class that an annotation asks an object of; None of any other."""
        if get_origin(annotation) in (Union, UnionType):
            options = [one for one in get_args(annotation) if one is not type(None)]
            return self.class_in(options[0]) if options else None
        if isinstance(annotation, str):
            annotation = self.classes.get(annotation)
        return annotation if isinstance(annotation, type) and self.is_own(annotation) else None

    def methods(self, owner: Any) -> dict[str, Callable[..., Any]]:
        """Return the learner's methods of an object, bound, in the order that they are written."""
        kind = type(owner)
        found = {
            name: getattr(kind, name)
            for name in dir(kind)
            if not (name.startswith("__") and name != "__call__" and not _PASS.match(name))
            and self.is_own(inspect.unwrap(_function_of(kind, name)))
        }
        named = sorted(found, key=lambda name: _first_line(found[name]))
        bound = {name: getattr(owner, name) for name in named}
        return {name: one for name, one in bound.items() if callable(one)}  # no flag in its place

    def definition(self, function: Any) -> Definition | None:
        """Return the text of a function, as a tree."""
        function = getattr(function, "__func__", function)
        if callable(function):
            function = inspect.unwrap(function)
        code = getattr(function, "__code__", None)
        if code is None:
            return None
        if code.co_filename not in self._definitions:
            self._definitions[code.co_filename] = [
                one
                for one in ast.walk(self._tree(code.co_filename))
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
            ]
        for one in self._definitions[code.co_filename]:
            first = min([one.lineno, *(mark.lineno for mark in one.decorator_list)])
            if one.name == code.co_name and first == code.co_firstlineno:
                return one
        return None

    def part(self, line: Line) -> tuple[ast.AST | None, bool]:
        """Return the expression that was evaluated, or else the statement of a line.

        Of what is raised on a condition it is the condition. Also whether it says that something is
        not as it should be.
        """
        exact: ast.AST | None = None
        found: ast.AST | None = None
        test: ast.AST | None = None
        for node in ast.walk(self._tree(line.file)):
            if not isinstance(node, ast.expr | ast.stmt):
                continue
            last, column = node.end_lineno or 0, node.end_col_offset
            if isinstance(node, ast.stmt) and node.lineno <= line.number <= last:
                found = node
                test = node.test if isinstance(node, ast.If) else test
            elif (node.lineno, last, node.col_offset, column) == line.span:
                # What is assigned to tells nothing of what could not be taken apart.
                exact = None if isinstance(getattr(node, "ctx", None), ast.Store) else node
        if isinstance(found, ast.Raise):
            return test, True
        return (found, True) if isinstance(found, ast.Assert) else (exact or found, False)

    def returned(self, function: Any) -> list[str | None] | None:
        """Return the names in the last return statement of a function; None where there is none."""
        found = self.definition(function)
        return None if found is None else names_returned(found)

    def lists(self, function: Any) -> dict[str, list[str]]:
        """Return the names of what is put together in a function: ``grads = dW, db``."""
        found = self.definition(function)
        return {
            target.id: [name_of(one) or "" for one in value.elts]
            for node in (ast.walk(found) if found is not None else ())
            if isinstance(node, ast.Assign)
            for target, value in assigned(node)
            if isinstance(target, ast.Name)
            and isinstance(value, ast.Tuple | ast.List)
            and all(map(name_of, value.elts))
        }

    @cached_property
    def text(self) -> str:
        """All that was written."""
        return "\n".join("\n".join(lines) for lines in self.source.files.values())

    def keys(
        self, function: Any, argument: str, *, needed: bool = False, deep: int = 2
    ) -> list[str]:
        """Return the keys by which a function looks into a dict that it is given.

        What is `needed` are those that it can't do without; functions that it hands the dict on to
        look into it, too, as `deep` as that.
        """
        found = self.definition(function)
        keys: dict[str, None] = {}
        for node in ast.walk(found) if found is not None else ():
            key: ast.expr | None = None
            if isinstance(node, ast.Subscript) and name_of(node.value) == argument:
                key = node.slice
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                gives = not needed and node.func.attr in ("get", "setdefault", "pop")
                key = node.args[0] if gives and name_of(node.func.value) == argument else None
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                keys[key.value] = None
            elif key is not None and (prefix := numbered(key)):
                keys |= dict.fromkeys(f"{prefix}{number}" for number in range(1, _NUMBERED + 1))
            called = name_of(node.func) if isinstance(node, ast.Call) and deep else None
            if isinstance(node, ast.Call) and (inner := self.functions.get(called or "")):
                names = zip(inspect.signature(inner).parameters, node.args, strict=False)
                for name in [one for one, given in names if name_of(given) == argument]:
                    keys |= dict.fromkeys(self.keys(inner, name, needed=needed, deep=deep - 1))
        return list(keys)

    def compared(self, name: str) -> list[str]:
        """Return the strings that the code holds a variable or attribute of this name against."""
        if name not in self._compared:
            kept = [  # in an attribute of another name
                name_of(target)
                for node in self._walked
                if isinstance(node, ast.Assign)
                for target, value in assigned(node)
                if (isinstance(target, ast.Attribute) and name_of(value) == name)
                or (isinstance(target, ast.Name | ast.Attribute) and key_of(value) == name)
            ]
            names = dict.fromkeys((name, *filter(None, kept), *self._handed(name)))
            every = [word for one in names for word in self._find_compared(one)]
            self._compared[name] = list(dict.fromkeys(every))
        return self._compared[name]

    def _handed(self, name: str) -> Iterator[str]:
        """Yield the names of the arguments as which a variable is handed on to functions."""
        for node in self._walked:
            if not isinstance(node, ast.Call):
                continue
            function = self.functions.get(name_of(node.func) or "")
            if function is None:
                continue
            asked = inspect.signature(function).parameters
            yield from (
                to for to, one in zip(asked, node.args, strict=False) if name_of(one) == name
            )
            yield from (one.arg for one in node.keywords if one.arg and name_of(one.value) == name)

    def compared_items(self, name: str) -> list[str]:
        """Return the strings that the code holds items of a list against: ``acts[i] == "relu"``."""
        found: dict[str, None] = {}
        for node in self._walked:
            if not isinstance(node, ast.Compare):
                continue
            if isinstance(node.left, ast.Subscript) and name_of(node.left.value) == name:
                inner = (one for each in node.comparators for one in ast.walk(each))
                found |= dict.fromkeys(strings(inner))
        return list(found)

    @cached_property
    def _tables(self) -> dict[str, list[str]]:
        """The keys of what is written as a dict, by the name that it is given."""
        return {
            name: list(strings(value.keys))
            for node in self._walked
            if isinstance(node, ast.Assign)
            for target, value in assigned(node)
            if isinstance(value, ast.Dict) and (name := name_of(target)) is not None
        }

    def _find_compared(self, name: str) -> list[str]:
        found: dict[str, None] = {}
        for node in self._walked:
            if isinstance(node, ast.Compare) and name in (name_of(node.left), key_of(node.left)):
                for one in node.comparators:
                    found |= dict.fromkeys(self._tables.get(name_of(one) or "", ()))
                    found |= dict.fromkeys(strings(ast.walk(one)))
            elif isinstance(node, ast.Subscript) and name_of(node.slice) == name:
                found |= dict.fromkeys(self._tables.get(name_of(node.value) or "", ()))
                table = self.namespace.get(name_of(node.value) or "")
                if isinstance(table, dict):
                    found |= dict.fromkeys(key for key in table if isinstance(key, str))
                elif isinstance(node.value, ast.Dict):
                    found |= dict.fromkeys(strings(node.value.keys))
            elif isinstance(node, ast.Match) and name_of(node.subject) == name:
                patterns = [one.pattern for one in node.cases]
                values = (one.value for one in patterns if isinstance(one, ast.MatchValue))
                found |= dict.fromkeys(strings(values))
        return list(found)

    @cached_property
    def _walked(self) -> list[ast.AST]:
        return [one for name in self.source.files for one in ast.walk(self._tree(name))]

    def _tree(self, name: str) -> ast.AST:
        """Return a file that was watched, or a cell of it, as a tree."""
        if name not in self._trees:
            self._trees[name] = self._parsed(name)
        return self._trees[name]

    def _parsed(self, name: str) -> ast.AST:
        with suppress(SyntaxError, ValueError):
            return ast.parse("\n".join(self.source.files.get(name, ())))
        # It is Python 2, or a cell with commands of the notebook in it.
        file = Path(str(self.namespace.get("__file__", ""))).parent / name.split(", cell")[0]
        with suppress(OSError):
            for piece in pieces_of(file, name.split(", cell")[0], Notes(set())):
                if piece.name == name:
                    return piece.tree
        return ast.Module([], [])

    @cached_property
    def batch(self) -> int | None:
        """The samples of a batch that a constant of the file says, where they are not too many."""
        for name, value in self.namespace.items():
            if re.fullmatch(r"(mini_?)?batch_?size|batch|bs", name, re.I) and type(value) is int:
                return value if 1 < value <= _BATCH else None
        return None

    @cached_property
    def classes_said(self) -> int:
        """The classes that a default of the code says, where they are not too many; else 3."""
        found = re.search(r"n(um)?_?class(es)?(: *int)? *= *(\d+)", self.text, re.I)
        said = int(found[4]) if found else 3
        return said if 2 < said <= _BATCH else 3

    @cached_property
    def is_recurrent(self) -> bool:
        """Whether the code speaks of recurrent networks."""
        return (
            re.search(r"rnn|lstm|gru\b|recurr|bptt|h_?prev|time_?step", self.text, re.I) is not None
        )

    @cached_property
    def layers_said(self) -> int:
        """The layers with weights that the code speaks of, the highest number of a W; else 0."""
        numbers = re.findall(
            r"""\[\\?['"][wW]_?(\d)\\?['"]\]|\b[wW]_?(\d)\s*,\s*[bB]_?\d|\b[tT]heta_?(\d)\b""",
            self.text,
        )
        known = [int(one) for pair in numbers for one in pair if one]
        return min(5, max([2, *known])) if known else 0

    @property
    def layers(self) -> int:
        """The layers of a network: 3 where the code may have any number, as 2 hide mistakes."""
        return self.layers_said or 3


def _function_of(kind: type, name: str) -> Any:
    found = inspect.getattr_static(kind, name, None)
    return getattr(found, "__func__", found)


def _first_line(function: Any) -> int:
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code.co_firstlineno if code is not None else 0

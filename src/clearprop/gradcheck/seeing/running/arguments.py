"""The arguments and answers that a program asks for: such as its code holds them against."""

import argparse
import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from clearprop.gradcheck.seeing.running.loops import last_name

_GIVEN = "3"  # several hidden units, rounds or samples show more than one
_NUMBERS: dict[Any, Any] = {int: 3, float: 0.1, bool: True}
_MOST, _MOST_ANSWERS = 8, 30  # arguments; answers to one question
_PARSE = argparse.ArgumentParser.parse_known_args  # itself, while another stands in for it
_TRAINS = re.compile(r"^(do_)?(train|fit|learn)", re.I)
_HOW_MANY = re.compile(r"neur|hidden|units|nodes|how many|number of|ocult|couche|capa", re.I)
_SAVED = re.compile(r"load|restore|resume|saved|existing|pre-?trained", re.I)
_EXITS = ("exit", "quit", "_exit", "usage")
_SPELLS = ("lower", "upper", "strip", "casefold")
_ALL = "sys.argv"


class Asked:
    """What a program asks of those who run it.

    Parameters
    ----------
    trees : mapping of str to ast.Module
        What was parsed of its files; more may come.
    """

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self.trees = trees
        self._counts: Counter[tuple[str, int]] = Counter()

    def given(self) -> list[str]:
        """Return what follows the name of the program: as many as it can't do without."""
        count = max((_needed(node) for node in self._nodes()), default=0)
        return [self.at(place) for place in range(1, count + 1)]

    def at(self, place: int) -> str:
        """Return what is given at a place after the name of the program."""
        return next(iter(self.words(f"{_ALL}[{place}]")), _GIVEN)

    def parsed(self, parser: argparse.ArgumentParser, *args: Any, **named: Any) -> Any:
        """Parse arguments as ``parse_known_args`` does; where some are missing, give all.

        What says whether the program trains says that it does.
        """
        actions = [one for one in parser._actions if one.default is not argparse.SUPPRESS]
        rest: list[str] = []
        try:
            found, rest = _PARSE(parser, *args, **named)
        except SystemExit:
            found = argparse.Namespace(**self._values(parser))
        for one in actions:
            value = getattr(found, one.dest, one)
            if value is False and one.nargs == 0 and _TRAINS.match(one.dest):
                setattr(found, one.dest, True)
            elif value is None:
                trains = [word for word in self.words(one.dest) if _TRAINS.match(word)]
                setattr(found, one.dest, next(iter(trains), None))
        return found, rest

    def _values(self, parser: argparse.ArgumentParser) -> dict[str, Any]:
        found: dict[str, Any] = dict(parser._defaults)
        for one in parser._actions:
            if one.default is not argparse.SUPPRESS:
                found[one.dest] = self._value(one)
            if isinstance(one, argparse._SubParsersAction) and one.choices:
                name = min(one.choices, key=lambda word: _TRAINS.match(word) is None)
                found |= {**self._values(one.choices[name]), one.dest: name}
        return found

    def _value(self, action: argparse.Action) -> Any:
        if action.default is not None or not (action.required or not action.option_strings):
            return action.default
        kind: Any = action.type
        if kind in (None, str):
            words = [*(action.choices or self.words(action.dest)), action.dest]
        else:
            words = [*(action.choices or ()), _NUMBERS.get(kind, _GIVEN)]
        several = action.nargs in ("+", "*") or isinstance(action.nargs, int)
        return words[:1] if several else words[0]

    def answer(self, prompt: str, file: str, line: int) -> str:
        """Answer a question in a line of a file; the same again in another way.

        Raises
        ------
        EOFError
            If it is asked for good.
        """
        count = self._counts[file, line]
        self._counts[file, line] += 1
        if count >= _MOST_ANSWERS:
            raise EOFError("no more answers")
        words: list[str] = []
        for node in self._covering(file, line):
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                words += [word for one in targets for word in self.words(last_name(one))]
            elif isinstance(node, ast.Compare):
                words += _strings(node.comparators)
        if words and _SAVED.search(prompt):  # nothing that a training has left is there
            words = [word for word in words if word[0] in "nN"] or ["n"]
        words = list(dict.fromkeys(words)) or ["3" if _HOW_MANY.search(prompt) else "1"]
        return words[count % len(words)]

    def needs(self, file: str, line: int) -> bool:
        """Whether a program ends where what a line asks for is not there: a file, say."""
        for node in self._covering(file, line):
            if isinstance(node, ast.Assert):
                return True
            if isinstance(node, ast.If) and _covers(node.test, line):
                is_negated = isinstance(node.test, ast.UnaryOp)
                return any(map(_exits, node.body if is_negated else node.orelse))
        return False

    def words(self, name: str) -> list[str]:
        """Return the strings that the code holds an argument against; one to train first."""
        names, found = {name}, list[str]()
        for node in self._nodes():
            if isinstance(node, ast.Assign) and _named(node.value) in names:
                names |= {last_name(one) for one in node.targets}
        keys = {
            last_name(one): [key for key in node.value.keys if key is not None]
            for node in self._nodes()
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
            for one in node.targets
        }
        for node in self._nodes():
            sides: list[Any] = []
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
            elif isinstance(node, ast.Match):
                sides = [node.subject, *(one.pattern for one in node.cases)]
            elif isinstance(node, ast.Subscript):
                sides = [node.slice, *keys.get(_named(node.value), ())]
            if any(_named(one) in names for one in sides):
                found += _strings(sides)
        return sorted(dict.fromkeys(found), key=lambda word: _TRAINS.match(word) is None)

    def _nodes(self) -> Iterator[ast.AST]:
        for tree in list(self.trees.values()):
            yield from ast.walk(tree)

    def _covering(self, file: str, line: int) -> Iterator[ast.AST]:
        tree = self.trees.get(file)
        return (one for one in ast.walk(tree) if _covers(one, line)) if tree else iter(())


class Arguments(list[str]):
    """The arguments of a program; those that are not there are given."""

    def __init__(self, items: list[str], asked: Asked) -> None:
        super().__init__(items)
        self._asked = asked

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, int) and place >= len(self):
            return self._asked.at(place)
        return super().__getitem__(place)


def _covers(node: ast.AST, line: int) -> bool:
    return getattr(node, "lineno", line + 1) <= line <= (getattr(node, "end_lineno", 0) or 0)


def _named(node: ast.AST) -> str:
    """Return the name of a variable, or the place among the arguments, however it is spelt."""
    while isinstance(node, ast.Call) and last_name(node.func) in _SPELLS:
        node = getattr(node.func, "value", node.func)
    return ast.unparse(node) if isinstance(node, ast.Subscript) else last_name(node)


def _strings(nodes: list[Any]) -> list[str]:
    inner = [one for node in nodes for one in ast.walk(node) if isinstance(one, ast.Constant)]
    return [one.value for one in inner if isinstance(one.value, str) and one.value]


def _needed(node: ast.AST) -> int:
    """Return how many arguments a statement takes for granted."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple | ast.List):
        count = len(node.targets[0].elts)
        return {_ALL: count - 1, f"{_ALL}[1:]": count}.get(ast.unparse(node.value), 0)
    if not isinstance(node, ast.If) or not any(map(_exits, node.body)):
        return 0
    test = ast.unparse(node.test)
    for count in range(_MOST if _ALL in test else 0):
        text = test.replace(f"len({_ALL})", str(count + 1))
        with suppress(Exception):
            if not eval(text, {"__builtins__": {}}):  # noqa: S307 - numbers that are compared
                return count
    return 0


def _exits(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise | ast.Return):
        return True
    calls = (one for one in ast.walk(statement) if isinstance(one, ast.Call))
    return any(last_name(one.func) in _EXITS for one in calls)

"""What a call that failed says of its arguments: which of them does not fit, and what would."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import chain, count, permutations
from types import FrameType
from typing import Any, TypeAlias

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, watch
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.materials import STEPS, Kind
from clearprop.gradcheck.seeing.calling.pool import arrays_in
from clearprop.gradcheck.seeing.calling.usual import function_for
from clearprop.gradcheck.seeing.tape import Line, Node, Tape, ancestors

_MOST = 80  # calls
_DEEPEST = 4  # axes
_LARGE = 100
_SIZES = 3  # of which one is taken for another
_WITHIN = 1e5  # instructions: how far it came in a line counts less than a line
_DEEP = 2  # lists within lists
_OF_SHAPES = re.compile(
    r"shape|align|broadcast|dimension|axis|axes|unpack|index|size|iterat|scalar"
)
_AS_ONE = re.compile(r"interpreted as an integer|can't multiply sequence|unsupported operand")
_AS_SEVERAL = re.compile(r"not subscriptable|not iterable|has no len|unpack")
_EXPECTED = re.compile(r"expected (\d+)")
_INDEXED = re.compile(r"but (\d+) were indexed")

Place: TypeAlias = tuple[Any, ...]
"""Where a value lies in the arguments: the name of one, and keys and places in it."""


@dataclass(eq=False)
class Learning:
    """A search for arguments with which a function runs, led by the lines in which it fails.

    Of what was tried, that which came through most lines of the code is changed first.

    Parameters
    ----------
    defined : Defined
    kind : Kind
        What the data look like, whose sizes an axis may have.
    fixed : frozenset of str
        The arguments that are not to be changed.
    """

    defined: Defined
    kind: Kind
    fixed: frozenset[str] = frozenset()
    _known: set[str] = field(default_factory=set)

    def call(
        self,
        function: Callable[[dict[str, Any]], Any],
        first: dict[str, Any],
        *others: dict[str, Any],
    ) -> tuple[Any, dict[str, Any]]:
        """Call a function until it does not fail; return its result and its arguments.

        Parameters
        ----------
        function : callable
            A function of a dict of arguments.
        first, *others : dict of str to object
            Those with which it is called first.

        Raises
        ------
        Exception
            That of the first call, if it fails with all others, too.
        """
        order, failed, spread = count(), None, None
        waiting, texts = [(-np.inf, next(order), one) for one in (first, *others)], set[str]()
        for _ in range(_MOST):
            if not waiting:
                break
            given = heappop(waiting)[-1]
            begun = len(self.defined.tape)
            result, error = attempted(lambda given=given: function(dict(given)))
            if error is None:
                node = outer_sum(self.defined.tape, begun)
                if node is None:
                    return result, given
                spread = spread or given
                text, line = repr(node.line), node.line
                lines = _lines(self.defined, begun, node.place)
                lessons = list(self._of_spread(given, node))
            else:
                failed = failed or error
                place = _failing(self.defined, error)
                text, line = str(error), None if place is None else place[1]
                lines = _lines(self.defined, begun)
                lessons = [] if place is None else list(self._lessons(given, *place, text))
            come = lines + (0 if line is None else line.instruction / _WITHIN)
            come += text not in texts  # what has not been said yet leads on
            texts.add(text)
            for at, value in lessons:
                changed = _with(given, at, value)
                key = str([_told(one) for one in changed.values()])
                if key not in self._known:
                    self._known.add(key)
                    heappush(waiting, (-come, next(order), changed))
        if spread is not None:
            return function(dict(spread)), spread
        assert failed is not None  # noqa: S101 - it was called
        raise failed

    def _of_spread(self, given: Mapping[str, Any], node: Node) -> Iterator[tuple[Place, Any]]:
        """Yield other values for what came to two arrays that were spread over each other.

        One of them is laid the other way, or is made from data that have an axis too few.
        """
        free = {name: one for name, one in given.items() if name not in self.fixed}
        places = [
            (at, one)
            for name, value in free.items()
            for at, one in _places((name,), value)
            if type(one) is Watched
        ]
        shapes = [one.value.shape for one in node.parents]
        for at, value in places:
            if node_of(value) in node.parents:
                for shape in (value.shape[::-1], *shapes):
                    yield at, drawn_like(value, shape)
        behind = ancestors(node.parents)
        for at, value in places:
            if node_of(value) in behind and node_of(value).name == "data":
                for shape in ((*value.shape, 1), value.shape[::-1]):
                    yield at, drawn_like(value, shape)

    def _lessons(
        self, given: Mapping[str, Any], frame: FrameType, line: Line, text: str
    ) -> Iterator[tuple[Place, Any]]:
        """Yield other values for what a failing line speaks of, with its place."""
        node, is_said = self.defined.part(line)
        if node is None:
            return
        sizes = list(_sizes_in(frame, node))
        if is_said:  # with a bias beside them, say
            sizes += [one + more for one in sizes for more in (1, -1) if one + more > 0]
        sizes = list(dict.fromkeys([*sizes, *self._sizes]))
        free = {name: one for name, one in given.items() if name not in self.fixed}
        near, far = _concerned(frame, node, free)
        for at, value in (*near, *far):
            name, is_near = at[0], at in [one for one, _ in near]
            if type(value) is not Watched:
                yield from ((at, other) for other in self._others(value, name, text))
                yield from ((at, one) for one in (_numbers(value) if is_said else ()))
            elif is_said or _OF_SHAPES.search(text):
                others = sorted(sizes, key=value.shape.__contains__)
                shapes = _shapes(value.shape, text, others, sizes_first=is_near or is_said)
                shapes = chain(_asserted(frame, node, name), shapes)
                yield from ((at, drawn_like(value, shape)) for shape in shapes)
        if _OF_SHAPES.search(text):
            yield from (((), one) for one in _made_one(given, free, _sizes_of(frame, node)))

    @property
    def _sizes(self) -> list[int]:
        kind = self.kind
        return [kind.features, kind.hidden, kind.outputs, kind.samples, STEPS]

    def _others(self, value: Any, name: str, text: str) -> Iterator[Any]:
        """Yield what may stand in the place of something that is no array."""
        number = isinstance(value, int) and not isinstance(value, bool)
        wanted = _EXPECTED.search(text)
        if isinstance(value, list | tuple) and wanted and all(isinstance(n, int) for n in value):
            yield type(value)([*value, *[1] * int(wanted[1])][: int(wanted[1])])
        elif isinstance(value, list | tuple) and value and _AS_ONE.search(text):
            yield value[-1]
        elif number and _AS_SEVERAL.search(text):
            yield from ((value,) * many for many in (2, 3, 1))
            yield list(self.kind.sizes)
        elif "not callable" in text:
            yield function_for(name)


def _numbers(value: Any) -> Iterator[int]:
    """Yield the numbers in a list, where one of them may have been meant."""
    if isinstance(value, list | tuple):
        yield from (one for one in dict.fromkeys(value[1:-1] or value) if type(one) is int)


def arrays_failing(defined: Defined, error: Exception) -> list[Any]:
    """Return the arrays in the part of a line in which an error arose."""
    place = _failing(defined, error)
    node = None if place is None else defined.part(place[1])[0]
    if place is None or node is None:
        return []
    frame = place[0]
    return [each for one in ast.walk(node) for each in arrays_in(_value(frame, one))]


def _lines(defined: Defined, begun: int, until: int | None = None) -> float:
    """Return through how many lines a call has come before it failed."""
    nodes = defined.tape.nodes[begun:until]
    return float(len({(one.file, one.number) for node in nodes for one in node.lines[:1]}))


def outer_sum(tape: Tape, since: int) -> Node | None:
    """Return the first sum of two arrays that is larger than both: they were not laid alike."""
    for node in tape.nodes[since:]:
        if node.name in ("add", "subtract") and len(node.parents) == 2:
            sizes = [one.value.size for one in node.parents]
            if node.value.size > max(sizes) and min(sizes) > 1:
                return node
    return None


def _failing(defined: Defined, error: Exception) -> tuple[FrameType, Line] | None:
    """Return the innermost watched frame in which an error arose, and the line."""
    found, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename in defined.tape.files:
            found = step
        step = step.tb_next
    if found is None:
        return None
    code = found.tb_frame.f_code
    return found.tb_frame, Line(
        code.co_filename, found.tb_lineno, code.co_name, code, found.tb_lasti
    )


def _concerned(
    frame: FrameType, node: ast.AST, given: Mapping[str, Any]
) -> tuple[list[tuple[Place, Any]], list[tuple[Place, Any]]]:
    """Return the arguments that stand in a failing line, and those of which something there comes.

    Each with its place.
    """
    values = [value for one in ast.walk(node) if (value := _value(frame, one)) is not None]
    places = [both for name, one in given.items() for both in _places((name,), one)]
    near = [(at, one) for at, one in places if any(one is value for value in values)]
    near.sort(key=_is_data)
    behind = ancestors(node_of(one) for value in values for one in arrays_in(value))
    known = {at for at, _ in near}
    others = [(at, one) for at, one in places if type(one) is Watched and at not in known]
    return near, [(at, one) for at, one in others if node_of(one) in behind]


def _is_data(item: tuple[Place, Any]) -> int:
    """Return how late an argument is changed: data last, after arrays that are none."""
    array = item[1]
    return 0 if type(array) is not Watched else 1 + (node_of(array).name == "data")


def _places(at: Place, value: Any) -> Iterator[tuple[Place, Any]]:
    """Yield a value with its place, and what lies in it where it is a list or a dict."""
    yield at, value
    inner = list(value.items()) if isinstance(value, dict) else []
    if isinstance(value, list | tuple) and len(value) <= _LARGE:
        inner = list(enumerate(value))
    for key, one in inner if len(at) <= _DEEP else ():
        yield from _places((*at, key), one)


def _with(item: Any, place: Place, value: Any) -> Any:
    """Return a copy of a dict or a list with another value at a place in it."""
    if not place:
        return value
    changed = dict(item) if isinstance(item, dict) else list(item)
    changed[place[0]] = _with(changed[place[0]], place[1:], value)
    return tuple(changed) if isinstance(item, tuple) else changed


def _value(frame: FrameType, node: ast.AST) -> Any:
    """Return the value that a name, or an attribute of an object, has in a frame."""
    if isinstance(node, ast.Name):
        return frame.f_locals.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(frame, node.value), "__dict__", {}).get(node.attr)
    return node.value if isinstance(node, ast.Constant) else None


def _sizes_in(frame: FrameType, node: ast.AST) -> Iterator[int]:
    """Yield the sizes of all that a failing line speaks of."""
    for value in (_value(frame, one) for one in ast.walk(node)):
        if type(value) is int and 0 < value < _LARGE:
            yield value
        for array in arrays_in(value):
            yield from array.shape


def _sizes_of(frame: FrameType, node: ast.AST) -> list[int]:
    """Return the sizes of the arrays that a failing line speaks of."""
    arrays = [each for one in ast.walk(node) for each in arrays_in(_value(frame, one))]
    return list(dict.fromkeys(size for one in arrays for size in one.shape if size > 1))


def _made_one(
    given: Mapping[str, Any], free: Mapping[str, Any], sizes: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Yield arguments in which one size has become another one, wherever it occurs."""
    arrays = {name: one for name, one in free.items() if type(one) is Watched}
    for old, new in permutations(sizes[:_SIZES], 2):
        shapes = {
            name: tuple(new if size == old else size for size in one.shape)
            for name, one in arrays.items()
            if old in one.shape
        }
        changed = {name: drawn_like(arrays[name], shape) for name, shape in shapes.items()}
        yield {**given, **changed}


def _asserted(frame: FrameType, node: ast.AST, name: str) -> Iterator[tuple[int, ...]]:
    """Yield the shape that an argument was said to have: ``assert h.shape == (n, 1)``."""
    for one in ast.walk(node):
        if not isinstance(one, ast.Compare) or not isinstance(one.comparators[0], ast.Tuple):
            continue
        asked = [_value(frame, part) for part in one.comparators[0].elts]
        if ast.unparse(one.left) == f"{name}.shape" and all(type(n) is int for n in asked):
            yield tuple(asked)


def _shapes(
    shape: tuple[int, ...], text: str, sizes: Sequence[int], *, sizes_first: bool
) -> Iterator[tuple[int, ...]]:
    """Yield other shapes for an array, with other sizes first or with other axes."""
    asked = _EXPECTED.search(text) or _INDEXED.search(text)
    if asked is not None and int(asked[1]) != len(shape):
        axes = int(asked[1])
        if axes < len(shape):
            yield shape[-axes:]
        elif axes == _DEEPEST:
            yield (2, *[shape[-1]] * 3)
        else:
            yield (*shape[:-1], *[STEPS] * (axes - len(shape)), *shape[-1:])
    resized = [
        (*shape[:axis], size, *shape[axis + 1 :])
        for axis in reversed(range(len(shape)))
        for size in sizes
    ]
    if len(shape) == 2:
        yield shape[::-1]
    if sizes_first:
        yield from resized
    if len(shape) < _DEEPEST:
        yield (*shape[:-1], STEPS, *shape[-1:])
        yield (*shape, 1)
    if len(shape) > 1:
        yield shape[1:]
    if not sizes_first:
        yield from resized


def drawn_like(array: Watched, shape: tuple[int, ...]) -> Watched:
    """Return an array of another shape, and of the same kind: of targets 0 and 1 such, too."""
    old, axes = np.asarray(array), [axis for axis, size in enumerate(shape) if size > 1]
    is_binary = bool(np.isin(old, (0, 1)).all())
    if shape == old.shape[::-1]:
        new = old.T.copy()
    elif is_binary and old.ndim > 1 and len(axes) > 1 and (old.sum(axis=-1) == 1).all():
        rest = (*shape[: axes[-1]], *shape[axes[-1] + 1 :])
        classes = np.arange(int(np.prod(rest))) % shape[axes[-1]]
        one_hot = np.eye(shape[axes[-1]])[classes]
        new = np.moveaxis(one_hot.reshape(*rest, -1), -1, axes[-1])
    elif old.dtype.kind == "f" and not is_binary:
        new = np.random.RandomState(len(shape)).uniform(-1, 1, shape)
    else:
        new = np.resize(old, shape)
    return watch(new, node_of(array).name)


def _told(value: Any) -> str:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return f"{type(value)}{[_told(one) for one in value[:_LARGE]]}"
    return str(value.shape) if type(value) is Watched else repr(value)[:_LARGE]

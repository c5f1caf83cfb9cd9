"""The tape: every array that watched code computes, from what, and in which of its lines."""

import sys
from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dis import get_instructions
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType
from typing import Any

import numpy as np

from clearprop.core.parameters import Array

_FRAMES = 60  # of the stack that are searched for lines of watched code
_CALLERS = 6  # that are kept
_NESTED = 4  # lists within lists in which arrays are looked for
_LONG = 4000  # items of a list in which arrays are looked for
_EMPTY = frozenset(("empty", "full", "ones", "zeros"))  # by which what is filled later is made


class TapeFull(BaseException):
    """The tape has reached its limit; no ``except Exception`` of watched code may swallow it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of watched code that was running.

    Parameters
    ----------
    file : str
    number : int
        The number of the line in its file, from 1.
    function : str
        The function that it stands in; ``<module>`` outside all.
    code : code object
    instruction : int
        The place in it, which tells the part of the line.
    """

    file: str
    number: int
    function: str
    code: CodeType
    instruction: int

    @property
    def span(self) -> tuple[int, int, int, int] | None:
        """First and last line of the expression that was evaluated, first and last column."""
        return _span(self.code, self.instruction)

    @property
    def columns(self) -> tuple[int, int] | None:
        """The columns of the expression that was evaluated; None where it spans lines."""
        span = self.span
        alone = span is not None and span[0] == span[1] == self.number
        return span[2:] if alone and span is not None else None


_BEGINS: dict[tuple[int, int], tuple[int, CodeType]] = {}
"""By code and last instruction: where that begins; the code is kept, so that its id is its own."""


def _instruction(code: CodeType, last: int) -> int:
    """Return where an instruction begins that is running: what Python makes of it may end later."""
    known = _BEGINS.get((id(code), last))
    if known is None:  # a code object takes long to hash
        offsets = [one.offset for one in get_instructions(code)]
        known = _BEGINS[id(code), last] = offsets[bisect_right(offsets, last) - 1], code
    return known[0]


@lru_cache(4096)
def _span(code: CodeType, instruction: int) -> tuple[int, int, int, int] | None:
    span = next(islice(code.co_positions(), instruction // 2, None), (None,))
    return span if None not in span else None  # type: ignore[return-value]


class Node:
    """A value of an array at a moment, and how it came about.

    Attributes
    ----------
    place : int
        Its place on the tape.
    name : str
        The operation: ``add``, ``matmul``, ``getitem``; of what was not computed, its origin.
    compute : callable or None
        A function that computes the value anew from `args` and `kwargs`, in which nodes stand for
        their values. None for what was not computed from other arrays.
    args : tuple
    kwargs : dict
    value : ndarray
        A copy of the value.
    parents : tuple of Node
        The nodes in `args` and `kwargs`, each once.
    lines : tuple of Line
        The lines of watched code that were running, the innermost first.
    before : Node or None
        The value that the same array had before, where this one was written into it.
    is_used : bool
        Whether something was computed of it.
    """

    __slots__ = (
        "args",
        "before",
        "compute",
        "is_used",
        "kwargs",
        "lines",
        "name",
        "parents",
        "place",
        "value",
    )

    place: int
    name: str
    compute: Callable[..., Any] | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    value: Array
    parents: tuple["Node", ...]
    lines: tuple[Line, ...]
    before: "Node | None"
    is_used: bool

    def __repr__(self) -> str:
        where = f", line {self.lines[0].number}" if self.lines else ""
        return f"<{self.place}: {self.name} {self.value.shape}{where}>"

    @property
    def line(self) -> Line | None:
        """The innermost line of watched code."""
        return self.lines[0] if self.lines else None

    @property
    def is_float(self) -> bool:
        """Whether it may have a derivative."""
        return self.value.dtype.kind == "f"

    @property
    def is_being_filled(self) -> bool:
        """Whether it was made of one number, and nothing has been made of it yet: data, say."""
        return self.compute is None and not self.is_used and self.name in _EMPTY


class Tape:
    """All nodes in the order of their computation.

    Parameters
    ----------
    files : iterable of str
        The names of the files whose lines are kept; more may be added to `files`.
    most_nodes : int
        The number of nodes that it holds.
    most_bytes : int
        The number of bytes that their values take.
    """

    def __init__(
        self, files: Iterable[str] = (), most_nodes: int = 60_000, most_bytes: int = 10**9
    ) -> None:
        self.files = set(files)
        self.nodes: list[Node] = []
        self.cuts: list[int] = []
        """The places at which code was ended because it computed too much."""
        self.most_nodes, self.most_bytes = most_nodes, most_bytes
        self._bytes = 0

    def __len__(self) -> int:
        return len(self.nodes)

    def leaf(self, value: Any, name: str) -> Node:
        """Put down an array that was not computed from others."""
        return self.record(name, None, (), {}, value)

    def record(
        self,
        name: str,
        compute: Callable[..., Any] | None,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        value: Any,
        before: Node | None = None,
    ) -> Node:
        """Put down a value that was computed; nodes in the arguments are its parents.

        Raises
        ------
        TapeFull
        """
        node = Node()
        node.name, node.compute, node.before, node.is_used = name, compute, before, False
        node.args, node.kwargs = tuple(args), dict(kwargs)
        node.value = np.array(value, subok=False)
        node.parents = tuple(dict.fromkeys(nodes_in((node.args, node.kwargs))))
        for parent in node.parents:
            parent.is_used = True
        node.lines = tuple(self._lines(sys._getframe(1)))
        self._bytes += node.value.nbytes
        if len(self.nodes) >= self.most_nodes or self._bytes > self.most_bytes:
            raise TapeFull
        node.place = len(self.nodes)
        self.nodes.append(node)
        return node

    def _lines(self, frame: FrameType | None) -> Iterator[Line]:
        found = 0
        for _ in range(_FRAMES):
            if frame is None or found == _CALLERS:
                return
            code = frame.f_code
            if code.co_filename in self.files:
                found += 1
                number = frame.f_lineno or code.co_firstlineno
                at = _instruction(code, frame.f_lasti)
                yield Line(code.co_filename, number, code.co_name, code, at)
            frame = frame.f_back


def beside(node: Node, value: Array) -> Node:
    """Return what a node would be with another value, on no tape."""
    made = Node()
    made.name, made.compute, made.before, made.is_used = "beside", lambda _: value, None, False
    made.args, made.kwargs, made.parents, made.lines = (node,), {}, (node,), node.lines
    made.value, made.place = value, node.place
    return made


def within(node: Node, caller: Line) -> bool:
    """Whether a node was computed in a call."""
    return any(
        line.code is caller.code and line.instruction == caller.instruction
        for line in node.lines[1:]
    )


def nodes_in(item: Any, depth: int = 0) -> Iterator[Node]:
    """Find the nodes in arguments, in lists and tuples of them, too."""
    if isinstance(item, Node):
        yield item
    elif isinstance(item, dict):
        for value in item.values():
            yield from nodes_in(value, depth)
    elif isinstance(item, list | tuple) and depth <= _NESTED and len(item) < _LONG:
        for value in item:
            yield from nodes_in(value, depth + 1)


def filled(item: Any, value_of: Callable[[Node], Any], depth: int = 0) -> Any:
    """Put values in the places of the nodes in arguments."""
    if isinstance(item, Node):
        return value_of(item)
    if isinstance(item, dict):
        return {name: filled(value, value_of, depth) for name, value in item.items()}
    if isinstance(item, list | tuple) and depth <= _NESTED and len(item) < _LONG:
        values = [filled(value, value_of, depth + 1) for value in item]
        return values if isinstance(item, list) else tuple(values)
    return item


def computed(node: Node, value_of: Callable[[Node], Any]) -> Any:
    """Compute a node anew, from other values of its parents."""
    assert node.compute is not None  # noqa: S101 - only what was computed
    return node.compute(*filled(node.args, value_of), **filled(node.kwargs, value_of))


def depending(
    sources: Iterable[Node], nodes: Iterable[Node], stop: frozenset[Node] | set[Node]
) -> set[Node]:
    """Return the sources and all nodes that were computed from them, in the order of the tape.

    Parameters
    ----------
    sources : iterable of Node
    nodes : iterable of Node
        The nodes to look at, in the order of the tape.
    stop : set of Node
        The nodes at which it ends: they and what comes of them alone are not among the result.
    """
    found = set(sources)
    for node in nodes:
        if node not in stop and node not in found and any(one in found for one in node.parents):
            found.add(node)
    return found


def ancestors(nodes: Iterable[Node], among: Container[Node] | None = None) -> set[Node]:
    """Return nodes and all that they were computed from, as far as it is among some others."""
    found = set(nodes)
    stack = list(found)
    while stack:
        for parent in stack.pop().parents:
            if parent not in found and (among is None or parent in among):
                found.add(parent)
                stack.append(parent)
    return found


class Replay:
    """A part of the tape, to be computed anew from other values of some nodes.

    Parameters
    ----------
    tape : Tape
    sources : iterable of Node
        The nodes whose values change.
    targets : iterable of Node
        The nodes that are asked for.
    among : container of Node, optional
        What is computed anew; all else, such as other parameters' updates, keeps its values.
    """

    def __init__(
        self,
        tape: Tape,
        sources: Iterable[Node],
        targets: Iterable[Node],
        among: Container[Node] | None = None,
    ) -> None:
        self.targets = tuple(targets)
        starts = list(sources)
        needed, stack = set(self.targets), list(self.targets)
        first = min((node.place for node in starts), default=0)
        while stack:
            for parent in stack.pop().parents:
                if parent.place >= first and parent not in needed:
                    needed.add(parent)
                    stack.append(parent)
        last = max((node.place for node in self.targets), default=-1)
        within = [node for node in tape.nodes[first : last + 1] if node in needed]
        moved = depending([node for node in starts if node in needed], within, set())
        given = set(starts)
        moved = moved if among is None else {node for node in moved if node in among}
        self.steps = [node for node in within if node in moved and node not in given]

    def __call__(self, values: Mapping[Node, Array]) -> list[Any]:
        """Compute the targets from other values of the sources."""
        known: dict[Node, Any] = dict(values)

        def value_of(node: Node) -> Any:
            return known.get(node, node.value)

        with np.errstate(all="ignore"):
            for node in self.steps:
                known[node] = computed(node, value_of)
        return [value_of(node) for node in self.targets]

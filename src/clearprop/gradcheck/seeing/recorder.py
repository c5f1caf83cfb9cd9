"""What writes the tape while watched code runs, and what it does where the tape is full."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.tape import Node, Tape, TapeFull

_LARGE = 2**16  # entries of an array that are all compared at every use


@dataclass(eq=False)
class Recorder:
    """A tape that is written, and the nodes of arrays that are not watched.

    Parameters
    ----------
    tape : Tape
    is_live : bool
        Whether code runs in its user's own process: it computes what it would compute unwatched, to
        the last bit, and goes on where the tape is full or something can't be put down.
    ended : bool
        Whether nothing more is put down.
    """

    tape: Tape
    is_live: bool = False
    ended: bool = False
    _raw: dict[int, tuple[Array, Node]] = field(default_factory=dict)

    def raw_node(self, array: Array) -> Node:
        """Return the node of an array that is not watched; a new one where it has changed."""
        kept = self._raw.get(id(array))
        if kept is not None and is_still(kept[1], array, closely=not self.is_live):
            return kept[1]
        node = self.leaf(array, "given")
        if not self.ended:
            self._raw[id(array)] = array, node  # the array, too, so that its id stays its own
        return node

    def leaf(self, value: Any, name: str) -> Node:
        """Put down an array that was not computed from others."""
        node = self.record(name, None, (), {}, value)
        if self.is_live:
            node.lines = ()  # it was there before it is first met
        return node

    def record(
        self,
        name: str,
        compute: Callable[..., Any] | None,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        value: Any,
        before: Node | None = None,
    ) -> Node:
        """Put down a value, as `Tape.record` does.

        Raises
        ------
        TapeFull
            If the tape is full and the code is not live.
        """
        if not self.ended:
            try:
                return self.tape.record(name, compute, args, kwargs, value, before)
            except TapeFull:
                if not self.is_live:
                    raise
                self.end()
        return _beyond()

    def end(self) -> None:
        """Put nothing more down."""
        self.ended = True
        self._raw.clear()


ACTIVE: list[Recorder] = []
"""What is recording; the last one counts."""


@contextmanager
def recording(tape: Tape) -> Iterator[Tape]:
    """Write what watched arrays do to a tape."""
    recorder = start_recording(tape)
    try:
        yield tape
    finally:
        ACTIVE.remove(recorder)


def start_recording(tape: Tape, *, is_live: bool = False) -> Recorder:
    """Write what watched arrays do to a tape, until the recorder is no more in `ACTIVE`."""
    ACTIVE.append(Recorder(tape, is_live))
    return ACTIVE[-1]


def is_recording() -> bool:
    """Whether what watched arrays do is put down."""
    return bool(ACTIVE) and not ACTIVE[-1].ended


def is_live() -> bool:
    """Whether watched code runs in its user's own process."""
    return bool(ACTIVE) and ACTIVE[-1].is_live


def _beyond() -> Node:
    """Make a node that is on no tape."""
    node = Node()
    node.name, node.compute, node.before, node.is_used = "beyond", None, None, False
    node.args, node.kwargs, node.parents, node.lines = (), {}, (), ()
    node.value, node.place = np.zeros(()), -1
    return node


def is_still(node: Node, array: Array, *, closely: bool = False) -> bool:
    """Whether an array has the value of a node; if not `closely`, some rows of a large one."""
    value = node.value
    if value.shape != array.shape:
        return False
    if value.size > _LARGE and not closely:
        step = value.size // _LARGE + 1
        value, array = value[::step], array[::step]
    # NaN, which equals nothing, is looked for only where something differs.
    same = bool((value == array).all())
    return same or (array.dtype.kind == "f" and np.array_equal(value, array, equal_nan=True))

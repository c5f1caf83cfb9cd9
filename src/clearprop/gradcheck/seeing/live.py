"""Code watched where it runs: a block of a user's own program, with the arrays that it has."""

import ctypes
import inspect
import linecache
import sys
from collections.abc import Mapping, Set
from types import CodeType, FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from clearprop.errors import UsageError
from clearprop.gradcheck.seeing.arrays import Watched, node_of
from clearprop.gradcheck.seeing.reaching import Exchange, is_own
from clearprop.gradcheck.seeing.recorder import ACTIVE, Recorder, start_recording
from clearprop.gradcheck.seeing.tape import Tape

if TYPE_CHECKING:
    from clearprop.gradcheck.seeing.judging.seen_report import SeenReport
    from clearprop.gradcheck.seeing.live_verdict import Lived

_LOCAL = "local"
_MOST_NODES, _MOST_BYTES = 30_000, 10**9


class Watch:
    """A block of code that is watched, and what was seen in it.

    Parameters
    ----------
    frame : frame or None
        Where the block stands; None where no variables are watched.
    objects : tuple
        What is watched beside its variables.
    """

    def __init__(self, frame: FrameType | None, objects: tuple[Any, ...] = ()) -> None:
        self._variables, self._objects = _Variables(frame), objects
        self._exchange = Exchange()
        self._tape = Tape(most_nodes=_MOST_NODES, most_bytes=_MOST_BYTES)
        self._recorder: Recorder | None = None
        self._state = "new"
        self._given: dict[str, Watched] = {}
        self._left: dict[str, Watched] = {}
        self._sources: dict[str, list[str]] = {}
        self._is_whole = False
        self._report: SeenReport | None = None

    def __enter__(self) -> "Watch":
        if self._state != "new":
            raise UsageError("This watch has watched a block already. Write cp.watch() for each.")
        if any(one.is_live for one in ACTIVE):
            raise UsageError(
                "A block is being watched already, and all that is computed within it. Leave out "
                "the inner cp.watch()."
            )
        self._state = "running"
        try:
            roots = self._roots()
            self._given = self._exchange.put_in(roots)
            self._variables.put(roots[_LOCAL])
        except BaseException:
            self._end()
            raise
        self._tape.files |= self._exchange.files | self._variables.files
        self._recorder = start_recording(self._tape, is_live=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._state == "running":
                self._end_recording(self._roots())
        finally:
            if self._recorder is not None:
                ACTIVE.remove(self._recorder)
            self._end()

    def keep(self, found: dict[str, Any]) -> None:
        """Take in what a call within the block has returned, by name."""
        self._objects = (*self._objects, found)

    def forget(self, codes: Set[CodeType]) -> None:
        """Leave out the lines of code that has called the block."""
        without(self._tape, codes)

    @property
    def tape(self) -> Tape:
        """All that was recorded."""
        return self._tape

    @property
    def is_full(self) -> bool:
        """Whether nothing more is recorded."""
        return self._recorder is not None and self._recorder.ended

    def settle(self, frame: FrameType) -> None:
        """End the recording within the block, which goes on with its own plain arrays.

        Parameters
        ----------
        frame : frame
            The innermost one that runs.
        """
        roots, places = self._roots(), list[tuple[_Variables, dict[str, Any]]]()
        each: FrameType | None = frame
        while each is not None and each is not self._variables.frame:
            if is_own(each.f_code.co_filename):
                variables = _Variables(each)
                places.append((variables, variables.now()))
            each = each.f_back
        roots |= {f"frame {place}": values for place, (_, values) in enumerate(places)}
        if self._state == "running":
            self._end_recording(roots)
        self._exchange.put_back(roots)
        self._variables.put(roots[_LOCAL])
        for variables, values in places:
            variables.put(values)

    def release(self) -> None:
        """Let go of all that was recorded, once it was judged."""
        for one in self._left.values():
            one._node = None
        self._tape.nodes.clear()
        self._given, self._left = {}, {}

    def lived(self) -> "Lived":
        """Return what was seen, to be judged."""
        # Here, because importing all that judges takes longer than many a check.
        from clearprop.gradcheck.seeing.live_verdict import Lived

        return Lived(self._tape, self._sources, self._given, self._left, self._is_whole)

    def report(self) -> "SeenReport":
        """Judge the gradients that were seen.

        Returns
        -------
        SeenReport
            The report, true where all gradients are right; ``print`` shows the table and the line
            at fault.

        Raises
        ------
        UsageError
            If the block has not ended, or no gradient was seen in it.
        """
        if self._state not in ("settled", "done"):
            raise UsageError(
                "The block has not ended, so that there is no report yet. Call report() after it, "
                "outside of the with statement."
            )
        if self._report is None:
            from clearprop.gradcheck.seeing.live_verdict import verdict

            self._report = verdict(self.lived())
        return self._report

    def _roots(self) -> dict[str, Any]:
        roots = {f"object {place}": one for place, one in enumerate(self._objects)}
        return {_LOCAL: self._variables.now(), **roots, "global": self._variables.globals}

    def _end_recording(self, roots: Mapping[str, Any]) -> None:
        """Put nothing more down; what lies where now is what the block leaves."""
        assert self._recorder is not None  # noqa: S101 - it runs
        self._is_whole = not self.is_full
        self._left = self._exchange.names(roots)
        for one in self._left.values():
            if one._node is not None:
                node_of(one)
        for file in sorted(self._tape.files):
            self._sources[file] = [line.rstrip("\n") for line in linecache.getlines(file)]
        # It stays the latest that records: no other block is watched within this one.
        self._recorder.end()
        self._state = "settled"

    def _end(self) -> None:
        """Put everything back."""
        self._state = "done"
        roots = self._roots()
        self._exchange.put_back(roots)
        self._variables.put(roots[_LOCAL])
        self._variables.leave()


def without(tape: Tape, codes: Set[CodeType]) -> None:
    """Leave out the lines of some code."""
    for node in tape.nodes:
        node.lines = tuple(line for line in node.lines if line.code not in codes)


class _Variables:
    """The variables of the place where a block stands.

    Parameters
    ----------
    frame : frame or None
    """

    def __init__(self, frame: FrameType | None) -> None:
        self.frame = frame
        self.globals = {} if frame is None else frame.f_globals
        self.files = set() if frame is None else {frame.f_code.co_filename}
        self._of_function = frame is not None and bool(frame.f_code.co_flags & inspect.CO_OPTIMIZED)

    def now(self) -> dict[str, Any]:
        """Return the variables: themselves, or of a function a copy."""
        if self.frame is None:
            return {}
        found: Any = self.frame.f_locals
        return dict(found) if self._of_function else found

    def put(self, values: Mapping[str, Any]) -> None:
        """Give the variables of a function other values."""
        if self.frame is None or not self._of_function:
            return
        variables: Any = self.frame.f_locals
        for name, value in values.items():
            if variables.get(name) is not value:
                variables[name] = value
        if sys.version_info < (3, 13):
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(self.frame), ctypes.c_int(0))

    def leave(self) -> None:
        """Let go of the place."""
        self.frame, self.globals = None, {}

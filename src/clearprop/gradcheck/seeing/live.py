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
from clearprop.gradcheck.seeing.reaching import Exchange
from clearprop.gradcheck.seeing.recorder import ACTIVE, Recorder, start_recording
from clearprop.gradcheck.seeing.tape import Tape

if TYPE_CHECKING:
    from clearprop.gradcheck.seeing.judging.seen_report import SeenReport

_LOCAL = "local"
_MOST_NODES, _MOST_BYTES = 30_000, 10**9


def watch(*objects: Any) -> "Watch":
    """Watch what a block of code computes with NumPy, and check the gradients in it.

    Within the block, the arrays in the variables of the caller, in its module, and in objects,
    lists and dictionaries that can be reached from there are watched. They hold the same numbers to
    the last bit, and afterwards all of them are plain arrays again, where they lay before.

    Parameters
    ----------
    *objects : object
        Objects whose arrays are watched, too, where no variable leads to them.

    Returns
    -------
    Watch
        What the block's ``as`` names; its `Watch.report` says what was seen.

    Examples
    --------
    >>> import numpy as np
    >>> import clearprop as cp
    >>> X, Y = np.random.RandomState(0).randn(2, 20, 3)
    >>> W = 0.1 * np.ones((3, 3))
    >>> with cp.watch() as seen:
    ...     error = X @ W - Y
    ...     cost = np.sum(error**2) / 2
    ...     W -= 0.01 * X.T @ error
    >>> bool(seen.report())
    True
    """
    return Watch(sys._getframe(1), objects)


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
        recorder = self._recorder
        try:
            if recorder is not None:
                self._left = self._exchange.names(self._roots())
                for one in self._left.values():
                    if one._node is not None:
                        node_of(one)
        finally:
            if recorder is not None:
                ACTIVE.remove(recorder)
            self._end()

    def keep(self, found: dict[str, Any]) -> None:
        """Take in what a call within the block has returned, by name."""
        self._objects = (*self._objects, found)

    def forget(self, codes: Set[CodeType]) -> None:
        """Leave out the lines of code that has called the block."""
        without(self._tape, codes)

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
        if self._state != "done":
            raise UsageError(
                "The block has not ended, so that there is no report yet. Call report() after it, "
                "outside of the with statement."
            )
        if self._report is None:
            # Here, because importing all that judges takes longer than many a check.
            from clearprop.gradcheck.seeing.live_verdict import Lived, verdict

            is_whole = self._recorder is not None and not self._recorder.ended
            self._report = verdict(
                Lived(self._tape, self._sources, self._given, self._left, is_whole)
            )
        return self._report

    def _roots(self) -> dict[str, Any]:
        roots = {f"object {place}": one for place, one in enumerate(self._objects)}
        return {_LOCAL: self._variables.now(), **roots, "global": self._variables.globals}

    def _end(self) -> None:
        """Put everything back."""
        self._state = "done"
        roots = self._roots()
        self._exchange.put_back(roots)
        self._variables.put(roots[_LOCAL])
        self._variables.leave()
        for file in sorted(self._tape.files):
            lines = linecache.getlines(file)
            self._sources[file] = [line.rstrip("\n") for line in lines]


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
        self._frame = frame
        self.globals = {} if frame is None else frame.f_globals
        self.files = set() if frame is None else {frame.f_code.co_filename}
        self._of_function = frame is not None and bool(frame.f_code.co_flags & inspect.CO_OPTIMIZED)

    def now(self) -> dict[str, Any]:
        """Return the variables: themselves, or of a function a copy."""
        if self._frame is None:
            return {}
        found: Any = self._frame.f_locals
        return dict(found) if self._of_function else found

    def put(self, values: Mapping[str, Any]) -> None:
        """Give the variables of a function other values."""
        if self._frame is None or not self._of_function:
            return
        variables: Any = self._frame.f_locals
        for name, value in values.items():
            if variables.get(name) is not value:
                variables[name] = value
        if sys.version_info < (3, 13):
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(self._frame), ctypes.c_int(0))

    def leave(self) -> None:
        """Let go of the place."""
        self._frame, self.globals = None, {}

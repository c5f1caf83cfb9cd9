"""Looking at a program while it runs, for copies of the arrays that have a role.

Everything here happens in the thread of the program, between two of its steps, so that no array is
seen half written. Most of the time nothing happens: ten times a second it looks, and for a
moment follows the lines that run, until it has seen what lies in functions alone and what one
update changes.
"""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.studio.program_places import MOST_ENTRIES, Picture, Places

INTERVAL = 0.1
"""The seconds between two looks, at the least."""

_REST = 1.5  # times as long as a look has taken, the program goes on without one
_MOST_EVENTS = 3_000  # lines and calls that are followed at a time
_MOST_SECONDS = 0.5  # of following
_VAIN = 3  # looks after which a name that never came is not waited for any longer


class Looker:
    """Looks at the frames of a program.

    Parameters
    ----------
    places : Places
    is_own : callable
        Whether a file, as code objects name it, is one whose frames are looked at.
    show : callable
        Takes each `Picture`.
    outermost : frame, optional
        The frame beyond which none is looked at; all are unless given.

    Attributes
    ----------
    error : Exception or None
        What looking has failed with, perhaps in a property of the program's own: then it ends.
    """

    def __init__(
        self,
        places: Places,
        is_own: Callable[[str], bool],
        show: Callable[[Picture], None],
        outermost: FrameType | None = None,
    ) -> None:
        self.places, self.show, self._outermost = places, show, outermost
        self._is_own_file = is_own
        # Themselves: the program gets those that do nothing.
        self._settrace, self._gettrace = sys.settrace, sys.gettrace
        self._began = time.perf_counter()
        self._due = 0.0
        self._vain: dict[str, int] = {}
        self._is_ours: dict[CodeType, bool] = {}
        self._has_updates: dict[CodeType, bool] = {}
        self._following: _Following | None = None
        self.error: Exception | None = None
        self._is_busy = False  # so that it is not called within its own work

    # Times of looking.

    def tick(self, frame: FrameType | None) -> None:
        """Look, if it is time; called by the interpreter between two steps of the program."""
        if frame is None or self._is_busy or self.error is not None:
            return
        self._is_busy = True
        try:
            following, now = self._following, time.perf_counter()
            if following is None:
                if now >= self._due:
                    self.begin(frame)
            elif now - following.began > _MOST_SECONDS:  # where no line has followed
                self._look(frame)
                self.end()
        except Exception as error:
            self._give_up(error)
        finally:
            self._is_busy = False

    def begin(self, frame: FrameType) -> None:
        """Look at what lies there, and follow the lines that run next where that helps."""
        self._following = _Following(time.perf_counter(), dict(self.places.roles.updates))
        self.places.begin()
        self._look(frame)
        if self._gettrace() is None and not self._is_done():  # else a debugger follows them
            for each in self._frames(frame):
                self._prepare(each)
            self._settrace(self._called)
        else:
            self.end()

    def end(self) -> None:
        """End a look, and show what was seen."""
        following, self._following = self._following, None
        if following is None:
            return
        if self._gettrace() == self._called:
            self._settrace(None)
        for frame in following.frames.values():  # so that a debugger finds them as they were
            if frame.f_trace == self._happened:
                frame.f_trace, frame.f_trace_lines = None, True
        now = time.perf_counter()
        for name in self._missing():
            self._vain[name] = self._vain.get(name, 0) + 1
        self.show(self.places.picture(now - self._began, following.ratios))
        spent = time.perf_counter() - now + following.spent
        self._due = max(following.began + INTERVAL, time.perf_counter() + _REST * spent)

    def last(self, frame: FrameType | None = None) -> None:
        """Look once more, at what the program leaves in its variables, or in those of a frame."""
        self.end()
        if self.error is not None:
            return
        self._following = _Following(time.perf_counter(), {})
        self.places.begin()
        if frame is None:
            self.places.collect()
        else:
            self._look(frame)
        self.end()

    # Following lines.

    def _watches(self, code: CodeType) -> bool:
        known = self._is_ours.get(code)
        if known is None:
            known = self._is_ours[code] = self._is_own_file(code.co_filename)
        return known

    def _frames(self, frame: FrameType) -> list[FrameType]:
        """Return the frames of the program that run, the innermost first."""
        found: list[FrameType] = []
        each: FrameType | None = frame
        while each is not None:
            if self._watches(each.f_code):
                found.append(each)
            if each is self._outermost:
                return found
            each = each.f_back
        return found if self._outermost is None else []

    def _prepare(self, frame: FrameType) -> None:
        code = frame.f_code
        if code not in self._has_updates:
            lines = {line for *_, line in code.co_lines()}
            self._has_updates[code] = any(
                file == code.co_filename and line in lines
                for file, line in self.places.roles.updates
            )
        frame.f_trace_lines = self._has_updates[code]
        frame.f_trace = self._happened
        if self._following is not None:
            self._following.frames[id(frame)] = frame

    def _called(self, frame: FrameType, _: str, __: Any) -> Any:
        following = self._following
        if following is None:
            return None
        following.events += 1
        if not self._watches(frame.f_code):
            if following.events > _MOST_EVENTS and not self._is_busy:
                self._is_busy = True
                self.end()
                self._is_busy = False
            return None
        self._prepare(frame)
        return self._happened

    def _happened(self, frame: FrameType, event: str, _: Any) -> Any:
        following = self._following
        if following is None:
            return None
        self._is_busy = True
        try:
            return self._follow(following, frame, event)
        except Exception as error:
            self._give_up(error)
            return None
        finally:
            self._is_busy = False

    def _give_up(self, error: Exception) -> None:
        """Look no more: the program goes on."""
        self.error, self._following = error, None
        if self._gettrace() == self._called:
            self._settrace(None)

    def _follow(self, following: "_Following", frame: FrameType, event: str) -> Any:
        """Look at a line that is about to run, or at a function that returns."""
        began = time.perf_counter()
        following.events += 1
        before = following.before.pop(id(frame), None)
        if before is not None:
            self._measure(before, frame, following)
        here = frame.f_code.co_filename, frame.f_lineno
        if event == "line" and here in following.unmeasured:
            following.unmeasured[here] -= 1
            if not following.unmeasured[here]:
                del following.unmeasured[here]
            self._look(frame)
            following.before[id(frame)] = {
                name: np.array(value, np.float64)
                for name, value in self.places.parameters()
                if np.size(value) <= MOST_ENTRIES
            }
        elif event == "return":
            self.places.collect_locals(frame)
            following.frames.pop(id(frame), None)
        following.spent += time.perf_counter() - began
        is_long = following.events > _MOST_EVENTS or began - following.began > _MOST_SECONDS
        if is_long or (not following.before and self._is_done()):
            self._look(frame)
            self.end()
            return None
        return self._happened

    def _measure(
        self, before: Mapping[str, Array], frame: FrameType, following: "_Following"
    ) -> None:
        """Compare parameters with what they were before a line that updates some."""
        self._look(frame)
        for name, value in self.places.parameters():
            old = before.get(name)
            if old is None or old.shape != np.shape(value):
                continue
            with np.errstate(all="ignore"):
                change = float(np.linalg.norm(np.asarray(value, np.float64) - old))
                size = float(np.linalg.norm(old))
            if change and size:
                following.ratios[name] = change / size

    def _is_done(self) -> bool:
        following = self._following
        assert following is not None  # noqa: S101 - asked while it is
        return not following.unmeasured and not self._missing()

    def _missing(self) -> set[str]:
        """Return the names with a role that were not seen, and are waited for."""
        missing = self.places.roles.names - self.places.ends
        return {one for one in missing if self._vain.get(one, 0) < _VAIN}

    def _look(self, frame: FrameType) -> None:
        """Look at the variables of all frames of the program, the outermost first."""
        self.places.collect()
        for each in reversed(self._frames(frame)):
            if each.f_locals is not self.places.namespace:
                self.places.collect_locals(each)


@dataclass
class _Following:
    """What one look has found so far."""

    began: float
    unmeasured: dict[tuple[str, int], int]
    events: int = 0
    spent: float = 0.0
    before: dict[int, dict[str, Array]] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    frames: dict[int, FrameType] = field(default_factory=dict)

"""Looking at a program while it runs: where its arrays lie, and copies of those with a role.

Everything here happens in the thread of the program, between two of its steps, so that no array is
seen half written. Most of the time nothing happens: ten times a second it looks, and for a
moment follows the lines that run, until it has seen what lies in functions alone and what one
update changes.
"""

import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.studio.program_roles import Roles, end_of

INTERVAL = 0.1
"""The seconds between two looks, at the least."""

_REST = 1.5  # times as long as a look has taken, the program goes on without one
_DEEPEST, _LONGEST, _MOST_ITEMS = 4, 200, 3_000  # objects within objects; items of a list; of all
_MOST_EVENTS = 3_000  # lines and calls that are followed at a time
_MOST_SECONDS = 0.5  # of following
_MOST_ARRAYS, _MOST_SIBLINGS = 64, 6  # that are shown; of one name that is no parameter
_MOST_BYTES, _MOST_ENTRIES = 2**24, 2**18  # that are copied at a time; of one array
_VAIN = 3  # looks after which a name that never came is not waited for any longer
_MOST_VALUES = 100_000  # of a list of costs
_COSTS = re.compile(r"cost|loss|err|mse|co[uû]t|perte|costo|p[eé]rdida|custo|perda", re.IGNORECASE)

Place = tuple[str, Any]
"""The path to an array or number, and the value itself."""


@dataclass
class Copied:
    """A copy of an array, or of some of its rows and columns where it is large.

    Parameters
    ----------
    name : str
    role : str
    of : str or None
        The parameter that it is the gradient of.
    shape : tuple of int
        That of the array itself.
    values : ndarray of float, two-dimensional
    """

    name: str
    role: str
    of: str | None
    shape: tuple[int, ...]
    values: Array


@dataclass
class Picture:
    """All that one look has seen.

    Parameters
    ----------
    seconds : float
        The time since the program began.
    cost : float or None
    counters : dict of str to int
        The loops' variables.
    arrays : list of Copied
    ratios : dict of str to float
        By parameter, the size of one update as a share of the parameter's.
    lists : list of (str, int, list of float)
        Lists of numbers that have grown: the name, and the place and values of what is new.
    """

    seconds: float
    cost: float | None = None
    counters: dict[str, int] = field(default_factory=dict)
    arrays: list[Copied] = field(default_factory=list)
    ratios: dict[str, float] = field(default_factory=dict)
    lists: list[tuple[str, int, list[float]]] = field(default_factory=list)


class Looker:
    """Looks at the frames of a program.

    Parameters
    ----------
    roles : Roles
    files : set of str
        The files whose frames are looked at, as code objects name them; those in `folder`, too.
    folder : str
    counters : frozenset of str
        The names of loops' variables.
    namespace : dict
        That of the program.
    show : callable
        Takes each `Picture`.
    """

    def __init__(
        self,
        roles: Roles,
        files: set[str],
        folder: str,
        counters: frozenset[str],
        namespace: dict[str, Any],
        show: Any,
    ) -> None:
        self.roles, self.files, self.folder, self.counters = roles, files, folder, counters
        self.namespace, self.show = namespace, show
        self._settrace = sys.settrace  # itself: the program gets one that does nothing
        self._began = time.perf_counter()
        self._due = 0.0
        self._latest: dict[str, Place] = {}
        self._owners: dict[int, str] = {}
        self._lengths: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._vain: dict[str, int] = {}
        self._is_ours: dict[CodeType, bool] = {}
        self._has_updates: dict[CodeType, bool] = {}
        self._following: _Following | None = None

    # Times of looking.

    def tick(self, _: int, frame: FrameType | None) -> None:
        """Look, if it is time; called by the interpreter between two steps of the program."""
        if frame is None:
            return
        following, now = self._following, time.perf_counter()
        if following is None:
            if now >= self._due:
                self.begin(frame)
        elif now - following.began > _MOST_SECONDS:  # where no line has followed
            self._look(frame)
            self.end()

    def begin(self, frame: FrameType) -> None:
        """Look at what lies there, and follow the lines that run next where that helps."""
        self._following = _Following(time.perf_counter(), dict(self.roles.updates))
        self._owners.clear()
        self._latest.clear()
        self._look(frame)
        if not self._is_done():
            each: FrameType | None = frame
            while each is not None:
                if self._watches(each.f_code):
                    self._prepare(each)
                each = each.f_back
            self._settrace(self._called)
        else:
            self.end()

    def end(self) -> None:
        """End a look, and show what was seen."""
        following, self._following = self._following, None
        if following is None:
            return
        self._settrace(None)
        now = time.perf_counter()
        for name in self._missing(following):
            self._vain[name] = self._vain.get(name, 0) + 1
        self.show(self._picture(following, now))
        spent = time.perf_counter() - now + following.spent
        self._due = max(following.began + INTERVAL, time.perf_counter() + _REST * spent)

    def last(self) -> None:
        """Look once more, at what the program leaves."""
        self.end()
        self._following = _Following(time.perf_counter(), {})
        self._collect(self.namespace, "")
        self.end()

    # Following lines.

    def _watches(self, code: CodeType) -> bool:
        known = self._is_ours.get(code)
        if known is None:
            name = code.co_filename
            is_near = name.startswith(self.folder) and "site-packages" not in name
            known = self._is_ours[code] = name in self.files or is_near
        return known

    def _prepare(self, frame: FrameType) -> None:
        code = frame.f_code
        if code not in self._has_updates:
            lines = {line for *_, line in code.co_lines()}
            self._has_updates[code] = any(
                file == code.co_filename and line in lines for file, line in self.roles.updates
            )
        frame.f_trace_lines = self._has_updates[code]
        frame.f_trace = self._happened

    def _called(self, frame: FrameType, _: str, __: Any) -> Any:
        following = self._following
        if following is None:
            return None
        following.events += 1
        if not self._watches(frame.f_code):
            if following.events > _MOST_EVENTS:
                self.end()
            return None
        self._prepare(frame)
        return self._happened

    def _happened(self, frame: FrameType, event: str, _: Any) -> Any:
        following = self._following
        if following is None:
            return None
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
                for name, value in self._parameters()
                if np.size(value) <= _MOST_ENTRIES
            }
        elif event == "return":
            self._collect_locals(frame)
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
        for name, value in self._parameters():
            old = before.get(name)
            if old is None or old.shape != np.shape(value):
                continue
            with np.errstate(all="ignore"):
                change = float(np.linalg.norm(np.asarray(value, np.float64) - old))
                size = float(np.linalg.norm(old))
            if change and size:
                following.ratios[name] = change / size

    def _parameters(self) -> Iterator[Place]:
        for name, (role, value) in self._latest.items():
            if role == "parameter":
                yield name, value

    def _is_done(self) -> bool:
        following = self._following
        assert following is not None  # noqa: S101 - asked while it is
        return not following.unmeasured and not self._missing(following)

    def _missing(self, following: "_Following") -> set[str]:
        """Return the names with a role that were not seen, and are waited for."""
        roles = self.roles
        wanted = roles.parameters | roles.gradients.keys() | roles.activations | roles.costs
        return {one for one in wanted - following.ends if self._vain.get(one, 0) < _VAIN}

    # Where arrays lie.

    def _look(self, frame: FrameType) -> None:
        """Look at the variables of all frames of the program, the outermost first."""
        frames = []
        each: FrameType | None = frame
        while each is not None:
            if self._watches(each.f_code):
                frames.append(each)
            each = each.f_back
        self._collect(self.namespace, "")
        for each in reversed(frames):
            if each.f_locals is not self.namespace:
                self._collect_locals(each)

    def _collect_locals(self, frame: FrameType) -> None:
        """Look at a function's variables; those of a method go by the path of its object."""
        variables = frame.f_locals
        if "self" in variables and id(variables["self"]) not in self._owners:
            self._collect(self.namespace, "")  # where it may lie by now
        owner = self._owners.get(id(variables.get("self")), "")
        if owner or frame.f_code.co_name == "__init__":  # or it has no path yet
            variables = {name: value for name, value in variables.items() if name != "self"}
        self._collect(variables, owner)

    def _collect(self, variables: Mapping[str, Any], owner: str) -> None:
        following = self._following
        assert following is not None  # noqa: S101 - collected for it
        for path, value in self._within(variables, owner):
            end = end_of(path)
            if isinstance(value, list):
                following.lists[path] = value
                continue
            if end in self.counters and isinstance(value, int) and not isinstance(value, bool):
                following.counters[end] = value
            role = self._role(end, value)
            if role is None:
                continue
            following.ends.add(end)
            if role == "cost":
                following.cost = float(np.asarray(value).reshape(-1)[0])
                continue
            if isinstance(value, np.ndarray):
                known, _ = following.paths.setdefault(id(value), (path, value))
                if known != path:
                    continue  # the same array by another name
            self._latest[path] = (role, value)
            following.fresh.add(path)

    def _role(self, end: str, value: Any) -> str | None:
        roles, size = self.roles, np.size(value)
        if end in roles.costs and size == 1:
            return "cost"
        if end in roles.parameters:
            return "parameter"
        if end in roles.gradients:
            return "gradient"
        if end in roles.activations:
            return "activation"
        is_array = isinstance(value, np.ndarray) and value.dtype.kind == "f" and size > 1
        return "array" if is_array and not roles.are_known else None

    def _within(self, variables: Mapping[str, Any], owner: str) -> Iterator[Place]:
        """Give all arrays, numbers and lists of numbers in variables and the objects there."""
        left, seen = _MOST_ITEMS, set[int]()
        stack: list[tuple[str, Any, int]] = [
            (f"{owner}.{name}" if owner else name, value, 0)
            for name, value in reversed(list(variables.items()))
            if not name.startswith("__")
        ]
        while stack and left:
            path, item, depth = stack.pop()
            left -= 1
            if isinstance(item, np.ndarray | np.floating | float | int):
                yield path, item
            elif depth >= _DEEPEST or id(item) in seen:
                continue
            elif isinstance(item, Mapping):
                seen.add(id(item))
                stack += [
                    (str(key) if isinstance(key, str) else f"{path}[{key}]", value, depth + 1)
                    for key, value in reversed(list(item.items())[:_LONGEST])
                ]
            elif isinstance(item, list | tuple):
                seen.add(id(item))
                if isinstance(item, list) and len(item) > 1 and _is_number(item[-1]):
                    yield path, item
                elif len(item) < _LONGEST:
                    inner = [(f"{path}[{n}]", one, depth + 1) for n, one in enumerate(item)]
                    stack += reversed(inner)
            elif not isinstance(item, type | ModuleType) and not callable(item):
                attributes = getattr(item, "__dict__", None)
                if isinstance(attributes, dict):
                    seen.add(id(item))
                    self._owners.setdefault(id(item), path)
                    stack += [
                        (f"{path}.{name}", value, depth + 1)
                        for name, value in reversed(list(attributes.items()))
                    ]

    # Copies.

    def _picture(self, following: "_Following", now: float) -> Picture:
        picture = Picture(now - self._began, following.cost, following.counters)
        picture.ratios = following.ratios
        for name, values in following.lists.items():
            known, self._lengths[name] = self._lengths.get(name), len(values)
            has_grown = known is not None and len(values) > known
            if has_grown or (name not in self._told and _COSTS.search(end_of(name))):
                first = self._told.get(name, 0)
                new = values[first : first + _MOST_VALUES]
                self._told[name] = first + len(new)
                numbers = [float(one) if _is_number(one) else np.nan for one in new]
                picture.lists.append((name, first, numbers))
        siblings: dict[str, int] = {}
        room = _MOST_BYTES
        for name, (role, value) in self._latest.items():
            end = end_of(name)
            siblings[end] = siblings.get(end, 0) + 1
            if name not in following.fresh or len(picture.arrays) == _MOST_ARRAYS or room <= 0:
                continue
            if role != "parameter" and siblings[end] > _MOST_SIBLINGS:
                continue
            one = copied(name, role, self._parameter_of(name, end), value)
            room -= one.values.nbytes
            picture.arrays.append(one)
        return picture

    def _parameter_of(self, name: str, end: str) -> str | None:
        """Return the parameter that an array is the gradient of, if it is one.

        That of the same object goes before: layers of one class have the same names.
        """
        of = self.roles.gradients.get(end, frozenset())
        beside = name[: -len(end)] if name.endswith(end) else ""
        for path in (f"{beside}{end_of(one)}" for one in sorted(of)):
            if path in self._latest:
                return path
        return next(iter(of)) if len(of) == 1 else None


@dataclass
class _Following:
    """What one look has found so far."""

    began: float
    unmeasured: dict[tuple[str, int], int]
    events: int = 0
    spent: float = 0.0
    cost: float | None = None
    ends: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)
    counters: dict[str, int] = field(default_factory=dict)
    lists: dict[str, list[Any]] = field(default_factory=dict)
    paths: dict[int, Place] = field(default_factory=dict)  # with the array: its id is not reused
    before: dict[int, dict[str, Array]] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int | np.floating | np.integer) and not isinstance(value, bool)


def copied(name: str, role: str, of: str | None, value: Any) -> Copied:
    """Copy an array as rows and columns; of a large one only every so manieth of them."""
    array = np.asarray(value)
    flat = array.reshape(1, -1) if array.ndim < 2 else array.reshape(len(array), -1)
    while flat.size > _MOST_ENTRIES:
        flat = flat[::2] if flat.shape[0] >= flat.shape[1] else flat[:, ::2]
    return Copied(name, role, of, np.shape(value), np.array(flat, np.float64))

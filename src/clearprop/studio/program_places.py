"""Where the arrays of a program lie: in variables, and in objects, lists and dictionaries there.

What has a role is found by its name, and copied, large arrays in part.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.studio.program_roles import Roles, end_of

_DEEPEST, _LONGEST, _MOST_ITEMS = 4, 200, 3_000  # objects within objects; items of a list; of all
MOST_ARRAYS, _MOST_SIBLINGS = 64, 6  # that are shown; of one name that is no parameter
_MOST_BYTES, MOST_ENTRIES = 2**24, 2**18  # that are copied at a time; of one array
_MOST_VALUES = 100_000  # of a list of costs
_COSTS = re.compile(r"cost|loss|err|mse|co[uû]t|perte|costo|p[eé]rdida|custo|perda", re.IGNORECASE)

_NOTHING = (type, ModuleType, str, bytes)  # has no arrays of the program's

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


class Places:
    """The arrays, numbers and lists of a program that were found at one look.

    Parameters
    ----------
    roles : Roles
    counters : frozenset of str
        The names of loops' variables.
    namespace : dict
        That of the program.

    Attributes
    ----------
    latest : dict of str to (str, value)
        The role of each array that was found, and itself.
    ends : set of str
        The last names of those that have a role.
    """

    def __init__(
        self, roles: Roles, counters: frozenset[str], namespace: Mapping[str, Any]
    ) -> None:
        self.roles, self.counters, self.namespace = roles, counters, namespace
        self.latest: dict[str, Place] = {}
        self.ends: set[str] = set()
        self._owners: dict[int, str] = {}
        self._lengths: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self.begin()

    def begin(self) -> None:
        """Begin another look: nothing was found yet."""
        self.latest.clear()
        self.ends.clear()
        self._owners.clear()
        self._cost: float | None = None
        self._fresh = set[str]()
        self._counted: dict[str, int] = {}
        self._lists: dict[str, list[Any]] = {}
        self._paths: dict[int, Place] = {}  # with the array: its id is not reused

    def parameters(self) -> Iterator[Place]:
        """Give the parameters that were found."""
        for name, (role, value) in self.latest.items():
            if role == "parameter":
                yield name, value

    def collect(self) -> None:
        """Look at the program's own variables."""
        self._collect(self.namespace, "")

    def collect_locals(self, frame: FrameType) -> None:
        """Look at a function's variables; those of a method go by the path of its object."""
        variables = frame.f_locals
        if "self" in variables and id(variables["self"]) not in self._owners:
            self.collect()  # where it may lie by now
        owner = self._owners.get(id(variables.get("self")), "")
        if owner or frame.f_code.co_name == "__init__":  # or it has no path yet
            variables = {name: value for name, value in variables.items() if name != "self"}
        self._collect(variables, owner)

    def _collect(self, variables: Mapping[str, Any], owner: str) -> None:
        for path, value in self._within(variables, owner):
            end = end_of(path)
            if isinstance(value, list):
                self._lists[path] = value
                continue
            if end in self.counters and isinstance(value, int) and not isinstance(value, bool):
                self._counted[end] = value
            role = self._role(end, value)
            if role is None:
                continue
            self.ends.add(end)
            if role == "cost":
                self._cost = float(np.asarray(value).reshape(-1)[0])
                continue
            if isinstance(value, np.ndarray):
                known, _ = self._paths.setdefault(id(value), (path, value))
                if known != path:
                    continue  # the same array by another name
            self.latest[path] = (role, value)
            self._fresh.add(path)

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
            elif not (isinstance(item, _NOTHING) or callable(item) or _is_watching(item)):
                attributes = getattr(item, "__dict__", None)
                if isinstance(attributes, dict):
                    seen.add(id(item))
                    self._owners.setdefault(id(item), path)
                    stack += [
                        (f"{path}.{name}", value, depth + 1)
                        for name, value in reversed(list(attributes.items()))
                    ]

    def picture(self, seconds: float, ratios: dict[str, float]) -> Picture:
        """Copy what was found."""
        picture = Picture(seconds, self._cost, self._counted, ratios=ratios)
        for name, values in self._lists.items():
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
        for name, (role, value) in self.latest.items():
            end = end_of(name)
            siblings[end] = siblings.get(end, 0) + 1
            if name not in self._fresh or len(picture.arrays) == MOST_ARRAYS or room <= 0:
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
            if path in self.latest:
                return path
        return next(iter(of)) if len(of) == 1 else None


def _is_watching(item: Any) -> bool:
    """Whether something is part of what looks here, and has what it has seen."""
    return type(item).__module__.startswith("clearprop.studio.")


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int | np.floating | np.integer) and not isinstance(value, bool)


def copied(name: str, role: str, of: str | None, value: Any) -> Copied:
    """Copy an array as rows and columns; of a large one only every so manieth of them."""
    array = np.asarray(value)
    rows = len(array) if array.ndim > 1 else 1
    flat = array.reshape(rows, array.size // max(rows, 1))  # "-1" has no meaning for an empty one
    while flat.size > MOST_ENTRIES:
        flat = flat[::2] if flat.shape[0] >= flat.shape[1] else flat[:, ::2]
    return Copied(name, role, of, np.shape(value), np.array(flat, np.float64))

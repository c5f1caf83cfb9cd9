"""Arrays of live code exchanged for watched ones, wherever they lie, and put back afterwards."""

import linecache
import os
import sys
import sysconfig
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache, partial
from pathlib import Path
from types import FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.arrays import Watched
from clearprop.gradcheck.seeing.live_modules import LIVE, StandIns, kept
from clearprop.gradcheck.seeing.operations import View

_NUMBERS = "fiub"
_MOST = 400_000  # places that are looked at
_NAMES = 4000  # arrays whose way is kept
_JOINED = 200  # arrays in one memory that know of each other; of samples there are more
_SETTING = (object.__setattr__, type.__setattr__, setattr)
_CONTAINERS = (list, tuple, dict, deque)


class Undo:
    """What everything that can be reached was before, to make it so again.

    Parameters
    ----------
    roots : mapping of str to object
    """

    def __init__(self, roots: Mapping[str, Any]) -> None:
        self._holders: list[tuple[Any, Any]] = []
        self._arrays: list[tuple[Array, Array]] = []
        self._places: list[tuple[Any, Any]] = []
        met: set[int] = set()
        for _, value, put in Exchange().reached(roots):
            if type(value) is np.ndarray and id(value) not in met and value.flags.writeable:
                self._arrays.append((value, value.copy()))
            if _has_places(value):
                self._keep(vars(value), met)
            self._keep(value, met)
            if put is not None and getattr(put, "func", put) in _SETTING:
                self._places.append((put, value))
            met.add(id(value))

    def _keep(self, holder: Any, met: set[int]) -> None:
        if isinstance(holder, dict | list | deque) and id(holder) not in met:
            met.add(id(holder))
            self._holders.append(
                (holder, dict(holder) if isinstance(holder, dict) else list(holder))
            )

    def __call__(self) -> None:
        """Make everything as it was."""
        for holder, before in self._holders:
            if isinstance(holder, dict):
                for name in [name for name in holder if name not in before]:
                    dict.__delitem__(holder, name)
                for name, value in before.items():
                    if holder.get(name, holder) is not value:
                        dict.__setitem__(holder, name, value)
            else:
                holder.clear()
                holder.extend(before)
        for put, value in self._places:
            put(value)
        for array, before in self._arrays:
            array[...] = before


class Exchange:
    """What puts watched arrays in the places of a user's arrays, and arrays in theirs.

    A watched array lies in the memory of the array whose place it takes, so that whatever else
    looks into that memory sees what is written.

    Attributes
    ----------
    files : set of str
        The files, as code objects name them, of the user's functions and classes that were met.
    """

    def __init__(self, stand_ins: StandIns | None = None) -> None:
        self.files: set[str] = set()
        self.stand_ins = stand_ins or StandIns(LIVE)
        self._inside = True
        self._watched: dict[int, tuple[Array, Watched]] = {}
        self._arrays: dict[int, Array] = {}
        self._tuples: dict[int, tuple[tuple[Any, ...], Any]] = {}
        self._met: dict[int, Any] = {}

    def put_in(self, roots: Mapping[str, Any]) -> dict[str, Watched]:
        """Put watched arrays into everything that can be reached from `roots`.

        Returns
        -------
        dict of str to Watched
            The arrays by the way to each: ``net.layers[0].W``.
        """
        self._inside = True
        found = self._walk(roots)
        for path, watched in found.items():
            if watched._called == Watched._called:
                watched._called = path
        self._join()
        return found

    def put_back(self, roots: Mapping[str, Any]) -> None:
        """Put arrays in the places of all watched ones, also where they lay before."""
        self._inside = False
        before = {f"met {place}": one for place, one in enumerate(self._met.values())}
        self._walk({**before, **roots})
        for known in (self._met, self._watched, self._arrays, self._tuples):
            known.clear()

    def names(self, roots: Mapping[str, Any]) -> dict[str, Watched]:
        """Return the watched arrays that can be reached, by the way to each, and change nothing."""
        found: dict[str, Watched] = {}
        for path, value, _ in self.reached(roots):
            if type(value) is Watched and len(found) < _NAMES:
                found.setdefault(path, value)
        return found

    def exchanged(self, value: Any) -> Any:
        """Return what is to lie in the place of a value: itself, most often."""
        if isinstance(value, np.ndarray):
            return self._wrapped(value) if self._inside else self._plain(value)
        if isinstance(value, tuple) and type(value) is not tuple and not hasattr(value, "_make"):
            return value
        if isinstance(value, tuple):
            return self._tuple(value)
        return self.stand_ins.of(value) if self._inside else self.stand_ins.real(value)

    def _wrapped(self, array: Array) -> Any:
        if type(array) is not np.ndarray or array.dtype.kind not in _NUMBERS:
            return array
        if id(array) not in self._watched:
            made = kept(np.ndarray.view(array, Watched))
            self._watched[id(array)] = array, made
            self._arrays[id(made)] = array
        return self._watched[id(array)][1]

    def _plain(self, array: Array) -> Any:
        if type(array) is not Watched:
            return array
        if id(array) in self._arrays:
            return self._arrays[id(array)]
        if not array.ndim and not array._keeps:
            return array.view(np.ndarray)[()]
        base = array.base
        if type(base) is np.ndarray and _is_same(base, array):
            return base
        return array.view(np.ndarray)

    def _tuple(self, value: Any) -> Any:
        if not self._inside and id(value) in self._tuples:
            return self._tuples[id(value)][1]
        parts = [self.exchanged(one) for one in value]
        if all(one is two for one, two in zip(parts, value, strict=True)):
            return value
        made = tuple(parts) if type(value) is tuple else type(value)._make(parts)
        if self._inside:
            self._tuples[id(made)] = made, value
        return made

    def _walk(self, roots: Mapping[str, Any]) -> dict[str, Watched]:
        found: dict[str, Watched] = {}
        for path, value, _ in self.reached(roots, writes=True):
            if type(value) is Watched and len(found) < _NAMES:
                found.setdefault(path, value)
        return found

    def reached(
        self, roots: Mapping[str, Any], *, writes: bool = False
    ) -> Iterator[tuple[str, Any, Any]]:
        """Yield everything that can be reached, what is near first: the way, itself, what puts."""
        waiting: deque[tuple[str, Any]] = deque(("", one) for one in roots.values())
        met: dict[int, Any] = {}
        while waiting and len(met) < _MOST:
            path, holder = waiting.popleft()
            if id(holder) in met:
                continue
            met[id(holder)] = holder
            for inner, value, put in self._places(holder, path):
                now = value
                if writes:
                    now = self.exchanged(value)
                    if now is not value and put is not None:
                        put(now)
                yield inner, now, put
                if isinstance(now, tuple) or _holds(now):
                    waiting.append((inner, now))
        if writes and self._inside:
            self._met.update({key: one for key, one in met.items() if not isinstance(one, tuple)})

    def _places(self, holder: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
        """Yield what lies in something: the way to it, itself, and what puts another there."""
        if isinstance(holder, dict):
            for key, value in list(holder.items()):
                if not (isinstance(key, str) and key.startswith("__")):
                    name = _joined(path, key) if isinstance(key, str) else f"{path}[{key}]"
                    yield name, value, partial(dict.__setitem__, holder, key)
        elif isinstance(holder, list | deque) or _is_table(holder):
            for place, value in enumerate(list(holder)):
                yield f"{path}[{place}]", value, partial(holder.__setitem__, place)
        elif isinstance(holder, tuple):
            for place, value in enumerate(holder):
                yield f"{path}[{place}]", value, None
        elif isinstance(holder, MethodType):
            yield path, holder.__self__, None
            yield path, holder.__func__, None
        elif isinstance(holder, FunctionType):
            if is_own(holder.__code__.co_filename):
                self.files.add(holder.__code__.co_filename)
                yield "", holder.__globals__, None
                for name, cell in zip(
                    holder.__code__.co_freevars, holder.__closure__ or (), strict=True
                ):
                    value, put = _in_cell(cell)
                    yield name, value, put
                yield "", getattr(holder, "__wrapped__", None), None
        elif isinstance(holder, ModuleType):
            if is_own(getattr(holder, "__file__", None) or ""):
                yield "", vars(holder), None
        elif isinstance(holder, type):
            yield from self._in_class(holder)
        if not isinstance(holder, type):
            yield from self._in_object(holder, path)

    def _in_class(self, kind: type) -> Iterator[tuple[str, Any, Any]]:
        if not is_own_class(kind):
            return
        for name, value in list(vars(kind).items()):
            inner = _function(value)
            if name.startswith("__") and not isinstance(inner, FunctionType):
                continue
            if isinstance(inner, FunctionType):
                yield name, inner, None
            else:
                yield name, value, partial(type.__setattr__, kind, name)
        for base in kind.__bases__:
            yield "", base, None

    def _in_object(self, holder: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
        kind: Any = type(holder)
        if not (is_own_class(kind) or kind is SimpleNamespace):
            return
        yield "", kind, None
        if _has_places(holder):
            attributes = vars(holder)
            for name, value in list(attributes.items()):
                yield (
                    _joined(path, name),
                    value,
                    partial(dict.__setitem__, attributes, name),
                )
        for name in _slots(kind):
            if hasattr(holder, name):
                put = partial(object.__setattr__, holder, name)
                yield _joined(path, name), getattr(holder, name), put

    def _join(self) -> None:
        """Let watched arrays that share memory know of each other."""
        by_root: dict[int, list[tuple[Array, Watched]]] = {}
        for array, watched in self._watched.values():
            by_root.setdefault(id(_root(array)), []).append((array, watched))
        for members in by_root.values():
            root = _root(members[0][0])
            if not 1 < len(members) <= _JOINED or not _share(one for one, _ in members):
                continue
            parent = self._wrapped(root)
            if type(parent) is Watched and (root.flags.c_contiguous or root.flags.f_contiguous):
                for array, watched in members:
                    if array is not root:
                        watched._view = View(parent, _look(array, root), None)  # type: ignore[arg-type]


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _in_cell(cell: Any) -> tuple[Any, Any]:
    try:
        value = cell.cell_contents
    except ValueError:  # not yet filled
        return None, None

    return value, partial(setattr, cell, "cell_contents")


def _has_places(item: Any) -> bool:
    """Whether something is an object of a user's class with attributes."""
    kind: Any = type(item)
    is_known = kind is SimpleNamespace or (not isinstance(item, type) and is_own_class(kind))
    return is_known and isinstance(getattr(item, "__dict__", None), dict)


def _is_table(item: Any) -> bool:
    """Whether something is a row of objects, as ``np.array([W1, W2], dtype=object)`` makes it."""
    return type(item) is np.ndarray and item.dtype.kind == "O" and item.ndim == 1


def _holds(item: Any) -> bool:
    if isinstance(item, (*_CONTAINERS, FunctionType, MethodType, ModuleType)) or _is_table(item):
        return True
    kind = item if isinstance(item, type) else type(item)
    return kind is SimpleNamespace or is_own_class(kind)


def _slots(kind: type) -> list[str]:
    slots: list[str] = []
    for one in kind.__mro__:
        given = vars(one).get("__slots__", ())
        slots += [given] if isinstance(given, str) else list(given)
    return [name for name in slots if name not in ("__dict__", "__weakref__")]


def _is_same(one: Array, other: Array) -> bool:
    """Whether two arrays are the same window on the same memory."""
    return (
        one.shape == other.shape
        and one.strides == other.strides
        and one.dtype == other.dtype
        and one.__array_interface__["data"][0] == other.__array_interface__["data"][0]
    )


def _root(array: Array) -> Array:
    while type(array.base) is np.ndarray:
        array = array.base
    return array


def _share(arrays: Iterable[Array]) -> bool:
    """Whether two of some arrays overlap."""
    spans = sorted(np.lib.array_utils.byte_bounds(one) for one in arrays if one.size)
    end = -1
    for start, stop in spans:
        if start < end:
            return True
        end = stop
    return False


def _look(array: Array, root: Array) -> Any:
    """Return what takes the entries of a view from any array of its root's shape."""
    start = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    places = np.full(array.shape, start // root.itemsize)
    for axis, (size, stride) in enumerate(zip(array.shape, array.strides, strict=True)):
        along = np.arange(size) * (stride // root.itemsize)
        places = places + along.reshape([-1 if k == axis else 1 for k in range(array.ndim)])
    order: Any = "C" if root.flags.c_contiguous else "F"
    return lambda whole: np.asarray(whole).ravel(order)[places]


@cache
def is_own(file: str) -> bool:
    """Whether a file, as a code object names it, is a user's own: of no library."""
    if not file or file.startswith(("<frozen", "<string", "<attrs", "<__array_function__")):
        return False
    if file.startswith("<"):
        return bool(linecache.getlines(file))
    whole = os.path.realpath(file)
    return not any(whole.startswith(folder + os.sep) for folder in _libraries())


@cache
def _libraries() -> tuple[str, ...]:
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    own = Path(__file__).parents[3]
    return tuple({os.path.realpath(one) for one in (*paths, str(own / "clearprop"))})


@lru_cache(maxsize=4096)
def is_own_class(kind: Any) -> bool:
    """Whether a class is a user's own."""
    if kind.__module__ == "__main__":
        return True
    module = sys.modules.get(kind.__module__)
    return is_own(getattr(module, "__file__", None) or "") or any(
        isinstance(one, FunctionType) and is_own(one.__code__.co_filename)
        for one in map(_function, vars(kind).values())
    )


def _function(item: Any) -> Any:
    if isinstance(item, staticmethod | classmethod):
        return item.__func__
    return item.fget if isinstance(item, property) else item

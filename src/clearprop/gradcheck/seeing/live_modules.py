"""Functions of NumPy and math that stand in for the real ones in live code, bit for bit alike.

Most of NumPy sees watched arrays by itself. What it does not see are arrays that are made and then
written into, lists of watched numbers, and what `math` computes. `json` and `statistics` refuse
numbers of a kind that they don't know, and are given those that they do.
"""

import json
import math
import statistics
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, holds_watched, noted, plain
from clearprop.gradcheck.seeing.recorder import is_recording

_MAKING = (
    *("zeros", "ones", "empty", "full", "eye", "identity", "array", "asarray", "asanyarray"),
    *("ascontiguousarray", "asfortranarray", "copy", "zeros_like", "ones_like", "empty_like"),
    "full_like",
)
"""Functions that make arrays which may be written into."""

_OF_LISTS = (
    *("sum", "mean", "average", "prod", "max", "min", "amax", "amin", "std", "var", "median"),
    *("dot", "matmul", "vdot", "inner", "outer", "cumsum", "diff", "trapezoid", "reshape"),
)
"""Functions that take lists of numbers."""

_FROM_LISTS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")


def kept(item: Any) -> Any:
    """Let an array without axes be changed in place, as a scalar is not."""
    if type(item) is Watched:
        item._keeps = True
    return item


def _making(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        item = args[0] if args else None
        if not is_recording():
            return real(*args, **kwargs)
        if name in _FROM_LISTS and type(item) is not Watched and holds_watched(item):
            return _joined(real, item, *args[1:], **kwargs)
        if name in _FROM_LISTS and type(item) is Watched:
            return _again(name, real, item, args[1:], kwargs)
        made = real(*args, **kwargs)
        is_new = type(made) is np.ndarray and made is not item and made.dtype.kind in "fiub"
        return kept(np.ndarray.view(made, Watched)) if is_new else made

    function.__name__ = name
    return function


def _joined(real: Callable[..., Any], parts: Any, *args: Any, **kwargs: Any) -> Any:
    def compute(values: Any) -> Any:
        return real(values, *args, **kwargs)

    return kept(noted("array", compute, (parts,), {}, real(plain(parts), *args, **kwargs)))


def _again(
    name: str, real: Callable[..., Any], item: Watched, args: tuple[Any, ...], kwargs: Any
) -> Any:
    """Make an array of a watched one; `asarray` gives that one where nothing changes."""
    if not item.ndim and not item._keeps:  # a scalar
        return _joined(real, item, *args, **kwargs)
    array = item.view(np.ndarray)
    made = real(array, *args, **kwargs)
    if made is array:
        return item

    def compute(values: Any) -> Any:
        return real(np.asarray(values), *args, **kwargs)

    return noted("array" if name == "array" else "asarray", compute, (item,), {}, made)


def _of_lists(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        given = [
            _joined(np.array, one) if type(one) in (list, tuple) and holds_watched(one) else one
            for one in args
        ]
        return real(*given, **kwargs)

    function.__name__ = name
    return function


class LiveRandom(ModuleType):
    """What live code knows as ``numpy.random`` while it is watched: it draws the same numbers."""

    def __init__(self) -> None:
        super().__init__("numpy.random")
        for name in np.random.__all__:
            found = getattr(np.random, name)
            if callable(found) and not isinstance(found, type):
                self.__dict__[name] = _making(name, found)

    def __getattr__(self, name: str) -> Any:
        return getattr(np.random, name)


class LiveNumpy(ModuleType):
    """What live code knows as ``numpy`` while it is watched."""

    def __init__(self) -> None:
        super().__init__("numpy")
        for name in (*_MAKING, *_OF_LISTS):
            real = getattr(np, name, None)
            if real is not None:
                kind = _making if name in _MAKING else _of_lists
                self.__dict__[name] = kind(name, real)
        self.__dict__["random"] = LiveRandom()

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _of_numbers(name: str, real: Callable[..., Any], ufunc: np.ufunc) -> Callable[..., Any]:
    def function(*args: Any) -> Any:
        value = real(*args)
        watched = [one for one in args if type(one) is Watched]
        # A float computes with arrays of float32 otherwise than a number of NumPy.
        if not watched or type(value) is not float or any(one.dtype != float for one in watched):
            return value
        return noted(ufunc.__name__, ufunc, args, {}, np.float64(value))

    function.__name__ = name
    return function


class LiveMath(ModuleType):
    """What live code knows as ``math`` while it is watched: computed by math, and put down."""

    def __init__(self) -> None:
        super().__init__("math")
        for name, real in vars(math).items():
            ufunc = getattr(np, {"pow": "power", "fabs": "absolute"}.get(name, name), None)
            if callable(real) and isinstance(ufunc, np.ufunc):
                self.__dict__[name] = _of_numbers(name, real, ufunc)
            else:
                self.__dict__[name] = real


def _plainly(item: Any) -> Any:
    """Return a copy of nested dicts, lists and tuples with plain numbers and arrays in them."""
    if type(item) is Watched:
        return plain(item)
    if type(item) is dict:
        return {_plainly(key): _plainly(one) for key, one in item.items()}
    return type(item)(map(_plainly, item)) if type(item) in (list, tuple) else item


class LivePlain(ModuleType):
    """A module whose functions look at what kind of number they are given.

    Parameters
    ----------
    real : module
    """

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__)
        for name, found in vars(real).items():
            is_function = callable(found) and not isinstance(found, type)
            self.__dict__[name] = self._function(found) if is_function else found

    def _function(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            return real(*map(_plainly, args), **{key: _plainly(one) for key, one in kwargs.items()})

        function.__name__ = getattr(real, "__name__", "")
        return function


_NUMPY = LiveNumpy()
LIVE: tuple[tuple[ModuleType, ModuleType], ...] = (
    *((np, _NUMPY), (np.random, vars(_NUMPY)["random"])),
    (math, LiveMath()),
    *((one, LivePlain(one)) for one in (json, statistics)),
)
"""Modules, and what stands in for them in live code."""


class StandIns:
    """What stands in for what, in both directions.

    Parameters
    ----------
    modules : iterable of (module, module)
        Modules, and those that stand in for them, whose functions stand in for theirs.
    """

    def __init__(self, modules: Iterable[tuple[ModuleType, ModuleType]]) -> None:
        self._modules = tuple(modules)
        self._pairs: dict[int, tuple[Any, Any]] = {}
        self._back: dict[int, tuple[Any, Any]] = {}
        for real, stand_in in self._modules:
            self._pair(real, stand_in)

    def _pair(self, real: Any, stand_in: Any) -> Any:
        self._pairs[id(real)] = real, stand_in
        self._back[id(stand_in)] = stand_in, real
        return stand_in

    def of(self, item: Any) -> Any:
        """Return the stand-in of a function or module, or the item itself."""
        if id(item) in self._pairs:
            return self._pairs[id(item)][1]
        name = getattr(item, "__name__", None) if callable(item) else None
        if isinstance(item, type) or not isinstance(name, str):
            return item
        for real, stand_in in self._modules:
            if vars(real).get(name) is item:  # getattr warns of names that NumPy had once
                found = getattr(stand_in, name)
                return item if found is item else self._pair(item, found)
        return item

    def real(self, item: Any) -> Any:
        """Return what a stand-in stands for, or the item itself."""
        if id(item) in self._back:
            return self._back[id(item)][1]
        name = getattr(item, "__name__", None) if callable(item) else None
        if isinstance(item, type) or not isinstance(name, str):
            return item
        for real, stand_in in self._modules:  # which code has taken from the module itself
            if vars(stand_in).get(name) is item:
                return getattr(real, name)
        return item

"""Functions, objects and modules of libraries that are there, which give watched arrays."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import holds_watched, noted, plain, watch
from clearprop.gradcheck.seeing.modules import StandInUfunc
from clearprop.gradcheck.seeing.running.stand_ins import watched_within

_PURE = ("scipy.special", "scipy.signal", "scipy.ndimage", "scipy.linalg", "scipy.fft")
_FEW_CALLS = 6  # of a learner's function by an optimizer of SciPy


def plain_within(value: Any) -> Any:
    """Return an argument for a library: no array in it is watched."""
    if isinstance(value, dict):
        return {key: plain_within(one) for key, one in value.items()}
    if isinstance(value, WatchedObject):
        return value._real
    return plain(value)


def library_function(does: Callable[..., Any], pure: bool) -> Callable[..., Any]:
    """Return a function of a library that gives watched arrays.

    What a `pure` one computes from watched arrays is put down, so that it has derivatives.
    """
    name = getattr(does, "__name__", "library")

    def function(*args: Any, **kwargs: Any) -> Any:
        given = [plain_within(one) for one in args]
        result = does(*given, **{key: plain_within(one) for key, one in kwargs.items()})
        if pure and (holds_watched(args) or holds_watched(list(kwargs.values()))):
            return noted(name, does, args, kwargs, result)
        return _given(result)

    function.__name__ = name
    return function


def _given(result: Any) -> Any:
    """Return the result of a library's function: arrays watched, and what objects will give."""
    if isinstance(result, np.ndarray | list | tuple | dict):
        return watched_within(result)
    if type(result).__module__.startswith("sklearn"):
        return WatchedObject(result)
    return result


class WatchedObject:
    """An object of a library whose methods give watched arrays."""

    def __init__(self, real: Any) -> None:
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        found = getattr(self._real, name)
        if isinstance(found, MethodType | FunctionType | BuiltinFunctionType):
            return library_function(found, pure=False)
        return _given(found)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real, name, plain_within(value))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object."""
        return library_function(self._real, pure=False)(*args, **kwargs)

    def __getitem__(self, index: Any) -> Any:
        return _given(self._real[plain(index)])

    def __iter__(self) -> Any:
        return (_given(one) for one in self._real)

    def __len__(self) -> int:
        return len(self._real)


class Library(ModuleType):
    """An installed library.

    Parameters
    ----------
    real : module
    replaced : mapping
        What stands in for some of its parts, by their whole names, ``pandas.read_csv``.
    """

    def __init__(self, real: ModuleType, replaced: Mapping[str, Any]) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(_real=real, _replaced=replaced)

    def __getattr__(self, name: str) -> Any:
        """Return a part, whose arrays are watched."""
        real = self._real
        whole = f"{real.__name__}.{name}"
        if whole in self._replaced:
            return self._replaced[whole]
        if name == "__all__":
            return getattr(real, name, [one for one in dir(real) if not one.startswith("_")])
        if name == "__path__":
            return []
        try:
            found = getattr(real, name)
        except AttributeError:
            if name.startswith("__"):
                raise
            try:
                found = importlib.import_module(whole)
            except ImportError:
                raise AttributeError(f"module {real.__name__} has no attribute {name}") from None
        made = self._made(found)
        self.__dict__[name] = made
        return made

    def _made(self, found: Any) -> Any:
        if isinstance(found, ModuleType):
            return Library(found, self._replaced)
        if isinstance(found, np.ufunc):
            return StandInUfunc(found)
        if self.__name__.startswith("pandas"):
            return found
        if isinstance(found, type):
            if found.__module__.startswith("sklearn") and not issubclass(found, BaseException):
                return library_function(found, pure=False)
            return found
        if callable(found):
            return library_function(found, pure=self.__name__.startswith(_PURE))
        return _given(found)


class _EnoughSeen(Exception):  # noqa: N818 - a signal, not an error
    """An optimizer has called a function often enough."""


def limited_optimizer(name: str, does: Callable[..., Any]) -> Callable[..., Any]:
    """Return an optimizer of SciPy that calls watched functions a few times."""
    first, second, *_ = inspect.signature(does).parameters  # ``f`` or ``func``, ``x0``

    def function(*args: Any, **kwargs: Any) -> Any:
        given = dict(zip((first, second), args, strict=False)) | kwargs
        fun, x0 = given.pop(first), given.pop(second)
        last = [plain(x0)]
        calls = [0]

        def seen(callee: Any) -> Any:
            if not callable(callee) or isinstance(callee, type):
                return callee

            def called(x: Any, *rest: Any) -> Any:
                calls[0] += 1
                if calls[0] > _FEW_CALLS:
                    raise _EnoughSeen
                last[0] = np.array(x)
                return plain(callee(watch(np.array(x), "optimizer"), *rest))

            return called

        named = {key: seen(one) if key in ("jac", "fprime") else one for key, one in given.items()}
        rest = [seen(one) for one in args[2:]]
        try:
            return watched_within(does(seen(fun), plain(x0), *rest, **named))
        except _EnoughSeen:
            x = watch(np.array(last[0]), "optimizer")
            if name in ("minimize", "least_squares", "root"):
                from scipy.optimize import OptimizeResult

                return OptimizeResult(x=x, fun=0.0, success=True, message="", nit=1, nfev=1)
            return (x, 0.0, {}) if name == "fmin_l_bfgs_b" or kwargs.get("full_output") else x

    return function

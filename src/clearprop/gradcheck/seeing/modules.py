"""Modules that stand in for NumPy, math and random in watched code, so that no number escapes."""

import builtins
import math
import random
from collections.abc import Callable, Iterable
from functools import partial
from types import MethodType, ModuleType
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import (
    Watched,
    as_matrix,
    holds_watched,
    noted,
    plain,
    watch,
)
from clearprop.gradcheck.seeing.matrices import holds_matrix, is_matrix

_OLD_NAMES: dict[str, Any] = {
    **{name: getattr(builtins, name) for name in ("float", "int", "bool", "object", "str")},
    "float_": np.float64,
    "complex": complex,
    "long": int,
    "unicode": str,
    "infty": np.inf,
    "Inf": np.inf,
    "Infinity": np.inf,
    "PINF": np.inf,
    "NINF": -np.inf,
    "NaN": np.nan,
    "NAN": np.nan,
    "product": np.prod,
    "cumproduct": np.cumprod,
    "alltrue": np.all,
    "sometrue": np.any,
    "in1d": np.isin,
    "row_stack": np.vstack,
    "round_": np.round,
    "trapz": np.trapezoid if hasattr(np, "trapezoid") else None,
}
"""What NumPy had before its version 2, by its name."""

_UNINITIALISED = {"empty": np.zeros, "empty_like": np.zeros_like}
"""Functions that give whatever lies in memory, and what is told from run to run alike."""

_OLD_OPTIONS = {"reshape": {"newshape": "shape"}}
"""What functions called their arguments before NumPy 2, and call them now."""

_AS_IT_IS = ("asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "require")


def _listed(item: Any) -> Any:
    """Return a list with watched arrays in it as one watched array; anything else as it is."""
    if type(item) in (list, tuple) and holds_watched(item):
        return _array(item)
    return item


def _array(item: Any, *args: Any, **kwargs: Any) -> Any:
    if not kwargs.get("copy", True):  # only where it is needed, as before NumPy 2
        kwargs = {key: one for key, one in kwargs.items() if key != "copy"}
    if not holds_watched(item):
        return watch(_made_of(item, np.array, args, kwargs), "array")
    if object in (kwargs.get("dtype"), *args[:1]):  # numbers are watched, whatever holds them
        args, kwargs = (), {}
    return _made_of(item, partial(_noted_array, args=args, kwargs=kwargs), (), {})


def _made_of(item: Any, make: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Make an array, of lists that are no rows of one the array that NumPy made before 1.24."""
    try:
        return make(item, *args, **kwargs)
    except ValueError:
        if type(item) not in (list, tuple) or args or kwargs:
            raise
    try:
        return _noted_array(item, (), {}, _of_numbers)
    except ValueError:
        return _objects(item)


def _noted_array(
    item: Any, args: Any, kwargs: Any, prepare: Callable[[Any], Any] = lambda item: item
) -> Any:
    def compute(parts: Any) -> Any:
        return np.array(prepare(parts), *args, **kwargs)

    return noted("array", compute, (item,), {}, compute(plain(item)))


def _of_numbers(item: Any) -> Any:
    """Return nested lists with numbers in the place of arrays with a single entry."""
    if type(item) in (list, tuple):
        return [_of_numbers(one) for one in item]
    return item.reshape(-1)[0] if isinstance(item, np.ndarray) and item.size == 1 else item


class Objects(np.ndarray):
    """Arrays of several shapes as one, with which lists of such arrays compute, too.

    NumPy made such arrays of lists itself before its version 1.24.
    """

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *args: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        """Compute, entry by entry."""
        made = [_objects(one) if type(one) in (list, tuple) else one for one in args]
        given = [one.view(np.ndarray) if type(one) is Objects else one for one in made]
        result = getattr(ufunc, method)(*given, **kwargs)
        if out is not None:
            out[0][...] = result
            return out[0]
        return result.view(Objects) if isinstance(result, np.ndarray) else result


def _objects(item: Any) -> Any:
    """Return an array of the items as objects: arrays among them stay watched."""
    made = np.empty(len(item), object)
    for place, one in enumerate(item):
        made[place] = one
    return made.view(Objects)


def _as_array(item: Any, *args: Any, **kwargs: Any) -> Any:
    unchanged = not args and kwargs.get("dtype") in (None, getattr(item, "dtype", ""))
    if type(item) is Watched and unchanged:
        return item.as_array()
    return _array(item, *args, **kwargs)


class _AnyMatrix(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return is_matrix(instance) or isinstance(instance, np.matrix)


class matrix(metaclass=_AnyMatrix):  # noqa: N801 - the name that NumPy gives it
    """What watched code knows as ``numpy.matrix``."""

    def __new__(cls, data: Any, dtype: Any = None, copy: bool = True) -> Any:
        """Return a watched matrix."""
        if type(data) is Watched and dtype is None and not copy:
            return as_matrix(data)
        if isinstance(data, str):
            data = np.array(np.matrix(data))
        return as_matrix(_array(data) if dtype is None else _array(data, dtype=dtype))


class StandInUfunc:
    """A ufunc that takes lists of watched numbers, too."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self._ufunc = ufunc
        self.__name__ = ufunc.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute."""
        return watch(self._ufunc(*map(_listed, args), **kwargs), self.__name__)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._ufunc, name)
        if not callable(found) or name == "at":
            return found
        return lambda *args, **kwargs: watch(found(*map(_listed, args), **kwargs), name)


def _function(name: str, does: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of NumPy whose results are watched."""
    takes_lists = name in ("concatenate", "stack", "hstack", "vstack", "column_stack", "dstack")
    takes_lists = takes_lists or name in ("block", "meshgrid", "broadcast_arrays", "einsum", "ix_")

    renamed = _OLD_OPTIONS.get(name, {})

    def function(*args: Any, **kwargs: Any) -> Any:
        given = args if takes_lists else tuple(map(_listed, args))
        named = {renamed.get(key, key): one for key, one in kwargs.items()}
        return _watched(does(*given, **named), name)

    function.__name__ = name
    return function


def _watched(result: Any, name: str) -> Any:
    if isinstance(result, list | tuple) and any(isinstance(one, np.ndarray) for one in result):
        each = [watch(one, name) for one in result]
        if hasattr(result, "_fields"):
            return type(result)(*each)
        return type(result)(each)
    return watch(result, name)


class vectorize:  # noqa: N801 - the name that NumPy gives it
    """What ``numpy.vectorize`` does, entry by entry."""

    def __init__(self, pyfunc: Callable[..., Any], otypes: Any = None, **_: Any) -> None:
        self.pyfunc, self.__name__ = pyfunc, getattr(pyfunc, "__name__", "vectorized")

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else MethodType(self, owner)

    def __call__(self, *args: Any) -> Any:
        """Call the function for every entry."""
        arrays = [one if type(one) is Watched else _array(one) for one in args]
        shape = np.broadcast_shapes(*(one.shape for one in arrays))
        spread = [np.broadcast_to(one, shape) for one in arrays]
        found = [self.pyfunc(*(one[place] for one in spread)) for place in np.ndindex(*shape)]
        made = _array(found).reshape(shape) if shape else found[0]
        return as_matrix(made) if holds_matrix(args) else made


class _Random(ModuleType):
    """``numpy.random``, or a generator of it, whose numbers are watched."""

    def __init__(self, real: Any) -> None:
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name in ("RandomState", "default_rng", "Generator"):
            return lambda *args, **kwargs: _Random(found(*args, **kwargs))
        if name == "shuffle":
            return lambda items: _shuffle(items, found, self._real.permutation)
        if name in ("choice", "permutation", "permuted"):
            return lambda items, *args, **kwargs: _drawn(found, items, args, kwargs)
        if not callable(found) or name in ("seed", "get_state", "set_state", "bit_generator"):
            return found
        return lambda *args, **kwargs: watch(
            found(*plain(args), **{key: plain(one) for key, one in kwargs.items()}), "random"
        )


def _shuffle(items: Any, real: Callable[..., Any], permutation: Callable[..., Any]) -> None:
    if type(items) is Watched:
        items[...] = items[permutation(len(items))]
    else:
        real(items)


def _drawn(real: Callable[..., Any], items: Any, args: Any, kwargs: Any) -> Any:
    options = {key: plain(one) for key, one in kwargs.items()}
    if type(items) is Watched and items.ndim:
        return items[real(len(items), *plain(args), **options)]
    return real(plain(items), *plain(args), **options)


class StandInNumpy(ModuleType):
    """What watched code imports as ``numpy``.

    Parameters
    ----------
    load : callable
        A function of the name of a function that reads files (``loadtxt``) and its arguments, that
        reads or gives something in its place.
    """

    def __init__(self, load: Callable[..., Any]) -> None:
        super().__init__("numpy")
        self.__path__: list[str] = []
        self.__file__, self.__version__ = np.__file__, np.__version__
        self._load = load

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = self._make(name)
        self.__dict__[name] = made
        return made

    def _make(self, name: str) -> Any:
        if name == "random":
            return _Random(np.random)
        if name == "ndarray":
            return Watched
        if name == "vectorize":
            return vectorize
        if name in ("load", "loadtxt", "genfromtxt", "fromfile"):
            return lambda *args, **kwargs: watch(self._load(name, args, kwargs), "data")
        if name == "array":
            return _array
        if name in _AS_IT_IS:
            return _as_array
        if name == "asfarray":
            return lambda item, dtype=np.float64: _as_array(item, dtype=dtype)
        if name == "matrix":
            return matrix
        if name in ("mat", "asmatrix"):
            return lambda data, dtype=None: matrix(data, dtype, copy=False)
        if name == "seterr":
            return lambda *_, **__: {}
        if (not hasattr(np, name) and name in _OLD_NAMES) or name in (
            "float",
            "int",
            "bool",
            "object",
            "str",
        ):
            found = _OLD_NAMES[name]
        else:
            found = _UNINITIALISED.get(name) or getattr(np, name)
        if isinstance(found, np.ufunc):
            return StandInUfunc(found)
        if isinstance(found, ModuleType):
            return _Part(found)
        if not callable(found) or isinstance(found, type):
            return found
        return _function(name, found)


class _Part(ModuleType):
    """A module of NumPy, such as ``numpy.linalg``, whose results are watched."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__)
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not callable(found) or isinstance(found, type):
            return found
        return _function(name, found)


class StandInMath(ModuleType):
    """What watched code imports as ``math``: of watched numbers, NumPy computes."""

    def __init__(self) -> None:
        super().__init__("math")

    def __getattr__(self, name: str) -> Any:
        real = getattr(math, name)
        does = getattr(np, {"pow": "power", "fabs": "absolute"}.get(name, name), None)
        if not callable(real) or not isinstance(does, np.ufunc):
            return real

        def function(*args: Any) -> Any:
            if any(type(one) is Watched for one in args):
                return does(*(one.item() if type(one) is Watched else one for one in args))
            return real(*args)

        return function


_DRAWING = ("random", "uniform", "gauss", "normalvariate", "triangular", "betavariate")


class StandInRandom(ModuleType):
    """What watched code imports as ``random``: what it draws is watched."""

    def __init__(self) -> None:
        super().__init__("random")

    def __getattr__(self, name: str) -> Any:
        real = getattr(random, name)
        if name in _DRAWING:
            return lambda *args: watch(float(real(*plain(args))), "random")
        if name == "shuffle":
            return lambda items, *_: _shuffle(items, real, np.random.permutation)
        if name == "Random":
            return lambda *args: _StandInGenerator(real(*args))
        return real


class _StandInGenerator:
    def __init__(self, real: random.Random) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name in _DRAWING:
            return lambda *args: watch(float(real(*plain(args))), "random")
        return real


class _FloatKind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        scalar = type(instance) is Watched and not instance.ndim
        return scalar or isinstance(instance, float)


class StandInFloat(float, metaclass=_FloatKind):
    """What watched code knows as ``float``: a watched number stays one."""

    dtype = np.dtype(np.float64)

    def __new__(cls, number: Any = 0.0) -> Any:
        """Return a float, or the watched number itself."""
        if type(number) is Watched and number.size == 1:
            return number.reshape(()) if number.ndim else number
        return float(number)


def stand_in_sum(items: Iterable[Any], /, start: Any = 0) -> Any:
    """Add items, as ``sum`` does; of an array, its rows."""
    total = start
    for item in items:
        total = total + item
    return total

"""Modules that stand in for NumPy, math and random in watched code, so that no number escapes."""

import builtins
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from types import GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import (
    Watched,
    as_matrix,
    noted,
    plain,
    watch,
)
from clearprop.gradcheck.seeing.lists import (
    Objects,
    as_array,
    empty,
    laid_out,
    listed,
    made_array,
    opened,
)
from clearprop.gradcheck.seeing.matrices import holds_matrix, is_matrix
from clearprop.gradcheck.seeing.scalars import floats
from clearprop.gradcheck.seeing.strides import strided

_OLD_NAMES: dict[str, Any] = {
    **{name: getattr(builtins, name) for name in ("float", "int", "bool", "object", "str")},
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
    "asscalar": lambda array: array.item(),
    "msort": partial(np.sort, axis=0),
    "unicode_": np.str_,
    "string_": np.bytes_,
    "asnumpy": np.asarray,
    "trapz": np.trapezoid if hasattr(np, "trapezoid") else None,
}
"""What NumPy had before its version 2, by its name, and what CuPy has, which it stands in for."""


def _of_shape(makes: Callable[..., Any]) -> Callable[..., Any]:
    """Take None for the shape of a single number, as NumPy did before its version 2."""
    return lambda shape, *args, **kwargs: makes(() if shape is None else shape, *args, **kwargs)


_UNINITIALISED = {"empty": empty, "empty_like": np.zeros_like}
"""Functions that give whatever lies in memory, and what is told from run to run alike."""

_MAKERS = ("empty", "zeros", "ones", "full")

_OLD_OPTIONS = {"reshape": {"newshape": "shape"}}
"""What functions called their arguments before NumPy 2, and call them now."""


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
        return as_matrix(made_array(data) if dtype is None else made_array(data, dtype=dtype))


class StandInUfunc:
    """A ufunc that takes lists of watched numbers, too."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self._ufunc = ufunc
        self.__name__ = ufunc.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute."""
        return watch(self._ufunc(*map(listed, args), **kwargs), self.__name__)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._ufunc, name)
        if not callable(found) or name == "at":
            return found
        return lambda *args, **kwargs: watch(found(*map(listed, args), **kwargs), name)


def _function(name: str, does: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of NumPy whose results are watched."""
    takes_lists = name in ("concatenate", "stack", "hstack", "vstack", "column_stack", "dstack")
    takes_lists = takes_lists or name in ("block", "meshgrid", "broadcast_arrays", "einsum", "ix_")
    takes_lists = takes_lists or name == "multi_dot"

    renamed = _OLD_OPTIONS.get(name, {})

    def function(*args: Any, **kwargs: Any) -> Any:
        given = tuple(map(opened if takes_lists else listed, args))
        named = {renamed.get(key, key): one for key, one in kwargs.items()}
        return _watched(does(*given, **named), name)

    function.__name__ = name
    return function


def _sum(items: Any, *args: Any, **kwargs: Any) -> Any:
    """Add, as NumPy does; what a generator gives, too, as it did before NumPy 2."""
    items = made_array(list(items)) if isinstance(items, GeneratorType) else items
    return np.sum(items, *args, **kwargs)


def _from_iterator(items: Iterable[Any], dtype: Any = float, count: int = -1, **_: Any) -> Any:
    return made_array(list(islice(items, count) if count >= 0 else items), dtype=dtype)


def _entries(array: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    array = as_array(array)
    return ((place, array[place]) for place in np.ndindex(array.shape))


def _from_function(function: Callable[..., Any], inputs: int, outputs: int, **_: Any) -> Any:
    return vectorize(function) if outputs == 1 else np.frompyfunc(function, inputs, outputs)


def _along_axis(
    function: Callable[..., Any], axis: int, array: Any, *args: Any, **named: Any
) -> Any:
    rows = np.moveaxis(as_array(array), axis, -1)
    places = list(np.ndindex(rows.shape[:-1]))
    found = [as_array(function(rows[place], *args, **named)) for place in places]
    whole = np.stack(found).reshape(rows.shape[:-1] + found[0].shape)
    for one in range(found[0].ndim):
        whole = np.moveaxis(whole, rows.ndim - 1 + one, axis % rows.ndim + one)
    return whole


def _piecewise(x: Any, conditions: Any, functions: Sequence[Any], *args: Any, **named: Any) -> Any:
    x = as_array(x)
    conditions = [as_array(one) for one in conditions]
    if len(functions) > len(conditions):
        conditions.append(~np.any(np.stack(conditions), axis=0))
    whole = np.zeros_like(x)
    for where, value in zip(conditions, functions, strict=True):
        whole[where] = value(x[where], *args, **named) if callable(value) else value
    return whole


class _Columns:
    """What ``numpy.c_`` is; NumPy makes columns of arrays with one axis unseen."""

    def __getitem__(self, parts: Any) -> Any:
        each = map(listed, parts if isinstance(parts, tuple) else (parts,))
        return watch(np.c_[tuple(_column(one) for one in each)], "c_")


def _column(item: Any) -> Any:
    return item.reshape(-1, 1) if type(item) is Watched and item.ndim == 1 else item


def _watched(result: Any, name: str) -> Any:
    if isinstance(result, np.ndarray) and result.dtype.kind == "O":
        return result.view(Objects)
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
        arrays = [one if type(one) is Watched else made_array(one) for one in args]
        shape = np.broadcast_shapes(*(one.shape for one in arrays))
        spread = [np.broadcast_to(one, shape) for one in arrays]
        found = [self.pyfunc(*(one[place] for one in spread)) for place in np.ndindex(*shape)]
        made = made_array(found).reshape(shape) if shape else found[0]
        return as_matrix(made) if holds_matrix(args) else made


_ANEW: dict[str, Any] = {
    "ndarray": Watched,
    "vectorize": vectorize,
    "array": made_array,
    **dict.fromkeys(("asarray", "asanyarray"), as_array),
    "require": lambda item, dtype=None, *_, **__: as_array(item, dtype=dtype),
    "ascontiguousarray": laid_out("C"),
    "asfortranarray": laid_out("F"),
    "asfarray": lambda item, dtype=np.float64: as_array(item, dtype=dtype),
    "matrix": matrix,
    **dict.fromkeys(("mat", "asmatrix"), lambda data, dtype=None: matrix(data, dtype, copy=False)),
    "seterr": lambda *_, **__: {},
    "fromiter": _from_iterator,
    "apply_along_axis": _along_axis,
    "piecewise": _piecewise,
    **{kind.__name__: floats(kind) for kind in (np.float16, np.float32, np.float64, np.longdouble)},
    **dict.fromkeys(("double", "float_"), floats(np.float64)),
    "single": floats(np.float32),
    "ndenumerate": _entries,
    "frompyfunc": _from_function,
    "c_": _Columns(),
    "sum": _function("sum", _sum),
    "isscalar": lambda item: np.isscalar(plain(item)),
}
"""What has another form in watched code, by its name."""


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
            return lambda *args, **kwargs: _drawn(found, args, kwargs)
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


def _drawn(real: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    options = {key: plain(one) for key, one in kwargs.items()}
    name = next((one for one in ("a", "x") if one in kwargs), "")
    items = args[0] if args else kwargs.get(name)
    if type(items) is Watched and items.ndim:
        rest = {key: one for key, one in options.items() if args or key != name}
        return items[real(len(items), *plain(args[1:]), **rest)]
    return real(*plain(args), **options)


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
        if name == "get_array_module":  # of CuPy, which it stands for, too
            return lambda *_: self
        if name == "asnumpy":
            return as_array
        if name in ("load", "loadtxt", "genfromtxt", "fromfile"):
            return lambda *args, **kwargs: watch(self._load(name, args, kwargs), "data")
        if name in _ANEW:
            return _ANEW[name]
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
        return _function(name, _of_shape(found) if name in _MAKERS else found)


class _Part(ModuleType):
    """A module of NumPy, such as ``numpy.linalg``, whose results are watched."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__)
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        if name == "as_strided":
            return strided
        real = self._real
        if real is np.lib and not hasattr(real, name):
            real = np  # whose functions it had, too, before NumPy 2
        found = getattr(real, name)
        if isinstance(found, ModuleType):
            return _Part(found)
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
        if name == "fsum":
            return stand_in_sum
        if not callable(real):
            return real

        def function(*args: Any) -> Any:
            if not any(type(one) is Watched for one in args):
                return real(*args)
            if isinstance(does, np.ufunc) and does.nin == len(args):
                return does(*(one.item() if type(one) is Watched else one for one in args))
            # What NumPy has no function for, such as erf, or a logarithm with a base.
            return noted(name, np.vectorize(real, otypes=[float]), args, {}, real(*plain(args)))

        return function


_DRAWING = ("random", "uniform", "gauss", "normalvariate", "triangular", "betavariate")


class StandInRandom(ModuleType):
    """What watched code imports as ``random``, or a generator of it: what it draws is watched."""

    def __init__(self, real: Any = random) -> None:
        super().__init__("random")
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name in _DRAWING:
            return lambda *args, **kwargs: watch(
                float(found(*plain(args), **{key: plain(one) for key, one in kwargs.items()})),
                "random",
            )
        if name == "shuffle":
            return lambda items, *_: _shuffle(items, found, np.random.permutation)
        if name == "Random":
            return lambda *args: StandInRandom(found(*args))
        return found


def stand_in_sum(items: Iterable[Any], /, start: Any = 0) -> Any:
    """Add items, as ``sum`` does; of an array, its rows."""
    total = start
    for item in items:
        total = total + item
    return total

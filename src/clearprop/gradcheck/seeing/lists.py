"""Lists, and what else NumPy takes for arrays, as watched arrays of what they hold."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, holds_watched, noted, plain, watch

_LONG = 4000  # items of a list that are looked into


def listed(item: Any) -> Any:
    """Return a list with watched arrays in it as one watched array; anything else as it is."""
    item = opened(item)
    if type(item) in (list, tuple) and holds_watched(item):
        return made_array(item)
    return item


def opened(item: Any) -> Any:
    """Return the array or the list that a learner's own container gives; others as they are."""
    kind = type(item)
    if isinstance(item, np.ndarray | np.generic | np.dtype | str | bytes | dict):
        return item
    if kind in (list, tuple):
        return kind(map(opened, item)) if len(item) < _LONG else item
    with suppress(Exception):  # it is the learner's: what fails there fails in NumPy's hands, too
        if hasattr(kind, "__array__"):
            given = item.__array__()
            return given if type(given) is Watched else item
        if hasattr(kind, "__len__") and hasattr(kind, "__getitem__") and len(item) < _LONG:
            inner = list(item)
            return inner if holds_watched(inner) else item
    return item


def made_array(item: Any, *args: Any, **kwargs: Any) -> Any:
    """Do what ``numpy.array`` does."""
    item = opened(item)
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
        is_objects = isinstance(result, np.ndarray) and result.dtype.kind == "O"
        return result.view(Objects) if is_objects else result


def _objects(item: Any) -> Any:
    """Return an array of the items as objects: arrays among them stay watched."""
    made = np.empty(len(item), object)
    for place, one in enumerate(item):
        made[place] = one
    return made.view(Objects)


def empty(shape: Any, dtype: Any = np.float64, **options: Any) -> Any:
    """Do what ``numpy.empty`` does, with zeros instead of whatever lies in memory."""
    makes = np.empty if np.dtype(dtype).kind == "O" else np.zeros
    return makes(plain(shape), dtype, **options)


def as_array(item: Any, *args: Any, **kwargs: Any) -> Any:
    """Do what ``numpy.asarray`` and its like do."""
    unchanged = not args and kwargs.get("dtype") in (None, getattr(item, "dtype", ""))
    if type(item) is Watched and unchanged:
        return item.as_array()
    return made_array(item, *args, **kwargs)


def laid_out(order: str) -> Callable[..., Any]:
    """Return what ``numpy.ascontiguousarray`` and ``numpy.asfortranarray`` do."""

    def function(item: Any, dtype: Any = None) -> Any:
        array = as_array(item, dtype=dtype)
        return array if array.flags[f"{order}_CONTIGUOUS"] else array.copy(order)

    return function

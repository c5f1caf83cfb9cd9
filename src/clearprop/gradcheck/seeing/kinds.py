"""Classes that learners derive from ``numpy.ndarray``, whose arrays are watched as all others are.

An array that is viewed as such a class stays a watched array, and keeps which class it is of.
"""

import inspect
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.matrices import Converted


class Kind(type):
    """The class of watched arrays, and of the classes that are derived from them.

    All arrays are of the first, those that were made of a derived one of that one, too.
    """

    def __instancecheck__(cls, instance: object) -> bool:
        if not isinstance(instance, np.ndarray) or cls is _watched(cls):
            return isinstance(instance, np.ndarray)
        own = getattr(instance, "_own", None)
        return own is not None and issubclass(own, cls)


class OfKind(Converted):
    """An array that may be of a learner's own class."""

    _own: Any = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an array of zeros, of a learner's own class or of none."""
        made = np.ndarray.__new__(_watched(cls), *args, **kwargs)
        made.fill(0)
        return made if cls is _watched(cls) else _of(made, cls, None)

    def view(self, *args: Any, **kwargs: Any) -> Any:
        """View the array as one of another class or dtype."""
        if args == (np.ndarray,):
            return super().view(np.ndarray)
        kind = args[0] if args else kwargs.get("type", type(self))
        if isinstance(kind, int):  # of torch, whose views are shapes
            return _of(self.reshape(*args), self._own or type(self), self)
        if not isinstance(kind, Kind) or "dtype" in kwargs:
            return super().view(*args, **kwargs)
        return _of(self[...], kind, self)

    def own_part(self, name: str) -> Any:
        """Return a method or a property of the learner's own class; None of another name."""
        found: Any = inspect.getattr_static(self._own, name, None) if self._own else None
        return found.__get__(self, self._own) if hasattr(found, "__get__") else found


def _watched(kind: type) -> Any:
    """Return the class of watched arrays that a class is derived from, or is."""
    return kind.__mro__[kind.__mro__.index(OfKind) - 1]


def _of(array: Any, kind: type, seen: Any) -> Any:
    if kind is not _watched(kind):
        array._own = kind
        if "__array_finalize__" in vars(kind):
            vars(kind)["__array_finalize__"](array, seen)
    return array

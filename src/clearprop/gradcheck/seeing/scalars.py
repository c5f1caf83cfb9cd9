"""Kinds of numbers that watched code makes and asks for, ``float`` and ``numpy.float64``."""

from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, plain, watch
from clearprop.gradcheck.seeing.lists import as_array


class _FloatKind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        scalar = type(instance) is Watched and not instance.ndim
        return scalar or isinstance(instance, float)

    def __subclasscheck__(cls, kind: type) -> bool:  # which ``Union[int, float]`` asks for
        return issubclass(kind, float)


class StandInFloat(float, metaclass=_FloatKind):
    """What watched code knows as ``float``: a watched number stays one."""

    dtype = np.dtype(np.float64)

    def __new__(cls, number: Any = 0.0) -> Any:
        """Return a float, or the watched number itself."""
        if type(number) is Watched and number.size == 1:
            return number.reshape(()) if number.ndim else number
        return float(number)


class _Kind(type):
    """A kind of numbers that is another one, for whoever asks."""

    real: type

    def __instancecheck__(cls, instance: object) -> bool:
        if type(instance) is Watched:
            return not instance.ndim and instance.dtype == cls.real
        return isinstance(instance, cls.real)

    def __subclasscheck__(cls, kind: type) -> bool:
        return kind is cls or issubclass(kind, cls.real)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.real

    def __hash__(cls) -> int:
        return hash(cls.real)


def floats(real: type[np.floating[Any]]) -> type:
    """Return what watched code knows as a kind of floats: what it makes is watched.

    Parameters
    ----------
    real : type
        One such as ``numpy.float64``.
    """

    def make(_: type, number: Any = 0.0) -> Any:
        if type(number) is Watched or isinstance(number, list | tuple):
            return as_array(number, dtype=real)
        return watch(np.asarray(real(plain(number))), real.__name__)

    return _Kind(real.__name__, (real,), {"real": real, "__new__": make})

"""A formula in NumPy, and its twin: a loop that Numba compiles to the same bits."""

import os
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, Final
from uuid import uuid4

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import UsageError

_VARIABLE: Final = "CLEARPROP_KERNELS"
_WORTHWHILE = 1_000_000_000  # numbers updated: a second or two saved, and loading takes half of one
_PER_STEP = 20_000  # what a step saves in calls alone, in numbers
_OWN: Final = uuid4().hex[:12]
_NAMES = {np.dtype(np.float32): "float32", np.dtype(np.float64): "float64"}


class Kernel:
    """Computes by the NumPy formula until compiled loops are allowed, then by the loop.

    Both give the same bits, so that nobody has to know which one ran: the loop does the same
    operations in the same order, and is compiled without fast-math. Where the loop is not made
    for the layout of the arrays, the formula does the work.

    Parameters
    ----------
    formula : callable
        A function that writes into its arguments. The first is an array, whose dtype all have.
    loop : callable
        The same, one number after the other.
    signature : str
        The loop's argument types, as Numba writes them, with T for the dtype.
    """

    def __init__(
        self, formula: Callable[..., None], loop: Callable[..., None], signature: str
    ) -> None:
        self.formula = formula
        self.loop = loop
        self.signature = signature
        self._twins: dict[np.dtype[Any], Callable[..., None]] = {}

    def __call__(self, *arguments: Any) -> None:
        """Write the results into the arguments."""
        if _mode.compiles:
            try:
                return self.twin(arguments[0])(*arguments)
            except TypeError:  # raised before the loop begins: it is not made for such a layout
                pass
        return self.formula(*arguments)

    def twin(self, first: Array) -> Callable[..., None]:
        """Return the loop compiled for the dtype of an array; the formula where it can't be."""
        found = self._twins.get(first.dtype)
        if found is None:
            found = self._twins[first.dtype] = self._compiled(first.dtype)
        return found

    def _compiled(self, dtype: np.dtype[Any]) -> Callable[..., None]:
        if dtype not in _NAMES:
            return self.formula
        try:
            return _compile(self.loop, self.signature.replace("T", _NAMES[dtype]))
        except Exception as error:  # a broken Numba may raise anything
            _mode.give_up(error)
            return self.formula


class _Mode:
    """Whether loops are compiled: not before it pays, and never once Numba has failed."""

    def __init__(self, wanted: str) -> None:
        if wanted not in {"auto", "numpy", "compiled"}:
            raise UsageError(f"{_VARIABLE} is auto, numpy or compiled; found {wanted!r}.")
        self.fixed = wanted != "auto"
        self.compiles = wanted == "compiled"

    def give_up(self, error: Exception) -> None:
        if self.compiles:
            warnings.warn(
                f"Numba is installed but does not work ({type(error).__name__}: {error}). Training "
                f"goes on without it; {_VARIABLE}=numpy says so beforehand.",
                RuntimeWarning,
                stacklevel=2,
            )
        self.fixed, self.compiles = True, False


_mode = _Mode(os.environ.get(_VARIABLE, "auto"))


def compile_if_worthwhile(parameters: int, steps: int) -> bool:
    """Let loops be compiled from now on, if Numba is there and a training is long enough.

    Parameters
    ----------
    parameters : int
        The number of numbers that an update changes.
    steps : int
        The number of updates that there are to be.

    Returns
    -------
    bool
        Whether this training is: loops that were compiled for another one stay, as their bits are
        those of the formulas.
    """
    if _mode.fixed:
        return _mode.compiles
    worthwhile = steps * (parameters + _PER_STEP) >= _WORTHWHILE and find_spec("numba") is not None
    _mode.compiles |= worthwhile
    return worthwhile


def are_compiled() -> bool:
    """Whether loops, rather than formulas, do the work where they can."""
    return _mode.compiles


def give_up_compiling(error: Exception) -> None:
    """Go on without Numba, which has failed, and warn of it once.

    Raises
    ------
    MemoryError
        If that is what it was: it is not Numba's.
    """
    if isinstance(error, MemoryError):
        raise error
    _mode.give_up(error)


def keep_apart(compiled: Any) -> None:
    """Give a compiled function's files on disk names that no other process chooses.

    Numba numbers them by an index that it reads before it compiles and writes after: of two
    processes that compile the same function for two kinds of arrays at once, both may take the same
    number, and one would then run the other's machine code, to wrong results. So the number is
    followed by a word of this process; what an index forgets is compiled again.

    Parameters
    ----------
    compiled : object
        A dispatcher of Numba's, with a cache.
    """
    file = compiled._cache._cache_file
    file._data_name_pattern = file._data_name_pattern.replace("{number:d}", f"{{number:d}}-{_OWN}")


def _compile(loop: Callable[..., None], signature: str) -> Callable[..., None]:
    import numba  # here, so that importing clearprop stays quick

    # No fastmath: it would change bits. "numpy": a checked division is not vectorised.
    jit = partial(numba.njit, nogil=True, error_model="numpy")
    try:
        twin: Any = jit(cache=True)(loop)
        keep_apart(twin)
    except (RuntimeError, OSError):  # no folder for the cache can be written
        twin = jit()(loop)
    twin.compile(signature)
    twin.disable_compile()  # for other arguments: the formula takes them
    return twin

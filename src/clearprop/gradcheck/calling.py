"""Somebody else's functions, called so that no call changes what the next one gives."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from clearprop.errors import ShapeError, UsageError
from clearprop.gradcheck.subject import Arrays
from clearprop.gradcheck.words import say
from clearprop.parameters import Array

T = TypeVar("T")

_LOOKS = 8  # more than it takes to call each function twice


@dataclass
class Noticed:
    """What was noticed while functions were called.

    Parameters
    ----------
    draws : bool
        Whether one draws from the random numbers of `numpy.random` or `random`.
    changes : set of str
        The arrays that one writes into.
    calls : int
        How many calls were looked at: not all of them, because a look may take longer than a call.
    """

    draws: bool = False
    changes: set[str] = field(default_factory=set)
    calls: int = 0


def carefully(
    function: Callable[[dict[str, Array]], T], names: Iterable[str], noticed: Noticed
) -> Callable[[Arrays], T]:
    """Return a function of parameters that gets copies, and the same random numbers at every call.

    Parameters
    ----------
    function : callable
        Of parameters by name.
    names : iterable of str
        The order in which it gets them, which is that of its own dictionary.
    noticed : Noticed
        Where to note what it does beyond returning something.

    Returns
    -------
    callable
    """
    order = tuple(names)

    def call(parameters: Arrays) -> T:
        copies = {name: parameters[name].copy() for name in order}
        np.random.seed(0)
        random.seed(0)
        if noticed.calls >= _LOOKS:
            return function(copies)
        noticed.calls += 1
        start = _random_numbers()
        result = function(copies)
        noticed.draws |= start != _random_numbers()
        noticed.changes.update(
            name for name in order if name not in copies or not same(copies[name], parameters[name])
        )
        return result

    return call


@contextmanager
def own_random_numbers() -> Iterator[None]:
    """Leave both sources of random numbers, `numpy.random` and `random`, as they were before."""
    before, before_too = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(before)
        random.setstate(before_too)


def _random_numbers() -> tuple[Any, ...]:
    """Return where both sources stand, in a form that can be compared."""
    state: Any = np.random.get_state()
    return state[1].tobytes(), state[2:], random.getstate()


def same(one: Any, other: Any) -> bool:
    """Whether two arrays are equal, NaN to NaN."""
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and np.array_equal(
        one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f"
    )


def as_cost(value: Any) -> float:
    """Return a cost as a number.

    Raises
    ------
    ShapeError
        If it is an array of several.
    UsageError
        If it is no number at all.
    """
    cost = np.asarray(value)
    if cost.dtype.kind not in "biuf":
        raise UsageError(say("no cost", found=type(value).__name__))
    if cost.size != 1:
        raise ShapeError(say("many costs", shape=cost.shape))
    return float(cost.reshape(()))


def as_parameters(parameters: Mapping[str, Any]) -> dict[str, Array]:
    """Return parameters in float64, in the order of their own dictionary.

    Raises
    ------
    UsageError
        If there are none, or one does not hold numbers that can move by a small step.
    """
    if not isinstance(parameters, Mapping) or not parameters:
        raise UsageError(say("no parameters", found=type(parameters).__name__))
    arrays = {}
    for name, values in parameters.items():
        try:
            array = np.asarray(values)
        except ValueError as error:  # of lists of different lengths
            raise UsageError(say("odd parameter", name=name, found=error)) from error
        if array.dtype.kind in "biu":
            raise UsageError(say("integer parameter", name=name, found=array.dtype))
        if array.dtype.kind != "f":
            raise UsageError(say("odd parameter", name=name, found=f"{array.dtype} values"))
        if not array.size:
            raise UsageError(say("empty parameter", name=name, shape=array.shape))
        arrays[name] = array.astype(np.float64)
    return arrays

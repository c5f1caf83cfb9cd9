"""The slopes of activations, which whoever calls them multiplies by what comes back."""

import inspect
import re
from itertools import takewhile
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of
from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.roles import BACKWARD
from clearprop.gradcheck.seeing.calling.workplace import Workplace
from clearprop.gradcheck.seeing.derivatives import derivatives
from clearprop.gradcheck.seeing.tape import ancestors

SLOPE = re.compile(r"deriv|prime|slope|^d_|(?-i:^d[A-Z])", re.I)
"""Names of methods that give a derivative."""

_PLACED = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
_MOST_SLOPES = 64  # entries of an output whose slopes are computed one by one


def first_given(function: Any, value: Any) -> dict[str, Any]:
    """Return a value as the first argument of a function, if it has any."""
    return dict.fromkeys([*inspect.signature(function).parameters][:1], value)


def value_and_slope(place: Workplace, owner: Any) -> tuple[Any, Any]:
    """Return the methods of an activation that give its value and its derivative, by their names.

    They ask for the same, and their names begin and end alike.

    Raises
    ------
    NoSuchWayError
        If there are none.
    """

    def wanted(method: Any) -> list[str]:
        asked = inspect.signature(method).parameters.values()
        return [one.name for one in asked if one.default is one.empty and one.kind in _PLACED]

    methods = {n: one for n, one in place.defined.methods(owner).items() if len(wanted(one)) == 1}
    both = [
        (_alike(name, other) + _alike(name[::-1], other[::-1]), one, two)
        for name, one in methods.items()
        for other, two in methods.items()
        if not BACKWARD.search(name) and SLOPE.search(other) and wanted(one) == wanted(two)
    ]
    if not both:
        raise NoSuchWayError("that gives a derivative")
    return max(both, key=lambda item: item[0])[1:]


def _alike(one: str, other: str) -> int:
    """Return with how many equal letters two names begin."""
    return sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(one, other, strict=False)))


def by_slope(place: Workplace, slope: Any, upstream: Any, inputs: Any) -> Any:
    """Return the gradient of a layer's input where it knows only its slope.

    Some compute it from what came in, others from what they returned.
    """
    output, found = place.pool.output, []
    first = next(iter(inspect.signature(slope).parameters.values()), None)
    for one in (inputs, output):
        value, error = attempted(lambda one=one: place.call(slope, fixed=first_given(slope, one)))
        if error is not None and first is not None and first.default is None:
            value, error = place.call(slope, fixed={first.name: None}), None  # as it remembers
        if error is not None:
            raise error
        if type(value) is Watched and value.shape == output.shape == inputs.shape:
            found.append(value * upstream)
    if not found:
        raise NoSuchWayError("that goes backward")
    place.returned |= {f"slope {number}": node_of(one) for number, one in enumerate(found)}
    return found[-1]


def bare_slope(place: Workplace, backward: Any, inputs: Any) -> Any:
    """Return what a backward pass computes of a layer's input or output, if it is its slope.

    Its caller then takes the product. None where it is something else.

    Raises
    ------
    NoSuchWayError
        If it is the slope of each output along its own input, though others change with that, too.
    """
    asked, output = inspect.signature(backward).parameters, place.pool.output
    needed = [name for name, one in asked.items() if one.default is one.empty]
    if len(needed) != 1 or output.shape != inputs.shape:
        return None
    last, entered = node_of(output), node_of(inputs)
    behind = ancestors([last])
    units = np.eye(min(output.size, _MOST_SLOPES), output.size).reshape(-1, *output.shape)
    rows = [derivatives({last: unit}, behind)[0].get(entered) for unit in units]
    known = np.array([np.zeros(output.size) if row is None else row.ravel() for row in rows])
    own = np.diag(known)
    for one in (inputs, output):
        value, _ = attempted(lambda one=one: place.call(backward, fixed={needed[0]: one}))
        if type(value) is not Watched or value.shape != output.shape or not own.any():
            continue
        if np.allclose(np.asarray(value).ravel()[: own.size], own, rtol=1e-6, atol=1e-9):
            if not np.allclose(known.sum(axis=1), own):
                raise NoSuchWayError("that goes backward")
            return value
    return None

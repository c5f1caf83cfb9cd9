"""Recurrent cells, which take states beside an input, and gradients of several outputs."""

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, watch
from clearprop.gradcheck.seeing.calling.roles import Role, snake
from clearprop.gradcheck.seeing.calling.workplace import Workplace

UNITS = 3
"""The units that a layer is made with."""

_FEATURES = 4


def states_for(
    asked: Mapping[str, inspect.Parameter], roles: Mapping[str, Role | None], x: Any
) -> dict[str, Any]:
    """Return random states for a cell that is given an input, by their names.

    Parameters
    ----------
    asked : mapping of str to inspect.Parameter
    roles : mapping of str to str or None
    x : Watched
        The input: of a sequence, samples first.
    """
    shape = list(np.shape(x))
    if len(shape) > 2:
        shape = [shape[0], _FEATURES]
    axis = len(shape) - 1 if shape[-1:] == [_FEATURES] else 0
    shape[axis : axis + 1] = [UNITS]
    return {
        name: watch(np.random.RandomState(len(name)).uniform(-1, 1, shape), "data")
        for name, role in roles.items()
        if role == "state" and asked[name].default is inspect.Parameter.empty
    }


def alike(gradient: str, names: Sequence[str | None]) -> int | None:
    """Return the place of the name that a gradient is of: of `dc_next` that of `c`."""
    wanted = re.sub(r"^(d|grad|delta)_?(?=[a-z])", "", snake(gradient))
    found = [n for n, one in enumerate(names) if one is not None and _plain(one) == _plain(wanted)]
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    return re.sub(r"^(next|prev|new)_?|_?(next|prev|new|out|t)$", "", snake(name)) or name


def other_upstreams(
    place: Workplace,
    asked: Mapping[str, inspect.Parameter],
    roles: Mapping[str, Role | None],
    known: Mapping[str, Any],
) -> dict[str, Any]:
    """Return gradients of the outputs beside the first one; zeros of what is no output.

    The cost has a part for each.
    """
    names = place.pool.names
    found: dict[str, Any] = {}
    for name, role in roles.items():
        if (
            role != "upstream"
            or name in known
            or asked[name].default is not inspect.Parameter.empty
        ):
            continue
        number = alike(name, names)
        output = place.pool.output if number is None else place.pool.forwarded[number]
        if type(output) is not Watched:
            continue
        if output is place.pool.output:
            found[name] = watch(np.zeros(output.shape), "upstream")
            continue
        drawn = 0.1 * np.random.RandomState(len(name)).randn(*output.shape)
        found[name] = watch(drawn, "upstream") + 0 * output
        place.pool.cost = place.pool.cost + (output * found[name]).sum()
        place.found.cost = node_of(place.pool.cost)
    return found


def claimed_of_states(place: Workplace) -> None:
    """Take what a cell returns beside the gradient of its input for those of its states."""
    results, names = place.pool.returned, place.pool.returned_names
    states = [name for name, one in place.pool.states.items() if type(one) is Watched]
    if not isinstance(results, tuple) or len(results) <= len(states) or not states:
        return
    for number, name in enumerate(states, 1):
        state = place.pool.states[name]
        known = names[number] if len(names) == len(results) else None
        result = results[number]
        fits = type(result) is Watched and result.shape == state.shape
        if fits and (known is None or _plain(known[1:].lstrip("_")) == _plain(name)):
            place.found.parameters[name] = node_of(state)
            place.found.claims[f"d{name}"] = node_of(result)

"""What a backward pass returned, by the names of the parameters."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np

from clearprop.errors import UsageError
from clearprop.gradcheck.order import layers_of
from clearprop.gradcheck.subject import Arrays
from clearprop.gradcheck.words import say
from clearprop.parameters import Array


def named_gradients(returned: Any, parameters: Arrays) -> dict[str, Array]:
    """Return gradients by the names of their parameters.

    Parameters
    ----------
    returned : mapping, or sequence of arrays
        A mapping with keys ``"dW1"`` or ``"W1"``; what else it holds is left out. A sequence, also
        of sequences, holds one array a parameter, from the input to the output or back; which
        order is meant, the shapes tell.
    parameters : mapping of str to ndarray

    Returns
    -------
    dict of str to ndarray
        Of the parameters that a gradient was found for.

    Raises
    ------
    UsageError
        If none was found, or one holds no numbers.
    """
    if isinstance(returned, Mapping):
        found = {name: returned[key] for name in parameters for key in _keys(name, returned)}
    else:
        found = _by_shape(list(_flat(returned)), parameters)
    if not found:
        expected = ", ".join(f"d{name}" for name in parameters)
        raise UsageError(say("no gradients", expected=expected, found=describe(returned)))
    return {name: _numbers(name, values) for name, values in found.items()}


def describe(returned: Any) -> str:
    """Say in a few words what a function returned."""
    if isinstance(returned, Mapping):
        return say("keys", keys=", ".join(map(str, returned)) or "-")
    if isinstance(returned, tuple | list):
        return say("several", kind=type(returned).__name__, count=len(returned))
    shape = getattr(returned, "shape", None)
    return type(returned).__name__ if shape is None else say("array", shape=shape)


def _keys(name: str, returned: Mapping[Any, Any]) -> Iterable[str]:
    return [key for key in (f"d{name}", name) if key in returned][:1]


def _flat(returned: Any) -> Iterator[Any]:
    if isinstance(returned, tuple | list):
        for item in returned:
            yield from _flat(item)
    elif isinstance(returned, np.ndarray | np.number | int | float):
        yield np.asarray(returned)


def _by_shape(arrays: list[Array], parameters: Arrays) -> dict[str, Array]:
    """Pair arrays with parameters, in the order in which most shapes fit."""
    if len(arrays) != len(parameters):
        return {}
    layers = layers_of(parameters)
    kinds = [list(kind) for kind in zip(*layers, strict=False)]
    orders = [
        list(chain.from_iterable(groups))
        for groups in (
            layers,
            layers[::-1],
            [layer[::-1] for layer in layers],
            [layer[::-1] for layer in layers[::-1]],
            kinds,
            [kind[::-1] for kind in kinds],
        )
    ]

    def fitting(order: list[str]) -> int:
        return sum(
            parameters[name].shape == array.shape for name, array in zip(order, arrays, strict=True)
        )

    complete = [order for order in orders if len(order) == len(arrays)]
    best = max(complete, key=fitting)
    return dict(zip(best, arrays, strict=True))


def _numbers(name: str, values: Any) -> Array:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise UsageError(say("odd gradient", name=name, found=describe(values)))
    return array if array.dtype == np.float32 else array.astype(np.float64)

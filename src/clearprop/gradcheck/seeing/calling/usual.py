"""Activations and losses for code that is given them, where its file has none."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, watch
from clearprop.gradcheck.seeing.calling.roles import COST, role_of, snake

_SLOPE = re.compile(r"prime|deriv|grad|diff|back|delta|^d_|^d[A-Z]", re.I)
_LEAK = 0.2


def is_slope(name: str) -> bool:
    """Whether a name is that of a derivative."""
    return _SLOPE.search(name) is not None or _SLOPE.search(snake(name)) is not None


def function_for(name: str) -> Callable[..., Any]:
    """Return an activation or a loss, or its derivative, as the name of an argument says.

    Parameters
    ----------
    name : str
    """
    slope = is_slope(name)
    if COST.search(name):
        return _squared_slope if slope else _squared
    return _leaky_slope if slope else _leaky


def pair_for(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return an activation or a loss together with its derivative."""
    return (_squared, _squared_slope) if COST.search(name) else (_leaky, _leaky_slope)


class _Both(tuple[Callable[..., Any], Callable[..., Any]]):
    """A function with its derivative, which is called itself or by its items."""

    def __call__(self, *values: Any) -> Any:
        return self[0](*values)


def layers_with(names: Iterable[str], sizes: Sequence[int]) -> list[Any] | None:
    """Return layers of no class, with weights, biases and activations of some names.

    Parameters
    ----------
    names : iterable of str
        The attributes that code asks of them.
    sizes : sequence of int
        The units of every layer, inputs and outputs included.

    Returns
    -------
    list or None
        None where an attribute is none of these.
    """
    random = np.random.RandomState(17)
    layers = []
    for before, after in pairwise(sizes):
        layer = SimpleNamespace()
        for name in names:
            role = role_of(name)
            if role == "weight":
                vars(layer)[name] = watch(random.randn(before, after) * 0.5, "weights")
            elif role == "bias":
                vars(layer)[name] = watch(random.randn(1, after) * 0.3, "bias")
            elif role in ("activation", "function"):
                vars(layer)[name] = _Both(pair_for("activation"))
            else:
                return None
        layers.append(layer)
    return layers


def loss_with(names: Iterable[str]) -> Any:
    """Return a loss whose methods have some names.

    Parameters
    ----------
    names : iterable of str
    """
    return SimpleNamespace(
        **{name: _squared_slope if _SLOPE.search(name) else _squared for name in names}
    )


def _leaky(z: Any, *flags: Any, **named: Any) -> Any:
    """Compute a leaky ReLU, whose derivative is the same of what goes in and of what comes out."""
    if any(one is True or one == 1 for one in (*flags, *named.values())):
        return _leaky_slope(z)
    return np.where(z > 0, z, _LEAK * z)


def _leaky_slope(z: Any, *upstream: Any) -> Any:
    slope = np.where(z > 0, 1.0, _LEAK)
    return slope * upstream[0] if upstream and type(upstream[0]) is Watched else slope


def _squared(one: Any, other: Any, *_: Any) -> Any:
    """Compute half the squared error; of a whole output its first entry meets a single target."""
    output, target = _told_apart(one, other)
    output = _first(output, target)
    return ((output - target) ** 2).sum() / 2


def _squared_slope(one: Any, other: Any, *_: Any) -> Any:
    output, target = _told_apart(one, other)
    first = _first(output, target)
    if first is output:
        return output - target
    whole = 0 * output
    whole[(0,) * output.ndim] = (first - target).sum()
    return whole


def _told_apart(one: Any, other: Any) -> tuple[Any, Any]:
    """Return the output and the target, which is data, in whatever order code gives them."""
    is_data = type(one) is Watched and (node_of(one).name == "data" or not node_of(one).parents)
    return (other, one) if is_data else (one, other)


def _first(output: Any, target: Any) -> Any:
    alone = np.size(target) == 1 < np.size(output)
    return output[(0,) * output.ndim] if alone else output

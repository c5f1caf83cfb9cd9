"""Activations and losses for code that is given them, where its file has none."""

import re
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of
from clearprop.gradcheck.seeing.calling.roles import COST, snake

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

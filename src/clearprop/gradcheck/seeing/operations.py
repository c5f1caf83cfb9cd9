"""Operations as functions that compute anew, and looks into arrays, whose memory they share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.tape import Node


def of_table(item: Any) -> Any:
    """Return the numbers of a table of pandas; anything else as it is."""
    return item.to_numpy() if hasattr(type(item), "to_numpy") else item


def get_item(array: Array, index: Any) -> Any:
    """Return ``array[index]``."""
    return array[index]


def set_item(array: Array, index: Any, value: Any) -> Array:
    """Return a copy of an array, in which ``array[index] = value``."""
    copy = np.array(array)
    copy[index] = value
    return copy


def written(does: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that computes into a copy of an array, where only some is computed."""

    def compute(array: Array, *args: Any, **kwargs: Any) -> Array:
        copy = np.array(array)
        does(*args, out=copy, **kwargs)
        return copy

    return compute


def copied(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that writes into a copy of what another one writes into."""

    def compute(array: Array, *args: Any, **kwargs: Any) -> Array:
        copy = np.array(array)
        function(copy, *args, **kwargs)
        return copy

    return compute


def typed(does: Callable[..., Any], dtype: Any) -> Callable[..., Any]:
    """Return what is computed as an array of a dtype holds it."""
    if dtype == np.float64:
        return does
    return lambda *args, **kwargs: np.asarray(does(*args, **kwargs)).astype(dtype)


def part(compute: Callable[..., Any], place: int) -> Callable[..., Any]:
    """Return a function that gives one of several results."""
    return lambda *args, **kwargs: compute(*args, **kwargs)[place]


@dataclass(eq=False)
class View:
    """A look into another array, whose memory it shares.

    Parameters
    ----------
    parent : Watched
    look : callable
        A function that gives the view of any array of that shape.
    version : Node
        The parent's node when it was looked into.
    """

    parent: Any
    look: Callable[[Array], Array]
    version: Node

    def reshaped(self, shape: tuple[int, ...]) -> "View":
        """Return the same look, in another shape."""
        look = self.look
        return View(self.parent, lambda array: look(array).reshape(shape), self.version)

    def places(self) -> tuple[Array, ...]:
        """Return the indices of its entries in the parent."""
        numbers = np.arange(self.parent.size).reshape(self.parent.shape)
        return np.unravel_index(self.look(numbers), self.parent.shape)


PASSED_BY = frozenset(
    (
        *("save", "savez", "savez_compressed", "savetxt", "array_repr", "array_str"),
        *("array2string", "shape", "ndim", "size", "can_cast", "result_type"),
        *("may_share_memory", "shares_memory", "iscomplexobj", "isrealobj"),
        *("common_type", "min_scalar_type"),
    )
)
"""Functions of NumPy that compute no array."""

WRITING = frozenset(("copyto", "fill_diagonal", "put", "place", "putmask", "put_along_axis"))
"""Functions of NumPy that write into their first argument."""

MOVING = frozenset(
    (
        *("array", "astype", "atleast_1d", "atleast_2d", "concatenate", "copy"),
        *("expand_dims", "flatten", "getitem", "hstack", "ravel", "reshape", "setitem"),
        *("squeeze", "stack", "swapaxes", "transpose", "vstack", "broadcast_to"),
        *("asarray",),
    )
)
"""Operations that move numbers and change none."""

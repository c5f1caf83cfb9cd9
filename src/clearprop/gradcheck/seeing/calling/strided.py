"""Layers that go over pictures, called with a stride of 2 where they went with one of 1."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from clearprop.gradcheck.seeing.arrays import Watched
from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.roles import snake
from clearprop.gradcheck.seeing.calling.workplace import Found, Workplace

STRIDED = ", stride 2"
"""How what was called with it is told."""

_STRIDE = re.compile(r"strid|^s$")
_PICTURE = 4  # axes of several samples with their channels


def stride_in(names: Iterable[str]) -> str | None:
    """Return the name of a stride among others; None where there is none, or one for each axis."""
    found = [name for name in names if _STRIDE.search(snake(name))]
    return found[0] if len(found) == 1 else None


def larger(shape: Sequence[int], output: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of pictures over which a window goes in steps of 2 without a remainder.

    Parameters
    ----------
    shape : sequence of int
        That of pictures over which it went in steps of 1.
    output : sequence of int
        What came of these.
    """
    side, more = shape[-2], 1 - output[-2] % 2
    first = len(shape) == _PICTURE  # the number of samples may be that of rows
    return tuple(n + more if n == side and axis >= first else n for axis, n in enumerate(shape))


def require_stride(before: Sequence[int], output: Any) -> None:
    """Raise an error where an output is not the one that steps of 2 make.

    Parameters
    ----------
    before : sequence of int
        The shape of the output that steps of 1 have made.
    output : object
    """
    if type(output) is not Watched or output.ndim < 2 or output.shape[-2] != before[-2] // 2 + 1:
        raise NoSuchWayError("that takes steps of 2")


def remade(make: Callable[[], Any], name: str, default: Any) -> Callable[[], Any]:
    """Return a way of making a layer with a stride of 2.

    Parameters
    ----------
    make : callable
        A way of making it with one of 1: a function, of which the last argument is a dict of those
        that are known.
    name : str
    default : object
        The stride that it has by default.

    Raises
    ------
    NoSuchWayError
        If it is made with another stride.
    """
    if not isinstance(make, partial):
        raise NoSuchWayError("that has a stride")
    *others, fixed = make.args
    known = fixed.get(name, default)
    if known not in (1, (1, 1)):
        raise NoSuchWayError("that has a stride of 1")
    return partial(make.func, *others, {**fixed, name: 2 if known == 1 else (2, 2)})


def told_with_stride(place: Workplace, call: Callable[[Workplace], None]) -> None:
    """Call something with a stride of 2, and say so, where it fails going back, too."""
    _, error = attempted(lambda: call(place))
    if error is None:
        place.found.alone += STRIDED
        place.found.words += STRIDED
        return
    stopped = isinstance(error, ValueError | IndexError) and place.forward_end is not None
    if stopped:
        error.args = (f"with a stride of 2, {error}",)
    # Gradients that are half done tell nothing.
    place.found = Found(since=len(place.defined.tape), is_stopped=stopped)
    raise error

"""Functions that go back by what they kept: in a context that they are given, or in a closure."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, watch
from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.driven_pairs import bundles
from clearprop.gradcheck.seeing.calling.layer_passes import random_upstream
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.roles import roles_of
from clearprop.gradcheck.seeing.calling.workplace import Workplace
from clearprop.gradcheck.seeing.tape import ancestors

_CONTEXT = re.compile(r"^_*(ctx|context|cx)$", re.I)
_NUMBER = re.compile(r"ax[ie]s|^dim$", re.I)
_PLACED = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
_SIDE = 4  # of arrays that are added, multiplied, and multiplied as matrices
_LOWEST = -1.0, 0.2  # numbers in them: a logarithm wants positive ones


class _Context:
    """What a function saves for going back, whatever it calls that."""

    def save_for_backward(self, *values: Any) -> None:
        self.saved_tensors = self.saved_values = self.saved = values

    save = save_for_backward


def kept_passes(defined: Defined) -> Iterator[tuple[str, Callable[[Workplace], None]]]:
    """Yield ways of calling functions that are given a context, or that return one going back."""
    for name, kind in defined.classes.items():
        both = [inspect.getattr_static(kind, one, None) for one in ("forward", "backward")]
        if all(isinstance(one, staticmethod | classmethod) for one in both):
            forward = kind.forward  # type: ignore[attr-defined]
            for number, one in enumerate(_needed(forward)[1:]):
                told = f"{name} with a context, {one}"
                yield told, partial(_with_context, kind=kind, only=number)
    for name, function in defined.functions.items():
        inner = {one.co_name for one in function.__code__.co_consts if inspect.iscode(one)}
        returned = defined.returned(function) or []
        if len(returned) > 1 and inner & set(returned):
            for number, one in enumerate(_needed(function)):
                told = f"{name} and what it returns, {one}"
                yield told, partial(_by_closure, function=function, only=number)


def _needed(function: Callable[..., Any]) -> list[str]:
    """Return the names of what a function can't do without."""
    every = inspect.signature(function).parameters.values()
    return [one.name for one in every if one.default is one.empty and one.kind in _PLACED]


def _with_context(place: Workplace, kind: Any, only: int) -> None:
    """Call both with a context, and arrays for what else they are given."""
    first, *needed = _needed(kind.forward)
    if not _CONTEXT.search(first):
        raise NoSuchWayError("that is given a context")
    error: Exception | None = None
    for lowest in _LOWEST:
        random = np.random.RandomState(7)
        given = {
            name: 1
            if _NUMBER.search(name)
            else watch(random.uniform(lowest, 1, (_SIDE, _SIDE)), "input")
            for name in needed
        }
        _, error = attempted(lambda given=given: _went_with(place, kind, given, only))
        if error is None:
            return
    raise error or NoSuchWayError("that is given a context")


def _went_with(place: Workplace, kind: Any, given: Mapping[str, Any], only: int) -> None:
    made = [one for name, one in place.defined.classes.items() if re.search("context", name, re.I)]
    context, failed = attempted(made[0]) if made else (None, NoSuchWayError())
    context = _Context() if failed is not None else context
    output = kind.forward(context, *given.values())
    _judged(place, given, output, partial(kind.backward, context), only)
    place.found.alone = f"{kind.__name__}, {[*given][only]}"
    place.found.words = f"{kind.__name__}.forward, then backward, with a context"
    place.found.unwatched = (kind.backward.__code__.co_qualname,)  # which may hand on what comes


def _by_closure(place: Workplace, function: FunctionType, only: int) -> None:
    """Call a function, and the function that it returns beside its output."""
    error: Exception | None = None
    for given in bundles(place.defined, function):
        known = {**given, **_lacking(function, given)}
        value, error = attempted(lambda known=known: place.call(function, fixed=known))
        if error is None:
            arrays = [one for one in value if type(one) is Watched]
            back = next(one for one in value if inspect.isfunction(one))
            known = {name: known[name] for name in _needed(function)}
            _judged(place, known, arrays[0], back, only)
            place.found.alone = f"{function.__name__}, {[*known][only]}"
            place.found.words = f"{function.__name__}, and what it returns to go back"
            return
    raise error or NoSuchWayError("that goes forward")


def _lacking(function: FunctionType, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else a function needs: targets like its inputs, the rest like its bias."""
    asked = inspect.signature(function).parameters
    roles = roles_of(list(asked))
    first, *others = given.values()
    last = others[-1] if others else first[-1]
    return {
        name: watch(
            np.random.RandomState(len(name)).uniform(
                0.2, 1, np.shape(first if roles[name] == "targets" else last)
            ),
            "data",
        )
        for name, one in asked.items()
        if name not in given and one.default is one.empty
    }


def _judged(
    place: Workplace,
    given: Mapping[str, Any],
    output: Any,
    back: Callable[..., Any],
    only: int,
) -> None:
    """Go back with a random gradient, and take what comes for the gradients of what was given.

    Only one is kept: among several, either might be taken for another's.
    """
    upstream = random_upstream(place, output)
    name, array = list(given.items())[only]
    if not np.isfinite(np.asarray(output)).all():
        raise NoSuchWayError("that returns numbers")
    if type(array) is not Watched or node_of(array) not in ancestors([node_of(output)]):
        raise NoSuchWayError("whose output is seen to come of its input")
    place.end_forward()
    if inspect.signature(back).parameters:
        value = back(upstream)
    else:
        value, place.found.cost = back(), node_of(output)
    values = value if isinstance(value, tuple) else (value,)
    if len(values) != len(given):  # none for what is constant
        values = tuple(one for one in values if type(one) is Watched)
    claim = values[only] if only < len(values) else None
    if type(claim) is not Watched or claim.shape != array.shape:
        raise NoSuchWayError("that returns a gradient of that shape")
    place.found.claims[f"d{name}"] = node_of(claim)
    place.found.parameters[name] = node_of(array)
    shapes = (f"{n} of shape {one.shape}" for n, one in given.items() if type(one) is Watched)
    place.found.data = ", ".join(shapes)

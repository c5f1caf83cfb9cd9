"""Functions that go back by what they kept: in a context that they are given, or in a closure."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import FunctionType, SimpleNamespace
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
            yield f"{name} with a context", partial(_with_context, kind=kind)
    for name, function in defined.functions.items():
        inner = {one.co_name for one in function.__code__.co_consts if inspect.iscode(one)}
        returned = defined.returned(function) or []
        if len(returned) > 1 and inner & set(returned):
            yield f"{name} and what it returns", partial(_by_closure, function=function)


def _with_context(place: Workplace, kind: Any) -> None:
    """Call both with a context, and arrays for what else they are given."""
    first, *others = inspect.signature(kind.forward).parameters.values()
    if not _CONTEXT.search(first.name) or not others:
        raise NoSuchWayError("that is given a context")
    needed = [one.name for one in others if one.default is one.empty]
    error: Exception | None = None
    for lowest in _LOWEST:
        random = np.random.RandomState(7)
        given = {
            name: 1
            if _NUMBER.search(name)
            else watch(random.uniform(lowest, 1, (_SIDE, _SIDE)), "input")
            for name in needed
        }
        _, error = attempted(lambda given=given: _went_with(place, kind, given))
        if error is None:
            return
    raise error or NoSuchWayError("that is given a context")


def _went_with(place: Workplace, kind: Any, given: Mapping[str, Any]) -> None:
    made = [one for name, one in place.defined.classes.items() if re.search("context", name, re.I)]
    context, failed = attempted(made[0]) if made else (None, NoSuchWayError())
    context = _Context() if failed is not None else context
    output = kind.forward(context, *given.values())
    _judged(place, given, output, partial(kind.backward, context), kind.__name__)
    place.found.words = f"{kind.__name__}.forward, then backward, with a context"
    place.found.unwatched = (kind.backward.__code__.co_qualname,)  # which may hand on what comes


def _by_closure(place: Workplace, function: FunctionType) -> None:
    """Call a function, and the function that it returns beside its output."""
    error: Exception | None = None
    for given in bundles(place.defined, function):
        known = {**given, **_lacking(function, given)}
        value, error = attempted(lambda known=known: place.call(function, fixed=known))
        if error is None:
            arrays = [one for one in value if type(one) is Watched]
            back = next(one for one in value if inspect.isfunction(one))
            names = place.defined.returned(back)
            _judged(place, known, arrays[0], back, function.__name__, names or ())
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
    told: str,
    names: Sequence[str | None] = (),
) -> None:
    """Go back with a random gradient, and take what comes for the gradients of what was given."""
    arrays = {name: one for name, one in given.items() if type(one) is Watched}
    upstream = random_upstream(place, output)
    if not np.isfinite(np.asarray(output)).all():
        raise NoSuchWayError("that returns numbers")
    behind = ancestors([node_of(output)])
    if not all(node_of(one) in behind for one in arrays.values()):
        raise NoSuchWayError("whose output is seen to come of its inputs")
    place.end_forward()
    if inspect.signature(back).parameters:
        value = back(upstream)
    else:
        value, place.found.cost = back(), node_of(output)
    values = value if isinstance(value, tuple) else (value,)
    if len(values) != len(given):  # none for what is constant
        values = [one for one in values if type(one) is Watched]
    shapes = {one.shape for one in arrays.values()}
    if not all(one.shape in shapes for one in values if type(one) is Watched):
        raise NoSuchWayError("that was given arrays of its own shapes")
    if len(names) != len(values) or None in names:
        names = [f"d{name}" for name in given]
    for name, told_as, one in zip(given, names, values, strict=False):
        if type(one) is Watched and name in arrays:
            place.found.claims[str(told_as)] = node_of(one * 1)  # as two may be one
            place.found.parameters[name] = node_of(arrays[name])
    place.found.alone = told
    place.found.data = ", ".join(f"{name} of shape {one.shape}" for name, one in arrays.items())

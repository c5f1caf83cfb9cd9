"""The forward and the backward pass of a layer or a loss, called with whatever they want."""

import inspect
import re
from operator import is_not
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, watch
from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.cells import alike, other_upstreams, states_for
from clearprop.gradcheck.seeing.calling.holding import held
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.roles import (
    BACKWARD,
    COST,
    ELEMENTWISE,
    FORWARD,
    role_of,
    roles_of,
    snake,
)
from clearprop.gradcheck.seeing.calling.slopes import SLOPE, bare_slope, by_slope
from clearprop.gradcheck.seeing.calling.workplace import Workplace, named

_OUTPUT = r"^_?(forward_)?(out(put)?s?|a|activation|y|z|value|res(ult)?)(_data)?$"
_INPUT_GRADIENT = r"^_?(d|grad|delta|err)\w*_?(x|in\w*|a_prev|prev\w*|h|z)$"
_IN_TRAINING = re.compile(r"train|^mode$|^save|cache$|store|requires_grad", re.I)
_LEARNS = re.compile(r"^_*(is_?|in_?)?train(ing|_mode)?$", re.I)
_IN_TESTS = re.compile(r"^_*(is_?|in_?)?(test(ing)?|inference|eval(uating)?)(_mode)?$", re.I)
_TARGETS = ("y", "t", "y_true", "labels", "targets", "target", "label")
"""Names of arguments that are surely targets."""

_PASSES = re.compile(r"forw|feed|avan", re.I)
_SURELY = re.compile(r"forw|feed|back|b_?prop|retro|avan", re.I)


def method_of(
    place: Workplace, owner: Any, pattern: re.Pattern[str], *, but: re.Pattern[str] | None
) -> Any:
    """Return a method by its name; one called exactly forward or backward before others."""
    found = {
        name: one
        for name, one in place.defined.methods(owner).items()
        if pattern.search(name) and not (but is not None and but.search(name))
    }
    for name in ("forward", "backward", "forward_propagation", "backward_propagation"):
        if name in found and not only_steps(found[name]):
            return found[name]
    if "__call__" in found and len(found) > 1:
        del found["__call__"]
    sure = sorted((name for name in found if _SURELY.search(name)), key=_is_private)
    named_so = [found[name] for name in sure]
    if pattern is BACKWARD and any(map(only_steps, found.values())):  # others compute gradients
        named_so = [one for one in found.values() if not only_steps(one)]
    return next(iter([*named_so, *found.values()]), None)


def _is_private(name: str) -> bool:
    return name.startswith("_")


def asked_roles(function: Any) -> set[str | None]:
    """Return what the arguments of a function are for."""
    return set(roles_of(list(inspect.signature(function).parameters)).values())


def only_steps(method: Any, *, of_class: bool = False) -> bool:
    """Whether a method is told no more than how large a step is, as in ``backward(lr)``.

    Parameters
    ----------
    method : callable
    of_class : bool
        Whether it is not bound, so that its first argument is the object.
    """
    roles = list(roles_of(list(inspect.signature(method).parameters)).values())[of_class:]
    return "rate" in roles and set(roles) <= {"rate", "decay", "momentum", "quiet"}


def set_training(layer: Any) -> None:
    """Tell a layer that it learns, where it keeps that in itself: else it may have constants."""
    for name, value in list(getattr(layer, "__dict__", {}).items()):
        tests = _IN_TESTS.search(name) is not None
        if value is tests and (tests or _LEARNS.search(name)):
            setattr(layer, name, not value)
    train = getattr(layer, "train", None)
    if callable(train) and not inspect.signature(train).parameters:
        attempted(train)


def random_upstream(place: Workplace, output: Any) -> Any:
    """Return a random gradient for an output, so small that it is not clipped.

    The cost is the output times it. It comes of the output as other gradients do, though no number
    in it changes with it: only so a step that comes of it is seen to have been learned.
    """
    if type(output) is not Watched:
        raise NoSuchWayError("that returns an array")
    random = watch(0.1 * np.random.RandomState(9).randn(*output.shape), "upstream")
    upstream = random + 0 * output
    place.pool.cost = (output * upstream).sum()
    place.found.cost = node_of(place.pool.cost)
    return upstream


def went_forward(place: Workplace, layer: Any, value: Any) -> Any:
    """Call a layer's forward pass, and return its output, which it may leave in itself.

    Of several, one that leaves nothing in the layer only predicts.
    """
    likeliest = method_of(place, layer, FORWARD, but=BACKWARD)
    if likeliest is None:
        raise NoSuchWayError("that goes forward")
    others = [
        one
        for name, one in place.defined.methods(layer).items()
        if one != likeliest and _PASSES.search(name) and not BACKWARD.search(name)
    ]

    def held_now() -> list[Any]:
        return list(getattr(layer, "__dict__", {}).values())

    found = []
    for forward in (likeliest, *others):
        before = held_now()
        found.append(attempted(lambda forward=forward: _passed_on(place, layer, forward, value)))
        after = held_now()
        kept = len(after) != len(before) or any(map(is_not, before, after))
        if found[-1][1] is not None or kept:
            break
    output, error = found[-1] if found[-1][1] is None else found[0]
    if error is not None:
        raise error
    return output


def _passed_on(place: Workplace, layer: Any, forward: Any, value: Any) -> Any:
    asked = inspect.signature(forward).parameters
    roles = roles_of(list(asked))
    first = next((name for name, role in roles.items() if role == "inputs"), next(iter(asked), ""))
    fixed = {
        name: _trains(one)
        for name, one in asked.items()
        if _IN_TRAINING.search(name) and name != first
    }
    for name, role in roles.items():
        if role == "inputs" and name != first and asked[name].default is inspect.Parameter.empty:
            fixed[name] = watch(np.random.RandomState(4).uniform(-1, 1, np.shape(value)), "data")
    start = len(place.defined.tape)
    place.pool.states = states_for(asked, roles, value)
    fixed |= place.pool.states
    if asked:
        fixed[first] = _boxed(place, asked[first], value)
    result = _unboxed(place, place.call(forward, fixed=fixed))
    place.pool.put_forward(place.defined.returned(forward), result, place.data)
    if type(result) is tuple and result:
        result = _output(place, layer, place.defined.returned(forward), result)
    if type(result) is not Watched:
        result = _left(layer, _OUTPUT, start)
    place.pool.output = result
    return result


def _boxed(place: Workplace, asked: inspect.Parameter, value: Any) -> Any:
    """Return an array in an object of the learner's class that is said to be wanted, if any."""
    kind = place.defined.class_in(asked.annotation)
    first = next(iter(inspect.signature(kind).parameters), None) if kind is not None else None
    if kind is None or first is None:
        return value
    box, error = attempted(lambda: place.arguments.call(kind, making=True, fixed={first: value}))
    return box if error is None and _unboxed(place, box) is value else value


def _unboxed(place: Workplace, value: Any) -> Any:
    """Return the array that an object of a learner's class was made to hold, or what it is."""
    if not place.defined.is_own(type(value)):
        return value
    return next((one for one in vars(value).values() if type(one) is Watched), value)


def _output(
    place: Workplace, layer: Any, names: list[str | None] | None, results: tuple[Any, ...]
) -> Any:
    """Return which of several results is the output: the first that backward does not ask for."""
    backward = method_of(place, layer, BACKWARD, but=ELEMENTWISE)
    asked = {} if backward is None else inspect.signature(backward).parameters
    wanted = next((one for one in asked if role_of(one) == "upstream"), "")
    number = alike(wanted, place.pool.names)
    if number is not None and type(results[number]) is Watched:
        return results[number]
    pairs = zip(names or (), results, strict=False)
    others = [one for name, one in pairs if type(one) is Watched and name not in asked]
    return next(iter([*others, results[0]]))


def _trains(asked: inspect.Parameter) -> Any:
    """Return what tells a layer that it learns: what normalizes by batches then does so."""
    return "train" if "mode" in asked.name.lower() or isinstance(asked.default, str) else True


def went_back(
    place: Workplace,
    layer: Any,
    upstream: Any,
    inputs: Any,
    prefix: str = "",
    *,
    is_random: bool = False,
) -> Any:
    """Call a layer's backward pass, and return the gradient of its input; all are claims.

    Parameters
    ----------
    place : Workplace
    layer : object
    upstream : Watched
        The gradient of its output.
    inputs : Watched
        What it was given going forward.
    prefix : str
        The way to the layer, for the names of claims.
    is_random : bool
        Whether the gradient is any, and nothing that a backward pass from targets could take.
    """
    first: Exception | None = None
    for backward in _ways_back(place, layer):
        found, error = attempted(
            lambda one=backward: _went(place, layer, one, upstream, inputs, prefix, is_random)
        )
        if error is None:
            return found
        first = first or error
    raise first or NoSuchWayError("that goes backward")


def _ways_back(place: Workplace, layer: Any) -> list[Any]:
    """Return the methods that may compute a layer's gradients, the likeliest first.

    Where ``backward(lr)`` only takes the step, the method that computes them may have any name.
    """
    likeliest = method_of(place, layer, BACKWARD, but=ELEMENTWISE)
    found = [] if likeliest is None else [likeliest]
    methods = place.defined.methods(layer)
    if any(BACKWARD.search(name) and only_steps(one) for name, one in methods.items()):
        found += [
            one for one in methods.values() if one not in found and "upstream" in asked_roles(one)
        ]
    return found


def _went(
    place: Workplace,
    layer: Any,
    backward: Any,
    upstream: Any,
    inputs: Any,
    prefix: str,
    is_random: bool,
) -> Any:
    start = len(place.defined.tape)
    roles = roles_of(list(inspect.signature(backward).parameters))
    wanted = next((name for name, role in roles.items() if role == "upstream"), None)
    name = backward.__name__
    if wanted is None and SLOPE.search(name):
        return by_slope(place, backward, upstream, inputs)
    if wanted is None and not place.candidates:
        bare = bare_slope(place, backward, inputs)
        if bare is not None:
            return bare * upstream
    if wanted is None:
        others = ("inputs", "rate", "cache", "count", "batch", "quiet", "flag", "parameters")
        wanted = next((one for one, role in roles.items() if role not in others), None)
        wanted = wanted or next(iter(roles), None)
        if wanted is not None and snake(wanted) in _TARGETS and is_random:
            raise NoSuchWayError("that takes a gradient")
    fixed = {
        one: inputs
        for one, role in roles.items()
        if role == "inputs" or (role is None and re.match("input|prev", one, re.I))
    }
    asked = inspect.signature(backward).parameters
    if wanted is not None:
        fixed[wanted] = _boxed(place, asked[wanted], upstream)
    if is_random:
        fixed |= other_upstreams(place, asked, roles, fixed)
    filled: dict[str, Any] = {}  # in some, gradients are put into a dict of the caller's
    fixed |= {
        one: filled
        for one, role in roles.items()
        if role == "gradients" and asked[one].default is inspect.Parameter.empty and one != wanted
    }
    result = _unboxed(place, place.call(backward, fixed=fixed))
    names, place.pool.returned = place.defined.returned(backward), result
    place.pool.returned_names = names or []
    claims = {**named(result, place.defined, backward), **held(filled)}
    place.returned |= {f"{prefix}{key}": node for key, node in claims.items()}
    if type(result) in (tuple, list) and result:
        result = _of_input(result, names, inputs)
    if type(result) is Watched:
        return result
    return _left(layer, r"d_?in|^_?d_?x|grad\w*_?(in|x)|^_?delta|^_?grad|back\w*_out", start)


def _of_input(results: Any, names: list[str | None] | None, inputs: Any) -> Any:
    """Return which of several gradients is that of the input: by its name, shape or place."""
    arrays = [one for one in results if type(one) is Watched]
    for name, one in zip(names or (), results, strict=False):
        if type(one) is Watched and re.search(_INPUT_GRADIENT, name or "", re.I):
            return one
    alike = [one for one in arrays if one.shape == inputs.shape]
    return next(iter([*alike, *arrays]), None)


def _left(layer: Any, pattern: str, start: int | None) -> Any:
    """Return an array that a method has left in its object."""
    for name, one in vars(layer).items():
        suits = type(one) is Watched and re.search(pattern, name, re.I)
        if suits and (start is None or node_of(one).place >= start):
            return one
    return None


def loss_slope(place: Workplace, loss: Any, output: Any) -> Any:
    """Compute a loss, and return its derivative with respect to the output."""
    forward = method_of(
        place, loss, re.compile(f"{FORWARD.pattern}|{COST.pattern}", re.I), but=BACKWARD
    )
    if forward is not None:
        place.call(forward, fixed=loss_arguments(place, forward, output))
    place.end_forward()
    backward = method_of(place, loss, BACKWARD, but=None)
    if backward is None:
        raise NoSuchWayError("that goes backward")
    start = len(place.defined.tape)
    said = _left(loss, r"^_?(output|probs?|y_hat|y_pred|softmax\w*)$", None)
    if type(said) is Watched and said.shape == output.shape:
        output = said  # of a loss with its own softmax, which wants its probabilities back
    result = place.call(backward, fixed=loss_arguments(place, backward, output))
    if type(result) is tuple and result:
        result = result[-1]
    if type(result) is Watched:
        return result
    return _left(loss, r"d_?in|^_?d|grad|delta", start)


def loss_arguments(place: Workplace, function: Any, output: Any) -> dict[str, Any]:
    """Return what a method of a loss is given: outputs and targets, whatever it calls them."""
    signature = inspect.signature(function).parameters
    roles = roles_of(list(signature))
    fixed: dict[str, Any] = {}
    for name, role in roles.items():
        if (
            role in ("inputs", "outputs", "upstream")
            and signature[name].default is inspect.Parameter.empty
        ):
            fixed[name] = output
        elif role == "targets":
            fixed[name] = place.data.targets
    return fixed

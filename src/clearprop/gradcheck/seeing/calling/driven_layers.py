"""Layers called: chained by hand where nothing else chains them, and each on its own."""

import inspect
import re
from collections.abc import Callable, Iterator, Set
from dataclasses import replace
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, watch
from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.materials import Data
from clearprop.gradcheck.seeing.calling.roles import (
    BACKWARD,
    COST,
    ELEMENTWISE,
    FORWARD,
    roles_of,
    trains,
)
from clearprop.gradcheck.seeing.calling.workplace import Found, Workplace, named

_DENSE = re.compile(
    r"dense|linear|affine|fully|^fc|full|connect|layer|capa|camada|couche|schicht", re.I
)
_OTHER = re.compile(
    r"conv|pool|drop|flat|norm|rnn|lstm|gru|loss|cost|entropy|mse|embed|reshape|input|net|model|recurr|optim",
    re.I,
)
LOSS = re.compile(r"loss|cost|entropy|mse|mean_?sq|nll|criterion|perda|perte", re.I)
"""Names of classes of losses."""

_OUTPUT = r"^_?(forward_)?(out(put)?s?|a|activation|y|z|value|res(ult)?)(_data)?$"
_INPUT_GRADIENT = r"^_?(d|grad|delta|err)\w*_?(x|in\w*|a_prev|prev\w*|h|z)$"
_IN_TRAINING = re.compile(r"train|^mode$|^save|cache$|store|requires_grad", re.I)
_SLOPE = re.compile(r"deriv|prime|slope|^d_|(?-i:^d[A-Z])", re.I)
_SURELY = re.compile(r"forw|feed|back|b_?prop|retro|avan", re.I)
_CLASSIFYING = re.compile(r"entropy|softmax|nll|log", re.I)


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
    named_so = [one for name, one in found.items() if _SURELY.search(name)]
    if pattern is BACKWARD and any(map(only_steps, found.values())):  # others compute gradients
        named_so = [one for one in found.values() if not only_steps(one)]
    return next(iter([*named_so, *found.values()]), None)


def only_steps(method: Any) -> bool:
    """Whether a method is told no more than how large a step is, as in ``backward(lr)``."""
    roles = set(roles_of(list(inspect.signature(method).parameters)).values())
    return "rate" in roles and roles <= {"rate", "decay", "momentum", "quiet"}


def has_both(defined: Defined, kind: type) -> bool:
    """Whether a class has a forward and a backward pass."""
    names = [name for name in dir(kind) if defined.is_own(getattr(kind, name, None))]
    forward = any(FORWARD.search(name) and not BACKWARD.search(name) for name in names)
    return forward and any(BACKWARD.search(name) for name in names)


def _dense_classes(defined: Defined) -> list[type]:
    found: list[tuple[int, type]] = []
    for name, kind in defined.classes.items():
        if not has_both(defined, kind) or _OTHER.search(name) or ELEMENTWISE.search(name):
            continue
        try:
            roles = list(roles_of(list(inspect.signature(kind).parameters), making=True).values())
        except (TypeError, ValueError):
            continue
        sizes = sum(role in ("features", "classes", "hidden", "weight") for role in roles)
        if sizes and _DENSE.search(name):
            found.append((-sizes, kind))
    return [kind for _, kind in sorted(found, key=lambda item: item[0])]


def _elementwise(defined: Defined) -> list[type]:
    found = [
        kind
        for name, kind in defined.classes.items()
        if ELEMENTWISE.search(name) and not LOSS.search(name)
    ]
    found = [kind for kind in found if has_both(defined, kind)]
    return sorted(found, key=_required)


def _required(kind: type) -> int:
    """Return the number of arguments that a class can't be made without."""
    try:
        asked = inspect.signature(kind).parameters.values()
    except (TypeError, ValueError):
        return 9
    return sum(one.default is one.empty and one.kind == one.POSITIONAL_OR_KEYWORD for one in asked)


def _made(place: Workplace, kind: type, features: int, outputs: int) -> Any:
    """Make a layer of some size."""
    small = replace(
        place.data.kind, features=features, classes=outputs, hidden=outputs, targets="one-hot"
    )
    inner = Workplace(place.defined, small)
    return inner.make(kind)


def layers_for(place: Workplace, last: type | None = None) -> list[Any]:
    """Make a chain of layers: dense, activation, dense, and what comes last.

    Raises
    ------
    NoSuchWayError
        If there is no class of layers with weights.
    """
    dense = _dense_classes(place.defined)
    if not dense:
        raise NoSuchWayError("that is a layer")
    activations = [
        one for one in _elementwise(place.defined) if "oftmax" not in one.__name__.lower()
    ]
    sizes = place.data.kind.sizes
    layers: list[Any] = []
    for number, (features, outputs) in enumerate(pairwise(sizes)):
        layers.append(_made(place, dense[0], features, outputs))
        if number < len(sizes) - 2 and activations:
            made, error = attempted(lambda: place.make(activations[0]))
            if error is None:
                layers.append(made)
    if last is not None:
        layers.append(place.make(last))
    return layers


def loss_classes(defined: Defined) -> list[type]:
    """Return the classes of losses, those for classes first."""
    losses = [kind for name, kind in defined.classes.items() if LOSS.search(name)]
    return sorted(losses, key=lambda kind: _CLASSIFYING.search(kind.__name__) is None)


def layers_or_none(place: Workplace) -> list[Any]:
    """Make a chain of layers for a container; an empty one where that is not possible."""
    softmax = [kind for kind in _elementwise(place.defined) if "softmax" in kind.__name__.lower()]
    layers, error = attempted(lambda: layers_for(place, softmax[0] if softmax else None))
    return [] if error is not None else layers


def is_layer(defined: Defined, kind: type) -> bool:
    """Whether a class goes backward from a gradient that comes from outside."""
    names = [
        name
        for name in dir(kind)
        if BACKWARD.search(name) and defined.is_own(getattr(kind, name, None))
    ]
    names = [name for name in names if "back" in name.lower()] or names
    back = [getattr(kind, name) for name in names]
    roles = [
        set(roles_of(list(inspect.signature(one).parameters)).values())
        for one in back
        if callable(one)
    ]
    return bool(roles) and all("upstream" in one and "targets" not in one for one in roles)


_DATA: tuple[dict[str, Any], ...] = (
    {},
    {"layout": "columns"},
    {"targets": "labels"},
    {"layout": "columns", "targets": "labels"},
    {"targets": "binary"},
    {"layout": "columns", "targets": "binary"},
    {"layout": "row"},
    {"layout": "column"},
)
"""What is tried with layers in a chain, the richest first."""


def teaches(defined: Defined, kind: type) -> bool:
    """Whether a class trains itself; a layer's ``train()`` only tells it that it is trained."""
    methods = {
        name: getattr(kind, name) for name in dir(kind) if defined.is_own(getattr(kind, name, None))
    }
    trainers = [one for name, one in methods.items() if trains(name, one)]
    if not is_layer(defined, kind):
        return bool(trainers)
    roles = (roles_of(list(inspect.signature(one).parameters)).values() for one in trainers)
    return any({"pairs", "loader", "targets", "epochs"} & set(one) for one in roles)


def chains(defined: Defined, known: Set[type]) -> Iterator[tuple[str, Callable[[Workplace], None]]]:
    """Yield ways of calling layers one after the other, but for those that are known already.

    Parameters
    ----------
    defined : Defined
    known : set of type
        The layers that were called on their own; more are added as the ways are gone.
    """
    dense = _dense_classes(defined)
    if not dense:
        return
    losses = loss_classes(defined)
    softmax = [kind for kind in _elementwise(defined) if "softmax" in kind.__name__.lower()]
    sigmoid = [kind for kind in _elementwise(defined) if "sigm" in kind.__name__.lower()]
    ends = [*(softmax[:1]), None, *(sigmoid[:1])]
    for loss, last in product([*losses[:3], None], ends):
        if loss is not None and last in softmax and "softmax" in loss.__name__.lower():
            continue
        if loss is None and last is not ends[-1]:
            continue
        if dense[0] in known:
            return
        told = f"layers and {loss.__name__}" if loss is not None else "layers"
        told += f", {last.__name__} last" if last is not None else ""
        yield told, partial(_chained, loss=loss, last=last)


def _chained(place: Workplace, loss: type | None, last: type | None) -> None:
    """Call layers in a chain, with the first data that it takes."""
    first: Exception | None = None
    for change in _DATA:
        place.kind = replace(place.kind, **change)
        place.data, place.found, place.claims_from = Data(place.kind), Found(), None
        place.found.since = len(place.defined.tape)
        place.candidates.clear()
        place.returned.clear()
        _, error = attempted(lambda: _chained_with(place, loss, last))
        if error is None:
            return
        first = first or error
    raise first or NoSuchWayError("that is a layer")


def _chained_with(place: Workplace, loss: type | None, last: type | None) -> None:
    layers = layers_for(place, last)
    place.found.held = {"layers": layers}
    place.before_forward(place.found.held)
    values = [place.data.inputs]
    for layer in layers:
        values.append(went_forward(place, layer, values[-1]))
    value = values[-1]
    names = " -> ".join(type(layer).__name__ for layer in layers)
    place.pool.output = value
    if loss is not None:
        upstream = loss_slope(place, place.make(loss), value)
        names += f" -> {loss.__name__}"
    else:
        upstream = random_upstream(place, value)
    place.before_forward(place.found.held)
    if place.claims_from is None:
        place.end_forward()
    for number, layer in reversed(list(enumerate(layers))):
        upstream = went_back(place, layer, upstream, values[number], f"layers[{number}].")
    place.found.words = f"{names}, and back"
    place.found.alone = "layers in a chain"


def random_upstream(place: Workplace, output: Any) -> Any:
    """Return a random gradient for an output, so small that it is not clipped.

    The cost is the output times it. It comes of the output as other gradients do, though no number
    in it changes with it: only so a step that comes of it is seen to have been learned.
    """
    if type(output) is not Watched:
        raise NoSuchWayError("that returns an array")
    random = watch(0.1 * np.random.RandomState(9).randn(*output.shape), "upstream")
    upstream = random + 0 * output
    place.found.cost = node_of((output * upstream).sum())
    return upstream


def went_forward(place: Workplace, layer: Any, value: Any) -> Any:
    """Call a layer's forward pass, and return its output, which it may leave in itself."""
    forward = method_of(place, layer, FORWARD, but=BACKWARD)
    if forward is None:
        raise NoSuchWayError("that goes forward")
    asked = inspect.signature(forward).parameters
    roles = roles_of(list(asked))
    first = next((name for name, role in roles.items() if role == "inputs"), next(iter(asked), ""))
    fixed = {
        name: _trains(one)
        for name, one in asked.items()
        if _IN_TRAINING.search(name) and name != first
    }
    start = len(place.defined.tape)
    result = place.call(forward, fixed={**fixed, **({first: value} if asked else {})})
    place.pool.put_forward(place.defined.returned(forward), result, place.data)
    if type(result) is tuple and result:
        result = result[0]
    if type(result) is not Watched:
        result = _left(layer, _OUTPUT, start)
    place.pool.output = result
    return result


def _trains(asked: inspect.Parameter) -> Any:
    """Return what tells a layer that it learns: what normalizes by batches then does so."""
    return "train" if "mode" in asked.name.lower() or isinstance(asked.default, str) else True


def went_back(place: Workplace, layer: Any, upstream: Any, inputs: Any, prefix: str = "") -> Any:
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
    """
    backward = method_of(place, layer, BACKWARD, but=ELEMENTWISE)
    if backward is None:
        raise NoSuchWayError("that goes backward")
    start = len(place.defined.tape)
    roles = roles_of(list(inspect.signature(backward).parameters))
    wanted = next((name for name, role in roles.items() if role == "upstream"), None)
    name = backward.__name__
    if wanted is None and _SLOPE.search(name):
        return _by_slope(place, backward, upstream, inputs)
    if wanted is None:
        others = ("inputs", "rate", "cache", "count", "batch", "quiet", "flag", "parameters")
        wanted = next((one for one, role in roles.items() if role not in others), None)
        wanted = wanted or next(iter(roles), None)
    fixed = {
        one: inputs
        for one, role in roles.items()
        if role == "inputs" or (role is None and re.match("input|prev", one, re.I))
    }
    result = place.call(backward, fixed=fixed if wanted is None else {**fixed, wanted: upstream})
    names = place.defined.returned(backward)
    claims = named(result, names, name)
    place.returned |= {f"{prefix}{key}": node for key, node in claims.items()}
    if type(result) in (tuple, list) and result:
        result = _of_input(result, names, inputs)
    if type(result) is Watched:
        return result
    return _left(layer, r"d_?in|^_?d_?x|grad\w*_?(in|x)|^_?delta|^_?grad|back\w*_out", start)


def _by_slope(place: Workplace, slope: Any, upstream: Any, inputs: Any) -> Any:
    """Return the gradient of a layer's input where it knows only its slope.

    Some compute it from what came in, others from what they returned.
    """
    output, found = place.pool.output, []
    for one in (inputs, output):
        first = next(iter(inspect.signature(slope).parameters), None)
        value = place.call(slope, fixed={} if first is None else {first: one})
        if type(value) is Watched and value.shape == output.shape == inputs.shape:
            found.append(value * upstream)
    if not found:
        raise NoSuchWayError("that goes backward")
    place.returned |= {f"slope {number}": node_of(one) for number, one in enumerate(found)}
    return found[-1]


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

"""Layers called: chained by hand where nothing else chains them, and each on its own."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise, product
from typing import Any

from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.layer_passes import (
    asked_roles,
    loss_slope,
    only_steps,
    random_upstream,
    went_back,
    went_forward,
)
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.materials import Data
from clearprop.gradcheck.seeing.calling.roles import (
    BACKWARD,
    ELEMENTWISE,
    FORWARD,
    roles_of,
    trains,
)
from clearprop.gradcheck.seeing.calling.workplace import Found, Workplace

_DENSE = re.compile(
    r"dense|linear|affine|fully|^fc|full|connect|layer|capa|camada|couche|schicht", re.I
)
_OTHER = re.compile(
    r"conv|pool|drop|flat|norm|rnn|lstm|gru|loss|cost|entropy|mse|embed|reshape|input|net|model|recurr|optim",
    re.I,
)
LOSS = re.compile(r"loss|cost|entropy|mse|mean_?sq|nll|criterion|perda|perte", re.I)
"""Names of classes of losses, or of what they derive from."""

_CLASSIFYING = re.compile(r"entropy|softmax|nll|log", re.I)


def is_loss(kind: type) -> bool:
    """Whether a class, or one that it derives from, has the name of a loss."""
    return any(LOSS.search(one.__name__) for one in kind.__mro__)


def is_activation(kind: type) -> bool:
    """Whether a class, or one that it derives from, has the name of an activation."""
    return any(ELEMENTWISE.search(one.__name__) for one in kind.__mro__)


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
        sizes = sum(role in ("features", "classes", "hidden", "weight", "sizes") for role in roles)
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
    losses = [kind for kind in defined.classes.values() if is_loss(kind)]
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
    if any(callable(one) and only_steps(one, of_class=True) for one in back):
        own = [one for one in vars(kind).values() if callable(one) and defined.is_own(one)]
        back = [one for one in own if "upstream" in asked_roles(one)]
    roles = [asked_roles(one) for one in back if callable(one)]
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
    for one in trainers:
        asked = inspect.signature(one).parameters
        roles = roles_of(list(asked))
        # A flag such as ``correct_bias`` is no data, and a step may be told which one it is.
        given = {roles[name] for name in asked if not isinstance(asked[name].default, bool)}
        if {"pairs", "loader", "targets"} & given or {"inputs", "epochs"} <= given:
            return True
    return False


def chains(defined: Defined) -> Iterator[tuple[str, Callable[[Workplace], None]]]:
    """Yield ways of calling layers one after the other, where they were not called alone."""
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
        if dense[0] in defined.called:
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

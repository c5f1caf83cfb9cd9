"""Layers and losses called each on its own, with inputs of the first shape that they take."""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, watch
from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.driven_layers import (
    LOSS,
    has_both,
    loss_arguments,
    loss_classes,
    loss_slope,
    method_of,
    random_upstream,
    went_back,
    went_forward,
)
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.materials import Data
from clearprop.gradcheck.seeing.calling.roles import (
    BACKWARD,
    CHECKING,
    COST,
    FORWARD,
    TRAINING,
    role_of,
)
from clearprop.gradcheck.seeing.calling.workplace import Found, Workplace

_MOST = 10  # layers
_SHAPES: tuple[tuple[int, ...], ...] = (
    (6, 4), (4, 6), (2, 1, 6, 6), (2, 6, 6, 1), (1, 6, 6), (6, 6, 1), (6, 6),
    (2, 3, 6, 6), (2, 6, 6, 3), (2, 3, 4), (4, 1), (1, 4), (4,),
)  # fmt: skip
"""What a layer may want: rows, columns, pictures with their channels first or last, one sample."""


def single_layers(defined: Defined) -> Iterator[tuple[str, Callable[[Workplace], None]]]:
    """Yield ways of calling each layer on its own."""
    found = [
        (name, kind)
        for name, kind in defined.classes.items()
        if has_both(defined, kind)
        and not LOSS.search(name)
        and not any(TRAINING.search(one) and not CHECKING.search(one) for one in vars(kind))
    ]
    for name, kind in found[:_MOST]:
        yield f"{name} alone", partial(_alone, kind=kind)
    for kind in loss_classes(defined)[:_MOST]:
        if has_both(defined, kind) or hasattr(kind, "backward"):
            yield f"{kind.__name__} alone", partial(_loss_alone, kind=kind)


def _loss_alone(place: Workplace, kind: type) -> None:
    """Call a loss of random outputs: with one-hot targets, or with labels."""
    _, error = attempted(lambda: _loss_alone_with(place, kind))
    if error is not None:
        place.kind = replace(place.kind, targets="labels")
        place.data, place.found, place.claims_from = Data(place.kind), Found(), None
        _loss_alone_with(place, kind)


def _loss_alone_with(place: Workplace, kind: type) -> None:
    shape = (len(place.data.pairs), place.data.kind.outputs)
    output = np.random.RandomState(7).uniform(0.1, 1, shape)
    x = watch(output / output.sum(axis=1, keepdims=True), "data")
    loss = place.make(kind)
    forward = method_of(
        place, loss, re.compile(f"{FORWARD.pattern}|{COST.pattern}", re.I), but=BACKWARD
    )
    if forward is None:
        raise NoSuchWayError("that goes forward")
    place.pool.output = x
    value = place.call(forward, fixed=loss_arguments(place, forward, x))
    if type(value) is Watched and value.dtype.kind == "f":
        place.found.cost = node_of(value if value.size == 1 else value.sum())
    slope = loss_slope(place, loss, x)
    if type(slope) is not Watched:
        raise NoSuchWayError("that goes backward")
    place.found.parameters["X"] = node_of(x)
    place.found.claims["dX"] = node_of(slope)
    place.found.alone = kind.__name__
    place.found.words = f"{kind.__name__}(...) alone"


def _alone(place: Workplace, kind: type) -> None:
    first: Exception | None = None
    for shape in _SHAPES:
        _, error = attempted(lambda shape=shape: _alone_with(place, kind, shape))
        if error is None:
            return
        first = first or error
        place.found, place.claims_from = Found(), None
    raise first or NoSuchWayError("that is a layer")


def _alone_with(place: Workplace, kind: type, shape: tuple[int, ...]) -> None:
    layer = _shaped(place, kind, shape)
    x = watch(np.random.RandomState(7).uniform(-1, 1, shape), "data")
    output = went_forward(place, layer, x)
    if type(output) is not Watched or output.dtype.kind != "f":
        raise NoSuchWayError("that returns an array")
    place.data.inputs = x
    place.candidates.clear()
    place.found.held = vars(layer) if hasattr(layer, "__dict__") else {}
    place.before_forward(place.found.held)
    upstream = random_upstream(place, output)
    place.end_forward()
    back = went_back(place, layer, upstream)
    place.found.keeps_claims = True
    place.found.parameters["X"] = node_of(x)
    if type(back) is Watched:
        place.found.claims["dX"] = node_of(back)
    place.found.alone = kind.__name__
    place.found.words = f"{kind.__name__}(...) alone"
    place.found.data = f"inputs of shape {shape}"


def _shaped(place: Workplace, kind: type, shape: Sequence[int]) -> Any:
    """Make a layer for inputs of a shape."""
    names = list(inspect.signature(kind).parameters)
    fixed: dict[str, Any] = {}
    random = np.random.RandomState(6)
    for name in names:
        text = name.lower()
        if re.search(r"in\w*_?(shape|dim)$|^shape$|image_?(size|shape|dim)", text):
            fixed[name] = tuple(shape[1:]) if len(shape) in (2, 4) else tuple(shape)
        elif len(shape) == 4 and role_of(name, making=True) == "weight":
            fixed[name] = watch(random.uniform(-1, 1, (3, shape[1], 3, 3)), "weights")
        elif len(shape) == 4 and role_of(name, making=True) == "bias":
            fixed[name] = watch(random.uniform(-1, 1, (3,)), "bias")
        elif re.search(r"^((in|input)_?)?(h|height)$", text) or (
            re.search(r"^((in|input)_?)?(w|width)$", text) and len(shape) > 2
        ):
            fixed[name] = 6
        elif re.search(r"(in|^)\w*_?(channels?|depth)$", text) and "out" not in text:
            fixed[name] = min(shape[1:] or (1,)) if len(shape) == 4 else min(shape)
    features = shape[1] if len(shape) == 2 and shape[0] == 6 else shape[0]
    small = replace(place.data.kind, features=features, classes=3, hidden=3)
    inner = Workplace(place.defined, small)
    made, error = attempted(lambda: inner.arguments.call(kind, making=True, fixed=fixed))
    if error is None:
        return made
    whole = {name: tuple(shape) if isinstance(one, tuple) else one for name, one in fixed.items()}
    made, error = attempted(lambda: inner.arguments.call(kind, making=True, fixed=whole))
    return inner.make(kind) if error is not None else made

"""Losses called each on its own, with targets of several kinds."""

import re
from dataclasses import replace
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, watch
from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.layer_passes import (
    loss_arguments,
    loss_slope,
    method_of,
)
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.materials import Data, Targets
from clearprop.gradcheck.seeing.calling.roles import BACKWARD, COST, FORWARD
from clearprop.gradcheck.seeing.calling.workplace import Found, Workplace

_TARGETS: tuple[Targets, ...] = "one-hot", "labels", "binary", "flat binary"


def loss_alone(place: Workplace, kind: type, after: str) -> None:
    """Call a loss of random outputs: with one-hot targets, with labels, or with one output."""
    first: Exception | None = None
    for targets in _TARGETS:
        place.kind = replace(place.kind, targets=targets)
        place.data, place.found, place.claims_from = Data(place.kind), Found(), None
        _, error = attempted(lambda: _loss_alone_with(place, kind, after))
        if error is None:
            return
        first = first or error
    raise first or NoSuchWayError("that is a loss")


def _loss_alone_with(place: Workplace, kind: type, after: str) -> None:
    """Call a loss; where it comes after a softmax or sigmoid, it may give the derivative before."""
    shape = (len(place.data.pairs), place.data.kind.outputs)
    drawn = np.random.RandomState(7).uniform(0.1, 0.9, shape)
    if after == "sigmoid":
        before = watch(drawn, "data")
        x = 1 / (1 + np.exp(-before))
    elif after:
        if shape[1] == 1:
            raise NoSuchWayError("of several classes")
        before = watch(drawn, "data")
        x = np.exp(before)
        x = x / x.sum(axis=1, keepdims=True)
    else:
        several = shape[1] > 1
        before = x = watch(drawn / drawn.sum(axis=1, keepdims=True) if several else drawn, "data")
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
    place.found.parameters["X"] = node_of(before)
    place.found.claims["dX"] = node_of(slope)
    place.found.alone = kind.__name__
    place.found.words = f"{kind.__name__}(...) alone"


def of_cross_entropy(place: Workplace, output: Any, *, minus: bool) -> Any:
    """Return the derivative of a cross-entropy before the softmax, or targets for it.

    Raises
    ------
    NoSuchWayError
        If the outputs are no probabilities.
    """
    sums = [] if type(output) is not Watched or output.ndim != 2 else [output.sum(0), output.sum(1)]
    axis = next((n for n, one in enumerate(sums) if np.allclose(np.asarray(one), 1)), None)
    if axis is None or output.shape[axis] < 2 or not np.all(np.asarray(output) > 0):
        raise NoSuchWayError("that returns probabilities")
    samples, classes = output.shape[1 - axis], output.shape[axis]
    one_hot = np.eye(classes)[np.arange(samples) % classes]
    targets = watch(one_hot if axis == 1 else one_hot.T, "data")
    place.found.cost = node_of(-(targets * np.log(output)).sum())
    return output - targets if minus else targets

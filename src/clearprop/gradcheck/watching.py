"""A network's passes at parameters from outside, and its layers and loss watched in them.

They show what a part writes into, where numbers stop being finite, and where an error begins: a
gradient can be wrong because of a layer above that has no parameters to show it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from clearprop.core.initializers import random_state_of
from clearprop.core.parameters import Array, ParameterVector, Params
from clearprop.core.trace import Trace
from clearprop.errors import ShapeError
from clearprop.gradcheck.differences import DOUBLE, SINGLE, computes_in_single
from clearprop.gradcheck.measuring import Spot
from clearprop.gradcheck.subject import Arrays, Noticed, Subject, carefully, same
from clearprop.layers import Layer
from clearprop.layers.base import StandIn, stand_in_for
from clearprop.network import Network, twin_of
from clearprop.network.probe import Backward, EachLoss, Forward, Record, Watcher, watched

INPUT = "x"
"""The name of a network's input where its gradient is checked, too."""

_FAULTS = {
    "layer changes x": (
        "forward of layer {name}, {layer}, writes into its input x, which the layer below keeps "
        "for its own backward. Let it make a new array."
    ),
    "layer changes dy": (
        "backward of layer {name}, {layer}, writes into dy, which others may read after it. Let it "
        "make a new array."
    ),
    "loss changes logits": "{loss} writes into the logits. Let it make a new array.",
    "loss changes y": "{loss} writes into the targets. Let it make a new array.",
    "adds": (
        "backward adds to the gradient of {name} instead of writing it, and what was there before "
        "has no meaning: grads[...][...] = value, not +=."
    ),
    "writes nothing": (
        "backward never writes the gradient of {name}: it has to write into the array that it "
        "gets, grads[...][...] = value."
    ),
    "layer's shape": (
        "Layer {name}, {layer}, gives an array of shape {found}; its build says {expected}."
    ),
    "dx's shape": (
        "backward of layer {name}, {layer}, returns {found}; expected dx of the shape of x, "
        "{expected}."
    ),
    "losses' shape": "{loss} gives losses of shape {found}, expected one a sample: {expected}.",
    "dlogits' shape": "{loss} gives dlogits of shape {found}, expected that of logits: {expected}.",
    "starts in layer": (
        "It starts in layer {name}, {layer}: its input is finite, its output is not, first in "
        "sample {sample}."
    ),
    "starts in loss": (
        "It starts in {loss}: the logits are finite, the losses are not, first in sample {sample}."
    ),
    "wrong dx": (
        "The error begins in backward of layer {name}, {layer}: the dy that it gets is right, the "
        "dx that it returns is not."
    ),
    "wrong dy": (
        "The error begins in backward of layer {name}, {layer}: the dy that it gives to layer "
        "{inner} is not right."
    ),
    "wrong dlogits": "The error begins in {loss}: its dlogits are not the gradient of its losses.",
}


def _say(key: str, **facts: object) -> str:
    return _FAULTS[key].format(**facts)


@dataclass(frozen=True)
class Passes:
    """A network, a batch, and passes as in training, all of them with the same dropout.

    Parameters
    ----------
    net : Network
        The network, which is written to: a copy that nobody else needs.
    X, y : ndarray
        The batch as the network takes it.
    sample_weight : ndarray or None
    """

    net: Network
    X: Array
    y: Array
    sample_weight: Array | None = None

    def cost(self, arrays: Arrays) -> float:
        """Return the loss at given parameters and, under `INPUT`, a given input."""
        return self._loss(self.outputs(arrays))[0]

    def moving(self) -> dict[str, Array]:
        """Return the input under `INPUT`, without columns of codes; nothing where all are codes."""
        codes = self.net.body.codes(self.net.input_shape)
        X = self.X[:, self._columns] if codes else self.X
        return {INPUT: X} if X.size else {}

    def outputs(self, arrays: Arrays) -> Array:
        """Return the logits."""
        return self.net.forward(self._take(arrays), self._trace())

    def gradients(self, arrays: Arrays) -> dict[str, Array]:
        """Return the gradients that backward writes, and that of the input where it was given.

        Backward gets arrays full of ones, which it is to overwrite; what it leaves is left out.
        """
        gradient, dx = self.backward(arrays, fill=1)
        found = {name: gradient[name].copy() for name in self.written(arrays)}
        if INPUT not in arrays or dx is None:
            return found
        if dx.shape == self.X.shape and not self._is_whole(arrays[INPUT]):
            dx = dx[:, self._columns]
        return {INPUT: dx, **found}

    def backward(self, arrays: Arrays, *, fill: float) -> tuple[ParameterVector, Array | None]:
        """Return dx, and what backward makes of a gradient that is full of some number."""
        X, trace = self._take(arrays), self._trace()
        trace.wants_dx = INPUT in arrays
        gradient = self.net.parameters.like()
        gradient.data[...] = fill
        _, dlogits = self._loss(self.net.forward(X, trace))
        return gradient, self.net.backward(dlogits, trace, gradient)

    def written(self, arrays: Arrays) -> list[str]:
        """Return the names of the gradients that backward does not leave as they were."""
        ones, zeros = (self.backward(arrays, fill=fill)[0] for fill in (1, 0))
        return [name for name in ones if (ones[name] != 1).any() or (zeros[name] != 0).any()]

    def added_to(self, arrays: Arrays) -> list[str]:
        """Return the names of the gradients that backward adds to what was there before."""
        ones, zeros = (self.backward(arrays, fill=fill)[0] for fill in (1, 0))
        return [name for name in self.written(arrays) if not same(ones[name], zeros[name])]

    def _loss(self, logits: Array) -> tuple[float, Array]:
        return self.net.loss(logits, self.y, self.sample_weight)

    def _take(self, arrays: Arrays) -> Array:
        self.net.parameters.assign({name: arrays[name] for name in self.net.parameters})
        given = arrays.get(INPUT, self.X)
        if self._is_whole(given):
            return given
        X = self.X.copy()
        X[:, self._columns] = given
        return X

    def _is_whole(self, given: Array) -> bool:
        """Whether an input has its columns of codes, which no gradient check may move."""
        return given.shape == self.X.shape

    def _trace(self) -> Trace:
        self._random_state.seed(self.net.seed)  # much faster than to make another
        return Trace(training=True, random_state=self._random_state)

    @cached_property
    def _random_state(self) -> np.random.RandomState:
        return random_state_of(self.net.seed)

    @cached_property
    def _columns(self) -> list[int]:
        """The columns of the input that hold no codes."""
        codes = self.net.body.codes(self.net.input_shape)
        return [column for column in range(self.X.shape[1]) if column not in codes]


# What layers and the loss do and should not.


class Seen(Watcher):
    """Everything that layers and the loss do and should not.

    Parameters
    ----------
    loss : object
        The loss, for messages.

    Attributes
    ----------
    notes : list of str
        A sentence for each.
    origin : str or None
        The place where numbers begin that are not finite.
    misfit : str or None
        The last dx that does not have the shape of x: what a pass fails of, if it does.
    blamed : set of (str, str)
        The faults that were noted of layers, each with the layer's name.
    """

    def __init__(self, loss: object) -> None:
        self.notes: list[str] = []
        self.origin: str | None = None
        self.misfit: str | None = None
        self.blamed: set[tuple[str, str]] = set()
        self._loss = loss
        self._misfit = ""
        self._shapes: dict[str, tuple[int, ...]] = {}

    def forward(self, done: Forward) -> None:
        """Look at what a layer gives, and at what became of its input."""
        facts = {"name": done.name, "layer": done.layer}
        expected = (len(done.x), *done.layer.build(done.x.shape[1:]).out_shape)
        _require_shape("layer's shape", done.y, expected, facts)
        if done.changed_x:
            self._blame("layer changes x", facts)
        self._locate(done.x, done.y, "starts in layer", facts)
        self._shapes[done.name] = done.x.shape

    def backward(self, done: Backward) -> None:
        """Look at what a layer gives back, and at what became of the gradient of its output."""
        facts = {"name": done.name, "layer": done.layer}
        if done.changed_dy:
            self._blame("layer changes dy", facts)
        expected, dx = self._shapes[done.name], done.dx
        passed_on = self._misfit.startswith(f"{done.name}.")  # what a layer inside returned
        if (dx is None or dx.shape != expected) and not passed_on:
            found = "nothing" if dx is None else f"an array of shape {dx.shape}"
            self.misfit = _say("dx's shape", found=found, expected=expected, **facts)
            self._misfit = done.name

    def each_loss(self, done: EachLoss) -> None:
        """Look at what the loss gives, and at what became of logits and targets."""
        facts = {"loss": self._loss}
        _require_shape("losses' shape", done.losses, done.logits.shape[:1], facts)
        _require_shape("dlogits' shape", done.dlogits, done.logits.shape, facts)
        if done.changed_logits:
            self._note(_say("loss changes logits", **facts))
        if done.changed_y:
            self._note(_say("loss changes y", **facts))
        self._locate(done.logits, done.losses, "starts in loss", facts)

    def _blame(self, key: str, facts: Mapping[str, Any]) -> None:
        """Note what a layer does, but not of a container what a layer inside it does."""
        name = facts["name"]
        if not any(key == one and place.startswith(f"{name}.") for one, place in self.blamed):
            self.blamed.add((key, name))
            self._note(_say(key, **facts))

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _locate(self, before: Array, after: Array, key: str, facts: Mapping[str, Any]) -> None:
        """Note the first step that makes numbers that are not finite of finite ones."""
        if self.origin is None and np.isfinite(before).all() and not np.isfinite(after).all():
            sample = int(np.nonzero(~np.isfinite(after))[0][0])
            self.origin = _say(key, sample=sample, **facts)


def watch(passes: Passes) -> Seen:
    """Run a network forward and backward, and watch its layers and its loss.

    A `ShapeError` names the first of them that gives another shape than it should.
    """
    net, seen = passes.net, Seen(passes.net.loss)
    twin = replace(passes, net=watched(net, seen))
    arrays = {**net.parameters, INPUT: passes.X}
    try:
        added, written = twin.added_to(arrays), twin.written(arrays)
    except Exception as error:  # NumPy's own, in whatever takes that dx next
        if seen.misfit is None or isinstance(error, ShapeError):
            raise
        raise ShapeError(seen.misfit) from error
    seen.notes += [_say("adds", name=name) for name in added]
    seen.notes += [_say("writes nothing", name=one) for one in net.parameters if one not in written]
    return seen


def _require_shape(
    key: str, array: Array, expected: tuple[int, ...], facts: Mapping[str, Any]
) -> None:
    if np.shape(array) != expected:
        raise ShapeError(_say(key, found=np.shape(array), expected=expected, **facts))


# Where an error begins.


@dataclass(frozen=True, eq=False)
class _Steered(StandIn):
    """A layer whose input or output is put in its place."""

    given: dict[str, Array]

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        y = super().forward(params, self.given.get(f"x of {self.name}", x), trace)
        return self.given.get(f"y of {self.name}", y)


def where_it_begins(passes: Passes) -> str | None:
    """Say which layer makes a wrong gradient of a right one, or whether the loss is wrong already.

    The cost is measured as it depends on the input and the output of every layer, inner ones, too.
    None where every dx and dy is right: then it is a parameter's own gradient that is wrong.
    """
    net, way = passes.net, Record()
    arrays = {**net.parameters, INPUT: passes.X}
    twin = replace(passes, net=watched(net, way))
    carefully(lambda given: twin.backward(given, fill=0), arrays, Noticed())(arrays)
    names = [done.name for done in way.forwards]
    values, claims = dict[str, Array](), dict[str, Array]()
    for forward in way.forwards:
        if names.count(forward.name) == 1:  # of one that is passed twice, dx belongs to one pass
            values[f"y of {forward.name}"] = forward.y
            if not forward.layer.codes(forward.x.shape[1:]):  # which can't be moved
                values[f"x of {forward.name}"] = forward.x
    for backward in way.backwards:
        claims[f"y of {backward.name}"] = backward.dy
        if backward.dx is not None:
            claims[f"x of {backward.name}"] = backward.dx
    claims = {key: claim for key, claim in claims.items() if key in values}
    spot = _spot(passes, values, claims)
    layers = {done.name: done.layer for done in way.forwards}
    for done in way.backwards:
        parent = done.name.rpartition(".")[0]
        if _is_wrong(spot, f"y of {done.name}"):
            if not parent:
                return _say("wrong dlogits", loss=net.loss)
            return _say("wrong dy", name=parent, layer=layers[parent], inner=done.name)
        if _is_wrong(spot, f"x of {done.name}"):
            return _say("wrong dx", name=done.name, layer=done.layer)
    return None


def _spot(passes: Passes, values: Arrays, claims: Arrays) -> Spot:
    """Return the place where the cost depends on the inputs and outputs of layers."""
    net, given = passes.net, dict[str, Array]()

    def make(layer: Layer, worker: Layer, name: str) -> _Steered:
        return _Steered(layer, worker, name, given)

    layers = [stand_in_for(one, name, make) for name, one in net.body.inner().items()]
    steered = replace(passes, net=twin_of(net, layers=layers))
    arrays = dict(net.parameters)
    run = carefully(steered.cost, arrays, Noticed())

    def cost(moved: Arrays) -> float:
        given.clear()
        given.update((name, array) for name, array in moved.items() if array is not values[name])
        return run(arrays)

    subject = Subject(cost=cost, gradients=lambda _: claims, parameters=values)
    at_zero = cost(values)
    precision = SINGLE if computes_in_single(subject, at_zero) else DOUBLE
    return Spot(subject, values, at_zero, claims, precision)


def _is_wrong(spot: Spot, name: str) -> bool:
    """Whether a gradient is wrong along two random lines, or is no gradient at all."""
    if name not in spot.claimed:
        return False
    array, gradient = spot.parameters[name], spot.claimed[name]
    if gradient.shape != array.shape or not np.isfinite(gradient).all():
        return True
    claim, random_state = spot.claim(name), np.random.RandomState(0)
    lines = (random_state.standard_normal(array.size) for _ in range(2))
    places = np.arange(array.size)
    return all(
        claim.through(line / np.linalg.norm(line), places).outcome == "wrong" for line in lines
    )

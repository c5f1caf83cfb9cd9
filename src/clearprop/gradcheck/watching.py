"""Layers and losses watched at work: what they write into, and where numbers stop being finite."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from clearprop.errors import ShapeError
from clearprop.gradcheck.faults import say
from clearprop.gradcheck.passes import INPUT, Passes
from clearprop.gradcheck.subject import same
from clearprop.layers import Built, Layer
from clearprop.losses import Loss
from clearprop.network import twin_of
from clearprop.parameters import Array, Params
from clearprop.trace import Trace


@dataclass
class Seen:
    """What was seen.

    Parameters
    ----------
    notes : list of str
        What layers and the loss do that they should not.
    origin : str or None
        Where numbers begin that are not finite.
    """

    notes: list[str] = field(default_factory=list)
    origin: str | None = None

    def compare(self, before: Array, after: Array, key: str, **facts: object) -> None:
        """Note that an array was written into, if it was."""
        note = say(key, **facts)
        if not same(before, after) and note not in self.notes:
            self.notes.append(note)

    def locate(self, before: Array, after: Array, key: str, **facts: object) -> None:
        """Note the first step that makes numbers that are not finite of finite ones."""
        if self.origin is None and np.isfinite(before).all() and not np.isfinite(after).all():
            sample = int(np.nonzero(~np.isfinite(after))[0][0])
            self.origin = say(key, sample=sample, **facts)


def watch(passes: Passes) -> Seen:
    """Run a network forward and backward, and watch its layers and its loss.

    Parameters
    ----------
    passes : Passes

    Returns
    -------
    Seen

    Raises
    ------
    ShapeError
        If a layer or the loss gives another shape than it should.
    """
    net, seen = passes.net, Seen()
    layers = [
        _WatchedLayer(layer, name, seen)
        for name, layer in zip(net.body.names, net.layers, strict=True)
    ]
    twin = twin_of(net, layers=layers, loss=_WatchedLoss(net.loss, seen))
    watched = replace(passes, net=twin)
    arrays = {**net.parameters, INPUT: passes.X}
    for name in watched.added_to(arrays):
        seen.notes.append(say("adds", name=name))
    for name in net.parameters.keys() - watched.written(arrays):
        seen.notes.append(say("writes nothing", name=name))
    return seen


@dataclass(frozen=True)
class _WatchedLayer(Layer):
    layer: Layer
    name: str
    seen: Seen

    def build(self, in_shape: tuple[int, ...]) -> Built:
        return self.layer.build(in_shape)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        before = x.copy()
        y = self.layer.forward(params, x, trace)
        _require_shape(
            "layer's shape", y, (len(x), *self.layer.build(x.shape[1:]).out_shape), self._facts()
        )
        self.seen.compare(before, x, "layer changes x", **self._facts())
        self.seen.locate(before, y, "starts in layer", **self._facts())
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        before = dy.copy()
        dx = self.layer.backward(params, dy, trace, grads)
        self.seen.compare(before, dy, "layer changes dy", **self._facts())
        return dx

    def _facts(self) -> dict[str, object]:
        return {"name": self.name, "layer": self.layer}


@dataclass(frozen=True)
class _WatchedLoss(Loss):
    loss: Loss
    seen: Seen

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        before, targets = logits.copy(), np.copy(y)
        losses, dlogits = self.loss.each(logits, y)
        facts: Mapping[str, Any] = {"loss": self.loss}
        _require_shape("losses' shape", losses, logits.shape[:1], facts)
        _require_shape("dlogits' shape", dlogits, logits.shape, facts)
        self.seen.compare(before, logits, "loss changes logits", **facts)
        self.seen.compare(targets, y, "loss changes y", **facts)
        self.seen.locate(before, losses, "starts in loss", **facts)
        return losses, dlogits


def _require_shape(
    key: str, array: Array, expected: tuple[int, ...], facts: Mapping[str, Any]
) -> None:
    if np.shape(array) != expected:
        raise ShapeError(say(key, found=np.shape(array), expected=expected, **facts))

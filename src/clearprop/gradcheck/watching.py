"""Layers and losses watched at work: what they write into, and where numbers stop being finite."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import ShapeError
from clearprop.gradcheck.faults import say
from clearprop.gradcheck.passes import INPUT, Passes
from clearprop.network.probe import Backward, EachLoss, Forward, Watcher, watched


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
    """

    def __init__(self, loss: object) -> None:
        self.notes: list[str] = []
        self.origin: str | None = None
        self._loss = loss
        self._blamed: set[tuple[str, str]] = set()

    def forward(self, done: Forward) -> None:
        """Look at what a layer gives, and at what became of its input."""
        facts = {"name": done.name, "layer": done.layer}
        expected = (len(done.x), *done.layer.build(done.x.shape[1:]).out_shape)
        _require_shape("layer's shape", done.y, expected, facts)
        if done.changed_x:
            self._blame("layer changes x", facts)
        self._locate(done.x, done.y, "starts in layer", facts)

    def backward(self, done: Backward) -> None:
        """Look at what became of the gradient of a layer's output."""
        if done.changed_dy:
            self._blame("layer changes dy", {"name": done.name, "layer": done.layer})

    def each_loss(self, done: EachLoss) -> None:
        """Look at what the loss gives, and at what became of logits and targets."""
        facts = {"loss": self._loss}
        _require_shape("losses' shape", done.losses, done.logits.shape[:1], facts)
        _require_shape("dlogits' shape", done.dlogits, done.logits.shape, facts)
        if done.changed_logits:
            self._note(say("loss changes logits", **facts))
        if done.changed_y:
            self._note(say("loss changes y", **facts))
        self._locate(done.logits, done.losses, "starts in loss", facts)

    def _blame(self, key: str, facts: Mapping[str, Any]) -> None:
        """Note what a layer does, but not of a container what a layer inside it does."""
        name = facts["name"]
        if not any(key == one and place.startswith(f"{name}.") for one, place in self._blamed):
            self._blamed.add((key, name))
            self._note(say(key, **facts))

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _locate(self, before: Array, after: Array, key: str, facts: Mapping[str, Any]) -> None:
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
    net, seen = passes.net, Seen(passes.net.loss)
    twin = replace(passes, net=watched(net, seen))
    arrays = {**net.parameters, INPUT: passes.X}
    for name in twin.added_to(arrays):
        seen.notes.append(say("adds", name=name))
    for name in net.parameters.keys() - twin.written(arrays):
        seen.notes.append(say("writes nothing", name=name))
    return seen


def _require_shape(
    key: str, array: Array, expected: tuple[int, ...], facts: Mapping[str, Any]
) -> None:
    if np.shape(array) != expected:
        raise ShapeError(say(key, found=np.shape(array), expected=expected, **facts))

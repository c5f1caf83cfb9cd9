"""One probe for whoever looks into a network: everything its layers and its loss do in a pass.

A network is watched through a twin, whose layers do what its own do and tell a `Watcher` of it. A
layer inside a container is told of by its dotted name, ``"1.0"``, and before the container itself:
who asks where something happened first finds the innermost layer. All arrays are copies, so that
what comes after changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.parameters import Array, Params
from clearprop.core.trace import Trace
from clearprop.layers.base import Layer, StandIn, stand_in_for
from clearprop.losses import Loss
from clearprop.network import Network, twin_of


@dataclass(frozen=True, eq=False)
class Forward:
    """A layer's pass forward.

    Parameters
    ----------
    name : str
        The layer's place, dotted where it lies inside another: ``"3.0"``.
    layer : Layer
    x : ndarray, shape (N, *in_shape)
        The input, as it was before.
    y : ndarray, shape (N, *out_shape)
    params : mapping of str to ndarray
        The layer's own parameters and state, without those of inner layers.
    kept : mapping of str to ndarray
        The arrays that it left in the trace.
    training : bool
        Whether it was a pass for training.
    changed_x : bool
        Whether the layer, or one inside it, wrote into its input.
    """

    name: str
    layer: Layer
    x: Array
    y: Array
    params: Mapping[str, Array]
    kept: Mapping[str, Array]
    training: bool
    changed_x: bool


@dataclass(frozen=True, eq=False)
class Backward:
    """A layer's pass back.

    Parameters
    ----------
    name : str
    layer : Layer
    dy : ndarray, shape (N, *out_shape)
        The gradient of the output, as it was before.
    dx : ndarray, shape (N, *in_shape), or None
        The gradient of the input; None where nobody wants it.
    grads : mapping of str to ndarray
        The gradients of the layer's own parameters.
    changed_dy : bool
        Whether the layer, or one inside it, wrote into dy.
    """

    name: str
    layer: Layer
    dy: Array
    dx: Array | None
    grads: Mapping[str, Array]
    changed_dy: bool


@dataclass(frozen=True, eq=False)
class EachLoss:
    """The losses of a batch, one a sample.

    Parameters
    ----------
    logits : ndarray, shape (N, K)
        The logits as they were before.
    losses : ndarray, shape (N,)
    dlogits : ndarray, shape (N, K)
        The derivative of each.
    changed_logits, changed_y : bool
        Whether the loss wrote into what it was given.
    """

    logits: Array
    losses: Array
    dlogits: Array
    changed_logits: bool
    changed_y: bool


@dataclass(frozen=True, eq=False)
class LossPass:
    """The mean loss of a batch.

    Parameters
    ----------
    logits : ndarray, shape (N, K)
    y : ndarray
        Targets as the loss takes them.
    weights : ndarray, shape (N,), or None
        The samples' weights.
    losses : ndarray, shape (N,)
        Each sample's own.
    loss : float
        Their mean.
    dlogits : ndarray, shape (N, K)
        The gradient of the mean.
    """

    logits: Array
    y: Array
    weights: Array | None
    losses: Array
    loss: float
    dlogits: Array


class Watcher:
    """Base of those who watch: each overrides what it wants to be told of."""

    def forward(self, done: Forward) -> None:
        """Take note of a layer's forward."""

    def backward(self, done: Backward) -> None:
        """Take note of a layer's backward."""

    def each_loss(self, done: EachLoss) -> None:
        """Take note of the samples' losses, before their mean is taken."""

    def loss(self, done: LossPass) -> None:
        """Take note of the mean loss."""


class Record(Watcher):
    """All passes of layers and of the loss, each kind in the order in which they were done."""

    def __init__(self) -> None:
        self.forwards: list[Forward] = []
        self.backwards: list[Backward] = []
        self.losses: list[LossPass] = []

    def forward(self, done: Forward) -> None:
        """Keep it."""
        self.forwards.append(done)

    def backward(self, done: Backward) -> None:
        """Keep it."""
        self.backwards.append(done)

    def loss(self, done: LossPass) -> None:
        """Keep it."""
        self.losses.append(done)


def watched(network: Network, watcher: Watcher) -> Network:
    """Return a twin of a network, of which a watcher is told all that it does.

    Parameters
    ----------
    network : Network
        Left as it is.
    watcher : Watcher

    Returns
    -------
    Network
        With copies of its parameters and state, and the same numbers in every pass.
    """

    def make(layer: Layer, worker: Layer, name: str) -> _WatchedLayer:
        return _WatchedLayer(layer, worker, name, watcher)

    return twin_of(
        network,
        layers=[stand_in_for(one, name, make) for name, one in network.body.inner().items()],
        loss=_WatchedLoss(network.loss, watcher),
    )


@dataclass(frozen=True, eq=False)
class _WatchedLayer(StandIn):
    watcher: Watcher

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        before = x.copy()
        y = super().forward(params, x, trace)
        self.watcher.forward(
            Forward(
                name=self.name,
                layer=self.layer,
                x=before,
                y=np.array(y),
                params=_arrays(params),
                kept=_arrays(trace),
                training=trace.training,
                changed_x=_differ(before, x),
            )
        )
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        before = dy.copy()
        dx = super().backward(params, dy, trace, grads)
        self.watcher.backward(
            Backward(
                name=self.name,
                layer=self.layer,
                dy=before,
                dx=np.array(dx) if dx is not None and trace.wants_dx else None,
                grads=_arrays(grads),
                changed_dy=_differ(before, dy),
            )
        )
        return dx


@dataclass(frozen=True, eq=False)
class _WatchedLoss(Loss):
    own: Loss
    watcher: Watcher

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        before, targets = logits.copy(), np.copy(y)
        losses, dlogits = self.own.each(logits, y)
        self.watcher.each_loss(
            EachLoss(
                logits=before,
                losses=np.array(losses),
                dlogits=np.array(dlogits),
                changed_logits=_differ(before, logits),
                changed_y=_differ(targets, y),
            )
        )
        return losses, dlogits

    def __call__(
        self, logits: Array, y: Array, sample_weight: Array | None = None
    ) -> tuple[float, Array]:
        losses, _ = self.each(logits, y)
        loss, dlogits = self.own(logits, y, sample_weight)
        self.watcher.loss(
            LossPass(logits.copy(), np.copy(y), sample_weight, losses, loss, dlogits.copy())
        )
        return loss, dlogits

    def check_outputs(self, outputs: int) -> None:
        self.own.check_outputs(outputs)

    def targets(self, y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        return self.own.targets(y, outputs, dtype)


def _arrays(found: Mapping[str, Any]) -> dict[str, Array]:
    """Copy the arrays; what is nested belongs to inner layers."""
    return {name: one.copy() for name, one in found.items() if isinstance(one, np.ndarray)}


def _differ(one: Array, other: Array) -> bool:
    return not np.array_equal(one, other, equal_nan=True)

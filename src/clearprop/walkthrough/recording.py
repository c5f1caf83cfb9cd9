"""One training step of the engine itself, with everything that it leaves behind kept apart.

The layers and the loss are wrapped in ones that copy what goes in and what comes out, and leave the
computing to the engine. The network that is walked stays as it is: the step is made on a copy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearprop.initializers import random_state_of
from clearprop.layers import Built, Layer, Residual, Sequential
from clearprop.losses import Loss
from clearprop.network import Network, twin_of
from clearprop.optimizers import Optimizer
from clearprop.parameters import Array, ParameterVector, Params
from clearprop.trace import Trace
from clearprop.walkthrough.record import Backward, Forward, LossPass, Record, Update


def record_step(
    network: Network,
    X: Any,
    y: Any,
    sample_weight: Any,
    optimizer: Optimizer,
    trace: Trace | None,
) -> tuple[Record, Update]:
    """Make one training step on a copy of a network, and keep all of it.

    Parameters
    ----------
    network : Network
        Left as it is.
    X, y, sample_weight
        As `Network.loss_and_gradient` takes them.
    optimizer : Optimizer
        Does its first step.
    trace : Trace or None
        As `Network.loss_and_gradient` takes it.

    Returns
    -------
    record : Record
    update : Update

    Raises
    ------
    ShapeError, DataError
        If X, y or the weights don't fit the network, the loss, or each other.
    """
    record = Record()
    layers = [
        _recorded(layer, name, record)
        for name, layer in zip(network.body.names, network.layers, strict=True)
    ]
    twin = twin_of(network, layers=layers, loss=_RecordedLoss(network.loss, record))
    if trace is None:
        trace = Trace(training=True, random_state=random_state_of(network.seed))
        trace.wants_dx = False
    before, state_before = twin.parameters.copy(), twin.state.copy()
    with np.errstate(all="ignore"):  # what is not finite is shown, and said
        _, gradient = twin.loss_and_gradient(X, y, sample_weight, trace=trace)
        weights = record.loss.weights
        count = len(record.loss.losses)
        samples = count if weights is None else float(weights.sum()) or count
        followed = gradient.copy()
        penalty = optimizer.regularize(twin, followed, samples)
        state = optimizer.start(twin.parameters)
        optimizer.step(twin.parameters, followed, state, 0)
        if trace.training:
            twin.update_state(trace)
    return record, Update(
        optimizer=optimizer,
        rate=optimizer.rate(0),
        samples=samples,
        penalty=penalty,
        before=before,
        after=twin.parameters,
        gradient=gradient,
        followed=followed,
        moments={name: _named(array, before) for name, array in state.items()},
        state_before=state_before,
        state_after=twin.state,
    )


@dataclass(frozen=True)
class _Recorded(Layer):
    """A layer that computes by another, and keeps copies before memory is used again."""

    shown: Layer
    computing: Layer  # the same, its inner layers recorded, too
    name: str
    record: Record

    def build(self, in_shape: tuple[int, ...]) -> Built:
        return self.computing.build(in_shape)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        given = x.copy()
        y = self.computing.forward(params, x, trace)
        self.record.forward.append(
            Forward(
                self.name,
                self.shown,
                given,
                y.copy(),
                _arrays(params),
                _arrays(trace),
                trace.training,
            )
        )
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        given = dy.copy()
        dx = self.computing.backward(params, dy, trace, grads)
        wanted = dx.copy() if dx is not None and trace.wants_dx else None
        self.record.backward.append(Backward(self.name, given, wanted, _arrays(grads)))
        return dx

    def update_state(self, params: Params, trace: Trace) -> None:
        self.computing.update_state(params, trace)


@dataclass(frozen=True)
class _RecordedLoss(Loss):
    """A loss that computes by another, and keeps what it gives."""

    shown: Loss
    record: Record

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        return self.shown.each(logits, y)

    def __call__(
        self, logits: Array, y: Array, sample_weight: Array | None = None
    ) -> tuple[float, Array]:
        losses, _ = self.shown.each(logits, y)
        loss, dlogits = self.shown(logits, y, sample_weight)
        self.record.losses.append(
            LossPass(logits.copy(), y.copy(), sample_weight, losses, loss, dlogits.copy())
        )
        return loss, dlogits

    def check_outputs(self, outputs: int) -> None:
        self.shown.check_outputs(outputs)

    def targets(self, y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        return self.shown.targets(y, outputs, dtype)


def _recorded(layer: Layer, name: str, record: Record) -> _Recorded:
    computing = layer
    if type(layer) is Residual or type(layer) is Sequential:
        inner = (
            _recorded(one, f"{name}.{place}", record) for place, one in enumerate(layer.layers)
        )
        computing = replace(layer, layers=tuple(inner))
    return _Recorded(layer, computing, name, record)


def _arrays(found: Mapping[str, Any]) -> dict[str, Array]:
    """Copy the arrays; what is nested belongs to inner layers."""
    return {name: one.copy() for name, one in found.items() if isinstance(one, np.ndarray)}


def _named(flat: Array, like: ParameterVector) -> ParameterVector:
    vector = like.like()
    vector.data[...] = flat
    return vector

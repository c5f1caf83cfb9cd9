"""One pass through a network, with what went in and out of every layer kept apart."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from clearprop.initializers import random_state_of
from clearprop.layers import Built, Layer, Residual, Sequential
from clearprop.network import Network, twin_of
from clearprop.parameters import Array, Params
from clearprop.trace import Trace


@dataclass(frozen=True, eq=False)
class Seen:
    """One layer in one pass.

    Parameters
    ----------
    name : str
        Its place, dotted where it lies inside another: ``"3.0"``.
    layer : Layer
    y : ndarray, shape (N, *out_shape)
        What it gave.
    dy : ndarray, shape (N, *out_shape)
        The gradient of the loss with respect to that.
    """

    name: str
    layer: Layer
    y: Array
    dy: Array


@dataclass(frozen=True)
class Origin:
    """The first operation that made a number that is not finite.

    Parameters
    ----------
    operation : {"forward", "loss", "backward"}
    layer : str or None
        The layer's place; None for the loss.
    kind : str
        The class of the layer or loss.
    largest : float
        The largest magnitude among the numbers that it was given.
    """

    operation: str
    layer: str | None
    kind: str
    largest: float


@dataclass
class _Log:
    outputs: dict[str, tuple[Layer, Array]] = field(default_factory=dict)
    gradients: dict[str, Array] = field(default_factory=dict)
    origin: Origin | None = None

    def look(
        self, operation: str, name: str, layer: Layer, made: list[Array], given: Array
    ) -> None:
        """Remember the first operation that gave more than finite numbers for finite ones."""
        if self.origin is None and not all(np.isfinite(array).all() for array in made):
            kind = type(layer).__name__
            self.origin = Origin(operation, name, kind, float(np.abs(given).max(initial=0.0)))


@dataclass(frozen=True, eq=False)
class _Watched(Layer):
    """A layer that does what another does, and has it written down."""

    layer: Layer
    name: str
    log: _Log

    def build(self, in_shape: tuple[int, ...]) -> Built:
        return self.layer.build(in_shape)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        y = self.layer.forward(params, x, trace)
        self.log.outputs[self.name] = self.layer, y.copy()
        self.log.look("forward", self.name, self.layer, [y], x)
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        self.log.gradients[self.name] = dy.copy()
        dx = self.layer.backward(params, dy, trace, grads)
        if not isinstance(self.layer, Residual | Sequential):  # their own layers are watched
            made = [array for array in (dx, *grads.values()) if array is not None]
            self.log.look("backward", self.name, self.layer, made, dy)
        return dx


def watch(network: Network, X: Array, y: Array, *, training: bool) -> list[Seen]:
    """Pass samples forward and their gradients back, and return what every layer saw.

    Parameters
    ----------
    network : Network
        Left as it is.
    X : ndarray, shape (N, *input_shape)
    y : ndarray
        Targets, as the loss takes them.
    training : bool
        Whether dropout drops and batch norm uses the batch's own statistics.

    Returns
    -------
    list of Seen
        From input to output, a layer inside another before that other.
    """
    log = _Log()
    with np.errstate(all="ignore"):  # what is not finite is an illness of its own
        _pass(_watched(network, log), X, y, training)
    return [
        Seen(name, layer, output, log.gradients[name])
        for name, (layer, output) in log.outputs.items()
        if name in log.gradients  # backward ends at the first layer that learns
    ]


def find_origin(network: Network, X: Array, y: Array) -> Origin | None:
    """Find the first operation of a training pass that makes a number that is not finite.

    Parameters
    ----------
    network : Network
        With finite parameters; left as it is.
    X : ndarray, shape (N, *input_shape)
        Finite.
    y : ndarray
        Targets, as the loss takes them.

    Returns
    -------
    Origin or None
        None where every number is finite.
    """
    log = _Log()
    with np.errstate(all="ignore"):
        logits, finite = _pass(_watched(network, log), X, y, training=True)
    if not finite and (log.origin is None or log.origin.operation == "backward"):
        kind = type(network.loss).__name__
        return Origin("loss", None, kind, float(np.abs(logits).max(initial=0.0)))
    return log.origin


def _pass(watched: Network, X: Array, y: Array, training: bool) -> tuple[Array, bool]:
    """Return the logits, and whether the loss and its gradient are finite."""
    trace = Trace(training=training, random_state=random_state_of(watched.seed))
    trace.wants_dx = False
    logits = watched.forward(X, trace).copy()
    loss, dlogits = watched.loss(logits, y)
    watched.backward(dlogits, trace, watched.parameters.like())
    return logits, bool(np.isfinite(loss) and np.isfinite(dlogits).all())


def _watched(network: Network, log: _Log) -> Network:
    return twin_of(network, layers=_watch_each(network.layers, log, ""))


def _watch_each(layers: Iterable[Layer], log: _Log, path: str) -> list[Layer]:
    watched: list[Layer] = []
    for place, layer in enumerate(layers):
        name, inner = f"{path}{place}", layer
        if isinstance(layer, Residual | Sequential):
            inner = replace(layer, layers=tuple(_watch_each(layer.layers, log, f"{name}.")))
        watched.append(_Watched(inner, name, log))
    return watched

"""One pass through a network, with what went in and out of every layer kept apart."""

from dataclasses import dataclass

import numpy as np

from clearprop.core.initializers import random_state_of
from clearprop.core.parameters import Array
from clearprop.core.trace import Trace
from clearprop.layers import Layer
from clearprop.network import Network
from clearprop.network.probe import Backward, Forward, LossPass, Watcher, watched


@dataclass(frozen=True, eq=False)
class Seen:
    """One layer, by its dotted name, in one pass: its output y, and the gradient dy of that.

    Both have the shape (N, *out_shape).
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


def watch(network: Network, X: Array, y: Array, *, training: bool) -> list[Seen]:
    """Pass samples X (N, *input_shape) forward and back, and return what every layer saw.

    The network is left as it is; `training` says whether dropout drops, and whether batch norm uses
    the batch's own statistics. A layer inside another comes before that other.
    """
    outputs = _Outputs()
    _pass(network, outputs, X, y, training=training)
    return [
        Seen(name, layer, given, outputs.gradients[name])
        for name, (layer, given) in outputs.given.items()
        if name in outputs.gradients  # backward ends at the first layer that learns
    ]


def find_origin(network: Network, X: Array, y: Array) -> Origin | None:
    """Find the first operation of a training pass that makes a number that is not finite.

    The parameters and X (N, *input_shape) are finite. None where every number is.
    """
    search = _Search(type(network.loss).__name__)
    _pass(network, search, X, y, training=True)
    return search.origin


class _Outputs(Watcher):
    """Every layer's output, and its gradient."""

    def __init__(self) -> None:
        self.given: dict[str, tuple[Layer, Array]] = {}
        self.gradients: dict[str, Array] = {}

    def forward(self, done: Forward) -> None:
        self.given[done.name] = done.layer, done.y

    def backward(self, done: Backward) -> None:
        self.gradients[done.name] = done.dy


class _Search(Watcher):
    """The first operation that gave numbers that are not finite, all before it being finite."""

    def __init__(self, loss: str) -> None:
        self.origin: Origin | None = None
        self._loss = loss

    def forward(self, done: Forward) -> None:
        self._look("forward", done.name, type(done.layer).__name__, [done.y], done.x)

    def backward(self, done: Backward) -> None:
        made = [*done.grads.values(), *([] if done.dx is None else [done.dx])]
        self._look("backward", done.name, type(done.layer).__name__, made, done.dy)

    def loss(self, done: LossPass) -> None:
        self._look("loss", None, self._loss, [np.array(done.loss), done.dlogits], done.logits)

    def _look(
        self, operation: str, layer: str | None, kind: str, made: list[Array], given: Array
    ) -> None:
        if self.origin is None and not all(np.isfinite(array).all() for array in made):
            self.origin = Origin(operation, layer, kind, float(np.abs(given).max(initial=0.0)))


def _pass(network: Network, watcher: Watcher, X: Array, y: Array, *, training: bool) -> None:
    twin = watched(network, watcher)
    trace = Trace(training=training, random_state=random_state_of(network.seed))
    trace.wants_dx = False
    with np.errstate(all="ignore"):  # what is not finite is an illness of its own
        _, dlogits = twin.loss(twin.forward(X, trace), y)
        twin.backward(dlogits, trace, twin.parameters.like())

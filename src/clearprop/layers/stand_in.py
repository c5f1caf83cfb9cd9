"""Layers in the place of others, to look on while those work, inside containers, too."""

from collections.abc import Callable
from dataclasses import dataclass

from clearprop.layers.base import Built, Layer
from clearprop.parameters import Array, Params
from clearprop.trace import Trace


@dataclass(frozen=True, eq=False)
class StandIn(Layer):
    """A layer that leaves all work to another one: base of those that look on.

    Parameters
    ----------
    layer : Layer
        The one in whose place it stands.
    worker : Layer
        The same, with stand-ins for the layers inside it.
    name : str
        Its place, dotted inside a container: ``"3.0"``.
    """

    layer: Layer
    worker: Layer
    name: str

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Build the worker."""
        return self.worker.build(in_shape)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return the worker's output."""
        return self.worker.forward(params, x, trace)

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Have the worker write its gradients; return its dx."""
        return self.worker.backward(params, dy, trace, grads)

    def update_state(self, params: Params, trace: Trace) -> None:
        """Let the worker update its own."""
        self.worker.update_state(params, trace)


def stand_in_for(layer: Layer, name: str, make: Callable[[Layer, Layer, str], StandIn]) -> StandIn:
    """Make a stand-in for a layer, and one for each layer inside it.

    Parameters
    ----------
    layer : Layer
    name : str
        Its place.
    make : callable
        Makes a stand-in of a layer, its worker, and its name.
    """
    inner = {key: stand_in_for(one, f"{name}.{key}", make) for key, one in layer.inner().items()}
    return make(layer, layer.with_inner(inner) if inner else layer, name)

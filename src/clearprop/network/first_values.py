"""First values of parameters that depend on samples."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clearprop.core.parameters import Array, Params
from clearprop.core.trace import Trace
from clearprop.errors import DataError
from clearprop.layers.base import Layer, StandIn, stand_in_for

if TYPE_CHECKING:
    from clearprop.network.stack import LayerStack

_MOST = 2**22  # numbers in the widest layer: 32 MiB in float64


@dataclass(frozen=True, eq=False)
class _Fitted(StandIn):
    """A layer whose first values are fitted to what reaches it, before it passes that on."""

    random_state: np.random.RandomState

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Fit the layer, and return its output in training."""
        self.layer.initialize_from(params, x, self.random_state)
        # In a trace of its own, which takes its memory along when the layer above is done.
        own = Trace(training=True, random_state=self.random_state)
        return self.worker.forward(params, x, own)


def fit_first_values(network: "LayerStack", X: Any, random_state: np.random.RandomState) -> None:
    """Fit the first values of all layers, as `LayerStack.initialize_from` says."""
    if not hasattr(X, "shape"):
        X = np.asarray(X)
    if not len(X):
        raise DataError("X has no samples to fit first values to; give at least one.")
    most = max(1, _MOST // max(math.prod(network.input_shape), network.widest_output))
    if len(X) > most:
        X = X[np.sort(random_state.choice(len(X), most, replace=False))]
    x = network.inputs(X[:])
    if not np.isfinite(x).all():
        raise DataError("X must be finite where first values are fitted to it; fill its gaps.")

    def fitted(layer: Layer, worker: Layer, name: str) -> StandIn:
        return _Fitted(layer, worker, name, random_state)

    for place, layer in enumerate(network.layers):
        name = str(place)
        x = stand_in_for(layer, name, fitted).forward(network.params.get(name, {}), x, Trace())

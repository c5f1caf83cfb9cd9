"""A container of one's own: two layers side by side."""

from collections.abc import Mapping
from dataclasses import dataclass

import clearprop as cp
from clearprop.core.parameters import Array, Params
from clearprop.core.trace import Trace


@dataclass(frozen=True)
class Branches(cp.Layer):
    """y = left(x) + right(x)."""

    left: cp.Layer
    right: cp.Layer

    def inner(self) -> Mapping[str, cp.Layer]:
        return {"left": self.left, "right": self.right}

    def build(self, in_shape: tuple[int, ...]) -> cp.Built:
        parameters, state = {}, {}
        for name, layer in self.inner().items():
            built = layer.build(in_shape)
            parameters |= {f"{name}.{key}": spec for key, spec in built.parameters.items()}
            state |= {f"{name}.{key}": spec for key, spec in built.state.items()}
        return cp.Built(built.out_shape, parameters, state)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        left, right = (
            layer.forward(params.get(name, {}), x, trace.child(name))
            for name, layer in self.inner().items()
        )
        return left + right

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        left, right = (
            layer.backward(params.get(name, {}), dy, trace.child(name), grads.get(name, {}))
            for name, layer in self.inner().items()
        )
        return left + right if trace.wants_dx else None

    def update_state(self, params: Params, trace: Trace) -> None:
        for name, layer in self.inner().items():
            layer.update_state(params.get(name, {}), trace.child(name))

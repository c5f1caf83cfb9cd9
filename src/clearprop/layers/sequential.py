"""Layers one after the other."""

from dataclasses import dataclass, field

from clearprop.errors import ShapeError, UsageError
from clearprop.formulas import Formulas
from clearprop.layers.base import Built, Layer
from clearprop.parameters import Array, Parameter, Params
from clearprop.trace import Trace


@dataclass(frozen=True)
class Sequential(Layer):
    """The chain rule as a layer: each layer's output is the next one's input.

    Parameters
    ----------
    layers : tuple of Layer
        From input to output. Their names are their places: ``"0"``, ``"1"``, ...
    """

    layers: tuple[Layer, ...]
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)

    formulas = Formulas()

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "names", tuple(str(place) for place in range(len(self.layers))))
        for name, layer in zip(self.names, self.layers, strict=True):
            if not isinstance(layer, Layer):
                raise UsageError(f"Layer {name} is no layer but {layer!r}. Is a () missing?")

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Build each layer on the shape that the one below gives."""
        shape = in_shape
        parameters: dict[str, Parameter] = {}
        state: dict[str, Parameter] = {}
        for name, built in zip(self.names, self.build_each(in_shape), strict=True):
            shape = built.out_shape
            parameters |= {f"{name}.{key}": spec for key, spec in built.parameters.items()}
            state |= {f"{name}.{key}": spec for key, spec in built.state.items()}
        return Built(shape, parameters, state)

    def build_each(self, in_shape: tuple[int, ...]) -> list[Built]:
        """Return what every layer becomes, in order.

        Raises
        ------
        ShapeError
            If a layer can't take what the one below gives; the message names it.
        """
        every = []
        for name, layer in zip(self.names, self.layers, strict=True):
            try:
                every.append(layer.build(in_shape))
            except ShapeError as error:
                raise ShapeError(f"Layer {name}: {error}") from error
            in_shape = every[-1].out_shape
        return every

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return the last layer's output."""
        for name, layer in zip(self.names, self.layers, strict=True):
            x = layer.forward(params.get(name, {}), x, trace.child(name))
        return x

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Walk the layers from the last to the first, no further down than anyone needs."""
        learning = [place for place, name in enumerate(self.names) if name in grads]
        lowest = 0 if trace.wants_dx else min(learning, default=len(self.layers))
        dx: Array | None = dy
        for place in reversed(range(lowest, len(self.layers))):
            name = self.names[place]
            child = trace.child(name)
            child.wants_dx = trace.wants_dx or place > lowest
            dx = self.layers[place].backward(
                params.get(name, {}),
                dx,  # type: ignore[arg-type] # None only below the lowest, where the walk ends
                child,
                grads.get(name, {}),
            )
        return dx if trace.wants_dx else None

    def update_state(self, params: Params, trace: Trace) -> None:
        """Let each layer that keeps anything update its own."""
        for name, layer in zip(self.names, self.layers, strict=True):
            if type(layer).update_state is not Layer.update_state:
                layer.update_state(params.get(name, {}), trace.child(name))

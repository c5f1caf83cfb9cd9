"""Layers made of layers: one after the other, and with a link around them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np

from clearprop.core.formulas import Formulas, known
from clearprop.core.initializers import Initializer, Scaled
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.program import Program, Value
from clearprop.core.symbols import Symbol, dx, dy, x, y
from clearprop.core.trace import Trace
from clearprop.errors import ShapeError, UsageError
from clearprop.layers.base import Built, Layer, described
from clearprop.layers.place_formulas import product_of_rows

_block = Symbol("block", per_sample=True)
_P = Symbol("P", "projection of the input")


@dataclass(frozen=True)
class Sequential(Layer):
    """The chain rule as a layer: each layer's output is the next one's input.

    Parameters
    ----------
    layers : tuple of Layer
        The layers from input to output. Their names are their places: ``"0"``, ``"1"``, ...
    """

    layers: tuple[Layer, ...]
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)

    chains: ClassVar[bool] = True

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

    def inner(self) -> Mapping[str, Layer]:
        """Return the layers by their places."""
        return dict(zip(self.names, self.layers, strict=True))

    def with_inner(self, inner: Mapping[str, Layer]) -> Self:
        """Return a chain of other layers."""
        return replace(self, layers=tuple(inner.values()))

    def codes(self, in_shape: tuple[int, ...]) -> Mapping[int, int]:
        """Return the columns of codes of the first layer."""
        return self.layers[0].codes(in_shape) if self.layers else {}

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Let the layers describe themselves, one after the other."""
        for name, layer in self.inner().items():
            with program.layer(name):
                x = described(layer, params.get(name, {}), x, program)
        return x


@dataclass(frozen=True)
class Residual(Sequential):
    """A chain of layers whose input is added to its output: y = block(x) + x, or block(x) + x P.

    Where the block changes the number of features, of pictures that of the channels, the input
    passes a projection P (D, M) without bias, which is learned.

    Parameters
    ----------
    layers : tuple of Layer
        The block.
    init : Initializer, default Scaled()
        The initializer of P.

    Notes
    -----
    dx = block'(dy) + dy, or block'(dy) + dy P.T with dP = x.T dy. Source: He, Zhang, Ren, Sun,
    "Deep Residual Learning for Image Recognition" (2016), equations 1 and 2.
    """

    init: Initializer = Scaled()

    formulas = Formulas(
        {y: _block + known(_P, x @ _P, x)},
        {_P.gradient: product_of_rows(x, dy), dx: _block.gradient + known(_P, dy @ _P.T, dy)},
    )

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Build the block, and a projection where its shape differs from the input's."""
        built = super().build(in_shape)
        if built.out_shape == in_shape:
            return built
        if in_shape[:-1] != built.out_shape[:-1]:
            raise ShapeError(
                f"Residual can project the last axis only; its block makes {built.out_shape} of "
                f"{in_shape}. Put what changes the others, a pool, a stride or a Flatten(), before "
                "it."
            )
        projection = Parameter((in_shape[-1], built.out_shape[-1]), self.init, decays=True)
        return Built(built.out_shape, {**built.parameters, "P": projection}, built.state)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = block(x) + x, or block(x) + x P."""
        trace["x"] = x
        inside = super().forward(params, x, trace)
        y = trace.buffer("y", inside.shape, inside.dtype)
        if "P" not in params:
            return np.add(inside, x, out=y)
        np.matmul(_rows(x), params["P"], out=_rows(y))
        y += inside
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write the gradients of the block and of P; return dx where it is wanted."""
        x, inside = trace["x"], super().backward(params, dy, trace, grads)
        if "P" in params:
            np.matmul(_rows(x).T, _rows(dy), out=grads["P"])
        if inside is None:
            return None
        dx = trace.buffer("dx", x.shape, x.dtype)
        if "P" not in params:
            return np.add(inside, dy, out=dx)
        np.matmul(_rows(dy), params["P"].T, out=_rows(dx))
        dx += inside
        return dx

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is y = block(x) + x, or block(x) + x P."""
        block = super().describe(params, x, program)
        return program.added(block, program.affine(x, params["P"]) if "P" in params else x)


def _rows(samples: Array) -> Array:
    """Return the features of each sample, or of each place of pictures, as rows."""
    return samples.reshape(-1, samples.shape[-1])

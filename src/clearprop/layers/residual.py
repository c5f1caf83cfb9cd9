"""Residual links."""

from dataclasses import dataclass, field

import numpy as np

from clearprop.errors import ShapeError
from clearprop.formulas import Formulas, known
from clearprop.initializers import Initializer, Scaled
from clearprop.layers.base import Built, Layer
from clearprop.layers.sequential import Sequential
from clearprop.parameters import Array, Parameter, Params
from clearprop.symbols import Symbol, dx, dy, x, y
from clearprop.trace import Trace

_block = Symbol("block", per_sample=True)
_P = Symbol("P", "projection of the input")


@dataclass(frozen=True)
class Residual(Layer):
    """A block whose input is added to its output: y = block(x) + x, or block(x) + x P.

    Where the block changes the shape, the input passes a projection P (D, M) without bias, which is
    learned.

    Parameters
    ----------
    layers : tuple of Layer
        The block.
    init : Initializer, default Scaled()
        How P starts.

    Notes
    -----
    dx = block'(dy) + dy, or block'(dy) + dy P.T with dP = x.T dy. Source: He, Zhang, Ren, Sun,
    "Deep Residual Learning for Image Recognition" (2016), equations 1 and 2.
    """

    layers: tuple[Layer, ...]
    init: Initializer = Scaled()
    block: Sequential = field(init=False, repr=False, compare=False)

    formulas = Formulas(
        {y: _block + known(_P, x @ _P, x)},
        {_P.gradient: x.T @ dy, dx: _block.gradient + known(_P, dy @ _P.T, dy)},
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "block", Sequential(self.layers))

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Build the block, and a projection where its shape differs from the input's."""
        built = self.block.build(in_shape)
        if built.out_shape == in_shape:
            return built
        if len(in_shape) != 1 or len(built.out_shape) != 1:
            raise ShapeError(
                f"Residual can project flat samples only; its block makes {built.out_shape} of "
                f"{in_shape}. Put a Flatten() before it."
            )
        projection = Parameter((in_shape[0], built.out_shape[0]), self.init, decays=True)
        return Built(built.out_shape, {**built.parameters, "P": projection}, built.state)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = block(x) + x, or block(x) + x P."""
        trace["x"] = x
        inside = self.block.forward(params, x, trace.child("block"))
        y = trace.buffer("y", inside.shape, inside.dtype)
        if "P" not in params:
            return np.add(inside, x, out=y)
        np.matmul(x, params["P"], out=y)
        y += inside
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write the gradients of the block and of P; return dx where it is wanted."""
        x, block = trace["x"], trace.child("block")
        block.wants_dx = trace.wants_dx
        inside = self.block.backward(params, dy, block, grads)
        if "P" in params:
            np.matmul(x.T, dy, out=grads["P"])
        if inside is None:
            return None
        dx = trace.buffer("dx", x.shape, x.dtype)
        if "P" not in params:
            return np.add(inside, dy, out=dx)
        np.matmul(dy, params["P"].T, out=dx)
        dx += inside
        return dx

    def update_state(self, params: Params, trace: Trace) -> None:
        """Let the layers of the block update their own."""
        self.block.update_state(params, trace.child("block"))

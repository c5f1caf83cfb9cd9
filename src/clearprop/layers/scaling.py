"""Learned factors: one for each input, and one for each unit between an activation and none."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clearprop.core.formulas import Formulas, sum_n
from clearprop.core.initializers import Constant
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.program import Program, Value
from clearprop.core.symbols import Symbol, dx, dy, x, y
from clearprop.core.trace import Trace
from clearprop.errors import ShapeError, UsageError
from clearprop.layers.base import Built, Layer, described
from clearprop.layers.dense import flat_size

_s = Symbol("s", "scale of each input")
_alpha = Symbol("alpha", "share of the activation")
_change = Symbol("change", "difference that the activation makes", per_sample=True)
_block = Symbol("block", per_sample=True)


@dataclass(frozen=True)
class Scale(Layer):
    """Multiply each input by a learned number: y = s x.

    A scale that falls to zero leaves its input out: a soft choice of inputs.

    Parameters
    ----------
    rate : float, default 1.0
        The factor of the learning rate for s (D,), which starts at 1, and which decay pulls to zero
        as it does weights. RealMLP takes 6.

    Notes
    -----
    With the sum over the N samples::

        ds = sum_n dy x
        dx = s dy

    Source: Holzmüller, Grinsztajn, Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted
    Trees on Tabular Data" (2024), section 3.
    """

    rate: float = 1.0

    formulas = Formulas({y: _s * x}, {_s.gradient: sum_n(dy * x), dx: _s * dy})

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take and give flat samples (D,)."""
        flat_size("Scale", in_shape)
        return Built(in_shape, {"s": _learned_factor(in_shape, self.rate)})

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = s x, shape (N, D)."""
        trace["x"] = x
        return np.multiply(x, params["s"], out=trace.buffer("y", x.shape, x.dtype))

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write ds; return dx where it is wanted."""
        product = trace.buffer("product", dy.shape, dy.dtype)
        np.multiply(dy, trace["x"], out=product).sum(axis=0, out=grads["s"])
        if not trace.wants_dx:
            return None
        return np.multiply(dy, params["s"], out=product)

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is y = s x."""
        return program.scaling(x, params["s"])


@dataclass(frozen=True)
class Blend(Layer):
    """Blend an activation f with the identity: y = x + alpha (f(x) - x).

    Each unit learns its own alpha: at 1 the activation is whole, at 0 the unit is linear.

    Parameters
    ----------
    activation : Layer
        The activation; it keeps the shape of its input.
    rate : float, default 1.0
        The factor of the learning rate for alpha (D,), which starts at 1, and which decay pulls to
        zero, so that a unit becomes linear. RealMLP takes 0.1.

    Notes
    -----
    With the sum over the N samples, and f' the backward of the activation::

        dalpha = sum_n dy (f(x) - x)
        dx     = dy - alpha dy + f'(alpha dy)

    Source: Holzmüller, Grinsztajn, Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted
    Trees on Tabular Data" (2024), section 3.
    """

    activation: Layer
    rate: float = 1.0

    formulas = Formulas(
        {_change: _block - x, y: x + _alpha * _change},
        {_alpha.gradient: sum_n(dy * _change), dx: dy - _alpha * dy + _block.gradient},
    )

    def __post_init__(self) -> None:
        if not isinstance(self.activation, Layer):
            raise UsageError(
                f"Blend takes an activation, such as SELU(), found {self.activation!r}. Is a () "
                "missing?"
            )

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take and give flat samples (D,)."""
        flat_size("Blend", in_shape)
        inside = self.activation.build(in_shape)
        if inside.out_shape != in_shape:
            raise ShapeError(
                f"Blend needs an activation that keeps the shape of its input; {self.activation!r} "
                f"makes {inside.out_shape} of {in_shape}."
            )
        parameters, state = (
            {f"activation.{name}": one for name, one in specs.items()}
            for specs in (inside.parameters, inside.state)
        )
        learned = {**parameters, "alpha": _learned_factor(in_shape, self.rate)}
        return Built(in_shape, learned, state)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = x + alpha (f(x) - x), shape (N, D)."""
        inner = params.get("activation", {})
        block = self.activation.forward(inner, x, trace.child("activation"))
        trace["change"] = change = trace.buffer("change", x.shape, x.dtype)
        np.subtract(block, x, out=change)
        y = np.multiply(change, params["alpha"], out=trace.buffer("y", x.shape, x.dtype))
        y += x
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write dalpha and the gradients of the activation; return dx where it is wanted."""
        product = trace.buffer("product", dy.shape, dy.dtype)
        np.multiply(dy, trace["change"], out=product).sum(axis=0, out=grads["alpha"])
        child = trace.child("activation")
        child.wants_dx = trace.wants_dx
        bent = np.multiply(dy, params["alpha"], out=product)
        dblock = self.activation.backward(
            params.get("activation", {}), bent, child, grads.get("activation", {})
        )
        if dblock is None or not trace.wants_dx:
            return None
        dx = np.subtract(dy, bent, out=trace.buffer("dx", dy.shape, dy.dtype))
        dx += dblock
        return dx

    def update_state(self, params: Params, trace: Trace) -> None:
        """Let the activation update what it keeps."""
        self.activation.update_state(params.get("activation", {}), trace.child("activation"))

    def inner(self) -> Mapping[str, Layer]:
        """Return the activation."""
        return {"activation": self.activation}

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is y = alpha f(x) + (1 - alpha) x."""
        alpha = params["alpha"]
        with program.layer("activation"):
            block = described(self.activation, params.get("activation", {}), x, program)
        return program.added(program.scaling(block, alpha), program.scaling(x, 1 - alpha))


def _learned_factor(shape: tuple[int, ...], rate: float) -> Parameter:
    return Parameter(shape, Constant(1.0), decays=True, rate=rate)

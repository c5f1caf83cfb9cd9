"""Samples of any shape to flat ones."""

import math
from dataclasses import dataclass

from clearprop.formulas import FLAT, Formulas, flat, shaped_like
from clearprop.layers.base import Built, Layer
from clearprop.parameters import Array, Params
from clearprop.symbols import dx, dy, x, y
from clearprop.trace import Trace


@dataclass(frozen=True)
class Flatten(Layer):
    """Give each sample's numbers as one row, in C order: the last axis runs fastest."""

    formulas = Formulas({y: flat(x)}, {dx: shaped_like(dy, x)}, course=FLAT)

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take samples of any shape, give (D,)."""
        return Built((math.prod(in_shape),))

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return x as (N, D)."""
        trace["shape"] = x.shape
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dy in the shape of x."""
        return dy.reshape(trace["shape"])

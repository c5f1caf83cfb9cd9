"""The layer that stands for the first Dense one."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.initializers import Constant, Zeros
from clearprop.layers import Built, Dense, Layer
from clearprop.parameters import Array, Parameter, Params
from clearprop.trace import Trace


@dataclass(frozen=True)
class SampleDense(Layer):
    """A Dense layer of known samples, whose numbers come in: y = a Z_0[rows] + K[rows] C + b.

    K (R, N) and Z_0 (R, M) come with the parameters; R - N rows may be of samples held out.

    Parameters
    ----------
    samples : int
        The number N that are trained on.
    units : int
        The number M of outputs.
    bias : bool
    """

    samples: int
    units: int
    bias: bool

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take a row number, give (M,)."""
        parameters = {
            "C": Parameter((self.samples, self.units), Zeros(), decays=True),
            "a": Parameter((1,), Constant(1.0), decays=True),
        }
        if self.bias:
            parameters["b"] = Parameter((self.units,), Zeros())
        return Built((self.units,), parameters)

    def forward(self, params: Params, x: Any, trace: Trace) -> Array:
        """Return y (B, M) for a slice or an array of row numbers."""
        trace["rows"] = rows = x
        K, Z_0 = params["K"], params["Z_0"]
        if isinstance(rows, slice):
            K, Z_0 = K[rows], Z_0[rows]
        else:
            K = _take(K, rows, trace, "K")
            Z_0 = _take(Z_0, rows, trace, "Z_0")
        y = trace.buffer("y", Z_0.shape, K.dtype)
        np.matmul(K, params["C"], out=y)
        y += np.multiply(Z_0, params["a"], out=trace.buffer("aZ_0", Z_0.shape, K.dtype))
        if self.bias:
            y += params["b"]
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> None:
        """Write dC and db; samples have no gradient, and W_0 is moved by decay alone."""
        rows, dC = trace["rows"], grads["C"]
        if isinstance(rows, slice) and rows == slice(0, self.samples):
            dC[...] = dy
        else:
            dC[...] = 0
            np.add.at(dC, rows, dy)  # a batch that is drawn may hold a sample twice
        grads["a"][...] = 0
        if self.bias:
            np.sum(dy, axis=0, out=grads["b"])


def _take(array: Array, rows: Array, trace: Trace, name: str) -> Array:
    taken = trace.buffer(name, (len(rows), array.shape[1]), array.dtype)
    return np.take(array, rows, axis=0, out=taken, mode="clip")


@dataclass(frozen=True)
class RotatedDense(Dense):
    """A Dense layer in the coordinates of its samples, beside whose weights there is a v (1,).

    v scales the part of the weights that no sample sees: it has no part in y, and only L2 pulls at
    it.
    """

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take flat samples (N,), give (M,)."""
        built = super().build(in_shape)
        v = Parameter((1,), Constant(1.0), decays=True)
        return Built(built.out_shape, {**built.parameters, "v": v})

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write dW, db and dv; return dx where it is wanted."""
        grads["v"][...] = 0
        return super().backward(params, dy, trace, grads)

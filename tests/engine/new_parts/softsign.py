"""A new activation, as one would add it to `clearprop.layers`."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.core.formulas import activation
from clearprop.core.parameters import Array, Params
from clearprop.core.symbols import absolute, dy, x, y
from clearprop.core.trace import Trace
from clearprop.layers.activations import Activation


@dataclass(frozen=True)
class Softsign(Activation):
    """Softsign: y = x / (1 + |x|), between -1 and 1; g'(x) = (1 - |y|)^2."""

    name: ClassVar[str] = "soft-sign"
    saturates: ClassVar[bool] = True
    formulas = activation(x / (1 + absolute(x)), dy * (1 - absolute(y)) ** 2)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        trace["y"] = y = x / (1 + np.abs(x))
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        return dy * (1 - np.abs(trace["y"])) ** 2

    @staticmethod
    def loop(y: Array) -> None:
        for i in range(len(y)):
            y[i] = y[i] / (1 + abs(y[i]))

    @staticmethod
    def loop_back(y: Array, dy: Array) -> None:
        for i in range(len(y)):
            dy[i] *= (1 - abs(y[i])) ** 2

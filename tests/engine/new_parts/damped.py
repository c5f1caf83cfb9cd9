"""A new optimizer, as one would add it to `clearprop.optimizers`."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.core.kernels import Kernel
from clearprop.core.parameters import Array
from clearprop.core.schedules import Schedule
from clearprop.optimizers.base import Optimizer


def _damp(
    w: Array, g: Array, v: Array, rate: float, decay: float, floor: float, scratch: Array
) -> None:
    v *= decay
    v += g
    w -= rate * v / (1 + np.abs(v))


def _damp_loop(
    w: Array, g: Array, v: Array, rate: float, decay: float, floor: float, scratch: Array
) -> None:
    for i in range(w.size):
        v[i] = v[i] * decay + g[i]
        w[i] -= rate * v[i] / (1 + abs(v[i]))


@dataclass(frozen=True)
class Damped(Optimizer):
    """Momentum whose steps stay short: v = decay v + g; w -= rate v / (1 + |v|)."""

    learning_rate: float | Schedule = 0.01
    decay: float = 0.9

    name: ClassVar[str] = "damped"
    moments: ClassVar[tuple[str, ...]] = ("v",)
    kernel: ClassVar[Kernel] = Kernel(
        _damp, _damp_loop, "void(T[::1], T[::1], T[::1], T, T, T, T[::1])"
    )

    def coefficients(self, learning_rate: float, step: int) -> tuple[float, ...]:
        return learning_rate, self.decay

"""A new loss, as one would add it to `clearprop.losses`."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.core.parameters import Array
from clearprop.losses.base import Loss


@dataclass(frozen=True)
class LogCosh(Loss):
    """Mean over the outputs of log cosh(z - y), whose derivative is tanh(z - y)."""

    name: ClassVar[str | None] = "log_cosh"

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        error = np.abs(logits - y)
        losses = error + np.log1p(np.exp(-2 * error)) - np.log(2)
        return losses.mean(axis=1), np.tanh(logits - y) / logits.shape[1]

    @staticmethod
    def loop(z: Array, n: int, y: Array, row: int, dz: Array) -> float:
        loss, units = 0.0, z.shape[1]
        for k in range(units):
            error = z[n, k] - y[row, k]
            loss += np.log(np.cosh(error))
            dz[n, k] = np.tanh(error) / units
        return loss / units

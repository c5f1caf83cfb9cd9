"""The losses as scikit-learn reports them; the gradients are those of the engine's own losses.

scikit-learn clips probabilities to [eps, 1 - eps] before it takes their logarithm, with eps the
spacing of numbers at 1, and so reports at most -log(eps) for an output. It halves squared errors.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.kernels import sigmoid
from clearprop.core.parameters import Array
from clearprop.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy


@dataclass(frozen=True)
class ClippedBinaryCrossEntropy(BinaryCrossEntropy):
    """Binary cross-entropy of 0 and 1, at most -log(eps) for an output."""

    loop = staticmethod(BinaryCrossEntropy.loop)

    def number(self, dtype: np.dtype[Any]) -> float:
        """Return -log(eps)."""
        return -float(np.log(np.finfo(dtype).eps))

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and p - y (N, K)."""
        dlogits = sigmoid(logits)
        right = np.where(y, dlogits, 1 - dlogits)
        dlogits -= y
        losses = np.log(np.maximum(right, np.finfo(right.dtype).eps, out=right), out=right)
        return -np.add.reduce(losses, axis=1), dlogits


@dataclass(frozen=True)
class ClippedSoftmaxCrossEntropy(SoftmaxCrossEntropy):
    """Cross-entropy of class numbers, at most -log(eps)."""

    loop = staticmethod(SoftmaxCrossEntropy.loop)

    def number(self, dtype: np.dtype[Any]) -> float:
        """Return -log(eps)."""
        return -float(np.log(np.finfo(dtype).eps))

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and p - y (N, K)."""
        losses, dlogits = super().each(logits, y)
        return np.minimum(losses, -np.log(np.finfo(losses.dtype).eps), out=losses), dlogits


@dataclass(frozen=True)
class HalfSquaredError(MeanSquaredError):
    """Half the squared error, averaged over the outputs; its gradient is that of their sum."""

    loop = staticmethod(MeanSquaredError.loop)

    def number(self, dtype: np.dtype[Any]) -> float:
        """Return that it is half the squared error."""
        return 1.0

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and z - y (N, K), which for several outputs is K times too large."""
        dlogits = logits - y
        return 0.5 * np.square(dlogits).mean(axis=1), dlogits


_REPORTED: dict[type | None, type[Loss]] = {
    twin.__base__: twin
    for twin in (ClippedBinaryCrossEntropy, ClippedSoftmaxCrossEntropy, HalfSquaredError)
}


def as_reported(loss: Loss) -> Loss:
    """Return the loss that scikit-learn would train for in the place of one of the engine's."""
    twin = _REPORTED.get(type(loss))
    return loss if twin is None else twin()

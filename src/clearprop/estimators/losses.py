"""The losses as scikit-learn reports them; the gradients are those of the engine's own losses.

scikit-learn clips probabilities to [eps, 1 - eps] before it takes their logarithm, with eps the
spacing of numbers at 1, and so reports at most -log(eps) for an output. It halves squared errors.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.kernels import sigmoid
from clearprop.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from clearprop.parameters import Array


@dataclass(frozen=True)
class ClippedBinaryCrossEntropy(BinaryCrossEntropy):
    """Binary cross-entropy of 0 and 1, at most -log(eps) for an output."""

    formula: ClassVar[str | None] = BinaryCrossEntropy.formula
    capped: ClassVar[bool] = True

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

    formula: ClassVar[str | None] = SoftmaxCrossEntropy.formula
    capped: ClassVar[bool] = True

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and p - y (N, K)."""
        losses, dlogits = super().each(logits, y)
        return np.minimum(losses, -np.log(np.finfo(losses.dtype).eps), out=losses), dlogits


@dataclass(frozen=True)
class HalfSquaredError(MeanSquaredError):
    """Half the squared error, averaged over the outputs; its gradient is that of their sum."""

    formula: ClassVar[str | None] = "half squared error"

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and z - y (N, K), which for several outputs is K times too large."""
        dlogits = logits - y
        return 0.5 * np.square(dlogits).mean(axis=1), dlogits


_REPORTED: dict[type[Loss], type[Loss]] = {
    BinaryCrossEntropy: ClippedBinaryCrossEntropy,
    SoftmaxCrossEntropy: ClippedSoftmaxCrossEntropy,
    MeanSquaredError: HalfSquaredError,
}


def as_reported(loss: Loss) -> Loss:
    """Return the loss that scikit-learn would train for in the place of one of the engine's."""
    twin = _REPORTED.get(type(loss))
    return loss if twin is None else twin()

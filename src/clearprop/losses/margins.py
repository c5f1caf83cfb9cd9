"""Hinge losses: nothing is asked of what is right by a margin of 1."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from clearprop.losses.base import Loss
from clearprop.losses.basic import BinaryCrossEntropy, SoftmaxCrossEntropy
from clearprop.parameters import Array


@dataclass(frozen=True)
class Hinge(Loss):
    """Hinge loss of yes or no: like `BinaryCrossEntropy`, without probabilities.

    With one output, classes 0 and 1 exclude each other; with several, each output is a question of
    its own (multilabel), and their losses are added.

    Notes
    -----
    With logit z and sign s = 1 for class 1, -1 for class 0, for each output::

        loss     = max(0, 1 - s z)
        dloss/dz = -s where s z < 1, else 0

    Source: Cortes, Vapnik, "Support-Vector Networks" (1995), equation 7.
    """

    name: ClassVar[str | None] = "hinge"
    classifies: ClassVar[bool] = True

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and their derivatives (N, K)."""
        signs = 2 * y - 1
        short = 1 - signs * logits
        return np.maximum(short, 0).sum(axis=1), np.where(short > 0, -signs, 0)

    def targets(self, y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Return targets between 0 and 1, shape (N, K)."""
        return BinaryCrossEntropy().targets(y, outputs, dtype)

    def predict(self, logits: Array) -> Array:
        """Return 1 where the logit is positive, else 0: (N,) or (N, K), integers."""
        return BinaryCrossEntropy().predict(logits)


@dataclass(frozen=True)
class MulticlassHinge(Loss):
    """Hinge loss of one of K classes: the right logit must exceed all others by 1.

    Notes
    -----
    With logits z, right class y, and the largest other logit at r::

        loss       = max(0, 1 - z_y + z_r)
        dloss/dz_y = -1 and dloss/dz_r = 1 where the loss is positive, else 0

    Source: Crammer, Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector
    Machines" (2001), equation 3.
    """

    name: ClassVar[str | None] = "hinge"
    classifies: ClassVar[bool] = True
    one_of_many: ClassVar[bool] = True

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and their derivatives (N, K)."""
        rows = np.arange(len(logits))
        others = logits.copy()
        others[rows, y] = -np.inf
        rivals = others.argmax(axis=1)
        losses = np.maximum(1 - logits[rows, y] + logits[rows, rivals], 0)
        dlogits = np.zeros_like(logits)
        dlogits[rows, y] = -(losses > 0).astype(logits.dtype)
        dlogits[rows, rivals] = losses > 0
        return losses, dlogits

    def check_outputs(self, outputs: int) -> None:
        """Refuse fewer than two outputs."""
        SoftmaxCrossEntropy().check_outputs(outputs)

    def targets(self, y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Return class numbers (N,) as integers; rows (N, K) stand for their largest number."""
        chosen = SoftmaxCrossEntropy().targets(y, outputs, dtype)
        return chosen if chosen.ndim == 1 else chosen.argmax(axis=1)

    def predict(self, logits: Array) -> Array:
        """Return the number of the class with the largest logit, shape (N,)."""
        return logits.argmax(axis=1)

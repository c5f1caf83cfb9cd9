"""Scores of predictions, added up batch by batch: accuracy for classes, R² for values."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from clearprop.core.parameters import Array
from clearprop.losses import Loss


class Tally(ABC):
    """A score that is added up over the batches of an epoch."""

    name: str

    @abstractmethod
    def add(self, loss: Loss, logits: Array, y: Array) -> None:
        """Count one batch.

        Parameters
        ----------
        loss : Loss
            The loss that turns logits into predictions.
        logits : ndarray, shape (N, K)
        y : ndarray, shape (N,) or (N, K)
            The targets, as the loss takes them.
        """

    def add_each(self, loss: Loss, logits: Array, y: Array, sizes: Sequence[int]) -> None:
        """Count batches of such sizes that follow each other, to the same bits as one by one."""
        start = 0
        for size in sizes:
            self.add(loss, logits[start : start + size], y[start : start + size])
            start += size

    @abstractmethod
    def value(self) -> float:
        """Return the score of everything counted so far; NaN where it is not defined."""


class AccuracyTally(Tally):
    """The share of right predictions; of several yes-or-no outputs, each counts."""

    name = "accuracy"

    def __init__(self) -> None:
        self._right = self._all = 0

    def add(self, loss: Loss, logits: Array, y: Array) -> None:
        """Count the right ones."""
        predicted = loss.predict(logits)
        if y.ndim == 2 and predicted.ndim == 1:
            y = y[:, 0] if y.shape[1] == 1 else y.argmax(axis=1)
        right = predicted == (y > 0.5 if y.dtype.kind == "f" else y)
        self._right += int(np.count_nonzero(right))
        self._all += right.size

    def add_each(self, loss: Loss, logits: Array, y: Array, sizes: Sequence[int]) -> None:
        """Count them all at once: sums of whole numbers are exact."""
        self.add(loss, logits, y)

    def value(self) -> float:
        """Return right / all."""
        return self._right / self._all if self._all else float("nan")


class R2Tally(Tally):
    """R² = 1 - sum (y - prediction)² / sum (y - mean y)², over all outputs together."""

    name = "r2"

    def __init__(self) -> None:
        self._count = 0
        self._mean = 0.0
        self._spread = 0.0
        self._errors = 0.0

    def add(self, loss: Loss, logits: Array, y: Array) -> None:
        """Add squared errors, and the spread of y about its mean so far.

        Means and spreads are merged as in Chan, Golub, LeVeque, "Updating Formulae and a Pairwise
        Algorithm for Computing Sample Variances" (1979), which loses no digits far from zero.
        """
        y = y.astype(np.float64)
        self._errors += float(np.square(loss.predict(logits).reshape(y.shape) - y).sum())
        mean = float(y.mean())
        shift, total = mean - self._mean, self._count + y.size
        self._spread += float(np.square(y - mean).sum())
        self._spread += shift**2 * self._count * y.size / total
        self._mean += shift * y.size / total
        self._count = total

    def value(self) -> float:
        """Return R², NaN where all targets are equal."""
        return 1 - self._errors / self._spread if self._spread > 0 else float("nan")


def tally_for(loss: Loss) -> Tally:
    """Return an empty tally of the score that fits a loss."""
    return AccuracyTally() if loss.classifies else R2Tally()

"""What an estimator is fitted to."""

from dataclasses import dataclass
from typing import Any

from clearprop.estimators.rows import rows_of
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.training.samples import Samples


@dataclass(frozen=True)
class Given:
    """Checked samples, and what is measured beside them.

    Parameters
    ----------
    X : ndarray or sparse CSR matrix, shape (N, D)
    y : ndarray, shape (N,) or (N, K)
        Targets, as the loss takes them.
    weights : ndarray, shape (N,), or None
    evaluation : tuple of X and y, or None
        What is measured after every epoch.
    """

    X: Any
    y: Array
    weights: Array | None
    evaluation: tuple[Any, Array] | None

    def samples(self, network: Network) -> Samples:
        """Return the samples as a network takes them."""
        weights = None if self.weights is None else self.weights.astype(network.dtype, copy=False)
        return Samples(rows_of(self.X, network.dtype), self.y, weights)

    def held_out(self, network: Network) -> Samples | None:
        """Return the evaluation set as a network takes it, if there is one."""
        if self.evaluation is None:
            return None
        X, y = self.evaluation
        return Samples(rows_of(X, network.dtype), y)

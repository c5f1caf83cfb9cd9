"""Losses of values that let outliers pull less than their square, or up less than down."""

from dataclasses import dataclass

import numpy as np

from clearprop.errors import UsageError
from clearprop.losses.base import Loss
from clearprop.parameters import Array


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """Mean over the outputs of |prediction - target|: what is predicted is the median.

    Notes
    -----
    For K outputs z with targets y: loss = sum_k |z_k - y_k| / K, dloss/dz = sign(z - y) / K.
    """

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and sign(z - y) / K (N, K)."""
        errors = logits - y
        return np.abs(errors).mean(axis=1), np.sign(errors) / logits.shape[1]


@dataclass(frozen=True)
class Huber(Loss):
    """Squared error near the target, absolute error far from it; the mean over the outputs.

    Parameters
    ----------
    delta : float, default 1.0
        Where the one goes over into the other; positive.

    Notes
    -----
    For K outputs with errors e = z - y::

        loss     = sum_k (e_k^2 / 2 where |e_k| <= delta, else delta (|e_k| - delta / 2)) / K
        dloss/dz = min(max(e, -delta), delta) / K

    Source: Huber, "Robust Estimation of a Location Parameter" (1964), section 4, example iii.
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        if not (self.delta > 0 and np.isfinite(self.delta)):
            raise UsageError(f"Huber needs a positive delta, found {self.delta}.")

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and their derivatives (N, K)."""
        errors = logits - y
        clipped = np.clip(errors, -self.delta, self.delta)
        losses = clipped * (errors - clipped / 2)
        return losses.mean(axis=1), clipped / logits.shape[1]


@dataclass(frozen=True)
class Quantile(Loss):
    """Pinball loss, the mean over the outputs: what is predicted is a quantile.

    Parameters
    ----------
    level : float, default 0.5
        Which quantile, above 0 and below 1.

    Notes
    -----
    For K outputs with errors e = z - y and level q::

        loss     = sum_k max((1 - q) e_k, -q e_k) / K
        dloss/dz = (1 - q where e > 0, -q where e < 0, else 0) / K

    Source: Koenker, Bassett, "Regression Quantiles" (1978), section 3.
    """

    level: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise UsageError(f"Quantile needs a level above 0 and below 1, found {self.level}.")

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and their derivatives (N, K)."""
        errors = logits - y
        slopes = np.where(errors > 0, 1 - self.level, -self.level).astype(logits.dtype)
        slopes[errors == 0] = 0
        return (slopes * errors).mean(axis=1), slopes / logits.shape[1]

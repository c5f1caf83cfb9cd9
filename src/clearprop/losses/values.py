"""Losses of values: with less regard for outliers, for quantiles, and for counts."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import DataError, UsageError
from clearprop.losses.base import Loss, value_columns


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """Mean over the outputs of |prediction - target|: what is predicted is the median.

    Notes
    -----
    For K outputs z with targets y: loss = sum_k |z_k - y_k| / K, dloss/dz = sign(z - y) / K.
    """

    name: ClassVar[str | None] = "absolute_error"

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
        The error at which the one goes over into the other; positive.

    Notes
    -----
    For K outputs with errors e = z - y::

        loss     = sum_k (e_k^2 / 2 where |e_k| <= delta, else delta (|e_k| - delta / 2)) / K
        dloss/dz = min(max(e, -delta), delta) / K

    Source: Huber, "Robust Estimation of a Location Parameter" (1964), section 4, example iii.
    """

    delta: float = 1.0

    name: ClassVar[str | None] = "huber"

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
        The quantile, above 0 and below 1.

    Notes
    -----
    For K outputs with errors e = z - y and level q::

        loss     = sum_k max((1 - q) e_k, -q e_k) / K
        dloss/dz = (1 - q where e > 0, -q where e < 0, else 0) / K

    Source: Koenker, Bassett, "Regression Quantiles" (1978), section 3.
    """

    level: float = 0.5

    name: ClassVar[str | None] = "quantile"

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise UsageError(f"Quantile needs a level above 0 and below 1, found {self.level}.")

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and their derivatives (N, K)."""
        errors = logits - y
        slopes = np.where(errors > 0, 1 - self.level, -self.level).astype(logits.dtype)
        slopes[errors == 0] = 0
        return (slopes * errors).mean(axis=1), slopes / logits.shape[1]


@dataclass(frozen=True)
class PoissonDeviance(Loss):
    """Half the Poisson deviance, of a network that gives the logarithm of the expected value.

    For targets of at least 0, such as counts; with several outputs, their losses are added.

    Notes
    -----
    With logit z, target y and expected value exp(z), for each output::

        loss     = y log(y / exp(z)) - y + exp(z)     with 0 log 0 = 0
        dloss/dz = exp(z) - y

    Source: McCullagh, Nelder, "Generalized Linear Models" (1989), section 2.3.
    """

    name: ClassVar[str | None] = "poisson"
    in_scikit_learn: ClassVar[bool] = True

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and exp(z) - y (N, K)."""
        dlogits = np.exp(logits)
        dlogits -= y
        losses = np.log(np.where(y > 0, y, 1))
        losses -= logits
        losses *= y
        losses += dlogits
        return losses.sum(axis=1), dlogits

    def targets(self, y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Return targets of at least 0, shape (N, K)."""
        counts = value_columns(y, outputs, dtype)
        wrong = np.flatnonzero((counts < 0).any(axis=1))
        if wrong.size:
            raise DataError(
                f"PoissonDeviance takes targets of at least 0; sample {wrong[0]} has "
                f"{counts[wrong[0]].tolist()}."
            )
        return counts

    def predict(self, logits: Array) -> Array:
        """Return the expected values exp(z): (N,) or (N, K)."""
        with np.errstate(over="ignore"):
            return super().predict(np.exp(logits))

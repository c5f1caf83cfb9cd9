"""Losses of values: with less regard for outliers, for quantiles, and for counts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from clearprop.core.formulas import Formulas, sum_k, where_positive
from clearprop.core.parameters import Array
from clearprop.core.symbols import K, Symbol, logits, losses, maximum, target
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.losses.base import Loss, value_columns

_levels = Symbol("levels", "level of each output")
_error = target - logits


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
class Quantiles(Loss):
    """Pinball loss of several quantiles of one target: each output is one, the mean is minimised.

    Outputs are learned each for itself, so that some may cross. All that is read from them is read
    in ascending order; that never makes the loss larger.

    Parameters
    ----------
    levels : tuple of float, default (0.1, 0.5, 0.9)
        The quantile of each output: above 0 and below 1, ascending.

    Notes
    -----
    For K outputs z with errors e_k = y - z_k and levels q_k::

        loss       = sum_k max(q_k e_k, (q_k - 1) e_k) / K
        dloss/dz_k = (-q_k where e_k > 0, 1 - q_k where e_k < 0, else 0) / K

    At e_k = 0 every number from -q_k to 1 - q_k is a subgradient; 0 is among them. Sources:
    Koenker, Bassett, "Regression Quantiles" (1978), section 3; Chernozhukov, Fernández-Val,
    Galichon, "Quantile and Probability Curves Without Crossing" (2010), section 2, for the order.
    """

    levels: tuple[float, ...] = (0.1, 0.5, 0.9)

    formulas = Formulas(
        {losses: sum_k(maximum(_levels * _error, (_levels - 1) * _error)) / K},
        {
            logits.gradient: where_positive(
                _error, -_levels, where_positive(-_error, 1 - _levels, 0)
            )
            / K
        },
    )

    def __post_init__(self) -> None:
        levels = self.levels
        if not isinstance(levels, tuple | list) or not is_ascending_within_1(levels):
            raise UsageError(
                f"Quantiles needs levels above 0 and below 1, each above the one before, found "
                f"{levels!r}."
            )
        object.__setattr__(self, "levels", tuple(map(float, levels)))

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and their derivatives (N, K), of targets (N, 1)."""
        errors = y - logits
        levels = np.array(self.levels, logits.dtype)
        slopes = np.where(errors > 0, levels, levels - 1)
        slopes[errors == 0] = 0
        return (slopes * errors).mean(axis=1), slopes / -logits.shape[1]

    def check_outputs(self, outputs: int) -> None:
        """Refuse another number of outputs than that of the levels."""
        if outputs != len(self.levels):
            raise ShapeError(
                f"Quantiles of {len(self.levels)} levels needs as many outputs, found {outputs}: "
                "change the units of the last layer, or take TableRegressor(quantiles=...)."
            )

    def targets(self, y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Return finite targets, one a sample, shape (N, 1)."""
        if np.ndim(y) > 1 and np.shape(y)[1:] != (1,):
            raise ShapeError(
                f"Quantiles takes one target a sample, (N,) or (N, 1), found {np.shape(y)}."
            )
        return value_columns(y, 1, dtype)

    def answers(self, outputs: int) -> int:
        """Return 1: all outputs are of one value."""
        return 1

    def quantiles(self, logits: Array) -> Array:
        """Return the quantiles that logits say, in ascending order, shape (N, K)."""
        return np.sort(logits, axis=1)

    def predict(self, logits: Array) -> Array:
        """Return the median, shape (N,).

        Where it is not among the levels, it lies on the straight line between its neighbours;
        where all are above it, or all below, it is the nearest.
        """
        ordered, shares = self.quantiles(logits), self.median()
        parts = [share * ordered[:, place] for place, share in shares]
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]

    def slopes(self, logits: Array) -> Array:
        """Return the derivative of `predict` by the logits, shape (N, K)."""
        order, slopes = np.argsort(logits, axis=1), np.zeros_like(logits)
        for place, share in self.median():
            np.put_along_axis(slopes, order[:, place : place + 1], share, axis=1)
        return slopes

    def median(self) -> list[tuple[int, float]]:
        """Return the places of the quantiles that make the median, and the share of each."""
        at = float(np.interp(0.5, self.levels, np.arange(len(self.levels))))
        below = math.floor(at)
        return [(below, 1.0)] if at == below else [(below, below + 1 - at), (below + 1, at - below)]


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
    link: ClassVar[str] = "exp"

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


def is_ascending_within_1(levels: Sequence[Any]) -> bool:
    """Whether there are numbers above 0 and below 1, each above the one before, and no others."""
    are_numbers = all(isinstance(one, int | float | np.floating) for one in levels)
    return bool(levels) and are_numbers and all(a < b for a, b in pairwise((0, *levels, 1)))

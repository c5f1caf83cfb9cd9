"""The loss of counts and other values that are not negative."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.errors import DataError
from clearprop.losses.base import Loss, value_columns
from clearprop.parameters import Array


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

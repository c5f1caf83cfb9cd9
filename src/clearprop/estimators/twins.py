"""scikit-learn's optimizers and losses, where they differ from the engine's.

Its adam adds epsilon earlier, and it allows a momentum of 1. It clips probabilities to
[eps, 1 - eps] before it takes their logarithm, with eps the spacing of numbers at 1, and so reports
at most -log(eps) for an output; and it halves squared errors. The gradients of the losses are those
of the engine's own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.kernels import sigmoid
from clearprop.core.parameters import Array
from clearprop.core.schedules import Schedule
from clearprop.estimators.estimator import Estimator
from clearprop.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from clearprop.optimizers import LBFGS, SGD, Adam, Momentum, Nesterov, Optimizer
from clearprop.optimizers.descent import Decaying


@dataclass(frozen=True)
class EarlyEpsilonAdam(Decaying, Adam):
    """Adam that adds epsilon before it corrects the second moment, not after.

    Notes
    -----
    In step t = 1, 2, ..., with the means m and v of `Adam`::

        w -= learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)

    Source: Kingma, Ba, "Adam: A Method for Stochastic Optimization" (2015), end of section 2.
    """

    def coefficients(self, learning_rate: float, step: int) -> tuple[float, ...]:
        """Return those of the order of section 2."""
        t = step + 1
        correction = (1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t)
        betas = self.beta_1, 1 - self.beta_1, self.beta_2, 1 - self.beta_2
        return learning_rate * correction, *betas, 1.0, self.epsilon


@dataclass(frozen=True)
class Undamped(Momentum):
    """Momentum of 1, which scikit-learn allows: velocity is never lost."""

    def __post_init__(self) -> None:
        """Refuse nothing."""


@dataclass(frozen=True)
class UndampedNesterov(Undamped, Nesterov):
    """The same, looking ahead."""


def optimizer_for(estimator: Estimator) -> Optimizer:
    """Return the optimizer that an estimator's parameters ask for."""
    if estimator.solver == "lbfgs":
        return LBFGS(
            alpha=estimator.alpha, tolerance=estimator.tol, max_evaluations=estimator.max_fun
        )
    given = estimator.learning_rate
    rate = given if isinstance(given, Schedule) else float(estimator.learning_rate_init)
    pulls = {"alpha": estimator.alpha, "weight_decay": estimator.weight_decay}
    if estimator.solver == "adam":
        betas = {name: getattr(estimator, name) for name in ("beta_1", "beta_2", "epsilon")}
        return EarlyEpsilonAdam(rate, **pulls, **betas)
    momentum = estimator.momentum
    if momentum == 0:
        return SGD(rate, **pulls)
    plain, nesterov = (Undamped, UndampedNesterov) if momentum == 1 else (Momentum, Nesterov)
    return (nesterov if estimator.nesterovs_momentum else plain)(rate, momentum=momentum, **pulls)


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

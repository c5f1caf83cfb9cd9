"""The optimizers as scikit-learn defines them, and the state that they leave between two fits."""

from dataclasses import dataclass, replace

from clearprop.core.schedules import Schedule
from clearprop.estimators.interface import Estimator
from clearprop.optimizers import LBFGS, SGD, Adam, Momentum, Nesterov, Optimizer, OptimizerState
from clearprop.optimizers.descent import Decaying

_LEAST_RATE = 1e-6  # below which an adaptive learning rate is no use


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


@dataclass
class Going:
    """An optimizer at work, which `partial_fit` goes on with.

    Parameters
    ----------
    optimizer : Optimizer
        With the present learning rate.
    state : dict of str to ndarray
        The moments of the network's parameters.
    schedule : str or Schedule
        The change of the learning rate at the end of an epoch: "constant", "invscaling",
        "adaptive"; a schedule is the optimizer's own, and changes it with every update.
    power : float
        The power of invscaling: learning_rate / (samples seen + 1)^power.
    step : int
        The number of updates that were done.
    """

    optimizer: Optimizer
    state: OptimizerState
    schedule: str | Schedule
    power: float
    step: int = 0

    def __post_init__(self) -> None:
        self.first_rate = self.optimizer.rate(0)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update."""
        return self.optimizer.rate(self.step)

    def end_epoch(self, seen: int) -> None:
        """Change the learning rate after an epoch; `seen` counts the samples of all of them."""
        if self.schedule == "invscaling":
            self._set(self.first_rate / (seen + 1) ** self.power)

    def slow_down(self) -> bool:
        """Divide an adaptive learning rate by 5; False where it can't be any lower."""
        if self.schedule != "adaptive" or self.learning_rate <= _LEAST_RATE:
            return False
        self._set(self.learning_rate / 5)
        return True

    def _set(self, rate: float) -> None:
        self.optimizer = replace(self.optimizer, learning_rate=rate)

"""Gradient descent, and with momentum: updates that are linear in the gradient."""

from dataclasses import dataclass
from typing import ClassVar

from clearprop.core.formulas import Formulas, known
from clearprop.core.kernels import Kernel, descend, look_ahead, push
from clearprop.core.schedules import Schedule
from clearprop.core.symbols import Setting, Symbol, g, w, w_new
from clearprop.optimizers.base import Optimizer

rate, _weight_decay, _momentum = map(Setting, ("learning_rate", "weight_decay", "momentum"))
decayed = known(_weight_decay, w * (1 - rate * _weight_decay), w)
_v = Symbol("v")
_first_v = _momentum * 0 - rate * g  # moments are zero before the first step


@dataclass(frozen=True, kw_only=True)
class Decaying(Optimizer):
    """Base of the optimizers that can pull weights to zero, decoupled from the gradient.

    Parameters
    ----------
    weight_decay : float or Schedule, default 0.0
        A number, or a function of the step.

    Notes
    -----
    Where the learning rate of an array has a factor f, its weight decay has it, too: before an
    update w is multiplied by 1 - (learning_rate f) (weight_decay f), which is 1 -
    learning_rate weight_decay without one. Source: Holzmüller, Grinsztajn, Steinwart, "Better by
    Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data" (2024), as its authors'
    implementation has it.
    """

    weight_decay: float | Schedule = 0.0

    def decay_factor(self, step: int, factor: float = 1.0) -> float:
        """Return 1 - (learning_rate factor) (weight_decay factor)."""
        return 1 - self.rate(step) * factor * (self.decay(step) * factor)

    def decay(self, step: int) -> float:
        """Return the weight decay of the update that follows `step` others."""
        decay = self.weight_decay
        return decay(step) if isinstance(decay, Schedule) else decay


@dataclass(frozen=True)
class SGD(Decaying):
    """Gradient descent: w -= learning_rate g. With full batches it is the courses' own.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    weight_decay : float or Schedule, default 0.0
        The decay of weights, decoupled from the gradient.
    """

    learning_rate: float | Schedule = 0.01

    name: ClassVar[str] = "sgd"
    usual_rate: ClassVar[float] = 0.1
    is_linear: ClassVar[bool] = True

    formulas = Formulas(update={w_new: decayed - rate * g})
    kernel: ClassVar[Kernel] = descend


@dataclass(frozen=True)
class Momentum(Decaying):
    """Gradient descent with a heavy ball: v = momentum v - learning_rate g; w += v.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    weight_decay : float or Schedule, default 0.0
        The decay of weights, decoupled from the gradient.
    momentum : float, default 0.9

    Notes
    -----
    Source: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964).
    """

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.9

    name: ClassVar[str] = "momentum"
    is_linear: ClassVar[bool] = True

    formulas = Formulas(update={_v: _first_v, w_new: decayed + _v})
    moments: ClassVar[tuple[str, ...]] = ("v",)
    kernel: ClassVar[Kernel] = push

    def coefficients(self, learning_rate: float, step: int) -> tuple[float, ...]:
        """Return the learning rate and the momentum."""
        return learning_rate, self.momentum


@dataclass(frozen=True)
class Nesterov(Momentum):
    """Momentum that looks ahead: w += momentum v - learning_rate g, with the new v of `Momentum`.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    weight_decay : float or Schedule, default 0.0
        The decay of weights, decoupled from the gradient.
    momentum : float, default 0.9

    Notes
    -----
    Source: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in
    deep learning" (2013), equations 3 and 4, written for the point looked ahead to.
    """

    name: ClassVar[str] = "nesterov"
    is_linear: ClassVar[bool] = True

    formulas = Formulas(update={_v: _first_v, w_new: decayed + _momentum * _v - rate * g})
    kernel: ClassVar[Kernel] = look_ahead

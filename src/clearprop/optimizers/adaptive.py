"""Optimizers that divide by the size of past gradients, each parameter by its own."""

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from clearprop.core.formulas import Formulas
from clearprop.core.kernels import Kernel, adapt, scale
from clearprop.core.schedules import Schedule
from clearprop.core.symbols import Setting, Symbol, g, sqrt, w, w_new
from clearprop.optimizers.base import Optimizer
from clearprop.optimizers.descent import Decaying, decayed, rate

_s, _m, _v = Symbol("s"), Symbol("m"), Symbol("v")
_decay, _epsilon, _beta_1, _beta_2 = map(Setting, ("decay", "epsilon", "beta_1", "beta_2"))
_scaled = w - rate * g / (sqrt(_s) + _epsilon)
# Moments are zero before the first step.
_first_means = {_m: _beta_1 * 0 + (1 - _beta_1) * g, _v: _beta_2 * 0 + (1 - _beta_2) * g**2}
_adapted = rate * (_m / (1 - _beta_1)) / (sqrt(_v / (1 - _beta_2)) + _epsilon)


@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """Divides by the root of all squares so far: w -= learning_rate g / (sqrt(sum g^2) + epsilon).

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    epsilon : float, default 1e-10

    Notes
    -----
    Source: Duchi, Hazan, Singer, "Adaptive Subgradient Methods" (2011), section 1.1, the
    diagonal form.
    """

    learning_rate: float | Schedule = 0.01
    epsilon: float = 1e-10

    name: ClassVar[str] = "adagrad"
    usual_rate: ClassVar[float] = 2e-2

    formulas = Formulas(update={_s: 0 + g**2, w_new: _scaled})
    moments: ClassVar[tuple[str, ...]] = ("s",)
    kernel: ClassVar[Kernel] = scale

    def coefficients(self, learning_rate: float, step: int) -> tuple[float, ...]:
        """Return the learning rate, the two shares of the sum s + g^2, and epsilon."""
        return learning_rate, 1.0, 1.0, self.epsilon


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Divides by the root of a running mean of squared gradients.

    s = decay s + (1 - decay) g^2; w -= learning_rate g / (sqrt(s) + epsilon).

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.001
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    decay : float, default 0.99
    epsilon : float, default 1e-8

    Notes
    -----
    Source: Tieleman, Hinton, "Neural Networks for Machine Learning", lecture 6.5 (2012).
    """

    learning_rate: float | Schedule = 0.001
    decay: float = 0.99
    epsilon: float = 1e-8

    name: ClassVar[str] = "rmsprop"
    usual_rate: ClassVar[float] = 1e-3

    formulas = Formulas(update={_s: _decay * 0 + (1 - _decay) * g**2, w_new: _scaled})
    moments: ClassVar[tuple[str, ...]] = ("s",)
    kernel: ClassVar[Kernel] = scale

    def coefficients(self, learning_rate: float, step: int) -> tuple[float, ...]:
        """Return the learning rate, the two shares of the mean, and epsilon."""
        return learning_rate, self.decay, 1 - self.decay, self.epsilon


@dataclass(frozen=True)
class Adam(Optimizer):
    """Running means of the gradient and of its square, both corrected for their start at zero.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.001
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    beta_1, beta_2 : float, default 0.9 and 0.999
    epsilon : float, default 1e-8

    Notes
    -----
    In step t = 1, 2, ...::

        m = beta_1 m + (1 - beta_1) g
        v = beta_2 v + (1 - beta_2) g^2
        w -= learning_rate m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)

    Source: Kingma, Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1.
    """

    learning_rate: float | Schedule = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    name: ClassVar[str] = "adam"
    usual_rate: ClassVar[float] = 2e-3

    formulas = Formulas(update={**_first_means, w_new: w - _adapted})
    moments: ClassVar[tuple[str, ...]] = ("m", "v")
    kernel: ClassVar[Kernel] = adapt

    def coefficients(self, learning_rate: float, step: int) -> tuple[float, ...]:
        """Return rate, beta_1, its complement, beta_2, its complement, root_scale and epsilon."""
        t = step + 1
        return (
            learning_rate / (1 - self.beta_1**t),
            self.beta_1,
            1 - self.beta_1,
            self.beta_2,
            1 - self.beta_2,
            1 / (1 - self.beta_2**t) ** 0.5,
            self.epsilon,
        )


@dataclass(frozen=True)
class AdamW(Decaying, Adam):
    """Adam with decoupled weight decay.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.001
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    beta_1, beta_2 : float, default 0.9 and 0.999
    epsilon : float, default 1e-8
    weight_decay : float or Schedule, default 0.01

    Notes
    -----
    Source: Loshchilov, Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2.
    """

    learning_rate: float | Schedule = 0.001
    _: KW_ONLY
    weight_decay: float | Schedule = 0.01

    name: ClassVar[str] = "adamw"

    formulas = Formulas(update={**_first_means, w_new: decayed - _adapted})

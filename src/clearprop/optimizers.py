"""Optimizers: frozen hyper-parameters, and a state of flat arrays that lies outside them.

Every update is element by element, so it runs over the vectors in blocks that stay in the
processor's cache while all of its passes go over them.

Two kinds of pull towards zero exist, on weights only (`ParameterVector.decayed`):

- `alpha` is L2 as scikit-learn scales it: alpha / (2 n) times the squared weights is added to the
  loss of a batch of n samples, and alpha / n w to the gradient. `regularize` does that.
- `weight_decay` is decoupled: w is multiplied by 1 - learning_rate weight_decay before the update.
  Source: Loshchilov, Hutter, "Decoupled Weight Decay Regularization" (2019), algorithms 1 and 2.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np

from clearprop.errors import UsageError
from clearprop.parameters import Array, ParameterVector
from clearprop.schedules import Schedule

OptimizerState: TypeAlias = dict[str, Array]
"""Flat arrays by name, each of the size of the parameter vector."""

_BLOCK = 8192  # numbers: five arrays of them in float64 fit into a cache of 512 KiB


@dataclass(frozen=True)
class Optimizer(ABC):
    """Base of every optimizer; one's own is a frozen dataclass with an `update`.

    Parameters
    ----------
    learning_rate : float or Schedule
        A number, or a function of the step.
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    """

    learning_rate: float | Schedule
    _: KW_ONLY
    alpha: float = 0.0

    moments: ClassVar[tuple[str, ...]] = ()
    """The names of the arrays that `update` keeps from step to step, zero at first."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Schedule):
                continue
            if not (value >= 0 and np.isfinite(value)):
                raise UsageError(
                    f"{type(self).__name__} needs a {field.name} of at least 0, found {value}."
                )
            if field.name in {"momentum", "decay", "beta_1", "beta_2"} and value >= 1:
                raise UsageError(
                    f"{type(self).__name__} needs a {field.name} below 1, found {value}."
                )

    def start(self, parameters: ParameterVector) -> OptimizerState:
        """Return the state before the first step: zeros."""
        return {name: np.zeros_like(parameters.data) for name in self.moments}

    def rate(self, step: int) -> float:
        """Return the learning rate of the update that follows `step` others."""
        rate = self.learning_rate
        return rate(step) if isinstance(rate, Schedule) else rate

    def regularize(
        self, parameters: ParameterVector, gradient: ParameterVector, samples: float
    ) -> float:
        """Add the gradient of L2 to `gradient`, and return what L2 adds to the loss.

        Parameters
        ----------
        parameters, gradient : ParameterVector
        samples : float
            How many samples the batch has, or the sum of their weights.

        Returns
        -------
        float
            alpha / (2 samples) times the sum of the squared weights.
        """
        if not self.alpha:
            return 0.0
        squares = 0.0
        for name in parameters.decayed:
            weights, pulled = parameters[name], gradient[name]
            squares += float(np.vdot(weights, weights))
            pulled += self.alpha / samples * weights
        return 0.5 * self.alpha / samples * squares

    def step(
        self,
        parameters: ParameterVector,
        gradient: ParameterVector,
        state: OptimizerState,
        step: int,
    ) -> None:
        """Update the parameters and the state in place.

        Parameters
        ----------
        parameters : ParameterVector
        gradient : ParameterVector
            Of the loss; left as it is.
        state : dict of str to ndarray
            What `start` made and earlier steps left.
        step : int
            How many updates were done before this one.
        """
        learning_rate = self.rate(step)
        self._decay(parameters, learning_rate)
        size = parameters.data.size
        scratch = np.empty(min(size, _BLOCK), parameters.data.dtype)
        for start in range(0, size, _BLOCK):
            block = slice(start, min(start + _BLOCK, size))
            self.update(
                parameters.data[block],
                gradient.data[block],
                {name: array[block] for name, array in state.items()},
                learning_rate,
                step,
                scratch[: block.stop - start],
            )

    @abstractmethod
    def update(
        self,
        w: Array,
        g: Array,
        state: Mapping[str, Array],
        learning_rate: float,
        step: int,
        scratch: Array,
    ) -> None:
        """Update a stretch of the parameters in place, element by element.

        Parameters
        ----------
        w : ndarray, shape (P,)
            Parameters, changed in place.
        g : ndarray, shape (P,)
            Their gradient. It must not be changed.
        state : mapping of str to ndarray, shape (P,)
            The arrays named by `moments`, changed in place.
        learning_rate : float
        step : int
            How many updates were done before this one.
        scratch : ndarray, shape (P,)
            Room for what comes between.
        """

    def _decay(self, parameters: ParameterVector, learning_rate: float) -> None:  # noqa: B027 - few do
        """Pull the weights to zero, decoupled from the gradient, where the optimizer does so."""


@dataclass(frozen=True, kw_only=True)
class _Decaying(Optimizer):
    weight_decay: float = 0.0

    def _decay(self, parameters: ParameterVector, learning_rate: float) -> None:
        if self.weight_decay:
            for name in parameters.decayed:
                weights = parameters[name]
                weights *= 1 - learning_rate * self.weight_decay


@dataclass(frozen=True)
class SGD(_Decaying):
    """Gradient descent: w -= learning_rate g. With full batches it is the courses' own.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    weight_decay : float, default 0.0
        Decoupled.
    """

    learning_rate: float | Schedule = 0.01

    def update(
        self,
        w: Array,
        g: Array,
        state: Mapping[str, Array],
        learning_rate: float,
        step: int,
        scratch: Array,
    ) -> None:
        """Do w -= learning_rate g."""
        np.multiply(g, learning_rate, out=scratch)
        w -= scratch


@dataclass(frozen=True)
class Momentum(_Decaying):
    """Gradient descent with a heavy ball: v = momentum v - learning_rate g; w += v.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    weight_decay : float, default 0.0
        Decoupled.
    momentum : float, default 0.9

    Notes
    -----
    Source: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964).
    """

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.9

    moments: ClassVar[tuple[str, ...]] = ("v",)

    def update(
        self,
        w: Array,
        g: Array,
        state: Mapping[str, Array],
        learning_rate: float,
        step: int,
        scratch: Array,
    ) -> None:
        """Do v = momentum v - learning_rate g; w += v."""
        v = state["v"]
        np.multiply(g, learning_rate, out=scratch)
        v *= self.momentum
        v -= scratch
        w += v


@dataclass(frozen=True)
class Nesterov(Momentum):
    """Momentum that looks ahead: w += momentum v - learning_rate g, with the new v of `Momentum`.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    weight_decay : float, default 0.0
        Decoupled.
    momentum : float, default 0.9

    Notes
    -----
    Source: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in
    deep learning" (2013), equations 3 and 4, written for the point looked ahead to.
    """

    def update(
        self,
        w: Array,
        g: Array,
        state: Mapping[str, Array],
        learning_rate: float,
        step: int,
        scratch: Array,
    ) -> None:
        """Do v = momentum v - learning_rate g; w += momentum v - learning_rate g."""
        v = state["v"]
        np.multiply(g, learning_rate, out=scratch)
        v *= self.momentum
        v -= scratch
        w -= scratch
        np.multiply(v, self.momentum, out=scratch)
        w += scratch


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

    moments: ClassVar[tuple[str, ...]] = ("s",)

    def update(
        self,
        w: Array,
        g: Array,
        state: Mapping[str, Array],
        learning_rate: float,
        step: int,
        scratch: Array,
    ) -> None:
        """Do s += g^2; w -= learning_rate g / (sqrt(s) + epsilon)."""
        s = state["s"]
        np.multiply(g, g, out=scratch)
        s += scratch
        _descend_scaled(w, g, s, learning_rate, 1.0, self.epsilon, scratch)


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

    moments: ClassVar[tuple[str, ...]] = ("s",)

    def update(
        self,
        w: Array,
        g: Array,
        state: Mapping[str, Array],
        learning_rate: float,
        step: int,
        scratch: Array,
    ) -> None:
        """Do s = decay s + (1 - decay) g^2; w -= learning_rate g / (sqrt(s) + epsilon)."""
        s = state["s"]
        _average_squares(s, g, self.decay, scratch)
        _descend_scaled(w, g, s, learning_rate, 1.0, self.epsilon, scratch)


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

    moments: ClassVar[tuple[str, ...]] = ("m", "v")

    def update(
        self,
        w: Array,
        g: Array,
        state: Mapping[str, Array],
        learning_rate: float,
        step: int,
        scratch: Array,
    ) -> None:
        """Do algorithm 1 of the paper."""
        m, v, t = state["m"], state["v"], step + 1
        np.multiply(g, 1 - self.beta_1, out=scratch)
        m *= self.beta_1
        m += scratch
        _average_squares(v, g, self.beta_2, scratch)
        corrected_rate = learning_rate / (1 - self.beta_1**t)
        root_scale = 1 / (1 - self.beta_2**t) ** 0.5
        _descend_scaled(w, m, v, corrected_rate, root_scale, self.epsilon, scratch)


@dataclass(frozen=True)
class AdamW(_Decaying, Adam):
    """Adam with decoupled weight decay.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.001
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    beta_1, beta_2 : float, default 0.9 and 0.999
    epsilon : float, default 1e-8
    weight_decay : float, default 0.01

    Notes
    -----
    Source: Loshchilov, Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2.
    """

    learning_rate: float | Schedule = 0.001
    _: KW_ONLY
    weight_decay: float = 0.01


def _average_squares(s: Array, g: Array, decay: float, scratch: Array) -> None:
    np.multiply(g, g, out=scratch)
    scratch *= 1 - decay
    s *= decay
    s += scratch


def _descend_scaled(
    w: Array,
    direction: Array,
    squares: Array,
    learning_rate: float,
    root_scale: float,
    epsilon: float,
    scratch: Array,
) -> None:
    """Do w -= learning_rate direction / (root_scale sqrt(squares) + epsilon)."""
    np.sqrt(squares, out=scratch)
    scratch *= root_scale
    scratch += epsilon
    np.divide(direction, scratch, out=scratch)
    scratch *= learning_rate
    w -= scratch


OPTIMIZERS: dict[str, type[Any]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
"""Every optimizer by the name that the command line gives it."""

"""The base of all optimizers: frozen hyper-parameters with a step over flat vectors."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, fields
from typing import ClassVar, Protocol, TypeAlias

import numpy as np

from clearprop.core.expressions import Expression
from clearprop.core.formulas import Formulas
from clearprop.core.kernels import Kernel, are_compiled, flush_below
from clearprop.core.parameters import Array, ParameterVector
from clearprop.core.schedules import Schedule
from clearprop.core.symbols import N, Setting, w
from clearprop.errors import UsageError

OptimizerState: TypeAlias = dict[str, Array]
"""Arrays by name; the moments are flat, of the size of the parameter vector."""


class Regularized(Protocol):
    """A network, or whatever trains in its place, with weights that L2 pulls at."""

    @property
    def parameters(self) -> ParameterVector:
        """The vector of all parameters."""

    def squared_norm(self, vector: ParameterVector, names: Iterable[str]) -> float:
        """Return the sum of squares of some arrays of a vector."""


_BLOCK = 2**15  # numbers: five arrays of them fit into a cache of 1 or 2 MiB
_LONG_BLOCK = 2**18  # for compiled loops, which pass but once


@dataclass(frozen=True)
class Optimizer:
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

    name: ClassVar[str]
    """The name on the command line."""

    usual_rate: ClassVar[float] = 0.02
    """The learning rate on the command line, where none is given."""

    is_linear: ClassVar[bool] = False
    """Whether the update is linear in the gradient, with the same factors for all parameters, as
    training in sample space asks. It counts for the very class that says so."""

    full_batch: ClassVar[bool] = False
    """Whether every update looks at all samples, and finds the length of its step by itself."""

    moments: ClassVar[tuple[str, ...]] = ()
    """The names of the arrays that `update` keeps from step to step, zero at first."""

    formulas: ClassVar[Formulas | None] = None
    """Its formulas, as `clearprop.walk` writes out the first step: what becomes of each moment, by
    its name, and of the parameter w."""

    regularized: ClassVar[Expression] = w.gradient + Setting("alpha") / N * w
    """The gradient g that an optimizer follows, with L2."""

    kernel: ClassVar[Kernel | None] = None
    """The loop that does the update, given `coefficients`; None where `update` is overridden."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Schedule):
                continue
            if not (value >= 0 and np.isfinite(value)):
                raise UsageError(
                    f"{type(self).__name__} needs a {field.name} of at least 0, found {value}."
                )
            if field.name == "epsilon" and value == 0:
                raise UsageError(
                    f"{type(self).__name__} needs a positive epsilon: where a gradient stays zero, "
                    "it would divide zero by zero."
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

    def regularize(self, network: Regularized, gradient: ParameterVector, samples: float) -> float:
        """Add the gradient of L2 to `gradient`, and return what L2 adds to the loss.

        Parameters
        ----------
        network : Regularized
            The network, whose weights are pulled to zero.
        gradient : ParameterVector
            The gradient of the loss, changed in place.
        samples : float
            The number of samples in the batch, or the sum of their weights.

        Returns
        -------
        float
            alpha / (2 samples) times the sum of the squared weights.
        """
        if not self.alpha:
            return 0.0
        parameters = network.parameters
        for name in parameters.decayed:
            pulled = gradient[name]
            pulled += self.alpha / samples * parameters[name]
        return 0.5 * self.alpha / samples * network.squared_norm(parameters, parameters.decayed)

    def step(
        self,
        parameters: ParameterVector,
        gradient: ParameterVector,
        state: OptimizerState,
        step: int,
    ) -> None:
        """Update the parameters and the state in place.

        Each array has its own factor of the learning rate, `Parameter.rate`.

        Parameters
        ----------
        parameters : ParameterVector
        gradient : ParameterVector
            The gradient of the loss; left as it is.
        state : dict of str to ndarray
            The arrays that `start` made, as earlier steps left them.
        step : int
            The number of updates done before this one.
        """
        learning_rate = self.rate(step)
        if self.decay_factor(step) != 1:
            for name in parameters.decayed:
                weights = parameters[name]
                weights *= self.decay_factor(step, parameters.specs[name].rate)
        longest = _LONG_BLOCK if are_compiled() else _BLOCK
        scratch = np.empty(min(parameters.data.size, longest), parameters.data.dtype)
        for stretch, factor in parameters.stretches:
            for start in range(stretch.start, stretch.stop, longest):
                block = slice(start, min(start + longest, stretch.stop))
                self.update(
                    parameters.data[block],
                    gradient.data[block],
                    {name: array[block] for name, array in state.items()},
                    learning_rate * factor,
                    step,
                    scratch[: block.stop - start],
                )

    def coefficients(self, learning_rate: float, step: int) -> tuple[float, ...]:
        """Return the numbers that the kernel takes between the moments and its last two arguments.

        Parameters
        ----------
        learning_rate : float
        step : int
            The number of updates done before this one.

        Returns
        -------
        tuple of float
            Unless overridden: the learning rate alone.
        """
        return (learning_rate,)

    def update(
        self,
        w: Array,
        g: Array,
        state: Mapping[str, Array],
        learning_rate: float,
        step: int,
        scratch: Array,
    ) -> None:
        """Update a stretch of the parameters in place, by the kernel unless overridden.

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
            The number of updates done before this one.
        scratch : ndarray, shape (P,)
            Room for intermediate results.
        """
        if self.kernel is None:
            raise NotImplementedError(f"{type(self).__name__} has neither an update nor a kernel.")
        moments = [state[name] for name in self.moments]
        coefficients = self.coefficients(learning_rate, step)
        self.kernel(w, g, *moments, *coefficients, flush_below(w, step), scratch)

    def decay_factor(self, step: int, factor: float = 1.0) -> float:
        """Return the factor of weights before an update, decoupled from the gradient.

        Parameters
        ----------
        step : int
            The number of updates done before this one.
        factor : float, default 1.0
            The factor of the learning rate that the weights have.
        """
        return 1.0

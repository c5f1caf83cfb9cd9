"""Numbers as functions of the step, the number of updates done before, from 0.

Learning rates above all, but weight decay and the rate of dropout, too.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from clearprop.errors import UsageError


class Schedule(ABC):
    """Base of every schedule; one's own is a frozen dataclass with `__call__`."""

    @abstractmethod
    def __call__(self, step: int) -> float:
        """Return the learning rate of one update, or another number of it.

        Parameters
        ----------
        step : int
            The number of updates done before it.
        """


@dataclass(frozen=True)
class ConstantSchedule(Schedule):
    """One learning rate for every step."""

    learning_rate: float

    def __post_init__(self) -> None:
        _check_rate(self, self.learning_rate)

    def __call__(self, step: int) -> float:
        """Return `learning_rate`."""
        return self.learning_rate


@dataclass(frozen=True)
class _Falling(Schedule):
    learning_rate: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        _check_rate(self, self.learning_rate)
        _check_rate(self, self.factor, "factor")
        _check_steps(self, self.every)


@dataclass(frozen=True)
class StepSchedule(_Falling):
    """Falls by a factor every so many steps: learning_rate factor^floor(step / every).

    Parameters
    ----------
    learning_rate : float
        The first rate.
    every : int
        The number of steps between two falls.
    factor : float, default 0.1
    """

    def __call__(self, step: int) -> float:
        """Return learning_rate factor^floor(step / every)."""
        return self.learning_rate * self.factor ** (step // self.every)


@dataclass(frozen=True)
class ExponentialSchedule(_Falling):
    """Falls evenly by a factor over so many steps: learning_rate factor^(step / every).

    Parameters
    ----------
    learning_rate : float
        The first rate.
    every : int
        The number of steps in which it falls by `factor`.
    factor : float, default 0.1
    """

    def __call__(self, step: int) -> float:
        """Return learning_rate factor^(step / every)."""
        return self.learning_rate * self.factor ** (step / self.every)


@dataclass(frozen=True)
class CosineSchedule(Schedule):
    """Falls along half a cosine, and stays at the end.

    final + (learning_rate - final) (1 + cos(pi step / steps)) / 2. Source: Loshchilov, Hutter,
    "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), equation 5, without restarts.

    Parameters
    ----------
    learning_rate : float
        The first rate.
    steps : int
        The number of steps in which it falls.
    final : float, default 0.0
        The last rate.
    """

    learning_rate: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        _check_rate(self, self.learning_rate)
        _check_rate(self, self.final, "final learning rate")
        _check_steps(self, self.steps)

    def __call__(self, step: int) -> float:
        """Return the rate on the cosine, or `final` past its end."""
        return _cosine(self.learning_rate, self.final, min(step / self.steps, 1.0))


@dataclass(frozen=True)
class OneCycleSchedule(Schedule):
    """Rises to a peak and falls far below the start, along half a cosine each.

    Source: Smith, Topin, "Super-Convergence" (2018), with cosines for straight lines.

    Parameters
    ----------
    peak : float
        The largest learning rate.
    steps : int
        The length of the cycle: the last step is ``steps - 1``.
    rise : float, default 0.3
        The share of the steps before the peak.
    start_divisor : float, default 25.0
        The first learning rate is ``peak / start_divisor``.
    final_divisor : float, default 1e4
        The last learning rate is the first one divided by this.
    """

    peak: float
    steps: int
    rise: float = 0.3
    start_divisor: float = 25.0
    final_divisor: float = 1e4

    def __post_init__(self) -> None:
        _check_rate(self, self.peak)
        _check_steps(self, self.steps)
        if not 0 < self.rise < 1:
            raise UsageError(f"{self} needs a rise above 0 and below 1.")
        if not (self.start_divisor > 0 and self.final_divisor > 0):
            raise UsageError(f"{self} needs divisors above 0.")

    def __call__(self, step: int) -> float:
        """Return the rate on the way up, on the way down, or the last one past the end."""
        start = self.peak / self.start_divisor
        top = self.rise * self.steps - 1
        if step < top:
            return _cosine(start, self.peak, step / top)
        down = (step - top) / (self.steps - 1 - top)
        return _cosine(self.peak, start / self.final_divisor, min(down, 1.0))


@dataclass(frozen=True)
class WarmUp(Schedule):
    """Rises evenly to another schedule's first rate, then follows it from its beginning.

    Parameters
    ----------
    steps : int
        The number of steps in which it rises: the first has 1 / steps of the rate.
    then : Schedule
        The schedule that follows.
    """

    steps: int
    then: Schedule

    def __post_init__(self) -> None:
        _check_steps(self, self.steps)
        if not isinstance(self.then, Schedule):
            raise UsageError(
                f"WarmUp goes over into a schedule, found {self.then!r}. For a number, write "
                "ConstantSchedule."
            )

    def __call__(self, step: int) -> float:
        """Return (step + 1) / steps of the first rate, then the rates that follow."""
        if step < self.steps:
            return self.then(0) * (step + 1) / self.steps
        return self.then(step - self.steps)


@dataclass(frozen=True)
class CosLogSchedule(Schedule):
    """Swings between 0 and a peak four times, each swing about twice as long as the one before.

    With t = step / steps, the share of training that is done: peak (1 - cos(2 pi log2(1 + 15 t)))
    / 2. It is 0 at t = 0, 1/15, 3/15, 7/15 and 1, and past the end.

    Source: Holzmüller, Grinsztajn, Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted
    Trees on Tabular Data" (2024), section 3, coslog_4.

    Parameters
    ----------
    peak : float
        The largest rate.
    steps : int
        The number of steps of all four swings.
    """

    ends: ClassVar[tuple[float, ...]] = (1 / 15, 3 / 15, 7 / 15, 1.0)
    """The shares of training after which a swing ends."""

    peak: float
    steps: int

    def __post_init__(self) -> None:
        _check_rate(self, self.peak)
        _check_steps(self, self.steps)

    def __call__(self, step: int) -> float:
        """Return the rate on the swing that the step is in."""
        swings = math.log2(1 + 15 * min(step / self.steps, 1.0))
        return self.peak * (1 - math.cos(2 * math.pi * swings)) / 2


@dataclass(frozen=True)
class FlatCosineSchedule(Schedule):
    """Stays for the first half, then falls to 0 along half a cosine.

    With t = step / steps, the share of training that is done: first (1 + cos(pi (max(1, 2 t) - 1)))
    / 2. RealMLP has it for its dropout and its weight decay.

    Source: Holzmüller, Grinsztajn, Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted
    Trees on Tabular Data" (2024), section 3, flat_cos.

    Parameters
    ----------
    first : float
        The number of the first half: a learning rate, or the rate of a `Dropout`, or a weight
        decay.
    steps : int
        The number of steps of both halves.
    """

    first: float
    steps: int

    def __post_init__(self) -> None:
        _check_rate(self, self.first, "first value")
        _check_steps(self, self.steps)

    def __call__(self, step: int) -> float:
        """Return the first number, the one on the cosine, or 0 past its end."""
        return _cosine(self.first, 0.0, max(2 * min(step / self.steps, 1.0), 1.0) - 1)


def _cosine(first: float, last: float, progress: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2


def _check_rate(schedule: Schedule, rate: float, name: str = "learning rate") -> None:
    if not (rate >= 0 and math.isfinite(rate)):
        raise UsageError(f"A {name} is finite and at least 0; found {rate} in {schedule}.")


def _check_steps(schedule: Schedule, steps: int) -> None:
    if steps < 1:
        raise UsageError(f"A schedule needs at least one step; found {steps} in {schedule}.")


SCHEDULES: dict[str, Callable[[float, int], Schedule]] = {
    "constant": lambda rate, _steps: ConstantSchedule(rate),
    "step": lambda rate, steps: StepSchedule(rate, every=max(steps // 3, 1)),
    "exponential": lambda rate, steps: ExponentialSchedule(rate, every=steps, factor=0.01),
    "cosine": lambda rate, steps: CosineSchedule(rate, steps),
    "one-cycle": OneCycleSchedule,
    "coslog": CosLogSchedule,
    "warm-up": lambda rate, steps: WarmUp(max(steps // 10, 1), ConstantSchedule(rate)),
}
"""For each name on the command line, the schedule of a largest rate over a number of steps."""

"""Dropout."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.core.formulas import DROPOUT, Formulas, known
from clearprop.core.parameters import Array, Params
from clearprop.core.program import Program, Value
from clearprop.core.schedules import Schedule
from clearprop.core.symbols import Symbol, dx, dy, x, y
from clearprop.core.trace import Trace
from clearprop.errors import UsageError
from clearprop.layers.base import Built, Layer
from clearprop.layers.windows import picture_shape

_STEPS = 2**16
_m = Symbol("m", "mask, 0 or 1 / (1 - rate)", per_sample=True, course="D")


@dataclass(frozen=True)
class Dropout(Layer):
    """Inverted dropout: while training, sets a random share of its input to zero.

    The rest is divided by the share that stays, so that the expected value is the input and
    prediction needs no scaling: outside training the layer does nothing.

    Parameters
    ----------
    rate : float or Schedule
        The share that is dropped, at least 0 and below 1, kept to the nearest of 65536 steps; a
        number, or a function of the number of updates done before.

    Notes
    -----
    y = m x with m = 0 with probability `rate`, else 1 / (1 - rate); dx = m dy. Source: Srivastava,
    Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout" (2014), section 4, scaled while training
    as in section 10.
    """

    rate: float | Schedule

    repeatable: ClassVar[bool] = False

    formulas = Formulas(
        {y: known(_m, _m * x, x)},
        {dx: known(_m, _m * dy, dy)},
        course=DROPOUT,
        not_training="This pass is not one of training, so nothing is dropped.",
    )

    def __post_init__(self) -> None:
        self.rate_at(0)

    def rate_at(self, step: int) -> float:
        """Return the share that is dropped after so many updates.

        Raises
        ------
        UsageError
            If it is not at least 0 and below 1.
        """
        rate = self.rate(step) if isinstance(self.rate, Schedule) else self.rate
        if not 0 <= rate < 1:
            when = f" after {step} updates" if isinstance(self.rate, Schedule) else ""
            raise UsageError(
                f"{type(self).__name__}'s rate is the share that is dropped, at least 0 and below "
                f"1; found {rate}{when}."
            )
        return rate

    def scale(self, step: int = 0) -> float:
        """Return the factor of the numbers that stay, after so many updates."""
        return _STEPS / (_STEPS - self._dropped(step))

    def _dropped(self, step: int) -> int:
        """Return the number of the steps between 0 and 1 that mean that a number is dropped."""
        return min(round(self.rate_at(step) * _STEPS), _STEPS - 1)

    def mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the mask of a batch: here a number of its own for each."""
        return shape

    def draw(self, random_state: np.random.RandomState, kept: Array, step: int = 0) -> None:
        """Draw which numbers of a batch stay.

        Parameters
        ----------
        random_state : numpy.random.RandomState
            The source, advanced by two bytes a number: three times quicker than a float64.
        kept : ndarray of bool
            The array to write to.
        step : int, default 0
            The number of updates done before.
        """
        # The numbers of `random_state.bytes`, which takes more than twice as long.
        drawn = random_state.randint(0, 2**32, (kept.size + 1) // 2, np.uint32)
        halves = drawn.astype("<u4", copy=False).view("<u2")[: kept.size]
        np.greater_equal(halves.reshape(kept.shape), self._dropped(step), out=kept)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = m x while training, else x itself."""
        if not trace.training:
            return x
        if trace.random_state is None:
            raise UsageError(
                f"{type(self).__name__} needs random numbers while training: "
                "Trace(training=True, random_state=RandomState(0))."
            )
        kept = trace.buffer("kept", self.mask_shape(x.shape), np.bool_)
        self.draw(trace.random_state, kept, trace.step)
        trace["m"] = m = trace.buffer("m", kept.shape, x.dtype)
        np.multiply(kept, self.scale(trace.step), out=m, casting="same_kind")
        return np.multiply(x, m, out=trace.buffer("y", x.shape, x.dtype))

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Return dx = m dy while training, else dy itself."""
        if not trace.training:
            return dy
        return np.multiply(dy, trace["m"], out=trace.buffer("dx", dy.shape, dy.dtype))

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it does nothing outside training."""
        return x


@dataclass(frozen=True)
class SpatialDropout2D(Dropout):
    """Dropout of whole channels of pictures: while training, sets a random share of them to zero.

    Neighbours in a picture are alike: a number that is dropped alone can be guessed from those
    around it.

    Parameters
    ----------
    rate : float or Schedule
        The share of the channels that is dropped, at least 0 and below 1, kept to the nearest of
        65536 steps; a number, or a function of the number of updates done before.

    Notes
    -----
    y[n, h, w, c] = m[n, c] x[n, h, w, c] with m = 0 with probability `rate`, else 1 / (1 - rate);
    dx = m dy. Source: Tompson, Goroshin, Jain, LeCun, Bregler, "Efficient Object Localization Using
    Convolutional Networks" (2015), section 3.2.
    """

    formulas = Dropout.formulas

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take pictures (H, W, C) or (H, W)."""
        picture_shape("SpatialDropout2D", in_shape)
        return Built(in_shape)

    def mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the mask of a batch: a number for each channel of each sample."""
        return (shape[0], 1, 1, *shape[3:])

"""Scales on which skewed values are learned: their logarithm, or a power of them.

On its own scale, a price of 700,000 weighs as much in the squared error as fifty of 14,000.

Sources: Box, Cox, "An Analysis of Transformations" (1964), for values above 0; Yeo, Johnson, "A New
Family of Power Transformations to Improve Normality or Symmetry" (2000), for all others.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearprop.errors import DataError, UsageError
from clearprop.preprocessing.fields import require_numbers

TARGET_SCALES = ("auto", "none", "log", "power")
"""The names of scales; auto finds one by trial, and does so in an experiment only."""

_STEEPEST = 3.0  # exponents lie between -3 and 3: beyond, a few values are all there is to see
_NEAREST = 20.0  # e^-20 of itself is left between a power and the bound that it tends to
_MOST_UNITS = 1e100
_MOST_UNLIKELY = 1e100  # finite, as the search computes with it
_REACH = 3.0  # times the largest magnitude that was learned from: no answer goes further


@dataclass(frozen=True)
class PowerScale:
    """A power of values, or their logarithm where the exponent is 0.

    Without a shift, t(y) = ((y / unit)^e - 1) / e, of Box and Cox. With a shift of 1,
    t(y) = ((y / unit + 1)^e - 1) / e for y >= 0 and -((1 - y / unit)^(2 - e) - 1) / (2 - e) below,
    of Yeo and Johnson. An exponent of 0 stands for the logarithm.

    Parameters
    ----------
    exponent : float
    shift : {0, 1}
        0 for values above 0 only.
    unit : float
        The median magnitude of the training data's values: powers then keep their digits.
    bounds : (float, float)
        The numbers between which all answers lie. A step of the network's output is a factor here,
        so that a sample a little outside the training data could be answered by billions, or by
        infinity.
    """

    exponent: float
    shift: int
    unit: float
    bounds: tuple[float, float]

    def __post_init__(self) -> None:
        require_numbers((self.exponent, self.shift), "The target's exponent and shift")
        require_numbers((self.unit,), "The target's unit", positive=True)
        require_numbers(self.bounds, "The target's bounds")
        is_one = self.shift in (0, 1) and abs(self.exponent) <= _STEEPEST
        if not is_one or len(self.bounds) != 2 or not self.bounds[0] < self.bounds[1]:
            raise UsageError(
                f"A target's scale of exponent {self.exponent}, shift {self.shift} and bounds "
                f"{self.bounds} can't be; expected -{_STEEPEST:g} to {_STEEPEST:g}, 0 or 1, and "
                "two numbers of which the second is larger."
            )

    @classmethod
    def fit(cls, name: str, values: NDArray[np.float64], least: float) -> "PowerScale":
        """Find the scale of a name for the training data's values.

        The exponent of a power is that of the highest likelihood, by which values are most like a
        normal distribution; between -3 and 3, and such that the largest values keep their digits.

        Parameters
        ----------
        name : {"log", "power"}
        values : ndarray of float64, shape (N,)
        least : float
            The least value that is known, of samples to validate or test with, too.

        Raises
        ------
        DataError
            If a value below 0 is to have a logarithm.
        """
        if name == "log" and least < 0:
            raise DataError(
                f"The target holds {least:g}, and values below 0 have no logarithm. Learn a power "
                "of them, --target-scale power, or learn them as they are: none."
            )
        shift = int(least <= 0)
        if name == "log":
            return cls._of(values, 0.0, shift)
        from scipy.optimize import minimize_scalar  # here, so that importing stays quick

        def unlikely(exponent: float) -> float:
            return cls._of(values, float(exponent), shift)._unlikely(values)

        logs = cls._of(values, 0.0, shift)._log(values)
        low = max(-_STEEPEST, -_NEAREST / max(float(logs.max()), 1.0))
        high = min(_STEEPEST, 2 + _NEAREST / max(-float(logs.min()), 1.0))
        found = minimize_scalar(unlikely, bounds=(low, high), method="bounded")
        return cls._of(values, float(found.x), shift)

    @classmethod
    def _of(cls, values: NDArray[np.float64], exponent: float, shift: int) -> "PowerScale":
        sizes = np.abs(values[values != 0])
        largest = float(sizes.max(initial=0.0)) or 1.0
        # Not less, so that no value is too many units.
        unit = max(float(np.median(sizes)) if len(sizes) else 1.0, largest / _MOST_UNITS)
        lowest = -_REACH * largest if (values < 0).any() else 0.0
        return cls(exponent, shift, unit, (lowest, _REACH * largest))

    @property
    def least(self) -> float:
        """The value that all values must exceed."""
        return -math.inf if self.shift else 0.0

    def transform(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bring values, above `least`, to the scale that is learned."""
        log = self._log(values)
        if not self.shift:
            return _power(log, self.exponent)
        up, down = _power(np.abs(log), self.exponent), _power(np.abs(log), 2.0 - self.exponent)
        return np.where(values >= 0, up, -down)

    def inverse(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bring answers back: within `bounds`."""
        with np.errstate(over="ignore"):  # cut to the bounds below
            if not self.shift:
                y = np.exp(_root(scaled, self.exponent))
            else:
                up = np.expm1(_root(np.maximum(scaled, 0.0), self.exponent))
                y = up - np.expm1(_root(np.maximum(-scaled, 0.0), 2.0 - self.exponent))
            return np.clip(y * self.unit, *self.bounds)

    def slope(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivative of `inverse`: 0 where its `bounds` cut.

        Without a shift it is y / (1 + e t), with one (unit + |y|) / (1 + e |t|), where below 0
        2 - e stands for e.
        """
        y = self.inverse(scaled)
        inside = (self.bounds[0] < y) & (y < self.bounds[1])
        size, powers = y, 1 + self.exponent * scaled
        if self.shift:
            exponents = np.where(scaled < 0, 2.0 - self.exponent, self.exponent)
            size, powers = self.unit + np.abs(y), 1 + exponents * np.abs(scaled)
        return np.divide(size, powers, out=np.zeros_like(y), where=inside)

    @property
    def in_words(self) -> str:
        """The scale as a phrase: "logarithm", or "power 0.25"."""
        return f"power {self.exponent:.2g}" if self.exponent else "logarithm"

    def formula(self, name: str) -> str:
        """Write what is learned of values called `name`, of those from 0 on where there are less.

        It reads ``ln(price / 163000)``, or ``((price / 163000)^0.25 - 1) / 0.25``.
        """
        part = f"{'1 + ' if self.shift else ''}{name} / {self.unit:.6g}"
        exponent = f"{self.exponent:.6g}"
        return f"(({part})^{exponent} - 1) / {exponent}" if self.exponent else f"ln({part})"

    def _unlikely(self, values: NDArray[np.float64]) -> float:
        """Return the negative log-likelihood of a normal distribution, but for a constant."""
        with np.errstate(all="ignore"):  # a power beyond all numbers is no likely one
            spread = np.log(np.var(self.transform(values)))
            slopes = (self.exponent - 1) * self._log(values).sum()
            found = len(values) / 2 * spread - slopes
        return float(found) if np.isfinite(found) else _MOST_UNLIKELY

    def _log(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ln(y / unit); with a shift ln(1 + |y| / unit), with the sign of y."""
        if not self.shift:
            return np.log(values) - math.log(self.unit)
        return np.sign(values) * np.log1p(np.abs(values) / self.unit)


def _power(log: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """Return (x^e - 1) / e of ln x, to full digits for small e."""
    return np.expm1(exponent * log) / exponent if exponent else log


def _root(power: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """Return ln x of (x^e - 1) / e; where no x has such a power, that of 0 or of infinity."""
    if not exponent:
        return power
    with np.errstate(divide="ignore"):
        return np.log1p(np.maximum(exponent * power, -1.0)) / exponent

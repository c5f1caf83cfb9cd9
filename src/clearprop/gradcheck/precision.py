"""How closely numbers are computed, which says how closely gradients can be checked."""

from dataclasses import dataclass

import numpy as np

from clearprop.gradcheck.subject import Subject
from clearprop.parameters import Array

_BITS = 2.0**12  # numbers of no more than 12 bits were written down, or are what rounding left over


@dataclass(frozen=True)
class Precision:
    """What differences are worth where a cost is computed in some dtype.

    Parameters
    ----------
    epsilon : float
        The relative rounding of a number.
    step : float
        The first shift, of a parameter that is not far from 1: near the fourth root of `epsilon`,
        where the two errors of a central difference are both small.
    tolerance : float
        The relative error from which on a slope is wrong.
    """

    epsilon: float
    step: float
    tolerance: float


DOUBLE = Precision(epsilon=2.0**-52, step=2.0**-13, tolerance=1e-6)
SINGLE = Precision(epsilon=2.0**-23, step=2.0**-6, tolerance=5e-3)


def is_single(array: Array) -> bool:
    """Whether an array holds float32 numbers, perhaps in float64."""
    if array.dtype == np.float32:
        return True
    with np.errstate(over="ignore", under="ignore"):
        rounded = array.astype(np.float32)
    if not np.isfinite(array).all():
        return False  # infinite in any precision
    mantissa, _ = np.frexp(array)
    return bool((rounded == array).all() and (mantissa * _BITS % 1 != 0).any())


def computes_in_single(subject: Subject, cost: float) -> bool:
    """Whether a cost is computed in float32: its values at three points show it."""
    random_state = np.random.RandomState(0)
    costs = [cost]
    for _ in range(2):
        moved = {
            name: array + 0.01 * random_state.standard_normal(array.shape)
            for name, array in subject.parameters.items()
        }
        costs.append(subject.cost(moved))
    return bool(np.isfinite(costs).all()) and is_single(np.array(costs))

"""Derivatives by central differences, which know nothing of the code that they check."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def numerical_gradient(function: Callable[[], float], at: Floats, step: float = 1e-4) -> Floats:
    """Return the gradient of `function` with respect to `at`, which it reads and this shifts.

    (8 (f(+h) - f(-h)) - (f(+2h) - f(-2h))) / 12h: its error shrinks with the fourth power of h, so
    that h may be large enough for the rounding of f not to matter.
    """
    gradient = np.empty_like(at)
    for place in np.ndindex(at.shape):
        kept = at[place]
        f = {}
        for shift in (-2, -1, 1, 2):
            at[place] = kept + shift * step
            f[shift] = function()
        at[place] = kept
        gradient[place] = (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * step)
    return gradient


def smooth_gradient(function: Callable[[], float], at: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the gradient, and where two step sizes agree on it: where no kink is near."""
    wide = numerical_gradient(function, at)
    narrow = numerical_gradient(function, at, step=0.5e-4)
    return wide, np.abs(wide - narrow) < 1e-8 * (1 + np.abs(wide))


def assert_same_gradient(analytical: Floats, numerical: Floats) -> None:
    """Fail unless ||a - n|| < 1e-7 (||a|| + ||n||), or both are zero but for rounding."""
    assert analytical.shape == numerical.shape
    difference = np.linalg.norm(analytical - numerical)
    scale = np.linalg.norm(analytical) + np.linalg.norm(numerical)
    rounding = 1e-10  # of f, divided by the step: all there is where the true gradient is zero
    assert difference < 1e-7 * scale + rounding, f"relative error {difference / scale:.1e}"

"""What the last steps did to the gradient, and the direction that follows from it."""

from collections import deque
from typing import NamedTuple

import numpy as np

from clearprop.parameters import Array


class Pair(NamedTuple):
    """A step s, the change y of the gradient over it, and their product s y, which is positive."""

    s: Array
    y: Array
    sy: float


class Memory:
    """The last pairs of a step and a change, which stand for the inverse H of the curvature.

    Parameters
    ----------
    length : int
        How many pairs are kept.

    Notes
    -----
    H begins as the multiple gamma = s y / y y of the newest pair, and each pair, from the oldest
    on, changes it so that H y = s::

        H <- (I - s y.T / sy) H (I - y s.T / sy) + s s.T / sy

    The two loops of `direction` multiply by H without ever writing it down. Source: Nocedal,
    "Updating Quasi-Newton Matrices with Limited Storage" (1980).
    """

    def __init__(self, length: int) -> None:
        self._pairs: deque[Pair] = deque(maxlen=length)

    def __len__(self) -> int:
        return len(self._pairs)

    def add(self, pair: Pair) -> None:
        """Take a pair in, and lose the oldest one where there is no room."""
        self._pairs.append(pair)

    def clear(self) -> None:
        """Forget all pairs."""
        self._pairs.clear()

    def direction(self, gradient: Array) -> Array:
        """Return -H gradient, a new array of float64, shape (P,)."""
        direction = -gradient
        if not self._pairs:
            return direction
        shares, scaled = [], np.empty_like(direction)
        for s, y, sy in reversed(self._pairs):
            shares.append(float(s @ direction) / sy)
            direction -= np.multiply(y, shares[-1], out=scaled)
        newest = self._pairs[-1]
        direction *= newest.sy / float(newest.y @ newest.y)
        for (s, y, sy), share in zip(self._pairs, reversed(shares), strict=True):
            direction += np.multiply(s, share - float(y @ direction) / sy, out=scaled)
        return direction

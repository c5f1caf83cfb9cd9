"""What a vectorised product gains over a loop in Python."""

import time
from collections.abc import Callable

import numpy as np

_PRODUCTS = 1_000_000
_REPEATS = 5


def speed_up() -> float:
    """Return how many times longer a Python loop takes than `numpy.dot`, over a million products.

    The shortest of a few runs counts: whatever else the machine does only makes them longer.
    """
    random_state = np.random.RandomState(0)
    a, b = random_state.rand(2, _PRODUCTS)

    def loop() -> float:
        total = 0.0
        for i in range(_PRODUCTS):
            total += a[i] * b[i]
        return total

    return _seconds(loop) / _seconds(lambda: float(np.dot(a, b)))


def _seconds(work: Callable[[], float]) -> float:
    shortest = float("inf")
    for _ in range(_REPEATS):
        began = time.perf_counter()
        work()
        shortest = min(shortest, time.perf_counter() - began)
    return shortest

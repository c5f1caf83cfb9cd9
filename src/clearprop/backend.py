"""The threads of the linear algebra library beneath NumPy."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count as count_up
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from clearprop.errors import UsageError

_BORDER = 10_000_000  # weights times samples of a step; threads wake up in about 0.1 ms
_USERS_OWN = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
_CGROUPS = Path("/sys/fs/cgroup")


@contextmanager
def blas_threads(count: int | None) -> Iterator[None]:
    """Let matrix products use at most `count` threads, and restore what was before.

    The limit is that of the whole process: where several Python threads ask at once, the latest
    that has not left yet prevails, and the last to leave restores what was before the first.

    Parameters
    ----------
    count : int or None
        At least 1; None leaves everything as it is.
    """
    if count is None:
        yield
        return
    place = _limits.enter(count)
    try:
        yield
    finally:
        _limits.leave(place)


class _Limits:
    """The limits that are in force, in the order in which they were asked for."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.asked: dict[int, int] = {}
        self.places = count_up()
        self.before: list[tuple[Any, int]] = []

    def enter(self, count: int) -> int:
        with self.lock:
            if not self.asked:
                libraries = _libraries("scipy.linalg" in sys.modules)
                self.before = [(library, library.get_num_threads()) for library in libraries]
            place = next(self.places)
            self.asked[place] = count
            self._set(count)
        return place

    def leave(self, place: int) -> None:
        with self.lock:
            del self.asked[place]
            self._set(next(reversed(self.asked.values()), None))

    def _set(self, count: int | None) -> None:
        for library, before in self.before:
            library.set_num_threads(before if count is None else count)


_limits = _Limits()


@lru_cache
def _libraries(_with_scipy: bool) -> list[Any]:
    """Find the libraries of linear algebra; SciPy brings one of its own when it is imported."""
    from threadpoolctl import ThreadpoolController  # here, so that importing clearprop stays quick

    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


def choose_threads(weights: int, samples: int, asked: int | None = None) -> int | None:
    """Choose the threads of a training's matrix products, by its shapes alone.

    A step multiplies every weight by every sample of a batch up to three times: forward, for the
    weight's gradient, and for the sample's. From 10 million weights times samples on, which is
    0.06 GFLOP, all cores work; below, waking a second thread saves little, and costs much where
    another program has the core.

    Parameters
    ----------
    weights : int
        How many the network has.
    samples : int
        How many a batch has.
    asked : int, optional
        The user's own choice, which comes first.

    Returns
    -------
    int or None
        None where the environment (OPENBLAS_NUM_THREADS, MKL_NUM_THREADS, OMP_NUM_THREADS) has
        chosen already.

    Raises
    ------
    UsageError
        If `asked` is not a whole number from 1 to `available_cores()`.
    """
    cores = available_cores()
    if asked is not None:
        whole = isinstance(asked, int | np.integer) and not isinstance(asked, bool)
        if not (whole and 1 <= asked <= cores):
            raise UsageError(
                f"threads is a whole number from 1 to the {cores} cores that this process may "
                f"use; found {asked!r}."
            )
        return int(asked)
    if any(os.environ.get(name) for name in _USERS_OWN):
        return None
    return cores if weights * samples >= _BORDER else 1


def available_cores() -> int:
    """Return how many cores this process may use: the machine's, its own share, the container's."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = _container_quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


def _container_quota() -> float | None:
    """Return how many cores' time the container gets, as cgroups of version 2 or 1 say it."""
    try:
        quota, period = (_CGROUPS / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (_CGROUPS / "cpu/cpu.cfs_quota_us").read_text()
            period = (_CGROUPS / "cpu/cpu.cfs_period_us").read_text()
        except OSError:
            return None
    try:
        share = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max": there is no limit
        return None
    return share if share > 0 else None

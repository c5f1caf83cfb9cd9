"""The threads of the linear algebra library beneath NumPy."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from itertools import count as count_up
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from clearprop.errors import UsageError

_BORDER = 8_000_000  # weights times samples of a step; threads wake up in about 0.1 ms
_USERS_OWN = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
_CGROUPS = Path("/sys/fs/cgroup")
_single = ContextVar("single", default=False)


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Let matrix products use at most `count` threads, and restore what was before.

    The limit is that of the whole process: where several Python threads ask at once, the latest
    that has not left yet prevails, and the last to leave restores what was before the first.
    """
    place = _limits.enter(count)
    try:
        yield
    finally:
        _limits.leave(place)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Let what is trained or asked in here have one thread for its products, whatever its shapes.

    So its bits are the same alone and beside others in threads of their own.
    """
    before = _single.set(True)
    try:
        with blas_threads(1):
            yield
    finally:
        _single.reset(before)


class _Limits:
    """The limits that are in force, in the order in which they were asked for."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.asked: dict[int, int] = {}
        self.places = count_up()
        self.before: dict[str, tuple[Any, int]] = {}

    def enter(self, count: int) -> int:
        with self.lock:
            if not self.asked:
                self.before = {}
            # Compiled steps bring SciPy's, perhaps while a limit is in force already.
            for library in _libraries("scipy.linalg" in sys.modules):
                if library.filepath not in self.before:
                    self.before[library.filepath] = library, library.get_num_threads()
            place = next(self.places)
            self.asked[place] = count
            self._set(count)
        return place

    def leave(self, place: int) -> None:
        with self.lock:
            del self.asked[place]
            self._set(next(reversed(self.asked.values()), None))

    def _set(self, count: int | None) -> None:
        for library, before in self.before.values():
            # Newer versions of threadpoolctl let the first thread alone set limits, and ignore
            # others without a word. Here the lock keeps threads apart.
            free = getattr(library, "clear_controlling_thread", lambda **_: None)
            free(force=True)
            library.set_num_threads(before if count is None else count)
            free(force=True)


_limits = _Limits()


@cache
def _libraries(_with_scipy: bool) -> list[Any]:
    """Find the libraries of linear algebra; SciPy brings one of its own when it is imported."""
    from threadpoolctl import ThreadpoolController  # here, so that importing clearprop stays quick

    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


def choose_threads(weights: int, samples: int, asked: int | None = None) -> int:
    """Choose the threads of a training's matrix products, by its shapes alone.

    All cores where `occupies_all_cores`, else one.

    Parameters
    ----------
    weights : int
        The number of the network's weights.
    samples : int
        The number of a batch's samples.
    asked : int, optional
        The number that the user asks for, which comes first.

    Returns
    -------
    int
        The number of threads: the environment's (OPENBLAS_NUM_THREADS, MKL_NUM_THREADS,
        OMP_NUM_THREADS), where it names one; within `single_threaded` one.

    Raises
    ------
    UsageError
        If `asked` is no number that `check_threads` takes.
    """
    check_threads(asked)
    if asked is not None:
        return int(asked)
    if _single.get():
        return 1
    said = _said_by_environment()
    if said is not None:
        return max(1, min(said, available_cores()))
    return available_cores() if occupies_all_cores(weights, samples) else 1


def threads_for_resuming(before: int, chosen: int, asked: int | None) -> int:
    """Return the threads of a training that goes on: as before, where the user says nothing else.

    Sums depend on how they are shared among threads, in their last digits.

    Parameters
    ----------
    before : int
        The number that it had so far.
    chosen : int
        The number that `choose_threads` gives now.
    asked : int, optional
        The user's own choice.
    """
    free = asked is None and _said_by_environment() is None and 1 <= before <= available_cores()
    return before if free else chosen


def _said_by_environment() -> int | None:
    for name in _USERS_OWN:
        if os.environ.get(name, "").isdecimal():
            return int(os.environ[name])
    return None


def occupies_all_cores(weights: int, samples: int) -> bool:
    """Whether the products of a step are so large that every core is to work on them.

    A step multiplies every weight by every sample of a batch up to three times: forward, for the
    weight's gradient, and for the sample's. From 8 million weights times samples on, which is
    0.05 GFLOP, a second thread is worth waking; below, it saves little, and costs much where
    another program has the core.
    """
    return weights * samples >= _BORDER


def check_threads(asked: int | None) -> None:
    """Refuse a number of threads that this process can't have.

    Raises
    ------
    UsageError
        If `asked` is neither None nor a whole number from 1 to `available_cores()`.
    """
    if asked is None:
        return
    cores = available_cores()
    whole = isinstance(asked, int | np.integer) and not isinstance(asked, bool)
    if not (whole and 1 <= asked <= cores):
        raise UsageError(
            f"threads is a whole number from 1 to the {cores} cores that this process may "
            f"use; found {asked!r}."
        )


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

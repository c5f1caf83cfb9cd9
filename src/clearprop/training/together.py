"""Several trainings at once: the members of an ensemble, the folds of a cross-validation, settings.

Threads that share the work on one small network wait for each other in every update. Here each
thread has a network of its own: none waits, and each training gives the bits that it gives alone.
"""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from clearprop.core.blas import available_cores, blas_threads
from clearprop.training.stopping import stop_elsewhere

T = TypeVar("T")
_AGAIN = 0.2  # seconds


def together(jobs: Sequence[Callable[[], T]], threads: int | None = None) -> list[T]:
    """Do some jobs, several at a time, and return their results in order.

    Ctrl-C stops all trainings that are under way, each after its update; jobs that have not begun
    never do.

    Parameters
    ----------
    jobs : sequence of callable
        Functions without arguments. Each trains with one thread, and touches nothing of another's.
    threads : int, optional
        The number of jobs at a time, at most; that of the cores unless given. With one, they are
        done one after the other in this thread.

    Returns
    -------
    list

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, when those under way have ended.
    Exception
        That of the first job that failed, in their order, when those under way have ended.
    """
    threads = min(threads or available_cores(), len(jobs))
    if threads <= 1:
        return [job() for job in jobs]
    with (
        blas_threads(1),
        ThreadPoolExecutor(threads, "clearprop-together") as pool,
        _stopping_all() as is_stopped,
    ):

        def unless_stopped(job: Callable[[], T]) -> T:
            if is_stopped():
                raise KeyboardInterrupt
            return job()

        coming = [pool.submit(unless_stopped, job) for job in jobs]
        left = set(coming)
        while left:
            done, left = wait(left, None if not is_stopped() else _AGAIN, FIRST_COMPLETED)
            if any(not one.cancelled() and one.exception() is not None for one in done):
                for one in left:
                    one.cancel()
            if is_stopped():  # again, for who had just begun
                stop_elsewhere()
        if is_stopped():
            raise KeyboardInterrupt
        return [one.result() for one in coming if not one.cancelled()]


@contextmanager
def _stopping_all() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C stop all trainings of other threads, and the second interrupt at once.

    Outside the main thread, where Python handles no signals, nothing is changed.
    """
    stopped = threading.Event()
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield stopped.is_set
        return

    def stop(_signum: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stopped.set()
        stop_elsewhere()

    signal.signal(signal.SIGINT, stop)
    try:
        yield stopped.is_set
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)

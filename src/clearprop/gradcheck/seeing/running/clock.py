"""The clock that ends code which computes for ever where no loop can be counted."""

import ctypes
import math
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from clearprop.gradcheck.seeing.running.loops import OutOfTime


class Watchdog:
    """What ends a statement that computes for ever where no loop can be counted."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.latest = math.inf
        self.has_raised = False
        self.lock = threading.Lock()
        self.done = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at the clock, from another thread."""
        self.thread, self.done = threading.get_ident(), threading.Event()
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.done.set()
            thread.join()

    def armed_for(self, seconds: float) -> AbstractContextManager[None]:
        """Raise `OutOfTime` within, after some seconds."""
        return self.armed(time.monotonic() + seconds)

    @contextmanager
    def armed(self, latest: float) -> Iterator[None]:
        """Raise `OutOfTime` within, from a certain time on."""
        before = self.latest
        with self.lock:
            self.latest = min(before, latest)
        try:
            yield
        finally:
            with self.lock:
                self.latest = before
                has_raised, self.has_raised = self.has_raised, False
            if has_raised:
                _let_come()

    def _watch(self) -> None:
        while not self.done.wait(0.25):
            with self.lock:
                if time.monotonic() > self.latest:
                    self.has_raised = True
                    _raise_in(self.thread, OutOfTime)


def _raise_in(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def _let_come() -> None:
    """Let an exception come here that has been raised in this thread, but has not come yet.

    To take it back would leave Python 3.11 looking for one that is not there: at each call, and
    where calls are traced, for ever.
    """
    with suppress(OutOfTime):
        for _ in range(100):  # they come where a loop turns
            pass

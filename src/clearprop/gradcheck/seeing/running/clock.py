"""The clock that ends code which computes for ever where no loop can be counted."""

import ctypes
import math
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from clearprop.gradcheck.seeing.running.loops import OutOfTime


class Watchdog:
    """What ends a statement that computes for ever where no loop can be counted."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.latest = math.inf
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
                self._raise(None)

    def _watch(self) -> None:
        while not self.done.wait(0.25):
            with self.lock:
                if time.monotonic() > self.latest:
                    self._raise(OutOfTime)

    def _raise(self, kind: type[BaseException] | None) -> None:
        error = ctypes.py_object(kind) if kind is not None else None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.thread), error)

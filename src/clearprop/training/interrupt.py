"""Ctrl-C as a wish that is granted between two updates."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from clearprop.training.run import Run


@contextmanager
def stop_on_interrupt(run: Run) -> Iterator[None]:
    """Let the first Ctrl-C stop the run after its update, and the second interrupt at once.

    So weights are never half updated. Outside the main thread, where Python handles no signals,
    and where somebody else has taken Ctrl-C over, nothing is changed.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return

    def stop(_signum: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run.stop("interrupted")

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)

"""A command in a process that ends with the one that has started it, as the studio's trainings do.

``python -m clearprop.studio.command_child ARGUMENTS`` is ``python -m clearprop ARGUMENTS``. Each
byte in standard input is a Ctrl-C, and so is its end, after which nobody is left to send one.
"""

import _thread
import os
import runpy
import signal
import sys
import threading
import time

from clearprop.studio.parent import follow

_SECONDS = 300.0  # in which a command that was left alone has to save what it has


class _CtrlC:
    """Ctrl-C, as the parent asks for it, or by its end."""

    def __init__(self) -> None:
        self._was_asked = False

    def asked(self) -> None:
        """Interrupt the command."""
        self._was_asked = True
        if sys.platform == "win32":
            _thread.interrupt_main()
        else:  # which interrupts what the main thread waits for, too
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def gone(self) -> None:
        """Interrupt the command, unless it saves what it has already; in the end, end it."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        for each in (1, 2):  # what it says is read no more, and must not fail
            os.dup2(nothing, each)
        if not self._was_asked:
            self.asked()
        time.sleep(_SECONDS)
        os._exit(1)


def main() -> None:
    """Run the command."""
    # It is left ignored, for one, where a shell has started the studio with "&".
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ctrl_c = _CtrlC()
    follow(ctrl_c.asked, ctrl_c.gone)
    runpy.run_module("clearprop", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

"""A learner's program, watched while it runs in a process of its own."""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from clearprop.configuration import Json
from clearprop.errors import UsageError
from clearprop.gradcheck.learner import FileCheck, check_file
from clearprop.studio.program_messages import FakedError, received
from clearprop.studio.program_state import ShownProgram

CHECKED = 60.0
"""The seconds that the check may take."""

_GRACE = 5  # seconds in which a process that has said that it ended has to end


class Program(ShownProgram):
    """A program that is watched in a process of its own.

    Parameters
    ----------
    file : pathlib.Path
        A module or a notebook.
    timeout : float, optional
        The seconds after which it is ended.
    """

    def __init__(self, file: Path, timeout: float | None = None) -> None:
        super().__init__(file.name)
        self.file, self.timeout = file.resolve(), timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._threads: list[threading.Thread] = []
        self._scratch = tempfile.TemporaryDirectory(prefix="clearprop-", ignore_cleanup_errors=True)

    # The process.

    def start(self) -> None:
        """Start the program, and its check beside it."""
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, running clearprop
            # -P: what lies in the current folder must not replace what clearprop imports
            [
                *(sys.executable, "-P", "-m", "clearprop.studio.program_child"),
                json.dumps({"file": str(self.file)}),
            ],
            stdin=subprocess.PIPE,  # it ends with the watcher, even where that is killed
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                "MPLBACKEND": "Agg",  # plots open no window
                "PYTHONIOENCODING": "utf-8",
                **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), self._scratch.name),
            },
            start_new_session=True,  # Ctrl-C is the watcher's, which ends it
        )
        for work in (self._listen, self._check):
            self._threads.append(threading.Thread(target=work, daemon=True))
            self._threads[-1].start()

    def stop(self, state: str = "stopped", why: str = "") -> None:
        """End the program, if it runs; the last picture stays."""
        self._end(state, why)
        self._kill()

    def close(self) -> None:
        """End everything, and let those go who wait for that."""
        self.stop()
        self._closed.set()
        if self._process is not None:
            self._process.wait()
            assert self._process.stdin is not None  # noqa: S101 - it is a pipe
            self._process.stdin.close()
        self._scratch.cleanup()

    def wait(self) -> None:
        """Wait until the program has ended, of itself, by force, or by its limit of time."""
        end = math.inf if self.timeout is None else time.monotonic() + self.timeout
        while not self._ended.wait(0.2):
            if time.monotonic() > end:
                self.stop("late", f"It ran longer than {self.timeout:g} s: --timeout SECONDS.")

    def wait_checked(self) -> None:
        """Wait until there is a verdict."""
        for one in self._threads[1:]:
            one.join(CHECKED + 3 * _GRACE)

    def _kill(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()

    def _listen(self) -> None:
        assert self._process is not None  # noqa: S101 - it was started
        stream: IO[bytes] | None = self._process.stdout
        assert stream is not None  # noqa: S101 - it is a pipe
        try:
            with stream:
                for news in received(stream):
                    self.take(news)
        except FakedError:
            self.stop("failed", "It sent something else than what it is asked for.")
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self._kill()
        if self.state in ("waiting", "running"):
            code = self._process.poll()
            self.stop("failed", f"Its process ended with exit code {code}, without a word.")
        self._ended.set()

    def _check(self) -> None:
        try:
            done = check_file(self.file, names={}, timeout=CHECKED)
            verdict = _verdict(done)
        except (UsageError, OSError, RuntimeError) as error:
            verdict = {"passed": None, "told": str(error), "line": None, "rows": []}
        self.judge(verdict)


def _verdict(done: FileCheck) -> dict[str, Json]:
    """Return what a check says, as a page shows it."""
    if done.report is None:
        return {"passed": None, "told": done.text, "line": None, "rows": []}
    return {
        "passed": done.report["passed"],
        "told": done.text,
        "line": done.report.get("line"),
        "rows": [
            {"parameter": row["parameter"], "verdict": row["verdict"]}
            for row in done.report["rows"]
        ],
    }

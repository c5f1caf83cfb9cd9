"""Trainings that the studio starts: each a command in a process of its own, with its own page."""

import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from clearprop.errors import UsageError

PAGE, STAYS = "Live page: ", "It stays until "
"""The beginnings of the lines in which ``train --live`` says its address, and that it is saved."""

MOST = 4
"""Trainings at a time: each has a process, with its page, until it is ended."""

_LINES, _LONGEST = 20, 2_000  # that are kept of what it says, and characters of one
_SECONDS = 10  # that are waited until one that was ended has saved what it has


class Child:
    """A training in a process.

    Parameters
    ----------
    number : int
    data : str
        The data as they were chosen.
    command : sequence of str
        The arguments of ``clearprop``.
    folder : Path
        The folder in which it runs.

    Attributes
    ----------
    address : str or None
        The address of its page, once it has one.
    is_saved : bool
        Whether the training has ended, and only its page goes on.
    said : deque of str
        The last lines that it has said.
    """

    def __init__(self, number: int, data: str, command: Sequence[str], folder: Path) -> None:
        self.number, self.data = number, data
        self.address: str | None = None
        self.is_saved = False
        self.said: deque[str] = deque(maxlen=_LINES)
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and no program but this one
            # -P: what lies in the folder of the data is no module of Python.
            [sys.executable, "-P", "-m", "clearprop.studio.command_child", *command],
            cwd=folder,
            stdin=subprocess.PIPE,  # it ends with the studio, even where that is killed
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C is the studio's, which ends each of them once
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def is_alive(self) -> bool:
        """Whether its process goes on."""
        return self._process.poll() is None

    @property
    def has_failed(self) -> bool:
        """Whether it ended by an error."""
        return self._process.poll() not in (None, 0, -signal.SIGINT, 128 + signal.SIGINT)

    def end(self) -> None:
        """Ask it to end, as Ctrl-C does: a training keeps what it has learned."""
        if not self.is_alive:
            return
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        with suppress(OSError):  # it ends just now
            self._process.stdin.write("\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """Wait until it has ended; one that takes longer goes on alone, and saves what it has."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_SECONDS)
            self._listener.join()
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        with suppress(OSError):  # what it has not heard goes with it
            self._process.stdin.close()

    def _listen(self) -> None:
        """Hear what it says: its address first, and errors."""
        assert self._process.stderr is not None  # noqa: S101 - it is a pipe
        with self._process.stderr as lines:
            while line := lines.readline(_LONGEST):
                if line.startswith(PAGE):
                    self.address = line.removeprefix(PAGE).strip()
                elif line.startswith(STAYS):
                    self.is_saved = True
                else:
                    self.said.append(line.rstrip())


class Children:
    """All trainings that a studio has started.

    Parameters
    ----------
    folder : Path
        The folder in which they run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.all: list[Child] = []
        self._lock = threading.Lock()

    def start(self, data: str, word: str, options: Sequence[str]) -> Child:
        """Start a training.

        Parameters
        ----------
        data : str
            The data as they were chosen.
        word : str
            The same as a command names them.
        options : sequence of str

        Raises
        ------
        UsageError
            If as many go on as may.
        """
        with self._lock:
            if sum(one.is_alive for one in self.all) >= MOST:
                raise UsageError(
                    f"{MOST} trainings, or their pages, go on already. End one of them first."
                )
            command = ["train", word, *options, "--live", "--quiet"]
            child = Child(len(self.all) + 1, data, command, self.folder)
            self.all.append(child)
        return child

    def numbered(self, number: str) -> Child | None:
        """Return the training of a number; None where there is none."""
        return next((one for one in self.all if str(one.number) == number), None)

    def close(self) -> None:
        """End all of them."""
        for one in self.all:
            one.end()
        for one in self.all:
            one.close()

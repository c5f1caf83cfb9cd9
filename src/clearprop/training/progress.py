"""A line that says how far training is."""

import sys
import time
from contextlib import suppress
from typing import TextIO

from clearprop.core.printable import printable
from clearprop.training.run import Callback, Run

_REFRESH = 0.1  # seconds between two pictures of a moving line
_LINES = 10  # how many a whole run prints where lines can't move


class ProgressLine(Callback):
    """Show epoch, loss, score and time left: moving on a terminal, else about ten lines in all.

    Training goes on where nothing can be written: nobody has to watch it.

    Parameters
    ----------
    stream : text file, optional
        The stream to write to; standard error unless given.
    label : str, default ""
        The name of the training, before each line.
    """

    def __init__(self, stream: TextIO | None = None, *, label: str = "") -> None:
        self.stream: TextIO | None = sys.stderr if stream is None else stream
        self.moves = self.stream is not None and self.stream.isatty()  # there may be none at all
        self.label = f"{label}  " if label else ""
        self._width = 0
        self._shown = self._began = 0.0
        self._first_step = 0

    @property
    def wants_every_step(self) -> bool:
        """No: it moves ten times a second at most."""
        return False

    def on_train_begin(self, run: Run) -> None:
        """Start the clock."""
        for remark in run.remarks:
            self._write(printable(remark) + "\n")
        self._began = self._shown = time.monotonic()
        self._first_step = run.step

    def on_step_end(self, run: Run) -> None:
        """Move the line within long epochs."""
        if self.moves and time.monotonic() - self._shown >= _REFRESH:
            self._show(run)

    def on_epoch_end(self, run: Run) -> None:
        """Write a line now and then where it can't move."""
        if not self.moves and run.epoch % max(run.epochs // _LINES, 1) == 0:
            self._show(run)

    def on_train_end(self, run: Run) -> None:
        """Leave the last state on the screen."""
        if self.moves:
            self._show(run)
            self._write("\n")

    def _show(self, run: Run) -> None:
        self._shown = time.monotonic()
        done = f"{self.label}epoch {run.epoch}/{run.epochs}"
        line = f"{done}  {_reached(run)}  {self._time_left(run)}".rstrip()
        if self.moves:
            self._write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._write(line + "\n")

    def _write(self, text: str) -> None:
        if self.stream is not None:
            with suppress(OSError):
                self.stream.write(text)
                self.stream.flush()

    def _time_left(self, run: Run) -> str:
        done = run.step - self._first_step
        left = run.epochs * run.steps_per_epoch - run.step
        if not done or left <= 0 or run.stop_reason is not None:
            return ""
        return f"{_clock(left * (self._shown - self._began) / done)} left"


def _reached(run: Run) -> str:
    if not run.history.rows:
        return f"loss {run.loss:.4f}"
    shown = {
        name: value
        for name, value in run.history.rows[-1].items()
        if name.removeprefix("validation_") in ("loss", "accuracy", "r2")
    }
    return "  ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in shown.items())


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

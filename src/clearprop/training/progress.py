"""A line that says how far training is, and a forecast of how long it takes."""

import math
import sys
import time
from contextlib import suppress
from typing import TextIO

from clearprop.core.printable import printable
from clearprop.network.summary import readable_bytes
from clearprop.training.run import Callback, Run

_REFRESH = 0.1  # seconds between two pictures of a moving line
_MEASURED = 2.0  # seconds
_LONG = 60.0  # seconds
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
        self._first_step = self._remarked = 0

    @property
    def wants_every_step(self) -> bool:
        """No: it moves ten times a second at most."""
        return False

    def on_train_begin(self, run: Run) -> None:
        """Start the clock."""
        self._remarked = 0
        self._remark(run)
        self._began = self._shown = time.monotonic()
        self._first_step = run.step

    def on_step_end(self, run: Run) -> None:
        """Move the line within long epochs."""
        self._remark(run)
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

    def _remark(self, run: Run) -> None:
        for remark in run.remarks[self._remarked :]:
            text = printable(remark)
            self._write(f"\r{text.ljust(self._width)}\n" if self._width else f"{text}\n")
            self._width = 0
        self._remarked = len(run.remarks)

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


class Forecast(Callback):
    """Remark once, after the first updates, what a training of over a minute takes.

    Parameters
    ----------
    trainings : int, default 1
        The number of trainings alike that there are in all: cross-validation has one for each fold,
        and one on all samples.
    """

    def __init__(self, trainings: int = 1) -> None:
        self.trainings = trainings
        self._began: tuple[float, int] | None = None
        self._is_made = False

    @property
    def wants_every_step(self) -> bool:
        """No: it measures for two seconds."""
        return False

    def on_train_begin(self, run: Run) -> None:
        """Measure anew."""
        self._began = None

    def on_step_end(self, run: Run) -> None:
        """Look at the clock, not before the first updates are done: code is compiled in them."""
        now = time.monotonic()
        if self._began is None:
            self._began = now, run.step
        began, first = self._began
        if self._is_made or now - began < _MEASURED:
            return
        self._is_made = True
        updates = run.epochs * run.steps_per_epoch * self.trainings - first
        seconds = (now - began) / (run.step - first) * updates
        if seconds > _LONG:
            run.remarks.append(
                f"All of it takes about {_clock(seconds)}, less if it stops early, and about "
                f"{readable_bytes(_bytes(run))} of memory for its arrays."
            )


def _bytes(run: Run) -> int:
    """Count what lies in memory: samples, weights with what goes along, values of a batch."""
    parts = [run.samples, *([] if run.held_out is None else [run.held_out])]
    samples = sum(getattr(part.X, "nbytes", 0) + part.y.nbytes for part in parts)
    network = run.engine.network
    weights = 3 * network.parameters.data.nbytes  # with their gradient, and the best so far
    weights += sum(array.nbytes for array in run.optimizer_state.values())
    batch = math.ceil(len(run.samples) / run.steps_per_epoch)
    width = sum(map(math.prod, network.summary().output_shapes))  # with a gradient for each
    return samples + weights + 2 * batch * width * network.dtype.itemsize


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

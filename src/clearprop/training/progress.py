"""A line that says how far training is, and a forecast of how long it takes."""

import math
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TextIO

from clearprop.core.printable import printable
from clearprop.network.summary import readable_bytes
from clearprop.training.run import Callback, Run

_REFRESH = 0.1  # seconds between two pictures of a moving line
_STILL = 0.5  # and where nothing but the time changes
_FIRST, _LONGEST = 2.0, 30.0  # seconds without a line where lines can't move; they double
_MEASURED = 2.0  # seconds of a training by which all of it is forecast
_LONG = 60.0  # seconds, from which on it is


class _Line:
    """A line on a stream: it moves on a terminal; elsewhere it is written anew, now and then."""

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = sys.stderr if stream is None else stream
        is_terminal = self.stream is not None and self.stream.isatty()  # there may be none at all
        self.moves = is_terminal and os.environ.get("TERM") != "dumb"
        self._width = 0
        self.begin()

    def begin(self) -> None:
        """Begin with short pauses."""
        self.pause = _REFRESH if self.moves else _FIRST

    def show(self, *parts: str) -> None:
        text = "  ".join(parts)
        if self.moves:
            room = shutil.get_terminal_size().columns - 1  # a broken line can't move
            while len(parts) > 1 and len(text) > room:
                parts = parts[:-1]
                text = "  ".join(parts)
            text = text[:room]
            self.write("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            self.write(text + "\n")
            self.pause = min(2 * self.pause, _LONGEST)

    def leave(self, *, blank: bool = False) -> None:
        if self.moves and self._width:
            self.write("\r" + " " * self._width + "\r" if blank else "\n")
        self._width = 0

    def write(self, text: str) -> None:
        if self.stream is not None:
            with suppress(OSError):
                self.stream.write(text)
                self.stream.flush()


@contextmanager
def waiting(what: str, stream: TextIO | None = None) -> Iterator[None]:
    """Say what is going on, and for how long, where it takes time and no training shows it.

    Parameters
    ----------
    what : str
    stream : text file, optional
        The stream to write to; standard error unless given.
    """
    line, began, done = _Line(stream), time.monotonic(), threading.Event()
    pause = _STILL if line.moves else _LONGEST

    def tell() -> None:
        while not done.wait(pause):
            line.show(f"{printable(what, one_line=True)}, {_clock(time.monotonic() - began)}")

    teller = threading.Thread(target=tell, daemon=True)
    with suppress(RuntimeError):  # the system gives no more threads
        teller.start()
    try:
        yield
    finally:
        done.set()
        if teller.is_alive():
            teller.join()
        line.leave(blank=True)


class ProgressLine(Callback):
    """Show epoch, time left, loss and score: moving on a terminal, else a line now and then.

    Where it can't move, the first line comes after two seconds, the next ones after pauses that
    grow to half a minute, and one at the end. Training goes on where nothing can be written: nobody
    has to watch it.

    Parameters
    ----------
    stream : text file, optional
        The stream to write to; standard error unless given.
    labels : sequence of str, default ("",)
        The names of the trainings that follow one another, such as those of a cross-validation:
        they are one progress, and the time left is that of all.
    """

    def __init__(self, stream: TextIO | None = None, *, labels: Sequence[str] = ("",)) -> None:
        self.line = _Line(stream)
        self.labels = labels
        self._training = -1
        self._shown = self._began = 0.0
        self._before = self._first_step = self._remarked = 0

    @property
    def wants_every_step(self) -> bool:
        """No: it moves ten times a second at most."""
        return False

    def on_train_begin(self, run: Run) -> None:
        """Start the clock."""
        self._training += 1
        if self._training % len(self.labels) == 0:
            self._training = self._before = 0
            self._began = self._shown = time.monotonic()
            self.line.begin()
            self._remarked = 0
        else:
            self._remarked = len(run.remarks)  # those of the first training, said again
        self._first_step = run.step
        self._remark(run)

    def on_step_end(self, run: Run) -> None:
        """Write a line if it is time to, within long epochs, too."""
        self._remark(run)
        if time.monotonic() - self._shown >= self.line.pause:
            self._show(run)

    def on_epoch_end(self, run: Run) -> None:
        """Write a line if it is time to, now with the scores of the epoch."""
        self.on_step_end(run)

    def on_train_end(self, run: Run) -> None:
        """Leave the last state on the screen."""
        self._before += run.step - self._first_step
        is_last = self._training == len(self.labels) - 1
        if is_last or run.stop_reason in (None, "interrupted"):  # None: an error has ended it
            self._show(run)
            self.line.leave()

    def _show(self, run: Run) -> None:
        self._shown = time.monotonic()
        label = self.labels[self._training]
        done = f"{label and f'{label}, '}epoch {run.epoch}/{run.epochs}"
        self.line.show(*filter(None, [done, self._time_left(run), *_reached(run)]))

    def _remark(self, run: Run) -> None:
        for remark in run.remarks[self._remarked :]:
            self.line.leave(blank=True)
            self.line.write(printable(remark) + "\n")
        self._remarked = len(run.remarks)

    def _time_left(self, run: Run) -> str:
        steps = run.epochs * run.steps_per_epoch
        later = len(self.labels) - 1 - self._training
        done, left = self._before + run.step - self._first_step, steps - run.step + later * steps
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


def _reached(run: Run) -> list[str]:
    if not run.history.rows:
        return [f"loss {run.loss:.4f}"]
    return [
        f"{name.replace('_', ' ')} {value:.4f}"
        for name, value in run.history.rows[-1].items()
        if name.removeprefix("validation_") in ("loss", "accuracy", "r2")
    ]


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

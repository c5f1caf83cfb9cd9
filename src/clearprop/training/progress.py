"""A line that says how far training is, and a forecast of how long it takes."""

import math
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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
def waiting(what: str | Callable[[], str], stream: TextIO | None = None) -> Iterator[None]:
    """Say what is going on, and for how long, where it takes time and no training shows it.

    Parameters
    ----------
    what : str, or callable that returns what to say just now
    stream : text file, optional
        The stream to write to; standard error unless given.
    """
    line, began, done = _Line(stream), time.monotonic(), threading.Event()
    pause = _STILL if line.moves else _LONGEST

    def tell() -> None:
        while not done.wait(pause):
            said = what if isinstance(what, str) else what()
            line.show(f"{printable(said, one_line=True)}, {_clock(time.monotonic() - began)}")

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
    """Show epoch, time left, loss, score and pace: moving on a terminal, else a line now and then.

    Where it can't move, the first line comes after two seconds, the next ones after pauses that
    grow to half a minute, and one at the end. Training goes on where nothing can be written: nobody
    has to watch it.

    Parameters
    ----------
    stream : text file, optional
        The stream to write to; standard error unless given.
    labels : sequence of str, default ("",)
        The names of the trainings that follow one another, or are done some at a time, such as
        those of a cross-validation: they are one progress, and the time left is that of all.
    """

    def __init__(self, stream: TextIO | None = None, *, labels: Sequence[str] = ("",)) -> None:
        self.line = _Line(stream)
        self.labels = labels
        self._lock = threading.Lock()
        self._running: list[_Running] = []
        self._begun = self._updates = 0  # of those that have ended
        self._shown = self._began = 0.0

    @property
    def wants_every_step(self) -> bool:
        """No: it moves ten times a second at most."""
        return False

    def on_train_begin(self, run: Run) -> None:
        """Start the clock."""
        with self._lock:
            remarked = len(run.remarks)  # those of the first training, said again
            if self._begun % len(self.labels) == 0 and not self._running:
                self._begun = self._updates = remarked = 0
                self._began = self._shown = time.monotonic()
                self.line.begin()
            own = _Running(run, self.labels[self._begun % len(self.labels)], run.step, remarked)
            self._running.append(own)
            self._begun += 1
            self._remark(own)

    def on_step_end(self, run: Run) -> None:
        """Write a line if it is time to, within long epochs, too."""
        with self._lock:
            own = self._of(run)
            self._remark(own)
            # Of several at once the first is shown: a line that jumps can't be read.
            if own is self._running[0] and time.monotonic() - self._shown >= self.line.pause:
                self._show(own)

    def on_epoch_end(self, run: Run) -> None:
        """Write a line if it is time to, now with the scores of the epoch."""
        self.on_step_end(run)

    def on_train_end(self, run: Run) -> None:
        """Leave the last state on the screen."""
        with self._lock:
            own = self._of(run)
            is_last = self._begun == len(self.labels) and len(self._running) == 1
            if is_last or run.stop_reason in (None, "interrupted"):  # None: an error has ended it
                self._show(own)
                self.line.leave()
            self._running.remove(own)
            self._updates += run.step - own.first_step

    def _of(self, run: Run) -> "_Running":
        return next(own for own in self._running if own.run is run)

    def _show(self, own: "_Running") -> None:
        self._shown = time.monotonic()
        run = own.run
        done = f"{own.label and f'{own.label}, '}epoch {run.epoch}/{run.epochs}"
        self.line.show(*filter(None, [done, self._time_left(run), *_reached(run), run.pace()]))

    def _remark(self, own: "_Running") -> None:
        for remark in own.run.remarks[own.remarked :]:
            self.line.leave(blank=True)
            self.line.write(printable(remark) + "\n")
        own.remarked = len(own.run.remarks)

    def _time_left(self, run: Run) -> str:
        steps = run.epochs * run.steps_per_epoch
        done = self._updates + sum(own.run.step - own.first_step for own in self._running)
        left = sum(steps - own.run.step for own in self._running)
        left += (len(self.labels) - self._begun) * steps
        if not done or left <= 0 or run.stop_reason is not None:
            return ""
        return f"{_clock(left * (self._shown - self._began) / done)} left"


@dataclass(eq=False)
class _Running:
    """A training under way.

    Parameters
    ----------
    run : Run
    label : str
        The name of the training.
    first_step : int
        The number of updates that were done before it began.
    remarked : int
        The number of its remarks that are written.
    """

    run: Run
    label: str
    first_step: int
    remarked: int


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
        self._watched: Run | None = None  # one of those that are done at once
        self._began: tuple[float, int] | None = None
        self._is_made = False

    @property
    def wants_every_step(self) -> bool:
        """No: it measures for two seconds."""
        return False

    def on_train_begin(self, run: Run) -> None:
        """Measure anew."""
        if self._watched is None:
            self._watched, self._began = run, None

    def on_step_end(self, run: Run) -> None:
        """Look at the clock, not before the first updates are done: code is compiled in them."""
        if run is not self._watched:
            return
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

    def on_epoch_end(self, run: Run) -> None:
        """Measure anew after the first epoch: code that looks at held-out samples is compiled."""
        if run is self._watched and run.epoch == 1:
            self._began = None

    def on_train_end(self, run: Run) -> None:
        """Watch another one."""
        if run is self._watched:
            self._watched = None


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

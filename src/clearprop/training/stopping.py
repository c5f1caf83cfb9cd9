"""Ends of a training before its time, and the weights that it goes back to then."""

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import numpy as np

from clearprop.errors import UsageError
from clearprop.training.engines import Weights
from clearprop.training.run import Best, Run

SAFE_EVERY = 50  # updates at most between two copies


@dataclass(frozen=True)
class EarlyStopping:
    """End training when a column of the history has not improved for some epochs.

    However training ends, the weights of the best epoch are restored.

    Parameters
    ----------
    patience : int, default 10
        The number of epochs without an improvement that are borne.
    monitor : str, default "validation_loss"
        The column. A loss is to fall, everything else is to rise.
    min_delta : float, default 0.0
        The difference that an improvement must exceed.
    last : bool, default False
        Whether of several best epochs the last is kept, rather than the first: one that is as good
        as the best before, to the last bit, counts as an improvement.
    """

    patience: int = 10
    monitor: str = "validation_loss"
    min_delta: float = 0.0
    last: bool = False

    def __post_init__(self) -> None:
        if self.patience < 1:
            raise UsageError(f"EarlyStopping needs a patience of 1 or more, found {self.patience}.")

    def look(self, run: Run) -> None:
        """Keep the weights of a new best epoch, or stop the run when patience is at its end.

        Raises
        ------
        UsageError
            If `monitor` is not among the columns.
        """
        row = run.history.rows[-1]
        if self.monitor not in row:
            raise UsageError(
                f"EarlyStopping monitors {self.monitor!r}, which is not measured; there are "
                f"{', '.join(row)}. Give training a validation set or share."
            )
        value = row[self.monitor]
        sign = 1 if self.monitor.endswith("loss") else -1
        best = math.nan if run.best is None else run.best.value
        is_tie = self.last and value == best
        if math.isnan(best) or sign * (best - value) > self.min_delta or is_tie:
            run.best = Best(run.epoch, value, run.engine.weights())
        self.stop_if_spent(run)

    def stop_if_spent(self, run: Run) -> None:
        """Stop the run when patience is at its end."""
        if run.best is not None and run.epoch - run.best.epoch >= self.patience:
            run.stop("early")


def restore_best(run: Run) -> None:
    """Put the best weights back into the engine, where early stopping has kept some."""
    if run.best is not None:
        run.engine.put(run.best.weights)
        run.history.best_epoch = run.best.epoch


class SafeWeights:
    """Weights that gave a finite loss, copied too rarely to cost anything.

    They are copied after 1, 2, 4, ... updates, and then after every 50.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._step = run.step
        self._kept = run.engine.weights()
        self._spare = Weights(*map(np.empty_like, self._kept))
        self._copied_at: int | None = None

    def prepare(self) -> None:
        """Copy the present weights if it is time to; their loss is not known yet."""
        run = self._run
        self._copied_at = None
        if run.step - self._step >= min(max(self._step, 1), SAFE_EVERY):
            self._copied_at = run.step
            self._spare.parameters[...] = run.engine.parameters.data
            self._spare.state[...] = run.engine.state.data

    def confirm(self) -> None:
        """Keep the copy of `prepare`, whose loss was found to be finite."""
        if self._copied_at is not None and self._spare.are_finite:
            self._step = self._copied_at
            self._kept, self._spare = self._spare, self._kept

    def put_back(self) -> str:
        """Restore the best weights where early stopping has some, else these; say from when."""
        run = self._run
        if run.best is not None:
            if run.best.weights.are_finite:
                restore_best(run)
                return f"epoch {run.best.epoch}"
            run.best = run.history.best_epoch = None
        run.engine.put(self._kept)
        return f"{self._step} updates"


_elsewhere: list[Run] = []


def stop_elsewhere() -> None:
    """Stop all runs of other threads than the main one after their update, as by Ctrl-C."""
    for run in tuple(_elsewhere):
        run.stop("interrupted")


@contextmanager
def stop_on_interrupt(run: Run) -> Iterator[None]:
    """Let the first Ctrl-C stop the run after its update, and the second interrupt at once.

    So weights are never half updated. Outside the main thread, where Python handles no signals,
    `stop_elsewhere` does so; where somebody else has taken Ctrl-C over, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        _elsewhere.append(run)
        try:
            yield
        finally:
            _elsewhere.remove(run)
        return
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
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

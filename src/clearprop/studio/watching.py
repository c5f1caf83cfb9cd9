"""The callback by which trainings are watched, and do what those who watch ask."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from clearprop.errors import counted
from clearprop.studio.controls import Controls, Wish
from clearprop.studio.mailbox import Mailbox, Watched
from clearprop.training import Callback, Run

_AGAIN = 0.2  # seconds in which a paused training looks whether it was interrupted


@dataclass(eq=False)
class _Obeying:
    """A training that is watched, and what it has done of what was asked.

    Parameters
    ----------
    watched : Watched
    wish : Wish
        The wish that it has seen last.
    steps, stops : int
        How many single steps, and ends, it has done.
    stepping_from : int or None
        The number of updates at which a single step began that is under way.
    """

    watched: Watched
    wish: Wish
    steps: int
    stops: int
    stepping_from: int | None = None


@dataclass(eq=False)
class Watching(Callback):
    """Puts every training where others may look at it, and does what they ask.

    A training looks for wishes after every update, or after some tenths of a second where updates
    are compiled. There a single step ends with the epoch, as nobody can look between its updates.

    Parameters
    ----------
    mailbox : Mailbox
    controls : Controls
    labels : sequence of str, default ("",)
        The names of the trainings, in the order in which they begin; some may go on at once.

    Attributes
    ----------
    notes : list of str
        Sentences about what was done by hand, but for what a history that is kept tells.
    """

    mailbox: Mailbox
    controls: Controls
    labels: Sequence[str] = ("",)
    notes: list[str] = field(default_factory=list)

    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _running: dict[int, _Obeying] = field(default_factory=dict, init=False)
    _most_epochs: int | None = field(default=None, init=False)

    @property
    def wants_every_step(self) -> bool:
        """No: a training that is watched is computed like any other."""
        return False

    def on_train_begin(self, run: Run) -> None:
        """Show it, and begin in the pause or with the learning rate that was asked for before."""
        wish = self.controls.wish
        with self._lock:
            number = len(self.mailbox.trainings) % len(self.labels)
            is_last = number == len(self.labels) - 1
            watched = Watched(self.labels[number], run, is_kept=is_last)
            self.mailbox.trainings.append(watched)
        # What was asked of others is no wish to step or to stop here.
        one = self._running[id(run)] = _Obeying(watched, wish, wish.steps, wish.stops)
        self._obey(one, run)

    def on_step_end(self, run: Run) -> None:
        """Look whether something is asked, or due."""
        one = self._running[id(run)]
        if one.watched.is_due(in_epoch=True):
            one.watched.take(run)
        wish = self.controls.wish
        if wish is one.wish and (not wish.is_paused or self._is_within_a_step(one, run)):
            return
        self._obey(one, run)

    def on_epoch_end(self, run: Run) -> None:
        """Look as after an update; a single step ends here at the latest."""
        one = self._running[id(run)]
        one.watched.kept.on_epoch_end(run)
        if one.watched.is_due(in_epoch=False):
            one.watched.take(run)
        most = self._most_epochs
        if most is not None and most <= run.epoch < run.epochs and run.stop_reason is None:
            run.stop("asked")
        # With one update an epoch, its end is where the update's was: it has paused there.
        paused_here = one.stepping_from == run.step
        if self.controls.wish is not one.wish or (one.wish.is_paused and not paused_here):
            self._obey(one, run)

    def on_train_end(self, run: Run) -> None:
        """Show how it has ended."""
        with self._lock:
            one = self._running.pop(id(run), None)
        if one is not None:
            one.watched.end(run)

    def _is_within_a_step(self, one: _Obeying, run: Run) -> bool:
        """Whether a single step goes on to the epoch's end: where updates are done in one call."""
        began = one.stepping_from
        if began is None or run.step - began <= 1:
            return False
        one.watched.stepped = "epoch"
        return True

    def _obey(self, one: _Obeying, run: Run) -> None:
        """Do what is asked; where that is a pause, wait here for its end."""
        while True:
            one.wish = wish = self.controls.wish
            self._set_rate(one, run, wish.rate)
            if wish.stops > one.stops and run.stop_reason is None:
                self._stop(one, run)
            one.stops = wish.stops
            if run.stop_reason is not None or not wish.is_paused:
                one.steps, one.stepping_from = wish.steps, None
                break
            if wish.steps > one.steps:
                one.steps, one.stepping_from = one.steps + 1, run.step
                break
            if not one.watched.is_paused:
                one.watched.take(run)
                one.watched.is_paused = True
            self.controls.wait(wish, _AGAIN)
        one.watched.is_paused = False

    def _set_rate(self, one: _Obeying, run: Run, rate: float | None) -> None:
        if rate is None or rate == one.watched.rate_by_hand or run.optimizer.full_batch:
            return
        before, one.watched.rate_by_hand = run.optimizer.rate(run.step), rate
        run.optimizer = replace(run.optimizer, learning_rate=rate)
        said = (
            f"learning rate was set by hand from {before:g} to {rate:g} after {run.step:,} updates"
        )
        run.remarks.append(f"The {said}.")
        if not one.watched.is_kept:
            self.notes.append(f"In {one.watched.label}, the {said}.")

    def _stop(self, one: _Obeying, run: Run) -> None:
        run.stop("asked")
        if one.watched.is_kept:
            self.notes.append(f"Training was stopped by hand after {run.step:,} updates.")
        else:
            self._most_epochs = max(1, run.epoch, self._most_epochs or 0)
            self.notes.append(
                f"By hand, {one.watched.label} was stopped after {counted(run.epoch, 'epoch')}: "
                "those after it were trained no longer."
            )

"""What every epoch leaves behind: a row of the history, and what callbacks hear of it."""

import time
from collections.abc import Sequence

from clearprop.estimators.interface import Estimator
from clearprop.estimators.rows import logits_of
from clearprop.losses import Loss
from clearprop.metrics import Tally, tally_for
from clearprop.parameters import Array
from clearprop.training.run import Run
from clearprop.training.samples import Samples


class Record:
    """Writes the history of one fit, and tells its callbacks.

    Parameters
    ----------
    estimator : Estimator
        Its `history_` is gone on with.
    run : Run
    loss : Loss
        What is minimised.
    held_out : Samples or None
        What is measured after every epoch.
    tallies : bool
        Whether the score of what is trained on is wanted, too: it is that of the batches, each
        before its update.
    """

    def __init__(
        self, estimator: Estimator, run: Run, loss: Loss, held_out: Samples | None, *, tallies: bool
    ) -> None:
        self.estimator, self.run, self.loss, self.held_out = estimator, run, loss, held_out
        self.callbacks = tuple(estimator.callbacks or ())
        self.tallies = tallies
        self.tally = self._new_tally()
        run.history = estimator.history_
        run.history.stopped = None
        self.epochs_before = len(run.history)
        self.started = time.perf_counter()

    def begin(self) -> None:
        """Tell callbacks that training begins."""
        for callback in self.callbacks:
            callback.on_train_begin(self.run)

    def end_step(self, logits: Array, y: Array, sizes: Sequence[int]) -> None:
        """Count batches of such sizes, and tell callbacks of the update, or of several."""
        if self.tally is not None:
            self.tally.add_each(self.loss, logits, y, sizes)
        for callback in self.callbacks:
            callback.on_step_end(self.run)

    def end_epoch(self, loss: float, learning_rate: float | None = None) -> None:
        """Measure what is held out, and write the row of an epoch."""
        run, held_out = self.run, self.held_out
        row: dict[str, float] = {
            "epoch": self.epochs_before + run.epoch,
            "step": run.step,
            "loss": loss,
        }
        if self.tally is not None:
            row[self.tally.name] = self.tally.value()
            self.tally = self._new_tally()
        if held_out is not None:
            logits = logits_of(run.engine, held_out.X)
            tally = tally_for(self.loss)
            tally.add(self.loss, logits, held_out.y)
            row["validation_loss"] = self.loss(logits, held_out.y, held_out.weights)[0]
            row["validation_" + tally.name] = tally.value()
            self.held_out_logits = logits
        if learning_rate is not None:
            row["learning_rate"] = learning_rate
        row["seconds"] = time.perf_counter() - self.started
        run.history.append(row)

    def tell_epoch(self) -> None:
        """Tell callbacks of an epoch, when its row stands in the history."""
        for callback in self.callbacks:
            callback.on_epoch_end(self.run)

    def end(self) -> None:
        """Tell callbacks that training has ended, and write down why."""
        self.run.history.stopped = self.run.stop_reason
        for callback in self.callbacks:
            callback.on_train_end(self.run)

    def _new_tally(self) -> Tally | None:
        return tally_for(self.loss) if self.tallies else None

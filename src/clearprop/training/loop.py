"""The training loop: batches in, updates and a history out."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from clearprop.backend import blas_threads
from clearprop.errors import DivergedError
from clearprop.metrics import Tally, tally_for
from clearprop.optimizers import Optimizer
from clearprop.sample_space import SampleNetwork
from clearprop.training.batches import Rows
from clearprop.training.callbacks import Callback
from clearprop.training.checkpoint import Saver
from clearprop.training.early_stopping import EarlyStopping
from clearprop.training.history import History
from clearprop.training.interrupt import stop_on_interrupt
from clearprop.training.run import Run
from clearprop.training.safe_weights import SAFE_EVERY, SafeWeights, is_finite
from clearprop.training.samples import Samples
from clearprop.training.step import Step


@dataclass
class Loop:
    """What the loop works with; all that changes from epoch to epoch lies in `run`.

    Parameters
    ----------
    run : Run
    optimizer : Optimizer
    step : Step
        Does the updates.
    samples : Samples
        What is trained on.
    held_out : Samples or None
        What is measured after every epoch.
    batches : callable
        Gives the batches of one epoch.
    max_steps : int or None
        Ends training after so many updates.
    blas_threads : int
        Of matrix products, at most.
    early_stopping : EarlyStopping or None
    callbacks : sequence of Callback
    saver : Saver or None
        Writes checkpoints.
    """

    run: Run
    optimizer: Optimizer
    step: Step
    samples: Samples
    held_out: Samples | None
    batches: Callable[[], Iterator[Rows]]
    max_steps: int | None
    blas_threads: int
    early_stopping: EarlyStopping | None
    callbacks: Sequence[Callback]
    saver: Saver | None

    safe: SafeWeights = field(init=False)
    watched: bool = field(init=False)
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.safe = SafeWeights(self.run)
        self.watched = any(callback.wants_every_step for callback in self.callbacks)
        before = self.run.history.rows[-1]["seconds"] if len(self.run.history) else 0.0
        self.started = time.perf_counter() - before

    def go(self) -> History:
        """Train until the epochs are done, the run is stopped, or the loss is not finite."""
        run = self.run
        if self.early_stopping is not None:
            self.early_stopping.stop_if_spent(run)  # a resumed run may have been at its end
        try:
            # What overflows is found in the loss, and said in words.
            with (
                stop_on_interrupt(run),
                np.errstate(over="ignore", invalid="ignore"),
                blas_threads(self.blas_threads),
            ):
                self._tell(Callback.on_train_begin)
                while run.stop_reason is None:
                    self._epoch()
            if self.early_stopping is not None:
                self.early_stopping.restore(run)
            if not is_finite(run.engine):
                raise self._diverged("The weights", run.epoch, run.step)
            run.history.stopped = run.stop_reason
        finally:
            if isinstance(run.engine, SampleNetwork):
                run.engine.write_back()
            self._tell(Callback.on_train_end)
        return run.history

    def _epoch(self) -> None:
        """Train an epoch, or what a stop leaves of it; only a whole one is put on record."""
        run = self.run
        if self._is_done():
            run.stop("finished")
            return
        tally = tally_for(run.engine.loss)
        total, seen = 0.0, 0
        batches = self.batches()
        while some := list(islice(batches, self._at_once())):
            sizes = [self._size(batch) for batch in some]
            for loss, size in zip(self._update(some, sizes, tally), sizes, strict=True):
                total += loss * size
            seen += sum(sizes)
            self._tell(Callback.on_step_end)
            if run.step == self.max_steps:
                break
            if run.stop_reason is not None and seen < len(self.samples):
                if self.saver is not None:
                    self.saver.save_last_epoch()
                return
        run.epoch += 1
        run.history.append(self._row(total / seen, tally))
        if self.early_stopping is not None:
            self.early_stopping.look(run)
        self._tell(Callback.on_epoch_end)
        if run.stop_reason is None and self._is_done():
            run.stop("finished")
        if self.saver is not None:
            self.saver.save(at_last=run.stop_reason is not None)

    def _is_done(self) -> bool:
        return self.run.epoch >= self.run.epochs or self.run.step == self.max_steps

    def _at_once(self) -> int:
        """Return how many updates to do before anybody looks: few while weights may diverge."""
        step = self.run.step
        if self.watched or self.step.at_once == 1:
            return 1
        left = SAFE_EVERY if self.max_steps is None else self.max_steps - step
        return min(self.step.at_once, max(step, 1), SAFE_EVERY, left)

    def _update(
        self, batches: Sequence[Rows], sizes: Sequence[int], tally: Tally
    ) -> Sequence[float]:
        """Do an update for each batch, and return the mean loss of each."""
        run = self.run
        self.safe.prepare()
        losses, logits, y = self.step(batches)
        if math.isfinite(losses[0]):
            self.safe.confirm()
        run.loss = losses[-1]
        if not math.isfinite(run.loss):
            raise self._diverged("The loss", run.epoch + 1, run.step + 1)
        tally.add_each(run.engine.loss, logits, y, sizes)
        return losses

    def _size(self, batch: Rows) -> int:
        return len(self.samples) if isinstance(batch, slice) else len(batch)

    def _row(self, loss: float, tally: Tally) -> dict[str, float]:
        run, network, held_out = self.run, self.run.engine, self.held_out
        row = {"epoch": run.epoch, "step": run.step, "loss": loss, tally.name: tally.value()}
        if held_out is not None:
            logits = network.logits(held_out.X)
            measured = tally_for(network.loss)
            measured.add(network.loss, logits, held_out.y)
            row["validation_loss"] = network.loss(logits, held_out.y)[0]
            row[f"validation_{tally.name}"] = measured.value()
        row["learning_rate"] = self.optimizer.rate(run.step - 1)
        row["seconds"] = time.perf_counter() - self.started
        return row

    def _tell(self, event: Callable[[Callback, Run], None]) -> None:
        for callback in self.callbacks:
            getattr(callback, event.__name__)(self.run)

    def _diverged(self, what: str, epoch: int, update: int) -> DivergedError:
        run = self.run
        kept = self.safe.put_back()
        rate = self.optimizer.rate(update - 1)
        run.history.stopped = "diverged"
        return DivergedError(
            f"{what} stopped being finite in epoch {epoch}, update {update}, with a learning rate "
            f"of {rate:g}; the weights after {kept} are kept. Try a learning rate of "
            f"{rate / 10:g}, clipped gradients, or inputs scaled to about 1.",
            run.history,
        )

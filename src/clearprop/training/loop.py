"""The training loop: batches in, updates and a history out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from clearprop.core.blas import blas_threads
from clearprop.errors import ClusterError, DataError
from clearprop.network.metrics import Tally, tally_for
from clearprop.training.checkpoint import Saver
from clearprop.training.history import History
from clearprop.training.rules import Rules
from clearprop.training.run import Callback, Run
from clearprop.training.samples import Rows, Samples
from clearprop.training.step import Step
from clearprop.training.stopping import SAFE_EVERY, stop_on_interrupt


@dataclass
class Loop:
    """The parts of the loop; all that changes from epoch to epoch lies in `run`.

    Parameters
    ----------
    step : Step
        The step that does the updates.
    samples : Samples
        The samples that are trained on, as the run's engine takes them.
    blas_threads : int
        The number of threads of matrix products, at most.
    saver : Saver or None
        The writer of checkpoints.
    """

    run: Run
    step: Step
    rules: Rules
    samples: Samples
    blas_threads: int
    callbacks: Sequence[Callback] = ()
    saver: Saver | None = None

    watched: bool = field(init=False)

    def __post_init__(self) -> None:
        self.watched = any(callback.wants_every_step for callback in self.callbacks)

    def go(self) -> History:
        """Train until the epochs are done, the run is stopped, or the rules end it."""
        run, rules = self.run, self.rules
        run.start_clock()
        run.history.stopped = None
        rules.begin(run)
        try:
            try:
                # Numbers that overflow are found in the loss or the weights, and said in words.
                with (
                    stop_on_interrupt(run),
                    np.errstate(over="ignore", invalid="ignore", divide="ignore"),
                    blas_threads(self.blas_threads),
                ):
                    self._tell(Callback.on_train_begin)
                    while run.stop_reason is None:
                        self._epoch()
            finally:
                rules.restore(run)
            rules.check(run)
        except KeyboardInterrupt:
            run.stop("interrupted")
            raise
        finally:
            self.step.close()
            run.history.stopped = run.stop_reason
            run.write_back()
            self._tell(Callback.on_train_end)
        return run.history

    def _epoch(self) -> None:
        """Train an epoch, or what a stop leaves of it; only a whole one is put on record."""
        run, rules = self.run, self.rules
        if self._is_done():
            run.stop("finished")
            return
        score = tally_for(run.engine.loss) if rules.scores else None
        total, seen = 0.0, 0
        # Closed here: the traceback of an error would hold on to what reads them.
        with closing(rules.batches()) as chosen, self.step.ahead(chosen) as batches:
            while some := self._next(batches):
                sizes = [self._size(batch) for batch in some]
                losses = self._update(some, sizes, score)
                if not losses:  # the step has found its end before the epoch
                    run.stop(self.step.ended or "finished")
                    if self.saver is not None:
                        self.saver.save_last_epoch()
                    return
                for loss, size in zip(losses, sizes, strict=True):
                    total += loss * size
                    seen += size
                self._tell(Callback.on_step_end)
                if run.step == rules.max_steps:
                    break
                if run.stop_reason is not None and seen < rules.samples_per_epoch:
                    if self.saver is not None:
                        self.saver.save_last_epoch()
                    return
        run.epoch += 1
        rules.end_epoch(run, total / seen, score)
        self._tell(Callback.on_epoch_end)
        if run.stop_reason is None:
            ended = "finished" if self._is_done() else self.step.ended
            if ended is not None:
                run.stop(ended)
        if self.saver is not None:
            self.saver.save(at_last=run.stop_reason is not None)

    def _next(self, batches: Iterator[Rows]) -> list[Rows]:
        """Return the batches of the next updates; none at the end of the epoch."""
        try:
            return list(islice(batches, self._at_once()))
        except DataError:  # samples on disk that can't be read: once they can, training goes on
            if self.saver is not None:
                self.saver.save_last_epoch()
            raise

    def _is_done(self) -> bool:
        return self.run.epoch >= self.run.epochs or self.run.step == self.rules.max_steps

    def _at_once(self) -> int:
        """Return the number of updates before anybody looks: few while weights may diverge."""
        step, max_steps = self.run.step, self.rules.max_steps
        if self.watched or self.step.at_once == 1:
            return 1
        left = SAFE_EVERY if max_steps is None else max_steps - step
        return min(self.step.at_once, max(step, 1), SAFE_EVERY, left)

    def _update(
        self, batches: Sequence[Rows], sizes: Sequence[int], score: Tally | None
    ) -> Sequence[float]:
        """Do an update for each batch, and return the mean loss of each."""
        run = self.run
        self.rules.before_updates()
        try:
            losses, logits, y = self.step(batches)
        except (ClusterError, DataError):  # nobody has computed it: the weights are those before it
            if self.saver is not None:
                self.saver.save_last_epoch()
            raise
        if losses:
            run.loss = losses[-1]
            self.rules.after_updates(losses)
            if score is not None:
                score.add_each(run.engine.loss, logits, y, sizes)
        return losses

    def _size(self, batch: Rows) -> int:
        return len(self.samples) if isinstance(batch, slice) else len(batch)

    def _tell(self, event: Callable[[Callback, Run], None]) -> None:
        for callback in self.callbacks:
            getattr(callback, event.__name__)(self.run)

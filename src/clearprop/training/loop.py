"""The training loop: batches in, updates and a history out."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from clearprop.backend import blas_threads, choose_threads
from clearprop.errors import DivergedError
from clearprop.kernels import compile_if_worthwhile
from clearprop.metrics import Tally, tally_for
from clearprop.network import Network
from clearprop.optimizers import Optimizer
from clearprop.parameters import Array, ParameterVector
from clearprop.sample_space import SampleNetwork
from clearprop.trace import Trace
from clearprop.training.batches import Gatherer, Rows
from clearprop.training.callbacks import Callback
from clearprop.training.checkpoint import Saver
from clearprop.training.early_stopping import EarlyStopping
from clearprop.training.history import History
from clearprop.training.interrupt import stop_on_interrupt
from clearprop.training.run import Run
from clearprop.training.samples import Samples

_SAFE_EVERY = 50  # updates at most between two copies of weights to fall back to


@dataclass
class Loop:
    """What the loop works with; all that changes from epoch to epoch lies in `run`.

    Parameters
    ----------
    run : Run
    optimizer : Optimizer
    samples : Samples
        What is trained on.
    held_out : Samples or None
        What is measured after every epoch.
    batches : callable
        Gives the batches of one epoch.
    max_steps : int or None
        Ends training after so many updates.
    clip_norm : float or None
        The longest gradient.
    early_stopping : EarlyStopping or None
    callbacks : sequence of Callback
    saver : Saver or None
        Writes checkpoints.
    """

    run: Run
    optimizer: Optimizer
    samples: Samples
    held_out: Samples | None
    batches: Callable[[], Iterator[Rows]]
    max_steps: int | None
    clip_norm: float | None
    early_stopping: EarlyStopping | None
    callbacks: Sequence[Callback]
    saver: Saver | None

    trace: Trace = field(init=False)
    gradient: ParameterVector = field(init=False)
    safe: "_SafeWeights" = field(init=False)
    gather_inputs: Gatherer = field(init=False)
    gather_targets: Gatherer = field(init=False)
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.trace = Trace(training=True, random_state=self.run.random_state)
        self.trace.wants_dx = False
        self.gradient = self.run.engine.parameters.like()
        self.safe = _SafeWeights.of(self.run)
        self.gather_inputs = Gatherer(self.samples.X)
        self.gather_targets = Gatherer(self.samples.y)
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
                blas_threads(self._threads()),
            ):
                self._tell(Callback.on_train_begin)
                while run.stop_reason is None:
                    self._epoch()
            if self.early_stopping is not None:
                self.early_stopping.restore(run)
            if not _is_finite(run.engine):
                raise self._diverged("The weights", run.epoch, run.step)
            run.history.stopped = run.stop_reason
        finally:
            if isinstance(run.engine, SampleNetwork):
                run.engine.write_back()
            self._tell(Callback.on_train_end)
        return run.history

    def _threads(self) -> int | None:
        """Choose the threads, and whether compiled loops pay: by shapes, so that bits stay."""
        run = self.run
        parameters = run.engine.parameters.data.size
        last = run.epochs * run.steps_per_epoch
        compile_if_worthwhile(parameters, min(last, self.max_steps or last) - run.step)
        return choose_threads(parameters, -(-len(self.samples) // run.steps_per_epoch))

    def _epoch(self) -> None:
        """Train an epoch, or what a stop leaves of it; only a whole one is put on record."""
        run = self.run
        if self._is_done():
            run.stop("finished")
            return
        tally = tally_for(run.engine.loss)
        total, seen = 0.0, 0
        for batch in self.batches():
            samples = self._update(batch, tally)
            total += run.loss * samples
            seen += samples
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

    def _update(self, batch: Rows, tally: Tally) -> int:
        """Do one update, and return how many samples its batch had."""
        run, network = self.run, self.run.engine
        x, y = network.inputs(self.gather_inputs(batch)), self.gather_targets(batch)
        weights = None if self.samples.weights is None else self.samples.weights[batch]
        logits = network.forward(x, self.trace)
        loss, dlogits = network.loss(logits, y, weights)
        network.backward(dlogits, self.trace, self.gradient)
        counted = len(y) if weights is None else float(weights.sum()) or len(y)
        run.loss = loss + self.optimizer.regularize(network, self.gradient, counted)
        if not math.isfinite(run.loss):
            raise self._diverged("The loss", run.epoch + 1, run.step + 1)
        self.safe.renew(run)
        if self.clip_norm is not None:
            _clip(network, self.gradient, self.clip_norm)
        self.optimizer.step(network.parameters, self.gradient, run.optimizer_state, run.step)
        network.update_state(self.trace)
        tally.add(network.loss, logits, y)
        run.step += 1
        return len(y)

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
        kept = self.safe.put_back(run)
        rate = self.optimizer.rate(update - 1)
        run.history.stopped = "diverged"
        return DivergedError(
            f"{what} stopped being finite in epoch {epoch}, update {update}, with a learning rate "
            f"of {rate:g}; the weights after {kept} are kept. Try a learning rate of "
            f"{rate / 10:g}, clipped gradients, or inputs scaled to about 1.",
            run.history,
        )


@dataclass
class _SafeWeights:
    """Weights that gave a finite loss, copied too rarely to cost anything.

    That is after 1, 2, 4, ... updates, and then after every 50.
    """

    step: int
    parameters: Array
    state: Array

    @classmethod
    def of(cls, run: Run) -> "_SafeWeights":
        network = run.engine
        return cls(run.step, network.parameters.data.copy(), network.state.data.copy())

    def renew(self, run: Run) -> None:
        """Copy the present weights, whose loss was just found to be finite, if it is time to."""
        network = run.engine
        age = run.step - self.step
        if age >= min(max(self.step, 1), _SAFE_EVERY) and _is_finite(network):
            self.step = run.step
            self.parameters[...] = network.parameters.data
            self.state[...] = network.state.data

    def put_back(self, run: Run) -> str:
        """Restore the best weights where early stopping has some, else these; say from when."""
        if run.best is not None:
            EarlyStopping.restore(run)
            if _is_finite(run.engine):
                return f"epoch {run.best.epoch}"
            run.history.best_epoch = None
        run.engine.parameters.data[...] = self.parameters
        run.engine.state.data[...] = self.state
        return f"{self.step} updates"


def _is_finite(network: Network) -> bool:
    return all(np.isfinite(vector.data).all() for vector in (network.parameters, network.state))


def _clip(network: Network, gradient: ParameterVector, longest: float) -> None:
    norm = math.sqrt(network.squared_norm(gradient, gradient))
    if norm > longest:
        gradient.data *= longest / norm

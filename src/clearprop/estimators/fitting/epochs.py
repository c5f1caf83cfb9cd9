"""Training by sgd or adam, with the shuffles, sums and stopping rules of scikit-learn."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from clearprop.backend import blas_threads, choose_threads
from clearprop.estimators.fitting.record import Record
from clearprop.estimators.fitting.stopping import Patience, Scorer
from clearprop.estimators.fitting.updates import Updates
from clearprop.estimators.interface import Estimator
from clearprop.fused import is_chain
from clearprop.kernels import compile_if_worthwhile, give_up_compiling
from clearprop.losses import Loss
from clearprop.parameters import Array, ParameterVector
from clearprop.sample_space import SampleNetwork
from clearprop.trace import Trace
from clearprop.training.batches import Gatherer
from clearprop.training.interrupt import stop_on_interrupt
from clearprop.training.run import Run
from clearprop.training.samples import Samples
from clearprop.training.step import CompiledStep

_AT_ONCE = 50  # updates


@dataclass
class StochasticFit:
    """One call of `fit` or `partial_fit`.

    Parameters
    ----------
    estimator : Estimator
        Its attributes are kept up to date, epoch by epoch.
    run : Run
        Its engine is what is trained.
    loss : Loss
        What is minimised.
    updates : Updates
    samples : Samples
        Of an array, `SparseRows` or `RowNumbers`.
    order : ndarray of int, shape (T,)
        The rows that are trained on, in their first order.
    batch_size : int
    record : Record
    scorer : Scorer or None
        What decides about stopping early; None for the training loss.
    incremental : bool
        Whether it is one epoch of many: then it does not matter that it has not converged.
    """

    estimator: Estimator
    run: Run
    loss: Loss
    updates: Updates
    samples: Samples
    order: Array
    batch_size: int
    record: Record
    scorer: Scorer | None
    incremental: bool

    patience: Patience = field(init=False)
    trace: Trace = field(init=False)
    gradient: ParameterVector = field(init=False)
    gather_inputs: Gatherer = field(init=False)
    gather_targets: Gatherer = field(init=False)
    threads: int = field(init=False)
    compiled: CompiledStep | None = field(init=False)

    def __post_init__(self) -> None:
        self.patience = Patience(self.estimator)
        self.trace = Trace(training=True, random_state=self.run.random_state)
        self.trace.wants_dx = False
        self.gradient = self.run.engine.parameters.like()
        self.gather_inputs = Gatherer(self.samples.X)
        self.gather_targets = Gatherer(self.samples.y)
        self.threads = choose_threads(
            self.run.engine.parameters.data.size, self.batch_size, self.estimator.threads
        )
        self.compiled = self._compiled()

    def go(self) -> None:
        """Train until the epochs are done, nothing improves any more, or somebody ends it."""
        run = self.run
        self.estimator.n_iter_ = 0
        if self.scorer is not None:
            self.patience.keep(run.engine)
        try:
            # What overflows is found in the weights at the end.
            with (
                stop_on_interrupt(run),
                np.errstate(over="ignore", invalid="ignore", divide="ignore"),
                blas_threads(1 if self.compiled else self.threads),
            ):
                self.record.begin()
                while run.stop_reason is None:
                    self._epoch()
        except KeyboardInterrupt:
            run.stop("interrupted")
        finally:
            self.patience.restore(run.engine)
            self.record.end()
        if run.stop_reason == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=2)
        elif run.stop_reason == "finished" and not self.incremental:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({run.epochs}) reached and the "
                "optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=2,
            )

    def _compiled(self) -> CompiledStep | None:
        """Return compiled steps, where they pay and know all that is to be done."""
        run, samples = self.run, self.samples
        steps = run.epochs * run.steps_per_epoch
        worthwhile = compile_if_worthwhile(run.engine.parameters.data.size, steps)
        X = samples.X
        flat = isinstance(X, np.ndarray) and X.flags.c_contiguous
        optimizer = self.updates.optimizer
        if not (
            worthwhile
            and (flat or isinstance(run.engine, SampleNetwork))
            and is_chain(run.engine, self.loss, optimizer)
        ):
            return None
        try:
            return CompiledStep(run, self.loss, optimizer, samples, self.batch_size, self.threads)
        except Exception as error:  # a broken Numba may raise anything
            give_up_compiling(error)
            return None

    def _epoch(self) -> None:
        """Train an epoch, or what a stop leaves of it; only a whole one is put on record."""
        run, samples = self.run, len(self.order)
        if self.estimator.shuffle:
            self.order = self.order[run.random_state.permutation(samples)]
        starts = range(0, samples, self.batch_size)
        batches = (self.order[start : start + self.batch_size] for start in starts)
        total, seen = 0.0, 0
        while some := list(islice(batches, self._at_once())):
            for loss, batch in zip(self._updates(some), some, strict=True):
                total += loss * len(batch)
                seen += len(batch)
            if run.stop_reason is not None and seen < samples:
                return
        run.epoch += 1
        self._record(total / samples)

    def _at_once(self) -> int:
        """Return how many updates to do before anybody looks."""
        if self.compiled is None or any(one.wants_every_step for one in self.record.callbacks):
            return 1
        return min(self.compiled.at_once, _AT_ONCE)

    def _updates(self, batches: Sequence[Array]) -> list[float]:
        """Do an update for each batch, and return its loss."""
        if self.compiled is None:
            return [self._update(batch) for batch in batches]
        run = self.run
        self.compiled.steps.optimizer = self.updates.optimizer
        losses, logits, y = self.compiled(batches)
        self.updates.step = run.step
        done = len(losses) if math.isfinite(losses[-1]) else len(losses) - 1
        if done:
            run.loss = losses[done - 1]
            sizes = list(map(len, batches[:done]))
            self.record.end_step(logits[: sum(sizes)], y[: sum(sizes)], sizes)
        if done == len(batches):
            return list(losses)
        self.compiled = None  # scikit-learn trains on, and finds it in the weights
        return [*losses[:done], *(self._update(batch) for batch in batches[done:])]

    def _update(self, batch: Array) -> float:
        """Do one update, and return the loss of its batch."""
        run, engine = self.run, self.run.engine
        x, y = self.gather_inputs(batch), self.gather_targets(batch)
        weights = self.samples.weights
        weights = None if weights is None else weights[batch]
        logits = engine.forward(x, self.trace)
        loss, dlogits = self.loss(logits, y, weights)
        engine.backward(dlogits, self.trace, self.gradient)
        counted = len(y) if weights is None else float(weights.sum()) or len(y)
        run.loss = loss + self.updates.optimizer.regularize(engine, self.gradient, counted)
        self.updates.update(engine.parameters, self.gradient)
        engine.update_state(self.trace)
        run.step += 1
        self.record.end_step(logits, y, [len(y)])
        return run.loss

    def _record(self, loss: float) -> None:
        """Write down what an epoch reached, and end training where that is the rule."""
        run, estimator = self.run, self.estimator
        estimator.n_iter_ += 1
        estimator.t_ += len(self.order)
        estimator.loss_ = loss
        estimator.loss_curve_.append(loss)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")
        self.record.end_epoch(loss, self.updates.learning_rate)
        if self.scorer is None:
            self.patience.look_at_loss(loss)
        else:
            score = self.scorer(self.record)
            if estimator.verbose:
                print(f"Validation score: {score:f}")
            self.patience.look_at_score(score, run.engine)
        self.updates.end_epoch(estimator.t_)
        if self.patience.is_spent:
            self._slow_down_or_stop()
        self.record.tell_epoch()
        if run.epoch == run.epochs and run.stop_reason is None:
            run.stop("finished")

    def _slow_down_or_stop(self) -> None:
        message = self.patience.message()
        if self.updates.slow_down():
            self.estimator._no_improvement_count = 0
            message += f" Setting learning rate to {self.updates.learning_rate:f}"
        else:
            self.run.stop("early")
            message += " Learning rate too small." if self.updates.schedule == "adaptive" else ""
            message += " Stopping."
        if self.estimator.verbose:
            print(message)

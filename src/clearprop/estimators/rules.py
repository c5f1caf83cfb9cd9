"""scikit-learn's rules for the training loop: its shuffles, what it records, when it ends."""

import warnings
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import check_scoring

from clearprop.estimators.estimator import Estimator
from clearprop.network.metrics import Tally
from clearprop.optimizers import Optimizer, OptimizerState
from clearprop.training.engines import SparseRows, Weights
from clearprop.training.plan import Plan
from clearprop.training.rules import Measured, Rules, measure
from clearprop.training.run import Run
from clearprop.training.samples import Rows

_LEAST_RATE = 1e-6  # below which an adaptive learning rate is no use


@dataclass
class Going:
    """An optimizer at work, which `partial_fit` goes on with.

    Parameters
    ----------
    optimizer : Optimizer
        With the present learning rate.
    state : dict of str to ndarray
        The moments of the network's parameters.
    step : int
        The number of updates that were done.
    schedule : str
        The change of the learning rate at the end of an epoch: "invscaling", "adaptive", or
        "constant" for none. A `Schedule` is the optimizer's own, and changes it every update.
    power : float
        The power of invscaling: learning_rate / (samples seen + 1)^power.
    """

    optimizer: Optimizer
    state: OptimizerState
    step: int
    schedule: str
    power: float

    def __post_init__(self) -> None:
        self.first_rate = self.optimizer.rate(0)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update, by scikit-learn's name, as its own tests look."""
        return self.optimizer.rate(self.step)


class ScikitLearnRules(Rules):
    """The rules that all solvers have: a loss that overflows is borne, and found in the weights.

    Parameters
    ----------
    estimator : Estimator
        Its attributes are kept up to date, epoch by epoch.
    run : Run
        Before its first update; its history is the estimator's, and is gone on with.
    plan : Plan
    """

    goes_on = True

    def __init__(self, estimator: Estimator, run: Run, plan: Plan) -> None:
        self.estimator, self.run, self.held_out = estimator, run, plan.held_out
        self.samples_per_epoch = len(plan.samples)
        self.epochs_before = len(run.history)

    def begin(self, run: Run) -> None:
        """Count the epochs of this fit from 0."""
        self.estimator.n_iter_ = 0

    def record(
        self, loss: float, score: Tally | None = None, rate: float | None = None
    ) -> Measured | None:
        """Write the row of an epoch, and say so where that is asked for."""
        run, estimator = self.run, self.estimator
        estimator.n_iter_ += 1
        estimator.loss_ = loss
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")
        row = {"epoch": self.epochs_before + run.epoch, "step": run.step, "loss": loss}
        if score is not None:
            row[score.name] = score.value()
        measured = None if self.held_out is None else measure(run.engine, self.held_out)
        if measured is not None:
            row["validation_loss"] = measured.loss
            row["validation_" + measured.score.name] = measured.score.value()
        if rate is not None:
            row["learning_rate"] = rate
        row["seconds"] = run.seconds
        run.history.append(row)
        return measured


class LBFGSRules(ScikitLearnRules):
    """The rules of solver lbfgs: every iteration is an epoch."""

    scores = False

    def batches(self) -> Generator[Rows]:
        """Choose all samples."""
        yield slice(0, self.samples_per_epoch)

    def end_epoch(self, run: Run, loss: float, score: Tally | None) -> None:
        """Put an iteration on record."""
        self.record(loss)


class StochasticRules(ScikitLearnRules):
    """The rules of the solvers sgd and adam.

    Parameters
    ----------
    estimator, run, plan
        As of `ScikitLearnRules`.
    going : Going
        Says how the learning rate changes.
    scores : bool
        Whether the score of the samples that are trained on is put on record.
    """

    def __init__(
        self, estimator: Estimator, run: Run, plan: Plan, going: Going, *, scores: bool
    ) -> None:
        super().__init__(estimator, run, plan)
        self.batch_size, self.going, self.scores = plan.training.largest_batch, going, scores
        self.order = np.arange(len(plan.samples))
        self.best: Weights | None = None
        scoring = estimator.scoring if estimator.early_stopping else None
        self.scorer = None if scoring in (None, "loss") else check_scoring(estimator, scoring)

    def begin(self, run: Run) -> None:
        """Keep the first weights, to be restored unless better ones come."""
        super().begin(run)
        if self.estimator.early_stopping:
            self.best = run.engine.weights()

    def batches(self) -> Generator[Rows]:
        """Shuffle what the last epoch has left, and cut it into batches."""
        if self.estimator.shuffle:
            self.order = self.order[self.run.random_state.permutation(len(self.order))]
        for start in range(0, len(self.order), self.batch_size):
            yield self.order[start : start + self.batch_size]

    def end_epoch(self, run: Run, loss: float, score: Tally | None) -> None:
        """Put an epoch on record, and end training where there is no progress any more."""
        estimator, going = self.estimator, self.going
        estimator.t_ += len(self.order)
        estimator.loss_curve_.append(loss)
        measured = self.record(loss, score, run.optimizer.rate(run.step))
        if measured is None or not estimator.early_stopping:
            stands = loss > estimator.best_loss_ - estimator.tol
            estimator.best_loss_ = min(estimator.best_loss_, loss)
        else:
            stands = self._is_no_better(self._score(measured))
        count = estimator._no_improvement_count
        estimator._no_improvement_count = count + 1 if stands else 0
        if going.schedule == "invscaling":
            self._set_rate(going.first_rate / (estimator.t_ + 1) ** going.power)
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self._slow_down_or_stop()

    def restore(self, run: Run) -> None:
        """Put the weights of the best score back."""
        if self.best is not None:
            run.engine.put(self.best)

    def _score(self, measured: Measured) -> float:
        """Return the score that early stopping goes by; greater is better."""
        run, estimator, held_out = self.run, self.estimator, self.run.held_out
        assert held_out is not None  # noqa: S101 - for the type checker: they were measured
        if self.scorer is None:
            if estimator.scoring == "loss":
                return -measured.loss
            return estimator._score_logits(measured.logits, held_out.y, held_out.weights)
        run.write_back()  # the scorer looks at the estimator's own weights
        X = held_out.X
        X = X.matrix[X.rows] if isinstance(X, SparseRows) else X
        with warnings.catch_warnings():
            # The estimator was given names of features; what was held out has none any more.
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            return float(self.scorer(estimator, X, estimator._labels(held_out.y)))

    def _is_no_better(self, score: float) -> bool:
        """Whether there is no progress; the weights of the best score are kept."""
        estimator = self.estimator
        if estimator.verbose:
            print(f"Validation score: {score:f}")
        estimator.validation_scores_.append(score)
        stands = score < estimator.best_validation_score_ + estimator.tol
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            self.best = self.run.engine.weights()
        return bool(stands)

    def _slow_down_or_stop(self) -> None:
        run, estimator = self.run, self.estimator
        is_adaptive = self.going.schedule == "adaptive"
        message = (
            f"{'Validation score' if estimator.early_stopping else 'Training loss'} did not "
            f"improve more than tol={estimator.tol:f} for {estimator.n_iter_no_change:d} "
            "consecutive epochs."
        )
        rate = run.optimizer.rate(run.step)
        if is_adaptive and rate > _LEAST_RATE:
            self._set_rate(rate / 5)
            estimator._no_improvement_count = 0
            message += f" Setting learning rate to {rate / 5:f}"
        else:
            run.stop("early")
            message += " Learning rate too small. Stopping." if is_adaptive else " Stopping."
        if estimator.verbose:
            print(message)

    def _set_rate(self, rate: float) -> None:
        self.run.optimizer = replace(self.run.optimizer, learning_rate=rate)

"""scikit-learn's rules for the training loop: its shuffles, what it records, when it ends."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring

from clearprop.estimators.interface import Estimator
from clearprop.estimators.optimizers import Going
from clearprop.network.metrics import Tally
from clearprop.training.engines import Weights
from clearprop.training.rules import Measured, Rules, measure
from clearprop.training.run import Run
from clearprop.training.samples import Rows, Samples


class ScikitLearnRules(Rules):
    """The rules that all solvers have: a loss that overflows is borne, and found in the weights.

    Parameters
    ----------
    estimator : Estimator
        Its attributes are kept up to date, epoch by epoch; its `history_` is gone on with.
    run : Run
        Before its first update.
    samples : Samples
        What is trained on, as the run's engine takes them.
    held_out : Samples or None
        What is measured after every epoch, as the run's engine takes them.
    """

    goes_on = True

    def __init__(
        self, estimator: Estimator, run: Run, samples: Samples, held_out: Samples | None
    ) -> None:
        self.estimator, self.run, self.held_out = estimator, run, held_out
        self.samples_per_epoch = len(samples)
        run.history = estimator.history_
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

    def batches(self) -> Iterator[Rows]:
        """Choose all samples."""
        yield slice(0, self.samples_per_epoch)

    def end_epoch(self, run: Run, loss: float, score: Tally | None) -> None:
        """Put an iteration on record."""
        self.record(loss)


class StochasticRules(ScikitLearnRules):
    """The rules of the solvers sgd and adam.

    Parameters
    ----------
    estimator, run, samples, held_out
        As of `ScikitLearnRules`.
    batch_size : int
    going : Going
        The optimizer, whose learning rate may change.
    scorer : Scorer or None
        Decides about stopping early; None for the training loss.
    scores : bool
        Whether the score of what is trained on is put on record.
    """

    def __init__(
        self,
        estimator: Estimator,
        run: Run,
        samples: Samples,
        held_out: Samples | None,
        *,
        batch_size: int,
        going: Going,
        scorer: "Scorer | None",
        scores: bool,
    ) -> None:
        super().__init__(estimator, run, samples, held_out)
        self.batch_size, self.going, self.scorer, self.scores = batch_size, going, scorer, scores
        self.order = np.arange(len(samples))
        self.best: Weights | None = None

    def begin(self, run: Run) -> None:
        """Keep the first weights, to be restored unless better ones come."""
        super().begin(run)
        if self.scorer is not None:
            self.best = run.engine.weights()

    def batches(self) -> Iterator[Rows]:
        """Shuffle what the last epoch has left, and cut it into batches."""
        if self.estimator.shuffle:
            self.order = self.order[self.run.random_state.permutation(len(self.order))]
        for start in range(0, len(self.order), self.batch_size):
            yield self.order[start : start + self.batch_size]

    def end_epoch(self, run: Run, loss: float, score: Tally | None) -> None:
        """Put an epoch on record, and end training where there is no progress any more."""
        estimator, going = self.estimator, self.going
        going.step = run.step
        estimator.t_ += len(self.order)
        estimator.loss_curve_.append(loss)
        measured = self.record(loss, score, going.learning_rate)
        if self.scorer is None or measured is None:
            stands = loss > estimator.best_loss_ - estimator.tol
            estimator.best_loss_ = min(estimator.best_loss_, loss)
        else:
            stands = self._score(self.scorer(run, measured))
        count = estimator._no_improvement_count
        estimator._no_improvement_count = count + 1 if stands else 0
        going.end_epoch(estimator.t_)
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self._slow_down_or_stop()
        run.optimizer = going.optimizer

    def restore(self, run: Run) -> None:
        """Put the weights of the best score back."""
        if self.best is not None:
            run.engine.put(self.best)

    def _score(self, score: float) -> bool:
        """Keep the weights of a better score, and return whether there is no progress."""
        estimator = self.estimator
        if estimator.verbose:
            print(f"Validation score: {score:f}")
        estimator.validation_scores_.append(score)
        stands = score < estimator.best_validation_score_ + estimator.tol
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            self.best = self.run.engine.weights()
        return stands

    def _slow_down_or_stop(self) -> None:
        estimator, going = self.estimator, self.going
        what = "Validation score" if estimator.early_stopping else "Training loss"
        message = (
            f"{what} did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change:d} consecutive epochs."
        )
        if going.slow_down():
            estimator._no_improvement_count = 0
            message += f" Setting learning rate to {going.learning_rate:f}"
        else:
            self.run.stop("early")
            message += " Learning rate too small." if going.schedule == "adaptive" else ""
            message += " Stopping."
        if estimator.verbose:
            print(message)


class Scorer:
    """The score that early stopping goes by: the estimator's own, the loss, or any scorer's.

    Parameters
    ----------
    estimator : Estimator
    held_out : Samples
        The validation set.
    X, y : array-like
        The same as scikit-learn's scorers take it, with labels.
    """

    def __init__(self, estimator: Estimator, held_out: Samples, X: Any, y: Any) -> None:
        self.estimator, self.held_out, self.X, self.y = estimator, held_out, X, y
        scoring = estimator.scoring
        self.scorer = None if scoring in (None, "loss") else check_scoring(estimator, scoring)

    def __call__(self, run: Run, measured: Measured) -> float:
        """Return the score of the epoch that was just measured; greater is better."""
        held_out = self.held_out
        if self.scorer is not None:
            run.write_back()  # the scorer looks at the estimator's own weights
            with warnings.catch_warnings():
                # The estimator was given names of features; what was held out has none any more.
                warnings.filterwarnings("ignore", "X does not have valid feature names")
                return float(self.scorer(self.estimator, self.X, self.y))
        if self.estimator.scoring == "loss":
            return -measured.loss
        return self.estimator._score_logits(measured.logits, held_out.y, held_out.weights)

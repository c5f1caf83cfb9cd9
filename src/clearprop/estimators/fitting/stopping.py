"""What is held out while training, and when there has been no progress for too long."""

import warnings
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split

from clearprop.estimators.fitting.record import Record
from clearprop.estimators.interface import Estimator
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.training.samples import Samples


def split_rows(
    samples: int, share: float, strata: Array | None, random_state: np.random.RandomState
) -> tuple[Array, Array]:
    """Hold a share of the samples out, the very ones that scikit-learn would.

    Parameters
    ----------
    samples : int
    share : float
    strata : ndarray, shape (N,), or None
        Classes of which either side gets its share.
    random_state : numpy.random.RandomState
        It is advanced.

    Returns
    -------
    kept, held_out : ndarray of int

    Raises
    ------
    ValueError
        If there are too few samples, of all or of a class.
    """
    kept, held_out = train_test_split(
        np.arange(samples), random_state=random_state, test_size=share, stratify=strata
    )
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    return kept, held_out


class Scorer:
    """What early stopping goes by: the estimator's own score, the loss, or any scorer.

    Parameters
    ----------
    estimator : Estimator
    held_out : Samples
        The validation set, as the engine takes it.
    X, y : array-like
        The same as scikit-learn's scorers take it, with labels.
    """

    def __init__(self, estimator: Estimator, held_out: Samples, X: Any, y: Any) -> None:
        self.estimator, self.held_out, self.X, self.y = estimator, held_out, X, y
        scoring = estimator.scoring
        self.scorer = None if scoring in (None, "loss") else check_scoring(estimator, scoring)

    def __call__(self, record: Record) -> float:
        """Return the score of the epoch that was just put on record; greater is better."""
        run, held_out = record.run, self.held_out
        if self.scorer is not None:
            run.network  # noqa: B018 - asked for, so that the estimator has the present weights
            with warnings.catch_warnings():
                # The estimator was given names of features; what was held out has none any more.
                warnings.filterwarnings("ignore", "X does not have valid feature names")
                return float(self.scorer(self.estimator, self.X, self.y))
        if self.estimator.scoring == "loss":
            return -run.history.rows[-1]["validation_loss"]
        return self.estimator._score_logits(record.held_out_logits, held_out.y, held_out.weights)


class Patience:
    """Counts the epochs without progress, on the estimator's own attributes.

    Parameters
    ----------
    estimator : Estimator
    """

    def __init__(self, estimator: Estimator) -> None:
        self.estimator = estimator
        self.best: tuple[Array, Array] | None = None

    def look_at_loss(self, loss: float) -> None:
        """Compare an epoch's training loss with the best."""
        estimator = self.estimator
        stands = loss > estimator.best_loss_ - estimator.tol
        estimator._no_improvement_count = estimator._no_improvement_count + 1 if stands else 0
        if loss < estimator.best_loss_:
            estimator.best_loss_ = loss

    def look_at_score(self, score: float, engine: Network) -> None:
        """Compare an epoch's validation score with the best, and keep the weights of a better."""
        estimator = self.estimator
        estimator.validation_scores_.append(score)
        stands = score < estimator.best_validation_score_ + estimator.tol
        estimator._no_improvement_count = estimator._no_improvement_count + 1 if stands else 0
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            self.keep(engine)

    def keep(self, engine: Network) -> None:
        """Copy the weights, to be restored unless better ones come."""
        self.best = engine.parameters.data.copy(), engine.state.data.copy()

    def restore(self, engine: Network) -> None:
        """Put the best weights back, where some were kept."""
        if self.best is not None:
            engine.parameters.data[...], engine.state.data[...] = self.best

    @property
    def is_spent(self) -> bool:
        """Whether there have been more epochs without progress than `n_iter_no_change`."""
        return bool(self.estimator._no_improvement_count > self.estimator.n_iter_no_change)

    def message(self) -> str:
        """Say what did not improve, as scikit-learn does."""
        estimator = self.estimator
        what = "Validation score" if estimator.early_stopping else "Training loss"
        return (
            f"{what} did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change:d} consecutive epochs."
        )

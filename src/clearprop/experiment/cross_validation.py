"""Cross-validation: few samples choose the epoch and give the score, and none does both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.data.splitting import folds
from clearprop.errors import DivergedError
from clearprop.experiment.answers import Answers, answers
from clearprop.experiment.building import build_trainer
from clearprop.experiment.parts import Parts
from clearprop.experiment.task import Task, task_of
from clearprop.network.metrics import tally_for
from clearprop.training import Callback, Run

InFold = Callable[[int], Sequence[Callback]]
"""Gives the callbacks for the training of a fold, by its number from 1."""


@dataclass(frozen=True)
class OutOfFold:
    """The outcome of a cross-validation.

    Parameters
    ----------
    rows : ndarray of int, shape (N,)
        The places of the samples in the training data, fold by fold; the only sample of a class is
        in none.
    answers : Answers
        The answers for these of networks that have not learned from them.
    trials : tuple of (Task, Dataset)
        The task of each fold, and the samples of the fold.
    epoch : int
        The epoch that is best for all folds together: up to there all samples are learned from.
    curve : list of dict
        The mean of the folds' validation loss and score, a row for each epoch.
    diverged : DivergedError or None
        If a fold's loss stopped being finite.
    """

    rows: Array
    answers: Answers
    trials: tuple[tuple[Task, Dataset], ...]
    epoch: int
    curve: list[dict[str, float]]
    diverged: DivergedError | None


def no_callbacks(_fold: int) -> Sequence[Callback]:
    """Watch no fold's training."""
    return ()


def cross_validate(task: Task, in_fold: InFold = no_callbacks) -> OutOfFold:
    """Train a network for each fold on the samples of the others, and answer for those of the fold.

    The answers for a fold are those after the epoch that is best for all *other* folds: no sample
    has a vote in the choice behind its own answer. Recipes are fitted anew for each fold.

    Raises
    ------
    DivergedError
        If a fold's loss stopped being finite in the first epoch.
    KeyboardInterrupt
        If training was interrupted.
    """
    parts = folds(task.train, task.settings.folds or 0, task.settings.seed)
    trials = [_Trial.of(task, rows, in_fold(k)) for k, rows in enumerate(parts, start=1)]
    epochs = max(len(trial.logits) for trial in trials)
    sums = np.array([trial.losses(epochs) for trial in trials])
    total = sums.sum(axis=0)
    # A fold has no vote in the choice of the epoch that answers for it.
    others = [np.delete(sums, k, axis=0).sum(axis=0) for k in range(len(trials))]
    best = [int(np.argmin(one)) for one in others]
    given = [trial.answers(epoch) for trial, epoch in zip(trials, best, strict=True)]
    counted = sum(len(one) for one in given)
    scores = np.average(
        [trial.scores(epochs) for trial in trials], axis=0, weights=[len(one) for one in given]
    )
    name = f"validation_{tally_for(task.network.loss).name}"
    return OutOfFold(
        np.concatenate([np.flatnonzero(rows) for rows in parts]),
        Answers.joined(given),
        tuple((trial.task, trial.fold) for trial in trials),
        1 + int(np.argmin(total)),
        [
            {"validation_loss": loss, name: score}
            for loss, score in zip((total / counted).tolist(), scores.tolist(), strict=True)
        ],
        next((trial.diverged for trial in trials if trial.diverged is not None), None),
    )


@dataclass(frozen=True)
class _Trial:
    """The training without a fold, and the logits (n, K) of its samples after each epoch.

    Parameters
    ----------
    task : Task
    fold : Dataset
    y : ndarray
        The fold's targets, as the loss takes them.
    logits : list of ndarray, shape (n, K)
    diverged : DivergedError or None
    """

    task: Task
    fold: Dataset
    y: Array
    logits: list[Array]
    diverged: DivergedError | None

    @classmethod
    def of(cls, whole: Task, rows: Array, callbacks: Sequence[Callback]) -> "_Trial":
        """Train on all samples of a task but those of the fold."""
        fold = whole.train.take(rows)
        task = task_of(whole.settings, Parts(whole.train.take(~rows), fold), whole.start)
        X, y = task.prepared(fold)
        watch, diverged = _Logits(X), None
        trainer = build_trainer(task.settings, len(task.train))
        try:
            history = trainer.fit(
                task.network, *task.prepared(task.train), callbacks=[*callbacks, watch]
            )
            if history.stopped == "interrupted":
                raise KeyboardInterrupt
        except DivergedError as error:
            diverged = error
            if not watch.logits:
                raise
        # An optimizer that finds no way down from the first weights ends before the first epoch.
        logits = watch.logits or [task.network.logits(X)]
        return cls(task, fold, task.network.targets(y), logits, diverged)

    def losses(self, epochs: int) -> Array:
        """Return the sum of the losses after each of so many epochs, shape (epochs,)."""
        loss = self.task.network.loss
        after = np.inf if self.diverged is not None else None
        return _filled([loss.each(one, self.y)[0].sum() for one in self.logits], epochs, after)

    def scores(self, epochs: int) -> Array:
        """Return the score after each of so many epochs, shape (epochs,)."""
        loss, scores = self.task.network.loss, []
        for logits in self.logits:
            tally = tally_for(loss)
            tally.add(loss, logits, self.y)
            scores.append(tally.value())
        return _filled(scores, epochs, None)

    def answers(self, epoch: int) -> Answers:
        """Return the answers after an epoch, counted from 0; after the last one, those."""
        logits = self.logits[min(epoch, len(self.logits) - 1)]
        return answers(self.task.network, self.task.recipe.target, self.fold, logits)


def _filled(values: list[float], count: int, after: float | None) -> Array:
    """Go on with a number, or with the last value: whoever converged would stay there."""
    last = values[-1] if after is None else after
    return np.array([*values, *[last] * (count - len(values))], dtype=np.float64)


class _Logits(Callback):
    """Keep the logits of some samples after each epoch."""

    def __init__(self, X: Any) -> None:
        self.X = X
        self.logits: list[Array] = []

    def on_epoch_end(self, run: Run) -> None:
        """Ask the network as it is now."""
        self.logits.append(run.write_back().logits(self.X))

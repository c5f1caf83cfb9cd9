"""Cross-validation: few samples choose what is kept and give the score, none for itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from clearprop.core.blas import choose_threads
from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.errors import DivergedError
from clearprop.experiment.answers import Answers, answers
from clearprop.experiment.building import chooses_by_errors
from clearprop.experiment.candidates import choice_in_words, handicapped
from clearprop.experiment.parts import Parts, deal
from clearprop.experiment.settings import Settings
from clearprop.experiment.task import Task, task_of
from clearprop.experiment.temperature import Temperature, fit_temperature
from clearprop.experiment.thresholds import Threshold, choose
from clearprop.network import Network
from clearprop.network.metrics import tally_for
from clearprop.preprocessing import ClassTarget
from clearprop.training import Callback, Run
from clearprop.training.together import together


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
    settings : Settings
        The candidate that is best with it.
    notes : tuple of str
        The reason for which it was chosen, where there were several.
    curve : list of dict
        The mean of the folds' validation loss and score, a row for each epoch.
    diverged : DivergedError or None
        If a fold's loss stopped being finite.
    threshold : Threshold or None
        What all answers together choose, where it was asked for.
    temperature : Temperature or None
        The one that is fitted to all answers together; None for values.
    """

    rows: Array
    answers: Answers
    trials: tuple[tuple[Task, Dataset], ...]
    epoch: int
    settings: Settings
    notes: tuple[str, ...]
    curve: list[dict[str, float]]
    diverged: DivergedError | None
    threshold: Threshold | None = None
    temperature: Temperature | None = None


def fold_labels(task: Task) -> list[str]:
    """Name the trainings without a fold, in their order."""
    tried = task.candidates or (task.settings,)
    told = [f", candidate {k} of {len(tried)}" if tried[1:] else "" for k, _ in enumerate(tried, 1)]
    count = task.settings.folds or 0
    return [f"fold {k} of {count}{of}" for k in range(1, count + 1) for of in told]


def folds_at_once(task: Task) -> int:
    """Return how many folds are trained at a time, each by one thread.

    One, with all threads, where its updates are so small that threads would not pay.
    """
    batch = task.settings.batch_size or len(task.train)
    return choose_threads(task.network.multiplications, batch)


def times_of(task: Task) -> int:
    """Return how many times as long as one training all of them take, that of all samples too."""
    return 1 + -(-len(fold_labels(task)) // folds_at_once(task))


def cross_validate(task: Task, callbacks: Sequence[Callback] = ()) -> OutOfFold:
    """Train a network for each fold on the samples of the others, and answer for those of the fold.

    The answers for a fold are those after the epoch, of the candidate, by the temperature and the
    threshold that are best for all *other* folds: no sample has a vote in the choice behind its own
    answer. Recipes are fitted anew for each fold.

    Raises
    ------
    DivergedError
        If a fold's loss stopped being finite in the first epoch.
    KeyboardInterrupt
        If training was interrupted.
    """
    parts = deal(task.settings, task.train, task.settings.folds or 0)
    tried = task.candidates or (task.settings,)
    at_once = folds_at_once(task)
    jobs = [partial(_Trial.of_all, tried, task, *one, callbacks, at_once) for one in parts]
    each = together(jobs, at_once)
    trials = list(zip(*each, strict=True))  # of each candidate, for each fold
    epochs = max(len(trial.seen.losses) for one in trials for trial in one)
    sums = np.array([[trial.losses(epochs) for trial in one] for one in trials])
    worth, last = handicapped(sums, tried), task.settings.network == "table"
    if chooses_by_errors(task.settings, task.recipe):
        worth = np.array([[trial.errors(epochs) for trial in one] for one in trials])
    place, epoch = _least(worth.sum(axis=1), last)
    # A fold has no vote in the choice of the candidate and the epoch that answer for it.
    best = [_least(np.delete(worth, k, axis=1).sum(axis=1), last) for k in range(len(parts))]
    given = [trials[of][k].answers(at) for k, (of, at) in enumerate(best)]
    target, temperature, threshold = task.recipe.target, None, None
    if isinstance(target, ClassTarget):
        out_of_fold = [(trials[of][k], at) for k, (of, at) in enumerate(best)]
        _, temperature, threshold = _decided(task, target, out_of_fold)
        for k, (of, at) in enumerate(best):
            rest = [(one, at) for one in (*trials[of][:k], *trials[of][k + 1 :])]
            own, _, by = _decided(task, target, rest)
            given[k] = trials[of][k].answers(at, own.temperature)
            given[k] = given[k] if by is None else given[k].by_threshold(own)
    counted = sum(len(one) for one in given)
    chosen, means = trials[place], sums.sum(axis=1) / counted  # (candidates, epochs)
    scores = np.average(
        [trial.scores(epochs) for trial in chosen], axis=0, weights=[len(one) for one in given]
    )
    name = f"validation_{tally_for(task.network.loss).name}"
    return OutOfFold(
        np.concatenate([np.flatnonzero(held) for _, held in parts.rows]),
        Answers.joined(given),
        tuple((trial.task, trial.fold) for trial in chosen),
        1 + epoch,
        tried[place],
        choice_in_words(place, tried, means.min(axis=1).tolist()),
        [
            {"validation_loss": loss, name: score}
            for loss, score in zip(means[place].tolist(), scores.tolist(), strict=True)
        ],
        next((trial.diverged for trial in chosen if trial.diverged is not None), None),
        threshold,
        temperature,
    )


def _decided(
    task: Task, target: ClassTarget, voters: "Sequence[tuple[_Trial, int]]"
) -> tuple[ClassTarget, Temperature, Threshold | None]:
    """Fit the temperature to folds, each after an epoch, and choose the threshold by them."""
    logits = np.concatenate([one.logits(at) for one, at in voters])
    truth = np.concatenate([target.encode(one.fold) for one, _ in voters])
    found = fit_temperature(task.network.loss, logits, truth)
    target = replace(target, temperature=found.value)
    if task.settings.threshold is None:
        return target, found, None
    own = Answers.joined([one.answers(at, found.value) for one, at in voters])
    threshold = choose(task.settings.threshold, target, own)
    return threshold.target, found, threshold


def _least(sums: Array, last: bool) -> tuple[int, int]:
    """Return the candidate's and the epoch's place of the least sum, the first or last of all."""
    places = np.argwhere(sums == sums.min())
    place, epoch = places[-1 if last else 0].tolist()
    return place, epoch


@dataclass(frozen=True)
class _Trial:
    """The training without a fold, and what came of it after each epoch.

    Parameters
    ----------
    task : Task
    fold : Dataset
    seen : _AfterEpochs
    diverged : DivergedError or None
    """

    task: Task
    fold: Dataset
    seen: "_AfterEpochs"
    diverged: DivergedError | None

    @classmethod
    def of_all(
        cls,
        tried: Sequence[Settings],
        whole: Task,
        rest: Dataset,
        fold: Dataset,
        callbacks: Sequence[Callback],
        at_once: int,
    ) -> "list[_Trial]":
        """Train every candidate on all samples of a task but those of the fold."""
        task = task_of(whole.settings, Parts(rest, fold), whole.start)
        threads = 1 if at_once > 1 else None
        return [cls.of(task.with_settings(one), fold, callbacks, threads) for one in tried]

    @classmethod
    def of(
        cls, task: Task, fold: Dataset, callbacks: Sequence[Callback], threads: int | None = None
    ) -> "_Trial":
        """Train, and look at the fold."""
        X, y = task.prepared(fold)
        seen, diverged = _AfterEpochs(task.network, X, y), None
        try:
            history = replace(task.trainer(), threads=threads).fit(
                task.network, *task.prepared(task.train), callbacks=[*callbacks, seen]
            )
            if history.stopped == "interrupted":
                raise KeyboardInterrupt
        except DivergedError as error:
            diverged = error
            if not seen.logits:
                raise
        if not seen.logits:  # the optimizer found no way down from the first weights
            seen.look(task.network)
        return cls(task, fold, seen, diverged)

    def losses(self, epochs: int) -> Array:
        """Return the sum of the losses after each of so many epochs, shape (epochs,)."""
        losses = _filled(self.seen.losses, epochs, np.inf if self.diverged is not None else None)
        return np.where(np.isnan(losses), np.inf, losses)  # the worst, too

    def errors(self, epochs: int) -> Array:
        """Return the number of wrong answers after each of so many epochs, shape (epochs,)."""
        loss, y = self.task.network.loss, self.seen.y
        wrong = [float((loss.predict(logits) != y).sum()) for logits in self.seen.logits]
        return _filled(wrong, epochs, np.inf if self.diverged is not None else None)

    def scores(self, epochs: int) -> Array:
        """Return the score after each of so many epochs, shape (epochs,)."""
        loss, scores = self.task.network.loss, []
        for logits in self.seen.logits:
            tally = tally_for(loss)
            tally.add(loss, logits, self.seen.y)
            scores.append(tally.value())
        return _filled(scores, epochs, None)

    def logits(self, epoch: int) -> Array:
        """Return the logits after an epoch, counted from 0; after the last one, those."""
        return self.seen.logits[min(epoch, len(self.seen.logits) - 1)]

    def answers(self, epoch: int, temperature: float = 1.0) -> Answers:
        """Return the answers after an epoch, counted from 0, of classes by a temperature."""
        target = self.task.recipe.target
        if isinstance(target, ClassTarget):
            target = replace(target, temperature=temperature)
        return answers(self.task.network, target, self.fold, self.logits(epoch))


def _filled(values: list[float], count: int, after: float | None) -> Array:
    """Go on with a number, or with the last value: whoever converged would stay there."""
    last = values[-1] if after is None else after
    return np.array([*values, *[last] * (count - len(values))], dtype=np.float64)


class _AfterEpochs(Callback):
    """Keep the logits (n, K) of a fold and the sum of their losses after each epoch.

    It goes all the way: to end where a fold gets no better would be a choice of its own samples.
    """

    def __init__(self, network: Network, X: Any, y: Array) -> None:
        self.X, self.y = X, network.targets(y)
        self.logits: list[Array] = []
        self.losses: list[float] = []

    def on_epoch_end(self, run: Run) -> None:
        """Ask the network as it is now."""
        self.look(run.write_back())

    def look(self, network: Network) -> None:
        """Put down what a network answers."""
        logits = network.logits(self.X)
        self.logits.append(logits)
        self.losses.append(float(network.loss.each(logits, self.y)[0].sum()))

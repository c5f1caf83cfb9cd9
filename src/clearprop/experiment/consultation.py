"""The doctor's look at a run by its folder, or at data by a short training; and its treatment."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clearprop.data import Dataset, Problem
from clearprop.doctor import Doctor, Examination, Finding, Names
from clearprop.doctor.catalogue import findings, look
from clearprop.errors import DataError
from clearprop.experiment import folder as run_folder
from clearprop.experiment.evaluation import Evaluation
from clearprop.experiment.folder import beside, free_folder, save_run, save_settings
from clearprop.experiment.learning import Trained, case_of, learn
from clearprop.experiment.loading import load_dataset
from clearprop.experiment.measuring import Measured, Part, measure
from clearprop.experiment.runs import HISTORY, REPORT, read_report, require_run
from clearprop.experiment.settings import Settings
from clearprop.experiment.task import Task, set_task
from clearprop.training import Callback, History
from clearprop.training.samples import steps_per_epoch

_UPDATES = 1500  # of a short training
_FEWEST_EPOCHS = 3
_MOST_ROUNDS = 6  # of advice that is followed
_FAR = 1.5  # times the lowest validation loss


def examine_run(
    folder: Path, data: str | None = None, callbacks: Sequence[Callback] = ()
) -> Examination:
    """Examine a run by what stands in its folder, and by its data, which may lie elsewhere now.

    A run that diverged is repeated up to there: the same seed gives the same bits.

    Raises
    ------
    UsageError
        If there is no run, or its data are not found and `data` is None.
    DataError
        If not a single epoch was finished.
    """
    saved = require_run(str(folder))
    settings = saved.on(data, again=True)
    task = set_task(settings, load_dataset(settings, kept_in=beside(folder)))
    task = task.with_settings(replace(task.settings, **saved.chosen))
    model, history = saved.model, History.load(folder / HISTORY)
    history.stopped = str(model.training.get("stopped"))
    if history.stopped == "diverged":
        again, found = _examine_training(task, callbacks)
        if again.history.stopped == "diverged":
            return found
        return look(case_of(task, history, model.network)).named(_names(task))  # a fold did it
    if not len(history) and history.stopped in ("converged", "stuck"):
        raise DataError(
            f"The run in {folder} ended before its first epoch, because {task.settings.optimizer} "
            "finds no way down from the first weights. Draw others: --init, or --seed."
        )
    if not len(history):
        raise DataError(
            f"{folder / HISTORY} has no finished epoch, so there is nothing to examine. Go on with "
            f"the run: clearprop train --resume --out {folder}"
        )
    if model.network.input_shape != task.network.input_shape:
        raise DataError(
            f"{task.settings.data} gives samples of shape {task.network.input_shape}, the run's "
            f"model takes {model.network.input_shape}. Give the data that it was trained on."
        )
    return look(case_of(task, history, model.network)).named(_names(task))


def examine_data(
    settings: Settings, dataset: Dataset, callbacks: Sequence[Callback] = ()
) -> Examination:
    """Examine a short training on a data set that `load_dataset` gave, and the data themselves."""
    task = set_task(settings, dataset)
    resolved = task.settings
    batch_size = resolved.batch_size or None
    updates = steps_per_epoch(len(task.train), batch_size)
    epochs = min(max(_UPDATES // updates, _FEWEST_EPOCHS), resolved.epochs or _UPDATES)
    _, found = _examine_training(task.with_settings(replace(resolved, epochs=epochs)), callbacks)
    return found


def needs_doctor(trained: Trained, measured: Measured) -> bool:
    """Whether something went wrong that may have a remedy.

    The loss exploded or rose, the weights that are kept have a far higher validation loss than
    others had, or the score is no better than what it has to beat. What training learned by heart
    after the epoch that is kept does no harm.
    """
    score = measured.score
    if score is not None and (score.beats("constant") is False or _is_below_linear(score)):
        return True
    case = case_of(trained.task, trained.history)
    return trained.diverged is not None or case.has_risen or _is_far_from_best(trained.history)


def first_finding(trained: Trained) -> Finding | None:
    """Return the most harmful finding of a training that has just ended; None if it is healthy."""
    task = trained.task
    found = next(findings(case_of(task, trained.history)), None)
    return None if found is None else _names(task).put_into(found)


def _is_below_linear(found: Evaluation) -> bool:
    """Whether a score is below a linear model's by more than chance, as a share of so many."""
    other = found.baselines.get("linear", {}).get(found.score_name, -math.inf)
    share = min(max(other, 0.0), 1.0)
    return found.score < other - 2 * math.sqrt(share * (1 - share) / found.samples)


def _is_far_from_best(history: History) -> bool:
    if "validation_loss" not in history.columns:
        return False
    losses = history["validation_loss"]
    return losses[(history.best_epoch or len(losses)) - 1] > _FAR * min(losses)


@dataclass(frozen=True)
class Treatment:
    """A training anew with the advice of a finding.

    Parameters
    ----------
    finding : Finding
    folder : Path
        The new run.
    before, after : mapping of str to object
        The scores of the run that had the finding, and of the new one, as reports tell them; empty
        where there are none.
    chosen_by : {"validation", "folds", "train"} or None
        The part whose scores say which of both is better; None where only one has any.
    score_chose : bool
        Whether that is the part which gives the scores, too.
    diverged : str or None
        What is to be said if the new one diverged.
    undrawn : list of Problem
        The pictures of the new one that could not be drawn.
    found : Examination
        The findings that are left: of the better one of the two.
    best : Path
        The better one.
    """

    finding: Finding
    folder: Path
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    chosen_by: Part | None
    score_chose: bool
    diverged: str | None
    undrawn: list[Problem]
    found: Examination
    best: Path


def treat(
    folder: Path, found: Examination, data: str | None, callbacks: Sequence[Callback] = ()
) -> Iterator[Treatment]:
    """Train anew with the first advice, examine that, and so on until healthy or out of advice.

    Every run gets a new folder beside the first one. Advice that makes it worse is not gone on
    with: by the samples that chose the epoch, which give no score.
    """
    settings = require_run(str(folder)).on(data, again=True)
    best, tried, before = folder, [settings], read_report(folder / REPORT)
    while len(tried) <= _MOST_ROUNDS:
        every = [(one, one.apply(settings)) for one in found if one.changes]
        advised = next((pair for pair in every if pair[1] not in tried), None)
        if advised is None:
            return
        finding, changed = advised
        tried.append(changed)
        new = free_folder(folder)
        undrawn = _train(changed, new, callbacks)
        after = read_report(new / REPORT)
        part, is_worse = _compare(before, after)
        scores = _score_in(before), _score_in(after)
        if not is_worse:
            settings, best, before, found = changed, new, after, examine_run(new, None, callbacks)
        chose = part == "folds" and not after.get("test")
        yield Treatment(finding, new, *scores, part, chose, after["diverged"], undrawn, found, best)


def _score_in(report: Mapping[str, Any]) -> Mapping[str, Any]:
    return report.get("test") or report.get("folds") or {}


def _compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Part | None, bool]:
    """Return the part by which two runs are compared, and whether the second one is worse.

    It is where it alone diverged, or where both its score and its loss are worse: one alone may be
    so by chance.
    """
    if bool(before.get("diverged")) != bool(after.get("diverged")):
        return None, bool(after.get("diverged"))
    parts: tuple[Part, ...] = ("validation", "folds", "train")
    part = next((one for one in parts if before.get(one) and after.get(one)), None)
    if part is None:
        return None, bool(_score_in(before))
    one, other = before[part], after[part]
    name = one["score"]
    # Null stands for what is not finite.
    scores = [-math.inf if of[name] is None else of[name] for of in (one, other)]
    losses = [math.inf if of["loss"] is None else of["loss"] for of in (one, other)]
    return part, scores[1] < scores[0] and losses[1] > losses[0]


def _train(settings: Settings, folder: Path, callbacks: Sequence[Callback]) -> list[Problem]:
    """Train and save a run; return the pictures that could not be drawn."""
    task = set_task(settings, load_dataset(settings, kept_in=beside(folder)))
    save_settings(folder, task.settings)
    trained = learn(task, callbacks=callbacks)
    measured = measure(trained).with_importance(trained.task)
    save_run(folder, trained, measured)
    model, found = measured.model, measured.score
    _, undrawn = run_folder.draw_run(
        folder, model, trained.history, found, measured.scored, measured.importance
    )
    if trained.history.stopped == "interrupted":
        raise KeyboardInterrupt
    return undrawn


def _examine_training(task: Task, callbacks: Sequence[Callback]) -> tuple[Trained, Examination]:
    """Watch a training on all samples: what is wrong with it is wrong in every fold, too."""
    doctor = Doctor()
    alone = replace(task, settings=replace(task.settings, folds=0))
    trained = learn(alone, callbacks=[*callbacks, doctor])
    if trained.history.stopped == "interrupted":
        raise KeyboardInterrupt
    return trained, doctor.examination.named(_names(alone))


def _names(task: Task) -> Names:
    learned, held_out = task.for_doctor()
    features = task.recipe.inputs.input_names
    return Names(task.train.class_names, learned.source, (held_out or learned).source, features)

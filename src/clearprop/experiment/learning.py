"""Training: up to the epoch that samples which are not learned from have chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from clearprop.configuration import Json
from clearprop.doctor.case import Case
from clearprop.errors import DivergedError
from clearprop.experiment.answers import answers_of
from clearprop.experiment.coverage import fit_coverage
from clearprop.experiment.cross_validation import OutOfFold, cross_validate
from clearprop.experiment.settings import Settings
from clearprop.experiment.task import Task
from clearprop.experiment.temperature import Temperature, fit_temperature
from clearprop.experiment.thresholds import Threshold, choose
from clearprop.experiment.values import Place
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import ClassTarget
from clearprop.training import Callback, Checkpoint, History
from clearprop.training.samples import checked_samples


@dataclass(frozen=True)
class Trained:
    """The outcome of a training.

    Parameters
    ----------
    task : Task
    model : Model
    history : History
    diverged : DivergedError or None
        If the loss stopped being finite, and the model has the last good weights; or if it ended
        out of all proportion.
    out_of_fold : OutOfFold or None
        The outcome of cross-validation, where there was one.
    threshold : Threshold or None
        The threshold that the model got, where one was asked for.
    temperature : Temperature or None
        The temperature that the model got; None for values.
    """

    task: Task
    model: Model
    history: History
    diverged: DivergedError | None = None
    out_of_fold: OutOfFold | None = None
    threshold: Threshold | None = None
    temperature: Temperature | None = None


def learn(
    task: Task,
    *,
    callbacks: Sequence[Callback] = (),
    in_folds: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    resume: bool = False,
) -> Trained:
    """Train the network of a task; where the loss stops being finite, say so in the outcome.

    The epoch with the best validation loss is kept. Where there are folds, they choose it, and all
    samples are learned from up to there.

    Parameters
    ----------
    task : Task
    callbacks : sequence of Callback
    in_folds : sequence of Callback
        The callbacks of each training without a fold.
    checkpoint : Checkpoint, optional
    resume : bool, default False
        Whether training goes on from the checkpoint, if there is one. Folds, which have none, are
        trained again, to the same bits.
    """
    diverged, found = None, None
    trainer = task.trainer()
    try:
        if task.settings.folds:
            found = cross_validate(task, in_folds)
            task = replace(task.with_settings(found.settings), how=task.how + found.notes)
            trainer = replace(task.trainer(), epochs=found.epoch)
        history = trainer.fit(
            task.network,
            *task.given,
            validation=None if task.validation is None else task.prepared(task.validation),
            callbacks=callbacks,
            checkpoint=checkpoint,
            resume=resume,
        )
    except DivergedError as error:
        diverged, history = error, error.history
    if found is not None:
        diverged = diverged or found.diverged
        for row, mean in zip(history.rows, found.curve, strict=False):
            late = {name: row.pop(name) for name in ("learning_rate", "seconds") if name in row}
            row |= mean | late
        history.best_epoch = found.epoch if history.stopped == "finished" else None
    if diverged is None:
        diverged = _exploded(case_of(task, history))
    elif history.stopped != "interrupted":
        history.stopped = "diverged"  # perhaps of a fold
    temperature = _temperature(task, found)
    if temperature is not None and isinstance(task.recipe.target, ClassTarget):
        task = task.with_target(replace(task.recipe.target, temperature=temperature.value))
    threshold = _threshold(task, found)
    if threshold is not None:
        task = task.with_target(threshold.target)
    share, rows = task.settings.coverage, task.calibration
    if share is not None and rows is not None and diverged is None:
        task = task.with_target(fit_coverage(share, task.network, task.recipe, rows))
    model = Model(task.network, task.recipe, _summary(task.settings, history))
    return Trained(task, model, history, diverged, found, threshold, temperature)


def _temperature(task: Task, found: OutOfFold | None) -> Temperature | None:
    target, loss, held_out = task.recipe.target, task.network.loss, task.validation
    if not isinstance(target, ClassTarget):
        return None
    if found is not None:
        return found.temperature
    if held_out is None:
        return Temperature(1.0, why_one="no samples are held out but those that give the score")
    X, y = task.prepared(held_out)
    with np.errstate(all="ignore"):  # of a run that diverged
        return fit_temperature(loss, task.network.logits(X), y)


def _threshold(task: Task, found: OutOfFold | None) -> Threshold | None:
    by, target, own = task.settings.threshold, task.recipe.target, None
    if found is not None:
        return found.threshold
    if by is None or not isinstance(target, ClassTarget):
        return None
    if task.validation is not None:
        own = answers_of(task.network, task.recipe, task.validation)
    return choose(by, target, own)


def case_of(task: Task, history: History, network: Network | None = None) -> Case:
    """Return a training as a case for the doctor.

    Parameters
    ----------
    task : Task
    history : History
    network : Network, optional
        The trained network; that of the task unless given.
    """
    network = network or task.network
    start = network.copy()
    start.initialize(network.seed)
    task.begin(start)
    learned, held_out = task.for_doctor()
    return Case(
        network=network,
        start=start,
        samples=checked_samples(network, *task.prepared(learned)),
        held_out=None if held_out is None else checked_samples(network, *task.prepared(held_out)),
        trainer=task.trainer(),
        history=history,
        chosen=task.chosen,
    )


def _exploded(case: Case) -> DivergedError | None:
    """Say so where the loss is finite, and out of all proportion."""
    with np.errstate(all="ignore"):
        if not case.has_exploded:
            return None
    rate = "" if case.rate is None else f", with a learning rate of up to {case.rate:.3g}"
    return DivergedError(
        f"The loss rose to {case.largest_loss:.3g}, and was {case.start_loss:.3g} before "
        f"training{rate}: training diverged.",
        case.history,
    )


def _summary(settings: Settings, history: History) -> dict[str, Json]:
    # Nothing here depends on the clock, or on where the data lie: the same run gives the same
    # model file, and whoever is given it learns of no folder.
    last = history.rows[(history.best_epoch or len(history)) - 1] if len(history) else {}
    return {
        "settings": settings.with_places(Place.last_part).to_json(),
        "stopped": history.stopped,
        **{name: value for name, value in last.items() if name != "seconds"},
    }

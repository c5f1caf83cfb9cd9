"""The doctor's look at a run by its folder, or at data by a short training."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from clearprop.data import Dataset
from clearprop.doctor import Doctor, Examination, Names, examine
from clearprop.errors import DataError
from clearprop.experiment.building import build_trainer
from clearprop.experiment.learning import learn
from clearprop.experiment.runs import HISTORY, require_run
from clearprop.experiment.settings import Settings
from clearprop.experiment.task import Task, load_dataset, set_task
from clearprop.training import Callback, History
from clearprop.training.samples import steps_per_epoch

_UPDATES = 1500  # of a short training
_FEWEST_EPOCHS = 3


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
    settings = saved.on(data)
    task = set_task(settings, load_dataset(settings))
    model, history = saved.model, History.load(folder / HISTORY)
    history.stopped = str(model.training.get("stopped"))
    if history.stopped == "diverged":
        return _examine_training(task, callbacks)
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
    found = examine(
        model.network,
        *task.prepared(task.train),
        validation=None if task.validation is None else task.prepared(task.validation),
        trainer=build_trainer(task.settings, len(task.train)),
        history=history,
        start=task.network,
    )
    return found.named(_names(task))


def examine_data(
    settings: Settings, dataset: Dataset, callbacks: Sequence[Callback] = ()
) -> Examination:
    """Examine a short training on a data set that `load_dataset` gave, and the data themselves."""
    task = set_task(settings, dataset)
    resolved = task.settings
    batch_size = resolved.batch_size or None
    updates = steps_per_epoch(len(task.train), batch_size)
    epochs = min(max(_UPDATES // updates, _FEWEST_EPOCHS), resolved.epochs or _UPDATES)
    return _examine_training(replace(task, settings=replace(resolved, epochs=epochs)), callbacks)


def _examine_training(task: Task, callbacks: Sequence[Callback]) -> Examination:
    doctor = Doctor()
    once = replace(task, settings=replace(task.settings, folds=0))  # folds would be five trainings
    trained = learn(once, callbacks=[*callbacks, doctor])
    if trained.history.stopped == "interrupted":
        raise KeyboardInterrupt
    return doctor.examination.named(_names(task))


def _names(task: Task) -> Names:
    held_out = task.train if task.validation is None else task.validation
    features = task.recipe.inputs.input_names
    return Names(task.train.class_names, task.train.source, held_out.source, features)

"""From settings to a trained model: load, hold out, prepare, build, train."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from clearprop.configuration import Json
from clearprop.data import Dataset, hold_out, load
from clearprop.errors import DivergedError, UsageError
from clearprop.experiment.construction import build_network, build_trainer
from clearprop.experiment.loading import naming
from clearprop.experiment.settings import Extent, Settings, resolve
from clearprop.model_file import Model
from clearprop.network import Network
from clearprop.preprocessing import Preprocessing, fit_recipe, prepare
from clearprop.training import Callback, Checkpoint, History


@dataclass(frozen=True)
class Task:
    """Data, network and settings, ready to train.

    Parameters
    ----------
    settings : Settings
        Resolved: no None is left that training needs.
    recipe : Preprocessing
        Fitted to `train`.
    network : Network
        With its first weights.
    train : Dataset
    held_out : Dataset or None
        For validation.
    test : Dataset or None
        That came with the data.
    """

    settings: Settings
    recipe: Preprocessing
    network: Network
    train: Dataset
    held_out: Dataset | None
    test: Dataset | None


@dataclass(frozen=True)
class Trained:
    """What training left.

    Parameters
    ----------
    task : Task
    model : Model
    history : History
    diverged : DivergedError or None
        If the loss stopped being finite: the model then has the last good weights.
    """

    task: Task
    model: Model
    history: History
    diverged: DivergedError | None = None


def load_dataset(settings: Settings, name_or_path: str | None = None) -> Dataset:
    """Load the data of a run, or other data in the same way.

    Parameters
    ----------
    settings : Settings
    name_or_path : str, optional
        Other data than ``settings.data``.

    Returns
    -------
    Dataset
    """
    return load(name_or_path or settings.data, target=settings.target, size=settings.size)


def set_task(settings: Settings, dataset: Dataset) -> Task:
    """Hold samples out, fit the recipe, resolve the settings, and build the network.

    Parameters
    ----------
    settings : Settings
    dataset : Dataset
        That `load_dataset` gave.

    Returns
    -------
    Task

    Raises
    ------
    DataError, ShapeError
        If there is nothing to learn, not enough to hold some out, or data for validation or testing
        are of another kind.
    UsageError
        If the settings can't be used with these data.
    """
    features = fit_recipe(dataset).inputs.input_shape
    extent = Extent(len(dataset), math.prod(features), has_test_set=dataset.test is not None)
    settings = resolve(settings, extent)
    train, held_out = _held_out(settings, dataset)
    recipe = fit_recipe(train)
    for other in (held_out, dataset.test):
        if other is not None:
            with naming(other.name):
                recipe.inputs.check(other.X)
                recipe.target.encode(other)
    return Task(settings, recipe, build_network(settings, recipe), train, held_out, dataset.test)


def learn(
    task: Task,
    *,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    resume: bool = False,
) -> Trained:
    """Train the network of a task.

    Parameters
    ----------
    task : Task
    callbacks : sequence of Callback
    checkpoint : Checkpoint, optional
    resume : bool, default False
        Go on from the checkpoint, if there is one.

    Returns
    -------
    Trained
        Also where the loss stopped being finite.
    """
    settings, network, recipe = task.settings, task.network, task.recipe

    def prepared(dataset: Dataset) -> tuple[object, object]:
        return (
            prepare(dataset.X, recipe.inputs, network.dtype),
            recipe.target.encode(dataset),
        )

    diverged = None
    try:
        history = build_trainer(settings, len(task.train)).fit(
            network,
            *prepared(task.train),
            validation=prepared(task.held_out) if task.held_out is not None else None,
            callbacks=callbacks,
            checkpoint=checkpoint,
            resume=resume,
        )
    except DivergedError as error:
        diverged, history = error, error.history
    model = Model(network, recipe, _summary(settings, history))
    return Trained(task, model, history, diverged)


def _held_out(settings: Settings, dataset: Dataset) -> tuple[Dataset, Dataset | None]:
    validation = settings.validation or "0"
    try:
        share = float(validation)
    except ValueError:
        return dataset, load_dataset(settings, validation)
    if share == 0:
        return dataset, None
    if not 0 < share < 1:
        raise UsageError(
            f"A validation share lies between 0 and 1, found {validation}; 0 holds nothing out, "
            "and a path or name gives data of their own."
        )
    return hold_out(dataset, share, settings.seed)


def _summary(settings: Settings, history: History) -> dict[str, Json]:
    # Nothing here depends on the clock: the same run gives the same model file.
    last = history.rows[(history.best_epoch or len(history)) - 1] if len(history) else {}
    return {
        "settings": settings.to_json(),
        "stopped": history.stopped,
        **{name: value for name, value in last.items() if name != "seconds"},
    }

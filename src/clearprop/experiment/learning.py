"""From settings to a trained model: load, hold out, prepare, build, train.

Other data are loaded as the model's own were.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clearprop import preprocessing
from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.data import Dataset, Table, hold_out, load
from clearprop.data.format import Format
from clearprop.data.loading import format_of
from clearprop.data.pictures.folders import as_deep
from clearprop.data.splitting import hold_out_groups, hold_out_latest, without_column
from clearprop.data.tables.table import role_of
from clearprop.errors import DataError, DivergedError, UsageError, listed, naming
from clearprop.experiment.building import build_network, build_trainer
from clearprop.experiment.settings import Extent, Settings, reading_of, resolve
from clearprop.experiment.target_scale import on_scale
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.training import Callback, Checkpoint, History


@dataclass(frozen=True)
class Task:
    """Data, network and settings, ready to train.

    Parameters
    ----------
    settings : Settings
        The settings, resolved: no None is left that training needs.
    recipe : Preprocessing
        The recipe, fitted to `train`.
    network : Network
        The network with its first weights.
    train : Dataset
    held_out : Dataset or None
        The samples for validation.
    test : Dataset or None
        The test set that came with the data.
    notes : tuple of str
        Sentences on what was held out and on which scale is learned, where that is not the usual.
    """

    settings: Settings
    recipe: preprocessing.Preprocessing
    network: Network
    train: Dataset
    held_out: Dataset | None
    test: Dataset | None
    notes: tuple[str, ...] = ()

    def prepared(self, dataset: Dataset) -> tuple[Array | preprocessing.PreparedRows, Array]:
        """Return X, shape (N, *input_shape), and y of a data set as the network takes them."""
        X = preprocessing.prepare(dataset.X, self.recipe.inputs, self.network.dtype)
        return X, self.recipe.target.encode(dataset)


@dataclass(frozen=True)
class Trained:
    """The outcome of a training.

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
    """Load the data of a run, or other data in the same way."""
    dataset = load(name_or_path or settings.data, reading=reading_of(settings), size=settings.size)
    columns = tuple(
        replace(one, is_used=False, remark="rows are held out by it")
        if one.name == _no_input(settings) and one.kind != "target"
        else one
        for one in dataset.columns
    )
    return replace(dataset, columns=columns)


def recipe_of(
    model: Model, purpose: str, otherwise: str = "call predict on its network"
) -> preprocessing.Preprocessing:
    """Return a model's recipe, or raise UsageError if it has none and so can't serve a purpose."""
    if model.preprocessing is None:
        raise UsageError(
            f"This model was saved without preprocessing, so it can't {purpose}. Prepare arrays "
            f"yourself, and {otherwise}."
        )
    return model.preprocessing


def read_as(model: Model, said: Mapping[str, Any]) -> Model:
    """Return a model that reads the text of tables in another form, as far as it is said.

    Raises
    ------
    UsageError
        If something is said, and the model takes no table.
    """
    given = {name: value for name, value in said.items() if value is not None}
    if not given:
        return model
    recipe = recipe_of(model, "read files")
    if not isinstance(recipe.inputs, preprocessing.TableRecipe):
        raise UsageError(f"--{next(iter(given))} says how a table is read; the model takes none.")
    inputs = replace(recipe.inputs, form=replace(recipe.inputs.form, **given))
    return replace(model, preprocessing=replace(recipe, inputs=inputs))


def load_for(model: Model, name_or_path: str) -> Dataset:
    """Load data in the form that a model takes: its columns, its size of pictures."""
    recipe = model.preprocessing
    if recipe is None:
        return load(name_or_path)
    inputs = recipe.inputs
    if isinstance(inputs, preprocessing.PictureRecipe):
        dataset = load(name_or_path, size=inputs.size, channels=inputs.channels)
        return as_deep(dataset, inputs.depth)
    path = Path(name_or_path)
    owner = format_of(path)
    if owner is None or not owner.has_columns:
        return load(name_or_path)
    reading = recipe.reading(_target_in(path, owner, recipe))
    dataset = load(name_or_path, reading=reading)
    if isinstance(inputs, preprocessing.ArrayRecipe) and isinstance(dataset.X, Table):
        X = preprocessing.array_of(dataset.X, inputs, name_or_path)
        return replace(dataset, kind="array", X=X, feature_names=None, columns=())
    return dataset


def _target_in(path: Path, owner: Format, recipe: preprocessing.Preprocessing) -> str | None:
    """Return a table's column that was learned: by its name, else the only one that is no input."""
    target, inputs = recipe.target.name, recipe.inputs
    if target is not None or not isinstance(inputs, preprocessing.TableRecipe):
        return target
    others = [name for name in owner.column_names(path, inputs.form) if name not in inputs.roles]
    if len(others) != 1:
        raise DataError(
            f"{path} has {listed(map(repr, others)) or 'no column'} besides those that the "
            "model takes; expected one, the target."
        )
    return others[0]


def set_task(settings: Settings, dataset: Dataset) -> Task:
    """Hold samples out, fit the recipe, resolve the settings, and build the network.

    Raises
    ------
    DataError, ShapeError
        If there is nothing to learn, not enough to hold some out, or data for validation or testing
        are of another kind.
    UsageError
        If the settings can't be used with these data.
    """
    no_input = _no_input(settings)
    inputs = dataset if no_input is None else without_column(dataset, no_input)
    features = preprocessing.fit_inputs(inputs).input_shape
    extent = Extent(
        len(dataset),
        math.prod(features),
        has_test_set=dataset.test is not None,
        has_validation_set=dataset.validation is not None and _followed(settings) is None,
    )
    settings = resolve(settings, extent)
    train, held_out, notes = _held_out(settings, dataset)
    if train.class_names is None and (train.y == train.y[0]).all():
        raise DataError(
            f"{dataset.name}: every value of {dataset.target_name!r} that is trained on is "
            f"{train.y.flat[0]:g}, so there is nothing to learn. Name another target, or add "
            "samples with other values."
        )
    recipe = preprocessing.fit_recipe(train)
    others = [other for other in (held_out, inputs.test) if other is not None]
    scale, recipe, more = on_scale(settings, recipe, train, others)
    settings = replace(settings, target_scale=scale)  # a run that goes on need not choose again
    for other in others:
        with naming(other.name):
            recipe.inputs.check(other.X)
            recipe.target.encode(other)
    network = build_network(settings, recipe)
    return Task(settings, recipe, network, train, held_out, inputs.test, notes + more)


def learn(
    task: Task,
    *,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    resume: bool = False,
) -> Trained:
    """Train the network of a task; where the loss stops being finite, say so in the outcome.

    With `resume`, training goes on from the checkpoint, if there is one.
    """
    settings, diverged = task.settings, None
    try:
        history = build_trainer(settings, len(task.train)).fit(
            task.network,
            *task.prepared(task.train),
            validation=None if task.held_out is None else task.prepared(task.held_out),
            callbacks=callbacks,
            checkpoint=checkpoint,
            resume=resume,
        )
    except DivergedError as error:
        diverged, history = error, error.history
    model = Model(task.network, task.recipe, _summary(settings, history))
    return Trained(task, model, history, diverged)


def _held_out(
    settings: Settings, dataset: Dataset
) -> tuple[Dataset, Dataset | None, tuple[str, ...]]:
    """Return the samples to train on, those to validate with, and what is to be said of them."""
    validation = settings.validation
    if validation is None:
        return dataset, dataset.validation, ()
    try:
        share = float(validation)
    except ValueError:
        share = None
    if (option := _followed(settings)) and not share:
        raise UsageError(
            f"--{option} says which part of the data is held out, and --validation {validation} "
            f"holds none of them out. Give a share such as 0.2, or leave --{option} out."
        )
    if share is None:
        return dataset, _load_alike(settings, dataset, validation), ()
    if share == 0:
        return dataset, None, ()
    if not 0 < share < 1:
        raise UsageError(
            f"A validation share lies between 0 and 1, found {validation}; 0 holds nothing out, "
            "and a path or name gives data of their own."
        )
    if settings.group is not None:
        train, held, note = hold_out_groups(dataset, settings.group, share, settings.seed)
        return train, held, (note,)
    if settings.time is not None:
        train, held, note = hold_out_latest(dataset, settings.time, share)
        if _no_input(settings) is not None:
            train, held = (without_column(part, settings.time) for part in (train, held))
        return train, held, (note,)
    return *hold_out(dataset, share, settings.seed), ()


def _followed(settings: Settings) -> str | None:
    if settings.group is not None and settings.time is not None:
        raise UsageError(
            "Rows are held out by --group or by --time, and not by both: leave one out."
        )
    return "group" if settings.group is not None else "time" if settings.time is not None else None


def _no_input(settings: Settings) -> str | None:
    """Return the column that rows are held out by, and that is not learned from."""
    if settings.group is not None:
        return settings.group
    return settings.time if settings.time in (settings.drop or ()) else None


def _load_alike(settings: Settings, dataset: Dataset, path: str) -> Dataset:
    """Load samples for validation, the columns of a table as those that are trained on."""
    reading = reading_of(settings)
    if isinstance(dataset.X, Table):
        roles = {name: role_of(column) for name, column in dataset.X.columns.items()}
        task = "regress" if dataset.class_names is None else "classify"
        reading = replace(reading, target=dataset.target_name, task=task, roles=roles)
    return as_deep(load(path, reading=reading, size=settings.size), dataset.depth)


def _summary(settings: Settings, history: History) -> dict[str, Json]:
    # Nothing here depends on the clock: the same run gives the same model file.
    last = history.rows[(history.best_epoch or len(history)) - 1] if len(history) else {}
    return {
        "settings": settings.to_json(),
        "stopped": history.stopped,
        **{name: value for name, value in last.items() if name != "seconds"},
    }

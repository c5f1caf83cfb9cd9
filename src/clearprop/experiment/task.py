"""From settings and data to a task that is ready to train; other data, loaded as a model's own."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clearprop import preprocessing
from clearprop.core.parameters import Array
from clearprop.data import Dataset, Table, load
from clearprop.data.format import Format
from clearprop.data.loading import format_of
from clearprop.data.pictures.folders import as_deep
from clearprop.data.splitting import without_column
from clearprop.errors import DataError, UsageError, listed, naming
from clearprop.experiment.building import build_network
from clearprop.experiment.defaults import Extent
from clearprop.experiment.l2_trial import with_tried_l2
from clearprop.experiment.parts import Parts, column_not_learned, column_to_follow, split
from clearprop.experiment.settings import Settings, reading_of, resolve
from clearprop.experiment.target_scale import on_scale
from clearprop.experiment.thresholds import require_threshold
from clearprop.files.models import Model
from clearprop.network import Network


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
    parts : Parts
        The samples to learn from, to choose with and to score with.
    trial_notes : tuple of str
        Sentences on what short trainings decided: the scale of values, the strength of L2.
    """

    settings: Settings
    recipe: preprocessing.Preprocessing
    network: Network
    parts: Parts
    trial_notes: tuple[str, ...] = ()

    @property
    def train(self) -> Dataset:
        """The samples to learn from."""
        return self.parts.train

    @property
    def validation(self) -> Dataset | None:
        """The samples that choose the epoch."""
        return self.parts.validation

    @property
    def test(self) -> Dataset | None:
        """The samples that give the score."""
        return self.parts.test

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was held out and how it is learned, where that is not the usual."""
        return self.parts.notes + self.trial_notes

    def prepared(self, dataset: Dataset) -> tuple[Array | preprocessing.PreparedRows, Array]:
        """Return X, shape (N, *input_shape), and y of a data set as the network takes them."""
        X = preprocessing.prepare(dataset.X, self.recipe.inputs, self.network.dtype)
        return X, self.recipe.target.encode(dataset)


def load_dataset(settings: Settings, name_or_path: str | None = None) -> Dataset:
    """Load the data of a run, or other data in the same way."""
    dataset = load(name_or_path or settings.data, reading=reading_of(settings), size=settings.size)
    columns = tuple(
        replace(one, is_used=False, remark="rows are held out by it")
        if one.name == column_not_learned(settings) and one.kind != "target"
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
    """Resolve the settings, hold samples out, fit the recipe, and build the network.

    Raises
    ------
    DataError, ShapeError
        If there is nothing to learn, not enough to hold some out, or data for validation or testing
        are of another kind.
    UsageError
        If the settings can't be used with these data.
    """
    no_input = column_not_learned(settings)
    inputs = dataset if no_input is None else without_column(dataset, no_input)
    resolved = resolve_for(settings, dataset, preprocessing.fit_inputs(inputs).input_shape)
    task = task_of(resolved, split(resolved, dataset))
    if settings.threshold is not None:
        can_choose = bool(resolved.folds) or task.validation is not None
        require_threshold(settings.threshold, task.recipe.target, can_choose=can_choose)
    if settings.l2 is not None:
        return task
    tried, notes = with_tried_l2(resolved, task.recipe, task.parts)
    return replace(task, settings=tried, trial_notes=task.trial_notes + notes)


def resolve_for(settings: Settings, dataset: Dataset, input_shape: tuple[int, ...]) -> Settings:
    """Resolve settings by data, whose prepared samples have a shape."""
    extent = Extent(
        len(dataset),
        math.prod(input_shape),
        has_test_set=dataset.test is not None,
        has_validation_set=dataset.validation is not None and column_to_follow(settings) is None,
        is_table=dataset.kind == "table",
    )
    return resolve(settings, extent)


def task_of(settings: Settings, parts: Parts) -> Task:
    """Fit the recipe to the samples that are learned from, and build the network.

    Raises
    ------
    DataError, ShapeError
        If there is nothing to learn, or the parts don't fit each other.
    """
    train = parts.train
    if train.class_names is None and (train.y == train.y[0]).all():
        raise DataError(
            f"{train.name}: every value of {train.target_name!r} that is trained on is "
            f"{train.y.flat[0]:g}, so there is nothing to learn. Name another target, or add "
            "samples with other values."
        )
    recipe = preprocessing.fit_recipe(train)
    others = [part for part in (parts.validation, parts.test) if part is not None]
    recipe, notes = on_scale(settings, recipe, train, others)
    for other in others:
        with naming(other.name):
            recipe.inputs.check(other.X)
            recipe.target.encode(other)
    return Task(settings, recipe, build_network(settings, recipe), parts, notes)

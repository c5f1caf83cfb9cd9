"""From settings and data to a task that is ready to train; other data, loaded as a model's own."""

import math
from dataclasses import dataclass, replace
from typing import Any

from clearprop import preprocessing
from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.data.splitting import without_column
from clearprop.errors import naming
from clearprop.experiment import augmenting
from clearprop.experiment.building import build_network, build_trainer
from clearprop.experiment.candidates import CHOSEN, candidates, choose_by_trial
from clearprop.experiment.defaults import Extent, why_dense
from clearprop.experiment.expectations import expectations, require_different
from clearprop.experiment.going_on import require_unseen, take_weights, taken
from clearprop.experiment.loading import begun, recipe_of
from clearprop.experiment.parts import Parts, column_not_learned, column_to_follow, deal, split
from clearprop.experiment.runs import Saved
from clearprop.experiment.settings import Settings, resolve
from clearprop.experiment.target_scale import on_scale
from clearprop.experiment.thresholds import require_threshold
from clearprop.network import Network
from clearprop.preprocessing.array_blocks import ArrayBlocks, stays_on_disk
from clearprop.preprocessing.blocks import TableBlocks
from clearprop.preprocessing.targets import without_certainty
from clearprop.training import Trainer
from clearprop.training.table_recipe import fit_to_rows


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
    how : tuple of str
        Sentences on how it is learned, where that is not the usual.
    start : Saved or None
        The model that training goes on from.
    candidates : tuple of Settings
        The settings that folds choose from.
    """

    settings: Settings
    recipe: preprocessing.Preprocessing
    network: Network
    parts: Parts
    how: tuple[str, ...] = ()
    start: Saved | None = None
    candidates: tuple[Settings, ...] = ()

    @property
    def chosen(self) -> frozenset[str]:
        """The names of the settings that folds choose."""
        differ = {name: {getattr(one, name) for one in self.candidates} for name in CHOSEN}
        return frozenset(name for name, values in differ.items() if len(values) > 1)

    @property
    def open_settings(self) -> Settings:
        """The settings with None for those that folds are to choose, as whoever resumes needs."""
        chosen: dict[str, Any] = dict.fromkeys(self.chosen)
        return replace(self.settings, **chosen)

    def with_settings(self, settings: Settings) -> "Task":
        """Return the task with other settings, and with the network that they describe."""
        if settings == self.settings:
            return self
        network = build_network(settings, self.recipe, self.learned)
        changed = replace(self, settings=settings, network=network)
        changed.begin(network)
        return changed

    def begin(self, network: Network) -> None:
        """Give a network, fresh from its seed, the first values that depend on samples, if any."""
        if self.settings.network == "table":
            fit_to_rows(network, self.prepared(self.train)[0])

    def trainer(self) -> Trainer:
        """Return the trainer of the network."""
        return build_trainer(self.settings, self.learned, self.network.loss)

    @property
    def learned(self) -> int:
        """The number of samples to learn from: those on disk where `train` is a sample of them."""
        return learned_of(self.train)

    @property
    def given(self) -> tuple[Any, Any]:
        """What a trainer takes as X and y: those of `train`, or blocks of samples on disk."""
        if self.train.whole is not None:
            return TableBlocks(self.train.whole, self.recipe, self.network.dtype), None
        if stays_on_disk(self.train):
            return ArrayBlocks(self.train, self.recipe, self.network.dtype), None
        return self.prepared(self.train)

    def with_target(self, target: preprocessing.TargetRecipe) -> "Task":
        """Return the task with another recipe of its target, and the same network."""
        return replace(self, recipe=replace(self.recipe, target=target))

    @property
    def train(self) -> Dataset:
        """The samples to learn from."""
        return self.parts.train

    @property
    def validation(self) -> Dataset | None:
        """The samples that choose, and give no score."""
        return self.parts.validation

    @property
    def test(self) -> Dataset | None:
        """The samples that give the score."""
        return self.parts.test

    @property
    def calibration(self) -> Dataset | None:
        """The samples that a coverage is fitted to, and nothing else."""
        return self.parts.calibration

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was held out and how it is learned, where that is not the usual."""
        return self.parts.notes + self.how

    def for_doctor(self) -> tuple[Dataset, Dataset | None]:
        """Return samples to learn from, and others to judge advice by: of folds, the first."""
        if not self.settings.folds:
            held_out = self.validation
            return self.train.in_memory(), None if held_out is None else held_out.in_memory()
        return deal(self.settings, self.train, self.settings.folds)[0]

    def prepared(self, dataset: Dataset) -> tuple[Array | preprocessing.PreparedRows, Array]:
        """Return X, shape (N, *input_shape), and y of a data set as the network takes them."""
        X = preprocessing.prepare(dataset.X, self.recipe.inputs, self.network.dtype)
        return X, self.recipe.target.encode(dataset)


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
    resolved = resolve_for(settings, dataset, preprocessing.input_shape_of(inputs))
    start = None if settings.start is None else begun(resolved, settings.start)
    if start is not None:
        require_unseen(start, resolved, dataset)
    task = task_of(resolved, split(resolved, dataset), start)
    names, words = dataset.class_names or (), resolved.augment or ()
    augmented = augmenting.in_words(settings.augment, words, len(dataset), names)
    said = expectations(resolved, task.network, dataset)
    task = replace(task, how=task.how + why_dense(settings, resolved) + augmented + said)
    if settings.threshold is not None:
        can_choose = bool(resolved.folds) or task.validation is not None
        require_threshold(settings.threshold, task.recipe.target, can_choose=can_choose)
    tried = candidates(settings, resolved, dataset.kind)
    if resolved.folds:
        return replace(task, candidates=tried)
    chosen, notes = choose_by_trial(tried, task.recipe, task.parts)
    return replace(task.with_settings(chosen), how=task.how + notes)


def resolve_for(settings: Settings, dataset: Dataset, input_shape: tuple[int, ...]) -> Settings:
    """Resolve settings by data, whose prepared samples have a shape."""
    extent = Extent(
        learned_of(dataset),
        math.prod(input_shape),
        has_test_set=dataset.test is not None,
        has_validation_set=dataset.validation is not None and column_to_follow(settings) is None,
        is_table=dataset.kind == "table",
        shape=input_shape,
        are_pictures=dataset.kind == "pictures" and len(input_shape) > 1,
        are_files=dataset.sources is not None,
        class_names=dataset.class_names or (),
        is_on_disk=dataset.whole is not None or stays_on_disk(dataset),
    )
    return resolve(settings, extent)


def task_of(settings: Settings, parts: Parts, start: Saved | None = None) -> Task:
    """Fit the recipe to the samples that are learned from, and build the network.

    Where training goes on from a model, its recipe and its weights are taken.

    Raises
    ------
    DataError, ShapeError
        If there is nothing to learn, or the parts don't fit each other.
    """
    train = parts.train
    require_different(train)
    held_out = (parts.validation, parts.test, parts.calibration)
    others = [part for part in held_out if part is not None]
    if start is None:
        recipe = preprocessing.fit_recipe(train, robust=settings.network == "table")
        recipe, how = on_scale(settings, recipe, train, others)
    else:
        recipe, how = recipe_of(start.model, "train on"), (taken(start, settings),)
        recipe = replace(recipe, target=without_certainty(recipe.target))
    for other in others if start is None else (train, *others):
        with naming(other.name):
            recipe.inputs.check(other.X)
            recipe.target.encode(other)
    network = build_network(settings, recipe, learned_of(train))
    task = Task(settings, recipe, network, parts, how, start)
    if start is None:
        task.begin(network)
    else:
        take_weights(network, start)
    return task


def learned_of(train: Dataset) -> int:
    """Return the number of samples that are learned from where `train` may be a sample of them."""
    return len(train) if train.whole is None else len(train.whole)

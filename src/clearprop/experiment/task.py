"""From settings and data to a task that is ready to train; other data, loaded as a model's own."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from clearprop import preprocessing
from clearprop.core.parameters import Array
from clearprop.data import Dataset, Table, load
from clearprop.data.format import Format
from clearprop.data.leaks import leaks
from clearprop.data.loading import format_of
from clearprop.data.pictures.folders import as_deep
from clearprop.data.pictures.repeated import repeated
from clearprop.data.reading import MEMORY, Role
from clearprop.data.splitting import without_column
from clearprop.data.tables.column_files import ColumnFiles
from clearprop.data.whole.survey import Told
from clearprop.data.whole.whole import Memory
from clearprop.errors import DataError, UsageError, counted, listed, naming
from clearprop.experiment import augmenting
from clearprop.experiment.backbones import backbone_of, with_backbone
from clearprop.experiment.building import build_network, build_trainer
from clearprop.experiment.candidates import CHOSEN, candidates, choose_by_trial
from clearprop.experiment.defaults import Extent, size_to_read, why_dense
from clearprop.experiment.expectations import expectations, require_different
from clearprop.experiment.parts import (
    Parts,
    column_not_learned,
    column_to_follow,
    deal,
    share_of,
    split,
)
from clearprop.experiment.runs import Saved, require_saved
from clearprop.experiment.settings import Settings, described, reading_of, resolve
from clearprop.experiment.target_scale import on_scale
from clearprop.experiment.thresholds import require_threshold
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing.array_blocks import ArrayBlocks, stays_on_disk
from clearprop.preprocessing.blocks import TableBlocks
from clearprop.preprocessing.targets import without_certainty
from clearprop.training import Trainer
from clearprop.training.table_recipe import fit_to_rows

_NONE: Mapping[str, Role] = {}

_OF_MODEL = (
    *("target", "drop", "keep", "category", "number", "task", "target_scale", "quantiles", "size"),
    *("features", "features_scale", "features_layout", "features_output"),
    *("network", "layers", "activation", "init", "batch_norm"),
)
"""Settings that a model has, so that nobody who goes on with it can change them."""

_DRAWN = ("test", "seed", "group", "time")
"""Settings that decide which samples give the score."""


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


def load_dataset(
    settings: Settings,
    name_or_path: str | None = None,
    *,
    kept_in: Path | None = None,
    tell: Callable[[ColumnFiles], Told] | None = None,
) -> Dataset:
    """Load the data of a run, or other data in the same way.

    Where training goes on from a model, they are read as that one's own.

    Parameters
    ----------
    settings : Settings
    name_or_path : str, optional
        Other data.
    kept_in : Path, optional
        The folder that keeps what was found out about tables on disk.
    tell : callable, optional
        Makes, of files that are surveyed, a callable that hears of the progress.
    """
    name_or_path = name_or_path or settings.data
    if settings.start is not None:
        return _load_more(_begun(settings, settings.start), name_or_path, settings)
    backbone = backbone_of(settings)
    size = size_to_read(settings) if backbone is None else backbone.size
    memory = Memory(settings.memory or MEMORY, kept_in, tell)
    dataset = load(name_or_path, reading=reading_of(settings), size=size, memory=memory)
    dataset = with_backbone(dataset, backbone)
    columns = tuple(
        replace(one, is_used=False, remark="rows are held out by it")
        if one.name == column_not_learned(settings) and one.kind != "target"
        else one
        for one in dataset.columns
    )
    told = leaks(dataset, (*(settings.keep or ()), column_not_learned(settings) or ""))
    return replace(dataset, columns=columns, notes=(*dataset.notes, *told, *repeated(dataset)))


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


def load_for(model: Model, name_or_path: str, also: Mapping[str, Role] = _NONE) -> Dataset:
    """Load data in the form that a model takes: its columns and some more, its size of pictures."""
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
    if also:
        drop = tuple(name for name in reading.drop if name not in also)
        reading = replace(reading, roles={**(reading.roles or {}), **also}, drop=drop)
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
    resolved = resolve_for(settings, dataset, preprocessing.input_shape_of(inputs))
    start = None if settings.start is None else _begun(resolved, settings.start)
    if start is not None:
        _require_unseen(start, resolved)
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
        recipe, how = recipe_of(start.model, "train on"), (_taken(start, settings),)
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
        _take_weights(network, start)
    return task


def learned_of(train: Dataset) -> int:
    """Return the number of samples that are learned from where `train` may be a sample of them."""
    return len(train) if train.whole is None else len(train.whole)


def _begun(settings: Settings, word: str) -> Saved:
    """Return the model that training goes on from.

    Raises
    ------
    UsageError
        If training has not made it, or a setting asks for another one.
    """
    start = require_saved(word)
    if (before := start.settings) is None:
        raise UsageError(
            f"{start.word} does not say how it was trained, so train can't go on from it. In "
            "Python: clearprop.Trainer().fit(clearprop.load(...).network, X, y)."
        )
    for name in _OF_MODEL:
        has, asked, kind = getattr(before, name), getattr(settings, name), described(before)[name]
        if has != asked:
            had = "its own" if has is None else kind.kind.write(has) or "it"
            raise UsageError(
                f"{start.word} has {had} as {name}, which belongs to the model and can't be "
                "changed as its training goes on. Leave it out, or train anew without --from."
            )
    return start


def _load_more(start: Saved, name_or_path: str, settings: Settings) -> Dataset:
    """Load data as those of the model that training goes on from, whose classes they have.

    Raises
    ------
    DataError
        If there is a class that the model does not know.
    """
    said = {name: value for name, value in vars(reading_of(settings).text).items() if value}
    also: Mapping[str, Role] = {} if settings.group is None else {settings.group: "category"}
    model = read_as(start.model, said)
    dataset = load_for(model, name_or_path, also)
    inputs = recipe_of(model, "train on").inputs
    with naming(dataset.name):
        inputs.check(dataset.X)  # more likely than classes by another name
    path = Path(name_or_path)
    if isinstance(inputs, preprocessing.TableRecipe) and (owner := format_of(path)):
        taken = {*inputs.roles, *inputs.ignored, *also, dataset.target_name}
        if extra := [name for name in owner.column_names(path, inputs.form) if name not in taken]:
            more = f"{counted(len(extra), 'column')} that {start.word} does not take, passed over: "
            dataset = replace(dataset, notes=(*dataset.notes, f"{more}{listed(extra, 5)}."))
    known, found = model.class_names, dataset.class_names
    if known is None or found is None or found == known:
        return dataset
    if new := [name for name, n in dataset.counts().items() if n and name not in known]:
        raise DataError(
            f"{dataset.name} has the class {new[0]!r}, and {start.word} knows {listed(known)}: a "
            "model learns no further class. Correct it, leave its samples out, or train anew "
            "without --from."
        )
    places = np.array([known.index(name) if name in known else 0 for name in found])
    return replace(dataset, y=places[dataset.y], class_names=known)


def _require_unseen(start: Saved, settings: Settings) -> None:
    """Refuse to score with samples that a model has learned from before training goes on.

    Raises
    ------
    UsageError
    """
    share = 0.0 if settings.test is None else share_of(settings.test)
    scored = [settings.data] if settings.folds or share or settings.coverage else []
    if share is None and settings.test is not None:
        scored.append(settings.test)
    for one, before in start.trainings():
        drawn = (*_DRAWN, "coverage") if settings.coverage else _DRAWN
        alike = all(getattr(before, name) == getattr(settings, name) for name in drawn)
        if alike and not (before.folds or settings.folds):
            continue  # the same samples were held out
        if known := next(filter(one.knows, scored), None):
            raise UsageError(
                f"{one.word} has learned from samples of {known} that would give the "
                f"score{' or the coverage' if settings.coverage else ''}. Give other data, or go "
                f"without {'--coverage and ' if settings.coverage else ''}a score: --folds 0 "
                "--test 0 --validation 0"
            )


def _taken(start: Saved, settings: Settings) -> str:
    """Say what is taken over from the model that training goes on from."""
    inputs, target = recipe_of(start.model, "train on").inputs, start.model.class_names
    learned = "the scaling of its numbers"
    if isinstance(inputs, preprocessing.TableRecipe):
        learned = "the scaling and the categories of its columns"
    elif isinstance(inputs, preprocessing.PictureRecipe):
        learned = "the size of its pictures"
    changed = [
        name
        for name in described(settings)
        if name not in ("data", "start")
        and getattr(settings, name) != getattr(start.settings, name)
    ]
    return (
        f"Goes on from {start.word}: its weights, {learned}, "
        f"{'the scale of its target' if target is None else 'its classes'} and its settings"
        f"{f', but for {listed(changed)}' if changed else ''}."
    )


def _take_weights(network: Network, start: Saved) -> None:
    """Give a network the weights of the model that training goes on from.

    Raises
    ------
    UsageError
        If it has other layers.
    """
    taken = start.model.network
    for own, other in ((network.parameters, taken.parameters), (network.state, taken.state)):
        if [one.shape for one in own.values()] != [one.shape for one in other.values()]:
            raise UsageError(
                f"{start.file} has other layers than its settings say. Train anew without --from."
            )
        own.data[...] = other.data

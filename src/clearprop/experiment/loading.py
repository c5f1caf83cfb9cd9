"""Loading the data of a run, or other data as a model takes them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clearprop import preprocessing
from clearprop.data import Dataset, Table, load
from clearprop.data.format import Format
from clearprop.data.leaks import leaks
from clearprop.data.loading import format_of
from clearprop.data.pictures.folders import as_deep
from clearprop.data.pictures.repeated import repeated
from clearprop.data.reading import MEMORY, Role
from clearprop.data.tables.column_files import ColumnFiles
from clearprop.data.whole.survey import Told
from clearprop.data.whole.whole import DEFAULT, Memory
from clearprop.errors import DataError, UsageError, counted, listed, naming
from clearprop.experiment.backbones import backbone_of, with_backbone
from clearprop.experiment.defaults import size_to_read
from clearprop.experiment.parts import column_not_learned
from clearprop.experiment.runs import Saved, require_saved
from clearprop.experiment.settings import Settings, described, reading_of
from clearprop.files.models import Model

_NONE: Mapping[str, Role] = {}

_OF_MODEL = (
    *("target", "drop", "keep", "category", "number", "task", "target_scale", "quantiles", "size"),
    *("features", "features_scale", "features_layout", "features_output"),
    *("network", "layers", "activation", "init", "batch_norm"),
)
"""Settings that a model has, so that nobody who goes on with it can change them."""


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
    memory = Memory(settings.memory or MEMORY, kept_in, tell)
    if settings.start is not None:
        return _load_more(begun(settings, settings.start), name_or_path, settings, memory)
    backbone = backbone_of(settings)
    size = size_to_read(settings) if backbone is None else backbone.size
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


def load_for(
    model: Model,
    name_or_path: str,
    also: Mapping[str, Role] = _NONE,
    memory: Memory = DEFAULT,
) -> Dataset:
    """Load data in the form that a model takes: its columns and some more, its size of pictures."""
    recipe = model.preprocessing
    if recipe is None:
        return load(name_or_path, memory=memory)
    inputs = recipe.inputs
    if isinstance(inputs, preprocessing.PictureRecipe):
        dataset = load(name_or_path, size=inputs.size, channels=inputs.channels, memory=memory)
        return as_deep(dataset, inputs.depth)
    path = Path(name_or_path)
    owner = format_of(path)
    if owner is None or not owner.has_columns:
        return load(name_or_path, memory=memory)
    reading = recipe.reading(_target_in(path, owner, recipe))
    if also:
        drop = tuple(name for name in reading.drop if name not in also)
        reading = replace(reading, roles={**(reading.roles or {}), **also}, drop=drop)
    dataset = load(name_or_path, reading=reading, memory=memory)
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


def begun(settings: Settings, word: str) -> Saved:
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


def _load_more(start: Saved, name_or_path: str, settings: Settings, memory: Memory) -> Dataset:
    """Load data as those of the model that training goes on from, whose classes they have.

    Raises
    ------
    DataError
        If there is a class that the model does not know.
    """
    said = {name: value for name, value in vars(reading_of(settings).text).items() if value}
    also: Mapping[str, Role] = {} if settings.group is None else {settings.group: "category"}
    model = read_as(start.model, said)
    dataset = load_for(model, name_or_path, also, memory)
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

"""The whole recipe, for inputs and targets, and the samples that it prepares."""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clearprop.configuration import Json, from_config, to_config
from clearprop.data import Dataset, Raw, Table
from clearprop.data.pictures.backbone import Backbone
from clearprop.data.pictures.depth import Depth
from clearprop.data.reading import Reading, TextForm
from clearprop.data.selected_rows import Array, copied_of
from clearprop.errors import ShapeError, UsageError
from clearprop.preprocessing.array_recipe import ArrayRecipe
from clearprop.preprocessing.coverage import Coverage
from clearprop.preprocessing.features import FeatureRecipe
from clearprop.preprocessing.picture_recipe import Likeness, PictureRecipe
from clearprop.preprocessing.table_recipe import COLUMNS, TableRecipe
from clearprop.preprocessing.target_scales import PowerScale
from clearprop.preprocessing.targets import ClassTarget, ValueTarget

WHOLE_LIMIT = 2**30
"""Bytes below which samples are prepared once, as a whole."""


InputRecipe: TypeAlias = PictureRecipe | FeatureRecipe | ArrayRecipe | TableRecipe
TargetRecipe: TypeAlias = ClassTarget | ValueTarget


@dataclass(frozen=True)
class Preprocessing:
    """The recipe, learned from training data, that prepares samples; part of the model file."""

    inputs: InputRecipe
    target: TargetRecipe

    def __post_init__(self) -> None:
        if not isinstance(self.inputs, InputRecipe) or not isinstance(self.target, TargetRecipe):
            raise UsageError(
                f"A recipe of {type(self.inputs).__name__} and {type(self.target).__name__} can't "
                "be; expected a recipe for the inputs and one for the target."
            )

    def reading(self, target: str | None = None) -> Reading:
        """Say how a table is read whose columns are those of the training data.

        Parameters
        ----------
        target : str, optional
            The column of the truth, where there is one.
        """
        drop = (self.target.name,) if target is None and self.target.name is not None else ()
        if not isinstance(self.inputs, TableRecipe):
            return Reading(target=target, drop=drop)
        task = "classify" if isinstance(self.target, ClassTarget) else "regress"
        return Reading(
            text=self.inputs.form,
            target=target,
            task=None if target is None else task,
            drop=(*drop, *(name for name in self.inputs.ignored if name != target)),
            roles=self.inputs.roles,
        )

    def to_config(self) -> Json:
        """Describe the recipe in JSON values."""
        return to_config(self)

    @classmethod
    def from_config(cls, config: Json) -> "Preprocessing":
        """Rebuild what `to_config` described.

        Raises
        ------
        UsageError
            If it is no such description, or a value in it can't be.
        """
        recipe = from_config(config, RECIPE_TYPES)
        if not isinstance(recipe, cls):
            raise UsageError(f"Found {type(recipe).__name__}, expected a Preprocessing recipe.")
        return recipe


RECIPE_TYPES: dict[str, type] = {
    one.__name__: one
    for one in (
        *(*get_args(InputRecipe), *COLUMNS, TextForm, Depth, Likeness, Backbone),
        *(*get_args(TargetRecipe), PowerScale, Coverage),
        Preprocessing,
    )
}
"""Every class that a recipe's description may name."""


def fit_recipe(dataset: Dataset, *, robust: bool = False) -> Preprocessing:
    """Learn the recipe from training data.

    Parameters
    ----------
    dataset : Dataset
        Training samples only: those held out must not leave their mark.
    robust : bool, default False
        Whether a table's columns are brought to their quartiles, as `TableRecipe.fit` says, and
        answers of values are kept within the range of the training data's.

    Raises
    ------
    DataError
        If there is nothing to tell apart: a single class.
    """
    inputs = fit_inputs(dataset, robust=robust)
    if dataset.class_names is not None:
        return Preprocessing(inputs, ClassTarget.fit(dataset))
    return Preprocessing(inputs, ValueTarget.fit(dataset, within=robust))


def fit_inputs(dataset: Dataset, *, robust: bool = False) -> InputRecipe:
    """Learn the recipe of inputs from training data; see `fit_recipe`."""
    X = dataset.X
    if isinstance(X, Table):
        ignored = tuple(one.name for one in dataset.columns if not one.is_used)
        units = {one.name: one.unit for one in dataset.columns}
        if dataset.whole is None:
            return TableRecipe.fit(X, ignored, dataset.form, units, robust=robust)
        seen = dataset.whole.with_all_categories(X, dataset.form)
        recipe = TableRecipe.fit(seen, ignored, dataset.form, units, robust=robust)
        return recipe.surveyed(dataset.whole.numbers(dataset.form))
    if dataset.backbone is not None:
        return FeatureRecipe.of(dataset.backbone, X, dataset.depth)
    if dataset.kind == "pictures":
        return PictureRecipe.fit(X, dataset.depth)
    return ArrayRecipe.fit(X)


def input_shape_of(dataset: Dataset) -> tuple[int, ...]:
    """Return the shape of a prepared sample, for which an array need not be read."""
    if isinstance(dataset.X, Table) or dataset.backbone is not None:
        return fit_inputs(dataset).input_shape
    return dataset.X.shape[1:]


class PreparedRows:
    """Samples that a recipe prepares when they are indexed, so that no whole copy is needed.

    Parameters
    ----------
    raw : ndarray, SelectedRows or Table, N rows
    recipe : PictureRecipe, ArrayRecipe or TableRecipe
    dtype : dtype-like
        float32 or float64.

    Raises
    ------
    ShapeError, DataError
        If `raw` does not fit the recipe.
    """

    def __init__(self, raw: Raw, recipe: InputRecipe, dtype: DTypeLike) -> None:
        self.raw, _ = recipe.bring(raw)
        if len(self.raw) != len(raw):
            raise ShapeError(
                f"Found {len(raw)} samples that are {len(self.raw)} of shape {recipe.input_shape}, "
                "as in training; expected as many samples as the first axis is long."
            )
        self.recipe = recipe
        self.dtype: np.dtype[Any] = np.dtype(dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape (N, *input_shape)."""
        return (len(self.raw), *self.recipe.input_shape)

    def __len__(self) -> int:
        return len(self.raw)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Array:
        return self.recipe.transform(self.raw[rows], self.dtype)


def prepare(raw: Raw, recipe: InputRecipe, dtype: DTypeLike) -> Array | PreparedRows:
    """Prepare samples: an array while that takes less than `WHOLE_LIMIT`, else `PreparedRows`.

    Of samples on disk an array takes no more than a part of them may.

    Takes what `PreparedRows` does, and raises what it raises.
    """
    rows = PreparedRows(raw, recipe, dtype)
    most = WHOLE_LIMIT if isinstance(rows.raw, Table) else copied_of(rows.raw, WHOLE_LIMIT)
    if math.prod(rows.shape) * rows.dtype.itemsize < most:
        return recipe.transform(rows.raw, rows.dtype)
    return rows

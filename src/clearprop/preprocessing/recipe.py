"""The whole recipe, for inputs and targets, and the samples that it prepares."""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clearprop.configuration import Json, from_config, to_config
from clearprop.data.dataset import Dataset, Raw, index_labels
from clearprop.data.selected_rows import Array
from clearprop.data.table import Table
from clearprop.errors import DataError, ShapeError, UsageError, listed
from clearprop.preprocessing.fields import moments, require_names, require_numbers
from clearprop.preprocessing.input_recipes import COLUMNS, ArrayRecipe, PictureRecipe, TableRecipe

WHOLE_LIMIT = 2**30
"""Bytes below which samples are prepared once, as a whole."""


@dataclass(frozen=True)
class ClassTarget:
    """A target of classes.

    Parameters
    ----------
    class_names : tuple of str
        The classes by index.
    name : str or None
        The target's name; for a table, its column. None where nobody has named it.
    """

    class_names: tuple[str, ...]
    name: str | None

    def __post_init__(self) -> None:
        require_names(self.class_names, "The class names")
        _require_name(self.name)
        if len(self.class_names) < 2:
            raise UsageError(f"Found the classes {self.class_names}, expected at least two.")

    @classmethod
    def fit(cls, dataset: Dataset) -> "ClassTarget":
        """Take the classes of the training data.

        Raises
        ------
        DataError
            If there is only one, or a class has no sample.
        """
        counts = dataset.counts()
        if len(counts) < 2:
            raise DataError(
                f"{dataset.name} has a single class, {next(iter(counts))!r}, so there is nothing "
                "to tell apart. Add samples of another class."
            )
        if empty := [name for name, count in counts.items() if count == 0]:
            raise DataError(f"{dataset.name} has no sample of the class {empty[0]!r}. Add some.")
        return cls(tuple(counts), dataset.target_name)

    def encode(self, dataset: Dataset) -> NDArray[np.int64]:
        """Return the class index of every sample, shape (N,), by the names of its classes.

        Raises
        ------
        DataError
            If a sample's class is none of these.
        """
        if dataset.class_names == self.class_names:
            return dataset.y
        if dataset.class_names is None:
            return index_labels(dataset.y, self.class_names, dataset.target_name)
        return index_labels(
            np.array(dataset.class_names)[dataset.y], self.class_names, dataset.target_name
        )


@dataclass(frozen=True)
class ValueTarget:
    """A target of values, standardised by the training data: (y - mean) / std.

    Parameters
    ----------
    mean, std : tuple of float
        A number for each output. A constant output has std 1.
    name : str or None
        The target's name; for a table, its column. None where nobody has named it.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    name: str | None

    def __post_init__(self) -> None:
        require_numbers(self.mean, "The target's mean")
        require_numbers(self.std, "The target's standard deviation", positive=True)
        _require_name(self.name)
        if not 0 < len(self.mean) == len(self.std):
            raise UsageError(
                f"Found {len(self.mean)} means and {len(self.std)} standard deviations of the "
                "target; expected one of each for every output."
            )

    @classmethod
    def fit(cls, dataset: Dataset) -> "ValueTarget":
        """Learn mean and standard deviation of the training data's values."""
        mean, std = moments(dataset.y.reshape(len(dataset), -1))
        return cls(tuple(mean.tolist()), tuple(std.tolist()), dataset.target_name)

    @property
    def outputs(self) -> int:
        """The number of values that are predicted for each sample."""
        return len(self.mean)

    def encode(self, dataset: Dataset) -> NDArray[np.float64]:
        """Return the standardised values, shape (N, outputs).

        Raises
        ------
        ShapeError
            If the data set has another number of values a sample.
        DataError
            If it has classes whose names are no numbers.
        """
        values = _values(dataset).reshape(len(dataset), -1)
        if values.shape[1] != self.outputs:
            raise ShapeError(
                f"{dataset.name} has {values.shape[1]} values a sample, expected {self.outputs}."
            )
        return (values - self.mean) / self.std

    def restore(self, standardised: NDArray[Any]) -> NDArray[np.float64]:
        """Return values on their own scale.

        Parameters
        ----------
        standardised : ndarray, shape (N, outputs)

        Returns
        -------
        ndarray of float64, shape (N,) for one output, else (N, outputs)
        """
        values = np.asarray(standardised, dtype=np.float64).reshape(-1, self.outputs)
        largest = np.finfo(np.float64).max
        with np.errstate(over="ignore"):  # of targets near the largest number, some lie beyond
            restored: NDArray[np.float64] = np.clip(
                values * self.std + self.mean, -largest, largest
            )
        return restored[:, 0] if self.outputs == 1 else restored


InputRecipe: TypeAlias = PictureRecipe | ArrayRecipe | TableRecipe
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
    for one in (*get_args(InputRecipe), *COLUMNS, *get_args(TargetRecipe), Preprocessing)
}
"""Every class that a recipe's description may name."""


def fit_recipe(dataset: Dataset) -> Preprocessing:
    """Learn the recipe from training data.

    Parameters
    ----------
    dataset : Dataset
        Training samples only: those held out must not leave their mark.

    Raises
    ------
    DataError
        If there is nothing to tell apart: a single class.
    """
    target = ClassTarget if dataset.class_names is not None else ValueTarget
    return Preprocessing(_fit_inputs(dataset), target.fit(dataset))


def _fit_inputs(dataset: Dataset) -> InputRecipe:
    X = dataset.X
    if isinstance(X, Table):
        return TableRecipe.fit(X)
    if dataset.kind == "pictures":
        height, width = X.shape[1:3]
        return PictureRecipe((height, width), 3 if X.ndim == 4 else 1)
    return ArrayRecipe.fit(X)


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
        recipe.check(raw)
        self.raw = raw
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

    Takes what `PreparedRows` does, and raises what it raises.
    """
    rows = PreparedRows(raw, recipe, dtype)
    if math.prod(rows.shape) * rows.dtype.itemsize < WHOLE_LIMIT:
        return recipe.transform(raw, rows.dtype)
    return rows


def _require_name(name: str | None) -> None:
    if name is not None:
        require_names((name,), "The target's name")


def _values(dataset: Dataset) -> NDArray[np.float64]:
    if dataset.class_names is None:
        return dataset.y
    # A few whole numbers read as classes, though the training data, with more, read as values.
    try:
        return np.array([float(name) for name in dataset.class_names])[dataset.y]
    except ValueError as error:
        raise DataError(
            f"{dataset.name} has the classes {listed(dataset.class_names)}, expected values."
        ) from error

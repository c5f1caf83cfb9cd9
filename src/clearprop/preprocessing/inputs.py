"""Reading samples to predict from, as the model's own recipe needs them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clearprop.core.reading import require_regular
from clearprop.data import loading
from clearprop.data.dataset import Problem, Raw
from clearprop.data.format import cannot_read
from clearprop.data.picture_files import named_like_a_picture, read_pictures
from clearprop.data.table import Table, as_numbers
from clearprop.errors import DataError, listed
from clearprop.preprocessing.input_recipes import ArrayRecipe, PictureRecipe
from clearprop.preprocessing.recipe import Preprocessing


@dataclass(frozen=True, eq=False)
class Inputs:
    """Samples to predict from.

    Parameters
    ----------
    raw : ndarray or Table, N rows
        The samples, as the recipe takes them.
    sources : tuple of str
        The file of each sample; with its row where a file has several.
    problems : tuple of Problem
        The pictures that can't be read.
    """

    raw: Raw
    sources: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


def read_inputs(paths: Sequence[Path], recipe: Preprocessing) -> Inputs:
    """Read pictures, or one CSV, TSV or NPZ file.

    Parameters
    ----------
    paths : sequence of Path
        Picture files, brought to the size of the training data; or one table, whose target column
        may be there or not; or one NPZ file with an array X. An array's recipe takes a table too,
        if all of its columns are numbers.
    recipe : Preprocessing
        The model's.

    Raises
    ------
    DataError
        If files of different kinds come together, one can't be read (a picture that can't is a
        problem instead), or the samples don't fit the recipe.
    ShapeError
        If their shape does not fit the recipe.
    """
    if not paths:
        raise DataError("There is no file to predict from; give at least one.")
    if all(named_like_a_picture(path) for path in paths):
        return _read_pictures(paths, recipe)
    known = [one for one in loading.FORMATS if one.takes_inputs]
    if len(paths) > 1:
        raise DataError(
            f"Found {listed(paths)} together; expected pictures, or one "
            f"{loading.names(known, 'or')} file."
        )
    path = paths[0]
    owner = loading.format_of(path)
    if owner is None or not owner.takes_inputs:
        raise DataError(
            f"{path} can't be predicted from. Expected a picture (JPEG, PNG, WebP, BMP, GIF), or a "
            f"{loading.suffixes(known)} file."
        )
    try:
        require_regular(path)
    except OSError as error:
        raise cannot_read(path, error) from error
    raw = owner.read_inputs(path)
    if isinstance(raw, Table):
        raw = _fitting(raw, recipe, path)
    recipe.inputs.check(raw)
    return Inputs(raw, tuple(f"{path.name} row {row + 1}" for row in range(len(raw))))


def _read_pictures(paths: Sequence[Path], recipe: Preprocessing) -> Inputs:
    inputs = recipe.inputs
    if not isinstance(inputs, PictureRecipe):
        raise DataError(f"{paths[0]} is a picture, but the model was not trained on pictures.")
    read = read_pictures(paths, inputs.size, inputs.channels)
    sources = tuple(str(paths[row]) for row in read.kept.tolist())
    return Inputs(read.pixels, sources, read.problems)


def _fitting(table: Table, recipe: Preprocessing, path: Path) -> Raw:
    """Take the target away, and make an array of the rest where the recipe wants one."""
    if recipe.target.name is not None:
        table = table.without(recipe.target.name)
    if isinstance(recipe.inputs, ArrayRecipe):
        return array_of(table, recipe.inputs, path)
    return table


def array_of(table: Table, recipe: ArrayRecipe, path: str | Path) -> Raw:
    """Take the columns of a table, in their order, for the numbers of an array.

    Parameters
    ----------
    table : Table
        The inputs, without the target.
    recipe : ArrayRecipe
    path : str or Path
        The table's file, for messages.

    Returns
    -------
    ndarray of float64, shape (N, *shape), or (N, columns) where that is another number

    Raises
    ------
    DataError
        If a cell is no number, or there are no columns.
    """
    shape = recipe.shape
    if not table.columns:
        raise DataError(f"{path} has no columns besides the target; expected {math.prod(shape)}.")
    columns = [as_numbers(column, name) for name, column in table.columns.items()]
    flat = np.column_stack(columns)
    return flat.reshape(-1, *shape) if flat.shape[1] == math.prod(shape) else flat

"""Reading samples to predict from, as the model's own recipe needs them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from clearprop.core.reading import require_regular
from clearprop.data import Problem, Raw, loading
from clearprop.data.dataset import RowNames
from clearprop.data.format import cannot_read
from clearprop.data.pictures import depth, formats
from clearprop.data.pictures.files import read_pictures
from clearprop.data.selected_rows import Array, on_disk
from clearprop.data.tables.table import Table, Words, as_numbers
from clearprop.data.tables.tabular import TableFormat
from clearprop.errors import DataError, ShapeError, listed, naming
from clearprop.preprocessing.array_recipe import ArrayRecipe
from clearprop.preprocessing.input_files import InputFiles, shown
from clearprop.preprocessing.likeness import unlikeness
from clearprop.preprocessing.picture_recipe import PictureRecipe
from clearprop.preprocessing.recipe import PreparedRows, Preprocessing, prepare
from clearprop.preprocessing.table_recipe import TableRecipe


@dataclass(frozen=True, eq=False)
class Inputs:
    """Samples to predict from.

    Parameters
    ----------
    raw : ndarray or Table, N rows
        The samples, as the recipe takes them.
    sources : sequence of str
        The file of each sample; with its row where a file has several.
    problems : tuple of Problem
        The pictures that can't be read.
    notes : tuple of str
        Sentences on what was changed or passed over, and on samples that are unlike the training
        data.
    """

    raw: Raw
    sources: Sequence[str]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Part:
    """Samples that were read together, raw and prepared.

    Parameters
    ----------
    path : Path or None
        The table's or the array's file; None for pictures, which are a file each.
    inputs : Inputs
    prepared : ndarray or PreparedRows, shape (N, *input_shape)
        The samples as the network takes them.
    """

    path: Path | None
    inputs: Inputs
    prepared: Array | PreparedRows


def read_parts(
    files: InputFiles, recipe: Preprocessing, dtype: DTypeLike, label: str | None = None
) -> tuple[tuple[Part, ...], tuple[Problem, ...]]:
    """Read and prepare files, each table or array by itself; for `label` see `read_inputs`.

    Returns
    -------
    parts : tuple of Part
    problems : tuple of Problem
        The files that can't be read, or don't fit the recipe, and the reasons.

    Raises
    ------
    DataError, ShapeError
        If that holds for all of them.
    """
    parts, problems, errors = [], list(files.problems), []
    for paths in files.groups:
        pictured = formats.named_like_a_picture(paths[0]) or loading.format_of(paths[0]) is None
        try:
            with naming(shown(paths[0])):
                inputs = read_inputs(paths, recipe, label)
                prepared = prepare(inputs.raw, recipe.inputs, dtype)
        except (DataError, ShapeError) as error:
            errors.append(error)
            problems += [_problem(path, str(error).removesuffix(".")) for path in paths]
        else:
            parts.append(Part(None if pictured else paths[0], inputs, prepared))
            problems += [
                Problem(one.source.replace(str(paths[0]), shown(paths[0])), one.reason)
                for one in inputs.problems
            ]
    if errors and not parts:
        raise errors[0]
    return tuple(parts), tuple(problems)


def _problem(path: Path, message: str) -> Problem:
    name = shown(path)
    message = message.replace(str(path), name)  # the place of what was piped says nothing
    if message.startswith(f"{name} "):
        return Problem(name, message.removeprefix(f"{name} "))
    return Problem(name, f"can't be predicted from: {message.removeprefix(f'{name}: ')}")


def read_inputs(paths: Sequence[Path], recipe: Preprocessing, label: str | None = None) -> Inputs:
    """Read pictures, or one file of a format that holds samples to predict from.

    Parameters
    ----------
    paths : sequence of Path
        Picture files, brought to the size of the training data; or one table, whose target column
        may be there or not, and whose columns that the recipe does not know are passed over; or one
        file with an array. An array's recipe takes a table too, if all of its columns are numbers.
    recipe : Preprocessing
        The model's.
    label : str, optional
        A column that the samples are called by, which is not worth a note if the recipe does not
        know it.

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
    pictured = isinstance(recipe.inputs, PictureRecipe)
    if all(
        formats.named_like_a_picture(path) or (pictured and loading.format_of(path) is None)
        for path in paths
    ):
        return _read_pictures(paths, recipe)
    known = [one for one in loading.FORMATS if one.takes_inputs]
    if len(paths) > 1:
        raise DataError(
            f"Found {listed(paths)} together; expected pictures, or one "
            f"{loading.names(known, 'or')} file."
        )
    path, reading = paths[0], recipe.reading()
    try:
        require_regular(path)
    except OSError as error:
        raise cannot_read(path, error) from error
    owner = loading.format_of(path, reading.text)
    if owner is None or not owner.takes_inputs:
        raise DataError(
            f"{path} can't be predicted from. Expected a picture (JPEG, PNG, WebP, BMP, GIF), or a "
            f"{loading.suffixes(known)} file."
        )
    if label is not None and label not in (reading.roles or ()):
        reading = replace(reading, drop=(*reading.drop, label))
    samples = owner.read_inputs(path, reading)
    raw = samples.raw
    if isinstance(raw, Table) and isinstance(recipe.inputs, ArrayRecipe):
        raw = array_of(raw, recipe.inputs, path)
    raw, changed = recipe.inputs.bring(raw)
    units: tuple[str, ...] = ()
    if isinstance(recipe.inputs, TableRecipe):
        units = recipe.inputs.other_units(samples.columns)
    notes = tuple(f"{path.name}: {note}" for note in (*samples.notes, *units, *changed))
    notes += unlikeness(raw, recipe.inputs, path.name)
    sources: Sequence[str] = RowNames(np.arange(len(raw)), path.name)
    if isinstance(raw, Table) or on_disk(raw) is None:
        sources = tuple(sources)
    return Inputs(raw, sources, samples.problems, notes)


def _read_pictures(paths: Sequence[Path], recipe: Preprocessing) -> Inputs:
    inputs = recipe.inputs
    if not isinstance(inputs, PictureRecipe):
        raise DataError(f"{paths[0]} is a picture, but the model was not trained on pictures.")
    read = read_pictures(paths, inputs.size, inputs.channels, inputs.depth or depth.FULL)
    sources = tuple(shown(paths[row]) for row in read.kept.tolist())
    problems = tuple(Problem(shown(Path(one.source)), one.reason) for one in read.problems)
    notes = unlikeness(read.pixels, inputs, "", sources)
    return Inputs(read.pixels, sources, problems, (*notes, *read.notes))


def as_written(path: Path, recipe: Preprocessing) -> Mapping[str, Words]:
    """Return the cells of a table by column, the target and every other, as its file has them."""
    reading = recipe.reading()
    owner = loading.format_of(path, reading.text)
    columns: dict[str, Words] = {}
    return owner.as_written(path, reading) if isinstance(owner, TableFormat) else columns


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

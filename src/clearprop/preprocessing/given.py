"""Samples as Python programs hold them: arrays, data frames of any library, tables, paths."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from clearprop.data.dataset import Raw
from clearprop.data.selected_rows import Array
from clearprop.data.tables.columns import as_known_date, as_number
from clearprop.data.tables.known_columns import other_decimal
from clearprop.data.tables.table import Column, Table, Words, as_column
from clearprop.data.tables.understood import Spelling, decimal_of, doubts_of
from clearprop.errors import DataError, ShapeError, counted, listed, naming
from clearprop.preprocessing.array_recipe import ArrayRecipe
from clearprop.preprocessing.input_files import found_files
from clearprop.preprocessing.inputs import Part, array_of, read_parts
from clearprop.preprocessing.likeness import unlikeness
from clearprop.preprocessing.recipe import InputRecipe, PreparedRows, Preprocessing, prepare
from clearprop.preprocessing.table_recipe import TableRecipe


def prepared_from(
    X: Any, recipe: Preprocessing, dtype: np.dtype[Any]
) -> tuple[Array | PreparedRows, ...]:
    """Prepare samples, however a program holds them.

    What is changed or passed over, and how samples are unlike the training data, is told as
    `UserWarning`.

    Parameters
    ----------
    X : array-like (N, ...), Table, mapping or data frame of N rows, path, or sequence of paths
        A data frame is whatever has ``columns`` and gives one by its name: those of pandas and
        polars do. Paths are what `found_files` takes.
    recipe : Preprocessing
        The model's.
    dtype : numpy.dtype
        float32 or float64.

    Returns
    -------
    tuple of ndarray or PreparedRows, shape (N, *input_shape)
        One after the other; several only for several files.

    Raises
    ------
    DataError
        If a column is missing, a cell is of another kind, or a file can't be read.
    ShapeError
        If the shape of the samples differs from that in training, or X is a single sample.
    """
    if _are_paths(X):
        parts, notes = _read(X, recipe, dtype)
        prepared = tuple(part.prepared for part in parts)
    else:
        raw, notes = _raw_from(X, recipe)
        with naming("X"):
            prepared = (prepare(raw, recipe.inputs, dtype),)
            raw, changed = recipe.inputs.bring(raw)
        notes += tuple(f"X: {note}" for note in changed)
        notes += unlikeness(raw, recipe.inputs, "X")
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=4)  # at the call of `Model.predict`
    return prepared


def raw_from(X: Any, recipe: Preprocessing) -> tuple[Raw, ...]:
    """Return samples as the recipe takes them, of whatever `prepared_from` takes.

    Raises
    ------
    DataError, ShapeError
        For the reasons of `prepared_from`.
    """
    if _are_paths(X):
        return tuple(part.inputs.raw for part in _read(X, recipe, np.dtype(np.float32))[0])
    raw, _ = _raw_from(X, recipe)
    with naming("X"):
        return (recipe.inputs.bring(raw)[0],)


def _read(
    X: Any, recipe: Preprocessing, dtype: np.dtype[Any]
) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Read files, and say what was changed in them."""
    with found_files([X] if _is_path(X) else X, recipe.inputs) as files:
        parts, problems = read_parts(files, recipe, dtype)
    if problems:
        more = f" ({len(problems) - 1} more files, too.)" if len(problems) > 1 else ""
        raise DataError(f"{problems[0]}.{more}")
    return parts, files.notes + tuple(note for part in parts for note in part.inputs.notes)


def _are_paths(X: Any) -> bool:
    return _is_path(X) or (isinstance(X, list | tuple) and len(X) > 0 and all(map(_is_path, X)))


def _is_path(X: Any) -> bool:
    return isinstance(X, str) or hasattr(X, "__fspath__")


def _raw_from(X: Any, recipe: Preprocessing) -> tuple[Raw, tuple[str, ...]]:
    if isinstance(X, Mapping) or hasattr(X, "columns"):
        inputs = recipe.inputs
        table, notes = _read_as_in_files(_table(X, recipe), inputs)
        if isinstance(inputs, ArrayRecipe):
            return array_of(table.without(recipe.target.name or ""), inputs, "X"), ()
        known = {*recipe.reading().drop, *getattr(inputs, "roles", table.names)}
        extra = [name for name in table.names if name not in known]
        more = f"{counted(len(extra), 'column')} that training did not have, passed over: "
        return table, (*notes, *([f"X: {more}{listed(extra, 5)}."] if extra else ()))
    if isinstance(recipe.inputs, TableRecipe):
        raise DataError(
            f"Found {type(X).__name__}, expected columns by name, as the model has learned from a "
            "table: a data frame, or a dict of columns."
        )
    array = np.asarray(X)
    shape = recipe.inputs.input_shape
    if array.ndim < 1 + len(shape):
        raise ShapeError(
            f"Expected {1 + len(shape)}D array, got {array.ndim}D array instead: samples have the "
            f"shape {shape}, one a row. Reshape your data using array.reshape(1, "
            f"{', '.join(['-1'] if len(shape) == 1 else map(str, shape))}) if it contains a "
            "single sample."
        )
    return array, ()


def _table(X: Any, recipe: Preprocessing) -> Table:
    """Make a table of the columns of a data frame, or of a mapping."""
    if isinstance(X, Table):
        return X
    roles = recipe.inputs.roles if isinstance(recipe.inputs, TableRecipe) else {}
    given = list(X) if isinstance(X, Mapping) else list(X.columns)
    names = {str(name): name for name in given}
    if len(names) < len(given):
        raise DataError("X has two columns of one name; give each a name of its own.")
    table = {name: _column(X[own], roles.get(name) == "category") for name, own in names.items()}
    if len({len(column) for column in table.values()}) > 1:
        raise ShapeError("The columns of X differ in length.")
    return Table(table)


def _read_as_in_files(table: Table, inputs: InputRecipe) -> tuple[Table, tuple[str, ...]]:
    """Read text in columns of numbers and dates as it is read in files, and say what is none.

    A column in which no cell is one is left as it is, for the recipe to refuse.
    """
    if not isinstance(inputs, TableRecipe):
        return table, ()
    texts = {
        name: column
        for name, column in table.columns.items()
        if isinstance(column, Words) and inputs.roles.get(name) in ("number", "date")
    }
    form, roles = inputs.form, inputs.roles
    numbers = [words for name, words in texts.items() if roles[name] == "number"]
    decimal = decimal_of(numbers) or form.decimal or "."
    spelling = Spelling(decimal, frozenset(map(str.lower, form.missing)), form.day_first)
    tried = [
        as_number(name, words, spelling)
        if roles[name] == "number"
        else as_known_date(name, words, spelling)
        for name, words in texts.items()
    ]
    read = [replace(one, is_used=True) for one in tried if one and one.kind != "empty"]
    notes = doubts_of(read, with_advice=False)
    notes += [*inputs.other_units(read), *other_decimal(spelling, inputs.form)]
    columns = {**table.columns, **{one.name: one.column for one in read}}
    return Table(columns), tuple(f"X: {note}" for note in notes)


def _column(series: Any, as_category: bool) -> Column:
    cells = np.asarray(series)
    if cells.ndim != 1:
        raise ShapeError(f"A column of X has the shape {cells.shape}, expected (N,).")
    return as_column(cells.astype(str) if as_category and cells.dtype.kind == "b" else cells)

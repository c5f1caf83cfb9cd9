"""A table as scikit-learn's users hold it, brought to columns: a data frame, or an array."""

from collections.abc import Collection
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

from clearprop.core.parameters import Array
from clearprop.data.tables.table import Column, Table, Words, as_column, as_words, is_numeric
from clearprop.errors import listed

_NUMBERS = (int, float, np.integer, np.floating, bool, np.bool_)


def table_of(
    estimator: BaseEstimator, X: Any, categories: Collection[Any] = (), *, reset: bool
) -> Table:
    """Return the columns of samples, with gaps as they are.

    A data frame's columns of numbers are numbers, those of dates dates, and all others categories;
    those of an array are numbers.

    Parameters
    ----------
    estimator : BaseEstimator
        Whose `n_features_in_` and `feature_names_in_` are set or compared.
    X : data frame of N rows, or array-like, shape (N, D)
        A data frame is whatever has `columns` and gives one by its name.
    categories : collection of str or int
        The names of columns of categories, whatever is in their cells; of an array their numbers.
    reset : bool
        Whether they are learned from.

    Raises
    ------
    ValueError
        If there are no rows or columns, two columns of one name, a number is infinite, other
        columns were learned from, or a category is named that is no column.
    TypeError
        For a sparse matrix.
    """
    if is_frame(X):
        _names_of(X)
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    else:
        X = validate_data(
            estimator, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan"
        )
    table = columns_of(X, categories)
    if not len(table):
        raise ValueError(
            f"Found array with {0 if table.names else 1} sample(s) and {len(table.names)} "
            "feature(s) while a minimum of 1 is required: give X rows and columns."
        )
    return table


def is_frame(X: Any) -> bool:
    """Whether X has columns, and gives one by its name."""
    return hasattr(X, "columns") and hasattr(X, "__getitem__")


def columns_of(X: Any, categories: Collection[Any] = ()) -> Table:
    """Return the columns of a data frame, or of an array of numbers, shape (N, D).

    Raises
    ------
    ValueError
        If two have one name, a number is infinite, or a category is named that is no column.
    """
    if is_frame(X):
        cells = dict(zip(_names_of(X), (X[name] for name in X.columns), strict=True))
        named = set(map(str, categories))
    else:
        cells = {f"x{place}": column for place, column in enumerate(np.asarray(X, float).T)}
        named = {f"x{place}" for place in categories}
    if missing := sorted(named - set(cells)):
        raise ValueError(f"{listed(missing)}: no column of X, which has {listed(cells, 10)}.")
    return Table({name: _column(name, one, name in named) for name, one in cells.items()})


def _names_of(X: Any) -> list[str]:
    names = [str(name) for name in X.columns]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"X has two columns called {twice!r}; give each a name of its own.")
    return names


def targets_of(y: Any, rows: int) -> Array:
    """Return values to learn as float64, shape (N,) or (N, K).

    Raises
    ------
    ValueError
        If they are not finite numbers, or are of another number of samples.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    values: Array = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    require_as_many(values, rows)
    return values


def require_as_many(y: Any, rows: int) -> None:
    """Raise ValueError unless there is a target for each sample."""
    if len(y) != rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {[rows, len(y)]}: X and "
            "y must have as many rows."
        )


def _column(name: str, series: Any, is_category: bool) -> Column:
    column = as_column(_cells(series))
    if is_category:
        return as_words(column)
    if not isinstance(column, Words) and is_numeric(column) and np.isinf(column).any():
        row = int(np.argmax(np.isinf(column)))
        raise ValueError(
            f"Input X contains infinity: row {row} of column {name!r}. Put a number there, or "
            "leave it empty if it is not known."
        )
    return column


def _cells(series: Any) -> Any:
    """Return cells as an array or words; numbers among nothing else but gaps as numbers."""
    if isinstance(series, Words):
        return series
    cells = np.asarray(series)
    if cells.dtype != object:
        return cells
    missing = as_column(cells).codes < 0  # type: ignore[union-attr] # objects are words
    if missing.all() or not all(isinstance(cell, _NUMBERS) for cell in cells[~missing].tolist()):
        return cells
    numbers = np.full(len(cells), np.nan)
    numbers[~missing] = cells[~missing].astype(np.float64)
    return numbers

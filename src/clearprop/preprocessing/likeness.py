"""How samples to predict from differ from those of the training data, in plain sentences."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from clearprop.core.printable import readable
from clearprop.data.dataset import Raw, RowNames
from clearprop.data.tables.columns import MOST_CATEGORIES
from clearprop.data.tables.table import Column, Table, as_numbers, as_words
from clearprop.preprocessing import table_columns as tables
from clearprop.preprocessing.input_recipes import Recipe
from clearprop.preprocessing.picture_recipe import PictureRecipe
from clearprop.preprocessing.table_recipe import TableRecipe

FAR = 10.0
"""Standard deviations from the training data's mean beyond which a number is told as far."""

FEWEST = 10
"""Numbers of a column at least, before most of them outside the training range are told of."""

_LONGEST = 60  # characters of a cell that are shown


def unlikeness(
    raw: Raw, recipe: Recipe, name: str, sources: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Say in what samples are unlike the training data, though the recipe can prepare them.

    Of a table, for each column: categories that training never had; numbers both outside the
    training range and more than `FAR` standard deviations from the mean; and, where there are at
    least `FEWEST` numbers, more than half of them outside the training range: another unit; dates
    that are as far outside as such numbers.

    Parameters
    ----------
    raw : ndarray, SelectedRows or Table, N rows
        Samples that the recipe's `check` has nothing to say against.
    recipe : Recipe
    name : str
        The file or data set that the sentences begin with.
    sources : sequence of str of length N, optional
        The file of each picture; by default its row in `name`.

    Returns
    -------
    tuple of str
        At most one sentence a column, with the first row, counted from 1; of pictures a sentence
        for each kind of unlikeness.
    """
    if isinstance(recipe, PictureRecipe) and recipe.likeness and not isinstance(raw, Table):
        rows = sources or RowNames(np.arange(len(raw)), name)
        return recipe.likeness.unlike(raw, rows)
    if not isinstance(raw, Table) or not isinstance(recipe, TableRecipe):
        return ()
    return tuple(
        f"{name}, column {column.name!r}: {found}."
        for column in recipe.columns
        for found in _of_column(raw.columns[column.name], column)
    )


def _of_column(cells: Column, column: object) -> Iterator[str]:
    if isinstance(column, tables.CategoricalColumn):
        yield from _new_categories(cells, column)
    elif isinstance(column, tables.NumericColumn):
        yield from _far_numbers(as_numbers(cells, column.name), column)
    elif isinstance(column, tables.DateColumn):
        yield from _far_dates(column.days(cells), column)


def _new_categories(cells: Column, column: tables.CategoricalColumn) -> Iterator[str]:
    words = as_words(cells)
    places = words.translated({text: at for at, text in enumerate(column.categories)})
    new = (places < 0) & (words.codes >= 0)
    if new.any():
        first = int(np.argmax(new))
        full = len(column.categories) == MOST_CATEGORIES
        lack = f"are not among the {MOST_CATEGORIES} known ones" if full else "training never had"
        yield (
            f"{_rows(new)} with categories that {lack}, the first row {first + 1}: "
            f"{_shortened(words[first : first + 1].tolist()[0])!r}"
        )


def _far_numbers(numbers: NDArray[np.float64], column: tables.NumericColumn) -> Iterator[str]:
    low, high = column.low, column.high
    outside = _outside(numbers, low, high)
    far = outside & _are_far(numbers, column.mean, column.std)
    if far.any():
        told, amount = far, "far outside"
    else:
        told, amount = outside & ~np.isnan(numbers), "outside"
        present = np.count_nonzero(~np.isnan(numbers))
        if low is None or present < FEWEST or np.count_nonzero(told) <= present / 2:
            return
    span = f"a mean of {readable(column.mean, 6)}"
    if low is not None and high is not None:
        span = f"{readable(low, 6)} to {readable(high, 6)}"
    first = int(np.argmax(told))
    yield (
        f"{_rows(told)} with numbers {amount} those of training ({span}), the first row "
        f"{first + 1}: {readable(float(numbers[first]), 6)}"
    )


def _far_dates(days: NDArray[np.float64], column: tables.DateColumn) -> Iterator[str]:
    """Tell those far outside alone: that new samples are later than the old ones is usual."""
    low, high = column.low, column.high
    far = _outside(days, low, high) & _are_far(days, column.mean[0], column.std[0])
    if far.any():
        first = int(np.argmax(far))
        mean = f"a mean of {_day(column.mean[0])}"
        span = mean if low is None or high is None else f"{_day(low)} to {_day(high)}"
        yield (
            f"{_rows(far)} with dates far outside those of training ({span}), the first row "
            f"{first + 1}: {_day(days[first])}"
        )


def _outside(
    numbers: NDArray[np.float64], low: float | None, high: float | None
) -> NDArray[np.bool_]:
    """Tell the numbers outside a range, which files that are older than these fields lack."""
    if low is None or high is None:
        return np.ones(len(numbers), dtype=bool)
    return (numbers < low) | (numbers > high)


def _are_far(numbers: NDArray[np.float64], mean: float, std: float) -> NDArray[np.bool_]:
    with np.errstate(over="ignore"):
        return np.abs(numbers - mean) / std > FAR


def _day(days: float) -> str:
    return str(np.datetime64(math.floor(days), "D"))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _rows(mask: NDArray[np.bool_]) -> str:
    count = int(np.count_nonzero(mask))
    return "1 row" if count == 1 else f"{count} rows"

"""How samples to predict from differ from those of the training data, in plain sentences."""

from collections.abc import Iterator

import numpy as np

from clearprop.data.dataset import Raw
from clearprop.data.table import TEXT, Column, Table, as_numbers, as_text, is_numeric
from clearprop.preprocessing import input_recipes

FAR = 10.0
"""Standard deviations from the training data's mean beyond which a number is told as far."""

FEWEST = 10
"""Numbers of a column at least, before most of them outside the training range are told of."""

_LONGEST = 60  # characters of a cell that are shown


def unlikeness(raw: Raw, recipe: input_recipes.Recipe, name: str) -> tuple[str, ...]:
    """Say in what samples are unlike the training data, though the recipe can prepare them.

    Of a table, for each column: categories that training never had; numbers both outside the
    training range and more than `FAR` standard deviations from the mean; and, where there are at
    least `FEWEST` numbers, more than half of them outside the training range: another unit.

    Parameters
    ----------
    raw : ndarray, SelectedRows or Table, N rows
        Samples that the recipe's `check` has nothing to say against.
    recipe : Recipe
    name : str
        The file or data set that the sentences begin with.

    Returns
    -------
    tuple of str
        At most one sentence a column, with the first row, counted from 1.
    """
    if not isinstance(raw, Table) or not isinstance(recipe, input_recipes.TableRecipe):
        return ()
    return tuple(
        f"{name}, column {column.name!r}: {found}."
        for column in recipe.columns
        for found in _of_column(raw.columns[column.name], column)
    )


def _of_column(cells: Column, column: object) -> Iterator[str]:
    if isinstance(column, input_recipes.CategoricalColumn):
        yield from _new_categories(cells, column)
    elif isinstance(column, input_recipes.NumericColumn):
        yield from _far_numbers(as_numbers(cells, column.name), column)


def _new_categories(cells: Column, column: input_recipes.CategoricalColumn) -> Iterator[str]:
    if is_numeric(cells):
        distinct, places = np.unique(cells, return_inverse=True)
    else:  # a dict finds them many times faster than sorting text
        index: dict[str, int] = {}
        places = np.array([index.setdefault(cell, len(index)) for cell in cells.tolist()], int)
        distinct = np.array(list(index), dtype=TEXT)
    spelled = as_text(distinct).tolist()
    known = {"", *column.categories}
    new = np.array([cell not in known for cell in spelled], dtype=bool)[places]
    if new.any():
        first = int(np.argmax(new))
        most = input_recipes.MOST_CATEGORIES
        full = len(column.categories) == most
        lack = f"are not among the {most} known ones" if full else "training never had"
        yield (
            f"{_rows(new)} with categories that {lack}, the first row {first + 1}: "
            f"{_shortened(spelled[places[first]])!r}"
        )


def _far_numbers(numbers: Column, column: input_recipes.NumericColumn) -> Iterator[str]:
    low, high = column.low, column.high
    if low is None or high is None:  # of a file that is older than these fields
        outside, span = np.ones(len(numbers), dtype=bool), f"a mean of {column.mean:.6g}"
    else:
        outside, span = (numbers < low) | (numbers > high), f"{low:.6g} to {high:.6g}"
    with np.errstate(over="ignore"):
        far = outside & (np.abs(numbers - column.mean) / column.std > FAR)
    if far.any():
        told, amount = far, "far outside"
    else:
        told, amount = outside & ~np.isnan(numbers), "outside"
        present = np.count_nonzero(~np.isnan(numbers))
        if low is None or present < FEWEST or np.count_nonzero(told) <= present / 2:
            return
    first = int(np.argmax(told))
    yield (
        f"{_rows(told)} with numbers {amount} those of training ({span}), the first row "
        f"{first + 1}: {numbers[first]:.6g}"
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _rows(mask: Column) -> str:
    count = int(np.count_nonzero(mask))
    return "1 row" if count == 1 else f"{count} rows"

"""Leaks: a column of a table that gives the target alone, and may not be known when one asks.

It may be the target on another scale or in other words; what happened afterwards; or a number that
tells in which order rows were put down. Whether it is known in time the user alone can say.

Source: Kaufman, Rosset, Perlich, Stitelman, "Leakage in Data Mining" (2012).
"""

from collections.abc import Collection, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from clearprop.data.dataset import Dataset
from clearprop.data.tables.doubts import typed
from clearprop.data.tables.table import Column, Table, Words, is_missing
from clearprop.data.tables.understood import LONGEST_NAME
from clearprop.errors import listed

_VALUES = 0.995  # of the way from always the same answer to perfection ...
_CLASSES = 0.99  # ... where each border between classes that a number makes may cost a row ...
_STRONG = 0.9  # ... and of which a column that is just good goes this part at most
_CHANCE = 0.01  # that such a column makes as few mistakes
_FEWEST, _MOST = 50, 5000  # rows that are looked at
_CELLS = 2_000_000  # the same of cells: of more columns fewer rows ...
_FEWEST_OF_MANY, _MOST_COLUMNS = 400, 5_000  # ... but not fewer than these, of so many columns
_TOLD = 5  # columns that get a sentence
_HASHED = np.uint64(1_000_003)  # what a row's codes are multiplied with, one after the other

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]


def leaks(dataset: Dataset, known: Collection[str] = ()) -> tuple[str, ...]:
    """Name the columns of a table each of which gives the target alone.

    Each half of the rows, at most 5,000 drawn at random, is answered for by what the other half
    says of the column's cells: the mean of the targets' ranks, or the most frequent class. Rows
    that are alike are in the same half.

    Parameters
    ----------
    dataset : Dataset
    known : collection of str
        Columns of which nothing is to be said.

    Returns
    -------
    tuple of str
        A sentence for each column by which nearly nothing is answered wrongly: at least 99.5% of
        the way from the answer that is always the same to perfection; of classes 99%, and so few
        mistakes that a column of 90% of the way would seldom make no more. Nothing below 50 rows.
    """
    table, y = dataset.X, dataset.y
    if not isinstance(table, Table) or y.ndim > 1 or len(y) < _FEWEST:
        return ()
    names = [name for name in table.names[:_MOST_COLUMNS] if name not in known]
    most = max(_CELLS // max(len(names), 1), _FEWEST_OF_MANY)
    rows = np.random.RandomState(0).permutation(len(y))[: min(most, _MOST)]
    truth = y[rows] if dataset.class_names is not None else _ranks(y[rows])
    if (truth == truth[0]).all():
        return ()
    found, target = [], dataset.target_name[:LONGEST_NAME]
    cells = {name: _codes(table.columns[name][rows]) for name in names}
    halves = _halves(cells.values(), len(rows))
    for name, codes in cells.items():
        is_ordered = not isinstance(table.columns[name], Words)
        if says := _alone(codes, truth, halves, is_ordered=is_ordered):
            found.append(
                f"{name[:LONGEST_NAME]} alone gives the target {target} ({says}). If it would not "
                f"be known when you predict, leave it out: --drop {typed(name)}"
            )
    more = len(found) - _TOLD
    if more > 0:
        found[_TOLD:] = [f"So do {more:,} more columns."]
    return (*found, *_one_for_each_class(dataset, cells, truth))


def _halves(columns: Iterable[Codes], n: int) -> NDArray[np.bool_]:
    """Return which of n rows are in the first half, shape (n,): those that are alike stay together.

    Else a row that comes twice would be answered for by itself, whatever its cells are. Where few
    different rows come often, they are no copies, and are dealt out one by one.
    """
    key = np.zeros(n, np.uint64)
    for codes in columns:
        key = key * _HASHED + codes.astype(np.uint64)
    _, first, group, times = np.unique(
        key, return_index=True, return_inverse=True, return_counts=True
    )
    if len(times) < _FEWEST:
        return np.arange(n) < n // 2
    order, is_first = np.argsort(first), np.empty(len(times), np.bool_)
    is_first[order] = np.cumsum(times[order]) - times[order] < n // 2
    halves: NDArray[np.bool_] = is_first[group]
    return halves


def _alone(
    codes: Codes, truth: Numbers | Codes, halves: NDArray[np.bool_], *, is_ordered: bool
) -> str:
    """Say how well the cells of a column give the truth, if they do so alone; else nothing."""
    n = len(truth)
    told = np.empty(n)
    for part in (halves, ~halves):
        told[part] = _answers(codes, truth, ~part, is_ordered=is_ordered)[codes[part]]
    if truth.dtype.kind == "f":
        r2 = 1 - np.square(told - truth).sum() / np.square(truth - truth.mean()).sum()
        return f"R² of ranks {r2:.4f} on {n:,} rows held out" if r2 >= _VALUES else ""
    wrong, missed = int((told != truth).sum()), n - int(np.bincount(truth).max())
    if wrong > (1 - _CLASSES) * missed:
        return ""
    from scipy.special import bdtr  # here, so that reading stays quick

    if bdtr(wrong, n, (1 - _STRONG) * missed / n) > _CHANCE:
        return ""
    return f"right in {n - wrong:,} of {n:,} rows held out"


def _answers(
    codes: Codes, truth: Numbers | Codes, known: NDArray[np.bool_], *, is_ordered: bool
) -> Numbers:
    """Return the answer for each of D different cells, shape (D,), by what some rows say of it.

    It is the mean truth of the cell, of classes the most frequent one. For a cell that these rows
    don't have, it is that of all of them; where cells are ordered, that between its neighbours, of
    classes the nearer one's.
    """
    count = 1 + int(codes.max())
    codes, truth = codes[known], truth[known]
    seen = np.bincount(codes, minlength=count)
    if truth.dtype.kind == "f":
        told = np.full(count, truth.mean())
        sums = np.bincount(codes, truth, minlength=count)
        np.divide(sums, seen, out=told, where=seen > 0)
    else:
        told, classes = np.full(count, np.bincount(truth).argmax(), np.float64), 1 + truth.max()
        pairs, times = np.unique(codes * classes + truth, return_counts=True)
        pairs = pairs[np.argsort(times, kind="stable")]  # the most frequent is written last
        told[pairs // classes] = pairs % classes
    places = np.flatnonzero(seen[1:]) + 1  # 0 are the missing ones
    if not is_ordered or not len(places):
        return told
    every = np.arange(1, count)
    if truth.dtype.kind == "f":
        told[1:] = np.interp(every, places, told[places])
    else:
        borders = (places[1:] + places[:-1]) / 2
        told[1:] = told[places[np.searchsorted(borders, every)]]
    return told


def _codes(column: Column) -> Codes:
    """Return a number for each cell, in the order of the cells: 1, 2, ...; of missing ones 0."""
    missing, codes = is_missing(column), np.zeros(len(column), np.int64)
    there = column.codes[~missing] if isinstance(column, Words) else column[~missing]
    codes[~missing] = 1 + np.unique(there, return_inverse=True)[1]
    return codes


def _ranks(values: Numbers) -> Numbers:
    """Return the rank of each value, of equal ones their mean."""
    _, places, times = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(times)
    return (last - (times - 1) / 2)[places]


def _one_for_each_class(
    dataset: Dataset, cells: dict[str, Codes], truth: Numbers | Codes
) -> Iterator[str]:
    """Name columns of two different cells that say of each class whether it is the target."""
    names = dataset.class_names
    if names is None or len(names) < 3:  # of two, each column gives the target alone
        return
    told: dict[int, str] = {}
    for name, codes in cells.items():
        if codes.min() < 1 or codes.max() != 2:
            continue
        counts = np.bincount(codes * len(names) + truth, minlength=3 * len(names))
        each = counts.reshape(3, -1)[1:] > 0
        alone = [int(one.argmax()) for one in each if one.sum() == 1]
        if len(alone) == 1 and not (each[0] & each[1]).any():
            told[alone[0]] = name
    if len(told) < len(np.unique(truth)) - 1:
        return
    columns = list(told.values())
    yield (
        f"{listed([one[:LONGEST_NAME] for one in columns], _TOLD)} together are the target "
        f"{dataset.target_name[:LONGEST_NAME]}, one for each class. If they would not be known "
        f"when you predict, leave them out: --drop {','.join(map(typed, columns))}"
    )

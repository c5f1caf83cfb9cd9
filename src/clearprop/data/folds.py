"""Samples that are dealt out to folds: at random, by whole groups, or one after another in time."""

import numpy as np
from numpy.typing import NDArray

from clearprop.data.dataset import Dataset
from clearprop.data.splitting import groups_of, rows_by_class, spelled, strata, times_of
from clearprop.data.tables.table import is_missing
from clearprop.errors import DataError, counted, listed


def folds(dataset: Dataset, count: int, seed: int) -> list[NDArray[np.bool_]]:
    """Deal samples out to folds at random, each class in the same proportion.

    Parameters
    ----------
    dataset : Dataset
    count : int
        The number of folds; there are fewer where a fold would have no sample.
    seed : int
        The seed of the `numpy.random.RandomState` that chooses.

    Returns
    -------
    list of ndarray of bool, shape (N,)
        The samples of each fold. The only sample of a class is in none: it is learned from.

    Raises
    ------
    DataError
        If there are not two samples to deal out.
    """
    random_state = np.random.RandomState(seed)
    shuffled = [random_state.permutation(members) for _, members in strata(dataset)]
    dealt = np.concatenate([np.empty(0, np.int64), *(one for one in shuffled if len(one) > 1)])
    if len(dealt) < 2:
        raise DataError(
            f"{dataset.name} has no two samples of a class, so none can be held out. Add samples, "
            "or hold nothing out with --folds 0 --validation 0 --test 0."
        )
    count = min(count, len(dealt))
    fold = np.full(len(dataset), -1)
    fold[dealt] = np.arange(len(dealt)) % count  # classes follow each other: so folds fill evenly
    return [fold == number for number in range(count)]


def folds_of_groups(
    dataset: Dataset, column: str, count: int, seed: int
) -> tuple[list[NDArray[np.bool_]], str]:
    """Deal whole groups of rows out to folds, so that no group lies in two of them.

    Groups are taken from the largest to the smallest, those of a size in random order, each into
    the fold whose rows of the group's classes, and whose size, are the least by the measure of
    `hold_out_groups`; never into one that would then hold all rows of a class.

    Parameters
    ----------
    dataset : Dataset
        A table.
    column : str
        The column of `dataset.X` that names each row's group; rows without one are a group, too.
    count : int
    seed : int

    Returns
    -------
    list of ndarray of bool, shape (N,)
        The rows of each fold. A group with all rows of a class is in none: it is learned from.
    note : str
        A sentence on what was done.

    Raises
    ------
    UsageError
        If it is no table with such a column.
    DataError
        If there are fewer groups that can be held out than folds.
    """
    cells, groups = groups_of(dataset, column)
    table = rows_by_class(dataset, groups)
    rows, sizes = table.sum(axis=0), table.sum(axis=1)
    held, filled = np.zeros((count, len(rows))), np.zeros(count)
    fold = np.full(len(sizes), -1)
    order = np.random.RandomState(seed).permutation(len(sizes))
    for group in order[np.argsort(-sizes[order], kind="stable")].tolist():
        part = slice(table.indptr[group], table.indptr[group + 1])
        of, more = table.indices[part], table.data[part]
        cost = (held[:, of] * more / rows[of]).sum(axis=1) + filled * sizes[group] / len(dataset)
        cost[(held[:, of] + more >= rows[of]).any(axis=1)] = np.inf
        best = int(np.argmin(cost))
        if cost[best] < np.inf:
            held[best, of] += more
            filled[best] += sizes[group]
            fold[group] = best
    able = int((fold >= 0).sum())
    if not filled.all():
        advice = f"Give --folds {able} or fewer" if able > 1 else "Give --group another column"
        raise DataError(
            f"{dataset.name} has {counted(able, 'group')} of {column!r} without which every class "
            f"can be learned, and {count} folds are asked for. {advice}, or leave --group out."
        )
    note = f"{able:,} groups of {column!r} in {count} folds of "
    note += f"{filled.min():,.0f} to {filled.max():,.0f} rows"
    if missing := int(is_missing(cells).sum()):
        note += f"; rows without {column!r} ({missing:,}) are one group"
    if single := len(fold) - able:
        note += f"; {counted(single, 'group')} with all rows of a class, always learned from"
    return [fold[groups] == number for number in range(count)], f"{note}."


def folds_in_time(
    dataset: Dataset, column: str, count: int
) -> tuple[list[tuple[NDArray[np.bool_], NDArray[np.bool_]]], str]:
    """Make folds that follow each other in time; from all rows before a fold it is learned.

    The rows are cut into one part more than folds, as scikit-learn's `TimeSeriesSplit` does; a cut
    moves to where the time changes, as equal times stay together.

    Parameters
    ----------
    dataset : Dataset
        A table.
    column : str
        The column of `dataset.X` that orders the rows. Rows without a value are learned from.
    count : int

    Returns
    -------
    list of (ndarray of bool, ndarray of bool), each of shape (N,)
        The rows to learn from, and those of the fold.
    note : str
        A sentence on what was done.

    Raises
    ------
    UsageError
        If it is no table with such a column, or the column is text that has no order in time.
    DataError
        If there are too few times, or a class occurs in a fold and in no row before it.
    """
    times, missing, distinct, counts = times_of(dataset, column)
    known, before = int(counts.sum()), np.cumsum(counts) - counts
    wanted = known - known // (count + 1) * np.arange(count, 0, -1)
    first = [int(np.abs(before - place).argmin()) for place in wanted.tolist()]
    if known <= count or first[0] == 0 or len(set(first)) < count:
        raise DataError(
            f"{dataset.name} has {len(distinct):,} different values of {column!r} in {known:,} "
            f"rows, too few to cut into {count + 1} parts that follow each other. Give fewer "
            "--folds, or leave --time out."
        )
    number = np.searchsorted(distinct[first], times, side="right") - 1  # -1 before the first fold
    number[missing] = -1
    parts = [(number < k, number == k) for k in range(count)]
    begins = [spelled(distinct[place : place + 1]) for place in first]
    for k, (learned, held) in enumerate(parts):
        for name, rows in strata(dataset):
            if held[rows].any() and not learned[rows].any():
                raise DataError(
                    f"{name} of {dataset.name} occurs only from {column} = {begins[k]} on, in fold "
                    f"{k + 1} of {count}: no row before it teaches that class. Give fewer --folds, "
                    "or leave --time out."
                )
    note = f"Each fold is learned from the rows before it; folds begin at {column} = "
    note += f"{listed(begins, 5)}."
    if missing.any():
        note += f" Rows without {column!r} ({missing.sum():,}) are always learned from."
    return parts, note

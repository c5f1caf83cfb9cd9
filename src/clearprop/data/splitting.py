"""Samples that are held out: at random, by whole groups, or the latest.

A random part of a table answers "how good is it on more of the same?". Where rows belong together
(visits of a patient) or follow each other, that flatters: the part must follow groups, or time.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clearprop.data.dataset import Dataset
from clearprop.data.tables.numerals import is_plain_number
from clearprop.data.tables.table import Column, Table, Words, as_words, is_missing
from clearprop.errors import DataError, UsageError, unknown_name

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def hold_out(
    dataset: Dataset, share: float, seed: int, *, keep_single: bool = False
) -> tuple[Dataset, Dataset]:
    """Split a data set in two at random; each class in the same proportion.

    Both parts keep the order of the samples. Each side gets at least one sample of every class.

    Parameters
    ----------
    dataset : Dataset
    share : float
        The part to hold out, between 0 and 1.
    seed : int
        The seed of the `numpy.random.RandomState` that chooses.
    keep_single : bool, default False
        Whether the only sample of a class is learned from, rather than an error.

    Returns
    -------
    train, held_out : Dataset

    Raises
    ------
    UsageError
        If `share` is not between 0 and 1.
    DataError
        If a class, or the whole of a regression set, has a single sample.
    """
    _require_share(share)
    random_state = np.random.RandomState(seed)
    held = np.zeros(len(dataset), dtype=bool)
    for name, members in strata(dataset):
        if len(members) == 1:
            if keep_single and dataset.class_names:
                continue
            names = dataset.class_names
            as_values = (
                ", learn its numbers as values with --task regress"
                if names and all(map(is_plain_number, names))
                else ""
            )
            raise DataError(
                f"{name} of {dataset.name} has one sample only, {dataset.source(members[0])}: it "
                "can't be both learned from and held out. "
                f"Add samples, remove the class{as_values}, or hold nothing out with --test 0."
            )
        count = min(max(round(share * len(members)), 1), len(members) - 1)
        held[random_state.permutation(members)[:count]] = True
    if not held.any():
        raise DataError(
            f"Every class of {dataset.name} has one sample only: none can be both learned from and "
            "held out. Add samples, or hold nothing out with --validation 0."
        )
    return dataset.take(~held), dataset.take(held)


def hold_out_groups(
    dataset: Dataset, column: str, share: float, seed: int
) -> tuple[Dataset, Dataset, str]:
    """Hold out whole groups of rows, so that no group is on both sides.

    Groups are taken in random order, each if it brings the part held out closer to its share of
    the rows of every class; then, for a class without a row in it, the group that disturbs least.

    Parameters
    ----------
    dataset : Dataset
        A table.
    column : str
        The column of `dataset.X` that names each row's group; rows without one are a group, too.
    share : float
        The part of the rows to hold out, between 0 and 1.
    seed : int
        The seed of the `numpy.random.RandomState` that orders the groups.

    Returns
    -------
    train, held_out : Dataset
    note : str
        A sentence on what was done.

    Raises
    ------
    UsageError
        If `share` is not between 0 and 1, or it is no table with such a column.
    DataError
        If no group can be held out without a class, or all, being lost for training.
    """
    _require_share(share)
    cells, groups = groups_of(dataset, column)
    table = rows_by_class(dataset, groups)
    chosen = _choose(table, share, np.random.RandomState(seed))
    if not chosen.any():
        raise DataError(
            f"Any group of {column!r} in {dataset.name}, held out, takes all rows of a class with "
            "it: there would be nothing to learn that class from. Leave --group out."
        )
    held = chosen[groups]
    note = f"{chosen.sum():,} of {len(chosen):,} groups of {column!r}, {_part(held)}"
    if missing := int(is_missing(cells).sum()):
        note += f"; rows without {column!r} ({missing:,}) are one group"
    return dataset.take(~held), dataset.take(held), f"{note}." + _absent(dataset, held)


def hold_out_latest(dataset: Dataset, column: str, share: float) -> tuple[Dataset, Dataset, str]:
    """Hold out the last rows by a column of dates or numbers; equal ones stay together.

    Parameters
    ----------
    dataset : Dataset
        A table.
    column : str
        The column of `dataset.X` that orders the rows. Rows without a value are learned from.
    share : float
        The part of the rows to hold out, between 0 and 1.

    Returns
    -------
    train, held_out : Dataset
    note : str
        A sentence on what was done, and from which value on.

    Raises
    ------
    UsageError
        If `share` is not between 0 and 1, it is no table with such a column, or the column is text
        that has no order in time.
    DataError
        If all rows are of one time, or a class occurs in the part held out only.
    """
    _require_share(share)
    times, missing, distinct, counts = times_of(dataset, column)
    later = np.cumsum(counts[::-1])[::-1]  # the rows from each time on
    first = distinct[1 + np.argmin(np.abs(later[1:] - share * len(times)))]
    held, begin = ~missing & (times >= first), spelled(distinct[distinct == first])
    note = f"{_part(held)}, those from {column} = {begin} on."
    if missing.any():
        note += f" Rows without {column!r} ({missing.sum():,}) are learned from."
    for name, rows in strata(dataset):
        if held[rows].all():
            raise DataError(
                f"{name} of {dataset.name} occurs only from {column} = {begin} on, in "
                "the part that --time holds out: there is nothing to learn it from. Hold out less "
                "with --test, or leave --time out."
            )
    return dataset.take(~held), dataset.take(held), note + _absent(dataset, held)


def without_column(dataset: Dataset, name: str) -> Dataset:
    """Leave a column out of a table's inputs, and out of those of the parts that came with it.

    Raises
    ------
    DataError
        If no other column is left to learn from.
    """
    test, validation = (
        None if part is None else without_column(part, name)
        for part in (dataset.test, dataset.validation)
    )
    X = dataset.X.without(name) if isinstance(dataset.X, Table) else dataset.X
    if isinstance(X, Table) and not X.columns:
        raise DataError(f"{dataset.name} has no column besides {name!r} to learn from.")
    names = dataset.feature_names
    kept = None if names is None else tuple(one for one in names if one != name)
    columns = tuple(
        replace(one, is_used=False) if one.name == name else one for one in dataset.columns
    )
    return replace(
        dataset, X=X, feature_names=kept, columns=columns, test=test, validation=validation
    )


def groups_of(dataset: Dataset, column: str) -> tuple[Column, NDArray[np.int64]]:
    """Return the cells that name each row's group, and the number of each row's group."""
    cells = _column(dataset, column, "group")
    distinct, groups = np.unique(as_words(cells).codes, return_inverse=True)
    if len(distinct) == 1:
        raise DataError(
            f"All rows of {dataset.name} have the same {column!r}, {spelled(cells)!r}: no group "
            "can be held out. Give --group another column, or leave it out."
        )
    return cells, groups


def rows_by_class(dataset: Dataset, groups: NDArray[np.int64]) -> "csr_array":
    """Count the rows of each group (down) and class (across); values are one class."""
    from scipy.sparse import coo_array  # here, so that importing clearprop stays quick

    classes = dataset.y if dataset.class_names else np.zeros(len(dataset), dtype=np.int64)
    # Sparse: with 100,000 groups and 20,000 classes, a full table would be 16 GB.
    return coo_array((np.ones(len(groups)), (groups, classes))).tocsr()


def _choose(
    table: "csr_array", share: float, random_state: np.random.RandomState
) -> NDArray[np.bool_]:
    """Choose groups so that about a share of each class is held out, and never all of a class.

    The measure is chi-squared, sum over classes of (rows held out - share * rows)² / rows.
    """
    rows = table.sum(axis=0)
    held, chosen = np.zeros(len(rows)), np.zeros(table.shape[0], dtype=bool)

    def cost(group: int) -> float:
        """Tell how much worse the measure gets with a group; infinite if a class would be lost."""
        part = slice(table.indptr[group], table.indptr[group + 1])
        of, more = table.indices[part], table.data[part]
        if (held[of] + more >= rows[of]).any():
            return np.inf
        off = held[of] - share * rows[of]
        return float((more * (2 * off + more) / rows[of]).sum())

    def take(group: int) -> None:
        part = slice(table.indptr[group], table.indptr[group + 1])
        held[table.indices[part]] += table.data[part]
        chosen[group] = True

    order = random_state.permutation(table.shape[0])
    for group in order.tolist():
        if cost(group) < 0:
            take(group)
    by_class = table[order].tocsc()
    for one in np.flatnonzero(held == 0).tolist():
        if held[one] == 0:
            members = order[by_class.indices[by_class.indptr[one] : by_class.indptr[one + 1]]]
            best = min(members.tolist(), key=cost, default=None)
            if best is not None and cost(best) < np.inf:
                take(best)
    return chosen


def _require_share(share: float) -> None:
    if not 0 < share < 1:
        raise UsageError(f"The share to hold out is {share}, expected a number between 0 and 1.")


def strata(dataset: Dataset) -> list[tuple[str, NDArray[np.int64]]]:
    """Return the name of each class, for a message, with the places of its rows."""
    if dataset.class_names is None:
        return [("The whole", np.arange(len(dataset)))]
    counts = np.bincount(dataset.y, minlength=len(dataset.class_names))
    members = np.split(np.argsort(dataset.y, kind="stable"), np.cumsum(counts)[:-1])
    return [
        (f"The class {name!r}", rows)
        for name, rows in zip(dataset.class_names, members, strict=True)
        if len(rows)
    ]


def _column(dataset: Dataset, name: str, option: str) -> Column:
    if not isinstance(dataset.X, Table):
        raise UsageError(
            f"--{option} names a column, and {dataset.name} is no table: leave it out."
        )
    if name == dataset.target_name:
        raise UsageError(f"{name!r} is the target of {dataset.name}: give --{option} another one.")
    if name not in dataset.X.columns:
        raise unknown_name("column", name, dataset.X.names)
    return dataset.X.columns[name]


def times_of(
    dataset: Dataset, column: str
) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[Any], NDArray[np.int64]]:
    """Return each row's time, whether it is missing, the different times, and the rows of each."""
    cells = _column(dataset, column, "time")
    missing = is_missing(cells)
    times = np.zeros(len(cells)) if missing.all() else _in_order(cells, column, missing)
    distinct, counts = np.unique(times[~missing], return_counts=True)
    if len(distinct) < 2:
        raise DataError(
            f"All rows of {dataset.name} have the same {column!r}, or none: there is no later part "
            "to hold out. Give --time another column, or leave it out."
        )
    return times, missing, distinct, counts


def _in_order(cells: Column, name: str, missing: NDArray[np.bool_]) -> NDArray[Any]:
    """Return keys that follow each other in time: numbers or dates."""
    if not isinstance(cells, Words):
        return cells
    row = int(np.argmin(missing))
    raise UsageError(
        f"Row {row + 1} of column {name!r} is {spelled(cells[row:])!r}, which has no place in "
        "time; --time takes a column of numbers, or of dates such as 2024-12-31."
    )


def spelled(cells: Column) -> str:
    """Write the first cell, a date without a time of day as such."""
    return as_words(cells[:1]).tolist()[0].removesuffix(" 00:00:00")


def _part(held: NDArray[np.bool_]) -> str:
    return f"{held.sum():,} of {len(held):,} rows ({held.mean():.1%})"


def _absent(dataset: Dataset, held: NDArray[np.bool_]) -> str:
    absent = [name for name, rows in strata(dataset) if not held[rows].any()]
    more = f", and so for {len(absent) - 1:,} more classes" if len(absent) > 1 else ""
    return f" {absent[0]} has no row held out{more}." if absent else ""

"""The rows on which an export is tried: those where exports that look right are wrong.

Ordinary rows hide mistakes: a scale that is a little off changes no answer, and a missing cell or a
category that nobody has seen may not be among them. So there are extremes, gaps and unknown
categories, and pairs of rows of different answers are halved until the model hardly knows which.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.exports.description import (
    ClassAnswer,
    Description,
    Inputs,
    PictureInputs,
    TableInputs,
)
from clearprop.exports.rows import Column, Rows
from clearprop.preprocessing.cells import CategoryCells, DateCells, NumberCells

UNKNOWN = "no such category: \"'\\, ;\n</script>"
"""A category that no training data have had, and that no language may trip over."""

_DRAWN = 300  # rows that are made up where there are no data
_EACH = 64  # columns, and rows at borders, at most
_TRIED = 256  # pairs of rows, of which some are of one label where only their numbers differ
_HALVINGS = 60
_NEAR = 1e-4  # of the largest logit: rows nearer to a border than this need not be halved on
_FAR = (-10.0, 10.0)  # times the deviation, for numbers beyond all that was learned from
_DATES = (-59011459200.0, 253402300799.0)  # seconds of the years 100 to 9999: texts of others are
# no dates, or those of years with two digits

Labels = Callable[[Rows], tuple[NDArray[np.intp], NDArray[np.float64]]]


@dataclass(frozen=True, eq=False)
class Trial:
    """Rows to try, and how many there are of each kind.

    Parameters
    ----------
    rows : Rows
    kinds : mapping of str to int
        The kinds in the order of the rows.
    """

    rows: Rows
    kinds: dict[str, int]


def trial_of(description: Description, data: Rows | None, labels: Labels) -> Trial:
    """Gather the rows that matter.

    Parameters
    ----------
    description : Description
    data : Rows or None
        Rows of data; without any, rows are drawn from what the recipe knows of its columns.
    labels : callable
        A function that returns the label of each row, and its margin: the share of the largest
        logit by which the model prefers it.
    """
    drawn = data is None or not data.count
    rows = drawn_rows(description, _DRAWN) if data is None or not data.count else data
    every, kinds = rows, {"drawn" if drawn else "data": rows.count}
    more: list[tuple[str, Rows | None]] = [*_special(description.inputs, rows)]
    if isinstance(description.answer, ClassAnswer):
        more.append(("class borders", _at_borders(description.inputs, rows, labels)))
    for name, some in more:
        if some is not None:
            every, kinds = every.followed_by(some), {**kinds, name: some.count}
    return Trial(every, kinds)


def drawn_rows(description: Description, count: int) -> Rows:
    """Draw so many rows: numbers around the centre, every category, pictures of any levels."""
    random, inputs = np.random.RandomState(0), description.inputs
    if isinstance(inputs, PictureInputs):
        shape = (count, *description.input.shape)
        levels = random.uniform(0, 255, (count, *[1] * len(description.input.shape)))
        noise = random.normal(0, 60, shape)
        return Rows(count, {}, np.clip(levels + noise, 0, 255).astype(np.uint8))
    if not isinstance(inputs, TableInputs):
        numbers = random.normal(0, 1, (count, *description.input.shape))
        return Rows(count, {}, numbers * inputs.std + inputs.mean)
    columns: dict[str, Column] = {}
    for cells in inputs.columns:
        if isinstance(cells, CategoryCells):
            places = random.randint(0, max(len(cells.categories), 1), count)
            texts = [*cells.categories] or [UNKNOWN]
            columns[cells.name] = tuple(texts[place] for place in places.tolist())
        else:
            centre, deviation = _spread(cells)
            numbers = centre + deviation * random.normal(0, 1, count)
            columns[cells.name] = _kept(cells, np.round(numbers, 6))
    return Rows(count, columns)


def _spread(cells: NumberCells | DateCells) -> tuple[float, float]:
    """Return the middle of a column and how far numbers lie from it, of dates in seconds."""
    if isinstance(cells, NumberCells):
        return cells.centre, 1 / cells.factor if cells.factor else 1.0
    days = 1 / cells.factors[0] if cells.factors[0] else 1.0
    return round(cells.centres[0]) * 86400.0, round(days) * 86400.0


def _kept(cells: NumberCells | DateCells, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers as they are, of dates whole seconds of years that can be written."""
    return np.clip(np.round(numbers), *_DATES) if isinstance(cells, DateCells) else numbers


def _special(inputs: Inputs, rows: Rows) -> Iterator[tuple[str, Rows]]:
    """Give the first row with one cell changed at a time, by the kind of the change."""
    if rows.array is not None:
        if rows.array.dtype == np.uint8:
            flat = [np.full_like(rows.array[:1], level) for level in (0, 255)]
            yield "extremes", Rows(2, {}, np.concatenate(flat))
        return
    columns = inputs.columns[:_EACH] if isinstance(inputs, TableInputs) else ()
    one = rows.take(np.zeros(1, np.intp))
    extremes, missing, unknown = [], [], []
    for cells in columns:
        if isinstance(cells, CategoryCells):
            unknown.append(_changed(one, cells.name, (UNKNOWN,)))
            missing.append(_changed(one, cells.name, (None,)))
            continue
        centre, deviation = _spread(cells)
        column = np.asarray(rows.columns[cells.name])
        known = column[np.isfinite(column)]
        ends = [known.min(), known.max()] if len(known) else []
        numbers = _kept(cells, np.array([*ends, *(centre + far * deviation for far in _FAR)]))
        extremes += [_changed(one, cells.name, numbers[[at]]) for at in range(len(numbers))]
        if not isinstance(cells, NumberCells) or cells.instead is not None:
            missing.append(_changed(one, cells.name, np.array([np.nan])))
    if missing:
        missing.append(_all_missing(one, columns))
    for name, found in (
        ("extremes", extremes),
        ("missing cells", missing),
        ("unknown categories", unknown),
    ):
        if found:
            together = found[0]
            for each in found[1:]:
                together = together.followed_by(each)
            yield name, together


def _changed(one: Rows, name: str, column: Column) -> Rows:
    return Rows(1, {**one.columns, name: column})


def _all_missing(one: Rows, columns: tuple[Any, ...]) -> Rows:
    """Return a row whose every cell is missing that may be."""
    for cells in columns:
        if isinstance(cells, CategoryCells):
            one = _changed(one, cells.name, (None,))
        elif not isinstance(cells, NumberCells) or cells.instead is not None:
            one = _changed(one, cells.name, np.array([np.nan]))
    return one


def _at_borders(inputs: Inputs, rows: Rows, labels: Labels) -> Rows | None:
    """Halve the way between rows of different labels until the model hardly knows which it is."""
    start, stop = _pairs(rows, labels(rows)[0])
    if start is None or stop is None:
        return None
    if isinstance(inputs, TableInputs):
        # Numbers alone can come near to a border: parts of dates leap, and categories have no way.
        moved = {cells.name for cells in inputs.columns if isinstance(cells, NumberCells)}
        ways = {
            name: stop.columns[name] if name in moved else start.columns[name]
            for name in start.columns
        }
        stop = Rows(stop.count, ways)
    own, _ = labels(start)
    ends = np.flatnonzero(labels(_between(start, stop, np.ones(len(own))))[0] != own)[:_EACH]
    if not len(ends):
        return None
    start, stop, own = start.take(ends), stop.take(ends), own[ends]
    low, high, middle = np.zeros(len(own)), np.ones(len(own)), np.full(len(own), 0.5)
    for _ in range(_HALVINGS):
        label, margin = labels(_between(start, stop, middle))
        is_far = margin >= _NEAR
        if not is_far.any():
            break
        low = np.where(label == own, middle, low)
        high = np.where(label == own, high, middle)
        middle = np.where(is_far, (low + high) / 2, middle)
    return _between(start, stop, middle)


def _pairs(rows: Rows, found: NDArray[np.intp]) -> tuple[Rows, Rows] | tuple[None, None]:
    """Return rows of each label in turn, and for each of them one of another label."""
    every = [np.flatnonzero(found == label) for label in np.unique(found).tolist()]
    if len(every) < 2:
        return None, None
    first = np.concatenate([np.resize(places, _TRIED // len(every) + 1) for places in every])
    random = np.random.RandomState(0)
    others = [np.flatnonzero(found != label) for label in found[first].tolist()]
    second = np.array([random.choice(places) for places in others])
    order = random.permutation(len(first))
    return rows.take(first[order]), rows.take(second[order])


def _between(start: Rows, stop: Rows, share: NDArray[np.float64]) -> Rows:
    """Return rows on the way from one to the other; texts and gaps are those of the start."""
    if start.array is not None and stop.array is not None:
        along = share.reshape(-1, *[1] * (start.array.ndim - 1))
        mixed = start.array * (1 - along) + stop.array * along
        is_picture = start.array.dtype == np.uint8
        return Rows(start.count, {}, np.rint(mixed).astype(np.uint8) if is_picture else mixed)
    columns: dict[str, Column] = {}
    for name, column in start.columns.items():
        other = stop.columns[name]
        if isinstance(column, tuple) or isinstance(other, tuple):
            columns[name] = column
        else:
            mixed = column * (1 - share) + other * share
            columns[name] = np.where(np.isnan(mixed) | (column == other), column, mixed)
    return Rows(start.count, columns)

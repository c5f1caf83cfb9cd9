"""Excerpts: the rows and columns of a matrix that are shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clearprop.core.expressions import Index

if TYPE_CHECKING:
    from clearprop.walkthrough.quantities import Matrix


@dataclass(frozen=True)
class Excerpt:
    """Some rows and columns of an array, as it is shown.

    Parameters
    ----------
    dimensions : int
        The number of the array's dimensions. Of more than two, the first is fixed at a sample, and
        all from the fourth on at 0; of filters (kh, kw, C, F), all from the third on.
    sample : int or None
        The sample at which the first of more than two is fixed; None of filters.
    rows, columns : tuple of int
        The places of those that are shown, in order.
    whole : bool
        Whether these are all rows and columns.
    row_names, column_names : tuple of str, or None
        The names of those that are shown, where they have some.
    """

    dimensions: int
    sample: int | None
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    whole: bool
    row_names: tuple[str, ...] | None = None
    column_names: tuple[str, ...] | None = None

    def index(self, row: int, column: int) -> Index:
        """Return the index of an entry."""
        match self.dimensions:
            case 0:
                return ()
            case 1:
                return (column,)
            case 2:
                return (row, column)
        first = () if self.sample is None else (self.sample,)
        return (*first, row, column, *[0] * (self.dimensions - len(first) - 2))

    @property
    def place(self) -> str:
        """The part that it is of, in an array of more than two dimensions: ``[3,:,:,0]``."""
        if self.dimensions < 3:
            return ""
        first = [] if self.sample is None else [str(self.sample)]
        return f"[{','.join([*first, ':', ':', *['0'] * (self.dimensions - len(first) - 2)])}]"


def excerpt_of(matrix: "Matrix", sample: int, most: int) -> Excerpt:
    """Choose at most so many rows and columns: the first, the last, and those of a sample."""
    shape = matrix.shape
    dimensions, axis = len(shape), matrix.sample_axis
    if dimensions > 2:
        is_filters = dimensions == 4 and not matrix.per_sample
        height, width = shape[:2] if is_filters else shape[1:3]
        rows, columns = _chosen(height, 0, most), _chosen(width, 0, most)
        first = sample if matrix.per_sample else None if is_filters else 0
        whole = shape[0] == 1 and (len(rows), len(columns)) == shape[1:3] and dimensions == 3
        return Excerpt(dimensions, first, rows, columns, whole)
    height, width = {0: (1, 1), 1: (1, *shape)}.get(dimensions, shape)
    in_row = axis == 0 and dimensions == 2
    rows = _chosen(height, sample if in_row else 0, most)
    columns = _chosen(width, sample if axis is not None and not in_row else 0, most)
    whole = (len(rows), len(columns)) == (height, width)
    names = (
        tuple(matrix.names[axis][place] for place in places) if axis in matrix.names else None
        for axis, places in ((dimensions - 2, rows), (dimensions - 1, columns))
    )
    return Excerpt(dimensions, 0, rows, columns, whole, *names)


def shown_entry(matrix: "Matrix", sample: int) -> Index:
    """Return the entry to look at first: that of the sample, otherwise the first of all.

    Of pictures it is one in the middle, where windows don't reach over the edge.
    """
    shape, axis = matrix.shape, matrix.sample_axis
    if len(shape) > 2 and matrix.per_sample:
        return (sample, shape[1] // 2, shape[2] // 2, *[0] * (len(shape) - 3))
    return tuple(sample if place == axis else 0 for place in range(len(shape)))


def with_gaps(places: tuple[int, ...]) -> Iterator[tuple[bool, int]]:
    """Say of every place whether some are left out before it."""
    before = -1
    for place in places:
        yield place != before + 1, place
        before = place


def _chosen(size: int, wanted: int, most: int) -> tuple[int, ...]:
    if size <= most:
        return tuple(range(size))
    if wanted < most - 1:
        return (*range(most - 1), size - 1)
    return tuple(sorted({*range(most - 2), wanted, size - 1}))

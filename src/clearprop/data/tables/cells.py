"""The cells of a table's columns, kept small while its rows go by.

A column that begins with numbers is kept as numbers, and what is no number among them by its text
and row; every other column is kept as words. What turns out to be another thing further down is
read once more.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.data.tables.numerals import is_code, is_plain_number
from clearprop.data.tables.table import Words

_CELLS = 10_000  # at a time, before they are numbers or words: more would keep the collector busy
_FEW = 50  # cells that tell how a column begins
_FEWEST_ROWS = 64  # at a time, however many columns there are


@dataclass
class Numbers:
    """A column of numbers, with what is none.

    Parameters
    ----------
    values : ndarray of float64, shape (N,)
        NaN where a cell is no number as programs write it.
    others : dict of str to list of int
        The rows of every text that is none; blanks around it don't count.
    is_code : bool
        Whether some are written with zeros in front, as names are.
    has_points : bool
        Whether some hold a point, which may group thousands.
    """

    values: NDArray[np.float64]
    others: dict[str, list[int]]
    is_code: bool
    has_points: bool = False

    @property
    def is_long(self) -> bool:
        """Whether some have more digits than a float keeps."""
        return bool(np.any(np.abs(self.values) >= 2**53))

    def others_as_words(self) -> Words:
        """Return the texts that are no number as a column of words."""
        texts = sorted(self.others)
        codes = np.full(len(self.values), -1, np.int32)
        for place, text in enumerate(texts):
            codes[self.others[text]] = place
        return Words(tuple(texts), codes)


@dataclass
class _NumbersSoFar:
    parts: list[NDArray[np.float64]] = field(default_factory=list)
    others: dict[str, list[int]] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)  # cells as they are that are no numbers
    rows: int = 0
    strangers: int = 0
    is_code: bool = False
    has_points: bool = False
    has_fractions: bool = False

    def add(self, cells: tuple[str, ...], *, is_plain: bool = False) -> bool:
        """Add cells; say whether they still look like numbers.

        `is_plain` tells that no line has what Python reads as a number and nobody else does.
        """
        values = self._read(cells)
        odd = np.flatnonzero(~np.isfinite(values)).tolist()
        joined = "" if is_plain and self.has_points else "\n".join(cells)
        self.has_points = self.has_points or "." in joined
        if "_" in joined or not joined.isascii() or np.isinf(values[odd]).any():
            plain = np.fromiter((_is_number(cell.strip()) for cell in cells), bool, len(cells))
            values[~plain] = np.nan
            odd = np.flatnonzero(~plain).tolist()
        for at in odd:
            text = cells[at].strip()
            self.others.setdefault(text, []).append(self.rows + at)
            self.strangers += text != ""
        if not (self.is_code or self.has_fractions):  # a column of fractions holds no codes
            self.has_fractions = not np.array_equal(values, np.trunc(values), equal_nan=True)
            self.is_code = not self.has_fractions and any(map(is_code, cells))
        self.parts.append(values)
        self.rows += len(cells)
        return self.strangers <= max(self.rows // 2, 1)

    def _read(self, cells: tuple[str, ...]) -> NDArray[np.float64]:
        """Read cells as Python does; NaN where that fails."""
        known, count = self.known, len(cells)
        try:
            return np.fromiter(
                map(float, map(known.get, cells, cells) if known else cells), np.float64, count
            )
        except ValueError:
            known |= {cell: "nan" for cell in set(cells) if not _is_number(cell.strip())}
            return np.fromiter(map(float, map(known.get, cells, cells)), np.float64, count)

    def finished(self) -> Numbers:
        return Numbers(np.concatenate(self.parts), self.others, self.is_code, self.has_points)


def _is_number(text: str) -> bool:
    return is_plain_number(text) and np.isfinite(float(text))


@dataclass
class _WordsSoFar:
    parts: list[NDArray[np.int32]] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)  # of cells as they are
    texts: dict[str, int] = field(default_factory=dict)  # without blanks around them

    def add(self, cells: tuple[str, ...], *, is_plain: bool = False) -> bool:
        try:
            codes = np.fromiter(map(self.places.__getitem__, cells), np.int32, len(cells))
        except KeyError:  # a new one, which is seldom after the first rows
            for cell in set(cells) - self.places.keys():
                text = cell.strip()
                self.places[cell] = self.texts.setdefault(text, len(self.texts)) if text else -1
            codes = np.fromiter(map(self.places.__getitem__, cells), np.int32, len(cells))
        self.parts.append(codes)
        return True

    def finished(self) -> Words:
        texts = list(self.texts)
        order = sorted(range(len(texts)), key=texts.__getitem__)
        ranks = np.empty(len(texts) + 1, np.int32)
        ranks[order] = np.arange(len(texts), dtype=np.int32)
        ranks[-1] = -1
        return Words(tuple(texts[at] for at in order), ranks[np.concatenate(self.parts)])


Cells: TypeAlias = Numbers | Words | NDArray[np.datetime64]
"""A column of cells; dates, NaT where missing, only where a file tells that they are some."""

Rows = Callable[[], Iterable[list[str]]]
"""Begins a walk over the rows, each of which has as many cells as there are names."""


def read_cells(
    rows: Rows,
    names: tuple[str, ...],
    as_words: Iterable[str] = (),
    as_numbers: Iterable[str] = (),
    odd_lines: Callable[[], int | None] = lambda: None,
) -> dict[str, Cells]:
    """Read the cells of every column.

    Parameters
    ----------
    rows : callable
    names : tuple of str
    as_words, as_numbers : iterable of str
        The columns whose kind is settled.
    odd_lines : callable
        Returns the number of lines so far that have an underscore or more than ASCII, which Python
        takes for parts of numbers; None where nobody counts.

    Returns
    -------
    dict of str to Numbers or Words
    """
    words, numbers = set(as_words), set(as_numbers)
    sofar: dict[str, _NumbersSoFar | _WordsSoFar] = {}
    again: set[str] = set()
    odd = None
    for block in _blocks(rows(), len(names)):
        before, odd = odd, odd_lines()
        is_plain = odd is not None and odd == before
        for name, cells in zip(names, zip(*block, strict=True), strict=True):
            if name not in sofar:
                begins_as_words = name not in numbers and (name in words or _are_words(cells))
                sofar[name] = _WordsSoFar() if begins_as_words else _NumbersSoFar()
            if not sofar[name].add(cells, is_plain=is_plain) and name not in numbers:
                again.add(name)
                sofar[name] = _WordsSoFar()  # from here on; read from the first row below
    found = {name: one.finished() for name, one in sofar.items() if name not in again}
    if again:
        found |= read_words(rows, names, again)
    return {name: found[name] for name in names if name in found}


def read_words(rows: Rows, names: tuple[str, ...], wanted: Iterable[str]) -> dict[str, Words]:
    """Read some columns as words, each cell as it is written."""
    places = [names.index(name) for name in wanted]
    sofar = {names[place]: _WordsSoFar() for place in places}
    for block in _blocks(rows(), len(names)):
        for place in places:
            sofar[names[place]].add(tuple(row[place] for row in block))
    return {name: one.finished() for name, one in sofar.items()}


def _blocks(rows: Iterable[list[str]], width: int) -> Iterator[list[list[str]]]:
    size = max(_FEWEST_ROWS, _CELLS // max(width, 1))
    walk = iter(rows)
    while block := list(islice(walk, size)):
        yield block


def _are_words(cells: tuple[str, ...]) -> bool:
    """Whether most of some cells that are not empty are no numbers."""
    few = [cell.strip() for cell in cells[:: max(1, len(cells) // _FEW)]]
    return 2 * sum(map(is_plain_number, few)) < sum(map(bool, few))

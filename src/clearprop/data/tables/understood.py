"""What was understood of a column, and of how a file spells its cells."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from clearprop.configuration import Json
from clearprop.data.tables.cells import Cells, Numbers
from clearprop.data.tables.numerals import NULL, is_marker, is_time, read_number, tells_decimal
from clearprop.data.tables.table import Column, Words
from clearprop.errors import listed

Kind: TypeAlias = Literal[
    "number", "yes/no", "category", "date", "text", "identifier", "constant", "empty", "target"
]

STRANGERS = 0.1
"""The share of cells among numbers or dates that may be something else."""

LONGEST_NAME = 60
"""Letters of a column's name that a sentence shows."""

SAMPLE = 300
"""Different texts that are tried before all are."""

_T = TypeVar("_T")
_UNIT = re.compile(r"[+-]?\W?[\d.,]*\d ?((?:[^\W\d_]|[°²³/+])[^\d,;()]{0,9})")
_FEW_UNITS = 5  # different numbers, of which a unit can't be told from the letter of a code
_MOST_WARNINGS = 12


class Doubt(NamedTuple):
    """A sentence on what may be a mistake, the ground that columns may have in common, and advice.

    The advice names an option of training. Doubts matter of columns that are used or empty, and
    `of_unused` ones of those that are left out, too.
    """

    says: str = ""
    ground: str = ""
    advice: str = ""
    of_unused: bool = False


NO_DOUBT = Doubt()


@dataclass(frozen=True)
class Understood:
    """A column, and what was understood of it.

    Parameters
    ----------
    name : str
    kind : Kind
    missing : int
        The number of cells in which nothing is known.
    content : str
        The range, the categories, or an example.
    remark : str
        The use that is made of it, or the reason why it is left out.
    doubt : Doubt
    is_used : bool
    date_form : str
        The way in which its dates are written; empty for other kinds.
    unit : str
        The unit of its numbers, ``hours`` where some are times of day; empty where none has one.
    with_unit : str
        The number of cells that have it, and the first of them with its row, in words.
    """

    name: str
    kind: Kind
    missing: int
    content: str
    remark: str
    doubt: Doubt = NO_DOUBT
    is_used: bool = True
    date_form: str = ""
    unit: str = ""
    with_unit: str = ""

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values, without the cells."""
        return {
            "name": self.name,
            "kind": self.kind,
            "missing": self.missing,
            "content": self.content,
            "used": self.is_used,
            "remark": self.remark,
            "doubt": self.doubt.says or None,
        }


@dataclass(frozen=True, kw_only=True)
class UnderstoodColumn(Understood):
    """The same, with the column as a `Table` holds it: an ndarray or Words, N rows.

    `markers` are the texts that were taken for missing.
    """

    column: Column
    markers: tuple[str, ...] = ()

    @property
    def facts(self) -> Understood:
        """What was understood, without the cells."""
        return Understood(*(getattr(self, field.name) for field in fields(Understood)))


def with_unit(
    found: UnderstoodColumn, others: Words, unit: str, *, as_hours: bool
) -> UnderstoodColumn:
    """Tell how many numbers have a unit, and where the first is; times of day are hours."""
    times = [at for at, text in enumerate(others.texts) if as_hours and is_time(text)]
    having = times or [at for at, text in enumerate(others.texts) if unit and text.endswith(unit)]
    rows = np.flatnonzero(np.isin(others.codes, having))
    if not len(rows):
        return found
    unit, first = "hours" if times else unit, int(rows[0])
    are = "cell is" if len(rows) == 1 else "cells are"
    cell = others.texts[others.codes[first]][:40]
    says = f"{len(rows):,} {are} read as {unit}, {cell!r} (row {first + 1})"
    return replace(found, unit=unit, with_unit=says)


def doubts_of(found: Iterable[Understood], *, with_advice: bool = True) -> list[str]:
    """Return the sentences of doubt, one for all columns with the same ground."""
    grounds: dict[str, list[Understood]] = {}
    for one in found:
        if one.doubt.says and (one.is_used or one.kind == "empty" or one.doubt.of_unused):
            grounds.setdefault(one.doubt.ground or one.name, []).append(one)
    says = []
    for first, *others in grounds.values():
        so_in = listed([one.name[:LONGEST_NAME] for one in others], 4)
        doubt = first.doubt
        end = f"; {doubt.advice}" if with_advice and doubt.advice else "."
        sentence = f"{doubt.says}{end}".replace(first.name, first.name[:LONGEST_NAME])
        says.append(f"{sentence} So in {so_in}." if others else sentence)
    more = len(says) - _MOST_WARNINGS
    return says if more <= 0 else [*says[:_MOST_WARNINGS], f"{more} more columns are in doubt."]


@dataclass(frozen=True)
class Spelling:
    """How the cells of a file spell numbers, dates and what is missing.

    Parameters
    ----------
    decimal : {".", ","}
        The sign before a fraction where a column leaves it open.
    missing : frozenset of str
        Texts, in small letters, that stand for missing in every column.
    day_first : bool or None
        Whether 1/2/2020 is the first of February where a column leaves it open; None where nothing
        tells it.
    """

    decimal: str = "."
    missing: frozenset[str] = frozenset()
    day_first: bool | None = None

    def is_missing(self, text: str, *, among_words: bool = False) -> bool:
        """Whether a text stands for a missing value."""
        if among_words:
            return text == NULL or text.lower() in self.missing
        return is_marker(text) or text.lower() in self.missing

    def is_plain(self, cells: Numbers) -> bool:
        """Whether numbers were read as they are meant: a point may have been one of thousands."""
        return self.decimal == "." or not cells.has_points

    def numbers(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Read texts as numbers, shape (N,), by the decimal sign that most tell; NaN for none."""
        told = Counter(filter(None, map(tells_decimal, texts[:SAMPLE])))
        decimal = told.most_common(1)[0][0] if told else self.decimal
        return np.array([read_number(text, decimal) for text in texts], dtype=np.float64)

    def unit(self, words: Words) -> str:
        """Return the unit behind the number in most cells: ``km/h``; empty where there is none."""
        few = [text for text in some(words.texts) if not self.is_missing(text)]
        found = Counter(match[1] for match in map(_UNIT.fullmatch, few) if match)
        if not found:
            return ""
        unit, times = found.most_common(1)[0]
        return unit if times > max((1 - STRANGERS) * len(few), _FEW_UNITS) else ""


def decimal_of(columns: Iterable[Cells]) -> str | None:
    """Return the decimal sign that most columns leave no doubt of; None where none does."""
    tells: Counter[str] = Counter()
    for cells in columns:
        if isinstance(cells, np.ndarray):
            continue
        texts = list(cells.others) if isinstance(cells, Numbers) else some(cells.texts)
        told = Counter(filter(None, map(tells_decimal, texts[:SAMPLE])))
        if told:
            tells[told.most_common(1)[0][0]] += 1
    return tells.most_common(1)[0][0] if tells else None


def some(texts: Sequence[_T]) -> Sequence[_T]:
    """Return some of many texts, spread evenly."""
    return texts[:: max(1, len(texts) // SAMPLE)]

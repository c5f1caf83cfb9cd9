"""Rows of a table in a request: objects, whose cells are found by the names of the columns."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.configuration import Json
from clearprop.data import Raw, Table
from clearprop.data.reading import Role
from clearprop.data.tables.numerals import read_dates, read_number
from clearprop.data.tables.table import Column, Words
from clearprop.data.tables.understood import Spelling
from clearprop.errors import counted, did_you_mean, listed
from clearprop.preprocessing import Preprocessing, TableRecipe
from clearprop.preprocessing import table_columns as columns
from clearprop.service.problems import RefusedError
from clearprop.service.rows import BEYOND, Rows, kind_of

_TOLD = 5  # categories in a description, and names in a note
_NONE = type(None)
_KINDS: dict[Role, set[type]] = {
    "number": {int, float},
    "category": {str, bool, int, float},
    "date": {str},
}
_LOOKED_AT = 1000  # names for one alike: an odd row may have a million
_DATE = "2024-01-31"


class TableRows(Rows):
    """Objects with a cell for each column of the recipe; null where nothing is known.

    Cells mean what they mean in a file of JSON Lines, but nothing is guessed: a number is no text,
    and a column is there in every row.

    Parameters
    ----------
    recipe : Preprocessing
    outputs : int
    """

    def __init__(self, recipe: Preprocessing, outputs: int) -> None:
        super().__init__(outputs)
        assert isinstance(recipe.inputs, TableRecipe)  # noqa: S101 - see `rows_of`
        self.columns = {column.name: column for column in recipe.inputs.columns}
        self._known = {*self.columns, *recipe.reading().drop}
        missing = recipe.inputs.form.missing
        self._spelling = Spelling(missing=frozenset(text.lower() for text in missing))
        numbers = [read_number(text) for text in missing]
        self._none = np.array([number for number in numbers if not np.isnan(number)])

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON schema of one row."""
        cells: dict[str, Json] = {name: _schema(one) for name, one in self.columns.items()}
        return {"type": "object", "properties": cells, "required": list(self.columns)}

    @property
    def example(self) -> Json:
        """A row with the median of each number, and the first of the categories."""
        return {name: _example(column) for name, column in self.columns.items()}

    def read(self, items: Sequence[Any]) -> tuple[Raw, tuple[str, ...]]:
        """Return a table of the recipe's columns."""
        extra: dict[str, None] = {}
        for place, row in enumerate(items):
            if not isinstance(row, dict):
                raise RefusedError(
                    400, f"rows[{place}] is {kind_of(row)}, expected an object of columns."
                )
            if not row.keys() >= self.columns.keys():
                raise self._missing(row, place)
            if len(row) > len(self.columns):
                extra |= dict.fromkeys(row.keys() - self._known)
        cells = {name: [row[name] for row in items] for name in self.columns}
        for name, column in self.columns.items():
            _check(column, cells[name])
        table = Table({name: self._column(one, cells[name]) for name, one in self.columns.items()})
        if not extra:
            return table, ()
        more = f"{counted(len(extra), 'column')} that training did not have, passed over"
        return table, (f"rows: {more}: {listed(sorted(extra), _TOLD)}.",)

    def _missing(self, row: dict[str, Any], place: int) -> RefusedError:
        name = next(name for name in self.columns if name not in row)
        column = self.columns[name]
        return RefusedError(
            400,
            f"rows[{place}] has no column {name!r}; found {listed(row) or 'none'}."
            f"{did_you_mean(name, islice(row, _LOOKED_AT))} {_without(column)}",
        )

    def _column(self, column: columns.InputColumn, cells: list[Any]) -> Column:
        if column.role == "number":
            return self._numbers(column.name, cells)
        return _dates(column.name, cells) if column.role == "date" else self._words(cells)

    def _numbers(self, name: str, cells: list[Any]) -> NDArray[np.float64]:
        numbers = np.array(cells, np.float64)  # NaN for None
        if np.isinf(numbers).any():
            place = int(np.argmax(np.isinf(numbers)))
            raise RefusedError(422, f"{_at(place, name)} is {BEYOND}.")
        if len(self._none):
            numbers[np.isin(numbers, self._none)] = np.nan
        return numbers

    def _words(self, cells: list[Any]) -> Words:
        texts = map(_text, cells)
        return Words.of(
            "" if self._spelling.is_missing(text, among_words=True) else text for text in texts
        )


_EXPECTED = {
    "number": "a number",
    "category": "a category: text, or a number",
    "date": f"a date such as {_DATE}",
}


def _check(column: columns.InputColumn, cells: list[Any]) -> None:
    """Refuse a cell of a kind that the column has not."""
    allowed = _KINDS[column.role]
    if not isinstance(column, columns.PlainColumn):
        allowed = allowed | {_NONE}
    if set(map(type, cells)) - allowed:
        place = next(at for at, cell in enumerate(cells) if type(cell) not in allowed)
        raise RefusedError(
            400,
            f"{_at(place, column.name)} is {kind_of(cells[place])}, expected "
            f"{_EXPECTED[column.role]}. {_without(column)}",
        )


def _text(cell: Any) -> str:
    """Write a cell as it stands in a file."""
    if cell is None:
        return ""
    return str(cell).upper() if isinstance(cell, bool) else str(cell).strip()


def _dates(name: str, cells: list[Any]) -> NDArray[np.datetime64]:
    texts = ["" if cell is None else cell.strip() for cell in cells]
    dates = read_dates(texts, "year-month-day")
    for place in np.flatnonzero(np.isnat(dates)).tolist():
        if texts[place]:
            found = kind_of(cells[place])
            raise RefusedError(422, f"{_at(place, name)} is {found}, expected {_EXPECTED['date']}.")
    return dates


def _at(place: int, name: str) -> str:
    return f"rows[{place}][{name!r}]"


def _without(column: columns.InputColumn) -> str:
    """Say what to write where nothing is known."""
    if isinstance(column, columns.PlainColumn):
        return "Every row needs one."
    return "Write null where nothing is known."


def _schema(column: columns.InputColumn) -> dict[str, Json]:
    """Return the JSON schema of a cell."""
    nothing = [] if isinstance(column, columns.PlainColumn) else ["null"]
    if isinstance(column, columns.CategoricalColumn):
        told = f"One of {listed(column.categories, _TOLD)}; any other counts as missing."
        return {"type": ["string", "number", "boolean", *nothing], "description": told}
    if isinstance(column, columns.DateColumn):
        told = f"A date, {_DATE}, or with a time, {_DATE}T18:30:00Z."
        return {"type": ["string", *nothing], "description": told}
    found: dict[str, Json] = {"type": ["number", *nothing]}
    told = ""
    if isinstance(column, columns.NumericColumn):
        if column.low is not None and column.high is not None:
            told = f"{column.low:g} to {column.high:g} in training"
        told += f"{', ' if told else ''}in {column.unit}" if column.unit else ""
    return found | ({"description": f"{told}."} if told else {})


def _example(column: columns.InputColumn) -> Json:
    if isinstance(column, columns.CategoricalColumn):
        return _first(column.categories)
    if isinstance(column, columns.DateColumn):
        return _DATE if column.low is None else str(np.datetime64(int(column.low), "D"))
    return column.median if isinstance(column, columns.NumericColumn) else 0.0


def _first(categories: Iterable[str]) -> Json:
    return next(iter(categories), None)

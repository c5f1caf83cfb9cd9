"""The recipe of tables: what each column becomes, learned from training data."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from numpy.typing import DTypeLike

from clearprop.data.dataset import Raw
from clearprop.data.reading import DEFAULT, Role, TextForm
from clearprop.data.selected_rows import Array
from clearprop.data.tables.table import Column, Table, role_of
from clearprop.data.tables.understood import Understood
from clearprop.data.whole.column_survey import ColumnSurvey
from clearprop.errors import DataError, UsageError, listed
from clearprop.preprocessing.fields import require_names
from clearprop.preprocessing.input_recipes import Recipe
from clearprop.preprocessing.robust_columns import (
    CodedColumn,
    RobustCategories,
    RobustColumn,
    RobustDates,
    robust_categories,
)
from clearprop.preprocessing.table_columns import (
    CategoricalColumn,
    DateColumn,
    InputColumn,
    NumericColumn,
    PlainColumn,
)

_NOTHING: Mapping[str, str] = {}

COLUMNS = (
    *(NumericColumn, CategoricalColumn, DateColumn, PlainColumn),
    *(RobustColumn, RobustDates, RobustCategories, CodedColumn),
)
"""Every kind of column, for files that name one."""

_KINDS: dict[Role, Callable[[str, Column], InputColumn]] = {
    kind.role: kind.fit for kind in (NumericColumn, CategoricalColumn, DateColumn)
}
_ROBUST: dict[Role, Callable[[str, Column], InputColumn]] = {
    "number": RobustColumn.fit,
    "date": RobustDates.fit,
    "category": robust_categories,
}
_BLOCK = (
    2**13
)  # rows whose inputs stay in a core's cache while one column after the other is filled
_ORDER = (RobustColumn | RobustDates, RobustCategories, CodedColumn)


@dataclass(frozen=True)
class TableRecipe(Recipe):
    """Columns of a table side by side.

    Parameters
    ----------
    columns : tuple of NumericColumn, CategoricalColumn, DateColumn and PlainColumn
        The columns in the order of the network's inputs.
    ignored : tuple of str
        The columns of the training data that are no inputs.
    form : TextForm
        The form of the training data's text, as far as somebody has said it.
    """

    columns: tuple[InputColumn, ...]
    ignored: tuple[str, ...] = ()
    form: TextForm = TextForm()

    def __post_init__(self) -> None:
        if not isinstance(self.columns, tuple) or not all(
            isinstance(column, InputColumn) for column in self.columns
        ):
            kinds = ", ".join(kind.__name__ for kind in COLUMNS)
            raise UsageError(f"A table's columns must be of {kinds}.")
        require_names(tuple(column.name for column in self.columns), "The columns' names")
        require_names(self.ignored, "The names of columns that are no inputs")
        if not isinstance(self.form, TextForm):
            raise UsageError(f"Found {self.form!r}, expected the form of a text.")

    @classmethod
    def fit(
        cls,
        table: Table,
        ignored: tuple[str, ...] = (),
        form: TextForm = DEFAULT.text,
        units: Mapping[str, str] = _NOTHING,
        *,
        robust: bool = False,
    ) -> "TableRecipe":
        """Learn every column of the training data; of numbers also the unit, if it is known.

        Parameters
        ----------
        table : Table
        ignored : tuple of str
        form : TextForm
        units : mapping of str to str
            The units of columns of numbers, by their names.
        robust : bool, default False
            Whether columns are brought to their quartiles, and many categories are codes: those of
            numbers and dates come first then, and codes last.
        """
        kinds = _ROBUST if robust else _KINDS
        columns = [kinds[role_of(column)](name, column) for name, column in table.columns.items()]
        columns = [
            replace(one, unit=units.get(one.name)) if isinstance(one, NumericColumn) else one
            for one in columns
        ]
        if robust:
            columns.sort(key=lambda one: [isinstance(one, kind) for kind in _ORDER].index(True))
        return cls(tuple(columns), ignored, form)

    def surveyed(self, found: Mapping[str, ColumnSurvey]) -> "TableRecipe":
        """Return the recipe with what is known of columns of which `fit` saw a sample."""
        columns = tuple(
            one.surveyed(found[one.name]) if one.name in found else one for one in self.columns
        )
        return replace(self, columns=columns)

    @property
    def groups(self) -> tuple[int, int, tuple[int, ...]]:
        """The counts of the inputs of robust columns.

        Numbers, those that stand for categories, and the codes of each column of codes.
        """
        widths = [
            sum(one.width for one in self.columns if isinstance(one, kind)) for kind in _ORDER[:2]
        ]
        sizes = tuple(one.codes for one in self.columns if isinstance(one, CodedColumn))
        return widths[0], widths[1], sizes

    @property
    def roles(self) -> dict[str, Role]:
        """The kind of cells of each column, by its name."""
        return {column.name: column.role for column in self.columns}

    def other_units(self, columns: Iterable[Understood]) -> tuple[str, ...]:
        """Say which columns of numbers have a unit that training's had not, or another one."""
        known = {one.name: one.unit for one in self.columns if isinstance(one, NumericColumn)}
        return tuple(
            f"{one.name}: {one.with_unit}; in training there was {known[one.name] or 'no unit'}."
            for one in columns
            if one.unit and known.get(one.name, one.unit) not in (None, one.unit)
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape (D,), with an input for each numeric column and each category."""
        return (sum(column.width for column in self.columns),)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The name of each input."""
        return tuple(name for column in self.columns for name in column.inputs)

    @property
    def places(self) -> dict[str, slice]:
        """The inputs that each column becomes, by its name."""
        ends = accumulate(column.width for column in self.columns)
        return {
            column.name: slice(end - column.width, end)
            for column, end in zip(self.columns, ends, strict=True)
        }

    def transform(self, raw: Raw, dtype: DTypeLike) -> Array:
        """Fill, standardise and encode the columns, computed in float64."""
        table = self._checked(raw)
        out = np.empty((len(table), *self.input_shape), dtype=dtype)
        self.fill(out, table)
        return out

    def fill(self, out: Array, table: Table) -> None:
        """Write the inputs of a table, all of whose columns are right, into `out`, shape (N, D)."""
        try:
            for start in range(0, len(table), _BLOCK):
                self._fill(out[start : start + _BLOCK], table[start : start + _BLOCK])
        except DataError:
            self._fill(out, table)  # which names the row among all
            raise

    def _fill(self, out: Array, table: Table) -> None:
        out[...] = 0
        for column, place in zip(self.columns, self.places.values(), strict=True):
            column.fill(out[:, place], table.columns[column.name])

    def _checked(self, raw: Raw) -> Table:
        if not isinstance(raw, Table):
            raise DataError(f"Found an array of {raw.dtype}, expected a table with named columns.")
        names = {column.name: column for column in self.columns}
        if missing := [name for name in names if name not in raw.columns]:
            raise DataError(
                f"The column {missing[0]!r} is missing; found {listed(raw.names)}. "
                f"{names[missing[0]].instead}"
            )
        for column in self.columns:
            column.check(raw.columns[column.name])
        return raw

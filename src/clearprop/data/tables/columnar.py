"""Parquet and Arrow: files of columns, whose types the file itself tells."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clearprop.data.dataset import Problem
from clearprop.data.format import list_folder
from clearprop.data.reading import TextForm
from clearprop.data.tables import arrow
from clearprop.data.tables.cells import Cells
from clearprop.data.tables.column_files import ColumnFiles
from clearprop.data.tables.column_paths import has_pattern, told_by_folders
from clearprop.data.tables.dialect import different_names
from clearprop.data.tables.table import Words
from clearprop.data.tables.tabular import TableFormat
from clearprop.errors import DataError, listed

if TYPE_CHECKING:
    from clearprop.data.whole.whole import Whole


class Columnar(TableFormat):
    """Tables by columns, as pandas, polars, DuckDB and Spark write them."""

    suffixes = arrow.SUFFIXES
    takes_folders = True

    def owns_folder(self, folder: Path) -> bool:
        """Whether a folder holds files of columns; so must its folders, but for empty ones."""
        inner = [one for one in list_folder(folder) if one.is_dir() and one.name[:1] not in "._"]
        if all("=" in one.name for one in inner):
            return bool(self.files_in(folder)) or any(map(self.owns_folder, inner))
        return all(map(self.owns_folder, inner))

    def source(self, path: Path, form: TextForm) -> "ColumnSource":
        """Read a file, or several that are one table: those of a folder or of a pattern.

        Raises
        ------
        MissingExtraError
            If pyarrow is not installed.
        DataError
            If a file can't be read, is damaged, or has no rows or no columns that are read; or if
            files have other columns than the first.
        """
        if has_pattern(path) or path.is_dir():
            files = ColumnFiles.of(path)
            return ColumnSource(path, files.names, files.remarks, files.table())
        with arrow.reading(path):
            table, left_out = arrow.read_whole(path)
        remarks = []
        if left_out:
            remarks.append(arrow.said_left_out(left_out))
        durations = [field.name for field in table.schema if str(field.type).startswith("duration")]
        if durations:
            remarks.append(f"Columns of durations are read as seconds: {listed(durations, 8)}.")
        index = [name for name in table.column_names if name.startswith(arrow.INDEX)]
        if index:
            remarks.append(arrow.said_of_index(index))
            table = table.drop_columns(index)
        if table.num_rows == 0 or table.num_columns == 0:
            some = "no rows" if table.num_columns else "no column of numbers, text or dates"
            raise DataError(f"{path} has {some}.")
        names, told = different_names(table.column_names, remarks), told_by_folders(path)
        table = table.rename_columns(names).select([name for name in names if name not in told])
        for name, text in told.items():
            table = table.append_column(name, arrow.repeated(text, table.num_rows))
        return ColumnSource(path, tuple(table.column_names), remarks, table)


class ColumnSource:
    """A table whose columns lie in memory, each of one type.

    Parameters
    ----------
    path : Path
    names : tuple of str
    remarks : list of str
    table : pyarrow.Table
        The columns, in the order of `names`.
    whole : Whole, optional
        The table on disk that its rows are a sample of.
    """

    def __init__(
        self,
        path: Path,
        names: tuple[str, ...],
        remarks: list[str],
        table: Any,
        whole: "Whole | None" = None,
    ) -> None:
        self.path, self.names, self.remarks, self._table = path, names, remarks, table
        self.whole = whole

    def cells(self, as_words: Iterable[str], as_numbers: Iterable[str]) -> Mapping[str, Cells]:
        """Read every column; those that are asked for as words, as `words` does."""
        words = {*as_words}
        return {
            name: arrow.as_category(column) if name in words else arrow.cells_of(column)
            for name, column in self._walk(self.names)
        }

    def words(self, names: Iterable[str]) -> Mapping[str, Words]:
        """Read some columns with every digit, a date as ISO 8601 does."""
        return {name: arrow.as_written(column) for name, column in self._walk(names)}

    def problems(self) -> tuple[Problem, ...]:
        """Tell that no row was left out."""
        return ()

    def _walk(self, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
        places = {name: place for place, name in enumerate(self.names)}
        with arrow.reading(self.path):
            for name in names:
                yield name, arrow.decoded(self._table.column(places[name]))

"""Small tables, written as files and read."""

from pathlib import Path
from typing import Any

from clearprop.data import Dataset, Table, load
from clearprop.data.reading import Reading, TextForm
from clearprop.data.tables.table import Words


def write(folder: Path, text: str | bytes, name: str = "data.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def table_text(delimiter: str = ",", /, **columns: list[Any]) -> str:
    """Write columns below their names, nothing quoted."""
    rows = [[*columns], *zip(*columns.values(), strict=True)]
    return "".join(delimiter.join(map(str, row)) + "\n" for row in rows)


def read(path: Path, form: TextForm = TextForm(), **said: Any) -> Dataset:  # noqa: B008
    return load(path, reading=Reading(form, **said))


def kinds_of(dataset: Dataset) -> dict[str, str]:
    return {column.name: column.kind for column in dataset.columns}


def cells_of(dataset: Dataset, name: str) -> list[Any]:
    """Return a column's cells: floats, dates as text, or words; None where missing."""
    assert isinstance(dataset.X, Table)
    column = dataset.X.columns[name]
    if isinstance(column, Words):
        return [text or None for text in column.tolist()]
    if column.dtype.kind == "M":
        return [None if text == "NaT" else text for text in column.astype(str).tolist()]
    return [None if cell != cell else cell for cell in column.tolist()]


def said_by(dataset: Dataset) -> str:
    return "\n".join(dataset.notes)

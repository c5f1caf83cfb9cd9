"""JSON Lines: a row is a line, and its cells are the values of an object by their names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clearprop.core.reading import parsed_json
from clearprop.data.reading import TextForm
from clearprop.data.tables.dialect import different_names
from clearprop.data.tables.tabular import RowSource, TableFormat
from clearprop.data.tables.text_file import TextFile, bare_suffix, open_text
from clearprop.errors import DataError, listed

_SMALL = 2**25  # cells that any file may have
_MOST_EMPTY = 100  # cells for each that is filled


class JsonLines(TableFormat):
    """Tables of one flat JSON object a line, as many programs log and export."""

    suffixes = (".jsonl", ".ndjson")

    def owns(self, path: Path) -> bool:
        """Whether a file is one by its name or that of what is packed in it."""
        return bare_suffix(path) in (*self.suffixes, ".json")

    def source(self, path: Path, form: TextForm) -> RowSource:
        """Find out the names in all lines."""
        file = open_text(path, form.encoding)
        return objects_of(file, list(file.remarks))


def are_objects(file: TextFile) -> bool:
    """Whether the first line of a text is a JSON object."""
    first = next((line for line in file.first_lines() if line.strip()), "")
    try:
        return first.lstrip().startswith("{") and isinstance(parsed_json(first), dict)
    except ValueError:
        return False


def objects_of(file: TextFile, remarks: list[str]) -> RowSource:
    """Make the source of the rows of a text that is JSON Lines.

    Raises
    ------
    DataError
        If it is not, or hardly any object has a value of most names.
    """
    flat: dict[str, None] = {}  # in order
    nested: dict[str, None] = {}
    rows = filled = 0
    for one in _objects(file):
        rows += 1
        for name, value in one.items():
            (nested if isinstance(value, dict | list) else flat)[name] = None
        filled += len(one)
        if rows * len(flat) > max(_SMALL, _MOST_EMPTY * filled):
            raise DataError(
                f"{file.path} has {len(flat):,} names in {rows:,} lines, most of them in few: "
                "that is no table."
            )
    if not rows:
        raise DataError(f"{file.path} is empty; expected one JSON object a line.")
    if nested:
        remarks.append(f"Lists and objects within the lines are left out: {listed(nested, 8)}.")
    source = RowSource(file.path, different_names(tuple(flat), remarks), remarks)
    source.rows = lambda: ([_text(one.get(name)) for name in flat] for one in _objects(file))
    return source


def _objects(file: TextFile) -> Iterator[dict[str, Any]]:
    with file.lines() as lines:
        for line in filter(str.strip, lines):
            try:
                one = parsed_json(line)
            except ValueError:
                one = None
            if not isinstance(one, dict):
                raise DataError(
                    f"Line {lines.at} of {file.path} is no JSON object; expected one object a "
                    "line. A JSON array becomes such lines by: jq -c '.[]' FILE > FILE.jsonl"
                )
            yield one


def _text(value: Any) -> str:
    """Write a value as it stands in a CSV file; what is nested is missing."""
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).upper() if isinstance(value, bool) else str(value)

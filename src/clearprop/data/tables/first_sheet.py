"""A program of its own that writes the first table of a workbook as CSV to standard output.

It imports nothing of clearprop, and nothing of clearprop imports it. A damaged or hostile workbook
may end the library's compiled code or have it ask for any memory, as a sheet is laid out from
corner to corner: what happens here happens to this process alone, and its memory is bounded where
the system can do that.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import python_calamine as calamine

_LONGEST_GAP = 1000  # empty rows within a table
_FEWEST_COLUMNS = 4  # of a table below which a row with one filled cell is a remark on it


def main(path: str, memory: int) -> None:
    """Write a line of JSON, then the rows of the first sheet that holds a table.

    The rows begin with a byte order mark: whatever their first cell holds, they are text.

    Parameters
    ----------
    path : str
    memory : int
        The bytes that this process may ask for.
    """
    _bound(memory)
    try:
        with _opened(path) as book:
            shown = [
                sheet.name
                for sheet in book.sheets_metadata
                if sheet.typ == calamine.SheetTypeEnum.WorkSheet
                and sheet.visible == calamine.SheetVisibleEnum.Visible
            ]
            names = shown or book.sheet_names
            name, rows, astray = _first_table(book, names)
        about: dict[str, Any] = {"sheet": name, "sheets": names, "astray": astray}
    except calamine.PasswordError:
        about, rows = {"wrong": "password"}, []
    except MemoryError:
        about, rows = {"wrong": "memory"}, []
    except BaseException as error:  # a panic of compiled code is no Exception
        about, rows = {"wrong": f"{type(error).__name__}: {error}"}, []
    out = io.TextIOWrapper(sys.stdout.buffer, "utf-8", newline="")
    out.write(json.dumps(about) + "\n\ufeff")
    csv.writer(out, lineterminator="\n").writerows(rows)
    out.flush()


def _bound(memory: int) -> None:
    with suppress(ImportError, OSError, ValueError):  # Windows has no such thing, macOS refuses
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        least = memory if most == resource.RLIM_INFINITY else min(memory, most)
        resource.setrlimit(resource.RLIMIT_AS, (least, most))


def _opened(path: str) -> Any:
    """Open a workbook by its content, as many come under the suffix of another kind."""
    try:
        with Path(path).open("rb") as file:
            return calamine.CalamineWorkbook.from_filelike(file)
    except calamine.CalamineError:
        return calamine.CalamineWorkbook.from_path(
            path
        )  # by its suffix: knows why it can't be read


def _first_table(book: Any, names: list[str]) -> tuple[str, list[list[str]], int]:
    """Return the first sheet with two rows and two columns or more, else the first that is filled.

    The rows are of texts, from the first that is filled to the last, and as wide; with them comes
    the number of filled rows that lie far from them.
    """
    found: tuple[str, list[list[str]], int] = names[0] if names else "", [], 0
    for name in names:
        near, astray = _largest_block(book.get_sheet_by_name(name).iter_rows())
        rows = _trimmed([_texts(row) for row in near])
        if len(rows) > 1 and len(rows[0]) > 1:
            return name, _without_remarks(rows), astray
        found = found if found[1] else (name, rows, astray)
    return found


def _largest_block(rows: Iterable[list[Any]]) -> tuple[list[list[Any]], int]:
    """Return the rows of the largest block between long empty runs; count the others' rows.

    A stray cell in the last row of a sheet has a million empty ones above it.
    """
    largest: list[list[Any]] = []
    block: list[list[Any]] = []
    gap: list[list[Any]] = []
    filled = 0
    for row in rows:
        if row.count("") == len(row):
            if len(gap) < _LONGEST_GAP:
                gap.append(row)
            continue
        if len(gap) == _LONGEST_GAP:
            largest, block = max(largest, block, key=len), []
        else:
            block += gap
        gap.clear()
        block.append(row)
        filled += 1
    largest = max(largest, block, key=len)
    return largest, filled - sum(row.count("") < len(row) for row in largest)


def _texts(row: Iterable[Any]) -> list[str]:
    return [_text(cell) for cell in row]


def _text(cell: Any) -> str:
    """Write a cell as it stands in a CSV file."""
    if isinstance(cell, str):
        return " ".join(cell.split()) if "\n" in cell or "\r" in cell else cell
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _trimmed(rows: list[list[str]]) -> list[list[str]]:
    """Cut off the empty rows and columns around a table."""
    filled = [any(map(str.strip, row)) for row in rows]
    if not any(filled):
        return []
    rows = rows[filled.index(True) : len(filled) - filled[::-1].index(True)]
    columns = [any(map(str.strip, column)) for column in zip(*rows, strict=True)]
    first, last = columns.index(True), len(columns) - columns[::-1].index(True)
    return [row[first:last] for row in rows]


def _without_remarks(rows: list[list[str]]) -> list[list[str]]:
    """Make rows with one filled cell below a table as short as lines of text: they are remarks."""
    for at in range(len(rows) - 1, 0, -1):
        filled = [cell for cell in rows[at] if cell.strip()]
        if len(filled) > 1 or len(rows[at]) < _FEWEST_COLUMNS:
            break
        rows[at] = filled
    return rows


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

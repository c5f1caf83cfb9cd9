"""CSV, TSV and other tables as text, packed or not."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from clearprop.data.reading import TextForm
from clearprop.data.tables.dialect import AGREE, Dialect, Header, find_dialect, find_header
from clearprop.data.tables.json_lines import are_objects, objects_of
from clearprop.data.tables.tabular import RowSource, TableFormat
from clearprop.data.tables.text_file import PACKED, STDIN, TextFile, bare_suffix, open_text
from clearprop.errors import DataError

_OPENS = re.compile('"(?!"(?!"))')  # one quote, or one and a doubled one, which is a letter
_NARROW = 3  # columns, among which a single filled cell may well be a row
_MOST_LEFT_OUT = 0.05  # of the rows, above which the lines are not what they were taken for


class Delimited(TableFormat):
    """Tables as text: a row is a line, and its cells are delimited by a sign or by blanks."""

    suffixes = (".csv", ".tsv", ".txt", ".tab", ".data", ".dat")

    def owns(self, path: Path) -> bool:
        """Whether a file is one by its name, that of what is packed in it, or standard input."""
        bare = bare_suffix(path)
        packed_alone = path.suffix.lower() in PACKED and not bare
        return bare in self.suffixes or packed_alone or str(path) == STDIN

    def source(self, path: Path, form: TextForm) -> RowSource:
        """Find out how the text is packed, encoded and laid out."""
        file = open_text(path, form.encoding)
        remarks = list(file.remarks)
        if are_objects(file):
            return objects_of(file, [*remarks, "It is JSON Lines, an object a line."])
        source = source_of(file, find_dialect(file, form, remarks), form, remarks)
        source.is_cut = True
        return source


def source_of(file: TextFile, dialect: Dialect, form: TextForm, remarks: list[str]) -> RowSource:
    """Make the source of the rows of a text, whose layout is known."""
    header = find_header(dialect, form, remarks)
    source = RowSource(file.path, header.names, remarks)
    if _quotes_are_letters(file, dialect, len(header.names)):
        remarks.append("Quotes open in some lines without being closed: they are letters here.")
        dialect = replace(dialect, quote="")
    source.rows = lambda: _rows(file, dialect, header, source)
    return source


def _rows(
    file: TextFile, dialect: Dialect, header: Header, source: RowSource
) -> Iterator[list[str]]:
    """Walk over the rows, each as wide as the header; note those that are not, and how.

    Cells that are missing at the end of a row are empty, as spreadsheets leave them out; a row of
    which most are missing is none, and neither is one that has more.
    """
    width, path, above, names = len(source.names), file.path, header.skipped, header.row
    wrong: dict[int, int] = {}
    filled: list[int] = []
    waiting: list[list[str]] = []  # rows, or notes and empty lines below the table
    nothing = [""] * width
    count = empty = again = before = began = fitting = 0
    row: list[str] = []
    with file.lines(dialect.skipped, dialect.comment) as lines:
        source.odd_lines = lambda: lines.odd
        try:
            for row in dialect.reader(lines):
                before, began = began, lines.at
                cells = row
                if above and row:
                    above -= 1
                    continue
                if row == names:
                    again += 1
                    continue
                if len(row) == width and (row[0] or any(row)):
                    if not row[-1] and width > _NARROW and not any(row[1:]):
                        waiting.append(row)
                        continue
                elif not any(map(str.strip, row)):
                    if source.keeps_empty and (row or width == 1):
                        waiting.append(nothing)
                    else:
                        empty += bool(row)
                    continue
                elif len(row) > width and not any(map(str.strip, row[width:])):
                    cells = row[:width]
                elif began - before > 1 and "\n" in row[-1]:
                    raise _open_quote(path, before + 1)
                elif width > len(row) > width / 2 and lines.last.endswith(("\n", "\r")):
                    filled.append(began)
                    cells = row + [""] * (width - len(row))
                else:
                    wrong[began] = len(row)
                    continue
                yield from waiting
                waiting.clear()
                count, fitting = count + 1, began
                yield cells
        except csv.Error as error:
            raise DataError(
                f"Line {lines.at} of {path} can't be read: {error}. Perhaps a quote is left open."
            ) from error
        if began - before > 1 and row and row[-1].endswith(lines.last.replace('""', '"')):
            raise _open_quote(path, before + 1)  # it went on to the end, and fitted by chance
    within = {  # short ones behind the table are notes
        line: f"has {cells} cells, expected {width} as in the header"
        for line, cells in wrong.items()
        if line < fitting or cells > width
    }
    if len(within) > max(_MOST_LEFT_OUT * count, 1):
        line, why = next(iter(within.items()))
        raise DataError(
            f"Line {line} of {path} {why}, and {len(within) - 1:,} more lines "
            "are not as wide. Quote cells that hold the delimiter, or name it with --delimiter."
        )
    source.left_out = within
    alone = sum(row is not nothing for row in waiting)
    source.empty, source.filled, source.again = empty + len(waiting) - alone, filled, again
    source.below = len(wrong) - len(within) + alone


def _quotes_are_letters(file: TextFile, dialect: Dialect, width: int) -> bool:
    """Whether quotes open in whole rows of cells between tabs, and what they would hold is rows.

    A text in quotes may hold a line that is as wide as a row by chance; lines that all are, up to
    the one where the quote would close, are rows.
    """
    if dialect.delimiter != "\t":
        return False
    is_open = False
    wide = held = 0  # of the lines since a quote opened
    with file.lines(dialect.skipped, dialect.comment) as lines:
        for line in lines:
            if not is_open and '"' not in line:
                continue
            cells = line.strip("\r\n").split("\t")
            fits = len(cells) == width
            if is_open:
                wide, held = wide + fits, held + 1
                if '"' not in line:
                    continue
                if held > 1 and wide >= AGREE * held:
                    return True
            wide = held = 0
            is_open = fits and any(_OPENS.match(cell) and cell.count('"') % 2 for cell in cells)
    return is_open and wide > 0 and wide >= AGREE * held


def _open_quote(path: Path, line: int) -> DataError:
    return DataError(
        f"The quote that opens in line {line} of {path}, or soon after, is not closed. Close it, "
        "or double the quotes within a cell."
    )


def is_table(path: Path, form: TextForm) -> bool:
    """Whether a file of any name is text in rows of as many cells each, at least three."""
    try:
        dialect = find_dialect(open_text(path, form.encoding), form, [])
    except DataError:
        return False
    widths = Counter(map(len, dialect.rows))
    width, times = widths.most_common(1)[0]
    return width > 1 and times > 2 and times >= AGREE * widths.total()

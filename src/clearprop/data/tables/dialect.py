"""How a text is laid out as a table: what separates its cells, and where its rows begin."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby

from clearprop.data.reading import TextForm
from clearprop.data.tables.numerals import is_marker, is_plain_number
from clearprop.data.tables.text_file import TextFile
from clearprop.errors import DataError

AGREE = 0.9
"""The share of lines that have as many cells, at least."""

BLANKS = " "
"""The delimiter that stands for any number of spaces and tabs."""

_DELIMITERS = "\t;|,"  # a comma last: it stands in numbers and in sentences, too
_COMMENTS = "#%"
_END = "."  # a row of its own behind the last line, unless a quote is open there
_NO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff \t"  # signs that nobody sees around a name
_COUNT = re.compile(r"\d{1,9}")
_FIRST_LINES = 30  # that may stand above a table: titles, sources, an account and its balance
_MOST_LABELS = 3  # lines below a header that describe its columns
_TITLED = 3  # columns at least, of a table with lines above it


@dataclass(frozen=True)
class Dialect:
    """The layout of a text: where its table begins, and what separates its cells.

    Parameters
    ----------
    delimiter : str
        One character; `BLANKS` for any number of spaces and tabs.
    skipped : int
        The number of lines above the table.
    comment : str
        What begins the lines that are passed over further down, too; empty where there are none.
    rows : tuple of list of str
        The first rows, the header among them.
    comments : sequence of list of str
        The cells of each comment above the table.
    quote : str
        The sign around cells that hold the delimiter; empty where quotes are letters like others.
    """

    delimiter: str
    skipped: int
    comment: str
    rows: tuple[list[str], ...]
    comments: Sequence[list[str]] = ()
    quote: str = '"'

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Cut lines into cells; a quoted cell may hold the delimiter, and go on over lines."""
        return cells_of(lines, self.delimiter, self.quote)


@dataclass(frozen=True)
class Header:
    """The columns' names, each a different one, and the rows above the first that is data.

    Parameters
    ----------
    names : tuple of str
    skipped : int
    row : list of str, optional
        The row that holds the names, which comes again where files were put together.
    """

    names: tuple[str, ...]
    skipped: int
    row: Sequence[str] | None = None


def find_dialect(file: TextFile, form: TextForm, remarks: list[str]) -> Dialect:
    """Find out how a text is laid out; what `form` says is not asked of the text.

    What is not as usual goes to `remarks`.

    Raises
    ------
    DataError
        If it is empty, or a cell is too long.
    """
    lines = file.first_lines()
    at, delimiter = _pass_marks(lines, form, remarks)
    sign = next((line[0] for line in lines[at:] if line.strip()), "")
    comment = sign if sign and sign in _COMMENTS else ""
    above = []
    while at < len(lines) and (not lines[at].strip() or (comment and lines[at][0] == comment)):
        above += [lines[at][1:].strip()] if lines[at].strip() else []
        at += 1
    body = [line for line in lines[at:] if line.strip() and not (comment and line[0] == comment)]
    if not body:
        raise DataError(f"{file.path} is empty; expected a table, one row a line.")
    if comment:
        remarks.append(f"Lines that begin with {comment} are passed over.")
    quote = "'" if _are_in_single_quotes(body, delimiter or _DELIMITERS) else '"'
    delimiter = delimiter or _delimiter_of(body, quote)
    try:
        comments = tuple(cells_of(above, delimiter))
        whole = (f"{line}\n" for line in body)  # a name may go on in the next line
        rows = tuple(row for row in cells_of(whole, delimiter, quote) if row)
    except csv.Error as error:
        raise DataError(f"{file.path} can't be read: {error}. Is it a table?") from error
    if quote == "'":
        remarks.append("Its cells stand in single quotes.")
    return Dialect(delimiter, at, comment, rows, comments, quote)


def find_header(dialect: Dialect, form: TextForm, remarks: list[str]) -> Header:
    """Find the columns' names, and the row that they stand in, if they do.

    Parameters
    ----------
    dialect : Dialect
    form : TextForm
    remarks : list of str
        Gets what is not as usual.
    """
    rows = dialect.rows
    skipped = _above(rows)
    if skipped:
        title = next(filter(None, map(str.strip, rows[0])), "")
        remarks.append(
            f"{skipped} line{'s' * (skipped > 1)} above the table, such as {title[:40]!r}, "
            "passed over."
        )
    first, below = rows[skipped], rows[skipped + 1 :]
    has_header = form.header
    if has_header is None:
        has_header = not _holds_data(first, below)
        named = _names_in(dialect, len(first))
        is_row = not has_header or (dialect.delimiter == "\t" and not _is_over_values(first, below))
        if named and is_row:  # as numpy.savetxt and QIIME write them; tabs are in no sentence
            remarks.append(
                f"The columns' names are taken from the line {dialect.comment}{named[0][:40]} "
                "above the rows."
            )
            return Header(different_names(named, remarks), skipped)
        if not has_header:
            remarks.append(
                f"There is no header: the first line, {_excerpt(first)}, is like those below. "
                "If it holds names, say so with --header."
            )
    if not has_header:
        names = tuple(f"column {number}" for number in range(1, len(first) + 1))
        return Header(names, skipped)
    row, widths = first if _comes_again(first, below) else None, Counter(map(len, below))
    if widths and widths.most_common(1)[0] == (len(first) + 1, len(below)):
        if any(row[-1].strip() for row in below):  # as R writes the names of rows
            remarks.append("The rows have one cell more than the header: the first has no name.")
            first = ["", *first]
        else:  # a delimiter that ends every row
            first = [*first, ""]
    labels = _labels_in(below)
    if labels:
        lines = "A line" if labels == 1 else f"{labels} lines"
        shown = _excerpt([*filter(None, below[0])])
        remarks.append(
            f"{lines} below the header, {shown}, passed over: words in all columns of numbers, as "
            "a second header has."
        )
    return Header(different_names(first, remarks), skipped + 1 + labels, row)


def _names_in(dialect: Dialect, width: int) -> list[str] | None:
    """Return the cells of the comment that may be a header; words of sentences are cells, too."""
    above = dialect.comments[-1:] if dialect.delimiter == BLANKS else dialect.comments
    return next((cells for cells in above if len(cells) == width), None)


def _pass_marks(lines: list[str], form: TextForm, remarks: list[str]) -> tuple[int, str | None]:
    """Pass over what spreadsheets put first: ``sep=;``."""
    first = lines[0].strip().lower() if lines else ""
    if first.startswith("sep=") and len(first) <= 5:
        remarks.append("Its first line names the delimiter.")
        return 1, form.delimiter or lines[0].strip()[4:] or "\t"
    return 0, form.delimiter


def cells_of(lines: Iterable[str], delimiter: str, quote: str = '"') -> Iterator[list[str]]:
    """Cut lines into cells by the csv module."""
    if delimiter == BLANKS:
        lines = (line.replace("\t", " ").strip() for line in lines)
    if not quote:
        return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, quotechar=quote)


def _are_in_single_quotes(lines: Sequence[str], delimiters: str) -> bool:
    """Whether more cells stand in single quotes than in none, numbers and empty ones apart."""
    ends = rf"[{re.escape(delimiters)}]"
    cell = re.compile(rf"(?:^|(?<={ends}))\s{{0,9}}'(?:[^']|'')*'\s{{0,9}}(?={ends}|$)")
    quoted, words = 0, 0
    for line in lines:
        bare, times = cell.subn("", line)
        quoted += times
        words += sum(_is_word(one) for one in re.split(ends, bare) if one.strip())
    return quoted > words


def _delimiter_of(lines: Sequence[str], quote: str) -> str:
    """Find the delimiter by which most lines have as many cells."""
    found: dict[str, tuple[float, int]] = {}
    blocks: dict[str, int] = {}
    closed: dict[str, bool] = {}
    for delimiter in _DELIMITERS + BLANKS:
        widths, closed[delimiter] = _widths(lines, delimiter, quote)
        width, times = Counter(widths).most_common(1)[0]
        found[delimiter] = (times / len(widths) if width > 1 else 0.0, width)
        cells, width = _largest_block(widths)
        blocks[delimiter] = cells if width > 1 else 0
    by_blanks = found[BLANKS][0] >= AGREE and _hold_numbers(lines[1:])
    # By a wrong one the end of a cell may open a quote, and what follows is one row: no proof.
    for delimiter in sorted(_DELIMITERS, key=closed.__getitem__, reverse=True):
        share, width = found[delimiter]
        if share >= AGREE and _fits(lines, delimiter, quote, width):
            if by_blanks and 2 * width <= found[BLANKS][1] and delimiter == "\t":
                return BLANKS  # columns set under each other, and a tab somewhere
            return delimiter
    if by_blanks:
        return BLANKS
    return max(",;\t|", key=blocks.__getitem__)


def _widths(lines: Sequence[str], delimiter: str, quote: str) -> tuple[list[int], bool]:
    """Return the number of cells of each row, and whether no quote is open at the end."""
    try:
        *rows, last = cells_of([*lines, _END], delimiter, quote)
    except csv.Error:  # a cell that is too long: told where the rows are read
        return [1] * len(lines), True
    is_closed = last == [_END]
    return [len(row) for row in (rows if is_closed else [*rows, last]) if row], is_closed


def _fits(lines: Sequence[str], delimiter: str, quote: str, width: int) -> bool:
    """Whether a line that may be the header is as wide as the rows; R leaves one name out."""
    first = cells_of(lines[:_FIRST_LINES], delimiter, quote)
    return any(len(row) in (width, width - 1) for row in first)


def _hold_numbers(lines: Sequence[str]) -> bool:
    """Whether blanks separate numbers, and some words, rather than the words of sentences."""
    cells = [cell for row in cells_of(lines, BLANKS) for cell in row]
    return 3 * sum(map(is_plain_number, cells)) > len(cells)


def _above(rows: Sequence[list[str]]) -> int:
    """Count the rows above a table: titles, sources, lines of a few cells each.

    The table begins with its header, if some row is one: every cell filled, none a value, and
    values below. Else it begins where more than two cells are filled, or nearly all.
    """
    _, width = _largest_block([*map(len, rows)])
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    full = next((at for at, count in enumerate(filled) if count == len(rows[at]) == width), None)
    if full and width >= _TITLED and full <= _FIRST_LINES:
        is_next = 2 * filled[full - 1] > width and _may_be_names(rows, full - 1)
        if not is_next and _may_be_names(rows, full):
            return full
    first_filled = (at for at, count in enumerate(filled) if count > 2 or count >= width - 1)
    at = next(first_filled, 0)
    return at if at <= _FIRST_LINES and width > _TITLED else 0


def _may_be_names(rows: Sequence[list[str]], at: int) -> bool:
    """Whether a row holds no value, and stands above values."""
    return not any(map(_is_value, rows[at])) and _is_over_values(rows[at], rows[at + 1 :])


def _largest_block(widths: Sequence[int]) -> tuple[int, int]:
    """Return the number of cells in the largest block of rows of one width, and that width."""
    return max((width * sum(1 for _ in block), width) for width, block in groupby(widths))


def _holds_data(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line is a row like those below, so that there is no header."""
    below = [_column(rows, at) for at in range(len(first))]
    cells = [cell.strip() for cell in first]
    numbers = [is_plain_number(cell) for cell in cells]
    if any(numbers):
        if not rows or _counted_through(
            [cell for cell, plain in zip(cells, numbers, strict=True) if plain]
        ):
            return not rows and all(numbers)
        return any(
            plain and column and sum(map(is_plain_number, column)) > len(column) / 2
            for plain, column in zip(numbers, below, strict=True)
        )
    if _comes_again(first, rows):
        return False
    # Words above words: a name does not come again among the few different words below it.
    again = [
        cell in column
        for cell, column in zip(cells, below, strict=True)
        if cell and 1 < len(set(column)) <= max(len(column) / 2, 2)
    ]
    return bool(again) and sum(again) > AGREE * len(again)


def _labels_in(rows: Sequence[list[str]]) -> int:
    """Count the first rows that describe columns: units, questions, types.

    They hold words in most columns of values, two at least, values in none, and none of the words
    comes again below, as what stands for missing does.
    """
    for at, row in enumerate(rows[: _MOST_LABELS + 1]):
        below = rows[at + 1 :]
        words = [place for place, cell in enumerate(row) if _is_word(cell)]
        if len(below) < 2 or len(words) < 2 or any(map(_is_value, row)):
            return at
        columns = {place: _column(below, place) for place in range(len(row))}
        values = {place for place, cells in columns.items() if cells and _are_values(cells)}
        labelled = values.intersection(words)
        if len(labelled) < max(2, len(values) / 2):
            return at
        if any(row[place].strip() in columns[place] for place in labelled):
            return at
    return 0


def _comes_again(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether further rows that are like the first are headers, too: no other holds its words."""
    others = [row for row in rows if row != first]
    is_alone = len(others) < len(rows) and not any(
        cell.strip() and cell.strip() in _column(others, at) for at, cell in enumerate(first)
    )
    return is_alone or _is_over_values(first, rows)


def _is_over_values(row: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a word of a row stands above a column of numbers or dates."""
    return any(_is_word(cell) and _are_values(_column(rows, at)) for at, cell in enumerate(row))


def _column(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    """Return the cells of a column that are filled."""
    return [row[at].strip() for row in rows if at < len(row) and row[at].strip()]


def _are_values(cells: Sequence[str]) -> bool:
    """Whether most cells are values."""
    return sum(map(_is_value, cells)) > len(cells) / 2


def _is_word(cell: str) -> bool:
    """Whether a cell is filled with neither a value nor what stands for a missing one."""
    return not (_is_value(cell) or is_marker(cell.strip()))


def _is_value(cell: str) -> bool:
    """Whether a cell is a number or a date in any spelling: digits, and no word."""
    return is_plain_number(cell) or (
        any(map(str.isdigit, cell)) and not any(map(str.isalpha, cell))
    )


def _counted_through(cells: Sequence[str]) -> bool:
    """Whether numbers are names: 0, 1, 2, ... as programs give them, or years."""
    if len(cells) < 2 or not all(_COUNT.fullmatch(cell) for cell in cells):
        return False
    values = [int(cell) for cell in cells]
    years = values == sorted(set(values)) and values[0] > 1800 and values[-1] < 2100
    return years or values == list(range(values[0], values[0] + len(values)))


def different_names(cells: Sequence[str], remarks: list[str]) -> tuple[str, ...]:
    """Give every column a name of its own."""
    names: dict[str, None] = {}  # in order, and looked up quickly
    numbers: dict[str, Iterator[int]] = {}
    unnamed, repeated = [], []
    for place, cell in enumerate(cells, start=1):
        name = " ".join(cell.split()).strip(_NO_WIDTH)
        if not name:
            name = f"unnamed {place}"
            unnamed.append(name)
        if name in names:
            repeated.append(name)
            further = numbers.setdefault(name, count(2))
            name = next(new for number in further if (new := f"{name} ({number})") not in names)
        names[name] = None
    if unnamed:
        remarks.append(f"Columns without a name are called by their place: {_excerpt(unnamed)}.")
    if repeated:
        remarks.append(
            f"Several columns have the same name, {_excerpt(repeated)}: the further ones are "
            "numbered."
        )
    return tuple(names)


def _excerpt(cells: Sequence[str]) -> str:
    shown = ", ".join(repr(cell[:20]) for cell in cells[:4])
    return shown + (", ..." if len(cells) > 4 else "")

"""How cells spell numbers, dates and what is missing."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MISSING = frozenset(
    {"", "\\n", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none", "nil", "nat"}
    | {"#null!", "#div/0!", "#value!", "#ref!", "#name?"}
    | {"missing", "unknown", "n.a.", "not available", "\N{EN DASH}", "\N{EM DASH}"}
)
"""The cells, in small letters, that stand for a missing value among numbers or dates.

Among words a word is a word: there only the empty cell is missing, and `NULL`.
"""

NULL = "\\N"
"""A missing cell as MySQL, PostgreSQL and Hive write it, which never is a word."""

NOTHING = float("nan")

_LONGEST = 400  # letters: the largest number has 309 digits, and patterns need not try more

# No two parts of a pattern here may match the same letters: a long cell would take its square.
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_LOST = re.compile(r"-?[1-9]\d{15,307}")  # a float keeps 15 digits
_CURRENCY = "$€£¥₹₽₩₺₴₪฿¢"
_CODES = (  # of the currencies that most is traded in; other three letters are names: ITC11
    "AED|AUD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KES|KRW|MXN|MYR"
    "|NGN|NOK|NZD|PEN|PHP|PKR|PLN|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)
_AROUND = re.compile(rf"^(?:[{_CURRENCY}]|(?:{_CODES})(?=[ \d]))|(?:[{_CURRENCY}%‰]|(?:{_CODES}))$")
_SAME = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?")
_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-"})
_SPACES = re.compile(r"(?<=\d)[\s'’\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}](?=\d{3}(?!\d))")
_SHAPES = {
    ".": re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?([eE][+-]?\d+)?"),
    ",": re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)?(,\d*)?([eE][+-]?\d+)?"),
}
_TELLS = {
    # What can only be a fraction: no three digits behind one sign, or both signs.
    ".": re.compile(r"\d\.(\d{1,2}|\d{4,})(?!\d)|\d,\d{3}\.\d|(?<!\d)0?\.\d|\d,\d{3},\d{3}"),
    ",": re.compile(r"\d,(\d{1,2}|\d{4,})(?!\d)|\d\.\d{3},\d|(?<!\d)0?,\d|\d\.\d{3}\.\d{3}"),
}


def is_plain_number(cell: str) -> bool:
    """Whether a cell is a number as programs write it."""
    return _PLAIN.fullmatch(cell) is not None


def is_code(cell: str) -> bool:
    """Whether digits are a name rather than a number: 007 is not 7."""
    digits = cell.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits.isdigit()


def lose_digits(cells: Iterable[str]) -> bool:
    """Whether whole numbers that differ are one as floats: names of many digits."""
    whole = {cell for cell in cells if _LOST.fullmatch(cell)}
    return len({float(cell) for cell in whole}) < len(whole)


def is_time(cell: str) -> bool:
    """Whether a cell is a time of day, which is read as hours."""
    return len(cell) <= _LONGEST and _CLOCK.fullmatch(cell) is not None


def tells_decimal(cell: str) -> str | None:
    """Return the decimal sign of a number, if its spelling leaves no doubt."""
    bare = _bare(cell[:_LONGEST])
    signs = [sign for sign, shape in _TELLS.items() if shape.search(bare)]
    return signs[0] if len(signs) == 1 and _SHAPES[signs[0]].fullmatch(bare) else None


def is_marker(cell: str) -> bool:
    """Whether a cell stands for a missing value where numbers or dates are expected."""
    return cell.lower() in MISSING or not cell.strip("*?-._# ")


def read_number(cell: str, decimal: str = ".") -> float:
    """Read a number as people write it; NaN where it is none.

    Signs of currency and per cent around it, the code of a currency, and what groups thousands
    (a comma or a point, a blank, an apostrophe) don't count; parentheses mean that it is negative,
    as accountants write. Per cent stay as they are: ``5 %`` is 5. A time of day is its hours.

    Parameters
    ----------
    cell : str
    decimal : {".", ","}
        The sign before the fraction; the other one groups thousands.
    """
    if len(cell) > _LONGEST:
        return NOTHING
    if match := _CLOCK.fullmatch(cell):
        hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3))
        half = hour % 12 + 12 * (match[4][0] in "pP") if match[4] else hour
        return half + minute / 60 + second / 3600
    bare = _bare(cell)
    if not any(letter.isdigit() for letter in bare) or not _SHAPES[decimal].fullmatch(bare):
        return NOTHING
    grouping = "," if decimal == "." else "."
    try:
        value = float(bare.replace(grouping, "").replace(",", "."))
    except ValueError:
        return NOTHING
    return value if math.isfinite(value) else NOTHING  # 82E87321 is a name


def currency_of(cell: str) -> str:
    """Return the sign or code of the currency around a number; empty where there is none."""
    found = _AROUND.search(cell.strip("+-() ")) if len(cell) <= _LONGEST else None
    sign = found[0] if found else ""
    return "" if sign in "%‰" else _SAME.get(sign, sign)


def _bare(cell: str) -> str:
    text = cell.translate(_SIGNS).strip()
    negative = text.startswith("(") and text.endswith(")")
    text = text[1:-1] if negative else text
    sign = text[:1] if text[:1] in "+-" else ""
    text = _AROUND.sub("", text[len(sign) :].strip()).strip()
    if text[:1] in ("+", "-") and not sign:  # $-5
        sign, text = text[0], text[1:]
    return ("-" if negative else sign) + _SPACES.sub("", text)


@dataclass(frozen=True)
class _DateForm:
    """A way of writing dates: its shape, and the order of its parts."""

    name: str
    shape: re.Pattern[str]


_TIME = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?:\s*(?P<half>[AaPp]\.?[Mm]\.?))?(?:\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?)?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORD = r"(?P<word>[A-Za-z]{3,9})\.?"
_DAY, _MONTH = r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2})"
_YEAR, _ANY_YEAR = r"(?P<year>\d{4})", r"(?P<year>\d{4}|\d{2})"


def _form(name: str, date: str) -> _DateForm:
    return _DateForm(name, re.compile(rf"(?:[A-Z][a-z]{{2,8}},? )?{date}{_TIME}"))


_FORMS = (
    _form("year-month-day", rf"{_YEAR}(?P<sep>[-/.]){_MONTH}(?P=sep){_DAY}"),
    _form("year-month", rf"{_YEAR}-(?P<month>0[1-9]|1[0-2])"),
    _form("day.month.year", rf"{_DAY}\.{_MONTH}\.{_ANY_YEAR}"),
    _form("month/day/year", rf"{_MONTH}(?P<sep>[-/]){_DAY}(?P=sep){_ANY_YEAR}"),
    _form("day/month/year", rf"{_DAY}(?P<sep>[-/]){_MONTH}(?P=sep){_ANY_YEAR}"),
    _form("day month year", rf"{_DAY}(?:st|nd|rd|th)?[ -]?{_WORD}[ ,-]*{_ANY_YEAR}"),
    _form("month day, year", rf"{_WORD} ?{_DAY}(?:st|nd|rd|th)?,? {_YEAR}"),
)
DATE_FORMS = tuple(form.name for form in _FORMS)
"""The ways of writing dates, by name."""


def read_dates(cells: Sequence[str], form: str) -> NDArray[np.datetime64]:
    """Read dates that are written in one way; NaT where a cell is none.

    Parameters
    ----------
    cells : sequence of str, of length N
    form : str
        One of `DATE_FORMS`.

    Returns
    -------
    ndarray of datetime64[s], shape (N,)
        In UTC where a zone is written, else as written.
    """
    [shape] = [one.shape for one in _FORMS if one.name == form]
    matches = (shape.fullmatch(cell) if len(cell) < _LONGEST else None for cell in cells)
    return np.array([_read_date(match) for match in matches], "datetime64[s]")


def _read_date(match: re.Match[str] | None) -> np.datetime64:
    if match is None:
        return np.datetime64("NaT")
    part = match.groupdict()
    word = part.get("word")
    month = int(part["month"]) if word is None else _month(word)
    year = int(part["year"])
    year += 0 if year > 99 else 1900 if year > 68 else 2000  # as POSIX reads two digits
    hour = int(part["hour"] or 0)
    if part["half"]:
        hour = hour % 12 + 12 * (part["half"][0] in "pP")
    time = f"{hour:02}:{part['minute'] or '00'}:{part['second'] or '00'}"
    try:
        when = np.datetime64(f"{year:04}-{month:02}-{int(part.get('day') or 1):02}T{time}", "s")
    except ValueError:  # a thirteenth month, the 30th of February
        return np.datetime64("NaT")
    zone = part["zone"]
    if zone and zone[0] in "+-":
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        when = when - np.timedelta64(minutes if zone[0] == "+" else -minutes, "m")
    return when


def _month(word: str) -> int:
    start = word[:3].lower()
    return _MONTHS.index(start) + 1 if start in _MONTHS else 0


def date_forms_of(cells: Iterable[str]) -> list[str]:
    """Return the ways of writing in which the most of some cells are dates, all that tie."""
    cells = list(cells)
    found = {form: int(np.sum(~np.isnat(read_dates(cells, form)))) for form in DATE_FORMS}
    most = max(found.values(), default=0)
    return [form for form, count in found.items() if count == most] if most else []


def days_of(column: NDArray[np.float64]) -> NDArray[np.datetime64] | None:
    """Read whole numbers such as 20240131 as dates; None where one is none."""
    present = column[~np.isnan(column)]
    if not len(present) or present.min() < 1800_01_01 or present.max() > 2200_12_31:
        return None
    distinct, places = np.unique(present, return_inverse=True)
    texts = [
        f"{int(value) // 10000}-{int(value) // 100 % 100:02}-{int(value) % 100:02}"
        for value in distinct.tolist()
    ]
    read = read_dates(texts, "year-month-day")
    if np.isnat(read).any() or not np.array_equal(present, np.trunc(present)):
        return None
    dates = np.full(len(column), np.datetime64("NaT"), "datetime64[s]")
    dates[~np.isnan(column)] = read[places]
    return dates

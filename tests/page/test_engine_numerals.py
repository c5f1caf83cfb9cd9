"""Numbers, dates and markers as people write them: each cell is read in the page as in Python."""

from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from clearprop.data.tables import numerals

SIGNS = st.sampled_from(["", "-", "+", "(", "$", "€ ", "$-", "\N{MINUS SIGN}", "USD ", "EUR"])
DIGITS = st.text("0123456789", max_size=4)
GROUPS = st.sampled_from(["", ".", ",", " ", "'", "\N{NO-BREAK SPACE}", ",.", "e", "E+", ":"])
ENDS = st.sampled_from(["", "%", " %", ")", "€", " USD", " pm", "a.m.", "x", "\N{PER MILLE SIGN}"])
NUMBERS = st.tuples(SIGNS, DIGITS, GROUPS, DIGITS, GROUPS, DIGITS, ENDS).map("".join)

PARTS = st.sampled_from(
    [
        *("1", "01", "12", "13", "29", "30", "31", "31st", "5th", "00", "68", "69", "1969", "2024"),
        *("Jan", "Feb.", "march", "Sept", "December", "Mon, ", "mon "),
    ]
)
BETWEEN = st.sampled_from(["-", "/", ".", " ", ", ", ",", "", " - "])
TIMES = st.sampled_from(
    ["", "T10:20", " 10:20:30", "T23:59:59.5Z", " 7:05 pm", " 12:00 AM", "T10:20+02:00", " 24:00"]
)
DATES = st.tuples(PARTS, BETWEEN, PARTS, BETWEEN, PARTS, TIMES).map("".join)
MARKERS = st.sampled_from([*sorted(numerals.MISSING), "N/A", "Unknown", "***", "? ?", "- 1", "#"])

CELLS = st.one_of(NUMBERS, DATES, MARKERS, st.text("0123456789.,-+:eE() $€%aApPmMTZ/", max_size=9))


def expected(cell: str, *, day_first: bool) -> dict[str, Any]:
    """Read a cell in Python; None stands for what is no number, as in JSON."""
    forms = sorted(numerals.DATE_FORMS, key=lambda form: form.startswith("day") != day_first)
    # Eight digits are a date where a column must be one of dates.
    digits = cell.removesuffix(".0")
    is_day = len(digits) == 8 and digits.isascii() and digits.isdigit()
    text = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if is_day else cell
    dates = [numerals.read_dates([text], form)[0] for form in forms]
    seconds = [float(date.astype(np.int64)) for date in dates if not np.isnat(date)]
    numbers = [numerals.read_number(cell, decimal) for decimal in (".", ",")]
    return {
        "numbers": [None if np.isnan(number) else number for number in numbers],
        "marks": numerals.is_marker(cell),
        "isTime": numerals.is_time(cell),
        "decimal": numerals.tells_decimal(cell),
        "seconds": seconds[0] if seconds else None,
    }


@given(st.lists(CELLS, max_size=8), st.booleans())
@example(["1.234", "1,5", "0,5", "1.234,5", "(1,234.50)", "$ 5", "5 €", "-(3)"], False)
@example(["1/2/2024", "13/2/2024", "2/13/2024", "1.2.69", "20240131", "20240131.0"], True)
@example(["2024-02-30", "2023-02-29", "2024-13-01", "0000-01-01", "31 Juny 2024"], False)
def test_a_cell_is_read_alike(engine: Any, cells: list[str], day_first: bool) -> None:
    found = engine.ask(ask="read", cells=cells, dayFirst=day_first)
    for cell, read in zip(cells, found, strict=True):
        assert read == expected(cell, day_first=day_first), cell


def test_a_long_cell_takes_no_time(engine: Any) -> None:
    """No pattern tries one and the same letters in many ways: each would last for ever."""
    cells = ["1" * 300 + "x", "1," * 200, " " * 399, "(" * 399, "1 " * 199, "1:" * 100, "-" * 399]
    found = engine.ask(ask="read", cells=cells, dayFirst=False)
    assert [read["numbers"] for read in found] == [[None, None]] * 7

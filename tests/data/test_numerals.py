"""Numbers, dates and missing values as people spell them."""

import math
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.data.tables.numerals import (
    DATE_FORMS,
    date_forms_of,
    is_code,
    is_marker,
    is_plain_number,
    read_dates,
    read_number,
    tells_decimal,
)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("34,482.64", 34482.64),
        ("1,234,567", 1234567),
        ("$5", 5),
        ("$ 1,250.50", 1250.5),
        ("-$5", -5),
        ("$-5", -5),
        ("(1,234)", -1234),
        ("($3.50)", -3.5),
        ("5 %", 5),
        ("51.9%", 51.9),
        ("12 €", 12),
        ("EUR 12", 12),
        ("12.5 USD", 12.5),
        ("USD100", 100),
        ("£0.99", 0.99),
        ("1 234 567", 1234567),
        ("1\N{NO-BREAK SPACE}234", 1234),
        ("1'234.5", 1234.5),
        ("\N{MINUS SIGN}7", -7),
        (".28", 0.28),
        ("3504.", 3504),
        ("+3", 3),
        ("3.3736494e7", 33736494),
        ("1E-3", 0.001),
        ("13:08", 13 + 8 / 60),
        ("1:08 PM", 13 + 8 / 60),
        ("12:30 a.m.", 0.5),
    ],
)
def test_numbers_as_people_write_them(cell: str, value: float) -> None:
    assert read_number(cell) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1,5", 1.5), ("1.234,56", 1234.56), ("1.234.567", 1234567), ("-0,25 €", -0.25), (",5", 0.5)],
)
def test_numbers_with_a_decimal_comma(cell: str, value: float) -> None:
    assert read_number(cell, ",") == value


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "-",
        "$",
        "%",
        "()",
        "e5",
        "1_000",
        "0x10",
        "inf",
        "nan",
        "1,23,4",
        "12,34.5",
        "1.2.3",
        "5-7",
        "40-49",
        "65+",
        "> 60",
        "A5",
        "1e999",
        "82E87321",
        "ITC11",  # a region's code: these letters are no currency
        "ABC 12",
        "12 XYZ",
        "2B033",
        "5'4\"",
        "1 23",
        "٣x",
    ],
)
def test_what_is_no_number(cell: str) -> None:
    assert math.isnan(read_number(cell))


@given(
    number=st.decimals(-10**9, 10**9, places=2, allow_nan=False),
    grouping=st.sampled_from(["", ",", " ", "'", "\xa0", "\u202f"]),
    around=st.sampled_from(["{}", "${}", "$ {}", "{} €", "{}%", "{} %", "EUR {}", "{} USD", "¥{}"]),
    in_parentheses=st.booleans(),
    comma=st.booleans(),
)  # fmt: skip
def test_numbers_come_back_from_every_way_of_writing_them(
    number: float, grouping: str, around: str, in_parentheses: bool, comma: bool
) -> None:
    text = f"{abs(number):,.2f}"
    if comma:
        text = text.translate(str.maketrans(",.", ".,"))
        text = text.replace(".", "." if grouping == "," else grouping)
    else:
        text = text.replace(",", grouping)
    text = around.format(text)
    if number < 0:
        text = f"({text})" if in_parentheses else f"-{text}"
    assert read_number(text, "," if comma else ".") == float(number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_python_writes_is_the_same_number(number: float) -> None:
    assert read_number(repr(number)) == number


@pytest.mark.parametrize(
    ("cell", "sign"),
    [
        ("1.5", "."),
        ("1,5", ","),
        ("1,234.5", "."),
        ("1.234,5", ","),
        ("1,234,567", "."),
        ("1.234.567", ","),
        ("0,125", ","),
        ("$1.50", "."),
        ("1.234", None),
        ("1,234", None),
        ("1234", None),
        ("12.05.2020", None),
        ("a.b", None),
    ],
)
def test_the_decimal_sign_is_told_only_where_no_doubt_is_left(cell: str, sign: str | None) -> None:
    assert tells_decimal(cell) == sign


@pytest.mark.parametrize("cell", ["N/A", "NULL", "#N/A", "<NA>", "n/a", "-", "?", "--", "NaN"])
def test_markers_of_missing_values(cell: str) -> None:  # D1
    assert is_marker(cell)


@pytest.mark.parametrize("cell", [".", "****", "#REF!", "n.a.", "Unknown", "\N{EM DASH}", ""])
def test_further_markers_of_missing_values(cell: str) -> None:
    assert is_marker(cell)


@pytest.mark.parametrize("cell", ["0", "no", "nada", "Nancy", "a-b", "null island", "7?"])
def test_what_is_no_marker(cell: str) -> None:
    assert not is_marker(cell)


@pytest.mark.parametrize(
    "cell", ["9" * 300_000 + "x", f"1{' ' * 300_000}2", f"12:00{' ' * 300_000}x", "1," * 99_999]
)
def test_very_long_cells_take_no_time(cell: str) -> None:
    # A pattern that goes back and forth would take hours.
    assert not is_plain_number(cell)
    assert math.isnan(read_number(cell))
    assert tells_decimal(cell) in (None, ",")
    assert date_forms_of([cell, f"2020-01-01 {cell}"]) == []


def test_digits_behind_a_zero_are_a_name() -> None:
    assert [is_code(cell) for cell in ["007", "07", "-01", "00"]] == [True] * 4
    assert [is_code(cell) for cell in ["0", "7", "0.7", "70", "1A", ""]] == [False] * 6


# Dates

_STRFTIME = {
    "year-month-day": ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"],
    "year-month": ["%Y-%m"],
    "day.month.year": ["%d.%m.%Y", "%d.%m.%y"],
    "month/day/year": ["%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y"],
    "day/month/year": ["%d/%m/%Y", "%d-%m-%Y", "%d-%m-%y"],
    "day month year": ["%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%a, %d %b %Y", "%d%b%Y"],
    "month day, year": ["%B %d, %Y", "%b %d %Y", "%A, %B %d, %Y"],
}
_TIMES = ["", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %I:%M %p", " %H:%M:%S.000", "T%H:%M:%SZ"]


def test_every_form_of_dates_is_tried_below() -> None:
    assert {*_STRFTIME} == {*DATE_FORMS}


@given(
    when=st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)),
    form=st.sampled_from([(name, shape) for name, shapes in _STRFTIME.items() for shape in shapes]),
    time=st.sampled_from(_TIMES),
)
def test_dates_come_back_from_every_form(when: datetime, form: tuple[str, str], time: str) -> None:
    name, shape = form
    time = "" if name == "year-month" else time
    when = when.replace(
        microsecond=0,
        second=when.second if "%S" in time else 0,
        minute=when.minute if time else 0,
        hour=when.hour if time else 0,
        day=1 if name == "year-month" else when.day,
    )
    text = when.strftime(shape + time)
    [found] = read_dates([text], name)
    assert found.item() == when
    assert name in date_forms_of([text])


@given(
    when=st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),
    hours=st.integers(-14, 14),
    minutes=st.sampled_from([0, 30, 45]),
)
def test_a_time_with_its_zone_becomes_universal_time(
    when: datetime, hours: int, minutes: int
) -> None:
    offset = timedelta(hours=hours, minutes=minutes if hours >= 0 else -minutes)
    aware = when.replace(microsecond=0, tzinfo=timezone(offset))
    [found] = read_dates(
        [
            aware.isoformat(),
        ],
        "year-month-day",
    )
    assert found.item() == aware.astimezone(UTC).replace(tzinfo=None)


@pytest.mark.parametrize(
    "cell",
    ["", "2020", "2020-13-01", "2021-02-29", "31/04/2020x", "1/2", "40-49", "5-7", "2010-11-12-13",
     "30 Foo 2020", "abc", "2020-01-01 25:00"],
)  # fmt: skip
def test_what_is_no_date(cell: str) -> None:
    assert date_forms_of([cell]) == [] or np.isnat(read_dates([cell], date_forms_of([cell])[0]))


def test_a_day_above_12_settles_the_order() -> None:
    assert date_forms_of(["3/12/2016", "28/01/2016"]) == ["day/month/year"]
    assert date_forms_of(["3/12/2016", "1/28/2016"]) == ["month/day/year"]
    assert len(date_forms_of(["3/12/2016", "1/2/2016"])) == 2


@given(st.lists(st.dates(date(1900, 1, 1), date(2100, 1, 1)), min_size=1, max_size=20))
def test_dates_are_those_that_pandas_reads(days: list[date]) -> None:
    texts = [f"{day.day}/{day.month}/{day.year}" for day in days]
    expected = pd.to_datetime(pd.Series(texts), format="%d/%m/%Y").to_numpy("datetime64[s]")
    np.testing.assert_array_equal(read_dates(texts, "day/month/year"), expected)

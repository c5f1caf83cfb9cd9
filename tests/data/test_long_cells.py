"""Cells and headers that are long: they are read in one go, not in the square of their length."""

import math

import numpy as np
import pytest

from clearprop.data.tables.dialect import different_names
from clearprop.data.tables.numerals import (
    DATE_FORMS,
    is_plain_number,
    read_dates,
    read_number,
    tells_decimal,
)

LONG = 1_000_000  # a square of it would take hours


@pytest.mark.parametrize(
    "cell",
    [
        *("9" * LONG + "x", "9" * LONG + ".", "1" + " " * LONG + "2", "$" + " " * LONG + "x"),
        *("1," * LONG + "x", "(" * LONG, "1" + "\t" * LONG + "%x", "12:00" + " " * LONG + "x"),
        *("2020-01-01 12:00" + " " * LONG + "x", "1 jan" + " ,-" * LONG, "." * LONG + "1x"),
    ],
    ids=lambda cell: f"{cell[:6]}...{cell[-3:]}",
)
def test_no_pattern_goes_over_a_cell_again_and_again(cell: str) -> None:
    assert is_plain_number(cell) == (cell[-1] == ".")
    assert math.isnan(read_number(cell))
    assert math.isnan(read_number(cell, ","))
    assert tells_decimal(cell) is None
    assert all(np.isnat(read_dates([cell], form)).all() for form in DATE_FORMS)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("$ 5", 5), ("5 %", 5), ("- $ 5 ", -5), ("EUR 1,234.5", 1234.5), ("7 USD", 7), ("(3 €)", -3)],
)
def test_what_stands_around_a_number_may_have_blanks_between(cell: str, number: float) -> None:
    assert read_number(cell) == number


def test_many_columns_of_one_name_are_numbered() -> None:
    remarks: list[str] = []
    names = different_names(["a", "b", "a (2)", *["a"] * 100_000], remarks)
    assert names[:6] == ("a", "b", "a (2)", "a (3)", "a (4)", "a (5)")
    assert len(set(names)) == len(names) == 100_003
    assert names[-1] == "a (100002)"
    assert len(remarks[0]) < 200

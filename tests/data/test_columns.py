"""What every column is taken for, what is said of it, and what overrules that."""

import string
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import cells_of, kinds_of, read, said_by, table_text, write

from clearprop.data import load
from clearprop.data.reading import Reading, TextForm
from clearprop.errors import UnknownNameError, UsageError

LABELS = ["no", "yes"] * 30
COUNT = len(LABELS)
NUMBERS = [row * row % 97 / 4 for row in range(COUNT)]


def with_cell(cell: Any, *, every: int = 25) -> list[Any]:
    return [cell if row % every == 3 else number for row, number in enumerate(NUMBERS)]


def read_column(folder: Path, cells: list[Any], name: str = "a", delimiter: str = ",") -> Any:
    text = table_text(
        delimiter, **{name: cells, "b": NUMBERS[: len(cells)], "y": LABELS[: len(cells)]}
    )
    return load(write(folder, text))


# Missing values


@pytest.mark.parametrize(
    "marker",
    [
        "N/A",
        "NULL",
        "#N/A",
        "<NA>",
        "n/a",
        "-",
        "",
        " ? ",
        "NaN",
        "None",
        "nil",
        "#DIV/0!",
        "****",
        ".",
    ],
)
def test_a_marker_among_numbers_is_missing(tmp_path: Path, marker: str) -> None:  # D1
    dataset = read_column(tmp_path, with_cell(marker))
    assert kinds_of(dataset)["a"] == "number"
    expected = [None if row % 25 == 3 else number for row, number in enumerate(NUMBERS)]
    assert cells_of(dataset, "a") == expected
    [column] = [column for column in dataset.columns if column.name == "a"]
    assert column.missing == 3
    assert "median" in column.remark


@pytest.mark.parametrize("marker", ["N/A", "NULL", "?"])
def test_a_marker_among_dates_is_missing(tmp_path: Path, marker: str) -> None:
    days = [str(date(2020, 1, 1) + timedelta(7 * row)) for row in range(COUNT)]
    dataset = read_column(tmp_path, [marker, *days[1:]])
    assert kinds_of(dataset)["a"] == "date"
    assert cells_of(dataset, "a")[:2] == [None, "2020-01-08T00:00:00"]


@pytest.mark.parametrize("marker", ["None", "NA", "null", "?"])  # D3
def test_a_marker_among_words_is_a_word_and_said(tmp_path: Path, marker: str) -> None:
    dataset = read_column(tmp_path, ["Apnea", marker, "Apnea", "Snore", "Snore"] * 12)
    assert set(cells_of(dataset, "a")) == {"Apnea", "Snore", marker}
    assert f"{marker!r} (12 cells, the first in row 2)" in said_by(dataset)
    assert f"--missing {marker}" in said_by(dataset)


@pytest.mark.parametrize("marker", ["None", "NA", "unknown"])  # D3
def test_a_class_may_be_called_like_a_marker(tmp_path: Path, marker: str) -> None:
    text = table_text(a=NUMBERS, y=["Apnea", marker] * 30)
    dataset = load(write(tmp_path, text))
    assert dataset.class_names == tuple(sorted(["Apnea", marker]))
    assert len(dataset) == COUNT
    assert marker in said_by(dataset)


def test_what_stands_for_missing_can_be_said(tmp_path: Path) -> None:
    text = table_text(a=with_cell(-1), b=["red", "none at all", "blue"] * 20, y=LABELS)
    dataset = read(write(tmp_path, text), TextForm(missing=("-1", "None at all")))
    assert cells_of(dataset, "a")[3] is None
    assert cells_of(dataset, "b")[:3] == ["red", None, "blue"]


@pytest.mark.parametrize("sentinel", ["-999", "-99.99", "99999", "-9"])
def test_a_number_that_programs_write_for_missing_is_doubted(tmp_path: Path, sentinel: str) -> None:
    said = said_by(read_column(tmp_path, with_cell(sentinel)))
    assert f"a: 3 cells are {sentinel}, unlike the others (0 to 24" in said
    assert f"--missing={sentinel}" in said


def test_cold_days_are_no_sentinels(tmp_path: Path) -> None:
    cells = [-9 if row % 6 == 0 else row % 40 - 20 for row in range(COUNT)]
    assert "missing" not in said_by(read_column(tmp_path, cells))


# Numbers


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (['"34,482.64"', "1,250.50", "12.5"], [34482.64, 1250.5, 12.5]),  # D2
        (["$5", "$1", "$2.39 "], [5, 1, 2.39]),
        (["5 %", "51.9%", "7"], [5, 51.9, 7]),
        (["995 CC", "1,258 CC", "75 CC"], [995, 1258, 75]),
        (["$1.5 B", "$177 B", "$2 B"], [1.5, 177, 2]),
        (["(12.5)", "13.25", "(1)"], [-12.5, 13.25, -1]),
        (["13:08", "06:30", "18:15"], [13 + 8 / 60, 6.5, 18.25]),
        (["10,000+", "500+", "1,000,000+"], [10000, 500, 1e6]),
    ],
)
def test_numbers_as_people_write_them_are_numbers(
    tmp_path: Path, cells: list[str], expected: list[float]
) -> None:
    # Further numbers of the same spelling, so that a unit is told from the letter of a code.
    shown = [cells[row % 3].replace("5", str(row // 3 % 10)) for row in range(COUNT)]
    text = table_text("\t", a=[cells[0], cells[1], cells[2], *shown[3:]], b=NUMBERS, y=LABELS)
    dataset = load(write(tmp_path, text.replace('"', ""), "data.tsv"))
    assert kinds_of(dataset)["a"] == "number"
    assert cells_of(dataset, "a")[:3] == pytest.approx(expected)


def test_decimal_commas_are_told_by_the_columns_that_leave_no_doubt(tmp_path: Path) -> None:  # D2
    cells = [f"{number:.2f}".replace(".", ",") for number in NUMBERS]
    doubtful = [f"{1 + row % 7}.{row * 31 % 900 + 100}" for row in range(COUNT)]
    text = table_text(";", a=cells, b=doubtful, y=LABELS)
    path = write(tmp_path, text)
    dataset = load(path)
    assert cells_of(dataset, "a") == pytest.approx(NUMBERS, abs=0.005)
    assert cells_of(dataset, "b") == [float(cell.replace(".", "")) for cell in doubtful]
    overruled = read(path, TextForm(decimal="."), keep=("a",))
    assert cells_of(overruled, "b") == [float(cell) for cell in doubtful]


def test_points_between_thousands_are_read_beside_decimal_commas(tmp_path: Path) -> None:
    cells = ["1.234,5", "999", "1.000", "12.500", "0,5", "1.234"] * 10
    dataset = load(write(tmp_path, table_text(";", a=cells, y=LABELS)))
    assert cells_of(dataset, "a")[:6] == [1234.5, 999, 1000, 12500, 0.5, 1234]


def test_a_point_that_may_group_thousands_is_doubted(tmp_path: Path) -> None:
    cells = [379, "1.613", 12, 840] * 15
    path = write(tmp_path, table_text(";", a=cells, b=NUMBERS, y=LABELS))
    dataset = load(path)
    assert "a: '1.613' (row 2) is read as a fraction" in said_by(dataset)
    assert cells_of(dataset, "a")[:2] == [379, 1.613]
    assert cells_of(read(path, TextForm(decimal=",")), "a")[:2] == [379, 1613]
    for fine in (
        [379, "1.6", 12, 840],
        ["3.500", "1.613", "1.200", "4.111"],
        [2379, "1.613", 1, 2],
    ):
        assert "fraction" not in said_by(read_column(tmp_path, fine * 15))


def test_decimal_commas_in_quotes_are_those_that_pandas_reads(tmp_path: Path) -> None:
    cells = [f'"{number:.3f}"'.replace(".", ",") for number in NUMBERS]
    path = write(tmp_path, table_text(a=cells, b=[*range(1, 1 + COUNT)], y=LABELS))
    expected = pd.read_csv(path, decimal=",")["a"]
    assert cells_of(load(path), "a") == pytest.approx(expected.tolist())


@pytest.mark.parametrize("stranger", ["many", "see note 4", "1O"])
def test_a_few_texts_among_numbers_are_taken_for_missing_and_named(  # D2
    tmp_path: Path, stranger: str
) -> None:
    dataset = read_column(tmp_path, with_cell(stranger))
    assert kinds_of(dataset)["a"] == "number"
    assert cells_of(dataset, "a")[3] is None
    assert f"a: 3 cells are no number, {stranger!r} (row 4)" in said_by(dataset)
    assert "--category a" in said_by(dataset)


@pytest.mark.parametrize("stranger", ["many", "A./5. 2152", "LINE"])
def test_numbers_with_many_texts_are_categories_and_never_silently(  # D2
    tmp_path: Path, stranger: str
) -> None:
    path = write(tmp_path, table_text(a=with_cell(stranger, every=4), b=NUMBERS, y=LABELS))
    dataset = load(path)
    assert kinds_of(dataset)["a"] == "category"
    assert f"a: 45 numbers and 15 texts such as {stranger!r} (row 4)" in said_by(dataset)
    overruled = read(path, number=("a",))
    assert kinds_of(overruled)["a"] == "number"
    assert cells_of(overruled, "a")[:5] == [*NUMBERS[:3], None, NUMBERS[4]]


@pytest.mark.parametrize("late", [200, 30_000])
def test_words_late_among_numbers_and_numbers_late_among_words(tmp_path: Path, late: int) -> None:
    words = ["1.50"] * late + ["one", "two", "three"] * late
    numbers = ["?"] * late + [str(row % 7) for row in range(3 * late)]
    labels = ["no", "yes"] * (2 * late)
    dataset = load(write(tmp_path, table_text(words=words, numbers=numbers, y=labels)))
    assert cells_of(dataset, "words") == words  # as they are written: not 1.5
    assert cells_of(dataset, "numbers")[late - 1 : late + 2] == [None, 0, 1]


@pytest.mark.parametrize(
    "codes", [["007", "07", "1A"], ["00501", "10001", "02134"], ["01", "1", "2"]]
)
def test_codes_stay_as_they_are_written(tmp_path: Path, codes: list[str]) -> None:  # D4
    text = table_text(a=codes * 20, b=NUMBERS, y=codes * 20)
    dataset = load(write(tmp_path, text))
    assert cells_of(dataset, "a")[:3] == codes
    assert dataset.class_names == tuple(sorted(codes))


@pytest.mark.parametrize("prefix", ["ITC", "ABC ", "Q"])
def test_letters_in_front_of_digits_make_a_code(tmp_path: Path, prefix: str) -> None:
    codes = [f"{prefix}{row % 5 + 11}" for row in range(COUNT)]
    assert cells_of(read_column(tmp_path, codes), "a") == codes


# Dates, identifiers, constants, text


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("%Y-%m-%d", "when"),  # D7
        ("%d.%m.%Y", "when"),
        ("%b %d, %Y", "when"),
        ("%Y-%m-%d %H:%M:%S", "when"),
        ("%Y%m%d", "date"),
    ],
)
def test_dates_are_dates_and_said_to_become_numbers(tmp_path: Path, form: str, name: str) -> None:
    days = [date(2020, 1, 1) + timedelta(11 * row) for row in range(COUNT)]
    dataset = read_column(tmp_path, [f'"{day.strftime(form)}"' for day in days], name)
    assert kinds_of(dataset)[name] == "date"
    assert cells_of(dataset, name) == [f"{day}T00:00:00" for day in days]
    [column] = [column for column in dataset.columns if column.name == name]
    assert column.remark == "days, year, month, weekday"


def test_an_order_of_day_and_month_that_is_open_is_said(tmp_path: Path) -> None:
    open_days = [f"0{row % 9 + 1}/0{row * 5 % 9 + 1}/2020" for row in range(COUNT)]
    dataset = read_column(tmp_path, open_days)
    assert "month/day/year" in said_by(dataset)
    assert "day/month/year" in said_by(dataset)
    settled = read_column(tmp_path, ["31/01/2020", *open_days[1:]])
    assert cells_of(settled, "a")[1] == "2020-06-02T00:00:00"
    assert "as well" not in said_by(settled)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("customer_id", [f"C{row * 7919 % 10007:05}" for row in range(COUNT)]),  # D7
        ("no", [*range(1, COUNT + 1)]),
        ("", [*range(COUNT)]),
        ("id", [row * 7919 % 10007 for row in range(COUNT)]),
        ("sampleId", [10**17 + row * 7919 for row in range(COUNT)]),
        ("ticket", [f"{row}-{row * 31 % 97}-X" for row in range(COUNT)]),
    ],
)
def test_names_of_rows_are_left_out_and_can_be_kept(
    tmp_path: Path, name: str, cells: list[Any]
) -> None:
    text = table_text(a=cells, b=NUMBERS, y=LABELS).replace("a,", f"{name},", 1)
    path = write(tmp_path, text)
    shown = name or "unnamed 1"
    dataset = load(path)
    assert kinds_of(dataset)[shown] == "identifier"
    assert dataset.feature_names == ("b",)
    assert read(path, keep=(shown,)).feature_names == (shown, "b")


@pytest.mark.parametrize("name", ["paid", "humid", "grid", "width", "period"])
def test_a_number_whose_name_ends_in_id_is_a_number(tmp_path: Path, name: str) -> None:
    cells = [row * 7919 % 10007 for row in range(COUNT)]
    assert kinds_of(read_column(tmp_path, cells, name))[name] == "number"


def test_constants_empty_columns_and_free_text_are_left_out(tmp_path: Path) -> None:
    text = table_text(
        same=["x"] * COUNT,
        one=[7] * COUNT,
        empty=[""] * COUNT,
        nothing=["NA", "?"] * 30,
        prose=[f"I have been here {row} times and more" for row in range(COUNT)],
        b=NUMBERS,
        y=LABELS,
    )
    dataset = load(write(tmp_path, text))
    kinds = kinds_of(dataset)
    assert [kinds[name] for name in ("same", "one", "empty", "prose")] == [
        "constant", "constant", "empty", "text",
    ]  # fmt: skip
    assert dataset.feature_names == ("nothing", "b") or dataset.feature_names == ("b",)


@pytest.mark.parametrize("pair", [("yes", "no"), ("Y", "N"), ("True", "False"), ("ja", "nein")])
def test_yes_and_no_are_told(tmp_path: Path, pair: tuple[str, str]) -> None:
    assert kinds_of(read_column(tmp_path, [*pair] * 30))["a"] == "yes/no"


def test_columns_can_be_dropped_kept_and_called_something_else(tmp_path: Path) -> None:
    path = write(tmp_path, table_text(a=NUMBERS, b=[1, 2, 3] * 20, c=["x"] * COUNT, y=LABELS))
    dataset = read(path, drop=("a",), category=("b",), keep=("c",))
    assert dataset.feature_names == ("b", "c")
    assert cells_of(dataset, "b")[:3] == ["1", "2", "3"]
    with pytest.raises(UnknownNameError, match="no column 'd'"):
        read(path, drop=("d",))
    with pytest.raises(UsageError, match=r"'a' is named by --drop and by --keep"):
        Reading(drop=("a",), keep=("a",))
    with pytest.raises(UsageError, match="is the target, and can't be dropped"):
        Reading(drop=("y",), target="y")


def test_a_ground_of_doubt_that_columns_have_in_common_is_said_once(tmp_path: Path) -> None:
    columns = {f"c{number}": ["red", "?", "blue"] * 20 for number in range(30)}
    said = said_by(load(write(tmp_path, table_text(**columns, y=LABELS))))
    assert said.count("'?'") == 1
    assert "So in c1, c2, c3, c4 and 25 more." in said


def test_many_doubts_are_counted_rather_than_said(tmp_path: Path) -> None:
    columns = {f"c{number}": with_cell(f"w{number}") for number in range(40)}
    notes = load(write(tmp_path, table_text(**columns, y=LABELS))).notes
    assert len(notes) < 20
    assert any("more columns are in doubt" in note for note in notes)


# Properties

_COLUMNS = st.sampled_from(
    [
        [*map(str, NUMBERS)],
        [f"${number}" for number in NUMBERS],
        [f"{number}".replace(".", ",") for number in NUMBERS],
        ["red", "blue", "NA"] * 20,
        ["3", "4", "many", "5"] * 15,
        ["3", "", "4"] * 20,
        [f"2020-0{row % 9 + 1}-1{row % 7}" for row in range(COUNT)],
        [f"{row % 28 + 1}/{row % 12 + 1}/2020" for row in range(COUNT)],
        ["007", "08", "1"] * 20,
        ["yes", "no"] * 30,
        [f"{row % 50} km" for row in range(COUNT)],
    ]
)


@settings(max_examples=40)
@given(cells=_COLUMNS, seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter_for_kinds(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("order")
    order = np.random.RandomState(seed).permutation(COUNT).tolist()

    def kinds(cells: list[str], labels: list[str]) -> dict[str, str]:
        return kinds_of(load(write(folder, table_text("\t", a=cells, b=NUMBERS, y=labels))))

    shuffled = kinds([cells[row] for row in order], [LABELS[row] for row in order])
    assert shuffled == kinds(cells, LABELS)


@settings(max_examples=30)
@given(cells=_COLUMNS, times=st.integers(2, 6))
def test_a_column_keeps_its_kind_when_its_rows_are_repeated(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str], times: int
) -> None:
    folder = tmp_path_factory.mktemp("times")

    def kinds(times: int) -> dict[str, str]:
        text = table_text("\t", a=cells * times, b=NUMBERS * times, y=LABELS * times)
        return kinds_of(load(write(folder, text)))

    assert kinds(times) == kinds(1)


@settings(max_examples=50)
@given(
    numbers=st.lists(
        st.floats(-1e12, 1e12).map(lambda number: round(number, 2)),
        min_size=4, max_size=30, unique=True,
    )
)  # fmt: skip
def test_numbers_are_those_that_pandas_reads(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float]
) -> None:
    cells = [f"{number:,.2f}" for number in numbers]
    labels = ["no", "yes"] * 15
    text = table_text(";", a=cells, y=labels[: len(cells)])
    path = write(tmp_path_factory.mktemp("pandas"), text)
    expected = pd.read_csv(path, sep=";", thousands=",")["a"].tolist()
    assert cells_of(read(path, number=("a",), keep=("a",)), "a") == expected


def test_letters_of_every_kind_stay_as_they_are(tmp_path: Path) -> None:
    words = [f"{letter}{letter} {letter.lower()}" for letter in string.ascii_letters]
    cells = (words * 3)[: 3 * COUNT // 2]
    text = table_text(a=cells, y=(LABELS * 2)[: len(cells)])
    assert cells_of(load(write(tmp_path, text)), "a") == cells

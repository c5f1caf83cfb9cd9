"""Doubts: what may be a mistake in a table is said once, and nothing is said of what is none."""

from pathlib import Path

import pytest
from small_tables import cells_of, kinds_of, read, said_by, table_text, write

from clearprop.data.reading import TextForm
from clearprop.errors import DataError, UsageError

LABELS = ["no", "yes"] * 30


def test_null_of_a_database_is_missing_everywhere(tmp_path: Path) -> None:
    text = "a,city,y\n1,A,p\n2,\\N,q\n3,B,\\N\n4,A,p\n\\N,B,q\n6,A,p\n"
    dataset = read(write(tmp_path, text))
    assert dataset.class_names == ("p", "q")
    assert cells_of(dataset, "a") == [1, 2, 4, None, 6]
    assert cells_of(dataset, "city") == ["A", None, "A", "B", "A"]
    assert said_by(dataset).count("\\N is taken for missing") == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("region,n,sales\nN,3,1.5\nS,4,2.5\nE,5,4.0\nTotal,12,8.0\n", "says 'Total'"),
        ("region,n,sales\nN,3,1\nS,4,2\nE,5,7\nW,5,4\nGesamt:,,8.0\n", "says 'Gesamt:'"),
        ("r,n,sales\nN,3,1.1\nS,4,2.2\nE,5,4\nW,1,1\nN,13,8.3\n", "the sums of sales, n"),
    ],
)
def test_a_last_row_that_looks_like_a_total_is_doubted(tmp_path: Path, text: str, why: str) -> None:
    assert f"looks like a total, as it {why}" in said_by(read(write(tmp_path, text))).replace(
        "holds ", ""
    )


@pytest.mark.parametrize(
    "text",
    [
        "kind,n,sales\nTotal,3,1.5\nS,4,2.5\nE,5,4.0\nTotal,2,9.0\nS,2,1\nTotal,3,2\n",
        "r,n,m\nN,1,1\nS,2,2\nE,3,3\n",
        "r,n,m\nN,0,0\nS,0,1\nE,0,2\nN,0,3\nN,0,1\n",
        "r,n,m\nN,3,5\nS,2,2\nE,1,3\nS,1,2\nS,7,8\n",
    ],
)
def test_other_last_rows_are_no_total(tmp_path: Path, text: str) -> None:
    assert "total" not in said_by(read(write(tmp_path, text)))


@pytest.mark.parametrize("name", ["ok", "day"])
def test_a_column_of_no_number_can_not_be_taken_for_numbers(tmp_path: Path, name: str) -> None:
    days = ["2024-01-05", "2024-02-05"] * 30
    path = write(tmp_path, table_text(a=range(60), memo=LABELS, day=days, ok=LABELS))
    with pytest.raises(DataError, match=rf"--number names .*{name}: 60 cells are no number, .*row"):
        read(path, number=(name,))


def test_a_target_that_missing_texts_have_emptied_is_not_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path, table_text(a=range(60), memo=["x", "y", "z"] * 20, ok=LABELS))
    with pytest.raises(DataError, match=r"no cell is left, as --missing names no, yes"):
        read(path, TextForm(missing=("yes", "no")))


def test_an_emptied_column_is_said(tmp_path: Path) -> None:
    text = table_text(a=range(60), n=[-7, -8] * 30, e=["NA"] * 60, ok=LABELS)
    dataset = read(write(tmp_path, text), TextForm(missing=("-7", "-8")))
    assert "n: no cell is left, as --missing names -7, -8" in said_by(dataset)
    assert "e: no cell" not in said_by(dataset)


@pytest.mark.parametrize("cell", ["2024-01-05", "low"])
def test_a_target_without_a_number_shows_its_cells(tmp_path: Path, cell: str) -> None:
    path = write(tmp_path, table_text(a=range(20), y=[cell, "x"] * 10))
    with pytest.raises(DataError, match=rf"no row has a value of 'y'.*'{cell}' \(row 1\)"):
        read(path, target="y", task="regress")


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ([1.5, -200, 2.5, 3.5, -200, 2.2], "2 cells are -200, unlike the others (1.5 to 3.5)"),
        ([3, 8, -1, 5, -1, 4, 3, 3], "2 cells are -1, unlike the others (3 to 8)"),
        ([0, 50, 43, 0, 61, 48], "2 cells are 0, unlike the others (43 to 61)"),
        ([98, 3, 4, 5, 2, 98, 3], "2 cells are 98, unlike the others (2 to 5)"),
        ([-999, 1, 2, -999], "2 cells are -999, unlike the others (1 to 2)"),
    ],
)
def test_a_repeated_extreme_far_from_all_others_is_doubted(
    tmp_path: Path, cells: list[float], text: str
) -> None:
    path = write(tmp_path, table_text(a=cells, y=LABELS[: len(cells)]))
    assert f"a: {text}" in said_by(read(path))


@pytest.mark.parametrize(
    "cells",
    [
        [-200, 1.5, 2.5, 3.5, 2.5, 2.2],  # once
        [-1, 1, 0, -1, 2, 3],  # the next step below the others
        [-1, 1, -1, 1, -1, 1],  # the others don't differ
        [0, 0, 0, 0, 50, 43, 61],  # over half of the cells
        [0, 20, 30, 40, 50, 0],  # nearer than the others are apart
        [9.5, 9.5, 1, 2, 3],  # no whole number
        [24, 24, 24, 24, 24, 1, 2, 3, 8, 8, 3, 2],  # one of a few codes
    ],
)
def test_other_extremes_are_no_marks_of_missing(tmp_path: Path, cells: list[float]) -> None:
    path = write(tmp_path, table_text(a=cells, y=LABELS[: len(cells)]))
    assert "unlike" not in said_by(read(path))


def amounts(*forms: str) -> list[str]:
    return [forms[row % len(forms)].replace("#", str(row % 17 + 2)) for row in range(60)]


@pytest.mark.parametrize(
    "cells",
    [
        amounts("#-"),
        amounts("#k", "#M", "1.#k"),
        amounts("10#kg", "9#g", "1.# t"),
        amounts("Rs. #"),
        [f"1,{row + 10},456" for row in range(60)],
        amounts("1/#", "3/#"),
        amounts("#±1", "#.5 ± 1"),
        amounts("<#", ">#"),
    ],
)
def test_amounts_that_are_not_read_are_doubted_whether_they_are_used_or_not(
    tmp_path: Path, cells: list[str]
) -> None:
    dataset = read(write(tmp_path, table_text(";", a=cells, b=range(7, 67), y=LABELS)))
    assert f"a: cells such as {sorted(cells)[0]!r} (row " in said_by(dataset)
    kind = kinds_of(dataset)["a"]
    taken = "categories" if kind == "category" else f"left out (kind: {kind})"
    assert taken in said_by(dataset)
    assert kind in ("category", "identifier")


@pytest.mark.parametrize(
    "cells",
    [
        amounts("#st", "#nd"),
        ["25-34", "35-44", "45-54"] * 20,
        ["small", "2 rooms", "large"] * 20,
        [f"{letter}{row}" for row in range(10) for letter in "ABCDEF"],
    ],
)
def test_words_with_digits_are_not_doubted(tmp_path: Path, cells: list[str]) -> None:
    dataset = read(write(tmp_path, table_text(a=cells, b=range(7, 67), y=LABELS)))
    assert len(dataset.notes) == 1


@pytest.mark.parametrize(
    ("cells", "taken"),
    [
        (["5", "low", "low", "7", "low", "9", "low"], "are taken as categories"),
        ([f"{row}*" if row % 9 == 0 else str(row) for row in range(60)], "are left out (kind: id"),
    ],
)
def test_numbers_among_texts_are_doubted_in_the_words_of_the_table(
    tmp_path: Path, cells: list[str], taken: str
) -> None:
    others = [row * 7 % 10 for row in range(len(cells))]
    dataset = read(write(tmp_path, table_text(a=cells, b=others, y=LABELS[: len(cells)])))
    assert taken in said_by(dataset)
    assert "--number a" in said_by(dataset)


def test_several_currencies_in_one_column_are_doubted(tmp_path: Path) -> None:
    for cells, said in (
        (amounts("€#", "$#", "£#"), "several currencies, $, £, €, are taken as plain numbers"),
        (amounts("#.5 EUR", "€#", "#"), ""),
        (amounts("#.5 EUR", "CHF #", "#"), "several currencies, CHF, €, are"),
        (amounts("#%", "$#"), ""),
    ):
        dataset = read(write(tmp_path, table_text(a=cells, b=range(7, 67), y=LABELS)))
        assert kinds_of(dataset)["a"] == "number"
        assert said in said_by(dataset)
        assert bool(said) == ("currencies" in said_by(dataset))


@pytest.mark.parametrize(
    ("forms", "one", "other"),
    [
        (["2023-01-0#", "1#/01/2023"], "'2023-01-02' (row 1)", "'13/01/2023' (row 8)"),
        (["2023-01-0#", "n. d."], "'2023-01-02' (row 1)", "'n. d.' (row 2)"),
    ],
)
def test_dates_that_are_not_all_written_in_one_way_are_doubted(
    tmp_path: Path, forms: list[str], one: str, other: str
) -> None:
    cells = [forms[row % 2].replace("#", str(row % 7 + 2 + row % 2)) for row in range(60)]
    dataset = read(write(tmp_path, table_text(day=cells, b=range(7, 67), y=LABELS)))
    assert f"day: dates such as {one} beside {other} are taken as categories" in said_by(dataset)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([20240101 + 100 * (row % 12) for row in range(60)], "20240101 to 20241201 may be dates ("),
        ([1700000000 + 999 * row * row for row in range(60)], "(seconds since 1970), and are"),
        ([1700000000123 + 999 * row * row for row in range(60)], "(milliseconds since 1970)"),
        ([20241301 + row * row for row in range(60)], ""),
        ([1700000000.5 + row * row for row in range(60)], ""),
    ],
)
def test_numbers_that_may_be_dates_are_doubted(
    tmp_path: Path, cells: list[float], says: str
) -> None:
    dataset = read(write(tmp_path, table_text(a=cells, b=LABELS, y=LABELS)))
    assert kinds_of(dataset)["a"] == "number"
    assert says in said_by(dataset)
    assert bool(says) == ("may be dates" in said_by(dataset))


def test_classes_that_differ_by_little_are_said(tmp_path: Path) -> None:
    cells = ["Yes", "yes", "NO", "no", "other"] * 12
    dataset = read(write(tmp_path, table_text(a=range(7, 67), y=cells)))
    assert "The classes NO, Yes, no, yes differ by little" in said_by(dataset)
    apart = read(write(tmp_path, table_text(a=range(7, 67), y=["im", "imS", "10", "1-0"] * 15)))
    assert "little" not in said_by(apart)


@pytest.mark.parametrize(
    ("cells", "form", "said"),
    [
        (
            ["1", "0", "NA"],
            TextForm(),
            "20 rows without a target, left out; 'NA' is taken for missing.",
        ),
        (
            ["p", "q", "?"],
            TextForm(missing=("?",)),
            "20 rows without a target, left out; '?' is taken",
        ),
        (["1.5", "0.5", ""], TextForm(), "20 rows without a target, left out."),
    ],
)
def test_rows_without_a_target_say_what_stands_there(
    tmp_path: Path, cells: list[str], form: TextForm, said: str
) -> None:
    assert said in said_by(read(write(tmp_path, table_text(a=range(7, 67), y=cells * 20)), form))


def test_a_target_that_looks_like_an_identifier_is_not_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, table_text(a=LABELS, y=range(60)))
    dataset = read(path, target="y")
    assert dataset.columns[0].is_used
    assert "Left out" not in "".join(dataset.in_words())


@pytest.mark.parametrize("cell", ["a:b", "12:30"])
def test_a_cell_with_a_colon_does_not_make_hours_of_a_column(tmp_path: Path, cell: str) -> None:
    ages = [cell, *(row * 7 % 60 for row in range(59))]
    dataset = read(write(tmp_path, table_text(age=ages, y=LABELS)))
    assert "hours" not in dataset.columns[1].remark
    assert cells_of(dataset, "age")[:3] == [None, 0, 7]
    assert f"age: 1 cell is no number, {cell!r} (row 1), and taken for missing" in said_by(dataset)


def test_most_cells_with_a_colon_are_hours(tmp_path: Path) -> None:
    dataset = read(write(tmp_path, table_text(at=["12:30", "?", "7:15", "8"] * 15, y=LABELS)))
    assert "hours" in dataset.columns[1].remark
    assert cells_of(dataset, "at")[:4] == [12.5, None, 7.25, 8]


def test_a_name_with_a_comma_is_asked_for_in_quotes(tmp_path: Path) -> None:
    path = write(
        tmp_path, '"a,b",c,y\n' + "".join(f"{row},{row % 7},{row % 2}\n" for row in range(60))
    )
    with pytest.raises(UsageError, match=r"If 'a,b' is meant, write it in quotes .*a,b"):
        read(path, drop=("a", "b"))
    assert list(kinds_of(read(path, drop=("a,b",)))) == ["y", "c"]


@pytest.mark.parametrize("name", ["e\nf", "e\r\nf", "\u200be f", " e f\ufeff"])
def test_names_have_blanks_for_ends_of_lines_and_no_signs_without_width(
    tmp_path: Path, name: str
) -> None:
    path = write(tmp_path, f'a,"{name}",y\n1,3,p\n2,4,q\n3,6,p\n4,4,q\n')
    assert list(kinds_of(read(path))) == ["y", "a", "e f"]

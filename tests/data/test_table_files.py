"""Whole tables: the target, its task, the rows that are left out, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest
from small_tables import cells_of, kinds_of, read, said_by, table_text, write

from clearprop.data import Table, describe, load
from clearprop.data.reading import Reading
from clearprop.data.tables.columnar import Columnar
from clearprop.data.tables.delimited import Delimited
from clearprop.data.tables.json_lines import JsonLines
from clearprop.data.tables.tabular import TableFormat
from clearprop.data.tables.text_file import TextFile
from clearprop.data.tables.workbooks import Workbook
from clearprop.errors import DataError, UnknownNameError, UsageError
from clearprop.preprocessing import fit_recipe

SMALL = "width,colour,y\n1.5,red,0\n,blue,1\n-2e3,,0\n4,red,1\n"


def test_columns_are_numbers_or_categories_with_missing_cells(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, SMALL))
    assert isinstance(dataset.X, Table)
    assert cells_of(dataset, "width") == [1.5, None, -2000, 4]
    assert cells_of(dataset, "colour") == ["red", "blue", None, "red"]
    assert dataset.feature_names == ("width", "colour")
    assert (dataset.target_name, dataset.class_names) == ("y", ("0", "1"))
    assert dataset.y.tolist() == [0, 1, 0, 1]


# The target


@pytest.mark.parametrize(
    ("header", "chosen", "how"),
    [
        ("a,b,c", "c", "the last column"),  # D12
        ("label,b,c", "label", "by its name"),
        ("a,Class,b", "Class", "by its name"),
        ("y,b,target", "target", "the last column"),
    ],
)
def test_the_first_note_names_the_target_and_how_it_was_chosen(
    tmp_path: Path, header: str, chosen: str, how: str
) -> None:
    path = write(tmp_path, f"{header}\n0,0,0\n1,1,1\n0,0,0\n1,1,1\n")
    dataset = load(path)
    assert dataset.target_name == chosen
    assert dataset.notes[0].startswith(f"Target: {chosen} ({how}), 2 classes")
    asked = load(path, target="b")
    assert (asked.target_name, asked.notes[0][:24]) == ("b", "Target: b, 2 classes: 0,")


@pytest.mark.parametrize(
    ("name", "last", "why"),
    [
        ("note", [f"it was {row} and so I went home" for row in range(40)], "text"),
        ("key", [f"K{row:03}" for row in range(40)], "identifier"),
        ("source", ["survey"] * 40, "constant"),
        ("when", [f"2020-01-{row % 28 + 1:02}" for row in range(40)], "date"),
        ("nothing", [""] * 40, "empty"),
        ("", ["no", "yes"] * 20, "without a name"),
    ],
)
def test_a_last_column_that_can_t_be_learned_is_not_the_target(
    tmp_path: Path, name: str, last: list[str], why: str
) -> None:
    text = table_text(a=range(0, 120, 3), y2=["u", "v"] * 20, last=last)
    dataset = load(write(tmp_path, text.replace("last", name, 1)))
    assert dataset.target_name == "y2"
    assert f"(the last column that can be learned; {name or 'unnamed 3'}: {why})" in said_by(
        dataset
    )


def test_an_unknown_target_suggests_the_nearest_column(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no column 'color'\. Did you mean 'colour'"):
        load(write(tmp_path, SMALL), target="color")


def test_a_target_is_refused_where_there_are_no_columns() -> None:
    with pytest.raises(UsageError, match="no columns to name a target of"):
        load("digits", target="y")


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["b", "a", "b", "a"], ("a", "b")),
        (["10", "9", "10", "9"], ("9", "10")),
        (["1.0", "0.0", "1.0", "0.0"], ("0", "1")),
        ([str(value % 20) for value in range(40)], tuple(map(str, range(20)))),
        ([str(value % 21) for value in range(42)], None),
        (["1", "2", "3", "3"], None),
        (["0.5", "1", "0.5", "1"], None),
    ],
)
def test_few_whole_numbers_and_text_are_classes_all_else_values(
    tmp_path: Path, values: list[str], names: tuple[str, ...] | None
) -> None:
    squares = [row * row for row in range(len(values))]
    dataset = load(write(tmp_path, table_text(a=squares, y=values)))
    assert dataset.class_names == names
    if names is None:
        assert dataset.y.tolist() == [*map(float, values)]
    else:
        keys = [value.removesuffix(".0") for value in values]
        assert [names[index] for index in dataset.y.tolist()] == keys


@pytest.mark.parametrize(
    ("values", "guess", "other"),
    [
        ([row % 26 for row in range(52)], "26 different whole numbers", "classify"),  # D6
        ([row % 7 + 3 for row in range(52)], "few different whole numbers", "regress"),
        ([row * row for row in range(52)], "52 different whole numbers", "classify"),
        ([row % 2 for row in range(52)], "few different whole numbers", "regress"),
        ([1, 2, 3, 4, 4], "4 different ones in 5 rows", "classify"),
    ],
)
def test_what_whole_numbers_are_taken_for_is_said_with_the_way_to_overrule_it(
    tmp_path: Path, values: list[int], guess: str, other: str
) -> None:
    path = write(tmp_path, table_text(a=range(0, 3 * len(values), 3), y=values))
    dataset = load(path)
    assert guess in dataset.notes[0]
    assert f"--task {other}" in dataset.notes[0]
    assert (dataset.class_names is None) == (other == "classify")
    numbers = read(path, task="regress")
    assert numbers.class_names is None
    assert numbers.y.tolist() == [*map(float, values)]
    if len({*values}) <= len(values) / 2:
        classes = read(path, task="classify")
        assert classes.class_names == tuple(map(str, sorted({*values})))
        assert [int(classes.class_names[place]) for place in classes.y] == values
    assert "--task" not in numbers.notes[0]


def test_text_can_t_be_learned_as_values(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'y' holds text, such as 'no'"):
        read(write(tmp_path, table_text(a=range(4), y=["no", "yes"] * 2)), task="regress")
    with pytest.raises(UsageError, match="classify or regress, found 'guess'"):
        Reading(task="guess")


@pytest.mark.parametrize("labels", [["no", "", "yes", "no", "yes", "no"], [0.5, "", 1, 2, 3, 4.5]])
def test_rows_without_a_target_are_left_out_and_counted(  # D11
    tmp_path: Path, labels: list[str]
) -> None:
    dataset = load(write(tmp_path, table_text(a=[*range(6)], b=["x", "z"] * 3, y=labels)))
    assert cells_of(dataset, "a") == [0, 2, 3, 4, 5]
    assert len(dataset.y) == 5
    assert "1 row without a target, left out." in dataset.notes
    assert dataset.sources == ("row 1", "row 3", "row 4", "row 5", "row 6")


@pytest.mark.parametrize("marker", ["NA", "?", "-"])
def test_markers_in_a_target_of_values_are_no_values(tmp_path: Path, marker: str) -> None:
    values = [marker if row % 10 == 0 else row / 4 for row in range(40)]
    dataset = load(write(tmp_path, table_text(a=[row * row % 41 for row in range(40)], y=values)))
    assert dataset.y.tolist() == [value for value in values if value != marker]
    assert f"4 rows without a target, left out; {marker!r} is taken for missing." in dataset.notes


def test_a_target_without_a_value_or_of_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no row has a value of 'y', the target"):
        read(write(tmp_path, table_text(a=range(9), y=[""] * 9)), target="y")
    names = [f"car {row}" for row in range(40)]
    with pytest.raises(
        DataError, match=r"'a', the target .*40 different texts in 40 rows.*--target"
    ):
        read(write(tmp_path, table_text(a=names, y=["no", "yes"] * 20)), target="a")


def test_a_count_is_learned_from_where_there_is_nothing_else(tmp_path: Path) -> None:
    text = table_text(hour=range(60), y=[2.5 * row for row in range(60)])
    dataset = load(write(tmp_path, text))
    assert cells_of(dataset, "hour") == [*range(60)]
    assert "hour: counts the rows; it is used, as there is no other column" in said_by(dataset)


# What is said and refused


def test_columns_that_are_mostly_missing_are_said_in_one_sentence(tmp_path: Path) -> None:
    seldom = [row if row % 4 == 1 else "" for row in range(40)]
    half = [row * row if row % 2 else "" for row in range(40)]
    text = table_text(a=seldom, b=half, c=["NA"] * 21 + [*range(19)], y=["no", "yes"] * 20)
    said = said_by(load(write(tmp_path, text)))
    assert "Over half of the cells are missing in a, c; --drop COLUMN" in said


def test_the_description_has_every_column(tmp_path: Path) -> None:
    text = table_text(
        id=range(1, 31), a=[row * row for row in range(30)], when=["2020-01-01", "2021-03-05"] * 15,
        y=["no", "yes"] * 15,
    )  # fmt: skip
    described = describe(load(write(tmp_path, text)))
    columns = described["columns"]
    assert isinstance(columns, list)
    assert [(column["name"], column["kind"], column["used"]) for column in columns] == [
        ("y", "target", True),
        ("id", "identifier", False),
        ("a", "number", True),
        ("when", "date", True),
    ]
    assert described["notes"] == ["Target: y (by its name), 2 classes: no, yes."]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "a header but no rows"),
        ("b\nu\nv\n", "only one column, 'b'"),
        ("a,y\n1,x\n1,z\n", r"no column to learn 'y' from \(a: constant.*--keep"),
        ("a,b\n" + "x" * 200_000 + ",1\n", "can't be read: field larger"),
        ("a,b,c\n1,2,3\n1,2,3,4\n", r"Left out: line 3 of .* has 4 cells, expected 3"),
    ],
)
def test_a_wrong_table_is_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, text))


@pytest.mark.parametrize("cell", ["inf", "1e999", "-Infinity"])
def test_infinite_numbers_are_none(tmp_path: Path, cell: str) -> None:
    values = [cell if row == 3 else row * row for row in range(30)]
    dataset = load(write(tmp_path, table_text(a=values, y=["no", "yes"] * 15)))
    assert cells_of(dataset, "a")[2:5] == [4, None, 16]
    assert f"{cell!r} (row 4)" in said_by(dataset)


def test_codes_that_overflow_as_numbers_are_codes(tmp_path: Path) -> None:
    codes = ["82E87321", "46351200", "870A9281", "13770971", "8E467"] * 6
    dataset = load(write(tmp_path, table_text(a=codes, y=["no", "yes"] * 15)))
    assert cells_of(dataset, "a") == codes


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, SMALL)
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(DataError, match=r"data.csv can't be read: Permission denied"):
        load(path)


@pytest.mark.slow
def test_a_very_wide_table_is_read(tmp_path: Path) -> None:
    width = 16_000  # its header is longer than the longest cell the csv module allows
    rows = np.arange(3 * width).reshape(3, width) % 7
    header = [f"gene{number}" for number in range(width)]
    text = "\n".join(",".join(map(str, row)) for row in [header, *rows.tolist()])
    dataset = read(write(tmp_path, text), task="regress")
    assert len(kinds_of(dataset)) == width


def test_hardly_any_rows_are_read_as_they_are(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, "a,y\n1,no\n2,yes\n"))
    assert cells_of(dataset, "a") == [1, 2]
    assert dataset.class_names == ("no", "yes")


def test_every_column_of_a_model_is_there_when_it_is_read_again(tmp_path: Path) -> None:
    text = "same,key,empty,when,y\n" + "".join(f"7,K{row},,2020-01-02,no\n" for row in range(30))
    roles = {"same": "number", "key": "category", "empty": "number", "when": "date"}
    dataset = read(write(tmp_path, text), roles=roles, target="y", task="classify")
    assert dataset.feature_names == ("same", "key", "empty", "when")
    assert cells_of(dataset, "same") == [7] * 30
    assert cells_of(dataset, "when") == ["2020-01-02T00:00:00"] * 30


def test_columns_that_must_be_read_again_are_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks = []
    opened = TextFile.lines

    def counted(*said: object) -> object:
        walks.append(said)
        return opened(*said)  # type: ignore[arg-type]

    monkeypatch.setattr(TextFile, "lines", counted)
    codes = {f"c{number}": ["007", "12", "99"] * 20 for number in range(40)}
    load(write(tmp_path, table_text(**codes, y=["no", "yes"] * 30)))
    assert len(walks) < 6


def test_notes_and_errors_stay_short_whatever_names_and_cells_are(tmp_path: Path) -> None:
    long = "n" * 50_000
    cells = [f"{'w' * 20_000}" if row == 3 else row * row for row in range(30)]
    text = table_text(**{long: cells, f"{long}2": ["?", "x", "z"] * 10, f"{long}3": [1, 2, 3] * 10})
    assert max(map(len, load(write(tmp_path, text)).notes)) < 500
    with pytest.raises(DataError) as caught:
        read(write(tmp_path, table_text(**{long: [1] * 9, f"{long}2": ["u", "v", "w"] * 3})))
    assert len(str(caught.value).replace(str(tmp_path), "")) < 500


def test_the_order_of_day_and_month_is_told_by_another_column_and_kept(tmp_path: Path) -> None:
    open_dates = [f"{1 + row % 12:02}/{1 + row % 9:02}/2020" for row in range(24)]
    told = [f"{13 + row % 12}/02/2021" for row in range(24)]
    y = ["no", "yes"] * 12
    alone = load(write(tmp_path, table_text(when=open_dates, y=y)))
    assert "could be day/month/year as well" in said_by(alone)
    both = load(write(tmp_path, table_text(when=open_dates, then=told, y=y)))
    assert "could be" not in said_by(both)
    assert cells_of(both, "when")[1] == "2020-02-02T00:00:00"
    assert cells_of(both, "when")[9] == "2020-01-10T00:00:00"
    assert both.form.day_first is True
    new = write(tmp_path, "when,then\n03/04/2020,05/02/2021\n", "new.csv")
    samples = Delimited().read_inputs(new, fit_recipe(both).reading())
    assert samples.notes == ()
    assert str(samples.raw.columns["when"][0]) == "2020-04-03T00:00:00"
    samples = Delimited().read_inputs(new, fit_recipe(alone).reading())
    assert str(samples.raw.columns["when"][0]) == "2020-03-04T00:00:00"


def test_notes_below_a_table_are_no_rows(tmp_path: Path) -> None:
    rows = "a,b,c,y\n1,2,3,no\n2,,,\n4,5,6,yes\n7,8,9,no\n1,1,1,yes\nSum,,,\nSource: us,,,\n"
    dataset = load(write(tmp_path, rows))
    assert cells_of(dataset, "a") == [1, 4, 7, 1]
    assert "2 lines below the table, passed over." in dataset.notes
    assert "1 row without a target, left out." in dataset.notes


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("one", [Delimited(), JsonLines(), Workbook(), Columnar()])
def test_a_pipe_is_not_waited_for_and_is_told_how_to_be_read(
    tmp_path: Path, one: TableFormat
) -> None:
    path = tmp_path / f"table{one.suffixes[0]}"
    os.mkfifo(path)
    with pytest.raises(DataError, match=r"it is a pipe, expected a file\. .*: give - for it\.$"):
        one.read(path)
    with pytest.raises(DataError, match="it is a pipe"):
        one.read_inputs(path)

"""Excel and OpenDocument workbooks."""

import sys
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.data import Table, load, loading
from clearprop.data.loading import names, suffixes
from clearprop.data.reading import Reading, TextForm
from clearprop.data.tables import first_sheet
from clearprop.errors import DataError, MissingExtraError, UnknownNameError

TABLE = [["a", "b", "c", "y"], *([row, row * 2.5, "uv"[row % 2], row % 2] for row in range(24))]


def write(path: Path, rows: Sequence[Sequence[Any]], *others: str) -> Path:
    """Write rows into the first sheet, and a note into each of the others."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    for row in rows:
        sheet.append(row)
    for name in others:
        book.create_sheet(name)["A1"] = "a note"
    book.save(path)
    return path


def changed(path: Path, member: str, change: Callable[[bytes], bytes]) -> Path:
    """Change one file within a workbook."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert change(contents[member]) != contents[member]
    contents[member] = change(contents[member])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def columns_of(path: Path, **said: Any) -> dict[str, list[Any]]:
    X = load(path, **said).X
    assert isinstance(X, Table)
    return {name: column.tolist() for name, column in X.columns.items()}


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("", ""),
        (5.0, "5"),
        (-0.5, "-0.5"),
        (29.85, "29.85"),
        (1e300, "1e+300"),
        (2.0**53, "9007199254740992.0"),
        (True, "TRUE"),
        (False, "FALSE"),
        (datetime(2020, 1, 2), "2020-01-02"),
        (datetime(2020, 1, 2, 3, 4, 5), "2020-01-02 03:04:05"),
        (datetime(2020, 1, 2).date(), "2020-01-02"),
        (time(3, 4), "03:04:00"),
        (timedelta(days=1, hours=6, minutes=5, seconds=7), "30:05:07"),
        ("two\r\nlines", "two lines"),
        (" as it is ", " as it is "),
    ],
)
def test_a_cell_is_the_text_of_a_csv_file(cell: Any, text: str) -> None:
    assert first_sheet._text(cell) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_loses_a_digit(number: float) -> None:
    assert float(first_sheet._text(number)) == number


@pytest.mark.parametrize("first", ["#", "% of all", "BZh", "PK", "sep=;"])
def test_the_first_cell_is_a_name_whatever_it_looks_like(tmp_path: Path, first: str) -> None:
    path = write(tmp_path / "table.xlsx", [[first, *TABLE[0][1:]], *TABLE[1:]])
    assert [one.name for one in load(path).columns] == ["y", first, "b", "c"]


def test_titles_empty_edges_and_notes_around_a_table_are_passed_over(tmp_path: Path) -> None:
    edge: list[Any] = [None, None]
    rows = [
        *([[]] * 3),
        [*edge, "Sales of 2020"],
        [],
        *([*edge, *row] for row in TABLE),
        [],
        [*edge, "Source: the office"],
        [*edge, "* without Sundays"],
    ]
    dataset = load(write(tmp_path / "table.xlsx", rows))
    assert dataset.feature_names == ("b", "c")  # a counts the rows
    assert [one.kind for one in dataset.columns] == ["target", "identifier", "number", "category"]
    assert len(dataset) == 24
    assert "2 lines above the table, such as 'Sales of 2020', passed over." in dataset.notes
    assert "2 lines below the table, passed over." in dataset.notes


def test_a_last_row_of_one_cell_stays_in_a_narrow_table(tmp_path: Path) -> None:
    rows = [["x", "z", "y"], *([row, row % 5, row % 2] for row in range(12)), [5, None, None]]
    dataset = load(write(tmp_path / "table.xlsx", rows), target="x")
    assert len(dataset) == 13


def test_rows_may_have_no_header(tmp_path: Path) -> None:
    path = write(tmp_path / "table.xlsx", [[row, row * 3 % 7, row % 2] for row in range(12)])
    assert load(path).target_name == "column 3"
    said = Reading(text=TextForm(header=True))
    assert load(path, reading=said).target_name == "0 (3)"


def test_an_empty_row_within_is_counted_and_an_error_is_missing(tmp_path: Path) -> None:
    rows = [*TABLE[:6], [], *TABLE[6:]]
    path = write(tmp_path / "table.xlsx", rows)
    book = openpyxl.load_workbook(path)
    book.active["B3"], book.active["B4"] = "=1/0", "#N/A"
    book.active["B4"].data_type = "e"
    book.save(path)
    assert columns_of(path)["b"][:4] == pytest.approx([0, np.nan, np.nan, 7.5], nan_ok=True)
    assert "1 row without a filled cell, passed over." in load(path).notes


def test_the_first_sheet_with_a_table_is_read_and_said(tmp_path: Path) -> None:
    path = write(tmp_path / "table.xlsx", TABLE, "Read me", "More")
    book = openpyxl.load_workbook(path)
    book.move_sheet("Read me", -1)
    book.create_sheet("Old", 0).append(["x", "y"])
    book["Old"].append([1, 2])
    book["Old"].sheet_state = "hidden"
    book.save(path)
    dataset = load(path)
    assert dataset.target_name == "y"
    assert len(dataset) == 24
    assert dataset.notes[-1] == (
        "Sheet 'Data' is read, the first with a table of 3: Read me, Data, More. Save another one "
        "on its own to read it."
    )


@pytest.mark.parametrize(
    ("rows", "said", "error", "message"),
    [
        ([["Note", ""], *([f"n{at}", f"text {at}"] for at in range(5))], {}, DataError, "to learn"),
        (TABLE, {"target": "z"}, UnknownNameError, "no column 'z'"),
    ],
)
def test_an_error_in_one_of_several_sheets_names_them(
    tmp_path: Path, rows: list[list[Any]], said: dict[str, str], error: type, message: str
) -> None:
    path = write(tmp_path / "table.xlsx", rows, "Staff", "Leavers")
    with pytest.raises(error, match=f"{message}.*'Data' is read, .* of 3: Data, Staff, Leavers"):
        load(path, **said)


def test_one_sheet_is_not_said(tmp_path: Path) -> None:
    assert not any("heet" in note for note in load(write(tmp_path / "table.xlsx", TABLE)).notes)


@pytest.mark.parametrize("rows", [[], [[None, None]], [["", "  "]]])
def test_a_workbook_without_a_filled_cell(tmp_path: Path, rows: list[list[Any]]) -> None:
    path = write(tmp_path / "table.xlsx", rows)
    with pytest.raises(DataError, match=r"table.xlsx has no filled cell; expected a table\."):
        load(path)


def test_a_workbook_with_a_header_alone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has a header but no rows"):
        load(write(tmp_path / "table.xlsx", TABLE[:1]))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.xls", b"a\tb\n1\t2\n", "is text, not a workbook; give it a name that ends in .csv"),
        ("a.xls", b"\xef\xbb\xbf\r\n<html><table>", "is a web page or XML, not a workbook"),
        ("a.xls", b'<?xml version="1.0"?>', "is a web page or XML"),
        ("a.xlsx", b"", "is empty"),
        ("a.xlsx", b"PK\x03\x04 and no more", "is no workbook, or damaged"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "is no workbook, or damaged"),
    ],
)
def test_what_is_no_workbook(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=says):
        load(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"),
        (b"PAR1\x15\x04", ".parquet"),
        (b"ARROW1\0\0", ".feather"),
        (None, ".xlsx"),
    ],
)
def test_a_csv_file_that_is_another_one_names_the_suffix(
    tmp_path: Path, content: bytes | None, suffix: str
) -> None:
    path = write(tmp_path / "table.xlsx", TABLE).rename(tmp_path / "table.csv")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"table.csv is .*; give it a name that ends in \{suffix}"):
        load(path)
    assert any(one.owns(path.with_suffix(suffix)) for one in loading.FORMATS)


def test_a_truncated_workbook(tmp_path: Path) -> None:
    path = write(tmp_path / "table.xlsx", TABLE)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match="is no workbook, or damaged"):
        load(path)


def test_a_password(tmp_path: Path) -> None:
    """OpenDocument tells of it in its manifest (ISO 26300, part 2, 3.4.1)."""
    path = tmp_path / "table.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:x"><manifest:file-entry '
            'manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
            "</manifest:manifest>",
        )
        archive.writestr("content.xml", b"\x01\x02")
    with pytest.raises(DataError, match=r"is protected by a password. Save it without one\."):
        load(path)


@pytest.mark.skipif(sys.platform != "linux", reason="only there is the memory of a process bounded")
def test_cells_that_lie_far_apart_take_no_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "table.xlsx", TABLE)
    book = openpyxl.load_workbook(path)
    book.active["XFD1048576"] = 1
    book.save(path)
    with pytest.raises(DataError, match="memory, perhaps for cells that lie far apart"):
        load(path)


@pytest.mark.parametrize("above", [False, True])
def test_a_stray_cell_far_from_a_table_is_passed_over_and_said(tmp_path: Path, above: bool) -> None:
    book = openpyxl.Workbook()
    for at, row in enumerate(TABLE):
        for column, cell in enumerate(row):
            book.active.cell((1_100 if above else 1) + at, 1 + column, cell)
    book.active["A1" if above else "A5000"] = "x"
    book.save(tmp_path / "table.xlsx")
    dataset = load(tmp_path / "table.xlsx")
    assert (len(dataset), dataset.target_name) == (24, "y")
    assert "1 filled row far from the table, passed over." in dataset.notes
    assert not any("without a filled cell" in note for note in dataset.notes)


def test_of_blocks_between_long_empty_runs_the_largest_is_the_table() -> None:
    empty, zero, one = ["", ""], [0.0, ""], [1.0, 0.0]
    rows = [one, *[empty] * 5_000, zero, empty, zero, *[empty] * 3_000, one]
    assert first_sheet._largest_block(rows) == ([zero, empty, zero], 2)


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "table.xlsx", TABLE)
    changed(path, "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * 2**27)
    assert path.stat().st_size < 2**18
    with pytest.raises(DataError, match="over 100 times its size, which no workbook does"):
        load(path)


def test_entities_of_xml_are_not_unfolded(tmp_path: Path) -> None:
    """A billion laughs, of ten entities that each stand for ten of the one before."""
    declared = ['<!ENTITY e0 "laughing out loud">']
    declared += [f'<!ENTITY e{at + 1} "{f"&e{at};" * 10}">' for at in range(9)]
    cell = b'<c t="inlineStr"><is><t>&e9;</t></is></c>'
    path = changed(
        write(tmp_path / "table.xlsx", TABLE),
        "xl/worksheets/sheet1.xml",
        lambda xml: (
            f"<!DOCTYPE x [{''.join(declared)}]>".encode()
            + xml.replace(b"</row>", cell + b"</row>", 1)
        ),
    )
    with pytest.raises(DataError, match=r"is no workbook, or damaged: .*entity"):
        load(path)


def test_without_python_calamine_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "table.xlsx", TABLE)
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingExtraError, match=r"needs python-calamine.*'clearprop\[excel\]'"):
        load(path)


def test_messages_name_workbooks_and_columnar_files() -> None:
    tables = [one for one in loading.FORMATS if one.has_columns]
    assert suffixes(tables).startswith(".csv, .tsv, ")
    assert suffixes(tables).endswith(", .xls, .ods, .parquet, .pq, .feather or .arrow")
    assert "XLSX, XLSM, XLSB, XLS, ODS, PARQUET, PQ, FEATHER and ARROW" in names(tables, "and")

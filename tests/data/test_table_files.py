"""CSV and TSV files."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.data import Table, load
from clearprop.data.delimited import read_table
from clearprop.data.table import as_text
from clearprop.errors import DataError, UnknownNameError, UsageError


def write(folder: Path, text: str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def columns_of(path: Path) -> Table:
    X = load(path).X
    assert isinstance(X, Table)
    return X


SMALL = "width,colour,y\n1.5,red,0\n,blue,1\n-2e3,,0\n4,red,1\n"


def test_columns_are_numbers_or_categories_with_missing_cells(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, SMALL))
    assert isinstance(dataset.X, Table)
    np.testing.assert_array_equal(dataset.X.columns["width"], [1.5, np.nan, -2000, 4])
    assert dataset.X.columns["colour"].tolist() == ["red", "blue", "", "red"]
    assert dataset.feature_names == ("width", "colour")
    assert dataset.target_name == "y"
    assert dataset.y.tolist() == [0, 1, 0, 1]
    assert dataset.class_names == ("0", "1")


@pytest.mark.parametrize("missing", ["", "NA", "NaN", "nan", "null", "None", "?", " ? "])
def test_every_spelling_of_a_missing_cell_keeps_a_column_numeric(
    tmp_path: Path, missing: str
) -> None:
    table = columns_of(write(tmp_path, f"a,b,y\n1,x,0\n{missing},{missing},1\n3,z,0\n4,x,1\n"))
    np.testing.assert_array_equal(table.columns["a"], [1, np.nan, 3, 4])
    assert table.columns["b"].tolist() == ["x", "", "z", "x"]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_delimiter_is_found_and_a_byte_order_mark_passed_over(
    tmp_path: Path, sign: str, mark: str, end: str
) -> None:
    text = mark + SMALL.replace(",", sign).replace("\n", end)
    assert load(write(tmp_path, text)).feature_names == ("width", "colour")


def test_quoted_cells_hold_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    text = '"a;b,c",d\n"x,1","he said ""no"""\n"two\nlines",z\n'
    table = read_table(write(tmp_path, text))
    assert table.names == ("a;b,c", "d")
    assert table.columns["a;b,c"].tolist() == ["x,1", "two\nlines"]
    assert table.columns["d"].tolist() == ['he said "no"', "z"]


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(
                st.characters(exclude_categories=["Cs", "Cc", "Zs"]), min_size=1, max_size=20
            ).map(lambda text: f"text {text}"),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_what_the_csv_module_wrote_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, str]]
) -> None:
    path = tmp_path_factory.mktemp("table") / "data.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("number", "text"), *rows])
    table = read_table(path)
    assert table.columns["number"].tolist() == [number for number, _ in rows]
    assert table.columns["text"].tolist() == [text for _, text in rows]


def test_a_column_that_turns_to_text_late_is_text_from_the_start(tmp_path: Path) -> None:
    cells = [str(row) for row in range(10_000)] + ["late"]
    table = read_table(write(tmp_path, "a,b\n" + "".join(f"{cell},1\n" for cell in cells)))
    assert table.columns["a"].tolist() == cells


def test_numbers_among_categories_have_one_spelling(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a,b\n7,1\n7.0,1\n07,1\n7.5,1\nseven,1\n1_0,1\n"))
    assert as_text(table.columns["a"]).tolist() == ["7", "7", "7", "7.5", "seven", "1_0"]
    assert as_text(np.array([7.0, 7.5, np.nan])).tolist() == ["7", "7.5", ""]


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("a,b,c", "c"),
        ("label,b,c", "label"),
        ("a,Class,b", "Class"),
        ("y,b,target", "target"),
    ],
)
def test_the_target_is_the_one_usual_name_or_the_last_column(
    tmp_path: Path, header: str, chosen: str
) -> None:
    path = write(tmp_path, f"{header}\n0,0,0\n1,1,1\n0,0,0\n1,1,1\n")
    assert load(path).target_name == chosen
    assert load(path, target="b").target_name == "b"


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
    dataset = load(write(tmp_path, "a,y\n" + "".join(f"1,{value}\n" for value in values)))
    assert dataset.class_names == names
    if names is None:
        assert dataset.y.dtype == np.float64
        assert dataset.y.tolist() == [float(value) for value in values]
    else:
        texts = {float(name) if name[0].isdigit() else name: name for name in names}
        found = [names[index] for index in dataset.y.tolist()]
        keys = [float(value) if value[0].isdigit() else value for value in values]
        assert found == [texts[key] for key in keys]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header"),
        ("\n1,2\n", "no header"),
        ("a,b\n", "a header but no rows"),
        ("a,b\n1,2\n\n1,2,3\n", r"Line 4 of .*data.csv has 3 cells, expected 2"),
        ("a,b\n1\n", r"Line 2 of .*data.csv has 1 cells, expected 2"),
        ("a,,b\n1,2,3\n", "Column 2 of .*data.csv has no name"),
        ("a,b,a\n1,2,3\n", "2 columns 'a'"),
        ("1,2\n3,4\n", "holds only numbers"),
        ("a,b\n1,2\ninf,3\n", r"Row 2 of column 'a' in .*data.csv is infinite"),
        ("a,b\n1,2\n1e999,3\n", r"Row 2 of column 'a'.* is infinite"),
        ('a,b\n1,"2\n', "Line 2 of .*data.csv can't be read: unexpected end of data"),
        ("a,b\n" + "x" * 200_000 + ",1\n", "can't be read: field larger"),
        ("b\n1\n2\n", "only the column 'b'"),
        ("a,b\n1,x\n2,\n", "Row 2 of 'b', the target, is missing"),
        ("a,b\n1,0.5\n2,NA\n", "Row 2 of 'b', the target, is missing"),
    ],
)
def test_a_wrong_table_is_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, text))


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes("größe,y\n1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match="not text in UTF-8"):
        load(path)


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, SMALL)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"data.csv can't be read: Permission denied"):
        load(path)


def test_a_very_wide_table_is_read(tmp_path: Path) -> None:
    width = 30_000  # its header is longer than the longest cell the csv module allows
    header = ",".join(f"gene{number}" for number in range(width))
    row = ",".join("1" for _ in range(width))
    assert len(read_table(write(tmp_path, f"{header}\n{row}\n")).names) == width

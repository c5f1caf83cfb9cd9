"""Cells that are not what training had are told of, by row and value, however many there are."""

from datetime import datetime
from pathlib import Path

import pandas
import pytest

import clearprop as cp
from clearprop.errors import DataError
from clearprop.experiment import Settings, learn, set_task
from clearprop.experiment.loading import load_for
from clearprop.preprocessing import read_inputs
from clearprop.preprocessing.inputs import as_written


def learned(path: Path, cells: list[str]) -> cp.Model:
    """Train on one column of 40 cells beside a category."""
    rows = [f"{cell},{'pq'[at % 2]}" for at, cell in enumerate(cells)]
    path.write_text("\n".join(["x,y", *rows]) + "\n")
    return learn(
        set_task(Settings(data=str(path), layers=(2,), epochs=1), cp.load_data(path))
    ).model


def told(model: cp.Model, path: Path, cells: list[str]) -> tuple[list[str], list[object]]:
    """Return the notes on a file of one column, and its cells as they were understood."""
    path.write_text("\n".join(["x,y", *(f"{cell}," for cell in cells)]) + "\n")
    read = read_inputs([path], model.preprocessing)
    return [note.removeprefix("new.csv: ") for note in read.notes], read.raw.columns["x"].tolist()


NUMBERS = [str(at % 17 + at / 100) for at in range(40)]


def test_what_is_no_number_is_told_even_if_that_is_all(tmp_path: Path) -> None:
    model = learned(tmp_path / "train.csv", NUMBERS)
    notes, cells = told(model, tmp_path / "new.csv", ["abc", "TRUE", "2024-01-05", "0x1F", "NA"])
    assert notes == [
        "x: 4 cells are no number, '0x1F' (row 4), '2024-01-05' (row 3), 'TRUE' (row 2), and taken "
        "for missing."
    ]
    assert all(cell != cell for cell in cells)


@pytest.mark.parametrize(
    ("new", "note", "first"),
    [
        (["11:15", "12:30", "7"], "x: 2 cells are read as hours, '11:15' (row 1); ", 11.25),
        ([f"{n} kg" for n in range(2, 12)], "x: 10 cells are read as kg, '2 kg' (row 1); ", 2.0),
    ],
)
def test_a_unit_that_training_had_not_is_told(
    tmp_path: Path, new: list[str], note: str, first: float
) -> None:
    model = learned(tmp_path / "train.csv", NUMBERS)
    notes, cells = told(model, tmp_path / "new.csv", new)
    assert notes == [f"{note}in training there was no unit."]
    assert cells[0] == first


def test_another_unit_is_told_and_the_same_is_not(tmp_path: Path) -> None:
    weights = [f"{n + 1} kg" for n in range(40)]
    model = learned(tmp_path / "train.csv", weights[1::2] + weights[::2])
    assert told(model, tmp_path / "new.csv", weights[:10])[0] == []
    notes, _ = told(model, tmp_path / "new.csv", [f"{n} lb" for n in range(2, 12)])
    assert notes == ["x: 10 cells are read as lb, '2 lb' (row 1); in training there was kg."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('x\n1.5\n""\n3.5\n', [1.5, None, 3.5]),
        ("x\n1.5\n\n3.5\n\n\n", [1.5, None, 3.5]),
        ("x,a,b,c\n1.5,1,1,1\n,,,\n2.5,,,\n,\n3.5,1,1\n,,,\n", [1.5, None, 2.5, None, 3.5]),
        ("x,a\n1.5,1\n\n3.5,1\n", [1.5, 3.5]),  # a blank line is no row of two cells
    ],
)
def test_rows_without_a_filled_cell_are_answered_in_their_place(
    tmp_path: Path, text: str, expected: list[float | None]
) -> None:
    model = learned(tmp_path / "train.csv", NUMBERS)
    (tmp_path / "new.csv").write_text(text)
    read = read_inputs([tmp_path / "new.csv"], model.preprocessing)
    assert [None if cell != cell else cell for cell in read.raw.columns["x"].tolist()] == expected
    written = as_written(tmp_path / "new.csv", model.preprocessing)["x"].tolist()
    assert written == ["" if cell is None else str(cell) for cell in expected]
    assert len(read.sources) == len(expected)


def test_a_file_without_a_filled_cell_is_called_so(tmp_path: Path) -> None:
    model = learned(tmp_path / "train.csv", NUMBERS)
    (tmp_path / "new.csv").write_text("x,y\n,\n")
    with pytest.raises(DataError, match="has a header but no row with a filled cell"):
        read_inputs([tmp_path / "new.csv"], model.preprocessing)


DAYS = [f"2024-{1 + at % 12:02}-{1 + at % 28:02}" for at in range(40)]


def test_dates_that_are_none_are_told(tmp_path: Path) -> None:
    model = learned(tmp_path / "train.csv", DAYS)
    cells = ["2024-11-02", "2024-02-30", "soon", "NA"]
    notes, read = told(model, tmp_path / "new.csv", cells)
    assert notes == [
        "x: 2 cells are no date, '2024-02-30' (row 2), 'soon' (row 3), and taken for missing."
    ]
    assert read == [datetime(2024, 11, 2), None, None, None]


def test_dates_far_outside_are_told_and_later_ones_are_not(tmp_path: Path) -> None:
    model = learned(tmp_path / "train.csv", DAYS)
    assert told(model, tmp_path / "new.csv", ["2024-11-02", "2025-06-30"])[0] == []
    [note], _ = told(model, tmp_path / "new.csv", ["2024-11-02", "9999-12-31"])
    assert "1 row with dates far outside those of training (2024-01-" in note
    assert note.endswith("), the first row 2: 9999-12-31.")


def test_dates_in_python_are_read_as_in_files(tmp_path: Path) -> None:
    model = learned(tmp_path / "train.csv", DAYS)
    with pytest.warns(UserWarning, match="X: x: 1 cell is no date, '2024-02-30' \\(row 2\\)"):
        said = model.predict_proba({"x": ["2024-11-02", "2024-02-30"]})
    assert (said == model.predict_proba({"x": ["2024-11-02", ""]})).all()


def test_where_no_cell_is_a_date_the_first_is_named(tmp_path: Path) -> None:
    model = learned(tmp_path / "train.csv", DAYS)
    (tmp_path / "new.csv").write_text("x,y\nNA,\nsoon,\nlater,\n")
    with pytest.raises(DataError, match="Row 2 of column 'x' is 'soon', expected a date"):
        model.predict(tmp_path / "new.csv")


def test_dates_of_eight_digits_are_dates_again(tmp_path: Path) -> None:
    digits = [day.replace("-", "") for day in DAYS]
    rows = [f"{cell},{'pq'[at % 2]}" for at, cell in enumerate(digits)]
    path = tmp_path / "train.csv"
    path.write_text("\n".join(["date,y", *rows]) + "\n")
    data = cp.load_data(path)
    model = learn(set_task(Settings(data=str(path), layers=(2,), epochs=1), data)).model
    expected = model.predict_proba({"date": data.X.columns["date"][:9]})
    (tmp_path / "new.csv").write_text("\n".join(["date", *digits[:9]]) + "\n")
    for X in (
        tmp_path / "new.csv",
        {"date": digits[:9]},
        {"date": [int(day) for day in digits[:9]]},
        {"date": DAYS[:9]},
    ):
        assert (model.predict_proba(X) == expected).all()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path, suffix: str) -> None:
    model = learned(tmp_path / "train.csv", NUMBERS)
    path = tmp_path / f"new{suffix}"
    frame = pandas.DataFrame({"X": [1, 2], "y": ["p", "q"]})
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    message = "new.* The column 'x' is missing; found X, y. Did you mean 'X'?"
    with pytest.raises(DataError, match=message):
        model.predict(path)
    with pytest.raises(DataError, match=message):
        load_for(model, str(path))


def test_one_row_is_a_row_where_training_had_no_header(tmp_path: Path) -> None:
    rows = [f"{cell},{'rst'[at % 3]},{'pq'[at % 2]}" for at, cell in enumerate(NUMBERS)]
    path = tmp_path / "train.csv"
    path.write_text("\n".join(rows) + "\n")
    data = cp.load_data(path)
    assert data.X.names == ("column 1", "column 2")
    model = learn(set_task(Settings(data=str(path), layers=(2,), epochs=1), data)).model
    for cells in ("1.5,s", "1.5,s,p"):
        (tmp_path / "new.csv").write_text(f"{cells}\n")
        said = model.predict_proba(tmp_path / "new.csv")
        assert (said == model.predict_proba({"column 1": [1.5], "column 2": ["s"]})).all()
        written = as_written(tmp_path / "new.csv", model.preprocessing)
        assert [one for (one,) in written.values()] == cells.split(",")
    (tmp_path / "new.csv").write_text("age,kind\n1.5,s\n")
    with pytest.raises(DataError, match="column 'column 1' is missing; found age, kind"):
        model.predict(tmp_path / "new.csv")

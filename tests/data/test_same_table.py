"""A table is the same one in whichever format it comes."""

import csv
import json
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyarrow import feather, ipc, parquet

from clearprop.cli import cli
from clearprop.data import Table, load
from clearprop.preprocessing import fit_recipe

ROWS = 40
COLUMNS: dict[str, list[Any]] = {
    "id": list(range(1, ROWS + 1)),
    "size": [None if row % 9 == 0 else row * 1.25 - 7 for row in range(ROWS)],
    "rooms": [row * row % 11 for row in range(ROWS)],
    "code": [f"{row * 7 % 13:03}" for row in range(ROWS)],
    "town": [("Köln", "a, b", 'say "c"', None)[row % 4] for row in range(ROWS)],
    "paid": [row % 3 == 0 for row in range(ROWS)],
    "built": [None if row == 5 else date(2020, 2, 1) + timedelta(3 * row) for row in range(ROWS)],
    "grade": [("n/a" if row == 8 else row % 6) for row in range(ROWS)],
    "same": ["x"] * ROWS,
    "nothing": [None] * ROWS,
    "kind": [None if row == 17 else ("low", "high")[row % 2] for row in range(ROWS)],
}
CELLS = [list(row) for row in zip(*COLUMNS.values(), strict=True)]


def as_text(cell: Any) -> str:
    if cell is None:
        return ""
    return str(cell).upper() if isinstance(cell, bool) else str(cell)


def write_csv(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [[*COLUMNS], *([as_text(cell) for cell in row] for row in CELLS)]
        )


def write_xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [[*COLUMNS], *CELLS]:
        book.active.append(row)
    book.save(path)


def write_ods(path: Path) -> None:
    """Write OpenDocument's own words for the kinds of cells (ISO 26300, part 3, 19.385)."""

    def cell(value: Any) -> str:
        if value is None:
            return "<table:table-cell/>"
        kind, attribute = "string", ""
        if isinstance(value, bool):
            kind, attribute = "boolean", f'office:boolean-value="{str(value).lower()}"'
        elif isinstance(value, int | float):
            kind, attribute = "float", f'office:value="{value}"'
        elif isinstance(value, date):
            kind, attribute = "date", f'office:date-value="{value.isoformat()}"'
        return (
            f'<table:table-cell office:value-type="{kind}" {attribute}>'
            f"<text:p>{escape(str(value))}</text:p></table:table-cell>"
        )

    rows = "".join(
        f"<table:table-row>{''.join(map(cell, row))}</table:table-row>"
        for row in [[*COLUMNS], *CELLS]
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="One">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )


def arrow_table() -> pa.Table:
    grade = [as_text(cell) for cell in COLUMNS["grade"]]
    town = pa.array(COLUMNS["town"]).dictionary_encode()
    return pa.table(COLUMNS | {"grade": grade, "town": town})


def write_stream(path: Path) -> None:
    with ipc.new_stream(path, arrow_table().schema) as writer:
        writer.write_table(arrow_table(), max_chunksize=7)


WRITERS: dict[str, Callable[[Path], object]] = {
    "table.xlsx": write_xlsx,
    "table.xls": write_xlsx,  # under the suffix of another kind, as exports have it
    "table.ods": write_ods,
    "table.parquet": lambda path: parquet.write_table(arrow_table(), path, row_group_size=9),
    "table.pq": lambda path: parquet.write_table(arrow_table(), path, compression="zstd"),
    "table.feather": lambda path: feather.write_feather(arrow_table(), path, chunksize=11),
    "table.arrow": write_stream,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_is_understood_as_csv_is(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "table.csv")
    WRITERS[name](tmp_path / name)
    expected, found = load(tmp_path / "table.csv"), load(tmp_path / name)
    kinds = {one.name: one.kind for one in found.columns}
    assert kinds == {
        "id": "identifier",
        "size": "number",
        "rooms": "number",
        "code": "category",
        "town": "category",
        "paid": "yes/no",
        "built": "date",
        "grade": "number",
        "same": "constant",
        "nothing": "empty",
        "kind": "target",
    }
    assert found.columns == expected.columns
    assert found.notes == expected.notes
    assert found.class_names == expected.class_names == ("high", "low")
    np.testing.assert_array_equal(found.y, expected.y)
    assert len(found.y) == ROWS - 1
    assert isinstance(found.X, Table)
    assert isinstance(expected.X, Table)
    assert found.X.names == expected.X.names
    for column in expected.X.names:
        np.testing.assert_array_equal(
            found.X.columns[column].tolist(), expected.X.columns[column].tolist()
        )
    assert found.X.columns["built"].tolist()[:2] == [
        np.datetime64("2020-02-01T00:00:00").item(),
        np.datetime64("2020-02-04T00:00:00").item(),
    ]


@pytest.mark.parametrize("name", ["table.xlsx", "table.parquet"])
def test_a_format_trains_evaluates_and_predicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    WRITERS[name](Path(name))
    write_csv(Path("table.csv"))

    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    run("data", name)
    run("train", name, "--epochs", "2", "--out", "run", "--seed", "0")
    assert run("evaluate", "run/model.safetensors", name)
    there = run("predict", "run/model.safetensors", name)["predictions"]
    as_csv = run("predict", "run/model.safetensors", "table.csv")["predictions"]
    assert len(there) == ROWS
    drop = [{key: one[key] for key in one if key != "source"} for one in there]
    assert drop == [{key: one[key] for key in one if key != "source"} for one in as_csv]


@pytest.mark.parametrize("word", [str, lambda value: str(value).lower()])
def test_a_boolean_is_the_same_as_another_program_writes_it(
    tmp_path: Path, word: Callable[[bool], str]
) -> None:
    """In pandas True is written True into CSV, in polars true, and in spreadsheets TRUE."""
    paid = [row % 2 == 0 for row in range(ROWS)]
    late = [row % 3 == 0 for row in range(ROWS)]
    lines = [f"{word(a)},{word(b)}\n" for a, b in zip(paid, late, strict=True)]
    (tmp_path / "a.csv").write_text("paid,late\n" + "".join(lines))
    parquet.write_table(pa.table({"paid": paid, "late": late}), tmp_path / "a.parquet")
    learned, new = load(tmp_path / "a.csv"), load(tmp_path / "a.parquet")
    recipe = fit_recipe(learned)
    np.testing.assert_array_equal(
        recipe.inputs.transform(learned.X, np.float64), recipe.inputs.transform(new.X, np.float64)
    )
    assert learned.class_names == (word(False), word(True))
    np.testing.assert_array_equal(recipe.target.encode(new), recipe.target.encode(learned))

"""Parquet and Feather files."""

import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather, ipc, parquet

from clearprop.data import Table, load
from clearprop.data.reading import Reading
from clearprop.data.tables.arrow import cells_of
from clearprop.data.tables.columnar import Columnar
from clearprop.data.tables.table import Words
from clearprop.errors import DataError, MissingExtraError

FUZZ = Path(__file__).parents[1] / "fuzz"
ROWS = 24
Y = [("no", "yes")[row % 2] for row in range(ROWS)]


def write(path: Path, **columns: Any) -> Path:
    """Write columns of 24 rows beside a target."""
    table = pa.table(columns | {"y": Y})
    if path.suffix in (".parquet", ".pq"):
        parquet.write_table(table, path)
    else:
        feather.write_feather(table, path)
    return path


def column(path: Path, name: str = "x", **said: Any) -> tuple[str, list[Any]]:
    """Return the kind of a column, and its cells."""
    dataset = load(path, reading=Reading(keep=(name,), **said))
    assert isinstance(dataset.X, Table)
    [kind] = [one.kind for one in dataset.columns if one.name == name]
    return kind, dataset.X.columns[name].tolist()


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.int8(), range(-12, 12)),
        (pa.uint64(), [row * 3 for row in range(ROWS)]),
        (pa.float32(), [row / 4 for row in range(ROWS)]),
        (pa.float16(), [row / 2 for row in range(ROWS)]),
        (pa.decimal128(12, 3), [Decimal(row) / 8 for row in range(ROWS)]),
        (pa.decimal256(40, 3), [Decimal(row) / 8 for row in range(ROWS)]),
    ],
)
def test_numbers_of_every_kind(tmp_path: Path, suffix: str, kind: Any, values: Any) -> None:
    values = [None, *values][:ROWS]
    if suffix == ".feather" and pa.types.is_float16(kind):
        values = [None, *values[1:]]
    path = write(tmp_path / f"table{suffix}", x=pa.array(values, kind))
    found, cells = column(path)
    assert found == "number"
    expected = [np.nan if value is None else float(value) for value in values]
    np.testing.assert_array_equal(cells, expected)


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
)
def test_words_of_every_kind(tmp_path: Path, kind: Any) -> None:
    words = [("red", " green ", None, "")[row % 4] for row in range(ROWS)]
    array = pa.array(words, pa.string()).cast(kind)
    assert column(write(tmp_path / "a.feather", x=array)) == (
        "category",
        ["red", "green", "", ""] * 6,
    )


@given(st.lists(st.lists(st.none() | st.text(max_size=3), max_size=9), min_size=1))
def test_words_come_in_any_pieces(pieces: list[list[str | None]]) -> None:
    array = pa.chunked_array(pieces, pa.string())
    words = [(text or "").strip() for piece in pieces for text in piece]
    for column in (array, array.dictionary_encode()):
        found = cells_of(column)
        assert isinstance(found, Words)
        assert found.tolist() == words
        assert found.texts == tuple(sorted({*words} - {""}))


def test_numbers_in_a_dictionary_are_numbers(tmp_path: Path) -> None:
    array = pa.array([row % 5 / 2 for row in range(ROWS)]).dictionary_encode()
    assert column(write(tmp_path / "a.parquet", x=array)) == (
        "number",
        [row % 5 / 2 for row in range(ROWS)],
    )


def test_text_that_is_a_number_is_understood_as_in_csv(tmp_path: Path) -> None:
    prices = [f"${row},{row:03}.5" for row in range(1, ROWS + 1)]
    kind, cells = column(write(tmp_path / "a.parquet", x=prices))
    assert (kind, cells[1]) == ("number", 2002.5)
    codes = [f"{row:03}" for row in range(ROWS)]
    assert column(write(tmp_path / "a.parquet", x=codes))[1] == codes


def test_booleans_are_yes_or_no(tmp_path: Path) -> None:
    values = [(True, False, None)[row % 3] for row in range(ROWS)]
    assert column(write(tmp_path / "a.parquet", x=values)) == ("yes/no", ["TRUE", "FALSE", ""] * 8)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_are_dates_in_utc(tmp_path: Path, unit: str) -> None:
    paris = timezone(timedelta(hours=1))
    start = datetime(2020, 1, 2, 0, 30, tzinfo=paris)
    values = [None, *(start + timedelta(days=row) for row in range(1, ROWS))]
    array = pa.array(values, pa.timestamp(unit, "Europe/Paris"))
    kind, cells = column(write(tmp_path / "a.parquet", x=array))
    assert kind == "date"
    assert cells[:2] == [None, datetime(2020, 1, 2, 23, 30)]
    assert datetime(2020, 1, 2, 23, 30, tzinfo=UTC) == start + timedelta(days=1)


def test_a_column_of_days_is_categories_where_that_is_asked(tmp_path: Path) -> None:
    days = [date(2020, 1, 1 + row % 3) for row in range(ROWS)]
    path = write(tmp_path / "a.parquet", x=days, n=range(5, 5 + ROWS))
    dataset = load(path, reading=Reading(category=("x", "n")))
    assert isinstance(dataset.X, Table)
    assert dataset.X.columns["x"].tolist()[:2] == ["2020-01-01 00:00:00", "2020-01-02 00:00:00"]
    assert dataset.X.columns["n"].tolist()[:2] == ["5", "6"]


def test_times_of_day_are_hours_and_durations_seconds(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.parquet",
        x=[time(row, 30) for row in range(ROWS)],
        lasts=[timedelta(minutes=row % 7, milliseconds=500) for row in range(ROWS)],
    )
    assert column(path)[1] == [row + 0.5 for row in range(ROWS)]
    assert column(path, "lasts")[1] == [row % 7 * 60 + 0.5 for row in range(ROWS)]
    assert "Columns of durations are read as seconds: lasts." in load(path).notes


def test_numbers_without_end_are_missing_and_said(tmp_path: Path) -> None:
    values = [float(row) for row in range(ROWS)]
    values[3] = values[20] = np.inf
    kind, cells = column(write(tmp_path / "a.parquet", x=values))
    assert (kind, np.isnan(cells).sum()) == ("number", 2)
    [doubt] = [one for one in load(tmp_path / "a.parquet").notes if "'inf' (row 4)" in one]
    assert "2 cells are no number" in doubt


def test_a_column_without_values(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.parquet",
        x=range(0, 2 * ROWS, 2),
        none=pa.nulls(ROWS),
        never=pa.nulls(ROWS, pa.timestamp("s")),
        nan=pa.nulls(ROWS, pa.float64()),
    )
    kinds = {one.name: one.kind for one in load(path).columns}
    assert kinds == {
        "y": "target",
        "x": "number",
        **dict.fromkeys(("none", "never", "nan"), "empty"),
    }


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_nested_columns_are_left_out_and_named(tmp_path: Path, suffix: str) -> None:
    path = write(
        tmp_path / f"a{suffix}",
        x=range(0, 2 * ROWS, 2),
        many=[[1, 2]] * ROWS,
        both=[{"a": 1}] * ROWS,
        raw=[b"\0"] * ROWS,
    )
    dataset = load(path)
    assert dataset.feature_names == ("x",)
    [note] = [one for one in dataset.notes if "left out" in one]
    assert note.startswith("Columns of a kind that is not read, left out: many (list<")
    assert "both (struct<a: int64>), raw (binary)." in note


def test_a_column_named_like_a_part_of_another(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", **{"a": [{"b": 1}] * ROWS, "a.b": range(3, 3 + ROWS)})
    assert load(path).feature_names == ("a.b",)


def test_columns_of_the_same_name_are_numbered(tmp_path: Path) -> None:
    numbers = pa.array(range(3, 3 + ROWS))
    table = pa.table([numbers, pa.array(range(0, 3 * ROWS, 3)), pa.array(Y)], ["x", "x", "y"])
    parquet.write_table(table, tmp_path / "a.parquet")
    dataset = load(tmp_path / "a.parquet")
    assert dataset.feature_names == ("x", "x (2)")
    assert isinstance(dataset.X, Table)
    assert dataset.X.columns["x (2)"].tolist()[:2] == [0, 3]


def test_the_index_of_pandas_is_left_out_unless_it_has_a_name(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(ROWS) * 2.5, "y": Y}, index=np.arange(ROWS)[::-1] * 7)
    frame.to_parquet(tmp_path / "a.parquet")
    dataset = load(tmp_path / "a.parquet")
    assert dataset.feature_names == ("x",)
    assert "The index that pandas stores, __index_level_0__, is left out." in dataset.notes
    frame.rename_axis("height").to_parquet(tmp_path / "a.parquet")
    assert set(load(tmp_path / "a.parquet").feature_names) == {"x", "height"}


@pytest.mark.parametrize("suffix", ["parquet", "feather", "arrow"])
def test_a_file_that_polars_writes(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame(
        {"x": [row * 2.5 for row in range(ROWS)], "c": pl.Series(Y, dtype=pl.Categorical), "y": Y}
    )
    path = tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        frame.write_parquet(path)
    elif suffix == "feather":
        frame.write_ipc(path, compression="zstd")
    else:
        frame.write_ipc_stream(path)
    dataset = load(path)
    assert dataset.feature_names == ("x", "c")
    assert isinstance(dataset.X, Table)
    assert dataset.X.columns["c"].tolist() == Y


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_a_file_without_rows_or_columns(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_any = parquet.write_table if suffix == ".parquet" else feather.write_feather
    write_any(pa.table({"x": pa.array([], pa.int64())}), path)
    with pytest.raises(DataError, match="has no rows"):
        load(path)
    write_any(pa.table({"x": [[1], [2]]}), path)
    with pytest.raises(DataError, match="has no column of numbers, text or dates"):
        load(path)


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".arrow"])
@pytest.mark.parametrize("content", [b"", b"x,y\n1,2\n", b"PAR1", b"ARROW1\0\0", b"PAR1" * 9])
def test_what_is_none_of_these_files(tmp_path: Path, suffix: str, content: bytes) -> None:
    (tmp_path / f"a{suffix}").write_bytes(content)
    with pytest.raises(DataError, match=r"can't be read, or is damaged: .*Get it anew\."):
        load(tmp_path / f"a{suffix}")


def test_rows_that_a_file_only_claims_take_no_memory(tmp_path: Path) -> None:
    """A column of nothing has no bytes."""
    rows = 2**31 - 1
    schema = pa.schema({f"c{place}": pa.null() for place in range(100)})
    nothing = pa.Array.from_buffers(pa.null(), rows, [None])
    path = tmp_path / "a.arrow"
    with ipc.new_file(path, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([nothing] * 100, schema=schema))
    with pytest.raises(DataError, match="it claims 2,147,483,647 rows of 100 columns"):
        load(path)


def test_a_long_text_that_comes_again_and_again_is_kept_once(tmp_path: Path) -> None:
    """100 GB of text, were every cell spelled out."""
    rows = 100_000
    path = tmp_path / "a.parquet"
    codes = np.arange(rows, dtype=np.int32) % 2
    words = pa.DictionaryArray.from_arrays(codes, ["a" * 2**20, "b"])
    numbers = np.arange(rows) % 7
    parquet.write_table(pa.table({"x": words, "n": numbers, "y": words}), path)
    assert path.stat().st_size < 2**21
    assert load(path).class_names == ("a" * 2**20, "b")


@pytest.mark.slow
def test_pages_that_claim_to_unpack_to_far_more_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    texts = [f"{row}" + "a" * 2**22 for row in range(68)]
    table = pa.table({"x": texts, "y": range(68)})
    parquet.write_table(table, path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 2**18
    with pytest.raises(DataError, match="it claims to unpack to"):
        load(path)


def test_text_that_points_beyond_its_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.feather"
    table = pa.table({"x": ["abcdefgh"] * ROWS, "y": Y})
    feather.write_feather(table, path, compression="uncompressed")
    places = np.arange(ROWS + 1, dtype=np.int32) * 8
    content = path.read_bytes()
    assert content.count(places.tobytes()) == 1
    beyond = np.where(places < 40, places, places + 2**30).astype(np.int32)
    path.write_bytes(content.replace(places.tobytes(), beyond.tobytes()))
    with pytest.raises(DataError, match="is damaged"):
        load(path)


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.parquet", x=range(ROWS))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"needs pyarrow.*'clearprop\[parquet\]'"):
        load(path)


def test_a_csv_file_is_read_without_pyarrow(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n" + "".join(f"{row},{row % 2}\n" for row in range(9)))
    program = (
        "import sys; from clearprop.data import load; load('a.csv');"
        "print({'pyarrow', 'python_calamine', 'pandas', 'polars'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("kind", "count"), [("columnar", 300), pytest.param("workbooks", 40, marks=pytest.mark.slow)]
)
def test_changed_files_are_read_or_refused(tmp_path: Path, kind: str, count: int) -> None:
    """In a process of its own, which compiled code could end."""
    program = f"""
import sys, random, pathlib
sys.path.insert(0, {str(FUZZ)!r})
import {kind}
from clearprop.data import load
from clearprop.errors import ClearpropError
left = files = {kind}.files(random.Random(7))
refused = 0
for _, (name, content) in zip(range({count}), files):
    path = pathlib.Path(name)
    path.write_bytes(content)
    try:
        load(path)
    except ClearpropError as error:
        assert len(str(error)) < 600, error
        refused += 1
print("refused", refused)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert 0 < int(done.stdout.split()[1]) < count


LONG = [2**60 + row for row in range(ROWS)]


@pytest.mark.parametrize(
    ("kind", "values", "texts"),
    [
        (pa.int64(), LONG, list(map(str, LONG))),
        (pa.uint64(), [2**64 - 1 - row for row in range(ROWS)], None),
        (pa.decimal128(38, 0), [10**30 + row for row in range(ROWS)], None),
        (pa.decimal128(12, 2), [Decimal("15.30")] * ROWS, ["15.30"] * ROWS),
        (pa.float32(), [15.3] * ROWS, ["15.3"] * ROWS),
        (pa.float64(), [15.0] * ROWS, ["15"] * ROWS),
        (pa.date32(), [date(2024, 1, 31)] * ROWS, ["2024-01-31"] * ROWS),
        (pa.timestamp("ns"), [datetime(2024, 1, 31)] * ROWS, ["2024-01-31"] * ROWS),
        (
            pa.timestamp("us"),
            [datetime(2024, 1, 31, 0, 0, 10, row * 10) for row in range(ROWS)],
            ["2024-01-31 00:00:10"]
            + [f"2024-01-31 00:00:10.{row * 10:06}".rstrip("0") for row in range(1, ROWS)],
        ),
    ],
)
def test_cells_are_written_back_with_every_digit(
    tmp_path: Path, kind: Any, values: list[Any], texts: list[str] | None
) -> None:
    path = write(tmp_path / "a.parquet", x=pa.array([*values[:-1], None], kind))
    expected = list(map(str, values)) if texts is None else texts
    assert Columnar().as_written(path)["x"].tolist() == [*expected[:-1], ""]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_names_of_many_digits_are_compared_as_text(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".csv":
        rows = [f"{cell},{y}" for cell, y in zip(LONG, Y, strict=True)]
        path.write_text("\n".join(["x,y", *rows]) + "\n")
    else:
        write(path, x=LONG)
    kind, cells = column(path)
    assert (kind, cells) == ("identifier", list(map(str, LONG)))


def test_long_numbers_that_differ_as_floats_are_numbers(tmp_path: Path) -> None:
    values = [row * 10**17 for row in range(2, 2 + ROWS)]
    assert column(write(tmp_path / "a.parquet", x=values)) == ("number", list(map(float, values)))


def test_one_column_alone_is_nothing_to_learn_and_has_no_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    parquet.write_table(pa.table({"y": Y}), path)
    with pytest.raises(DataError, match=r"only one column, 'y'; expected one .* beside it\.$"):
        load(path)

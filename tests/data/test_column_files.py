"""Several files of columns as one table: read by pieces, compared, and refused."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from disk_tables import columns, on_disk, plain, read_in_order, split, write
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from clearprop.data import Table, load
from clearprop.data.reading import Reading
from clearprop.data.tables import column_files
from clearprop.data.tables.column_files import ColumnFiles
from clearprop.errors import DataError, UsageError

ROWS = 40
DAYS = [datetime(2020, 1, 1) + timedelta(days=row) for row in range(ROWS)]


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a piece have eleven rows."""
    monkeypatch.setattr(column_files, "_FEWEST", 11)
    monkeypatch.setattr(column_files, "_CELLS", 11)


def mixed(rows: int) -> dict[str, Any]:
    """Return columns of every kind, each with gaps."""
    gaps = [row % 5 == 1 for row in range(rows)]

    def with_gaps(values: list[Any], kind: Any = None) -> Any:
        return pa.array([None if gap else one for gap, one in zip(gaps, values, strict=True)], kind)

    return {
        "number": with_gaps([row / 4 for row in range(rows)]),
        "whole": with_gaps(list(range(rows)), pa.int16()),
        "word": with_gaps([f"w{row % 7}" for row in range(rows)]),
        "is": with_gaps([row % 3 == 0 for row in range(rows)]),
        "when": with_gaps([DAYS[row % ROWS] for row in range(rows)], pa.timestamp("ms")),
        "hour": with_gaps([time(row % 24, 30) for row in range(rows)]),
        "lasts": with_gaps([timedelta(minutes=row) for row in range(rows)]),
        "money": with_gaps([Decimal(row) / 8 for row in range(rows)], pa.decimal128(9, 3)),
    }


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=4).filter(any),
    group=st.integers(1, 45),
    order=st.randoms(use_true_random=False),
)
def test_pieces_in_any_order_are_the_table(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, sizes: list[int], group: int, order: Any
) -> None:
    folder = tmp_path_factory.mktemp("files")
    whole, start = pa.table(mixed(sum(sizes))), 0
    for number, rows in enumerate(sizes):
        write(folder / f"{number}{suffix}", whole.slice(start, rows), group)
        start += rows
    files = ColumnFiles.of(folder)
    assert len(files) == whole.num_rows
    assert max(piece.rows for piece in files.pieces) <= min(group, 11)
    pieces = [*files.pieces]
    order.shuffle(pieces)
    assert plain(read_in_order(files, pieces)) == plain(whole)
    assert plain(files.table()) == plain(whole)
    assert len(files.names) == whole.num_columns


@pytest.mark.usefixtures("small_pieces")
def test_some_columns_are_read_in_the_same_pieces(tmp_path: Path) -> None:
    whole = pa.table(mixed(90))
    files = ColumnFiles.of(write(tmp_path / "a.parquet", whole, 50))
    some = files.only(["word", "number"])
    assert some.pieces == files.pieces
    assert plain(some.table()) == plain(whole.select(["word", "number"]))


@pytest.mark.usefixtures("small_pieces")
def test_files_go_to_another_process_in_the_middle(tmp_path: Path) -> None:
    files = ColumnFiles.of(write(tmp_path / "a.parquet", mixed(90), 50))
    files.read(files.pieces[0])
    there = pickle.loads(pickle.dumps(files))  # noqa: S301 - our own
    assert there.read(files.pieces[1]).equals(files.read(files.pieces[1]))


ODD_PAIRS: dict[str, tuple[Any, Any, list[Any]]] = {
    "int and float": (pa.array([1, 2], pa.int8()), pa.array([0.5, None]), [1.0, 2.0, 0.5, None]),
    "signed and unsigned": (
        pa.array([-1, 2], pa.int64()),
        pa.array([2**64 - 1, 3], pa.uint64()),
        [-1, 2, 2**64 - 1, 3],
    ),
    "ints of two widths": (pa.array([1, 2], pa.int8()), pa.array([2**40, 3]), [1, 2, 2**40, 3]),
    "decimal and float": (
        pa.array([Decimal("1.25"), None], pa.decimal128(9, 2)),
        pa.array([0.5, 4.0]),
        [1.25, None, 0.5, 4.0],
    ),
    "plain and dictionary": (
        pa.array(["a", None]),
        pa.array(["b", "a"]).dictionary_encode(),
        ["a", None, "b", "a"],
    ),
    "long and short text": (
        pa.array(["a", "b"], pa.large_string()),
        pa.array(["b", None], pa.string()),
        ["a", "b", "b", None],
    ),
    "numbers in a dictionary": (
        pa.array([1.5, 2.5]).dictionary_encode(),
        pa.array([3, 4]),
        [1.5, 2.5, 3.0, 4.0],
    ),
    "units of time": (
        pa.array(DAYS[:2], pa.timestamp("ns")),
        pa.array(DAYS[2:4], pa.timestamp("s")),
        DAYS[:4],
    ),
    "zones": (
        pa.array(DAYS[:2], pa.timestamp("ms", "UTC")),
        pa.array(DAYS[2:4], pa.timestamp("us")),
        DAYS[:4],
    ),
    "dates and times": (
        pa.array([date(2020, 1, 1), None]),
        pa.array(DAYS[2:4]),
        [DAYS[0], None, *DAYS[2:4]],
    ),
    "nothing and numbers": (pa.nulls(2), pa.array([1.5, 2.0]), [None, None, 1.5, 2.0]),
    "nothing and dates": (pa.nulls(2), pa.array(DAYS[:2]), [None, None, *DAYS[:2]]),
    "words and nothing": (pa.array(["a", "b"]), pa.nulls(2), ["a", "b", None, None]),
    "booleans and nothing": (pa.array([True, False]), pa.nulls(2), [True, False, None, None]),
    "nothing in both": (pa.nulls(2), pa.nulls(2), [None] * 4),
}


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@pytest.mark.parametrize("kind", ODD_PAIRS)
def test_types_that_mean_the_same_are_one_column(tmp_path: Path, kind: str, suffix: str) -> None:
    first, second, expected = ODD_PAIRS[kind]
    write(tmp_path / f"a{suffix}", {"x": first, "y": [1, 2]})
    write(tmp_path / f"b{suffix}", {"y": [3, 4], "x": second})
    table = ColumnFiles.of(tmp_path).table()
    assert plain(table) == {"x": expected, "y": [1, 2, 3, 4]}


def named(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        ColumnFiles.of(path)
    return str(caught.value)


def test_other_columns_are_refused_with_both_files_named(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", {"x": [1], "y": [1]})
    write(tmp_path / "b.parquet", {"x": [1], "y": [1], "z": [1]})
    assert named(tmp_path) == (
        f"{tmp_path}/a.parquet has no column 'z', which {tmp_path}/b.parquet has: files that are "
        "one table have the same columns. Add it, leave one of the files out, or the column: "
        "--drop z"
    )
    write(tmp_path / "b.parquet", {"x": [1]})
    assert named(tmp_path).startswith(f"{tmp_path}/b.parquet has no column 'y', which {tmp_path}/a")


@pytest.mark.parametrize(
    ("one", "other", "kinds"),
    [
        (pa.array([1]), pa.array(["1"]), ("text", "number")),
        (pa.array([True]), pa.array([1]), ("number", "boolean")),
        (pa.array([DAYS[0]]), pa.array([0.5]), ("number", "date")),
        (pa.array([time(1)]), pa.array([timedelta(1)]), ("duration", "time")),
    ],
)
def test_other_kinds_are_refused_with_both_files_named(
    tmp_path: Path, one: Any, other: Any, kinds: tuple[str, str]
) -> None:
    write(tmp_path / "a.parquet", {"x": one, "y": [1]})
    write(tmp_path / "b.parquet", {"x": other, "y": [1]})
    now, before = kinds
    assert named(tmp_path) == (
        f"{tmp_path}/b.parquet has 'x' as {now}, and {tmp_path}/a.parquet as {before}: expected "
        "the same in all files that are one table. Write one of them anew, or leave the column "
        "out: --drop x"
    )
    files = ColumnFiles.of(tmp_path, drop=["x"])
    assert plain(files.table()) == {"y": [1, 1]}


def test_where_the_first_file_tells_no_kind_the_one_that_does_is_named(tmp_path: Path) -> None:
    for name, column in (("a", pa.nulls(1)), ("b", pa.array([1])), ("c", pa.array(["1"]))):
        write(tmp_path / f"{name}.parquet", {"x": column, "y": [1]})
    assert named(tmp_path).startswith(
        f"{tmp_path}/c.parquet has 'x' as text, and {tmp_path}/b.parquet as number: expected"
    )


def test_dropped_columns_may_be_in_some_files_only_and_must_be_in_one(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", {"x": [1], "z": [[1]]})
    write(tmp_path / "b.parquet", {"x": [1]})
    assert ColumnFiles.of(tmp_path, drop=["z"]).names == ("x",)
    with pytest.raises(UsageError, match="There is no column 'q'"):
        ColumnFiles.of(tmp_path, drop=["q"])


def test_files_without_rows_are_passed_over_and_named(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", pa.table({"other": pa.array([], pa.string())}))
    write(tmp_path / "b.parquet", {"x": [1, 2]})
    write(tmp_path / "c.parquet", pa.table({"x": pa.array([], pa.int64())}))
    files = ColumnFiles.of(tmp_path)
    assert plain(files.table()) == {"x": [1, 2]}
    assert files.remarks == ["2 files without rows, passed over: a.parquet, c.parquet."]
    (tmp_path / "b.parquet").unlink()
    assert named(tmp_path) == f"{tmp_path} has no rows in 2 files."


def test_a_row_group_without_rows_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with parquet.ParquetWriter(path, pa.schema({"x": pa.int64()})) as file:
        for values in ([1, 2], [], [3]):
            file.write_table(pa.table({"x": pa.array(values, pa.int64())}))
    files = ColumnFiles.of(path)
    assert [run.rows for run in files.runs] == [2, 1]
    assert plain(files.table()) == {"x": [1, 2, 3]}


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "it is empty"), (b"x,y\n1,2\n", "it is neither Parquet nor Arrow")]
)
def test_a_file_that_is_none_of_these_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    write(tmp_path / "a.parquet", {"x": [1]})
    (tmp_path / "b.parquet").write_bytes(content)
    assert named(tmp_path) == (
        f"{tmp_path}/b.parquet can't be read, or is damaged: {said}. Get it anew."
    )


def test_a_stream_of_arrow_is_refused_in_a_folder_and_read_alone(tmp_path: Path) -> None:
    table = pa.table(columns(40_000))
    with ipc.new_stream(str(tmp_path / "a.arrow"), table.schema) as file:
        file.write_table(table)
    assert named(tmp_path) == (
        f"{tmp_path}/a.arrow is a stream of Arrow, which can't be read by pieces. Write it as "
        "Parquet, or as an Arrow file."
    )
    assert len(load(tmp_path / "a.arrow")) == 40_000


@pytest.mark.usefixtures("small_pieces")
def test_a_file_that_is_damaged_in_the_middle_is_named_when_it_is_read(tmp_path: Path) -> None:
    split(tmp_path, columns(90), [30, 30], group=15)
    damaged = tmp_path / "part-001.parquet"
    content = bytearray(damaged.read_bytes())
    data = parquet.ParquetFile(damaged).metadata.row_group(1).column(0).data_page_offset
    content[data : data + 60] = b"\xff" * 60
    damaged.write_bytes(content)
    files = ColumnFiles.of(tmp_path)
    with pytest.raises(DataError, match=rf"^{damaged} can't be read, or is damaged: .* Get it"):
        files.table()
    alone = [one for one in files.pieces if files.runs[one.run].file != 1]
    assert sum(files.read(one).num_rows for one in alone) == 60


def test_a_file_that_changes_or_goes_meanwhile_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", columns(30), 10)
    files = ColumnFiles.of(path)
    files.read(files.pieces[0])
    write(path, columns(30, seed=1), 10)
    os.utime(path, ns=(0, 1))
    with pytest.raises(DataError, match=f"^{path} has changed since it was looked at. Leave data"):
        files.read(files.pieces[1])
    path.unlink()
    with pytest.raises(DataError, match=f"{path}.*No such file"):
        files.read(files.pieces[2])


def test_a_fingerprint_tells_changed_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.parquet", {"x": [1, 2]})
    first = ColumnFiles.of(tmp_path).fingerprint()
    assert ColumnFiles.of(tmp_path).fingerprint() == first
    monkeypatch.chdir(tmp_path)
    assert ColumnFiles.of(Path("*.parquet")).fingerprint() == first
    write(tmp_path / "b.parquet", {"x": [1, 2]})
    assert ColumnFiles.of(tmp_path).fingerprint() != first
    (tmp_path / "b.parquet").unlink()
    os.utime(path, ns=(0, 1))
    assert ColumnFiles.of(tmp_path).fingerprint() != first


def test_a_giant_row_group_is_read_in_portions(tmp_path: Path) -> None:
    values = np.arange(200_000)
    files = ColumnFiles.of(write(tmp_path / "a.parquet", {"x": values, "w": values % 3 == 0}))
    assert [piece.rows for piece in files.pieces] == [65_536, 65_536, 65_536, 3_392]
    read = [files.read(piece).column("x").to_numpy() for piece in files.pieces]
    np.testing.assert_array_equal(np.concatenate(read), values)


def test_a_long_text_that_comes_again_and_again_is_kept_once(tmp_path: Path) -> None:
    """100 GB of text, were every cell spelled out."""
    rows = 100_000
    words = pa.DictionaryArray.from_arrays(
        np.arange(rows, dtype=np.int32) % 2, ["a" * 2**20, "b" * 2**20]
    )
    files = ColumnFiles.of(write(tmp_path / "a.parquet", {"x": words, "n": np.arange(rows)}))
    before = pa.total_allocated_bytes()
    table = files.table()
    assert pa.total_allocated_bytes() - before < 2**25
    assert table.num_rows == rows


def test_columns_of_one_name_and_with_points_in_their_names(tmp_path: Path) -> None:
    table = pa.table(
        [[1, 2], [3, 4], [5, 6], [7, 8], [[9], []], [{"b": 1}, None]],
        ["x", "x.1", "x", "a.b", "many", "a"],
    )
    for suffix in (".parquet", ".arrow"):
        path = write(tmp_path / f"t{suffix}", table)
        assert plain(ColumnFiles.of(path).table()) == {
            "x": [1, 2],
            "x.1": [3, 4],
            "x (2)": [5, 6],
            "a.b": [7, 8],
        }
        dropped = ColumnFiles.of(path, drop=["x"])
        assert plain(dropped.table()) == {"x.1": [3, 4], "x (2)": [5, 6], "a.b": [7, 8]}
        assert any("the same name, 'x'" in one for one in dropped.remarks)
        assert any("left out: many (list" in one for one in dropped.remarks)


def test_dates_of_96_bits_that_spark_writes_keep_their_year(tmp_path: Path) -> None:
    days = [datetime(9999, 12, 31), datetime(1000, 1, 1), *DAYS[2:]]
    table = pa.table({"t": pa.array(days, pa.timestamp("us")), "y": [row % 2 for row in range(40)]})
    parquet.write_table(table, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    assert ColumnFiles.of(tmp_path).table().column("t").to_pylist() == days
    dataset = load(tmp_path / "a.parquet", reading=Reading(target="y"))
    assert isinstance(dataset.X, Table)
    assert dataset.X.columns["t"].tolist()[:2] == days[:2]


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "pandas": lambda frame, path: frame.to_parquet(path),
    "polars": lambda frame, path: pl.from_pandas(frame).write_parquet(path, row_group_size=9),
    "duckdb": lambda frame, path: duckdb.from_df(frame).write_parquet(str(path)),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_what_others_write_is_one_table(tmp_path: Path, writer: str) -> None:
    for number in range(3):
        rows = np.arange(20) + 20 * number
        frame = pd.DataFrame(
            {
                "x": rows / 2,
                "c": pd.Categorical([f"{'uvw'[number]}{row % 2}" for row in rows]),
                "is": rows % 3 == 0,
                "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(rows, "D"),
                "y": np.where(rows % 2, "yes", "no"),
            },
            index=rows[::-1] * 3,
        )
        WRITERS[writer](frame, tmp_path / f"part-{number}.parquet")
    dataset = on_disk(tmp_path, keep=("x",))
    assert dataset.whole is not None
    assert len(dataset.whole) == len(dataset) == 60
    kinds = {one.name: one.kind for one in dataset.columns}
    assert {name: kinds[name] for name in ("x", "c", "is", "when", "y")} == {
        "x": "number",
        "c": "category",
        "is": "yes/no",
        "when": "date",
        "y": "target",
    }
    assert isinstance(dataset.X, Table)
    assert dataset.X.columns["x"].tolist() == [row / 2 for row in range(60)]
    when = dataset.X.columns["when"].tolist()
    assert when == [datetime(2020, 1, 1) + timedelta(days=row) for row in range(60)]
    said = any("index that pandas stores" in one for one in dataset.notes)
    assert said == (writer == "pandas")


def test_changed_files_are_read_by_pieces_or_refused(tmp_path: Path) -> None:
    """In a process of its own, which compiled code could end."""
    program = f"""
import sys, random, pathlib
sys.path[:0] = [{str(Path(__file__).parents[1] / "fuzz")!r}, {str(Path(__file__).parent)!r}]
import columnar
from disk_tables import on_disk
from clearprop.errors import ClearpropError
refused = 0
for _, (name, content) in zip(range(200), columnar.files(random.Random(3))):
    path = pathlib.Path(name)
    path.write_bytes(content)
    try:
        files = on_disk(path).whole.files
        for piece in files.pieces:
            files.read(piece)
    except ClearpropError as error:
        assert len(str(error)) < 600, error
        refused += 1
print("refused", refused)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert 0 < int(done.stdout.split()[1]) < 200


@pytest.mark.slow
def test_ten_thousand_tiny_files(tmp_path: Path) -> None:
    table = pa.table({"x": [1.0, 2.0], "y": ["a", "b"]})
    for number in range(10_000):
        parquet.write_table(table, tmp_path / f"{number:05}.parquet")
    dataset = on_disk(tmp_path)
    assert dataset.whole is not None
    assert (len(dataset.whole), dataset.counts()) == (20_000, {"a": 10_000, "b": 10_000})

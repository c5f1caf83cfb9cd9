"""The history: its columns, and that its file keeps every digit."""

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.errors import DataError, OutputError

_COLUMNS = ("epoch", "step", "loss", "accuracy", "validation_loss", "seconds")
_numbers = st.floats() | st.floats(width=32)
_cells = st.tuples(
    st.integers(1, 10**9), st.integers(1, 10**12), _numbers, _numbers, _numbers, _numbers
)
_rows = _cells.map(lambda cells: dict(zip(_COLUMNS, cells, strict=True)))


def same(first: dict[str, float], second: dict[str, float]) -> bool:
    return list(first) == list(second) and all(
        type(a) is type(b) and (a == b or (math.isnan(a) and math.isnan(b)))
        for a, b in zip(first.values(), second.values(), strict=True)
    )


@given(st.lists(_rows, max_size=4))
def test_a_file_keeps_every_digit(rows: list[dict[str, float]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "history.csv")
        cp.History(rows).save(path)
        again = cp.History.load(path)
    assert len(again) == len(rows)
    assert all(map(same, again.rows, rows))


def test_a_file_is_plain_csv_with_an_empty_cell_for_nan(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    row = {"epoch": 1, "step": 7, "loss": 0.1, "r2": float("nan"), "seconds": 2.0}
    cp.History([row]).save(path)
    assert path.read_bytes() == b"epoch,step,loss,r2,seconds\n1,7,0.1,,2.0\n"


def test_columns_are_read_by_name() -> None:
    history = cp.History([{"epoch": 1, "loss": 0.5}])
    history.append({"epoch": 2, "loss": 0.25})
    assert history["loss"] == [0.5, 0.25]
    assert history.columns == ("epoch", "loss")
    assert history.to_dict() == {"epoch": [1, 2], "loss": [0.5, 0.25]}
    assert len(history) == 2
    assert repr(history) == "History(epoch=2, loss=0.25)"
    assert repr(cp.History()) == "History()"


@pytest.mark.parametrize(
    "text",
    [
        b"epoch,step,loss\n1,2,high\n",
        b"epoch,step,loss\n1.5,2,0.1\n",
        b"epoch,step,loss\n1,2,0.1,9\n",
        b"epoch,step,loss\n1\n",
        b"sepal,petal\n1,2\n",
        b"\xff\xfe\n1",
        b"epoch,step,loss\n" + b"1" * 200_000,
    ],
    ids=["text", "half an epoch", "a cell too many", "a cell missing", "other", "binary", "long"],
)
def test_what_is_no_history_is_refused_by_name(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "other.csv"
    path.write_bytes(text)
    with pytest.raises(DataError, match=r"other\.csv is no training history"):
        cp.History.load(path)


def test_a_missing_file_or_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        cp.History.load(tmp_path / "nowhere.csv")
    with pytest.raises(OutputError, match="nowhere"):
        cp.History().save(tmp_path / "nowhere" / "history.csv")

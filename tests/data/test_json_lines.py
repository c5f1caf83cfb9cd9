"""JSON Lines: one object a line."""

import gzip
import json
from pathlib import Path

import pytest
from small_tables import cells_of, kinds_of, read, said_by, write

from clearprop.data import load
from clearprop.errors import DataError

ROWS = [
    {"a": at / 2, "b": ["x,'", "z", None][at % 3], "ok": at % 2 == 0, "y": "pq"[at % 2]}
    for at in range(8)
]
TEXT = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.txt", "a.jsonl.gz", "a.csv"])
def test_objects_are_rows(tmp_path: Path, name: str) -> None:
    data = gzip.compress(TEXT.encode()) if name.endswith(".gz") else TEXT.encode()
    dataset = load(write(tmp_path, data, name))
    assert cells_of(dataset, "a") == [row["a"] for row in ROWS]
    assert cells_of(dataset, "b") == [row["b"] for row in ROWS]
    assert kinds_of(dataset)["ok"] == "yes/no"
    assert dataset.class_names == ("p", "q")


def test_names_may_be_missing_and_come_late(tmp_path: Path) -> None:
    text = '{"a": 1, "y": "p"}\n\n{"y": "q"}\n{"a": 3, "y": "p", "c": "u"}\n{"a": 4, "y": "q"}\n'
    dataset = read(write(tmp_path, text, "a.jsonl"), target="y", keep=("a", "c"))
    assert cells_of(dataset, "a") == [1, None, 3, 4]
    assert cells_of(dataset, "c") == [None, None, "u", None]


def test_what_is_nested_is_left_out_and_said(tmp_path: Path) -> None:
    text = "".join(
        json.dumps({"a": at, "place": [1, 2], "who": {"n": 1}, "y": "pq"[at % 2]}) + "\n"
        for at in (5, 2, 9, 4)
    )
    dataset = load(write(tmp_path, text, "a.jsonl"))
    assert dataset.feature_names == ("a",)
    assert "left out: place, who" in said_by(dataset)


@pytest.mark.parametrize("text", ['[{"a": 1, "y": 2},\n {"a": 3, "y": 4}]', '{\n "a": 1\n}', "7\n"])
def test_other_json_is_named_and_said_how_to_convert(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"Line 1 of .*no JSON object.*jq -c"):
        load(write(tmp_path, text, "a.json"))


def test_a_line_that_is_cut_off_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Line 8 of .*is no JSON object"):
        load(write(tmp_path, TEXT[:-9], "a.jsonl"))


def test_names_that_hardly_any_line_has_make_no_table(tmp_path: Path) -> None:
    text = "".join(f'{{"a{line}": 1, "b{line}": 2}}\n' for line in range(8_000))
    with pytest.raises(DataError, match="that is no table"):
        load(write(tmp_path, text, "a.jsonl"))

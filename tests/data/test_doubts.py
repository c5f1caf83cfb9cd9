"""Doubts: what may be a mistake in a table is said once, and nothing is said of what is none."""

from pathlib import Path

import pytest
from small_tables import cells_of, read, said_by, write

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

"""Doubts: what may be a mistake in a table is said once, and nothing is said of what is none."""

from pathlib import Path

from small_tables import cells_of, read, said_by, write

LABELS = ["no", "yes"] * 30


def test_null_of_a_database_is_missing_everywhere(tmp_path: Path) -> None:
    text = "a,city,y\n1,A,p\n2,\\N,q\n3,B,\\N\n4,A,p\n\\N,B,q\n6,A,p\n"
    dataset = read(write(tmp_path, text))
    assert dataset.class_names == ("p", "q")
    assert cells_of(dataset, "a") == [1, 2, 4, None, 6]
    assert cells_of(dataset, "city") == ["A", None, "A", "B", "A"]
    assert said_by(dataset).count("\\N is taken for missing") == 1

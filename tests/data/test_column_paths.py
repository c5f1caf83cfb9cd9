"""Which files a folder or a pattern stands for, and the columns that folders tell."""

from pathlib import Path

import numpy as np
import pytest
from disk_tables import columns, on_disk, plain, write
from PIL import Image

from clearprop.data import Table, load
from clearprop.data.reading import Reading
from clearprop.data.tables.column_files import ColumnFiles
from clearprop.data.tables.column_paths import files_of, has_pattern, told_by_folders
from clearprop.data.tables.columnar import Columnar
from clearprop.data.whole.whole import Memory
from clearprop.errors import DataError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


SPARK = (
    "_SUCCESS", "._SUCCESS.crc", "year=2023/part-0.parquet", "year=2024/part-0.parquet",
    "year=2024/.part-0.parquet.crc", "_temporary/0/part-9.parquet", "year=2024/_tmp.parquet",
)  # fmt: skip
BOTH = ["year=2023/part-0.parquet", "year=2024/part-0.parquet"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", BOTH),
        ("*", BOTH),
        ("year=*", BOTH),
        ("year=*/*.parquet", BOTH),
        ("**/*.parquet", BOTH),
        ("year=2024/*", BOTH[1:]),
        ("year=202[4-9]/*.parquet", BOTH[1:]),
        ("year=202?/part-0.parquet", BOTH),
    ],
)
def test_what_spark_leaves_is_passed_over(
    tmp_path: Path, pattern: str, expected: list[str]
) -> None:
    touch(tmp_path, *SPARK)
    found = [one.relative_to(tmp_path).as_posix() for one in files_of(tmp_path / pattern)]
    assert found == expected


def test_a_folder_of_hidden_files_alone_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "_part.parquet", columns(3))
    with pytest.raises(DataError, match=r"begin with \. or _ are passed over"):
        load(tmp_path, reading=Reading(target="y", drop=("x",)))


def test_a_relative_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "b.parquet", "a.parquet", "in/c.parquet")
    monkeypatch.chdir(tmp_path / "in")
    assert files_of(Path("../*.parquet")) == [Path("../a.parquet"), Path("../b.parquet")]
    assert files_of(Path("*")) == [Path("c.parquet")]


def test_a_file_whose_name_has_signs_is_itself(tmp_path: Path) -> None:
    touch(tmp_path, "data[1].parquet", "data1.parquet")
    path = tmp_path / "data[1].parquet"
    assert not has_pattern(path)
    assert files_of(path) == [path]
    assert has_pattern(tmp_path / "data[12].parquet")


def test_a_pattern_without_a_file_or_with_others(tmp_path: Path) -> None:
    touch(tmp_path, "a.parquet", "b.csv")
    with pytest.raises(DataError, match=r"No file matches .*/\*\.pq\. Check the path"):
        files_of(tmp_path / "*.pq")
    with pytest.raises(DataError, match=r"matches .*/b\.csv, which is no Parquet or Arrow file"):
        files_of(tmp_path / "*")


@pytest.mark.parametrize(("log", "whose"), [("_delta_log", "Delta Lake"), (".hoodie", "Hudi")])
@pytest.mark.parametrize("pattern", ["", "*.parquet", "*"])
def test_files_that_hold_deleted_rows_are_refused(
    tmp_path: Path, log: str, whose: str, pattern: str
) -> None:
    write(tmp_path / "a.parquet", columns(9))
    (tmp_path / log).mkdir()
    with pytest.raises(DataError, match=f"is a table of {whose}, whose files also hold rows"):
        load(tmp_path / pattern, reading=Reading(target="y"))


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("year=2024/month=3/a.parquet", {"year": "2024", "month": "3"}),
        ("a%3Db=%2Fc%20d/a.parquet", {"a=b": "/c d"}),
        ("c=__HIVE_DEFAULT_PARTITION__/a.parquet", {"c": ""}),
        ("c=a=b/a.parquet", {"c": "a=b"}),
        ("a/b=c.parquet", {}),
    ],
)
def test_what_folders_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, told: dict[str, str]
) -> None:
    assert told_by_folders(tmp_path / file) == told
    touch(tmp_path, file)
    monkeypatch.chdir((tmp_path / file).parent)
    assert told_by_folders(Path(Path(file).name)) == told


@pytest.mark.parametrize("place", ["", "year=*/*.parquet", "year=2024", "year=2024/0.parquet"])
@pytest.mark.parametrize("most", [1, 2**30])
def test_a_file_alone_has_the_columns_of_its_folders(tmp_path: Path, place: str, most: int) -> None:
    write(tmp_path / "year=2024/0.parquet", columns(20, year=[1] * 20))
    reading = Reading(target="y", roles={"x": "number", "year": "number"})
    dataset = load(tmp_path / place, reading=reading, memory=Memory(most))
    assert isinstance(dataset.X, Table)
    assert dataset.X.columns["year"].tolist() == [2024.0] * 20


def test_columns_of_folders_are_learned_from(tmp_path: Path) -> None:
    for year in (2022, 2023, 2024):
        for half in "ab":
            write(tmp_path / f"year={year}/half={half}/0.parquet", columns(20, seed=year))
    table = plain(ColumnFiles.of(tmp_path).table())
    assert table["year"] == [str(year) for year in (2022, 2023, 2024) for _ in range(40)]
    assert table["half"] == [*"a" * 20, *"b" * 20] * 3
    kinds = {one.name: one.kind for one in on_disk(tmp_path).columns}
    assert kinds == {"y": "target", "x": "number", "year": "number", "half": "category"}


def test_a_folder_of_files_and_of_folders_of_them_is_one_table(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", columns(9))
    write(tmp_path / "archive/b.parquet", columns(9))
    write(tmp_path / "archive/older/c.parquet", columns(9))
    assert Columnar().owns_folder(tmp_path)
    assert len(ColumnFiles.of(tmp_path)) == 27


def test_a_folder_of_pictures_with_a_table_of_them_is_one_of_pictures(tmp_path: Path) -> None:
    write(tmp_path / "labels.parquet", columns(9))
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(2):
            picture = Image.fromarray(np.full((8, 8, 3), 40 * number, np.uint8))
            picture.save(tmp_path / label / f"{number}.png")
    assert not Columnar().owns_folder(tmp_path)
    assert load(tmp_path).class_names == ("cat", "dog")

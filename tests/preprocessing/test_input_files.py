"""Files are found by folder and by pattern; nothing is lost or counted twice without a word."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.errors import DataError
from clearprop.preprocessing import NumericColumn, PictureRecipe, TableRecipe, found_files

PICTURES = PictureRecipe((8, 8), 3)
TABLE = TableRecipe((NumericColumn("x", 0.0, 0.0, 1.0),))


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_tables_come_one_by_one_and_pictures_together(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("b.csv", "a.png", "a.csv", "b.jpg")]
    with found_files(names, TABLE) as files:
        found = [[path.name for path in group] for group in files.groups]
    assert found == [["a.png", "b.jpg"], ["b.csv"], ["a.csv"]]


@pytest.mark.parametrize("recipe", [PICTURES, TABLE])
def test_an_address_is_no_file(recipe: Any) -> None:
    with (
        pytest.raises(DataError, match=r"no file https://here/a\.png\. Only files are read: save"),
        found_files(["https://here/a.png"], recipe),
    ):
        pass


def test_a_file_without_a_suffix_is_a_picture_to_a_model_of_pictures(tmp_path: Path) -> None:
    touch(tmp_path, "IMG_1")
    for recipe, length in ((PICTURES, 1), (TABLE, 2)):
        with found_files([tmp_path / "IMG_1", tmp_path / "a.png"], recipe) as files:
            assert len(files.groups) == length


names = st.from_regex(r"[a-c]{1,2}(/[a-c]{1,2}){0,2}\.(png|jpg|txt)", fullmatch=True)


@given(st.sets(names, min_size=1, max_size=8))
def test_a_folder_gives_all_of_its_pictures_sorted(
    tmp_path_factory: pytest.TempPathFactory, made: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("made")
    touch(folder, *made)
    pictures = sorted(Path(name) for name in made if not name.endswith(".txt"))
    if not pictures:
        with (
            pytest.raises(DataError, match="has no picture; found"),
            found_files([folder], PICTURES),
        ):
            pass
        return
    for name in (folder, f"{folder}/**"):
        with found_files([name], PICTURES) as files:
            (group,) = files.groups
        assert [path.relative_to(folder) for path in group] == pictures
        passed = len(made) - len(pictures)
        assert [f"{passed} of {len(made)} files" in note for note in files.notes] == (
            [True] if passed else []
        )


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    touch(tmp_path, "new/a.png", "elsewhere/b.png")
    (tmp_path / "new/circle").symlink_to(tmp_path / "new")
    (tmp_path / "new/other").symlink_to(tmp_path / "elsewhere")
    with found_files([tmp_path / "new"], PICTURES) as files:
        assert [path.name for path in files.groups[0]] == ["a.png", "b.png"]


def test_a_folder_that_is_closed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "new/a.png", "new/closed/b.png")
    scandir = os.scandir

    def scan(folder: Any) -> Any:
        if str(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", scan)
    with found_files([tmp_path / "new"], PICTURES) as files:
        (problem,) = files.problems
    assert str(problem) == f"{tmp_path}/new/closed can't be looked into: Permission denied"


def test_a_name_that_looks_like_a_pattern_is_a_file_where_there_is_one(tmp_path: Path) -> None:
    touch(tmp_path, "photo[1].png", "photo1.png")
    with found_files([tmp_path / "photo[1].png"], PICTURES) as files:
        assert files.groups == ((tmp_path / "photo[1].png",),)


def test_what_is_piped_needs_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DataError, match="no standard input"), found_files(["-"], TABLE):
        pass
    with pytest.raises(DataError, match="no file to predict from"), found_files([], TABLE):
        pass

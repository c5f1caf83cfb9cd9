"""``clearprop data``: what is understood, and data that can't be."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_pictures import write_picture

from clearprop.data.named import BUILTINS, TOYS


class TestUnderstood:
    def test_are_the_columns_of_a_table(self, clearprop, people):
        result = clearprop("data", people)
        assert result.exit_code == 0
        rows = {line.split()[0]: line.split() for line in result.stdout.splitlines() if line}
        assert rows["age"][1:3] == ["number", "8"]
        assert rows["colour"][1:4] == ["category", "7", "2"]
        assert "80 samples, table" in result.stdout
        assert result.stderr == ""

    def test_are_the_classes_of_pictures_and_their_test_set(self, clearprop, photos, strict_json):
        for name in ("bright", "dark"):
            write_picture(photos / f"test/{name}/0.png", bright=True, seed=0)
            (photos / "train").mkdir(exist_ok=True)
            (photos / name).rename(photos / "train" / name)
        found = strict_json(clearprop("data", photos, "--size", "4x6", "--json").stdout)
        assert found["classes"] == {"bright": 6, "dark": 6}
        assert found["shape"] == [4, 6, 3]
        assert found["test"]["classes"] == {"bright": 1, "dark": 1}
        assert "its test set: 2 samples" in clearprop("data", photos).stdout

    @pytest.mark.parametrize("name", [*BUILTINS, *TOYS])
    def test_are_all_named_sets(self, clearprop, strict_json, name):
        assert clearprop("data", name).exit_code == 0
        assert strict_json(clearprop("data", name, "--json").stdout)["name"] == name

    def test_are_missing_values_in_json(self, clearprop, strict_json):
        Path("a.csv").write_text("a,b,y\n,1,u\n,2,v\n,1,u\n,2,v\n")
        found = strict_json(clearprop("data", "a.csv", "--json").stdout)
        column = found["columns"][1]
        assert [column[key] for key in ("name", "kind", "missing", "used")] == [
            "a",
            "empty",
            4,
            False,
        ]
        assert "left out: no cell is filled" in clearprop("data", "a.csv").stdout


class TestBrokenPictures:
    def test_are_listed_with_the_reason(self, clearprop, photos, strict_json):
        whole = (photos / "dark/0.png").read_bytes()
        (photos / "dark/cut.png").write_bytes(whole[: len(whole) // 2])
        (photos / "dark/text.jpg").write_text("no picture")
        Image.new("1", (20_000, 20_000)).save(photos / "bright/bomb.png")
        result = clearprop("data", photos)
        assert result.exit_code == 0
        assert "12 samples" in result.stdout
        assert "3 left out:" in result.stdout
        problems = strict_json(clearprop("data", photos, "--json").stdout)["problems"]
        assert {Path(problem["source"]).name for problem in problems} == {
            "cut.png",
            "text.jpg",
            "bomb.png",
        }

    def test_are_named_by_train_which_learns_from_the_others(self, clearprop, photos):
        (photos / "dark/text.jpg").write_text("no picture")
        result = clearprop("train", photos, "--size", 4, "--epochs", 1)
        assert result.exit_code == 0
        assert f"Left out: {photos}/dark/text.jpg is not a JPEG" in result.stderr


class TestFoldersThatCantBeLearned:
    def remove(self, photos, name, keep):
        for path in sorted((photos / name).iterdir())[keep:]:
            path.unlink()

    def test_empty(self, clearprop, elsewhere):
        Path("photos").mkdir()
        result = clearprop("train", "photos")
        assert result.exit_code == 1
        assert "photos has no class folders" in result.stderr

    def test_with_an_empty_class(self, clearprop, photos):
        self.remove(photos, "dark", keep=0)
        result = clearprop("train", photos)
        assert result.exit_code == 1
        assert f"{photos}/dark holds no pictures" in result.stderr

    def test_with_a_single_class(self, clearprop, photos, elsewhere):
        self.remove(photos, "dark", keep=0)
        (photos / "dark").rmdir()
        result = clearprop("train", photos)
        assert result.exit_code == 1
        assert "has a single class, 'bright'" in result.stderr
        assert clearprop("data", photos).exit_code == 0
        assert list(elsewhere.iterdir()) == []

    def test_with_a_single_picture_of_a_class(self, clearprop, photos):
        self.remove(photos, "dark", keep=1)
        result = clearprop("train", photos)
        assert result.exit_code == 1
        assert "The class 'dark'" in result.stderr
        assert "dark/0.png" in result.stderr

    def test_with_mostly_broken_pictures(self, clearprop, photos):
        for path in [*photos.glob("*/[0-4].png")]:
            path.write_text("no picture")
        result = clearprop("data", photos)
        assert result.exit_code == 1
        assert f"10 of the 12 pictures in {photos} can't be read" in result.stderr


class TestTablesThatCantBeRead:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a,b,y\n1,2,0,4\n" + "1,2,0\n3,4,1,2,7\n" * 9, "Line 2 of bad.csv has 4 cells"),
            (
                "a,y\n1,0\n1,1\n",
                "no column to learn 'y' from (a: constant, every cell is the same)",
            ),
            ("a,b,y\n1,2,\n3,4,\n", "no row has a value of 'y', the target"),
            ("y\n1\n2\n", "bad.csv has only one column, 'y'"),
            ("a,b\n", "bad.csv has a header but no rows"),
        ],
    )
    def test_are_named_by_line_row_or_column(self, clearprop, text, message):
        Path("bad.csv").write_text(text)
        for command in ("data", "train"):
            result = clearprop(command, "bad.csv")
            assert result.exit_code == 1
            assert message in result.stderr

    def test_have_no_such_target(self, clearprop, people):
        result = clearprop("train", people, "--target", "buy")
        assert result.exit_code == 2
        assert "There is no column 'buy'. Did you mean 'buys'?" in result.stderr


class TestArraysThatCantBeRead:
    def test_hold_what_is_not_finite(self, clearprop):
        np.savez("bad.npz", X=[[1.0, np.nan]] * 4, y=[0, 1, 0, 1])
        result = clearprop("train", "bad.npz")
        assert result.exit_code == 1
        assert "bad.npz: X[0, 1] is nan, expected a finite number" in result.stderr

    def test_are_no_archive(self, clearprop):
        Path("bad.npz").write_text("text")
        result = clearprop("data", "bad.npz")
        assert result.exit_code == 1
        assert "bad.npz is no NPZ file" in result.stderr


class TestNames:
    def test_that_nothing_goes_by_get_the_nearest(self, clearprop):
        for command in ("data", "train"):
            result = clearprop(command, "digit")
            assert result.exit_code == 2
            assert "There is no data set or path 'digit'. Did you mean 'digits'?" in result.stderr

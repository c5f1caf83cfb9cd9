"""``clearprop predict``: answers for files, and pictures of what the network sees."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_pictures import write_picture


class TestATable:
    @pytest.fixture
    def new(self):
        Path("new.csv").write_text("weight,age,colour\n1,70,red\n2,20,green\n3,,violet\n")
        return "new.csv"

    def test_is_answered_row_by_row_without_its_target(self, clearprop, table_model, new):
        result = clearprop("predict", table_model, new)
        assert result.exit_code == 0
        header, *rows = (line.split() for line in result.stdout.splitlines())
        assert header == ["sample", "prediction", "probability"]
        assert [row[:4] for row in rows[:2]] == [
            ["new.csv", "row", "1", "yes"],
            ["new.csv", "row", "2", "no"],
        ]
        assert len(rows) == 3  # a missing number and an unknown category are answered, too

    def test_as_json_gives_every_probability(self, clearprop, table_model, new, strict_json):
        answers = strict_json(clearprop("predict", table_model, new, "--json").stdout)
        for answer in answers["predictions"]:
            assert sum(answer["probabilities"].values()) == pytest.approx(1)
            assert answer["prediction"] == max(
                answer["probabilities"], key=answer["probabilities"].get
            )

    def test_is_drawn_as_the_network_sees_it(self, clearprop, table_model, new):
        result = clearprop("predict", table_model, new, "--show", "--out", "seen")
        assert result.exit_code == 0
        drawn = [f"seen/new-csv-row-{row}-seen.png" for row in (1, 2, 3)]
        assert result.stdout.splitlines()[-3:] == drawn
        for path in drawn:
            with Image.open(path) as image:
                image.verify()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("age,colour,weight\nold,red,1\n", "Row 1 of column 'age' is 'old', expected a number"),
            ("age,colour,weight\n1,red,inf\n", "Row 1 of column 'weight' in new.csv is infinite"),
            ("age,colour,weight\n1,red,1e300\n", "Row 1 of column 'weight' is 1e+300"),
            ("age,colour\n1,red\n", "The column 'weight' is missing"),
            ("age,colour,weight,size\n1,red,2,3\n", "The column 'size' was not in the training"),
            ("age,colour,weight\n1,red\n", "Line 2 of new.csv has 2 cells, expected 3"),
            ("age,colour,weight\n", "new.csv has a header but no rows"),
            ("", "new.csv has no header"),
        ],
    )
    def test_that_does_not_fit_is_refused_by_row_and_column(
        self, clearprop, table_model, text, message
    ):
        Path("new.csv").write_text(text)
        result = clearprop("predict", table_model, "new.csv")
        assert result.exit_code == 1
        assert message in result.stderr
        assert "new.csv" in result.stderr
        assert result.stdout == ""

    def test_comes_alone(self, clearprop, table_model, new):
        result = clearprop("predict", table_model, new, new)
        assert result.exit_code == 1
        assert "expected pictures, or one CSV, TSV or NPZ file" in result.stderr


class TestPictures:
    def test_of_any_size_are_answered_by_file(self, clearprop, picture_model):
        bright = write_picture(Path("bright.png"), bright=True, seed=90, size=(31, 17))
        dark = write_picture(Path("dark.png"), bright=False, seed=91, size=(3, 40))
        result = clearprop("predict", picture_model, bright, dark)
        assert result.exit_code == 0
        rows = [line.split() for line in result.stdout.splitlines()[1:]]
        assert [row[:2] for row in rows] == [["bright.png", "bright"], ["dark.png", "dark"]]

    def test_of_one_name_are_drawn_side_by_side(self, clearprop, picture_model):
        files = [
            write_picture(Path(folder, "my cat.v2.png"), bright=True, seed=1)
            for folder in ("a", "b")
        ]
        result = clearprop("predict", picture_model, *files, "--show", "--out", "seen")
        assert result.exit_code == 0
        assert sorted(path.name for path in Path("seen").iterdir()) == [
            "my-cat-v2-seen-2.png",
            "my-cat-v2-seen.png",
        ]

    def test_that_cant_be_read_are_named_and_the_others_answered(
        self, clearprop, picture_model, strict_json
    ):
        good = write_picture(Path("good.png"), bright=True, seed=1)
        Path("cut.png").write_bytes(good.read_bytes()[:200])
        Path("text.jpg").write_text("no picture")
        Image.new("1", (20_000, 20_000)).save("bomb.png")
        files = ("cut.png", "good.png", "text.jpg", "bomb.png", "none.png")
        result = clearprop("predict", picture_model, *files, "--json")
        assert result.exit_code == 1
        found = strict_json(result.stdout)
        assert [answer["source"] for answer in found["predictions"]] == ["good.png"]
        reasons = {problem["source"]: problem["reason"] for problem in found["problems"]}
        assert set(reasons) == {"cut.png", "text.jpg", "bomb.png", "none.png"}
        assert "truncated" in reasons["cut.png"]
        assert "not a JPEG, PNG, WebP, GIF, BMP, TIFF or other picture" in reasons["text.jpg"]
        assert "million pixels" in reasons["bomb.png"]
        assert "No such file" in reasons["none.png"]
        assert result.stderr.count("Left out: ") == 4

    def test_alone_that_cant_be_read_leave_nothing_to_say(self, clearprop, picture_model):
        result = clearprop("predict", picture_model, "none.png", "--show")
        assert result.exit_code == 1
        assert result.stdout == ""
        assert "none.png can't be read" in result.stderr

    def test_are_no_input_of_a_table_model(self, clearprop, table_model):
        picture = write_picture(Path("a.png"), bright=True, seed=1)
        result = clearprop("predict", table_model, picture)
        assert result.exit_code == 1
        assert "a.png is a picture, but the model was not trained on pictures" in result.stderr


class TestArrays:
    def test_are_answered_and_drawn_as_given_and_as_seen(self, clearprop, array_model):
        X = np.zeros((2, 6))
        X[:, 0] = 3, -3
        np.savez("new.npz", X=X)
        result = clearprop("predict", array_model, "new.npz", "--show")
        assert result.exit_code == 0
        rows = [line.split() for line in result.stdout.splitlines()[1:3]]
        assert [row[3] for row in rows] == ["1", "0"]
        assert Path("new-npz-row-1-seen.png").exists()

    def test_of_another_shape_are_refused(self, clearprop, array_model, picture_model):
        np.savez("wrong.npz", X=np.zeros((2, 5)))
        result = clearprop("predict", array_model, "wrong.npz")
        assert result.exit_code == 1
        assert "wrong.npz: The samples have shape (5,), expected (6,)" in result.stderr
        np.savez("wrong.npz", X=np.zeros((2, 9, 9, 3), np.uint8))
        result = clearprop("predict", picture_model, "wrong.npz")
        assert result.exit_code == 1
        assert "wrong.npz: The pictures have shape (9, 9, 3), expected (8, 8, 3)" in result.stderr

    def test_may_come_as_a_table_of_numbers(self, clearprop, array_model):
        with Path("new.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["a", "b", "c", "d", "e", "f"], [3, 0, 0, 0, 0, 0]])
        result = clearprop("predict", array_model, "new.csv")
        assert result.exit_code == 0
        assert result.stdout.splitlines()[1].split()[:4] == ["new.csv", "row", "1", "1"]


class TestValues:
    @pytest.fixture
    def model(self, clearprop, undrawn):
        Path("y.csv").write_text("a,y\n" + "".join(f"{i},{2.5 * i}\n" for i in range(60)))
        options = ("--layers", "none", "--learning-rate", 0.1, "--epochs", 200, "--out", "run")
        assert clearprop("train", "y.csv", *options).exit_code == 0
        Path("new.csv").write_text("a\n10\n")
        return "run/model.safetensors"

    def test_are_predicted_on_their_own_scale(self, clearprop, model, strict_json):
        found = strict_json(clearprop("predict", model, "new.csv", "--json").stdout)
        (answer,) = found["predictions"]
        assert answer["prediction"] == pytest.approx(25, abs=0.5)
        assert "probabilities" not in answer

    def test_have_no_probabilities_to_draw(self, clearprop, model):
        result = clearprop("predict", model, "new.csv", "--show")
        assert result.exit_code == 2
        assert "this model gives none" in result.stderr

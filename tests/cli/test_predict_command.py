"""``clearprop predict``: answers for files, folders and pipes, and pictures of what is seen."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from small_pictures import write_picture

from clearprop.cli import cli
from clearprop.preprocessing import input_files


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
        result = clearprop("predict", table_model, new, "--show-in", "seen")
        assert result.exit_code == 0
        drawn = [f"seen/new-csv-row-{row}-seen.png" for row in (1, 2, 3)]
        assert result.stdout.splitlines()[-3:] == drawn
        for path in drawn:
            with Image.open(path) as image:
                image.verify()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("age,colour,weight\n1,red,1e300\n", "Row 1 of column 'weight' is 1e+300"),
            ("age,colour\n1,red\n", "The column 'weight' is missing"),
            (
                "age,colour,weight\n1,red,2\n1,a,2,9\n1,a,2,9,9",
                "Line 3 of new.csv has 4 cells, expected 3",
            ),
            ("age,colour,weight\n", "new.csv has a header but no rows"),
            ("", "new.csv is empty; expected a table"),
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

    @pytest.mark.parametrize(
        ("row", "empty", "note"),
        [
            ("old,red,1", ",red,1", "age: 1 cell is no number, 'old' (row 2), and taken for missi"),
            ("1,red,inf", "1,red,", "weight: 1 cell is no number, 'inf' (row 2), and taken for mi"),
            ("1,red", "1,red,", "1 line with fewer cells than the header, the first line 3: the l"),
        ],
    )
    def test_with_a_cell_that_is_none_is_answered_as_if_it_were_empty(
        self, clearprop, table_model, row, empty, note, strict_json
    ):
        answers = []
        for name, second in (("new.csv", row), ("empty.csv", empty)):
            Path(name).write_text(f"age,colour,weight\n70,green,2\n{second}\n")
            result = clearprop("predict", table_model, name, "--json")
            assert result.exit_code == 0
            answers.append((result, strict_json(result.stdout)["predictions"][1]["probabilities"]))
        assert answers[0][1] == answers[1][1]
        assert f"Note: new.csv: {note}" in answers[0][0].stderr
        Path("new.csv").write_text(f"age,colour,weight\n{row}\n")  # where nothing else is known
        assert (
            note.split(",")[0].split("(")[0] in clearprop("predict", table_model, "new.csv").stderr
        )
        assert answers[1][0].stderr == ""

    def test_may_have_other_columns_which_are_passed_over_aloud(self, clearprop, table_model, new):
        Path("more.csv").write_text("size,weight,age,colour,buys\n9,1,70,red,no\n9,2,20,green,no\n")
        result = clearprop("predict", table_model, "more.csv")
        assert result.exit_code == 0
        assert result.stderr == (
            "Note: more.csv: 1 column that training did not have, passed over: size.\n"
        )
        rows = clearprop("predict", table_model, new).stdout.splitlines()[1:3]
        assert [line.split()[3:] for line in result.stdout.splitlines()[1:]] == [
            line.split()[3:] for line in rows
        ]

    def test_may_come_with_others_and_the_rest_is_answered_where_one_can_t_be(
        self, clearprop, table_model, new, strict_json
    ):
        Path("bad.csv").write_text("weight,age,colour\n1,1e300,red\n")
        result = clearprop("predict", table_model, new, "bad.csv", "gone.csv", new, "--json")
        assert result.exit_code == 1
        found = strict_json(result.stdout)
        assert [answer["source"] for answer in found["predictions"]] == [
            f"new.csv row {row}" for row in (1, 2, 3, 1, 2, 3)
        ]
        assert [problem["source"] for problem in found["problems"]] == ["bad.csv", "gone.csv"]
        assert "bad.csv can't be predicted from: Row 1 of column 'age' is 1e+300" in result.stderr
        assert "Left out: gone.csv can't be read: No such file" in result.stderr

    def test_unlike_the_training_data_is_noted_by_row_column_and_value(
        self, clearprop, table_model, strict_json
    ):
        Path("new.csv").write_text("weight,age,colour\n1,70,red\n1,7000,violet\n2,20,pink\n")
        result = clearprop("predict", table_model, "new.csv", "--json")
        assert result.exit_code == 0
        notes = strict_json(result.stdout)["notes"]
        assert len(notes) == 2
        assert notes[0].startswith("new.csv, column 'age': 1 row with numbers far outside")
        assert notes[0].endswith("the first row 2: 7000.")
        assert notes[1] == (
            "new.csv, column 'colour': 2 rows with categories that training never had, "
            "the first row 2: 'violet'."
        )
        assert result.stderr == "".join(f"Note: {note}\n" for note in notes)

    def test_evaluated_is_noted_too(self, clearprop, table_model):
        Path("new.csv").write_text("weight,age,colour,buys\n1,70,red,yes\n1,7,pink,no\n")
        result = clearprop("evaluate", table_model, "new.csv")
        assert result.exit_code == 0
        assert "column 'colour': 1 row" in result.stderr


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
        result = clearprop("predict", picture_model, *files, "--show-in", "seen")
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


class TestPlaces:
    def test_a_run_s_folder_is_its_model(self, clearprop, table_run, table_model):
        Path("new.csv").write_text("weight,age,colour\n1,70,red\n")
        assert (
            clearprop("predict", table_run, "new.csv").stdout
            == clearprop("predict", table_model, "new.csv").stdout
        )

    def test_a_folder_is_every_picture_in_it_at_any_depth(self, clearprop, picture_model):
        for name in ("b.png", "a/z.png", "a/deep/c.png", ".hidden/d.png"):
            write_picture(Path("new", name), bright=True, seed=1)
        Path("new/a/notes.txt").write_text("x")
        result = clearprop("predict", picture_model, "new")
        assert result.exit_code == 0
        assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == [
            "new/a/deep/c.png",
            "new/a/z.png",
            "new/b.png",
        ]
        assert result.stderr == "Note: new: 1 of 4 files are passed over (1 .txt).\n"
        for pattern in ("new/**", "new/**/*.png", "n?w"):
            again = clearprop("predict", picture_model, pattern)
            assert again.exit_code == 0, again.stderr
            assert again.stdout == result.stdout

    def test_a_folder_with_one_table_is_that_table(self, clearprop, table_model, picture_model):
        Path("data/deep").mkdir(parents=True)
        Path("data/readme.txt").write_text("weight")
        result = clearprop("predict", table_model, "data")
        assert result.exit_code == 1
        assert "data/readme.txt has a header but no rows" in result.stderr
        result = clearprop("predict", picture_model, "data")
        assert "data has no picture; found 1 .txt" in result.stderr
        Path("data/deep/new.csv").write_text("weight,age,colour\n1,70,red\n")
        result = clearprop("predict", table_model, "data")
        assert result.stdout.splitlines()[1].startswith("new.csv row 1")
        assert result.stderr == "Note: data: 1 of 2 files are passed over (1 .txt).\n"
        Path("data/b.csv").write_text("weight,age,colour\n1,70,red\n")
        result = clearprop("predict", table_model, "data")
        assert result.exit_code == 1
        assert "data holds 2 tables or arrays (b.csv, new.csv)" in result.stderr

    def test_a_pattern_that_matches_nothing_is_refused(self, clearprop, table_model):
        result = clearprop("predict", table_model, "*.csv")
        assert result.exit_code == 1
        assert "No file matches *.csv" in result.stderr

    @pytest.mark.parametrize("name", ["table", "picture", "array"])
    def test_standard_input_is_known_by_its_content(
        self, name, request, table_model, picture_model, array_model
    ):
        Path("table").write_text("weight,age,colour\n1,70,red\n")
        write_picture(Path("picture.png"), bright=True, seed=1).rename("picture")
        with Path("array").open("wb") as file:
            np.savez(file, X=np.ones((1, 6)))
        model = {"table": table_model, "picture": picture_model, "array": array_model}[name]
        result = CliRunner().invoke(
            cli, ["predict", str(model), "-", "--json"], input=Path(name).read_bytes()
        )
        assert result.exit_code == 0, result.stderr
        (answer,) = json.loads(result.stdout)["predictions"]
        assert answer["source"].startswith("standard input")
        assert answer["prediction"] == {"table": "yes", "picture": "bright", "array": "1"}[name]

    def test_standard_input_has_a_bound(self, table_model, monkeypatch):
        monkeypatch.setattr(input_files, "MOST_PIPED", 2**21)
        result = CliRunner().invoke(cli, ["predict", str(table_model), "-"], input=b"a" * 2**22)
        assert result.exit_code == 1
        assert "Standard input goes on after 2 MiB" in result.stderr

    def test_standard_input_that_is_wrong_is_called_so(self, table_model):
        result = CliRunner().invoke(cli, ["predict", str(table_model), "-"], input=b"weight\n")
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: standard input.csv has a header but no rows")

    def test_a_pipe_is_no_file(self, clearprop, table_model):
        os.mkfifo("new.csv")
        result = clearprop("predict", table_model, "new.csv")
        assert result.exit_code == 1
        assert "new.csv can't be read: it is a pipe" in result.stderr

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            (b"x\n1\n", "Left out: standard input.csv can't be predicted from: The column "),
            (
                b"age,weight,colour\n1,2,red\n1,2,red,4\n",
                "Left out: line 3 of standard input.csv has 4 cells",
            ),
        ],
    )
    def test_standard_input_among_files_is_called_so(self, table_model, people, given, told):
        args = ["predict", str(table_model), "-", str(people)]
        result = CliRunner().invoke(cli, args, input=given)
        assert result.exit_code == 1
        assert told in result.stderr
        assert "/clearprop-" not in result.output + result.stderr

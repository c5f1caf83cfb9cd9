"""``clearprop predict``: answers for files, and pictures of what the network sees."""

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from small_pictures import write_picture

import clearprop as cp
from clearprop.cli import cli, output
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


class TestValues:
    @pytest.fixture
    def model(self, clearprop):
        Path("y.csv").write_text("a,y\n" + "".join(f"{i / 4},{10 * i}\n" for i in range(60)))
        options = ("--layers", "none", "--learning-rate", 0.1, "--epochs", 200, "--out", "run")
        assert clearprop("train", "y.csv", *options).exit_code == 0
        Path("new.csv").write_text("a\n0.625\n")
        return "run/model.safetensors"

    def test_are_predicted_on_their_own_scale(self, clearprop, model, strict_json):
        found = strict_json(clearprop("predict", model, "new.csv", "--json").stdout)
        (answer,) = found["predictions"]
        assert answer["prediction"] == pytest.approx(25, abs=0.5)
        assert "probabilities" not in answer

    @pytest.mark.parametrize(
        "option", [("--show",), ("--proba",), ("--top", 2), ("--show-in", "a")]
    )
    def test_have_no_probabilities_to_draw_or_tell(self, clearprop, model, option):
        result = clearprop("predict", model, "new.csv", *option)
        assert result.exit_code == 2
        assert "this model gives n" in result.stderr.lower()
        assert result.stdout == ""

    def test_are_written_on_their_own_scale(self, clearprop, model):
        assert clearprop("predict", model, "new.csv", "--out", "p.csv").exit_code == 0
        (row,) = rows_of("p.csv")
        assert set(row) == {"a", "prediction"}
        assert float(row["prediction"]) == cp.load(model).predict("new.csv")[0]


def rows_of(path):
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestAFile:
    @pytest.fixture
    def new(self):
        Path("new.csv").write_text(
            "id,weight,age,colour,buys,prediction\n007,1.0,70,red,?,\n=1+1,2,020,green,,x\n"
            '"a, ""b""",3,,violet,no,\n',
        )
        return "new.csv"

    def test_has_every_cell_as_it_was_written_and_the_probabilities(
        self, clearprop, table_model, new
    ):
        result = clearprop("predict", table_model, new, "--out", "p.csv")
        assert result.exit_code == 0
        assert result.stdout == "p.csv: 3 answers\n"
        given, rows = rows_of(new), rows_of("p.csv")
        assert [{name: row[name] for name in given[0]} for row in rows] == given
        model = cp.load(table_model)
        with pytest.warns(UserWarning, match="violet|passed over"):
            shares, said = model.predict_proba(new), model.predict(new)
        ours = ["prediction (2)", *(f"probability {name}" for name in model.class_names)]
        assert list(rows[0]) == [*given[0], *ours]
        note = "The input has a column 'prediction' of its own; ours is 'prediction (2)'."
        assert note in result.stderr
        assert [row[ours[0]] for row in rows] == said.tolist()
        assert [[float(row[name]) for name in ours[1:]] for row in rows] == shares.tolist()

    def test_is_told_of_in_json(self, clearprop, table_model, new, strict_json):
        result = clearprop("predict", table_model, new, "--out", "p.csv", "--json")
        told = strict_json(result.stdout)
        assert (told["out"], told["samples"], told["problems"]) == ("p.csv", 3, [])
        assert "predictions" not in told
        assert "ours is 'prediction (2)'" in told["notes"][-1]
        assert len(rows_of("p.csv")) == 3

    def test_in_json_lines_is_the_same(self, clearprop, table_model, new, strict_json):
        for name in ("p.csv", "p.jsonl"):
            assert clearprop("predict", table_model, new, "--out", name).exit_code == 0
        lines = Path("p.jsonl").read_text(encoding="utf-8").splitlines()
        assert [
            {name: str(value) for name, value in strict_json(line).items()} for line in lines
        ] == rows_of("p.csv")

    def test_in_parquet_is_the_same(self, clearprop, table_model, new):
        parquet = pytest.importorskip("pyarrow.parquet")
        for name in ("p.csv", "p.parquet"):
            assert clearprop("predict", table_model, new, "--out", name).exit_code == 0
        assert [
            {name: str(value) for name, value in row.items()}
            for row in parquet.read_table("p.parquet").to_pylist()
        ] == rows_of("p.csv")

    def test_in_parquet_needs_its_extra(self, clearprop, table_model, new, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        result = clearprop("predict", table_model, new, "--out", "p.parquet")
        assert result.exit_code == 1
        assert "pip install 'clearprop[parquet]'" in result.stderr
        assert [path.name for path in Path().iterdir()] == ["new.csv"]

    def test_with_ids_is_ready_to_hand_in(self, clearprop, table_model, new):
        assert clearprop("predict", table_model, new, "--id", "id", "--out", "p.csv").exit_code == 0
        rows = rows_of("p.csv")
        assert list(rows[0]) == ["id", "prediction"]
        assert [row["id"] for row in rows] == ["007", "=1+1", 'a, "b"']
        options = ("--id", "id", "--proba", "--out", "p.csv")
        assert clearprop("predict", table_model, new, *options).exit_code == 0
        assert list(rows_of("p.csv")[0])[2:] == ["probability no", "probability yes"]

    def test_of_the_likeliest_has_them_in_pairs(self, clearprop, table_model, new):
        assert clearprop("predict", table_model, new, "--out", "all.csv").exit_code == 0
        assert clearprop("predict", table_model, new, "--top", 2, "--out", "p.csv").exit_code == 0
        for every, row in zip(rows_of("all.csv"), rows_of("p.csv"), strict=True):
            shares = {name: every[f"probability {name}"] for name in ("no", "yes")}
            first, second = sorted(shares, key=lambda name: -float(shares[name]))
            assert [*row.values()][-4:] == [first, shares[first], second, shares[second]]

    def test_of_several_tables_says_which(self, clearprop, table_model):
        Path("a.csv").write_text("age,colour,weight\n1,red,2\n")
        Path("b.csv").write_text("more,weight,age,colour\nm,1,70,red\n")
        assert clearprop("predict", table_model, "a.csv", "b.csv", "--out", "p.csv").exit_code == 0
        rows = rows_of("p.csv")
        assert [row["file"] for row in rows] == ["a.csv", "b.csv"]
        assert [row["more"] for row in rows] == ["", "m"]
        assert [row["age"] for row in rows] == ["1", "70"]

    def test_of_pictures_and_of_arrays_has_their_files(self, clearprop, picture_model, array_model):
        for seed, bright in enumerate((True, False)):
            write_picture(Path(f"{seed}.png"), bright=bright, seed=seed)
        result = clearprop("predict", picture_model, "0.png", "1.png", "--out", "p.csv")
        assert result.exit_code == 0
        assert [(row["file"], row["prediction"]) for row in rows_of("p.csv")] == [
            ("0.png", "bright"),
            ("1.png", "dark"),
        ]
        np.savez("x.npz", X=np.ones((2, 6)))
        assert clearprop("predict", array_model, "x.npz", "--out", "p.csv").exit_code == 0
        assert [[*row.values()][:2] for row in rows_of("p.csv")] == [["x.npz", "1"], ["x.npz", "2"]]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--out", "seen"), "expected a file that ends in .csv, .jsonl, .parquet"),
            (("--out", "p.xlsx"), "expected a file that ends in .csv, .jsonl, .parquet"),
            (("--out", "new.csv"), "--out would replace new.csv"),
            (("--out", "./link.csv"), "--out would replace new.csv"),
            (("--top", "3"), "--top is 3, but the model has 2 classes"),
            (("--top", "1", "--proba"), "give one of the two"),
            (("--id", "idd"), "Did you mean 'id'?"),
        ],
    )
    def test_that_can_t_be_is_refused(self, clearprop, table_model, new, options, message):
        Path("link.csv").symlink_to("new.csv")
        before = Path(new).read_bytes()
        result = clearprop("predict", table_model, new, *options)
        assert result.exit_code == 2
        assert message in result.stderr
        assert Path(new).read_bytes() == before

    def test_of_pictures_has_no_ids(self, clearprop, picture_model):
        write_picture(Path("a.png"), bright=True, seed=0)
        result = clearprop("predict", picture_model, "a.png", "--id", "file")
        assert result.exit_code == 2
        assert "--id names a column of a table" in result.stderr


class TestWhatIsPrinted:
    def test_has_every_class_with_proba_and_the_likeliest_with_top(self, clearprop, table_model):
        Path("new.csv").write_text("k,weight,age,colour\nA7,1,70,red\n")
        plain = clearprop("predict", table_model, "new.csv").stdout.splitlines()[1].split()
        result = clearprop("predict", table_model, "new.csv", "--proba", "--id", "k")
        assert result.stderr == ""  # the column is not passed over
        header, row = (line.split() for line in result.stdout.splitlines())
        assert header == ["k", "prediction", "no", "yes"]
        assert (row[0], row[1], row[3]) == ("A7", "yes", plain[-1])
        header, row = (
            line.split()
            for line in clearprop("predict", table_model, "new.csv", "--top", 2).stdout.splitlines()
        )
        assert header == [
            "sample",
            "prediction",
            "probability",
            *["prediction", "2", "probability", "2"],
        ]
        assert row[3:] == ["yes", plain[-1], "no", f"{100 - float(plain[-1][:-1]):.2f}%"]

    def test_is_aligned_however_many_rows_there_are(self, clearprop, table_model, monkeypatch):
        Path("new.csv").write_text("weight,age,colour\n1,70,red\n2,20,green\n3,30,red\n")
        few = clearprop("predict", table_model, "new.csv").stdout
        monkeypatch.setattr(output, "_WRAPPED", 1)
        assert clearprop("predict", table_model, "new.csv").stdout == few

    def test_are_ten_notes_and_a_count(self, clearprop, capsys):
        output.note_all([f"{i}" for i in range(13)])
        lines = capsys.readouterr().err.splitlines()
        assert lines == [
            *(f"Note: {i}" for i in range(10)),
            "... and 3 more notes; --json has them all.",
        ]


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

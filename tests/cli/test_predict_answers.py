"""What ``clearprop predict`` answers: in a file, printed, on the scale of values."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from small_pictures import write_picture

import clearprop as cp
from clearprop.cli import output


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

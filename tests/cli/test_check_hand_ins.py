"""``clearprop check FOLDER``: hand-ins graded, as a table, as JSON and as a CSV file."""

import csv
from pathlib import Path

import pytest

from clearprop.gradcheck import grading
from clearprop.gradcheck.grading import Grade

RIGHT = """
import numpy as np
X, y = np.random.randn(20, 4), np.random.randn(20, 2)
W = np.random.randn(4, 2)
for step in range(9):
    error = X @ W - y
    cost = np.sum(error**2) / 2
    W -= 0.01 * X.T @ error
"""
WRONG = RIGHT.replace("X.T @ error", "X.T @ (y - X @ W)")


@pytest.fixture
def hand_ins():
    for name, text in {"anna": RIGHT, "ben": WRONG}.items():
        Path(f"hand-ins/{name}").mkdir(parents=True)
        Path(f"hand-ins/{name}/net.py").write_text(text, encoding="utf-8")
    Path("hand-ins/read.me").touch()
    return Path("hand-ins")


@pytest.fixture
def made_up(monkeypatch):
    """Grade without running: hand-ins are called by their outcomes."""

    def graded(file, *_):
        if file.stem == "stop":
            raise KeyboardInterrupt
        return Grade(str(file), file.stem, message="\x1b[31mred", seconds=0.1)

    monkeypatch.setattr(grading, "grade", graded)


def write(*names):
    for name in names:
        path = Path("hand-ins", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def rows_of(path):
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestGrades:
    @pytest.mark.slow
    def test_are_a_table_with_a_summary_and_progress_apart(self, clearprop, hand_ins):
        result = clearprop("check", hand_ins)
        assert result.exit_code == 0
        header, anna, ben, _, *summary = [line.split() for line in result.stdout.splitlines()]
        assert header == ["file", "outcome", "right", "line", "why", "seconds"]
        assert anna[:5] == ["hand-ins/anna/net.py", "right", "1", "of", "1"]
        assert ben[:6] == ["hand-ins/ben/net.py", "wrong", "0", "of", "1", "8"]
        assert " ".join(summary[0]) == "2 files: 1 right, 1 wrong."
        assert summary[-1][-1] == "1"
        said = result.stderr.splitlines()
        assert said[0] == "Neither .py nor .ipynb: 1 .me."
        assert said[1].startswith("Running 2 files: everything in them is executed, each in a pro")
        assert said[2].startswith("1 of 2: hand-ins/anna/net.py: right (")
        assert said[3].startswith("2 of 2: hand-ins/ben/net.py: wrong, line 8 (")
        assert not clearprop("check", hand_ins, "--quiet").stderr

    @pytest.mark.slow
    def test_are_written_to_a_file_which_is_replaced(self, clearprop, hand_ins):
        Path("grades.csv").write_text("old", encoding="utf-8")
        result = clearprop("check", hand_ins, "--out", "grades.csv")
        assert result.exit_code == 0
        assert result.stdout.startswith("2 files: 1 right, 1 wrong.\n")
        assert result.stdout.endswith("grades.csv: 2 rows\n")
        anna, ben = rows_of("grades.csv")
        assert (anna["outcome"], anna["right"], anna["line"]) == ("right", "1", "")
        assert (ben["outcome"], ben["right"], ben["line"]) == ("wrong", "0", "8")
        assert ben["text"].startswith("W -= 0.01 * ")

    @pytest.mark.slow
    def test_are_one_json_object(self, clearprop, hand_ins, strict_json):
        said = strict_json(clearprop("check", hand_ins, "--json").stdout)
        assert [row["outcome"] for row in said["grades"]] == ["right", "wrong"]
        assert said["summary"]["files"] == 2
        assert said["summary"]["outcomes"]["wrong"] == 1
        assert said["passed_over"] == {".me": 1}
        assert not said["interrupted"]

    @pytest.mark.usefixtures("made_up")
    def test_of_files_that_are_named_and_of_one_file(self, clearprop):
        write("right.py", "wrong.ipynb", "notes.txt")
        every = clearprop(
            "check", *map(str, Path("hand-ins").iterdir()), "--json", "--out", "g.csv"
        )
        assert every.exit_code == 0
        assert [row["outcome"] for row in rows_of("g.csv")] == ["right", "wrong"]
        assert clearprop("check", "hand-ins/wrong.ipynb", "--out", "g.csv").exit_code == 0
        assert len(rows_of("g.csv")) == 1

    @pytest.mark.usefixtures("made_up")
    def test_show_what_a_terminal_would_obey(self, clearprop):
        write("failed.py", "a\nb/too slow.py")
        result = clearprop("check", "hand-ins")
        assert "\x1b" not in result.stdout
        assert "hand-ins/a\\x0ab/too slow.py" in result.stdout
        assert "2: hand-ins/a\\x0ab/too slow.py: too slow" in result.stderr

    @pytest.mark.usefixtures("made_up")
    def test_so_far_are_kept_where_one_interrupts(self, clearprop, strict_json):
        write("right.py", "stop.py", "wrong.py")
        result = clearprop("check", "hand-ins", "--out", "grades.csv")
        assert result.exit_code == 130
        assert [row["outcome"] for row in rows_of("grades.csv")] == ["right"]
        assert "Interrupted: 1 of 3 files are graded; grades.csv has their rows." in result.stderr
        result = clearprop("check", "hand-ins", "--json")
        assert result.exit_code == 130
        assert strict_json(result.stdout)["interrupted"]
        result = clearprop("check", "hand-ins/stop.py", "--out", "grades.csv")
        assert result.exit_code == 130
        assert len(rows_of("grades.csv")) == 1  # of before


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("hand-ins", "--forward", "f"), "--forward is for one file; hand-ins are graded"),
            (("hand-ins", "--data", "iris"), "--data is for one file"),
            (("hand-ins/a.py", "--out", "g.csv", "--layers", "4,1"), "--layers is for one file"),
            (("hand-ins", "--out", "grades.txt"), "--out is grades.txt, expected a file that ends"),
            (("empty", "--out", "g.csv"), "empty has nothing to grade: no .py file and no note"),
            (("empty",), "empty has no class folders"),
            (("empty",), "Nor has it a .py file or a notebook to check."),
            (("hand-ins", "nowhere.py"), "There is no file nowhere.py"),
            (("iris", "wine"), "There is no file iris"),
        ],
    )
    def test_is_said_before_anything_runs(self, clearprop, arguments, said):
        write("a.py")
        Path("empty").mkdir()
        result = clearprop("check", *arguments)
        assert result.exit_code == 2
        assert said in result.stderr
        assert "Running" not in result.stderr
        assert not Path("g.csv").exists()

    @pytest.mark.usefixtures("made_up")
    def test_a_place_that_cannot_be_written_is_found_out_before_hours_of_work(self, clearprop):
        write("stop.py")
        result = clearprop("check", "hand-ins", "--out", "no/grades.csv")
        assert result.exit_code == 1
        assert "no/grades.csv can't be written" in result.stderr

    def test_the_folder_of_a_run_is_a_model_whatever_else_it_holds(self, clearprop, table_run):
        (table_run / "stray.py").touch()
        try:
            result = clearprop("check", table_run)
        finally:
            (table_run / "stray.py").unlink()
        assert "checked on 32 of 80 samples" in result.stdout

"""Hand-ins found in folders, graded one by one, and written as rows that harm no spreadsheet."""

import csv
import json
import os
import sys

import pytest

from clearprop.errors import OutputError, UsageError
from clearprop.gradcheck import grading
from clearprop.gradcheck.grading import Grade, Tally, cell, grade, written_grades
from clearprop.gradcheck.hand_ins import find_hand_ins, importers_of, require_hand_ins
from clearprop.gradcheck.learner import child

RIGHT = """
import numpy as np
X, Y = np.random.randn(20, 4), np.random.randn(20, 2)
W1, W2 = np.random.randn(4, 3), np.random.randn(3, 2)
for epoch in range(20):
    A = np.tanh(X @ W1)
    error = A @ W2 - Y
    cost = np.mean(error**2)
    delta = 2 * error / error.size
    back = delta @ W2.T * (1 - A * A)
    W2 -= 0.1 * A.T @ delta
    W1 -= 0.1 * X.T @ back
"""
WRONG = RIGHT.replace("(1 - A * A)", "(1 + A * A)  # ;=HYPERLINK(1)")
CALLED = """
import math
open("left.txt", "w").write("mine")

def sigmoid(z):
    return [[1 / (1 + math.exp(-one)) for one in row] for row in z]
"""


@pytest.fixture
def place(tmp_path):
    """Write files into a folder of hand-ins, and return it."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / "hand-ins" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / "hand-ins"

    return write


def graded(folder, timeout=20.0):
    return {file.name: grade(file, timeout) for file in find_hand_ins([folder]).files}


def notebook(text):
    cells = [{"cell_type": "code", "source": cell.splitlines(True)} for cell in ("a = 1", text)]
    return json.dumps({"cells": cells, "nbformat": 4}, indent=1)


class TestFinding:
    def found(self, folder):
        return [path.relative_to(folder).as_posix() for path in find_hand_ins([folder]).files]

    def test_files_at_any_depth_come_in_sorted_order(self, place):
        names = ("ben/net.py", "anna/week 2/net.py", "anna/net.ipynb", "c.py", "line\nbreak.py")
        folder = place(**dict.fromkeys(names, "1"))
        assert self.found(folder) == sorted(names)

    def test_what_holds_no_hand_ins_is_left_out_and_told(self, place):
        left_out = {
            ".git/hook.py": "hidden",
            "._net.py": "hidden",
            "__pycache__/net.py": "made by other programs",
            "anna/venv/lib/net.py": "a virtual environment",
            "pkg/__init__.py": "the empty mark of a package",
        }
        folder = place(
            **dict.fromkeys(left_out, ""), **{"anna/venv/pyvenv.cfg": "", "a.py": "", "a.pdf": ""}
        )
        (folder / "circle").symlink_to(folder, target_is_directory=True)
        (folder / "out.py").symlink_to(__file__)
        found = find_hand_ins([folder])
        assert [path.name for path in found.files] == ["a.py"]
        assert set(found.left_out) == {*left_out.values(), "a link"}
        assert len(found.left_out["a link"]) == len(found.left_out["hidden"]) == 2
        assert found.told[-1] == "Neither .py nor .ipynb: 1 .pdf."

    def test_a_folder_may_be_named_by_a_link_and_a_file_comes_once(self, place, tmp_path):
        folder = place(**{"a.py": "1", "b.py": "1"})
        (tmp_path / "link").symlink_to(folder, target_is_directory=True)
        files = find_hand_ins([tmp_path / "link", folder / "b.py", folder]).files
        assert [path.name for path in files] == ["a.py", "b.py"]

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
    def test_a_pipe_is_left_out_however_it_is_named(self, place):
        folder = place(**{"a.py": "1"})
        os.mkfifo(folder / "pipe.py")
        for places in ([folder], [folder / "a.py", folder / "pipe.py"]):
            found = find_hand_ins(places)
            assert [path.name for path in found.files] == ["a.py"]
            assert found.left_out == {"a pipe": [str(folder / "pipe.py")]}

    def test_nothing_to_grade_is_refused_with_what_was_found(self, place):
        folder = place(**{"a.zip": "", ".hidden.py": ""})
        with pytest.raises(UsageError, match=r"no notebook .*hidden.*1 \.zip"):
            require_hand_ins(find_hand_ins([folder]), [str(folder)])
        with pytest.raises(UsageError, match="There is no file"):
            find_hand_ins([folder / "nowhere.py"])

    def test_modules_that_others_import_are_known(self, place):
        folder = place(
            **{
                "anna/net.py": "import numpy as np, lib\nfrom parts.layers import *\n",
                "anna/nb.ipynb": notebook("from ..tools import (draw as d)"),
                **dict.fromkeys(
                    ("anna/lib.py", "anna/parts/layers.py", "tools.py", "ben/lib.py"), ""
                ),
            }
        )
        found = importers_of(find_hand_ins([folder]).files)
        told = {module.relative_to(folder).as_posix(): file.name for module, file in found.items()}
        assert told == {
            "anna/lib.py": "net.py",
            "anna/parts/layers.py": "net.py",
            "tools.py": "nb.ipynb",
        }


class TestGrading:
    def test_right_and_wrong_ones_in_modules_and_notebooks(self, place):
        rows = graded(place(**{"r.py": RIGHT, "w.py": WRONG, "w.ipynb": notebook(WRONG)}))
        assert rows["r.py"].outcome == "right"
        assert (rows["r.py"].right, rows["r.py"].checked, rows["r.py"].line) == (2, 2, "")
        wrong = rows["w.py"]
        assert (wrong.outcome, wrong.right, wrong.checked) == ("wrong", 1, 2)
        assert (wrong.line, wrong.cause) == ("10", "sign")
        assert wrong.mistake == "wrong sign"
        assert wrong.text.startswith("back = delta @ W2.T * (1 + A * A)")
        assert wrong.instead.startswith("back = delta @ W2.T * (1 - A * A)")
        assert "W1" in wrong.message
        assert rows["w.ipynb"].line == "cell 2, line 10"

    def test_a_mistake_in_a_module_beside_the_file_is_told_with_its_name(self, place):
        own = WRONG.replace("(1 + A * A)", "slope(A)").replace(
            "import", "from lib import slope\nimport"
        )
        rows = graded(place(**{"a/net.py": own, "a/lib.py": "def slope(a):\n    return 1 - a\n"}))
        assert rows["net.py"].outcome == "wrong"
        assert rows["lib.py"].outcome == "nothing seen"

    @pytest.mark.slow
    def test_files_that_cannot_be_checked_are_rows_with_their_reason(self, place):
        rows = graded(
            place(
                **{
                    "crashes.py": "x = 1\n1 / 0",
                    "no_python.py": "x = = 1",
                    "learns_nothing.py": "import numpy as np\nprint(np.ones(3))",
                    "empty.py": "",
                    "broken.ipynb": "{}",
                    "loops.py": "while True:\n    pass",
                }
            ),
            timeout=5,
        )
        outcomes = {name: row.outcome for name, row in rows.items()}
        assert outcomes == {
            "broken.ipynb": "failed",
            "crashes.py": "failed",
            "empty.py": "nothing seen",
            "learns_nothing.py": "nothing seen",
            "loops.py": "too slow",
            "no_python.py": "failed",
        }
        assert rows["crashes.py"].message.startswith("crashes.py, line 2 failed: ZeroDivisionErr")
        assert rows["learns_nothing.py"].message == "No gradient was seen."
        assert rows["loops.py"].message.startswith("loops.py, line 1: it took so long")
        assert all(row.seconds < 20 for row in rows.values())

    def test_a_file_that_ends_its_process_or_hangs_in_it_ends_nothing_else(self, place):
        ends = "import sys\nsys.modules['ctypes'].string_at(0)"
        hangs = "max(iter(range(10**15)))"
        rows = graded(place(**{"ends.py": ends, "hangs.py": hangs}), timeout=2)
        assert rows["ends.py"].outcome == "failed"
        assert "ended the process that it ran in" in rows["ends.py"].message
        assert rows["hangs.py"].outcome == "too slow"
        assert "was still running after 2 s, in line 1" in rows["hangs.py"].message

    @pytest.mark.slow
    def test_one_hand_in_changes_nothing_for_another(self, place, tmp_path, monkeypatch):
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(scratch))
        reads = "import os\nprint(os.path.exists('left.txt'))"
        vandal = "import os\nopen('z.py', 'w').write('1')\nos.remove('z.py')\n" + CALLED
        folder = place(**{"a.py": vandal, "loops.py": "max(iter(range(10**15)))", "z.py": reads})
        before = {path: path.read_bytes() for path in folder.rglob("*")}
        graded(folder, timeout=2)
        assert {path: path.read_bytes() for path in folder.rglob("*")} == before
        assert not list(scratch.iterdir())

    def test_functions_that_are_called_by_their_names_write_nothing_either(self, place):
        unseen = "a = [1.0]\nopen('left.txt', 'w').write('mine')\n"
        names = "def forward(X, W1):\n    return X\ndef backward(X, W1):\n    return 1\n"
        cost = "def compute_cost(A, Y):\n    return 1.0\n"
        folder = place(**{"net.py": unseen + names + cost})
        graded(folder)
        assert [path.name for path in folder.iterdir()] == ["net.py"]

    @pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux alone")
    def test_memory_is_bounded(self, place):
        rows = graded(place(**{"takes.py": "import numpy as np\nkept = np.zeros(2**30)"}))
        assert rows["takes.py"].outcome == "failed"
        assert "MemoryError" in rows["takes.py"].message

    def test_a_mistake_of_the_check_itself_is_not_blamed_on_the_file(self, tmp_path, monkeypatch):
        def fails(*_, **__):
            raise AttributeError("passes_steps")

        monkeypatch.setattr(child, "check_seen", fails)
        request = {"file": "a.py", "names": {}, "sizes": None, "timeout": 9, "confined": False}
        (tmp_path / "request.json").write_text(json.dumps(request), encoding="utf-8")
        child.main(tmp_path)
        answer = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
        assert answer["ended"] == "failed"
        assert answer["reason"].startswith("The check of a.py fails itself, which says nothing of")
        assert answer["reason"].endswith("AttributeError: passes_steps")
        assert "Traceback" in answer["text"]

    def test_a_system_that_refuses_is_a_row(self, place, monkeypatch):
        def refuse(*_, **__):
            raise OSError("no process")

        monkeypatch.setattr(grading, "check_file", refuse)
        row = grade(place(**{"a.py": "1"}) / "a.py", 1)
        assert (row.outcome, "no process" in row.message) == ("failed", True)

    @pytest.mark.parametrize("diagnosis", [3, {"mistakes": [{"cause": []}]}, {"mistakes": [None]}])
    def test_an_answer_that_the_file_wrote_itself_is_a_row(self, place, monkeypatch, diagnosis):
        report = {"rows": [], "passed": True, "diagnosis": diagnosis, "headline": "x"}
        done = grading.FileCheck("", "", report, "checked")
        monkeypatch.setattr(grading, "check_file", lambda *_, **__: done)
        assert grade(place(**{"a.py": "1"}) / "a.py", 1).outcome == "failed"

    @pytest.mark.parametrize(
        ("verdicts", "unseen", "outcome", "told"),
        [
            (("right", "right"), (), "right", ""),
            (("right", "unclear"), (), "right", "W1"),
            (("right", "right"), ("b",), "part", "b"),
            (("unclear",), (), "nothing seen", "W0"),
            (("right", "missing"), ("b", "c"), "wrong", "b, c"),
        ],
    )
    def test_the_outcome_is_that_of_the_report(
        self, place, monkeypatch, verdicts, unseen, outcome, told
    ):
        rows = [{"verdict": one, "parameter": f"W{k}"} for k, one in enumerate(verdicts)]
        passed = not unseen and "right" in verdicts
        report = {"rows": rows, "passed": passed, "unseen": unseen, "diagnosis": None}
        done = grading.FileCheck("", "", report | {"headline": "Said.\nMore."}, "checked")
        monkeypatch.setattr(grading, "check_file", lambda *_, **__: done)
        row = grade(place(**{"a.py": "1"}) / "a.py", 1)
        assert (row.outcome, row.unseen) == (outcome, told)
        assert row.message == "Said."


class TestRows:
    @pytest.mark.parametrize("sign", ["=", "+", "-", "@", "  =", "\uff1d"])
    def test_no_cell_begins_as_a_formula(self, sign):
        assert cell(f"{sign}1+1") == f"'{sign}1+1"
        assert cell(f"a;{sign}1") == f"a;'{sign}1"
        assert cell(f"a {sign}1") == f"a {sign}1"

    def test_numbers_stay_numbers_and_hidden_characters_are_shown(self):
        assert cell(-1.5) == "-1.5"
        assert cell("a\n\t\x1b\u202e\udcff") == "a\\x0a\\x09\\x1b\\u202e\\udcff"

    def test_rows_are_written_whole_or_not_at_all(self, tmp_path):
        path = tmp_path / "grades.csv"
        with written_grades(path) as write:
            write(Grade("=a.py", "wrong", 1, 2, "3", 'say("x, y")', message="-1"))
        (row,) = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        assert (row["file"], row["text"], row["message"]) == ("'=a.py", 'say("x, y")', "'-1")
        with pytest.raises(ZeroDivisionError), written_grades(path):
            1 / 0  # noqa: B018
        assert "'=a.py" in path.read_text(encoding="utf-8")
        assert [one.name for one in tmp_path.iterdir()] == ["grades.csv"]
        with pytest.raises(OutputError), written_grades(tmp_path / "no" / "grades.csv"):
            pass

    def test_a_tally_tells_outcomes_and_the_most_common_mistakes(self):
        tally = Tally()
        for cause in ("", "sign", "", "sign", ""):
            tally.add(Grade("a", "wrong", cause=cause))
        tally.add(Grade("b", "right"), is_imported=True)
        assert str(tally) == "6 files: 1 right, 5 wrong."
        assert tally.mistakes == [("wrong sign", "sign", 2), ("not explained", "", 3)]
        tally.add(Grade("lib", "nothing seen"), is_imported=True)
        assert str(tally).endswith(
            "1 nothing seen. Of those in which nothing is seen, others import 1."
        )
        assert json.loads(json.dumps(tally.to_dict()))["outcomes"]["too slow"] == 0

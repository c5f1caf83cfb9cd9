"""``clearprop check``: files that learners write, models, and data."""

import json
import os
import textwrap
from pathlib import Path

import numpy as np
import pytest

from clearprop.experiment.inspection import batch_for_learners

RIGHT = """
import numpy as np

def L_model_forward(X, parameters):
    A, caches = X, []
    L = len(parameters) // 2
    for layer in range(1, L + 1):
        W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
        Z = W @ A + b
        caches.append((A, W, b, Z))
        A = np.maximum(0, Z) if layer < L else 1 / (1 + np.exp(-Z))
    return A, caches

def compute_cost(AL, Y):
    return -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / Y.shape[1]

def L_model_backward(AL, Y, caches):
    grads, m = {}, Y.shape[1]
    dZ = AL - Y
    for layer in range(len(caches), 0, -1):
        A_prev, W, b, Z = caches[layer - 1]
        grads[f"dW{layer}"] = dZ @ A_prev.T / m
        grads[f"db{layer}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if layer > 1:
            dZ = W.T @ dZ * (caches[layer - 2][3] > 0)
    return grads
"""
WRONG = RIGHT.replace("A_prev.T / m", "A_prev.T")


def write(text, name="mine.py"):
    Path(name).write_text(textwrap.dedent(text), encoding="utf-8")
    return name


def notebook(*cells, name="mine.ipynb"):
    every = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    every.insert(1, {"cell_type": "markdown", "source": ["# Mine"]})
    return write(json.dumps({"cells": every, "nbformat": 4}), name)


class TestFiles:
    def test_a_right_one_passes_and_its_prints_are_kept_apart(self, clearprop):
        file = write("print('hello')\n" + RIGHT + "if __name__ == '__main__': print('main')")
        result = clearprop("check", file)
        assert result.exit_code == 0
        assert result.stdout.startswith("All 6 gradients are right, derivatives of the cost in ")
        assert "hello" not in result.stdout
        said = result.stderr.splitlines()
        assert said[0].startswith("Running mine.py: everything in it is executed")
        assert said[1:] == ["mine.py printed:", "  hello", "  main"]

    def test_a_wrong_one_fails_with_a_diagnosis(self, clearprop, strict_json):
        result = clearprop("check", write(WRONG), "--json")
        assert result.exit_code == 1
        said = strict_json(result.stdout)
        assert said["target"] == "mine.py"
        assert not said["passed"]
        assert said["headline"].startswith("Line 22 is wrong, and with it the gradient of ")
        assert said["line"]["instead"] == 'grads[f"dW{layer}"] = dZ @ A_prev.T / m'
        wrong = [row["parameter"] for row in said["rows"] if row["verdict"] == "wrong"]
        assert wrong == ["W3", "W2", "W1"]
        assert said["diagnosis"]["mistakes"][0]["cause"] == "mean_missing"
        assert "1/m" in said["diagnosis"]["text"]

    def test_a_notebook_runs_cell_by_cell_without_its_magic(self, clearprop):
        cells = RIGHT.partition("def compute_cost")
        file = notebook(
            "%matplotlib inline\n!ls\nif True:\n    %time 1 + 1",
            cells[0],
            "%%html\n<b>no Python</b>",
            cells[1] + cells[2],
        )
        result = clearprop("check", file)
        assert result.exit_code == 0, result.stderr

    def test_sizes_names_and_data_may_be_given(self, clearprop, strict_json):
        file = write(RIGHT.replace("L_model_forward", "onwards"))
        options = ("--layers", "30,4,1", "--data", "breast_cancer", "--forward", "onwards")
        result = clearprop("check", file, *options, "--json")
        assert result.exit_code == 0, result.stderr
        said = strict_json(result.stdout)
        shapes = {row["parameter"]: row["shape"] for row in said["rows"]}
        assert shapes == {"W1": [4, 30], "b1": [4, 1], "W2": [1, 4], "b2": [1, 1]}
        assert "32 samples" in said["notes"][0]

    @pytest.mark.parametrize(
        ("data", "features", "outputs"), [("iris", 4, 3), ("moons", 2, 1), ("diabetes", 10, 1)]
    )
    def test_data_come_as_rows_and_classes_one_hot(self, data, features, outputs):
        batch = batch_for_learners(data)
        assert batch.X.shape == (32, features)
        assert batch.targets.shape == (32, outputs)
        if outputs > 1:
            assert set(batch.targets.sum(axis=1)) == {1}

    def test_one_that_imports_from_its_own_folder_runs(self, clearprop):
        Path("course").mkdir()
        write(RIGHT, "course/helpers.py")
        write("from helpers import *", "course/mine.py")
        assert clearprop("check", "course/mine.py").exit_code == 0


class TestFilesThatCannotBeChecked:
    def refused(self, clearprop, *arguments):
        result = clearprop("check", *arguments)
        assert result.exit_code == 2
        assert not result.stdout
        return result.stderr

    def test_what_failed_is_told_with_its_line(self, clearprop):
        said = self.refused(clearprop, write("import numpy\n\nnumpy.array([1, 2]) @ [1]\n"))
        assert "mine.py: no gradient was seen that could be checked" in said
        assert "mine.py, line 3 failed: ValueError: " in said
        assert "clearprop/gradcheck" not in said

    def test_a_cell_that_fails_is_named(self, clearprop):
        said = self.refused(clearprop, notebook("a = 1", "b = a\n1 / 0"))
        assert "mine.ipynb, cell 2, line 2 failed: ZeroDivisionError: division by zero." in said

    def test_missing_functions_are_told(self, clearprop):
        said = self.refused(clearprop, write("def train(): pass"), "--layers", "4,3,1")
        assert "Looked for: L_model_forward, " in said
        assert "It defines: train. Name it: --forward NAME." in said

    @pytest.mark.slow
    def test_one_that_runs_forever_is_stopped_and_told_where(self, clearprop):
        file = write(RIGHT.replace("    A, caches = X, []", "    while True:\n        pass"))
        said = self.refused(clearprop, file, "--timeout", 6)  # of which a busy machine starts in 2
        assert "was still running after 6 s, in line 5, in L_model_forward" in said or (
            "was still running after 6 s, in line 6, in L_model_forward" in said
        )

    def test_a_loop_that_never_ends_is_ended(self, clearprop):
        said = self.refused(clearprop, write("while True:\n    print('x' * 99)"), "--timeout", 5)
        assert "no gradient was seen" in said

    @pytest.mark.parametrize("ending", ["os._exit(7)", "sys.exit(7)", "os.abort()", "exit()"])
    def test_one_that_ends_the_process_ends_nothing(self, clearprop, ending):
        said = self.refused(clearprop, write(f"import os, sys\n{ending}"))
        assert "mine.py, line 2" in said

    def test_one_that_asks_something_is_answered(self, clearprop):
        assert "input()" in self.refused(clearprop, write("name = input('Your name? ')"))

    @pytest.mark.parametrize(
        ("name", "text", "said"),
        [
            ("mine.ipynb", "no JSON", "mine.ipynb is no notebook that can be read"),
            ("mine.ipynb", "{}", "mine.ipynb is no notebook that can be read"),
        ],
    )
    def test_broken_notebooks(self, clearprop, name, text, said):
        assert said in self.refused(clearprop, write(text, name))

    def test_a_file_that_is_not_there(self, clearprop):
        said = self.refused(clearprop, "nowhere.py")
        assert said == "Error: There is no file nowhere.py. Check the path.\n"

    def test_nothing_is_left_behind(self, clearprop, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        before = set(os.listdir(tmp_path))  # noqa: PTH208 - names alone
        self.refused(clearprop, write("1 / 0"))
        assert set(os.listdir(tmp_path)) == before  # noqa: PTH208 - names alone


class TestModelsAndData:
    @pytest.mark.slow
    def test_a_model_is_checked_on_the_data_that_it_knows(self, clearprop, table_run):
        result = clearprop("check", table_run)
        assert result.exit_code == 0, result.stdout
        assert "checked on 32 of 80 samples" in result.stdout

    def test_a_model_is_checked_on_other_data(self, clearprop, array_model):
        draw = np.random.RandomState(1)
        np.savez("others.npz", X=draw.randn(9, 6), y=np.arange(9) % 2)
        result = clearprop("check", array_model, "--data", "others.npz", "--json")
        assert result.exit_code == 0, result.stderr

    @pytest.mark.slow
    def test_data_stand_for_the_network_that_would_learn_them(self, clearprop, strict_json):
        result = clearprop("check", "wine", "--json")
        assert result.exit_code == 0
        assert all(row["verdict"] == "right" for row in strict_json(result.stdout)["rows"])

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("iris", "--layers", "4,3"), "--layers is for a .py file or a notebook"),
            (("iris", "--data", "wine"), "iris is itself the data"),
            (("irish",), "There is no data set or path 'irish'. Did you mean 'iris'?"),
            (("model.py", "--timeout", "0"), "Invalid value for '--timeout'"),
        ],
    )
    def test_what_does_not_go_together(self, clearprop, arguments, said):
        result = clearprop("check", *arguments)
        assert result.exit_code == 2
        assert said in result.stderr

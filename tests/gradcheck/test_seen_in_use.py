"""Modules that train nothing themselves: the programs that import them, and layers that stop."""

import textwrap
import time

import pytest

from clearprop.gradcheck.seeing import file
from clearprop.gradcheck.seeing.file import check_seen
from clearprop.gradcheck.seeing.running.programs import imports_in, programs_with

LAYERS = """
import numpy as np


class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * 0.5
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.W + self.b)

    def backward(self, grad, out):
        back = grad * (1 - out**2)
        self.dW = self.x.T @ back
        self.db = back.sum(axis=0)
        return back @ self.W.T
"""
TRAIN = """
import numpy as np
from {module} import Dense

np.random.seed(0)
X, Y = np.random.randn(20, 4), np.random.rand(20, 3)
first, last = Dense(4, 5), Dense(5, 3)
for epoch in range(20):
    hidden = first.forward(X)
    out = last.forward(hidden)
    loss = np.sum((out - Y) ** 2) / 2
    first.backward(last.backward(out - Y, out), hidden)
    for layer in (first, last):
        layer.W -= 0.01 * layer.dW
        layer.b -= 0.01 * layer.db
"""


@pytest.fixture
def place(tmp_path):
    """Write files into a folder that is a repository, and return it."""

    def placed(**files):
        (tmp_path / "requirements.txt").touch()
        for name, text in files.items():
            file = tmp_path / f"{name.replace('__', '/')}.py"
            file.parent.mkdir(exist_ok=True)
            file.write_text(textwrap.dedent(text), encoding="utf-8")
        return tmp_path

    return placed


def checked(path):
    report, ran = check_seen(path, 30.0)
    assert report is not None, (ran.failures, ran.notes)
    return report


class TestPrograms:
    def test_a_module_is_seen_in_the_program_that_imports_it(self, place):
        folder = place(layers=LAYERS, main=TRAIN.format(module="layers"))
        report = checked(folder / "layers.py")
        assert report.passed
        assert {row.shape for row in report.rows} == {(4, 5), (5,), (5, 3), (3,)}
        told = "layers.py itself trains nothing; main.py, which imports it, was run."
        assert report.notes[0] == told

    def test_its_line_at_fault_is_told_with_its_file(self, place):
        wrong = LAYERS.replace("(1 - out**2)", "(1 - out)")
        folder = place(lib__layers=wrong, main=TRAIN.format(module="lib.layers"))
        report = checked(folder / "lib" / "layers.py")
        assert report.told.startswith("Line 15 is wrong")
        line = report.line
        assert line["file"] == "lib/layers.py"
        assert line["text"] == "back = grad * (1 - out)"
        assert line["instead"] == "back = grad * (1 - out ** 2)"

    def test_a_package_is_meant_where_a_module_beside_the_file_has_its_name(self, place):
        helper = "import numpy as np\n\ndef slope(a):\n    return 1 - a**2\n"
        own = LAYERS.replace(
            "import numpy as np", "import numpy as np\nfrom lib.slopes import slope"
        )
        folder = place(
            lib__layers=own.replace("(1 - out**2)", "slope(out)"),
            lib__slopes=helper,
            lib__lib="nothing = 0",
            main=TRAIN.format(module="lib.layers"),
        )
        report = checked(folder / "lib" / "layers.py")
        assert report.passed
        assert not any("stand-in" in note for note in report.notes)

    def test_no_other_program_is_run_where_a_file_is_checked_alone(self, place):
        folder = place(layers=LAYERS, main=TRAIN.format(module="layers"))
        _, ran = check_seen(folder / "layers.py", 30.0, alone=True)
        assert not any("main.py" in note for note in ran.notes)

    def test_a_program_that_fails_in_the_module_going_back_tells_its_line(self, place):
        wrong = LAYERS.replace("self.x.T @ back", "self.x @ back")
        folder = place(layers=wrong, main=TRAIN.format(module="layers"))
        report = checked(folder / "layers.py")
        assert not report.passed
        assert (report.rows, report.line["file"]) == ((), "layers.py")
        assert report.line["text"] == "self.dW = self.x @ back"
        assert report.told.startswith("No gradient was seen, as line 16 fails: ValueError")
        assert "parameter" not in str(report)

    def test_a_shape_that_fails_in_the_program_comes_from_the_sum_in_the_module(self, place):
        wrong = LAYERS.replace("sum(axis=0)", "sum(axis=1, keepdims=True)").replace(
            "np.zeros(n_out)", "np.zeros((1, n_out))"
        )
        folder = place(layers=wrong, main=TRAIN.format(module="layers"))
        report = checked(folder / "layers.py")
        assert (report.line["file"], report.line["number"]) == ("layers.py", 17)
        assert "comes from line 17 of layers.py" in report.told

    def test_a_program_that_is_judged_too_long_leaves_time_for_calls(self, place, monkeypatch):
        alone = LAYERS.replace("grad, out", "grad").replace("(1 - out**2)", "1")
        alone = alone.replace("np.tanh(x @ self.W + self.b)", "x @ self.W + self.b")
        folder, shown = place(layers=alone, main="import layers"), file._shown

        def slow(one, seconds):
            while one.name == "main.py":
                time.sleep(0.01)
            return shown(one, seconds)

        monkeypatch.setattr(file, "_shown", slow)
        monkeypatch.setattr(file, "_JUDGING", 0.1)
        report = checked(folder / "layers.py")
        assert report.passed
        assert "called was Dense(...) alone" in report.notes[0]


class TestFinding:
    def test_what_nothing_else_imports_goes_first(self, place):
        folder = place(
            layers="", network="from layers import Dense", main="import network", other="import os"
        )
        found = programs_with(folder / "layers.py")
        assert [file.stem for file in found] == ["main", "network"]

    def test_tests_and_libraries_are_no_programs(self, place):
        test = "import layers\ndef test_layers(): ..."
        folder = place(
            layers="", test_layers=test, venv__run="import layers", setup="import layers"
        )
        assert programs_with(folder / "layers.py") == []
        assert programs_with(folder / "book.ipynb") == []

    def test_a_script_that_is_called_a_test_comes_last(self, place):
        folder = place(layers="", test="import layers", other="import layers")
        found = programs_with(folder / "layers.py")
        assert [file.stem for file in found] == ["other", "test"]

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("import a.b as c, d", ["a.b", "d"]),
            ("from .a import b, c as e", ["a", "a.b", "a.c"]),
            ('    "from a import b\\n",', ["a", "a.b"]),
            ("important = 1", []),
        ],
    )
    def test_what_a_text_imports(self, text, names):
        assert list(dict.fromkeys(filter(None, imports_in(text)))) == names


SCRIPT = """
import numpy as np

np.random.seed(0)
X, Y = {data}
W1, W2 = np.random.randn(3, 4), np.random.randn(4, 2)


def backward(a, out):
    d2 = out - Y
    d1 = {d1}
    return X.T @ d1, a.T @ d2


for epoch in range(100):
    a = np.tanh(X @ W1)
    out = a @ W2
    loss = np.mean((out - Y) ** 2)
    g1, g2 = backward(a, out)
    W1 -= 0.1 * g1
    W2 -= 0.1 * g2
"""
OWN = "np.random.randn(50, 3), np.random.randn(50, 2)"


class TestStops:
    def test_a_line_that_fails_before_any_update_is_told(self, place):
        folder = place(net=SCRIPT.format(data=OWN, d1="d2 @ W2 * (1 - a**2)"))
        report = checked(folder / "net.py")
        assert report.line["text"] == "d1 = d2 @ W2 * (1 - a**2)"
        assert report.to_dict()["rows"] == []

    def test_data_that_stand_in_for_others_are_not_blamed_on_a_line(self, place):
        data = 'np.loadtxt("x.csv", delimiter=",")[:, :3], np.loadtxt("y.csv", delimiter=",")'
        folder = place(net=SCRIPT.format(data=data, d1="(out - Y).T[:7] + W2"))
        report, _ = check_seen(folder / "net.py", 30.0)
        assert report is None

    def test_a_layer_that_cannot_go_back_is_told(self, place):
        alone = LAYERS.replace("grad, out", "grad").replace("(1 - out**2)", "1")
        alone = alone.replace("np.tanh(x @ self.W + self.b)", "x @ self.W + self.b")
        assert checked(place(layers=alone) / "layers.py").passed
        report = checked(place(layers=alone.replace("self.W.T", "self.W")) / "layers.py")
        assert not report.passed
        assert report.line["text"] == "return back @ self.W"
        report = checked(place(layers=alone.replace("self.x.T @", "self.x @")) / "layers.py")
        assert report.line["text"] == "self.dW = self.x @ back"

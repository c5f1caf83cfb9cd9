"""Whatever a learner's file holds, it runs to its end, does no harm, and tells what was amiss."""

import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from clearprop.gradcheck.seeing.arrays import Watched, watch
from clearprop.gradcheck.seeing.running.loops import OutOfTime
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.tape import Tape

NETWORK = """
import numpy as np
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
y = np.array([[0], [1], [1], [0.0]])
W1 = np.random.randn(2, 3)
W2 = np.random.randn(3, 1)
for k in range(100000):
    h = np.tanh(X @ W1)
    o = h @ W2
    e = o - y
    g1 = X.T @ (e @ W2.T * (1 - h**2))
    W2 -= 0.1 * h.T @ e
    W1 -= 0.1 * g1
"""


@pytest.fixture
def runs(tmp_path):
    """Run a text as a file, in a folder with other files; returns what came of it."""

    def run_text(text, *, name="hw.py", seconds=20.0, **others):
        for other, content in others.items():
            place = tmp_path / other.replace("__SLASH__", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.with_suffix(".py").write_text(textwrap.dedent(content), encoding="utf-8")
        file = tmp_path / name
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        run_text.tape = Tape()
        return run(file, run_text.tape, seconds)

    return run_text


def notebook(*cells):
    return json.dumps(
        {"cells": [{"cell_type": "code", "source": textwrap.dedent(cell)} for cell in cells]}
    )


def said(ran, *words):
    return any(all(word in note for word in words) for note in ran.notes)


def test_a_script_runs_and_its_arrays_are_watched_in_its_lines(runs):
    ran = runs(NETWORK)
    assert not ran.failures
    assert type(ran.namespace["W1"]) is Watched
    assert ran.sources["hw.py"][12] == "    W1 -= 0.1 * g1"
    updates = [node for node in runs.tape.nodes if node.line and node.line.number == 13]
    assert {node.name for node in updates} >= {"multiply", "subtract"}


def test_training_ends_after_a_few_rounds_and_says_so(runs):
    ran = runs(NETWORK)
    assert 2 <= ran.namespace["k"] < 1000
    assert said(ran, "hw.py, line 7", "the loop was ended after")
    assert len(runs.tape) < 4000


def test_a_loop_that_computes_is_never_cut(runs):
    """Half of a convolution is another function than the learner's."""
    ran = runs(
        """
        import numpy as np
        def conv(x, w):
            out = np.zeros((30, 30))
            for i in range(30):
                for j in range(30):
                    out[i, j] = (x[i:i + 3, j:j + 3] * w).sum()
            return out
        z = conv(np.random.randn(32, 32), np.random.randn(3, 3))
        """
    )
    assert len(runs.tape) > 2700
    assert np.all(np.asarray(ran.namespace["z"]) != 0)
    assert not ran.notes


@pytest.mark.parametrize(
    "loop",
    [
        "    for epoch in range(10**6):\n        W = W + 0.1 * (x - W)",
        "    while True:\n        W = W + lr * (x - W)",
        "    for _ in range(10**6):\n        W = step(W, x)",
        "    while abs((x - W).sum()) > -1:\n        W -= lr * (W - x)",
    ],
)
def test_training_is_recognised_by_what_it_does(runs, loop):
    ran = runs(
        "import numpy as np\nlr = 0.1\n"
        "def step(W, x):\n    W = W - lr * (W - x)\n    return W\n"
        f"def f(x, W):\n{loop}\n    return W\n"
        "W = f(np.random.randn(3), np.random.randn(3))\n"
    )
    assert type(ran.namespace["W"]) is Watched
    assert said(ran, "the loop was ended")


def test_an_endless_loop_without_arrays_ends(runs):
    began = time.monotonic()
    ran = runs("while True:\n    pass\nx = 1\n", seconds=4)
    assert ran.namespace["x"] == 1
    assert said(ran, "line 1", "ended")
    assert time.monotonic() - began < 8


def test_an_endless_expression_ends(runs):
    ran = runs("x = sum(1 for _ in iter(int, 1))\ny = 2\n", seconds=2)
    assert said(ran, "line 1", "took so long")
    assert ran.namespace["y"] == 2


def test_else_break_and_continue_of_loops_stay(runs):
    ran = runs(
        """
        seen = []
        for k in range(5):
            if k == 1: continue
            if k == 3: break
            seen.append(k)
        else:
            seen.append("else")
        while len(seen) < 5:
            seen.append("w")
        else:
            seen.append("end")
        """
    )
    assert ran.namespace["seen"] == [0, 2, "w", "w", "w", "end"]


def test_a_failing_statement_does_not_end_the_run(runs):
    ran = runs("x = 1\ny = x / 0\nz = 3\n")
    assert ran.namespace["z"] == 3
    (failure,) = ran.failures
    assert (failure.file, failure.number) == ("hw.py", 2)
    assert "ZeroDivisionError" in failure.text


def test_a_failure_tells_the_innermost_line(runs):
    ran = runs("def f():\n    return [][1]\n\nf()\n")
    assert [one.number for one in ran.failures] == [2]


@pytest.mark.parametrize(
    "line",
    ["import sys; sys.exit(1)", "exit()", "raise KeyboardInterrupt", "import os; os._exit(3)"],
)
def test_leaving_is_a_failure_of_its_statement(runs, line):
    ran = runs(f"{line}\nx = 1\n")
    assert ran.namespace["x"] == 1
    assert len(ran.failures) == 1


def test_the_main_part_runs_statement_by_statement(runs):
    ran = runs('if __name__ == "__main__":\n    x = 1\n    1 / 0\n    y = 2\n')
    assert (ran.namespace["x"], ran.namespace["y"]) == (1, 2)
    assert [one.number for one in ran.failures] == [3]


def test_a_program_in_a_function_goes_on_after_a_statement_that_fails(runs):
    ran = runs(
        """
        import numpy as np
        seen = []
        def helper():
            1 / 0
            seen.append("never")
        def main():
            X = nowhere()
            seen.append(X.shape)
            helper()
            if True:
                [][1]
                seen.append("after")
            return seen
        if __name__ == "__main__":
            got = main()
        """
    )
    assert ran.namespace["got"] == [(24, 4), "after"]
    assert [one.number for one in ran.failures] == [8, 5, 12]


def test_what_is_printed_is_kept_as_far_as_there_is_room(runs, capfd):
    ran = runs('print("first")\nfor k in range(10**5): print("x" * 1000)\nprint("last")\n')
    assert ran.printed.startswith("first\nxxx")
    assert len(ran.printed) < 20_000
    assert capfd.readouterr() == ("", "")


def test_nobody_is_asked_and_nothing_sleeps(runs):
    ran = runs('import time\ntime.sleep(1000)\nx = input("which? ")\n', seconds=5)
    assert ran.namespace["x"] == "1"
    assert said(ran, "line 3", "input()")


# Libraries and modules.


def test_a_plot_that_fails_or_shows_is_silent(runs):
    ran = runs(
        """
        import matplotlib.pyplot as plt
        from matplotlib import cm
        fig, (left, right) = plt.subplots(1, 2)
        n, bins, patches = plt.hist([1])
        for axis in plt.gcf().axes: axis.plot([1])
        plt.nonsense.at("all")
        plt.show()
        """
    )
    assert not ran.failures
    assert not ran.notes


def test_a_library_that_is_missing_is_stood_in_for_and_named_once(runs):
    ran = runs(
        """
        import nosuchlibrary
        from nosuchlibrary.deep import Thing, other
        @nosuchlibrary.decorated(1)
        def f(x): return x + 1
        class Mine(nosuchlibrary.Base):
            def __init__(self): super().__init__(); self.x = 1
        y = f(1) + Mine().x
        """
    )
    assert not ran.failures
    assert ran.namespace["y"] == 3
    assert sum("nosuchlibrary" in note for note in ran.notes) == 1


def test_bars_and_compilers_hand_on_what_they_get(runs):
    ran = runs(
        """
        from tqdm import tqdm
        from numba import jit
        @jit(nopython=True)
        def double(x): return 2 * x
        bar = tqdm([1, 2], desc="x")
        z = [double(one) for one in bar]
        bar.set_postfix(loss=1)
        """
    )
    assert ran.namespace["z"] == [2, 4]
    assert not ran.failures


@pytest.mark.parametrize(
    "line",
    [
        "import torch\nx = torch.ones(3)\nx.sum().backward()",
        "import tensorflow as tf\nwith tf.GradientTape() as tape:\n    pass",
        "import jax\n@jax.value_and_grad\ndef f(x): return x",
    ],
)
def test_frameworks_that_differentiate_are_said(runs, line):
    assert said(runs(line), "autograd framework")


def test_a_framework_that_only_loads_is_none(runs):
    ran = runs("import torch\nx = torch.ones(3)\n")
    assert said(ran, "torch is not used")
    assert not said(ran, "autograd framework")


def test_own_modules_and_packages_are_watched_with_their_lines(runs):
    ran = runs(
        """
        import numpy as np
        from layers.dense import Dense
        import importlib
        from layers import helpers
        assert importlib.import_module("layers.helpers") is helpers
        import layers.helpers as again
        y = Dense().forward(np.random.randn(2, 3))
        z = helpers.half(y)
        """,
        layers__SLASH____init__="",
        layers__SLASH__dense="""
                import numpy as np
                from .helpers import half
                class Dense:
                    def forward(self, x):
                        return half(x) + 1
            """,
        layers__SLASH__helpers="def half(x):\n    return x / 2\n",
    )
    assert not ran.failures
    assert {"layers/dense.py", "layers/helpers.py"} <= set(ran.sources)
    (divided,) = [node for node in runs.tape.nodes if node.name == "divide"][:1]
    files = [(line.file, line.number) for line in divided.lines]
    assert files == [("layers/helpers.py", 2), ("layers/dense.py", 6), ("hw.py", 8)]


def test_modules_are_found_up_to_the_root_of_the_repository(tmp_path):
    (tmp_path / "setup.py").touch()
    (tmp_path / "shared.py").write_text("x = 5\n", encoding="utf-8")
    file = tmp_path / "a" / "b" / "c" / "hw.py"
    file.parent.mkdir(parents=True)
    file.write_text("from shared import x\n", encoding="utf-8")
    ran = run(file, Tape())
    assert ran.namespace["x"] == 5
    assert not ran.notes


def test_a_module_with_a_mistake_stands_as_far_as_it_runs(runs):
    ran = runs("from own import a, b, c\n", own="a = 1\nb = 1 / 0\nc = 3\n")
    assert (ran.namespace["a"], ran.namespace["c"]) == (1, 3)
    assert [(one.file, one.number) for one in ran.failures] == [("own.py", 2)]
    assert said(ran, "own has no b")


@pytest.mark.slow
def test_results_of_libraries_are_watched(runs):
    pytest.importorskip("sklearn")
    ran = runs(
        """
        from sklearn import datasets
        from sklearn.datasets import make_moons
        from sklearn.model_selection import train_test_split
        from sklearn.preprocessing import StandardScaler
        def load():
            X, y = make_moons(20)
            kinds.append(type(X))
            scaler = StandardScaler().fit(X)
            X = scaler.transform(X)
            kinds.append(type(X))
            return train_test_split(X, y, test_size=0.5)
        kinds = []
        parts = load()
        kinds += [type(one) for one in parts]
        kinds.append(type(datasets.load_iris().data))
        """
    )
    assert not ran.failures
    assert set(ran.namespace["kinds"]) == {Watched}


def test_what_scipy_computes_has_its_derivative(runs):
    pytest.importorskip("scipy")
    ran = runs(
        """
        import numpy as np
        from scipy.special import expit
        from scipy.signal import convolve2d
        x = np.random.randn(4, 4)
        y = convolve2d(expit(x), np.ones((2, 2)), mode="valid")
        """
    )
    assert not ran.failures
    names = [node.name for node in runs.tape.nodes]
    assert "expit" in names
    assert "convolve2d" in names
    node = next(one for one in runs.tape.nodes if one.name == "convolve2d")
    np.testing.assert_allclose(
        node.compute(*(one.value for one in node.args), mode="valid"), node.value
    )


# Data that are not there, or too large.


def test_a_missing_table_is_stood_in_for_by_the_columns_asked(runs):
    pytest.importorskip("pandas")
    ran = runs(
        """
        import pandas as pd
        df = pd.read_csv("nowhere/students.csv")
        X = df[["hours", "sleep"]].values
        y = df["passed"].values
        """
    )
    assert not ran.failures
    assert ran.namespace["X"].shape == (24, 2)
    assert type(ran.namespace["X"]) is Watched
    assert said(ran, "line 3", "nowhere/students.csv")


def test_missing_digits_have_pixels_and_ten_labels(runs):
    pytest.importorskip("pandas")
    ran = runs(
        """
        import pandas as pd
        # MNIST: 784 pixels
        data = pd.read_csv("train.csv").to_numpy()
        y, X = data[:, 0], data[:, 1:] / 255
        """
    )
    assert ran.namespace["X"].shape == (24, 784)
    assert len(set(ran.namespace["y"].tolist())) == 10


def test_missing_files_of_digits_are_read_as_they_are_written(runs):
    ran = runs(
        """
        import gzip, struct
        import numpy as np
        def images(path):
            with gzip.open(path, "rb") as f:
                magic, n, rows, columns = struct.unpack(">IIII", f.read(16))
                return np.frombuffer(f.read(), dtype=np.uint8).reshape(n, rows * columns)
        with open("train-labels-idx1-ubyte", "rb") as f:
            f.read(8)
            labels = np.fromfile(f, dtype=np.uint8) if False else np.frombuffer(f.read(), np.uint8)
        train = images("train-images-idx3-ubyte.gz")[:60000].reshape(60000, 784)
        test = images("t10k-images-idx3-ubyte.gz")[:10000].reshape(10000, 784)
        """
    )
    assert not ran.failures
    assert ran.namespace["train"].shape == (24, 784)
    assert ran.namespace["test"].shape == (4, 784)
    assert said(ran, "60,000", "smaller")


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ('X = np.load("weights.npy")', (24, 4)),
        ('X = np.loadtxt("points.txt")', (24, 5)),
        ('X = np.genfromtxt("points.csv", delimiter=",")[:, 0:3]', (24, 3)),
        ('X = np.load("all.npz")["x_train"]', (24, 4)),
        ('X = np.array([l.split(",") for l in open("points.csv")], dtype=float)', (24, 5)),
        ("X, y = nowhere.load()", (24, 4)),
    ],
)
def test_missing_arrays_are_stood_in_for(runs, line, shape):
    ran = runs(f"import numpy as np\n{line}\n")
    assert ran.namespace["X"].shape == shape
    assert said(ran, "line 2", "stand in")


def test_no_data_stand_in_for_what_is_no_data(runs):
    ran = runs("predictions = nowhere()\nmodel = nowhere()\nX_shape = nowhere()\n")
    assert len(ran.failures) == 3
    assert not {"predictions", "model", "X_shape"} & set(ran.namespace)


def test_numbers_are_written_as_numbers(runs):
    ran = runs(
        """
        import json, pickle
        import numpy as np
        w = np.ones(2)
        text = json.dumps({"w": w.tolist(), "sum": w.sum()})
        pickle.dump({"w": w}, open("w.pkl", "wb"))
        again = pickle.load(open("w.pkl", "rb"))["w"]
        """
    )
    assert not ran.failures
    assert json.loads(ran.namespace["text"]) == {"w": [1, 1], "sum": 2}
    assert type(ran.namespace["again"]) is Watched


def test_digits_of_frameworks_are_small(runs):
    ran = runs(
        """
        import tensorflow as tf
        (a, b), _ = tf.keras.datasets.mnist.load_data()
        from keras.datasets import mnist
        from keras.utils import to_categorical
        (X, y), (X_test, y_test) = mnist.load_data()
        t = to_categorical(y, 10)
        """
    )
    assert not ran.failures
    assert ran.namespace["X"].shape == ran.namespace["a"].shape == (24, 28, 28)
    assert ran.namespace["t"].shape == (24, 10)


def test_many_rows_are_cut_and_labels_stay_with_them(runs, tmp_path):
    X = np.repeat(np.arange(5000.0)[:, None], 2, axis=1)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", np.sort(np.arange(5000) % 3))
    ran = runs('import numpy as np\nX = np.load("X.npy")\ny = np.load("y.npy")\n')
    rows = np.asarray(ran.namespace["X"])[:, 0].astype(int)
    assert len(rows) == 60
    labels = np.asarray(ran.namespace["y"])
    assert set(labels) == {0, 1, 2}
    assert np.array_equal(labels, np.sort(np.arange(5000) % 3)[rows])
    assert said(ran, "of 5,000 rows 60 are used")


# What may not be done.


def test_files_are_written_to_a_scratch_folder_and_read_back(runs, tmp_path):
    ran = runs(
        """
        import os
        from pathlib import Path
        import numpy as np
        os.makedirs("out/deep", exist_ok=True)
        with open("out/deep/a.txt", "w") as file: file.write("kept")
        Path("b.txt").write_text("too")
        np.save("out/w.npy", np.ones(3))
        np.savetxt("w.txt", np.ones(3))
        a = open("out/deep/a.txt").read() + Path("b.txt").read_text()
        w = np.load("out/w.npy") + np.loadtxt("w.txt")
        """
    )
    assert not ran.failures
    assert ran.namespace["a"] == "kepttoo"
    assert ran.namespace["w"].tolist() == [2, 2, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hw.py"]
    assert said(ran, "line 6", "a.txt", "scratch folder")


def test_what_is_appended_to_stays_as_it_was(runs, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("old", encoding="utf-8")
    ran = runs('open("log.csv", "a").write("new")\nx = open("log.csv").read()\n')
    assert ran.namespace["x"] == "oldnew"
    assert log.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(
    "line",
    [
        "import os; os.remove('precious.txt')",
        "import os; os.unlink('precious.txt')",
        "import pathlib; pathlib.Path('precious.txt').unlink()",
        "import os; os.rename('precious.txt', 'other.txt')",
        "import shutil; shutil.rmtree('.')",
        "import shutil; shutil.move('precious.txt', 'other.txt')",
        "import os; os.system('rm precious.txt')",
        "import subprocess; subprocess.run(['rm', 'precious.txt'])",
        "import os; os.truncate('precious.txt', 0)",
        "open('precious.txt', 'w').close()",
        "import io; io.open('precious.txt', 'w').close()",
        "import _io; _io.open('precious.txt', 'w').close()",
        "import os; os.close(os.open('precious.txt', os.O_WRONLY | os.O_TRUNC))",
        "import posix; posix.unlink('precious.txt')",
        "import posix; posix.system('rm precious.txt')",
        "import _posixsubprocess; import os; os.execv('/bin/rm', ['rm', 'precious.txt'])",
        "import builtins; builtins.open('precious.txt', 'w').close()",
        "import numpy as np; np.ones(3).tofile('precious.txt')",
        "import os; os.replace('hw.py', 'precious.txt')",
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="posix is not there")
def test_nothing_outside_is_changed_or_deleted(runs, tmp_path, line):
    precious = tmp_path / "precious.txt"
    precious.write_text("precious", encoding="utf-8")
    ran = runs(f"{line}\nx = 1\n")
    assert precious.read_text(encoding="utf-8") == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hw.py", "precious.txt"]
    assert ran.namespace["x"] == 1


def test_functions_that_are_called_later_are_watched_and_held_alike(runs, tmp_path):
    ran = runs(
        """
        import numpy as np
        def f(x):
            open("late.txt", "w").write("x")
            for k in range(10**7):
                x = x - 0.01 * x
            return x
        def endless():
            return sum(1 for _ in iter(int, 1))
        """
    )
    tape = Tape()
    with ran.calling(tape, 5.0):
        x = watch(np.ones(2))
        assert type(ran.namespace["f"](x)) is Watched
    assert 10 < len(tape) < 4000
    assert {node.line.number for node in tape.nodes if node.name == "subtract"} == {6}
    assert not (tmp_path / "late.txt").exists()
    with pytest.raises(OutOfTime), ran.calling(Tape(), 0.5):
        ran.namespace["endless"]()


def test_nobody_is_connected_to(runs):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        port = server.getsockname()[1]
        ran = runs(
            f"""
            import _socket
            s = _socket.socket()
            try: s.connect(("127.0.0.1", {port}))
            finally: s.close()
            """
        )
        with pytest.raises(TimeoutError):
            server.accept()
    assert len(ran.failures) == 1


def test_everything_is_afterwards_as_before(runs, tmp_path):
    def state():
        return (
            *(open, os.remove, os.mkdir, time.sleep, sys.stdout, sys.argv, sys.path[:]),
            *(
                Path.cwd(),
                sys.modules["__main__"],
                sys.getrecursionlimit(),
                sys.dont_write_bytecode,
            ),
        )

    before = state()
    numbers = np.random.get_state()[1].copy()
    runs("import os, sys\nos.chdir('/')\nsys.path.append('x')\nimport own\n1/0", own="x = 1")
    assert state() == before
    assert np.array_equal(np.random.get_state()[1], numbers)
    assert "own" not in sys.modules
    kept = tmp_path / "kept.txt"
    kept.write_text("x", encoding="utf-8")
    kept.unlink()
    assert subprocess.run([sys.executable, "-c", ""], check=True).returncode == 0


# Other Pythons, and notebooks.


def test_python_2_is_converted(runs):
    pytest.importorskip("lib2to3")
    ran = runs('print "loss", 1\nfor k in xrange(2):\n    print k\nx = raw_input("?")\n')
    assert not ran.failures
    assert ran.printed == "loss 1\n0\n1\n"
    assert said(ran, "Python 2")


def test_python_2_divides_and_decodes_as_it_did(runs):
    pytest.importorskip("lib2to3")
    code = "print 1\nx, y, z = 7 / 2, 7 / 2.0, 'ab'.decode('utf-8').encode('ascii', 'ignore')\n"
    ran = runs(code)
    assert not ran.failures
    assert [ran.namespace[name] for name in "xyz"] == [3, 3.5, "ab"]
    assert runs(f"from __future__ import division\n{code}").namespace["x"] == 3.5


def test_lines_that_are_no_python_are_left_out(runs):
    ran = runs("x = 1\nthis is no python\ny = 2\ndef f():\n    return ]\n\nz = 3\n")
    assert [ran.namespace[name] for name in "xyz"] == [1, 2, 3]
    assert said(ran, "line 2", "no Python")


def test_a_notebook_runs_cell_by_cell(runs):
    ran = runs(
        notebook(
            """
            %matplotlib inline
            !pip install numpy
            import numpy as np
            get_ipython().run_line_magic("time", "x")
            """,
            "%%bash\nrm -rf x",
            """
            %%time
            w = np.random.randn(3)
            np.dot?
            files = !ls
            %time v = w * 2
            text = "%d" \\
                % 3
            display(w)
            """,
            "1 / 0",
            "z = 5",
        ),
        name="hw.ipynb",
    )
    assert ran.namespace["z"] == 5
    assert type(ran.namespace["v"]) is Watched
    assert [(one.file, one.number) for one in ran.failures] == [("hw.ipynb, cell 4", 1)]
    doubled = next(node for node in runs.tape.nodes if node.name == "multiply")
    assert (doubled.line.file, doubled.line.number) == ("hw.ipynb, cell 3", 6)
    assert ran.sources["hw.ipynb, cell 3"][5].strip() == "%time v = w * 2"


def test_a_notebook_that_was_cut_off_is_read_as_far_as_it_goes(runs):
    whole = notebook("x = 1", "y = 2", "z = 3")
    ran = runs(whole[: whole.index("z = 3")], name="hw.ipynb")
    assert ran.namespace["x"] == 1
    assert said(ran, "no whole notebook")


def test_an_old_notebook_has_its_cells_in_worksheets(runs):
    cells = [{"cell_type": "code", "input": ["x = 1\n", "y = 2"]}]
    ran = runs(json.dumps({"worksheets": [{"cells": cells}]}), name="hw.ipynb")
    assert ran.namespace["y"] == 2


# Limits.


def test_a_statement_that_fills_the_tape_is_ended_and_the_next_has_room(tmp_path):
    file = tmp_path / "hw.py"
    file.write_text(
        "import numpy as np\nx = np.ones(2)\ny = [x * k for k in range(10**6)]\nz = x + 1\n",
        encoding="utf-8",
    )
    tape = Tape(most_nodes=500)
    ran = run(file, tape)
    assert said(ran, "line 3", "computes so much")
    assert ran.namespace["z"].tolist() == [2, 2]


def test_a_recursion_without_end_is_a_failure(runs):
    ran = runs("import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()\nx = 1\n")
    assert "RecursionError" in ran.failures[0].text
    assert ran.namespace["x"] == 1


def test_when_the_time_is_over_definitions_still_run(runs):
    ran = runs(
        "import itertools\n"
        + "x = sum(1 for _ in itertools.count())\n" * 3
        + "def f(): return 1\n",
        seconds=1.5,
    )
    assert "f" in ran.namespace
    assert said(ran, "the time was over")

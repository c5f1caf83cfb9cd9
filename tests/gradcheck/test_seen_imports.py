"""Modules of a learner's own are found as Python and the systems of learners find them."""

import textwrap
import time
from pathlib import Path

import pytest
from seen_checked import STEPS, all_right, check

from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.file import check_seen
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.running.imports import folders_of
from clearprop.gradcheck.seeing.running.programs import programs_with
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.tape import Tape


@pytest.fixture
def place(tmp_path):
    """Write files into a folder of a repository; returns the folder."""

    def write(**files):
        (tmp_path / ".gitignore").touch()
        for name, content in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content))
        return tmp_path

    return write


def ran(file):
    found = run(file, Tape(), 20.0)
    assert not found.failures
    return found


@pytest.mark.parametrize("is_package", [True, False])
def test_a_file_in_a_package_imports_from_its_folder(place, is_package):
    folder = place(
        nets__slopes="class Slope: ...",
        nets__base="from .slopes import Slope",
        nets__net="""
        from . import slopes
        from .base import Slope
        NAME = "net"
        same = slopes.Slope is Slope
        """,
    )
    if is_package:
        (folder / "nets/__init__.py").write_text("from .net import NAME")
    found = ran(folder / "nets/net.py")
    assert found.namespace["same"]
    assert not found.notes


def test_a_module_is_the_same_from_within_its_package_and_from_outside(place):
    folder = place(
        nets__slopes="class Slope: ...",
        nets__tools__deep="from ..slopes import Slope",
        nets__net="""
        from nets.slopes import Slope
        from .tools.deep import Slope as other
        import nets.slopes
        same = Slope is other is nets.slopes.Slope
        """,
    )
    for inner in ("nets", "nets/tools"):
        (folder / inner / "__init__.py").touch()
    assert ran(folder / "nets/net.py").namespace["same"]


def test_main_of_a_module_that_is_imported_again_runs_once(place):
    folder = place(
        nets__net="""
        from . import again
        count = [0]
        def main():
            count[0] += 1
        """,
        nets__again="from . import net",
    )
    (folder / "nets/__init__.py").touch()
    found = ran(folder / "nets/net.py")
    assert found.namespace["count"] == [1]
    assert found.namespace["again"].net.count == [0]


def test_names_as_systems_take_them_that_tell_no_capitals_apart(place):
    folder = place(net="from Slopes import slope\nx = slope(3)", slopes="slope = abs")
    assert ran(folder / "net.py").namespace["x"] == 3
    assert programs_with(folder / "slopes.py") == [folder / "net.py"]


def test_where_a_repository_begins_that_has_no_mark_but_a_readme(tmp_path):
    deep = tmp_path / "others/mine/a/b/c/d"
    deep.mkdir(parents=True)
    (tmp_path / "others/mine/README.md").touch()
    (tmp_path / "others/mine/a/readme.txt").touch()
    assert folders_of(deep / "net.py")[-1] == tmp_path / "others/mine"
    (tmp_path / "others/mine/README.md").unlink()
    assert folders_of(deep / "net.py")[-1] == tmp_path / "others/mine/a"
    (tmp_path / "others/mine/a/readme.txt").unlink()
    assert folders_of(deep / "net.py")[-1] == tmp_path / "others/mine/a/b"


def test_parts_of_numpy_where_they_were_once(place):
    text = """
    from numpy.core.fromnumeric import mean
    from numpy.lib.function_base import append
    from numpy.core.multiarray import zeros
    import numpy.core.defchararray
    assert append(zeros(1), mean(zeros(2))).shape == (2,)
    """
    assert not ran(place(net=text) / "net.py").notes


def test_a_module_that_was_moved_since_it_was_last_imported(place):
    folder = place(
        nets__net="from lib.slopes import slope, Slope\nx = slope(-3)",
        nets__deep__slopes="from abc import ABC as Slope\ndef slope(x):\n    return abs(x)",
        venv__slopes="def slope(x):\n    return 0\nclass Slope: ...",
        other__slopes="def slope(x):\n    return 1",
    )
    found = ran(folder / "nets/net.py")
    assert found.namespace["x"] == 3
    assert [note for note in found.notes if "nets/deep/slopes.py was taken for it" in note]


def test_a_package_that_holds_nothing_but_packages(place):
    folder = place(
        week__net="from book.parts.slopes import slope\nx = slope(-3)",
        week__slopes="def slope(x):\n    return 1",
        book__parts__slopes="def slope(x):\n    return abs(x)",
        book__data__read="",
    )
    found = ran(folder / "week/net.py")
    assert found.namespace["x"] == 3
    assert not found.notes


def test_of_modules_of_a_name_the_one_in_a_folder_of_the_same_name(place):
    folder = place(
        nets__net="from book.parts.slopes import slope\nx = slope(-3)",
        nets__deep__slopes="def slope(x):\n    return 1",
        nets__parts__slopes="def slope(x):\n    return abs(x)",
        nets__wide__slopes="def slope(x):\n    return 2",
    )
    assert ran(folder / "nets/net.py").namespace["x"] == 3


def test_a_module_that_was_moved_and_of_which_everything_is_imported(place):
    folder = place(
        nets__net="from lib.slopes import *\nx = slope(-3)",
        nets__deep__slopes="def slope(x):\n    return abs(x)",
    )
    assert ran(folder / "nets/net.py").namespace["x"] == 3


def test_files_of_one_name_are_told_apart(place):
    folder = place(
        run__net="from nets.slopes import twice\nx = twice(3)",
        nets__slopes="from nets.deep.slopes import half\ndef twice(x):\n    return 4 * half(x)",
        nets__deep__slopes="\n\ndef half(x):\n    return x / 2",
    )
    assert set(ran(folder / "run/net.py").sources) == {"net.py", "slopes.py", "deep/slopes.py"}


def test_what_python_had_once(place):
    text = """
    import collections, inspect, time
    assert time.clock() > 0 and isinstance([], collections.Iterable)
    assert inspect.getargspec(len).args == ["obj"]
    import six
    assert isinstance("x", six.string_types) and list(six.iteritems({1: 2})) == [(1, 2)]
    from six.moves import cPickle as pickle
    assert pickle.loads(pickle.dumps(3)) == 3
    """
    ran(place(net=text) / "net.py")
    assert not hasattr(time, "clock")


# Libraries that do something, though they are not there.

IN_POOLS = [
    "from multiprocessing import Pool\nwith Pool(4) as pool:\n    pool.map(train, [0, 1])",
    "from multiprocessing import Pool\nPool().apply_async(train, (0,)).get()",
    "from multiprocessing import Process\none = Process(target=train, args=(0,))\none.start()",
    "from joblib import Parallel, delayed\nParallel(n_jobs=2)(delayed(train)(k) for k in range(2))",
    "from concurrent.futures import ProcessPoolExecutor, as_completed\n"
    "with ProcessPoolExecutor() as pool:\n"
    "    tasks = [pool.submit(train, k) for k in range(2)]\n"
    "assert [one.result() for one in as_completed(tasks)] == [0, 1]",
]


@pytest.mark.parametrize("text", IN_POOLS)
def test_what_pools_are_given_to_do_is_seen(tmp_path, text):
    body = "def train(k):\n    X = np.random.randn(6, 4)\n"
    body += textwrap.indent(STEPS, "    ") + "    return 0 if k < 1 else 1\n"
    all_right(check(tmp_path, body.replace("for k in range(20)", "for i in range(20)") + text))


@pytest.mark.parametrize("call", ["vectorize", "vectorize(['float64(float64)'], nopython=True)"])
def test_what_numba_makes_of_functions(tmp_path, call):
    text = f"""
    from numba import njit, prange, vectorize
    @{call}
    def relu(x):
        return x if x > 0 else 0.1 * x
    @{call}
    def double(x):
        return 2 * x
    @njit(parallel=True)
    def total(x):
        sum = 0.0
        for i in prange(x.size):
            sum += x[i]
        return sum
    X, W = np.random.randn(5, 3), np.random.randn(3, 2)
    for k in range(3):
        Z = X @ W
        cost = total(double(relu(Z)).reshape(-1))
        W = W - 0.1 * X.T @ np.where(Z > 0, 2.0, 0.2)
    """
    all_right(check(tmp_path, text))


def test_models_of_pydantic_hold_what_they_are_given(tmp_path):
    text = """
    from pydantic import BaseModel, Field
    class Setting(BaseModel):
        rows: int
        columns: int = Field(4, description="of the table")
    setting = Setting(rows=6)
    assert (setting.rows, setting.columns) == (6, 4)
    X = np.random.randn(setting.rows, setting.columns)
    """
    all_right(check(tmp_path, textwrap.dedent(text) + STEPS))


# Decorators.


def test_a_decorator_that_keeps_something_of_its_own(place):
    text = """
    import numpy as np

    def counted(function):
        def wrap(*args, **kwargs):
            wrap.calls += 1
            return function(*args, **kwargs)
        wrap.calls = 0
        return wrap

    class Layer:
        def __init__(self, inputs, outputs):
            self.W = np.random.randn(inputs, outputs)

        @counted
        def forward(self, X):
            self.X = X
            return X @ self.W

        @counted
        def backward(self, grad):
            self.dW = self.X.T @ grad
            return grad @ self.W.T
    """
    file: Path = place(layer=text) / "layer.py"
    report, _ = check_seen(file, 20.0, alone=True)
    assert report is not None
    all_right(report)


def test_decorators_that_close_over_each_other():
    def one(*args):
        return other(*args)

    def other(*args):
        return one(*args)

    files = {__file__}
    defined = Defined({"one": one, "other": other}, Source({}, {}), Tape(files))
    assert list(defined.functions) == ["one", "other"]
    assert defined.definition(one) is None


def test_pictures_and_batches_of_torch(tmp_path):
    text = """
    from torchvision import datasets
    from torch.utils.data import DataLoader
    digits = datasets.MNIST("data", train=True, download=True)
    assert digits.data.numpy().shape == (24, 28, 28) and digits.targets.numpy().shape == (24,)
    assert len(datasets.MNIST("data", train=False)) < len(digits)
    W = np.random.randn(784, 10) * 0.01
    for images, labels in DataLoader(digits, batch_size=6):
        X, Y = images.view(6, -1).numpy(), np.eye(10)[labels.numpy()]
        assert images.shape == (6, 1, 28, 28) and X.max() <= 1
        P = X @ W
        cost = np.sum((P - Y) ** 2)
        W -= 0.001 * X.T @ (P - Y)
    """
    all_right(check(tmp_path, text))


def test_an_animation_that_trains(tmp_path):
    text = """
    from matplotlib.animation import FuncAnimation
    X, W = np.random.randn(6, 4), np.random.randn(4, 3)
    def step(frame):
        global W
        P = np.tanh(X @ W)
        cost = np.sum(P**2) / 2
        W -= 0.1 * X.T @ (P * (1 - P**2))
    animation = FuncAnimation(None, step, frames=200, interval=50)
    """
    all_right(check(tmp_path, text))


def test_a_package_that_lacks_the_module_of_its_name_is_not_taken_for_it(place):
    folder = place(net="import numpy as np\nfrom config import RATE\nX = np.ones((6, 4))\n" + STEPS)
    (folder / "config").mkdir()
    (folder / "config" / "__init__.py").write_text("from .config import RATE\nRATES = [RATE]\n")
    report, ran = check_seen(folder / "net.py", 20.0)
    assert not any("Recursion" in one.text for one in ran.failures), ran.failures
    assert not any("taken for" in one for one in ran.notes), ran.notes
    assert report is not None

"""Libraries that are there, missing or stood in for, and modules of a learner's own."""

import textwrap

import numpy as np
import pytest
from seen_checked import said

from clearprop.gradcheck.seeing.arrays import Watched
from clearprop.gradcheck.seeing.file import check_seen
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.tape import Tape


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


def test_optimizers_are_called_by_any_names_and_old_tables_are_matrices(runs):
    ran = runs(
        """
        import numpy as np
        import pandas as pd
        from scipy.optimize import fmin_bfgs, minimize
        X = pd.DataFrame({"a": np.arange(6.0), "b": np.ones(6)}).iloc[:, :2].as_matrix()
        def cost(w): return ((X @ w - 1) ** 2).mean()
        def slope(w): return 2 * X.T @ (X @ w - 1) / 6
        w = fmin_bfgs(f=cost, x0=np.zeros(2), fprime=slope, disp=False)
        v = minimize(cost, np.zeros(2), jac=slope).x
        """
    )
    assert not ran.failures
    assert type(ran.namespace["X"]) is Watched
    assert ran.namespace["w"].shape == ran.namespace["v"].shape == (2,)


def test_a_slope_that_is_asked_for_is_less_than_1(tmp_path):
    text = """
    import numpy as np
    class Leaky:
        def __init__(self, slope): self.slope = slope
        def forward(self, x):
            self.x = x
            return np.maximum(self.slope * x, x)
        def backward(self, dout): return dout * np.where(self.x > 0, 1, self.slope)
    """
    file = tmp_path / "layers.py"
    file.write_text(textwrap.dedent(text))
    report, _ = check_seen(file, 40.0)
    assert report is not None
    assert report.passed

"""Whatever way a program computes with arrays, its numbers are NumPy's and keep their past."""

import numpy as np
import pytest
from seen_checked import all_right, check

from clearprop.gradcheck.seeing.arrays import Watched, node_of, recording
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.tape import Tape, ancestors

SETTING = """
import collections, math, statistics
import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

class Box:
    def __init__(self, inner):
        self.inner = inner
    def __array__(self, dtype=None, copy=None):
        return self.inner

class Shelf:
    def __init__(self, inner):
        self.inner = inner
    def __len__(self):
        return len(self.inner)
    def __getitem__(self, place):
        return self.inner[place]

def objects(*items):
    made = np.empty(len(items), dtype=object)
    assert made[0] is None
    for place, item in enumerate(items):
        made[place] = item
    return made

x = np.random.RandomState(0).uniform(0.2, 0.9, (3, 4))
"""

WAYS = [
    "np.c_[x[:, 0], x[:, 1]]",
    "np.c_[np.ones(3), x]",
    "np.r_[x[0], x[1]]",
    "np.fromiter((np.tanh(v) for v in x[0]), float)",
    "np.fromiter((v * v for v in x[0]), dtype=float, count=3)",
    "np.array([v * i for (i, j), v in np.ndenumerate(x)])",
    "np.frompyfunc(lambda v: v * 2, 1, 1)(x).astype(float)",
    "np.sum(v * v for v in x[0])",
    "np.array(Box(x)) * 2",
    "np.exp(Box(x))",
    "np.array([Box(x[0]), Box(x[1])])",
    "np.concatenate([Box(x), Box(x)])",
    "np.array(Shelf(x))",
    "np.stack(collections.deque([x[0], x[1]]))",
    "np.array(collections.deque([x[0], x[1]]))",
    "np.linalg.multi_dot([x, x.T, x])",
    "objects(x * 2, x[0])[0]",
    "objects(x, x * 3).sum()",
    "(objects(x, x[0]) * 2 + objects(x, x[0]))[1]",
    "math.log(x[0, 0], 2)",
    "math.fsum([x[0, 0], x[0, 1]])",
    "math.erf(x[0, 0])",
    "as_strided(x[:, 1:], (2, 2, 2), (32, 8, 8))",
    "np.lib.stride_tricks.as_strided(np.asfortranarray(x), (4, 2), (24, 8))",
    "np.lib.stride_tricks.sliding_window_view(x, (2, 2))",
    "np.lib.pad(x, 1, 'constant')",
    "np.random.choice(a=x[0], size=4, replace=False).sum()",
    "(x[0, 0] if np.isscalar(x[0, 0]) else 0.0) * 1",
    "x[0, 0] * x[0, 0].is_integer() + x[0, 0]",
    "np.asscalar(x[0, 0]) * 1",
]

OLD = {  # what NumPy has no more, in its words of today
    "np.lib.pad(x, 1, 'constant')": "np.pad(x, 1)",
    "np.asscalar(x[0, 0]) * 1": "x[0, 0]",
    "np.sum(v * v for v in x[0])": "np.sum(x[0] ** 2)",
    "np.array(Shelf(x))": "x",
    "np.array([Box(x[0]), Box(x[1])])": "x[:2]",
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    file = tmp_path_factory.mktemp("ways") / "ways.py"
    file.write_text(SETTING + "".join(f"\ny{k} = {way}" for k, way in enumerate(WAYS)))
    tape = Tape()
    return tape, run(file, tape, 20.0)


@pytest.mark.parametrize("way", WAYS)
def test_a_way_keeps_the_past(ran, way):
    tape, found = ran
    known = {}
    exec(SETTING, known)  # noqa: S102 - the text above
    expected = eval(OLD.get(way, way), known)  # noqa: S307
    result = found.namespace[f"y{WAYS.index(way)}"]
    assert not found.failures
    assert type(result) is Watched
    np.testing.assert_allclose(np.asarray(result.view(np.ndarray)), expected, rtol=1e-14)
    with recording(tape):
        assert node_of(found.namespace["x"]) in ancestors([node_of(result)])


def test_what_is_written_to_windows_is_written(tmp_path):
    text = """
    from numpy.lib.stride_tricks import as_strided
    X, K = np.random.randn(4, 6), np.random.randn(3)
    for k in range(9):
        windows = as_strided(X, (4, 2, 3), (48, 24, 8))
        Z = windows @ K
        cost = np.sum(Z**2) / 2
        D = np.zeros((4, 6))
        as_strided(D, (4, 2, 3), (48, 24, 8))[...] = Z[:, :, None]
        K = K - 0.01 * (D * X).sum(0).reshape(2, 3).sum(0)
    """
    all_right(check(tmp_path, text))


def test_windows_beyond_an_array_have_no_past(tmp_path):
    file = tmp_path / "net.py"
    file.write_text(SETTING + "y = as_strided(x[:2], (3, 4), (32, 8))")
    tape = Tape()
    found = run(file, tape, 20.0).namespace
    np.testing.assert_array_equal(found["y"].view(np.ndarray), found["x"].view(np.ndarray))
    with recording(tape):
        assert not node_of(found["y"]).parents


def test_layers_in_an_array_of_objects(tmp_path):
    text = """
    class Layer:
        def __init__(self, *shape):
            self.W = np.random.randn(*shape)

    layers = np.empty(2, Layer)
    layers[0], layers[1] = Layer(4, 3), Layer(3, 2)
    X, Y = np.random.randn(6, 4), np.random.randn(6, 2)
    for k in range(9):
        A = np.tanh(X @ layers[0].W)
        D = A @ layers[1].W - Y
        cost = np.sum(D**2) / 2
        back = D @ layers[1].W.T * (1 - A**2)
        layers[1].W -= 0.01 * A.T @ D
        layers[0].W -= 0.01 * X.T @ back
    """
    assert len(all_right(check(tmp_path, text)).rows) == 2


def test_arrays_of_a_class_of_its_own(tmp_path):
    text = """
    class Parameter(np.ndarray):
        def __new__(cls, values, name=""):
            made = np.asarray(values, dtype=float).view(cls)
            made.name, made._slope = name, None
            return made

        @property
        def slope(self):
            return self._slope

        @slope.setter
        def slope(self, value):
            self._slope = value

        def step(self, rate):
            self -= rate * self.slope

    class Tagged(np.ndarray):
        def __new__(cls, *shape):
            return super().__new__(cls, shape)

        def __array_finalize__(self, seen):
            self.tag = getattr(seen, "tag", "none")

    b = Tagged(3)
    assert b.tag == "none" and not b.any()
    assert isinstance(b, Tagged) and isinstance(b, np.ndarray) and not isinstance(b, Parameter)
    W = Parameter(np.random.randn(4, 3), "weights")
    assert isinstance(W, Parameter) and W.name == "weights"
    X, Y = np.random.randn(6, 4), np.random.randn(6, 3)
    for k in range(9):
        P = np.tanh(X @ W + b)
        cost = np.sum((P - Y) ** 2) / 2
        D = (P - Y) * (1 - P**2)
        W.slope = X.T @ D
        W.step(0.01)
        b -= 0.01 * D.sum(axis=0)
    """
    assert len(all_right(check(tmp_path, text)).rows) == 2

"""The line where an array is only handed on, and where a fault is no wrong gradient."""

import pytest
from seen_mistakes import mistaken, replaced
from seen_styles import COURSE, STYLES

pytestmark = pytest.mark.slow  # many programs are run and judged

LAYERS = """
import numpy as np
np.random.seed(0)


class Linear:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.random.randn(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, back):
        dx = back @ self.W.T
        dW = self.x.T @ back
        db = np.sum(back, axis=0)
        return dx, dW, db


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, back):
        return back * (self.x > 0), None, None


class Squash:
    def forward(self, x):
        self.kept = np.tanh(x)
        return self.kept

    def backward(self, back):
        return back


layers = [Linear(5, 4), ReLU(), Linear(4, 4), ReLU(), Linear(4, 3)]
squash = Squash()
X, Y = np.random.randn(10, 5), np.random.randn(10, 3)
for epoch in range(4):
    out = X
    for layer in layers:
        out = layer.forward(out)
    out = squash.forward(out)
    loss = np.sum((out - Y) ** 2)
    back, steps = squash.backward(2 * (out - Y)), []
    for layer in reversed(layers):
        back, dW, db = layer.backward(back)
        steps.append((layer, dW, db))
    for layer, dW, db in steps:
        if dW is not None:
            layer.W = layer.W - 0.01 * dW
            layer.b = layer.b - 0.01 * db
"""
RIGHT = LAYERS.replace("return back\n", "return back * (1 - self.kept ** 2)\n")
HELPERS = """
import numpy as np
np.random.seed(1)
X, Y = np.random.randn(8, 3), np.random.randn(8, 2)
A, B = np.random.randn(3, 4), np.random.randn(4, 2)

def slope(a):
    return 1 - a * a

def tanh_slope(z):
    return 1 - np.tanh(z) ** 2

for i in range(3):
    l1 = np.tanh(X @ A)
    loss = np.sum((l1 @ B - Y) ** 2)
    d2 = 2 * (l1 @ B - Y)
    e1 = d2 @ B.T
    d1 = e1 * slope(l1)
    B = B - 0.01 * l1.T @ d2
    A = A - 0.01 * X.T @ d1
"""
GRADS = 'return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}'
DROPOUT = STYLES["dropout"][0]
SOFTMAX = STYLES["rows with integer labels"][0]


def test_the_layers_are_right(check):
    report = check(RIGHT)
    assert report.passed
    assert len(report.rows) == 6


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        pytest.param(RIGHT, "return dx, dW, db", "return dx, dW, back", id="a tuple"),
        pytest.param(COURSE, GRADS, GRADS.replace("db2}", "dZ1}"), id="a dictionary"),
        pytest.param(COURSE, GRADS, GRADS.replace(" dW2,", " db1,"), id="twice in one"),
        pytest.param(
            RIGHT,
            "return back * (1 - self.kept ** 2)",
            "return back",
            id="a layer that does nothing",
        ),
        pytest.param(
            DROPOUT, "dZ1 = dA1 * np.where(Z1 > 0, 1, 0.1)", "dZ1 = dA1", id="another name alone"
        ),
        pytest.param(
            RIGHT, "layer.W = layer.W - 0.01 * dW", "layer.W = layer.W - dW", id="a rate left out"
        ),
        pytest.param(
            HELPERS, "d1 = e1 * slope(l1)", "d1 = slope(l1)", id="what has come back left out"
        ),
        pytest.param(
            HELPERS,
            "d1 = e1 * slope(l1)",
            "d1 = e1 * tanh_slope(l1)",
            id="a slope at another array",
        ),
        pytest.param(SOFTMAX, "dW2 += reg * W2", "dW2 += reg", id="a number without its parameter"),
        pytest.param(SOFTMAX, "dW2 += reg * W2", "dW2 += db1 * W2", id="an array for a number"),
    ],
)
def test_the_line_is_told_and_with_its_change_all_is_right(check, text, right, wrong):
    changed, number = mistaken(text, right, wrong)
    report = check(changed)
    assert not report.passed
    assert report.line["number"] == number
    assert check(replaced(changed, number, report.line["instead"])).passed


SHARED = """
import numpy as np
np.random.seed(0)
X, Y = np.random.randn(9, 4), np.random.rand(9, 3)
W = np.random.randn(4, 3)

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def back(error):
    return sigmoid(1 - sigmoid(error))

for i in range(3):
    out = sigmoid(X @ W)
    loss = np.sum((out - Y) ** 2)
    W -= 0.1 * X.T @ back(2 * (out - Y))
"""


def test_a_function_of_the_forward_pass_is_not_blamed_where_it_is_called(check):
    report = check(SHARED)
    assert "wrong" in {row.verdict for row in report.rows}
    assert report.line["text"] == "return sigmoid(1 - sigmoid(error))"


TWO = """
import numpy as np
np.random.seed(0)
X, Y = np.random.randn(10, 3), np.random.randn(10, 2)
V, W = np.random.randn(3, 4), np.random.randn(4, 2)
for i in range(3):
    h = np.tanh(X @ V)
    loss = np.sum((h @ W - Y) ** 2)
    d = 2 * (h @ W - Y)
    dW = h.T @ d
    V = V - 0.01 * X.T @ (d @ W.T * (1 - h ** 2))
    W -= 0.01 * dW
"""


@pytest.mark.parametrize("step", ["W -= 0.1", "W = W - 0.1", "W += 0.1 * 3"])
def test_a_step_without_a_gradient_is_told(check, step):
    report = check(TWO.replace("W -= 0.01 * dW", step))
    assert [row.verdict for row in report.rows] == ["right"]
    assert report.unseen == ("W",)
    assert report.line["number"] == 12
    assert "line 12 changes it, by no gradient" in report.told


def test_numbers_that_first_weights_are_moved_by_are_no_step(check):
    report = check(TWO.replace("for i", "W -= 0.1\nfor i").replace("W -= 0.01 * dW", "pass"))
    assert report.unseen == ("W",)
    assert report.line is None


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("dW = h.T @ d", "dW = d.T @ h"),
        ("dW = h.T @ d", "dW = h[:, 4:5].T @ d"),
        ("dW = h.T @ d", "dW = (h.T @ d)[:, 1:1]"),
    ],
)
def test_a_step_that_fails_leads_to_the_line_that_made_its_shape(check, right, wrong):
    report = check(TWO.replace(right, wrong))
    assert not report.passed
    assert "line 12 fails where training goes on" in report.told
    assert "The shape of dW comes from line 10." in report.told
    assert (report.line["number"], report.line["text"]) == (10, wrong)


def test_a_product_the_wrong_way_round_is_told_where_it_is_taken(check):
    back = "    back = {}\n    V = V - 0.01 * X.T @ (back * (1 - h ** 2))"
    text = TWO.replace("    V = V - 0.01 * X.T @ (d @ W.T * (1 - h ** 2))", back)
    assert check(text.format("d @ W.T")).passed
    report = check(text.format("W @ d.T"))
    assert not report.passed
    assert report.line["text"] == "back = W @ d.T"


@pytest.mark.parametrize("wrong", ["axis=1)", "axis=1, keepdims=False)"])
def test_a_step_that_makes_another_shape_of_a_parameter_is_told(check, wrong):
    right = "db2 = np.sum(dZ2, axis=1, keepdims=True) / m"
    text, number = mistaken(COURSE, right, f"db2 = np.sum(dZ2, {wrong} / m")
    report = check(text)
    assert not report.passed
    assert report.line["number"] == number
    assert "makes an array of shape (4, 4)" in report.told


def test_a_row_for_a_vector_is_no_mistake(check):
    text = STYLES["layer classes"][0]
    right = "grad_bias = grad.sum(axis=0, keepdims=True)"
    assert check(mistaken(text, right, right.replace(", keepdims=True", ""))[0]).passed


ENTRIES = """
import numpy as np
X, Y = [[1, 1], [1, 0], [0, 1], [0.5, 0]], [0, 1, 1, 0.3]
w, v = np.array([[0.9, 0.1], [0.3, 0.5]]), np.array([0.8, 0.7])
for epoch in range(10):
    for x, y in zip(X, Y):
        h0 = 1 / (1 + np.exp(-(w[0, 0] * x[0] + w[1, 0] * x[1])))
        h1 = 1 / (1 + np.exp(-(w[0, 1] * x[0] + w[1, 1] * x[1])))
        out = 1 / (1 + np.exp(-(v[0] * h0 + v[1] * h1)))
        loss = (out - y) ** 2 / 2
        d = out - y
        g0 = d * out * (1 - out) * v[0] * h0 * (1 - h0)
        g1 = d * out * (1 - out) * v[1] * h1 * (1 - h1)
        w[0, 0] = w[0, 0] - 0.5 * g0 * x[0]
        w[0, 1] = w[0, 1] - 0.5 * g1 * x[0]
        w[1, 0] = w[1, 0] - 0.5 * g0 * x[1]
        w[1, 1] = w[1, 1] - 0.5 * g1 * x[1]
        v[0] = v[0] - 0.5 * d * out * (1 - out) * h0
        v[1] = v[1] - 0.5 * d * out * (1 - out) * h1
"""


def test_two_entries_with_a_mistake_of_their_own_have_a_line_each(check):
    assert check(ENTRIES).passed
    report = check(ENTRIES.replace("d * out * (1 - out) * h", "d * h"))
    assert report.line["number"] == 18
    assert "line 19 is wrong, too" in report.told.lower()

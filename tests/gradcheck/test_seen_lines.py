"""The line at fault wherever it ran: in loops, in helpers, where it fails; what is no mistake."""

import pytest
from seen_long_styles import NIELSEN, RNN
from seen_mistakes import mistaken
from seen_styles import COURSE

HELPER = """
import numpy as np
np.random.seed(0)

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))

def sigmoid_derivative(a):
    return a * (1 - a)

X, Y = np.random.randn(9, 3), np.random.rand(9, 2)
W1, W2, W3 = np.random.randn(3, 4), np.random.randn(4, 4), np.random.randn(4, 2)
for i in range(2):
    z1 = X @ W1
    a1 = sigmoid(z1)
    z2 = a1 @ W2
    a2 = sigmoid(z2)
    out = sigmoid(a2 @ W3)
    loss = np.sum((out - Y) ** 2)
    error = 2 * (out - Y)
    d3 = error * sigmoid_derivative(out)
    d2 = d3 @ W3.T * sigmoid_prime(z2)
    d1 = d2 @ W2.T * sigmoid_prime(z1)
    W3 -= 0.01 * a2.T @ d3
    W2 -= 0.01 * a1.T @ d2
    W1 -= 0.01 * X.T @ d1
"""

RIGHT_LINE = {
    "a helper that is used twice": (
        HELPER,
        "return sigmoid(z) * (1 - sigmoid(z))",
        "return sigmoid(z)",
    ),
    "a helper that gives back what it took": (HELPER, "return a * (1 - a)", "return a"),
    "an argument of a helper": (
        HELPER,
        "d2 = d3 @ W3.T * sigmoid_prime(z2)",
        "d2 = d3 @ W3.T * sigmoid_prime(z1)",
    ),
    "a sum for a difference": (HELPER, "error = 2 * (out - Y)", "error = 2 * (out + Y)"),
    "an update of the other sign": (
        HELPER,
        "W2 -= 0.01 * a1.T @ d2",
        "W2 += 0.01 * a1.T @ d2",
    ),
    "the weights of the layer before": (
        HELPER,
        "d1 = d2 @ W2.T * sigmoid_prime(z1)",
        "d1 = d2 @ W2 * sigmoid_prime(z1)",
    ),
    "sample by sample": (
        NIELSEN,
        "delta = np.dot(self.weights[-l + 1].transpose(), delta) * sp",
        "delta = np.dot(self.weights[-l + 1].transpose(), delta)",
    ),
    "another round of a loop": (
        NIELSEN,
        "nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())",
        "nabla_w[-l] = np.dot(delta, activations[-l].transpose())",
    ),
    "another time step": (
        RNN,
        "dWhh += np.dot(dhraw, hs[t - 1].T)",
        "dWhh += np.dot(dhraw, hs[t].T)",
    ),
    "an operand that was left out": (
        RNN,
        "dhraw = (1 - hs[t] * hs[t]) * dh",
        "dhraw = 1 - hs[t] * hs[t]",
    ),
    "a power": (
        COURSE,
        "dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))",
        "dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 1))",
    ),
    "a factor that does not belong there": (
        COURSE,
        "dW1 = np.dot(dZ1, X.T) / m",
        "dW1 = 3 * np.dot(dZ1, X.T) / m",
    ),
}


@pytest.mark.parametrize(("text", "right", "wrong"), RIGHT_LINE.values(), ids=RIGHT_LINE)
def test_the_line_that_is_wrong_is_named(check, text, right, wrong):
    changed, number = mistaken(text, right, wrong)
    report = check(changed)
    assert not report.passed
    assert report.line["number"] == number
    instead = report.line["instead"]
    lines = changed.split("\n")
    old = lines[number - 1]
    lines[number - 1] = old[: len(old) - len(old.lstrip())] + instead
    assert check("\n".join(lines)).passed


def test_of_two_ways_to_make_it_right_the_shorter_is_told(check):
    text, number = mistaken(COURSE, "dZ2 = A2 - Y", "dZ2 = A2 + Y")
    assert check(text).line == {
        "file": "hw.py",
        "number": number,
        "text": "dZ2 = A2 + Y",
        "instead": "dZ2 = A2 - Y",
    }


LINEAR = """
import numpy as np
np.random.seed(0)
X, Y = np.random.randn(10, 3), np.random.randn(10, 2)
W, b = np.random.randn(3, 2), np.zeros(2)
for i in range(3):
    out = X @ W + b
    loss = np.mean((out - Y) ** 2)
    d = {d}
    W = W - 0.1 * {dW}
    b -= 0.1 * {db}
"""


def linear(d="2 * (out - Y) / 20", dW="(X.T @ d)", db="d.sum(axis=0)"):
    return LINEAR.format(d=d, dW=dW, db=db)


@pytest.mark.parametrize(
    ("d", "factor"), [("2 * (out - Y) / 20", None), ("out - Y", 10.0), ("(out - Y) / 20", 0.5)]
)
def test_a_factor_of_all_gradients_is_told_and_is_no_mistake(check, d, factor):
    report = check(linear(d=d))
    assert report.passed
    assert report.factor == (factor if factor is None else pytest.approx(factor))
    assert report.to_dict()["factor"] == report.factor
    told = [note for note in report.notes if "times the derivative of the cost in line 8" in note]
    assert len(told) == (factor is not None)


def test_a_line_that_fails_for_its_shapes_is_told_where_it_comes_from(check):
    text = linear(db="db").replace("    W = W", "    db = d.sum(axis=1)\n    W = W")
    report = check(text)
    assert [row.verdict for row in report.rows] == ["right"]
    assert not report.passed
    assert report.line["number"] == 10
    assert report.line["text"] == "db = d.sum(axis=1)"
    assert "line 12 fails where training goes on: ValueError" in report.told
    assert "The shape of db comes from line 10." in report.told


def test_momentum_beside_a_plain_step_is_no_mistake(check):
    text = linear().replace(
        "W = W - 0.1 * (X.T @ d)", "v = 0.9 * v - 0.1 * (X.T @ d)\n    W = W + v"
    )
    text = text.replace("for i", "v = 0\nfor i")
    assert check(text).passed
    report = check(text.replace("W = W + v", "W = W - v"))
    assert {row.parameter: row.verdict for row in report.rows} == {"W": "wrong", "b": "right"}


def test_decay_beside_a_step_is_no_mistake(check):
    text = linear(dW="(X.T @ d + 0.1 * W)")
    report = check(text)
    assert report.passed
    assert any("weight decay" in note for note in report.notes)


def test_a_cost_of_other_data_is_not_that_of_the_gradients(check):
    text = """
import numpy as np
np.random.seed(1)
X, Y = np.random.randn(10, 3), np.random.randn(10, 1)
W = np.random.randn(3, 1)

def forward(x):
    return np.tanh(x @ W)

def cost(x, y):
    return np.mean((forward(x) - y) ** 2)

for i in range(4):
    k = np.random.randint(10)
    x, y = X[k:k + 1], Y[k]
    out = forward(x)
    W -= 0.1 * x.T @ ((2 * out - 2 * y) * {slope})
    print(cost(X, Y))
"""
    assert check(text.format(slope="(1 - out ** 2)")).passed
    assert not check(text.format(slope="(1 - out)")).passed


def test_one_output_of_one_sample_is_told_by_its_rate(check):
    text = """
import numpy as np
np.random.seed(1)
X, Y = np.random.randn(6, 3), np.random.rand(6)
w = np.random.randn(3)
for k in range(6):
    p = 1 / (1 + np.exp(-(X[k] @ w)))
    w = w - 0.5 * {error} * X[k]
"""
    assert check(text.format(error="(p - Y[k])")).passed
    assert check(text.format(error="(p - Y[k]) * p * (1 - p)")).passed
    report = check(text.format(error="(p - Y[k]) * (1 + p)"))
    assert not report.passed
    assert {row.verdict for row in report.rows} == {"unclear"}


TWO_NETWORKS = """
import numpy as np
np.random.seed(0)

class First:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        self.out = np.tanh(x @ self.W)
        return self.out

    def backward(self, y):
        self.dW = self.x.T @ ((self.out - y) * (1 - self.out ** 2))
        return self.dW

class Second(First):
    def backward(self, y):
        self.dW = self.x.T @ ((self.out - y) * (1 - self.out))
        return self.dW

net = First(3, 2)
X, Y = np.random.randn(8, 3), np.random.randn(8, 2)
for i in range(3):
    net.forward(X)
    net.W -= 0.1 * net.backward(Y)
"""


def test_what_no_training_has_called_is_called_too(check):
    report = check(TWO_NETWORKS)
    assert not report.passed
    assert "right" in {row.verdict for row in report.rows}
    assert report.line["number"] == 20
    assert check(TWO_NETWORKS.replace("(1 - self.out))", "(1 - self.out ** 2))")).passed


def test_weights_that_never_move_are_not_passed_over(check):
    text = """
import numpy as np
np.random.seed(0)
X, Y = np.random.randn(8, 3), np.random.randn(8, 2)
W1, W2 = np.random.randn(3, 4) / np.sqrt(3), np.random.randn(4, 2) / 2
for i in range(3):
    h = np.tanh(X @ W1)
    out = h @ W2
    loss = np.sum((out - Y) ** 2)
    d = 2 * (out - Y)
    dW2 = {dW2}
    W1 = W1 - 0.01 * X.T @ (d @ W2.T * (1 - h ** 2))
    W2 = W2 - 0.01 * dW2
"""
    assert check(text.format(dW2="h.T @ d")).passed
    report = check(text.format(dW2="np.zeros((4, 2))"))
    assert not report.passed
    assert report.unseen == ("W2",)


@pytest.mark.parametrize("Y", ["X @ np.random.randn(3, 2)", "np.tanh(X @ np.random.randn(3, 2))"])
@pytest.mark.parametrize(("update", "unseen"), [("W1 -= 0.01 * dW1", ()), ("", ("W1",))])
def test_targets_that_random_numbers_have_made_are_no_layer(check, Y, update, unseen):
    report = check(f"""
import numpy as np
np.random.seed(0)
X = np.random.randn(8, 3)
Y = {Y}
W1, W2 = np.random.randn(3, 4), np.random.randn(4, 2)
for i in range(3):
    h = np.tanh(X @ W1)
    error = h @ W2 - Y
    loss = np.sum(error ** 2)
    d = 2 * error
    dW1, dW2 = X.T @ (d @ W2.T * (1 - h ** 2)), h.T @ d
    W2 -= 0.01 * dW2
    {update}
""")
    assert report.unseen == unseen
    assert report.passed == (unseen == ())


def test_a_number_of_batches_is_no_size_of_them(check):
    text = """
import numpy as np

class Softmax:
    def __init__(self, eta=0.01, epochs=5, minibatches=1):
        self.eta, self.epochs, self.minibatches = eta, epochs, minibatches

    def fit(self, X, y):
        Y = np.eye(y.max() + 1)[y]
        self.w, self.b = np.zeros((X.shape[1], Y.shape[1])), np.zeros(Y.shape[1])
        for epoch in range(self.epochs):
            for rows in np.array_split(np.arange(len(y)), self.minibatches):
                scores = X[rows] @ self.w + self.b
                p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
                diff = p - Y[rows]
                self.w -= self.eta * X[rows].T @ diff
                self.b -= self.eta * {of}(diff, axis=0)
"""
    assert check(text.format(of="np.sum")).passed
    report = check(text.format(of="np.mean"))
    assert report.line["instead"] == "self.b -= self.eta * np.sum(diff, axis=0)"


def test_a_change_whose_arrays_double_again_and_again_is_given_up(check):
    text = """
import numpy as np
np.random.seed(0)
Wx, Wh, Wy = np.random.randn(20, 1), 0.2 * np.random.randn(20, 20), np.random.randn(1, 20)
x, y = np.random.randn(25, 1), 0.5
for step in range(2):
    h = [np.zeros((20, 1))]
    for t in range(25):
        h.append(np.tanh(Wx @ x[t].reshape(1, 1) + Wh @ h[-1]))
    out = Wy @ h[-1]
    loss = 0.5 * np.sum((out - y) ** 2)
    e = out - y
    back = (1 - h[-1] ** 2) * (Wy.T @ e)
    for t in reversed(range(1, 25)):
        d = Wy.T @ e + (Wh @ back[:, 0].reshape(20, 1)) * (1 - h[t] ** 2)
        back = np.insert(back, 0, d.T, axis=1)
    Wx = Wx - 0.01 * (back @ x)
    Wy = Wy - 0.01 * (e @ h[-1].T)
"""
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = check(text)
    assert not report.passed
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 1_500_000  # kilobytes


def test_a_mean_over_all_axes_but_the_channels_should_be_a_sum(check):
    report = check("""
import numpy as np
rng = np.random.RandomState(0)
X, Y = rng.randn(4, 3, 5, 5), rng.randn(4, 2, 5, 5)
W, b = rng.randn(2, 3) * 0.5, np.zeros((1, 2, 1, 1))
for epoch in range(6):
    A = np.tanh(np.einsum("oc,nchw->nohw", W, X) + b)
    loss = np.sum((A - Y) ** 2) / 2
    d = (A - Y) * (1 - A**2)
    W -= 0.01 * np.einsum("nohw,nchw->oc", d, X)
    b -= 0.01 * np.mean(d, axis=(0, 2, 3), keepdims=True)
""")
    instead = "b -= 0.01 * np.sum(d, axis=(0, 2, 3), keepdims=True)"
    assert report.line["instead"] == instead

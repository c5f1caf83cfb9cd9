"""A line that fails before any gradient was seen is told, where no data excuse it."""

import pytest
from seen_long_styles import NIELSEN
from seen_mistakes import mistaken
from seen_styles import STYLES

pytestmark = pytest.mark.slow  # many programs are run and judged

LAYERS = STYLES["layer classes"][0]
ADAM = STYLES["Adam"][0]
FRENCH = STYLES["French names and L2"][0]
COLUMNS = "sp = sigmoid_prime(zs[-l])"


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        (ADAM, "delta = (delta @ W2.T) * a * (1 - a)", "delta = (delta @ W2) * a * (1 - a)"),
        (ADAM, "delta = (o - Y) / Y.size", "delta = (slip - Y) / Y.size"),
        (ADAM, "delta = (o - Y) / Y.size", "delta = (g - Y) / Y.size"),
        (NIELSEN, COLUMNS, COLUMNS.replace("-l", "l")),
        (FRENCH, "ecart = proba - cible", "ecart = proba - cibles"),
        (LAYERS, "grad_weights = self.x.T @ grad", "grad_weights = self.x.T @ grad_weights"),
        (LAYERS, "grad_input = grad @ self.weights.T", "grad_input = self.weights @ grad.T"),
    ],
)
def test_a_line_that_fails_going_back_is_told(check, text, right, wrong):
    changed, number = mistaken(text, right, wrong)
    report = check(changed)
    assert not report.passed
    assert report.line["number"] == number


def test_a_name_that_an_earlier_failure_has_left_out_is_no_mistake(check):
    text = "import nowhere\nfrom nowhere import *\n" + FRENCH.replace("cible)", "cibles)")
    assert check(text) is None


def test_data_that_stand_in_for_others_excuse_a_forward_line(check):
    text = FRENCH.replace("X = np.random.randn(10, 4)", 'X = np.load("there_is_none.npy")')
    text = text.replace("(X @ poids", "(X[:, :3] @ poids")
    report = check(text)
    assert report is None or report.line is None


def test_what_a_name_means_in_a_loop_is_what_it_means_in_that_round(check):
    text = """
import numpy as np
np.random.seed(0)
X, Y = np.random.randn(9, 5), np.random.randn(9, 2)
W = [np.random.randn(5, 4), np.random.randn(4, 4), np.random.randn(4, 2)]
for i in range(3):
    kept, a = [], X
    for w in W:
        kept.append(a)
        a = np.tanh(a @ w)
    loss = np.sum((a - Y) ** 2)
    d = 2 * (a - Y) * (1 - a ** 2)
    for k in range(2, -1, -1):
        before = kept[k]
        dW = before.T @ d
        back = d @ W[k].T
        d = {d}
        W[k] = W[k] - 0.01 * dW
"""
    assert check(text.format(d="back * (1 - before ** 2)")).passed
    report = check(text.format(d="back"))
    assert report.line == {
        "file": "hw.py",
        "number": 17,
        "text": "d = back",
        "instead": "d = back * (1 - before ** 2)",
    }


def test_an_array_that_a_function_returned_and_nothing_took_is_known(check):
    text = """
import numpy as np
np.random.seed(0)
X, Y = np.random.randn(9, 4), np.random.randn(9, 4)
V, W = np.random.randn(4, 4), np.random.randn(4, 4)

def gradients(h):
    d = 2 * (h @ W - Y)
    first = X.T @ (d @ W.T * (1 - h ** 2))
    second = h.T @ d
    return first, second

for i in range(3):
    h = np.tanh(X @ V)
    loss = np.sum((h @ W - Y) ** 2)
    dV, dW = gradients(h)
    V = V - 0.01 * dV
    W = W - 0.01 * {dW}
"""
    assert check(text.format(dW="dW")).passed
    assert check(text.format(dW="dV")).line["instead"] == "W = W - 0.01 * dW"


def test_a_failing_trial_of_a_backward_pass_is_none(check):
    text = """
import numpy as np

class Net:
    def step(self, X, Y):
        return X

def {name}():
    net = Network(3)
    print(net.step(np.ones((2, 3)), np.ones((2, 3))))

{name}()
"""
    assert check(text.format(name="test_compute_gradients")) is None
    assert check(text.format(name="compute_gradients")).line["number"] == 9


def test_a_row_that_the_small_data_of_a_call_lack_is_no_mistake(check):
    text = """
import numpy as np

class Unit:
    def __init__(self, theta):
        self.theta = theta

    def fit(self, x, y):
        for epoch in range(50):
            for k in range(len(x)):
                x_k, y_k = x[k], y[k]
                h = 1 / (1 + np.exp(-np.dot(x_k.T, self.theta)))
                self.theta = self.theta - 0.01 * np.dot(x_k, h - y_k)
"""
    report = check(text)
    assert report is None or report.line is None
    changed = text.replace("np.dot(x_k, h - y_k)", "np.dot(x_k, h - y_k)[9]")
    report = check(changed)
    assert report is None or report.line["number"] == 13

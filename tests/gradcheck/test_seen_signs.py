"""Gradients that are returned have the sign of the derivative, unless somebody adds them."""

import pytest

pytestmark = pytest.mark.slow  # many programs are run and judged

PROPAGATE = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def propagate(w, b, X, Y):
    m = X.shape[1]
    A = sigmoid(np.dot(w.T, X) + b)
    cost = -1 / m * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    dz = {difference}
    dw = 1 / m * np.dot(X, dz.T)
    db = 1 / m * np.sum(dz)
    return {{"dw": dw, "db": db}}, cost
"""

SOFTMAX = """
import numpy as np

def softmax_loss(W, X, y):
    scores = X.dot(W)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    n = X.shape[0]
    loss = -np.log(p[np.arange(n), y]).sum() / n
    p[np.arange(n), y] -= 1
    dW = X.T.dot(p)
    return loss, {returned}
"""

DENSE = """
import numpy as np

class Dense:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m)
        self.b = np.zeros(m)

    def forward(self, X):
        self.X = X
        return X @ self.W + self.b

    def backward(self, dout):
        self.dW = {sign}self.X.T @ dout
        self.db = {sign}dout.sum(0)
        return dout @ self.W.T
"""

ADDS = """
class Ascent:
    def step(self, layers, rate):
        for layer in layers:
            layer.W += rate * layer.dW
            layer.b += rate * layer.db
"""

LIKELIHOOD = """
import numpy as np

def log_likelihood(X, y, w):
    z = X @ w
    ll = np.sum(y * z - np.log(1 + np.exp(z)))
    grad = {sign}X.T @ (y - 1 / (1 + np.exp(-z)))
    return ll, grad
"""


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (PROPAGATE.format(difference="Y - A"), PROPAGATE.format(difference="A - Y")),
        (SOFTMAX.format(returned="-dW / n"), SOFTMAX.format(returned="dW / n")),
        (DENSE.format(sign="-"), DENSE.format(sign="")),
    ],
    ids=["propagate", "softmax", "layer"],
)
def test_a_derivative_of_the_wrong_sign_is_told_with_its_line(check, wrong, right):
    assert check(right).passed
    report = check(wrong)
    assert not report.passed
    lines = wrong.splitlines()
    changed = next(
        n
        for n, both in enumerate(zip(lines, right.splitlines(), strict=True))
        if len(set(both)) > 1
    )
    assert report.line["number"] == changed + 1


def test_what_is_added_may_have_the_other_sign(check):
    report = check(DENSE.format(sign="-") + ADDS)
    assert [row.verdict for row in report.rows] == ["right"] * 3


def test_the_gradient_of_a_likelihood_leads_up(check):
    assert check(LIKELIHOOD.format(sign="")).passed

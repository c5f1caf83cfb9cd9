"""Lines that are wrong in every round, two that are wrong together, and what a layer hands on."""

import pytest

pytestmark = pytest.mark.slow  # code is called in many ways until one does

GATED = """
import numpy as np

rng = np.random.RandomState(1)
steps, wide, deep, out = 5, 3, 4, 3
Wz, Wi = 0.5 * rng.randn(deep, wide), 0.5 * rng.randn(deep, wide)
Uz, Ui = 0.5 * rng.randn(deep, deep), 0.5 * rng.randn(deep, deep)
V = 0.5 * rng.randn(out, deep)
xs = rng.randn(steps, wide)
goal = rng.randn(steps, out)

def gate(a):
    return 1 / (1 + np.exp(-a))

for epoch in range(5):
    z, i = np.zeros((steps, deep)), np.zeros((steps, deep))
    c, y = np.zeros((steps + 1, deep)), np.zeros((steps, out))
    for t in range(steps):
        z[t] = np.tanh(Wz @ xs[t] + Uz @ c[t])
        i[t] = gate(Wi @ xs[t] + Ui @ c[t])
        c[t + 1] = i[t] * z[t] + (1 - i[t]) * c[t]
        y[t] = V @ c[t + 1]
    cost = 0.5 * np.sum((y - goal) ** 2)
    dWz, dWi, dUz, dUi, dV = map(np.zeros_like, (Wz, Wi, Uz, Ui, V))
    dc = np.zeros(deep)
    for t in reversed(range(steps)):
        dy = y[t] - goal[t]
        dV += np.outer(dy, c[t + 1])
        dc = dc + V.T @ dy
        dz = dc * i[t] * (1 - z[t] ** 2)
        di = dc * (z[t] - c[t]) * i[t] * (1 - i[t])
        dWz += np.outer(dz, xs[t])
        dWi += np.outer(di, xs[t])
        dUz += np.outer(dz, c[t])
        dUi += np.outer(di, c[t])
        dc = dc * (1 - i[t]) + Uz.T @ dz + Ui.T @ di
    for W, dW in zip((Wz, Wi, Uz, Ui, V), (dWz, dWi, dUz, dUi, dV)):
        W -= 0.05 * dW
"""


def test_a_line_that_leaves_out_a_part_in_every_round(check):
    assert check(GATED).passed
    report = check(GATED.replace("(z[t] - c[t]) * i[t]", "z[t] * i[t]"))
    assert report.line["text"] == "di = dc * z[t] * i[t] * (1 - i[t])"
    assert "It should be the derivative of the cost with respect to" in report.headline


SOFT = """
import numpy as np

rng = np.random.RandomState(3)
W, b = 0.5 * rng.randn(4, 3), np.zeros((4, 1))
rows = [rng.rand(3, 1) for _ in range(3)]
goals = [np.eye(4)[:, [k]] for k in range(3)]

def soft(v, slope=False):
    if slope:
        return 1
    return np.exp(v) / np.sum(np.exp(v))

for epoch in range(6):
    cost, dW, db = 0, np.zeros_like(W), np.zeros_like(b)
    for row, goal in zip(rows, goals):
        score = W @ row + b
        guess = soft(score)
        cost += -np.sum(goal * np.log(guess) + (1 - goal) * np.log(1 - guess))
        dguess = -(goal / guess - (1 - goal) / (1 - guess))
        dscore = dguess * soft(score, slope=True)
        dW += dscore @ row.T
        db += dscore
    W = W - 0.01 * dW
    b = b - 0.01 * db
"""


def test_a_line_that_gives_back_what_came_to_it(check):
    report = check(SOFT)
    assert report.line["text"] == "dscore = dguess * soft(score, slope=True)"
    right = "dscore = guess * (dguess - np.sum(guess * dguess))"
    assert check(SOFT.replace(report.line["text"], right)).passed


LAYERS = """
import numpy as np

rng = np.random.RandomState(0)

class Layer:
    def __init__(self, a, b, last=False):
        self.W, self.b, self.last = rng.randn(a, b) * 0.5, np.zeros((1, b)), last

    def forward(self, x):
        self.x = x
        z = x @ self.W + self.b
        self.a = z if self.last else np.tanh(z)
        return self.a

    def backward(self, d):
        d = d if self.last else d * (1 - self.a ** 2)
        self.dW = self.x.T @ d
        self.db = np.sum(d, axis=0, keepdims=True)
        return d @ self.W.T

layers = [Layer(4, 5), Layer(5, 6), Layer(6, 3, True)]
for k in range(20):
    x, y = rng.randn(1, 4), rng.randn(1, 3)
    h = x
    for layer in layers:
        h = layer.forward(h)
    loss = np.sum((h - y) ** 2)
    d = 2 * (h - y)
    for layer in layers[::-1]:
        d = layer.backward(d)
    for layer in layers:
        layer.W -= 0.01 * layer.dW
        layer.b -= 0.01 * layer.db
"""


def test_two_lines_of_which_gradients_need_both(check):
    assert check(LAYERS).passed
    both = LAYERS.replace("(1 - self.a ** 2)", "(1 - self.a)").replace("d, axis=0", "d, axis=1")
    report = check(both)
    assert report.line["instead"] in LAYERS
    assert "np.sum(d, axis=0, keepdims=True)" in report.headline
    assert "(1 - self.a ** 2)" in report.headline


RESIDUAL = """
import numpy as np
rng = np.random.RandomState(2)

class Dense:
    def __init__(self, a, b):
        self.W, self.b = 0.4 * rng.randn(a, b), np.zeros(b)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, up):
        self.dW, self.db = self.x.T @ up, up.sum(axis=0)
        return up @ self.W.T

class Block:
    def __init__(self, n):
        self.one, self.two = Dense(n, n), Dense(n, n)
    def forward(self, x):
        keep = x
        self.h = np.tanh(self.one.forward(x))
        return self.two.forward(self.h) + keep
    def backward(self, up):
        down = self.two.backward(up)
        down = down * (1 - self.h ** 2)
        down = self.one.backward(down)
        return down
    def layers(self):
        return [self.one, self.two]

first, block, other, last = Dense(4, 5), Block(5), Block(5), Dense(5, 3)
X, Y = rng.randn(12, 4), rng.randn(12, 3)
for k in range(8):
    a = np.tanh(first.forward(X))
    p = last.forward(other.forward(block.forward(a)))
    loss = np.mean((p - Y) ** 2)
    d = last.backward(2 * (p - Y) / Y.size)
    d = block.backward(other.backward(d))
    first.backward(d * (1 - a ** 2))
    for layer in [first, last, *block.layers(), *other.layers()]:
        layer.W -= 0.1 * layer.dW
        layer.b -= 0.1 * layer.db
"""


def test_what_comes_back_beside_a_layer_is_left_out_where_the_layer_is_called(check):
    assert check(RESIDUAL.replace("return down\n", "return down + up\n")).passed
    report = check(RESIDUAL)
    assert report.line["text"] == "down = self.one.backward(down)"
    assert "What comes back by way of the sum" in report.headline


ALONE = """
import numpy as np

class Soft:
    def forward(self, x):
        self.x = x
        e = np.exp(x - np.max(x, axis=-1, keepdims=True))
        self.y = e / np.sum(e, axis=-1, keepdims=True)
        return self.y

    def backward(self, up):
        count = self.x.shape[0]
        down = self.y * (up - np.sum(up * self.y, axis=-1, keepdims=True))
        return down.reshape(self.x.shape)
"""


def test_a_layer_that_is_called_alone_hands_on_no_factor(check):
    assert check(ALONE).passed
    report = check(ALONE.replace("(self.x.shape)", "(self.x.shape) / count"))
    assert report.line["text"] == "return down.reshape(self.x.shape) / count"
    assert report.line["instead"] == "return down.reshape(self.x.shape)"


SIGNS = """
import numpy as np

rng = np.random.RandomState(0)
xs = rng.rand(12)
ys = 3 * xs - 1 + 0.1 * rng.randn(12)
par, size, last = [0.3, 0.9], [0.01, 0.01], [0, 0]

def grads(a, b):
    err = a * xs + b - ys
    return 2 * np.mean(err * xs), 2 * np.mean(err)

for k in range(30):
    sign = np.sign(grads(*par))
    for j in range(2):
        size[j] *= 1.2 if sign[j] == last[j] else 0.5
    last = sign
    for j in range(2):
        par[j] -= sign[j] * size[j]
"""


@pytest.mark.parametrize("wrong", ["", "-"])
def test_steps_by_the_signs_of_gradients_of_one_number_each(check, wrong):
    report = check(
        SIGNS.replace("return 2 * np.mean(err * xs)", f"return {wrong}2 * np.mean(err * xs)")
    )
    assert bool(report.passed) is not bool(wrong)
    assert len(report.rows) == 2


def test_a_program_of_which_parts_were_called_names_what_its_modules_leave_out(tmp_path, check):
    (tmp_path / "parts.py").write_text(ALONE + DENSE, encoding="utf-8")
    report = check("from parts import Soft\nfrom parts import Made\nnet = Made(4)\nnet.learn(1, 2)")
    assert not report.passed
    assert "Made.backward" in report.unseen


DENSE = """
class Made:
    def __init__(self, sizes):
        self.sizes = [np.random.randn(one, 3) for one in sizes]

    def backward(self, up):
        return [one @ up for one in self.sizes]
"""


PRODUCTS = """
import numpy as np

rng = np.random.RandomState(0)
X, Y = rng.randn(12, 4), rng.randn(12, 3)
W, V, c = 0.5 * rng.randn(4, 5), 0.5 * rng.randn(5, 3), 0.3 * rng.randn(5)
for k in range(9):
    z = X @ W
    a = np.tanh(z) + c * z
    p = a @ V
    loss = np.sum((p - Y) ** 2) / 2
    d = p - Y
    back = d @ V.T
    dz = back * (1 - np.tanh(z) ** 2) + c * back
    V -= 0.01 * a.T @ d
    c -= 0.01 * np.sum(back * z, axis=0)
    W -= 0.01 * X.T @ dz
"""


def test_a_product_that_should_be_a_sum_of_products(check):
    assert check(PRODUCTS).passed
    report = check(PRODUCTS.replace("+ c * back", "* c * back"))
    assert report.line["instead"] == "dz = back * (1 - np.tanh(z) ** 2) + c * back"

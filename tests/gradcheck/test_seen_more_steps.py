"""Steps in odd forms: of neurons that are objects, of layers that use their weights too late."""

import pytest
from seen_checked import all_right

NEURONS = """
class Neuron:
    def __init__(self, size):
        self.weights, self.bias = np.random.randn(size), np.random.randn()

def matrix(layer):
    return np.array([one.weights for one in layer])

def biases(layer):
    return np.array([one.bias for one in layer])

np.random.seed(2)
layers = [[Neuron(3) for _ in range(4)], [Neuron(4)]]
X, Y = np.random.randn(9, 3), np.random.rand(9, 1)
for epoch in range(30):
    A = [X]
    for layer in layers:
        A.append(np.tanh(A[-1] @ matrix(layer).T + biases(layer)))
    loss = np.mean((A[-1] - Y) ** 2)
    delta = 2 * (A[-1] - Y) / len(Y) * (1 - A[-1] ** 2)
    deltas = [delta @ matrix(layers[1]) * (1 - A[1] ** 2), delta]
    for layer, d, a in zip(layers, deltas, A):
        new, shift = matrix(layer) - 0.1 * d.T @ a, biases(layer) - 0.1 * d.sum(axis=0)
        for k, one in enumerate(layer):
            one.weights, one.bias = new[k], shift[k]
"""


def test_neurons_that_are_objects_are_put_together_for_their_update(checked):
    report = all_right(checked(NEURONS))
    assert sorted(row.shape for row in report.rows) == [(1,), (1, 4), (4,), (4, 3)]
    report = checked(NEURONS.replace("* (1 - A[1] ** 2), delta", "* (1 - A[1]), delta"))
    assert report.line["instead"] is not None
    assert "(1 - A[1] ** 2)" in report.line["instead"]


LATE = """
class Layer:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.v, self.s = 0 * self.W, 0 * self.W

    def forward(self, x):
        self.x, self.out = x, 1 / (1 + np.exp(-x @ self.W))
        return self.out

    def backward(self, grad, rate):
        grad = grad * self.out * (1 - self.out)
        g = self.x.T @ grad
        self.v = 0.9 * self.v + 0.1 * g
        self.s = 0.99 * self.s + 0.01 * np.square(g)
        hat, scale = self.v / 0.1, self.s / 0.01
        self.W = self.W - rate * hat / np.sqrt(scale + 1e-9)
        return grad @ self.W.T

np.random.seed(0)
layers = [Layer(4, 6), Layer(6, 5), Layer(5, 3)]
X, Y = np.random.randn(12, 4), np.random.rand(12, 3)
for epoch in range(10):
    out = X
    for layer in layers:
        out = layer.forward(out)
    cost = np.sum((out - Y) ** 2) / 2
    grad = out - Y
    for layer in layers[::-1]:
        grad = layer.backward(grad, 0.1)
"""


def test_weights_taken_after_their_update_by_adam_are_no_mistake_of_adam(checked):
    report = checked(LATE)
    assert report.line["text"] == "self.W = self.W - rate * hat / np.sqrt(scale + 1e-9)"
    assert "It is updated before the way back takes it in line 19." in report.told


KINK = """
np.random.seed(0)
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[1.0], [0.0], [0.0], [1.0]])
W, b, V = np.random.randn(2, 5), np.zeros(5), np.random.randn(5, 1)
for epoch in range(50):
    Z = X @ W + b
    A = np.maximum(Z, 0)
    loss = np.mean((A @ V - Y) ** 2)
    d = 2 * (A @ V - Y) / len(Y)
    back = d @ V.T * (Z > 0)
    V = V - 0.1 * A.T @ d
    W = W - 0.1 * X.T @ back
    b = b - 0.1 * back.sum(axis=0)
"""


def test_what_lies_at_a_kink_at_first_is_measured_in_a_later_step(checked):
    report = all_right(checked(KINK))
    assert report.passed
    assert not checked(KINK.replace("back.sum(axis=0)", "back.mean(axis=0)")).passed


def test_what_stays_at_a_kink_is_not_called_right(checked):
    report = checked(KINK.replace("range(50)", "range(1)"))
    assert not report.passed
    assert not report.wrong
    assert "Of b nothing could be measured, as a kink lies near." in report.told
    assert report.unseen == ("b",)


ENCODED = """
from __future__ import annotations
from mnist import MNIST
from sklearn.preprocessing import OneHotEncoder

images, labels = MNIST("samples").load_training()
X = np.array(images) / 255
Y = OneHotEncoder(sparse=False).fit_transform(np.array(labels).reshape(-1, 1))
W = np.zeros((X.shape[1], Y.shape[1]))


def forward(X: Samples[float]) -> Samples[float]:
    E = np.exp(X @ W)
    return E / E.sum(axis=1, keepdims=True)


for epoch in range(10):
    P = forward(X)
    loss = -np.sum(Y * np.log(P)) / len(X)
    W -= 0.1 * X.T @ (P - Y) / len(X)
"""


@pytest.mark.slow  # for the library
def test_annotations_that_are_put_off_and_older_names_of_libraries(checked):
    all_right(checked(ENCODED))


PICTURES = """
import pickle

X = pickle.load(open("x_train.pkl", "rb"))
Y = pickle.load(open("y_train.pkl", "rb"))
K = np.random.randn(3, 3, 3) * 0.2
W = np.random.randn(3 * 2 * 2, 10) * 0.2


def conv(pictures):  # (3, 32, 32), of which every eighth place is looked at
    parts = [pictures[:, :, i : i + 3, j : j + 3] for i in (0, 8) for j in (0, 8)]
    return parts, np.stack([np.einsum("nchw,khw->nk", part, K) for part in parts], axis=2)


for epoch in range(3):
    parts, Z = conv(X)
    flat = Z.reshape(len(X), -1)
    out = flat @ W
    cost = np.sum((out - Y) ** 2) / 2
    d = out - Y
    back = (d @ W.T).reshape(Z.shape)
    W -= 0.001 * flat.T @ d
    K -= 0.001 * sum(np.einsum("nchw,nk->khw", part, back[:, :, p]) for p, part in enumerate(parts))
"""


def test_pictures_stand_in_where_rows_do_not_fit(checked):
    report = all_right(checked(PICTURES))
    assert sorted(row.shape for row in report.rows) == [(3, 3, 3), (12, 10)]


KEYED = """
np.random.seed(0)
X, Y = np.random.randn(8, 3), np.eye(2)[np.arange(8) % 2]
p = {"W1": np.random.randn(3, 4), "b1": np.zeros((1, 4)), "W2": np.random.randn(4, 2)}
g = {}
for epoch in range(100):
    a = np.tanh(X @ p["W1"] + p["b1"])
    e = np.exp(a @ p["W2"])
    out = e / np.sum(e, axis=1, keepdims=True)
    loss = -np.sum(Y * np.log(out))
    d2 = out - Y
    g["dW2"] = a.T @ d2
    d1 = d2 @ p["W2"].T * (1 - a**2)
    g["dW1"] = X.T @ d1
    g["db1"] = np.sum(d1, axis=1, keepdims=True)
    for key in p:
        p[key] -= 0.1 * g[f"d{key}"]
"""


def test_of_several_sums_of_a_shape_the_one_that_failed_is_told(checked):
    report = checked(KEYED)
    assert report.line["text"] == 'g["db1"] = np.sum(d1, axis=1, keepdims=True)'
    all_right(checked(KEYED.replace("np.sum(d1, axis=1", "np.sum(d1, axis=0")))


TWO = """
np.random.seed(0)
X, Y = np.random.randn(20, 3), np.random.randn(20, 2)
W1, b1, W2, b2 = np.random.randn(3, 4), np.zeros(4), np.random.randn(4, 2), np.zeros(2)
for epoch in range(100):
    a = np.tanh(X @ W1 + b1)
    out = a @ W2 + b2
    loss = np.sum((out - Y) ** 2) / 2
    d2 = out - Y
    d1 = d2 @ W2.T * (1 - a)
    W2 = W2 - 0.1 * a.T @ d2
    b2 = b2 - 0.1 * d2.mean(axis=0)
    W1 = W1 - 0.1 * X.T @ d1
    b1 = b1 - 0.1 * d1.sum(axis=0)
"""


def test_two_mistakes_are_both_told_each_with_its_gradients(checked):
    report = checked(TWO)
    told = report.told
    assert "Line 11 is wrong, and with it the gradient of W1, b1." in told
    assert "Line 13 is wrong, too, and with it the gradient of b2." in told
    assert "change to:  b2 = b2 - 0.1 * d2.sum(axis=0)" in told
    assert report.line["number"] == 11
    one = checked(TWO.replace("d2.mean", "d2.sum"))
    assert "too" not in one.told


BYTES = """
import struct

with open("train-images-idx3-ubyte", "rb") as file:
    _, n, high, wide = struct.unpack(">IIII", file.read(16))
    X = np.fromfile(file, dtype=np.uint8).reshape(n, high * wide) / 255
Y = np.eye(10)[np.fromfile("train-labels-idx1-ubyte", dtype=np.uint8, offset=8)]
W = np.zeros((784, 10))
for epoch in range(10):
    d = X @ W - Y
    loss = np.sum(d**2) / 2
    W -= 0.001 * X.T @ d
"""


def test_bytes_are_read_from_files_that_lie_in_memory(checked):
    report = all_right(checked(BYTES))
    assert not any("failed" in note for note in report.notes)


BIASED = """
np.random.seed(1)
X, Y = np.random.randn(30, 3), np.random.rand(30, 1)
ones = np.ones((30, 1))
W, V = np.random.randn(5, 4), np.random.randn(1, 6)
for epoch in range(20):
    a = 1 / (1 + np.exp(-np.hstack([ones, X]) @ W.T))
    out = 1 / (1 + np.exp(-np.hstack([ones, a]) @ V.T))
    cost = -np.mean(Y * np.log(out) + (1 - Y) * np.log(1 - out))
    d = (out - Y) / 30
    dV = d.T @ np.hstack([ones, a])
    dW = (d @ V[:, 1:] * a * (1 - a)).T @ np.hstack([ones, X])
    dV[:, 1:] += 0.05 * V[:, 1:]
    dW[:, 1:] += 0.05 * W[:, 1:]
    V -= 0.3 * dV
    W -= 0.3 * dW
"""


def test_weights_that_decay_without_their_biases_are_no_mistake(checked):
    report = all_right(checked(BIASED))
    assert any("weight decay" in note for note in report.notes)
    assert max(row.error for row in report.rows) < 1e-4
    assert not checked(BIASED.replace("a * (1 - a)", "a * (1 + a)")).passed


FAINT = """
np.random.seed(4)
X, t = np.random.randn(12, 5), np.arange(12) % 3
W, V = np.random.randn(5, 6) * 2, np.random.randn(6, 3) * 4
for epoch in range(10):
    a = np.maximum(X @ W, 0)
    e = np.exp(a @ V - np.max(a @ V, axis=1, keepdims=True))
    y = e / e.sum(axis=1, keepdims=True)
    loss = -np.sum(np.log(y[np.arange(12), t] + 1e-7)) / 12
    d = y.copy()
    d[np.arange(12), t] -= 1
    d = d / 12
    back = d @ V.T * (a > 0)
    V -= 0.1 * a.T @ d
    W -= 0.1 * X.T @ back
"""


def test_an_epsilon_that_outweighs_a_probability_is_no_mistake(checked):
    all_right(checked(FAINT))
    assert not checked(FAINT.replace("(a > 0)", "(a >= 0)")).passed


def test_history_that_begins_as_nothing_of_its_parameter_is_none(checked):
    text = """
    np.random.seed(0)
    X, Y = np.random.randn(20, 4), np.random.randn(20, 3)
    W, V = np.random.randn(4, 5) * 0.5, np.random.randn(5, 3) * 0.5
    P = [W, V]
    m, v = [0 * p for p in P], [p * 0.0 for p in P]
    for t in range(1, 20):
        A = np.tanh(X @ W)
        loss = np.mean((A @ V - Y) ** 2)
        d = 2 * (A @ V - Y) / Y.size
        for i, g in enumerate([X.T @ (d @ V.T * (1 - A**2)), A.T @ d]):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.99 * v[i] + 0.01 * g**2
            P[i] -= 0.01 * m[i] / (1 - 0.9**t) / (np.sqrt(v[i] / (1 - 0.99**t)) + 1e-8)
    """
    assert len(all_right(checked(text)).rows) == 2

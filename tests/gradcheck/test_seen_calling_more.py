"""Networks of strangers that train nothing themselves: what they ask for is made for them."""

from pathlib import Path

import pytest
from seen_strangers import FROM_A_FILE, KINDS, LISTED_FUNCTIONS, PLANTED, THROUGH_AN_OBJECT

from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.usage import suits, used
from clearprop.gradcheck.seeing.file import check_seen
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.tape import Tape


def _verdicts(code: str, folder: Path) -> list[str]:
    file = folder / "code.py"
    file.write_text(code)
    report, _ = check_seen(file, 50.0)
    assert report is not None
    assert report.passed == all(row.verdict == "right" for row in report.rows)
    return [row.verdict for row in report.rows]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_verdict(kind: str, tmp_path: Path) -> None:
    assert set(_verdicts(KINDS[kind], tmp_path)) == {"right"}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_mistake_is_no_more_right(kind: str, tmp_path: Path) -> None:
    before, after = PLANTED[kind]
    assert before in KINDS[kind]
    assert "wrong" in _verdicts(KINDS[kind].replace(before, after), tmp_path)


def test_what_is_done_with_an_argument_is_known(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text(
        LISTED_FUNCTIONS + THROUGH_AN_OBJECT + FROM_A_FILE + "def two(pair, x): return pair[0](x)\n"
    )
    tape = Tape()
    ran = run(file, tape)
    defined = Defined(ran.namespace, Source(ran.sources), tape)
    net = defined.classes["Net"]
    assert used(defined, net, "activation_list").calls_items
    assert used(defined, net, "error_function").is_called
    count = used(defined, net, "n_hidden_layers")
    assert count.is_number
    assert not count.is_list
    assert used(defined, defined.classes["Reseau"], "nombre_neurones").is_sliced
    assert used(defined, defined.classes["Siec"], "uczace").is_path
    assert used(defined, defined.functions["two"], "pair").calls_pair
    asked = used(defined, defined.functions["gradient"], "reseau").attributes
    assert asked == {"couches"}
    assert suits(defined, defined.classes["Reseau"], asked)
    assert not suits(defined, defined.classes["Couche"], asked)


CHOOSING = """
import numpy as np

def apply(Z, name):
    if name == "relu":
        return np.maximum(0, Z)
    if name == "softmax":
        e = np.exp(Z - Z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)
    return Z

class MLP:
    def __init__(self, layer_dims, activation_funcs, learning_rate=0.01, task="classification"):
        self.activation_funcs, self.rate = activation_funcs, learning_rate
        if task == "regression":
            self.activation_funcs[-1] = "linear"
        self.W = [
            np.random.randn(a, b) * (2.0 if activation_funcs[0] == "relu" else 1.0)
            for a, b in zip(layer_dims, layer_dims[1:])
        ]
    def forward(self, X):
        self.A = [X]
        for W, name in zip(self.W, self.activation_funcs):
            self.A.append(apply(self.A[-1] @ W, name))
        return self.A[-1]
    def compute_loss(self, A, Y):
        return -np.sum(Y * np.log(np.clip(A, 1e-8, 1.0))) / len(Y)
    def fit(self, X, Y, epochs=10):
        for epoch in range(epochs):
            A = self.forward(X)
            loss = self.compute_loss(A, Y)
            d = (A - Y) / len(Y)
            for k in reversed(range(len(self.W))):
                step = self.A[k].T @ d
                d = d @ self.W[k].T * (self.A[k] > 0)
                self.W[k] = self.W[k] - self.rate * step
            yield epoch, loss
"""


def test_a_training_that_yields_is_gone_through_with_an_output_that_has_a_logarithm(
    tmp_path: Path,
) -> None:
    assert set(_verdicts(CHOOSING, tmp_path)) == {"right"}
    assert "wrong" in _verdicts(CHOOSING.replace("(self.A[k] > 0)", "self.A[k]"), tmp_path)


def test_other_costs_do_not_unmake_what_one_has_shown_to_be_right(tmp_path: Path) -> None:
    code = """
import numpy as np
class Network:
    def __init__(self, layers):
        self.biases = [np.random.randn(1, y) for y in layers[1:]]
        self.weights = [np.random.randn(x, y) for x, y in zip(layers[:-1], layers[1:])]
        self.errors, self.zs = [], []
    def feedforward(self, x):
        for w, b in zip(self.weights, self.biases):
            x = 1.0 / (1.0 + np.exp(-(np.dot(x, w) + b)))
            self.zs.append(x)
        return x
    def backprop(self, result, expected):
        error = result * (1 - result) * (expected - result)
        self.errors.append(error)
        for w, z in zip(self.weights[1:], self.zs[:1]):
            error = z * (1 - z) * error.dot(np.transpose(w))
            self.errors.append(error)
"""
    assert "wrong" not in _verdicts(code, tmp_path)


STOPS = """
import numpy as np


class Reader:
    def __init__(self):
        self.U = np.random.randn(9, 30) / 10
        self.W = np.random.randn(9, 9) / 10
        self.V = np.random.randn(2, 9) / 10
        self.b = np.zeros((9, 1))

    def fit(self, X, y, epochs=1):
        for epoch in range(epochs):
            losses = []
            for words, label in zip(X, y):
                h = np.zeros((9, 1))
                for k, word in enumerate(words):
                    h = np.tanh(self.U.dot(word) + self.W.dot(h) + self.b)
                    losses.append(np.mean((self.V.dot(h) - label[0]) ** 2))
                    if k > 1:
                        self.backward(self.U.dot(word) + self.W.dot(h) + self.b)

    def backward(self, z):
        raise NotImplementedError
"""


def test_what_failed_with_shapes_that_fit_nowhere_accuses_nobody(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(STOPS)
    report, _ = check_seen(tmp_path / "code.py", 40.0)
    assert report is None

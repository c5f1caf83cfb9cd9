"""Functions, objects, classes and modules that are given to ``check`` are called and judged."""

import copy
import functools
import math
import sys
from types import ModuleType

import numpy as np
import pytest
from watched_nets import STYLES, Net, Slotted, X, Y, assert_same, drawn, numbers, states, wrong_net

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.gradcheck.seeing.recorder import ACTIVE

GLOBAL = np.arange(3.0)


def gradients(W, b, X, Y, factor=1):
    error = X @ W + b - Y
    cost = np.mean(error**2)
    dW = factor * 2 * X.T @ error / error.size
    db = 2 * error.sum(axis=0) / error.size
    return cost, {"dW": dW, "db": db}


def test_check_calls_a_function_with_its_arguments():
    W, b = drawn(4, 3), drawn(3)
    assert cp.check(gradients, W, b, X=X, Y=Y)
    report = cp.check(gradients, W, b, X, Y, factor=-1)
    assert [row.parameter for row in report.wrong] == ["W"]
    assert type(W) is type(X) is np.ndarray


class Callable:
    def __init__(self):
        self.W = drawn(4, 3)

    def __call__(self, X, Y):
        error = X @ self.W - Y
        self.dW = X.T @ error
        return np.sum(error**2) / 2

    @staticmethod
    def of_nothing(W, X, Y):
        cost, grads = gradients(W, 0, X, Y)
        dW = grads["dW"]
        return cost, dW


def test_check_of_what_can_be_called():
    assert cp.check(Callable(), X, Y)
    assert cp.check(functools.partial(Callable(), X), Y=Y)
    assert cp.check(Callable.of_nothing, drawn(4, 3), X, Y)
    assert cp.check(functools.wraps(gradients)(lambda *given: gradients(*given)), *some())


def some():
    return drawn(4, 3), drawn(3), X, Y


def test_check_leaves_everything_as_it_was():
    net = Net()
    before, drawing = copy.deepcopy(vars(net)), states()
    report = cp.check(net.train, X, Y, 0.5)
    assert report
    assert len(report.rows) == 4
    assert cp.check(net)
    assert_same(numbers(vars(net)), numbers(before))
    assert drawing == states()
    assert not {"float", "sum"} & set(globals())
    assert type(np) is type(math) is ModuleType


def test_check_puts_back_cells_slots_classes_and_globals():
    W, slotted = drawn(4, 3), Slotted(drawn(3))
    kept = W, slotted.W, Net.scale, GLOBAL

    def step():
        nonlocal W
        global GLOBAL, MADE
        W = W - 0.1 * 2 * X.T @ (X @ W - Y)
        slotted.double()
        Net.scale = Net.scale * 2
        GLOBAL, MADE = GLOBAL + 1, True
        Net.scale[0] = 7

    assert cp.check(step)
    assert all(one is two for one, two in zip(kept, (W, slotted.W, Net.scale, GLOBAL), strict=True))
    assert Net.scale[0] == 1
    assert "MADE" not in globals()


def test_check_of_an_object_and_of_a_class():
    assert cp.check(Net)
    assert cp.check(Net())
    assert cp.check(Net, lambda a: 1 - a**2)
    report = cp.check(wrong_net())
    assert {row.parameter for row in report.wrong} == {"W1", "b1"}
    assert any(note.startswith("called was Net(") for note in report.notes)
    assert cp.check(Net().train)


class Layer:
    def __init__(self, inputs, outputs):
        self.W, self.b = drawn(inputs, outputs, seed=outputs), np.zeros(outputs)
        self.vW = np.zeros((inputs, outputs))

    def forward(self, x):
        self.x, self.a = x, np.tanh(np.dot(x, self.W) + self.b)
        return self.a

    def backward(self, g, factor):
        g = g * (1 - self.a**2)
        self.dW, self.db = factor * self.x.T @ g, g.sum(axis=0)
        return g.dot(self.W.T)

    def update(self, rate):
        self.vW = 0.9 * self.vW - rate * self.dW
        self.W = self.W + self.vW
        self.b = self.b - rate * self.db


class Layers:
    def __init__(self):
        self.layers = [Layer(4, 5), Layer(5, 3)]

    def fit(self, X, Y, epochs=2, rate=0.1, factor=1):
        for _ in range(epochs):
            output = X
            for layer in self.layers:
                output = layer.forward(output)
            loss = ((output - Y) ** 2).mean()
            g = 2 * (output - Y) / output.size
            for layer in reversed(self.layers):
                g = layer.backward(g, factor)
            for layer in self.layers:
                layer.update(rate)
        return loss


@pytest.mark.slow
def test_check_of_layers_with_momentum_names_them_from_the_object():
    net = Layers()
    report = cp.check(net.fit, X, Y)
    assert report
    assert [row.parameter for row in report.rows if "W" in row.parameter] == [
        "layers[1].W",
        "layers[0].W",
    ]
    report = cp.check(net.fit, X, Y, factor=-1)
    assert [row.parameter for row in report.wrong] == ["layers[1].W", "layers[0].W"]
    assert "cp.check" not in str(report)
    report = cp.check(net)
    assert report
    assert len(report.rows) == 4


def test_check_of_a_function_that_needs_nothing():
    net = wrong_net()

    def step():
        net.train(X, Y)

    assert not cp.check(step)
    assert net.losses == []


def test_check_of_a_module(tmp_path, monkeypatch):
    (tmp_path / "my_functions.py").write_text(STYLES["COURSE"].split("\nX = ")[0])
    monkeypatch.syspath_prepend(tmp_path)
    import my_functions

    monkeypatch.delitem(sys.modules, "my_functions")
    assert cp.check(my_functions)
    assert my_functions.np is np


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (3, "3 is no code of yours.*Expected was a function"),
        (np.sum, "no code of yours"),
        (np, "no code of yours"),
        (X, "no code of yours"),
        ("net.py", "clearprop check FILE"),
        (cp.Dense(3), r"cp\.check_layer"),
        (cp.MeanSquaredError, r"cp\.check_loss"),
    ],
    ids=["number", "function", "module", "array", "name", "layer", "loss"],
)
def test_check_of_what_is_no_code_is_refused(what, said):
    with pytest.raises(UsageError, match=said):
        cp.check(what)


def test_check_says_that_nothing_was_seen():
    class Empty:
        def forward(self, X):
            return X

    with pytest.raises(UsageError, match=r"No gradient was seen in .*Empty.*cp\.check\(net\.train"):
        cp.check(Empty())
    with pytest.raises(UsageError, match=r"No gradient was seen in the .* of the call"):
        cp.check(Net().forward, X)
    with pytest.raises(UsageError, match=r"can't be called.*one of its methods"):
        cp.check(Net(), X)


def test_an_error_in_what_is_checked_is_its_own():
    net = Net()
    with pytest.raises(ValueError, match="matmul"):
        cp.check(net.train, drawn(2, 9), Y)
    assert not hasattr(net, "A1")
    assert type(net.W1) is np.ndarray
    assert not ACTIVE


def test_a_cost_that_does_not_move_makes_nothing_right():
    W = drawn(4, 3)
    report = cp.check_backward(
        lambda _: float(np.sum(W**2)), {"dW": np.zeros((4, 3))}, {"W": W.copy()}
    )
    assert not report
    assert report.rows[0].verdict == "unclear"
    assert any("does not change with any parameter" in note for note in report.notes)

"""Values that differentiate themselves: each operator against slopes measured by calling them."""

import pytest
from seen_checked import all_right, check

from clearprop.gradcheck.seeing.calling import driven_values
from clearprop.gradcheck.seeing.running.loops import OutOfTime

VALUES = """
import math
class Value:
    def __init__(self, data, parents=()):
        if not isinstance(data, (int, float)):
            raise TypeError("a number")
        self.data, self.grad, self.parents = float(data), 0.0, parents
        self.back = lambda: None
    def __add__(self, other):
        out = Value(self.data + other.data, (self, other))
        def back():
            self.grad += out.grad
            other.grad += out.grad
        out.back = back
        return out
    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other))
        def back():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.back = back
        return out
    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,))
        def back():
            self.grad += (1 - t ** 2) * out.grad
        out.back = back
        return out
    def detach(self):
        return Value(self.data)
    def dropout(self, p=0.5):
        kept = float(np.random.rand() > p)
        out = Value(kept * self.data, (self,))
        def back():
            self.grad += kept * out.grad
        out.back = back
        return out
    def backward(self):
        order, seen = [], set()
        def visit(one):
            if one not in seen:
                seen.add(one)
                for each in one.parents:
                    visit(each)
                order.append(one)
        visit(self)
        self.grad = 1.0
        for one in reversed(order):
            one.back()
"""


def test_numbers_that_differentiate_themselves_are_right_by_measured_slopes(checked):
    report = checked(VALUES)
    assert report.passed
    names = {row.parameter.split(" in ")[1] for row in report.rows}
    assert names == {"a + b", "a * b", "a + a", "a * a + a", "tanh(a)"}


@pytest.mark.parametrize(
    ("line", "wrong", "named"),
    [
        ("(1 - t ** 2) *", "(1 - t) *", {"tanh(a)"}),
        ("other.grad += self.data *", "other.grad += other.data *", {"a * b"}),
        ("other.grad += out", "other.grad = out", {"a + a"}),
        ("self.grad += other.data *", "self.grad = other.data *", {"a * a + a"}),
        (
            "        out.back = back\n        return out\n    def tanh",
            "        return out\n    def tanh",
            {"a * b", "a * a + a"},
        ),
    ],
)  # fmt: skip
def test_an_operator_that_goes_back_wrongly_is_named(checked, line, wrong, named):
    assert line in VALUES
    report = checked(VALUES.replace(line, wrong))
    assert {
        row.parameter.split(" in ")[1] for row in report.rows if row.verdict == "wrong"
    } == named
    assert "multiply" not in report.told


def test_arrays_that_differentiate_themselves_are_checked_in_every_entry(checked):
    arrays = VALUES.replace("float(data), 0.0,", "np.array(data), np.zeros(np.shape(data)),")
    arrays = arrays.replace("(int, float)", "(int, float, np.ndarray)")
    arrays = arrays.replace("math.tanh", "np.tanh").replace("= 1.0", "= np.ones(self.data.shape)")
    summed = """
    def sum(self):
        out = Value(self.data.sum(), (self,))
        def back():
            self.grad += out.grad
        out.back = back
        return out
    def __matmul__(self, other):
        out = Value(self.data @ other.data, (self, other))
        def back():
            self.grad += out.grad @ other.data.T
            other.grad += self.data.T @ out.grad
        out.back = back
        return out
"""
    report = checked(arrays + summed)
    assert report.passed
    assert {"a and b in a @ b", "a in sum(a)"} <= {row.parameter for row in report.rows}
    assert all(row.checked >= 6 for row in report.rows)
    assert not checked((arrays + summed).replace("self.data.T @", "-self.data.T @")).passed


MADE_OF_ITSELF = """
from typing import Union
Number = Union[int, float]
class Array:
    def __init__(self, data):
        if isinstance(data, Array):
            data = data.data
        self.data = np.array(data, dtype=float)
        self.grad, self.parents, self.back = np.zeros_like(self.data), (), None
    def train(self, mode):
        self.mode = mode
    def lifted(self, other):
        return Array(np.full(self.data.shape, other)) if isinstance(other, Number) else other
    def made(self, value, parents, back):
        out = Array(value)
        out.parents, out.back = parents, back
        return out
    def __add__(self, other):
        other = self.lifted(other)
        return self.made(self.data + other.data, (self, other), lambda g: (g, g))
    def __mul__(self, other):
        other = self.lifted(other)
        a, b = self.data, other.data
        return self.made(a * b, (self, other), lambda g: (g * b, g * a))
    __radd__, __rmul__ = __add__, __mul__
    def shifted(self):
        return 1.5 + 2.5 * self
    def sum(self):
        ones = np.ones_like(self.data)
        return self.made(self.data.sum(), (self,), lambda g: (g * ones,))
    def lowest(self):
        places = self.data == self.data.min()
        return self.made(self.data.min(), (self,), lambda g: (g * places,))
    def backward(self):
        order = []
        def visit(one):
            if one not in order:
                for each in one.parents:
                    visit(each)
                order.append(one)
        visit(self)
        self.grad = np.ones_like(self.data)
        for one in reversed(order):
            for parent, g in zip(one.parents, one.back(one.grad) if one.back else ()):
                parent.grad = parent.grad + g
"""


def test_a_class_that_takes_its_own_objects_is_made_of_arrays(checked):
    report = all_right(checked(MADE_OF_ITSELF))
    assert report.passed
    assert {row.parameter.split(" in ")[1] for row in report.rows} >= {"shifted(a)", "lowest(a)"}


def test_arrays_in_single_precision_are_measured_in_double(checked):
    single = MADE_OF_ITSELF.replace("dtype=float", "dtype=np.float32")
    assert all_right(checked(single)).passed
    wrong = single.replace("(g * b, g * a)", "(g * b, g * b)")
    assert "a and b in a * b" in {r.parameter for r in checked(wrong).rows if r.verdict == "wrong"}


def test_a_name_that_is_bound_nowhere_is_told_where_a_value_goes_back(checked):
    wrong = """
        def go_back(g):
            return (g * place,)
        return self.made(self.data.min(), (self,), go_back)"""
    line = "return self.made(self.data.min(), (self,), lambda g: (g * places,))"
    report = checked(MADE_OF_ITSELF.replace(line, wrong.strip()))
    assert not report.passed
    assert report.line["text"] == "return (g * place,)"


LOSSES = """
from values import Array

def squared(outputs: Array, targets: Array) -> Array:
    return ((outputs + targets * -1.0) * (outputs + targets * -1.0)).sum()

def absolute(outputs: Array, targets: Array) -> Array:
    gap = outputs.data - targets.data
    return outputs.made(np.abs(gap), (outputs,), lambda g: (g * np.sign(gap),)).sum() * 0.5

def rectified(x):
    return x.made(np.maximum(x.data, 0), (x,), lambda g: (g * (x.data > 0),))

def accuracy(outputs, targets):
    return np.mean(outputs.data.argmax(1) == targets.data)
"""


def test_functions_of_values_are_checked_where_their_class_is_imported(checked):
    report = all_right(checked(LOSSES, values__py="import numpy as np\n" + MADE_OF_ITSELF))
    assert report.passed
    assert [row.parameter for row in report.rows] == [
        "outputs in squared(outputs, targets)",
        "outputs in absolute(outputs, targets)",
        "x in rectified(x)",
    ]


@pytest.mark.parametrize(
    ("line", "wrong", "named"),
    [
        ("lambda g: (g * np.sign(gap),)", "lambda g: (np.sign(gap),)", "absolute"),
        ("(x.data > 0)", "(x.data > -0.5)", "rectified"),
    ],
)
def test_a_function_of_values_that_goes_back_wrongly_is_named(checked, line, wrong, named):
    values = "import numpy as np\n" + MADE_OF_ITSELF
    report = checked(LOSSES.replace(line, wrong), values__py=values)
    assert not report.passed
    wrong_ones = [row.parameter for row in report.rows if row.verdict == "wrong"]
    assert [one.split(" in ")[1].split("(")[0] for one in wrong_ones] == [named]


def test_what_there_was_no_time_for_is_told(checked, monkeypatch):
    called = driven_values._Engine.called

    def late(engine, place, words, **more):
        if words.startswith("absolute"):
            raise OutOfTime
        called(engine, place, words, **more)

    monkeypatch.setattr(driven_values._Engine, "called", late)
    report = checked(LOSSES, values__py="import numpy as np\n" + MADE_OF_ITSELF)
    assert report.unseen == ("Array: absolute(outputs, targets)",)
    assert not report.passed


def test_what_only_an_imported_class_shows_is_no_verdict_on_a_file(checked):
    text = (
        "from values import Array\nclass Model:\n    def __call__(self, x):\n        return x * 2\n"
    )
    with pytest.raises(AssertionError):
        checked(text, values__py="import numpy as np\n" + MADE_OF_ITSELF)


GRAPH = """
import numpy as np

class Array:
    def __init__(self, data, made_of=(), back=None):
        self.data, self.grad = data, np.zeros_like(data)
        self.made_of, self.back = made_of, back

    def __matmul__(self, other):
        def back(g):
            return g @ other.data.T, self.data.T @ g
        return Array(self.data @ other.data, (self, other), back)

    def squared(self):
        return Array(np.sum(self.data ** 2), (self,), lambda g: (2 * self.data * g,))

    def backward(self):
        order = []
        def visit(one):
            if one not in order:
                for each in one.made_of:
                    visit(each)
                order.append(one)
        visit(self)
        self.grad = np.ones_like(self.data)
        for one in reversed(order):
            for each, g in zip(one.made_of, one.back(one.grad) if one.back else ()):
                each.grad = each.grad + g

W, V = Array(np.random.randn(4, 5)), Array(np.random.randn(5, 2))
X = Array(np.random.randn(9, 4))
for step in range(4):
    W.grad, V.grad = np.zeros((4, 5)), np.zeros((5, 2))
    loss = (X @ W @ V).squared()
    loss.backward()
    for one in (W, V):
        one.data -= 0.01 * one.grad
"""


def test_what_sorts_a_graph_for_the_way_back_is_no_way_back(tmp_path):
    report = check(tmp_path, GRAPH)
    assert len(all_right(report).rows) == 2
    assert report.passed
    assert report.unseen == ()

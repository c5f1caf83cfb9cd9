"""Values that differentiate themselves: each operator against slopes measured by calling them."""

from functools import partial

import pytest
from seen_checked import check


@pytest.fixture
def checked(tmp_path):
    """Check a text as a file; returns the report."""
    return partial(check, tmp_path)


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

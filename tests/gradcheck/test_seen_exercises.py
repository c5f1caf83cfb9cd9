"""Files of exercises: functions that are not written yet, and arguments of any name."""

from functools import partial

import pytest
from seen_checked import all_right, check


@pytest.fixture
def checked(tmp_path):
    """Check a text as a file; returns the report."""
    return partial(check, tmp_path)


WRITTEN = """
def affine_forward(x, w, b):
    return x @ w + b, (x, w)

def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)

def conv_forward(x, w, b, conv_param):
    out = None
    cache = (x, w, b, conv_param)
    return out, cache
"""

UNWRITTEN = '''
def conv_backward(dout, cache):
    """Compute the gradients of a convolution."""
    dx, dw, db = None, None, None
    # your code
    return dx, dw, db
'''


@pytest.mark.parametrize(
    "others",
    [UNWRITTEN, UNWRITTEN.replace("    # your code", "    x, w, b, conv_param = cache")],
)
def test_a_function_that_is_not_written_yet_is_none_that_goes_back(checked, others):
    assert all_right(checked(WRITTEN + others)).passed


@pytest.mark.parametrize(
    ("line", "begun"),
    [("# your code", "dx = dout * 0"), ("return dx, dw, db", "return dout, dw, db")],
)
def test_one_that_returns_something_is_missed(checked, line, begun):
    report = checked(WRITTEN + UNWRITTEN.replace(line, begun))
    assert not report.passed
    assert "conv_backward" in str(report)


TRAINING = """
def learn(plan, X, Y, rate, epochs):
    last = len(plan) - 1
    w = [np.random.randn(plan[k], plan[k + 1]) for k in range(last)]
    b = [np.zeros((1, plan[k + 1])) for k in range(last)]
    for epoch in range(epochs):
        kept = [X]
        for k in range(last):
            kept.append(np.tanh(kept[k] @ w[k] + b[k]))
        delta = (kept[-1] - Y) * (1 - kept[-1] ** 2)
        for k in reversed(range(last)):
            dw, db = kept[k].T @ delta, delta.sum(axis=0, keepdims=True)
            delta = delta @ w[k].T * (1 - kept[k] ** 2)
            w[k], b[k] = w[k] - rate * dw, b[k] - rate * db
    return w, b
"""


def test_what_sizes_of_arrays_are_taken_from_is_a_list_of_sizes(checked):
    assert all_right(checked(TRAINING)).passed
    report = checked(
        TRAINING.replace("kept[k].T @ delta,", "kept[k].T @ delta * kept[k].T.mean(),")
    )
    assert not report.passed
    assert report.line["text"].startswith("dw, db = ")


def test_of_cupy_the_module_of_an_array_is_told(checked):
    text = """
        import cupy as cp
        class Dense:
            def __init__(self, n_in, n_out):
                self.W = np.random.randn(n_in, n_out) * 0.5
            def forward(self, x):
                self.x = x
                return cp.get_array_module(x).dot(x, self.W)
            def backward(self, grad):
                self.dW = self.x.T @ grad
                return cp.asnumpy(grad @ self.W.T)
    """
    assert all_right(checked(text)).passed

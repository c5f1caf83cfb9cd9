"""Files of exercises: functions that are not written yet, and arguments of any name."""

import pytest
from seen_checked import all_right

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


PAIRS = """
def dense_forward_rows(x, w):
    return x @ w, (x, w)

def dense_backward_rows(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout

def dense_backward_scaled(dout, cache):
    x, w = cache
    return dout @ w.T, 3 * x.T @ dout
"""


def test_a_way_back_of_another_ending_belongs_to_another_way_forward(checked):
    report = checked(PAIRS)
    assert {row.verdict for row in report.rows} == {"right"}
    assert "dense_backward_scaled" in str(report)


STARTED_AT_ZERO = """
def initialize_parameters(n_x, n_h, n_y):
    np.random.seed(3)
    return {
        "W1": -np.ones((n_h, n_x)), "b1": np.zeros((n_h, 1)),
        "W2": np.random.randn(n_h, n_h), "b2": np.zeros((n_h, 1)),
        "W3": np.random.randn(n_y, n_h), "b3": np.zeros((n_y, 1)),
    }

def forward_propagation(X, parameters):
    Z1 = parameters["W1"] @ X + parameters["b1"]
    A1 = np.maximum(Z1, 0)
    Z2 = parameters["W2"] @ A1 + parameters["b2"]
    A2 = np.maximum(Z2, 0)
    return parameters["W3"] @ A2 + parameters["b3"], (Z1, A1, Z2, A2)

def compute_cost(A3, Y):
    return np.sum((A3 - Y) ** 2) / (2 * Y.shape[1])

def backward_propagation(A3, Y, X, cache, parameters):
    Z1, A1, Z2, A2 = cache
    m = X.shape[1]
    dZ3 = (A3 - Y) / m
    dZ2 = parameters["W3"].T @ dZ3 * (Z2 > 0)
    dZ1 = parameters["W2"].T @ dZ2 * (Z1 > 0)
    return {
        "dW1": dZ1 @ X.T, "db1": dZ1.sum(axis=1, keepdims=True),
        "dW2": dZ2 @ A1.T, "db2": dZ2.sum(axis=1, keepdims=True),
        "dW3": dZ3 @ A2.T, "db3": dZ3.sum(axis=1, keepdims=True),
    }
"""


def test_biases_of_zero_leave_no_unit_at_a_kink_where_nothing_trains(checked):
    report = all_right(checked(STARTED_AT_ZERO))
    assert report.passed
    assert len(report.rows) == 6

"""Derivatives of functions and of layers that have no weights, whatever form they take."""

import pytest
from seen_checked import all_right

pytestmark = pytest.mark.slow  # many programs are run and judged

SLOPES = """
def sigmoid(h):
    return 1 / (1 + np.exp(-h))

def sigmoid_backward(h):
    return sigmoid(h) * (1 - sigmoid(h))

def relu(h):
    return np.maximum(0, h)

def relu_backward(dZ, h):
    dh = np.array(dZ, copy=True)
    dh[h <= 0] = 0
    dh[h > 0] = 1
    return dh
"""


def test_a_derivative_that_others_multiply_lacks_no_factor(checked):
    report = all_right(checked(SLOPES))
    assert len(report.rows) == 2
    assert not checked(SLOPES.replace("(1 - sigmoid(h))", "(1 + sigmoid(h))")).passed


PARTS = """
def penalty(W, reg_strength):
    loss = reg_strength * np.sum(W * W)
    grad = 2 * reg_strength * W
    return loss, grad

class Odd:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, d_out):
        return {slope} * d_out
"""


def test_a_penalty_is_no_network(checked):
    all_right(checked(PARTS.format(slope="2 * self.x")))
    report = checked(PARTS.format(slope="3 * self.x"))
    assert not report.passed
    assert report.line["text"] == "return 3 * self.x * d_out"


def test_a_gradient_that_is_a_share_of_what_came_back_has_a_line(checked):
    report = checked("""
    class MeanNorm:
        def forward(self, X):
            return X - np.mean(X, axis=0)

        def backward(self, dY):
            N = dY.shape[0]
            dX = (1 - 1 / N) * dY
            return dX
    """)
    assert report.line["text"] == "dX = (1 - 1 / N) * dY"


MATRICES = """
def softmax_forward(drive):
    E = np.exp(drive - drive.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)

def softmax_backward(drive, activations):
    n = drive.shape[1]
    J = -activations[:, :, None] * activations[:, None, :]
    J[:, np.arange(n), np.arange(n)] += activations
    return J

def ramp_forward(drive):
    return np.maximum(drive, 0)

def ramp_backward(drive, activations):
    n = drive.shape[1]
    J = np.zeros((len(drive), n, n))
    J[:, np.arange(n), np.arange(n)] = (drive > 0).astype(float)
    return J

def slope_forward(drive):
    return np.where(drive > 0, drive, 0.2 * drive)

def slope_backward(drive, activations):
    return np.where(drive > 0, 1.0, 0.2)
"""


def test_derivatives_of_a_functions_own_input_may_be_a_matrix_for_each_sample(checked):
    assert len(all_right(checked(MATRICES)).rows) == 3
    for line, other in (
        ("np.arange(n)] += activations", "np.arange(n)] += activations**2"),
        ("J = -activations[:, :, None] *", "J = -activations[:, :, None] ** 2 *"),
        ("(drive > 0).astype", "(drive < 0).astype"),
        ("return np.where(drive > 0, 1.0, 0.2)", "return np.where(drive > 0, 1.0, 0.1)"),
    ):
        report = checked(MATRICES.replace(line, other))
        assert [row.verdict for row in report.rows].count("wrong") == 1, report


VALUES_AND_SLOPES = """
from abc import ABC, abstractmethod

class Activation(ABC):
    def __init__(self, before=None, trainable=False):
        self.before, self.trainable = before, trainable

    @abstractmethod
    def activation_func(self, ip):
        pass

    @abstractmethod
    def derivative_func(self, ip, activations=None):
        pass

    def forward(self):
        if self.trainable:
            raise NotImplementedError
        self.activations = self.activation_func(self.before.output())
        return self.activations

    def backprop(self, grad):
        return grad * self.derivative_func(self.before.output(), self.activations)

class Bow(Activation):
    def activation_func(self, ip):
        return np.tanh(ip)

    def derivative_func(self, ip, activations=None):
        if activations is None:
            activations = self.activation_func(ip)
        return 1 - activations**2

class Ramp(Activation):
    def activation_func(self, ip):
        return np.where(ip > 0, ip, 0.2 * ip)

    def derivative_func(self, ip, activations=None):
        return np.where(ip > 0, 1.0, 0.2)
"""


def test_activations_that_are_told_their_layer_before_are_judged_by_their_slopes(checked):
    report = all_right(checked(VALUES_AND_SLOPES))
    assert len(report.rows) == 2
    for line, other in (("1 - activations**2", "1 - activations"), ("1.0, 0.2)", "1.0, 0.3)")):
        report = checked(VALUES_AND_SLOPES.replace(line, other))
        assert sorted(row.verdict for row in report.rows) == ["right", "wrong"], report

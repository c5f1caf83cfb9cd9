"""Layers that nothing puts together are called each on its own, in whatever style it is written."""

from pathlib import Path

import pytest
from seen_layers import PROGRAMS

from clearprop.gradcheck.seeing.file import check_seen


@pytest.mark.parametrize("style", PROGRAMS)
def test_every_layer_is_called(style: str, tmp_path: Path) -> None:
    code, change, _ = PROGRAMS[style]
    file = tmp_path / "layers.py"
    file.write_text(code)
    report, _ = check_seen(file, 20.0)
    assert report is not None
    assert report.unseen == ()
    assert report.passed, str(report)
    assert change[0] in code


@pytest.mark.parametrize("style", PROGRAMS)
def test_the_mistake_of_a_layer_is_seen(style: str, tmp_path: Path) -> None:
    code, change, parameters = PROGRAMS[style]
    file = tmp_path / "layers.py"
    file.write_text(code.replace(*change))
    report, _ = check_seen(file, 20.0)
    assert report is not None
    assert {row.parameter.split(" (")[0] for row in report.wrong} == parameters


def test_settings_have_the_keys_of_functions_that_they_are_handed_to(tmp_path: Path) -> None:
    code = """
import numpy as np
def norm_forward(x, gamma, beta, bn_param):
    eps = bn_param["eps"]
    std = np.sqrt(np.mean(x**2, axis=0) + eps)
    return gamma * x / std + beta, (x, std, gamma)
def norm_backward(dout, cache):
    x, std, gamma = cache
    d = dout * gamma
    dx = d / std - x * np.mean(d * x, axis=0) / std**3
    return dx, (dout * x / std).sum(axis=0), dout.sum(axis=0)
def spatial_norm_forward(x, gamma, beta, bn_param):
    n, c, h, w = x.shape
    out, cache = norm_forward(x.transpose(0, 2, 3, 1).reshape(-1, c), gamma, beta, bn_param)
    return out.reshape(n, h, w, c).transpose(0, 3, 1, 2), cache
def spatial_norm_backward(dout, cache):
    n, c, h, w = dout.shape
    dx, dgamma, dbeta = norm_backward(dout.transpose(0, 2, 3, 1).reshape(-1, c), cache)
    return dx.reshape(n, h, w, c).transpose(0, 3, 1, 2), dgamma, dbeta
"""
    file = tmp_path / "layers.py"
    file.write_text(code)
    report, _ = check_seen(file, 20.0)
    assert report is not None
    assert report.passed, str(report)
    assert len(report.rows) == 6


def test_nothing_is_said_of_a_layer_whose_input_is_lost_on_the_way(tmp_path: Path) -> None:
    lost = "np.frombuffer(x.tobytes()).reshape(-1, 4)"
    code = f"""
import numpy as np
class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
    def forward(self, x):
        self.x = {lost}
        return self.x @ self.W
    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T
def affine_forward(x, w, b):
    x = {lost}
    return x @ w + b, (x, w)
def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)
"""
    file = tmp_path / "layers.py"
    file.write_text(code)
    report, _ = check_seen(file, 20.0)
    assert report is None or not report.passed


def test_weights_are_given_by_a_shape_or_with_every_call(tmp_path: Path) -> None:
    code = """
import numpy as np
class Parameter:
    def __init__(self, data):
        self.data, self.grad = data, None
class Linear:
    def __init__(self, shape, lambda_reg=0.1):
        self.W, self.b = Parameter(np.random.randn(*shape)), Parameter(np.zeros(shape[-1]))
        self.lambda_reg = lambda_reg
    def forward(self, x):
        self.x = x
        return np.dot(x, self.W.data) + self.b.data
    def gradient(self, eta):
        self.W.grad = np.dot(self.x.T, eta) / len(eta) + self.lambda_reg * self.W.data
        self.b.grad = np.sum(eta, axis=0) / len(eta)
        return np.dot(eta, self.W.data.T)
    def backward(self, lr=0.01):
        self.W.data -= lr * self.W.grad
        self.b.data -= lr * self.b.grad
class Norm:
    def norm_forward(self, X, gamma, beta):
        self.std = np.sqrt(np.mean(X**2, axis=0) + 1e-5)
        self.X, self.gamma = X, gamma
        return gamma * X / self.std + beta
    def norm_backprop(self, dY):
        d = dY * self.gamma
        dX = d / self.std - self.X * np.mean(d * self.X, axis=0) / self.std**3
        return dX, np.sum(dY * self.X / self.std, axis=0), dY.sum(axis=0)
"""
    file = tmp_path / "layers.py"
    file.write_text(code)
    report, _ = check_seen(file, 20.0)
    assert report is not None
    assert report.passed, str(report)
    assert len(report.rows) == 6


@pytest.mark.parametrize(
    ("forward", "slope"),
    [
        ("1 / (1 + np.exp(-x))", "np.exp(-x) / (1 + np.exp(-x)) ** 2"),
        ("1 / (1 + np.exp(-x))", "x * (1 - x)"),
        ("np.maximum(0, x)", "np.where(x > 0, 1, 0)"),
    ],
)
def test_a_slope_may_be_one_of_the_input_or_of_the_output(
    tmp_path: Path, forward: str, slope: str
) -> None:
    code = f"""
import numpy as np
class Activation:
    def forward(self, x):
        return {forward}
    def backward(self, x, rate=None):
        return {slope}
"""
    file = tmp_path / "layers.py"
    file.write_text(code)
    report, _ = check_seen(file, 20.0)
    assert report is not None
    assert report.passed, str(report)
    file.write_text(code.replace(slope, f"0.5 + {slope}"))
    wrong, _ = check_seen(file, 20.0)
    assert wrong is None or not wrong.passed


def test_a_slope_along_the_own_input_alone_is_not_called_wrong(tmp_path: Path) -> None:
    code = """
import numpy as np
class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)
    def backward(self, x):
        return x * (1 - x)
"""
    file = tmp_path / "layers.py"
    file.write_text(code)
    assert check_seen(file, 20.0)[0] is None


def test_a_class_of_functions_and_their_derivatives_is_no_layer(tmp_path: Path) -> None:
    code = """
import numpy as np
class Activations:
    @staticmethod
    def relu(x):
        return np.maximum(0, x)
    @staticmethod
    def relu_backward(dA, x):
        return dA * (x > 0)
    @staticmethod
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))
    @staticmethod
    def sigmoid_backward(dA, x):
        s = 1 / (1 + np.exp(-x))
        return dA * s * (1 - s)
    @staticmethod
    def apply(x, activation_name):
        if activation_name == 'relu':
            return Activations.relu(x)
        elif activation_name == 'sigmoid':
            return Activations.sigmoid(x)
    @staticmethod
    def apply_backward(dA, x, activation_name):
        if activation_name == 'relu':
            return Activations.relu_backward(dA, x)
        elif activation_name == 'sigmoid':
            return Activations.sigmoid_backward(dA, x)
"""
    file = tmp_path / "layers.py"
    file.write_text(code)
    report, _ = check_seen(file, 20.0)
    assert report is None or report.passed, str(report)

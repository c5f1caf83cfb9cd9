"""Layers of a package: with a base class, set up from the layer before, arrays in objects."""

from pathlib import Path

import pytest

from clearprop.gradcheck.seeing.file import check_seen

pytestmark = pytest.mark.slow  # code is called in many ways until one does


def test_layers_of_a_package_with_an_abstract_base_and_arrays_in_objects(tmp_path: Path) -> None:
    code = """
import abc
import numpy as np
class Tensor:
    def __init__(self, value, requires_grad=False):
        self.data, self.requires_grad = value, requires_grad
        self.grad = np.zeros_like(value) if requires_grad else None
class Layer(abc.ABC):
    @abc.abstractmethod
    def forward(self, x: Tensor) -> Tensor: ...
    @abc.abstractmethod
    def backward(self, grad): ...
class Linear(Layer):
    def __init__(self, n_in, n_out):
        self.weights = Tensor(np.random.randn(n_in, n_out), requires_grad=True)
    def forward(self, x: Tensor) -> Tensor:
        self.last = x.data
        return Tensor(x.data.dot(self.weights.data))
    def backward(self, grad):
        self.weights.grad = self.last.T.dot(grad)
        return grad.dot(self.weights.data.T)
class MaxPool(Layer):
    def __init__(self, kernel_size, stride):
        self.kernel_size, self.stride = kernel_size, stride
    def windows(self, x):
        (h, w), s = self.kernel_size, self.stride
        for i in range(1 + (x.shape[2] - h) // s):
            for j in range(1 + (x.shape[3] - w) // s):
                yield i, j, (..., slice(i * s, i * s + h), slice(j * s, j * s + w))
    def forward(self, x: Tensor) -> Tensor:
        self.x = x.data
        n = [1 + (x.data.shape[k] - self.kernel_size[k - 2]) // self.stride for k in (2, 3)]
        out = np.zeros((*x.data.shape[:2], *n))
        for i, j, one in self.windows(self.x):
            out[:, :, i, j] = x.data[one].max(axis=(2, 3))
        return Tensor(out)
    def backward(self, grad):
        dx = np.zeros_like(self.x)
        for i, j, one in self.windows(self.x):
            window = self.x[one]
            largest = window == window.max(axis=(2, 3), keepdims=True)
            dx[one] += largest * grad[:, :, i, j][:, :, None, None]
        return dx
"""
    file = tmp_path / "layers.py"
    file.write_text(code)
    report, _ = check_seen(file, 20.0)
    assert report is not None
    assert report.passed, str(report)
    assert len(report.rows) == 3
    file.write_text(code.replace("return grad.dot(self", "return 1 + grad.dot(self"))
    report, _ = check_seen(file, 20.0)
    assert report is not None
    assert not report.passed


def test_layers_are_set_up_from_the_layer_before(tmp_path: Path) -> None:
    code = """
import numpy as np
class Scale:
    def __init__(self):
        self.gamma = None
    def init_params(self, previous_layer_neurons):
        self.gamma = np.random.randn(1, previous_layer_neurons)
    def forward(self, A):
        self.A = A
        return self.gamma * A
    def backward(self, dA):
        self.d_gamma = np.sum(dA * self.A, axis=0, keepdims=True)
        return dA * self.gamma
class Linear:
    def __init__(self, n_out):
        self.n_out, self.W = n_out, None
    def connect_to(self, prev_layer=None):
        assert len(prev_layer.out_shape) == 2
        self.W = np.random.randn(prev_layer.out_shape[-1], self.n_out)
    def forward(self, input):
        self.last = input
        return np.dot(input, self.W)
    def backward(self, pre_grad):
        self.dW = np.dot(self.last.T, pre_grad)
        return np.dot(pre_grad, self.W.T)
    def apply_grads(self, lr=0.1, correct_bias=False, iter=9):
        self.W -= lr * self.dW
class Sigmoid:
    def forward(self, input):
        self.last = 1 / (1 + np.exp(-input))
        return self.last
    def derivative(self, input=None):
        last = self.forward(input) if input else self.last
        return last * (1 - last)
"""
    file = tmp_path / "layers.py"
    file.write_text(code)
    report, _ = check_seen(file, 20.0)
    assert report is not None
    assert report.passed, str(report)
    assert len(report.rows) == 5
    file.write_text(code.replace("return last * (1 - last)", "return last * (1 + last)"))
    report, _ = check_seen(file, 20.0)
    assert report is not None
    assert not report.passed


def test_parameters_that_are_handed_on_to_a_cell_have_its_keys(tmp_path: Path) -> None:
    code = """
import numpy as np
def cell_forward(xt, a_prev, parameters):
    Wf, bf = parameters["Wf"], parameters["bf"]
    a_next = np.tanh(Wf @ np.concatenate((a_prev, xt), axis=0) + bf)
    return a_next, (a_next, a_prev, xt, parameters)
def rnn_forward(x, a0, parameters):
    n_x, m, T_x = x.shape
    n_y, n_a = parameters["Wy"].shape
    a, a_next, caches = np.zeros((n_a, m, T_x)), a0, []
    for t in range(T_x):
        a_next, cache = cell_forward(x[:, :, t], a_next, parameters)
        a[:, :, t] = a_next
        caches.append(cache)
    return a, (caches, x)
def cell_backward(da_next, cache):
    a_next, a_prev, xt, parameters = cache
    dz = da_next * (1 - a_next**2)
    back = parameters["Wf"].T @ dz
    n_a = len(a_next)
    dWf = dz @ np.concatenate((a_prev, xt), axis=0).T
    dbf = dz.sum(axis=1, keepdims=True)
    return {"dxt": back[n_a:], "da_prev": back[:n_a], "dWf": dWf, "dbf": dbf}
def rnn_backward(da, caches):
    caches, x = caches
    n_a, m, T_x = da.shape
    dx, da_prevt, dWf, dbf = np.zeros(x.shape), np.zeros((n_a, m)), 0.0, 0.0
    for t in reversed(range(T_x)):
        gradients = cell_backward(da[:, :, t] + da_prevt, caches[t])
        dx[:, :, t], da_prevt = gradients["dxt"], gradients["da_prev"]
        dWf = dWf + gradients["dWf"]
        dbf = dbf + gradients["dbf"]
    return {"dx": dx, "da0": da_prevt, "dWf": dWf, "dbf": dbf}
"""
    file = tmp_path / "rnn.py"
    file.write_text(code)
    report, _ = check_seen(file, 20.0)
    assert report is not None
    assert report.passed, str(report)
    file.write_text(code.replace("dWf = dWf + gradients", "dWf = gradients"))
    report, _ = check_seen(file, 20.0)
    assert report is not None
    assert not report.passed

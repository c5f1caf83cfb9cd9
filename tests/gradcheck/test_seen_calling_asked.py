"""Networks of strangers that want settings, samples and states of their own kind."""

from pathlib import Path

import pytest

from clearprop.gradcheck.seeing.file import check_seen

SETTINGS = """
import numpy as np

class Net:
    def __init__(self, layerdimensions):
        self.weights = {
            f"W{i}": np.random.randn(a, b)
            for i, (a, b) in enumerate(zip(layerdimensions[:-1], layerdimensions[1:]), 1)
        }
    def activation(self, Z, name):
        if name == "tanh":
            return np.tanh(Z)
        if name == "sigmoid":
            pass
    def forward_pass(self, X, is_training=False, activation_function="tanh"):
        kept = {"A_0": X}
        for i in range(1, len(self.weights) + 1):
            X = self.activation(self.weights[f"W{i}"].T @ X, activation_function)
            if is_training:
                kept[f"A_{i}"] = X
        return X, kept
    def cost(self, Y_predicted, Y_target):
        return np.sum((Y_predicted - Y_target) ** 2) / 2
    def backward_pass(self, conf, Y_predicted, Y_target, activations):
        grads, d = {}, Y_predicted - Y_target
        for i in range(len(conf["layer_dimensions"]) - 1, 0, -1):
            if conf["activation_function"] == "tanh":
                d = d * (1 - activations[f"A_{i}"] ** 2)
            grads[f"grad_W_{i}"] = activations[f"A_{i-1}"] @ d.T
            d = self.weights[f"W{i}"] @ d
        return grads
"""

FLAT_PAIRS = """
import numpy as np

class Net:
    def __init__(self, sizes):
        self.W = [np.random.randn(b, a) for a, b in zip(sizes[:-1], sizes[1:])]
        self.b = [np.random.randn(b) for b in sizes[1:]]
    def train(self, training_data, rate, epochs):
        for inputs, target in training_data * epochs:
            a = [inputs]
            for W, b in zip(self.W, self.b):
                a.append(np.tanh(W @ a[-1] + b))
            error = 0.5 * np.dot(a[-1] - target, a[-1] - target)
            d = (a[-1] - target) * (1 - a[-1] ** 2)
            for i in range(len(self.W) - 1, -1, -1):
                g, d, b = d[:, None] * a[i], self.W[i].T @ d * (1 - a[i] ** 2), d
                self.W[i] = self.W[i] - rate * g
                self.b[i] = self.b[i] - rate * b
"""

DECORATED = """
import numpy as np

def timed(method):
    def inner(obj, *args, **kwargs):
        return method(obj, *args, **kwargs)
    return inner

class Net:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
    @timed
    def training(self, training, validation=None, epochs=3):
        x, y = training
        for _ in range(epochs):
            self.W = self.W - 0.1 * x.T @ (x @ self.W - y)
"""

IN_THE_CLASS = """
import numpy as np

class Net:
    weights = []
    def __init__(self, layerSize):
        for a, b in zip(layerSize[:-1], layerSize[1:]):
            self.weights.append(np.random.randn(a, b))
    def Run(self, input):
        self.h = np.tanh(input @ self.weights[0])
        for _ in range(20):
            np.tanh(self.h)
        return self.h @ self.weights[1]
    def TrainEpoch(self, input, target, rate=0.2):
        d = self.Run(input) - target
        back = d @ self.weights[1].T * (1 - self.h**2)
        self.weights[1] = self.weights[1] - rate * self.h.T @ d
        self.weights[0] = self.weights[0] - rate * input.T @ back
"""

OLD = """
import numpy as np

class Net(object):
    def __init__(self, input_size, output_size, std=1e-4):
        self.params = {"W1": std * np.random.randn(input_size, output_size)}
    def loss(self, X, y=None):
        scores = X.dot(self.params["W1"])
        if y is None:
            return scores
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        loss = -np.log(p[range(len(X)), y]).mean()
        print 'loss %f' % loss
        d = p.copy()
        d[range(len(X)), y] -= 1
        grads = {"W1": X.T.dot(d) / len(X)}
        return loss, grads
"""

NO_DATA_IN_A_STEP = """
import numpy as np

class Net:
    def __init__(self, n_hidden, n_classes, batch_size=100, input_dim=3072):
        sizes = [input_dim] + n_hidden + [n_classes]
        self.W = [np.random.randn(a, b) for a, b in zip(sizes[:-1], sizes[1:])]
        self.b = np.zeros([batch_size, n_classes])
    def inference(self, x):
        self.a = [x]
        for W in self.W[:-1]:
            self.a.append(np.tanh(self.a[-1] @ W))
        return self.a[-1] @ self.W[-1] + self.b
    def loss(self, logits, labels):
        self.d = logits - labels
        return (self.d**2).sum() / 2
    def train_step(self, loss, flags):
        d = self.d
        self.b = self.b - flags.learning_rate * d
        for i in range(len(self.W) - 1, -1, -1):
            g, d = self.a[i].T @ d, d @ self.W[i].T * (1 - self.a[i] ** 2)
            self.W[i] = self.W[i] - flags.learning_rate * g
"""

TWO_COSTS = """
import numpy as np

def initialize(n_x, n_y):
    return {"W1": np.random.randn(n_y, n_x)}

def compute_cost(A1, Y):
    return np.sum((A1 - Y) ** 2) / 2

def compute_cost_with_penalty(A1, Y, parameters, lambd):
    return compute_cost(A1, Y) + lambd * np.sum(parameters["W1"] ** 2) / 2

def forward_propagation(X, parameters):
    A1 = parameters["W1"] @ X
    return A1, (A1, parameters["W1"])

def backward_propagation(X, Y, cache):
    A1, W1 = cache
    return {"dW1": (A1 - Y) @ X.T}
"""

GIVEN_WITH_ITS_DERIVATIVE = """
import numpy as np

def relu(x):
    return np.maximum(x, 0)

def tanh(x):
    return np.tanh(x)

def tanh_derivative(x):
    return 1 - np.tanh(x) ** 2

class Net:
    def __init__(self, layers, activator_function, activator_derivative=lambda x: 1):
        self.g, self.slope = activator_function, activator_derivative
        self.W = [np.random.randn(b, a) for a, b in zip(layers[:-1], layers[1:])]
    def train(self, training_set, expected_outputs, epochs):
        for x, y in zip(training_set, expected_outputs):
            a, z = [x], []
            for W in self.W:
                z.append(W @ a[-1])
                a.append(self.g(z[-1]))
            d = a[-1] - y
            for i in range(len(self.W) - 1, -1, -1):
                d = d * self.slope(z[i])
                g, d = np.outer(d, a[i]), self.W[i].T @ d
                self.W[i] = self.W[i] - 0.1 * g
"""

RECURRENT_FUNCTIONS = """
import numpy as np

def rnn_forward(X, h_prev, Wx, Wh, b, Why, by):
    hs, ys, h = [], [], h_prev
    for t in range(X.shape[0]):
        h = np.tanh(np.dot(Wx, X[t].reshape(-1, 1)) + np.dot(Wh, h) + b)
        hs.append(h)
        ys.append(np.dot(Why, h) + by)
    return hs, ys

def rnn_backward(X, Y, hs, ys, Wx, Wh, b, Why, by, learning_rate=0.01):
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dWhy, dby, dh_next = np.zeros_like(Why), np.zeros_like(by), np.zeros_like(b)
    for t in reversed(range(len(Y))):
        p = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        p[Y[t], 0] -= 1
        dWhy += np.dot(p, hs[t].T)
        dby += p
        d = (1 - hs[t] ** 2) * (np.dot(Why.T, p) + dh_next)
        dWx += np.dot(d, X[t].reshape(1, -1))
        dWh += np.dot(d, hs[t - 1].T if t > 0 else np.zeros_like(hs[t]).T)
        db += d
        dh_next = np.dot(Wh.T, d)
    Wx -= learning_rate * dWx
    Wh -= learning_rate * dWh
    b -= learning_rate * db
    Why -= learning_rate * dWhy
    by -= learning_rate * dby
    return Wx, Wh, b, Why, by
"""

OF_NO_CLASS = """
import numpy as np

def train(neural_net, X, Y, l2_cost, lr=0.5, train=True):
    out = [(None, X)]
    for layer in neural_net:
        z = out[-1][1] @ layer.w + layer.b
        out.append((z, layer.act_f[0](z)))
    cost = l2_cost[0](out[-1][1], Y)
    if train:
        d = l2_cost[1](out[-1][1], Y)
        for l in reversed(range(len(neural_net))):
            d = d * neural_net[l].act_f[1](out[l + 1][1])
            back = d @ neural_net[l].w.T
            neural_net[l].b = neural_net[l].b - np.sum(d, axis=0, keepdims=True) * lr
            neural_net[l].w = neural_net[l].w - out[l][1].T @ d * lr
            d = back
    return out[-1][1]
"""

UNROLLED = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def with_ones(X):
    return np.hstack([np.ones((X.shape[0], 1)), X])

def cost_function(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lamda):
    cut = hidden_layer_size * (input_layer_size + 1)
    theta1 = nn_params[:cut].reshape([hidden_layer_size, input_layer_size + 1])
    theta2 = nn_params[cut:].reshape([num_labels, hidden_layer_size + 1])
    m = X.shape[0]
    a1 = with_ones(X)
    a2 = with_ones(sigmoid(a1 @ theta1.T))
    h = sigmoid(a2 @ theta2.T)
    Y = (y == np.arange(num_labels)).astype(int)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lamda / (2 * m) * (np.sum(theta1[:, 1:] ** 2) + np.sum(theta2[:, 1:] ** 2))
    d3 = h - Y
    d2 = (d3 @ theta2 * a2 * (1 - a2))[:, 1:]
    theta1_grad, theta2_grad = d2.T @ a1 / m, d3.T @ a2 / m
    theta1_grad[:, 1:] += lamda / m * theta1[:, 1:]
    theta2_grad[:, 1:] += lamda / m * theta2[:, 1:]
    return J, np.concatenate([theta1_grad.flatten(), theta2_grad.flatten()])
"""

KINDS = {
    "settings": SETTINGS,
    "samples without a second axis": FLAT_PAIRS,
    "decorated": DECORATED,
    "weights in the class": IN_THE_CLASS,
    "Python 2": OLD,
    "no data in a step": NO_DATA_IN_A_STEP,
    "two costs": TWO_COSTS,
    "weights in one vector": UNROLLED,
    "layers of no class": OF_NO_CLASS,
    "recurrent functions": RECURRENT_FUNCTIONS,
    "a function with its derivative": GIVEN_WITH_ITS_DERIVATIVE,
}

PLANTED = {
    "settings": ("(1 - activations", "(2 - activations"),
    "decorated": ("- y)", "+ y)"),
    "weights in the class": ("(1 - self.h**2)", "(1 + self.h**2)"),
    "layers of no class": ("np.sum(d, axis", "np.mean(d, axis"),
    "weights in one vector": ("+= lamda / m * theta1", "+= 2 * lamda / m * theta1"),
    "two costs": ("(A1 - Y) @ X.T", "(A1 - 2 * Y) @ X.T"),
}


def _verdicts(code: str, folder: Path) -> list[str]:
    file = folder / "code.py"
    file.write_text(code)
    report, _ = check_seen(file, 50.0)
    assert report is not None
    return [row.verdict for row in report.rows]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_verdict(kind: str, tmp_path: Path) -> None:
    if kind == "Python 2":
        pytest.importorskip("lib2to3", reason="since Python 3.13 nothing converts it")
    assert set(_verdicts(KINDS[kind], tmp_path)) == {"right"}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_mistake_is_no_more_right(kind: str, tmp_path: Path) -> None:
    before, after = PLANTED[kind]
    assert before in KINDS[kind]
    found = _verdicts(KINDS[kind].replace(before, after), tmp_path)
    assert {"wrong", "scaled"} & set(found)

"""Code called in the order that it wants, and what is no gradient although it looks like one."""

import textwrap

from seen_checked import all_right

from clearprop.gradcheck.seeing.file import check_seen

IN_PIECES = """
class Net:
    def __init__(self, dims):
        self.W = [np.random.randn(a, b) * 0.5 for a, b in zip(dims[:-1], dims[1:])]

    def forward(self, X):
        self.A = [X]
        for W in self.W[:-1]:
            self.A.append(np.tanh(self.A[-1] @ W))
        Z = self.A[-1] @ self.W[-1]
        E = np.exp(Z - Z.max(axis=1, keepdims=True))
        self.A.append(E / E.sum(axis=1, keepdims=True))
        return self.A[-1]

    def backward(self, Y):
        self.D = [None] * len(self.W)
        self.D[-1] = self.A[-1] - Y
        for k in range(len(self.W) - 2, -1, -1):
            self.D[k] = self.D[k + 1] @ self.W[k + 1].T * (1 - self.A[k + 1] ** 2)

    def compute_grads(self):
        self.dW = [a.T @ d / len(d) for a, d in zip(self.A, self.D)]

    def take_step(self, rate=0.1):
        self.W = [W - rate * dW for W, dW in zip(self.W, self.dW)]
"""


def test_a_backward_pass_in_pieces_is_called_to_its_end(checked):
    all_right(checked(IN_PIECES))
    report = checked(IN_PIECES.replace("(1 - self.A[k + 1] ** 2)", "(1 - self.A[k + 1])"))
    assert report.line["instead"] is not None
    assert "(1 - self.A[k + 1] ** 2)" in report.line["instead"]


TWO_WAYS = """
class Net:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.m, self.v = 0 * self.W, 0 * self.W

    def forward(self, X):
        self.X = X
        return X @ self.W

    def backprop_sgd(self, output, Y, rate=0.1):
        d = output - Y
        self.W = self.W - rate * self.X.T @ d

    def backprop_adam(self, output, Y, rate=0.1):
        d = output - Y
        g = self.X.T @ d
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.99 * self.v + 0.01 * g * g
        step = self.m / (np.sqrt(self.v) + 1e-8)
        self.W = self.W - rate * np.minimum(np.maximum(step, -5), 5)
"""


def test_every_way_back_of_a_class_is_called(checked):
    report = all_right(checked(TWO_WAYS))
    assert len(report.rows) == 2  # a step of Adam that is bounded, too
    report = checked(TWO_WAYS.replace("g = self.X.T @ d", "g = self.X.T @ (d + output)"))
    assert [row.verdict for row in report.rows] == ["right", "wrong"]


def test_a_name_that_is_handed_on_is_one_that_is_known(checked):
    report = checked("""
    def activation(kind):
        if kind == "relu":
            return lambda z, slope=False: (z > 0) * 1.0 if slope else np.maximum(z, 0)
        elif kind == "tanh":
            return lambda z, slope=False: 1 - np.tanh(z) ** 2 if slope else np.tanh(z)
        raise NotImplementedError

    class Linear:
        def __init__(self, n_in, n_out, act=None):
            self.W = np.random.randn(n_out, n_in)
            self.act = activation(act)

        def forward(self, x):
            z = self.W @ x
            return z, self.act(z)

        def backward(self, x, z, da):
            dz = da * self.act(z, slope=True)
            return self.W.T @ dz, dz @ x.T
    """)
    assert len(all_right(report).rows) == 2  # those of the second output, which backward lacks


def test_arguments_are_given_by_their_types_and_as_paths(checked):
    report = checked("""
    class Net:
        def __init__(self, sizes: list, weight_path: str, resume: bool, warm):
            self.W = np.load(weight_path) if resume else np.random.randn(sizes[0], sizes[-1])
            self.scale = 2.0 if warm else 1.0

        def train(self, X, Y, rate: float = 0.1, epochs=3):
            for _ in range(epochs):
                d = self.scale * (self.scale * X @ self.W - Y)
                self.W -= rate * X.T @ d

    net = Net([4, 3], "w.npy", False, False)
    """)
    assert all_right(report)


def test_deltas_of_a_shape_by_chance_are_no_gradients(tmp_path):
    # With as many samples as inputs, what comes back to a layer has the shape of its weights.
    text = IN_PIECES[: IN_PIECES.index("    def compute_grads")]
    (tmp_path / "net.py").write_text(f"import numpy as np\n{text}")
    report, _ = check_seen(tmp_path / "net.py", 20.0)
    assert report is None or not report.wrong


def test_a_class_as_a_number_is_no_target_of_several_outputs(checked):
    report = checked("""
    class Net:
        def __init__(self, sizes):
            self.W = np.random.randn(sizes[-1], sizes[0])

        def train(self, X_train, y_train, epochs=3):
            for _ in range(epochs):
                for x, y in zip(X_train, y_train):
                    x = x.reshape(-1, 1)
                    y = y.reshape(-1, 1)
                    d = self.W @ x - y
                    self.W -= 0.1 * d @ x.T
                loss = sum(np.sum((self.W @ x[:, None] - y) ** 2) for x, y in zip(X_train, y_train))
    """)
    assert report.passed


SET_UP = """
class Dense:
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_in, n_out)

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.weights

    def backward(self, dvalues):
        self.dweights = self.inputs.T @ dvalues
        return dvalues @ self.weights.T

class Loss:
    def calculate(self, output, y):
        return np.mean(self.forward(output, y))

class Loss_MeanSquaredError(Loss):
    def forward(self, output, y):
        return np.mean((output - y) ** 2, axis=-1)

    def backward(self, output, y):
        return 2 * (output - y) / output.size

class Optimizer_SGD:
    def __init__(self, learning_rate=0.1):
        self.learning_rate = learning_rate

    def update(self, layer):
        layer.weights -= self.learning_rate * layer.dweights

class Model:
    def __init__(self):
        self.layers = []

    def add(self, layer):
        self.layers.append(layer)

    def set(self, *, loss=None, optimizer=None):
        if loss is not None:
            self.loss = loss
        if optimizer is not None:
            self.optimizer = optimizer

    def finalize(self):
        self.trainable = [layer for layer in self.layers if hasattr(layer, "weights")]

    def train(self, X, y, *, epochs=1):
        for epoch in range(epochs):
            output = X
            for layer in self.layers:
                output = layer.forward(output)
            self.cost = self.loss.calculate(output, y)
            back = self.loss.backward(output, y)
            for layer in reversed(self.layers):
                back = layer.backward(back)
            for layer in self.trainable:
                self.optimizer.update(layer)
"""


def test_a_model_that_is_set_up_with_objects_trains(checked):
    report = checked(SET_UP)
    assert report.passed
    assert any("Model(...).train(" in note for note in report.notes)
    report = checked(
        SET_UP.replace("return dvalues @ self.weights.T", "return -dvalues @ self.weights.T")
    )
    assert report.line["instead"] == "return dvalues @ self.weights.T"


def test_gradients_that_are_put_into_a_dict_of_the_callers(checked):
    text = """
    class Dense:
        def __init__(self, n_in, n_out):
            self.name, self.W = "dense", np.random.randn(n_in, n_out)

        def forward(self, x):
            return x @ self.W, {}

        def backward(self, x, cache, output_gradient, gradients):
            gradients[f"{self.name}/W"] = x.T @ output_gradient
            return output_gradient @ self.W.T
    """
    assert len(all_right(checked(text)).rows) == 2
    report = checked(text.replace("x.T @ output_gradient", "np.abs(x).T @ output_gradient"))
    assert not report.passed


IN_PLACE = """
class ReLU:
    def forward(self, inputs):
        inputs[inputs <= 0] = 0
        return inputs

    def backward(self, inputs, delta):
        delta[inputs <= 0] = 0
        return delta

class Linear:
    def __init__(self, n_in, n_out):
        self.W, self.dW = np.random.randn(n_in, n_out), np.zeros((n_in, n_out))

    def forward(self, X):
        return X @ self.W

    def backward_update_gradient(self, input, delta):
        self.dW = self.dW + input.T @ delta

    def backward_delta(self, input, delta):
        return delta @ self.W.T

    def update_parameters(self, gradient_step=0.001):
        self.W -= gradient_step * self.dW

class CrossEntropy:
    def forward(self, label, out):
        return np.mean(np.nan_to_num(-label * np.log(out) - (1 - label) * np.log(1 - out)))

    def backward(self, label, out):
        return out - label
"""


def test_layers_that_write_in_place_or_go_back_in_two_methods_are_right(checked):
    report = all_right(checked(IN_PLACE))
    assert {"W", "X"} <= {row.parameter.split(" ")[0] for row in report.rows}
    wrong = IN_PLACE.replace("delta[inputs <= 0] = 0", "delta[inputs > 0] = 0")
    assert not checked(wrong).passed


def test_a_line_that_fails_for_data_that_stand_in_is_not_accused(tmp_path):
    (tmp_path / "net.py").write_text(
        textwrap.dedent("""
        import numpy as np
        X, Y = np.load("x_train.npy"), np.load("y_train.npy")
        W = np.zeros((X.shape[1], 3))
        for epoch in range(9):
            d = X @ W - Y[:, None]
            cost = np.sum(d**2) / 2
            W -= 0.1 * X.T @ d
            if epoch == 2:
                V = d[:7] - Y[:, None] * np.ones(3)
        """)
    )
    report, ran = check_seen(tmp_path / "net.py", 20.0)
    assert report is not None
    assert report.line is None
    assert [one.number for one in ran.failures] == [10]


ONE_NUMBER = """
def propagate(w, b, X, Y):
    m = X.shape[1]
    A = 1 / (1 + np.exp(-(np.dot(w.T, X) + b)))
    cost = np.squeeze(-np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m)
    dZ = A - Y
    dw = np.dot(X, dZ.T) / m
    db = np.sum(dZ) / m
    grads = {"dw": dw, "db": db}
    return grads, cost
"""


def test_a_bias_of_one_number_is_judged_where_a_function_is_given_its_weights(checked):
    report = all_right(checked(ONE_NUMBER))
    assert {row.parameter for row in report.rows} == {"w", "b"}
    report = checked(ONE_NUMBER.replace("db = np.sum(dZ) / m", "db = np.sum(dZ)"))
    assert {row.parameter for row in report.rows if row.verdict == "wrong"} == {"b"}


MADE_OF_ABSTRACT = """
from __future__ import annotations
from abc import ABC, abstractmethod
class Operation(ABC):
    @abstractmethod
    def apply(self, z): ...
    @abstractmethod
    def slope(self, z): ...
class Relu(Operation):
    def apply(self, z):
        return np.maximum(z, 0)
    def slope(self, z):
        return 1.0 * (z > 0)
class Net:
    def __init__(self, inputs: int, hidden_units: int, targets: int, activation: Operation):
        self.W1 = np.random.randn(inputs, hidden_units)
        self.W2 = np.random.randn(hidden_units, targets)
        self.activation = activation
    def fit(self, X, y, epochs=5, lr=0.1):
        for _ in range(epochs):
            z = X @ self.W1
            a = self.activation.apply(z)
            d = a @ self.W2 - y
            loss = np.mean(d ** 2)
            d1 = d @ self.W2.T * self.activation.slope(z)
            self.W2 -= lr * 2 * a.T @ d / d.size
            self.W1 -= lr * 2 * X.T @ d1 / d.size
"""


def test_what_derives_from_an_abstract_class_is_made_for_it(checked):
    report = all_right(checked(MADE_OF_ABSTRACT))
    assert {"W1", "W2"} == {row.parameter.split(" ")[0] for row in report.rows}
    wrong = MADE_OF_ABSTRACT.replace("* self.activation.slope(z)", "* z")
    assert not checked(wrong).passed

"""Code whose arguments no name tells: what fails says which does not fit, and what would."""

import numpy as np
import pytest
from seen_checked import all_right

from clearprop.gradcheck.seeing.arrays import recording, watch
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.lessons import Learning
from clearprop.gradcheck.seeing.calling.materials import Kind
from clearprop.gradcheck.seeing.file import check_seen
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.tape import Tape

pytestmark = pytest.mark.slow  # code is called in many ways until one does


RECURRENT = """
class Recurrent:
    def __init__(self, M, N):
        self.W = np.random.randn(N, M) * 0.5
        self.R = np.random.randn(N, N) * 0.5
        self.b = np.zeros(N)

    def forward(self, x):
        T, M = x.shape
        y = np.zeros((T, len(self.b)))
        for t in range(T):
            y[t] = np.tanh(self.W @ x[t] + self.R @ y[t - 1] + self.b)
        return y, (x, y)

    def backward(self, deltas, states):
        x, y = states
        T, N = deltas.shape
        gradients = [np.zeros_like(one) for one in (self.W, self.R, self.b)]
        dW, dR, db = gradients
        dx, dz = np.zeros_like(x), np.zeros(N)
        for t in reversed(range(T)):
            dz = (deltas[t] + self.R.T @ dz) * (1 - y[t] ** 2)
            dW += np.outer(dz, x[t])
            if t > 0:
                dR += np.outer(dz, y[t - 1])
            db += dz
            dx[t] = self.W.T @ dz
        gradients = dW, dR, db
        return dx, gradients
"""


def test_a_layer_is_given_inputs_of_the_size_that_its_weights_have(checked):
    all_right(checked(RECURRENT))
    report = checked(RECURRENT.replace("(1 - y[t] ** 2)", "(1 - y[t])"))
    assert report.line["instead"] is not None
    assert "(1 - y[t] ** 2)" in report.line["instead"]


def test_a_mistake_that_cannot_be_mended_is_none_of_arguments_that_were_tried(tmp_path):
    twice = RECURRENT.replace("(1 - y[t] ** 2)", "np.cos(7 * y[t])").replace(
        "dx[t] =", "dx[t] = 3 +"
    )
    (tmp_path / "odd.py").write_text(f"import numpy as np\n{twice}")
    report, _ = check_seen(tmp_path / "odd.py", 30.0)
    assert report is None or not report.passed


UNPACKED = """
def forward_pass(size, inputs, h_prev, p):
    assert h_prev.shape == (size, 1)
    W_x, W_h, W_v, b_h, b_v = p
    hs, outputs = [h_prev], []
    for x in inputs:
        hs.append(np.tanh(W_x @ x + W_h @ hs[-1] + b_h))
        outputs.append(W_v @ hs[-1] + b_v)
    return hs, outputs

def backward_pass(size, inputs, hs, outputs, targets, p):
    W_x, W_h, W_v, b_h, b_v = p
    W_x_d, W_h_d, W_v_d = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(W_v)
    b_h_d, b_v_d = np.zeros_like(b_h), np.zeros_like(b_v)
    loss, dh_next = 0, np.zeros_like(hs[0])
    for t in reversed(range(len(outputs))):
        dv = outputs[t] - targets[t]
        loss += 0.5 * np.sum(dv ** 2)
        W_v_d += dv @ hs[t + 1].T
        b_v_d += dv
        dz = (W_v.T @ dv + dh_next) * (1 - hs[t + 1] ** 2)
        W_x_d += dz @ inputs[t].T
        W_h_d += dz @ hs[t].T
        b_h_d += dz
        dh_next = W_h.T @ dz
    grads = W_x_d, W_h_d, W_v_d, b_h_d, b_v_d
    return loss, grads
"""


def test_parameters_that_are_taken_apart_get_the_shapes_that_their_products_need(checked):
    all_right(checked(UNPACKED))
    report = checked(UNPACKED.replace("dh_next = W_h.T @ dz", "dh_next = W_h @ dz"))
    assert report.line["instead"] == "dh_next = W_h.T @ dz"


NAMED = """
class Norm:
    def __init__(self, momentum=0.9):
        self.momentum = momentum

    def __call__(self, old):
        self.out_shape = old.get_output_shape()
        self.gamma = np.random.uniform(0.5, 1.5, self.out_shape)
        self.beta = np.zeros(self.out_shape)
        return self

    def forward(self, x):
        self.x = x
        return self.gamma * x + self.beta

    def backward(self, grad):
        self.grad_gamma = np.sum(grad * self.x, axis=0)
        self.grad_beta = np.sum(grad, axis=0)
        return grad * self.gamma

    def get_output_shape(self):
        return self.out_shape
"""


def test_a_layer_that_is_set_up_with_the_one_before_learns_its_shape(checked):
    all_right(checked(NAMED))
    report = checked(NAMED.replace("grad * self.x, axis=0", "grad, axis=0"))
    assert report.line["text"] == "self.grad_gamma = np.sum(grad, axis=0)"


TWO_PASSES = """
class Layer:
    def __init__(self, inputs, outputs):
        self.W = np.random.randn(outputs, inputs)
        self.b = np.random.randn(outputs, 1)
        self.x = np.zeros((outputs, 1))

    def forward(self, x):
        return self.W @ x + self.b

    def store_forward(self, x):
        self.x = x
        return self.W @ x + self.b

    def backward(self, delta):
        self.dW = delta @ self.x.T
        self.db = delta.sum(axis=1, keepdims=True)
        return self.W.T @ delta
"""


def test_a_forward_pass_that_keeps_nothing_is_none_to_go_back_from(checked):
    all_right(checked(TWO_PASSES))
    report = checked(TWO_PASSES.replace("return self.W.T @ delta", "return self.W @ delta"))
    assert report.line["text"] == "return self.W @ delta"


PAIRS = """
WORDS = {"tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2), "linear": (lambda z: z, np.ones_like)}

class Net:
    def __init__(self, input_size, output_size, layers):
        self.layers = list(layers)
        self.layers.append((output_size, "linear"))
        self.W, size = [], input_size
        for (units, _) in self.layers:
            self.W.append(np.random.randn(size, units))
            size = units

    def forward(self, X):
        self.A, self.Z = [X], []
        for k, (_, word) in enumerate(self.layers):
            self.Z.append(self.A[-1] @ self.W[k])
            self.A.append(WORDS[word][0](self.Z[-1]))
        return self.A[-1]

    def backward(self, Y):
        delta = (self.A[-1] - Y) / len(Y)
        self.dW = [None] * len(self.W)
        for k in reversed(range(len(self.W))):
            self.dW[k] = self.A[k].T @ delta
            if k:
                delta = delta @ self.W[k].T * WORDS[self.layers[k - 1][1]][1](self.Z[k - 1])
"""


def test_layers_that_are_taken_apart_are_pairs(checked):
    all_right(checked(PAIRS))


IN_TIME = """
class Net:
    inputs, hidden, outputs, rate = 6, 4, 2, 0.1

    def __init__(self):
        self.W = {
            "in": np.random.randn(self.hidden, self.inputs),
            "again": np.random.randn(self.hidden, self.hidden),
            "out": np.random.randn(self.outputs, self.hidden),
        }
        self.start = {"state": np.zeros((self.hidden, 1)), "end": np.zeros((self.outputs, 1))}

    def fit(self, X, y, epochs=1):
        for _ in range(epochs):
            for xs, target in zip(X, y):
                hs = [np.zeros((self.hidden, 1))]
                for x in xs:
                    z = self.W["in"].dot(x) + self.W["again"].dot(hs[-1]) + self.start["state"]
                    hs.append(np.tanh(z))
                out = self.W["out"].dot(hs[-1]) + self.start["end"]
                delta = out - target
                loss = 0.5 * np.sum(delta ** 2)
                d_in, d_again = np.zeros_like(self.W["in"]), np.zeros_like(self.W["again"])
                d_state, back = np.zeros((self.hidden, 1)), self.W["out"].T.dot(delta)
                for t in reversed(range(len(xs))):
                    dz = back * (1 - hs[t + 1] ** 2)
                    d_state += dz
                    d_again += dz.dot(hs[t].T)
                    d_in += dz.dot(xs[t].T)
                    back = self.W["again"].T.dot(dz)
                self.W["out"] -= self.rate * delta.dot(hs[-1].T)
                self.start["end"] -= self.rate * delta
                self.W["again"] -= self.rate * d_again
                self.W["in"] -= self.rate * d_in
                self.start["state"] -= self.rate * d_state
"""


def test_samples_may_be_sequences_of_columns(checked):
    all_right(checked(IN_TIME))
    report = checked(IN_TIME.replace('self.W["again"].T.dot(dz)', 'self.W["again"].dot(dz)'))
    assert report.line["instead"] == "back = self.W['again'].T.dot(dz)"


LEAVES = """
class Layer:
    def __init__(self, n_neurons, n_inputs, activation):
        known = {"tanh": np.tanh, "none": np.positive}
        if activation not in known:
            raise Exception("Activation not found")
        self.activation = known[activation]
        self.W = np.random.randn(n_neurons, n_inputs)
        self.b = np.zeros((n_neurons, 1))

    def forward(self, x):
        try:
            self.x = x
            return self.W @ x + self.b
        except Exception as error:
            print("can't go forward", error)
            exit()

    def backward(self, gradient):
        self.dW = gradient @ self.x.T
        self.db = gradient.sum(axis=1, keepdims=True)
        return self.W.T @ gradient
"""


def test_code_that_leaves_the_program_where_it_fails_is_called_with_other_data(checked):
    all_right(checked(LEAVES))
    report = checked(LEAVES.replace("gradient.sum(axis=1", "gradient.mean(axis=1"))
    assert report.line["instead"] == "self.db = gradient.sum(axis=1, keepdims=True)"


BUILT = """
class Norm:
    def __init__(self, dim):
        self.gamma, self.beta = np.ones((1, dim)), np.zeros((1, dim))

    def build(self, input_shape):
        return input_shape

    def forward(self, X):
        self.X = X
        return self.gamma * X + self.beta

    def backward(self, dY):
        self.dgamma = np.sum(dY * self.X, axis=0, keepdims=True)
        self.dbeta = np.sum(dY, axis=0, keepdims=True)
        return dY * self.gamma

class Dense:
    def __init__(self, neurons):
        self.neurons, self.W = neurons, None

    def build(self, input_shape):
        self.W = np.random.randn(input_shape[0], self.neurons)
        return (self.neurons,)

    def forward(self, X):
        if self.W is None:
            raise ValueError("it must be built")
        self.X = X
        return X @ self.W

    def backward(self, dY):
        self.dW = self.X.T @ dY
        return dY @ self.W.T
"""
SEQUENTIAL = """
class Sequential:
    def __init__(self, layers: list):
        self.layers, self.built = layers, False

    def build(self, input_shape):
        for layer in self.layers:
            input_shape = layer.build(input_shape)
        self.built = True

    def forward(self, X):
        if not self.built:
            raise RuntimeError("it must be built")
        for layer in self.layers:
            X = layer.forward(X)
        return X

    def backward(self, dY):
        for layer in reversed(self.layers):
            dY = layer.backward(dY)
        return dY
"""


def test_layers_are_built_for_the_size_of_their_inputs(checked):
    report = checked(BUILT)
    all_right(report)
    assert {row.shape for row in report.rows} == {(1, 4), (4, 3), (6, 4)}
    report = checked(BUILT.replace("np.sum(dY, axis=0", "np.mean(dY, axis=0"))
    assert report.line["instead"] == "self.dbeta = np.sum(dY, axis=0, keepdims=True)"


def test_a_network_of_layers_is_built_before_it_goes_forward(checked):
    report = checked(f"{BUILT[BUILT.index('class Dense') :]}\n{SEQUENTIAL}")
    all_right(report)
    assert any("Sequential(...).forward" in note for note in report.notes)


@pytest.mark.parametrize("flag", ["self._is_training = False", "self.is_test = True"])
def test_a_layer_is_told_that_it_learns(checked, flag):
    name, value = flag.split(" = ")
    code = f"""
class Centre:
    def __init__(self):
        {flag}
        self.known = 0.5

    def forward(self, X):
        self.mean = self.known if {name} is {value} else X.mean(axis=0)
        return X - self.mean

    def backward(self, dY):
        return dY - dY.mean(axis=0)
"""
    all_right(checked(code))


def test_a_class_that_derives_from_a_loss_is_one(checked):
    code = """
class Loss:
    pass

class CCE(Loss):
    def forward(self, x_pred, x_true):
        self.p, self.x_true = np.exp(x_pred) / np.exp(x_pred).sum(axis=1, keepdims=True), x_true
        return -np.sum(x_true * np.log(self.p))

    def backward(self):
        return self.p - self.x_true
"""
    all_right(checked(code))


def _learned(folder, text, **given):
    """Call the function ``f`` of a text with arguments that are learned; returns the last ones."""
    (folder / "code.py").write_text(f"import numpy as np\n{text}")
    tape = Tape()
    ran = run(folder / "code.py", tape, 10.0)
    defined = Defined(ran.namespace, Source(ran.sources, ran.trees), tape)
    with recording(tape):
        values = {
            name: watch(np.ones(one), "data" if name == "x" else "weights")
            if isinstance(one, tuple)
            else one
            for name, one in given.items()
        }
        learning = Learning(defined, Kind("rows"))
        _, last = learning.call(lambda now: ran.namespace["f"](**now), values)
    return {n: one.shape if isinstance(one, np.ndarray) else one for n, one in last.items()}


@pytest.mark.parametrize(
    ("text", "given", "wanted"),
    [
        ("def f(x, w): return x @ w", {"x": (6, 4), "w": (5, 3)}, {"x": (6, 4), "w": (4, 3)}),
        ("def f(x): n, c, h, w = x.shape", {"x": (6, 4)}, {"x": (2, 4, 4, 4)}),
        ("def f(x): assert x.shape == (7, 1)", {"x": (6, 4)}, {"x": (7, 1)}),
        ("def f(x): return x[0, 1, 2]", {"x": (6, 4)}, {"x": (6, 3, 4)}),
        ("def f(n): return n[0] + n[1]", {"n": 4}, {"n": (4, 4)}),
        (
            "def f(w, n):\n    if w.size != n + 1:\n        raise ValueError('no')",
            {"w": (4,), "n": 7},
            {"w": (8,), "n": 7},
        ),
    ],
)
def test_what_fails_says_what_would_fit(tmp_path, text, given, wanted):
    assert _learned(tmp_path, text, **given) == wanted


def test_what_nothing_mends_fails_as_it_did_at_first(tmp_path):
    with pytest.raises(ZeroDivisionError):
        _learned(tmp_path, "def f(x): return 1 / 0", x=(6, 4))

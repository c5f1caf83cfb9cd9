"""Parts of packages that train nothing: cells, tables of vectors, contexts, closures, settings."""

from pathlib import Path

import pytest

from clearprop.gradcheck.seeing.file import check_seen

pytestmark = pytest.mark.slow  # many programs are run and judged

PARTS: dict[str, tuple[str, tuple[str, str]]] = {
    "gradients in a dict that lies before that of the parameters": (
        """
class Affine:
    def __init__(self, fan_in, fan_out):
        self.grads = {"W": None, "b": None}
        self.params = {"W": np.random.randn(fan_in, fan_out), "b": np.zeros(fan_out)}
    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]
    def backward(self, dout):
        self.grads["W"] = self.x.T @ dout
        self.grads["b"] = dout.sum(axis=0)
        return dout @ self.params["W"].T
""",
        ("dout.sum(axis=0)", "2 * dout.sum(axis=0)"),
    ),
    "a table of vectors": (
        """
class Table:
    def __init__(self, vocab_size, width):
        self.rows = np.random.randn(vocab_size, width)
    def forward(self, tokens):
        self.tokens = tokens
        return self.rows[tokens]
    def backward(self, upstream):
        self.drows = np.zeros_like(self.rows)
        np.add.at(self.drows, self.tokens, upstream)
""",
        (
            "np.add.at(self.drows, self.tokens, upstream)",
            "np.add.at(self.drows, self.tokens, upstream**2)",
        ),
    ),
    "words and their neighbours, by number": (
        """
def logistic(x):
    return 1 / (1 + np.exp(-x))

def skipgram_forward(middle, near, noise, W_in, W_out):
    m, n, far = W_in[middle], W_out[near], W_out[noise]
    good, bad = (m * n).sum(axis=1), (m[:, None] * far).sum(axis=2)
    loss = -(np.log(logistic(good)) + np.log(logistic(-bad)).sum(axis=1)).mean()
    return loss, (m, n, far, good, bad)

def skipgram_backward(middle, near, noise, W_in, W_out, cache):
    m, n, far, good, bad = cache
    dgood, dbad = (logistic(good) - 1) / len(m), logistic(bad) / len(m)
    dW_in, dW_out = np.zeros_like(W_in), np.zeros_like(W_out)
    np.add.at(dW_in, middle, dgood[:, None] * n + (dbad[:, :, None] * far).sum(axis=1))
    np.add.at(dW_out, near, dgood[:, None] * m)
    np.add.at(dW_out, noise, dbad[:, :, None] * m[:, None])
    return dW_in, dW_out
""",
        ("(dW_out, near, dgood[:, None] * m)", "(dW_out, near, dgood[:, None] * n)"),
    ),
    "settings of a layer by their keys": (
        """
class Part:
    def __init__(self, options_of):
        self.options_of = options_of

class Full(Part):
    def __init__(self, options_of):
        super().__init__(options_of)
        self.W = np.random.randn(options_of["in_features"], options_of["out_features"])
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T

class Bend(Part):
    def forward(self, x):
        self.x = x
        if self.options_of["form"] == "cube":
            return x**3
        if self.options_of.get("form") == "sine":
            return np.sin(x)
        raise ValueError
    def backward(self, dout):
        return dout * (3 * self.x**2 if self.options_of["form"] == "cube" else np.cos(self.x))

class Scale(Part):
    def __init__(self, options_of):
        super().__init__(options_of)
        self.gamma = np.ones(options_of["dim"])
    def forward(self, x):
        self.x = x
        return x * self.gamma
    def backward(self, dout):
        self.dgamma = (dout * self.x).sum(axis=0)
        return dout * self.gamma
""",
        ("3 * self.x**2", "3 * self.x"),
    ),
    "a cell with two states": (
        """
def squash(x):
    return 1 / (1 + np.exp(-x))

class GatedCell:
    def __init__(self, input_size, hidden_size):
        self.n = hidden_size
        self.Wx = np.random.randn(input_size, 2 * hidden_size)
        self.Wh = np.random.randn(hidden_size, 2 * hidden_size)
    def forward(self, x, h_prev, c_prev):
        a = x @ self.Wx + h_prev @ self.Wh
        gate, new = squash(a[:, : self.n]), np.tanh(a[:, self.n :])
        c = gate * c_prev + (1 - gate) * new
        h = np.tanh(c)
        self.kept = x, h_prev, c_prev, gate, new, h
        return h, c
    def backward(self, dh, dc):
        x, h_prev, c_prev, gate, new, h = self.kept
        dc = dc + dh * (1 - h**2)
        dgate, dnew = dc * (c_prev - new), dc * (1 - gate)
        da = np.concatenate([dgate * gate * (1 - gate), dnew * (1 - new**2)], axis=1)
        self.dWx = x.T @ da
        self.dWh = h_prev.T @ da
        return da @ self.Wx.T, da @ self.Wh.T, dc * gate
""",
        ("dc = dc + dh * (1 - h**2)", "dc = dc + dh * (1 - h)"),
    ),
    "states in a list, the first of zeros": (
        """
class Recurrent:
    def __init__(self, input_size, hidden_size):
        self.size = hidden_size
        self.Wx = 0.3 * np.random.randn(input_size, hidden_size)
        self.Wh = 0.3 * np.random.randn(hidden_size, hidden_size)
    def forward(self, xs):
        self.xs, self.states = xs, [np.zeros((len(xs), self.size))]
        for t in range(xs.shape[1]):
            self.states.append(np.tanh(xs[:, t] @ self.Wx + self.states[-1] @ self.Wh))
        return np.stack(self.states[1:], axis=1)
    def backward(self, upstream):
        self.dWx, self.dWh = np.zeros_like(self.Wx), np.zeros_like(self.Wh)
        later = 0
        for t in reversed(range(self.xs.shape[1])):
            dz = (upstream[:, t] + later) * (1 - self.states[t + 1] ** 2)
            self.dWx += self.xs[:, t].T @ dz
            self.dWh += self.states[t].T @ dz
            later = dz @ self.Wh.T
""",
        ("(1 - self.states[t + 1] ** 2)", "(1 - self.states[t] ** 2)"),
    ),
    "functions with a context": (
        """
class Sum:
    @staticmethod
    def forward(ctx, a, b):
        return a + b
    @staticmethod
    def backward(ctx, grad_output):
        return grad_output, grad_output

class Product:
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b
    @staticmethod
    def backward(ctx, grad_output):
        a, b = ctx.saved_tensors
        return grad_output @ b.T, a.T @ grad_output

class Root:
    @staticmethod
    def forward(ctx, x):
        ctx.root = np.sqrt(x)
        return ctx.root
    @staticmethod
    def backward(ctx, grad_output):
        return grad_output / (2 * ctx.root)
""",
        ("grad_output @ b.T, a.T", "grad_output @ b.T, a"),
    ),
    "functions that return the way back": (
        """
def dense(x, w, b):
    def pull(dy):
        return dy @ w.T, x.T @ dy, dy.sum(axis=0)
    return x @ w + b, pull

def bent(x):
    y = np.tanh(x)
    def pull(dy):
        return dy * (1 - y * y)
    return y, pull

def normed(x, scale, shift):
    centred = x - x.mean(axis=-1, keepdims=True)
    inverse = 1 / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    unit = centred * inverse
    def pull(dy):
        dunit = dy * scale
        more = dunit.mean(-1, keepdims=True) + unit * (dunit * unit).mean(-1, keepdims=True)
        return inverse * (dunit - more), (dy * unit).sum(0), dy.sum(0)
    return scale * unit + shift, pull

def squared(said, target):
    off = said - target
    def pull():
        return 2 * off / off.size
    return (off**2).mean(), pull
""",
        ("return dy * (1 - y * y)", "return dy * (1 - y)"),
    ),
    "a container of layers": (
        """
class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, grad):
        self.dW = self.x.T @ grad
        return grad @ self.W.T

class Chain:
    def __init__(self, *layers):
        self.layers = layers
    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x
    def backward(self, grad):
        for layer in self.layers[::-1]:
            grad = layer.backward(grad)
        return grad
""",
        ("self.x.T @ grad", "self.x.T @ (grad * grad)"),
    ),
    "a loss that hands its gradient on": (
        """
class SoftmaxLoss:
    def __init__(self, network=None):
        self.network = network
    def forward(self, scores, labels):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.p, self.labels = e / e.sum(axis=1, keepdims=True), labels
        return -np.log(self.p[np.arange(len(labels)), labels]).mean()
    def backward(self):
        self.grads = self.p.copy()
        self.grads[np.arange(len(self.labels)), self.labels] -= 1
        self.grads /= len(self.labels)
        self.network.backward(self.grads)
""",
        ("self.labels] -= 1", "self.labels] -= 0.5"),
    ),
}


def _file(code: str, folder: Path) -> Path:
    file = folder / "parts.py"
    file.write_text(f"import numpy as np\n{code}")
    return file


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_right(name: str, tmp_path: Path) -> None:
    report, _ = check_seen(_file(PARTS[name][0], tmp_path), 50.0)
    assert report is not None
    assert report.passed, str(report)


@pytest.mark.parametrize("name", PARTS)
def test_the_mistake_in_a_part_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    code, (before, after) = PARTS[name]
    assert before in code
    report, _ = check_seen(_file(code.replace(before, after), tmp_path), 50.0)
    assert report is not None
    assert report.line is not None
    assert after in report.line["text"]


SWAPPED = """
class Times:
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b
    @staticmethod
    def backward(ctx, grad_output):
        a, b = ctx.saved_tensors
        return grad_output * a, grad_output * b
"""


def test_gradients_of_two_inputs_are_not_taken_for_each_other(tmp_path: Path) -> None:
    report, _ = check_seen(_file(SWAPPED, tmp_path), 50.0)
    assert report is not None
    assert {row.parameter for row in report.wrong} == {"a", "b"}


ADDED_TO_EACH = """
def shift_forward(x, b):
    return x + b, x

def shift_backward(dout, cache):
    return dout, dout.sum(axis=0)
"""


def test_one_number_is_no_bias_of_features(tmp_path: Path) -> None:
    report, _ = check_seen(_file(ADDED_TO_EACH, tmp_path), 50.0)
    assert report is not None
    assert report.passed

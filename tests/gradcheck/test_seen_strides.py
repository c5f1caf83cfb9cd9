"""Layers that go over pictures in steps of 2: mistakes that steps of 1 hide."""

import pytest
from seen_checked import all_right

pytestmark = pytest.mark.slow  # many programs are run and judged

FUNCTIONS = """
def conv_forward(x, w, b, conv_param):
    step, pad = conv_param["stride"], conv_param["pad"]
    wide = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    high = (x.shape[2] + 2 * pad - w.shape[2]) // step + 1
    broad = (x.shape[3] + 2 * pad - w.shape[3]) // step + 1
    out = np.zeros((x.shape[0], w.shape[0], high, broad))
    for i in range(high):
        for j in range(broad):
            part = wide[:, :, i * step : i * step + w.shape[2], j * step : j * step + w.shape[3]]
            out[:, :, i, j] = np.tensordot(part, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (x, w, b, conv_param)


def conv_backward(dout, cache):
    x, w, b, conv_param = cache
    step, pad = conv_param["stride"], conv_param["pad"]
    wide = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dwide, dw, db = np.zeros_like(wide), np.zeros_like(w), dout.sum(axis=(0, 2, 3))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            k, l = i * step, j * step
            part = wide[:, :, k : k + w.shape[2], l : l + w.shape[3]]
            dw += np.tensordot(dout[:, :, i, j], part, axes=([0], [0]))
            dwide[:, :, k : k + w.shape[2], l : l + w.shape[3]] += np.tensordot(
                dout[:, :, i, j], w, axes=([1], [0])
            )
    return dwide[:, :, pad:-pad, pad:-pad], dw, db
"""

CLASS = """
class Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.k, self.s, self.p = kernel_size, stride, padding
        self.W = np.random.randn(out_channels, in_channels, kernel_size, kernel_size) * 0.3
        self.b = np.zeros(out_channels)

    def forward(self, x):
        self.x = np.pad(x, ((0, 0), (0, 0), (self.p, self.p), (self.p, self.p)))
        size = (self.x.shape[2] - self.k) // self.s + 1
        out = np.zeros((len(x), len(self.W), size, size))
        for i in range(size):
            for j in range(size):
                a, c = i * self.s, j * self.s
                part = self.x[:, :, a : a + self.k, c : c + self.k]
                out[:, :, i, j] = np.tensordot(part, self.W, axes=([1, 2, 3], [1, 2, 3])) + self.b
        return out

    def backward(self, grad):
        self.dW, self.db = np.zeros_like(self.W), grad.sum(axis=(0, 2, 3))
        dx = np.zeros_like(self.x)
        for i in range(grad.shape[2]):
            for j in range(grad.shape[3]):
                a, c = i * self.s, j * self.s
                part = self.x[:, :, a : a + self.k, c : c + self.k]
                self.dW += np.tensordot(grad[:, :, i, j], part, axes=([0], [0]))
                dx[:, :, a : a + self.k, c : c + self.k] += np.tensordot(
                    grad[:, :, i, j], self.W, axes=([1], [0])
                )
        return dx[:, :, self.p : dx.shape[2] - self.p, self.p : dx.shape[3] - self.p]
"""

DILATED = """
class Conv:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1):
        self.size, self.stride = kernel_size, stride
        self.w = np.random.randn(out_channels, in_channels, kernel_size, kernel_size) * 0.3

    def forward(self, x):
        self.x, k = x, self.size
        n = (x.shape[2] - k) // self.stride + 1
        out = np.zeros((len(x), len(self.w), n, n))
        for i in range(k):
            for j in range(k):
                to = self.stride * (n - 1) + 1
                part = x[:, :, i : i + to : self.stride, j : j + to : self.stride]
                out += np.einsum("ncij,fc->nfij", part, self.w[:, :, i, j])
        return out

    def backward(self, dout):
        self.dw, dx = np.zeros_like(self.w), np.zeros_like(self.x)
        for i in range(self.size):
            for j in range(self.size):
                to = self.stride * (dout.shape[2] - 1) + 1
                rows, columns = slice(i, i + to, self.stride), slice(j, j + to, self.stride)
                self.dw[:, :, i, j] = np.einsum("nfij,ncij->fc", dout, self.x[:, :, rows, columns])
                dx[:, :, rows, columns] += np.einsum("nfij,fc->ncij", dout, self.w[:, :, i, j])
        return dx
"""


@pytest.mark.parametrize("text", [FUNCTIONS, CLASS, DILATED])
def test_right_layers_are_right_with_both_strides(checked, text):
    report = all_right(checked(text))
    assert report.passed
    assert any("stride 2" in note for note in report.notes)
    assert any("stride 2" not in note for note in report.notes)


@pytest.mark.parametrize(
    ("text", "line", "wrong"),
    [
        (FUNCTIONS, "k, l = i * step, j * step", "k, l = i, j"),
        (CLASS, "dx[:, :, a : a + self.k, c :", "dx[:, :, i : i + self.k, c :"),
    ],
)
def test_a_stride_forgotten_on_the_way_back_is_told(checked, text, line, wrong):
    report = checked(text.replace(line, wrong))
    assert not report.passed
    assert {row.verdict for row in report.rows} == {"right", "wrong"}
    assert "stride 2" in report.notes[-1]


def test_a_line_that_fails_with_steps_of_two_is_told(checked):
    report = checked(DILATED.replace("slice(i, i + to, self.stride)", "slice(i, i + to)"))
    assert not report.passed
    assert "with a stride of 2" in str(report)
    assert report.line["text"].startswith("self.dw[:, :, i, j] = ")


def test_a_mistake_that_any_stride_shows_is_told_once(checked):
    report = checked(CLASS.replace("grad.sum(axis=(0, 2, 3))", "grad.mean(axis=(0, 2, 3))"))
    assert [row.parameter for row in report.rows if row.verdict == "wrong"] == ["b"]


def test_a_layer_that_knows_no_stride_but_one_is_right(checked):
    fixed = CLASS.replace(
        "        self.k, self.s", "        assert stride == 1\n        self.k, self.s"
    )
    assert all_right(checked(fixed)).passed

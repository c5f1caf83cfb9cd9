"""Layers that nothing puts together, each with a mistake and the parameters that it makes wrong."""

PROGRAMS = {
    "a layer that takes its step going back": (
        """
import numpy as np
class Dense:
    def __init__(self, n_inputs, n_outputs, learning_rate):
        self.weights = 0.01 * np.random.rand(n_inputs, n_outputs)
        self.bias = np.zeros((n_outputs, 1))
        self.lr = learning_rate
    def forward(self, x):
        self.x = x
        return x.dot(self.weights) + self.bias.T
    def backward(self, dy):
        dw = self.x.T.dot(dy)
        dx = dy.dot(self.weights.T)
        self.weights -= self.lr * dw
        self.bias -= self.lr * dy.sum(axis=0)[:, None]
        return dx
""",
        ("dx = dy.dot(self.weights.T)", "dx = 1 + dy.dot(self.weights.T)"),
        {"X"},
    ),
    "pictures in columns, and gradients in a list": (
        """
import numpy as np
class Convolution:
    def __init__(self, X_dim, n_filter, h_filter, w_filter, stride, padding):
        self.d, self.h, self.w = X_dim
        self.n, self.f, self.g, self.p = n_filter, h_filter, w_filter, padding
        self.W = np.random.randn(n_filter, self.d, h_filter, w_filter)
        self.b = np.zeros((n_filter, 1))
        self.out = self.h + 2 * padding - h_filter + 1
    def places(self):
        for i in range(self.out):
            for j in range(self.out):
                yield i * self.out + j, slice(i, i + self.f), slice(j, j + self.g)
    def forward(self, X):
        self.shape, p = X.shape, self.p
        padded = np.pad(X, ((0, 0), (0, 0), (p, p), (p, p)))
        self.cols = np.zeros((len(X), self.d * self.f * self.g, self.out ** 2))
        for k, rows, columns in self.places():
            self.cols[:, :, k] = padded[:, :, rows, columns].reshape(len(X), -1)
        out = self.W.reshape(self.n, -1) @ self.cols + self.b
        return out.reshape(len(X), self.n, self.out, self.out)
    def backward(self, dout):
        flat, p = dout.reshape(len(dout), self.n, -1), self.p
        dW = np.sum(flat @ self.cols.transpose(0, 2, 1), axis=0).reshape(self.W.shape)
        db = flat.sum(axis=(0, 2)).reshape(self.n, 1)
        back = self.W.reshape(self.n, -1).T @ flat
        padded = np.zeros((len(dout), self.d, self.h + 2 * p, self.w + 2 * p))
        for k, rows, columns in self.places():
            padded[:, :, rows, columns] += back[:, :, k].reshape(-1, self.d, self.f, self.g)
        return padded[:, :, p:self.h + p, p:self.w + p], [dW, db]
class ReLU:
    def forward(self, X):
        self.X = X
        return np.maximum(X, 0)
    def backward(self, dout):
        dX = dout.copy()
        dX[self.X <= 0] = 0
        return dX, []
""",
        ("db = flat.sum(axis=(0, 2))", "db = flat[0].sum(axis=1)"),
        {"b"},
    ),
    "kernels of four axes, the last the filters": (
        """
import numpy as np
class Conv:
    def __init__(self, kernel_shape, stride=1):
        scale = np.sqrt(np.prod(kernel_shape[:3]))
        self.k = np.random.standard_normal(kernel_shape) / scale
        self.b = np.random.standard_normal(kernel_shape[3]) / scale
    def forward(self, x):
        self.x = x
        f, _, _, n_out = self.k.shape
        size = x.shape[1] - f + 1
        out = np.zeros((len(x), size, size, n_out))
        for i in range(size):
            for j in range(size):
                part = x[:, i:i + f, j:j + f]
                out[:, i, j] = np.tensordot(part, self.k, 3) + self.b
        return out
    def backward(self, delta, learning_rate):
        f = self.k.shape[0]
        dk, dx = np.zeros(self.k.shape), np.zeros(self.x.shape)
        for i in range(delta.shape[1]):
            for j in range(delta.shape[2]):
                dk += np.tensordot(self.x[:, i:i + f, j:j + f], delta[:, i, j], (0, 0))
                dx[:, i:i + f, j:j + f] += np.tensordot(delta[:, i, j], self.k, (1, 3))
        self.k -= learning_rate * dk / len(delta)
        self.b -= learning_rate * delta.sum(axis=(0, 1, 2)) / len(delta)
        return dx
class Pool:
    def forward(self, x):
        n, h, w, c = x.shape
        self.x = x.reshape(n, h // 2, 2, w // 2, 2, c)
        self.out = self.x.max(axis=(2, 4))
        return self.out
    def backward(self, delta):
        mask = self.x == self.out[:, :, None, :, None]
        return (mask * delta[:, :, None, :, None]).reshape(len(delta), 2 * delta.shape[1], -1, 4)
""",
        ("dk += np.tensordot", "dk -= np.tensordot"),
        {"k"},
    ),
    "a layer that is compiled first, and turns its gradient when it is updated": (
        """
import numpy as np
def relu(Z):
    return np.maximum(0, Z)
def relu_prime(dA, Z):
    return dA * (Z > 0)
functions, slopes = {"relu": relu}, {"relu": relu_prime}
class DenseLayer:
    def __init__(self, neurons, act_name="relu"):
        self.neurons, self.act_name, self.W = neurons, act_name, None
    def compile(self, input_dim):
        self.activation, self.slope = functions[self.act_name], slopes[self.act_name]
        self.W = np.random.uniform(-1, 1, (self.neurons, input_dim))
        self.b = np.zeros((1, self.neurons))
    def forward(self, inputs, save):
        Z = np.dot(inputs, self.W.T) + self.b
        if save:
            self.memory = inputs, Z
        return self.activation(Z)
    def backward(self, dA):
        inputs, Z = self.memory
        dZ = self.slope(dA, Z)
        self.dW, self.db = np.dot(inputs.T, dZ), np.sum(dZ, axis=0, keepdims=True)
        return np.dot(dZ, self.W)
    def update(self, lr):
        self.W -= lr * self.dW.T
        self.b -= lr * self.db
""",
        ("np.sum(dZ, axis=0, keepdims=True)", "np.sum(dA, axis=0, keepdims=True)"),
        {"b"},
    ),
    "one sample at a time": (
        """
import numpy as np
class FCLayer:
    def __init__(self, in_dimensions, out_dimensions):
        self.weights = np.random.rand(in_dimensions, out_dimensions) - 0.5
        self.bias = np.random.rand(1, out_dimensions) - 0.5
    def forward_propagation(self, input):
        self.input = input
        self.output = np.dot(self.input, self.weights) + self.bias
        return self.output
    def backward_propagation(self, out_error, rate):
        in_error = np.dot(out_error, self.weights.T)
        self.weights -= rate * np.dot(self.input.T, out_error)
        self.bias -= rate * out_error
        return in_error
""",
        ("self.input.T, out_error", "self.input.T ** 2, out_error"),
        {"weights"},
    ),
    "a last layer that hands on what the loss gives it": (
        """
import numpy as np
class LastLayer:
    def __init__(self, num_neurons):
        self.num_neurons, self.W = num_neurons, None
    def forward_propagate(self, input):
        if self.W is None:
            self.W = np.random.random((self.num_neurons, input.shape[1])) * 0.0001
        self.input = input
        e = np.exp(input.dot(self.W.T))
        return e / e.sum(axis=1, keepdims=True)
    def backpropagate(self, dA, learning_rate):
        dW = dA.T.dot(self.input) / len(dA)
        back = dA.dot(self.W)
        self.W = self.W - learning_rate * dW
        return back
class CrossEntropy:
    def loss(self, p, t):
        return -np.sum(t * np.log(p))
    def backward(self, p, t):
        return p - t
""",
        ("back = dA.dot(self.W)", "back = dA.dot(self.W) * self.input"),
        {"X"},
    ),
    "dropout with a mask, and an activation that knows its slope": (
        """
import numpy as np
class Dropout:
    def __init__(self, p=0.5):
        self.p, self.training = p, True
    def __call__(self, x):
        if not self.training:
            return x
        self.mask = (np.random.rand(*x.shape) >= self.p) / (1 - self.p)
        return x * self.mask
    def backward(self, d_out):
        return d_out * self.mask
    def train(self):
        self.training = True
class Sigmoid:
    def __call__(self, x):
        return 1 / (1 + np.exp(-x))
    def derivative(self, y):
        return y * (1 - y)
""",
        ("return y * (1 - y)", "return y * (1 + y)"),
        {"X"},
    ),
    "a step in backward(lr), and words that choose": (
        """
import numpy as np
class Dense:
    def __init__(self, input_shape, output_channels):
        self.samples = input_shape[0]
        self.weights = np.random.randn(input_shape[-1], output_channels)
        self.dweights = np.zeros(self.weights.shape)
    def forward(self, x):
        self.x = x
        return np.dot(x, self.weights)
    def SGD(self, error):
        self.dweights += np.dot(self.x.T, error) / self.samples
        return np.dot(error, self.weights.T)
    def backward(self, lr=0.00001):
        self.weights -= lr * self.dweights
        self.dweights = np.zeros(self.weights.shape)
class Pooling:
    def __init__(self, poolingType, poolingSize, layer=None):
        self.type, self.size = poolingType, poolingSize
        if self.type == "weighted":
            self.weights = np.ones(layer)
    def forward(self, image):
        h, w = self.size
        n, c, H, W = image.shape
        self.parts = image.reshape(n, c, H // h, h, W // w, w)
        match self.type:
            case "avg":
                return self.parts.mean(axis=(3, 5))
            case "max":
                self.out = self.parts.max(axis=(3, 5))
                return self.out
    def backward(self, dout):
        d = dout[:, :, :, None, :, None]
        match self.type:
            case "avg":
                back = np.ones(self.parts.shape) * d / np.prod(self.size)
            case "max":
                back = (self.parts == self.out[:, :, :, None, :, None]) * d
        n, c, H, h, W, w = self.parts.shape
        return back.reshape(n, c, H * h, W * w)
""",
        ("np.dot(self.x.T, error)", "np.dot(self.x.T + 1, error)"),
        {"weights"},
    ),
    "functions with their settings handed on, and two ways back": (
        """
import numpy as np
def batchnorm_forward(x, gamma, beta, bn_param):
    mode, eps = bn_param["mode"], bn_param.get("eps", 1e-5)
    if mode != "train":
        raise ValueError(mode)
    centred = x - x.mean(axis=0)
    std = np.sqrt((centred**2).mean(axis=0) + eps)
    return gamma * centred / std + beta, (centred, std, gamma)
def batchnorm_backword(dout, cache):
    centred, std, gamma = cache
    normal = centred / std
    dnormal = dout * gamma
    inner = dnormal - dnormal.mean(axis=0) - normal * (dnormal * normal).mean(axis=0)
    return inner / std, (dout * normal).sum(axis=0), dout.sum(axis=0)
def batchnorm_forword(x, gamma, beta, bn_param):
    return batchnorm_forward(x, gamma, beta, bn_param)
def batchnorm_backword_alt(dout, cache):
    centred, std, gamma = cache
    normal = centred / std
    dx = dout - dout.mean(axis=0) - normal * (dout * normal).mean(axis=0)
    return gamma * dx / std, (dout * normal).sum(axis=0), dout.sum(axis=0)
def dropout_forward(x, dropout_param):
    p = dropout_param["p"]
    mask = (np.random.rand(*x.shape) < p) / p
    return x * mask, (dropout_param, mask)
def dropout_backward(dout, cache):
    _, mask = cache
    return dout * mask
""",
        ("return gamma * dx / std", "return gamma * (dout - dout.mean(axis=0)) / std"),
        {"x"},
    ),
}

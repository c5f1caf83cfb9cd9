"""Networks and layers that are only defined, each in a style of its own, and all right."""

STYLES = {
    "functions of a course": """
import numpy as np
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def initialize_parameters(n_x, n_h, n_y):
    W1 = np.random.randn(n_h, n_x) * 0.5
    b1 = np.zeros((n_h, 1))
    W2 = np.random.randn(n_y, n_h) * 0.5
    b2 = np.zeros((n_y, 1))
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
def forward_propagation(X, parameters):
    Z1 = np.dot(parameters["W1"], X) + parameters["b1"]
    A1 = np.tanh(Z1)
    A2 = sigmoid(np.dot(parameters["W2"], A1) + parameters["b2"])
    return A2, {"A1": A1, "A2": A2}
def compute_cost(A2, Y):
    m = Y.shape[1]
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    return cost
def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dW2 = np.dot(dZ2, cache["A1"].T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(parameters["W2"].T, dZ2) * (1 - cache["A1"] ** 2)
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
""",
    "parameters in a dict that nothing makes": """
import numpy as np
def forward(X, params):
    h = np.maximum(0, X @ params["w1"] + params["b1"])
    e = np.exp(h @ params["w2"] + params["b2"])
    probs = e / e.sum(axis=1, keepdims=True)
    return probs, h
def backward(X, y, params, probs, h):
    n = len(X)
    d = (probs - y) / n
    dw2 = h.T @ d
    db2 = d.sum(axis=0, keepdims=True)
    dh = d @ params["w2"].T * (h > 0)
    dw1 = X.T @ dh
    db1 = dh.sum(axis=0, keepdims=True)
    return dw1, db1, dw2, db2
""",
    "loose parameters of digits": """
import numpy as np
def init_params():
    W1 = np.random.rand(10, 784) - 0.5
    b1 = np.random.rand(10, 1) - 0.5
    W2 = np.random.rand(10, 10) - 0.5
    b2 = np.random.rand(10, 1) - 0.5
    return W1, b1, W2, b2
def forward_prop(W1, b1, W2, b2, X):
    Z1 = W1.dot(X) + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2.dot(A1) + b2
    A2 = np.exp(Z2) / sum(np.exp(Z2))
    return Z1, A1, Z2, A2
def one_hot(Y):
    found = np.zeros((Y.size, 10))
    found[np.arange(Y.size), Y] = 1
    return found.T
def backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
    m = Y.size
    dZ2 = A2 - one_hot(Y)
    dW2 = 1 / m * dZ2.dot(A1.T)
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = W2.T.dot(dZ2) * (Z1 > 0)
    dW1 = 1 / m * dZ1.dot(X.T)
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return dW1, db1, dW2, db2
""",
    "a class that trains, in Spanish": """
import numpy as np
class RedNeuronal:
    def __init__(self, n_entradas, n_ocultas, n_salidas, tasa_aprendizaje=0.1):
        self.pesos1 = np.random.randn(n_entradas, n_ocultas)
        self.pesos2 = np.random.randn(n_ocultas, n_salidas)
        self.tasa = tasa_aprendizaje
    def sigmoide(self, x):
        return 1 / (1 + np.exp(-x))
    def entrenar(self, entradas, salidas_deseadas, epocas):
        for _ in range(epocas):
            oculta = self.sigmoide(entradas @ self.pesos1)
            salida = self.sigmoide(oculta @ self.pesos2)
            delta2 = (salidas_deseadas - salida) * salida * (1 - salida)
            delta1 = delta2 @ self.pesos2.T * oculta * (1 - oculta)
            self.pesos2 += self.tasa * oculta.T @ delta2
            self.pesos1 += self.tasa * entradas.T @ delta1
""",
    "a class with forward and backward": """
import numpy as np
class MLP:
    def __init__(self, input_size, hidden_size, output_size):
        self.W1 = np.random.randn(input_size, hidden_size)
        self.b1 = np.zeros(hidden_size)
        self.W2 = np.random.randn(hidden_size, output_size)
        self.b2 = np.zeros(output_size)
    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W1 + self.b1)
        return self.h @ self.W2 + self.b2
    def backward(self, y, y_hat):
        d = 2 * (y_hat - y) / y.size
        self.dW2 = self.h.T @ d
        self.db2 = d.sum(axis=0)
        d = d @ self.W2.T * (1 - self.h**2)
        self.dW1 = self.x.T @ d
        self.db1 = d.sum(axis=0)
""",
    "a network of sizes, one sample after the other": """
import random
import numpy as np
class Network:
    def __init__(self, sizes):
        self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
        self.weights = [np.random.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]
    def SGD(self, training_data, epochs, mini_batch_size, eta):
        for _ in range(epochs):
            random.shuffle(training_data)
            for k in range(0, len(training_data), mini_batch_size):
                self.update_mini_batch(training_data[k : k + mini_batch_size], eta)
    def update_mini_batch(self, mini_batch, eta):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in mini_batch:
            delta_b, delta_w = self.backprop(x, y)
            nabla_b = [a + b for a, b in zip(nabla_b, delta_b)]
            nabla_w = [a + b for a, b in zip(nabla_w, delta_w)]
        self.weights = [w - eta / len(mini_batch) * g for w, g in zip(self.weights, nabla_w)]
        self.biases = [b - eta / len(mini_batch) * g for b, g in zip(self.biases, nabla_b)]
    def backprop(self, x, y):
        activations = [x]
        for b, w in zip(self.biases, self.weights):
            activations.append(1 / (1 + np.exp(-(np.dot(w, activations[-1]) + b))))
        delta = (activations[-1] - y) * activations[-1] * (1 - activations[-1])
        nabla_b, nabla_w = [delta], [np.dot(delta, activations[-2].T)]
        for l in range(2, len(self.weights) + 1):
            a = activations[-l]
            delta = np.dot(self.weights[-l + 1].T, delta) * a * (1 - a)
            nabla_b.insert(0, delta)
            nabla_w.insert(0, np.dot(delta, activations[-l - 1].T))
        return nabla_b, nabla_w
""",
    "layers in a container": """
import numpy as np
class Layer:
    pass
class FCLayer(Layer):
    def __init__(self, input_size, output_size):
        self.weights = np.random.rand(input_size, output_size) - 0.5
        self.bias = np.random.rand(1, output_size) - 0.5
    def forward_propagation(self, input_data):
        self.input = input_data
        return np.dot(input_data, self.weights) + self.bias
    def backward_propagation(self, output_error, learning_rate):
        input_error = np.dot(output_error, self.weights.T)
        self.weights -= learning_rate * np.dot(self.input.T, output_error)
        self.bias -= learning_rate * output_error
        return input_error
class ActivationLayer(Layer):
    def __init__(self, activation, activation_prime):
        self.activation = activation
        self.activation_prime = activation_prime
    def forward_propagation(self, input_data):
        self.input = input_data
        return self.activation(input_data)
    def backward_propagation(self, output_error, learning_rate):
        return self.activation_prime(self.input) * output_error
def tanh(x):
    return np.tanh(x)
def tanh_prime(x):
    return 1 - np.tanh(x) ** 2
def mse(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)
def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / y_true.size
class Network:
    def __init__(self):
        self.layers = []
    def add(self, layer):
        self.layers.append(layer)
    def use(self, loss, loss_prime):
        self.loss = loss
        self.loss_prime = loss_prime
    def fit(self, x_train, y_train, epochs, learning_rate):
        for _ in range(epochs):
            for j in range(len(x_train)):
                output = x_train[j]
                for layer in self.layers:
                    output = layer.forward_propagation(output)
                error = self.loss_prime(y_train[j], output)
                for layer in reversed(self.layers):
                    error = layer.backward_propagation(error, learning_rate)
""",
    "layers without a container": """
import numpy as np
class Dense:
    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.5 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases
    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)
class ReLU:
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.maximum(0, inputs)
    def backward(self, dvalues):
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] = 0
class SoftmaxLoss:
    def forward(self, inputs, y_true):
        e = np.exp(inputs - np.max(inputs, axis=1, keepdims=True))
        self.output = e / np.sum(e, axis=1, keepdims=True)
        return -np.mean(np.sum(y_true * np.log(self.output), axis=1))
    def backward(self, dvalues, y_true):
        self.dinputs = (self.output - y_true) / len(y_true)
""",
    "cost and gradient of a flat vector": """
import numpy as np
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def lr_cost_function(theta, X, y, lam):
    m = len(y)
    h = sigmoid(X.dot(theta))
    J = -(y * np.log(h) + (1 - y) * np.log(1 - h)).sum() / m
    J = J + lam / (2 * m) * (theta[1:] ** 2).sum()
    grad = X.T.dot(h - y) / m
    grad[1:] += lam / m * theta[1:]
    return J, grad
""",
    "cost and gradients in one method": """
import numpy as np
class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size):
        self.params = {}
        self.params["W1"] = 0.3 * np.random.randn(input_size, hidden_size)
        self.params["b1"] = np.zeros(hidden_size)
        self.params["W2"] = 0.3 * np.random.randn(hidden_size, output_size)
        self.params["b2"] = np.zeros(output_size)
    def loss(self, X, y=None, reg=0.01):
        W1, b1, W2, b2 = (self.params[k] for k in ("W1", "b1", "W2", "b2"))
        N = len(X)
        h = np.maximum(0, X.dot(W1) + b1)
        scores = h.dot(W2) + b2
        if y is None:
            return scores
        e = np.exp(scores)
        p = e / e.sum(axis=1, keepdims=True)
        loss = -np.log(p[range(N), y]).sum() / N + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        d = p.copy()
        d[range(N), y] -= 1
        d /= N
        grads = {}
        grads["W2"] = h.T.dot(d) + 2 * reg * W2
        grads["b2"] = d.sum(axis=0)
        dh = d.dot(W2.T)
        dh[h <= 0] = 0
        grads["W1"] = X.T.dot(dh) + 2 * reg * W1
        grads["b1"] = dh.sum(axis=0)
        return loss, grads
""",
    "a convolution in loops": """
import numpy as np
def conv_forward(A_prev, W, b, hparameters):
    m, n_H_prev, n_W_prev, _ = A_prev.shape
    f, f, _, n_C = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = (n_H_prev - f + 2 * pad) // stride + 1
    n_W = (n_W_prev - f + 2 * pad) // stride + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    padded = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    part = padded[i, h * stride : h * stride + f, w * stride : w * stride + f]
                    Z[i, h, w, c] = np.sum(part * W[..., c]) + b[0, 0, 0, c]
    return Z, (A_prev, W, b, hparameters)
def conv_backward(dZ, cache):
    A_prev, W, b, hparameters = cache
    f = W.shape[0]
    stride, pad = hparameters["stride"], hparameters["pad"]
    padded = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    d_padded, dW, db = np.zeros(padded.shape), np.zeros(W.shape), np.zeros(b.shape)
    m, n_H, n_W, n_C = dZ.shape
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    rows, columns = h * stride, w * stride
                    part = padded[i, rows : rows + f, columns : columns + f]
                    step = W[..., c] * dZ[i, h, w, c]
                    d_padded[i, rows : rows + f, columns : columns + f] += step
                    dW[..., c] += part * dZ[i, h, w, c]
                    db[..., c] += dZ[i, h, w, c]
    dA_prev = d_padded[:, pad:-pad, pad:-pad, :]
    return dA_prev, dW, db
""",
}

"""Files as learners write them, each in a style of its own; all of their gradients are right."""

from seen_long_styles import NIELSEN, RNN

COURSE = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def initialize_parameters(n_x, n_h, n_y):
    np.random.seed(2)
    return {"W1": np.random.randn(n_h, n_x) * 0.5, "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h) * 0.5, "b2": np.zeros((n_y, 1))}

def forward_propagation(X, parameters):
    Z1 = np.dot(parameters["W1"], X) + parameters["b1"]
    A1 = np.tanh(Z1)
    A2 = sigmoid(np.dot(parameters["W2"], A1) + parameters["b2"])
    return A2, {"A1": A1, "A2": A2}

def compute_cost(A2, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m

def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    A1, A2 = cache["A1"], cache["A2"]
    W2 = parameters["W2"]
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}

def update_parameters(parameters, grads, learning_rate=0.5):
    for key in ["W1", "b1", "W2", "b2"]:
        parameters[key] = parameters[key] - learning_rate * grads["d" + key]
    return parameters

X = np.random.RandomState(1).randn(4, 7)
Y = (np.random.RandomState(3).rand(4, 7) > 0.5) * 1.0
parameters = initialize_parameters(4, 4, 4)
for i in range(3):
    A2, cache = forward_propagation(X, parameters)
    cost = compute_cost(A2, Y)
    grads = backward_propagation(parameters, cache, X, Y)
    parameters = update_parameters(parameters, grads)
"""

CLASS = """
import numpy as np

class NeuralNetwork:
    def __init__(self, x, y):
        self.input, self.y = x, y
        self.W1 = np.random.rand(self.input.shape[1], 4) - 0.5
        self.W2 = np.random.rand(4, 4) - 0.5
        self.W3 = np.random.rand(4, 1) - 0.5

    def feedforward(self):
        self.a1 = 1 / (1 + np.exp(-self.input @ self.W1))
        self.a2 = np.tanh(self.a1 @ self.W2)
        self.output = 1 / (1 + np.exp(-self.a2 @ self.W3))

    def backprop(self):
        d3 = 2 * (self.output - self.y) * self.output * (1 - self.output)
        d2 = np.dot(d3, self.W3.T) * (1 - self.a2 ** 2)
        d1 = np.dot(d2, self.W2.T) * self.a1 * (1 - self.a1)
        self.W3 -= 0.1 * np.dot(self.a2.T, d3)
        self.W2 -= 0.1 * np.dot(self.a1.T, d2)
        self.W1 -= 0.1 * np.dot(self.input.T, d1)

np.random.seed(0)
nn = NeuralNetwork(np.random.randn(6, 3), np.array([[0], [1], [1], [0], [1.0], [0]]))
for i in range(3):
    nn.feedforward()
    print("Loss:", np.sum((nn.y - nn.output) ** 2))
    nn.backprop()
"""

SCALARS = """
import math, random
random.seed(1)
data = [(0.5, 1.0, 1), (1.5, -0.3, 0), (-0.7, 0.8, 1)]
w1 = random.random()
w2 = random.random()
b = random.random()
for epoch in range(2):
    loss, dw1, dw2, db = 0, 0, 0, 0
    for x1, x2, y in data:
        p = 1 / (1 + math.exp(-(w1 * x1 + w2 * x2 + b)))
        loss += -(y * math.log(p) + (1 - y) * math.log(1 - p)) / 3
        dw1 += (p - y) * x1 / 3
        dw2 += (p - y) * x2 / 3
        db += (p - y) / 3
    w1 -= 0.5 * dw1
    w2 -= 0.5 * dw2
    b -= 0.5 * db
"""

STOCHASTIC = """
import numpy as np
np.random.seed(1)
X = np.random.randn(6, 2)
Y = np.array([0, 1, 1, 0, 1, 0])
w1 = np.random.randn()
w2 = np.random.randn()
b = np.random.randn()
for epoch in range(2):
    for i in range(len(X)):
        z = w1 * X[i][0] + w2 * X[i][1] + b
        pred = 1 / (1 + np.exp(-z))
        cost = (pred - Y[i]) ** 2
        dcost_dpred = 2 * (pred - Y[i])
        dpred_dz = pred * (1 - pred)
        dcost_dz = dcost_dpred * dpred_dz
        w1 = w1 - 0.1 * dcost_dz * X[i][0]
        w2 = w2 - 0.1 * dcost_dz * X[i][1]
        b = b - 0.1 * dcost_dz
"""

LAYERS = """
import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_in, n_out) * 0.5
        self.bias = np.zeros((1, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward(self, grad, lr):
        grad_input = grad @ self.weights.T
        grad_weights = self.x.T @ grad
        grad_bias = grad.sum(axis=0, keepdims=True)
        self.weights -= lr * grad_weights
        self.bias -= lr * grad_bias
        return grad_input

class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, grad, lr):
        return grad * (1 - self.out ** 2)

np.random.seed(0)
X, Y = np.random.randn(6, 4), np.random.randn(6, 4)
net = [Dense(4, 4), Tanh(), Dense(4, 4)]
for epoch in range(3):
    out = X
    for layer in net:
        out = layer.forward(out)
    mse = np.mean((out - Y) ** 2)
    grad = 2 * (out - Y) / Y.size
    for layer in reversed(net):
        grad = layer.backward(grad, 0.1)
"""

SOFTMAX = """
import numpy as np
np.random.seed(4)
X = np.random.randn(9, 4)
y = np.array([0, 1, 2, 1, 0, 2, 2, 1, 3])
W1 = 0.5 * np.random.randn(4, 4)
b1 = np.zeros((1, 4))
W2 = 0.5 * np.random.randn(4, 4)
b2 = np.zeros((1, 4))
reg = 1e-2
m = X.shape[0]
for i in range(3):
    hidden = np.maximum(0, np.dot(X, W1) + b1)
    scores = np.dot(hidden, W2) + b2
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / np.sum(e, axis=1, keepdims=True)
    data_loss = np.sum(-np.log(p[range(m), y])) / m
    loss = data_loss + 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
    dscores = p.copy()
    dscores[range(m), y] -= 1
    dscores /= m
    dW2 = np.dot(hidden.T, dscores)
    db2 = np.sum(dscores, axis=0, keepdims=True)
    dhidden = np.dot(dscores, W2.T)
    dhidden[hidden <= 0] = 0
    dW1 = np.dot(X.T, dhidden)
    db1 = np.sum(dhidden, axis=0, keepdims=True)
    dW2 += reg * W2
    dW1 += reg * W1
    W1 += -0.5 * dW1
    b1 += -0.5 * db1
    W2 += -0.5 * dW2
    b2 += -0.5 * db2
"""

MOMENTUM = """
import numpy as np
np.random.seed(5)
X, Y = np.random.randn(8, 3), np.random.randn(8, 2)
W1, W2 = np.random.randn(3, 4), np.random.randn(4, 2)
v1, v2 = np.zeros_like(W1), np.zeros_like(W2)
for step in range(4):
    H = np.tanh(X.dot(W1))
    diff = H.dot(W2) - Y
    loss = 0.5 * np.mean(np.sum(diff ** 2, axis=1))
    gW2 = H.T.dot(diff) / len(X)
    gH = diff.dot(W2.T)
    gW1 = X.T.dot(gH * (1 - H ** 2)) / len(X)
    v1 = 0.9 * v1 - 0.05 * gW1
    v2 = 0.9 * v2 - 0.05 * gW2
    W1 = W1 + v1
    W2 = W2 + v2
"""

ADAM = """
import numpy as np
rng = np.random.default_rng(6)
X = rng.normal(size=(8, 3))
Y = (rng.random((8, 2)) > 0.5).astype(float)
params = [rng.normal(size=(3, 4)), np.zeros(4), rng.normal(size=(4, 2)), np.zeros(2)]
m = [np.zeros_like(p) for p in params]
v = [np.zeros_like(p) for p in params]
for t in range(1, 4):
    W1, b1, W2, b2 = params
    a = 1 / (1 + np.exp(-(X @ W1 + b1)))
    o = 1 / (1 + np.exp(-(a @ W2 + b2)))
    loss = -np.mean(Y * np.log(o) + (1 - Y) * np.log(1 - o))
    delta = (o - Y) / Y.size
    gW2 = a.T @ delta
    gb2 = delta.sum(axis=0)
    delta = (delta @ W2.T) * a * (1 - a)
    gW1 = X.T @ delta
    gb1 = delta.sum(axis=0)
    for k, g in enumerate([gW1, gb1, gW2, gb2]):
        m[k] = 0.9 * m[k] + 0.1 * g
        v[k] = 0.999 * v[k] + 0.001 * g ** 2
        m_hat = m[k] / (1 - 0.9 ** t)
        v_hat = v[k] / (1 - 0.999 ** t)
        params[k] = params[k] - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-8)
"""

SPANISH = """
import numpy as np
np.random.seed(8)
entradas = np.random.randn(6, 3)
salidas = np.random.rand(6, 2)
pesos1, sesgo1 = np.random.randn(3, 4), np.zeros(4)
pesos2, sesgo2 = np.random.randn(4, 2), np.zeros(2)

def sigmoide(x):
    return 1 / (1 + np.exp(-x))

for epoca in range(3):
    oculta = sigmoide(entradas.dot(pesos1) + sesgo1)
    salida = sigmoide(oculta.dot(pesos2) + sesgo2)
    costo = np.sum((salidas - salida) ** 2) / 2
    delta_salida = (salidas - salida) * salida * (1 - salida)
    delta_oculta = delta_salida.dot(pesos2.T) * oculta * (1 - oculta)
    pesos2 += 0.5 * oculta.T.dot(delta_salida)
    sesgo2 += 0.5 * np.sum(delta_salida, axis=0)
    pesos1 += 0.5 * entradas.T.dot(delta_oculta)
    sesgo1 += 0.5 * np.sum(delta_oculta, axis=0)
"""

FRENCH_L2 = """
import numpy as np
np.random.seed(9)
X = np.random.randn(10, 4)
cible = (X[:, 0] + X[:, 1] > 0).astype(float)
poids = np.random.randn(4)
biais = np.random.randn()
lam = 0.3
for iteration in range(4):
    proba = 1 / (1 + np.exp(-(X @ poids + biais)))
    entropie = -np.mean(cible * np.log(proba) + (1 - cible) * np.log(1 - proba))
    cout = entropie + lam / (2 * len(X)) * np.sum(poids ** 2)
    ecart = proba - cible
    grad_poids = X.T @ ecart / len(X) + lam / len(X) * poids
    grad_biais = np.mean(ecart)
    poids = poids - 0.1 * grad_poids
    biais = biais - 0.1 * grad_biais
"""

DROPOUT = """
import numpy as np
np.random.seed(10)
X, Y = np.random.randn(5, 12), np.random.randint(0, 2, (3, 12))
W1, b1 = np.random.randn(6, 5) * 0.5, np.zeros((6, 1))
W2, b2 = np.random.randn(3, 6) * 0.5, np.zeros((3, 1))
keep_prob = 0.7
m = X.shape[1]
for i in range(3):
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0.1 * Z1)
    D1 = np.random.rand(*A1.shape) < keep_prob
    A1 = A1 * D1 / keep_prob
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    cost = -np.sum(np.multiply(Y, np.log(A2)) + np.multiply(1 - Y, np.log(1 - A2))) / m
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dA1 = W2.T @ dZ2 * D1 / keep_prob
    dZ1 = dA1 * np.where(Z1 > 0, 1, 0.1)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    W1 = W1 - 0.3 * dW1
    b1 = b1 - 0.3 * db1
    W2 = W2 - 0.3 * dW2
    b2 = b2 - 0.3 * db2
"""

STYLES = {
    "course functions with dicts": (COURSE, 4),
    "class with self.W1": (CLASS, 3),
    "loop over loose scalars": (SCALARS, 3),
    "loose scalars, sample by sample": (STOCHASTIC, 3),
    "samples one by one, in columns": (NIELSEN, 4),
    "layer classes": (LAYERS, 4),
    "rows with integer labels": (SOFTMAX, 4),
    "momentum": (MOMENTUM, 2),
    "Adam": (ADAM, 4),
    "recurrent cell": (RNN, 5),
    "Spanish names": (SPANISH, 4),
    "French names and L2": (FRENCH_L2, 2),
    "dropout": (DROPOUT, 4),
}
"""Each file, and the number of its parameters."""

"""Networks of strangers that train nothing themselves, and mistakes to plant in them."""

ABBREVIATED = """
import numpy as np

class Linear:
    def __init__(self, dim_in, neurons):
        self.W, self.b = np.random.randn(dim_in, neurons) * 0.5, np.zeros((1, neurons))
    def fprop(self, X):
        self.X = X
        return X @ self.W + self.b
    def bprop(self, V):
        self.dW, self.db = self.X.T @ V, V.sum(axis=0, keepdims=True)
        return V @ self.W.T
    def update(self, rate):
        self.W -= rate * self.dW
        self.b -= rate * self.db

class Tanh:
    def fprop(self, X):
        self.Z = np.tanh(X)
        return self.Z
    def bprop(self, V):
        return V * (1 - self.Z**2)
    def update(self, rate):
        pass

class Loss:
    def set_target(self, T):
        self.T = T
    def fprop(self, Z):
        self.p = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
        return -np.log(self.p[np.arange(len(Z)), self.T])
    def bprop(self):
        R = self.p.copy()
        R[np.arange(len(R)), self.T] -= 1
        return R

class Net:
    def __init__(self, layers, loss):
        self.layers, self.loss = layers, loss
    def train(self, X, T, rate):
        for layer in self.layers:
            X = layer.fprop(X)
        self.loss.set_target(T)
        self.loss.fprop(X)
        dz = self.loss.bprop()
        for layer in reversed(self.layers):
            dz = layer.bprop(dz)
        for layer in self.layers:
            layer.update(rate)
"""

COUNTED = """
import numpy as np
import random

class Rede:
    def __init__(self, quantidade_camadas, neuronios_por_camada):
        self.quantidade = quantidade_camadas
        pares = list(zip(neuronios_por_camada[:-1], neuronios_por_camada[1:]))
        self.vieses = [np.zeros((n, 1)) for n in neuronios_por_camada[1:]]
        self.pesos = [np.random.randn(j, i) for i, j in pares]
        self.classes = neuronios_por_camada[-1]

    def gradientes(self, x, y):
        gb, gw = [0 * b for b in self.vieses], [0 * w for w in self.pesos]
        a = [x]
        for w, b in zip(self.pesos, self.vieses):
            a.append(1 / (1 + np.exp(-(w @ a[-1] + b))))
        d = (a[-1] - y) * a[-1] * (1 - a[-1])
        gb[-1], gw[-1] = d, d @ a[-2].T
        for l in range(2, self.quantidade):
            d = self.pesos[-l + 1].T @ d * a[-l] * (1 - a[-l])
            gb[-l], gw[-l] = d, d @ a[-l - 1].T
        return gb, gw

    def treinar(self, training_data, epocas, taxa, test_data):
        for _ in range(epocas):
            random.shuffle(training_data)
            for x, y in training_data:
                gb, gw = self.gradientes(x, y)
                self.vieses = [b - taxa * g for b, g in zip(self.vieses, gb)]
                self.pesos = [w - taxa * g for w, g in zip(self.pesos, gw)]
            one_hot = np.eye(self.classes)[[y for _, y in test_data]]
"""

DATA_WHEN_MADE = """
from typing import List
import numpy as np

class Treino:
    def __init__(self, tabela: List[List[float]], classes: List[List[float]], nomes: List[str]):
        self.x, self.d, self.nomes = np.array(tabela), np.array(classes), nomes
        self.w1 = np.random.randn(len(tabela[0]), 4)
        self.w2 = np.random.randn(4, len(classes[0]))
    def treinar(self):
        for _ in range(5):
            h = np.tanh(self.x @ self.w1)
            erro = h @ self.w2 - self.d
            d = erro @ self.w2.T * (1 - h**2)
            self.w2 -= 0.1 * h.T @ erro
            self.w1 -= 0.1 * self.x.T @ d
"""

LENGTHS = """
import numpy as np

class Red:
    def __init__(self, lengths):
        self.capas = len(lengths)
        self.pesos = [np.random.randn(a, b) for a, b in zip(lengths[:-1], lengths[1:])]
    def ajustar(self, X, Y, alpha):
        for _ in range(3):
            a = [X]
            for w in self.pesos:
                a.append(np.tanh(a[-1] @ w))
            d = (a[-1] - Y) * (1 - a[-1] ** 2)
            for i in range(self.capas - 2, -1, -1):
                g = a[i].T @ d
                d = d @ self.pesos[i].T * (1 - a[i] ** 2)
                self.pesos[i] = self.pesos[i] - alpha * g
"""

FROM_A_FILE = """
import numpy as np

class Siec:
    def __init__(self, uczace, liczba_neuronow=4):
        dane = np.loadtxt(uczace, delimiter=",")
        self.x, self.d = dane[:, :3], dane[:, 3:]
        self.w1 = np.random.randn(self.x.shape[1], liczba_neuronow)
        self.w2 = np.random.randn(liczba_neuronow, self.d.shape[1])
    def uczenie(self, liczba_iteracji, wspolczynnik_uczenia):
        for _ in range(liczba_iteracji):
            v = np.tanh(self.x.dot(self.w1))
            y = v.dot(self.w2)
            delta_v = (self.d - y).dot(self.w2.T) * (1 - v**2)
            self.w2 += wspolczynnik_uczenia * v.T.dot(self.d - y)
            self.w1 += wspolczynnik_uczenia * self.x.T.dot(delta_v)
"""

THROUGH_AN_OBJECT = """
import numpy as np

class Couche:
    def __init__(self, poids, biais):
        self.poids, self.biais = poids, biais
    def sortie(self, entree):
        self.entree, self.valeur = entree, np.tanh(self.poids @ entree + self.biais)
        return self.valeur

class Reseau:
    def __init__(self, nombre_neurones):
        self.couches = [
            Couche(np.random.randn(b, a), np.zeros(b))
            for a, b in zip(nombre_neurones[:-1], nombre_neurones[1:])
        ]
    def calculer_sortie(self, entree):
        for couche in self.couches:
            entree = couche.sortie(entree)
        return entree

def gradient(reseau, sortie_voulue):
    d = 2 * (reseau.couches[-1].valeur - sortie_voulue)
    grads = []
    for couche in reseau.couches[::-1]:
        d = d * (1 - couche.valeur**2)
        grads.insert(0, (np.outer(d, couche.entree), d))
        d = couche.poids.T @ d
    return grads
"""

BY_STEPS = """
import numpy as np

class Weights:
    def __init__(self, cell_width, x_size):
        self.size = cell_width
        self.W = np.random.randn(cell_width, x_size + cell_width) * 0.5
        self.W_diff = np.zeros_like(self.W)

class Network:
    def __init__(self, weights, settings):
        self.weights, self.xs, self.hs = weights, [], []
    def x_list_add(self, x):
        h = self.hs[-1] if self.hs else np.zeros(self.weights.size)
        self.xs.append(np.hstack((x, h)))
        self.hs.append(np.tanh(self.weights.W @ self.xs[-1]))
    def y_list_is(self, y_list, loss_layer):
        assert len(y_list) == len(self.xs)
        loss, d = 0, np.zeros(self.weights.size)
        for i in range(len(y_list) - 1, -1, -1):
            loss += loss_layer.loss(self.hs[i], y_list[i])
            d = (d + loss_layer.bottom_diff(self.hs[i], y_list[i])) * (1 - self.hs[i] ** 2)
            self.weights.W_diff += np.outer(d, self.xs[i])
            d = (self.weights.W.T @ d)[-self.weights.size:]
        return loss
"""

GIVEN_FUNCTIONS = """
import numpy as np

class Layer:
    def __init__(self, weights_matrix, bias, activation_function, activation_derivative):
        self.theta, self.b = weights_matrix, bias
        self.g, self.slope = activation_function, activation_derivative
    def forward(self, previous):
        self.x, self.z = previous, self.theta @ previous + self.b
        self.a = self.g(self.z)
        return self.a
    def backward(self, upstream):
        self.delta = upstream * self.slope(self.z)
        return self.theta.T @ self.delta

class Classifier:
    def __init__(self, layers, learning_rate):
        self.layers, self.rate = layers, learning_rate
    def train(self, x, y, epochs, validation_x=None, validation_y=None):
        for _ in range(epochs):
            a = x.T
            for layer in self.layers:
                a = layer.forward(a)
            d = a - y.T
            for layer in self.layers[::-1]:
                d = layer.backward(d)
            for layer in self.layers:
                layer.theta = layer.theta - self.rate * layer.delta @ layer.x.T
                layer.b = layer.b - self.rate * layer.delta.sum(axis=1).reshape(layer.b.shape)
"""

TURNED = """
import numpy as np

def evaluate_gradients_and_loss(X, y, class_weights):
    scores = X @ class_weights.T
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -(y * np.log(p)).sum() / len(X)
    gradients = (p - y).T @ X / len(X)
    return gradients, loss
"""

SEQUENCES = """
import numpy as np

class RNN:
    def __init__(self, input_size, hidden_size, output_size):
        self.hidden = hidden_size
        self.Wx = np.random.randn(hidden_size, input_size) * 0.5
        self.Wh = np.random.randn(hidden_size, hidden_size) * 0.5
        self.Wo = np.random.randn(output_size, hidden_size) * 0.5
    def fit(self, X, y, epochs=3, learning_rate=0.1):
        for _ in range(epochs):
            x = X.transpose(1, 0, 2)
            h = [np.zeros((x.shape[1], self.hidden))]
            for t in range(len(x)):
                h.append(np.tanh(x[t] @ self.Wx.T + h[-1] @ self.Wh.T))
            d_out = h[-1] @ self.Wo.T - y
            d, dWx, dWh = d_out @ self.Wo, 0 * self.Wx, 0 * self.Wh
            for t in range(len(x) - 1, -1, -1):
                d = d * (1 - h[t + 1] ** 2)
                dWx, dWh = dWx + d.T @ x[t], dWh + d.T @ h[t]
                d = d @ self.Wh
            self.Wo = self.Wo - learning_rate * d_out.T @ h[-1]
            self.Wx = self.Wx - learning_rate * dWx
            self.Wh = self.Wh - learning_rate * dWh
"""

LISTED_FUNCTIONS = """
import numpy as np

class Functions:
    @staticmethod
    def sigmoid(x, der=0):
        s = 1 / (1 + np.exp(-x))
        return s * (1 - s) if der else s

class Loss:
    @staticmethod
    def sum_of_squares_loss(y, t, der=0):
        return y - t if der else np.sum((y - t) ** 2) / 2

class Net:
    def __init__(self, input_size, output_size, n_hidden_layers, m_neurons_list, activation_list,
                 error_function):
        if n_hidden_layers + 1 != len(activation_list) or n_hidden_layers != len(m_neurons_list):
            raise ValueError("of another length")
        self.n, self.g, self.error = n_hidden_layers + 1, activation_list, error_function
        sizes = [input_size, *m_neurons_list, output_size]
        self.w = [np.random.randn(b, a) for a, b in zip(sizes[:-1], sizes[1:])]
    def train(self, x, y, epochs):
        for _ in range(epochs):
            z, slopes = [x], []
            for i in range(self.n):
                a = self.w[i] @ z[-1]
                z.append(self.g[i](a))
                slopes.append(self.g[i](a, 1))
            loss, d = self.error(z[-1], y), self.error(z[-1], y, 1)
            for i in range(self.n - 1, -1, -1):
                d = d * slopes[i]
                step, d = d @ z[i].T, self.w[i].T @ d
                self.w[i] = self.w[i] - 0.1 * step
"""

KINDS = {
    "abbreviated names": ABBREVIATED,
    "a number of layers beside their sizes": COUNTED,
    "data when made": DATA_WHEN_MADE,
    "sizes of any name": LENGTHS,
    "from a file": FROM_A_FILE,
    "through an object": THROUGH_AN_OBJECT,
    "step by step": BY_STEPS,
    "functions that are given": GIVEN_FUNCTIONS,
    "weights turned": TURNED,
    "sequences": SEQUENCES,
    "listed functions": LISTED_FUNCTIONS,
}

PLANTED = {
    "abbreviated names": ("(1 - self.Z**2)", "(1 - self.Z)"),
    "data when made": ("(1 - h**2)", "(1 + h**2)"),
    "sizes of any name": ("(1 - a[i] ** 2)", "(1 - a[i])"),
    "through an object": ("couche.poids.T @ d", "couche.poids.T @ (2 * d)"),
    "step by step": ("(1 - self.hs[i] ** 2)", "(1 - self.hs[i])"),
    "functions that are given": ("upstream * self.slope(self.z)", "upstream"),
    "weights turned": ("(p - y).T @ X", "(p - y**2 / 2).T @ X"),
    "sequences": ("d = d @ self.Wh\n", "d = 2 * d @ self.Wh\n"),
}

"""A network as learners write it, with one mistake in its backward pass."""

import numpy as np


class Network:
    def __init__(self, features, hidden):
        self.W1 = np.random.randn(features, hidden) * 0.5
        self.b1 = np.zeros(hidden)
        self.W2 = np.random.randn(hidden, 1) * 0.5
        self.b2 = np.zeros(1)

    def forward(self, X):
        self.hidden = np.tanh(X @ self.W1 + self.b1)
        return 1 / (1 + np.exp(-(self.hidden @ self.W2 + self.b2)))

    def backward(self, X, y, output, rate):
        delta = (output - y) / len(X)
        back = delta @ self.W2.T * (1 - self.hidden)
        self.W2 -= rate * self.hidden.T @ delta
        self.b2 -= rate * delta.sum(axis=0)
        self.W1 -= rate * X.T @ back
        self.b1 -= rate * back.sum(axis=0)


X = np.random.randn(100, 3)
y = (X.sum(axis=1, keepdims=True) > 0).astype(float)
network = Network(3, 8)
for _ in range(200):
    output = network.forward(X)
    loss = -np.mean(y * np.log(output) + (1 - y) * np.log(1 - output))
    network.backward(X, y, output, 0.5)
print(f"loss {loss:.3f}")

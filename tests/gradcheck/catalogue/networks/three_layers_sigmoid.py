"""Columns, sigmoid, softmax cross-entropy of one-hot columns: three layers by hand."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(z):
    e = np.exp(z - np.max(z, axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)


def forward(X, p):
    z1 = p["W1"] @ X + p["b1"]
    a1 = sigmoid(z1)
    z2 = p["W2"] @ a1 + p["b2"]
    a2 = sigmoid(z2)
    z3 = p["W3"] @ a2 + p["b3"]
    a3 = softmax(z3)
    return z1, a1, z2, a2, z3, a3


def cost(X, Y, p):
    a3 = forward(X, p)[-1]
    return -np.sum(Y * np.log(a3 + 1e-12)) / Y.shape[1]


def gradients(X, Y, p):
    z1, a1, z2, a2, z3, a3 = forward(X, p)
    m = Y.shape[1]
    dz3 = a3 - Y
    dW3 = dz3 @ a2.T / m
    db3 = np.sum(dz3, axis=1, keepdims=True) / m
    dz2 = (p["W3"].T @ dz3) * a2 * (1 - a2)
    dW2 = dz2 @ a1.T / m
    db2 = np.sum(dz2, axis=1, keepdims=True) / m
    dz1 = (p["W2"].T @ dz2) * a1 * (1 - a1)
    dW1 = dz1 @ X.T / m
    db1 = np.sum(dz1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}

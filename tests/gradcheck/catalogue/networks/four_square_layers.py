"""Rows, ReLU, sigmoid cross-entropy: four layers, the hidden ones of equal width."""

import numpy as np


def relu_prime(z):
    return (z > 0).astype(float)


def forward(X, w, b):
    a, z = {0: X}, {}
    for k in (1, 2, 3):
        z[k] = np.matmul(a[k - 1], w[k]) + b[k]
        a[k] = np.maximum(z[k], 0)
    z[4] = np.matmul(a[3], w[4]) + b[4]
    a[4] = 1 / (1 + np.exp(-z[4]))
    return a, z


def split(params):
    w = {k: params[f"W{k}"] for k in (1, 2, 3, 4)}
    b = {k: params[f"b{k}"] for k in (1, 2, 3, 4)}
    return w, b


def cost(X, y, params):
    a, z = forward(X, *split(params))
    return np.mean(-y * np.log(a[4]) - (1 - y) * np.log(1 - a[4]))


def gradients(X, y, params):
    w, b = split(params)
    a, z = forward(X, w, b)
    n = X.shape[0]
    delta, dw, db = {}, {}, {}
    delta[4] = a[4] - y
    for k in (4, 3, 2, 1):
        if k < 4:
            delta[k] = np.matmul(delta[k + 1], w[k + 1].T) * relu_prime(z[k])
        dw[k] = np.matmul(a[k - 1].T, delta[k]) / n
        db[k] = delta[k].sum(axis=0, keepdims=True) / n
    grads = {f"dW{k}": dw[k] for k in dw}
    grads.update({f"db{k}": db[k] for k in db})
    return grads

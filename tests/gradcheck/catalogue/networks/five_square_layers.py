"""Columns, tanh, softmax cross-entropy: five layers, all of equal width."""

import numpy as np

L = 5


def forward(X, params):
    A, Z = [X], [X]
    for l in range(1, L + 1):
        Z.append(params["W%d" % l] @ A[l - 1] + params["b%d" % l])
        if l < L:
            A.append(np.tanh(Z[l]))
    expZ = np.exp(Z[L] - np.max(Z[L], axis=0))
    A.append(expZ / expZ.sum(axis=0))
    return A, Z


def cost(X, Y, params):
    A, Z = forward(X, params)
    return -np.mean(np.sum(Y * np.log(A[L]), axis=0))


def gradients(X, Y, params):
    A, Z = forward(X, params)
    m = X.shape[1]
    grads = {}
    dZ = A[L] - Y
    for l in range(L, 0, -1):
        grads["dW%d" % l] = dZ @ A[l - 1].T / m
        grads["db%d" % l] = dZ.sum(axis=1, keepdims=True) / m
        if l > 1:
            dA = params["W%d" % l].T @ dZ
            dZ = dA * (1 - A[l - 1] ** 2)
    return grads

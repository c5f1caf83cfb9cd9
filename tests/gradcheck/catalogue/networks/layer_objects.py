"""Rows, sigmoid, softmax cross-entropy: layers are objects that keep what backward needs."""

import numpy as np


class Affine:
    def __init__(self, W, b):
        self.W = W
        self.b = b
        self.x = None
        self.dW = 0
        self.db = 0

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, dout):
        dx = np.dot(dout, self.W.T)
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return dx


class Sigmoid:
    def __init__(self):
        self.out = None

    def forward(self, x):
        self.x = x
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * (1.0 - self.out) * self.out


class SoftmaxWithLoss:
    def forward(self, x, t):
        self.t = t
        e = np.exp(x - np.max(x, axis=1, keepdims=True))
        self.y = e / np.sum(e, axis=1, keepdims=True)
        return -np.sum(t * np.log(self.y)) / t.shape[0]

    def backward(self):
        batch_size = self.t.shape[0]
        return (self.y - self.t) / batch_size


class Net:
    def __init__(self, params):
        self.affines = [Affine(params[f"W{i}"], params[f"b{i}"]) for i in (1, 2, 3)]
        self.sigmoids = [Sigmoid(), Sigmoid()]
        self.last = SoftmaxWithLoss()

    def set_params(self, params):
        for i, affine in enumerate(self.affines, start=1):
            affine.W = params[f"W{i}"]
            affine.b = params[f"b{i}"]

    def loss(self, x, t):
        for affine, sigmoid in zip(self.affines, self.sigmoids, strict=False):
            x = sigmoid.forward(affine.forward(x))
        return self.last.forward(self.affines[-1].forward(x), t)

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.affines[2].backward(self.last.backward())
        dout = self.affines[1].backward(self.sigmoids[1].backward(dout))
        self.affines[0].backward(self.sigmoids[0].backward(dout))
        grads = {}
        for i, affine in enumerate(self.affines, start=1):
            grads[f"W{i}"] = affine.dW
            grads[f"b{i}"] = affine.db
        return grads


net = None


def cost(X, T, params):
    return Net(params).loss(X, T)


def gradients(X, T, params):
    global net
    if net is None:
        net = Net(params)
    net.set_params(params)
    return net.gradient(X, T)

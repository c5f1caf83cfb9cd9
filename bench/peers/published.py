"""The training loop of articles and courses: plain NumPy, samples as columns, a cache a layer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.peers.base import Peer
from bench.task import Array, Task, Weights

Matrix = NDArray[Any]
Linear = tuple[Matrix, Matrix, Matrix]
Cache = tuple[Linear, Matrix]


class Published(Peer):
    """Gradient descent on W[l] (n[l], n[l-1]) and b[l] (n[l], 1), every array made anew."""

    def can(self, task: Task) -> bool:
        """Whether it is gradient descent on flat samples: the articles have no other."""
        return task.rule.optimizer == "sgd" and not task.rule.front

    def load(self, task: Task) -> None:
        """Lay samples out as columns."""
        self.task = task
        self.X: Matrix = task.X.T
        outputs = task.rule.widths[-1]
        one_hot = np.eye(outputs)[task.y].T if outputs > 1 else task.y.reshape(1, -1)
        self.Y: Matrix = one_hot.astype(task.X.dtype)

    def fresh(self) -> None:
        """Copy the first weights."""
        self.parameters = [(W.T.copy(), b.reshape(-1, 1).copy()) for W, b in self.task.weights]

    def train(self, first: int, last: int) -> None:
        """Do forward, cost, backward and update, again and again."""
        if self.task.rule.batch_size is None:
            for _ in range(first, last):
                self._iterate(self.X, self.Y)
            return
        size = self.task.rule.batch_size
        for epoch in self.task.epochs(first, last):
            order = self.task.rows[epoch].ravel()
            shuffled_X, shuffled_Y = self.X[:, order], self.Y[:, order]
            for start in range(0, len(order), size):
                batch = slice(start, start + size)
                self._iterate(shuffled_X[:, batch], shuffled_Y[:, batch])

    def weights(self) -> Weights:
        """Return them transposed."""
        return [(W.T, b.ravel()) for W, b in self.parameters]

    def predict(self, X: Array) -> Array:
        """Return probabilities (N, K)."""
        return forward(X.T, self.parameters)[0].T

    def _iterate(self, X: Matrix, Y: Matrix) -> None:
        AL, caches = forward(X, self.parameters)
        cost(AL, Y)
        grads = backward(AL, Y, caches)
        rate = self.task.rule.learning_rate
        self.parameters = [
            (W - rate * dW, b - rate * db)
            for (W, b), (dW, db) in zip(self.parameters, grads, strict=True)
        ]


def forward(X: Matrix, parameters: list[tuple[Matrix, Matrix]]) -> tuple[Matrix, list[Cache]]:
    """Return AL (K, m), and for each layer (A_prev, W, b) and Z."""
    A = X
    caches = []
    for number, (W, b) in enumerate(parameters, start=1):
        Z = np.dot(W, A) + b
        caches.append(((A, W, b), Z))
        if number < len(parameters):
            A = np.maximum(0, Z)
        elif len(Z) == 1:
            A = 1 / (1 + np.exp(-Z))
        else:
            exponentials = np.exp(Z - Z.max(axis=0))
            A = exponentials / exponentials.sum(axis=0)
    return A, caches


def cost(AL: Matrix, Y: Matrix) -> float:
    """Return the mean cross-entropy."""
    m = Y.shape[1]
    if len(Y) == 1:
        return float(-np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m)
    return float(-np.sum(Y * np.log(AL + 1e-7)) / m)


def backward(AL: Matrix, Y: Matrix, caches: list[Cache]) -> list[tuple[Matrix, Matrix]]:
    """Return dW and db of each layer."""
    m = Y.shape[1]
    grads = []
    if len(Y) == 1:
        dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
        s = 1 / (1 + np.exp(-caches[-1][1]))
        dZ = dAL * s * (1 - s)
    else:
        dZ = AL - Y
    for number in reversed(range(len(caches))):
        (A_prev, W, _), _ = caches[number]
        dW = np.dot(dZ, A_prev.T) / m
        db = np.sum(dZ, axis=1, keepdims=True) / m
        grads.append((dW, db))
        dA_prev = np.dot(W.T, dZ)
        if number:
            dZ = np.array(dA_prev, copy=True)
            dZ[caches[number - 1][1] <= 0] = 0
    return grads[::-1]

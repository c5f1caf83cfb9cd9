"""The floor: the matrix products of a training and nothing else, below which nobody can go."""

import numpy as np

from bench.peers.base import Peer
from bench.task import Array, Task, Weights


class Floor(Peer):
    """x W, x.T dy and, but for the first layer, dy W.T, into memory that is there already."""

    def can(self, task: Task) -> bool:
        """Whether there are batches: training in sample space goes below this floor.

        Of convolutions it knows nothing.
        """
        return task.rule.batch_size is not None and not task.rule.front

    def differs(self, task: Task) -> str | None:
        """Say that nothing is learned."""
        return "matrix products alone"

    def load(self, task: Task) -> None:
        """Make the memory of one step."""
        size = task.rule.batch_size or len(task.X)
        self.task = task
        self.W = [W for W, _ in task.weights]
        self.a = [np.ascontiguousarray(task.X[:size])]
        self.a += [np.ones((size, W.shape[1]), W.dtype) for W in self.W]
        self.dW = [np.empty_like(W) for W in self.W]
        self.da = [np.empty_like(a) for a in self.a]

    def fresh(self) -> None:
        """Do nothing: there is nothing to begin anew."""

    def train(self, first: int, last: int) -> None:
        """Multiply."""
        a, da = self.a, self.da
        layers = range(len(self.W))
        for _ in range(first, last):
            for layer in layers:
                np.matmul(a[layer], self.W[layer], out=da[layer + 1])
            for layer in reversed(layers):
                np.matmul(a[layer].T, a[layer + 1], out=self.dW[layer])
                if layer:
                    np.matmul(a[layer + 1], self.W[layer].T, out=da[layer])

    def weights(self) -> Weights:
        """Return the first ones."""
        return self.task.weights

    def predict(self, X: Array) -> Array:
        """Return logits (N, K) of the products alone."""
        for W in self.W:
            X = X @ W
        return X

"""A small network with a training step, what it learns from, and comparisons, for tests."""

import random
from types import FunctionType, ModuleType

import numpy as np
import seen_styles


def drawn(*shape, seed=0):
    return np.random.RandomState(seed).randn(*shape)


X, Y = drawn(20, 4), drawn(20, 3, seed=1)


class Net:
    scale = np.ones(5)

    def __init__(self, slope=lambda a: 1 - a**2, dtype=float):
        self.W1, self.b1 = drawn(4, 5, seed=2).astype(dtype), np.zeros(5, dtype)
        self.W2, self.b2 = drawn(5, 3, seed=3).astype(dtype), np.zeros(3, dtype)
        self.slope, self.losses = slope, []

    def forward(self, X):
        self.A1 = np.tanh(X @ self.W1 + self.b1) * self.scale
        return self.A1 @ self.W2 + self.b2

    def backward(self, X, Y):
        error = self.forward(X) - Y
        self.losses.append(np.mean(error**2))
        delta = 2 * error / error.size
        self.dW2, self.db2 = self.A1.T @ delta, delta.sum(axis=0)
        back = delta @ self.W2.T * self.slope(self.A1)
        self.dW1, self.db1 = X.T @ back, back.sum(axis=0)

    def train(self, X, Y, rate=0.1):
        self.backward(X, Y)
        self.W2 -= rate * self.dW2
        self.b2 -= rate * self.db2
        self.W1 -= rate * self.dW1
        self.b1 -= rate * self.db1


def wrong_net():
    return Net(lambda a: 1 - a)


def states():
    return random.getstate(), np.random.get_state()[1].tolist()


def assert_same(one, two):
    assert type(one) is type(two)
    if isinstance(one, dict):
        assert list(one) == list(two)
        for name in one:
            assert_same(one[name], two[name])
    elif isinstance(one, list | tuple):
        assert len(one) == len(two)
        for first, second in zip(one, two, strict=True):
            assert_same(first, second)
    elif isinstance(one, np.ndarray | np.generic):
        assert one.dtype == two.dtype
        assert one.shape == two.shape
        assert one.tobytes() == two.tobytes()


STYLES = {
    name: text
    for name, text in vars(seen_styles).items()
    if name.isupper() and isinstance(text, str) and "import" in text
}


def numbers(item, depth=0):
    """Turn everything into lists and dicts of numbers."""
    if isinstance(item, np.ndarray | np.generic | float | int | str) or depth > 6:
        return item
    if isinstance(item, dict):
        return (
            {
                key: numbers(one, depth + 1)
                for key, one in item.items()
                if key[:2] != "__"
                if not isinstance(one, type | FunctionType | ModuleType)
            }
            if all(isinstance(key, str) for key in item)
            else list(map(numbers, item.values()))
        )
    if isinstance(item, list | tuple):
        return [numbers(one, depth + 1) for one in item]
    return numbers(vars(item), depth + 1) if hasattr(item, "__dict__") else None


class Slotted:
    __slots__ = ("W",)

    def __init__(self, W):
        self.W = W

    def double(self):
        self.W = self.W * 2

"""Samples to train on: the real pictures where they are, else random ones of the same kind."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import clearprop as cp
from bench.task import Array
from clearprop.reproduce.sources import (
    CATS_1652,
    CATVNONCAT,
    MNIST,
    Part,
    cats_1652,
    course_cats,
    mnist,
)
from clearprop.training.augmentation.augmenter import Augmenter

_SHARED = Path(__file__).parents[1] / "../shared/data"


@cache
def course_pictures() -> tuple[Array, Array]:
    """Return 209 pictures of 12288 numbers in float64, and whether each is a cat."""
    if CATVNONCAT.is_in(_SHARED):
        return _arrays(course_cats(_SHARED)[0])
    return _random_pictures(209, 12288, 2)


@cache
def large_pictures() -> tuple[Array, Array]:
    """Return 1323 pictures of 49152 numbers in float64, and whether each is a cat."""
    if CATS_1652.is_in(_SHARED):
        return _arrays(cats_1652(_SHARED)[0])
    return _random_pictures(1323, 49152, 2)


def photos(count: int, side: int) -> tuple[Array, Array]:
    """Return so many of the large pictures, evenly chosen, as squares (side, side, 3)."""
    X, y = large_pictures()
    few, every = slice(0, count * (len(X) // count), len(X) // count), 128 // side
    return X[few].reshape(-1, 128, 128, 3)[:, ::every, ::every], y[few]


@cache
def digits() -> tuple[Array, Array, Array, Array]:
    """Return MNIST's 60000 + 10000 digits, or random ones, in float32: X, y, X_test, y_test."""
    if has_digits():
        train, test = mnist(_SHARED)
        return (train.X.astype(np.float32), train.y, test.X.astype(np.float32), test.y)
    X, y = _random_pictures(70000, 784, 10)
    X = X.astype(np.float32)
    return X[:60000], y[:60000], X[60000:], y[60000:]


def changed_digits(samples: int, versions: int) -> tuple[Array, Array]:
    """Return the first digits in so many versions, one after the other: shifted, turned, scaled.

    Returns
    -------
    X : ndarray of float32, shape (versions * samples, 28, 28, 1)
    y : ndarray of int64, shape (versions * samples,)
    """
    X, y, _, _ = digits()
    pictures = X[:samples].reshape(-1, 28, 28, 1)
    changes = (cp.RandomShift(0.06), cp.RandomRotation(5.0), cp.RandomScale(0.08))
    change = Augmenter(changes, 0, cp.SoftmaxCrossEntropy(), 10, pictures.dtype, reflects=False)
    made = [
        change(number, pictures.copy(), np.empty_like(pictures), y[:samples], None)[0]
        for number in range(versions)
    ]
    return np.concatenate(made), np.tile(y[:samples], versions)


def has_digits() -> bool:
    """Whether MNIST is there."""
    return MNIST.is_in(_SHARED)


def genes() -> tuple[Array, Array]:
    """Return 500 samples of 20000 numbers in float32, whose mean depends on the class of ten."""
    random_state = np.random.RandomState(0)
    y = random_state.randint(0, 10, 500)
    means = random_state.standard_normal((10, 20000)) * 0.2
    return (means[y] + random_state.standard_normal((500, 20000))).astype(np.float32), y


def table(samples: int, features: int, classes: int) -> tuple[Array, Array]:
    """Return normal samples in float32, whose class is the largest of some linear scores."""
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((samples, features))
    y = (X @ random_state.standard_normal((features, classes))).argmax(axis=1)
    return X.astype(np.float32), y


def small_digits() -> tuple[Array, Array]:
    """Return scikit-learn's 1797 digits of 64 numbers between 0 and 1, in float64."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X / 16, y


def tumours() -> tuple[Array, Array]:
    """Return scikit-learn's 569 tumours of 30 numbers, standardised, and whether each is benign."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.preprocessing import scale

    X, y = load_breast_cancer(return_X_y=True)
    return scale(X), y


def digits_in_float64() -> tuple[Array, Array]:
    """Return the 60000 digits that are trained on."""
    X, y, _, _ = digits()
    return X.astype(np.float64), y


def wide() -> tuple[Array, Array]:
    """Return 500 normal samples of 20000 numbers, in two classes by a linear score."""
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((500, 20000))
    return X, (X @ random_state.standard_normal(20000) > 0).astype(int)


def documents() -> tuple[Any, Array]:
    """Return 20000 sparse rows of length 1 over 5000 terms, 0.5% filled, in four classes."""
    from scipy.sparse import csr_matrix
    from sklearn.preprocessing import normalize

    random_state = np.random.RandomState(0)
    terms = random_state.randint(0, 5000, (20000, 25))
    amounts = random_state.standard_exponential(terms.size)
    begins = np.arange(0, terms.size + 1, 25)
    X = csr_matrix((amounts, terms.ravel(), begins), (20000, 5000))
    X.sum_duplicates()
    return normalize(X), (X @ random_state.standard_normal((5000, 4))).argmax(axis=1)


def long() -> tuple[Array, Array]:
    """Return a million normal samples of 20 numbers, and a smooth function of three of them."""
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((1_000_000, 20))
    noise = random_state.standard_normal(len(X))
    return X, np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * noise


def _arrays(part: Part) -> tuple[Array, Array]:
    return part.X, part.y


def _random_pictures(count: int, pixels: int, classes: int) -> tuple[Array, Array]:
    """Draw pictures: between 0 and 1, each with its own brightness, alike within a class."""
    random_state = np.random.RandomState(0)
    y = random_state.randint(0, classes, count)
    patterns = random_state.uniform(0, 1, (classes, pixels))
    brightness = random_state.uniform(0.3, 1, (count, 1))
    X = random_state.uniform(0, 1, (count, pixels))
    X += patterns[y]
    X *= brightness / 2
    return X, y

"""What the nearest neighbours of a sample say about it: a second opinion that needs no training."""

from dataclasses import dataclass
from math import comb

import numpy as np

from clearprop.doctor.scores import class_numbers
from clearprop.losses import Loss
from clearprop.parameters import Array

COUNT = 10  # neighbours that are asked
AGREEING = 9  # of them that must be of another class before a label looks wrong


@dataclass(frozen=True, eq=False)
class Opinion:
    """What neighbours say of some samples, each left out when it is asked about.

    Parameters
    ----------
    value : float
        How well they predict, on the scale of `scores.Score.value`.
    shown : float
        The same as accuracy or R².
    chance : float
        The share of right answers that neighbours without any knowledge would give; NaN for values.
    suspects : ndarray of int
        The samples whose class `AGREEING` of `COUNT` neighbours contradict with one voice.
    expected : float
        The share of such samples that labels without any meaning would give.
    """

    value: float
    shown: float
    chance: float
    suspects: Array
    expected: float


def ask_neighbours(X: Array, y: Array, loss: Loss) -> Opinion | None:
    """Predict every sample from its `COUNT` nearest ones.

    Parameters
    ----------
    X : ndarray, shape (N, ...)
    y : ndarray
        Targets, as the loss takes them.
    loss : Loss

    Returns
    -------
    Opinion or None
        None for fewer than 5 `COUNT` samples, or targets that are neither one class nor values.
    """
    labels = class_numbers(loss, y)
    if len(X) < 5 * COUNT or (labels is None and loss.classifies):
        return None
    nearest = _nearest(X.reshape(len(X), -1).astype(np.float64))
    return _of_values(nearest, y) if labels is None else _of_classes(nearest, labels)


def _nearest(X: Array) -> Array:
    squares = np.square(X).sum(axis=1)
    distances = squares[:, np.newaxis] + squares - 2 * (X @ X.T)
    np.fill_diagonal(distances, np.inf)
    return np.argpartition(distances, COUNT, axis=1)[:, :COUNT]


def _of_values(nearest: Array, y: Array) -> Opinion:
    error = np.square(y[nearest].mean(axis=1) - y).sum()
    spread = np.square(y - y.mean(axis=0)).sum()
    r2 = float(1 - error / spread) if spread > 0 else 0.0
    return Opinion(r2, r2, float("nan"), np.empty(0, np.int64), 0.0)


def _of_classes(nearest: Array, labels: Array) -> Opinion:
    classes, own = np.unique(labels, return_inverse=True)
    K, rows = len(classes), np.arange(len(labels))
    votes = np.stack([(own[nearest] == k).sum(axis=1) for k in range(K)], axis=1)
    right = votes.argmax(axis=1) == own
    shares = np.bincount(own) / len(own)
    others = votes.copy()
    others[rows, own] = 0
    recall = float(np.mean([right[own == k].mean() for k in range(K)]))
    by_chance = [_tail(share) for share in shares]
    return Opinion(
        value=(recall - 1 / K) / (1 - 1 / K) if K > 1 else 0.0,
        shown=float(right.mean()),
        chance=float(np.square(shares).sum()),
        suspects=np.flatnonzero(others.max(axis=1) >= AGREEING),
        expected=float(
            sum(share * (sum(by_chance) - by_chance[k]) for k, share in enumerate(shares))
        ),
    )


def _tail(share: float) -> float:
    """Return the probability that at least `AGREEING` of `COUNT` draws are of this share."""
    return sum(
        comb(COUNT, hits) * share**hits * (1 - share) ** (COUNT - hits)
        for hits in range(AGREEING, COUNT + 1)
    )

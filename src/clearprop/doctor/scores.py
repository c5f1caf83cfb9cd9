"""How well a network does, and how well nearest neighbours, on one scale for every task.

Neighbours are a second opinion on labels and network, which needs no training.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from clearprop.core.parameters import Array
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.network.metrics import tally_for
from clearprop.training.samples import Samples

_MATTERS = 0.1  # of `Score.value`
COUNT = 10  # neighbours that are asked
AGREEING = 9  # of them that must be of another class before a label looks wrong


@dataclass(frozen=True)
class Score:
    """The score of a network on some samples.

    Parameters
    ----------
    value : float
        0 for guessing and 1 for perfect: (r - 1/K) / (1 - 1/K) with r the mean recall of K
        classes, so that saying the largest class to everything is worth nothing; R² for values.
    error : float
        The standard error of `value`.
    loss : float
        The mean loss; infinite where the network gives no finite numbers.
    name : {"accuracy", "r2"}
    shown : float
        The score of that name, as people know it.
    """

    value: float
    error: float
    loss: float
    name: str
    shown: float

    @property
    def text(self) -> str:
        """Write it as people do: ``accuracy 98.3%``, ``R² 0.512``."""
        if self.name == "accuracy":
            return f"accuracy {self.shown:.1%}"
        return f"R² {self.shown:.4g}"


def score(network: Network, samples: Samples) -> Score:
    """Measure a network."""
    loss, tally = network.loss, tally_for(network.loss)
    with np.errstate(over="ignore", invalid="ignore"):
        logits = network.logits(samples.X)
        if not np.isfinite(logits).all():
            return Score(-1.0, 0.0, math.inf, tally.name, -1.0 if tally.name == "r2" else 0.0)
        mean = loss(logits, samples.y)[0]
    tally.add(loss, logits, samples.y)
    shown = tally.value()
    labels = class_numbers(loss, samples.y)
    if labels is not None:
        value, error = _value_of_classes(loss.predict(logits), labels)
    elif loss.classifies:
        value, error = 2 * shown - 1, 2 * math.sqrt(shown * (1 - shown) / samples.y.size)
    else:
        value = shown if math.isfinite(shown) else 0.0
        # Wishart's approximation for a squared correlation, of many samples
        known = min(max(value, 0.0), 1.0)
        error = 2 * math.sqrt(known / len(samples)) * (1 - known)
    return Score(value, error, mean, tally.name, shown)


def class_numbers(loss: Loss, y: Array) -> Array | None:
    """Return the class of every sample, shape (N,); None where samples have no single class."""
    if not loss.classifies:
        return None
    if y.ndim == 1:
        return y
    if y.shape[1] == 1:
        return (y[:, 0] > 0.5).astype(np.int64)
    if loss.predict(y[:1]).ndim == 1:
        return y.argmax(axis=1)
    return None  # several yes-or-no outputs


def is_gain(one: Score, other: Score) -> bool:
    """Whether one score is so much better that it matters, and that it can't be chance."""
    return one.value - other.value >= max(_MATTERS, 2 * math.hypot(one.error, other.error))


def is_well(score: Score) -> bool:
    """Whether nothing could be a gain over it."""
    return not is_gain(replace(score, value=1.0, error=0.0), score)


def _value_of_classes(predicted: Array, labels: Array) -> tuple[float, float]:
    """Return by how much the mean recall is above guessing, and its standard error."""
    classes, counts = np.unique(labels, return_counts=True)
    recalls = np.array([np.mean(predicted[labels == one] == one) for one in classes])
    K = len(classes)
    if K == 1:
        return float(recalls[0]), 0.0
    scale = K / (K - 1)
    error = math.sqrt(float(np.sum(recalls * (1 - recalls) / counts))) / K
    return scale * (float(recalls.mean()) - 1 / K), scale * error


@dataclass(frozen=True, eq=False)
class Opinion:
    """The opinion of neighbours on some samples, each left out when it is asked about.

    Parameters
    ----------
    value : float
        The quality of what they predict, on the scale of `Score.value`.
    shown : float
        The same quality as accuracy or R².
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
    """Predict every sample of X (N, ...) from its `COUNT` nearest ones; y is as the loss takes it.

    None for fewer than 5 `COUNT` samples, or targets that are neither one class nor values.
    """
    labels = class_numbers(loss, y)
    if len(X) < 5 * COUNT or (labels is None and loss.classifies):
        return None
    nearest = _nearest(X.reshape(len(X), -1).astype(np.float64))
    if labels is None:
        return _opinion_of_values(nearest, y)
    return _opinion_of_classes(nearest, labels)


def _nearest(X: Array) -> Array:
    squares = np.square(X).sum(axis=1)
    distances = squares[:, np.newaxis] + squares - 2 * (X @ X.T)
    np.fill_diagonal(distances, np.inf)
    return np.argpartition(distances, COUNT, axis=1)[:, :COUNT]


def _opinion_of_values(nearest: Array, y: Array) -> Opinion:
    error = np.square(y[nearest].mean(axis=1) - y).sum()
    spread = np.square(y - y.mean(axis=0)).sum()
    r2 = float(1 - error / spread) if spread > 0 else 0.0
    return Opinion(r2, r2, float("nan"), np.empty(0, np.int64), 0.0)


def _opinion_of_classes(nearest: Array, labels: Array) -> Opinion:
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
        math.comb(COUNT, hits) * share**hits * (1 - share) ** (COUNT - hits)
        for hits in range(AGREEING, COUNT + 1)
    )

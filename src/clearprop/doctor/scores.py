"""How well a network does, on a scale that means the same for every task."""

import math
from dataclasses import dataclass, replace

import numpy as np

from clearprop.losses import Loss
from clearprop.metrics import tally_for
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.training.samples import Samples

_MATTERS = 0.1  # of `Score.value`


@dataclass(frozen=True)
class Score:
    """What a network reaches on some samples.

    Parameters
    ----------
    value : float
        0 for guessing and 1 for perfect: (r - 1/K) / (1 - 1/K) with r the mean recall of K
        classes, so that saying the largest class to everything is worth nothing; R² for values.
    error : float
        The standard error of `value`: how much of it may be chance.
    loss : float
        The mean; infinite where the network gives no finite numbers.
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
    """Measure a network.

    Parameters
    ----------
    network : Network
    samples : Samples

    Returns
    -------
    Score
    """
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
        value, error = _of_classes(loss.predict(logits), labels)
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


def _of_classes(predicted: Array, labels: Array) -> tuple[float, float]:
    """Return by how much the mean recall is above guessing, and its standard error."""
    classes, counts = np.unique(labels, return_counts=True)
    recalls = np.array([np.mean(predicted[labels == one] == one) for one in classes])
    K = len(classes)
    if K == 1:
        return float(recalls[0]), 0.0
    scale = K / (K - 1)
    error = math.sqrt(float(np.sum(recalls * (1 - recalls) / counts))) / K
    return scale * (float(recalls.mean()) - 1 / K), scale * error

"""How sure a model is: probabilities by its temperature, sets and intervals by its coverage.

Sources: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks" (2017), for the
temperature; Sadinle, Lei, Wasserman, "Least Ambiguous Set-Valued Classifiers with Bounded Error
Levels" (2019), for sets by the probability of each class, which are the smallest on average; Lei,
G'Sell, Rinaldo, Tibshirani, Wasserman, "Distribution-Free Predictive Inference for Regression"
(2018), algorithm 2, for intervals; Romano, Patterson, Candès, "Conformalized Quantile Regression"
(2019), algorithm 1, for those between quantiles.
"""

import numpy as np

from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.losses import Loss, Quantiles
from clearprop.preprocessing import ClassTarget, TargetRecipe, ValueTarget


def probabilities(target: ClassTarget, loss: Loss, logits: Array) -> Array:
    """Return the probability of each class, shape (N, K), of logits divided by the temperature.

    Raises
    ------
    UsageError
        If the loss gives no probabilities.
    """
    return loss.predict_proba(logits / target.temperature)


def odds_against(loss: Loss, logits: Array, temperature: float = 1.0) -> Array:
    """Return log((1 - p) / p) for the probability p of each class, as float64.

    They are computed from the logits, as p itself is 1 in float32 for whole crowds of samples.

    Parameters
    ----------
    loss : Loss
        One with probabilities.
    logits : ndarray, shape (N, outputs)
    temperature : float, default 1.0

    Returns
    -------
    ndarray of float64, shape (N, K)
        log sum over j != k of exp(z_j) - z_k for a softmax of the logits z divided by the
        temperature, and -z_k for a sigmoid; of one output, z and -z.
    """
    z = np.asarray(logits, np.float64) / temperature
    if not loss.one_of_many:
        return np.hstack([z, -z]) if z.shape[1] == 1 else -z
    rows, top = np.arange(len(z)), z.argmax(axis=1)
    largest = z[rows, top][:, np.newaxis]
    e = np.exp(z - largest)
    rest = e.sum(axis=1, keepdims=True) - e
    rest[rows, top] = 1.0  # what is left beside the largest term has lost its digits: see below
    against = np.log(rest) + largest - z
    others = z.copy()
    others[rows, top] = -np.inf
    second = others.max(axis=1)
    beside = np.exp(others - second[:, np.newaxis]).sum(axis=1)
    against[rows, top] = np.log(beside) + second - largest[:, 0]
    return against


def scores(
    target: TargetRecipe, loss: Loss, logits: Array, dataset: Dataset, share: float
) -> Array:
    """Return the score of each truth, by which `covering` holds it or not.

    Parameters
    ----------
    target : ClassTarget or ValueTarget
    loss : Loss
    logits : ndarray, shape (N, outputs)
    dataset : Dataset
        The samples, N rows.
    share : float
        The share that is to be covered, by which two of several quantiles are chosen.

    Returns
    -------
    ndarray of float64, shape (N,)
        The log odds against the true class; the distance of the value from the answer, the largest
        one of several outputs, or how far it lies outside of two quantiles, below 0 inside.
        Infinite for a value beyond all answers that the scale gives.
    """
    encoded = target.encode(dataset)
    if isinstance(target, ClassTarget):
        return odds_against(loss, logits, target.temperature)[np.arange(len(logits)), encoded]
    lower, upper = _ends(target, loss, logits, share)
    found = np.maximum(lower - encoded, encoded - upper).max(axis=1)
    if target.scale is None:
        return found
    (low, high), truth = target.scale.bounds, target.truth(dataset)
    return np.where((low <= truth) & (truth <= high), found, np.inf)


def covering(target: TargetRecipe, loss: Loss, logits: Array) -> Array | None:
    """Return what holds the truth for the share of rows that is promised; None without a coverage.

    Returns
    -------
    ndarray of bool, shape (N, K), or of float64, shape (N, 2) or (N, 2, outputs)
        Whether each class is in the set; or where the interval of each value begins and ends.
    """
    if target.coverage is None:
        return None
    most = target.coverage.score
    if isinstance(target, ClassTarget):
        return odds_against(loss, logits, target.temperature) <= most
    lower, upper = _ends(target, loss, logits, target.coverage.share)
    lower, upper = lower - most, upper + most
    if most < 0:  # quantiles too far apart, and some so near that nothing is left between them
        lower, upper = (np.where(lower > upper, (lower + upper) / 2, end) for end in (lower, upper))
    return np.stack([target.unbounded(lower), target.unbounded(upper)], axis=1)


def holds(target: TargetRecipe, covered: Array, truth: Array) -> Array:
    """Return whether each truth is held, shape (N,): of several outputs, all of them.

    Parameters
    ----------
    target : ClassTarget or ValueTarget
    covered : ndarray
        Sets or intervals, as `covering` gives them.
    truth : ndarray, shape (N,) or (N, outputs)
        The class indices, or values on their own scale.
    """
    if isinstance(target, ClassTarget):
        held: Array = covered[np.arange(len(truth)), truth]
        return held
    inside: Array = (covered[:, 0] <= truth) & (truth <= covered[:, 1])
    return np.asarray(inside.reshape(len(truth), -1).all(axis=1))


def quantiles(target: ValueTarget, loss: Loss, logits: Array) -> Array | None:
    """Return quantiles on the values' own scale, shape (N, K); None where none were learned.

    They are in ascending order, on any scale that is learned.
    """
    if not isinstance(loss, Quantiles):
        return None
    return target.restore(loss.quantiles(logits).reshape(-1, 1)).reshape(logits.shape)


def _ends(target: ValueTarget, loss: Loss, logits: Array, share: float) -> tuple[Array, Array]:
    """Return what truths are measured from, in standard deviations, both of shape (N, outputs).

    It is the answer twice; of quantiles those whose levels are nearest to (1 - share) / 2 and to
    (1 + share) / 2, perhaps the same one.
    """
    if isinstance(loss, Quantiles):
        levels, ordered = np.array(loss.levels), loss.quantiles(logits).astype(np.float64)
        wanted = ((1 - share) / 2, (1 + share) / 2)
        lower, upper = (int(np.abs(levels - one).argmin()) for one in wanted)
        return target.within(ordered[:, lower]), target.within(ordered[:, upper])
    answer = target.within(loss.predict(logits))
    return answer, answer

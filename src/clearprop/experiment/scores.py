"""Scores of answers, by scikit-learn's definitions."""

import warnings

import numpy as np

from clearprop.core.parameters import Array
from clearprop.experiment.answers import Answers
from clearprop.preprocessing import ClassTarget, TargetRecipe

_RARE = 0.2  # of an equal share, below which a class is rare
_MOST_RANKED = 100  # classes: of more, their ranking takes longer than it tells


def rare_classes(truth: Array, count: int) -> list[int]:
    """Return the classes that are rare: with less than a fifth of an equal share of the samples.

    Parameters
    ----------
    truth : ndarray of int, shape (N,)
    count : int
        The number of classes.
    """
    samples = np.bincount(truth, minlength=count)
    return np.flatnonzero((samples > 0) & (samples < _RARE * len(truth) / count)).tolist()


def headline(own: Answers, target: TargetRecipe) -> str:
    """Return the name of the score that counts."""
    if not isinstance(target, ClassTarget):
        return "r2"
    # A threshold takes from one class what it gives to the other: accuracy follows the larger one.
    uneven = rare_classes(own.truth, len(target.class_names)) or target.threshold is not None
    return "balanced_accuracy" if uneven else "accuracy"


def scores_of(own: Answers, target: TargetRecipe) -> dict[str, float]:
    """Return every score of answers by its name; NaN where it is not defined.

    Parameters
    ----------
    own : Answers
        The answers for N samples.
    target : ClassTarget or ValueTarget

    Returns
    -------
    dict of str to float
        Of classes ``accuracy``, ``balanced_accuracy`` (the mean recall), ``f1`` (of the positive
        of two classes, else the mean over classes), and where there are probabilities ``log_loss``
        and ``roc_auc`` (of more than two classes the mean of each against all others). Of values
        ``r2``, ``mae`` and ``rmse``, in the target's units; of several outputs their means; and
        where there are quantiles ``pinball``, the mean of `pinball_losses`.
    """
    if isinstance(target, ClassTarget):
        return _of_classes(own, target)
    unit = float(np.abs(own.truth).max()) or 1.0  # squares of the largest values would overflow
    truth, off = own.truth / unit, own.predicted / unit - own.truth / unit
    spread = np.std(truth, axis=0)
    with np.errstate(all="ignore"):  # of a run that diverged
        scores = {
            "r2": np.where(spread > 0, 1 - np.mean(np.square(off / spread), axis=0), np.nan),
            "mae": unit * np.mean(np.abs(off), axis=0),
            "rmse": unit * np.sqrt(np.mean(np.square(off), axis=0)),
        }
        if own.quantiles is not None:
            scores["pinball"] = pinball_losses(own)
    return {name: float(np.mean(score)) for name, score in scores.items()}


def pinball_losses(own: Answers) -> Array:
    """Return the mean pinball loss of each quantile, in the target's units, shape (K,).

    A truth above the quantile of the level q costs q times the distance, one below 1 - q times.
    """
    assert own.quantiles is not None  # noqa: S101 - whoever asks has looked
    levels, errors = np.array(own.levels), own.truth[:, np.newaxis] - own.quantiles
    losses: Array = np.maximum(levels * errors, (levels - 1) * errors).mean(axis=0)
    return losses


def _of_classes(own: Answers, target: ClassTarget) -> dict[str, float]:
    from sklearn import metrics  # here, because it imports slowly

    truth, predicted, shares = own.truth, own.predicted, own.probabilities
    average = "macro" if target.positive_name is None else "binary"
    scores = {"accuracy": float(np.mean(truth == predicted))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes that do not occur
        scores["balanced_accuracy"] = float(metrics.balanced_accuracy_score(truth, predicted))
        f1 = metrics.f1_score(
            truth, predicted, pos_label=target.positive, average=average, zero_division=0
        )
        scores["f1"] = float(f1)
    if shares is None:
        return scores
    return scores | {"log_loss": log_loss(truth, shares), "roc_auc": _auc(truth, shares)}


def log_loss(truth: Array, shares: Array) -> float:
    """Return the mean of -log p of the true class; 0 counts as the least number above it."""
    smallest = np.finfo(shares.dtype).smallest_subnormal
    with np.errstate(invalid="ignore"):
        told = np.maximum(shares[np.arange(len(truth)), truth].astype(np.float64), smallest)
    return float(-np.log(told).mean())


def _auc(truth: Array, shares: Array) -> float:
    """Return the area under the curve of right against wrong alarms, averaged over classes."""
    from sklearn.metrics import roc_auc_score

    count = shares.shape[1]
    asked = [1] if count == 2 else range(count)
    if count > _MOST_RANKED or not np.isfinite(shares).all():
        return float("nan")
    present = [k for k in asked if 0 < np.count_nonzero(truth == k) < len(truth)]
    areas = [float(roc_auc_score(truth == k, shares[:, k])) for k in present]
    return float(np.mean(areas)) if areas else float("nan")

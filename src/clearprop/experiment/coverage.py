"""Coverage: how it is fitted to rows that nothing else is done with, and what it comes to."""

from dataclasses import dataclass, replace

import numpy as np

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.errors import DataError, UsageError
from clearprop.experiment.answers import Answers
from clearprop.files.certainty import holds, scores
from clearprop.network import Network
from clearprop.preprocessing import ClassTarget, Coverage, Preprocessing, TargetRecipe, prepare
from clearprop.preprocessing.coverage import LEVEL, percent


def fit_coverage(
    share: float, network: Network, recipe: Preprocessing, dataset: Dataset
) -> TargetRecipe:
    """Give a target the coverage of a share, fitted to rows that nothing else was done with.

    Parameters
    ----------
    share : float
    network : Network
        The trained network.
    recipe : Preprocessing
        The recipe with the temperature, which the sets of classes depend on.
    dataset : Dataset
        The rows.

    Raises
    ------
    DataError
        If the network's answers, or so many values that the share can't be covered, are beyond all
        numbers.
    """
    target = recipe.target
    X = prepare(dataset.X, recipe.inputs, network.dtype)
    with np.errstate(all="ignore"):  # of a run that diverged
        found = scores(target, network.loss, network.logits(X), dataset, share)
    found = np.where(np.isnan(found), np.inf, found)
    try:
        return replace(target, coverage=Coverage.fit(share, found))
    except UsageError as error:
        if np.isfinite(found).all():
            raise
        raise DataError(
            f"{np.isinf(found).sum():,} of {len(found):,} rows of {dataset.name} that a coverage "
            f"of {percent(share)} is fitted to have answers beyond all numbers."
        ) from error


@dataclass(frozen=True)
class Covered:
    """The coverage that was measured, beside the one that was promised.

    Parameters
    ----------
    promise : Coverage
    samples : int
        The number of samples that it was measured on.
    share : float
        The share of them whose truth is held.
    size : float
        The mean number of classes in a set; or the mean width of an interval, in the target's
        units, of several outputs the mean over all.
    empty : int
        The number of sets without a class.
    """

    promise: Coverage
    samples: int
    share: float
    size: float
    empty: int

    @property
    def between(self) -> tuple[float, float]:
        """The shares between which the measured one lies in 99 of 100 cases, if rows are alike."""
        return self.promise.between(self.samples)

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        low, high = self.between
        return {
            "promised": self.promise.share,
            "fitted_on": self.promise.samples,
            "samples": self.samples,
            "measured": self.share,
            "between": [low, high],
            "within": low <= self.share <= high,
            "mean_size": self.size,
            "empty": self.empty,
        }


def covered(own: Answers, target: TargetRecipe) -> Covered | None:
    """Measure the coverage of answers; None where nothing is promised."""
    if own.covering is None or target.coverage is None or not len(own):
        return None
    share = float(holds(target, own.covering, own.truth).mean())
    sizes = _sizes(own.covering)
    empty = int((sizes == 0).sum()) if isinstance(target, ClassTarget) else 0
    return Covered(target.coverage, len(own), share, float(sizes.mean()), empty)


def _sizes(covering: Array) -> Array:
    """Return the number of classes in each set, or the width of each interval."""
    if covering.dtype == bool:
        return covering.sum(axis=1)
    return covering[:, 1] - covering[:, 0]


def promise_in_words(target: TargetRecipe) -> tuple[str, ...]:
    """Say what a coverage promises, and what not; nothing where there is none."""
    promise = target.coverage
    if promise is None:
        return ()
    low, high = promise.between()
    classes = isinstance(target, ClassTarget)
    held = "sets hold the true class" if classes else "intervals hold the true value"
    return (
        f"Coverage: {held} of {percent(promise.share)} of all rows drawn as those of training "
        f"were, though perhaps not of each {'class' if classes else 'group'} of them. Which "
        f"{promise.samples:,} rows it was fitted to is chance, and leaves {low:.1%} to {high:.1%} "
        f"in {LEVEL:.0%} of cases.",
    )

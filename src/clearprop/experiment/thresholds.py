"""The probability from which on the positive of two classes is named: given, or the best one."""

from dataclasses import dataclass, replace

import numpy as np

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.errors import UsageError
from clearprop.experiment.answers import Answers
from clearprop.files.models import Model
from clearprop.preprocessing import ClassTarget, ValueTarget
from clearprop.preprocessing.recipe import TargetRecipe

_EVEN = 0.5
_COST = "cost:"


@dataclass(frozen=True)
class Threshold:
    """A threshold, and how it came about.

    Parameters
    ----------
    target : ClassTarget
        Of two classes, with the threshold.
    by : str
        What was asked for: a number, ``f1``, or ``cost:RATIO``.
    samples : int
        The number of samples that chose it; 0 where it was given.
    why_even : str
        The reason for which nothing could be chosen, and it is 0.5.
    """

    target: ClassTarget
    by: str
    samples: int = 0
    why_even: str = ""

    def __str__(self) -> str:
        told = f"Threshold: {_in_words(self.target)}"
        if self.why_even:
            return f"{told}, as {self.by} could not choose: {self.why_even}."
        if not self.samples:
            return f"{told}."
        best = "has the best F1" if self.by == "f1" else f"costs least ({self.by})"
        return f"{told}; it {best} on {self.samples:,} samples that were not learned from."

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return {
            "positive": self.target.positive_name,
            "threshold": self.target.threshold,
            "by": self.by,
            "samples": self.samples,
            "why_even": self.why_even or None,
        }


def _in_words(target: ClassTarget) -> str:
    return f"{target.positive_name!r} is the answer from a probability of {target.threshold} on"


def choose(by: str, target: ClassTarget, own: Answers | None) -> Threshold:
    """Give a target the threshold that was asked for.

    Of thresholds that are equally good, the one nearest to 0.5 is chosen.

    Parameters
    ----------
    by : str
        A number, ``f1``, or ``cost:RATIO``.
    target : ClassTarget
        Of two classes.
    own : Answers or None
        Those whose truth chooses, with probabilities.
    """
    if by != "f1" and not by.startswith(_COST):
        return Threshold(replace(target, threshold=float(by)), by)
    samples, name = 0 if own is None else len(own), target.positive_name
    even = replace(target, threshold=_EVEN)
    if own is None or own.probabilities is None:
        return Threshold(even, by, why_even="there are no samples to choose with")
    shares = own.probabilities[:, target.positive].astype(np.float64)
    is_positive = own.truth == target.positive
    if not np.isfinite(shares).all():
        return Threshold(even, by, samples, "some probabilities are not finite")
    if len(np.unique(is_positive)) < 2:
        share = "all" if is_positive.any() else "none"
        return Threshold(even, by, samples, f"{share} of those to choose with are {name!r}")
    best = _best(None if by == "f1" else float(by.removeprefix(_COST)), shares, is_positive)
    return Threshold(replace(target, threshold=best), by, samples)


def _best(ratio: float | None, shares: Array, is_positive: Array) -> float:
    """Return the threshold with the best F1; or the cheapest, if a miss costs so many alarms."""
    edges, places = np.unique(shares, return_inverse=True)
    # Between two edges all thresholds say the same: counts of those from each edge on, 0 beyond.
    named, hits = (
        np.append(np.bincount(places, some, len(edges))[::-1].cumsum()[::-1], 0)
        for some in (np.ones(len(shares)), is_positive)
    )
    if ratio is None:
        worth = 2 * hits / (named + hits[0])
    else:
        worth = -(ratio * (hits[0] - hits) + named - hits)
    low, high = np.append(0, edges), np.append(edges, 1)
    worth[(high <= 0) | (np.nextafter(low, 2) >= 1)] = -np.inf  # no threshold lies in there
    off = np.maximum(np.maximum(low - _EVEN, _EVEN - high), 0)
    best = np.lexsort((off, -worth))[0]
    return _between(float(low[best]), float(high[best]))


def _between(low: float, high: float) -> float:
    """Return a number above `low` up to `high`: 0.5, or the middle in as few digits as do."""
    if low < _EVEN <= high:
        return _EVEN
    middle = (low + high) / 2
    shorter = (float(f"{middle:.{digits}g}") for digits in range(1, 18))
    return next((one for one in shorter if low < one < high), high)


def require_threshold(by: str, target: TargetRecipe, *, can_choose: bool) -> None:
    """Check that a threshold can be had.

    Raises
    ------
    UsageError
        If there are not two classes, or no samples to choose it with.
    """
    _of_two(target)
    if not can_choose and (by == "f1" or by.startswith(_COST)):
        raise UsageError(
            f"--threshold {by} is chosen by samples that are not learned from, and none are held "
            "out. Leave --validation 0 out, or give a number."
        )


def overruled(model: Model, number: float | None) -> tuple[Model, tuple[str, ...]]:
    """Return a model with another threshold, if one is given, and a sentence on what counts.

    Raises
    ------
    UsageError
        If it has not two classes with probabilities.
    """
    recipe = model.preprocessing
    own = None if recipe is None else recipe.target
    if number is None:
        if not isinstance(own, ClassTarget) or own.threshold is None:
            return model, ()
        return model, (f"{_in_words(own)}, the model's threshold.",)
    if recipe is None or not (model.gives_probabilities or isinstance(own, ValueTarget)):
        raise UsageError("--threshold is for probabilities of classes; this model gives none.")
    target = _of_two(recipe.target)
    usual = "the likelier class" if target.threshold is None else f"the model's {target.threshold}"
    target = replace(target, threshold=number)
    model = replace(model, preprocessing=replace(recipe, target=target))
    return model, (f"{_in_words(target)}, instead of {usual}.",)


def _of_two(target: TargetRecipe) -> ClassTarget:
    if isinstance(target, ClassTarget) and target.positive_name is not None:
        return target
    found = f"{len(target.class_names)} classes" if isinstance(target, ClassTarget) else "values"
    raise UsageError(f"--threshold is for two classes; {target.name or 'the target'} has {found}.")

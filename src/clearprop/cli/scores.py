"""Scores in words: beside what they have to beat, and with what to do where they don't."""

import math

from clearprop.cli import output
from clearprop.core.printable import fitted, readable
from clearprop.errors import counted
from clearprop.experiment import Evaluation
from clearprop.experiment.explaining import rows_in_words
from clearprop.experiment.measuring import Part
from clearprop.experiment.scores import rare_classes
from clearprop.explain import Importance
from clearprop.preprocessing import ClassTarget
from clearprop.preprocessing.coverage import percent

_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "log_loss": "log loss",
    "roc_auc": "ROC AUC",
    "r2": "R²",
    "mae": "MAE",
    "rmse": "RMSE",
    "pinball": "pinball loss",
}
PARTS: dict[Part, tuple[str, str]] = {
    "test": ("Held out", ""),
    "folds": ("Held out", ", each in turn"),
    "validation": ("Choice", "no score, as they chose the epoch"),
    "train": ("Training", "no score, as they were learned from"),
}
"""The name of each part, and what is to be known of its score."""

_SHARES = ("accuracy", "balanced_accuracy", "f1", "coverage")
_MOST_RARE, _MOST_COLUMNS = 3, 5  # classes and columns that are named
_LONGEST = 40  # characters of a column's name
_FOUND = 0.5  # of a rare class: found less often, it wants another threshold ...
_RANKED = 0.6  # ... which helps from this ROC AUC on


def name(score: str) -> str:
    """Write the name of a score as people do: ``accuracy``, ``R²``."""
    return _NAMES.get(score, score)


def value(score: str, number: float) -> str:
    """Write a score: ``98.33%``, ``0.5120``, ``1.234e+06``; ``–`` where there is none."""
    if math.isnan(number):
        return "–"
    if score in _SHARES:
        return output.percent(number)
    return readable(number) if score in ("mae", "rmse", "pinball") else f"{number:.4f}"


def text(score: str, number: float) -> str:
    """Write a score with its name: ``accuracy 98.33%``, ``R² 0.5120``."""
    return f"{name(score)} {value(score, number)}"


def beside(found: Evaluation) -> str:
    """Write the score that counts, and in brackets what it has to beat."""
    score = found.score_name
    to_beat = {"constant": _always(found), "linear": "linear model"}
    told = [
        f"{word} {value(score, found.baselines[key][score])}"
        for key, word in to_beat.items()
        if key in found.baselines
    ]
    return text(score, found.score) + (f" ({', '.join(told)})" if told else "")


def _always(found: Evaluation) -> str:
    """Name the answer that is always the same."""
    return "larger class" if found.classes else "median" if found.quantiles else "mean"


def others(found: Evaluation, unit: str) -> str:
    """Write all other scores, those of values with the name of what they count."""
    told = [text(key, x) for key, x in found.scores.items() if key != found.score_name]
    if isinstance(found.target, ClassTarget) and (positive := found.target.positive_name):
        told = [one.replace("F1 ", f"F1 of {positive!r} ") for one in told]
    told.append(f"loss {found.loss:.4f}")
    return ", ".join(told) + (f"; errors are in units of {unit}" if not found.classes else "")


def rare(found: Evaluation) -> list[str]:
    """Say how well each rare class is found."""
    places = rare_classes(found.answers.truth, len(found.classes)) if found.classes else []
    lines = [
        f"{report.name!r} is rare: {report.samples:,} of {found.samples:,} samples, of which "
        f"{output.percent(report.recall)} are found (recall); "
        f"{output.percent(report.precision)} of what is called so is it (precision)."
        for report in (found.classes[place] for place in places[:_MOST_RARE])
    ]
    more = len(places) - _MOST_RARE
    return [*lines, *([f"{more:,} more classes are rare."] if more > 0 else [])]


def certainty(found: Evaluation) -> list[str]:
    """Say how well probabilities and quantiles come true, and what sets or intervals hold."""
    lines, own, target = [], found.calibration, found.target
    if own is not None and isinstance(target, ClassTarget):
        before = own.error_before != own.error or own.log_loss_before != own.log_loss
        without = (
            f" (without the temperature {own.error_before:.4f}, "
            f"{text('log_loss', own.log_loss_before)})"
        )
        lines.append(f"Calibration error {own.error:.4f}{without if before else ''}.")
    for one in found.quantiles:
        low, high = one.between
        constant = "" if one.constant is None else readable(one.constant)
        known = f" (that of the training data {constant})" if constant else ""
        lines.append(
            f"Quantile {one.level:g}: pinball loss {readable(one.loss)}{known}; {one.below:.1%} of "
            f"{one.samples:,} samples are at or below it, by chance {low:.1%} to {high:.1%}."
        )
    if (held := found.covered) is not None:
        low, high = held.between
        size = f"{held.size:.3g} classes a set" if found.classes else f"{readable(held.size)} wide"
        none = f", {held.empty:,} of them without any" if held.empty else ""
        lines.append(
            f"Coverage {held.share:.1%} of {held.samples:,} samples, {size}{none}; promised "
            f"{percent(held.promise.share)}, by chance {low:.1%} to {high:.1%} "
            f"({held.promise.samples:,} rows fitted it)."
        )
    return lines


def matters(found: Importance | None) -> list[str]:
    """Say which columns of a table matter most, if that is known and any does."""
    if found is None:
        return []
    means = found.means.tolist()
    most = [
        f"{fitted(found.names[place], _LONGEST)} {value(found.score_name, means[place])}"
        for place in found.order()[:_MOST_COLUMNS]
        if means[place] > 0
    ]
    rows = f"{counted(found.samples, 'row')} {rows_in_words(found.of)}"
    lost = f"the {name(found.score_name)} that is lost as the column is shuffled ({rows})"
    return [f"Matters most: {', '.join(most)}: {lost}."] if most else []


def seldom_found(found: Evaluation, instead: str) -> list[str]:
    """Say what to type where the positive class is mostly missed, though told apart."""
    target = found.target
    if not isinstance(target, ClassTarget) or target.threshold is not None:
        return []
    rare = rare_classes(found.answers.truth, len(found.classes))
    ranking = found.scores.get("roc_auc", 0)
    useless = found.beats("constant") is False
    missed = found.classes[target.positive].recall < _FOUND
    if not (missed and (useless or target.positive in rare) and ranking > _RANKED):
        return []
    no_better = "This is no better than always naming the larger class. " if useless else ""
    return [
        f"{no_better}{target.positive_name!r} is told apart ({text('roc_auc', ranking)}), but "
        f"seldom likelier than not. To find more of it, with more false alarms: {instead}"
    ]


def doubts(found: Evaluation, doctor: str, linear: str | None) -> list[str]:
    """Say where a score is no better than what it has to beat, and what to type.

    Parameters
    ----------
    found : Evaluation
    doctor : str
        The command that looks for the reason.
    linear : str or None
        The one that trains a linear model; None where it is one.
    """
    if found.beats("constant") is False:
        always = f"{'naming' if found.classes else 'answering'} the {_always(found)}"
        return [
            f"This is no better than always {always}: nothing that helps was learned. To look for "
            f"the reason: {doctor}"
        ]
    if found.beats("linear") is False:
        score = found.compared_by
        by = "" if score == found.score_name else f", by {name(score)}, whatever the threshold"
        model, to_have = "A linear model", f"; to have the linear model: {linear}"
        if linear is None:
            model, to_have = "This is a linear model, and scikit-learn's", ""
        return [f"{model} does as well or better{by}. To look for the reason: {doctor}{to_have}"]
    return []

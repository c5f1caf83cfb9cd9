"""Answers of a model to raw data, measured where the truth is known."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.core.printable import readable
from clearprop.data import Dataset
from clearprop.errors import naming
from clearprop.experiment.answers import Answers, answers
from clearprop.experiment.baselines import constant_answers, linear_answers
from clearprop.experiment.coverage import Covered, covered
from clearprop.experiment.loading import recipe_of
from clearprop.experiment.quantiles import QuantileReport, quantile_reports
from clearprop.experiment.rows import logits_by_block
from clearprop.experiment.scores import headline, scores_of
from clearprop.experiment.temperature import Calibration, calibration_of
from clearprop.files.models import Model
from clearprop.preprocessing import ClassTarget, TargetRecipe, prepare, unlikeness
from clearprop.training.units import cluster_of

_MOST_CONFUSED = 1000  # classes: of more, the table of their confusion fills memory
_FURTHEST = 10  # samples that are told as mistakes where answers are values


@dataclass(frozen=True)
class ClassReport:
    """The measures of how well one class was told from the others.

    Parameters
    ----------
    name : str
    samples : int
        The number of its samples.
    precision : float
        The share of it among the samples that were called so; NaN where none was.
    recall : float
        The share of its samples that were called so; NaN where there is none.
    """

    name: str
    samples: int
    precision: float
    recall: float


@dataclass(frozen=True)
class Mistake:
    """A sample that was predicted wrongly; of values, how far off.

    Parameters
    ----------
    row : int
        The sample's place in the data.
    source : str
        Its file, or its place in the file.
    truth, predicted : str
        The names of classes, or values.
    probability : float or None
        The probability of the predicted class; None where there are none.
    """

    row: int
    source: str
    truth: str
    predicted: str
    probability: float | None


@dataclass(frozen=True)
class Evaluation:
    """The measure of answers to samples whose truth is known.

    Parameters
    ----------
    answers : Answers
        The answers for N samples.
    target : ClassTarget or ValueTarget
    score_name : {"accuracy", "balanced_accuracy", "r2"}
        The score that counts: where a class is rare, always naming another one is right too often
        for its accuracy to say much, and a threshold gives to one what it takes from the other.
    scores : mapping of str to float
        Every score by its name, see `scores_of`.
    baselines : mapping of str to mapping of str to float
        The same of answers that are to be beaten: ``constant``, the larger class or the mean, and
        ``linear``, a linear model, each where it is known.
    confusion : ndarray of int, shape (K, K), or None
        The counts of samples: rows are the truth, columns the prediction. None for values, and for
        more than 1,000 classes.
    classes : tuple of ClassReport
    mistakes : tuple of Mistake
        The mistakes, the most confident first where there are probabilities; of values, the ten
        that are furthest off.
    notes : tuple of str
        Sentences on what was changed of the samples, and on those that are unlike the training
        data.
    calibration : Calibration or None
        How well the probabilities come true, where there are some.
    covered : Covered or None
        The coverage of sets or intervals, where some is promised.
    quantiles : tuple of QuantileReport
        How good each quantile is, where some were learned.
    """

    answers: Answers
    target: TargetRecipe
    score_name: str
    scores: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    confusion: Array | None
    classes: tuple[ClassReport, ...]
    mistakes: tuple[Mistake, ...]
    notes: tuple[str, ...]
    calibration: Calibration | None = None
    covered: Covered | None = None
    quantiles: tuple[QuantileReport, ...] = ()

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.answers)

    @property
    def loss(self) -> float:
        """The mean loss that is trained on: of values, that of the standardised ones."""
        return self.answers.loss

    @property
    def score(self) -> float:
        """The score that counts."""
        return self.scores[self.score_name]

    @property
    def compared_by(self) -> str:
        """The score to compare with baselines: they have no threshold, and a ranking needs none."""
        has_one = isinstance(self.target, ClassTarget) and self.target.threshold is not None
        return "roc_auc" if has_one else self.score_name

    def beats(self, name: str) -> bool | None:
        """Whether the score is above that of a baseline; None where that is not known.

        That is the one of `compared_by`.
        """
        other = self.baselines.get(name, {}).get(self.compared_by)
        if other is None or math.isnan(other):
            return None
        return self.scores[self.compared_by] > other

    def scores_to_json(self) -> dict[str, Json]:
        """Describe the scores, and those to be beaten, in JSON values."""
        target, of_two = self.target, {}
        if isinstance(target, ClassTarget) and target.positive_name is not None:
            of_two = {"positive": target.positive_name, "threshold": target.threshold}
        return {
            "samples": self.samples,
            "loss": self.loss,
            "score": self.score_name,
            **of_two,
            **self.scores,
            "calibration": None if self.calibration is None else self.calibration.to_json(),
            "coverage": None if self.covered is None else self.covered.to_json(),
            **({"quantiles": [one.to_json() for one in self.quantiles]} if self.quantiles else {}),
            "baselines": {name: dict(scores) for name, scores in self.baselines.items()},
        }

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values, without the arrays of single samples."""
        return {
            **self.scores_to_json(),
            "classes": [vars(report) for report in self.classes],
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "mistakes": [vars(mistake) for mistake in self.mistakes],
            "notes": list(self.notes),
        }


def evaluate(model: Model, dataset: Dataset, cluster: Any = None) -> Evaluation:
    """Measure a model on a data set, beside what it has to beat.

    Parameters
    ----------
    model : Model
    dataset : Dataset
    cluster : distributed.Client or str, optional
        The Dask cluster that answers the rows, to the same bits as this process; see
        `clearprop.training.units.cluster_of`.

    Raises
    ------
    UsageError
        If the model has no preprocessing.
    ShapeError, DataError
        If the data don't fit the model: other inputs, or classes that it does not know.
    ClusterError
        If there is no such cluster, or nobody is left of it.
    """
    recipe, network = recipe_of(model, "be measured on raw data"), model.network
    with naming(dataset.name):
        recipe.inputs.check(dataset.X)
        recipe.target.encode(dataset)
        X = prepare(dataset.X, recipe.inputs, network.dtype)
        with cluster_of(cluster) as workers:
            logits = [found for _, found in logits_by_block(model, X, workers)]
        own = answers(network, recipe.target, dataset, np.concatenate(logits))
        raw, changed = recipe.inputs.bring(dataset.X)
    notes = tuple(f"{dataset.name}: {note}" for note in changed)
    notes += unlikeness(raw, recipe.inputs, dataset.name)
    to_beat = {}
    if constant := model.constant:
        to_beat["constant"] = constant_answers(constant, network, recipe, dataset)
    if model.linear is not None:
        to_beat["linear"] = linear_answers(model.linear, recipe, dataset)
    return measured(own, recipe.target, dataset, to_beat, notes)


def measured(
    own: Answers,
    target: TargetRecipe,
    dataset: Dataset,
    to_beat: Mapping[str, Answers],
    notes: tuple[str, ...] = (),
) -> Evaluation:
    """Measure answers.

    Parameters
    ----------
    own : Answers
    target : ClassTarget or ValueTarget
    dataset : Dataset
        The samples, in the order of the answers.
    to_beat : mapping of str to Answers
        The answers of the baselines for the same samples.
    notes : tuple of str
    """
    scores = scores_of(own, target)
    baselines = {name: scores_of(one, target) for name, one in to_beat.items()}
    common = (own, target, headline(own, target), scores, baselines)
    if isinstance(target, ClassTarget):
        told = (*_of_classes(own, target, dataset), notes)
        return Evaluation(*common, *told, calibration_of(own, target), covered(own, target))
    # Halves, because the whole may be beyond the largest float.
    off = np.abs(own.predicted / 2 - own.truth / 2).reshape(len(own), -1).max(axis=1)
    mistakes = tuple(
        Mistake(row, dataset.source(row), _value(own.truth[row]), _value(own.predicted[row]), None)
        for row in np.argsort(-off, kind="stable")[:_FURTHEST].tolist()
    )
    of_quantiles = quantile_reports(own, to_beat.get("constant"))
    held = covered(own, target)
    return Evaluation(*common, None, (), mistakes, notes, None, held, of_quantiles)


def _of_classes(
    own: Answers, target: ClassTarget, dataset: Dataset
) -> tuple[Array | None, tuple[ClassReport, ...], tuple[Mistake, ...]]:
    """Return the confusion, a report on each class, and the mistakes."""
    names, truth, predicted, shares = (
        target.class_names,
        own.truth,
        own.predicted,
        own.probabilities,
    )
    K, confusion = len(names), None
    if K <= _MOST_CONFUSED:
        confusion = np.bincount(truth * K + predicted, minlength=K * K).reshape(K, K)
    samples, said, right = (
        np.bincount(labels, minlength=K).tolist()
        for labels in (truth, predicted, truth[truth == predicted])
    )
    reports = tuple(
        ClassReport(name, samples[k], _share(right[k], said[k]), _share(right[k], samples[k]))
        for k, name in enumerate(names)
    )
    wrong = np.flatnonzero(predicted != truth)
    if shares is not None:
        wrong = wrong[np.argsort(-shares[wrong, predicted[wrong]], kind="stable")]
    mistakes = tuple(
        Mistake(
            row,
            dataset.source(row),
            names[truth[row]],
            names[predicted[row]],
            None if shares is None else float(shares[row, predicted[row]]),
        )
        for row in wrong.tolist()
    )
    return confusion, reports, mistakes


def _value(value: Any) -> str:
    return ", ".join(readable(number, 6).replace(",", "") for number in np.atleast_1d(value))


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")

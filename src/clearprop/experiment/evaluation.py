"""Answers of a model to raw data, measured where the truth is known."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.errors import naming
from clearprop.experiment.learning import recipe_of
from clearprop.files.models import Model
from clearprop.network.metrics import tally_for
from clearprop.preprocessing import ClassTarget, prepare, unlikeness

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
    """The measure of a model on a data set.

    Parameters
    ----------
    samples : int
    loss : float
        The loss that is trained on: of values, the squared error of the standardised ones, on the
        scale that is learned.
    score_name : {"accuracy", "r2"}
    score : float
        The accuracy, or R² of the values on their own scale.
    truth, predicted : ndarray, shape (N,) or (N, outputs)
        The class indices, or the values on their own scale.
    probabilities : ndarray, shape (N, K), or None
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
    """

    samples: int
    loss: float
    score_name: str
    score: float
    truth: Array
    predicted: Array
    probabilities: Array | None
    confusion: Array | None
    classes: tuple[ClassReport, ...]
    mistakes: tuple[Mistake, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values, without the arrays of single samples."""
        return {
            "samples": self.samples,
            "loss": self.loss,
            self.score_name: self.score,
            "classes": [vars(report) for report in self.classes],
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "mistakes": [vars(mistake) for mistake in self.mistakes],
            "notes": list(self.notes),
        }


def evaluate(model: Model, dataset: Dataset) -> Evaluation:
    """Measure a model on a data set.

    Raises
    ------
    UsageError
        If the model has no preprocessing.
    ShapeError, DataError
        If the data don't fit the model: other inputs, or classes that it does not know.
    """
    recipe, network = recipe_of(model, "be measured on raw data"), model.network
    with naming(dataset.name):
        X = prepare(dataset.X, recipe.inputs, network.dtype)
        y = network.targets(recipe.target.encode(dataset))
        raw, changed = recipe.inputs.bring(dataset.X)
    notes = tuple(f"{dataset.name}: {note}" for note in changed)
    notes += unlikeness(raw, recipe.inputs, dataset.name)
    tally = tally_for(network.loss)
    # The weights of a run that diverged may give an infinite loss; the number itself says so.
    with np.errstate(over="ignore", invalid="ignore"):
        logits = network.logits(X)
        tally.add(network.loss, logits, y)
        loss, _ = network.loss(logits, y)
    measured = (len(dataset), loss, tally.name, tally.value())
    if isinstance(recipe.target, ClassTarget):
        return _of_classes(model, recipe.target, dataset, logits, measured, notes)
    truth = recipe.target.truth(dataset)
    predicted = recipe.target.restore(network.loss.predict(logits))
    if recipe.target.scale is not None:
        measured = (*measured[:3], _r2(truth, predicted))
    # Halves, because the whole may be beyond the largest float.
    off = np.abs(predicted / 2 - truth / 2).reshape(len(truth), -1).max(axis=1)
    mistakes = tuple(
        Mistake(row, dataset.source(row), _value(truth[row]), _value(predicted[row]), None)
        for row in np.argsort(-off, kind="stable")[:_FURTHEST].tolist()
    )
    return Evaluation(*measured, truth, predicted, None, None, (), mistakes, notes)


def _of_classes(
    model: Model,
    target: ClassTarget,
    dataset: Dataset,
    logits: Array,
    measured: tuple[int, float, str, float],
    notes: tuple[str, ...],
) -> Evaluation:
    names, truth, loss = target.class_names, target.encode(dataset), model.network.loss
    probabilities = loss.predict_proba(logits) if model.gives_probabilities else None
    predicted = loss.predict(logits)
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
    if probabilities is not None:
        confidence = probabilities[wrong, predicted[wrong]]
        wrong = wrong[np.argsort(-confidence, kind="stable")]
    mistakes = tuple(
        Mistake(
            row,
            dataset.source(row),
            names[truth[row]],
            names[predicted[row]],
            None if probabilities is None else float(probabilities[row, predicted[row]]),
        )
        for row in wrong.tolist()
    )
    return Evaluation(
        *measured, truth, predicted, probabilities, confusion, reports, mistakes, notes
    )


def _r2(truth: Array, predicted: Array) -> float:
    """Return R² on the values' own scale, NaN where all are equal; measured in their deviation."""
    spread = float(np.std(truth))
    if not spread > 0:
        return float("nan")
    return 1 - float(np.mean(np.square((predicted - truth) / spread)))


def _value(value: Any) -> str:
    return ", ".join(f"{number:.6g}" for number in np.atleast_1d(value))


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")

"""Answers of a model to raw data: measured where the truth is known, given where it is not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.data import Dataset, Problem, Table
from clearprop.experiment.learning import naming, recipe_of
from clearprop.files.models import Model
from clearprop.losses import Loss
from clearprop.network.metrics import tally_for
from clearprop.preprocessing import ClassTarget, prepare, read_inputs

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
    score_name : {"accuracy", "r2"}
    score : float
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

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values, without the arrays of single samples."""
        return {
            "samples": self.samples,
            "loss": self.loss,
            self.score_name: self.score,
            "classes": [vars(report) for report in self.classes],
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "mistakes": [vars(mistake) for mistake in self.mistakes],
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
    tally = tally_for(network.loss)
    # The weights of a run that diverged may give an infinite loss; the number itself says so.
    with np.errstate(over="ignore", invalid="ignore"):
        logits = network.logits(X)
        tally.add(network.loss, logits, y)
        loss, _ = network.loss(logits, y)
    measured = (len(dataset), loss, tally.name, tally.value())
    if isinstance(recipe.target, ClassTarget):
        return _of_classes(recipe.target, network.loss, dataset, logits, measured)
    truth = recipe.target.restore(y)
    predicted = recipe.target.restore(network.loss.predict(logits))
    # Halves, because the whole may be beyond the largest float.
    off = np.abs(predicted / 2 - truth / 2).reshape(len(truth), -1).max(axis=1)
    mistakes = tuple(
        Mistake(row, dataset.source(row), _value(truth[row]), _value(predicted[row]), None)
        for row in np.argsort(-off, kind="stable")[:_FURTHEST].tolist()
    )
    return Evaluation(*measured, truth, predicted, None, None, (), mistakes)


def _of_classes(
    target: ClassTarget,
    loss: Loss,
    dataset: Dataset,
    logits: Array,
    measured: tuple[int, float, str, float],
) -> Evaluation:
    names, truth = target.class_names, target.encode(dataset)
    probabilities, predicted = _probabilities_of(loss, logits), loss.predict(logits)
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
    return Evaluation(*measured, truth, predicted, probabilities, confusion, reports, mistakes)


def _value(value: Any) -> str:
    return ", ".join(f"{number:.6g}" for number in np.atleast_1d(value))


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")


@dataclass(frozen=True)
class Answer:
    """The answer of a model to one sample.

    Parameters
    ----------
    source : str
        Its file, with its row where a file has several.
    prediction : str or float or list of float
        The class's name, or the values.
    probabilities : dict of str to float, or None
        The probability of each class, by name; None for values, and where the loss has none, as
        hinge.
    """

    source: str
    prediction: Any
    probabilities: dict[str, float] | None

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Predictions:
    """The answers of a model to some files.

    Parameters
    ----------
    answers : tuple of Answer
    problems : tuple of Problem
        The files that can't be read.
    given : ndarray, shape (N, ...), or None
        The samples before preprocessing; None for a table, whose columns are no single array.
    prepared : ndarray, shape (N, *input_shape)
        The samples as the network took them.
    """

    answers: tuple[Answer, ...]
    problems: tuple[Problem, ...]
    given: Array | None
    prepared: Array


def predict_files(model: Model, files: Sequence[str]) -> Predictions:
    """Read pictures, or one table or NPZ file, and predict every sample in them.

    Raises
    ------
    UsageError
        If the model has no preprocessing.
    DataError, ShapeError
        If the files can't be read together, or don't fit the model.
    """
    recipe, network = recipe_of(model, "read files"), model.network
    with naming(files[0]):
        inputs = read_inputs([Path(file) for file in files], recipe)
        prepared = prepare(inputs.raw, recipe.inputs, network.dtype)[:]
    given = None if isinstance(inputs.raw, Table) else inputs.raw[:]
    if not len(prepared):
        return Predictions((), inputs.problems, given, prepared)
    logits = network.logits(prepared)
    predicted = network.loss.predict(logits)
    shares: Iterable[dict[str, float] | None] = [None] * len(prepared)
    if not isinstance(recipe.target, ClassTarget):
        said = recipe.target.restore(predicted).tolist()
    else:
        names = recipe.target.class_names
        said = [names[index] for index in predicted.tolist()]
        probabilities = _probabilities_of(network.loss, logits)
        if probabilities is not None:
            shares = (dict(zip(names, row, strict=True)) for row in probabilities.tolist())
    answers = tuple(Answer(*one) for one in zip(inputs.sources, said, shares, strict=True))
    return Predictions(answers, inputs.problems, given, prepared)


def _probabilities_of(loss: Loss, logits: Array) -> Array | None:
    """Return the probability of each class, shape (N, K); None where the loss has none."""
    if type(loss).predict_proba is Loss.predict_proba:
        return None
    return loss.predict_proba(logits)

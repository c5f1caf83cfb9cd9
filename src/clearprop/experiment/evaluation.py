"""How good a model is on samples whose answers are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.configuration import Json
from clearprop.data import Dataset
from clearprop.errors import UsageError
from clearprop.experiment.loading import naming
from clearprop.experiment.prediction import probabilities_of
from clearprop.losses import Loss
from clearprop.metrics import tally_for
from clearprop.model_file import Model
from clearprop.parameters import Array
from clearprop.preprocessing import ClassTarget, prepare


@dataclass(frozen=True)
class ClassReport:
    """One class.

    Parameters
    ----------
    name : str
    samples : int
        That are of it.
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
        Its place in the data.
    source : str
        Its file, or where in the file it is.
    truth, predicted : str
        Class names, or values.
    probability : float or None
        Of the predicted class; None where there are none.
    """

    row: int
    source: str
    truth: str
    predicted: str
    probability: float | None


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Parameters
    ----------
    samples : int
    loss : float
    score_name : {"accuracy", "r2"}
    score : float
    truth, predicted : ndarray, shape (N,) or (N, outputs)
        Class indices, or values on their own scale.
    probabilities : ndarray, shape (N, K), or None
    confusion : ndarray of int, shape (K, K), or None
        Rows are the truth, columns the prediction.
    classes : tuple of ClassReport
    mistakes : tuple of Mistake
        The most confident first, where there are probabilities; of values, the ten that are
        furthest off.
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

    Parameters
    ----------
    model : Model
        With its preprocessing.
    dataset : Dataset
        With the same kind of inputs, and classes among the model's.

    Returns
    -------
    Evaluation

    Raises
    ------
    UsageError
        If the model has no preprocessing.
    ShapeError, DataError
        If the data don't fit the model.
    """
    recipe, network = model.preprocessing, model.network
    if recipe is None:
        raise UsageError(
            "This model was saved without preprocessing, so it can't be measured on raw data. "
            "Prepare arrays yourself, and call predict on its network."
        )
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
    mistakes = _furthest_off(dataset, truth, predicted)
    return Evaluation(*measured, truth, predicted, None, None, (), mistakes)


def _of_classes(
    target: ClassTarget,
    loss: Loss,
    dataset: Dataset,
    logits: Array,
    measured: tuple[int, float, str, float],
) -> Evaluation:
    names, truth = target.class_names, target.encode(dataset)
    probabilities, predicted = probabilities_of(loss, logits), loss.predict(logits)
    confusion = np.zeros((len(names), len(names)), np.int64)
    for true, said in zip(truth.tolist(), predicted.tolist(), strict=True):
        confusion[true, said] += 1
    reports = tuple(
        ClassReport(
            name,
            int(confusion[k].sum()),
            _share(confusion[k, k], confusion[:, k].sum()),
            _share(confusion[k, k], confusion[k].sum()),
        )
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


def _furthest_off(dataset: Dataset, truth: Array, predicted: Array) -> tuple[Mistake, ...]:
    off = np.abs(predicted - truth).reshape(len(truth), -1).max(axis=1)
    return tuple(
        Mistake(row, dataset.source(row), _value(truth[row]), _value(predicted[row]), None)
        for row in np.argsort(-off, kind="stable")[:10].tolist()
    )


def _value(value: Any) -> str:
    return ", ".join(f"{number:.6g}" for number in np.atleast_1d(value))


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")

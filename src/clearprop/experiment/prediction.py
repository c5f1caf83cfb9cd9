"""What a model makes of files whose answers are not known."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearprop.configuration import Json
from clearprop.data import Problem, Table
from clearprop.errors import UsageError
from clearprop.experiment.loading import naming
from clearprop.losses import Loss
from clearprop.model_file import Model
from clearprop.parameters import Array
from clearprop.preprocessing import ClassTarget, prepare, read_inputs


@dataclass(frozen=True)
class Answer:
    """What the model says of one sample.

    Parameters
    ----------
    source : str
        Its file, with its row where a file has several.
    prediction : str or float or list of float
        The class's name, or the values.
    probabilities : dict of str to float, or None
        Of each class, by name; None for values, and where the loss has none, as hinge.
    """

    source: str
    prediction: Any
    probabilities: dict[str, float] | None

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Predictions:
    """What the model says of some files.

    Parameters
    ----------
    answers : tuple of Answer
    problems : tuple of Problem
        The files that can't be read.
    given : ndarray, shape (N, ...), or None
        The samples before preprocessing; None for a table, whose columns are no single array.
    prepared : ndarray, shape (N, *input_shape)
        What the network was given.
    """

    answers: tuple[Answer, ...]
    problems: tuple[Problem, ...]
    given: Array | None
    prepared: Array


def predict_files(model: Model, files: Sequence[str]) -> Predictions:
    """Read pictures, or one table or NPZ file, and predict every sample in them.

    Parameters
    ----------
    model : Model
        With its preprocessing.
    files : sequence of str

    Returns
    -------
    Predictions

    Raises
    ------
    UsageError
        If the model has no preprocessing.
    DataError, ShapeError
        If the files can't be read together, or don't fit the model.
    """
    recipe, network = model.preprocessing, model.network
    if recipe is None:
        raise UsageError(
            "This model was saved without preprocessing, so it can't read files. Prepare arrays "
            "yourself, and call predict on its network."
        )
    with naming(files[0]):
        inputs = read_inputs([Path(file) for file in files], recipe)
        prepared = prepare(inputs.raw, recipe.inputs, network.dtype)[:]
    given = None if isinstance(inputs.raw, Table) else inputs.raw[:]
    if not len(prepared):
        return Predictions((), inputs.problems, given, prepared)
    logits = network.logits(prepared)
    predicted = network.loss.predict(logits)
    if isinstance(recipe.target, ClassTarget):
        names = recipe.target.class_names
        shares = probabilities_of(network.loss, logits)
        answers = [
            Answer(
                source,
                names[index],
                None if shares is None else dict(zip(names, shares[row].tolist(), strict=True)),
            )
            for row, (source, index) in enumerate(
                zip(inputs.sources, predicted.tolist(), strict=True)
            )
        ]
    else:
        values = recipe.target.restore(predicted).tolist()
        answers = [
            Answer(source, value, None)
            for source, value in zip(inputs.sources, values, strict=True)
        ]
    return Predictions(tuple(answers), inputs.problems, given, prepared)


def probabilities_of(loss: Loss, logits: Array) -> Array | None:
    """Return the probability of each class, shape (N, K); None where the loss has none."""
    if type(loss).predict_proba is Loss.predict_proba:
        return None
    return loss.predict_proba(logits)

"""The pictures of a run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from clearprop import plots
from clearprop.data import Dataset, Table
from clearprop.data.table import is_numeric
from clearprop.experiment.evaluation import Evaluation
from clearprop.model_file import Model
from clearprop.parameters import Array
from clearprop.preprocessing import InputRecipe
from clearprop.training import History


def draw_run(
    folder: Path,
    model: Model,
    history: History,
    evaluated: Evaluation | None,
    dataset: Dataset | None,
) -> list[Path]:
    """Draw and write every picture that fits a run.

    Parameters
    ----------
    folder : pathlib.Path
    model : Model
    history : History
    evaluated : Evaluation or None
        What the model did on samples that it did not learn from.
    dataset : Dataset or None
        Those samples.

    Returns
    -------
    list of pathlib.Path
        What was written.
    """
    written = []
    for name, figure in _figures(model, history, evaluated, dataset):
        plots.save(figure, folder / f"{name}.png")
        written.append(folder / f"{name}.png")
    return written


def _figures(
    model: Model, history: History, evaluated: Evaluation | None, dataset: Dataset | None
) -> Iterator[tuple[str, Figure]]:
    if len(history):
        yield "curves", plots.curves(history.to_dict(), history.best_epoch)
    if weights := _first_weights(model):
        yield "weights", plots.first_layer_weights(*weights)
    if evaluated is None or dataset is None:
        return
    names = model.class_names
    if names is None:
        yield (
            "predictions",
            plots.residuals(evaluated.truth, evaluated.predicted, dataset.target_name),
        )
        return
    if evaluated.confusion is not None:
        yield "confusion", plots.confusion(evaluated.confusion, names)
    points = _points(dataset)
    if points is not None and model.preprocessing is not None:
        yield "boundary", _boundary(model, model.preprocessing.inputs, dataset, points)
    elif (
        not isinstance(dataset.X, Table)
        and evaluated.mistakes
        and evaluated.probabilities is not None
    ):
        yield "mistakes", _mistakes(evaluated, evaluated.probabilities, dataset, names)


def _first_weights(model: Model) -> tuple[Array, tuple[int, ...]] | None:
    """Give the first Dense layer's W with the shape of the pictures it looks at, if it does."""
    shape = model.network.input_shape
    looks = len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)
    W = model.network.parameters.get("1.W")  # behind the Flatten that pictures begin with
    return (W, shape) if looks and W is not None else None


def _mistakes(
    evaluated: Evaluation, probabilities: Array, dataset: Dataset, names: tuple[str, ...]
) -> Figure:
    predicted = evaluated.predicted
    confidence = probabilities[np.arange(len(predicted)), predicted]
    return plots.mistakes(dataset.X, evaluated.truth, predicted, confidence, names, dataset.sources)


def _points(dataset: Dataset) -> Array | None:
    """Give samples of two numbers as points of a plane, shape (N, 2); None for all others."""
    X = dataset.X
    if not isinstance(X, Table):
        return X[:] if X.shape[1:] == (2,) else None
    columns = list(X.columns.values())
    if len(columns) != 2 or not all(is_numeric(column) for column in columns):
        return None
    return np.column_stack(columns)


def _boundary(model: Model, inputs: InputRecipe, dataset: Dataset, points: Array) -> Figure:
    x1, x2 = dataset.feature_names or ("x1", "x2")

    def probabilities(places: Array) -> Array:
        is_table = isinstance(dataset.X, Table)
        raw = Table({x1: places[:, 0], x2: places[:, 1]}) if is_table else places
        return model.network.predict_proba(inputs.transform(raw, model.network.dtype))

    known = np.isfinite(points).all(axis=1)  # what is missing has no place in the plane
    return plots.decision_boundary(
        probabilities, points[known], dataset.y[known], model.class_names or (), (x1, x2)
    )

"""The pictures of a run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from clearprop import plots
from clearprop.data import Dataset, Table
from clearprop.experiment.evaluation import Evaluation
from clearprop.model_file import Model
from clearprop.parameters import Array
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
    if isinstance(dataset.X, Table):
        return
    if evaluated.mistakes and evaluated.probabilities is not None:
        yield "mistakes", _mistakes(evaluated, evaluated.probabilities, dataset, names)
    if model.network.input_shape == (2,) and model.preprocessing is not None:
        inputs, network = model.preprocessing.inputs, model.network
        yield (
            "boundary",
            plots.decision_boundary(
                lambda points: network.predict_proba(inputs.transform(points, network.dtype)),
                dataset.X[:],
                dataset.y,
                names,
                _axes(dataset.feature_names),
            ),
        )


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


def _axes(feature_names: tuple[str, ...] | None) -> tuple[str, str]:
    return (feature_names[0], feature_names[1]) if feature_names else ("x1", "x2")

"""The pictures of a run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from clearprop import plots
from clearprop.data import Dataset
from clearprop.experiment.evaluation import Evaluation
from clearprop.layers import Dense
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
    if evaluated.mistakes and isinstance(dataset.X[:1], np.ndarray):
        yield "mistakes", _mistakes(evaluated, dataset, names)
    if model.network.input_shape == (2,) and isinstance(dataset.X, np.ndarray):
        yield "boundary", _boundary(model, dataset.X, dataset.y, names, dataset.feature_names)


def _first_weights(model: Model) -> tuple[Array, tuple[int, ...]] | None:
    """Give the first Dense layer's W with the shape of the pictures it looks at, if it does."""
    shape = model.network.input_shape
    if len(shape) == 1 or model.network.parameters["1.W"].shape[0] != np.prod(shape):
        return None
    return model.network.parameters["1.W"], shape


def _mistakes(evaluated: Evaluation, dataset: Dataset, names: tuple[str, ...]) -> Figure:
    assert evaluated.probabilities is not None
    predicted = evaluated.predicted
    return plots.mistakes(
        dataset.X,
        evaluated.truth,
        predicted,
        evaluated.probabilities[np.arange(len(predicted)), predicted],
        names,
        dataset.sources,
    )


def _boundary(
    model: Model, X: Array, y: Array, names: tuple[str, ...], features: tuple[str, ...] | None
) -> Figure:
    recipe, network = model.preprocessing, model.network
    assert recipe is not None
    axes = (features[0], features[1]) if features else ("x1", "x2")
    return plots.decision_boundary(
        lambda points: network.predict_proba(recipe.inputs.transform(points, network.dtype)),
        X,
        y,
        names,
        axes,
    )

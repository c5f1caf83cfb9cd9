"""Gradient checks on data by name or path: of a model, of a new network, of a learner's code."""

from dataclasses import replace

import numpy as np

from clearprop.data import Dataset, load
from clearprop.errors import UsageError
from clearprop.experiment.learning import load_dataset, set_task
from clearprop.experiment.loading import load_for, naming
from clearprop.experiment.settings import Settings
from clearprop.gradcheck import Report, check_gradients
from clearprop.gradcheck.learner import Batch
from clearprop.model_file import Model
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.preprocessing import ClassTarget, Preprocessing, fit_recipe

_SAMPLES = 32  # of more, a check takes longer and shows no more


def check_model(model: Model, data: str | None) -> Report:
    """Check the gradients of a model where training left it.

    Parameters
    ----------
    model : Model
    data : str or None
        A name or a path; None for what the model was trained on.

    Returns
    -------
    Report

    Raises
    ------
    UsageError
        If it is not known which data, or the model was saved without preprocessing.
    ShapeError, DataError
        If the data don't fit the model.
    """
    if model.preprocessing is None:
        raise UsageError(
            "This model was saved without preprocessing, so it can't be checked on raw data. "
            "Prepare arrays yourself, and use cp.check_gradients(network, X, y)."
        )
    settings = model.training.get("settings")
    if data is None and isinstance(settings, dict):
        data = str(settings.get("data"))
    if data is None:
        raise UsageError("The model does not say what it was trained on. Say so: --data DATA.")
    return _check(model.network, model.preprocessing, load_for(model, data))


def check_untrained(data: str) -> Report:
    """Check the gradients of the network that ``clearprop train DATA`` would start with.

    Parameters
    ----------
    data : str
        A name or a path.

    Returns
    -------
    Report
    """
    settings = Settings(data=data)
    task = set_task(settings, load_dataset(settings))
    return _check(task.network, task.recipe, task.train)


def batch_for_learners(data: str) -> Batch:
    """Prepare data for a learner's own code: flat samples, one output for two classes.

    Parameters
    ----------
    data : str
        A name or a path.

    Returns
    -------
    Batch
        At most 32 samples, in float64.
    """
    dataset = load(data)
    recipe = fit_recipe(dataset)
    X, y = _prepared(_some(dataset), recipe)
    if isinstance(recipe.target, ClassTarget) and len(recipe.target.class_names) > 2:
        y = np.eye(len(recipe.target.class_names))[y]
    return Batch(X.reshape(len(X), -1), y.reshape(len(X), -1).astype(np.float64))


def _check(network: Network, recipe: Preprocessing, dataset: Dataset) -> Report:
    some = _some(dataset)
    with naming(dataset.name):
        report = check_gradients(network, *_prepared(some, recipe))
    if len(some) == len(dataset):
        return report
    note = f"checked on {len(some)} of {len(dataset)} samples."
    return replace(report, notes=(note, *report.notes))


def _some(dataset: Dataset) -> Dataset:
    rows = np.random.RandomState(0).permutation(len(dataset))[:_SAMPLES]
    return dataset.take(np.sort(rows))


def _prepared(dataset: Dataset, recipe: Preprocessing) -> tuple[Array, Array]:
    return recipe.inputs.transform(dataset.X, np.float64), recipe.target.encode(dataset)

"""What the commands have to know of an estimator to read files for it."""

import numpy as np

from clearprop.core.parameters import Array
from clearprop.data.table import as_text
from clearprop.errors import UsageError
from clearprop.estimators.interface import Estimator
from clearprop.preprocessing import (
    ArrayRecipe,
    ClassTarget,
    InputRecipe,
    PlainColumn,
    Preprocessing,
    TableRecipe,
    ValueTarget,
)


def recipe_of(estimator: Estimator) -> Preprocessing | None:
    """Return the recipe that changes nothing, and names columns and classes.

    Parameters
    ----------
    estimator : Estimator
        Fitted.

    Returns
    -------
    Preprocessing or None
        Of named columns where the estimator knows names, else of numbers in their order. None where
        no recipe can say it: several labels a sample, a single class, names that repeat.
    """
    try:
        return Preprocessing(_inputs(estimator), _target(estimator))
    except UsageError:
        return None


def _inputs(estimator: Estimator) -> InputRecipe:
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return ArrayRecipe((estimator.n_features_in_,), (0.0,), (1.0,))
    return TableRecipe(tuple(PlainColumn(name) for name in names.tolist()))


def _target(estimator: Estimator) -> ClassTarget | ValueTarget:
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        outputs = estimator.n_outputs_
        return ValueTarget((0.0,) * outputs, (1.0,) * outputs, None)
    if estimator._label_binarizer.y_type_.startswith("multilabel"):
        raise UsageError("A recipe has one class a sample.")
    return ClassTarget(tuple(_spelled(classes)), None)


def _spelled(classes: Array) -> list[str]:
    """Write classes as people do: numbers as in a table, so that 1.0 is 1."""
    numbers = np.issubdtype(classes.dtype, np.number)
    return as_text(classes).tolist() if numbers else list(map(str, classes.tolist()))

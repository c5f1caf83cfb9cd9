"""Multi-layer perceptrons in the place of scikit-learn's, on clearprop's engine."""

from collections.abc import Iterable

from clearprop.estimators.classifier import MLPClassifier
from clearprop.estimators.exchange import estimator_of
from clearprop.estimators.regressor import MLPRegressor
from clearprop.estimators.tables import TableClassifier, TableRegressor
from clearprop.files.models import Model

__all__ = ["MLPClassifier", "MLPRegressor", "TableClassifier", "TableRegressor", "opened"]


def opened(model: Model, custom: Iterable[type]) -> MLPClassifier | MLPRegressor:
    """Return the estimator that a file describes, of which `model` is the network."""
    kinds: dict[str, type[MLPClassifier | MLPRegressor]] = {
        "MLPClassifier": MLPClassifier,
        "MLPRegressor": MLPRegressor,
    }
    return estimator_of(model, kinds, custom)

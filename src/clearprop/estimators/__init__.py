"""scikit-learn's estimators on clearprop's engine."""

from clearprop.estimators.classifier import MLPClassifier
from clearprop.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]

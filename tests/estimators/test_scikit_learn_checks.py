"""Everything that scikit-learn asks of an estimator, with no expected failures."""

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

import clearprop as cp


@parametrize_with_checks([cp.MLPClassifier(max_iter=100), cp.MLPRegressor(max_iter=100)])
def test_it_is_a_scikit_learn_estimator(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)

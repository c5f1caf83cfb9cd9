"""Everything that scikit-learn asks of an estimator, with no expected failures."""

import warnings
from typing import Any
from unittest import SkipTest

from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

import clearprop as cp

NOT_MEANT = {
    "SCIPY_ARRAY_API is not set: not checking array_api input": "NumPy arrays are all it takes",
    "MLPClassifier does not have a decision_function method.": "nor has scikit-learn's",
}


ESTIMATORS = [
    *(cp.MLPClassifier(max_iter=100), cp.MLPRegressor(max_iter=100)),
    *(kind(8, max_iter=30, threads=1) for kind in (cp.TableClassifier, cp.TableRegressor)),
]


@parametrize_with_checks(ESTIMATORS)
def test_it_is_a_scikit_learn_estimator(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            check(estimator)
        except SkipTest as reason:
            assert str(reason) in NOT_MEANT  # noqa: PT017 - a skipped check is one that is not held

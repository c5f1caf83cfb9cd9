"""Small sets that are quickly learned."""

import numpy as np
from sklearn.datasets import make_classification, make_regression
from sklearn.preprocessing import scale


def two_classes(samples: int = 120, features: int = 6) -> tuple[np.ndarray, np.ndarray]:
    return make_classification(samples, features, random_state=0)


def three_classes(samples: int = 150) -> tuple[np.ndarray, np.ndarray]:
    X, y = make_classification(
        samples, 6, n_informative=4, n_classes=3, class_sep=2.0, random_state=0
    )
    return X, np.array(["a", "b", "c"])[y]


def values(samples: int = 120) -> tuple[np.ndarray, np.ndarray]:
    X, y = make_regression(samples, 5, noise=0.1, random_state=0)
    return X, scale(y)

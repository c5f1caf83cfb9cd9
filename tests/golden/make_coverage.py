"""Make the sets and intervals that the tests of coverage compare ours with.

MAPIE is the oracle, and nothing else in the project needs it. To make the file again, give it an
environment of its own::

    python -m venv mapie-environment
    mapie-environment/bin/pip install mapie==1.6.0 safetensors
    mapie-environment/bin/python tests/golden/make_coverage.py

Beside itself it writes ``coverage.safetensors``, in float64: the logits and the classes, or the
answers and the values, of 60 rows to fit a coverage to, and of 40 further rows; and for each
share what MAPIE's split conformal methods say of the further rows: sets by the probability of each
class (LAC), sets of summed probabilities (APS), and intervals of absolute residuals.
"""

from pathlib import Path

import numpy as np
from mapie.classification import SplitConformalClassifier
from mapie.regression import SplitConformalRegressor
from safetensors.numpy import save_file
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

CLASSES, FITTED, FURTHER = 4, 60, 40
SHARES = {"60": 0.6, "80": 0.8, "90": 0.9, "95": 0.95}


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities (N, K) of logits."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class Softmax(ClassifierMixin, BaseEstimator):
    """A classifier whose inputs are its logits."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Softmax":
        """Learn nothing."""
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probabilities."""
        return softmax(X)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the likeliest class."""
        return X.argmax(axis=1)


class Identity(RegressorMixin, BaseEstimator):
    """A regressor whose input is its answer."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Identity":
        """Learn nothing."""
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the answer."""
        return X[:, 0]


def main() -> None:
    """Draw logits and answers, and ask MAPIE."""
    random_state = np.random.RandomState(0)
    n = FITTED + FURTHER
    logits = 1.5 * random_state.randn(n, CLASSES)
    classes = np.array([random_state.choice(CLASSES, p=row) for row in softmax(logits)])
    answers = random_state.randn(n)
    values = answers + 0.5 * random_state.standard_t(3, n)
    held = {"logits": logits, "classes": classes, "answers": answers, "values": values}
    known, further = slice(0, FITTED), slice(FITTED, n)
    for name, share in SHARES.items():
        for kind in ("lac", "aps"):
            sets = SplitConformalClassifier(
                Softmax().fit(logits, np.arange(n) % CLASSES), share, kind, random_state=0
            )
            sets.conformalize(logits[known], classes[known])
            held[f"{kind}/{name}"] = sets.predict_set(logits[further])[1][:, :, 0].astype(np.uint8)
        X = answers[:, np.newaxis]
        intervals = SplitConformalRegressor(Identity().fit(X, values), share)
        intervals.conformalize(X[known], values[known])
        held[f"intervals/{name}"] = intervals.predict_interval(X[further])[1][:, :, 0]
    arrays = {name: np.ascontiguousarray(array) for name, array in held.items()}
    save_file(arrays, Path(__file__).with_name("coverage.safetensors"))


if __name__ == "__main__":
    main()

"""An estimator and scikit-learn's of the same parameters, on random data, and compared."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.neural_network as theirs

import clearprop as cp

REACHED = (
    *("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "loss_", "loss_curve_"),
    *("best_loss_", "validation_scores_", "best_validation_score_", "_no_improvement_count"),
)


def both(name: str, **parameters: Any) -> tuple[Any, Any]:
    return getattr(cp, name)(**parameters), getattr(theirs, name)(**parameters)


def assert_same(ours: Any, other: Any, X: Any) -> None:
    """Compare everything that was learned and written down, and predictions."""
    for mine, his in zip(
        [*ours.coefs_, *ours.intercepts_], [*other.coefs_, *other.intercepts_], strict=True
    ):
        assert mine.dtype == his.dtype
        np.testing.assert_allclose(mine, his, rtol=1e-6, atol=1e-9)
    for name in REACHED:
        assert hasattr(ours, name) == hasattr(other, name), name
        expected = getattr(other, name, None)
        if isinstance(expected, float | list):
            np.testing.assert_allclose(getattr(ours, name), expected, rtol=1e-9, atol=1e-9)
        else:
            assert getattr(ours, name, None) == expected, name
    np.testing.assert_allclose(predictions(ours, X), predictions(other, X), rtol=1e-9, atol=1e-9)


def predictions(estimator: Any, X: Any) -> np.ndarray:
    classifies = hasattr(estimator, "classes_")
    return estimator.predict_proba(X) if classifies else estimator.predict(X)


def random_data(kind: str, samples: int, features: int, seed: int) -> tuple[Any, Any]:
    random_state = np.random.RandomState(seed)
    X = random_state.standard_normal((samples, features))
    z = np.sin(X @ random_state.standard_normal((features, 3))) + X[:, :1]
    targets: dict[str, Callable[[], Any]] = {
        "binary": lambda: np.array(["no", "yes"])[(z[:, 0] > 0).astype(int)],
        "multiclass": lambda: np.array([7, 3, 5])[z.argmax(axis=1)],
        "multilabel": lambda: (z > 0).astype(int),
        "value": lambda: z[:, 0],
        "values": lambda: z,
        "counts": lambda: np.abs(z[:, 0] * 3).round(),
    }
    return X, targets[kind]()

"""The doctor as a callback of an estimator knows how it is trained, and on what."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits

import clearprop as cp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def examined(given: Any = np.asarray, **settings: Any) -> Any:
    X, y = load_digits(return_X_y=True)
    doctor = cp.Doctor()
    settings = {"max_iter": 10, "random_state": 0} | settings
    net = cp.MLPClassifier(32, callbacks=[doctor], **settings)
    net.fit(given(X[:800] / 16), y[:800])
    return doctor.examination


@pytest.mark.parametrize(
    ("settings", "illness"),
    [
        ({"learning_rate_init": 3.0}, "learning_rate_too_high"),
        ({"learning_rate_init": 2e-6, "max_iter": 30}, "learning_rate_too_low"),
        ({"solver": "sgd", "learning_rate_init": 100.0}, "learning_rate_too_high"),
        ({"alpha": 1e5, "max_iter": 30}, "too_much_regularization"),
        (
            {"batch_norm": True, "batch_size": 2, "learning_rate_init": 0.01},
            "small_batch_for_batch_norm",
        ),
    ],
)
def test_settings_of_the_estimator_are_judged(settings: Any, illness: str) -> None:
    found = examined(**settings)
    assert found.illnesses[0] == illness
    if illness.startswith("learning_rate"):
        name = "Nesterov" if settings.get("solver") == "sgd" else "Adam"
        assert found[0].python[0].startswith(f"cp.Trainer(optimizer=cp.{name}(")


@pytest.mark.parametrize("given", [np.asarray, csr_matrix])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_nothing_is_found_in_a_healthy_fit(given: Any, early_stopping: bool) -> None:
    settings = {"max_iter": 40, "learning_rate_init": 0.01, "early_stopping": early_stopping}
    assert examined(given, **settings).illnesses == ()

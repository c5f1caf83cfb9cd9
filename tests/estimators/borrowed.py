"""scikit-learn's own tests of its perceptrons, taken from the installed package."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import sklearn.neural_network

import clearprop as cp
from clearprop.estimators.twins import as_reported
from clearprop.training.engines import Engine
from clearprop.training.lbfgs import LayerPasses, Objective
from clearprop.training.samples import Samples

SOURCE = Path(sklearn.neural_network.__file__).parent / "tests" / "test_mlp.py"


class WithPrivateGradient(cp.MLPClassifier):
    """The classifier, with the private method that one of the tests differentiates.

    The order of the parameters is the engine's, which numerical differences don't mind.
    """

    def _loss_grad_lbfgs(
        self, vector: np.ndarray, X: np.ndarray, Y: np.ndarray, weights: None, *_buffers: Any
    ) -> tuple[float, np.ndarray]:
        network = self.network_
        y = Y.argmax(axis=1) if Y.shape[1] > 1 else Y
        samples = Samples(X, y, weights)
        engine = Engine(network, as_reported(network.loss), X)
        passes = LayerPasses(engine, samples, threads=1)
        return Objective(engine, passes, cp.LBFGS(alpha=self.alpha), len(y))(vector)


def borrowed_module() -> ModuleType:
    """Run the file of tests with our classes where it imports scikit-learn's."""
    if not SOURCE.is_file():
        raise FileNotFoundError(
            f"{SOURCE} is missing: this scikit-learn was installed without its tests, which are "
            "what the estimators are held against. Install the wheel of the package index."
        )
    spec = importlib.util.spec_from_file_location("borrowed_test_mlp", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    ours = {"MLPClassifier": WithPrivateGradient, "MLPRegressor": cp.MLPRegressor}
    with mock.patch.multiple(sklearn.neural_network, **ours):
        spec.loader.exec_module(module)
    return module


def borrowed_tests() -> dict[str, Callable[..., None]]:
    """Return its tests by name."""
    return {
        name: found for name, found in vars(borrowed_module()).items() if name.startswith("test_")
    }

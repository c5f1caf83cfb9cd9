"""Small networks behind a recipe, and what both engines say of samples as they are."""

import warnings
from typing import Any

import numpy as np
from random_networks import randomized
from twins import assert_close, in_base64

import clearprop as cp
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import ClassTarget, Preprocessing


def model_of(inputs: Any, target: Any = None, loss: cp.Loss | None = None) -> Model:
    """Make a small network with random weights behind a recipe."""
    target = ClassTarget(("no", "yes", "perhaps"), "answer") if target is None else target
    loss = cp.SoftmaxCrossEntropy() if loss is None else loss
    outputs = 3 if isinstance(target, ClassTarget) else target.outputs
    layers = [cp.Flatten(), cp.Dense(4), cp.Tanh(), cp.Dense(outputs)]
    net = Network(layers, loss=loss, input_shape=inputs.input_shape)
    return Model(randomized(net, np.random.RandomState(0)), Preprocessing(inputs, target))


def assert_predicts_alike(engine: Any, model: Model, X: Any, rows: list[Any]) -> Any:
    """Compare the probabilities of rows in Python and in the engine."""
    with warnings.catch_warnings(action="ignore"):  # samples unlike the training data
        expected = model.predict_proba(X)
    found = engine.ask(ask="predicted", model=in_base64(model), rows=rows)
    assert_close(found["probabilities"], expected)
    assert found["answers"] == expected.argmax(axis=1).tolist()
    assert found["names"] == list(model.preprocessing.inputs.input_names)
    return found

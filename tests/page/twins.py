"""The same network in Python and in the page's engine, and the numbers of both."""

import base64
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

import clearprop as cp
from clearprop.configuration import to_config
from clearprop.core.trace import Trace
from clearprop.files.models import Model
from clearprop.network import Network

TOLERANCE = 1e-10
UPDATES = 50


def bytes_of(model: Model | Network) -> bytes:
    """Return the model file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        cp.save(path, model)
        return path.read_bytes()


def in_base64(model: Model | Network) -> str:
    """Return the model file as a page embeds it."""
    return base64.b64encode(bytes_of(model)).decode()


def array(values: Any) -> dict[str, Any]:
    """Return numbers as modules of the page take them."""
    values = np.asarray(values, np.float64)
    return {"shape": list(values.shape), "data": values.ravel().tolist()}


def assert_close(found: Any, expected: Any) -> None:
    """Compare numbers to 1e-10, of those above 1 relative to their size."""
    expected = np.asarray(expected, np.float64).ravel()
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)


def assert_trains_alike(
    engine: Any,
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray | None = None,
    optimizer: cp.Optimizer | None = None,
    seed: int | None = None,
) -> None:
    """Compare logits, loss, gradient and 50 updates of a network with those of its twin.

    Unless an optimizer is given, it is gradient descent by small steps. With a seed, dropout draws
    from it, and the twin is given the same draws.
    """
    optimizer = cp.SGD(_calm_rate(net, x, y, weight)) if optimizer is None else optimizer
    drawn = {} if seed is None else {"drawn": _draws_of(net, x, seed)}
    found = engine.ask(
        ask="trained",
        model=in_base64(net),
        x=x.ravel().tolist(),
        y=net.targets(y).ravel().tolist(),
        n=len(x),
        weights=None if weight is None else weight.tolist(),
        updates=UPDATES,
        optimizer=named(optimizer),
        **drawn,
    )
    assert found["names"] == list(net.parameters)
    assert_close(found["logits"], net.logits(x))
    first_loss, gradient = net.loss_and_gradient(x, y, weight, trace=_training(seed))
    assert_close(found["loss"], first_loss)
    assert_close(found["gradient"], gradient.data)
    state, trace = optimizer.start(net.parameters), _training(seed)
    for step in range(UPDATES):
        trace.step = step
        loss, gradient = net.loss_and_gradient(x, y, weight, trace=trace)
        counted = len(x) if weight is None else float(weight.sum())
        loss += optimizer.regularize(net, gradient, counted)
        optimizer.step(net.parameters, gradient, state, step)
        net.update_state(trace)
    assert_close(found["lastLoss"], loss)
    assert_close(found["parameters"], net.parameters.data)
    assert_close(found["state"], net.state.data)


def named(optimizer: cp.Optimizer) -> Mapping[str, Any]:
    """Return an optimizer as the page's `makeOptimizer` takes it."""
    config = to_config(optimizer)
    assert isinstance(config, dict)
    name, rate = config.pop("type"), config.pop("learning_rate")
    return {"name": name, "rate": rate, **config}


def _calm_rate(net: Network, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> float:
    """Return a rate well below the inverse of the loss's largest curvature, by power iteration.

    Training that jumps around multiplies the last digits' differences until nothing is equal.
    """

    def slope_at(w: np.ndarray) -> np.ndarray:
        twin = net.copy()
        twin.parameters.data[...] = w
        return twin.loss_and_gradient(x, y, weight)[1].data

    w, curvature = net.parameters.data, 0.0
    direction = np.ones_like(w) / np.sqrt(w.size)
    for _ in range(8):
        bent = (slope_at(w + 1e-5 * direction) - slope_at(w - 1e-5 * direction)) / 2e-5
        curvature = float(np.linalg.norm(bent)) or 1e-9
        direction = bent / curvature
    return min(0.05, 0.3 / curvature)


def _training(seed: int | None) -> Trace:
    random_state = None if seed is None else np.random.RandomState(seed)
    trace = Trace(training=True, random_state=random_state)
    trace.wants_dx = False
    return trace


def _draws_of(net: Network, x: np.ndarray, seed: int) -> list[int]:
    """Return the numbers of 16 bits that dropout draws in all updates, in order."""
    trace = _training(seed)
    trace.random_state = random_state = _Recorded(seed)
    own = cp.Dropout.draw

    def draw(layer: cp.Dropout, _: Any, kept: np.ndarray, step: int = 0) -> None:
        before = len(random_state.halves)
        own(layer, random_state, kept, step)
        del random_state.halves[before + kept.size :]  # they come by two, and one may be left over

    with patch.object(cp.Dropout, "draw", draw):
        for _ in range(UPDATES):
            net.forward(x, trace)
    return random_state.halves


class _Recorded(np.random.RandomState):
    """A source of random numbers that keeps those of 32 bits as halves of 16."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.halves: list[int] = []

    def randint(self, *args: Any, **options: Any) -> Any:
        drawn = super().randint(*args, **options)
        self.halves += drawn.astype("<u4").view("<u2").tolist()
        return drawn

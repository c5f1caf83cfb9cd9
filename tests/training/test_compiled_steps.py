"""Compiled steps train as the layers themselves do, up to rounding."""

import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

import clearprop as cp
from clearprop.core.blas import available_cores
from clearprop.core.kernels import kernel

pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")

ACTIVATIONS = [None, cp.ReLU(), cp.LeakyReLU(0.1), cp.Sigmoid(), cp.Tanh(), cp.SELU()]
OPTIMIZERS: list[cp.Optimizer] = [
    cp.SGD(0.01),
    cp.SGD(0.01, alpha=0.1, weight_decay=0.02),
    cp.Momentum(0.002),
    cp.Nesterov(cp.CosineSchedule(0.002, 30), weight_decay=0.01),
    cp.AdaGrad(0.05),
    cp.RMSprop(0.01),
    cp.Adam(0.01, alpha=0.2),
    cp.AdamW(cp.StepSchedule(0.02, 5)),
]


def trained(
    mode: str, layers: list[cp.Layer], loss: cp.Loss, X: Any, y: Any, settings: Any, weights: Any
) -> tuple[cp.Network, cp.History]:
    before = kernel._mode
    kernel._mode = kernel._Mode(mode)
    try:
        network = cp.Network(layers, loss=loss, input_shape=X.shape[1:], seed=3, dtype=X.dtype)
        history = cp.Trainer(**settings).fit(network, X, y, sample_weight=weights)
    finally:
        kernel._mode = before
    return network, history


@st.composite
def trainings(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a chain, its data, and how it is trained."""
    random_state = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    N, D = draw(st.integers(1, 40)), draw(st.integers(1, 60))
    layers: list[cp.Layer] = [cp.Flatten()] if draw(st.booleans()) else []
    for units in draw(st.lists(st.integers(1, 9), max_size=3)):
        layers.append(cp.Dense(units, bias=draw(st.booleans())))
        activation = draw(st.sampled_from(ACTIVATIONS))
        layers += [] if activation is None else [activation]
        bends = isinstance(activation, cp.Sigmoid | cp.Tanh | cp.SELU)
        layers += [cp.Dropout(draw(st.floats(0, 0.9)))] if not bends and draw(st.booleans()) else []
    kind = draw(st.sampled_from(["binary", "labels", "rows", "values"]))
    K = draw(st.integers(1, 4)) + (kind in {"labels", "rows"})
    losses = {"binary": cp.BinaryCrossEntropy(), "values": cp.MeanSquaredError()}
    y = random_state.randint(0, 2, (N, K)) if kind == "binary" else random_state.randn(N, K)
    if kind == "labels":
        y = random_state.randint(0, K, N)
    if kind == "rows":
        y = random_state.dirichlet(np.ones(K), N)
    weighted = draw(st.booleans())
    return {
        "layers": [*layers, cp.Dense(K)],
        "loss": losses.get(kind, cp.SoftmaxCrossEntropy()),
        "X": random_state.randn(N, D),
        "y": y,
        "weights": random_state.randint(0, 3, N).astype(float) if weighted else None,
        "settings": {
            "optimizer": draw(st.sampled_from(OPTIMIZERS)),
            "epochs": draw(st.integers(1, 12)),
            "batch_size": draw(st.one_of(st.none(), st.integers(1, 50))),
            "replacement": draw(st.booleans()),
            "sample_space": draw(st.sampled_from(["auto", False])),
            "threads": draw(st.sampled_from([None, 1, available_cores()])),
        },
    }


@settings(max_examples=60)
@given(training=trainings())
def test_the_same_numbers_as_by_the_layers(training: dict[str, Any]) -> None:
    try:
        plain, by_layers = trained("numpy", **training)
    except cp.errors.DivergedError:
        reject()
    assume(max(by_layers["loss"]) < 100)  # near the end of its tether, rounding decides
    compiled, at_once = trained("compiled", **training)
    assert by_layers.columns == at_once.columns
    for column in ("loss", "learning_rate", "step"):
        np.testing.assert_allclose(at_once[column], by_layers[column], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        compiled.parameters.data, plain.parameters.data, rtol=1e-7, atol=1e-9
    )


def digits_like(dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    random_state = np.random.RandomState(0)
    y = random_state.randint(0, 10, 600)
    X = random_state.randn(10, 784)[y] + random_state.randn(600, 784)
    return X.astype(dtype), y


LAYERS: list[cp.Layer] = [cp.Dense(128), cp.ReLU(), cp.Dense(64), cp.Tanh(), cp.Dense(10)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_several_threads_do_what_one_does(dtype: Any) -> None:
    X, y = digits_like(dtype)
    results = [
        trained(
            "compiled",
            LAYERS,
            cp.SoftmaxCrossEntropy(),
            X,
            y,
            {"epochs": 2, "batch_size": 100, "threads": threads},
            None,
        )[0].parameters.data
        for threads in (1, available_cores())
    ]
    tolerance = 1e-10 if dtype == np.float64 else 2e-4
    np.testing.assert_allclose(results[1], results[0], rtol=tolerance, atol=tolerance)


def test_it_gives_the_same_bits_again() -> None:
    X, y = digits_like(np.float32)
    how = {"epochs": 2, "batch_size": 64}
    first, second = (
        trained("compiled", LAYERS, cp.SoftmaxCrossEntropy(), X, y, how, None)[0] for _ in "ab"
    )
    np.testing.assert_array_equal(first.parameters.data, second.parameters.data)


def test_a_loss_that_is_not_finite_ends_it_as_by_the_layers() -> None:
    X, y = digits_like(np.float64)
    told = []
    for mode in ("numpy", "compiled"):
        with pytest.raises(cp.errors.DivergedError) as caught:
            trained(
                mode,
                [cp.Dense(8), cp.ReLU(), cp.Dense(1)],
                cp.MeanSquaredError(),
                X,
                y.astype(float),
                {"optimizer": cp.SGD(1.0), "batch_size": 20},
                None,
            )
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert "update" in told[0]


class Steps(cp.Callback):
    """Counts updates and sees the loss of each."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_step_end(self, run: cp.Run) -> None:
        assert run.step == len(self.losses) + 1
        self.losses.append(run.loss)


def test_a_callback_still_sees_every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_mode", kernel._Mode("compiled"))
    X, y = digits_like(np.float64)
    network = cp.Network(LAYERS, loss=cp.SoftmaxCrossEntropy(), input_shape=(784,))
    steps = Steps()
    cp.Trainer(epochs=1, batch_size=50).fit(network, X, y, callbacks=[steps])
    assert len(steps.losses) == 12
    assert all(map(math.isfinite, steps.losses))


def test_max_steps_is_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_mode", kernel._Mode("compiled"))
    X, y = digits_like(np.float64)
    network = cp.Network(LAYERS, loss=cp.SoftmaxCrossEntropy(), input_shape=(784,))
    history = cp.Trainer(epochs=9, batch_size=7, max_steps=100).fit(network, X, y)
    assert history["step"][-1] == 100


class OwnReLU(cp.ReLU):
    """A layer that is not known, though it inherits from one that is."""


@pytest.mark.parametrize(
    ("layers", "trainer"),
    [
        ([cp.Dense(3), OwnReLU(), cp.Dense(2)], {}),
        ([cp.Dense(3), cp.BatchNorm(), cp.Dense(2)], {}),
        ([cp.ReLU(), cp.Dense(2)], {}),
        ([cp.Dropout(0.5), cp.Dense(2)], {}),
        ([cp.Dense(3), cp.Tanh(), cp.Dropout(0.5), cp.Dense(2)], {}),
        ([cp.Dense(3), cp.ReLU(), cp.Tanh(), cp.Dense(2)], {}),
        ([cp.Dense(3), cp.ReLU(), cp.Dense(2)], {"clip_norm": 1.0}),
    ],
)
def test_what_it_does_not_know_is_left_to_the_layers(
    layers: list[cp.Layer], trainer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("compiled steps were taken")

    monkeypatch.setattr("clearprop.training.plan.CompiledStep", refuse)
    monkeypatch.setattr(kernel, "_mode", kernel._Mode("compiled"))
    network = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(4,))
    X = np.random.RandomState(0).randn(20, 4)
    cp.Trainer(epochs=1, **trainer).fit(network, X, (X[:, 0] > 0).astype(int))


def test_where_compiling_fails_the_layers_do_it_with_one_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no such processor")

    monkeypatch.setattr("clearprop.training.step.FusedSteps", broken)
    monkeypatch.setattr(kernel, "_mode", kernel._Mode("compiled"))
    network = cp.Network([cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4,))
    X = np.random.RandomState(0).randn(20, 4)
    with pytest.warns(RuntimeWarning, match="no such processor"):
        history = cp.Trainer(epochs=2).fit(network, X, (X[:, 0] > 0).astype(int))
    assert len(history) == 2


@pytest.mark.parametrize("threads", [1, available_cores()])
@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize(
    "optimizer",
    [
        cp.SGD(1e-3, alpha=3.0, weight_decay=0.5),
        cp.Momentum(1e-3, alpha=3.0),
        cp.Nesterov(1e-3, alpha=3.0),
    ],
)
def test_l2_in_sample_space_is_that_of_the_weights(
    optimizer: cp.Optimizer,
    batch_size: int | None,
    threads: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random_state = np.random.RandomState(0)
    X, y = random_state.randn(20, 300), random_state.randint(0, 3, 20)
    layers: list[cp.Layer] = [cp.Dense(9), cp.Tanh(), cp.Dense(3)]

    def losses(mode: str, **settings: Any) -> np.ndarray:
        settings |= {"optimizer": optimizer, "epochs": 8, "batch_size": batch_size}
        _, history = trained(mode, layers, cp.SoftmaxCrossEntropy(), X, y, settings, None)
        return np.array(history["loss"])

    plain = losses("numpy", sample_space=False)
    assert plain[0] > np.log(3) + 1, "L2 must weigh"
    monkeypatch.delattr("clearprop.training.step.PlainStep.__call__")
    compiled = losses("compiled", sample_space=True, threads=threads)
    np.testing.assert_allclose(compiled, plain, rtol=1e-9)


@pytest.mark.slow
def test_the_name_on_disk_is_that_of_all_the_code_inside() -> None:
    from clearprop.compiled import crew, threads

    def called(y: Any) -> Any:
        return y

    def caller(y: Any) -> Any:
        return called(y)

    before = threads.compiled(caller).py_func.__qualname__
    caller.__qualname__ = "caller"
    threads.part(called)
    assert threads.compiled(caller).py_func.__qualname__ != before
    script = "from clearprop.compiled import crew; print(crew.train.py_func.__qualname__)"
    for seed in "12":  # of Python's hashes
        found = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.strip() == crew.train.py_func.__qualname__

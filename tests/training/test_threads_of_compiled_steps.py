"""However many threads take a compiled step together, it is the same step, every time."""

from typing import Any, NamedTuple

import numpy as np
import pytest

import clearprop as cp
from clearprop.compiled import FusedSteps
from clearprop.core.blas import blas_threads
from clearprop.training.engines import Engine, SampleSpaceEngine

pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")

THREADS = 8  # more than most machines have cores: some wait while others have not begun
SAMPLES, BATCH, CALLS, UPDATES = 50, 13, 6, 50
LAYERS = [cp.Dense(11), cp.ReLU(), cp.Dropout(0.3), cp.Dense(5), cp.LeakyReLU(0.1), cp.Dense(3)]

ways = pytest.mark.parametrize(
    ("optimizer", "sample_space"),
    [
        (cp.AdamW(0.003, alpha=0.5), False),
        (cp.Nesterov(0.003, alpha=0.5), False),
        (cp.Nesterov(0.003, alpha=0.5), True),
    ],
    ids=["AdamW", "Nesterov", "Nesterov in sample space"],
)


class Trained(NamedTuple):
    losses: np.ndarray
    logits: np.ndarray
    parameters: np.ndarray


def train(optimizer: cp.Optimizer, sample_space: bool, threads: int) -> Trained:
    """Do some hundred updates by batches that no number of threads divides."""
    random_state = np.random.RandomState(0)
    X, y = random_state.randn(SAMPLES, 70), random_state.randint(0, 3, SAMPLES)
    network = cp.Network(LAYERS, loss=cp.SoftmaxCrossEntropy(), input_shape=(70,), seed=1)
    kind = SampleSpaceEngine if sample_space else Engine
    engine = kind(network, network.loss, X, None)
    steps = FusedSteps(
        engine.stack,
        engine.loss,
        optimizer,
        optimizer.start(engine.parameters),
        **engine.compiled_inputs()._asdict(),
        y=y,
        weights=random_state.uniform(0.5, 2, SAMPLES),
        batch_size=BATCH,
        threads=threads,
        random_state=random_state,
    )
    losses: list[float] = []
    logits: list[Any] = []
    with blas_threads(1):
        for call in range(CALLS):
            rows = random_state.randint(0, SAMPLES, UPDATES * BATCH)
            found, last = steps(call * UPDATES, rows, [BATCH] * UPDATES)
            losses += found
            logits.append(last)
    return Trained(np.array(losses), np.concatenate(logits), engine.parameters.data)


@ways
def test_many_threads_do_what_one_does(optimizer: cp.Optimizer, sample_space: bool) -> None:
    alone, together = (train(optimizer, sample_space, threads) for threads in (1, THREADS))
    assert alone.losses[-UPDATES:].mean() < 0.8 * alone.losses[:UPDATES].mean(), "it must learn"
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-11)


@pytest.mark.slow
@ways
def test_many_threads_do_the_same_to_the_bit_every_time(
    optimizer: cp.Optimizer, sample_space: bool
) -> None:
    first = train(optimizer, sample_space, THREADS)
    for _ in range(20):
        for one, other in zip(first, train(optimizer, sample_space, THREADS), strict=True):
            np.testing.assert_array_equal(other, one)

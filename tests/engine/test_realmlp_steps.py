"""The training of RealMLP against steps that pytabkit did, from the same weights and batches."""

from collections.abc import Iterator

import numpy as np
import pytest
from golden_values import below, golden

import clearprop as cp
from clearprop.compiled import TableSteps

GOLDEN = golden("realmlp_steps")
OF = 400  # updates of the training that the steps are part of, as in tests/golden/realmlp_steps.py
STARTS = (0, 120, 320)


class Recorded:
    """Stands for a source of random numbers, and lets stay what stayed in the recorded steps."""

    def __init__(self, kept: Iterator[np.ndarray]) -> None:
        self.kept = kept

    def randint(self, low: int, high: int, size: int, dtype: type) -> np.ndarray:
        """Return two bytes a number: the largest number where it stays, else 0."""
        drawn = np.where(next(self.kept), 2**16 - 1, 0).astype("<u2").tobytes()
        assert (low, high, dtype, len(drawn)) == (0, 2**32, np.uint32, 4 * size)
        return np.frombuffer(drawn, "<u4")


def network(loss: cp.Loss, activation: cp.Layer, outputs: int) -> cp.Network:
    hidden = [
        cp.NTKDense(4, bias_rate=0.1),
        cp.Blend(activation, rate=0.1),
        cp.Dropout(cp.FlatCosineSchedule(0.15, OF)),
    ]
    columns = cp.Columns(
        ((0, 2), (0, 6), (6, 7)),
        (
            cp.PeriodicEmbedding(frequencies=4, rate=0.1),
            cp.Sequential(()),
            cp.Embedding((11,), width=3),
        ),
    )
    return cp.Network(
        [columns, cp.Scale(rate=6), *hidden * 3, cp.NTKDense(outputs, bias_rate=0.1)],
        loss=loss,
        input_shape=(7,),
    )


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("task", ["classes", "values"])
@pytest.mark.parametrize("by", ["layers", pytest.param("compiled", marks=pytest.mark.slow)])
def test_twenty_steps_are_those_of_pytabkit(by: str, task: str, start: int) -> None:
    if by == "compiled":
        pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    steps, y = below(GOLDEN, f"{task}/{start}"), GOLDEN[f"{task}/y"]
    if task == "classes":
        net, rate = network(cp.SmoothedCrossEntropy(0.1), cp.SELU(), 3), 0.04
    else:
        net, rate = network(cp.MeanSquaredError(), cp.Mish(), 1), 0.2
        y = (y - y.mean()) / y.std()
    optimizer = cp.AdamW(
        cp.CosLogSchedule(rate, OF),
        beta_2=0.95,
        weight_decay=cp.FlatCosineSchedule(0.02, OF),
    )
    net.parameters.data[...] = steps["start"]
    state = optimizer.start(net.parameters)
    state["m"][...], state["v"][...] = steps["m"], steps["v"]
    kept = iter(steps["kept"].reshape(-1, *steps["kept"].shape[2:]))
    do = updates(by, net, optimizer, state, y, Recorded(kept), len(steps["rows"][0]))
    for step, (rows, after) in enumerate(zip(steps["rows"], steps["after"], strict=True), start):
        do(step, rows)
        np.testing.assert_allclose(
            net.parameters.data, after, rtol=1e-9, atol=1e-9, err_msg=f"after step {step}"
        )
    assert next(kept, None) is None
    moved = np.abs(after - steps["start"]).reshape(-1)
    assert np.median(moved) > 1e-3


def updates(by, net, optimizer, state, y, source, size):
    """Return a function that does the update of some rows."""
    if by == "compiled":
        compiled = TableSteps(
            net, net.loss, optimizer, state, GOLDEN["X"], net.targets(y), None, size, 2, source
        )
        return lambda step, rows: compiled(step, rows.astype(np.int64), [len(rows)])
    trace = cp.Trace(training=True, random_state=source)

    def update(step, rows):
        trace.step = step
        _, gradient = net.loss_and_gradient(GOLDEN["X"][rows], y[rows], trace=trace)
        optimizer.step(net.parameters, gradient, state, step)

    return update

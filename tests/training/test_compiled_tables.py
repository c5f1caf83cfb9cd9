"""Compiled steps of tables' networks train as the layers do, and threads change no bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clearprop as cp
from clearprop.compiled import TableSteps, is_table
from clearprop.core.kernels import kernel
from clearprop.errors import DataError

pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
pytestmark = pytest.mark.slow  # its code takes a while to compile

UPDATES = 12


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[cp.Layer], dict[str, Any]]:
    """Draw the layers of a table's network, and the columns that it takes."""
    columns: dict[str, Any] = {
        "numbers": draw(st.integers(0, 3)),
        "plain": draw(st.integers(0, 3)),
        "sizes": draw(st.lists(st.integers(1, 5), max_size=3)),
    }
    if not any(columns.values()):
        columns["plain"] = 1
    layers: list[cp.Layer] = [
        cp.Columns.of_table(**columns, rate=draw(st.sampled_from([0.1, 1.0]))),
        cp.Scale(rate=6),
    ]
    for _ in range(draw(st.integers(0, 3))):
        bias = draw(st.booleans())
        layers.append(cp.NTKDense(draw(st.integers(1, 9)), bias=bias, bias_rate=0.1))
        layers.append(cp.Blend(draw(st.sampled_from([cp.SELU(), cp.Mish()])), rate=0.1))
        if draw(st.booleans()):
            rate = draw(st.sampled_from([0.3, cp.FlatCosineSchedule(0.4, UPDATES)]))
            layers.append(cp.Dropout(rate))
    return layers, columns


def samples(random: np.random.RandomState, count: int, columns: dict[str, Any]) -> np.ndarray:
    numbers = random.normal(size=(count, columns["numbers"] + columns["plain"]))
    codes = [random.randint(0, size, (count, 1)) for size in columns["sizes"]]
    return np.concatenate([numbers, *codes], axis=1)


def trained(mode: str, make: Any, X: Any, y: Any, weights: Any, how: dict[str, Any]) -> Any:
    before = kernel._mode
    kernel._mode = kernel._Mode(mode)
    try:
        network = make()
        history = cp.Trainer(**how).fit(network, X, y, sample_weight=weights)
    finally:
        kernel._mode = before
    return network, history


@settings(max_examples=60)
@given(
    drawn=networks(),
    seed=st.integers(0, 1000),
    count=st.integers(2, 40),
    weighted=st.booleans(),
    loss=st.sampled_from(
        [
            (cp.SoftmaxCrossEntropy(), 3),
            (cp.SmoothedCrossEntropy(0.1), 2),
            (cp.MeanSquaredError(), 2),
        ]
    ),
    batch_size=st.sampled_from([None, 7, 16]),
)
def test_they_train_as_the_layers_do(
    drawn: tuple[list[cp.Layer], dict[str, Any]],
    seed: int,
    count: int,
    weighted: bool,
    loss: tuple[cp.Loss, int],
    batch_size: int | None,
) -> None:
    layers, columns = drawn
    random = np.random.RandomState(seed)
    X = samples(random, count, columns)
    of, outputs = loss
    y = (
        random.normal(size=(count, 2))
        if outputs == 2 and isinstance(of, cp.MeanSquaredError)
        else None
    )
    y = random.randint(0, outputs, count) if y is None else y
    weights = random.uniform(0.1, 2, count) if weighted else None
    optimizer = cp.AdamW(
        cp.CosLogSchedule(0.05, UPDATES),
        beta_2=0.95,
        weight_decay=cp.FlatCosineSchedule(0.02, UPDATES),
    )
    how = {"optimizer": optimizer, "epochs": 4, "batch_size": batch_size, "seed": seed}

    def make() -> cp.Network:
        shape = (X.shape[1],)
        return cp.Network(
            [*layers, cp.NTKDense(outputs, bias_rate=0.1)], loss=of, input_shape=shape, seed=seed
        )

    assert is_table(make(), of, optimizer)
    (plain, told), (fast, found) = (
        trained(mode, make, X, y, weights, how) for mode in ("numpy", "compiled")
    )
    size = np.abs(plain.parameters.data).max()
    np.testing.assert_allclose(
        fast.parameters.data, plain.parameters.data, rtol=0, atol=1e-8 * size
    )
    assert fast.passes is not None
    many = samples(random, 300, columns)
    np.testing.assert_allclose(fast.passes.logits(many), fast.forward(many), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        [row["loss"] for row in found.rows], [row["loss"] for row in told.rows], rtol=1e-9
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_thread_and_two_give_the_same_bits(dtype: str) -> None:
    random = np.random.RandomState(0)
    columns = {"numbers": 4, "plain": 3, "sizes": (9, 5)}
    X = samples(random, 300, columns).astype(dtype)
    y = random.randint(0, 3, 300)
    found = []
    for threads in (1, 2):
        layers = [cp.Columns.of_table(**columns, rate=0.1), cp.Scale(rate=6)]
        for _ in range(2):
            layers += [cp.NTKDense(32), cp.Blend(cp.SELU(), rate=0.1), cp.Dropout(0.15)]
        network = cp.Network(
            [*layers, cp.NTKDense(3)],
            loss=cp.SmoothedCrossEntropy(0.1),
            input_shape=(9,),
            dtype=dtype,
        )
        optimizer = cp.AdamW(0.04)
        state = optimizer.start(network.parameters)
        source = np.random.RandomState(1)
        steps = TableSteps(
            network, network.loss, optimizer, state, X, y, None, 128, threads, source
        )
        rows = np.random.RandomState(2).permutation(300)[:256]
        losses, logits = steps(0, rows, [128, 128])
        found.append((losses, logits.tobytes(), network.parameters.data.tobytes()))
    assert found[0] == found[1]


def test_a_code_without_a_row_is_refused_before_anything_changes() -> None:
    layers = [cp.Columns.of_table(plain=1, sizes=(3,)), cp.Scale(), cp.NTKDense(2)]
    network = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(2,))
    optimizer = cp.AdamW(0.01)
    X = np.array([[0.5, 1.0], [0.5, 3.0]])
    given = network, network.loss, optimizer, optimizer.start(network.parameters), X
    with pytest.raises(DataError, match="column 0 those from 0 to 2; found 3"):
        TableSteps(*given, np.zeros(2, np.int64), None, 2, 1, np.random.RandomState(0))


@pytest.mark.parametrize(
    "layers",
    [
        [cp.Scale(), cp.NTKDense(2)],
        [cp.Columns.of_table(plain=2), cp.NTKDense(2)],
        [cp.Columns.of_table(plain=2), cp.Scale(), cp.Dense(2)],
        [
            cp.Columns.of_table(plain=2),
            cp.Scale(),
            cp.NTKDense(3),
            cp.Blend(cp.GELU()),
            cp.NTKDense(2),
        ],
        [cp.Columns(((0, 1), (1, 2)), (cp.Sequential(()),) * 2), cp.Scale(), cp.NTKDense(2)],
    ],
)
def test_other_networks_are_not_taken_for_a_tables(layers: list[cp.Layer]) -> None:
    network = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(2,))
    assert not is_table(network, network.loss, cp.AdamW(0.01))

"""Networks of tables in the page's engine: columns, embeddings, learned factors, as in Python."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_networks import CODE_CASES, LAYER_CASES, codes_and_numbers, randomized
from twins import assert_trains_alike, in_base64

import clearprop as cp
from clearprop.network import Network


@pytest.mark.parametrize("layer", LAYER_CASES, ids=repr)
def test_every_layer_of_flat_samples_trains_alike(engine: Any, layer: cp.Layer) -> None:
    random = np.random.RandomState(0)
    net = Network([cp.Dense(5), layer, cp.Dense(2)], loss=cp.MeanSquaredError(), input_shape=(4,))
    x, y = random.standard_normal((7, 4)), random.standard_normal((7, 2))
    assert_trains_alike(engine, randomized(net, random), x, y, seed=1)


@pytest.mark.parametrize("layer", CODE_CASES, ids=repr)
def test_every_layer_of_codes_trains_alike(engine: Any, layer: cp.Layer) -> None:
    random = np.random.RandomState(0)
    net = Network([layer, cp.Dense(2)], loss=cp.MeanSquaredError(), input_shape=(5,))
    x, y = codes_and_numbers(layer, 7), random.standard_normal((7, 2))
    assert_trains_alike(engine, randomized(net, random), x, y, optimizer=cp.Adam(0.003))


@given(
    numbers=st.integers(0, 3),
    plain=st.integers(0, 2),
    sizes=st.lists(st.integers(1, 5), max_size=3),
    seed=st.integers(0, 1000),
)
def test_a_network_as_realmlp_has_it_trains_alike(
    engine: Any, numbers: int, plain: int, sizes: list[int], seed: int
) -> None:
    columns = numbers + plain + len(sizes)
    if not columns:
        sizes, columns = [2], 1
    first = cp.Columns.of_table(numbers=numbers, plain=plain, sizes=sizes, rate=0.1)
    hidden = [cp.NTKDense(5, bias_rate=0.1), cp.Blend(cp.SELU(), rate=0.1), cp.Dropout(0.15)]
    layers = [first, cp.Scale(rate=6), *hidden, cp.NTKDense(3)]
    loss = cp.SmoothedCrossEntropy()
    random = np.random.RandomState(seed)
    net = randomized(Network(layers, loss=loss, input_shape=(columns,)), random)
    x, y = codes_and_numbers(first, 6, columns), random.randint(0, 3, 6)
    assert_trains_alike(engine, net, x, y, optimizer=cp.AdamW(0.002), seed=seed)


@pytest.mark.parametrize("code", [-1, 3, 0.5])
def test_a_code_without_a_row_is_named(
    engine: Any, node_error: type[Exception], code: float
) -> None:
    layers = [cp.Embedding((3,)), cp.Dense(1)]
    net = Network(layers, loss=cp.MeanSquaredError(), input_shape=(1,))
    with pytest.raises(node_error, match=r"column 0 those from 0 to 2; found "):
        engine.ask(ask="repeated", model=in_base64(net), x=[code], n=1)

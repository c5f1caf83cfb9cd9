"""The gradient of all samples by compiled passes is that of the layers, up to rounding."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clearprop as cp
from clearprop.compiled import FusedGradient, is_plain_chain, runners

pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")

LOSSES = {
    "binary": cp.BinaryCrossEntropy(),
    "labels": cp.SoftmaxCrossEntropy(),
    "rows": cp.SoftmaxCrossEntropy(),
    "values": cp.MeanSquaredError(),
}


def targets(kind: str, N: int, K: int, random_state: np.random.RandomState) -> np.ndarray:
    """Draw targets of a kind."""
    if kind == "labels":
        return random_state.randint(0, K, N)
    if kind == "rows":
        return random_state.dirichlet(np.ones(K), N)
    return random_state.randint(0, 2, (N, K)) * (1.0 if kind == "binary" else random_state.randn())


@settings(max_examples=60, deadline=None)
@given(
    units=st.lists(st.integers(1, 9), max_size=3),
    activation=st.sampled_from([None, cp.ReLU(), cp.LeakyReLU(0.1), cp.Sigmoid(), cp.Tanh()]),
    bias=st.booleans(),
    kind=st.sampled_from(sorted(LOSSES)),
    weighted=st.booleans(),
    N=st.integers(1, 50),
    threads=st.integers(1, 3),
    chunk=st.sampled_from([1, 40, 10_000]),
    seed=st.integers(0, 999),
)
def test_loss_and_gradient_are_those_of_the_layers(
    units: list[int],
    activation: cp.Layer | None,
    bias: bool,
    kind: str,
    weighted: bool,
    N: int,
    threads: int,
    chunk: int,
    seed: int,
) -> None:
    random_state = np.random.RandomState(seed)
    layers: list[cp.Layer] = []
    for width in units:
        layers += [cp.Dense(width, bias=bias), *([activation] if activation else [])]
    X, y = random_state.randn(N, 5), targets(kind, N, 3, random_state)
    weights = random_state.uniform(0, 2, N) if weighted else None
    net = cp.Network([*layers, cp.Dense(3)], loss=LOSSES[kind], input_shape=(5,), seed=seed)
    y = net.targets(y)
    loss, gradient = net.loss_and_gradient(X, y, weights)
    assert is_plain_chain(net, net.loss)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runners, "_CHUNK", chunk)
        passes = FusedGradient(net, net.loss, X, y, weights, threads)
    for _ in range(2):  # what the first call has left behind does no harm
        assert passes() == pytest.approx(loss, rel=1e-12)
        np.testing.assert_allclose(passes.gradient.data, gradient.data, rtol=1e-9, atol=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_follows_the_parameters(dtype: Any) -> None:
    X = np.random.RandomState(0).randn(200, 4).astype(dtype)
    y = np.arange(200) % 3
    net = cp.Network(
        [cp.Dense(7), cp.Tanh(), cp.Dense(3)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(4,),
        dtype=dtype,
    )
    passes = FusedGradient(net, net.loss, X, y, None, 2)
    first = passes()
    for _ in range(20):
        net.parameters.data -= passes.gradient.data
        loss = passes()
        assert loss == pytest.approx(net.loss_and_gradient(X, y)[0], rel=1e-5)
    assert loss < first
    assert passes.gradient.data.dtype == dtype


def test_what_is_no_number_is_no_number_afterwards() -> None:
    X, y = np.ones((5, 2)), np.ones((5, 1))
    net = cp.Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(2,))
    net.parameters.data[...] = np.inf
    assert not np.isfinite(FusedGradient(net, net.loss, X, y, None, 1)())


def test_what_is_drawn_or_unknown_is_left_to_the_layers() -> None:
    class Own(cp.ReLU):
        pass

    for layer, known in ((cp.ReLU(), True), (cp.Dropout(0.5), False), (Own(), False)):
        net = cp.Network(
            [cp.Dense(3), layer, cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(2,)
        )
        assert is_plain_chain(net, net.loss) == known

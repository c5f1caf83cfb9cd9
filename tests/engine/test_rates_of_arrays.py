"""Arrays with factors of the learning rate, and weight decay that changes with the step."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.compiled import is_chain, is_pictures
from clearprop.core import kernels
from clearprop.core.kernels import kernel
from clearprop.optimizers import OPTIMIZERS, base

ELEMENT_WISE = [name for name, kind in OPTIMIZERS.items() if not kind.full_batch]
NO_DECAY = {"adamw": {"weight_decay": 0.0}}
DECAYING = ["sgd", "momentum", "nesterov", "adamw"]
DECAY = cp.FlatCosineSchedule(0.3, steps=10)


def vector(rates: list[float], size: int = 5) -> cp.ParameterVector:
    specs = {
        f"{place}.W": cp.Parameter((size,), cp.Normal(1.0), decays=place % 2 == 0, rate=rate)
        for place, rate in enumerate(rates)
    }
    made = cp.ParameterVector(specs, np.float64)
    made.initialize(np.random.RandomState(len(rates)))
    return made


def trained(
    optimizer: cp.Optimizer, parameters: cp.ParameterVector, seed: int
) -> cp.ParameterVector:
    random_state = np.random.RandomState(seed)
    state, gradient = optimizer.start(parameters), parameters.like()
    for step in range(12):
        gradient.data[...] = random_state.standard_normal(gradient.data.size)
        optimizer.step(parameters, gradient, state, step)
    return parameters


@given(
    name=st.sampled_from(ELEMENT_WISE),
    rates=st.lists(st.sampled_from([0.1, 1.0, 6.0]), min_size=1, max_size=5),
    scheduled=st.booleans(),
    seed=st.integers(0, 99),
)
def test_each_array_moves_as_if_it_had_been_alone_with_its_own_rate(
    name: str, rates: list[float], scheduled: bool, seed: int
) -> None:
    def optimizer(factor: float) -> cp.Optimizer:
        rate = cp.CosineSchedule(0.1 * factor, steps=15) if scheduled else 0.1 * factor
        return OPTIMIZERS[name](rate, **NO_DECAY.get(name, {}))

    parameters, alone = vector(rates), vector([1.0] * len(rates))
    first = parameters.copy()
    trained(optimizer(1.0), parameters, seed)
    for place, factor in enumerate(rates):
        alone.data[...] = first.data
        trained(optimizer(factor), alone, seed)
        key = f"{place}.W"
        np.testing.assert_allclose(parameters[key], alone[key], rtol=1e-12)


@pytest.mark.parametrize("decay", [0.3, DECAY], ids=["a number", "a schedule"])
@pytest.mark.parametrize("name", DECAYING)
def test_decay_holds_the_factor_of_an_array_twice(name: str, decay: float | cp.Schedule) -> None:
    rate, factors = cp.CosLogSchedule(0.2, steps=20), [6.0, 6.0, 1.0, 0.1, 0.1]
    parameters = vector(factors)
    optimizer = OPTIMIZERS[name](rate, weight_decay=decay)
    plain = replace(optimizer, weight_decay=0.0)
    state, twin_state = optimizer.start(parameters), plain.start(parameters)
    twin, gradient = parameters.copy(), parameters.like()
    random_state = np.random.RandomState(2)
    for step in range(12):
        gradient.data[...] = random_state.standard_normal(gradient.data.size)
        strength = decay(step) if isinstance(decay, cp.Schedule) else decay
        for place, factor in enumerate(factors):
            if place % 2 == 0:
                twin[f"{place}.W"][...] *= 1 - rate(step) * strength * factor**2
        plain.step(twin, gradient, twin_state, step)
        optimizer.step(parameters, gradient, state, step)
    np.testing.assert_allclose(parameters.data, twin.data, rtol=1e-12)


@given(
    rates=st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=0, max_size=6),
    size=st.integers(1, 4),
)
def test_stretches_cover_the_vector_once_and_differ_from_their_neighbours(
    rates: list[float], size: int
) -> None:
    parameters = vector(rates, size)
    spread = np.zeros(len(parameters.data))
    for stretch, rate in parameters.stretches:
        spread[stretch] += rate
    np.testing.assert_array_equal(spread, np.repeat(rates, size))
    found = [rate for _, rate in parameters.stretches]
    assert all(one != other for one, other in pairwise(found))


@pytest.mark.parametrize("mode", ["numpy", "compiled"])
def test_blocks_of_a_stretch_change_no_bit(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if mode == "compiled":
        pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    monkeypatch.setattr(kernel, "_mode", kernel._Mode(mode))
    assert kernels.are_compiled() == (mode == "compiled")
    optimizer = cp.AdamW(0.1, weight_decay=0.2)
    whole = trained(optimizer, vector([1.0, 6.0, 6.0], 20), 3)
    monkeypatch.setattr(base, "_BLOCK", 7)
    monkeypatch.setattr(base, "_LONG_BLOCK", 7)
    in_blocks = trained(optimizer, vector([1.0, 6.0, 6.0], 20), 3)
    np.testing.assert_array_equal(whole.data, in_blocks.data)


@dataclass(frozen=True)
class Slow(cp.Dense):
    """A Dense layer whose biases have a learning rate of their own."""

    weights = "W"

    def build(self, in_shape: tuple[int, ...]) -> cp.Built:
        built = super().build(in_shape)
        b = replace(built.parameters["b"], rate=0.5)
        return replace(built, parameters={**built.parameters, "b": b})


def test_compiled_steps_and_sample_space_leave_other_rates_alone() -> None:
    plain, slow = (
        cp.Network(
            [kind(3), cp.ReLU(), cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(90,)
        )
        for kind in (cp.Dense, Slow)
    )
    for optimizer in (cp.SGD(0.1), cp.AdamW(0.1, weight_decay=DECAY)):
        assert is_chain(plain, plain.loss, optimizer)
        assert not is_chain(slow, slow.loss, optimizer)
        assert not is_pictures(slow, slow.loss, optimizer)
    X, y = np.random.RandomState(0).standard_normal((6, 90)), [0, 1, 0, 1, 1, 0]
    twin = cp.Network(
        [cp.Dense(3), cp.ReLU(), Slow(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(90,)
    )
    with pytest.raises(cp.ClearpropError, match="same learning rate"):
        cp.Trainer(optimizer=cp.SGD(0.1), sample_space=True).fit(twin, X, y)


@pytest.mark.slow
def test_compiled_steps_follow_a_decay_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    X = np.random.RandomState(0).standard_normal((30, 4))
    y = (X[:, 0] > 0).astype(int)
    optimizer = cp.AdamW(0.05, weight_decay=cp.FlatCosineSchedule(3.0, steps=30))

    def weights(mode: str, optimizer: cp.Optimizer) -> np.ndarray:
        monkeypatch.setattr(kernel, "_mode", kernel._Mode(mode))
        net = cp.Network(
            [cp.Dense(3), cp.Tanh(), cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4,)
        )
        cp.Trainer(optimizer=optimizer, epochs=10, batch_size=10).fit(net, X, y)
        return net.parameters.data

    compiled, plain = weights("compiled", optimizer), weights("numpy", optimizer)
    np.testing.assert_allclose(compiled, plain, rtol=1e-9)
    assert not np.allclose(plain, weights("numpy", replace(optimizer, weight_decay=3.0)), rtol=1e-3)


@pytest.mark.parametrize("loss", [cp.SmoothedCrossEntropy(0.2), cp.MeanSquaredError()], ids=repr)
@pytest.mark.parametrize("soft", [False, True])
def test_a_walk_writes_the_rates_and_the_smoothed_labels_that_were_used(
    loss: cp.Loss, soft: bool
) -> None:
    X = np.random.RandomState(4).standard_normal((4, 2))
    y = np.array([0, 2, 1, 1]) if not soft and loss.classifies else np.full((4, 3), 1 / 3)
    net = cp.Network([Slow(3), cp.Tanh(), cp.Dense(3)], loss=loss, input_shape=(2,))
    walked = cp.walk(net, X, y, optimizer=cp.AdamW(0.1, weight_decay=DECAY))
    assert "b has 0.5 times the learning rate" in " ".join(str(walked).split())
    checked = 0
    for step in walked.steps:
        for found in step.quantities:
            for index in np.ndindex(found.shape):
                entry = found.entry(*index)
                if entry.total is not None:
                    assert entry.total == pytest.approx(entry.value, rel=1e-9, abs=1e-12), entry
                    checked += 1
    assert checked > 50

"""Compiled steps of convolutions train as the layers themselves do, up to rounding."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

import clearprop as cp
from clearprop.compiled import PicturePasses, PictureSteps, is_pictures
from clearprop.core.kernels import kernel

pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
pytestmark = pytest.mark.slow  # its code takes most of a minute to compile

OPTIMIZERS: list[cp.Optimizer] = [
    cp.SGD(0.01, alpha=0.1, weight_decay=0.02),
    cp.Momentum(0.002),
    cp.Adam(0.01, alpha=0.2),
    cp.AdamW(cp.StepSchedule(0.02, 5)),
]


def trained(
    mode: str,
    layers: list[cp.Layer],
    X: Any,
    y: Any,
    weights: Any = None,
    *,
    seed: int = 3,
    **how: Any,
) -> tuple[cp.Network, cp.History]:
    """Train a network with or without compiled steps."""
    before = kernel._mode
    kernel._mode = kernel._Mode(mode)
    try:
        loss = cp.SoftmaxCrossEntropy()
        network = cp.Network(layers, loss=loss, input_shape=X.shape[1:], seed=seed, dtype=X.dtype)
        history = cp.Trainer(**how).fit(network, X, y, sample_weight=weights)
    finally:
        kernel._mode = before
    return network, history


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[cp.Layer], tuple[int, ...]]:
    """Draw blocks of convolutions, dense layers above them, and the shape of a picture."""
    height, width = shape = draw(st.integers(4, 15)), draw(st.integers(4, 15))
    channels = draw(st.sampled_from([None, 1, 2, 3, 17]))
    layers: list[cp.Layer] = []
    for _ in range(draw(st.integers(1, 3))):
        norm = draw(st.booleans())
        kernel, filters = draw(st.sampled_from([1, 3, 5])), draw(st.integers(1, 20))
        layers.append(cp.Conv2D(filters, kernel, bias=not norm and draw(st.booleans())))
        layers += [cp.BatchNorm(momentum=draw(st.sampled_from([0.1, 1.0])))] if norm else []
        layers += [cp.ReLU()] if draw(st.booleans()) else []
        if draw(st.booleans()):
            inside: list[cp.Layer] = [cp.Conv2D(draw(st.integers(1, 20)), bias=False)]
            inside += [cp.BatchNorm()] if draw(st.booleans()) else []
            inside += [cp.ReLU(), cp.Conv2D(filters)]
            layers += [cp.Residual(inside), *([cp.ReLU()] if draw(st.booleans()) else [])]
        if min(height, width) >= 4 and draw(st.booleans()):
            layers.append(cp.MaxPool2D())
            height, width = height // 2, width // 2
    layers.append(draw(st.sampled_from([cp.Flatten(), cp.GlobalAveragePool2D()])))
    if draw(st.booleans()):
        layers += [cp.Dense(draw(st.integers(1, 9))), cp.ReLU(), cp.Dropout(0.4)]
    return [*layers, cp.Dense(3)], shape if channels is None else (*shape, channels)


@settings(max_examples=80)
@given(
    network=networks(),
    seed=st.integers(0, 1000),
    samples=st.integers(2, 30),
    weighted=st.booleans(),
    optimizer=st.sampled_from(OPTIMIZERS),
    batch_size=st.sampled_from([None, 3, 8, 13]),
    threads=st.sampled_from([1, 2]),
    augment=st.sampled_from([(), (cp.Mixup(),)]),
)
def test_the_same_numbers_as_by_the_layers(
    network: tuple[list[cp.Layer], tuple[int, ...]],
    seed: int,
    samples: int,
    weighted: bool,
    optimizer: cp.Optimizer,
    batch_size: int | None,
    threads: int,
    augment: tuple[Any, ...],
) -> None:
    layers, shape = network
    random_state = np.random.RandomState(seed)
    X, y = random_state.rand(samples, *shape), random_state.randint(0, 3, samples)
    weights = random_state.randint(1, 3, samples).astype(float) if weighted else None
    how = {"optimizer": optimizer, "batch_size": batch_size, "threads": threads, "epochs": 2}
    if augment and len(shape) == 3 and shape[2] == 17:
        augment = ()  # no picture has so many
    try:
        plain, by_layers = trained("numpy", layers, X, y, weights, augment=augment, **how)
    except cp.errors.DivergedError:
        reject()
    assume(max(by_layers["loss"]) < 100)
    assume(is_pictures(plain, plain.loss, optimizer))
    compiled, at_once = trained("compiled", layers, X, y, weights, augment=augment, **how)
    np.testing.assert_allclose(at_once["loss"], by_layers["loss"], rtol=1e-7, atol=1e-10)
    for found, wanted in (
        (compiled.parameters.data, plain.parameters.data),
        (compiled.state.data, plain.state.data),
        (compiled.logits(X), plain.logits(X)),
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


def layers_of(norm: bool) -> list[cp.Layer]:
    layers: list[cp.Layer] = []
    for filters in (6, 20):
        layers.append(cp.Conv2D(filters, bias=not norm))
        layers += [*([cp.BatchNorm()] if norm else []), cp.ReLU(), cp.MaxPool2D()]
    return [*layers, cp.Flatten(), cp.Dense(10), cp.ReLU(), cp.Dense(3)]


def pictures(dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    random_state = np.random.RandomState(0)
    y = random_state.randint(0, 3, 70)
    X = random_state.rand(3, 12, 10, 3)[y] + 0.3 * random_state.randn(70, 12, 10, 3)
    return X.astype(dtype), y


@pytest.mark.parametrize("norm", [False, True])
def test_float32_differs_from_float64_by_rounding(norm: bool) -> None:
    weights = [
        trained("compiled", layers_of(norm), *pictures(dtype), epochs=1, batch_size=16)[0]
        for dtype in (np.float32, np.float64)
    ]
    single, double = (network.parameters.data for network in weights)
    assert np.abs(single - double).max() < 1e-4
    assert np.abs(single - double).max() > 0


@pytest.mark.parametrize("norm", [False, True])
def test_filters_get_the_same_numbers_however_many_threads_there_are(norm: bool) -> None:
    one, two = (
        trained("compiled", [*layers_of(norm)[:-4], cp.Flatten(), cp.Dense(3)],
                *pictures(np.float32), epochs=3, batch_size=20, threads=threads)[0]
        for threads in (1, 2)
    )  # fmt: skip
    # Products of Dense layers are the library's, which sums up as it pleases.
    np.testing.assert_allclose(one.parameters.data, two.parameters.data, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("norm", [False, True])
def test_gradients_of_filters_have_the_same_bits_for_any_number_of_threads(norm: bool) -> None:
    X, _ = pictures(np.float32)
    rows, weights = np.arange(45), np.linspace(0.5, 2, 45, dtype=np.float32)

    def filters(threads: int, order: Any = rows) -> bytes:
        """Do three updates of batches of 15, and return all weights below the Dense layer."""
        network = cp.Network(
            [*layers_of(norm)[:-3], cp.Dense(1)],
            loss=cp.BinaryCrossEntropy(), input_shape=X.shape[1:], seed=1, dtype=X.dtype,
        )  # fmt: skip
        dense = [one for name, one in network.parameters.items() if name[0] == name_of_dense]
        first = [one.copy() for one in dense]
        y = network.targets(np.zeros(45, np.int64))
        steps = PictureSteps(
            network, network.loss, cp.SGD(0.05), {}, 15, threads, np.random.RandomState(0)
        )
        for step in range(3):
            for one, begun in zip(dense, first, strict=True):
                one[...] = begun
            # Products of Dense layers are the library's, which sums up as it pleases. So the
            # gradient may not depend on their last digits: at such a logit the probability is 1.
            dense[1][...] = 100
            some = order[step * 15 : step * 15 + 15]
            steps(step, X[some], y[some], weights[some])
        return b"".join(
            one.tobytes() for name, one in network.parameters.items() if name[0] != name_of_dense
        )

    name_of_dense = str(len(layers_of(norm)) - 3)
    one = filters(1)
    assert [filters(threads) for threads in (2, 3, 8)] == [one] * 3
    turned = np.concatenate([rows[start : start + 15][::-1] for start in (0, 15, 30)])
    assert filters(1, turned) != one  # another order of the sums has other bits


def test_a_loss_that_is_not_finite_changes_nothing() -> None:
    X, y = pictures(np.float64)
    with pytest.raises(cp.errors.DivergedError):
        trained("compiled", layers_of(True), X, y, optimizer=cp.SGD(1e200), epochs=3)


def test_passes_that_predict_give_the_layers_logits_whatever_their_number() -> None:
    X, y = pictures(np.float64)
    network, _ = trained("numpy", layers_of(True), X, y, epochs=2)
    passes = PicturePasses(network, network.loss, 2)
    for count in (0, 1, 63, 64, 70):
        found = passes.logits(X[:count])
        np.testing.assert_allclose(found, network.logits(X[:count]), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "layers",
    [
        [cp.Conv2D(4, stride=2), cp.Flatten(), cp.Dense(3)],
        [cp.Conv2D(4, padding="valid"), cp.Flatten(), cp.Dense(3)],
        [cp.Conv2D(4, kernel=2), cp.Flatten(), cp.Dense(3)],
        [cp.Conv2D(4, kernel=(3, 5)), cp.Flatten(), cp.Dense(3)],
        [cp.Conv2D(4), cp.BatchNorm(), cp.Flatten(), cp.Dense(3)],  # a bias below the norm
        [cp.Conv2D(4), cp.Tanh(), cp.Flatten(), cp.Dense(3)],
        [cp.Conv2D(4), cp.MaxPool2D(3), cp.Flatten(), cp.Dense(3)],
        [cp.Residual([cp.Conv2D(3)]), cp.Flatten(), cp.Dense(3)],
    ],
)
def test_other_networks_are_left_to_their_layers(layers: list[cp.Layer]) -> None:
    X, y = pictures(np.float64)
    network, history = trained("compiled", layers, X, y, epochs=1)
    assert not is_pictures(network, network.loss, cp.Adam())
    assert len(history) == 1

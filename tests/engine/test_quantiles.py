"""Quantiles: the loss against scikit-learn and PyTorch, and what is read from crossing outputs."""

import numpy as np
import pytest
from golden_values import golden
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mean_pinball_loss

import clearprop as cp
from clearprop.errors import DataError, ShapeError, UsageError

NUMBERS = st.floats(-1e6, 1e6)
LEVELS = st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=6, unique=True).map(
    lambda found: tuple(sorted(found))
)


@st.composite
def cases(draw):
    levels, n = draw(LEVELS), draw(st.integers(1, 8))
    shape = (n, len(levels))
    return (
        levels,
        draw(arrays(float, shape, elements=NUMBERS)),
        draw(arrays(float, (n, 1), elements=NUMBERS)),
    )


@given(cases())
def test_the_loss_is_the_mean_of_scikit_learn_s(case):
    levels, z, y = case
    each = [mean_pinball_loss(y[:, 0], z[:, k], alpha=q) for k, q in enumerate(levels)]
    assert cp.Quantiles(levels)(z, y)[0] == pytest.approx(np.mean(each), rel=1e-12, abs=1e-12)


@given(cases(), st.integers(0, 5))
def test_the_gradient_is_the_slope_on_both_sides_where_nothing_is_met(case, k):
    levels, z, y = case
    loss, k = cp.Quantiles(levels), k % len(levels)
    _, dlogits = loss.each(z, y)
    h = 1e-3 + np.abs(z[:, k]).max() * 1e-6
    is_smooth = np.abs(y[:, 0] - z[:, k]) > 2 * h
    step = h * np.eye(len(levels))[k]
    slope = (loss.each(z + step, y)[0] - loss.each(z - step, y)[0]) / (2 * h)
    np.testing.assert_allclose(dlogits[is_smooth, k], slope[is_smooth], atol=1e-5)
    assert (dlogits[y[:, 0] == z[:, k], k] == 0).all()


@given(cases())
def test_no_number_of_the_kink_is_less_than_the_subgradient_says(case):
    """For every y and z: loss(z) >= loss(y) + gradient(y) (z - y), as it is convex."""
    levels, z, y = case
    loss, at = cp.Quantiles(levels), np.repeat(y, len(levels), axis=1)
    _, gradient = loss.each(at, y)
    below = (gradient * (z - at)).sum(axis=1)
    assert (loss.each(z, y)[0] >= below).all()


@given(cases())
def test_answers_in_ascending_order_lose_nothing(case):
    levels, z, y = case
    loss = cp.Quantiles(levels)
    ordered = loss.quantiles(z)
    assert (np.diff(ordered, axis=1) >= 0).all()
    assert sorted(z.ravel()) == sorted(ordered.ravel())
    before, after = loss.each(z, y)[0], loss.each(ordered, y)[0]
    assert (after <= before + 1e-9 * np.abs(before)).all()
    np.testing.assert_array_equal(loss.predict(z), loss.predict(ordered))


@given(cases())
def test_the_derivative_of_the_median_is_that_of_what_is_read(case):
    levels, z, _ = case
    loss = cp.Quantiles(levels)
    z = z + np.arange(z.shape[1]) * 1e-3  # equal ones have no derivative
    slopes = loss.slopes(z)
    assert slopes.sum(axis=1) == pytest.approx(1)
    np.testing.assert_allclose((slopes * z).sum(axis=1), loss.predict(z), atol=1e-9, rtol=1e-12)
    low, high = np.array(levels)[[0, -1]]
    if low <= 0.5 <= high:
        by_numpy = [np.interp(0.5, levels, row) for row in np.sort(z, axis=1)]
        np.testing.assert_allclose(loss.predict(z), by_numpy, rtol=1e-9, atol=1e-9)


def test_one_answer_to_many_is_their_quantile():
    y = np.random.RandomState(0).standard_gamma(2, 4001)[:, np.newaxis]
    levels = (0.05, 0.5, 0.95)
    loss, z = cp.Quantiles(levels), np.quantile(y, levels)
    _, gradient = loss(np.tile(z, (len(y), 1)), y)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1 / len(y))
    for step in (-0.01, 0.01):
        assert loss(np.tile(z, (len(y), 1)), y)[0] < loss(np.tile(z + step, (len(y), 1)), y)[0]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        *(((0.1, 0.5, 0.9), 2.0), ((0.1, 0.9), 2.5), ((0.25, 0.3, 0.7), 3.0)),
        *(((0.9,), 1.0), ((0.6, 0.8), 1.0), ((0.1, 0.2), 4.0)),
    ],
)
def test_the_prediction_is_the_median_or_lies_between_its_neighbours(levels, expected):
    z = np.array([[1.0, 4.0, 2.0][: len(levels)]])
    assert cp.Quantiles(levels).predict(z) == pytest.approx([expected])


@pytest.mark.parametrize(
    "levels",
    [(), (0.0, 0.5), (0.5, 1.0), (0.5, 0.5), (0.9, 0.1), (float("nan"),), ("0.5",), 0.5, None],
)
def test_levels_that_are_none_are_refused(levels):
    with pytest.raises(UsageError, match="above 0 and below 1, each above the one before"):
        cp.Quantiles(levels)


def test_other_targets_and_outputs_are_refused():
    loss = cp.Quantiles((0.1, 0.9))
    with pytest.raises(ShapeError, match="2 levels needs as many outputs, found 3"):
        cp.Network([cp.Dense(3)], loss=loss, input_shape=(1,))
    net = cp.Network([cp.Dense(2)], loss=loss, input_shape=(1,))
    with pytest.raises(ShapeError, match=r"one target a sample, \(N,\) or \(N, 1\), found \(4, 2"):
        net.loss_and_gradient(np.ones((4, 1)), np.ones((4, 2)))
    with pytest.raises(DataError, match="sample 1 is not finite"):
        net.loss_and_gradient(np.ones((2, 1)), [1, np.nan])
    assert net.targets([1, 2, 3]).shape == (3, 1)


def test_a_network_of_quantiles_trains_as_pytorch_s():
    held = golden("quantiles")
    levels = tuple(held["levels"].tolist())
    net = cp.Network(
        [cp.Dense(5), cp.Tanh(), cp.Dense(3)], loss=cp.Quantiles(levels), input_shape=(4,)
    )
    net.parameters.assign({name: held[f"start/{name}"] for name in net.parameters})
    history = cp.Trainer(optimizer=cp.SGD(0.2), epochs=20, batch_size=None).fit(
        net, held["X"], held["y"]
    )
    np.testing.assert_allclose(
        [row["loss"] for row in history.rows], held["losses"], rtol=1e-12, atol=1e-14
    )
    for name, array in net.parameters.items():
        np.testing.assert_allclose(array, held[f"end/{name}"], rtol=1e-11, atol=1e-13)


def test_a_walk_writes_every_number_of_it_out():
    random = np.random.RandomState(0)
    net = cp.Network([cp.Dense(3)], loss=cp.Quantiles((0.1, 0.5, 0.9)), input_shape=(2,))
    X, y = random.randn(4, 2), random.randn(4)
    y[0] = net.logits(X)[0, 1]  # at the kink
    walked = cp.walk(net, X, y)
    assert walked["loss.losses"].formula == (
        "losses = sum_k max(levels * (y - logits), (levels - 1) * (y - logits)) / K"
    )
    for name in ("loss.losses", "loss.dlogits", "loss.loss"):
        quantity = walked[name]
        for index in np.ndindex(quantity.shape):
            entry = quantity.entry(*index)
            assert entry.total == pytest.approx(entry.value, rel=1e-12, abs=1e-15), str(entry)
    assert walked["loss.levels"].entry(2).value == 0.9

"""Intervals between quantiles: the formula of conformalized quantile regression, and what it holds.

The oracle is the formula, written out by hand.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.data import Dataset
from clearprop.experiment import Settings, learn, measure, set_task
from clearprop.files.certainty import covering, holds, quantiles, scores
from clearprop.preprocessing import Coverage, PowerScale, ValueTarget

FIVE = cp.Quantiles((0.05, 0.25, 0.5, 0.75, 0.95))
PLAIN = ValueTarget((10.0,), (4.0,), "y")
SCALED = replace(PLAIN, scale=PowerScale(0.0, 0, 1.0, (0.0, 1e9)), mean=(2.0,), std=(0.5,))


def of_values(y):
    return Dataset("some", "array", np.zeros((len(y), 1)), np.asarray(y, np.float64), None)


def drawn(n, seed=0, K=5):
    """Draw logits, some of which cross, and values that a target restores."""
    random = np.random.RandomState(seed)
    return random.randn(n, 1) + 0.7 * random.randn(n, K), random.randn(n)


def fitted(share, target, loss, logits, z):
    y = target.restore(z[:, np.newaxis])
    found = scores(target, loss, logits, of_values(y), share)
    return replace(target, coverage=Coverage.fit(share, found)), y


@pytest.mark.parametrize(
    ("share", "lower", "upper"), [(0.9, 0, 4), (0.5, 1, 3), (0.95, 0, 4), (0.1, 2, 2)]
)
def test_intervals_are_those_of_the_formula(share, lower, upper):
    """q = the k-th least of max(lower - y, y - upper); the interval is lower - q to upper + q."""
    logits, z = drawn(99)
    target, _ = fitted(share, PLAIN, FIVE, logits, z)
    ordered = np.sort(logits, axis=1)
    outside = np.maximum(ordered[:, lower] - z, z - ordered[:, upper])
    q = np.sort(outside)[int(np.ceil(100 * share - 1e-9)) - 1]
    assert target.coverage.score == pytest.approx(q, rel=1e-12)
    asked, _ = drawn(40, seed=1)
    found = covering(target, FIVE, asked)
    own = np.sort(asked, axis=1)[:, (lower, upper)] + (-q, q)
    own = np.where(own[:, :1] > own[:, 1:], own.mean(axis=1, keepdims=True), own)
    np.testing.assert_allclose(found, 10 + 4 * own, rtol=1e-12)


def test_one_quantile_alone_gives_the_intervals_of_a_value():
    logits, z = drawn(60, K=1)
    one, other = cp.Quantiles((0.5,)), cp.MeanSquaredError()
    targets = [fitted(0.8, PLAIN, loss, logits, z)[0] for loss in (one, other)]
    assert targets[0] == targets[1]
    found = [covering(targets[0], loss, logits) for loss in (one, other)]
    np.testing.assert_array_equal(*found)


@given(st.integers(0, 999), st.sampled_from([PLAIN, SCALED]), st.sampled_from([0.3, 0.8, 0.9]))
def test_a_truth_is_held_as_its_score_says(seed, target, share):
    logits, z = drawn(30, seed)
    target, y = fitted(share, target, FIVE, logits, z)
    inside = holds(target, covering(target, FIVE, logits), y)
    below = scores(target, FIVE, logits, of_values(y), share)
    sure = np.abs(below - target.coverage.score) > 1e-6
    np.testing.assert_array_equal(inside[sure], (below < target.coverage.score)[sure])
    lower, upper = covering(target, FIVE, logits).T
    assert (lower <= upper).all()


def test_the_share_that_is_held_is_the_one_that_is_promised():
    """Over 400 draws of 40 rows to fit and 40 to ask: k / (n + 1) = 37 / 41 of them."""
    held = []
    for seed in range(400):
        logits, z = drawn(80, seed)
        target, _ = fitted(0.9, PLAIN, FIVE, logits[:40], z[:40])
        y = target.restore(z[40:, np.newaxis])
        held.append(holds(target, covering(target, FIVE, logits[40:]), y).mean())
    error = np.std(held) / 20
    assert abs(np.mean(held) - 37 / 41) < 3.5 * error


@pytest.mark.parametrize("target", [PLAIN, SCALED])
def test_quantiles_of_a_value_are_in_order_on_its_own_scale(target):
    logits, _ = drawn(50)
    found = quantiles(target, FIVE, logits)
    assert (np.diff(found, axis=1) >= 0).all()
    np.testing.assert_allclose(found[:, 2], target.restore(FIVE.predict(logits)), rtol=1e-12)
    assert quantiles(target, cp.MeanSquaredError(), logits[:, :1]) is None


def test_intervals_follow_the_spread_and_hold_what_is_promised():
    random = np.random.RandomState(0)
    X = random.uniform(-1, 1, (3000, 2))
    y = 3 * X[:, 1] + (0.1 + np.abs(X[:, 0])) * random.randn(3000)
    data = Dataset("noisy", "array", X, y, None)
    own = {"layers": (32,), "epochs": 30, "folds": 0, "test": "0.4", "coverage": 0.9}
    widths = {}
    for levels in (None, (0.05, 0.5, 0.95)):
        found = learn(set_task(Settings(data="noisy", quantiles=levels, **own), data))
        covered = measure(found).score.covered
        low, high = covered.between
        assert low <= covered.share <= high
        lower, upper = found.model.predict_interval(X[:1000]).T
        calm = np.abs(X[:1000, 0]) < 0.2
        widths[levels] = (upper - lower)[calm].mean(), (upper - lower)[~calm].mean()
    plain, own = widths.values()
    assert plain[0] == pytest.approx(plain[1])
    assert 2 * own[0] < own[1]
    assert own[0] < 0.7 * plain[0]

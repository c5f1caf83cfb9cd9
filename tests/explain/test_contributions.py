"""Shapley values are the means over all orders in which columns can become known."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearprop.errors import ShapeError, UsageError
from clearprop.explain import MOST_PLAYERS, shapley_values


def by_orders(f, x, background, groups):
    """Mean of what each group adds, over all orders, for one sample of the background at a time."""
    orders = list(permutations(groups))
    found = dict.fromkeys(groups, 0.0)
    for b in background:
        for order in orders:
            mixed = b.copy()
            before = f(mixed[np.newaxis])[0]
            for name in order:
                mixed[groups[name]] = x[groups[name]]
                now = f(mixed[np.newaxis])[0]
                found[name] += (now - before) / (len(orders) * len(background))
                before = now
    return list(found.values())


def f(X):
    return np.tanh(X[:, 0] * X[:, 1]) + X[:, 2] ** 2 * X[:, 3] + np.exp(-X.sum(axis=1))


@given(seed=st.integers(0, 2**31), players=st.integers(1, 5), rows=st.integers(1, 4))
@settings(max_examples=25)
def test_they_are_the_means_over_all_orders(seed, players, rows):
    random = np.random.RandomState(seed)
    x, background = random.randn(6), random.randn(rows, 6)
    owner = random.permutation(np.arange(6) % players)
    groups = {f"g{k}": np.flatnonzero(owner == k) for k in range(players)}
    found = shapley_values(f, x, background, groups)
    assert found.names == tuple(groups)
    np.testing.assert_allclose(found.values, by_orders(f, x, background, groups), atol=1e-12)
    assert found.answer == pytest.approx(f(x[np.newaxis])[0])
    assert found.base == pytest.approx(f(background).mean())
    assert abs(found.residual) < 1e-12


def test_inputs_of_no_group_stay_as_the_background_has_them():
    x, background = np.arange(1.0, 5.0), np.zeros((2, 4))
    found = shapley_values(lambda X: X.sum(axis=1), x, background, {"a": np.array([1, 2])})
    assert (found.base, found.answer, found.values.tolist()) == (0, 5, [5])


def test_a_contribution_is_the_sum_of_its_terms():
    random = np.random.RandomState(2)
    groups = {name: np.array([place]) for place, name in enumerate("abcd")}
    found = shapley_values(f, random.randn(4), random.randn(5, 4), groups)
    for place, name in enumerate("abcd"):
        terms = found.terms(name)
        assert terms.products.sum() == pytest.approx(found.values[place], abs=1e-14)
        members = terms.members(found.names)
        assert members[0] == ()
        assert sorted(map(len, members)) == [0, 1, 1, 1, 2, 2, 2, 3]
        assert list(map(len, members)) == sorted(map(len, members))
        assert not any(name in known for known in members)
        for known, low, high in zip(members, terms.without, terms.joined, strict=True):
            number = sum(1 << "abcd".index(one) for one in known)
            assert (low, high) == (found.worths[number], found.worths[number | 1 << place])
        # Sizes 0 to 3 weigh the same in all.
        assert terms.weights.sum() == pytest.approx(1)
        means = [mean for _, mean in terms.by_size()]
        assert len(means) == 4
        assert np.mean(means) == pytest.approx(found.values[place], abs=1e-14)


def test_twelve_players_are_exact_and_thirteen_are_refused():
    random = np.random.RandomState(0)
    x, background = random.randn(12), random.randn(3, 12)
    weights = random.randn(12)
    groups = {str(place): np.array([place]) for place in range(12)}
    found = shapley_values(lambda X: X @ weights, x, background, groups)
    np.testing.assert_allclose(found.values, weights * (x - background.mean(axis=0)), atol=1e-12)
    assert len(found.worths) == 2**MOST_PLAYERS
    with pytest.raises(UsageError, match="1 to 12 columns or groups; found 13"):
        shapley_values(f, x, background, {**groups, "more": np.array([0])})
    with pytest.raises(UsageError, match="found 0"):
        shapley_values(f, x, background, {})


@pytest.mark.parametrize("shape", [(0, 4), (3, 5), (4,)])
def test_a_background_of_no_samples_or_of_others_is_refused(shape):
    with pytest.raises(ShapeError, match="background of shape"):
        shapley_values(f, np.zeros(4), np.zeros(shape), {"a": np.array([0])})

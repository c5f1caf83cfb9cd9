"""`TableRegressor(quantiles=...)`: quantiles of a value, and the median as the prediction."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import cross_val_score

import clearprop as cp

LEVELS = (0.1, 0.5, 0.9)
SMALL = {"hidden_layer_sizes": 32, "max_iter": 48, "random_state": 0}


def noisy(n=600, seed=0):
    random = np.random.RandomState(seed)
    X = random.uniform(-2, 2, (n, 2))
    return X, X[:, 0] + (0.2 + np.abs(X[:, 1])) * random.randn(n)


@pytest.fixture(scope="module")
def fitted():
    return cp.TableRegressor(quantiles=LEVELS, members=2, **SMALL | {"max_iter": 200}).fit(*noisy())


def test_quantiles_come_near_to_the_true_ones_and_beat_constants(fitted):
    X, y = noisy(2000, seed=1)
    found = fitted.predict_quantiles(X)
    assert found.shape == (2000, 3)
    assert (np.diff(found, axis=1) >= 0).all()
    np.testing.assert_array_equal(fitted.predict(X), found[:, 1])
    known = noisy()[1]
    for level, own in zip(LEVELS, found.T, strict=True):
        constant = np.full(2000, np.quantile(known, level))
        loss, other = (mean_pinball_loss(y, one, alpha=level) for one in (own, constant))
        assert loss < 0.9 * other
        assert abs(np.mean(y <= own) - level) < 0.08
    spread = found[:, 2] - found[:, 0]
    wide = np.abs(X[:, 1]) > 1.5
    assert spread[wide].mean() > 1.9 * spread[np.abs(X[:, 1]) < 0.5].mean()


def test_members_are_averaged(fitted):
    X, _ = noisy(50, seed=2)
    rows = fitted.recipe_.transform(cp.data.Table({"x0": X[:, 0], "x1": X[:, 1]}), np.float64)
    each = [np.sort(net.logits(rows), axis=1) for net in fitted.networks_]
    assert len(each) == 8  # of two members
    own = np.mean(each, axis=0) * fitted._spread + fitted._mean
    np.testing.assert_allclose(fitted.predict_quantiles(X), own.clip(fitted._low, fitted._high))


def test_the_mean_is_learned_without_them():
    X, y = noisy(100)
    plain = cp.TableRegressor(**SMALL).fit(X, y)
    with pytest.raises(AttributeError, match="has learned the mean"):
        plain.predict_quantiles(X)


@pytest.mark.parametrize("levels", [(0.9, 0.1), (0, 0.5), ("0.5",), ()])
def test_levels_that_are_none_are_refused(levels):
    with pytest.raises(ValueError, match="above 0 and below 1, each above the one before"):
        cp.TableRegressor(quantiles=levels, **SMALL).fit(*noisy(50))


def test_several_targets_have_none_and_one_in_a_column_has():
    X, y = noisy(60)
    short = SMALL | {"max_iter": 2}
    with pytest.raises(ValueError, match="single target, and y has 2 columns"):
        cp.TableRegressor(quantiles=LEVELS, **short).fit(X, np.column_stack([y, y]))
    one = cp.TableRegressor(quantiles=LEVELS, **short).fit(X, y[:, np.newaxis])
    assert one.predict(X).shape == (60, 1)
    assert one.predict_quantiles(X).shape == (60, 3)


def test_scikit_learn_s_tools_take_it():
    X, y = noisy(90)
    model = clone(cp.TableRegressor(quantiles=list(LEVELS), **SMALL | {"max_iter": 4}))
    assert len(cross_val_score(model, X, y, cv=2)) == 2

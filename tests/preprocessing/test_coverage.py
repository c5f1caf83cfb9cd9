"""The score that covers a share: its place, its guarantee, and what chance leaves of it."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clearprop.errors import UsageError
from clearprop.preprocessing import ClassTarget, Coverage, Preprocessing, ValueTarget
from clearprop.preprocessing.coverage import LEVEL, fewest, percent, rank

SHARES = st.integers(1, 999).map(lambda thousandths: thousandths / 1000)


@given(SHARES, st.integers(1, 500))
def test_the_rank_is_exact_in_the_digits_of_the_share(share, samples):
    thousandths = round(share * 1000)
    assert rank(share, samples) == -(-(samples + 1) * thousandths // 1000)


def test_a_share_whose_product_is_rounded_up_in_floats_is_not():
    assert 0.55 * 100 > 55  # what a float makes of it
    assert rank(0.55, 99) == 55


@given(SHARES)
def test_the_fewest_samples_are_those_whose_largest_score_will_do(share):
    n = fewest(share)
    assert rank(share, n) <= n
    assert n == 1 or rank(share, n - 1) > n - 1
    risk = 1 - Fraction(str(share))
    assert n == max(1, math.ceil(1 / risk - 1))


@pytest.mark.parametrize(("share", "n"), [(0.5, 1), (0.9, 9), (0.95, 19), (0.99, 99), (0.999, 999)])
def test_usual_shares_need(share, n):
    assert fewest(share) == n


@given(st.lists(st.integers(-1000, 1000), min_size=3, max_size=60, unique=True), SHARES)
def test_each_of_exchangeable_rows_is_covered_as_often_as_is_promised(scores, share):
    """Of n + 1 rows in any order, each may be the one that is asked for: k of them are covered."""
    n = len(scores) - 1
    assume(n >= fewest(share))
    values = np.array(scores, np.float64)
    held = sum(
        values[one] <= Coverage.fit(share, np.delete(values, one)).score for one in range(n + 1)
    )
    assert held == rank(share, n)
    assert share <= held / (n + 1) < share + 1 / (n + 1)


@given(st.lists(st.integers(0, 3), min_size=3, max_size=60), SHARES)
def test_equal_scores_cover_no_fewer(scores, share):
    n = len(scores) - 1
    assume(n >= fewest(share))
    values = np.array(scores, np.float64)
    held = sum(
        values[one] <= Coverage.fit(share, np.delete(values, one)).score for one in range(n + 1)
    )
    assert held >= share * (n + 1) - 1e-9


@pytest.mark.parametrize(("share", "n"), [(0.9, 8), (0.95, 10), (0.99, 98)])
def test_too_few_scores_are_refused_and_it_is_said_how_many_are_needed(share, n):
    with pytest.raises(UsageError, match=f"needs {fewest(share)} rows") as refused:
        Coverage.fit(share, np.arange(n) * 1.0)
    told = str(refused.value).partition("can promise ")[2].partition("%")[0]
    assert fewest(float(told) / 100) <= n  # what it says can be had


def test_infinite_scores_can_not_be_taken():
    scores = np.array([0.0] * 8 + [np.inf] * 2)
    assert Coverage.fit(0.7, scores).score == 0
    with pytest.raises(UsageError, match="finite"):
        Coverage.fit(0.9, scores)


@pytest.mark.parametrize(("share", "n", "m"), [(0.9, 30, 40), (0.9, 200, 1000), (0.5, 11, 7)])
def test_chance_leaves_what_it_is_said_to_leave(share, n, m):
    """Uniform scores: the covered share of all is the score itself, of m rows it is counted."""
    random_state = np.random.RandomState(0)
    repeats = 4000
    kept = np.sort(random_state.rand(repeats, n), axis=1)[:, rank(share, n) - 1]
    counted = random_state.binomial(m, kept) / m
    promise = Coverage(share, n, 0.0)
    error = 4 * np.sqrt(LEVEL * (1 - LEVEL) / repeats)
    low, high = promise.between()
    assert abs(((low <= kept) & (kept <= high)).mean() - LEVEL) < error
    low, high = promise.between(m)
    assert ((low <= counted) & (counted <= high)).mean() > LEVEL - error  # counts are whole


@given(SHARES)
def test_a_percentage_is_written_as_it_is_typed(share):
    assert float(Fraction(percent(share).removesuffix("%")) / 100) == share


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"share": 0.0}, "between 0 and 1"),
        ({"share": 1.0}, "between 0 and 1"),
        ({"samples": 0}, "whole numbers above 0"),
        ({"samples": 8}, "needs 9 rows"),
        ({"score": float("nan")}, "finite"),
        ({"score": float("inf")}, "finite"),
        ({"score": "high"}, "finite"),
    ],
)
def test_a_file_can_not_hold_what_makes_no_sense(given, message):
    with pytest.raises(UsageError, match=message):
        Coverage(**{"share": 0.9, "samples": 20, "score": 1.0, **given})


@pytest.mark.parametrize(
    "target",
    [
        ClassTarget(("a", "b"), "y", temperature=1.5, coverage=Coverage(0.9, 20, -0.5)),
        ValueTarget((0.0,), (1.0,), "y", coverage=Coverage(0.95, 40, 2.5)),
    ],
)
def test_it_travels_with_the_recipe(target):
    from clearprop.preprocessing import ArrayRecipe

    recipe = Preprocessing(ArrayRecipe.fit(np.eye(3)), target)
    assert Preprocessing.from_config(recipe.to_config()) == recipe


@pytest.mark.parametrize("target", [ClassTarget(("a", "b"), "y"), ValueTarget((0.0,), (1.0,), "y")])
def test_a_recipe_of_before_has_neither_temperature_nor_coverage(target):
    from clearprop.preprocessing import ArrayRecipe

    config = Preprocessing(ArrayRecipe.fit(np.eye(3)), target).to_config()
    for name in ("temperature", "coverage"):
        config["target"].pop(name, None)
    assert Preprocessing.from_config(config).target == target


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("inf"), float("nan"), "warm"])
def test_a_temperature_is_a_positive_number(temperature):
    with pytest.raises(UsageError, match="temperature"):
        ClassTarget(("a", "b"), "y", temperature=temperature)


def test_what_is_no_coverage_is_refused():
    with pytest.raises(UsageError, match="expected a Coverage"):
        ClassTarget(("a", "b"), "y", coverage=0.9)
    with pytest.raises(UsageError, match="expected a Coverage"):
        ValueTarget((0.0,), (1.0,), "y", coverage=0.9)

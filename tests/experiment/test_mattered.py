"""What mattered, beside SciPy's rank correlation and means by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from clearprop.experiment.mattered import mattered
from clearprop.experiment.search_space import Between, OneOf

RATES = Between(1e-4, 1.0, 0.01)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.001, 0.002, 0.01, 0.05, 0.3]), st.integers(0, 5)),
        min_size=6,
        max_size=40,
    )
)
def test_the_correlation_is_spearmans(pairs: list[tuple[float, int]]) -> None:
    values, scores = zip(*pairs, strict=True)
    found = mattered(RATES, values, [float(one) for one in scores])
    assert found is not None
    if len(set(values)) == 1 or len(set(scores)) == 1:
        assert math.isnan(found.correlation)
    else:
        assert found.correlation == pytest.approx(spearmanr(values, scores).statistic, abs=1e-12)
    assert sum(part.candidates for part in found.parts) == len(pairs)
    whole = sum(part.candidates * part.score for part in found.parts) / len(pairs)
    assert whole == pytest.approx(np.mean(scores))


def test_thirds_by_value_have_their_mean_scores_and_ends() -> None:
    values, scores = [0.9, 0.1, 0.5, 0.2, 0.8, 0.4], [9.0, 1.0, 5.0, 3.0, 7.0, -math.inf]
    found = mattered(RATES, values, scores)
    assert found is not None
    told = [(one.least, one.most, one.score, one.candidates) for one in found.parts]
    assert told == [(0.1, 0.2, 2.0, 2), (0.4, 0.5, 5.0, 2), (0.8, 0.9, 8.0, 2)]
    assert found.by_chance == pytest.approx(2 / math.sqrt(5))
    assert found.correlation == pytest.approx(spearmanr(values, scores).statistic)


def test_values_without_an_order_are_told_one_by_one() -> None:
    of = OneOf(("mish", "relu", "selu"), "relu", has_order=False)
    found = mattered(
        of, ["relu", "selu", "relu", None, "mish", "selu", "mish"], [*map(float, range(7))]
    )
    assert found is not None
    assert [(one.least, one.score) for one in found.parts] == [
        ("mish", 5.0),
        ("relu", 1.0),
        ("selu", 3.0),
    ]
    assert math.isnan(found.correlation)
    assert not found.is_beyond_chance
    assert found.candidates == 6


def test_layers_are_ordered_as_the_space_lists_them() -> None:
    of = OneOf(((8,), (64,), (8, 8, 100)), None)
    values = [(8,), (64,), (8, 8, 100)] * 3
    found = mattered(of, values, [0.1, 0.2, 0.3] * 3)
    assert found is not None
    assert found.correlation == pytest.approx(1)
    assert found.is_beyond_chance


def test_too_few_tell_nothing() -> None:
    assert mattered(RATES, [0.1] * 5, [1.0] * 5) is None
    assert mattered(RATES, [0.1, None, 0.2, 0.3, 0.4, 0.5], [1.0] * 6) is None
    assert mattered(RATES, [0.1] * 6, [math.nan, *[1.0] * 5]) is None


def test_of_values_that_say_nothing_few_are_beyond_chance() -> None:
    random = np.random.RandomState(0)
    told = [
        mattered(RATES, random.rand(25).tolist(), random.rand(25).tolist()) for _ in range(1000)
    ]
    share = np.mean([one is not None and one.is_beyond_chance for one in told])
    assert 0.02 < share < 0.08  # 1 in 20

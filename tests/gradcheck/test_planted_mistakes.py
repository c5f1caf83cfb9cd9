"""Every planted mistake is found, its first wrong gradient named, and the mistake itself."""

from collections import defaultdict
from itertools import combinations

import confusion
import numpy as np
import pytest
from catalogue.learners import LEARNERS, load
from catalogue.mistakes import MISTAKES
from catalogue.trial import check, outcome

from clearprop.gradcheck.diagnosis.mistakes import CAUSES

LISTED = {
    *("mean_missing", "mean_twice", "mean_axis", "sign", "factor_two"),
    *("transposed", "wrong_pair", "elementwise", "bias_axis", "bias_averaged", "bias_broadcast"),
    *("other_activation", "at_A", "at_Z", "slope_missing", "mask_sign", "mask_layer"),
    *("W_layer", "W_updated", "delta_layer", "cache_layer", "swapped"),
    *("other_loss", "softmax_elementwise", "l2_missing", "l2_bias", "l2_mean", "accumulated"),
    *("dropout_missing", "dropout_scale", "off_by_one"),
}
"""Kinds of which each must be planted; rounding of float32, which is none, has its own test."""


def test_the_catalogue_is_as_wide_as_it_should_be():
    assert len(MISTAKES) >= 60
    assert len(LEARNERS) == 10
    assert {planted.learner.name for planted in MISTAKES} == set(LEARNERS)
    assert {planted.cause for planted in MISTAKES} >= LISTED
    assert {learner.layers for learner in LEARNERS.values()} == {2, 3, 4, 5}
    assert {learner.rows for learner in LEARNERS.values()} == {True, False}
    assert {learner.widths[-1] > 1 for learner in LEARNERS.values()} == {True, False}
    sources = [learner.source for learner in LEARNERS.values()]
    for activation in ("tanh", "relu", "sigmoid"):
        assert any(activation in source.lower() for source in sources)


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=str)
def test_without_a_mistake_all_gradients_are_right(learner):
    report = check(load(learner.source), learner, learner.samples)
    assert report.passed, str(report)
    assert report.diagnosis is None


@pytest.mark.parametrize("planted", MISTAKES, ids=str)
def test_a_planted_mistake_is_found_where_it_shows_first(planted):
    seen = outcome(planted)
    assert seen.found
    assert (seen.first, seen.parameter) == (planted.first, planted.first), seen.text


@pytest.fixture(scope="module")
def misnamed():
    return [planted for planted in MISTAKES if outcome(planted).cause != planted.cause]


def test_nineteen_of_twenty_causes_are_named(misnamed):
    assert len(misnamed) <= len(MISTAKES) // 20, list(map(str, misnamed))


def test_what_is_named_otherwise_gives_the_same_numbers(misnamed):
    for planted in misnamed:
        assert CAUSES[planted.cause].title in outcome(planted).others, outcome(planted).text


def test_a_single_mistake_is_not_called_several():
    several = [planted for planted in MISTAKES if len(outcome(planted).causes) != 1]
    assert len(several) <= len(MISTAKES) // 20, list(map(str, several))


@pytest.mark.slow
def test_of_two_mistakes_both_are_named(misnamed):
    by_learner = defaultdict(list)
    for planted in MISTAKES:
        if planted not in misnamed:
            by_learner[planted.learner].append(planted)
    pairs = [pair for some in by_learner.values() for pair in combinations(some, 2)]
    np.random.RandomState(1).shuffle(pairs)
    tried = named = 0
    for one, other in pairs[:40]:
        if one.source.count(other.old) != 1 or one.cause == other.cause:
            continue  # they are mistakes of the same line, or one mistake
        module = load(one.source.replace(other.old, other.new))
        try:
            report = check(module, one.learner, one.samples)
        except ValueError:
            continue  # together they stop the code
        assert not report.passed
        tried += 1
        named += {one.cause, other.cause} == {
            mistake.cause for mistake in report.diagnosis.mistakes
        }
    assert tried >= 25
    assert named >= 0.9 * tried


def test_the_table_of_the_page_is_up_to_date():
    """Run tests/gradcheck/confusion.py to write it anew."""
    assert confusion.page_with(confusion.table()) == confusion.PAGE.read_text(encoding="utf-8")

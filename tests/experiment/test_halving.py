"""Successive halving with planted scores and times in the place of trainings."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import count, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.experiment.halving import Job, Standing, Worth, chance_of, rungs_of


def searched(
    folds: int,
    budget: float,
    score: Callable[[int, int], float],
    seconds: Callable[[int, int], float] = lambda *_: 1.0,
    *,
    most: int = 1000,
    at_once: int = 1,
) -> tuple[Standing, list[list[Job]]]:
    """Search to the end; a batch takes as long as its longest training."""
    found, batches = Standing(folds, budget, most, ((),), ((),)), []
    while True:
        found, jobs = found.next(at_once)
        if not jobs:
            return found, batches
        assert len(jobs) <= at_once
        batches.append(jobs)
        share = max(seconds(*job) for job in jobs) / len(jobs)
        done, spent = list(found.done), list(found.seconds)
        for candidate, fold in jobs:
            if candidate == len(done):
                done.append(())
                spent.append(())
            assert fold == len(done[candidate])  # in their order, and none twice
            done[candidate] += (Worth(score(candidate, fold)),)
            spent[candidate] += (share,)
        found = replace(found, done=tuple(done), seconds=tuple(spent))


@pytest.mark.parametrize(
    ("folds", "expected"),
    [
        (2, (1, 2)),
        (3, (1, 3)),
        (4, (1, 3, 4)),
        (5, (1, 3, 5)),
        (9, (1, 3, 9)),
        (10, (1, 3, 9, 10)),
        (100, (1, 3, 9, 27, 81, 100)),
    ],
)
def test_rungs_have_three_times_the_folds_up_to_all(folds: int, expected: tuple[int, ...]) -> None:
    assert rungs_of(folds) == expected


@given(
    quality=st.lists(st.floats(-1, 1), min_size=1, max_size=60),
    folds=st.integers(2, 12),
    at_once=st.integers(1, 4),
)
def test_of_scores_without_noise_the_best_that_was_tried_wins(
    quality: list[float], folds: int, at_once: int
) -> None:
    most = len(quality) - 1
    found, _ = searched(folds, 10_000, lambda k, _: quality[k], most=most, at_once=at_once)
    assert len(found.done) == len(quality)
    assert quality[found.best] == max(quality)
    assert found.best == quality.index(max(quality))  # the defaults before their equals


def whole_cost(candidates: int, folds: int) -> int:
    """Count the trainings of a search by hand: all on one fold, then thirds, and the defaults."""
    total, members = folds + candidates, candidates
    for before, now in pairwise(rungs_of(folds)):
        members = math.ceil(members / 3)
        total += members * (now - before)
    return total


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
@pytest.mark.parametrize("budget", [20, 35, 60, 61, 62, 150])
def test_tries_as_many_as_the_budget_bears_where_all_take_as_long(folds: int, budget: int) -> None:
    found, batches = searched(folds, budget, lambda k, fold: math.sin(10 * k + fold))
    largest = next(n for n in count(1) if whole_cost(n + 1, folds) > budget)
    assert len(found.done) == 1 + largest
    assert sum(map(len, batches)) == found.spent == whole_cost(largest, folds) <= budget
    assert [len(one) for one in found.done].count(folds) >= 2


@given(
    seed=st.integers(0, 1000),
    folds=st.integers(2, 10),
    trainings=st.floats(0.1, 40),
    factor=st.floats(0.2, 20),
    at_once=st.integers(1, 3),
)
def test_ends_in_time_with_whole_rungs_whatever_trainings_take(
    seed: int, folds: int, trainings: float, factor: float, at_once: int
) -> None:
    """Candidates may take much longer than the defaults did, or much less."""
    random = np.random.RandomState(seed)
    scores, times = random.randn(801, folds), random.uniform(0.3, 2, (801, folds))
    times[1:] *= factor
    budget = folds + trainings
    found, batches = searched(
        folds,
        budget,
        lambda k, fold: scores[k, fold],
        lambda k, fold: times[k, fold],
        at_once=at_once,
    )
    of_defaults = math.fsum(max(times[job] for job in one) for one in batches if one[0][0] == 0)
    before_last = found.spent - max((times[job] for job in batches[-1]), default=0)
    assert before_last <= max(budget, of_defaults)
    assert len(found.done[0]) == folds
    whole = [k for k, one in enumerate(found.done) if len(one) == folds]
    mean = scores[whole].mean(axis=1)
    assert found.best == whole[int(np.argmax(mean))]
    levels = rungs_of(folds)
    for place, members in enumerate(found.rungs):
        assert all(len(found.done[k]) >= levels[place] for k in members)
    for before, after in pairwise(found.rungs):
        assert set(after) <= set(before)
        assert len(after) <= math.ceil(len(before) / 3)


def test_the_better_third_goes_on() -> None:
    quality = {k: -abs(k - 4.2) for k in range(13)}
    found, _ = searched(5, 1000, lambda k, _: quality[k], most=12)
    assert found.rungs == ((4, 5, 3, 6, 2, 7, 1, 8, 9, 10, 11, 12), (4, 5, 3, 6), (4, 5))


def test_batches_change_no_choice() -> None:
    random = np.random.RandomState(0)
    scores = random.randn(41, 5)
    alone, _ = searched(5, 1e9, lambda k, fold: scores[k, fold], most=40)
    for at_once in (2, 3, 16):
        found, _ = searched(5, 1e9, lambda k, f: scores[k, f], most=40, at_once=at_once)
        assert (found.rungs, found.best) == (alone.rungs, alone.best)
        assert found.done == alone.done


def test_what_diverged_or_is_not_defined_is_the_worst() -> None:
    of = {0: 0.5, 1: -math.inf, 2: math.nan, 3: 0.4, 4: 0.4}
    found, _ = searched(2, 1000, lambda k, _: of[k], most=4)
    assert found.rungs[0][:2] == (3, 4)  # equals by their number
    assert set(found.rungs[0][2:]) == {1, 2}
    assert found.best == 0


def test_equal_scores_are_told_apart_by_what_is_to_be_low() -> None:
    done = tuple((Worth(0.5, tie), Worth(0.5, tie)) for tie in (0.4, 0.2, 0.3))
    found = Standing(2, 1.0, 2, done, ((0.5, 0.5),) * 3)
    assert found.ordered(range(3), 2) == [1, 2, 0]


def test_no_candidate_is_begun_that_would_not_be_done() -> None:
    """Of five folds one candidate takes five trainings; the budget leaves four."""
    found, batches = searched(5, 9.5, lambda *_: 0.0)
    assert [job for one in batches for job in one] == [Job(0, fold) for fold in range(5)]
    assert found.best == 0


@pytest.mark.parametrize(("slow", "seconds"), [((0, 0), 60.0), ((3, 0), 60.0), ((2, 1), 60.0)])
def test_one_training_that_compiles_code_keeps_none_from_the_end(
    slow: tuple[int, int], seconds: float
) -> None:
    found, _ = searched(
        5,
        200,
        lambda k, fold: math.sin(10 * k + fold),
        lambda k, fold: seconds if (k, fold) == slow else 1.0,
    )
    assert len(found.done) > 50
    assert any(len(one) == 5 for one in found.done[1:])
    assert found.spent <= 200


def test_more_is_drawn_where_the_budget_has_grown() -> None:
    random = np.random.RandomState(1)
    scores = random.randn(1001, 5)
    first, _ = searched(5, 40, lambda k, fold: scores[k, fold])
    again = replace(first, budget=80.0, rungs=())
    tried = len(first.done)
    again, jobs = again.next(1)
    assert jobs == [Job(tried, 0)]
    assert again.rungs == ()


@pytest.mark.parametrize(("folds", "budget"), [(5, 45), (10, 60), (2, 30)])
def test_chance_is_the_share_of_searches_among_candidates_all_alike(
    folds: int, budget: int
) -> None:
    random, ratios = np.random.RandomState(7), []
    for _ in range(300):
        scores = random.randn(60, folds) + 5 * random.randn(folds)
        found, _ = searched(folds, budget, lambda k, f, of=scores: of[k, f])
        own = scores[found.best] - scores[0]
        error = own.std(ddof=1) / math.sqrt(folds)
        ratios.append(own.mean() / error if found.best else -math.inf)
    members = [len(one) for one in found.rungs]
    for ratio in (0.0, 1.0, 2.0, 4.0):
        expected = np.mean(np.array(ratios) >= ratio)
        four_errors = 4 * math.sqrt(max(expected * (1 - expected), 0.01) / 300)
        assert chance_of(ratio, members, folds) == pytest.approx(expected, abs=four_errors)
    assert chance_of(math.inf, members, folds) == 0

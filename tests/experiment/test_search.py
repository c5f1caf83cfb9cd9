"""A search: the scores are those of cross-validations, and a file brings all of it back."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearprop.data import Dataset
from clearprop.errors import DataError, UsageError
from clearprop.experiment import Settings
from clearprop.experiment.fold_scores import FoldScores, begin
from clearprop.experiment.halving import Job
from clearprop.experiment.search import Search, begin_search, read_search

QUICK: dict[str, Any] = {"epochs": 3, "validation": "0.2", "batch_size": 16}


def dataset(rows: int = 60, classes: int = 2) -> Dataset:
    random = np.random.RandomState(5)
    X = random.randn(rows, 3)
    y = np.searchsorted(np.quantile(X[:, 0], np.arange(1, classes) / classes), X[:, 0])
    return Dataset("made", "array", X, y, tuple("abcdefgh"[:classes]))


def planted(score: float, *, log_loss: float = 0.5, name: str = "accuracy") -> FoldScores:
    if math.isinf(score):
        return FoldScores(12, 48, 0, 0.1, "", {}, {}, {}, (), "The loss stopped being finite.")
    return FoldScores(12, 48, 3, 0.1, name, {name: score, "log_loss": log_loss}, {}, {})


def begun(budget: float = 40.0, folds: int = 5, **given: Any) -> Search:
    return begin_search(Settings(data="made", **QUICK, **given), dataset(), folds, budget)


def searched(found: Search, score: Any, *, stop: int = 10**6) -> Search:
    """Search with planted scores by the number of the candidate and of the fold, a second each."""
    for _ in range(stop):
        found, jobs = found.next(1)
        if not jobs:
            break
        found = found.and_of(jobs, [planted(score(*job)) for job in jobs], 1.0)
    return found


def noise(seed: int = 0) -> Any:
    of = np.random.RandomState(seed).rand(600, 20)
    return lambda candidate, fold: of[candidate, fold]


def done(found: Search, job: Job) -> FoldScores:
    return found.score(job)


class TestScores:
    def test_are_those_of_cross_validations_with_the_same_settings(self) -> None:
        found = begun(folds=2)
        for candidate in (0, 1, 2):
            own = found.settings_of(candidate)
            expected = begin(own, dataset(), 2)
            for fold in (0, 1):
                expected = expected.and_of(expected.score())
                scores = done(found, Job(candidate, fold)).scores
                assert scores == expected.folds[fold].scores
        assert found.settings_of(0) == found.base.settings
        assert found.settings_of(1) == found.base.settings.changed(found.drawn[0])

    def test_are_of_one_training_where_a_training_would_have_folds_of_its_own(self) -> None:
        given = Settings(data="made", epochs=2)
        found = begin_search(given, dataset(), 2, 40.0)
        task = found.task(Job(1, 0))
        assert (task.settings.folds, task.settings.validation) == (0, "0.2")
        assert found.base.notes[-1].startswith("In the search a fifth of the samples")
        assert found.as_candidate(given, 1).validation is None
        for more in ({"validation": "0.1"}, {"folds": 3}, {"folds": 0, "validation": "0"}):
            own = begin_search(given.changed(more), dataset(), 2, 40.0)
            settings = own.task(Job(1, 0)).settings
            assert settings.folds == more.get("folds", 0)
            assert settings.validation == more.get("validation")
            assert own.base.notes == ()

    def test_of_the_defaults_have_what_is_to_be_beaten_beside_them(self) -> None:
        found = begun(folds=2)
        assert set(done(found, Job(0, 0)).baselines) == {"constant", "linear"}
        assert done(found, Job(1, 1)).baselines == {}

    def test_say_by_which_of_them_candidates_are_ranked(self) -> None:
        found = begun(folds=2)
        rare = planted(0.4, name="balanced_accuracy")
        found = found.and_of([Job(0, 0)], [planted(0.9)], 1.0)
        assert found.score_name == "accuracy"
        assert found.and_of([Job(0, 1)], [rare], 1.0).score_name == "balanced_accuracy"


class TestBest:
    def test_is_compared_fold_by_fold(self) -> None:
        scores = {0: [0.5, 0.6, 0.4, 0.5, 0.7], 1: [0.6, 0.65, 0.5, 0.6, 0.85]}
        found = searched(begun(budget=10.0), lambda k, fold: scores[k][fold])
        assert len(found.candidates) == 2
        assert found.best == 1
        differences = np.subtract(scores[1], scores[0])
        above = found.above
        assert above is not None
        assert above.mean == pytest.approx(differences.mean())
        assert above.standard_error == pytest.approx(differences.std(ddof=1) / math.sqrt(5))
        assert found.is_better
        assert found.chosen == 1

    def test_as_good_as_chance_makes_it_is_no_better(self) -> None:
        scores = {0: [0.5, 0.6, 0.4, 0.5, 0.7], 1: [0.9, 0.4, 0.5, 0.3, 0.9]}
        found = searched(begun(budget=10.0), lambda k, fold: scores[k][fold])
        assert found.best == 1
        assert not found.is_better
        assert found.chosen == 0

    def test_may_be_the_defaults(self) -> None:
        found = searched(begun(), lambda k, _: 0.5 - 0.01 * (k > 0))
        assert (found.best, found.above, found.is_better, found.chosen) == (0, None, False, 0)

    def test_of_defaults_that_diverge_is_one_that_does_not(self) -> None:
        found = searched(begun(), lambda k, _: -math.inf if k == 0 else 0.5)
        assert found.best > 0
        assert found.is_better
        found = searched(begun(), lambda *_: -math.inf)
        assert found.score_name == ""
        assert (found.best, found.chosen) == (0, 0)

    def test_stands_first_among_all_that_was_tried(self) -> None:
        found = searched(begun(), noise())
        ranked = found.ranked()
        assert sorted(ranked) == list(range(len(found.candidates)))
        assert ranked[0] == found.best
        counts = [len(found.candidates[k].folds) for k in ranked]
        assert counts == sorted(counts, reverse=True)


def test_what_mattered_is_told_of_the_fold_that_all_have() -> None:
    found = begun(budget=60.0)
    rates = {k: one.get("learning_rate", 0.002) for k, one in enumerate(({}, *found.drawn))}
    found = searched(found, lambda k, fold: math.log(rates[k]) if fold == 0 else 0.0)
    told = found.mattered()
    assert list(told) == ["learning_rate", "layers", "dropout", "l2"]
    assert told["learning_rate"].correlation == pytest.approx(1)
    assert told["learning_rate"].candidates == len(found.candidates)
    assert abs(told["dropout"].correlation) < 0.8


class TestFile:
    @pytest.mark.parametrize("done", [0, 1, 4, 5, 6, 14, 30, 36, 10**6])
    def test_goes_on_to_the_same_from_wherever_it_ended(self, tmp_path: Path, done: int) -> None:
        whole = searched(begun(), noise())
        searched(begun(), noise(), stop=done).save(tmp_path)
        before = read_search(tmp_path)
        again = searched(begun(before.budget).goes_on(before), noise())
        assert (again.candidates, again.rungs) == (whole.candidates, whole.rungs)
        assert again.to_json() == whole.to_json()
        assert again.outcome_to_json() == whole.outcome_to_json()
        assert len(whole.rungs) == 3

    def test_more_budget_tries_more_and_keeps_what_was_done(self, tmp_path: Path) -> None:
        searched(begun(), noise()).save(tmp_path)
        before = read_search(tmp_path)
        more = searched(begun(80.0).goes_on(before), noise())
        assert len(more.candidates) > len(before.candidates)
        for one, known in zip(more.candidates, before.candidates, strict=False):
            assert one.folds[: len(known.folds)] == known.folds
        assert more.best == searched(begun(80.0), noise()).best

    def test_of_other_data_or_candidates_is_refused(self, tmp_path: Path) -> None:
        found = searched(begun(), noise(), stop=9)
        found.save(tmp_path)
        before = read_search(tmp_path)
        settings = Settings(data="made", **QUICK)
        with pytest.raises(UsageError, match="has changed since"):
            begin_search(settings, dataset(62), 5, 40.0).goes_on(before)
        with pytest.raises(UsageError, match="draws other candidates"):
            begin_search(replace(settings, seed=1), dataset(), 5, 40.0).goes_on(before)

    def test_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="There is no search in"):
            read_search(tmp_path)

    @pytest.mark.parametrize(
        "change",
        [
            {"candidates": []},
            {"candidates": 3},
            {"candidates": [{"changes": {}, "seconds": [-1], "each": []}]},
            {"candidates": [{"changes": {}, "seconds": None, "each": []}]},
            {"candidates": [{"changes": {"nonsense": 1}, "seconds": [], "each": []}]},
            {"folds": 0},
            {"budget": None},
            {"rungs": [[7]]},
            {"rungs": [[0]]},
            {"rungs": [[1], [1], [1], [1]]},
            {"settings": {"data": "x", "epochs": -1}},
        ],
    )
    def test_that_is_damaged_is_refused(self, tmp_path: Path, change: dict[str, Any]) -> None:
        searched(begun(), noise(), stop=8).save(tmp_path)
        path = tmp_path / "search.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        with pytest.raises(DataError, match="is not as search writes it"):
            read_search(tmp_path)
        path.write_text("{")
        with pytest.raises(DataError, match="can't be used"):
            read_search(tmp_path)

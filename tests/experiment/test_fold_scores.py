"""The scores of folds: those of trainings by hand on files of the other rows."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneGroupOut, LeaveOneOut, TimeSeriesSplit

from clearprop.data import Dataset
from clearprop.errors import ClearpropError, DataError, UsageError
from clearprop.experiment import Settings, evaluate, learn, load_dataset, set_task
from clearprop.experiment.fold_scores import CrossValidation, Spread, begin, read_begun
from clearprop.experiment.loading import load_for
from clearprop.experiment.measuring import beside_baselines
from clearprop.experiment.parts import Folds

QUICK = {"layers": (6,), "epochs": 5, "l2": 0.1, "learning_rate": 0.05}


def table(path: Path, rows: int = 48, *, groups: int = 4, kind: str = "classes") -> list[list[str]]:
    """Write a table of two numbers, a group and a time; return its lines."""
    random = np.random.RandomState(3)
    x, day = random.randn(rows, 2), random.permutation(rows)
    told = x[:, 0] - x[:, 1] + random.randn(rows) / 2
    y = [
        f"{30 + 4 * one:.3f}" if kind == "values" else ("yes" if one > 0 else "no") for one in told
    ]
    lines = [["a", "b", "site", "day", "y"]]
    lines += [
        [f"{a:.4f}", f"{b:.4f}", f"s{k % groups}", str(when), one]
        for k, ((a, b), when, one) in enumerate(zip(x, day, y, strict=True))
    ]
    return written(path, lines)


def written(path: Path, lines: list[list[str]]) -> list[list[str]]:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return lines


def cross_validated(settings: Settings, count: int) -> CrossValidation:
    found = begin(settings, load_dataset(settings), count)
    for _ in range(count):
        found = found.and_of(found.score())
    return found


def by_hand(
    folder: Path, lines: list[list[str]], splits: Any, **given: Any
) -> list[dict[str, float]]:
    """Write both parts of each split to files, train with one, and measure with the other."""
    scores = []
    for known, asked in splits:
        for name, rows in (("known.csv", known), ("asked.csv", asked)):
            written(folder / name, [lines[0], *(lines[1 + row] for row in sorted(rows))])
        data, asked_file = str(folder / "known.csv"), str(folder / "asked.csv")
        settings = Settings(**{"data": data, "target": "y", "test": "0"} | given)
        trained = learn(set_task(settings, load_dataset(settings)))
        told = evaluate(beside_baselines(trained), load_for(trained.model, asked_file))
        scores.append({**told.scores, "linear": told.baselines["linear"][told.score_name]})
    return scores


def test_folds_in_time_score_as_files_of_scikit_learns_splits(tmp_path: Path) -> None:
    lines = table(tmp_path / "all.csv")
    settings = Settings(data=str(tmp_path / "all.csv"), target="y", time="day", **QUICK)
    found = cross_validated(settings, 3)
    order = np.argsort([int(line[3]) for line in lines[1:]])
    splits = [(order[known], order[asked]) for known, asked in TimeSeriesSplit(3).split(order)]
    expected = by_hand(tmp_path, lines, splits, time="day", **QUICK)
    for one, told in zip(found.folds, expected, strict=True):
        assert one.scores == {name: told[name] for name in one.scores}
        assert one.baselines["linear"]["accuracy"] == told["linear"]
    mean = np.mean([told["accuracy"] for told in expected])
    assert found.spreads["accuracy"].mean == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize("inner", [{"validation": "0.25"}, {"validation": "0"}])
def test_whole_groups_score_as_files_without_each(tmp_path: Path, inner: dict[str, str]) -> None:
    lines = table(tmp_path / "all.csv", kind="values")
    settings = Settings(data=str(tmp_path / "all.csv"), target="y", group="site", **QUICK, **inner)
    found = cross_validated(settings, 4)
    sites = [line[2] for line in lines[1:]]
    splits = list(LeaveOneGroupOut().split(sites, groups=sites))
    # Where nothing is held out within a fold, train refuses a group, and the column is left out.
    column = {"drop": ("site",)} if inner["validation"] == "0" else {"group": "site"}
    expected = by_hand(tmp_path, lines, splits, **column, **QUICK, **inner)
    ours = sorted(one.scores["rmse"] for one in found.folds)
    np.testing.assert_allclose(ours, sorted(told["rmse"] for told in expected), rtol=0, atol=0)
    own, error = found.spreads["r2"], np.std([told["r2"] for told in expected], ddof=1) / 2
    assert own.standard_error == pytest.approx(error, rel=1e-9)
    above = np.mean([told["r2"] - told["linear"] for told in expected])
    linear = found.above("linear")
    assert linear is not None
    assert linear.mean == pytest.approx(above, rel=1e-9)


def test_as_many_folds_as_rows_leave_one_out(tmp_path: Path) -> None:
    lines = table(tmp_path / "all.csv", rows=9, kind="values")
    settings = Settings(data=str(tmp_path / "all.csv"), target="y", validation="0", **QUICK)
    found = cross_validated(settings, 9)
    expected = by_hand(tmp_path, lines, LeaveOneOut().split(range(9)), validation="0", **QUICK)
    ours = sorted(one.scores["mae"] for one in found.folds)
    assert ours == sorted(told["mae"] for told in expected)
    assert found.spreads["r2"].folds == 0  # of a single value it is not defined
    assert math.isnan(found.spreads["r2"].mean)


def test_within_a_fold_train_chooses_as_with_a_file_of_the_other_rows(tmp_path: Path) -> None:
    """Folds within a fold choose the epoch, the strength of L2, temperature and threshold."""
    lines = table(tmp_path / "all.csv", rows=60)
    given: dict[str, Any] = {"layers": (6,), "epochs": 6, "threshold": "f1", "drop": ("site",)}
    settings = Settings(data=str(tmp_path / "all.csv"), target="y", **given)
    found = begin(settings, load_dataset(settings), 2)
    task = found.task()
    assert task.settings.folds == 5
    found = found.and_of(found.score(ready=task))
    known, asked = (np.flatnonzero(rows) for rows in found.parts.rows[0])
    (expected,) = by_hand(tmp_path, lines, [(known, asked)], **given)
    one = found.folds[0]
    assert one.scores == {name: expected[name] for name in one.scores}
    assert {"layers", "l2", "threshold", "temperature"} <= one.chosen.keys()
    assert (one.samples, one.learned) == (len(asked), len(known))


def test_a_fold_chooses_nothing(tmp_path: Path) -> None:
    """Were the targets of a fold others, what is learned without it would be the same."""
    lines = table(tmp_path / "all.csv")
    settings = Settings(data=str(tmp_path / "all.csv"), target="y", group="site", **QUICK)
    first = begin(settings, load_dataset(settings), 4)
    changed = [
        [*line[:4], "yes" if line[4] == "no" else "no"] if first.parts.rows[1][1][k] else line
        for k, line in enumerate(lines[1:])
    ]
    weights = []
    for one in (lines[1:], changed):
        written(tmp_path / "all.csv", [lines[0], *one])
        dataset = load_dataset(settings)
        parts = first.parts
        same = CrossValidation(settings, Folds(dataset, parts.rows[1:]), 0, ())
        weights.append(learn(same.task()).model.network.parameters.data)
    np.testing.assert_array_equal(*weights)


def test_pictures_and_arrays_with_data_of_their_own_to_test_with() -> None:
    random = np.random.RandomState(0)
    X, y = random.randint(0, 255, (24, 6, 6), np.uint8), np.arange(24) % 2
    others = Dataset("own", "pictures", X[:6], y[:6], ("a", "b"))
    data = Dataset("made", "pictures", X, y, ("a", "b"), test=others, validation=others)
    settings = Settings(data="made", layers=(3,), epochs=2)
    found = begin(settings, data, 3)
    assert [note.split(":")[0] for note in found.notes] == [
        "The samples to test with take no part",
        "The samples that came to validate with choose in every fold, and give no score.",
    ]
    task = found.task()
    assert task.validation is not None
    assert task.test is not None
    assert (len(task.train), len(task.validation), len(task.test)) == (16, 6, 8)
    np.testing.assert_array_equal(task.validation.X, others.X)


def test_rare_classes_are_told() -> None:
    y = np.array([0] * 9 + [1] * 8 + [2] * 2 + [3])
    data = Dataset("made", "array", np.arange(20.0)[:, None], y, ("a", "b", "c", "d"))
    found = begin(Settings(data="made"), data, 4)
    assert found.notes[0] == "'d': in no fold, and always learned from."
    assert found.notes[1].startswith("'c': not in every fold.")


@pytest.mark.parametrize(
    ("given", "count", "error", "message"),
    [
        ({}, 20, DataError, "has 12 samples that can be held out, too few for 20 folds"),
        ({"group": "site"}, 9, DataError, "Give --folds 4 or fewer"),
        ({"group": "nowhere"}, 2, UsageError, "no column 'nowhere'"),
        ({"group": "site", "time": "day"}, 2, UsageError, "and not by both"),
        ({"start": "runs/x"}, 2, UsageError, "leave start out"),
    ],
)
def test_what_cant_be_dealt_out(
    tmp_path: Path, given: dict[str, str], count: int, error: type[ClearpropError], message: str
) -> None:
    table(tmp_path / "all.csv", rows=12)
    plain = Settings(data=str(tmp_path / "all.csv"), target="y")
    dataset = load_dataset(plain)
    with pytest.raises(error, match=message):
        begin(plain.changed(given), dataset, count)


def test_the_spread_is_of_the_folds_where_a_score_is_defined() -> None:
    found = Spread.of([0.5, math.nan, 0.9])
    assert (found.mean, found.least, found.largest, found.folds) == (0.7, 0.5, 0.9, 2)
    assert found.standard_error == pytest.approx(0.2)
    assert math.isnan(Spread.of([0.5]).standard_error)


class TestFile:
    def test_brings_back_every_bit_and_knows_other_data(self, tmp_path: Path) -> None:
        table(tmp_path / "all.csv")
        settings = Settings(data=str(tmp_path / "all.csv"), target="y", folds=0, **QUICK)
        found = begin(settings, load_dataset(settings), 2)
        found = found.and_of(found.score())
        found.save(tmp_path)
        before = read_begun(tmp_path)
        assert before.settings == settings
        again = begin(settings, load_dataset(settings), before.count).goes_on(before)
        assert again.folds == found.folds
        assert again.to_json() == found.to_json()
        lines = (tmp_path / "all.csv").read_text().replace("yes", "no", 1)
        (tmp_path / "all.csv").write_text(lines)
        with pytest.raises(UsageError, match="has changed since the first folds"):
            begin(settings, load_dataset(settings), 2).goes_on(before)

    @pytest.mark.parametrize(
        "change",
        [
            {"each": [{}]},
            {"each": 3},
            {"folds": None},
            {"settings": {"data": "x", "nonsense": 1}},
            {"settings": {"data": "x", "epochs": -1}},
            {"settings": []},
        ],
    )
    def test_that_is_damaged_is_refused(self, tmp_path: Path, change: dict[str, Any]) -> None:
        told = {"settings": {"data": "iris"}, "folds": 2, "checksum": 1, "each": []} | change
        (tmp_path / "folds.json").write_text(json.dumps(told))
        with pytest.raises(DataError, match="is not as cross-validate writes it"):
            read_begun(tmp_path)
        (tmp_path / "folds.json").write_text("{")
        with pytest.raises(DataError, match="can't be used"):
            read_begun(tmp_path)

"""``clearprop cross-validate``: mean and spread of every score, over parts that are left out."""

import json
import os
import shlex
import signal
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest

from clearprop.experiment import fold_scores
from clearprop.training import ProgressLine

QUICK = ("--layers", 4, "--epochs", 3, "--l2", 0.1, "--validation", 0.2)


@pytest.fixture
def visits():
    """Write a table whose rows belong to patients and follow each other by day."""
    random = np.random.RandomState(1)
    rows = ["patient,day,dose,weight,ill"]
    for k in range(60):
        dose, weight = random.randn(2).round(3)
        rows.append(f"p{k % 7},{k // 2},{dose},{weight},{'yes' if dose > weight else 'no'}")
    Path("visits.csv").write_text("\n".join(rows) + "\n")
    return ("visits.csv", "--target", "ill")


def told(clearprop, strict_json, *arguments):
    result = clearprop("cross-validate", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return strict_json(result.stdout)


def test_gives_mean_standard_error_least_and_largest_of_every_score(clearprop, strict_json):
    found = told(clearprop, strict_json, "iris", *QUICK)
    assert [one["samples"] for one in found["each"]] == [30] * 5
    assert [one["learned"] for one in found["each"]] == [96] * 5  # and 24 chose the epoch
    names = ["accuracy", "balanced_accuracy", "f1", "log_loss", "roc_auc"]
    assert list(found["scores"]) == names
    for name in names:
        own, told_of = [one["scores"][name] for one in found["each"]], found["scores"][name]
        assert told_of["mean"] == pytest.approx(mean(own))
        assert told_of["standard_error"] == pytest.approx(stdev(own) / 5**0.5)
        assert (told_of["least"], told_of["largest"]) == (min(own), max(own))
    constant = found["baselines"]["constant"]["accuracy"]
    assert constant["mean"] == pytest.approx(1 / 3)
    line = [
        one["scores"]["accuracy"] - one["baselines"]["linear"]["accuracy"] for one in found["each"]
    ]
    assert found["above"]["linear"]["mean"] == pytest.approx(mean(line))
    assert json.loads(Path(found.pop("folder"), "folds.json").read_text()) == found


def test_says_a_table_what_is_to_be_beaten_and_how_to_train(clearprop, visits):
    result = clearprop("cross-validate", *visits, *QUICK, "--folds", 3, "--out", "kept")
    assert result.exit_code == 0
    header, *rows, beside, train, kept = result.stdout.splitlines()
    assert header.split()[:3] == ["samples", "epochs", "accuracy"]
    assert [row.split("  ")[0] for row in rows] == [
        *("fold 1", "fold 2", "fold 3", "mean", "standard error", "least", "largest"),
        *("mean of larger class", "mean of linear model"),
    ]
    assert beside.startswith("Mean accuracy and its standard error: ")
    assert "that of the larger class" in beside
    assert beside.endswith("that of the linear model, fold by fold.")
    command = "clearprop train visits.csv --target ill --layers 4 --epochs 3 --l2 0.1"
    assert train == f"To train with all samples: {command} --validation 0.2"
    assert kept == "Kept in kept/folds.json."
    assert "Fold 2 of 3, 20 samples: accuracy " in result.stderr
    assert "Columns: 4 used" in result.stderr
    assert clearprop("cross-validate", *visits, *QUICK, "--quiet").stderr == ""


def test_scores_are_those_of_train_and_evaluate_on_files(clearprop, strict_json, visits):
    found = told(clearprop, strict_json, *visits, *QUICK, "--time", "day", "--folds", 2)
    header, *rows = Path("visits.csv").read_text().splitlines()
    for one, (known, asked) in zip(found["each"], [(20, 40), (40, 60)], strict=True):
        Path("known.csv").write_text("\n".join([header, *rows[:known]]))
        Path("asked.csv").write_text("\n".join([header, *rows[known:asked]]))
        same = ("--target", "ill", *QUICK, "--time", "day", "--test", 0)
        assert clearprop("train", "known.csv", *same, "--out", f"run{known}").exit_code == 0
        result = clearprop("evaluate", f"run{known}", "asked.csv", "--json")
        by_hand = strict_json(result.stdout)
        assert one["scores"] == {name: by_hand[name] for name in one["scores"]}
        assert one["baselines"] == by_hand["baselines"]


def test_groups_stay_together_and_their_column_is_no_input(clearprop, strict_json, visits):
    found = told(clearprop, strict_json, *visits, *QUICK, "--group", "patient", "--folds", 7)
    assert sorted(one["samples"] for one in found["each"]) == [8, 8, 8, 9, 9, 9, 9]
    assert found["notes"] == ["7 groups of 'patient' in 7 folds of 8 to 9 rows."]
    assert all("'patient' is left out of the inputs" in one["notes"][-1] for one in found["each"])


def test_values_pictures_and_arrays(clearprop, strict_json, photos):
    fast = ("--epochs", 2, "--layers", 3, "--folds", 2)
    found = told(clearprop, strict_json, "linear", *fast, "--validation", 0, "--l2", 0)
    assert list(found["scores"]) == ["r2", "mae", "rmse"]
    found = told(clearprop, strict_json, photos, *fast, "--size", 8)
    assert [one["samples"] for one in found["each"]] == [6, 6]
    X, y = np.random.RandomState(0).randn(40, 3), np.arange(40) % 2
    np.savez("some.npz", x_train=X, y_train=y, x_test=X[:10], y_test=y[:10])
    found = told(clearprop, strict_json, "some.npz", *fast, "--validation", 0.2)
    assert found["samples"] == 40
    assert found["notes"][0].startswith("The samples to test with take no part")


def test_coverage_and_threshold_are_scored_too(clearprop, strict_json, visits):
    asked = ("--folds", 2, "--coverage", "70%", "--threshold", "f1")
    found = told(clearprop, strict_json, *visits, *QUICK, *asked)
    assert list(found["scores"])[-1] == "coverage"
    assert "coverage" not in found["baselines"]["constant"]
    assert found["score"] == "balanced_accuracy"
    assert found["compared_by"] == "roc_auc"
    result = clearprop("cross-validate", *visits, *QUICK, *asked)
    assert "fold by fold, by ROC AUC." in result.stdout


def test_a_run_stands_for_its_data_and_settings(clearprop, strict_json, people, table_run):
    found = told(clearprop, strict_json, table_run, "--epochs", 2, "--folds", 2)
    assert found["data"] == str(people)
    assert found["settings"]["layers"] == [16]
    assert found["settings"]["epochs"] == 2


def without_seconds(path):
    found = json.loads(Path(path).read_text())
    for one in found["each"]:
        assert one.pop("seconds") >= 0
    return found


class TestResuming:
    def test_goes_on_to_the_same_bits_after_ctrl_c(self, clearprop, monkeypatch, visits):
        options = ("cross-validate", *visits, *QUICK, "--dropout", 0.1, "--folds", 3)
        assert clearprop(*options, "--out", "whole").exit_code == 0
        began = []

        def interrupt(_, run):
            began.append(run.epoch)
            if len(began) == 5:  # in the second of the folds' three epochs
                os.kill(os.getpid(), signal.SIGINT)

        with monkeypatch.context() as patched:
            patched.setattr(ProgressLine, "on_epoch_end", interrupt)
            result = clearprop(*options, "--out", "part")
        assert result.exit_code == 130
        assert result.stdout == ""
        assert len(without_seconds("part/folds.json")["each"]) == 1
        (command,) = (line for line in result.stderr.splitlines() if "--resume" in line)
        assert command.startswith("1 of 3 folds were done before. To go on: ")
        first = Path("part/folds.json").read_text().partition('"seconds"')[2][:40]

        again = shlex.split(command.partition(": ")[2])
        assert clearprop(*again[1:]).exit_code == 0
        assert without_seconds("part/folds.json") == without_seconds("whole/folds.json")
        assert first in Path("part/folds.json").read_text()  # it was not trained again

    def test_of_folds_within_a_fold_too(self, clearprop, monkeypatch, visits):
        """What is interrupted in an inner fold begins that outer fold anew."""
        options = ("cross-validate", *visits, "--layers", 4, "--epochs", 2, "--folds", 2)

        def interrupt(line, run):
            if line._of(run).label == "without fold 1 of 2, inner fold 2 of 5, candidate 1 of 2":
                os.kill(os.getpid(), signal.SIGINT)

        with monkeypatch.context() as patched:
            patched.setattr(ProgressLine, "on_epoch_end", interrupt)
            result = clearprop(*options, "--out", "part")
        assert result.exit_code == 130
        assert "0 of 2 folds were done before." in result.stderr
        assert clearprop("cross-validate", "--resume", "--out", "part").exit_code == 0
        assert clearprop(*options, "--out", "whole").exit_code == 0
        assert without_seconds("part/folds.json") == without_seconds("whole/folds.json")

    def test_is_refused_with_anything_else(self, clearprop, visits, contents):
        assert clearprop("cross-validate", *visits, *QUICK, "--out", "kept").exit_code == 0
        before = contents(Path("kept"))
        again = ("cross-validate", "--resume", "--out", "kept")
        for change, message in (
            (("--folds", 3), "began with 5 folds, now it is 3"),
            (("--epochs", 4), "began with epochs = 3, now it is 4"),
            (("iris",), "now it is iris"),
        ):
            result = clearprop(*again, *change)
            assert result.exit_code == 2
            assert message in result.stderr
        result = clearprop("cross-validate", *visits, *QUICK, "--out", "kept")
        assert result.exit_code == 2
        assert "go on with it: --resume --out kept" in result.stderr
        assert contents(Path("kept")) == before
        Path("visits.csv").write_text(Path("visits.csv").read_text().replace("yes", "no", 1))
        result = clearprop(*again)
        assert result.exit_code == 2
        assert "visits.csv has changed since the first folds" in result.stderr
        assert contents(Path("kept")) == before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "Say what to learn from"),
        (("--resume",), 2, "Say which cross-validation to go on with"),
        (("--resume", "--out", "none"), 2, "There is no cross-validation in none"),
        (("irs",), 2, "Did you mean 'iris'?"),
        (("iris", "--folds", 1), 2, "1 is not in the range x>=2"),
        (("iris", "--folds", 151), 1, "Give --folds 150 or fewer"),
        (("iris", "--test", 0.2), 2, "There is no option '--test'"),
        (("visits.csv", "--group", "patients"), 2, "no column 'patients'"),
        (("visits.csv", "--group", "patient", "--folds", 8), 1, "has 7 groups of 'patient'"),
        (("visits.csv", "--time", "patient"), 2, "no place in time"),
        (("visits.csv", "--time", "day", "--folds", 30), 1, "too few to cut into 31 parts"),
        (("one.csv",), 1, "has a single class, 'a'"),
        (("two.csv", "--folds", 2), 1, "Fold 1 of 2: "),
    ],
)
@pytest.mark.usefixtures("visits")
def test_refuses_what_cant_be(clearprop, arguments, code, message):
    Path("one.csv").write_text("x,y\n" + "".join(f"{k}.5,a\n" for k in range(9)))
    Path("two.csv").write_text("x,y\n1.5,a\n2.5,b\n3.25,a\n4.5,b\n")
    result = clearprop("cross-validate", *arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not Path("cross-validations").exists() or arguments[0] == "two.csv"


def test_a_fold_that_diverges_is_named_and_left_out(clearprop, monkeypatch):
    learn = fold_scores.learn
    wild = {"optimizer": "sgd", "schedule": "constant", "learning_rate": 1e30}

    def once(task, **more):
        is_second = len(calls) == 1
        calls.append(task)
        settings = task.settings.changed(wild) if is_second else task.settings
        return learn(task.with_settings(settings), **more)

    calls = []
    monkeypatch.setattr(fold_scores, "learn", once)
    result = clearprop("cross-validate", "iris", *QUICK, "--folds", 3)
    assert result.exit_code == 1
    assert "Fold 2 of 3, 50 samples: The loss stopped being finite" in result.stderr
    assert "1 of 3 trainings diverged and are left out: without fold 2." in result.stderr
    found = json.loads(Path("cross-validations/iris/folds.json").read_text())
    assert found["scores"]["accuracy"]["folds"] == 2
    assert [one["diverged"] is None for one in found["each"]] == [True, False, True]
    calls.clear()
    all_of_them = ("--optimizer", "sgd", "--learning-rate", 1e30, "--schedule", "constant")
    result = clearprop("cross-validate", "iris", *QUICK, "--folds", 2, *all_of_them, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["scores"] == {}

"""``clearprop search``: what was tried, what mattered, and the command that trains the best."""

import json
import os
import shlex
import signal
from itertools import count
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest

QUICK = ("--epochs", 2, "--validation", 0.2, "--network", "dense")


@pytest.fixture
def visits():
    """Write a table whose rows belong to patients and follow each other by day."""
    random = np.random.RandomState(1)
    rows = ["patient,day,dose,weight,ill"]
    for k in range(60):
        dose, weight = random.randn(2).round(3)
        rows.append(f"p{k % 7},{k // 2},{dose},{weight},{'yes' if dose > weight else 'no'}")
    Path("visits.csv").write_text("\n".join(rows) + "\n")
    return ("visits.csv", "--target", "ill", "--drop", "patient,day")


@pytest.fixture
def clock(monkeypatch):
    """Let every training take a second, one after the other."""
    seconds = count()
    monkeypatch.setattr("clearprop.cli.search.perf_counter", lambda: float(next(seconds)))
    monkeypatch.setattr("clearprop.cli.search.available_cores", lambda: 1)


@pytest.mark.usefixtures("clock")
class TestReport:
    def test_tells_what_was_tried_and_the_command_of_each(self, clearprop, strict_json, visits):
        result = clearprop("search", *visits, *QUICK, "--budget", "16s", "--folds", 3, "--json")
        assert result.exit_code == 0, result.stderr
        found = strict_json(result.stdout)
        tried = found["candidates"]
        # 3 for the defaults, 7 on one fold, 3 of them on two more: 16 seconds.
        assert len(tried[0]["each"]) == 3
        assert sorted(len(one["each"]) for one in tried[1:]) == [1] * 4 + [3] * 3
        assert found["seconds"] == found["budget"] == 16
        assert tried[0]["changes"] == {}
        for one in tried:
            own = [fold["scores"][found["score"]] for fold in one["each"]]
            assert one["mean"] == pytest.approx(mean(own))
            if len(own) > 1:
                assert one["standard_error"] == pytest.approx(stdev(own) / 3**0.5)
        assert list(found["searched"]) == ["learning_rate", "layers", "dropout", "l2"]
        for one, command in zip(tried, found["commands"], strict=True):
            words = shlex.split(command)
            assert words[:3] == ["clearprop", "train", "visits.csv"]
            for name in one["changes"]:
                assert f"--{name.replace('_', '-')}" in words
        assert found["commands"][0] == (
            "clearprop train visits.csv --target ill --drop patient,day --network dense "
            "--epochs 2 --validation 0.2"
        )
        assert found["command"] in found["commands"]
        kept = json.loads(Path(found.pop("folder"), "search.json").read_text())
        assert kept == {name: found[name] for name in kept}

    def test_says_it_in_words(self, clearprop, visits):
        result = clearprop("search", *visits, *QUICK, "--budget", "25s", "--folds", 3)
        assert result.exit_code == 0, result.stderr
        lines = result.stdout.splitlines()
        assert lines[0].split()[:6] == ["mean", "accuracy", "standard", "error", "folds", "time"]
        assert sum(line.startswith("candidate ") for line in lines) == 12
        assert sum(line.startswith("the defaults ") for line in lines) == 1
        assert any(
            line.startswith("What mattered: mean accuracy on the first fold") for line in lines
        )
        rows = [
            line.split()[0] for line in lines if line.startswith(("learning_rate", "l2 ", "layers"))
        ]
        assert rows == ["learning_rate", "layers", "l2"]
        assert any(
            line.startswith("Mean accuracy of the defaults over 3 folds: ") for line in lines
        )
        assert any(line.startswith("To train ") for line in lines)
        assert lines[-1] == "Kept in searches/visits/search.json."
        assert "A training takes 1.0 s: 0:25 allow for about 25 of them." in result.stderr
        assert "12 candidates scored by 1 fold in 0:15; next, by 3: the best 4." in result.stderr
        quiet = clearprop("search", *visits, *QUICK, "--budget", 10, "--folds", 2, "--quiet")
        assert quiet.stderr == ""

    def test_settings_that_are_given_are_kept(self, clearprop, strict_json, visits):
        given = ("--dropout", 0.1, "--layers", 6, "--seed", 3, "--budget", "9s", "--folds", 2)
        found = strict_json(clearprop("search", *visits, *QUICK, *given, "--json").stdout)
        assert list(found["searched"]) == ["learning_rate", "l2"]
        assert all(
            "--layers 6 --epochs 2 --dropout 0.1" in one
            for one in map(_without_rates, found["commands"])
        )

    def test_a_test_set_takes_no_part_and_scores_the_command(self, clearprop, strict_json):
        X, y = np.random.RandomState(0).randn(40, 3), np.arange(40) % 2
        few = ("--epochs", 2, "--validation", 0.2, "--budget", "8s", "--folds", 2)
        np.savez("some.npz", x_train=X, y_train=y, x_test=X[:10], y_test=y[:10])
        first = strict_json(clearprop("search", "some.npz", *few, "--json").stdout)
        assert first["samples"] == 40
        assert first["notes"][0].startswith("The samples to test with take no part")
        np.savez("some.npz", x_train=X, y_train=y, x_test=X[10:20], y_test=1 - y[:10])
        other = strict_json(clearprop("search", "some.npz", *few, "--json").stdout)
        assert without_times(other)["candidates"] == without_times(first)["candidates"]
        result = clearprop(*shlex.split(first["command"])[1:], "--json")
        assert strict_json(result.stdout)["samples"]["test"] == 10

    def test_of_groups_and_in_time(self, clearprop, strict_json, visits):
        few = ("--budget", "9s", "--folds", 2, "--json")
        plain = ("visits.csv", "--target", "ill", *QUICK)
        found = strict_json(clearprop("search", *plain, "--group", "patient", *few).stdout)
        assert found["notes"] == ["7 groups of 'patient' in 2 folds of 26 to 34 rows."]
        found = strict_json(clearprop("search", *plain, "--time", "day", *few).stdout)
        assert found["notes"][0].startswith("Each fold is learned from the rows before it")
        assert "--time day" in found["command"]

    def test_of_values_and_pictures(self, clearprop, strict_json, photos):
        few = ("--epochs", 2, "--budget", "8s", "--folds", 2, "--json")
        found = strict_json(clearprop("search", "linear", *few).stdout)
        assert found["score"] == "r2"
        found = strict_json(clearprop("search", photos, *few, "--size", 12).stdout)
        assert list(found["searched"]) == ["learning_rate", "layers", "dropout", "augment"]


def _without_rates(command):
    words = shlex.split(command)
    for name in ("--learning-rate", "--l2"):
        if name in words:
            at = words.index(name)
            del words[at : at + 2]
    return " ".join(words)


def without_times(found):
    for one in found["candidates"]:
        for fold in one["each"]:
            assert fold.pop("seconds") >= 0
    return found


@pytest.mark.usefixtures("clock")
class TestResuming:
    @pytest.mark.parametrize(
        ("at_once", "when", "done"), [(1, 1, 0), (1, 8, 7), (2, 4, 3), (2, 9, 7)]
    )
    def test_goes_on_to_the_same_bits_after_ctrl_c(
        self, clearprop, monkeypatch, visits, at_once, when, done
    ):
        """What was done at once with the training that was interrupted is done again."""
        monkeypatch.setattr("clearprop.cli.search.available_cores", lambda: at_once)
        options = ("search", *visits, *QUICK, "--budget", "12s", "--folds", 3)
        assert clearprop(*options, "--out", "whole").exit_code == 0
        began = []

        def interrupt(*_, **__):
            began.append(1)
            if len(began) == when:
                os.kill(os.getpid(), signal.SIGINT)

        with monkeypatch.context() as patched:
            patched.setattr("clearprop.experiment.fold_scores.learn", _then(interrupt))
            result = clearprop(*options, "--out", "part")
        assert result.exit_code == 130
        assert result.stdout == ""
        (line,) = (one for one in result.stderr.splitlines() if "--resume" in one)
        assert line.endswith("To go on: clearprop search --resume --out part")
        before = json.loads(Path("part/search.json").read_text())
        assert sum(len(one["each"]) for one in before["candidates"]) == done

        assert clearprop(*shlex.split(line.partition("To go on: ")[2])[1:]).exit_code == 0
        told = [
            without_times(json.loads(Path(of, "search.json").read_text()))
            for of in ("part", "whole")
        ]
        assert told[0] == told[1]

    def test_scores_do_not_depend_on_how_many_are_trained_at_once(
        self, clearprop, monkeypatch, visits
    ):
        options = ("search", *visits, *QUICK, "--budget", "12s", "--folds", 3)
        every = []
        for at_once in (1, 3):
            monkeypatch.setattr("clearprop.cli.search.available_cores", lambda n=at_once: n)
            assert clearprop(*options, "--out", f"by{at_once}").exit_code == 0
            told = without_times(json.loads(Path(f"by{at_once}/search.json").read_text()))
            every.append(told["candidates"])
        for alone, together in zip(*every, strict=False):
            both = min(len(alone["each"]), len(together["each"]))
            assert both > 0
            assert alone["each"][:both] == together["each"][:both]

    def test_with_more_budget_tries_more(self, clearprop, visits):
        options = ("search", *visits, *QUICK, "--folds", 2, "--out", "kept")
        assert clearprop(*options, "--budget", "8s").exit_code == 0
        first = json.loads(Path("kept/search.json").read_text())
        result = clearprop("search", "--resume", "--out", "kept", "--budget", "16s")
        assert result.exit_code == 0
        more = json.loads(Path("kept/search.json").read_text())
        assert len(more["candidates"]) > len(first["candidates"])
        assert 14 <= more["seconds"] <= 16
        result = clearprop("search", "--resume", "--out", "kept")  # it is done, and says it again
        assert result.exit_code == 0
        assert json.loads(Path("kept/search.json").read_text()) == more

    def test_is_refused_with_anything_else(self, clearprop, visits, contents):
        options = ("search", *visits, *QUICK, "--budget", "8s", "--folds", 2, "--out", "kept")
        assert clearprop(*options).exit_code == 0
        before = contents(Path("kept"))
        again = ("search", "--resume", "--out", "kept")
        for change, message in (
            (("--folds", 3), "began with 2 folds, now it is 3"),
            (("--epochs", 4), "began with epochs = 2, now it is 4"),
            (("--dropout", 0.1), "began with dropout = None, now it is 0.1"),
            (("iris",), "now it is iris"),
        ):
            result = clearprop(*again, *change)
            assert result.exit_code == 2
            assert message in result.stderr
        result = clearprop(*options)
        assert result.exit_code == 2
        assert "go on with it: --resume --out kept" in result.stderr
        Path("visits.csv").write_text(Path("visits.csv").read_text().replace("yes", "no", 1))
        result = clearprop(*again)
        assert result.exit_code == 2
        assert "visits.csv has changed since the first folds" in result.stderr
        assert contents(Path("kept")) == before


def _then(interrupt):
    from clearprop.experiment.learning import learn

    def learned(*args, **kwargs):
        interrupt()
        return learn(*args, **kwargs)

    return learned


@pytest.mark.usefixtures("clock")
def test_a_budget_too_small_for_a_search_says_how_long_a_training_takes(clearprop, visits):
    result = clearprop("search", *visits, *QUICK, "--budget", "9s")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "A budget of 9s is too small: a training takes 1.0 s" in result.stderr
    command = result.stderr.partition("To go on with more: clearprop ")[2].split()
    assert command == ["search", "--resume", "--out", "searches/visits", "--budget", "20s"]
    assert clearprop(*command).exit_code == 0
    found = json.loads(Path("searches/visits/search.json").read_text())
    assert found["seconds"] <= 20


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "Say what to learn from"),
        (("--resume",), 2, "Say which search to go on with"),
        (("--resume", "--out", "none"), 2, "There is no search in none"),
        (("irs",), 2, "Did you mean 'iris'?"),
        (("iris", "--budget", "0"), 2, "'0' leaves no time for a training"),
        (("iris", "--budget", "0m"), 2, "'0m' leaves no time"),
        (("iris", "--budget", "soon"), 2, "'soon' is no duration. Write seconds"),
        (("iris", "--budget", "-5m"), 2, "is no duration"),
        (("iris", "--budget", "nan"), 2, "is no duration"),
        (("iris", "--budget", ""), 2, "is no duration"),
        (("iris", "--budget", "99999h"), 2, "is more than a year"),
        (("iris", "--folds", 1), 2, "1 is not in the range x>=2"),
        (("iris", "--folds", 151), 1, "Give --folds 150 or fewer"),
        (("iris", "--test", 0.2), 2, "There is no option '--test'"),
        (("iris", "--space", "wide"), 2, "There is no option '--space'"),
        (("visits.csv", "--group", "patient", "--folds", 8), 1, "has 7 groups of 'patient'"),
        (("one.csv",), 1, "has a single class, 'a'"),
        (("two.csv",), 1, "too few for 5 folds. Give --folds 2 or fewer"),
        (("all.csv", "--from", "runs/x"), 2, "There is no option '--from'"),
    ],
)
@pytest.mark.usefixtures("visits")
def test_refuses_what_cant_be(clearprop, arguments, code, message):
    Path("one.csv").write_text("x,y\n" + "".join(f"{k}.5,a\n" for k in range(9)))
    Path("two.csv").write_text("x,y\n1.5,3.5\n2.5,4.25\n")
    result = clearprop("search", *arguments)
    assert result.exit_code == code, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not Path("searches").exists()


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("90", 90),
        ("30s", 30),
        ("1.5m", 90),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1m30s", 90),
        ("5M", 300),
    ],
)
def test_durations(typed, seconds):
    from clearprop.cli.search import _Duration

    assert _Duration().convert(typed, None, None) == seconds


def test_a_run_gives_all_settings_so_that_nothing_is_left(clearprop, table_run):
    result = clearprop("search", table_run)
    assert result.exit_code == 2
    assert "Nothing is left to search" in result.stderr


@pytest.mark.usefixtures("clock")
def test_candidates_that_diverge_are_the_worst_and_all_of_them_an_error(clearprop, strict_json):
    wild = ("--optimizer", "sgd", "--schedule", "constant", "--learning-rate", 1e30)
    result = clearprop("search", "iris", *QUICK, *wild, "--budget", "8s", "--folds", 2, "--json")
    assert result.exit_code == 1
    assert "Every training diverged" in result.stderr
    assert strict_json(result.stdout)["score"] == ""

"""``--threshold``: what is said of it when a model is trained, answers and is measured."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics


def rare(rows, share=-3.5, names=("no", "yes"), path="rare.csv"):
    """Write a table: few are of the second class, and they are told apart by x."""
    random = np.random.default_rng(1)
    x = random.normal(size=(rows, 2))
    found = random.random(rows) < 1 / (1 + np.exp(-share - 1.5 * x[:, 0]))
    lines = [f"{a:.4f},{b:.4f},{names[one]}" for (a, b), one in zip(x, found * 1, strict=True)]
    Path(path).write_text("\n".join(["x,z,fraud", *lines]) + "\n")


SHORT = ("--layers", 8, "--epochs", 20, "--seed", 0)


@pytest.fixture(scope="module")
def trained(clearprop, tmp_path_factory):
    """A run, its table, and what was printed."""
    folder = tmp_path_factory.mktemp("rare")
    table, run = folder / "rare.csv", folder / "run"
    rare(500, path=table)
    result = clearprop("train", table, *SHORT, "--threshold", "cost:8", "--out", run)
    assert result.exit_code == 0, result.stderr
    return run, table, result.stdout


def threshold_of(run):
    return json.loads((run / "report.json").read_text())["threshold"]["threshold"]


def told(clearprop, *args):
    result = clearprop(*args, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_training_says_which_class_from_where_on_and_why(trained):
    run, _, printed = trained
    report = json.loads((run / "report.json").read_text())
    found = report["threshold"]
    assert printed.splitlines()[0] == (
        f"Threshold: 'yes' is the answer from a probability of {found['threshold']} on; it costs "
        "least (cost:8) on 500 samples that were not learned from."
    )
    assert "F1 of 'yes'" in printed
    assert found == {
        "positive": "yes",
        "threshold": found["threshold"],
        "by": "cost:8",
        "samples": 500,
        "why_even": None,
    }
    assert 0 < found["threshold"] < 0.5
    assert report["settings"]["threshold"] == "cost:8"
    assert report["folds"]["positive"] == "yes"


def test_training_says_where_nothing_could_be_chosen(clearprop):
    rare(300)
    lines = [line for line in Path("rare.csv").read_text().splitlines() if not line.endswith("yes")]
    Path("none.csv").write_text("\n".join(lines[:40]) + "\n")
    options = ("--validation", "none.csv", "--threshold", "f1")
    result = clearprop("train", "rare.csv", *SHORT, *options)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[0] == (
        "Threshold: 'yes' is the answer from a probability of 0.5 on, as f1 could not choose: none "
        "of those to choose with are 'yes'."
    )


def test_predictions_are_by_the_models_threshold_and_it_is_noted(clearprop, trained):
    run, table, _ = trained
    at = threshold_of(run)
    report = told(clearprop, "predict", run, table)
    for one in report["predictions"]:
        assert one["prediction"] == ("yes" if one["probabilities"]["yes"] >= at else "no")
    note = f"'yes' is the answer from a probability of {at} on, the model's threshold."
    assert report["notes"][0] == note
    assert f"Note: {note}" in clearprop("predict", run, table).stderr


def test_a_number_overrules_it(clearprop, trained):
    run, table, _ = trained
    at = threshold_of(run)
    report = told(clearprop, "predict", run, table, "--threshold", 0.7)
    for one in report["predictions"]:
        assert one["prediction"] == ("yes" if one["probabilities"]["yes"] >= 0.7 else "no")
    note = f"'yes' is the answer from a probability of 0.7 on, instead of the model's {at}."
    assert report["notes"][0] == note


def test_answers_in_a_file_and_the_likeliest_follow_it(clearprop, trained):
    run, table, _ = trained
    clearprop("predict", run, table, "--threshold", 0.02, "--out", "said.csv", "--top", 1)
    rows = [line.rsplit(",", 2) for line in Path("said.csv").read_text().splitlines()[1:]]
    assert {name for _, name, share in rows if float(share) < 0.5} == {"yes"}


@pytest.mark.parametrize("threshold", [0.02, 0.3])
def test_evaluation_is_at_the_threshold(clearprop, trained, threshold):
    run, table, _ = trained
    shares = [
        one["probabilities"]["yes"] for one in told(clearprop, "predict", run, table)["predictions"]
    ]
    truth = [line.endswith("yes") for line in table.read_text().splitlines()[1:]]
    said = np.array(shares) >= threshold
    found = told(clearprop, "evaluate", run, table, "--threshold", threshold)
    assert found["threshold"] == threshold
    assert found["positive"] == "yes"
    assert found["f1"] == pytest.approx(metrics.f1_score(truth, said))
    assert found["balanced_accuracy"] == metrics.balanced_accuracy_score(truth, said)
    assert f"from a probability of {threshold} on, instead of" in found["notes"][0]


def test_data_of_one_class_tell_nothing_about_a_ranking(clearprop, trained):
    run, table, _ = trained
    lines = [line for line in table.read_text().splitlines() if not line.endswith("yes")]
    Path("none.csv").write_text("\n".join(lines) + "\n")
    printed = clearprop("evaluate", run, "none.csv").stdout
    assert "ROC AUC –" in printed
    assert "no better than" not in printed


@pytest.mark.parametrize("number", ["0", "1", "nan", "f1", "-0.2"])
@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_number_between_0_and_1_is_expected(clearprop, table_run, people, command, number):
    result = clearprop(command, table_run, people, f"--threshold={number}")
    assert result.exit_code == 2
    assert "threshold" in result.stderr


def test_a_model_without_one_names_the_likelier_class_until_one_is_said(
    clearprop, table_run, people
):
    assert "probability of" not in clearprop("predict", table_run, people).stderr
    result = clearprop("predict", table_run, people, "--threshold", 0.3)
    assert "probability of 0.3 on, instead of the likelier class." in result.stderr


def test_what_has_not_two_classes_is_refused(clearprop):
    for data, has in (("iris", "species has 3 classes"), ("diabetes", "progression has values")):
        clearprop("train", data, *SHORT, "--folds", 0, "--out", data)
        for command in ("predict", "evaluate"):
            result = clearprop(command, data, data, "--threshold", 0.3)
            assert result.exit_code == 2
            assert f"--threshold is for two classes; {has}." in result.stderr
        result = clearprop("train", data, "--threshold", "f1")
        assert result.exit_code == 2
        assert f"--threshold is for two classes; {has}." in result.stderr


@pytest.mark.slow
def test_a_rare_class_that_is_told_apart_but_missed_is_helped_by_the_next_command(clearprop):
    rare(1000)
    result = clearprop("train", "rare.csv", *SHORT, "--out", "a run")
    advice = next(line for line in result.stdout.splitlines() if "To find more of" in line)
    assert advice.startswith("'yes' is told apart (ROC AUC 0.")
    command = shlex.split(advice.partition(": ")[2])
    assert command[-2:] == ["--threshold", "f1"]
    again = clearprop(*command[1:], "--out", "again")
    assert again.exit_code == 0, again.stderr
    assert "To find more of" not in again.stdout
    before, after = (
        json.loads(Path(folder, "report.json").read_text())["folds"]
        for folder in ("a run", "again")
    )
    assert after["f1"] > before["f1"]
    assert after["roc_auc"] == before["roc_auc"]


def test_names_from_outside_are_only_shown(clearprop):
    rare(300, share=-1, names=("no", "\x1b[31mspam"))
    result = clearprop("train", "rare.csv", *SHORT, "--threshold", 0.4, "--out", "run")
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.output
    assert "spam' is the answer from a probability of 0.4 on." in result.stdout


def test_help_says_what_a_cost_is(clearprop):
    shown = " ".join(clearprop("train", "--help").stdout.split())
    assert "cost:5, the cheapest where to miss one costs as much as 5 false alarms" in shown

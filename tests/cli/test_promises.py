"""What a newcomer is promised: one command, no options, on real data."""

import csv
from pathlib import Path

import pytest
from sklearn.datasets import load_iris


@pytest.mark.slow
def test_digits_are_learned_without_options(clearprop, strict_json):
    result = clearprop("train", "digits", "--json")
    report = strict_json(result.stdout)
    assert report["samples"] == {"folds": 1797, "train": 1797}
    assert report["folds"]["accuracy"] >= 0.97
    assert report["folds"]["accuracy"] > report["folds"]["baselines"]["linear"]["accuracy"]


@pytest.mark.slow
def test_a_table_of_irises_predicts_from_a_table(clearprop, strict_json):
    X, y = load_iris(return_X_y=True)
    species = load_iris().target_names[y]
    for name, with_species in (("iris.csv", True), ("new.csv", False)):
        with Path(name).open("w", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(["a", "b", "c", "d", *(["species"] if with_species else [])])
            for row, kind in zip(X.tolist(), species, strict=True):
                lines.writerow([*row, *([kind] if with_species else [])])
    assert clearprop("train", "iris.csv", "--out", "run").exit_code == 0
    result = clearprop("predict", "run/model.safetensors", "new.csv", "--json")
    said = [answer["prediction"] for answer in strict_json(result.stdout)["predictions"]]
    assert sum(map(str.__eq__, said, species)) >= 140


def test_cats_are_told_from_others_and_tested(clearprop, strict_json, shared_data):
    root = shared_data / "catvnoncat"
    options = ("--size", 16, "--layers", 20, "--epochs", 100, "--out", "run")
    report = strict_json(clearprop("train", root, *options, "--json").stdout)
    assert report["samples"] == {"test": 50, "folds": 209, "train": 209}
    assert report["test"]["accuracy"] > 0.5
    found = strict_json(clearprop("evaluate", "run/model.safetensors", root, "--json").stdout)
    assert found["accuracy"] == pytest.approx(report["test"]["accuracy"])
    for mistake in found["mistakes"]:
        assert (root / mistake["source"]).parent.name == mistake["truth"]

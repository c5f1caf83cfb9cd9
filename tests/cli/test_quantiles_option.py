"""``--quantiles``: what is said of them when a model is trained, answers, and is measured."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

import clearprop as cp

pytestmark = pytest.mark.usefixtures("undrawn")

SHORT = ("--layers", 16, "--epochs", 40, "--folds", 0, "--l2", 0)
ASKED = ("--quantiles", "0.05,0.5,0.95")


def table(path, rows=600, seed=1):
    """Write a table whose values spread the more, the larger a is."""
    random = np.random.default_rng(seed)
    x = random.uniform(size=(rows, 2))
    y = 10 + 5 * x[:, 0] + (0.2 + 3 * x[:, 0]) * random.normal(size=rows)
    lines = [f"{a:.4f},{b:.4f},{one:.4f}" for (a, b), one in zip(x, y, strict=True)]
    Path(path).write_text("\n".join(["a,b,level", *lines]) + "\n")


@pytest.fixture(scope="module")
def run(clearprop, tmp_path_factory):
    return trained(clearprop, tmp_path_factory.mktemp("quantiles"))


@pytest.fixture(scope="module")
def sure(clearprop, tmp_path_factory):
    return trained(clearprop, tmp_path_factory.mktemp("sure"), "--coverage", "90%")


def trained(clearprop, folder, *more):
    path = folder / "table.csv"
    table(path)
    result = clearprop("train", path, *SHORT, *ASKED, *more, "--out", folder / "run")
    assert result.exit_code == 0, result.stderr
    return folder / "run", path, result


def rows_of(path):
    return list(csv.DictReader(Path(path).read_text().splitlines()))


def told(clearprop, *args):
    result = clearprop(*args, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_training_says_how_good_each_is(run):
    folder, _, result = run
    report = json.loads((folder / "report.json").read_text())
    found = report["test"]["quantiles"]
    assert [one["level"] for one in found] == [0.05, 0.5, 0.95]
    lines = result.stdout.splitlines()
    for one in found:
        low, high = one["between"]
        assert (
            f"Quantile {one['level']:g}: pinball loss {one['loss']:.4g} (that of the training data "
            f"{one['constant']:.4g}); {one['below']:.1%} of 120 samples are at or below it, by "
            f"chance {low:.1%} to {high:.1%}." in lines
        )
        assert one["samples"] == 120
        assert one["within"] is (low <= one["below"] <= high)
    assert "(median " in result.stdout
    assert report["test"]["pinball"] == pytest.approx(np.mean([one["loss"] for one in found]))
    assert report["test"]["pinball"] < report["test"]["baselines"]["constant"]["pinball"]
    assert f"pinball loss {report['test']['pinball']:.4g}" in result.stdout
    assert report["settings"]["quantiles"] == [0.05, 0.5, 0.95]


def test_the_figures_are_those_of_scikit_learn_and_numpy(clearprop, run):
    folder, _, _ = run
    table("other.csv", rows=300, seed=2)
    found = told(clearprop, "evaluate", folder, "other.csv")["quantiles"]
    truth = np.array([float(row["level"]) for row in rows_of("other.csv")])
    model = cp.load(folder / "model.safetensors")
    quantiles = model.predict_quantiles("other.csv")
    for one, q, own, always in zip(
        found, (0.05, 0.5, 0.95), quantiles.T, model.constant, strict=True
    ):
        assert one["loss"] == pytest.approx(mean_pinball_loss(truth, own, alpha=q), rel=1e-6)
        constant = mean_pinball_loss(truth, np.full(300, always), alpha=q)
        assert one["constant"] == pytest.approx(constant, rel=1e-6)
        assert one["below"] == np.mean(truth <= own)
    printed = clearprop("evaluate", folder, "other.csv").stdout
    assert f"  Quantile 0.95: pinball loss {found[2]['loss']:.4g} (that of" in printed


def test_answers_have_a_column_for_each(clearprop, run):
    folder, path, _ = run
    said = told(clearprop, "predict", folder, path)["predictions"]
    assert list(said[0]["quantiles"]) == ["0.05", "0.5", "0.95"]
    for one in said:
        assert list(one["quantiles"].values()) == sorted(one["quantiles"].values())
        assert one["prediction"] == one["quantiles"]["0.5"]
    clearprop("predict", folder, path, "--out", "said.csv")
    rows = rows_of("said.csv")
    names = ["quantile 0.05", "quantile 0.5", "quantile 0.95"]
    assert list(rows[0]) == ["a", "b", "level", "prediction", *names]
    assert [float(rows[7][name]) for name in names] == list(said[7]["quantiles"].values())
    clearprop("predict", folder, path, "--out", "said.jsonl")
    first = json.loads(Path("said.jsonl").read_text().splitlines()[0])
    assert first["quantile 0.95"] == said[0]["quantiles"]["0.95"]
    shown = clearprop("predict", folder, path).stdout.splitlines()
    assert shown[0].split() == ["sample", "prediction", "quantile", "0.05"] + [
        word for level in ("0.5", "0.95") for word in ("quantile", level)
    ]


def test_intervals_between_quantiles_are_wide_where_values_spread(clearprop, sure):
    folder, path, result = sure
    report = json.loads((folder / "report.json").read_text())
    assert report["test"]["coverage"]["within"] is True
    assert "Coverage: intervals hold the true value of 90% of all rows" in result.stdout
    said = told(clearprop, "predict", folder, path)["predictions"]
    widths = np.array([one["upper"] - one["lower"] for one in said])
    a = np.array([float(row["a"]) for row in rows_of(path)])
    assert widths[a > 0.8].mean() > 2 * widths[a < 0.2].mean()
    clearprop("predict", folder, path, "--out", "said.csv")
    assert list(rows_of("said.csv")[0])[-3:] == ["quantile 0.95", "lower", "upper"]


def test_levels_without_the_median_predict_what_lies_between(clearprop):
    table("table.csv", rows=120)
    clearprop("train", "table.csv", *SHORT, "--quantiles", "25%,75%", "--out", "run")
    for one in told(clearprop, "predict", "run", "table.csv")["predictions"]:
        low, high = one["quantiles"].values()
        assert one["prediction"] == pytest.approx((low + high) / 2)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0.9", "the prediction is the median, and 0.9 is above it on one side: add 0.5."),
        ("0.1,0.2", "the prediction is the median, and 0.1,0.2 is below it on one side: add 0.5."),
        ("0.9,0.5", "levels of quantiles ascend, as in 0.1,0.5,0.9; found 0.9,0.5."),
        ("0.5,0.5", "levels of quantiles ascend"),
        ("0,0.5", "a share between 0 and 1, as in 90% or 0.9, is expected; found '0'."),
        ("0.1,,0.9", "a share between 0 and 1, as in 90% or 0.9, is expected; found ''."),
        ("5,50,95", "found '5'. Did you mean 5%?"),
        ("low,high", "found 'low'."),
        ("", "found ''."),
    ],
)
def test_what_are_no_levels_is_refused(clearprop, typed, said):
    table("table.csv", rows=60)
    result = clearprop("train", "table.csv", f"--quantiles={typed}")
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize("written", ["0.9", "true", '"high"', "[0.9, 0.1]", '["0.5", []]'])
def test_a_file_of_settings_is_checked(clearprop, written):
    Path("my.toml").write_text(f"quantiles = {written}\n")
    result = clearprop("train", "diabetes", "--config", "my.toml")
    assert result.exit_code == 2
    assert "quantiles: " in result.stderr


def test_classes_and_several_values_have_none(clearprop):
    result = clearprop("train", "iris", *ASKED, "--out", "run")
    assert result.exit_code == 2
    assert (
        "--quantiles is for one value a sample, and the target 'species' holds classes: leave it "
        "out; --task regress takes numbers as values." in result.stderr
    )
    X = np.random.RandomState(0).randn(100, 3)
    np.savez("arrays.npz", X=X, y=X[:, :2])
    result = clearprop("train", "arrays.npz", *ASKED, "--out", "run")
    assert result.exit_code == 2
    assert "holds 2 values a sample: leave it out." in result.stderr


def test_a_model_without_them_says_so(clearprop):
    table("table.csv", rows=60)
    clearprop("train", "table.csv", *SHORT, "--epochs", 2, "--out", "run")
    with pytest.raises(cp.errors.UsageError, match="gives no quantiles"):
        cp.load("run/model.safetensors").predict_quantiles("table.csv")


@pytest.mark.slow
def test_a_run_is_repeated_cross_validated_and_explained(clearprop):
    table("table.csv", rows=150)
    options = ("table.csv", "--layers", 8, "--epochs", 5, *ASKED)
    first = clearprop("train", *options, "--out", "run")
    assert first.exit_code == 0, first.stderr
    assert "Quantile 0.95: pinball loss" in first.stdout  # by folds
    again = clearprop("train", "--config", "run/config.toml", "--out", "again")
    assert again.exit_code == 0, again.stderr
    models = [Path(run, "model.safetensors").read_bytes() for run in ("run", "again")]
    assert models[0] == models[1]
    result = clearprop("cross-validate", *options, "--folds", 2, "--out", "cv")
    assert result.exit_code == 0, result.stderr
    assert "pinball loss" in result.stdout
    assert "mean of median" in result.stdout
    result = clearprop("explain", "run", "table.csv", "--sample", 3)
    assert result.exit_code == 0, result.stderr
    result = clearprop("walk", "run", "--data", "table.csv")
    assert result.exit_code == 0, result.stderr
    for one in ("doctor", "check", "show"):
        result = clearprop(one, "run")
        assert result.exit_code == 0, (one, result.output)


def test_training_goes_on_with_the_same_levels_only(clearprop):
    table("table.csv", rows=100)
    table("more.csv", rows=100, seed=5)
    clearprop("train", "table.csv", *SHORT, *ASKED, "--epochs", 2, "--out", "run")
    result = clearprop("train", "more.csv", "--from", "run", "--out", "next")
    assert result.exit_code == 0, result.stderr
    result = clearprop("train", "more.csv", "--from", "run", "--quantiles", "0.5", "--out", "other")
    assert result.exit_code == 2
    assert "quantiles" in result.stderr


def test_skewed_values_are_learned_on_their_own_scale_too(clearprop):
    table("table.csv", rows=300)
    rows = rows_of("table.csv")
    lines = [f"{row['a']},{row['b']},{np.exp(float(row['level']) / 3):.3f}" for row in rows]
    Path("skewed.csv").write_text("\n".join(["a,b,price", *lines]))
    result = clearprop(
        "train", "skewed.csv", *SHORT, *ASKED, "--target-scale", "log", "--out", "run"
    )
    assert result.exit_code == 0, result.stderr
    found = json.loads(Path("run/report.json").read_text())["test"]
    assert found["pinball"] < found["baselines"]["constant"]["pinball"]
    for one in told(clearprop, "predict", "run", "skewed.csv")["predictions"]:
        assert 0 < one["quantiles"]["0.05"] <= one["prediction"] <= one["quantiles"]["0.95"]

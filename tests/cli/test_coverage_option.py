"""``--coverage``: what is said of it when a model is trained, answers and is measured."""

import csv
import json
import shlex
from pathlib import Path

import numpy as np
import pytest

SHORT = ("--layers", 8, "--epochs", 15, "--folds", 0, "--l2", 0)


def table(path, rows=400, kind="classes"):
    """Write a table whose last column is known but for noise."""
    random = np.random.default_rng(1)
    x = random.normal(size=(rows, 2))
    hidden = x[:, 0] + random.normal(size=rows)
    names = ("low", "so, so", "high")
    told = [names[k] for k in np.digitize(hidden, (-0.7, 0.7))]
    if kind == "values":
        told = [f"{20 + 5 * one:.3f}" for one in hidden]
    with Path(path).open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["a", "b", "level"])
        lines.writerows([f"{a:.4f}", f"{b:.4f}", one] for (a, b), one in zip(x, told, strict=True))


@pytest.fixture(scope="module")
def of_classes(clearprop, tmp_path_factory):
    return trained(clearprop, tmp_path_factory.mktemp("classes"), "classes")


@pytest.fixture(scope="module")
def of_values(clearprop, tmp_path_factory):
    return trained(clearprop, tmp_path_factory.mktemp("values"), "values")


def trained(clearprop, folder, kind):
    """Train on a table; return the run, the table, and what was printed."""
    path, run = folder / "table.csv", folder / "run"
    table(path, kind=kind)
    result = clearprop("train", path, *SHORT, "--coverage", "90%", "--out", run)
    assert result.exit_code == 0, result.stderr
    return run, path, result


def rows_of(path):
    return list(csv.DictReader(Path(path).read_text().splitlines()))


def told(clearprop, *args):
    result = clearprop(*args, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_training_says_what_is_promised_and_what_was_measured(of_classes):
    run, _, result = of_classes
    report = json.loads((run / "report.json").read_text())
    promise, found = report["coverage"], report["test"]["coverage"]
    low, high = promise["between"]
    lines = result.stdout.splitlines()
    assert (
        "Coverage: sets hold the true class of 90% of all rows drawn as those of training were, "
        "though perhaps not of each class of them. Which 64 rows it was fitted to is chance, and "
        f"leaves {low:.1%} to {high:.1%} in 99% of cases." in lines
    )
    low, high = found["between"]
    assert (
        f"Coverage {found['measured']:.1%} of 80 samples, {found['mean_size']:.3g} classes a set; "
        f"promised 90%, by chance {low:.1%} to {high:.1%} (64 rows fitted it)." in lines
    )
    assert found["within"] is True
    assert "80 to test, 64 for the coverage" in result.stderr
    assert "To fit the coverage of 90%, and for nothing else: 64 rows." in result.stderr
    assert report["settings"]["coverage"] == 0.9
    assert report["temperature"]["samples"] == 51
    assert any(line.startswith("Temperature: ") for line in lines)


def test_training_says_how_wide_intervals_are(of_values):
    run, _, result = of_values
    report = json.loads((run / "report.json").read_text())
    found = report["test"]["coverage"]
    assert report["temperature"] is None
    assert "Coverage: intervals hold the true value of 90% of all rows" in result.stdout
    assert f"of 80 samples, {found['mean_size']:.4g} wide; promised 90%" in result.stdout
    assert "Temperature" not in result.stdout
    assert 10 < found["mean_size"] < 30  # the noise alone spans 16.4


def test_answers_come_with_their_sets(clearprop, of_classes):
    run, path, _ = of_classes
    report = told(clearprop, "predict", run, path)
    assert report["notes"][0].startswith("Coverage: sets hold the true class of 90%")
    truth = [row["level"] for row in rows_of(path)]
    held = 0
    for one, true in zip(report["predictions"], truth, strict=True):
        shares = one["probabilities"]
        assert one["set"] == sorted(one["set"], key=lambda name: -shares[name])
        out = [share for name, share in shares.items() if name not in one["set"]]
        assert min([shares[name] for name in one["set"]], default=1) >= max(out, default=0)
        held += true in one["set"]
    assert held / 400 > 0.8
    clearprop("predict", run, path, "--out", "said.csv")
    rows = rows_of("said.csv")
    assert list(rows[0])[-1] == "set"
    for row, one in zip(rows, report["predictions"], strict=True):
        assert next(csv.reader([row["set"]]), []) == one["set"]
    shown = clearprop("predict", run, path).stdout.splitlines()
    assert shown[0].split()[-2:] == ["90%", "set"]
    assert shown[1].endswith(", ".join(report["predictions"][0]["set"]))
    clearprop("predict", run, path, "--out", "said.jsonl", "--top", 2)
    first = json.loads(Path("said.jsonl").read_text().splitlines()[0])
    assert first["set"] == rows[0]["set"]


def test_answers_come_with_their_intervals(clearprop, of_values):
    run, path, _ = of_values
    report = told(clearprop, "predict", run, path)
    widths = {round(one["upper"] - one["lower"], 6) for one in report["predictions"]}
    assert len(widths) == 1
    assert all(one["lower"] < one["prediction"] < one["upper"] for one in report["predictions"])
    assert all("set" not in one for one in report["predictions"])
    clearprop("predict", run, path, "--out", "said.csv")
    rows = rows_of("said.csv")
    assert list(rows[0])[-3:] == ["prediction", "lower", "upper"]
    one = report["predictions"][0]
    assert [float(rows[0][name]) for name in ("lower", "upper")] == [one["lower"], one["upper"]]
    shown = clearprop("predict", run, path).stdout.splitlines()
    assert shown[0].split()[-3:] == ["90%", "from", "to"]
    clearprop("predict", run, path, "--out", "short.csv", "--id", "a")
    assert Path("short.csv").read_text().splitlines()[0] == "a,prediction,lower,upper"


def test_columns_of_these_names_are_not_replaced(clearprop):
    table("table.csv")
    text = Path("table.csv").read_text()
    Path("table.csv").write_text(text.replace("a,b,level", "a,set,level"))
    clearprop("train", "table.csv", *SHORT, "--coverage", 0.8, "--out", "run")
    result = clearprop("predict", "run", "table.csv", "--out", "said.csv")
    assert "The input has a column 'set' of its own; ours is 'set (2)'." in result.stderr
    assert Path("said.csv").read_text().splitlines()[0].endswith(",set (2)")


@pytest.mark.parametrize("kind", ["classes", "values"])
def test_evaluation_measures_it_beside_the_promise(clearprop, of_classes, of_values, kind):
    run, path, _ = of_classes if kind == "classes" else of_values
    table("other.csv", rows=300, kind=kind)
    lines = Path("other.csv").read_text().splitlines()
    Path("other.csv").write_text("\n".join([lines[0], *lines[101:]]))
    found = told(clearprop, "evaluate", run, "other.csv")["coverage"]
    assert (found["promised"], found["fitted_on"], found["samples"]) == (0.9, 64, 200)
    low, high = found["between"]
    printed = clearprop("evaluate", run, "other.csv").stdout
    assert f"  Coverage {found['measured']:.1%} of 200 samples, " in printed
    assert f"promised 90%, by chance {low:.1%} to {high:.1%} (64 rows fitted it)." in printed
    # Of rows that it has learned from, it is no measure.
    assert "Coverage" not in clearprop("evaluate", run, path).stdout


def test_empty_sets_are_counted_and_told(clearprop):
    random = np.random.default_rng(0)
    x = random.normal(size=300)
    lines = [f"{one:.4f},{'high' if one > 0 else 'low'}" for one in x]
    Path("sure.csv").write_text("\n".join(["a,level", *lines]))
    result = clearprop("train", "sure.csv", *SHORT, "--coverage", "50%", "--out", "run")
    found = json.loads(Path("run/report.json").read_text())["test"]["coverage"]
    assert found["empty"] > 10
    assert found["within"] is True
    assert f" a set, {found['empty']} of them without any; promised 50%" in result.stdout
    shown = clearprop("predict", "run/model.safetensors", "sure.csv").stdout
    assert "(none)" in shown


def test_with_folds_it_is_promised_and_not_measured(clearprop):
    table("table.csv", rows=200)
    options = ("--layers", 8, "--epochs", 5, "--l2", 0, "--folds", 2, "--coverage", "80%")
    result = clearprop("train", "table.csv", *options, "--out", "run")
    assert result.exit_code == 0, result.stderr
    assert "160 samples to train on, in 2 folds, 40 for the coverage." in result.stderr
    assert "Coverage: sets hold the true class of 80%" in result.stdout
    assert "It is not measured here, as no rows are held out to score with: --test 0.2" in (
        result.stdout
    )
    report = json.loads(Path("run/report.json").read_text())
    assert report["coverage"]["samples"] == 40
    assert report["folds"]["coverage"] is None
    result = clearprop("train", "table.csv", *options, "--test", 0.2, "--out", "both")
    assert "Coverage 8" in result.stdout or "Coverage 9" in result.stdout
    assert "not measured here" not in result.stdout


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("90", "found '90'. Did you mean 90%?"),
        ("0", "found '0'."),
        ("1", "found '1'."),
        ("100%", "found '100%'."),
        ("150%", "found '150%'."),
        ("-5%", "found '-5%'."),
        ("nan", "found 'nan'."),
        ("high", "found 'high'."),
        ("1/2", "found '1/2'."),
        ("%", "found '%'."),
        ("90 percent", "found '90 percent'."),
        ("0." + "0" * 400 + "1", "found '0.000"),
    ],
)
def test_what_is_no_share_is_refused(clearprop, typed, said):
    result = clearprop("train", "iris", f"--coverage={typed}")
    assert result.exit_code == 2
    assert "a share between 0 and 1, as in 90% or 0.9, is expected" in result.stderr
    assert said in result.stderr


@pytest.mark.parametrize("typed", ["0.9", "90%", " 90 %", ".9", "9e-1"])
def test_a_share_is_typed_in_either_way(clearprop, typed):
    result = clearprop(
        "train", "iris", *SHORT, "--epochs", 1, "--coverage", typed, "--out", "run", "--json"
    )
    assert json.loads(result.stdout)["coverage"]["promised"] == 0.9


@pytest.mark.parametrize("written", ["0.9", '"90%"', '"0.9"'])
def test_a_file_of_settings_holds_it(clearprop, written):
    Path("my.toml").write_text(f"coverage = {written}\nepochs = 1\nlayers = [4]\nfolds = 0\n")
    result = clearprop("train", "iris", "--config", "my.toml", "--out", "run")
    assert result.exit_code == 0, result.stderr
    assert "90%" in result.stdout
    again = clearprop("train", "--config", "run/config.toml", "--out", "again")
    assert again.exit_code == 0, again.stderr
    models = [Path(run, "model.safetensors").read_bytes() for run in ("run", "again")]
    assert models[0] == models[1]


@pytest.mark.parametrize("written", ["90", "true", "[0.9]", '"often"'])
def test_a_file_of_settings_is_checked(clearprop, written):
    Path("my.toml").write_text(f"coverage = {written}\n")
    result = clearprop("train", "iris", "--config", "my.toml")
    assert result.exit_code == 2
    assert "coverage: a share between 0 and 1" in result.stderr


def test_too_few_rows_are_refused_and_it_is_said_how_many_do(clearprop):
    result = clearprop("train", "iris", "--coverage", "99%", "--out", "run")
    assert result.exit_code == 1
    assert (
        "A coverage of 99% is fitted to 99 rows at least, which nothing else is done with, and "
        "that may be half of all: 198 are needed besides those that give the score, and there are "
        "150. Ask for less with --coverage, or add rows." in result.stderr
    )


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_architectures_are_compared_with_it(clearprop):
    options = ("--coverage", "80%", "--epochs", 2, "--repeats", 1, "--folds", 0, "--json")
    result = clearprop("compare", "iris", "--layers", "none", "--layers", 4, *options)
    assert result.exit_code == 0, result.stderr


def test_a_run_that_was_interrupted_goes_on_to_the_same_coverage(clearprop):
    table("table.csv", rows=200)
    options = ("table.csv", *SHORT, "--coverage", "80%", "--checkpoint-every", 0)
    clearprop("train", *options, "--out", "whole")
    clearprop("train", *options, "--out", "again")
    Path("again/model.safetensors").unlink()
    result = clearprop("train", "--resume", "--out", "again")
    assert result.exit_code == 0, result.stderr
    models = [Path(run, "model.safetensors").read_bytes() for run in ("whole", "again")]
    assert models[0] == models[1]


def test_pictures_get_sets(clearprop, tmp_path):
    from small_pictures import write_picture

    for seed in range(20):
        write_picture(tmp_path / f"photos/bright/{seed}.png", bright=True, seed=seed)
        write_picture(tmp_path / f"photos/dark/{seed}.png", bright=False, seed=seed)
    options = ("--size", 8, "--layers", 4, "--epochs", 3, "--folds", 0, "--coverage", "75%")
    result = clearprop("train", tmp_path / "photos", *options, "--out", "run")
    assert result.exit_code == 0, result.stderr
    found = told(clearprop, "predict", "run", tmp_path / "photos")["predictions"]
    assert all(set(one["set"]) <= {"bright", "dark"} for one in found)


def test_arrays_of_several_values_get_an_interval_for_each(clearprop):
    X = np.random.RandomState(0).randn(100, 3)
    np.savez("arrays.npz", X=X, y=X[:, :2] * (1, 100))
    options = ("--layers", 8, "--epochs", 5, "--folds", 0, "--coverage", "80%")
    result = clearprop("train", "arrays.npz", *options, "--out", "run")
    assert result.exit_code == 0, result.stderr
    found = told(clearprop, "predict", "run", "arrays.npz")["predictions"][0]
    assert all(
        low < value < high
        for low, value, high in zip(
            found["lower"], found["prediction"], found["upper"], strict=True
        )
    )
    clearprop("predict", "run", "arrays.npz", "--out", "said.csv")
    assert Path("said.csv").read_text().splitlines()[0] == (
        "file,row,prediction,prediction 2,lower,lower 2,upper,upper 2"
    )


def test_names_from_outside_are_only_shown(clearprop):
    table("table.csv", rows=200)
    text = Path("table.csv").read_text().replace("low", "\x1b[31mlow")
    Path("table.csv").write_text(text)
    clearprop("train", "table.csv", *SHORT, "--coverage", "80%", "--out", "run")
    result = clearprop("predict", "run", "table.csv")
    assert "low" in result.stdout
    assert "\x1b" not in result.output


def test_what_is_said_next_is_typed_again(clearprop, of_classes):
    run, path, _ = of_classes
    table("rare.csv", rows=200)
    result = clearprop("train", "--config", run / "config.toml", path, "--out", "next")
    assert result.exit_code == 0, result.stderr
    command = shlex.split(result.stdout.splitlines()[-1])
    assert clearprop(*command[1:]).exit_code == 0

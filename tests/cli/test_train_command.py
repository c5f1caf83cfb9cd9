"""``clearprop train``: what a run leaves behind, what it says, and how it goes on."""

import csv
import json
import os
import re
import shlex
import signal
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from folder_names import names
from PIL import Image

import clearprop as cp
from clearprop.cli import cli
from clearprop.training import ProgressLine

FILES = {
    *("model.safetensors", "history.csv", "config.toml", "checkpoint.safetensors", "report.json"),
    *("epochs.safetensors", "report.html"),
}


class TestARun:
    def test_leaves_model_history_settings_report_and_pictures(self, table_run):
        assert names(table_run) == FILES | {
            *("curves.png", "confusion.png", "calibration.png", "importance.png")
        }
        for picture in table_run.glob("*.png"):
            with Image.open(picture) as image:
                image.verify()
        settings = tomllib.loads((table_run / "config.toml").read_text())
        assert (settings["epochs"], settings["layers"]) == (100, [16])
        with (table_run / "history.csv").open() as file:
            assert len(list(csv.DictReader(file))) == 100

    def test_says_results_to_standard_output_and_progress_to_standard_error(
        self, clearprop, people
    ):
        result = clearprop("train", people, "--epochs", 20, "--folds", 0, "--out", "run")
        assert result.exit_code == 0
        lines = [line for line in result.stdout.splitlines() if "linear model does" not in line]
        assert [line.split()[0] for line in lines] == [
            "Held", "balanced", "Choice", "Training", "Matters", "Temperature:", "Calibration",
            "Trained", "Next:", "clearprop",
        ]  # fmt: skip
        assert "51 samples to train on, 13 to choose the epoch, 16 to test." in result.stderr
        assert "epoch 20/20" in result.stderr
        assert "\r" not in result.output  # nothing moves where nobody watches
        assert "\x1b" not in result.output

    def test_says_what_gives_a_score_and_what_gives_none(self, clearprop, people):
        options = ("--epochs", 3, "--layers", 2, "--out")
        held, _, choice, training, *_ = clearprop(
            "train", people, *options, "apart", "--folds", 0
        ).stdout.splitlines()
        score = r"accuracy [\d.]+%"
        beaten = rf"{score} \((larger class [\d.]+%), linear model [\d.]+%\)"
        told = re.fullmatch(rf"Held out      16 samples: {beaten}", held)
        assert told[1] == "larger class 56.25%"
        assert re.fullmatch(
            rf"Choice        13 samples: {score}: no score, as they chose the epoch", choice
        )
        assert re.fullmatch(
            rf"Training      51 samples: {score}: no score, as they were learned from", training
        )
        result = clearprop("train", people, *options, "folds", "--folds", 2)
        held, _, training, *_ = result.stdout.splitlines()
        told = re.fullmatch(rf"Held out      80 samples, each in turn: {beaten}", held)
        assert told[1] == "larger class 55.00%"
        assert training.startswith("Training      80 samples: accuracy ")
        assert "80 samples to train on, in 2 folds." in result.stderr
        assert "all samples, epoch 3/3" in result.stderr

    def test_names_a_rare_class_with_its_recall_and_scores_by_balanced_accuracy(
        self, clearprop, strict_json
    ):
        x = np.random.RandomState(0).randn(400) + 4 * (np.arange(400) < 24)
        lines = [f"{one:.3f},{'ill' if row < 24 else 'well'}" for row, one in enumerate(x)]
        Path("rare.csv").write_text("\n".join(["pulse,state", *lines]))
        options = ("--folds", 2, "--epochs", 20, "--layers", 8)
        result = clearprop("train", "rare.csv", *options, "--out", "run")
        held, others, rare, *_ = result.stdout.splitlines()
        assert re.match(
            r"Held out     400 samples, each in turn: balanced accuracy [\d.]+% "
            r"\(larger class 50.00%, linear model [\d.]+%\)",
            held,
        )
        assert others.split()[0] == "accuracy"
        folds = strict_json(Path("run/report.json").read_text())["folds"]
        assert (folds["score"], folds["samples"]) == ("balanced_accuracy", 400)
        assert folds["baselines"]["constant"]["accuracy"] == 0.94
        told = re.fullmatch(
            r" *'ill' is rare: 24 of 400 samples, of which ([\d.]+)% are found \(recall\); .*", rare
        )
        of_ill = float(told[1]) / 100
        # Balanced accuracy is the mean recall: with accuracy, it gives the recall of either class.
        right = folds["accuracy"] * 400
        assert folds["balanced_accuracy"] == pytest.approx(
            (of_ill + (right - 24 * of_ill) / 376) / 2, abs=1e-4
        )

    def test_doubts_a_score_that_beats_nothing_and_says_what_to_type(self, clearprop, elsewhere):
        random_state = np.random.RandomState(0)
        lines = [f"{x:.3f},{y:.3f}" for x, y in random_state.randn(60, 2)]  # nothing to learn
        Path("no ise.csv").write_text("\n".join(["x,y", *lines]))
        train = ("train", "no ise.csv", "--target", "y", "--learning-rate", 0.3, "--folds", 2)
        result = clearprop(*train, "--epochs", 10, "--out", "my run")
        saved, doubt = result.stdout.splitlines()[3:5]
        assert saved.startswith("Trained ")
        assert doubt == (
            "This is no better than always answering the mean: nothing that helps was learned. "
            "To look for the reason: clearprop doctor 'my run'"
        )
        hardly = ("--layers", "none", "--epochs", 5, "--learning-rate", 0.05, "--folds", 2)
        result = clearprop("train", "iris", *hardly, "--out", "hardly")
        (doubt,) = (line for line in result.stdout.splitlines() if "To look for" in line)
        assert doubt == (
            "This is a linear model, and scikit-learn's does as well or better. To look for the "
            "reason: clearprop doctor hardly"
        )
        corners = [f"{a}.{k % 7},{b}.{k % 5},{'same' if a == b else 'apart'}"
                 for k, (a, b) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)] * 15)]  # fmt: skip
        Path("xor.csv").write_text("\n".join(["x,z,kind", *corners]))
        able = ("--layers", 16, "--epochs", 60, "--learning-rate", 0.05, "--folds", 2)
        result = clearprop("train", "xor.csv", *able, "--out", "able")
        assert "To look for the reason" not in result.stdout

    def test_tells_a_next_command_that_works(self, clearprop, people):
        result = clearprop("train", people, "--epochs", 2)
        last = shlex.split(result.stdout.splitlines()[-1])
        assert last[:2] == ["clearprop", "show"]
        assert clearprop(*last[1:]).exit_code == 0

    @pytest.mark.usefixtures("with_pictures")
    def test_of_two_features_draws_the_boundary_of_arrays_and_of_tables(self, clearprop, elsewhere):
        X = np.random.RandomState(0).randn(40, 2).round(3)
        lines = [f"{a},{b},{'in' if a * a + b * b < 1 else 'out'}" for a, b in X]
        lines[3] = ",0.5,out"  # a missing cell has no place in the plane
        Path("plane.csv").write_text("\n".join(["east,north,where", *lines]))
        for data in ("plane.csv", "planar"):
            options = ("--epochs", 1, "--layers", 4, "--folds", 0, "--out", Path(data).stem)
            assert clearprop("train", data, *options).exit_code == 0
            assert "boundary.png" in names(elsewhere / Path(data).stem)
            assert "mistakes.png" not in names(elsewhere / Path(data).stem)

    def test_takes_any_column_of_a_table_as_its_target(self, clearprop, elsewhere):
        rows = [f"{n % 5},{'yes' if n % 2 else 'no'},{n / 40:.2f}" for n in range(40)]
        Path("table.csv").write_text("\n".join(["number,answer,share", *rows]))
        for target, columns in (("answer", {"number", "share"}), ("share", {"number", "answer"})):
            options = ("--target", target, "--epochs", 2, "--folds", 0, "--out", target)
            assert clearprop("train", "table.csv", *options).exit_code == 0
            shown = clearprop("show", f"{target}/model.safetensors", "--json").stdout
            recipe = json.loads(shown)["preprocessing"]
            assert recipe["target"]["name"] == target
            assert {column["name"] for column in recipe["inputs"]["columns"]} == columns

    @pytest.mark.usefixtures("with_pictures")
    def test_of_values_draws_predictions_and_says_r2(self, clearprop, elsewhere):
        result = clearprop("train", "diabetes", "--epochs", 3, "--out", "run")
        assert result.exit_code == 0
        assert "R² " in result.stdout
        assert "predictions.png" in names(elsewhere / "run")

    def test_without_an_out_folder_gets_a_new_one_each_time(self, clearprop, elsewhere):
        for _ in range(3):
            assert clearprop("train", "iris", "--epochs", 1, "--folds", 0).exit_code == 0
        assert names(elsewhere / "runs") == {"iris", "iris-2", "iris-3"}

    def test_of_a_folder_with_a_test_set_says_its_accuracy(self, clearprop, photos):
        for part, seeds in (("train", range(5)), ("test", range(5, 6))):
            for seed in seeds:
                for name in ("bright", "dark"):
                    target = photos / part / name / f"{seed}.png"
                    target.parent.mkdir(parents=True, exist_ok=True)
                    (photos / name / f"{seed}.png").rename(target)
        for name in ("bright", "dark"):
            (photos / name).rmdir()
        result = clearprop("train", photos, "--size", 8, "--epochs", 2, "--out", "run")
        assert result.exit_code == 0
        assert "Held out       2 samples: accuracy" in result.stdout
        assert "10 samples to train on, in 5 folds, 2 to test." in result.stderr

    def test_reports_as_json(self, clearprop, people, strict_json):
        result = clearprop("train", people, "--epochs", 2, "--folds", 0, "--json")
        report = strict_json(result.stdout)
        assert report["samples"] == {"test": 16, "validation": 13, "train": 51}
        for part, count in report["samples"].items():
            assert report[part]["samples"] == count
            assert report[part]["score"] == "accuracy"
        assert report["epochs"] == 2
        saved = strict_json(Path(report["folder"], "report.json").read_text())
        assert report == saved | {
            "pictures": [],
            "page": str(Path(report["folder"], "report.html")),
            "doctor": report["doctor"],
        }

    def test_holds_nothing_out_when_asked_so(self, clearprop, strict_json):
        result = clearprop("train", "iris", "--epochs", 1, "--validation", 0, "--test", 0, "--json")
        assert strict_json(result.stdout)["samples"] == {"train": 150}


class TestFolders:
    def test_with_a_run_are_not_written_over(self, clearprop, table_run, people, contents):
        before = contents(table_run)
        result = clearprop("train", people, "--out", table_run)
        assert result.exit_code == 2
        assert f"--resume --out {table_run}" in result.stderr
        assert contents(table_run) == before

    def test_under_a_file_cant_be_made(self, clearprop, elsewhere):
        Path("file").touch()
        result = clearprop("train", "iris", "--out", "file/run")
        assert result.exit_code == 1
        assert "file/run can't be written: Not a directory" in result.stderr
        assert names(elsewhere) == {"file"}


def test_says_that_lbfgs_has_converged(clearprop):
    options = ("--optimizer", "lbfgs", "--folds", 0, "--patience", 0)
    result = clearprop("train", "iris", *options)
    assert re.search(r"Trained \d+ epochs in [\d.]+ s, until it converged. Saved", result.stdout)


class TestResuming:
    @pytest.mark.parametrize(
        ("folds", "label"),
        [(0, ""), (2, "fold 2 of 2"), (2, "all samples")],
        ids=["", "in a fold", "after folds"],
    )
    def test_goes_on_to_the_same_bytes_after_ctrl_c(
        self, clearprop, monkeypatch, contents, folds, label
    ):
        options = ("train", "iris", "--epochs", 6, "--dropout", 0.1, "--checkpoint-every", 0)
        options += ("--folds", folds)
        assert clearprop(*options, "--out", "whole").exit_code == 0

        def interrupt(line, run):
            if run.epoch == 3 and line._of(run).label == label:
                os.kill(os.getpid(), signal.SIGINT)

        with monkeypatch.context() as patched:
            patched.setattr(ProgressLine, "on_epoch_end", interrupt)
            result = clearprop(*options, "--out", "part")
        assert result.exit_code == 130
        assert "Traceback" not in result.stderr
        if label.startswith("fold"):  # nothing is left but how to begin anew
            assert result.stdout == ""
            assert names(Path("part")) == {"config.toml"}
        else:
            assert "Trained 3 epochs" in result.stdout
            cp.load("part/model.safetensors")
            assert json.loads(Path("part/report.json").read_text())["stopped"] == "interrupted"

        (command,) = (line for line in result.stderr.splitlines() if "--resume" in line)
        again = shlex.split(command.partition(": ")[2])
        assert clearprop(*again[1:]).exit_code == 0
        part, whole = (contents(Path(name), "model.*") for name in ("part", "whole"))
        assert part == whole

    def test_needs_a_folder_and_a_run_in_it(self, clearprop, elsewhere):
        result = clearprop("train", "iris", "--resume")
        assert result.exit_code == 2
        assert "--resume --out FOLDER" in result.stderr
        result = clearprop("train", "iris", "--resume", "--out", "nothing")
        assert result.exit_code == 2
        assert "There is no run in nothing" in result.stderr
        assert names(elsewhere) == set()

    @pytest.mark.parametrize(
        ("change", "named"),
        [(("wine",), "data = iris, now it is wine"), (("--epochs", 3), "epochs = 2, now it is 3")],
    )
    def test_with_other_settings_is_refused_and_changes_nothing(
        self, clearprop, contents, change, named
    ):
        assert (
            clearprop("train", "iris", "--epochs", 2, "--folds", 0, "--out", "run").exit_code == 0
        )
        before = contents(Path("run"))
        result = clearprop("train", *change, "--resume", "--out", "run")
        assert result.exit_code == 2
        assert named in result.stderr
        assert contents(Path("run")) == before

    @pytest.mark.parametrize(
        "unscheduled",
        [
            ("--network", "dense", "--schedule", "constant"),
            ("--optimizer", "lbfgs", "--dtype", "float64"),
        ],
        ids=["constant rate", "no rate"],
    )
    def test_trains_more_epochs_without_a_schedule(self, clearprop, unscheduled):
        train = ("train", "iris", *unscheduled, "--folds", 0, "--patience", 0, "--epochs")
        assert clearprop(*train, 4, "--out", "whole").exit_code == 0
        assert clearprop(*train, 2, "--out", "part").exit_code == 0
        assert clearprop("train", "--resume", "--out", "part", "--epochs", 4).exit_code == 0
        whole, part = (cp.load(f"{name}/model.safetensors").network for name in ("whole", "part"))
        np.testing.assert_array_equal(part.parameters.data, whole.parameters.data)

    def test_trains_no_more_epochs_where_dropout_and_decay_fall(self, clearprop):
        train = ("train", "iris", "--schedule", "constant", "--folds", 0, "--epochs", 2)
        assert clearprop(*train, "--out", "table").exit_code == 0
        refused = clearprop("train", "--resume", "--out", "table", "--epochs", 4)
        assert "began with epochs = 2, now it is 4" in refused.stderr


class TestDivergence:
    OPTIONS = ("--learning-rate", 1e30, "--optimizer", "sgd", "--schedule", "constant")

    def test_says_when_and_what_to_try_and_keeps_finite_weights(self, clearprop, strict_json):
        result = clearprop("train", "iris", *self.OPTIONS, "--out", "run", "--json")
        assert result.exit_code == 1
        assert "stopped being finite in epoch 1, update" in result.stderr
        assert "Try a lower learning rate" in result.stderr
        assert "Warning" not in result.stderr
        assert strict_json(result.stdout)["stopped"] == "diverged"
        assert np.isfinite(cp.load("run/model.safetensors").network.parameters.data).all()

    def test_suggests_no_use_of_the_model(self, clearprop):
        result = clearprop("train", "iris", *self.OPTIONS)
        assert result.exit_code == 1
        assert "Next:" not in result.stdout


def test_a_table_comes_from_standard_input() -> None:
    text = "x,y\n" + "".join(f"{row % 7},{'ab'[row % 7 > 3]}\n" for row in range(40))
    result = CliRunner().invoke(cli, ["train", "-", "--epochs", "1"], input=text)
    assert result.exit_code == 0
    assert "standard input" not in result.stdout
    assert "Columns: 1 used: x." in result.stderr
    assert Path("runs/stdin/model.safetensors").exists()
    result = CliRunner().invoke(cli, ["data", "-"], input=text)
    assert result.stdout.startswith("standard input: 40 samples, table")
    result = CliRunner().invoke(cli, ["data", "-"], input="")
    assert result.exit_code == 1
    assert "standard input is empty" in result.stderr

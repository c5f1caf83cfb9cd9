"""Runs on disk: the words that mean them, their data, their list and their removal."""

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

import clearprop as cp
from clearprop.experiment.runs import Saved, list_runs, removable


@pytest.fixture
def run(table_run, people):
    """A run under ``runs/``, and its data beside it."""
    shutil.copy(people, "people.csv")
    shutil.copytree(table_run, "runs/people")
    settings = Path("runs/people/config.toml")
    settings.write_text(
        settings.read_text().replace(str(people), str(Path("people.csv").resolve()))
    )
    return Path("runs/people")


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


COMMANDS = {
    "show": (),
    "predict": ("people.csv",),
    "evaluate": ("people.csv",),
    "check": (),
    "walk": ("--layer", "loss"),
    "doctor": (),
    "plot": (),
}


class TestAWord:
    @pytest.mark.usefixtures("with_pictures")
    @pytest.mark.parametrize("command", COMMANDS)
    def test_is_a_folder_or_the_model_in_it(self, clearprop, run, command):
        by_folder = clearprop(command, run, *COMMANDS[command])
        assert by_folder.exit_code == 0, by_folder.stderr
        by_file = clearprop(command, run / "model.safetensors", *COMMANDS[command])
        assert by_file.stdout == by_folder.stdout

    @pytest.mark.slow
    def test_of_compare_stands_for_data_and_settings(
        self, clearprop, run, strict_json, in_this_process
    ):
        options = ("--layers", 3, "--repeats", 1, "--epochs", 1, "--json")
        found = strict_json(clearprop("compare", run, *options).stdout)
        by_hand = ("--config", run / "config.toml", *options, "--out", "other")
        expected = strict_json(clearprop("compare", run.parents[1] / "people.csv", *by_hand).stdout)
        assert found["architectures"][0]["scores"] == expected["architectures"][0]["scores"]

    @pytest.mark.parametrize(
        "arguments",
        [
            ("show", "people"),
            ("predict", "runs/poeple", "new.csv"),
            ("evaluate", "runs/people2", "iris"),
            ("train", "iris", "--from", "runs/peopel"),
            ("check", "runs/peopl"),
            ("walk", "people"),
            ("doctor", "poeple"),
        ],
    )
    def test_that_is_none_gets_the_nearest_run(self, clearprop, run, arguments):
        result = clearprop(*arguments)
        assert result.exit_code != 0
        assert result.stdout == ""
        assert "runs/people" in result.stderr.replace("runs/people2", "")
        assert len(result.stderr.splitlines()) == 1

    def test_of_a_folder_without_a_run_says_what_is_missing(self, clearprop, elsewhere):
        Path("empty").mkdir()
        result = clearprop("show", "empty")
        assert result.exit_code == 1
        assert "empty is a folder without a run: it has no config.toml" in result.stderr

    def test_of_a_run_that_did_not_end_says_how_to_go_on(self, clearprop, run):
        (run / "model.safetensors").unlink()
        result = clearprop("predict", run, "people.csv")
        assert result.exit_code == 1
        assert f"clearprop train --resume --out {run}" in result.stderr

    def test_that_names_a_data_set_means_that(self, clearprop, run, strict_json):
        run.rename("moons")
        found = strict_json(clearprop("check", "moons", "--json").stdout)
        assert "6.W" in {row["parameter"] for row in found["rows"]}  # the run has two layers
        assert clearprop("train", "moons", "--epochs", 1).exit_code == 0
        assert "age (number)" in clearprop("show", "moons").stdout

    def test_is_no_data_to_train_on(self, clearprop, run):
        result = clearprop("train", run)
        assert result.exit_code == 2
        assert f"--from {run}" in result.stderr


class TestData:
    OPTIONS = ("--epochs", 2, "--layers", 4)

    @pytest.mark.parametrize("command", ["check", "walk", "doctor", "plot"])
    def test_are_found_from_anywhere(self, clearprop, people, elsewhere, monkeypatch, command):
        shutil.copy(people, "here.csv")
        assert clearprop("train", "here.csv", *self.OPTIONS, "--out", "run").exit_code == 0
        Path("away").mkdir()
        monkeypatch.chdir("away")
        result = clearprop(command, "../run", *COMMANDS[command])
        assert result.exit_code == 0, result.stderr
        assert "Only curves" not in result.stderr

    def test_leave_the_same_model_wherever_they_lie(self, clearprop, people, elsewhere):
        for place in ("a", "b/c"):
            Path(place).mkdir(parents=True)
            shutil.copy(people, f"{place}/people.csv")
        for name, data in (("one", "a/people.csv"), ("two", elsewhere / "b/c/people.csv")):
            options = ("--validation", data, "--test", data, *self.OPTIONS, "--out", name)
            assert clearprop("train", data, *options).exit_code == 0
        one, two = (Path(name, "model.safetensors").read_bytes() for name in ("one", "two"))
        assert one == two
        assert str(elsewhere).encode() not in one

    def test_that_are_called_like_a_data_set_stay_a_path(self, clearprop, people, elsewhere):
        shutil.copy(people, "iris")
        assert clearprop("train", "./iris", *self.OPTIONS, "--out", "run").exit_code == 0
        shutil.copy("run/model.safetensors", "alone.safetensors")
        assert Saved("", Path("alone.safetensors"), None).settings.data == "./iris"
        assert clearprop("check", "alone.safetensors").exit_code == 0

    @pytest.mark.parametrize("command", ["check", "walk", "doctor", "plot"])
    def test_that_moved_are_asked_for_and_taken(self, clearprop, run, command):
        moved = Path("people.csv").rename("moved.csv")
        result = clearprop(command, run, *COMMANDS[command])
        assert result.exit_code == (0 if command == "plot" else 2)
        assert "people.csv as its data, and nothing is there" in result.stderr
        assert "--data PATH" in result.stderr
        again = clearprop(command, run, *COMMANDS[command], "--data", moved)
        assert again.exit_code == 0, again.stderr
        assert "--data" not in again.stderr

    def test_that_moved_are_named_to_go_on_with_a_run(self, clearprop, people, elsewhere):
        train = ("train", "--schedule", "constant", "--layers", 4, "--epochs")
        shutil.copy(people, "here.csv")
        assert clearprop(*train, 2, "here.csv", "--folds", 0, "--out", "run").exit_code == 0
        assert clearprop(*train, 4, "here.csv", "--folds", 0, "--out", "whole").exit_code == 0
        Path("here.csv").rename("there.csv")
        Path("other.csv").write_text(people.read_text().replace("red", "green"))
        resume = ("train", "--resume", "--out", "run", "--epochs", 4)
        lost = clearprop(*resume)
        assert lost.exit_code == 2
        assert "clearprop train DATA" in lost.stderr
        assert clearprop(*resume, "other.csv").exit_code == 2  # the checkpoint knows better
        done = clearprop(*resume, "there.csv")
        assert done.exit_code == 0, done.stderr
        nets = (cp.load(f"{name}/model.safetensors").network for name in ("run", "whole"))
        np.testing.assert_array_equal(*(net.parameters.data for net in nets))

    def test_of_runs_with_relative_paths_are_found_as_before(self, clearprop, run):
        settings = run / "config.toml"
        lines = settings.read_text().splitlines()
        settings.write_text("\n".join(['data = "people.csv"', *lines[1:]]))
        assert clearprop("walk", run).exit_code == 0

    @pytest.mark.parametrize("command", ["check", "walk", "doctor", "train"])
    def test_from_standard_input_can_not_be_read_again(self, clearprop, run, command):
        settings = run / "config.toml"
        lines = settings.read_text().splitlines()
        settings.write_text("\n".join(['data = "-"', *lines[1:]]))
        words = ("--config", settings) if command == "train" else (run, *COMMANDS[command])
        result = clearprop(command, *words)
        assert result.exit_code == 2
        assert "standard input, which can't be read again" in result.stderr

    def test_that_were_learned_are_known_by_any_path(self, clearprop, run, people, strict_json):
        def learned(model, data):
            return strict_json(clearprop("evaluate", model, data, "--json").stdout)["learned_from"]

        assert learned(run, "people.csv")
        assert learned(run / "model.safetensors", Path("people.csv").resolve())
        assert not learned(run, people)  # the same name, elsewhere
        shutil.copy(run / "model.safetensors", "alone.safetensors")
        assert learned("alone.safetensors", people)  # it knows no more than the name


class TestTheList:
    def test_tells_data_layers_score_and_size_the_newest_first(self, clearprop, run, strict_json):
        for place, (name, when) in enumerate((("older", 1e9), ("newest", 2e9))):
            shutil.copytree(run, f"runs/{name}")
            for path in Path("runs", name).iterdir():
                os.utime(path, (when + place, when + place))
        found = strict_json(clearprop("runs", "--json").stdout)
        assert [Path(one["folder"]).name for one in found["runs"]] == ["newest", "people", "older"]
        assert found["problems"] == []
        one, report = found["runs"][0], json.loads((run / "report.json").read_text())
        scored = report["test"]
        assert one["data"] == str(Path("people.csv").resolve())
        assert one["layers"] == [16]
        assert one["score"] == scored[one["score_name"]]
        assert one["to_beat"] == max(x[one["score_name"]] for x in scored["baselines"].values())
        assert one["bytes"] == sum(map(len, contents(run).values()))
        assert datetime.fromisoformat(one["saved"]).timestamp() == 2e9 + 1
        lines = clearprop("runs").stdout.splitlines()
        assert [line.split()[0] for line in lines] == [
            "run", "runs/newest", "runs/people", "runs/older",
        ]  # fmt: skip
        assert lines[1].split()[1:3] == ["people.csv", "16"]
        assert f"{scored['accuracy']:.2%}" in lines[1]

    def test_tells_the_layers_that_folds_chose(self, clearprop, people, strict_json):
        train = ("train", people, "--network", "dense", "--epochs", 1)
        assert clearprop(*train).exit_code == 0
        (one,) = strict_json(clearprop("runs", "--json").stdout)["runs"]
        assert one["layers"] in ([64, 32], [])

    def test_names_what_is_no_run_and_goes_on(self, clearprop, run):
        Path("runs/foreign").mkdir()
        for name, file, text in (
            ("settings", "config.toml", "a,b"),
            ("future", "config.toml", "learning = 1"),
            ("report", "report.json", "[" * 10**5),
        ):
            shutil.copytree(run, f"runs/{name}")
            Path("runs", name, file).write_text(text)
        result = clearprop("runs")
        assert result.exit_code == 0
        assert len(result.stdout.splitlines()) == 2
        for name in ("foreign", "settings", "future", "report"):
            assert f"Left out: runs/{name} " in result.stderr

    def test_tells_a_run_that_did_not_end_and_one_without_a_score(self, clearprop, run):
        shutil.copytree(run, "runs/other")
        (run / "report.json").unlink()
        report = json.loads(Path("runs/other/report.json").read_text())
        del report["test"]
        Path("runs/other/report.json").write_text(json.dumps(report))
        (_, *runs), _ = (clearprop("runs").stdout.splitlines(), None)
        said = {line.split()[0]: line.split()[3] for line in runs}
        assert said == {"runs/people": "unfinished", "runs/other": "–"}

    def test_of_one_run_is_that(self, clearprop, run, strict_json):
        (one,) = strict_json(clearprop("runs", run, "--json").stdout)["runs"]
        assert one["folder"] == str(run)

    def test_may_be_empty_but_needs_a_folder_that_is_named(self, clearprop, elsewhere):
        result = clearprop("runs")
        assert (result.exit_code, result.stdout) == (0, "")
        assert "clearprop train DATA" in result.stderr
        assert clearprop("runs", "nowhere").exit_code == 1


class TestRemoving:
    def test_takes_the_run_and_nothing_else(self, clearprop, run, strict_json):
        shutil.copytree(run, "runs/other")
        result = clearprop("runs", "--remove", "runs/other", "--yes", "--json")
        assert strict_json(result.stdout) == {"removed": ["runs/other"]}
        assert list(Path("runs").iterdir()) == [run]

    def test_is_not_done_where_nobody_can_be_asked(self, clearprop, run):
        before = contents(run)
        result = clearprop("runs", "--remove", run)
        assert result.exit_code == 2
        assert "--yes" in result.stderr
        assert contents(run) == before

    @pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("y\n", 0)])
    def test_is_asked_on_a_terminal(self, run, answer, code):
        pty = pytest.importorskip("pty")
        ours, theirs = pty.openpty()
        os.write(ours, answer.encode())
        done = subprocess.run(
            [sys.executable, "-m", "clearprop", "runs", "--remove", str(run)],
            stdin=theirs, capture_output=True, text=True, check=False,
        )  # fmt: skip
        os.close(ours)
        os.close(theirs)
        assert done.returncode == code, done.stderr
        assert f"Remove {run}, " in done.stderr
        assert run.exists() == (answer == "n\n")

    def test_leaves_a_folder_with_anything_else_in_it(self, clearprop, run):
        (run / "thesis.docx").write_text("years of work")
        shutil.copytree(run, "runs/other")
        (Path("runs/other") / "thesis.docx").unlink()
        before = contents(Path("runs"))
        result = clearprop("runs", "--remove", "runs/other", "--remove", run, "--yes")
        assert result.exit_code == 2
        assert "holds more than a run: thesis.docx" in result.stderr
        assert contents(Path("runs")) == before

    def test_follows_no_symlink(self, clearprop, run):
        outside = Path("outside")
        outside.mkdir()
        (outside / "report.json").write_text("mine")
        Path("link").symlink_to(run)
        for word in ("link", "link/"):
            assert clearprop("runs", "--remove", word, "--yes").exit_code == 2
        (run / "report.json").unlink()
        (run / "report.json").symlink_to((outside / "report.json").resolve())
        (run / "curves.png").unlink()
        (run / "curves.png").symlink_to(outside.resolve())
        result = clearprop("runs", "--remove", run, "--yes")
        assert result.exit_code == 2
        assert "curves.png, report.json" in result.stderr
        assert (outside / "report.json").read_text() == "mine"

    @pytest.mark.parametrize("word", [".", "runs", "people.csv", "nothing"])
    def test_needs_a_run(self, clearprop, run, word):
        before = contents(Path())
        result = clearprop("runs", "--remove", word, "--yes")
        assert result.exit_code == 2
        assert "no run's folder" in result.stderr
        assert contents(Path()) == before

    @pytest.mark.usefixtures("with_pictures")
    def test_knows_every_file_of_a_run(self, clearprop, picture_model, array_model):
        for data in ("planar", "diabetes"):
            options = ("--epochs", 1, "--layers", 4, "--folds", 0)
            assert clearprop("train", data, *options).exit_code == 0
        drawn = set()
        for folder in (picture_model.parent, array_model.parent, "runs/planar", "runs/diabetes"):
            assert removable(str(folder))[0] == Path(folder)
            drawn |= {path.stem for path in Path(folder).glob("*.png")}
        assert drawn >= {"curves", "weights", "confusion", "boundary", "predictions"}

    def test_takes_a_damaged_run_too(self, clearprop, run):
        (run / "config.toml").write_text("a,b")
        (run / ".clearprop-half.png").touch()  # left by a process that was killed
        assert clearprop("runs", "--remove", run, "--yes").exit_code == 0
        assert not run.exists()

    def test_is_all_that_yes_is_for(self, clearprop, elsewhere):
        assert clearprop("runs", "--yes").exit_code == 2


def test_the_list_is_of_folders_alone(run):
    Path("runs/notes.txt").write_text("")
    runs, problems = list_runs(Path("runs"))
    assert [one.folder for one in runs] == [run]
    assert problems == []
